"""E-mail addresses and six-digit codes as people type them."""

import re
import unicodedata

LONGEST_ADDRESS = 254
CODE_DIGITS = 6

_ADDRESS = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9-])")
_CODE = re.compile(r"(?<!\d)(?<!\d[\s-])\d(?:[\s-]?\d){5}(?![\s-]?\d)")
_DIGITS_ALONE = re.compile(r"\d(?:[\s-]?\d)*")
_WORDS_AROUND_ADDRESS, _WORDS_AROUND_CODE = 6, 4
"""How many other words may stand around before the text is a question of its own."""


def plain(text: str) -> str:
    """Full-width signs and the digits of every script as ASCII: ١٢٣٤٥٦ is a code as well."""
    folded = unicodedata.normalize("NFKC", text)
    return "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in folded)


def email_in(text: str) -> str | None:
    """The first e-mail address in a text, lower case."""
    found = _ADDRESS.search(plain(text))
    return found[0].lower() if found and len(found[0]) <= LONGEST_ADDRESS else None


def is_email(text: str) -> bool:
    return email_in(text) == text.lower()


def code_in(text: str) -> str | None:
    """Six digits in a short text, spaces and hyphens between them allowed; never part of a longer number."""
    text = plain(text)
    found = _CODE.search(text)
    if found is None or _words(_CODE.sub(" ", text)) > _WORDS_AROUND_CODE:
        return None
    return re.sub(r"\D", "", found[0])


def is_digits_alone(text: str) -> bool:
    """Whether a text is a number and nothing else: a code with a digit too few, say."""
    return _DIGITS_ALONE.fullmatch(plain(text).strip()) is not None


def is_address_alone(text: str) -> bool:
    """Whether a text hands over an e-mail address, at most with a few words around it."""
    text = plain(text)
    return email_in(text) is not None and "?" not in text and _words(_ADDRESS.sub(" ", text)) <= _WORDS_AROUND_ADDRESS


def without_credentials(text: str) -> str:
    """The text with addresses and codes taken out, for whoever must not see them."""
    folded = plain(text)
    if _ADDRESS.search(folded) is None and _CODE.search(folded) is None:
        return text
    return " ".join(_CODE.sub(" ", _ADDRESS.sub("e-mail", folded)).split())


def _words(text: str) -> int:
    return len(re.findall(r"\w+", text))
