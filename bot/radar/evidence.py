"""The indicators of welcome that the data can prove, each with what it means, what it rests on and its limits."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.buddies.report import intake
from bot.clock import day_in_france
from bot.content.loader import Knowledge
from bot.db.session import Database
from bot.errors import InvalidField
from bot.i18n.languages import CONTENT_CODES, LANGUAGES, language_name
from bot.i18n.translate import mark, say
from bot.log import get_logger
from bot.paperwork.rules import Status, path
from bot.paperwork.schema import Procedure
from bot.radar.queries import figures_of_weeks
from bot.radar.rules import FEW, Shown
from bot.radar.watch import pages
from bot.radar.weeks import (
    Figures,
    Name,
    Outcome,
    Times,
    of_name,
    parts_shown,
    spoken_most,
    times_of,
    together,
)
from bot.radar.wording import campus_words, length_words
from bot.reminders.queries import steps_done_of
from bot.students.facts import Facts, FactsError
from bot.students.records import facts_of

LONGEST = timedelta(days=5 * 366)
IN_TIME, LATE, NOT_DONE = "in_time", "late", "not_done"
QUESTIONS = ("answer", "clarify", "abstain")
"""Replies of the assistant to a question: answered, asked back, said that it is not known."""

log = get_logger(__name__)


@dataclass(frozen=True)
class Period:
    first: date
    last: date


@dataclass(frozen=True)
class Table:
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Indicator:
    """One section of the report; everything is in the reader's language."""

    title: str
    headline: str
    """The figure in a few words, or that there is none."""
    definition: str
    base: str
    how: str
    limits: str
    table: Table | None = None


@dataclass(frozen=True)
class Sources:
    """What the indicators are read from."""

    database: Database
    knowledge: Knowledge
    procedures: Sequence[Procedure]


def checked_period(first: date, last: date, today: date) -> Period:
    """Raises InvalidField naming the date that is wrong."""
    if last > today:
        raise InvalidField(f"{last} has not come yet; a report ends today at the latest.", field="to")
    if first > last:
        raise InvalidField(f"{first} lies after {last}; write the first day, then the last one.", field="from")
    if last - first > LONGEST:
        raise InvalidField("More than five years; choose a shorter period.", field="from")
    return Period(first, last)


def indicators(sources: Sources, period: Period, language: str, now: datetime) -> list[Indicator]:
    """All of them, also those for which there is no data: the report says so.

    Raises:
        Unavailable: the database cannot be reached.
    """
    hours = sources.knowledge.school.desk_hours
    with sources.database.read() as session:
        weeks = figures_of_weeks(session, period.first, period.last, hours)
    whole = together(weeks.values())
    return [
        _languages(list(weeks.values()), language),
        _response_times(whole, language, has_hours=bool(hours)),
        _coverage(whole, sources.knowledge, language),
        _without_staff(list(weeks.values()), language),
        _satisfaction(whole, language),
        _buddies(sources.database, period, language),
        _paperwork(sources, period, language, day_in_france(now)),
    ]


def _none(language: str) -> str:
    return say(language, "No figure: there is no data, or too little to show.")


def _none_above(table: Table | None, language: str) -> str:
    """The headline without a share, above a table that may show more."""
    if table is None:
        return _none(language)
    return say(language, "No share: it would tell of too few people. The table has what can be shown.")


def percent(part: Shown, base: Shown) -> str:
    return f"{round(100 * part / base)} %" if part is not None and base else "–"


def shown_words(count: Shown, language: str) -> str:
    return say(language, "hidden") if count is None else str(count)


def _languages(weeks: Sequence[Figures], language: str) -> Indicator:
    spoken = ", ".join(language_name(each.code, language) for each in LANGUAGES)
    complete = ", ".join(language_name(code, language) for code in CONTENT_CODES)
    rows = tuple((language_name(code, language), str(count)) for code, count in spoken_most(weeks))
    return Indicator(
        title=say(language, "Languages of welcome"),
        headline=say(language, "{count} languages: {names}.", count=len(LANGUAGES), names=spoken),
        definition=say(
            language,
            "The languages in which a student can be greeted, guided and reminded, and those in which students wrote.",
        ),
        base=say(
            language,
            "The program as it is today; conversations in which a student wrote, once a week and language.",
        ),
        how=say(
            language,
            "The languages of the program are counted. The table counts conversations by the language of the student's "
            "messages.",
        ),
        limits=say(
            language,
            "The full texts on each topic exist in {names}; in the other languages the answer comes in English and "
            "says so. A conversation in two languages counts in both.",
            names=complete,
        ),
        table=Table((say(language, "Language"), say(language, "Conversations")), rows) if rows else None,
    )


def _response_times(whole: Figures, language: str, *, has_hours: bool) -> Indicator:
    timed = [
        (say(language, "Reply of the assistant"), times_of(of_name(whole, Name.SECONDS)), 1),
        (say(language, "Until a person came"), times_of(of_name(whole, Name.WAIT)), 60),
    ]
    if has_hours:
        timed.append(
            (say(language, "Until a person came, in opening hours"), times_of(of_name(whole, Name.WAIT_OPEN)), 60)
        )
    rows = tuple((name, *_times_cells(times, unit, language)) for name, times, unit in timed)
    reply, person = timed[0][1], timed[1][1]
    parts = []
    if reply.median is not None:
        length = length_words(reply.median, language)
        parts.append(say(language, "Half of the replies of the assistant came within {length}.", length=length))
    if person.median is not None:
        length = length_words(60 * person.median, language)
        parts.append(say(language, "Half of those who asked for a person waited {length} or less.", length=length))
    without_hours = say(language, "The office has not given its opening hours: nights and weekends count in full.")
    return Indicator(
        title=say(language, "Response times"),
        headline=" ".join(parts) or _none(language),
        definition=say(
            language,
            "How long a student waits for the assistant's reply, and for a colleague after asking for a person: the "
            "median, and the time within which nine of ten were answered.",
        ),
        base=say(
            language,
            "{replies} replies of the assistant; {requests} requests for a person that a colleague took.",
            replies=shown_words(reply.base, language),
            requests=shown_words(person.base, language),
        ),
        how=say(
            language,
            "Instants of the messages in the database: from the student's message to the reply, and from the request "
            "to the moment a colleague took the conversation. Rounded up to seconds and minutes.",
        ),
        limits=say(
            language,
            "Requests that nobody took are not in it. Waits over 14 days count as 14 days.",
        )
        + ("" if has_hours else f" {without_hours}"),
        table=Table(
            (
                say(language, "What"),
                say(language, "Counted"),
                say(language, "Median"),
                say(language, "Nine of ten within"),
            ),
            rows,
        ),
    )


def _times_cells(times: Times, unit: int, language: str) -> tuple[str, str, str]:
    if times.median is None or times.p90 is None:
        return shown_words(times.base, language), "–", "–"
    return str(times.base), length_words(unit * times.median, language), length_words(unit * times.p90, language)


def _coverage(whole: Figures, knowledge: Knowledge, language: str) -> Indicator:
    total, parts = parts_shown(of_name(whole, Name.REPLY), QUESTIONS)
    names = (
        say(language, "Answered"),
        say(language, "Asked back to be sure"),
        say(language, "Said that it is not known"),
    )
    rows = tuple(
        (name, shown_words(parts[key], language), percent(parts[key], total))
        for name, key in zip(names, QUESTIONS, strict=True)
    )
    share = percent(parts["answer"], total)
    header = (say(language, "What"), say(language, "Questions"), say(language, "Share"))
    table = Table(header, rows) if total else None
    return Indicator(
        title=say(language, "Coverage of the questions"),
        headline=say(
            language,
            "{share} of the questions got an answer, on {topics} topics.",
            share=share,
            topics=len(knowledge.topics),
        )
        if total and parts["answer"] is not None
        else _none_above(table, language),
        definition=say(
            language,
            "The share of questions to which the assistant gave an answer with its source, of all questions it decided "
            "on.",
        ),
        base=say(language, "{count} questions.", count=shown_words(total, language)),
        how=say(language, "Each reply of the assistant is stored with what was decided; the table counts these."),
        limits=say(
            language,
            "That an answer was given does not prove that it was the right one; see satisfaction. Greetings and "
            "buttons are not questions.",
        ),
        table=table,
    )


def _without_staff(weeks: Sequence[Figures], language: str) -> Indicator:
    whole = together(weeks)
    total, parts = parts_shown(of_name(whole, Name.TALKS), list(Outcome))
    share = percent(parts[Outcome.ANSWERED], total)
    return Indicator(
        title=say(language, "Answered at any hour, without waiting for a person"),
        headline=say(language, "{share} of the conversations.", share=share) if share != "–" else _none(language),
        definition=say(
            language,
            "The share of conversations in which the assistant answered, nobody asked for a person and no colleague "
            "wrote.",
        ),
        base=say(
            language,
            "{count} conversations; each counts once in every week in which the student wrote.",
            count=shown_words(total, language),
        ),
        how=say(language, "Counted week by week from the messages and the requests for a person."),
        limits=say(language, "A student who went away without asking for a person counts as answered."),
    )


def _satisfaction(whole: Figures, language: str) -> Indicator:
    total, parts = parts_shown(of_name(whole, Name.HELPFUL), ("yes", "no"))
    share = percent(parts["yes"], total)
    helped = say(language, "{share} said that the answer helped.", share=share)
    return Indicator(
        title=say(language, "Satisfaction"),
        headline=helped if share != "–" else _none(language),
        definition=say(
            language,
            "The share of students' judgements that say an answer helped; the same judgement in one conversation "
            "counts once a week.",
        ),
        base=say(language, "{count} judgements.", count=shown_words(total, language)),
        how=say(language, "A student may press “helpful” or “not helpful” under an answer; both are counted."),
        limits=say(language, "Whoever judges is not chosen by chance: the share holds for those who did."),
    )


def _buddies(database: Database, period: Period, language: str) -> Indicator:
    with database.read() as session:
        groups = intake(session, period.first, period.last)
    whole = next((each for each in groups if each.campus is None), None)
    rows = tuple(
        (
            campus_words(each.campus, language),
            str(each.signed_up),
            _few(each.paired, each.signed_up, language),
            _few(each.accepted, each.signed_up, language),
            _few(each.met, each.signed_up, language),
        )
        for each in groups
    )
    table = Table(tuple(say(language, each) for each in BUDDY_COLUMNS), rows) if rows else None
    share = percent(whole.accepted, whole.signed_up) if whole and not _is_few(whole.accepted, whole.signed_up) else "–"
    return Indicator(
        title=say(language, "Buddies"),
        headline=say(language, "{share} of those who signed up for a buddy have one who said yes.", share=share)
        if share != "–"
        else _none_above(table, language),
        definition=say(
            language,
            "Of the newcomers who signed up for a buddy in the period: how many were proposed somebody, how many pairs "
            "both accepted, and how many said at a check-in that it goes well.",
        ),
        base=say(language, "{count} newcomers signed up.", count=whole.signed_up if whole else say(language, "hidden"))
        if groups
        else say(language, "Fewer than 5 newcomers signed up."),
        how=say(language, "Sign-ups, pairs and check-ins as they are recorded; by campus where no group is small."),
        limits=say(language, "A pair that met without answering a check-in is not counted as met."),
        table=table,
    )


BUDDY_COLUMNS = (mark("Campus"), mark("Signed up"), mark("Proposed"), mark("Accepted"), mark("Met"))


def _is_few(part: int, base: int) -> bool:
    return 0 < part < FEW or 0 < base - part < FEW


def _few(part: int, base: int, language: str) -> str:
    return say(language, "hidden") if _is_few(part, base) else f"{part} ({percent(part, base)})"


def _paperwork(sources: Sources, period: Period, language: str, today: date) -> Indicator:
    found = completion(sources, period, today)
    titles = {str(each.slug): each.title.get(language) for each in sources.procedures}
    rows = []
    for step in sorted(found, key=lambda slug: (-sum(found[slug].values()), slug)):
        total, parts = parts_shown(found[step], (IN_TIME, LATE, NOT_DONE))
        if total is not None:
            cells = (shown_words(parts[key], language) for key in (IN_TIME, LATE, NOT_DONE))
            rows.append((titles[step], str(total), *cells, percent(parts[IN_TIME], total)))
    return Indicator(
        title=say(language, "Paperwork done in time"),
        headline=say(language, "{count} steps with a date in the period; see the table.", count=len(rows))
        if rows
        else _none(language),
        definition=say(
            language,
            "For each step of the students' paths whose date lies in the period: how many did it by then, how many "
            "later, and how many have not recorded it as done.",
        ),
        base=say(language, "Students for whom the step applies and has a date; the number stands in each line."),
        how=say(
            language,
            "The same rules that show students their path give each date; “done” is the day the student or the office "
            "recorded.",
        ),
        limits=say(
            language,
            "A step done and not recorded counts as not done. Students who have left the school's list are not in it. "
            "Steps with fewer than 5 students are left out.",
        ),
        table=Table(tuple(say(language, each) for each in STEP_COLUMNS), tuple(rows)) if rows else None,
    )


STEP_COLUMNS = (
    mark("Step"),
    mark("Students"),
    mark("In time"),
    mark("Later"),
    mark("Not recorded"),
    mark("Share in time"),
)


def completion(sources: Sources, period: Period, today: date) -> dict[str, Counter[str]]:
    """Step → how many did it in time, late, not at all, of those whose date lies in the period and has passed."""
    found: dict[str, Counter[str]] = {}
    for session, page in pages(sources.database, today):
        done = steps_done_of(session, [each.id for each in page])
        for student in page:
            try:
                facts = facts_of(student, done[student.id])
            except FactsError:
                log.warning("record_not_readable", student_id=student.id)
                continue
            for step, outcome in _completed(sources.procedures, facts, period, today):
                found.setdefault(step, Counter())[outcome] += 1
    return found


def _completed(procedures: Sequence[Procedure], facts: Facts, period: Period, today: date) -> Iterator[tuple[str, str]]:
    for step in path(procedures, facts, today):
        if step.due is None or not period.first <= step.due <= period.last:
            continue
        if step.status is Status.DONE and step.done_on is not None:
            yield step.slug, IN_TIME if step.done_on <= step.due else LATE
        elif step.overdue:
            yield step.slug, NOT_DONE
