"""The one retraining that may be under way: asked for, trained, looked at, switched to, gone back from."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.answers.trained import Current
from bot.errors import NotFound
from bot.identity import audit
from bot.identity.models import Staff
from bot.upkeep.assigning import check_may_decide
from bot.upkeep.models import Retraining, Stage
from bot.upkeep.report import Report

MOST_TRIES = 3
"""Starts of one training: it begins again after a restart of the gateway."""
SHOWN = 10
TO_RUN = (Stage.ASKED, Stage.TRAINING)
"""Asked for, or cut off by a restart."""


def open_retraining(session: Session, *, lock: bool = False) -> Retraining | None:
    """The one that is under way or waits for somebody."""
    query = select(Retraining).where(Retraining.ended_at.is_(None))
    return session.scalar(query.with_for_update() if lock else query)


def last_in_use(session: Session) -> Retraining | None:
    """The one whose model is in use, if the newest switch was made here and not undone."""
    last = session.scalar(
        select(Retraining)
        .where(Retraining.stage.in_((Stage.IN_USE, Stage.WENT_BACK, Stage.GOING_BACK)))
        .order_by(Retraining.changed_at.desc(), Retraining.id.desc())
        .limit(1)
    )
    return last if last is not None and last.stage == Stage.IN_USE else None


def history(session: Session) -> Sequence[Retraining]:
    return session.scalars(
        select(Retraining).where(Retraining.ended_at.is_not(None)).order_by(Retraining.id.desc()).limit(SHOWN)
    ).all()


def ask(session: Session, staff: Staff, now: datetime) -> bool:
    """Ask for a training. False when one is open already: two clicks start one. Raises NotAllowed."""
    check_may_decide(staff)
    if open_retraining(session) is not None:
        return False
    try:
        with session.begin_nested():
            session.add(Retraining(staff_id=staff.id, asked_at=now, changed_at=now))
    except IntegrityError:
        return False
    audit.record(session, "retraining_asked", staff_id=staff.id, now=now)
    return True


def switch(session: Session, staff: Staff, retraining_id: int, former: Current, now: datetime) -> None:
    """Ask for the switch to the new model; `former` is the one in use. Raises NotAllowed, NotFound (not ready)."""
    check_may_decide(staff)
    retraining = _in(session, retraining_id, Stage.READY)
    retraining.former = former.model_dump()
    _enter(retraining, Stage.SWITCHING, now)
    audit.record(session, "model_switched", staff_id=staff.id, now=now, retraining=retraining_id)


def discard(session: Session, staff: Staff, retraining_id: int, now: datetime) -> None:
    """Leave the new model. Raises NotAllowed, NotFound."""
    check_may_decide(staff)
    _end(_in(session, retraining_id, Stage.READY), Stage.DISCARDED, now)
    audit.record(session, "model_discarded", staff_id=staff.id, now=now, retraining=retraining_id)


def go_back(session: Session, staff: Staff, retraining_id: int, now: datetime) -> None:
    """Ask for the model before. Raises NotAllowed; NotFound: another one is in use, or a retraining is open."""
    check_may_decide(staff)
    retraining = _in(session, retraining_id, Stage.IN_USE)
    last = last_in_use(session)
    if last is None or last.id != retraining_id or open_retraining(session) is not None:
        raise NotFound
    retraining.ended_at = None
    _enter(retraining, Stage.GOING_BACK, now)
    audit.record(session, "model_taken_back", staff_id=staff.id, now=now, retraining=retraining_id)


def _in(session: Session, retraining_id: int, stage: Stage) -> Retraining:
    retraining = session.scalar(
        select(Retraining).where(Retraining.id == retraining_id, Retraining.stage == stage).with_for_update()
    )
    if retraining is None:
        raise NotFound
    return retraining


def is_asked_for(session: Session) -> bool:
    """Whether `begin` has something to take; reads only."""
    retraining = open_retraining(session)
    return retraining is not None and retraining.stage in TO_RUN


def begin(session: Session, now: datetime) -> Retraining | None:
    """Take the training that is asked for, or one that a restart cut off; None when there is none to run."""
    retraining = open_retraining(session, lock=True)
    if retraining is None or retraining.stage not in TO_RUN:
        return None
    if retraining.tries >= MOST_TRIES:
        retraining.trouble = "interrupted"
        _end(retraining, Stage.FAILED, now)
        return None
    retraining.tries += 1
    retraining.progress = ""
    _enter(retraining, Stage.TRAINING, now)
    return retraining


def note_progress(session: Session, retraining_id: int, words: str) -> None:
    retraining = session.get(Retraining, retraining_id)
    if retraining is not None and retraining.stage == Stage.TRAINING:
        retraining.progress = words[:200]


def trained(session: Session, retraining_id: int, report: Report, now: datetime) -> None:
    """The training came to an end: ready to look at, or refused as worse."""
    retraining = session.get_one(Retraining, retraining_id)
    retraining.report = report.model_dump()
    if report.is_worse:
        _end(retraining, Stage.REFUSED, now)
    else:
        _enter(retraining, Stage.READY, now)


def failed(session: Session, retraining_id: int, trouble: str, now: datetime) -> None:
    retraining = session.get_one(Retraining, retraining_id)
    retraining.trouble = trouble[:300]
    _end(retraining, Stage.FAILED, now)


def settled(session: Session, retraining_id: int, stage: Stage, now: datetime, trouble: str = "") -> None:
    """The switch, or the way back, is over."""
    retraining = session.get_one(Retraining, retraining_id)
    retraining.trouble = trouble[:300]
    _end(retraining, stage, now)


def _enter(retraining: Retraining, stage: Stage, now: datetime) -> None:
    retraining.stage, retraining.changed_at = stage, now


def _end(retraining: Retraining, stage: Stage, now: datetime) -> None:
    _enter(retraining, stage, now)
    retraining.ended_at = now
