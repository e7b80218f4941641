"""Make a free text safe and plain for the NLU model; pure."""

import re
import unicodedata

from bot.identity.addresses import without_credentials

LONGEST_FOR_MODEL = 1000
"""Characters: the meaning of a question is in its first paragraph; the transcript keeps the whole text."""
MOST_QUESTIONS = 3

_COMMAND = "/／ "
"""What a text must not start with."""
_LONG_NUMBER = re.compile(r"\b\d[\d .-]{7,}\d\b")
_QUESTION = re.compile(r"[^?？؟]*[?？؟]+")


def clean(text: str) -> str:
    """One line of printable text that cannot start a command.

    A text that starts with "/" would set any intent at confidence 1.0 (Rasa's RegexMessageHandler strips Unicode white
    space before it looks, so we do too). Addresses and long numbers (passport, phone) never reach the engine.
    """
    printable = "".join(" " if c.isspace() else c for c in text if c.isspace() or _is_printable(c))
    masked = _LONG_NUMBER.sub(" ", without_credentials(printable))
    return " ".join(masked.split())[:LONGEST_FOR_MODEL].lstrip(_COMMAND).strip()


def _is_printable(character: str) -> bool:
    return unicodedata.category(character)[0] != "C"


def split_questions(text: str) -> list[str]:
    """The questions of a message that asks several things, at most three; else the message itself.

    Only sentences that end in a question mark count: a story around one question stays whole, since it often holds
    the word that tells which topic is meant. A part cannot start a command either: it reaches the engine by itself.
    """
    parts = (match.group().lstrip(_COMMAND).strip() for match in _QUESTION.finditer(text))
    questions = [part for part in parts if len(part.split()) >= 3]
    return questions[:MOST_QUESTIONS] if len(questions) >= 2 else [text]
