"""Student records: who they are, the facts that change an answer, where their housing stands."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bot.db.base import Base, Erasing, personal


class HousingApplication(Base):
    """Where a student's application for a room stands."""

    __tablename__ = "housing_applications"
    __table_args__ = ({"info": personal(Erasing.DELETE_ROWS, "where a person will live")},)

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"), unique=True)
    state: Mapped[str] = mapped_column(String(20))
    """One of bot.students.records.HOUSING_STATES."""
    residence: Mapped[str | None] = mapped_column(String(120))
    wishes: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """What the student would like, by name (see bot.housing.wishes)."""
    updated_on: Mapped[date]


class Student(Base):
    """One student as the school knows them. `facts` has the keys of bot.students.facts.Facts."""

    __tablename__ = "students"
    __table_args__ = (
        Index("uq_students_source_id", "source_id", unique=True),
        {"info": personal(Erasing.DELETE_ROWS, "the person's own record")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    """School mailbox, lower case."""
    given_name: Mapped[str] = mapped_column(String(80))
    family_name: Mapped[str] = mapped_column(String(80))
    language: Mapped[str] = mapped_column(String(8))
    facts: Mapped[dict[str, Any]]
    source_id: Mapped[str | None] = mapped_column(String(80))
    """The number of the person in the school's information system; None for a record made by hand."""
    left_on: Mapped[date | None]
    """No longer among the students that the school sends us since this day."""
    is_local: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Studies here already and is a buddy: has no steps of arriving."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    housing: Mapped[HousingApplication | None] = relationship(lazy="joined", cascade="all, delete-orphan")


class Origin(StrEnum):
    """Who changed a fact."""

    STUDENT = "student"
    SCHOOL = "school"
    """An import from the school's information system."""
    STAFF = "staff"


class FactChange(Base):
    """One fact of a record that changed, from what to what: the history, and the way back."""

    __tablename__ = "fact_changes"
    __table_args__ = (
        Index("ix_fact_changes_student", "student_id", "id"),
        {"info": personal(Erasing.DELETE_ROWS, "what was known of a person and when")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"))
    fact: Mapped[str] = mapped_column(String(40))
    """A name of bot.students.facts.Facts."""
    before: Mapped[Any] = mapped_column(JSON(none_as_null=False), nullable=True)
    after: Mapped[Any] = mapped_column(JSON(none_as_null=False), nullable=True)
    origin: Mapped[Origin] = mapped_column(String(10))
    staff_id: Mapped[int | None]
    """The colleague, where a colleague did it; no foreign key, since accounts are above this layer."""
    undone: Mapped[bool] = mapped_column(default=False)
    changed_at: Mapped[datetime]


class FactRequest(Base):
    """A student says that a fact owned by the school is wrong: a colleague looks at it and decides."""

    __tablename__ = "fact_requests"
    __table_args__ = (
        Index("ix_fact_requests_state", "state", "id"),
        {"info": personal(Erasing.DELETE_ROWS, "what a person asked to be corrected")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"), index=True)
    fact: Mapped[str] = mapped_column(String(40))
    """A name of bot.students.facts.Facts, or given_name, family_name, email."""
    wanted: Mapped[Any] = mapped_column(JSON(none_as_null=False), nullable=True)
    state: Mapped[str] = mapped_column(String(10), default="open")
    """open | accepted | refused"""
    asked_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None]
    """The colleague; no foreign key, see FactChange."""
