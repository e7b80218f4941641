"""What a text that starts with "/" asks for: the few commands that messengers offer in a menu. Pure."""

from collections.abc import Mapping
from typing import Any

from bot.i18n.translate import mark

COMMANDS: Mapping[str, Mapping[str, Any]] = {
    "start": {"effect": "greet"},
    "help": {"effect": "show_help"},
    "human": {"effect": "request_person"},
    "language": {"effect": "choose_language"},
    "mydata": {"effect": "show_my_data"},
    "stop": {"effect": "stop_reminders", "values": {"kind": "all"}},
    "link": {"effect": "start_link"},
    "unlink": {"effect": "unlink"},
}
"""Name → what a press of a button with the same meaning would hold."""

MENU: Mapping[str, str] = {
    "help": mark("What I can do"),
    "human": mark("Talk to a person"),
    "language": mark("Choose another language"),
    "link": mark("Link my record"),
    "mydata": mark("See, correct or erase my data"),
    "stop": mark("No more reminders"),
    "unlink": mark("End the link with my record"),
}
"""What a messenger offers, in this order; /start has a button of its own there."""


def command_of(text: str) -> dict[str, Any] | None:
    """What "/mydata" and the like ask for, with or without the bot's name behind it; None for any other text."""
    word, _, _rest = text.strip().partition(" ")
    if not word.startswith("/"):
        return None
    meant = COMMANDS.get(word[1:].partition("@")[0].casefold())
    return dict(meant) if meant is not None else None
