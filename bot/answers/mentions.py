"""What a message says of its writer or of a campus, in plain words ("I am British", "in Bordeaux"). Pure.

Only clear words count: what is not found here is taken from the record, asked, or shown for every case.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from babel import Locale

from bot.answers.urgent import fold
from bot.i18n.languages import CODES, locales_of
from bot.students.facts import COUNTRIES, EU_EEA_CH

_CAMPUS = re.compile(r"\b(lille|bordeaux|chateauroux)\b")
_AGE = re.compile(r"\b(?:i am|i'm|im|j'ai|jai|tengo|tenho) (\d\d)(?: (?:years|ans|anos)\b|\W|$)")
_FROM = re.compile(
    r"""\b(?:
        i\ am\ from | i'm\ from | im\ from | i\ come\ from | (?:student|citizen)s?\ (?:from|of)
        | je\ viens\ (?:de\ la|de\ l'|des|du|de|d'|d) | je\ suis\ originaire\ (?:de\ la|de\ l'|du|de|d')
        | soy\ de | vengo\ de | venho\ d[aeo] | sou\ d[aeo]
    )\s*(?:the\s)?(?P<country>[\w'\ -]{2,40})""",
    re.VERBOSE,
)
_NATIONAL = r"(?:citizen|student|passport|national)s?"
_I_AM = r"(?:i\ am|i'm|im|as\ an?|as|je\ suis|etudiante?|ressortissante?)"
_WORDS: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (family, choice, re.compile(pattern, re.VERBOSE))
    for family, choice, pattern in (
        (
            "citizenship",
            "other",
            r"""\b(?:non[- ]eu | non[- ]european | not\ european | outside\ (?:the\ )?eu | hors[- ]ue
            | hors\ union\ europeenne | extra[- ]?comunitario)\b""",
        ),
        (
            "citizenship",
            "eu",
            rf"""\b(?:(?:an?|as)\ (?:eu|european|eea|swiss) | (?:eu|european|eea)\ {_NATIONAL}
            | (?:citoyen|etudiant|ressortissant)(?:ne|e)?s?\ (?:europeen|de\ l'ue|de\ l'union|suisse)\w*)\b""",
        ),
        ("citizenship", "uk", rf"\b(?:{_I_AM}\ (?:british|britannique) | (?:british|uk)\ {_NATIONAL})\b"),
        ("citizenship", "algeria", rf"\b(?:{_I_AM}\ (?:algerian|algerien(?:ne)?) | algerian\ {_NATIONAL})\b"),
        (
            "programme",
            "degree",
            r"\b(?:(?:double[- ])?degree\ student | double[- ]degree | double[- ]diplome | diplomante?)\b",
        ),
        (
            "programme",
            "exchange",
            r"""\b(?:(?:exchange|erasmus)\ student | (?:on|for\ an?)\ (?:exchange|erasmus) | en\ echange
            | etudiante?\ erasmus | en\ erasmus)\b""",
        ),
    )
)


def mentioned(text: str) -> Mapping[str, str]:
    """Family → choice (see bot.answers.variants) that the message itself names."""
    plain = fold(text)
    found: dict[str, str] = {}
    for family, choice, pattern in _WORDS:
        if pattern.search(plain):
            found.setdefault(family, choice)
    if (place := _FROM.search(plain)) and (code := _country(place["country"])):
        found.setdefault("citizenship", _citizenship(code))
    campuses = set(_CAMPUS.findall(plain))
    if len(campuses) == 1:
        found["campus"] = campuses.pop()
    if age := _AGE.search(plain):
        years = int(age[1])
        found["age"] = "minor" if years < 18 else "over_30" if years > 30 else "adult"
    return found


def _citizenship(code: str) -> str:
    return "eu" if code in EU_EEA_CH else {"GB": "uk", "DZ": "algeria"}.get(code, "other")


def _country(words: str) -> str | None:
    """The country that the words begin with."""
    names, parts = _country_names(), re.findall(r"[\w'-]+", words)
    return next((names[name] for length in (4, 3, 2, 1) if (name := " ".join(parts[:length])) in names), None)


@lru_cache(maxsize=1)
def _country_names() -> Mapping[str, str]:
    names = {
        fold(str(name)): code
        for language in CODES
        for locale in locales_of(language)
        for code, name in Locale.parse(locale).territories.items()
        if code in COUNTRIES and code != "FR"
    }
    return names | {"uk": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "usa": "US", "us": "US"}
