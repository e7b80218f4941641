"""Certificates of French classes: asked for by the student once for each class, made by the office."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.bookings.models import Booking, BookingState, Offer, OfferKind
from bot.bookings.telling import reader_language, tell
from bot.bookings.wording import name_of, with_demo_note
from bot.conversations.deeds import Context, Deeds, Values, deed_button
from bot.conversations.messages import Answer, Button, Understanding
from bot.courses.models import CertificateRequest
from bot.i18n.translate import say
from bot.students.models import Student


def certificate_deeds() -> Deeds:
    return Deeds(effects={"ask_certificate": _ask})


def request_certificate(
    session: Session, student: Student, offer: Offer, now: datetime
) -> tuple[CertificateRequest, bool]:
    """The request of this student for this class, and whether it is new."""
    # The student's row is held: two presses at once must not make two requests.
    session.execute(select(Student.id).where(Student.id == student.id).with_for_update(key_share=True))
    known = session.scalar(
        select(CertificateRequest).where(
            CertificateRequest.student_id == student.id, CertificateRequest.offer_id == offer.id
        )
    )
    if known is not None:
        return known, False
    asked = CertificateRequest(student_id=student.id, offer_id=offer.id, asked_at=now)
    session.add(asked)
    session.flush()
    return asked, True


def open_requests(session: Session) -> Sequence[tuple[CertificateRequest, Student, Offer]]:
    """What the office still has to make, the oldest first."""
    rows = session.execute(
        select(CertificateRequest, Student, Offer)
        .join(Student, CertificateRequest.student_id == Student.id)
        .join(Offer, CertificateRequest.offer_id == Offer.id)
        .where(CertificateRequest.done_at.is_(None))
        .order_by(CertificateRequest.asked_at, CertificateRequest.id)
    )
    return [(asked, student, offer) for asked, student, offer in rows]


def finish_request(session: Session, request_id: int, now: datetime, *, staff_id: int) -> bool:
    """The certificate is made: the student is told. False where it was so already, or the request is gone."""
    asked = session.scalar(
        select(CertificateRequest)
        .where(CertificateRequest.id == request_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if asked is None or asked.done_at is not None:
        return False
    asked.done_at, asked.done_by = now, staff_id
    session.flush()
    student, offer = session.get_one(Student, asked.student_id), session.get_one(Offer, asked.offer_id)
    language = reader_language(session, student)
    text = say(
        language,
        "Your certificate for {name} is ready. If you do not have it yet, ask a person of the office how you get it.",
        name=name_of(offer, language),
    )
    person = deed_button(say(language, "Talk to a person"), "request_person")
    subject = say(language, "Your French certificate is ready")
    tell(session, student, with_demo_note(text, [offer], language), (person,), now, subject=subject)
    return True


def _ask(context: Context, values: Values) -> Answer:
    language, student = context.language, context.student
    offer_id = values.get("offer")
    offer = context.session.get(Offer, offer_id) if isinstance(offer_id, int) else None
    if student is None:
        link = deed_button(say(language, "Link my record"), "start_link")
        return _answer(say(language, "Link your student record first: a certificate is for one person."), link)
    if offer is None or offer.kind != OfferKind.FRENCH_CLASS or not _is_booked(context.session, student, offer):
        classes = deed_button(say(language, "My bookings"), "show_bookings")
        return _answer(say(language, "A certificate is for a French class that you are in."), classes)
    name = name_of(offer, language)
    if all(meeting.starts_at > context.now for meeting in offer.meetings):
        return _answer(say(language, "{name} has not begun yet: ask again once it has.", name=name))
    asked, is_new = request_certificate(context.session, student, offer, context.now)
    if is_new:
        text = say(
            language,
            "I have asked the office for your certificate of {name}. I tell you when it is ready.",
            name=name,
        )
    elif asked.done_at is None:
        text = say(language, "You have asked for the certificate of {name} already; the office is on it.", name=name)
    else:
        text = say(
            language, "Your certificate of {name} is ready. Ask a person of the office how you get it.", name=name
        )
    return _answer(with_demo_note(text, [offer], language))


def _is_booked(session: Session, student: Student, offer: Offer) -> bool:
    booked = select(Booking.id).where(
        Booking.offer_id == offer.id, Booking.student_id == student.id, Booking.state == BookingState.BOOKED
    )
    return session.scalar(booked.limit(1)) is not None


def _answer(text: str, *buttons: Button) -> Answer:
    understanding = Understanding(intent="button", confidence=1.0, action="chat", group="french_classes")
    return Answer(text, understanding, buttons)
