"""Changes to student records: facts with their history, the way back, and whole imports."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.orm import Session

from bot.clock import day_in_france
from bot.errors import NotFound, VersionChanged
from bot.students.changes import changed_facts as changed_facts
from bot.students.facts import FactsError
from bot.students.importing import Known, Plan
from bot.students.models import FactChange, Origin, Student
from bot.students.people import PERSON_FIELDS, person_problem


class ChangedSince(Exception):
    """Facts that changed again after what is to be taken back; `facts` names them."""

    def __init__(self, facts: tuple[str, ...]) -> None:
        super().__init__(f"changed again in the meantime: {', '.join(facts)}")
        self.facts = facts


def set_facts(
    session: Session,
    student: Student,
    changes: Mapping[str, Any],
    origin: Origin,
    now: datetime,
    staff_id: int | None = None,
) -> list[FactChange]:
    """Write facts into a record, each with a row of its history; what is so already is left alone.

    `changes` has names of `Facts` (`steps_done` is another table) or of PERSON_FIELDS, and values as JSON or as `Facts`
    holds them; None forgets a fact. Nothing is written when anything is wrong. Who owns a fact is the caller's to ask.

    Returns:
        The rows for what really changed, with their ids, in the order of `changes`.

    Raises:
        FactsError: a name or a value that is not one, days in the wrong order, the address of another record.
    """
    _lock(session, student)
    facts = changed_facts(student.facts, changes)
    person = {field: _trimmed(field, changes[field]) for field in PERSON_FIELDS if field in changes}
    if problems := tuple(_person_problems(session, student, person)):
        raise FactsError(problems)
    before = student.facts | {field: getattr(student, field) for field in PERSON_FIELDS}
    after = facts | person_of(student) | person
    names = [*changes, *(name for name in before if name not in changes)]
    rows = [
        _change(student, name, before.get(name), after.get(name), origin, now, staff_id)
        for name in names
        if before.get(name) != after.get(name)
    ]
    if rows:
        _write(student, after, now)
        session.add_all(rows)
        session.flush()
    return rows


def undo_changes(session: Session, student: Student, change_ids: Iterable[int], now: datetime) -> list[FactChange]:
    """Put back what these changes replaced; the rows stay in the history as undone. Undoing twice does nothing.

    Returns:
        The rows that are undone now; empty when all of them were before.

    Raises:
        NotFound: a change that this student does not have.
        ChangedSince: one of the facts has another value by now; nothing is undone then.
        FactsError: what would be put back does not fit the rest of the record.
    """
    _lock(session, student)
    wanted = sorted(set(change_ids), reverse=True)
    found = session.scalars(
        select(FactChange)
        .where(FactChange.student_id == student.id, FactChange.id.in_(wanted))
        .order_by(FactChange.id.desc())
        .execution_options(populate_existing=True)
    ).all()
    if len(found) != len(wanted):
        raise NotFound
    rows = [row for row in found if not row.undone]
    if later := _changed_since(session, student, rows):
        raise ChangedSince(later)
    if not rows:
        return []
    # The newest comes first, so that the oldest has the last word on a fact that changed twice.
    back = {row.fact: row.before for row in rows}
    after = changed_facts(student.facts, back) | person_of(student)
    person = {field: back[field] for field in PERSON_FIELDS if field in back}
    if problems := tuple(_person_problems(session, student, person)):
        raise FactsError(problems)
    _write(student, after | person, now)
    for row in rows:
        row.undone = True
    session.flush()
    return rows


def known_records(session: Session) -> list[Known]:
    """Every record as an import compares it."""
    corrected: dict[int, dict[str, date]] = {}
    newest = select(func.max(FactChange.id)).where(FactChange.undone.is_(False))
    newest = newest.group_by(FactChange.student_id, FactChange.fact)
    for student_id, fact, changed_at in session.execute(
        select(FactChange.student_id, FactChange.fact, FactChange.changed_at).where(
            FactChange.origin == Origin.STUDENT, FactChange.id.in_(newest)
        )
    ):
        corrected.setdefault(student_id, {})[fact] = day_in_france(changed_at)
    columns = (
        Student.id,
        Student.source_id,
        Student.left_on,
        Student.is_local,
        *(getattr(Student, name) for name in PERSON_FIELDS),
    )
    rows = session.execute(select(*columns, Student.facts).order_by(Student.id))
    return [
        Known(
            id=row.id,
            source_id=row.source_id,
            left_on=row.left_on,
            person={name: getattr(row, name) for name in PERSON_FIELDS},
            facts=row.facts,
            corrected=corrected.get(row.id, {}),
            is_local=row.is_local,
        )
        for row in rows
    ]


def apply_plan(
    session: Session, plan: Plan, planned_for: list[Known], now: datetime, staff_id: int | None = None
) -> None:
    """Do what a plan says, all of it.

    Raises:
        VersionChanged: the records are no longer those that the plan was made for; nothing is written.
        ValueError: the plan has faults.
    """
    if plan.faults:
        raise ValueError("a plan with faults is not applied")
    if session.get_bind().dialect.name == "postgresql":
        # Nobody may write a record between the comparison and the change; SQLite has one writer anyway.
        session.execute(text("LOCK TABLE students IN SHARE ROW EXCLUSIVE MODE"))
    if known_records(session) != planned_for:
        raise VersionChanged
    _free_addresses(session, plan, planned_for)
    _many(session, insert(Student), _new_rows(plan, now))
    _many(session, update(Student), _changed_rows(plan, now))
    leavers = [{"id": leaver.id, "left_on": plan.today, "updated_at": now} for leaver in plan.left]
    _many(session, update(Student), leavers)
    _many(session, insert(FactChange), _history(plan, now, staff_id))


def _many(session: Session, statement: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        session.execute(statement, rows)


def _free_addresses(session: Session, plan: Plan, known: list[Known]) -> None:
    """Addresses that go from one record to another are unique row by row only when they are given up first."""
    owner = {record.person["email"]: record.id for record in known}
    wanted = {entry.person["email"]: entry.id for entry in plan.entries}
    given_up = [owner[address] for address, taker in wanted.items() if owner.get(address, taker) != taker]
    _many(session, update(Student), [{"id": record, "email": f"{record}@moving.invalid"} for record in given_up])


def _new_rows(plan: Plan, now: datetime) -> list[dict[str, Any]]:
    return [
        {**entry.person, "source_id": entry.source_id, "facts": entry.facts, "created_at": now, "updated_at": now}
        for entry in plan.entries
        if entry.id is None
    ]


def _changed_rows(plan: Plan, now: datetime) -> list[dict[str, Any]]:
    changed: list[dict[str, Any]] = [
        {
            **entry.person,
            "id": entry.id,
            "source_id": entry.source_id,
            "facts": entry.facts,
            "left_on": None,
            "updated_at": now,
        }
        for entry in plan.entries
        if entry.kind == "changed"
    ]
    return changed


def _history(plan: Plan, now: datetime, staff_id: int | None) -> list[dict[str, Any]]:
    return [
        {
            "student_id": entry.id,
            "fact": moved.field,
            "before": moved.before,
            "after": moved.after,
            "origin": Origin.SCHOOL,
            "staff_id": staff_id,
            "undone": False,
            "changed_at": now,
        }
        for entry in plan.entries
        for moved in entry.changes
        if entry.id is not None and moved.field not in ("source_id", "left_on")
    ]


def person_of(student: Student) -> dict[str, Any]:
    return {field: getattr(student, field) for field in PERSON_FIELDS}


def _lock(session: Session, student: Student) -> None:
    """Wait for whoever changes the same record, then see what they left; SQLite has one writer anyway."""
    session.flush()
    session.execute(select(Student.id).where(Student.id == student.id).with_for_update())
    session.refresh(student, ["facts", *PERSON_FIELDS, "updated_at"])


def _trimmed(field: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return value.strip().lower() if field == "email" else value.strip()


def _person_problems(session: Session, student: Student, person: Mapping[str, Any]) -> list[str]:
    problems = [f"{field}: {problem}" for field, value in person.items() if (problem := person_problem(field, value))]
    address = person.get("email")
    if not problems and address is not None and address != student.email:
        other = session.scalar(select(Student.id).where(Student.email == address, Student.id != student.id))
        if other is not None:
            problems.append(f"email: {address} is the address of another record; check which of the two is right")
    return problems


def _change(
    student: Student, fact: str, before: Any, after: Any, origin: Origin, now: datetime, staff_id: int | None
) -> FactChange:
    return FactChange(
        student_id=student.id,
        fact=fact,
        before=before,
        after=after,
        origin=origin,
        staff_id=staff_id,
        undone=False,
        changed_at=now,
    )


def _changed_since(session: Session, student: Student, rows: list[FactChange]) -> tuple[str, ...]:
    """The facts that another change touched later, or that hold another value than these changes left."""
    now_stored = student.facts | person_of(student)
    ids = {row.id for row in rows}
    later = {
        row.fact
        for row in rows
        if session.scalar(
            select(FactChange.id)
            .where(
                FactChange.student_id == student.id,
                FactChange.fact == row.fact,
                FactChange.id > row.id,
                FactChange.id.not_in(ids),
                FactChange.undone.is_(False),
            )
            .limit(1)
        )
    }
    newest = {row.fact: row.after for row in reversed(rows)}
    return tuple(sorted(later | {fact for fact, after in newest.items() if now_stored.get(fact) != after}))


def _write(student: Student, after: Mapping[str, Any], now: datetime) -> None:
    """One assignment of a new object: SQLAlchemy does not see changes inside JSON."""
    student.facts = {name: value for name, value in after.items() if name not in PERSON_FIELDS}
    for field in PERSON_FIELDS:
        setattr(student, field, after[field])
    student.updated_at = now
