"""What Telegram shows of the bot besides its messages, in each of our languages: the commands, and who it is."""

from telegram import Bot, BotCommand

from bot.conversations.commands import MENU
from bot.i18n.languages import CODES, DEFAULT
from bot.i18n.translate import mark, say

WHO = mark("The welcome desk of JUNIA's international office")
"""Under the name of the bot; 120 characters at most."""
WHAT = (
    mark(
        "A room, a visa, French classes, a buddy, the papers: ask in your own words, at any hour, and get an answer "
        "with its source and its date."
    ),
    mark(
        "Accueil is a machine and says so. When it does not know, or when you prefer, a person of the office takes "
        "over."
    ),
)
"""In the chat before anybody has written; 512 characters at most. As on the welcome page."""


def commands_in(language: str) -> list[BotCommand]:
    return [BotCommand(name, say(language, what)) for name, what in MENU.items()]


async def publish_menu(bot: Bot) -> int:
    """Bring Telegram's list of commands up to date; returns how many languages were written. Raises TelegramError."""
    written = 0
    # Without a language: for everybody whose language is not ours.
    for code in (None, *CODES):
        wanted = commands_in(code or DEFAULT)
        if list(await bot.get_my_commands(language_code=code)) != wanted:
            await bot.set_my_commands(wanted, language_code=code)
            written += 1
    return written


def description_in(language: str) -> str:
    return "\n\n".join(say(language, sentence) for sentence in WHAT)


async def introduce(bot: Bot) -> int:
    """Say who the bot is where Telegram has nothing: words that the office gave to @BotFather stay.

    Returns how many texts were written. Raises TelegramError.
    """
    written = 0
    # The one for all others last: Telegram shows it wherever a language has none of its own.
    for code in (*CODES, None):
        if not (await bot.get_my_description(language_code=code)).description:
            await bot.set_my_description(description_in(code or DEFAULT), language_code=code)
            written += 1
        if not (await bot.get_my_short_description(language_code=code)).short_description:
            await bot.set_my_short_description(say(code or DEFAULT, WHO), language_code=code)
            written += 1
    return written
