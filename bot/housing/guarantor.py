"""Who can stand for this student's rent: Visale or not, and why; the parents of a minor; another guarantor. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from dateutil.relativedelta import relativedelta

from bot.i18n.formats import date_words
from bot.i18n.translate import say
from bot.paperwork.rules import RuleReason, Status, Step
from bot.paperwork.wording import by_words, question
from bot.students.facts import Facts

STEP = "visale"
ADULT = 18


@dataclass(frozen=True)
class Guarantor:
    """`topic`: where the step is explained; None where nothing is left to do."""

    text: str
    topic: str | None


def guarantor_route(
    steps: Sequence[Step], facts: Facts, language: str, today: date, fill: Callable[[str], str]
) -> Guarantor:
    """`fill` puts the figures into a text of knowledge/."""
    step = next(each for each in steps if each.slug == STEP)
    parts = [*_for_minors(facts, language, today), *_visale(step, language, today)]
    return Guarantor(fill(" ".join(each for each in parts if each)), _topic(step))


def _for_minors(facts: Facts, language: str, today: date) -> list[str]:
    signing = facts.lease_signed_on or facts.lease_start or today
    if facts.housing_status == "hosted" or facts.birth_date is None:
        return []
    if facts.birth_date + relativedelta(years=ADULT) <= signing:
        return []
    return [say(language, "You are under 18 when the lease is signed, so your parents sign it.")]


def _visale(step: Step, language: str, today: date) -> list[str]:
    reasons = [each.text.get(language) for each in step.because if isinstance(each, RuleReason)][:1]
    if step.status in (Status.DONE, Status.NOT_NEEDED):
        return reasons
    if step.missing_facts and not reasons:
        lacking = say(
            language, "Whether Visale, the free rent guarantee, is open to you depends on something I do not know."
        )
        return [lacking, question(step, language)]
    if step.status is Status.UNKNOWN and not step.missing_facts:
        return reasons
    if step.overdue:
        return [*reasons, step.late.get(language)]
    opens = (
        say(language, "You can do it from {date} on.", date=date_words(step.opens, language))
        if step.opens is not None and step.opens > today
        else ""
    )
    before = say(
        language, "Ask for it before you sign the lease, and ask the landlord first whether Visale is accepted."
    )
    return [*reasons, before, opens, by_words(step, language), question(step, language)]


def _topic(step: Step) -> str | None:
    match step.status:
        case Status.DONE:
            return None
        case Status.NOT_NEEDED:
            return "guarantor"
        case _:
            return "visale"
