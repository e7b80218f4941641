"""`accueil telegram-webhook`: look at, or take away, the address to which Telegram hands a bot's messages."""

import asyncio
from typing import Annotated

import typer

from bot.cli.common import one_sentence, say


def add_to(app: typer.Typer) -> None:
    app.command("telegram-webhook")(telegram_webhook)


def telegram_webhook(
    remove: Annotated[bool, typer.Option("--remove", help="Take it away, so that the bot can be polled.")] = False,
) -> None:
    """Print where Telegram hands this bot's messages; --remove takes that away (nothing that waits is lost)."""
    from bot.channels.telegram.channel import webhook_of

    with one_sentence() as settings:
        for line in asyncio.run(webhook_of(settings, remove=remove)):
            say(line)
