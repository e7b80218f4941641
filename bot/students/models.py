"""Student records: who they are, the facts that change an answer, where their housing stands."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, String
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
    updated_on: Mapped[date]


class Student(Base):
    """One student as the school knows them. `facts` has the keys of bot.students.facts.Facts."""

    __tablename__ = "students"
    __table_args__ = ({"info": personal(Erasing.DELETE_ROWS, "the person's own record")},)

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    """School mailbox, lower case."""
    given_name: Mapped[str] = mapped_column(String(80))
    family_name: Mapped[str] = mapped_column(String(80))
    language: Mapped[str] = mapped_column(String(8))
    facts: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    housing: Mapped[HousingApplication | None] = relationship(lazy="joined", cascade="all, delete-orphan")
