"""Cases (each time a person is asked for) and what colleagues keep beside a conversation: notes, promises, tags."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.base import Base, Erasing, personal


class Reason(StrEnum):
    ASKED = "asked"
    NOT_UNDERSTOOD = "not_understood"
    FAILED_TURN = "failed_turn"
    URGENT = "urgent"
    TAKEOVER = "takeover"
    """A colleague stepped in without a request."""


class Outcome(StrEnum):
    """Why a colleague closed a conversation."""

    SOLVED = "solved"
    NO_ANSWER = "no_answer"
    ELSEWHERE = "elsewhere"
    SPAM = "spam"
    OTHER = "other"


class Case(Base):
    """One request for a person. At most one is open in a conversation: the database holds it."""

    __tablename__ = "cases"
    __table_args__ = (
        Index(
            "uq_cases_open",
            "conversation_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_cases_waits", "desk", "claimed_at"),
        {"info": personal(Erasing.DELETE_ROWS, "tells when a person asked for help")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[UUID] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    reason: Mapped[Reason] = mapped_column(String(20))
    desk: Mapped[str | None] = mapped_column(String(60))
    """Where it was waited for."""
    opened_at: Mapped[datetime]
    """Its place in the queue: others are not passed over because a colleague looked at this one first."""
    escalated_at: Mapped[datetime | None]
    """Since when the wait is too long; the coordinators were told then."""
    claimed_at: Mapped[datetime | None]
    claimed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    closed_at: Mapped[datetime | None]


class DeskMember(Base):
    """Who works at which desk of knowledge/desks.yml."""

    __tablename__ = "desk_members"
    __table_args__ = (
        UniqueConstraint("staff_id", "desk"),
        {"info": personal(Erasing.NOTHING, "who works where in the office")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"))
    desk: Mapped[str] = mapped_column(String(60), index=True)


class Note(Base):
    """What a colleague wrote for colleagues; never shown in the chat."""

    __tablename__ = "notes"
    __table_args__ = ({"info": personal(Erasing.DELETE_ROWS, "what the office wrote about a person")},)

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[UUID] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


class Mention(Base):
    """A colleague named in a note, until they have read it."""

    __tablename__ = "note_mentions"
    __table_args__ = (
        UniqueConstraint("note_id", "staff_id"),
        {"info": personal(Erasing.DELETE_ROWS, "points at a note about a person")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    note_id: Mapped[int] = mapped_column(ForeignKey("notes.id", ondelete="CASCADE"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    seen_at: Mapped[datetime | None]


class Task(Base):
    """What was promised to a student, until which day, and who keeps the promise."""

    __tablename__ = "tasks"
    __table_args__ = (
        Index("ix_tasks_open", "done_at", "due"),
        {"info": personal(Erasing.DELETE_ROWS, "what the office promised a person")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[UUID] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    text: Mapped[str] = mapped_column(String(500))
    due: Mapped[date]
    owner_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    """When a mail said that its day has come."""


class Tag(Base):
    """A word by which colleagues find a conversation again, in small letters."""

    __tablename__ = "conversation_tags"
    __table_args__ = (
        UniqueConstraint("conversation_id", "tag"),
        {"info": personal(Erasing.DELETE_ROWS, "how the office sorts a person's conversation")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[UUID] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    tag: Mapped[str] = mapped_column(String(30), index=True)


class MessageChange(Base):
    """The words of a message of a colleague as they were before they were changed or deleted."""

    __tablename__ = "message_changes"
    __table_args__ = ({"info": personal(Erasing.DELETE_ROWS, "what a person was told before it was changed")},)

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), index=True)
    text: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime]
