"""A strict fake of Telegram's Bot API: a server that refuses what Telegram refuses, and phones to write from."""

from tests.fakes.telegram_api.phone import Button, Fake, Handset, Phone, Received
from tests.fakes.telegram_api.server import running

__all__ = ["Button", "Fake", "Handset", "Phone", "Received", "running"]
