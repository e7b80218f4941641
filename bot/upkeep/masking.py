"""Takes out of a question what names a person before anybody outside the conversation reads it; pure."""

import re
import unicodedata
from collections.abc import Iterable

MASK = "…"
FEWEST_WORDS = 2
FEWEST_SIGNS = 4
"""Of a script without spaces between words."""
FEWEST_LETTERS = 6
LONGEST = 300
"""Characters shown, and of a phrase to learn."""

_ADDRESS = re.compile(r"\S+@\S+|(?:https?://|www\.)\S+|(?<!\w)@\w{3,}", re.IGNORECASE)
_PHONE = re.compile(r"(?<![\w])\+?\(?\d[\d\s().\-/]{5,}\d")
_CODE = re.compile(r"\b(?=(?:[^\W_]*\d){4})[^\W_]+\b")
"""A word with four digits or more: a number of a passport, a file, a room; a sum of money with them, to be sure."""
_YEAR = re.compile(r"(?:19|20)\d\d")
_INTRODUCED = re.compile(
    r"(?P<before>(?i:\b(?:my name is|my name's|i am called|je m['’]appelle|mon nom est|me llamo|mi nombre es|chamo-me"
    r"|meu nome é|мене звати|اسمي|我叫))\s*)(?P<name>[^\W\d_][\w'’-]*(?:\s+[A-ZÀ-ÞА-ЯЇІЄҐ][\w'’-]*){0,2})"
)
_MASKS = re.compile(rf"{MASK}(?:[\s,.;:()/-]*{MASK})+")
_UNSPACED = 0x2E80


def masked(text: str, names: Iterable[str] = ()) -> str:
    """One line without addresses, phone and other long numbers, the names given, and a name after "my name is"."""
    shown = " ".join(text.split())
    for pattern in (_ADDRESS, _PHONE):
        shown = pattern.sub(MASK, shown)
    shown = _CODE.sub(lambda found: found[0] if _YEAR.fullmatch(found[0]) else MASK, shown)
    shown = _INTRODUCED.sub(lambda found: found["before"] + MASK, shown)
    shown = _without_names(shown, names)
    return _MASKS.sub(MASK, shown)[:LONGEST].strip()


def _without_names(text: str, names: Iterable[str]) -> str:
    """Word by word, whatever the case and the accents; of a double name each part."""
    parts = {_folded(part) for name in names for part in re.split(r"[\s'’-]+", name) if len(part) > 1}
    if not parts:
        return text
    return re.sub(r"[^\W\d_]+", lambda found: MASK if _folded(found[0]) in parts else found[0], text)


def _folded(word: str) -> str:
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


def says_enough(text: str) -> bool:
    """Whether a masked text is a question that can be sorted: "ok", "?" and a bare number are not."""
    words = re.findall(r"[^\W\d_]+", text)
    unspaced = sum(ord(sign) >= _UNSPACED for word in words for sign in word)
    if unspaced >= FEWEST_SIGNS:
        return True
    return len(words) >= FEWEST_WORDS and sum(map(len, words)) >= FEWEST_LETTERS
