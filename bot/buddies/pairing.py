"""What happens to a pair, from the proposal to the end. Every change is made under one lock, in a transaction given.

A pair touches two people and the capacity of one, a re-match everybody with a free place. So whoever changes pairs is
alone in doing so: `hold_pairs` is the first thing that a change does, and what was read before is read again.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session

from bot.buddies.matching import Reason, Weights, match
from bot.buddies.models import (
    OPEN,
    AlertReason,
    BuddyAlert,
    BuddyPairing,
    BuddyProfile,
    BuddyRole,
    BuddyRule,
    EndReason,
    PairingState,
    ProfileState,
    Reply,
)
from bot.buddies.notes import NoteKind, queue
from bot.buddies.profiles import as_buddy, as_newcomer, forget_answers, profile_of
from bot.clock import day_in_france
from bot.reminders.queries import has_left

PAIRS_LOCK = 0x6275_6464
"""The number of our lock in PostgreSQL ("budd")."""
OVER = (PairingState.DECLINED, PairingState.EXPIRED, PairingState.ENDED)
"""Two people who had such a pairing are not proposed to each other again."""


class CannotPair(Exception):
    """Why these two cannot be proposed to each other now: `reason` is one of the words below."""

    NOT_SIGNED_UP = "not_signed_up"
    """One of the two is not on the list, paused, or has left."""
    TAKEN = "taken"
    """The newcomer has a buddy or a proposal."""
    FULL = "full"
    """The buddy has no free place."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def hold_pairs(session: Session) -> None:
    """Wait until nobody else changes pairs, and keep others from it until the transaction ends.

    A write transaction of SQLite is alone anyway.
    """
    if session.info.get(PAIRS_LOCK) is (held_in := session.get_transaction()) and held_in is not None:
        return
    session.flush()
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": PAIRS_LOCK})
        session.expire_all()
    session.info[PAIRS_LOCK] = session.get_transaction()


def propose(
    session: Session,
    newcomer_id: int,
    buddy_id: int,
    score: float,
    reasons: Sequence[Reason] | Sequence[dict[str, Any]],
    now: datetime,
    *,
    run_id: int | None = None,
    send_at: datetime,
) -> BuddyPairing:
    """Plan a pair; both are asked from `send_at` on (see tending.py).

    Raises:
        CannotPair: one of the two is not to be had (any more).
    """
    hold_pairs(session)
    newcomer = _available(session, newcomer_id, BuddyRole.NEWCOMER, now)
    buddy = _available(session, buddy_id, BuddyRole.BUDDY, now)
    if open_pairing_of(session, newcomer.student_id) is not None:
        raise CannotPair(CannotPair.TAKEN)
    if places_taken(session, buddy.student_id) >= buddy.capacity:
        raise CannotPair(CannotPair.FULL)
    pairing = BuddyPairing(
        newcomer_id=newcomer_id,
        buddy_id=buddy_id,
        run_id=run_id,
        state=PairingState.PLANNED,
        score=score,
        reasons=[each if isinstance(each, dict) else asdict(each) for each in reasons],
        planned_at=now,
        send_at=send_at,
    )
    session.add(pairing)
    session.flush()
    return pairing


def answer_proposal(
    session: Session,
    pairing: BuddyPairing,
    student_id: int,
    reply: Reply,
    now: datetime,
    reason: EndReason | None = None,
) -> bool:
    """Write down a yes or a no. False: the pairing is not open to an answer of this person any more; nothing changed.

    After the second yes the one who waited is told; after a no the other is, without the reason. The re-match is the
    caller's (`rematch`): it needs the weights.
    """
    hold_pairs(session)
    session.refresh(pairing, with_for_update=True)
    if pairing.state not in (PairingState.PLANNED, PairingState.PROPOSED) or student_id not in both(pairing):
        return False
    if said_by(pairing, student_id) is not None:
        return False
    if student_id == pairing.newcomer_id:
        pairing.newcomer_said, pairing.newcomer_said_at = reply, now
    else:
        pairing.buddy_said, pairing.buddy_said_at = reply, now
    other_id = other_of(pairing, student_id)
    if reply is Reply.NO:
        _close(session, pairing, PairingState.DECLINED, reason or EndReason.OTHER, now)
        _tell_if_asked(session, pairing, other_id, NoteKind.DECLINED, now)
    elif pairing.newcomer_said == pairing.buddy_said == Reply.YES:
        pairing.state, pairing.accepted_at = PairingState.ACCEPTED, now
        queue(session, other_id, NoteKind.ACCEPTED, now, pairing_id=pairing.id)
    session.flush()
    return True


def end_pairing(
    session: Session, pairing: BuddyPairing, reason: EndReason, now: datetime, *, by: int | None = None
) -> bool:
    """End an open pairing, in whatever state; False: it is over already. Everybody who was asked is told, except `by`,
    the student whose own deed it is.
    """
    hold_pairs(session)
    session.refresh(pairing, with_for_update=True)
    if pairing.state not in OPEN:
        return False
    state = {
        PairingState.PLANNED: PairingState.UNDONE,
        PairingState.PROPOSED: PairingState.EXPIRED if reason is EndReason.NO_ANSWER else PairingState.DECLINED,
        PairingState.ACCEPTED: PairingState.ENDED,
    }[PairingState(pairing.state)]
    was_accepted = pairing.state == PairingState.ACCEPTED
    _close(session, pairing, state, reason, now)
    for student_id in both(pairing):
        if student_id != by and state is not PairingState.UNDONE:
            kind = NoteKind.ENDED if was_accepted else NoteKind.DECLINED
            if reason is EndReason.NO_ANSWER and said_by(pairing, student_id) is None:
                kind = NoteKind.TOO_LATE
            _tell_if_asked(session, pairing, student_id, kind, now)
    session.flush()
    return True


def undo_planned(session: Session, pairing: BuddyPairing, now: datetime) -> bool:
    """Take a pairing back of which nobody has heard. False: too late, somebody was asked."""
    hold_pairs(session)
    session.refresh(pairing, with_for_update=True)
    if pairing.state != PairingState.PLANNED or any(asked_at(pairing, each) for each in both(pairing)):
        return False
    _close(session, pairing, PairingState.UNDONE, None, now)
    session.flush()
    return True


def rematch(session: Session, newcomer_id: int, now: datetime, weights: Weights) -> BuddyPairing | None:
    """Plan the next best pair of a newcomer who has none: the best score among all with a free place, never somebody
    they had before, never against a rule of the office; a wish of the office comes first.

    None: nobody fits, and the office is told; or the newcomer is not to be paired.
    """
    hold_pairs(session)
    try:
        newcomer = _available(session, newcomer_id, BuddyRole.NEWCOMER, now)
    except CannotPair:
        return None
    if open_pairing_of(session, newcomer_id) is not None:
        return None
    barred, wanted = _barred(session, newcomer_id), _rules(session, newcomer_id, is_wanted=True)
    free = _with_a_free_place(session, now)
    one = as_newcomer(newcomer)
    for profiles in ([each for each in free if each.student_id in wanted], free):
        forbidden = [(one.id, str(each.student_id)) for each in profiles if each.student_id in barred]
        # A place more or less changes nothing for one newcomer.
        found = match([one], [as_buddy(each) for each in profiles], weights, forbidden=forbidden).pairs
        if found:
            pair = found[0]
            return propose(session, newcomer_id, int(pair.buddy_id), pair.score, pair.reasons, now, send_at=now)
    raise_alert(session, newcomer_id, AlertReason.NO_MORE_MATCH, now)
    return None


def raise_alert(
    session: Session, student_id: int, reason: AlertReason, now: datetime, *, pairing_id: int | None = None
) -> None:
    """Show it to the coordinator, once: while it is open, the same is not said again."""
    hold_pairs(session)
    same = select(BuddyAlert.id).where(
        BuddyAlert.student_id == student_id,
        BuddyAlert.reason == reason,
        BuddyAlert.pairing_id == pairing_id if pairing_id is not None else BuddyAlert.pairing_id.is_(None),
        BuddyAlert.settled_at.is_(None),
    )
    if session.scalar(same.limit(1)) is None:
        session.add(BuddyAlert(student_id=student_id, pairing_id=pairing_id, reason=reason, raised_at=now))
        session.flush()


def open_pairing_of(session: Session, newcomer_id: int) -> BuddyPairing | None:
    return session.scalar(
        select(BuddyPairing).where(BuddyPairing.newcomer_id == newcomer_id, BuddyPairing.state.in_(OPEN))
    )


def open_pairings_with(session: Session, student_id: int) -> Sequence[BuddyPairing]:
    """Of a newcomer at most one, of a buddy one for each place that is taken; the oldest first."""
    return session.scalars(
        select(BuddyPairing)
        .where(
            or_(BuddyPairing.newcomer_id == student_id, BuddyPairing.buddy_id == student_id),
            BuddyPairing.state.in_(OPEN),
        )
        .order_by(BuddyPairing.id)
    ).all()


def places_taken(session: Session, buddy_id: int) -> int:
    count = session.scalar(
        select(func.count())
        .select_from(BuddyPairing)
        .where(BuddyPairing.buddy_id == buddy_id, BuddyPairing.state.in_(OPEN))
    )
    return int(count or 0)


def both(pairing: BuddyPairing) -> tuple[int, int]:
    return pairing.newcomer_id, pairing.buddy_id


def other_of(pairing: BuddyPairing, student_id: int) -> int:
    return pairing.buddy_id if student_id == pairing.newcomer_id else pairing.newcomer_id


def asked_at(pairing: BuddyPairing, student_id: int) -> datetime | None:
    return pairing.newcomer_asked_at if student_id == pairing.newcomer_id else pairing.buddy_asked_at


def said_at(pairing: BuddyPairing, student_id: int) -> datetime | None:
    return pairing.newcomer_said_at if student_id == pairing.newcomer_id else pairing.buddy_said_at


def said_by(pairing: BuddyPairing, student_id: int) -> Reply | None:
    return pairing.newcomer_said if student_id == pairing.newcomer_id else pairing.buddy_said


def leave(session: Session, profile: BuddyProfile, now: datetime, weights: Weights) -> None:
    """Somebody withdraws or has left: their pairs end, the others are told and newcomers get the next best."""
    hold_pairs(session)
    student_id = profile.student_id
    pairings = open_pairings_with(session, student_id)
    for pairing in pairings:
        end_pairing(session, pairing, EndReason.LEFT, now, by=student_id)
    forget_answers(profile, now)
    session.flush()
    for pairing in pairings:
        if pairing.newcomer_id != student_id:
            rematch(session, pairing.newcomer_id, now, weights)


def tell_of_erasure(session: Session, student_id: int, now: datetime) -> None:
    """This person is about to be erased with every pairing: whoever heard of an open one is told, without a name."""
    hold_pairs(session)
    for pairing in open_pairings_with(session, student_id):
        _tell_if_asked(session, pairing, other_of(pairing, student_id), NoteKind.LOST, now)


def _close(
    session: Session, pairing: BuddyPairing, state: PairingState, reason: EndReason | None, now: datetime
) -> None:
    pairing.state, pairing.end_reason, pairing.ended_at = state, reason, now
    session.flush()


def _tell_if_asked(session: Session, pairing: BuddyPairing, student_id: int, kind: NoteKind, now: datetime) -> None:
    """Who has not heard of the proposal need not hear of its end."""
    if asked_at(pairing, student_id) is not None or said_by(pairing, student_id) is not None:
        queue(session, student_id, kind, now, pairing_id=pairing.id)


def _available(session: Session, student_id: int, role: BuddyRole, now: datetime) -> BuddyProfile:
    profile = profile_of(session, student_id)
    if profile is None or profile.role != role or not _is_here(profile, now):
        raise CannotPair(CannotPair.NOT_SIGNED_UP)
    return profile


def _is_here(profile: BuddyProfile, now: datetime) -> bool:
    return profile.state == ProfileState.SIGNED_UP and not has_left(profile.student, day_in_france(now))


def _with_a_free_place(session: Session, now: datetime) -> list[BuddyProfile]:
    taken = (
        select(func.count())
        .select_from(BuddyPairing)
        .where(BuddyPairing.buddy_id == BuddyProfile.student_id, BuddyPairing.state.in_(OPEN))
        .scalar_subquery()
    )
    profiles = session.scalars(
        select(BuddyProfile)
        .where(
            BuddyProfile.role == BuddyRole.BUDDY,
            BuddyProfile.state == ProfileState.SIGNED_UP,
            taken < BuddyProfile.capacity,
        )
        .order_by(BuddyProfile.student_id)
    )
    return [profile for profile in profiles if _is_here(profile, now)]


def _barred(session: Session, newcomer_id: int) -> frozenset[int]:
    """Buddies whom this newcomer had before, and those that the office does not want for them."""
    before = session.scalars(
        select(BuddyPairing.buddy_id).where(BuddyPairing.newcomer_id == newcomer_id, BuddyPairing.state.in_(OVER))
    )
    return frozenset(before) | _rules(session, newcomer_id, is_wanted=False)


def _rules(session: Session, newcomer_id: int, *, is_wanted: bool) -> frozenset[int]:
    return frozenset(
        session.scalars(
            select(BuddyRule.buddy_id).where(BuddyRule.newcomer_id == newcomer_id, BuddyRule.is_wanted.is_(is_wanted))
        )
    )
