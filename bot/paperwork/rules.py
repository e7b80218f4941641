"""The path of a student: (procedures, facts, today) → dated steps, each with its reason. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import lru_cache

import holidays

from bot.content.schema import InLanguages, SourceEntry
from bot.paperwork.formula import Basis, Computed, Formula
from bot.paperwork.schema import Case, Outcome, Place, Procedure
from bot.students.facts import Facts

SUNDAY = 6


class Status(StrEnum):
    DONE = "done"
    NOT_NEEDED = "not_needed"
    OPEN = "open"
    """Can be done today."""
    BLOCKED = "blocked"
    """Its window is not open yet, or a step that it needs is not done."""
    UNKNOWN = "unknown"
    """A named fact is missing, or the rule is not clear for this person."""


class Flag(StrEnum):
    """What to know of a due date. A flag never moves it."""

    SUNDAY = "sunday"
    HOLIDAY = "holiday"
    """A public holiday of metropolitan France."""
    ENTRY_BEFORE_VISA = "entry_before_visa_start"
    """The recorded entry lies before the start of the visa: no date until the student says which is wrong."""


@dataclass(frozen=True)
class RuleReason:
    """Why the step applies or not, in the words of its procedure."""

    text: InLanguages


@dataclass(frozen=True)
class DateReason:
    """The date of the record that the due date rests on."""

    fact: str
    day: date
    planned: bool = False


@dataclass(frozen=True)
class WaitsFor:
    """Another step of the path that should be done first."""

    title: InLanguages


Reason = RuleReason | DateReason | WaitsFor


@dataclass(frozen=True)
class Step:
    """One step for one student on one day. Texts are in the languages of the content."""

    slug: str
    title: InLanguages
    status: Status
    because: tuple[Reason, ...]
    do: InLanguages
    late: InLanguages
    sources: tuple[SourceEntry, ...]
    valid_until: date
    legal_duty: bool
    needs: tuple[InLanguages, ...] = ()
    where: Place | None = None
    due: date | None = None
    """The last day on which the step is in time."""
    opens: date | None = None
    overdue: bool = False
    provisional: bool = False
    """It rests on a planned date of entry."""
    flags: tuple[Flag, ...] = ()
    missing_facts: tuple[str, ...] = ()
    done_on: date | None = None
    do_is_special: bool = False
    """`do` is meant for this student's case: a general answer would not say it."""


def path(procedures: Sequence[Procedure], facts: Facts, today: date) -> tuple[Step, ...]:
    """Every step of this student with its status and dates, the most urgent first.

    A condition that cannot be decided makes the step `unknown` and names the missing fact: telling someone about a step
    that they may skip costs less than hiding one that they needed. A missed deadline stays open and overdue.
    """
    steps: dict[str, Step] = {each.slug: assess(each, facts, today) for each in procedures}
    ordered = (_after_its_dependencies(each, steps) for each in procedures)
    return tuple(sorted(ordered, key=_urgency))


def assess(procedure: Procedure, facts: Facts, today: date) -> Step:
    """The step by itself, without looking at the steps that it needs."""
    case, missing = deciding_case(procedure, facts, today)
    step = Step(
        slug=procedure.slug,
        title=(case and case.title) or procedure.title,
        status=Status.UNKNOWN,
        because=(RuleReason(case.because),) if case else (),
        do=(case and case.do) or procedure.do,
        do_is_special=case is not None and case.do is not None,
        late=(case and case.late) or procedure.late,
        sources=procedure.sources,
        valid_until=procedure.valid_until,
        legal_duty=procedure.legal_duty,
        needs=procedure.needs,
        where=procedure.where,
        missing_facts=missing,
        done_on=done_on(procedure, facts, today),
    )
    if step.done_on is not None:
        return replace(_dated(step, procedure, case, facts, today), status=Status.DONE)
    if case is None or case.then is Outcome.UNCLEAR:
        return step
    if case.then is Outcome.APPLIES:
        return _dated(step, procedure, case, facts, today)
    return replace(step, status=Status.DONE if case.then is Outcome.DONE else Status.NOT_NEEDED)


def deciding_case(procedure: Procedure, facts: Facts, today: date) -> tuple[Case | None, tuple[str, ...]]:
    """The first case that fits, or None and the facts that would tell.

    A case that cannot be decided is passed over when it would say the same as the one that fits further down.
    """
    undecided: list[tuple[Case, tuple[str, ...]]] = []
    for case in procedure.who:
        verdict = case.when.verdict(facts, today)
        if verdict.holds is None:
            undecided.append((case, verdict.missing))
        elif verdict.holds:
            # Two cases that apply may differ in their dates, so they never stand for each other.
            agree = case.then is not Outcome.APPLIES and all(each.then is case.then for each, _ in undecided)
            if agree or not undecided:
                return case, ()
            break
    return None, tuple(dict.fromkeys(name for _, missing in undecided for name in missing))


def done_on(procedure: Procedure, facts: Facts, today: date) -> date | None:
    """The day the student did it, if that still counts today."""
    day = facts.steps_done.get(procedure.slug)
    if day is None or day > today:
        return None
    round_start = _round_start(procedure, facts, today)
    return None if round_start is not None and day < round_start else day


def _round_start(procedure: Procedure, facts: Facts, today: date) -> date | None:
    return None if procedure.recurring is None else procedure.recurring.done_since.value(facts, today).day


def _dated(step: Step, procedure: Procedure, case: Case | None, facts: Facts, today: date) -> Step:
    """The step with its dates, flags and status, for a student whom it concerns."""
    if case is None or case.then is not Outcome.APPLIES:
        return replace(step, missing_facts=())
    opens_formula, due_formula = case.opens or procedure.opens, case.due or procedure.due
    reads = _names(opens_formula) | _names(due_formula)
    if step.done_on is None and facts.entered_before_visa and "date_of_entry" in reads:
        return replace(step, flags=(Flag.ENTRY_BEFORE_VISA,), missing_facts=("date_of_entry",))
    opens, due = _value(opens_formula, facts, today), _value(due_formula, facts, today)
    round_start = _round_start(procedure, facts, today)
    if round_start is not None and due.day is not None and due.day < round_start:
        # The date belongs to an earlier round; this round's has not been recorded yet.
        due = Computed(None, (due.basis.fact,) if due.basis else ())
    pending = step.done_on is None
    overdue = pending and due.day is not None and due.day < today
    required = tuple(fact for fact in procedure.requires_facts if getattr(facts, fact) is None)
    planned = facts.entry_is_planned and "date_of_entry" in reads and (due.day or opens.day) is not None
    note = case.note or procedure.note
    return replace(
        step,
        status=Status.UNKNOWN if required and not overdue else _status(opens, overdue, today),
        opens=opens.day,
        due=due.day,
        overdue=overdue,
        provisional=pending and planned,
        flags=day_flags(due.day) if pending and due.day else (),
        missing_facts=tuple(dict.fromkeys((*required, *opens.missing, *due.missing))) if pending else (),
        because=(
            *step.because,
            *_date_reasons(due.basis or opens.basis, facts),
            *((RuleReason(note),) if note and due.day else ()),
        ),
    )


def _names(formula: Formula | None) -> frozenset[str]:
    return frozenset() if formula is None else formula.names()


def _value(formula: Formula | None, facts: Facts, today: date) -> Computed:
    return Computed(None) if formula is None else formula.value(facts, today)


def _status(opens: Computed, overdue: bool, today: date) -> Status:
    if overdue:
        return Status.OPEN
    if opens.missing:
        return Status.UNKNOWN
    return Status.BLOCKED if opens.day is not None and today < opens.day else Status.OPEN


def _date_reasons(basis: Basis | None, facts: Facts) -> Iterator[DateReason]:
    if basis is not None:
        planned = basis.fact == "date_of_entry" and facts.entry_is_planned
        yield DateReason(basis.fact, basis.day, planned)


def day_flags(day: date) -> tuple[Flag, ...]:
    """Sunday and public holiday, in this order."""
    sunday = (Flag.SUNDAY,) if day.weekday() == SUNDAY else ()
    return (*sunday, Flag.HOLIDAY) if day in french_holidays(day.year) else sunday


@lru_cache
def french_holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("FR", years=year))


def _after_its_dependencies(procedure: Procedure, steps: dict[str, Step]) -> Step:
    """Steps it needs are named; they block it unless the law wants it in time or the time is over.

    A step whose need is not known for this student does not block, nor one that has no procedure of its own yet.
    """
    step = steps[procedure.slug]
    if step.status not in (Status.OPEN, Status.BLOCKED):
        return step
    needed = [steps[slug] for slug in procedure.depends_on if slug in steps]
    waiting = tuple(WaitsFor(each.title) for each in needed if each.status in (Status.OPEN, Status.BLOCKED))
    if not waiting:
        return step
    blocked = step.status is Status.BLOCKED or not (procedure.legal_duty or step.overdue)
    return replace(step, status=Status.BLOCKED if blocked else Status.OPEN, because=(*step.because, *waiting))


ORDER = (Status.OPEN, Status.BLOCKED, Status.UNKNOWN, Status.DONE, Status.NOT_NEEDED)


def _urgency(step: Step) -> tuple[bool, int, date, str]:
    return (not step.overdue, ORDER.index(step.status), step.due or date.max, step.slug)
