"""Reads of pairs and of the waiting list for chat."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from bot.buddies.models import (
    OPEN,
    BuddyPairing,
    BuddyProfile,
    BuddyRole,
    BuddyRun,
    BuddyRunRow,
    EndReason,
    PairingState,
    ProfileState,
    RunState,
)
from bot.buddies.pairing import other_of
from bot.buddies.profiles import profile_of
from bot.buddies.wording import Pair, name_of
from bot.clock import day_in_france
from bot.students.models import Student


def pair_of(session: Session, pairing: BuddyPairing, reader: Student) -> Pair:
    """A pairing as one of the two reads of it."""
    other = session.get_one(Student, other_of(pairing, reader.id))
    return Pair(pairing, reader, other, profile_of(session, other.id))


def newcomers_of(session: Session, buddy_id: int, *, but: int | None = None) -> Sequence[str]:
    """Given names of the newcomers whom a buddy has, by age of the pair; with `but` also those asked about, without
    that pairing.
    """
    states = (PairingState.ACCEPTED,) if but is None else OPEN
    rows = session.execute(
        select(BuddyPairing, Student)
        .join(Student, Student.id == BuddyPairing.newcomer_id)
        .where(BuddyPairing.buddy_id == buddy_id, BuddyPairing.state.in_(states))
        .order_by(BuddyPairing.id)
    )
    return [name_of(student) for pairing, student in rows if pairing.id != but and _is_known(pairing)]


def _is_known(pairing: BuddyPairing) -> bool:
    """The buddy has heard of it."""
    return pairing.state == PairingState.ACCEPTED or pairing.buddy_asked_at is not None


def position_of(session: Session, newcomer_id: int, now: datetime) -> int | None:
    """The place on the waiting list, from 1, in the order of signing up; None for somebody who does not wait."""
    has_one = select(BuddyPairing.newcomer_id).where(BuddyPairing.state.in_(OPEN))
    waiting = session.scalars(
        select(BuddyProfile.student_id)
        .join(Student)
        .where(
            BuddyProfile.role == BuddyRole.NEWCOMER,
            BuddyProfile.state == ProfileState.SIGNED_UP,
            BuddyProfile.student_id.not_in(has_one),
            or_(Student.left_on.is_(None), Student.left_on > day_in_france(now)),
        )
        .order_by(BuddyProfile.signed_up_at, BuddyProfile.student_id)
    ).all()
    return waiting.index(newcomer_id) + 1 if newcomer_id in waiting else None


def latest_row(session: Session, newcomer_id: int) -> tuple[BuddyRun, BuddyRunRow] | None:
    """What the last published run says of a newcomer."""
    row = session.execute(
        select(BuddyRun, BuddyRunRow)
        .join(BuddyRunRow, BuddyRunRow.run_id == BuddyRun.id)
        .where(BuddyRunRow.newcomer_id == newcomer_id, BuddyRun.state == RunState.PUBLISHED)
        .order_by(BuddyRun.id.desc())
        .limit(1)
    ).first()
    return (row[0], row[1]) if row is not None else None


def last_over(session: Session, student_id: int) -> BuddyPairing | None:
    """The pairing of somebody that came to an end last, of those they heard of."""
    return session.scalar(
        select(BuddyPairing)
        .where(
            or_(BuddyPairing.newcomer_id == student_id, BuddyPairing.buddy_id == student_id),
            BuddyPairing.state.in_((PairingState.DECLINED, PairingState.EXPIRED, PairingState.ENDED)),
        )
        .order_by(BuddyPairing.ended_at.desc(), BuddyPairing.id.desc())
        .limit(1)
    )


def silent_times(session: Session, newcomer_id: int, since: datetime) -> int:
    """How many proposals a newcomer let lapse since then."""
    count = session.scalar(
        select(func.count())
        .select_from(BuddyPairing)
        .where(
            BuddyPairing.newcomer_id == newcomer_id,
            BuddyPairing.state == PairingState.EXPIRED,
            BuddyPairing.end_reason == EndReason.NO_ANSWER,
            BuddyPairing.newcomer_said.is_(None),
            BuddyPairing.ended_at > since,
        )
    )
    return int(count or 0)
