"""The calendar of one student: the dates of the path and what is booked."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.bookings.models import Booking, BookingState, Offer
from bot.bookings.wording import name_of, where_words
from bot.calendars.feed import Appointment, Deadline, as_ics, midnight
from bot.content.loader import Knowledge
from bot.i18n.translate import say
from bot.paperwork.queries import view_of
from bot.paperwork.replies import View
from bot.paperwork.rules import RuleReason, Status, Step
from bot.paperwork.schema import Procedure
from bot.paperwork.wording import by_words, flag_words, papers_words
from bot.students.models import Student


def calendar_of(
    session: Session, student: Student, procedures: Sequence[Procedure], knowledge: Knowledge, today: date
) -> bytes:
    """In the language of the record: whoever reads a calendar is in no conversation.

    Raises:
        FactsError: the stored facts have a name or a value that is not one.
    """
    view = view_of(session, student, procedures, knowledge, student.language, today)
    name = say(view.language, "My steps at {school}", school=knowledge.school.name)
    return as_ics(name, _deadlines(view, student), _appointments(session, student))


def _deadlines(view: View, student: Student) -> Iterator[Deadline]:
    for step in sorted(view.steps, key=lambda each: each.slug):
        if step.due is None or step.status in (Status.DONE, Status.NOT_NEEDED):
            continue
        yield Deadline(
            key=f"student/{student.id}/step/{step.slug}",
            title=step.title.get(view.language),
            text=view.fill(_step_text(step, view.language)),
            day=step.due,
            changed_at=max(student.updated_at, _written_at(step)),
            tentative=step.provisional,
            url=str(step.where.url) if step.where is not None else None,
        )


def _written_at(step: Step) -> datetime:
    """When the texts of the step were checked last: a corrected text must reach the calendars as well."""
    return midnight(max(source.checked_on for source in step.sources))


def _step_text(step: Step, language: str) -> str:
    notes = [reason.text.get(language) for reason in step.because if isinstance(reason, RuleReason)][1:]
    provisional = say(language, "This date is provisional: it moves with your day of arrival.")
    papers = say(language, "Papers: {papers}.", papers=papers_words(step, language)) if step.needs else ""
    first = " ".join(each for each in (by_words(step, language), flag_words(step, language), *notes) if each)
    parts = (
        first,
        provisional if step.provisional else "",
        step.do.get(language),
        papers,
        say(language, "If you miss this date: {late}", late=step.late.get(language)),
    )
    return "\n\n".join(each for each in parts if each)


def _appointments(session: Session, student: Student) -> Iterator[Appointment]:
    bookings = session.scalars(
        select(Booking)
        .join(Offer)
        .where(
            Booking.student_id == student.id,
            Booking.state == BookingState.BOOKED,
            Offer.cancelled_at.is_(None),
        )
        .order_by(Booking.id)
    )
    language = student.language
    for booking in bookings:
        offer = booking.offer
        demo = say(language, "This is demo data: nothing really takes place.")
        for meeting in offer.meetings:
            yield Appointment(
                key=f"student/{student.id}/meeting/{meeting.id}",
                title=name_of(offer, language),
                text=demo if offer.is_demo else "",
                starts_at=meeting.starts_at,
                ends_at=meeting.ends_at,
                changed_at=max(booking.changed_at, offer.updated_at),
                place=where_words(offer, language),
            )
