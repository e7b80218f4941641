"""Reads of reminders: what is due, what decides on it, where it would go."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.clock import day_in_france
from bot.conversations.models import Author, Control, Conversation, Message
from bot.db.base import Base
from bot.paperwork.models import StepDone, StepStuck
from bot.paperwork.queries import steps_done
from bot.paperwork.rules import Step, path
from bot.paperwork.schema import Procedure
from bot.reminders.models import Campaign, CampaignMember, Reminder, ReminderChoice, ReminderKind, ReminderState
from bot.reminders.rules import COMPARED_FOR, REST, WEEK, Job, Known, reminder_days
from bot.students.models import Student
from bot.students.records import facts_of

NOT_NOW = "not_now"
"""The `reason` of a row by which a student said "Not now" on its `day`."""


def add_missing(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; those whose unique key is there already are left as they are, whoever wrote them meanwhile."""
    if not rows:
        return
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    dialect = postgresql if is_postgresql else sqlite
    session.execute(dialect.insert(table).on_conflict_do_nothing(), list(rows))


def students_with_due(session: Session, now: datetime) -> Sequence[int]:
    """Students for whom something is due, the longest waiting first."""
    return session.scalars(
        select(Reminder.student_id)
        .where(Reminder.state == ReminderState.PLANNED, Reminder.due_at <= now)
        .group_by(Reminder.student_id)
        .order_by(func.min(Reminder.due_at), Reminder.student_id)
    ).all()


def due_rows(session: Session, student_id: int, now: datetime) -> Sequence[Reminder]:
    """What is due for one student, taken: another worker leaves these rows alone until the transaction ends."""
    return session.scalars(
        select(Reminder)
        .where(Reminder.student_id == student_id, Reminder.state == ReminderState.PLANNED, Reminder.due_at <= now)
        .order_by(Reminder.due_at, Reminder.id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()


def due_jobs(session: Session, now: datetime) -> list[Job]:
    """What is due for anybody, as values; nothing is taken."""
    rows = session.scalars(
        select(Reminder).where(Reminder.state == ReminderState.PLANNED, Reminder.due_at <= now).order_by(Reminder.id)
    )
    return [job_of(row) for row in rows]


def job_of(row: Reminder) -> Job:
    return Job(row.id, row.student_id, ReminderKind(row.kind), row.subject, row.day, row.due_at)


def steps_done_of(session: Session, student_ids: Collection[int]) -> dict[int, dict[str, date]]:
    """Student → slug → the day it was done."""
    found: dict[int, dict[str, date]] = {student_id: {} for student_id in student_ids}
    for row in session.scalars(select(StepDone).where(StepDone.student_id.in_(student_ids))):
        found[row.student_id][row.step] = row.done_on
    return found


def stuck_at(session: Session, student_ids: Collection[int]) -> dict[int, frozenset[str]]:
    """Student → the steps with which they asked for help."""
    found: dict[int, set[str]] = {student_id: set() for student_id in student_ids}
    for row in session.scalars(select(StepStuck).where(StepStuck.student_id.in_(student_ids))):
        found[row.student_id].add(row.step)
    return {student_id: frozenset(slugs) for student_id, slugs in found.items()}


def unwanted_by(session: Session, student_id: int) -> frozenset[str]:
    """The kinds of reminder that a student does not want."""
    return frozenset(session.scalars(select(ReminderChoice.kind).where(ReminderChoice.student_id == student_id)))


def known_of(
    session: Session, student: Student, procedures: Sequence[Procedure], subjects: Iterable[str], now: datetime
) -> Known:
    """Everything that decides on the reminders of one student's steps, as it stands in this transaction.

    Raises:
        FactsError: the record holds what is no fact.
    """
    today = day_in_france(now)
    facts = facts_of(student, steps_done(session, student.id))
    steps: dict[str, Step] = {step.slug: step for step in path(procedures, facts, today)}
    return Known(
        steps=steps,
        days={
            str(each.slug): reminder_days(each, steps[each.slug], facts, today)
            for each in procedures
            if each.slug in steps
        },
        stuck=stuck_at(session, [student.id])[student.id],
        campaigns=_steps_of_campaigns(session, subjects),
        unwanted=unwanted_by(session, student.id),
        sent_at=_sent_within_a_week(session, student.id, now),
        rests=_rests(session, student.id, today),
        left_out=left_out_of(session, student.id, now),
        has_left=has_left(student, today),
    )


def has_left(student: Student, today: date) -> bool:
    return student.left_on is not None and student.left_on <= today


def _steps_of_campaigns(session: Session, subjects: Iterable[str]) -> dict[str, str]:
    ids = [int(subject.removeprefix("campaign:")) for subject in subjects if subject.startswith("campaign:")]
    rows = session.execute(select(Campaign.id, Campaign.step).where(Campaign.id.in_(ids)))
    return {f"campaign:{campaign_id}": step for campaign_id, step in rows}


def _sent_within_a_week(session: Session, student_id: int, now: datetime) -> tuple[datetime, ...]:
    """One instant per message: all rows of a message are sent at the same one."""
    instants = session.scalars(
        select(Reminder.sent_at)
        .where(
            Reminder.student_id == student_id,
            Reminder.state == ReminderState.SENT,
            Reminder.kind != ReminderKind.BOOKING,
            Reminder.sent_at > now - WEEK,
        )
        .distinct()
    )
    return tuple(sorted(instant for instant in instants if instant is not None))


def _rests(session: Session, student_id: int, today: date) -> dict[str, date]:
    rows = session.execute(
        select(Reminder.subject, func.max(Reminder.day))
        .where(
            Reminder.student_id == student_id,
            Reminder.reason == NOT_NOW,
            Reminder.day > today - REST,
        )
        .group_by(Reminder.subject)
    )
    return {subject: day + REST for subject, day in rows}


def left_out_of(session: Session, student_id: int, now: datetime) -> frozenset[str]:
    """Steps of running campaigns from which this student gets no message."""
    return frozenset(
        session.scalars(
            select(Campaign.step)
            .join(CampaignMember, CampaignMember.campaign_id == Campaign.id)
            .where(
                CampaignMember.student_id == student_id,
                CampaignMember.gets_message.is_(False),
                Campaign.started_at > now - COMPARED_FOR,
            )
        )
    )


@dataclass(frozen=True)
class LastTalk:
    """The linked conversation in which a student wrote last."""

    conversation: Conversation
    last_wrote_at: datetime | None

    @property
    def bot_has_it(self) -> bool:
        return self.conversation.control == Control.BOT


def last_talk(session: Session, student_id: int) -> LastTalk | None:
    """None for somebody who has no linked conversation."""
    wrote_at = (
        select(func.max(Message.created_at))
        .where(Message.conversation_id == Conversation.id, Message.author == Author.STUDENT)
        .scalar_subquery()
    )
    row = session.execute(
        select(Conversation, wrote_at)
        .where(Conversation.student_id == student_id)
        .order_by(wrote_at.is_(None), wrote_at.desc(), Conversation.created_at.desc(), Conversation.id)
        .limit(1)
        .execution_options(populate_existing=True)
    ).first()
    return LastTalk(*row) if row is not None else None


@dataclass(frozen=True)
class SentCount:
    """How many reminders of one kind went out through one channel since a day."""

    kind: ReminderKind
    channel: str
    count: int


def sent_counts(session: Session, since: datetime) -> Sequence[SentCount]:
    rows = session.execute(
        select(Reminder.kind, Reminder.channel, func.count())
        .where(Reminder.state == ReminderState.SENT, Reminder.sent_at > since)
        .group_by(Reminder.kind, Reminder.channel)
        .order_by(Reminder.kind, Reminder.channel)
    )
    return [SentCount(ReminderKind(kind), str(channel), count) for kind, channel, count in rows]


def waiting_count(session: Session) -> int:
    """Reminders that are planned and not sent yet."""
    count = session.scalar(select(func.count()).where(Reminder.state == ReminderState.PLANNED))
    return int(count or 0)


def skipped_counts(session: Session, since: datetime) -> dict[str, int]:
    """Reason → how many reminders planned since then were not sent for it."""
    rows = session.execute(
        select(Reminder.reason, func.count())
        .where(Reminder.state == ReminderState.SKIPPED, Reminder.reason != NOT_NOW, Reminder.due_at > since)
        .group_by(Reminder.reason)
        .order_by(func.count().desc(), Reminder.reason)
    )
    return {str(reason): count for reason, count in rows}
