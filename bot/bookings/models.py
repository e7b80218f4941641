"""What can be booked, when it meets, and who has a place: French classes, appointments and events alike."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bot.db.base import Base, Erasing, personal


class OfferKind(StrEnum):
    FRENCH_CLASS = "french_class"
    """Meets many times; a student has at most one."""
    APPOINTMENT = "appointment"
    """One slot with somebody of the school."""
    EVENT = "event"
    """Something that happens, with or without a limit of places."""


class Service(StrEnum):
    """Whom an appointment is with."""

    WELCOME_SESSION = "welcome_session"
    MENTORING = "mentoring"
    CAREER = "career"
    PAPERWORK = "paperwork"


class BookingState(StrEnum):
    BOOKED = "booked"
    WAITING = "waiting"
    """On the waiting list; the oldest comes first."""
    HELD = "held"
    """A place became free and is kept for this student until `held_until`."""
    CANCELLED = "cancelled"


ACTIVE = (BookingState.BOOKED, BookingState.WAITING, BookingState.HELD)
TAKES_A_PLACE = (BookingState.BOOKED, BookingState.HELD)


class Offer(Base):
    """One class, one slot or one event. `code` is the office's own name for it: imports find it again by that."""

    __tablename__ = "offers"
    __table_args__ = (
        CheckConstraint("places IS NULL OR places > 0", name="places_positive"),
        Index("ix_offers_kind", "kind", "service", "campus"),
        {"info": personal(Erasing.NOTHING, "what the school offers")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[OfferKind] = mapped_column(String(20))
    code: Mapped[str] = mapped_column(String(60), unique=True)
    title: Mapped[dict[str, Any]]
    """{"en": …, "fr": …}; French may be left out."""
    service: Mapped[Service | None] = mapped_column(String(20))
    """Of an appointment."""
    campus: Mapped[str | None] = mapped_column(String(20))
    """As in the facts; None: every campus."""
    level: Mapped[str | None] = mapped_column(String(2))
    """Of a French class: A1 … C2 of the CEFR."""
    places: Mapped[int | None]
    """None: no limit."""
    room: Mapped[str | None] = mapped_column(String(120))
    host: Mapped[str | None] = mapped_column(String(120))
    """Who gives it, as students read it."""
    is_demo: Mapped[bool] = mapped_column(default=False)
    """Invented to try things out; the answer says so."""
    cancelled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    meetings: Mapped[list["Meeting"]] = relationship(
        order_by="Meeting.starts_at", cascade="all, delete-orphan", lazy="selectin"
    )


class Meeting(Base):
    """One time at which an offer takes place."""

    __tablename__ = "meetings"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="in_order"),
        Index("ix_meetings_starts_at", "starts_at"),
        {"info": personal(Erasing.NOTHING, "when the school offers something")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("offers.id", ondelete="CASCADE"), index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]


class Booking(Base):
    """A student's place, or place in line. At most one that is not cancelled per student and offer."""

    __tablename__ = "bookings"
    __table_args__ = (
        CheckConstraint("(state = 'held') = (held_until IS NOT NULL)", name="held_iff_until"),
        Index(
            "uq_bookings_active",
            "offer_id",
            "student_id",
            unique=True,
            sqlite_where=text("state <> 'cancelled'"),
            postgresql_where=text("state <> 'cancelled'"),
        ),
        Index("ix_bookings_student", "student_id", "state"),
        {"info": personal(Erasing.DELETE_ROWS, "where a person will be and when")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("offers.id", ondelete="CASCADE"))
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"))
    state: Mapped[BookingState] = mapped_column(String(10))
    held_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    offer: Mapped[Offer] = relationship(lazy="joined")
