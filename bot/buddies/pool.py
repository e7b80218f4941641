"""Everybody whom a run of the matcher may pair now."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bot.buddies.matching import Buddy, Newcomer
from bot.buddies.models import OPEN, BuddyPairing, BuddyProfile, BuddyRole, BuddyRule, ProfileState
from bot.buddies.pairing import OVER
from bot.buddies.profiles import as_buddy, as_newcomer
from bot.clock import day_in_france
from bot.students.models import Student


@dataclass(frozen=True)
class Pool:
    """Newcomers without a buddy in the order in which they signed up; buddies with the places that are free."""

    newcomers: tuple[Newcomer, ...]
    buddies: tuple[Buddy, ...]
    wanted: tuple[tuple[str, str], ...]
    """Pairs that the office locked, (newcomer id, buddy id)."""
    forbidden: frozenset[tuple[str, str]]
    """Pairs that the office ruled out, and those that came to an end before."""


def pool(session: Session, now: datetime) -> Pool:
    pairings = session.execute(
        select(BuddyPairing.newcomer_id, BuddyPairing.buddy_id, BuddyPairing.state).where(
            BuddyPairing.state.in_((*OPEN, *OVER))
        )
    ).all()
    taken = {each.newcomer_id for each in pairings if each.state in OPEN}
    loads = Counter(each.buddy_id for each in pairings if each.state in OPEN)
    rules = session.execute(select(BuddyRule.newcomer_id, BuddyRule.buddy_id, BuddyRule.is_wanted)).all()
    newcomers = [each for each in signed_up(session, BuddyRole.NEWCOMER, now) if each.student_id not in taken]
    buddies = signed_up(session, BuddyRole.BUDDY, now)
    here = {each.student_id for each in newcomers}
    over = {(str(each.newcomer_id), str(each.buddy_id)) for each in pairings if each.state in OVER}
    return Pool(
        tuple(as_newcomer(each) for each in newcomers),
        tuple(replace(as_buddy(each), capacity=max(0, each.capacity - loads[each.student_id])) for each in buddies),
        tuple(
            (str(rule.newcomer_id), str(rule.buddy_id)) for rule in rules if rule.is_wanted and rule.newcomer_id in here
        ),
        frozenset(over | {(str(rule.newcomer_id), str(rule.buddy_id)) for rule in rules if not rule.is_wanted}),
    )


def signed_up(session: Session, role: BuddyRole, now: datetime) -> Sequence[BuddyProfile]:
    """Profiles that take part, in the order of signing up."""
    return session.scalars(
        select(BuddyProfile)
        .join(Student, Student.id == BuddyProfile.student_id)
        .where(
            BuddyProfile.role == role,
            BuddyProfile.state == ProfileState.SIGNED_UP,
            or_(Student.left_on.is_(None), Student.left_on > day_in_france(now)),
        )
        .order_by(BuddyProfile.signed_up_at, BuddyProfile.student_id)
    ).all()
