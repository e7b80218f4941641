"""Which rows belong to a person: found by walking the foreign keys of all tables, so that none is missed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, String, Table, cast, false, or_, select
from sqlalchemy.orm import Session

from bot.conversations.models import Conversation, OutboxEntry
from bot.db.base import Erasing
from bot.students.models import Student
from bot.tables import METADATA

STUDENTS, CONVERSATIONS = "students", "conversations"


@dataclass(frozen=True)
class Person:
    """A student with the conversations linked to the record; or one conversation that is linked to nobody."""

    student_id: int | None
    email: str | None
    conversations: tuple[UUID, ...]


def person_of_student(session: Session, student: Student) -> Person:
    conversations = session.scalars(
        select(Conversation.id).where(Conversation.student_id == student.id).order_by(Conversation.id)
    )
    return Person(student.id, student.email, tuple(conversations))


def person_of_conversation(session: Session, conversation: Conversation) -> Person:
    """Whoever the conversation is linked to; the conversation alone when it is linked to nobody."""
    student = session.get(Student, conversation.student_id) if conversation.student_id is not None else None
    return Person(None, None, (conversation.id,)) if student is None else person_of_student(session, student)


def personal_tables() -> list[Table]:
    """Tables with rows of persons; what a row points at comes before it."""
    return [table for table in METADATA.sorted_tables if table.info["erasing"] is Erasing.DELETE_ROWS]


def rows_of(table: Table, person: Person) -> ColumnElement[bool]:
    """The rows of a personal table that belong to the person, over however many tables their foreign keys lead."""
    if table.name == STUDENTS:
        return table.c.id == person.student_id if person.student_id is not None else false()
    if table.name == CONVERSATIONS:
        return table.c.id.in_(person.conversations)
    found: list[ColumnElement[bool]] = [
        column.in_(select(target).where(rows_of(target.table, person))) for column, target in _owners(table)
    ]
    if table.name == OutboxEntry.__tablename__:
        found.append(mails_to(person))
    return or_(false(), *found)


def mails_to(person: Person) -> ColumnElement[bool]:
    """What is on its way to the person: mails need no conversation."""
    payload = OutboxEntry.__table__.c.payload
    if person.student_id is None:
        return false()
    return or_(payload["to"].as_string() == person.email, names_student(payload, "student_id", person.student_id))


def names_student(column: ColumnElement[Any], key: str, student_id: int) -> ColumnElement[bool]:
    """Whether a JSON object holds this student under a key; compared as text, since anything may be under it."""
    return cast(column[key].as_string(), String) == str(student_id)


def _owners(table: Table) -> Iterator[tuple[Column[Any], Column[Any]]]:
    """(column, what it points at) for every foreign key into a personal table."""
    for column in table.columns:
        for key in column.foreign_keys:
            target = key.column.table
            if target is not table and target.info["erasing"] is Erasing.DELETE_ROWS:
                yield column, key.column
