"""Who is stuck at which step, and which counts may be shown: none that points at fewer than five people. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from bot.paperwork.rules import Status, Step
from bot.paperwork.schema import Procedure
from bot.reminders.rules import is_concerned
from bot.students.facts import Facts

FEW = 5
"""Fewer people than this are a group that is not shown."""
PATIENCE = timedelta(days=14)
"""How long the next step may lie before the student counts as stuck."""
UNKNOWN = ""
"""The group of those whose record does not say."""


class Why(StrEnum):
    OVERDUE = "overdue"
    """Its date has passed."""
    ASKED = "asked"
    """The student said that they cannot do it."""
    WAITING = "waiting"
    """It is the next step, and has been possible for more than PATIENCE."""


class By(StrEnum):
    """What the students are grouped by."""

    INTAKE = "intake"
    CAMPUS = "campus"
    PROGRAMME = "programme"
    WHY = "why"


@dataclass(frozen=True)
class Looked:
    """One student whose path was worked out, without a name."""

    student_id: int
    intake: str
    """`2026-2` began in July to December, `2027-1` in January to June; UNKNOWN without a start."""
    campus: str
    programme: str


@dataclass(frozen=True)
class Stuck:
    """One student at one step. `since`: the first day on which they count as stuck for this reason."""

    student: Looked
    step: str
    why: Why
    since: date


def looked_at(student_id: int, facts: Facts) -> Looked:
    return Looked(
        student_id, intake_of(facts.programme_start), facts.campus or UNKNOWN, facts.programme_type or UNKNOWN
    )


def intake_of(start: date | None) -> str:
    """The half-year in which the programme begins."""
    return UNKNOWN if start is None else f"{start.year}-{2 if start.month >= 7 else 1}"


def stuck_at_steps(
    student: Looked,
    steps: Sequence[Step],
    procedures: Mapping[str, Procedure],
    done: Mapping[str, date],
    asked: Mapping[str, date],
    known_since: date,
    today: date,
) -> list[Stuck]:
    """Where a student is stuck; each step once, for the first reason that holds: overdue, asked for help, waiting.

    `steps` is the path with the most urgent first; `asked` are the steps with which the student asked for help, and
    `known_since` is the day on which the record was made: before it nothing here could have been done.
    """
    found = []
    first_open = next((step for step in steps if step.status is Status.OPEN), None)
    for step in steps:
        if step.status is Status.OPEN and step.overdue and step.due is not None:
            found.append(Stuck(student, step.slug, Why.OVERDUE, step.due + timedelta(days=1)))
        elif step.slug in asked and is_concerned(step, frozenset(asked)):
            found.append(Stuck(student, step.slug, Why.ASKED, asked[step.slug]))
        elif step is first_open:
            patient_until = possible_since(step, procedures[step.slug], done, known_since) + PATIENCE
            if patient_until < today:
                found.append(Stuck(student, step.slug, Why.WAITING, patient_until + timedelta(days=1)))
    return found


def possible_since(step: Step, procedure: Procedure, done: Mapping[str, date], known_since: date) -> date:
    """The first day on which the student could do the step: it was open, what it needs was done, and we knew them."""
    needed = (done[slug] for slug in procedure.depends_on if slug in done)
    return max(known_since, *needed, step.opens or known_since)


Shown = int | None
"""A count, or None where it is hidden."""


@dataclass(frozen=True)
class Row:
    """One step: how many are stuck at it, and in which group."""

    step: str
    total: Shown
    groups: Mapping[str, Shown]


def group_of(stuck: Stuck, by: By) -> str:
    return str(stuck.why) if by is By.WHY else _group(stuck.student, by)


def _group(student: Looked, by: By) -> str:
    return {By.INTAKE: student.intake, By.CAMPUS: student.campus, By.PROGRAMME: student.programme}[by]


def counted(students: Sequence[Looked], stuck: Sequence[Stuck], by: By) -> tuple[list[str], list[Row]]:
    """The groups and, for every step at which somebody is stuck, what may be shown; most people first.

    Hidden by all groupings together: what one table hides cannot be read from another one.
    """
    bases: dict[By, Counter[str]] = {
        each: Counter(_group(student, each) for student in students) for each in By if each is not By.WHY
    }
    groups = sorted(bases[by]) if by is not By.WHY else [str(why) for why in Why]
    at_step: dict[str, list[Stuck]] = {}
    for each in stuck:
        at_step.setdefault(each.step, []).append(each)
    rows = []
    for step, people in sorted(at_step.items(), key=lambda each: (-len(each[1]), each[0])):
        counts = {each: Counter(group_of(person, each) for person in people) for each in By}
        total, shown = shown_of(len(people), len(students), counts, bases)
        rows.append(Row(step, total, {group: shown[by].get(group, 0) for group in groups}))
    # The order must not tell what the cells hide.
    return groups, sorted(rows, key=lambda row: (row.total is None, -(row.total or 0), row.step))


def shown_of(
    total: int,
    base: int,
    groupings: Mapping[By, Mapping[str, int]],
    bases: Mapping[By, Mapping[str, int]],
) -> tuple[Shown, dict[By, dict[str, Shown]]]:
    """A total and its groups by several groupings, with what points at few people hidden in all of them.

    Where a grouping cannot hide its small groups behind a larger one, the total goes, and every group with it.
    """
    shown: dict[By, dict[str, Shown]] = {}
    is_all_hidden = is_small(total, base)
    for by, counts in groupings.items():
        hidden = hidden_groups(counts, bases.get(by, {}))
        is_all_hidden = is_all_hidden or hidden is None
        shown[by] = {name: None if name in (hidden or ()) else count for name, count in counts.items()}
    if not is_all_hidden:
        return total, shown
    return None, {by: {name: None if count else 0 for name, count in groupings[by].items()} for by in groupings}


def is_small(count: int, base: int | None = None) -> bool:
    """Whether a count points at few people: those whom it counts, or those of the base whom it does not."""
    return 0 < count < FEW or (base is not None and 0 < base - count < FEW)


def hidden_groups(counts: Mapping[str, int], bases: Mapping[str, int]) -> frozenset[str] | None:
    """The parts of a shown total that must be hidden; None where hiding parts is not enough.

    One hidden part is the total less the others, so a second one goes with it, the smallest; so long as the hidden
    parts together are few people, or can only be 1 each or 4 each, another one goes too.
    """
    hidden = {name for name, count in counts.items() if is_small(count, bases.get(name))}
    rest = sorted(
        (name for name, count in counts.items() if count and name not in hidden), key=lambda n: (counts[n], n)
    )
    while hidden and _can_be_told([counts[name] for name in hidden]):
        if not rest:
            return None
        hidden.add(rest.pop(0))
    return frozenset(hidden)


def _can_be_told(hidden: Sequence[int]) -> bool:
    together, number = sum(hidden), len(hidden)
    all_at_an_end = all(count < FEW for count in hidden) and together in (number, (FEW - 1) * number)
    return number < 2 or together < FEW or all_at_an_end


def chosen(stuck: Iterable[Stuck], step: str, groups: Mapping[By, str]) -> list[Stuck]:
    """Those stuck at a step who are in all of these groups, the longest first."""
    found = (each for each in stuck if each.step == step and all(group_of(each, by) == groups[by] for by in groups))
    return sorted(found, key=lambda each: (each.since, each.student.student_id))
