"""The npm package `telegram-test-api`, a Bot API server that others wrote: started for tests, with a phone on it."""

from tests.fakes.telegram_test_api.phone import OtherPhone, OtherServer
from tests.fakes.telegram_test_api.server import NotHere, other_server

__all__ = ["NotHere", "OtherPhone", "OtherServer", "other_server"]
