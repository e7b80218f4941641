"""Which part of an answer is for this student: by the record, by what was told in the talk, or not known. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from dateutil.relativedelta import relativedelta

from bot.content.schema import FAMILIES, Family, Variant
from bot.conversations.messages import Button
from bot.i18n.translate import mark, say
from bot.students.facts import Facts

LABELS: Mapping[Variant, str] = {
    "eu": mark("EU, EEA or Swiss citizens"),
    "uk": mark("British citizens"),
    "algeria": mark("Algerian citizens"),
    "quebec": mark("Students from Quebec"),
    "refugee": mark("Refugees and protected persons"),
    "non_eu": mark("Citizens of other countries"),
    "exchange": mark("Exchange students"),
    "degree": mark("Degree and double-degree students"),
    "short_stay": mark("Stays up to 90 days (BIP, summer programme)"),
    "lille": mark("Lille"),
    "bordeaux": mark("Bordeaux"),
    "chateauroux": mark("Châteauroux"),
    "minor": mark("Under 18"),
    "adult": mark("From 18 years"),
    "over_30": mark("From 31 years"),
    "vls_ts": mark("With a VLS-TS visa"),
    "vls_t": mark("With a temporary VLS-T visa"),
}

QUESTIONS: Mapping[Family, str] = {
    "citizenship": mark("To answer for you: which citizenship do you have?"),
    "programme": mark("To answer for you: how do you come?"),
    "campus": mark("To answer for you: on which campus?"),
    "age": mark("To answer for you: how old are you?"),
    "visa": mark("To answer for you: what does your visa say?"),
}
"""Asked once in a conversation, with the choices as buttons."""

CHOICES: Mapping[Family, Mapping[str, str]] = {
    "citizenship": {
        "eu": mark("EU, EEA or Swiss"),
        "uk": mark("British"),
        "algeria": mark("Algerian"),
        "other": mark("Another country"),
    },
    "programme": {
        "exchange": mark("Exchange"),
        "degree": mark("Degree or double degree"),
        "short_stay": mark("BIP or summer programme"),
    },
    "campus": {"lille": mark("Lille"), "bordeaux": mark("Bordeaux"), "chateauroux": mark("Châteauroux")},
    "age": {"minor": mark("Under 18"), "adult": mark("18 to 30"), "over_30": mark("31 or more")},
    "visa": {"vls_ts": mark("VLS-TS"), "vls_t": mark("VLS-T (temporary)")},
}
"""What can be told: a word of `Told` → its button."""

Told = Mapping[str, str]
"""Family → choice, as told in the conversation; "" where it was asked and not answered."""

OUTSIDE_THE_EU = ("uk", "algeria", "quebec", "refugee", "other")
GROUPS = {
    "eu_eea_ch": "eu",
    "uk": "uk",
    "algeria": "algeria",
    "quebec": "quebec",
    "refugee_or_protected": "refugee",
    "turkey": "other",
    "other_non_eu": "other",
}
PROGRAMMES = {
    "exchange": "exchange",
    "ka131": "exchange",
    "ka171": "exchange",
    "degree": "degree",
    "double_degree": "degree",
    "bip": "short_stay",
    "summer": "short_stay",
}


@dataclass(frozen=True)
class Shown:
    """The variants to show. Several: each short, behind its label, and `ask` is the family to ask about, if any."""

    variants: tuple[Variant, ...]
    ask: Family | None = None


def known(facts: Facts | None, told: Told, today: date) -> dict[str, str]:
    """Family → choice; the record counts before what was told."""
    result = {family: choice for family, choice in told.items() if choice}
    if facts is None:
        return result
    if facts.nationality_group is not None:
        result["citizenship"] = GROUPS[facts.nationality_group]
    if facts.programme_type is not None:
        result["programme"] = PROGRAMMES[facts.programme_type]
    if facts.campus is not None:
        result["campus"] = facts.campus
    if facts.birth_date is not None:
        years = relativedelta(today, facts.birth_date).years
        result["age"] = "minor" if years < 18 else "over_30" if years > 30 else "adult"
    if facts.document_held is not None:
        result["visa"] = facts.document_held
    return result


def choose(variants: Sequence[Variant], known_choices: Mapping[str, str], asked: Told) -> Shown:
    """The first variant that holds, with those before it that may hold; all of them when nothing is known."""
    shown: list[Variant] = []
    for variant in variants:
        match _holds(variant, known_choices.get(FAMILIES[variant])):
            case True:
                shown.append(variant)
                break
            case None:
                shown.append(variant)
    chosen = tuple(shown or variants)
    family = FAMILIES[chosen[0]] if len(chosen) > 1 else None
    return Shown(chosen, family if family and family not in known_choices and family not in asked else None)


def _holds(variant: Variant, choice: str | None) -> bool | None:
    """None: not known. "Another country" leaves open whether it is Quebec, and whether the person is protected."""
    if choice is None:
        return None
    match variant:
        case "non_eu":
            return choice in OUTSIDE_THE_EU
        case "quebec" | "refugee" if choice == "other":
            return None
        case "adult":
            return choice in ("adult", "over_30")
        case _:
            return choice == variant


def label(variant: Variant, language: str) -> str:
    return say(language, LABELS[variant])


def may_be_told(family: str, choice: str) -> bool:
    """ "" stands for a question that was asked and left open."""
    return choice == "" or choice in CHOICES.get(family, {})  # type: ignore[call-overload]  # any word may come in


def question_buttons(family: Family, slug: str, language: str) -> tuple[Button, ...]:
    return tuple(
        Button(say(language, name), {"told": {family: choice}, "topic": slug})
        for choice, name in CHOICES[family].items()
    )
