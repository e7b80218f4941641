"""Runs of the matcher: made on a copy, looked at, published, and undone while nobody has heard of it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.buddies.matching import Matching, Weights, match
from bot.buddies.models import BuddyPairing, BuddyRule, BuddyRun, BuddyRunRow, PairingState, RunState
from bot.buddies.pairing import CannotPair, hold_pairs, propose, undo_planned
from bot.buddies.pool import pool
from bot.db.session import Database
from bot.students.models import Student

UNDO_FOR = timedelta(minutes=15)
"""Between the publication and the first message."""
KEPT_DRAFTS = 20
"""Older drafts are deleted when a new one is made."""


class RunOutdated(Exception):
    """People signed up, left or were paired since the run was made: it has to be made again."""


def make_run(database: Database, weights: Weights, now: datetime, staff_id: int | None) -> int:
    """Match everybody who has nobody, and keep the result as a draft; no transaction is open while it is worked out.

    Returns the number of the run.

    Raises:
        ValueError: more people than can be matched exactly.
    """
    with database.read() as session:
        people = pool(session, now)
    found = match(people.newcomers, people.buddies, weights, keep=people.wanted, forbidden=people.forbidden)
    with database.write() as session:
        return _stored(session, found, weights, now, staff_id).id


def _stored(session: Session, found: Matching, weights: Weights, now: datetime, staff_id: int | None) -> BuddyRun:
    run = BuddyRun(
        made_at=now,
        made_by=staff_id,
        weights=asdict(weights),
        missing=[asdict(each) for each in found.missing],
        state=RunState.DRAFT,
    )
    session.add(run)
    session.flush()
    wanted = {int(pair.newcomer_id) for pair in found.pairs} | {int(pair.buddy_id) for pair in found.pairs}
    wanted |= {int(each.newcomer_id) for each in found.left}
    # Held to the end: somebody who is being erased must not make the whole run fail.
    there = set(
        session.scalars(
            select(Student.id).where(Student.id.in_(wanted)).with_for_update(read=True, key_share=True, of=Student)
        )
    )
    for pair in found.pairs:
        if {int(pair.newcomer_id), int(pair.buddy_id)} <= there:
            session.add(
                BuddyRunRow(
                    run_id=run.id,
                    newcomer_id=int(pair.newcomer_id),
                    buddy_id=int(pair.buddy_id),
                    score=pair.score,
                    reasons=[asdict(reason) for reason in pair.reasons],
                )
            )
    for each in found.left:
        if int(each.newcomer_id) in there:
            session.add(
                BuddyRunRow(
                    run_id=run.id,
                    newcomer_id=int(each.newcomer_id),
                    reasons=[],
                    why_none=each.why,
                    position=each.position,
                )
            )
    drafts = session.scalars(
        select(BuddyRun).where(BuddyRun.state == RunState.DRAFT).order_by(BuddyRun.id.desc()).offset(KEPT_DRAFTS)
    )
    for old in drafts:
        session.delete(old)
    session.flush()
    return run


def publish(session: Session, run_id: int, now: datetime) -> int:
    """Plan every pair of a draft; both are asked once UNDO_FOR is over. All of them or none.

    Returns how many pairs were planned.

    Raises:
        RunOutdated: it is no draft any more, or one of its pairs cannot be made now.
    """
    hold_pairs(session)
    run = session.get(BuddyRun, run_id, with_for_update=True)
    if run is None or run.state != RunState.DRAFT:
        raise RunOutdated
    rules = session.scalars(select(BuddyRule).where(BuddyRule.is_wanted.is_(False)))
    forbidden = {(rule.newcomer_id, rule.buddy_id) for rule in rules}
    count = 0
    for row in run.rows:
        if row.buddy_id is None or row.score is None:
            continue
        if (row.newcomer_id, row.buddy_id) in forbidden:
            raise RunOutdated
        try:
            propose(
                session,
                row.newcomer_id,
                row.buddy_id,
                row.score,
                row.reasons,
                now,
                run_id=run.id,
                send_at=now + UNDO_FOR,
            )
        except CannotPair as error:
            raise RunOutdated from error
        count += 1
    run.state, run.published_at, run.send_at = RunState.PUBLISHED, now, now + UNDO_FOR
    session.flush()
    return count


def undo(session: Session, run_id: int, now: datetime) -> bool:
    """Take a publication back. False: somebody was asked already, or it is not published; nothing changed."""
    hold_pairs(session)
    run = session.get(BuddyRun, run_id, with_for_update=True)
    if run is None or not may_be_undone(session, run):
        return False
    for pairing in _pairings_of(session, run):
        if pairing.state == PairingState.PLANNED:
            undo_planned(session, pairing, now)
    run.state = RunState.UNDONE
    session.flush()
    return True


def may_be_undone(session: Session, run: BuddyRun) -> bool:
    """Published, and nobody has been asked."""
    return run.state == RunState.PUBLISHED and not any(
        each.newcomer_asked_at or each.buddy_asked_at or each.newcomer_said or each.buddy_said
        for each in _pairings_of(session, run)
    )


def _pairings_of(session: Session, run: BuddyRun) -> Sequence[BuddyPairing]:
    return session.scalars(
        select(BuddyPairing)
        .where(BuddyPairing.run_id == run.id)
        .order_by(BuddyPairing.id)
        .execution_options(populate_existing=True)
    ).all()


def set_rule(
    session: Session, newcomer_id: int, buddy_id: int, now: datetime, *, is_wanted: bool | None, staff_id: int | None
) -> None:
    """Lock a pair (True), rule it out (False), or forget what was said of it (None).

    Somebody locked to one buddy is not locked to another any more.
    """
    hold_pairs(session)
    for rule in session.scalars(select(BuddyRule).where(BuddyRule.newcomer_id == newcomer_id)):
        if rule.buddy_id == buddy_id or (is_wanted and rule.is_wanted):
            session.delete(rule)
    session.flush()
    if is_wanted is not None:
        session.add(
            BuddyRule(newcomer_id=newcomer_id, buddy_id=buddy_id, is_wanted=is_wanted, staff_id=staff_id, made_at=now)
        )
        session.flush()


@dataclass(frozen=True)
class Totals:
    paired: int
    left: int
    score: float


@dataclass(frozen=True)
class Comparison:
    """Two runs side by side. The pairs are (newcomer id, buddy id or None)."""

    before: Totals
    after: Totals
    changed: tuple[tuple[int, int | None, int | None], ...]
    """(newcomer id, buddy before, buddy after) of everybody for whom it differs."""


def compare(before: BuddyRun, after: BuddyRun) -> Comparison:
    old, new = buddies_of(before), buddies_of(after)
    changed = [
        (newcomer, old.get(newcomer), new.get(newcomer))
        for newcomer in sorted(old.keys() | new.keys())
        if old.get(newcomer) != new.get(newcomer)
    ]
    return Comparison(totals_of(before), totals_of(after), tuple(changed))


def totals_of(run: BuddyRun) -> Totals:
    scores = [row.score for row in run.rows if row.buddy_id is not None and row.score is not None]
    return Totals(len(scores), sum(1 for row in run.rows if row.buddy_id is None), round(sum(scores), 4))


def buddies_of(run: BuddyRun) -> Mapping[int, int | None]:
    return {row.newcomer_id: row.buddy_id for row in run.rows}
