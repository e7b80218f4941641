"""What every channel says first."""

from bot.i18n.translate import say


def greeting(language: str) -> str:
    return say(
        language,
        "Hello! I am Accueil, the assistant of JUNIA's international office. I am a machine: I answer from checked "
        "sources and say so when I do not know. A person of the office can take over at any time. What do you need?",
    )
