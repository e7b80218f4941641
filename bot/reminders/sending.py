"""Sends what is due: one transaction per student, in which the job is taken, checked again, said and marked as sent."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.bookings.models import Booking
from bot.clock import day_in_france
from bot.content.loader import Knowledge
from bot.content.render import render
from bot.db.session import Database
from bot.errors import Unavailable
from bot.log import get_logger
from bot.paperwork.schema import Procedure
from bot.reminders.models import Reminder, ReminderKind, ReminderState
from bot.reminders.planning import BookedTime, booked_time, pages_of_jobs, plan
from bot.reminders.queries import (
    LastTalk,
    due_jobs,
    due_rows,
    has_left,
    job_of,
    known_of,
    students_with_due,
    unwanted_by,
)
from bot.reminders.rules import (
    Decision,
    Job,
    Moved,
    Skipped,
    decide,
    is_quiet,
    is_unwanted,
    next_allowed,
)
from bot.reminders.telling import MAIL, Busy, channel_to, queue_mail, say_in_chat
from bot.reminders.wording import Note, booking_note, mail_of, steps_note
from bot.students.facts import FactsError
from bot.students.models import Student

CLOCKS_DIFFER = timedelta(minutes=5)
"""Records changed so long before the last look are looked at again: they carry the clock of whoever wrote them."""
MAIL_LASTS = timedelta(days=2)
"""A reminder that the mail server does not take within this time is not worth sending any more."""

log = get_logger(__name__)


@dataclass(frozen=True)
class Content:
    """What reminders are made of: the steps, the figures in their texts, and the address of the chat."""

    procedures: tuple[Procedure, ...]
    knowledge: Knowledge
    address: str


@dataclass(frozen=True)
class Sent:
    """One message that went out. `jobs[0]` is the most urgent of it."""

    jobs: tuple[Job, ...]
    steps: tuple[str, ...]
    channel: str


@dataclass
class Report:
    """What one run did, or what it would do. `students` gives the school mailboxes by number."""

    now: datetime
    sent: list[Sent] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    students: dict[int, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The object that `accueil remind --json` prints."""
        return {
            "now": self.now.isoformat(),
            "sent": [
                {
                    **self._what(each.jobs[0]),
                    "steps": list(each.steps),
                    "channel": each.channel,
                    "key": each.jobs[0].key,
                }
                for each in self.sent
            ],
            "moved": [
                {**self._what(each.job), "until": each.until.isoformat(), "why": each.why, "key": each.job.key}
                for each in self.moved
            ],
            "skipped": [{**self._what(each.job), "reason": each.reason, "key": each.job.key} for each in self.skipped],
        }

    def _what(self, job: Job) -> dict[str, Any]:
        return {"student": self.students[job.student_id], "subject": job.subject}


class Reminders:
    """Plans and sends, again and again: all records are looked at once a day, changed ones in every run."""

    def __init__(self, database: Database, content: Content) -> None:
        self._database = database
        self._content = content
        self._planned: tuple[date, datetime] | None = None

    def run(self, now: datetime) -> Report:
        """Plan and send what is due now.

        Raises:
            Unavailable: the database cannot be reached; the next run goes on from there.
        """
        plan(self._database, self._content.procedures, now, changed_since=self._changed_since(now))
        self._planned = (day_in_france(now), now)
        return send_due(self._database, self._content, now)

    def rehearse(self, now: datetime) -> Report:
        """What `run` would do now. Changes nothing."""
        report = Report(now)
        pages = pages_of_jobs(self._database, self._content.procedures, now, changed_since=None)
        new = [job for page in pages for job in page if job.due_at <= now]
        with self._database.read() as session:
            jobs = sorted([*due_jobs(session, now), *new], key=lambda job: job.due_at)
            of_student: dict[int, list[Job]] = {}
            for job in jobs:
                of_student.setdefault(job.student_id, []).append(job)
            # As a run takes them: who waits longest comes first.
            for student_id, theirs in sorted(of_student.items(), key=lambda each: (each[1][0].due_at, each[0])):
                student = session.get(Student, student_id)
                if student is not None:
                    _Turn(session, self._content, student, now, report, is_real=False).settle(theirs)
        return report

    def _changed_since(self, now: datetime) -> datetime | None:
        if self._planned is None or self._planned[0] != day_in_france(now):
            return None
        return self._planned[1] - CLOCKS_DIFFER


def send_due(database: Database, content: Content, now: datetime) -> Report:
    """Send every reminder that is due. Safe beside other workers: each student is handled by one of them at a time.

    Raises:
        Unavailable: the database cannot be reached.
    """
    report = Report(now)
    with database.read() as session:
        waiting = students_with_due(session, now)
    for student_id in waiting:
        part = Report(now)
        try:
            with database.write() as session:
                remind_student(session, content, student_id, now, part)
        except Unavailable:
            raise
        except Exception:
            # One record that nobody foresaw must not keep the reminders of all others.
            log.exception("reminder_failed", student_id=student_id)
            continue
        # Only now: what a transaction did not commit was not sent.
        report.sent += part.sent
        report.moved += part.moved
        report.skipped += part.skipped
        report.students |= part.students
    return report


def remind_student(session: Session, content: Content, student_id: int, now: datetime, report: Report) -> None:
    """Take what is due for one student, decide again on what stands now, say it, and mark it, in this transaction.

    The record is locked first: whoever writes that a step is done waits for us, or we see it. A record, or the
    conversation it would go to, that somebody else is writing to is left for the next run.
    """
    student = session.scalar(
        select(Student)
        .where(Student.id == student_id)
        .with_for_update(skip_locked=True, of=Student)
        .execution_options(populate_existing=True)
    )
    if student is None:
        return
    jobs = [job_of(row) for row in due_rows(session, student_id, now)]
    if jobs:
        _Turn(session, content, student, now, report, is_real=True).settle(jobs)


@dataclass
class _Turn:
    """The reminders of one student in one transaction; with `is_real` False nothing is written."""

    session: Session
    content: Content
    student: Student
    now: datetime
    report: Report
    is_real: bool

    def settle(self, jobs: Sequence[Job]) -> None:
        self.report.students[self.student.id] = self.student.email
        on_steps = [job for job in jobs if job.kind is not ReminderKind.BOOKING]
        if on_steps:
            self._settle_steps(on_steps)
        for job in jobs:
            if job.kind is ReminderKind.BOOKING:
                self._settle_booking(job)

    def _settle_steps(self, jobs: Sequence[Job]) -> None:
        subjects = [job.subject for job in jobs]
        try:
            known = known_of(self.session, self.student, self.content.procedures, subjects, self.now)
        except FactsError:
            self._note(Decision(skipped=tuple(Skipped(job, "record") for job in jobs)))
            return
        decision = decide(jobs, known, self.now)
        if decision.steps:
            slugs = tuple(step.slug for step in decision.steps)

            def words(language: str) -> Note:
                return steps_note(
                    decision.steps, decision.more, self.student.given_name, language, self._today, self._fill
                )

            by_slug = {slug: place for place, slug in enumerate(slugs)}
            slug_of = {job: known.campaigns.get(job.subject, job.subject) for job in decision.sent}
            sent = tuple(sorted(decision.sent, key=lambda job: by_slug[slug_of[job]]))
            if not self._send(sent, slugs, words, expires_at=self.now + MAIL_LASTS):
                return
        self._note(decision)

    def _settle_booking(self, job: Job) -> None:
        booking = self.session.get(Booking, int(job.subject.removeprefix("booking:")))
        time = booked_time(booking) if booking is not None else None
        if (reason := self._reason_to_skip(job, time)) is not None or time is None:
            self._note(Decision(skipped=(Skipped(job, reason or "cancelled"),)))
            return
        if is_quiet(self.now):
            until = next_allowed(self.now)
            if until < time.starts_at:
                self._note(Decision(moved=(Moved(job, until, "quiet"),)))
            else:
                self._note(Decision(skipped=(Skipped(job, "quiet"),)))
            return
        offer, starts_at = time.offer, time.starts_at

        def words(language: str) -> Note:
            return booking_note(offer, starts_at, self.student.given_name, language, self.now)

        self._send((job,), (), words, expires_at=starts_at)

    def _reason_to_skip(self, job: Job, time: BookedTime | None) -> str | None:
        if has_left(self.student, self._today):
            return "left"
        if is_unwanted(job.kind, unwanted_by(self.session, self.student.id)):
            return "opted_out"
        if time is None:
            return "cancelled"
        if time.starts_at <= self.now:
            return "past"
        return None if job.day in time.moments else "changed"

    @property
    def _today(self) -> date:
        return day_in_france(self.now)

    def _fill(self, text: str, language: str) -> str:
        return render(text, self.content.knowledge, language, self._today)

    def _send(
        self, jobs: tuple[Job, ...], steps: tuple[str, ...], words: Callable[[str], Note], *, expires_at: datetime
    ) -> bool:
        """Into the conversation or the outbox, and the rows marked. False: the conversation is in use, nothing done."""
        channel, talk = channel_to(self.session, self.student.id, self.now)
        if self.is_real:
            try:
                if channel != MAIL and talk is not None:
                    conversation = say_in_chat(self.session, self.student.id, talk.conversation, words, self.now)
                    if steps:
                        # "I did it" now means this one.
                        conversation.last_step = steps[0]
                else:
                    self._mail(jobs[0], words(self.student.language), talk, expires_at)
            except Busy:
                return False
            for row in self._rows(jobs):
                row.state, row.channel, row.sent_at = ReminderState.SENT, channel, self.now
        self.report.sent.append(Sent(jobs, steps, channel))
        return True

    def _mail(self, job: Job, note: Note, talk: LastTalk | None, expires_at: datetime) -> None:
        queue_mail(
            self.session,
            self.student,
            mail_of(note, self.student.language, self.content.address),
            kind="reminder",
            key=f"reminder:{job.id}",
            talk=talk,
            now=self.now,
            expires_at=expires_at,
        )

    def _note(self, decision: Decision) -> None:
        """Write down what is moved and what falls away."""
        self.report.moved += decision.moved
        self.report.skipped += decision.skipped
        if not self.is_real:
            return
        jobs = [*(each.job for each in decision.moved), *(each.job for each in decision.skipped)]
        rows = {row.id: row for row in self._rows(jobs)}
        for moved in decision.moved:
            rows[_id(moved.job)].due_at = moved.until
        for skipped in decision.skipped:
            row = rows[_id(skipped.job)]
            row.state, row.reason = ReminderState.SKIPPED, skipped.reason

    def _rows(self, jobs: Iterable[Job]) -> Sequence[Reminder]:
        return self.session.scalars(select(Reminder).where(Reminder.id.in_([_id(job) for job in jobs]))).all()


def _id(job: Job) -> int:
    if job.id is None:
        raise ValueError(f"the reminder {job.key} is not stored")
    return job.id
