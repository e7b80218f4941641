"""Buddies: who signed up and with what, runs of the matcher, the pairs they propose, how each pair fares."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bot.db.base import Base, Erasing, personal
from bot.students.models import Student


class BuddyRole(StrEnum):
    NEWCOMER = "newcomer"
    BUDDY = "buddy"
    """A student who is already here and takes `capacity` newcomers at most."""


class ProfileState(StrEnum):
    SIGNED_UP = "signed_up"
    PAUSED = "paused"
    """Stays on the list, is not matched."""
    WITHDRAWN = "withdrawn"


class PairingState(StrEnum):
    PLANNED = "planned"
    """Published; no message has gone out, so that it can still be undone."""
    PROPOSED = "proposed"
    """At least one of the two was asked."""
    ACCEPTED = "accepted"
    """Both said yes."""
    DECLINED = "declined"
    EXPIRED = "expired"
    """Somebody did not answer in time."""
    ENDED = "ended"
    """Was accepted, is over."""
    UNDONE = "undone"
    """Taken back before anybody was asked."""


OPEN = (PairingState.PLANNED, PairingState.PROPOSED, PairingState.ACCEPTED)
"""A newcomer has at most one pairing in these; each takes one place of the buddy's capacity."""


class Reply(StrEnum):
    YES = "yes"
    NO = "no"


class EndReason(StrEnum):
    """Why a pairing was declined, expired or ended."""

    LANGUAGE = "language"
    TIME = "time"
    PLANS = "plans"
    OTHER = "other"
    NO_ANSWER = "no_answer"
    TROUBLE = "trouble"
    LEFT = "left"
    """One of the two withdrew, left the school, or was erased."""
    OFFICE = "office"


class BuddyProfile(Base):
    """What one person gave for the matching, and agreed that it is used for that. Only what matching needs."""

    __tablename__ = "buddy_profiles"
    __table_args__ = (
        CheckConstraint("capacity >= 1 AND capacity <= 5", name="capacity"),
        {"info": personal(Erasing.DELETE_ROWS, "what a person told about themselves to find a buddy")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"), unique=True)
    role: Mapped[BuddyRole] = mapped_column(String(10))
    languages: Mapped[list[str]] = mapped_column(JSON)
    """BCP 47 tags, the best spoken first."""
    campus: Mapped[str] = mapped_column(String(20))
    arrives_on: Mapped[date | None]
    """None: is here already, or not known."""
    leaves_on: Mapped[date | None]
    interests: Mapped[list[str]] = mapped_column(JSON)
    """Codes of knowledge/buddies.yml."""
    own_words: Mapped[str] = mapped_column(String(200), default="")
    """Further interests, separated by commas."""
    field: Mapped[str] = mapped_column(String(60), default="")
    gender: Mapped[str] = mapped_column(String(10), default="")
    """woman | man | other, empty where not told."""
    same_gender: Mapped[bool] = mapped_column(default=False)
    same_field: Mapped[bool] = mapped_column(default=False)
    capacity: Mapped[int] = mapped_column(default=1)
    """Of a buddy; 1 for a newcomer."""
    contact: Mapped[dict[str, Any]]
    """What the other may see once both said yes: {"mail": bool, "other": "…" or absent}."""
    state: Mapped[ProfileState] = mapped_column(String(10))
    consented_at: Mapped[datetime]
    signed_up_at: Mapped[datetime]
    """The place on the waiting list."""
    updated_at: Mapped[datetime]

    student: Mapped[Student] = relationship(lazy="joined")


class BuddyRule(Base):
    """A pair that a coordinator wants, or never wants, in every run."""

    __tablename__ = "buddy_rules"
    __table_args__ = (
        UniqueConstraint("newcomer_id", "buddy_id"),
        {"info": personal(Erasing.DELETE_ROWS, "with whom a person should or should not be paired")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    newcomer_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"))
    buddy_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"), index=True)
    is_wanted: Mapped[bool]
    """True: always together; False: never."""
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    made_at: Mapped[datetime]


class RunState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    UNDONE = "undone"


class BuddyRun(Base):
    """One run of the matcher over everybody without a buddy: a copy, until it is published."""

    __tablename__ = "buddy_runs"
    __table_args__ = ({"info": personal(Erasing.NOTHING, "a run of the matcher; who is in it stands in its rows")},)

    id: Mapped[int] = mapped_column(primary_key=True)
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    weights: Mapped[dict[str, Any]]
    missing: Mapped[list[dict[str, Any]]]
    """Buddies that are missing: [{"campus", "language", "count"}]."""
    state: Mapped[RunState] = mapped_column(String(10))
    published_at: Mapped[datetime | None]
    send_at: Mapped[datetime | None]
    """The first message goes out no earlier; until one did, the publication can be undone."""

    rows: Mapped[list["BuddyRunRow"]] = relationship(
        order_by="BuddyRunRow.id", cascade="all, delete-orphan", passive_deletes=True
    )


class BuddyRunRow(Base):
    """What a run says of one newcomer: the buddy with the reasons, or why there is none."""

    __tablename__ = "buddy_run_rows"
    __table_args__ = (
        UniqueConstraint("run_id", "newcomer_id"),
        {"info": personal(Erasing.DELETE_ROWS, "with whom a person could be paired")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("buddy_runs.id", ondelete="CASCADE"))
    newcomer_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"), index=True)
    buddy_id: Mapped[int | None] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"), index=True)
    score: Mapped[float | None]
    reasons: Mapped[list[dict[str, Any]]]
    """[{"code", "values"}]: see bot.buddies.matching.Reason."""
    why_none: Mapped[str | None] = mapped_column(String(30))
    position: Mapped[int | None]
    """On the waiting list, from 1."""


class BuddyPairing(Base):
    """A newcomer and a buddy, from the proposal to the end."""

    __tablename__ = "buddy_pairings"
    __table_args__ = (
        Index(
            "uq_buddy_pairings_open",
            "newcomer_id",
            unique=True,
            sqlite_where=text("state IN ('planned', 'proposed', 'accepted')"),
            postgresql_where=text("state IN ('planned', 'proposed', 'accepted')"),
        ),
        Index("ix_buddy_pairings_buddy", "buddy_id", "state"),
        {
            "info": personal(Erasing.DELETE_ROWS, "whom a person is paired with"),
            # A button knows a pairing by its number: that of an erased one must not come back.
            "sqlite_autoincrement": True,
        },
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    newcomer_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"), index=True)
    buddy_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("buddy_runs.id", ondelete="SET NULL"))
    state: Mapped[PairingState] = mapped_column(String(10))
    score: Mapped[float]
    reasons: Mapped[list[dict[str, Any]]]
    """As in BuddyRunRow."""
    planned_at: Mapped[datetime]
    send_at: Mapped[datetime]
    """The proposal goes out no earlier."""
    newcomer_asked_at: Mapped[datetime | None]
    buddy_asked_at: Mapped[datetime | None]
    newcomer_reminded_at: Mapped[datetime | None]
    buddy_reminded_at: Mapped[datetime | None]
    newcomer_said: Mapped[Reply | None] = mapped_column(String(3))
    buddy_said: Mapped[Reply | None] = mapped_column(String(3))
    newcomer_said_at: Mapped[datetime | None]
    buddy_said_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    """When it was declined, expired, ended or undone."""
    end_reason: Mapped[EndReason | None] = mapped_column(String(12))


class CheckInAnswer(StrEnum):
    """One tap. The first two count as met."""

    GREAT = "great"
    FINE = "fine"
    NOT_YET = "not_yet"
    """Not met so far."""
    TROUBLE = "trouble"


class BuddyCheckIn(Base):
    """The question "how is it going?" to one of a pair, on day 3, 14 or 45, and the answer."""

    __tablename__ = "buddy_check_ins"
    __table_args__ = (
        UniqueConstraint("pairing_id", "student_id", "day"),
        {"info": personal(Erasing.DELETE_ROWS, "how a person gets on with a buddy")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    pairing_id: Mapped[int] = mapped_column(ForeignKey("buddy_pairings.id", ondelete="CASCADE"))
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"), index=True)
    day: Mapped[int]
    asked_at: Mapped[datetime]
    answer: Mapped[CheckInAnswer | None] = mapped_column(String(10))
    answered_at: Mapped[datetime | None]


class AlertReason(StrEnum):
    SILENCE = "silence"
    """A question of day 3, 14 or 45 has no answer after three days, or the two have not met by day 14."""
    TROUBLE = "trouble"
    NO_MORE_MATCH = "no_more_match"
    """Declined, expired or left alone, and nobody else fits."""


class BuddyAlert(Base):
    """Something a coordinator should look at; open until settled."""

    __tablename__ = "buddy_alerts"
    __table_args__ = (
        Index("ix_buddy_alerts_open", "settled_at", "id"),
        {"info": personal(Erasing.DELETE_ROWS, "that a person needs help with a buddy")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"), index=True)
    """Whom it is about."""
    pairing_id: Mapped[int | None] = mapped_column(ForeignKey("buddy_pairings.id", ondelete="CASCADE"), index=True)
    reason: Mapped[AlertReason] = mapped_column(String(20))
    raised_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
