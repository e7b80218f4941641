"""Which reminders have come due: a row for each, one per student, subject and day, however often it is planned."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.bookings.models import Booking, BookingState, Meeting, Offer, OfferKind
from bot.clock import day_in_france
from bot.db.session import Database
from bot.log import get_logger
from bot.paperwork.rules import Status, path
from bot.paperwork.schema import Procedure
from bot.reminders.models import Reminder, ReminderKind, ReminderState
from bot.reminders.queries import add_missing, steps_done_of
from bot.reminders.rules import LOOK_BACK, Job, booking_moments, day_to_plan, morning_of, next_allowed, reminder_days
from bot.students.facts import FactsError
from bot.students.models import Student
from bot.students.records import facts_of

PAGE = 200
"""Students whose steps are worked out in one read, so that no transaction is long."""
AHEAD = timedelta(days=6)
"""No evening before lies further ahead of a meeting, public holidays around a Sunday included."""

log = get_logger(__name__)


@dataclass(frozen=True)
class BookedTime:
    """A booking and the first of its meetings, of which the student is reminded."""

    booking_id: int
    offer: Offer
    starts_at: datetime
    moments: dict[date, datetime]


def plan(database: Database, procedures: Sequence[Procedure], now: datetime, *, changed_since: datetime | None) -> None:
    """Write a row for every reminder whose day has come. `changed_since`: only for records changed since then.

    Raises:
        Unavailable: the database cannot be reached; what was written stays, and the next call adds the rest.
    """
    for jobs in pages_of_jobs(database, procedures, now, changed_since=changed_since):
        if jobs:
            with database.write() as session:
                _add(session, jobs)


def pages_of_jobs(
    database: Database, procedures: Sequence[Procedure], now: datetime, *, changed_since: datetime | None
) -> Iterator[list[Job]]:
    """Reminders that are due and have no row yet, some students at a time; nothing is written."""
    with database.read() as session:
        yield booking_jobs(session, now)
    after = 0
    while True:
        with database.read() as session:
            # Buddies who live here already have no steps of arriving.
            wanted = select(Student).where(Student.id > after, Student.is_local.is_(False))
            wanted = wanted.order_by(Student.id).limit(PAGE)
            if changed_since is not None:
                wanted = wanted.where(Student.updated_at >= changed_since)
            students = session.scalars(wanted).all()
            if not students:
                return
            after = students[-1].id
            yield step_jobs(session, students, procedures, day_in_france(now))


def step_jobs(session: Session, students: Sequence[Student], procedures: Sequence[Procedure], today: date) -> list[Job]:
    """Steps of these students that are open and have a reminder day that has come, without those that have a row."""
    there = _rows_there(session, [student.id for student in students], today)
    done = steps_done_of(session, [student.id for student in students])
    jobs = []
    for student in students:
        if student.left_on is not None and student.left_on <= today:
            continue
        try:
            days = days_of_steps(student, done[student.id], procedures, today)
        except FactsError:
            log.warning("record_not_readable", student_id=student.id)
            continue
        for slug, day in days.items():
            if (student.id, slug, day) not in there:
                due_at = next_allowed(morning_of(day))
                jobs.append(Job(None, student.id, ReminderKind.STEP, slug, day, due_at))
    return jobs


def days_of_steps(
    student: Student, done: dict[str, date], procedures: Sequence[Procedure], today: date
) -> dict[str, date]:
    """Open step → the day of its reminder that has come. Raises FactsError."""
    facts = facts_of(student, done)
    steps = {step.slug: step for step in path(procedures, facts, today)}
    found = {}
    for procedure in procedures:
        step = steps[procedure.slug]
        if step.status is not Status.OPEN:
            continue
        day = day_to_plan(reminder_days(procedure, step, facts, today), today)
        if day is not None:
            found[step.slug] = day
    return found


def booking_jobs(session: Session, now: datetime) -> list[Job]:
    """Bookings whose evening before, or two hours before, has come, without those that have a row."""
    soon = select(Meeting.offer_id).where(Meeting.starts_at > now, Meeting.starts_at <= now + AHEAD)
    bookings = session.scalars(
        select(Booking)
        .join(Offer, Offer.id == Booking.offer_id)
        .where(Booking.state == BookingState.BOOKED, Offer.cancelled_at.is_(None), Offer.id.in_(soon))
        .order_by(Booking.id)
    ).all()
    there = _rows_there(session, [booking.student_id for booking in bookings], day_in_france(now) - AHEAD)
    jobs = []
    for booking in bookings:
        time = booked_time(booking)
        if time is None or time.starts_at <= now:
            continue
        come = [(day, moment) for day, moment in time.moments.items() if moment <= now]
        if come:
            day, moment = max(come)
            subject = f"booking:{booking.id}"
            if (booking.student_id, subject, day) not in there:
                jobs.append(Job(None, booking.student_id, ReminderKind.BOOKING, subject, day, moment))
    return jobs


def booked_time(booking: Booking) -> BookedTime | None:
    """When a student should be reminded of a booking; None when nothing is booked or nothing meets any more.

    Of what meets many times only the first time: a weekly mail about one's own French class would soon go unread.
    """
    offer = booking.offer
    starts = [meeting.starts_at for meeting in offer.meetings if meeting.starts_at > booking.changed_at]
    if booking.state != BookingState.BOOKED or offer.cancelled_at is not None or not starts:
        return None
    first = min(starts)
    is_appointment = offer.kind == OfferKind.APPOINTMENT
    moments = booking_moments(first, booking.changed_at, is_appointment=is_appointment)
    return BookedTime(booking.id, offer, first, moments)


def _rows_there(session: Session, student_ids: Sequence[int], since: date) -> set[tuple[int, str, date]]:
    rows = session.execute(
        select(Reminder.student_id, Reminder.subject, Reminder.day).where(
            Reminder.student_id.in_(student_ids), Reminder.day > since - LOOK_BACK
        )
    )
    return {(student_id, subject, day) for student_id, subject, day in rows}


def _add(session: Session, jobs: Sequence[Job]) -> None:
    wanted = {job.student_id for job in jobs}
    # Held until the end of the transaction: a student who is being erased must not make the whole page fail.
    still_there = set(
        session.scalars(
            select(Student.id).where(Student.id.in_(wanted)).with_for_update(read=True, key_share=True, of=Student)
        )
    )
    add_missing(session, Reminder, [row_of(job) for job in jobs if job.student_id in still_there])


def row_of(job: Job) -> dict[str, Any]:
    """The columns of a new row."""
    return {
        "student_id": job.student_id,
        "kind": job.kind,
        "subject": job.subject,
        "day": job.day,
        "due_at": job.due_at,
        "state": ReminderState.PLANNED,
    }
