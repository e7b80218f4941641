"""Canned replies: what a text may contain, how its variables are filled, which language is taken. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.i18n.languages import CODES, language_name
from bot.i18n.translate import mark, say

LONGEST_NAME = 120
LONGEST_SHORTCUT = 30
LONGEST_TEXT = 3000
"""Characters before the variables are filled: the longest message has 4000."""
SHORTCUT = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
VARIABLE = re.compile(r"\{([a-z_]+)\}")
BRACES = re.compile(r"\{[^{}]*\}?|\}")
ORDER = ("en", "fr")
"""Which language is taken where the student's own is missing."""

VARIABLES: Mapping[str, str] = {
    "first_name": mark("first name of the student"),
    "staff_name": mark("your own name"),
    "desk": mark("name of the desk"),
    "next_step": mark("next step of the student"),
    "campus": mark("campus of the student"),
    "arrival": mark("day of arrival in France"),
}
"""What may stand in braces, and what it stands for."""


@dataclass(frozen=True)
class Draft:
    """A canned reply as it was typed in."""

    name: str
    shortcut: str
    is_shared: bool
    texts: Mapping[str, str]

    def tidy(self) -> "Draft":
        """Without empty texts, spaces at the ends and the slash that is typed to find it."""
        texts = {code: text.strip().replace("\r\n", "\n") for code, text in self.texts.items() if text.strip()}
        return Draft(self.name.strip(), self.shortcut.strip().removeprefix("/").lower(), self.is_shared, texts)


@dataclass(frozen=True)
class Part:
    """A piece of a filled text; `gap` is the variable whose value is not known."""

    text: str
    gap: str | None = None


@dataclass(frozen=True)
class Filled:
    """A text in `language` with its variables filled, in pieces."""

    language: str
    parts: tuple[Part, ...]

    @property
    def gaps(self) -> tuple[str, ...]:
        return tuple(part.gap for part in self.parts if part.gap is not None)


def faults_of(draft: Draft, language: str) -> dict[str, str]:
    """What is wrong with a tidy draft: field → sentence with the fix. Texts are the fields `text_<language>`."""
    faults: dict[str, str] = {}
    if not draft.name or len(draft.name) > LONGEST_NAME or "\x00" in draft.name:
        faults["name"] = say(language, "Give it a name of at most {most} characters.", most=LONGEST_NAME)
    if not SHORTCUT.fullmatch(draft.shortcut) or len(draft.shortcut) > LONGEST_SHORTCUT:
        faults["shortcut"] = say(
            language,
            "Write at most {most} small letters without accents, digits and hyphens: welcome-day.",
            most=LONGEST_SHORTCUT,
        )
    if not draft.texts:
        faults["text_en"] = say(language, "Write the text in at least one language.")
    for code, text in draft.texts.items():
        if (fault := _fault_of_text(code, text, language)) is not None:
            faults[f"text_{code}"] = fault
    return faults


def _fault_of_text(code: str, text: str, language: str) -> str | None:
    if code not in CODES:
        return say(language, "{code} is none of the languages of this desk.", code=code)
    if len(text) > LONGEST_TEXT:
        return say(language, "The text has {count} characters; at most {most} fit.", count=len(text), most=LONGEST_TEXT)
    if "\x00" in text:
        return say(language, "The text has a sign that cannot be stored. Type it again.")
    for found in BRACES.findall(text):
        match = VARIABLE.fullmatch(found)
        if match is None or match[1] not in VARIABLES:
            known = ", ".join(f"{{{name}}}" for name in VARIABLES)
            return say(language, "{found} is not a variable. Known are: {known}.", found=found, known=known)
    return None


def chosen_language(texts: Mapping[str, str], language: str) -> str:
    """The student's language where there is a text in it, else English, French, any."""
    return next((code for code in (language, *ORDER) if code in texts), next(iter(texts)))


def fill(text: str, language: str, values: Mapping[str, str]) -> Filled:
    """Put the values in; a variable without one becomes a gap."""
    parts: list[Part] = []
    for place, piece in enumerate(VARIABLE.split(text)):
        if place % 2 == 0:
            parts += [Part(piece)] if piece else []
        elif value := values.get(piece, ""):
            parts.append(Part(value))
        else:
            parts.append(Part("", piece))
    return Filled(language, tuple(parts))


def fallback_note(written: str, wanted: str, language: str) -> str:
    """Says that a text is not in the student's language; "" where it is."""
    if written == wanted:
        return ""
    return say(
        language,
        "There is no text in {wanted}: this is the one in {written}.",
        wanted=language_name(wanted, language),
        written=language_name(written, language),
    )
