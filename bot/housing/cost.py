"""What a room costs this student in a month, after the aid that is or is not due, and before moving in. Pure.

No amount of housing aid is known, so none is invented: where aid is possible the range goes from the full rent down to
what the CAF's own simulator takes off.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from bot.content.loader import Knowledge
from bot.content.render import figure_words
from bot.content.schema import SourceEntry
from bot.housing.words import fold
from bot.i18n.formats import date_words, money
from bot.i18n.translate import say
from bot.paperwork.rules import Status, Step, deciding_case
from bot.paperwork.schema import Case, Outcome, Procedure
from bot.paperwork.wording import QUESTIONS
from bot.students.facts import Facts

Aid = Literal["possible", "none", "unclear", "unknown"]
"""unclear: only the CAF can say; unknown: a fact of the record is missing."""

LEAST, MOST = Decimal(50), Decimal(5000)
"""Euros a month; outside, the number is taken for a slip of the finger."""
LONGEST_TYPED = 60
_SUM = r"(\d{1,3}(?:[ .,]\d{3})+|\d+)(?:[.,](\d{1,2}))?"
_ONE = re.compile(rf"\D{{0,20}}{_SUM}\D{{0,20}}")
_TWO = re.compile(rf"\D{{0,20}}{_SUM}[^\d+]{{0,12}}(?:\+|plus|and|et|y|e|и|і|و|加)[^\d]{{0,12}}{_SUM}\D{{0,20}}")

FURNISHED = {"private_furnished": 2, "private_unfurnished": 1}
"""Months of rent that a deposit may be at most (HOU-11)."""
CAPS = {"lille": "visale_cap_city", "bordeaux": "visale_cap_city", "chateauroux": "visale_cap_elsewhere"}
"""Campus → the figure of its rent cap."""


@dataclass(frozen=True)
class Rent:
    """Euros a month. `charges` 0: they are in `rent`, or none were named."""

    rent: Decimal
    charges: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        return self.rent + self.charges


@dataclass(frozen=True)
class CostAnswer:
    """`text` is Markdown in the reader's language."""

    text: str
    aid: Aid
    sources: tuple[SourceEntry, ...]
    offer_person: bool


def rent_in(text: str) -> Rent | None:
    """ "450", "450 €", "450 + 40": a typed sum; None when the text is something else."""
    folded = " ".join(fold(text).text.split())
    if len(folded) > LONGEST_TYPED or "?" in folded:
        return None
    if match := _TWO.fullmatch(folded):
        return Rent(_value(match[1], match[2]), _value(match[3], match[4]))
    if match := _ONE.fullmatch(folded):
        return Rent(_value(match[1], match[2]))
    return None


def is_plausible(rent: Rent) -> bool:
    return LEAST <= rent.total <= MOST and rent.rent >= LEAST


def _value(whole: str, cents: str | None) -> Decimal:
    return Decimal(f"{re.sub(r'[ .,]', '', whole)}.{cents or '0'}")


def aid_of(procedure: Procedure, facts: Facts, today: date) -> tuple[Aid, Case | None, tuple[str, ...]]:
    """From the cases of the step "ask for housing aid": what holds, the case, and the facts that would tell.

    Not from the step itself, which stays unknown while the first day of the lease is not known.
    """
    case, missing = deciding_case(procedure, facts, today)
    if case is None:
        return "unknown", None, missing
    match case.then:
        case Outcome.NOT_NEEDED:
            return "none", case, ()
        case Outcome.UNCLEAR:
            return "unclear", case, ()
        case _:
            return "possible", case, ()


def cost_answer(
    knowledge: Knowledge,
    procedure: Procedure,
    visale_step: Step,
    lease_sources: tuple[SourceEntry, ...],
    facts: Facts,
    rent: Rent,
    language: str,
    today: date,
    fill: Callable[[str], str],
) -> CostAnswer:
    """`procedure`: that of housing aid; `lease_sources`: where the limit of the deposit stands."""
    aid, case, missing = aid_of(procedure, facts, today)
    cap_text, cap_source = _cap(knowledge, visale_step, facts, rent, language, today)
    extras = [_deposit(facts, rent, language), cap_text, _on_top(knowledge, facts, language, today)]
    parts = [
        _month(aid, rent, language),
        fill(" ".join(each for each in _why(procedure, case, missing, language) if each)),
        _rule(procedure, language, today),
        "\n".join(f"- {each}" for each in extras if each),
    ]
    sources = (*procedure.sources[:2], *lease_sources[:1], *cap_source)
    return CostAnswer("\n\n".join(parts), aid, sources, offer_person=aid in ("unclear", "unknown"))


def _month(aid: Aid, rent: Rent, language: str) -> str:
    total = money(rent.total, language)
    if aid == "possible":
        return say(
            language,
            "**A month: from {total} down to {total} less what the CAF simulator shows you.** Use the simulator on "
            "caf.fr with this rent: I have no checked amount and guess none. Plan with {total} until the CAF "
            "has decided.",
            total=total,
        )
    if aid == "none":
        return say(language, "**A month: {total}.** No housing aid comes off for you.", total=total)
    return say(language, "**A month: plan with {total}.** Do not count on housing aid.", total=total)


def _why(procedure: Procedure, case: Case | None, missing: tuple[str, ...], language: str) -> list[str]:
    if case is None:
        lacking = say(language, "Whether it is open to you depends on something I do not know.")
        return [lacking, say(language, QUESTIONS[missing[0]])]
    said = [case.because.get(language)]
    # The last case is everybody else: outside the EU without a scholarship on social criteria.
    if case is procedure.who[-1]:
        said.append(
            say(
                language,
                "Do not count on it. Two more cases to ask the CAF about: another grant, and a lease from before "
                "the reform.",
            )
        )
    return said


def _rule(procedure: Procedure, language: str, today: date) -> str:
    if procedure.valid_until <= today:
        return say(
            language,
            "This should have been checked again by {date} and may have changed: confirm it on the official site "
            "first.",
            date=date_words(procedure.valid_until, language),
        )
    return say(
        language,
        "This is the rule since {date} ({source}), as we read it on {checked}.",
        date=date_words(procedure.valid_from, language),
        source=procedure.sources[0].title,
        checked=date_words(procedure.sources[0].checked_on, language),
    )


def _deposit(facts: Facts, rent: Rent, language: str) -> str:
    months = FURNISHED.get(facts.housing_status or "")
    if months is not None:
        most = money(months * rent.rent, language)
        first = money(rent.total + months * rent.rent, language)
        return say(
            language,
            "**Deposit** in a private lease: at most {most}. With the first month, have up to {first} ready.",
            most=most,
            first=first,
        )
    return say(
        language,
        "**Deposit** in a private lease: at most {one} unfurnished (one month's rent), {two} furnished (two months'). "
        "With the first month, have up to {first} ready.",
        one=money(rent.rent, language),
        two=money(2 * rent.rent, language),
        first=money(rent.total + 2 * rent.rent, language),
    )


def _cap(
    knowledge: Knowledge, step: Step, facts: Facts, rent: Rent, language: str, today: date
) -> tuple[str, tuple[SourceEntry, ...]]:
    """Whether Visale can be used for this rent; nothing for whom it is not."""
    figure = knowledge.figures.get(CAPS.get(facts.campus or "", ""))
    if figure is None or step.status is Status.NOT_NEEDED:
        return "", ()
    cap = figure_words(figure, language, today)
    if rent.total <= figure.value:
        text = say(language, "**Visale**: within its rent limit for your campus city, {cap} with charges.", cap=cap)
    else:
        text = say(
            language,
            "**Visale**: above its rent limit for your campus city, {cap} with charges, so it cannot be your guarantor "
            "for this room.",
            cap=cap,
        )
    return text, (figure.source,)


def _on_top(knowledge: Knowledge, facts: Facts, language: str, today: date) -> str:
    internet = knowledge.figures.get("internet_month")
    if facts.campus == "lille" and internet is not None:
        return say(
            language,
            "**On top**: home insurance (I know no price), and electricity and internet where the charges do not "
            "include them; internet in Lille was about {internet} a month in 2024–25.",
            internet=figure_words(internet, language, today),
        )
    return say(
        language,
        "**On top**: home insurance (I know no price), and electricity and internet where the charges do not include "
        "them.",
    )
