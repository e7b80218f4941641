"""The list of commands that Telegram shows, in each of our languages; written when it differs from what is there."""

from telegram import Bot, BotCommand

from bot.conversations.commands import MENU
from bot.i18n.languages import CODES, DEFAULT
from bot.i18n.translate import say


def commands_in(language: str) -> list[BotCommand]:
    return [BotCommand(name, say(language, what)) for name, what in MENU.items()]


async def publish_menu(bot: Bot) -> int:
    """Bring Telegram's list up to date; returns how many languages were written. Raises TelegramError."""
    written = 0
    # Without a language: for everybody whose language is not ours.
    for code in (None, *CODES):
        wanted = commands_in(code or DEFAULT)
        if list(await bot.get_my_commands(language_code=code)) != wanted:
            await bot.set_my_commands(wanted, language_code=code)
            written += 1
    return written
