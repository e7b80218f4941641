"""What a text that starts with "/" asks for: the few commands that messengers offer in a menu. Pure."""

from bot.conversations.messages import Effect

COMMANDS = {
    "link": Effect("start_link"),
    "unlink": Effect("unlink"),
    "stop": Effect("stop_reminders", {"kind": "all"}),
    "mydata": Effect("show_my_data"),
}


def command_of(text: str) -> Effect | None:
    """The deed of "/mydata" and the like, with or without the bot's name behind it; None for any other text."""
    word, _, _rest = text.strip().partition(" ")
    if not word.startswith("/"):
        return None
    return COMMANDS.get(word[1:].partition("@")[0].casefold())
