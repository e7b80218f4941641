"""Make a free text safe and plain for the NLU model; pure."""

import re
import unicodedata

from bot.identity.addresses import without_credentials

LONGEST_FOR_MODEL = 1000
"""Characters: the meaning of a question is in its first paragraph; the transcript keeps the whole text."""
MOST_QUESTIONS = 3

_COMMAND = "/／ "
"""What a text must not start with."""
_DATE = r"(?:\d{4}[-.]\d{1,2}[-.]\d{1,2}|\d{1,2}[-.]\d{1,2}[-.]\d{4})\b"
_LONG_NUMBER = re.compile(rf"\b(?!{_DATE})\d[\d .-]{{7,}}\d\b")
_SENTENCE = re.compile(r"[^?？؟.!。！;；\n]*[?？؟.!。！;；\n]+|[^?？؟.!。！;；\n]+$")
_WORDS_THAT_ASK = r"""
    how|what|when|where|which|who|why|does|is\ it|is\ there|are\ there|(?:can|do|should|must|may)\ i|i\ (?:also\ )?need
    |comment|quand|où|quels?|quelles?|combien|est-ce|est\ ce|puis-je|peut-on|faut-il|dois-je|qui|pourquoi|j'ai\ besoin
    |cómo|cuándo|dónde|qué|cuánto|puedo|necesito|como|onde|qual|quanto|posso|preciso
    |як|коли|де|що|скільки|чи|мені\ потрібн\w*|كيف|متى|أين|هل|كم|ما\ هو|ما\ هي|أحتاج
"""
_ASKS = re.compile(
    rf"^(?:(?:and|also|plus|et|aussi|puis|y|e|і|та|و)\b[\s,]*)*(?:{_WORDS_THAT_ASK})(?:\b|(?=\s))",
    re.VERBOSE | re.IGNORECASE,
)
_JOINED = re.compile(
    rf"[\s,]+(?:and|also|plus|et(?:\s+aussi)?|y|e|і|та)\s+(?=(?:{_WORDS_THAT_ASK})\s)", re.VERBOSE | re.IGNORECASE
)
_ENDS_IN_A_QUESTION = re.compile(r"[?？؟]\s*$")
_FEWEST_WORDS, _FEWEST_SIGNS = 3, 5


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

    A part counts when it ends in a question mark or begins with a word that asks; a story around one question stays
    whole, since it often holds the word that tells which topic is meant. A part cannot start a command either: it
    reaches the engine by itself.
    """
    parts = (
        part.lstrip(_COMMAND + ",").strip()
        for sentence in _SENTENCE.findall(text)
        for part in _JOINED.split(sentence.strip())
    )
    questions = [part for part in parts if _is_question(part)]
    return questions[:MOST_QUESTIONS] if len(questions) >= 2 else [text]


def _is_question(part: str) -> bool:
    if not (_ENDS_IN_A_QUESTION.search(part) or _ASKS.match(part)):
        return False
    # Chinese has no spaces between words.
    return len(part.split()) >= _FEWEST_WORDS or sum(ord(sign) > 0x2E80 for sign in part) >= _FEWEST_SIGNS
