"""Runs of the matcher: made on a copy, looked at, published, and undone while nobody has heard of it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from bot.buddies.matching import Matching, Weights, match, score_pair
from bot.buddies.models import (
    OPEN,
    BuddyPairing,
    BuddyProfile,
    BuddyRule,
    BuddyRun,
    BuddyRunRow,
    PairingState,
    RunState,
)
from bot.buddies.pairing import hold_pairs
from bot.buddies.pool import Pool, pool
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
    rows = [row for row in run.rows if row.buddy_id is not None and row.score is not None]
    _check_still_fits(pool(session, now), [(str(row.newcomer_id), str(row.buddy_id)) for row in rows])
    # Not one by one with `propose`: others could write nothing for seconds while a whole intake is published.
    session.add_all(
        BuddyPairing(
            newcomer_id=row.newcomer_id,
            buddy_id=row.buddy_id,
            run_id=run.id,
            state=PairingState.PLANNED,
            score=row.score,
            reasons=row.reasons,
            planned_at=now,
            send_at=now + UNDO_FOR,
        )
        for row in rows
    )
    run.state, run.published_at, run.send_at = RunState.PUBLISHED, now, now + UNDO_FOR
    session.flush()
    return len(rows)


def _check_still_fits(people: Pool, pairs: Sequence[tuple[str, str]]) -> None:
    """Raises RunOutdated where one of the pairs could not be made from these people."""
    newcomers = {each.id: each for each in people.newcomers}
    buddies = {each.id: each for each in people.buddies}
    loads = Counter(buddy_id for _, buddy_id in pairs)
    for newcomer_id, buddy_id in pairs:
        if newcomer_id not in newcomers or buddy_id not in buddies or (newcomer_id, buddy_id) in people.forbidden:
            raise RunOutdated
        if loads[buddy_id] > buddies[buddy_id].capacity:
            raise RunOutdated
        if score_pair(newcomers[newcomer_id], buddies[buddy_id], Weights()) is None:
            raise RunOutdated


def undo(session: Session, run_id: int, now: datetime) -> bool:
    """Take a publication back. False: somebody was asked already, or it is not published; nothing changed."""
    hold_pairs(session)
    run = session.get(BuddyRun, run_id, with_for_update=True)
    if run is None or not may_be_undone(session, run):
        return False
    for pairing in _pairings_of(session, run):
        if pairing.state == PairingState.PLANNED:
            pairing.state, pairing.ended_at = PairingState.UNDONE, now
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


def totals_by_run(session: Session, run_ids: Iterable[int]) -> Mapping[int, Totals]:
    """As totals_of, without reading every row."""
    ids = list(run_ids)
    rows = session.execute(
        select(
            BuddyRunRow.run_id,
            func.count(BuddyRunRow.buddy_id),
            func.count() - func.count(BuddyRunRow.buddy_id),
            func.sum(BuddyRunRow.score),
        )
        .where(BuddyRunRow.run_id.in_(ids))
        .group_by(BuddyRunRow.run_id)
    )
    found = {run_id: Totals(paired, left, round(score or 0.0, 4)) for run_id, paired, left, score in rows}
    return {each: found.get(each, Totals(0, 0, 0.0)) for each in ids}


def run_before(session: Session, run: BuddyRun) -> BuddyRun | None:
    """The run made before this one."""
    return session.scalar(select(BuddyRun).where(BuddyRun.id < run.id).order_by(BuddyRun.id.desc()).limit(1))


@dataclass(frozen=True)
class Load:
    """How many newcomers a buddy would have once the run is published."""

    buddy_id: int
    newcomers: int
    capacity: int


def loads_of(session: Session, run: BuddyRun) -> tuple[Load, ...]:
    """Of every buddy in the run, the most loaded first: its pairs and those that are open apart from it."""
    mine = Counter(row.buddy_id for row in run.rows if row.buddy_id is not None)
    others = session.execute(
        select(BuddyPairing.buddy_id, func.count())
        .where(
            BuddyPairing.buddy_id.in_(mine),
            BuddyPairing.state.in_(OPEN),
            or_(BuddyPairing.run_id.is_(None), BuddyPairing.run_id != run.id),
        )
        .group_by(BuddyPairing.buddy_id)
    ).all()
    more = {each[0]: each[1] for each in others}
    capacities = session.execute(
        select(BuddyProfile.student_id, BuddyProfile.capacity).where(BuddyProfile.student_id.in_(mine))
    ).all()
    found = [Load(each[0], mine[each[0]] + more.get(each[0], 0), each[1]) for each in capacities]
    return tuple(sorted(found, key=lambda each: (-each.newcomers, each.buddy_id)))


def buddies_of(run: BuddyRun) -> Mapping[int, int | None]:
    return {row.newcomer_id: row.buddy_id for row in run.rows}
