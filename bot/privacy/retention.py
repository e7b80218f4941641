"""How long everything is kept, in one table, and the purge that follows it. docs/privacy.md shows the same table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dateutil.relativedelta import relativedelta
from sqlalchemy import Select, String, and_, cast, delete, exists, func, not_, or_, select, update
from sqlalchemy.orm import Session

from bot.bookings.models import Booking, Meeting
from bot.bookings.service import release_student
from bot.clock import day_in_france
from bot.conversations.models import ChannelUpdate, Conversation, OutboxEntry
from bot.courses.models import CertificateRequest
from bot.db.session import Database
from bot.i18n.translate import mark
from bot.identity.audit import purge_before
from bot.identity.models import (
    AccessToken,
    AuditEntry,
    ChannelJoin,
    Erasure,
    JoinState,
    LinkCode,
    PushBrowser,
    SignInAttempt,
    StaffPass,
    StaffSession,
)
from bot.privacy.erase import ERASED, delete_rows, strip_audit
from bot.privacy.reach import Person
from bot.reminders.models import Reminder, ReminderState
from bot.replies.models import CannedReply
from bot.students.models import FactChange, FactRequest, Student
from bot.upkeep.models import PhraseAssignment

BATCH = 200
"""Rows in one transaction: students write meanwhile."""


@dataclass(frozen=True)
class Rule:
    """One class of data. `what` and `words` are shown to people; `name` is stable, for programs."""

    name: str
    what: str
    kept: relativedelta
    words: str
    due: Callable[[datetime], Select[tuple[int]] | Select[Any]]
    """The ids of what is older than an instant."""
    remove: Callable[[Session, Sequence[Any], datetime], None]


def _rows(table: Any) -> Callable[[Session, Sequence[Any], datetime], None]:
    def remove(session: Session, ids: Sequence[Any], _now: datetime) -> None:
        session.execute(delete(table).where(table.id.in_(ids)).execution_options(synchronize_session=False))

    return remove


def _remove_conversations(session: Session, ids: Sequence[Any], now: datetime) -> None:
    """What belongs to them goes by the database itself; the engine's events by the step that follows erasures."""
    session.execute(delete(Conversation).where(Conversation.id.in_(ids)).execution_options(synchronize_session=False))
    session.add(Erasure(address_hash=None, erased_at=now, senders=[str(each) for each in ids]))


def _remove_leavers(session: Session, ids: Sequence[Any], now: datetime) -> None:
    """The record with all that hangs on it. Conversations lose their link and are then kept like any unlinked one."""
    for student in session.scalars(select(Student).where(Student.id.in_(ids))).unique().all():
        release_student(session, student.id, now)
        session.execute(update(Conversation).where(Conversation.student_id == student.id).values(student_id=None))
        person = Person(student.id, student.email, ())
        delete_rows(session, person)
        strip_audit(session, person, now)
        session.execute(delete(Student).where(Student.id == person.student_id))
        session.expire_all()


def _quiet(cutoff: datetime) -> Select[Any]:
    return select(Conversation.id).where(Conversation.updated_at < cutoff)


def _erased_since() -> Any:
    """Erased, and nothing happened in it afterwards."""
    return exists().where(
        AuditEntry.conversation_id == Conversation.id,
        AuditEntry.action == ERASED,
        AuditEntry.at >= Conversation.updated_at,
    )


def _joins(cutoff: datetime) -> Select[Any]:
    """A chat that has joined stays joined; its row says under which name."""
    was_answered = ChannelJoin.state == JoinState.JOINED
    return select(ChannelJoin.id).where(
        or_(ChannelJoin.ended_at < cutoff, and_(not_(was_answered), ChannelJoin.expires_at < cutoff))
    )


def _bookings(cutoff: datetime) -> Select[Any]:
    last_end = select(func.max(Meeting.ends_at)).where(Meeting.offer_id == Booking.offer_id).scalar_subquery()
    return select(Booking.id).where(func.coalesce(last_end, Booking.changed_at) < cutoff)


def _log(cutoff: datetime) -> Select[Any]:
    """From its beginning on: what is kept stays one chain."""
    first_kept = select(func.min(AuditEntry.id)).where(AuditEntry.at >= cutoff).scalar_subquery()
    is_before = AuditEntry.id < func.coalesce(first_kept, AuditEntry.id + 1)
    return select(AuditEntry.id).where(is_before, AuditEntry.position.is_not(None)).order_by(AuditEntry.position)


def _remove_log(session: Session, ids: Sequence[Any], now: datetime) -> None:
    purge_before(session, max(ids), now)


RULES: tuple[Rule, ...] = (
    # Leavers first: their conversations may then be over as unlinked ones.
    Rule(
        "leavers",
        mark("Records of students who have left, with everything that hangs on them"),
        relativedelta(months=12),
        mark("12 months after they left"),
        lambda cutoff: select(Student.id).where(Student.left_on < day_in_france(cutoff)),
        _remove_leavers,
    ),
    Rule(
        "linked_conversations",
        mark("Conversations that are linked to a record"),
        relativedelta(months=13),
        mark("13 months after the last message"),
        lambda cutoff: _quiet(cutoff).where(Conversation.student_id.is_not(None)),
        _remove_conversations,
    ),
    Rule(
        "unlinked_conversations",
        mark("Conversations that are not linked to a record"),
        relativedelta(days=90),
        mark("90 days after the last message"),
        lambda cutoff: _quiet(cutoff).where(Conversation.student_id.is_(None)),
        _remove_conversations,
    ),
    Rule(
        "erased_conversations",
        mark("The last message of an erased conversation"),
        relativedelta(days=7),
        mark("7 days after the erasure"),
        lambda cutoff: _quiet(cutoff).where(Conversation.student_id.is_(None), _erased_since()),
        _remove_conversations,
    ),
    Rule(
        "link_codes",
        mark("Codes that link a conversation (as hashes)"),
        relativedelta(days=1),
        mark("1 day after they were asked for"),
        lambda cutoff: select(LinkCode.id).where(LinkCode.created_at < cutoff),
        _rows(LinkCode),
    ),
    Rule(
        "channel_joins",
        mark("Links that join Telegram to a conversation (as hashes)"),
        relativedelta(days=1),
        mark("1 day after they ended"),
        _joins,
        _rows(ChannelJoin),
    ),
    Rule(
        "channel_updates",
        mark("Numbers of what Telegram handed over (without content)"),
        relativedelta(days=2),
        mark("2 days after it was taken in"),
        lambda cutoff: select(ChannelUpdate.id).where(ChannelUpdate.done_at < cutoff),
        _rows(ChannelUpdate),
    ),
    Rule(
        "sign_in_attempts",
        mark("Attempts to sign in and requests for codes (as hashes)"),
        relativedelta(days=1),
        mark("1 day after the attempt"),
        lambda cutoff: select(SignInAttempt.id).where(SignInAttempt.at < cutoff),
        _rows(SignInAttempt),
    ),
    Rule(
        "outbox",
        mark("Mails and notes that could not be delivered"),
        relativedelta(days=7),
        mark("7 days after they were due"),
        lambda cutoff: select(OutboxEntry.id).where(OutboxEntry.next_at < cutoff),
        _rows(OutboxEntry),
    ),
    Rule(
        "access_tokens",
        mark("Private addresses that have expired or were stopped (as hashes)"),
        relativedelta(days=1),
        mark("1 day after they ended"),
        lambda cutoff: select(AccessToken.id).where(
            or_(AccessToken.expires_at < cutoff, AccessToken.revoked_at < cutoff)
        ),
        _rows(AccessToken),
    ),
    Rule(
        "reminders",
        mark("Reminders that were sent or left out"),
        relativedelta(months=13),
        mark("13 months after they were due"),
        lambda cutoff: select(Reminder.id).where(Reminder.state != ReminderState.PLANNED, Reminder.due_at < cutoff),
        _rows(Reminder),
    ),
    Rule(
        "fact_changes",
        mark("The history of a record: what was changed from what to what"),
        relativedelta(months=13),
        mark("13 months after the change"),
        lambda cutoff: select(FactChange.id).where(FactChange.changed_at < cutoff),
        _rows(FactChange),
    ),
    Rule(
        "fact_requests",
        mark("Requests to correct a record that were decided"),
        relativedelta(months=13),
        mark("13 months after the decision"),
        lambda cutoff: select(FactRequest.id).where(FactRequest.decided_at < cutoff),
        _rows(FactRequest),
    ),
    Rule(
        "bookings",
        mark("Bookings of classes, appointments and events"),
        relativedelta(months=12),
        mark("12 months after the last meeting"),
        _bookings,
        _rows(Booking),
    ),
    Rule(
        "certificate_requests",
        mark("Requests for a certificate that are done"),
        relativedelta(months=12),
        mark("12 months after it was made"),
        lambda cutoff: select(CertificateRequest.id).where(CertificateRequest.done_at < cutoff),
        _rows(CertificateRequest),
    ),
    Rule(
        "phrase_assignments",
        mark("Phrases learned from questions, without what names a person"),
        relativedelta(months=24),
        mark("24 months after they were added"),
        lambda cutoff: select(PhraseAssignment.id).where(PhraseAssignment.at < cutoff),
        _rows(PhraseAssignment),
    ),
    Rule(
        "staff_sessions",
        mark("Sessions of colleagues in the console (as hashes)"),
        relativedelta(),
        mark("until they expire"),
        lambda cutoff: select(StaffSession.id).where(StaffSession.expires_at < cutoff),
        _rows(StaffSession),
    ),
    Rule(
        "push_browsers",
        mark("Browsers that show messages to colleagues"),
        relativedelta(days=90),
        mark("90 days after a message last reached it; at once when the colleague signs out there"),
        lambda cutoff: select(PushBrowser.id).where(PushBrowser.reached_at < cutoff),
        _rows(PushBrowser),
    ),
    Rule(
        "staff_passes",
        mark("Links for a new password and second steps under way (as hashes)"),
        relativedelta(),
        mark("until they expire"),
        lambda cutoff: select(StaffPass.id).where(StaffPass.expires_at < cutoff),
        _rows(StaffPass),
    ),
    Rule(
        "canned_replies",
        mark("Canned replies of the office that were deleted"),
        relativedelta(days=30),
        mark("30 days after they were deleted"),
        lambda cutoff: select(CannedReply.id).where(CannedReply.deleted_at < cutoff),
        _rows(CannedReply),
    ),
    Rule(
        "audit_log",
        mark("The log of who did what in the office, without names of students"),
        relativedelta(months=24),
        mark("24 months after the deed"),
        _log,
        _remove_log,
    ),
    Rule(
        "erasures",
        mark("That a person was erased (a keyed hash of the address)"),
        relativedelta(months=36),
        mark("36 months after the erasure"),
        lambda cutoff: select(Erasure.id).where(Erasure.erased_at < cutoff, cast(Erasure.senders, String) == "[]"),
        _rows(Erasure),
    ),
)
BY_NAME = {rule.name: rule for rule in RULES}


def purge(database: Database, now: datetime, *, dry_run: bool = False) -> dict[str, int]:
    """Delete what is over by this clock, in batches; returns how much of each class, also where it is nothing.

    Raises:
        Unavailable: the database cannot be reached; what was deleted before stays deleted.
    """
    if dry_run:
        with database.write() as session:
            found = {rule.name: _everything(session, rule, now) for rule in RULES}
            session.rollback()
        return found
    found = dict.fromkeys(BY_NAME, 0)
    for rule in RULES:
        while count := _in_one_transaction(database, rule, now):
            found[rule.name] += count
    return found


def _in_one_transaction(database: Database, rule: Rule, now: datetime) -> int:
    with database.write() as session:
        return _batch(session, rule, now)


def _everything(session: Session, rule: Rule, now: datetime) -> int:
    total = 0
    while count := _batch(session, rule, now):
        total += count
    return total


def _batch(session: Session, rule: Rule, now: datetime) -> int:
    # Rows that somebody is writing are left for the next day.
    ids = session.scalars(rule.due(now - rule.kept).limit(BATCH).with_for_update(skip_locked=True)).all()
    if ids:
        rule.remove(session, ids, now)
        session.flush()
    return len(ids)
