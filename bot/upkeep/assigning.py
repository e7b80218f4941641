"""Decide about questions: give them to a topic, ignore, snooze, and take it back. Transactions are the caller's."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from bot.answers.inputs import inputs_fingerprint
from bot.answers.trained import read_current, write_current
from bot.conversations.models import Message
from bot.errors import InvalidField, NotAllowed, NotFound
from bot.identity import audit
from bot.identity.models import Role, Staff
from bot.upkeep.models import PhraseAssignment, QuestionDecision, Verdict
from bot.upkeep.phrases import Phrase, changed_files, checked, files_without, is_writable, write

MAY_DECIDE = frozenset({Role.COORDINATOR, Role.EDITOR, Role.ADMIN})
SNOOZE = timedelta(days=30)
SHOWN = 20
"""Assignments shown, the newest."""


def check_may_decide(staff: Staff) -> None:
    """Raises NotAllowed for a role that only reads."""
    if staff.role not in MAY_DECIDE:
        raise NotAllowed


@dataclass(frozen=True)
class Desk:
    """Where phrases are written: the checkout, the topics there are, and the folder of trained models."""

    root: Path
    topics: Collection[str]
    models: Path


def assign(
    session: Session,
    desk: Desk,
    staff: Staff,
    topic: str,
    messages: Sequence[int],
    phrases: Sequence[Phrase],
    now: datetime,
) -> PhraseAssignment:
    """Give questions to a topic: phrases go into data/nlu/ and tests/nlu/regressions.yml, the questions are decided.

    Where the checkout is read-only nothing is written; the assignment then stands for a patch.

    Raises:
        NotAllowed, InvalidField (field "topic", "phrases" or the number of a phrase; the message is a key of FAULTS),
        NotFound: none of the messages is there any more.
    """
    check_may_decide(staff)
    if topic not in desk.topics:
        raise InvalidField("unknown_topic", field="topic")
    _wait_for_others(session)
    label = f"ask/{topic}"
    chosen = checked(desk.root, label, phrases)
    changed = changed_files(desk.root, label, chosen)
    assignment = PhraseAssignment(
        label=label,
        phrases=[each.as_json() for each in chosen],
        is_written=is_writable(desk.root, changed),
        staff_id=staff.id,
        at=now,
    )
    session.add(assignment)
    session.flush()
    _decide(session, staff, messages, Verdict.ASSIGNED, now, assignment_id=assignment.id)
    audit.record(session, "phrases_assigned", staff_id=staff.id, now=now, label=label, count=len(chosen))
    session.flush()
    if assignment.is_written:
        # Last: what fails before leaves the files as they are.
        _write(desk, changed)
    return assignment


def take_back(session: Session, desk: Desk, staff: Staff, assignment_id: int, now: datetime) -> None:
    """The phrases leave the files again, the questions are open again.

    Raises:
        NotAllowed; NotFound: there is no such assignment, or it was taken back.
    """
    check_may_decide(staff)
    _wait_for_others(session)
    assignment = session.get(PhraseAssignment, assignment_id, populate_existing=True)
    if assignment is None or assignment.taken_back_at is not None:
        raise NotFound
    assignment.taken_back_at = now
    session.execute(delete(QuestionDecision).where(QuestionDecision.assignment_id == assignment_id))
    audit.record(session, "phrases_taken_back", staff_id=staff.id, now=now, label=assignment.label)
    session.flush()
    if assignment.is_written:
        _write(desk, files_without(desk.root, assignment.label, phrases_of(assignment)))


def _wait_for_others(session: Session) -> None:
    """One editor at a time, from reading the files to writing them: each is replaced as a whole."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE phrase_assignments IN SHARE ROW EXCLUSIVE MODE"))


def _write(desk: Desk, changed: Mapping[Path, str]) -> None:
    """Replace the files; the next start must not train them while students wait, and switch without anybody's look."""
    before = inputs_fingerprint(desk.root)
    write(desk.root, changed)
    after = inputs_fingerprint(desk.root)
    current = read_current(desk.models)
    # What somebody else changed in the files is still trained at the next start.
    if current is not None and before in (current.fingerprint, current.refused):
        refused = after if after != current.fingerprint else None
        write_current(desk.models, current.model_copy(update={"refused": refused}))


def phrases_of(assignment: PhraseAssignment) -> list[Phrase]:
    return [Phrase(**each) for each in assignment.phrases]


def ignore(session: Session, staff: Staff, messages: Sequence[int], now: datetime) -> int:
    """They are none of our topics. Returns how many; raises NotAllowed, NotFound."""
    check_may_decide(staff)
    count = _decide(session, staff, messages, Verdict.IGNORED, now)
    audit.record(session, "questions_ignored", staff_id=staff.id, now=now, count=count)
    return count


def snooze(session: Session, staff: Staff, messages: Sequence[int], now: datetime) -> int:
    """They come back in 30 days. Returns how many; raises NotAllowed, NotFound."""
    check_may_decide(staff)
    count = _decide(session, staff, messages, Verdict.SNOOZED, now, until=now + SNOOZE)
    audit.record(session, "questions_snoozed", staff_id=staff.id, now=now, count=count)
    return count


def reopen(session: Session, staff: Staff, messages: Sequence[int], now: datetime) -> int:
    """Undo `ignore` and `snooze`. Returns how many came back; raises NotAllowed."""
    check_may_decide(staff)
    found = session.scalars(
        select(QuestionDecision).where(
            QuestionDecision.message_id.in_(messages), QuestionDecision.verdict != Verdict.ASSIGNED
        )
    ).all()
    for each in found:
        session.delete(each)
    audit.record(session, "questions_reopened", staff_id=staff.id, now=now, count=len(found))
    return len(found)


def reopen_all(session: Session, staff: Staff, now: datetime) -> int:
    """Undo every `ignore` and `snooze`. Returns how many questions came back; raises NotAllowed."""
    set_aside = select(QuestionDecision.message_id).where(QuestionDecision.verdict != Verdict.ASSIGNED)
    return reopen(session, staff, session.scalars(set_aside).all(), now)


def _decide(
    session: Session,
    staff: Staff,
    messages: Sequence[int],
    verdict: Verdict,
    now: datetime,
    *,
    until: datetime | None = None,
    assignment_id: int | None = None,
) -> int:
    present = session.scalars(select(Message.id).where(Message.id.in_(messages))).all()
    if not present:
        raise NotFound
    # Somebody may have decided a moment ago: the later word holds, and a phrase is never counted twice.
    session.execute(
        delete(QuestionDecision).where(
            QuestionDecision.message_id.in_(present), QuestionDecision.verdict != Verdict.ASSIGNED
        )
    )
    query = select(QuestionDecision.message_id).where(QuestionDecision.message_id.in_(present))
    left = sorted(set(present) - set(session.scalars(query)))
    if not left:
        raise NotFound
    session.add_all(
        QuestionDecision(
            message_id=each,
            verdict=verdict,
            until=until,
            assignment_id=assignment_id,
            staff_id=staff.id,
            decided_at=now,
        )
        for each in left
    )
    session.flush()
    return len(left)


def assignments(session: Session) -> Sequence[PhraseAssignment]:
    """The newest that still hold."""
    return session.scalars(
        select(PhraseAssignment)
        .where(PhraseAssignment.taken_back_at.is_(None))
        .order_by(PhraseAssignment.id.desc())
        .limit(SHOWN)
    ).all()


def phrases_since(session: Session, since: datetime | None) -> int:
    """Phrases to learn that were written after an instant."""
    query = select(PhraseAssignment).where(PhraseAssignment.taken_back_at.is_(None), PhraseAssignment.is_written)
    if since is not None:
        query = query.where(PhraseAssignment.at > since)
    return sum(each["use"] == "learn" for found in session.scalars(query) for each in found.phrases)


def decided_counts(session: Session) -> dict[str, int]:
    """How many questions have which verdict."""
    rows = session.execute(select(QuestionDecision.verdict, func.count()).group_by(QuestionDecision.verdict)).all()
    return {str(verdict): count for verdict, count in rows}
