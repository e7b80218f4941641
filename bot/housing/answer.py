"""Housing for one student: where the application stands, what is missing next, who can be the guarantor, the wishes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from bot.content.loader import Knowledge
from bot.content.render import render
from bot.content.schema import SourceEntry
from bot.conversations.deeds import deed_button
from bot.conversations.messages import Button, Source
from bot.housing.cost import CostAnswer, Rent, cost_answer
from bot.housing.guarantor import guarantor_route
from bot.housing.wishes import lines, wishes_of
from bot.i18n.formats import date_words
from bot.i18n.languages import CONTENT_CODES
from bot.i18n.translate import mark, say
from bot.paperwork.rules import Status, Step, path
from bot.paperwork.schema import Procedure
from bot.paperwork.wording import line_words
from bot.students.facts import Facts
from bot.students.models import Student
from bot.students.records import city_of

_SENTENCES = {
    "received": mark("Your application for a room in {city} has arrived; it is not decided yet."),
    "waiting_list": mark("Your application for a room in {city} is on the waiting list."),
    "accepted": mark("Your application for a room in {city} is accepted."),
    "accepted_with_residence": mark("Your application for a room in {city} is accepted: {residence}."),
    "refused": mark("Your application for a room in {city} was not accepted."),
    "withdrawn": mark("Your application for a room in {city} is withdrawn, as you asked."),
}
_ADVICE = {
    "received": mark("Until you hear more, keep looking elsewhere as well: rooms are scarce."),
    "waiting_list": mark("Keep looking elsewhere as well: nobody can promise when a room becomes free."),
    "accepted": mark("Read the contract before you sign it, and insure the room from the first day."),
    "refused": mark("Ask me how to find another room, and I can pass you on to a person."),
    "withdrawn": mark("If that was a mistake, ask me for a person of the office."),
}

NEXT_STEPS = ("book_housing", "home_insurance", "lease", "housing_aid", "housing_notice")
"""The guarantor, a step as well, has a line of its own."""
MOST_STEPS = 4


@dataclass(frozen=True)
class HousingAnswer:
    """`text` is Markdown in the reader's language; `partly_english`: sentences of a procedure came in English."""

    text: str
    buttons: tuple[Button, ...]
    sources: tuple[Source, ...]
    partly_english: bool


def housing_answer(student: Student, language: str) -> str:
    """Where this student's application for a room stands, and since when."""
    city = city_of(student, language)
    application = student.housing
    if application is None or application.state not in _ADVICE:
        first = say(language, "I see no application for a room in {city} in your record.", city=city)
        then = say(language, "If you did apply, it may not have reached us yet: a person of the office can look it up.")
        return f"{first} {then}"
    state = application.state
    key = "accepted_with_residence" if state == "accepted" and application.residence else state
    first = say(language, _SENTENCES[key], city=city, residence=application.residence)
    since = say(language, "That is how it stands since {date}.", date=date_words(application.updated_on, language))
    return f"{first} {since} {say(language, _ADVICE[state])}"


def my_housing(
    knowledge: Knowledge,
    procedures: Sequence[Procedure],
    student: Student,
    facts: Facts,
    language: str,
    today: date,
) -> HousingAnswer:
    """The whole answer to "my housing", with what can be done about it."""
    steps = path(procedures, facts, today)
    fill = partial(render, knowledge=knowledge, language=language, today=today)
    guarantor = guarantor_route(steps, facts, language, today, fill)
    missing = missing_steps(steps)
    parts = [housing_answer(student, language)]
    if missing:
        listed = [f"- {fill(line_words(each, language, today))}" for each in missing]
        parts.append("\n".join((say(language, "**What is missing next:**"), "", *listed)))
    parts.append(say(language, "**Your guarantor:** {text}", text=guarantor.text))
    parts.append(wishes_words(student, language))
    buttons = [
        deed_button(say(language, "Change my wishes"), "housing_wishes"),
        deed_button(say(language, "What will it cost?"), "housing_cost"),
        deed_button(say(language, "Check an advert"), "housing_advert"),
    ]
    if guarantor.topic in knowledge.topics:
        question = knowledge.topic(guarantor.topic).file.question
        buttons.append(Button(question.get(language), {"topic": guarantor.topic}))
    shown = [*missing, next(each for each in steps if each.slug == "visale")]
    sources = as_sources([step.sources[0] for step in shown], min(step.valid_until for step in shown))
    return HousingAnswer("\n\n".join(parts), tuple(buttons), sources, language not in CONTENT_CODES)


def missing_steps(steps: Sequence[Step]) -> list[Step]:
    """The housing steps that are left: overdue first, then as they follow. What only the CAF can say is left out."""
    left = (Status.OPEN, Status.BLOCKED, Status.UNKNOWN)
    wanted = [
        each
        for each in steps
        if each.slug in NEXT_STEPS
        and each.status in left
        and not (each.slug == "housing_aid" and each.status is Status.UNKNOWN)
    ]
    return sorted(wanted, key=lambda each: (not each.overdue, NEXT_STEPS.index(each.slug)))[:MOST_STEPS]


def wishes_words(student: Student, language: str) -> str:
    noted = lines(wishes_of(student), language)
    if not noted:
        return say(language, "**Your wishes:** none noted yet.")
    return "\n".join((say(language, "**Your wishes:**"), "", *noted))


def room_cost(
    knowledge: Knowledge, procedures: Sequence[Procedure], facts: Facts, rent: Rent, language: str, today: date
) -> CostAnswer:
    """What this rent means for this student."""
    steps = {each.slug: each for each in path(procedures, facts, today)}
    return cost_answer(
        knowledge,
        next(each for each in procedures if each.slug == "housing_aid"),
        steps["visale"],
        steps["lease"].sources,
        facts,
        rent,
        language,
        today,
        partial(render, knowledge=knowledge, language=language, today=today),
    )


def as_sources(entries: Sequence[SourceEntry], valid_until: date) -> tuple[Source, ...]:
    """Each address once."""
    sources = (Source(each.title, str(each.url), each.checked_on, valid_until) for each in entries)
    return tuple({each.url: each for each in sources}.values())
