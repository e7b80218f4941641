"""Classes, appointments and events: what there is, who is booked, levels to confirm, certificates to make."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.bookings.importing import (
    COLUMNS,
    SAMPLE_MEETING,
    field_of_pattern,
    offer_data,
    read_clock,
    read_day,
    read_meetings,
)
from bot.bookings.models import ACTIVE, Booking, BookingState, Meeting, Offer, OfferKind, Service
from bot.bookings.queries import Occupancy, occupancy, spans_of
from bot.bookings.rules import CAMPUSES, LEVELS, OfferData, Span, is_over, weekly
from bot.bookings.service import WrongOffer, cancel_offer, change_offer, create_offer
from bot.bookings.wording import SERVICES, campus_words, name_of, times_words, until_words
from bot.clock import PARIS, day_in_france
from bot.console.access import ServicesDep, by_session, services_of
from bot.console.html import HEADERS, Notice, console_language, office_page
from bot.courses.certificates import finish_request, open_requests
from bot.courses.levels import confirm_level, unconfirmed
from bot.errors import NotAllowed, NotFound
from bot.i18n.formats import date_words
from bot.i18n.translate import mark, say, say_n
from bot.identity.audit import record
from bot.identity.models import Role
from bot.identity.staff import SignedIn
from bot.students.findings import Finding, Refused
from bot.students.models import Student
from bot.students.records import CAMPUS_CITIES, student_by_email

PAGE = "/staff/bookings"
MAY_EDIT = frozenset({Role.COORDINATOR, Role.ADMIN})
MOST_ROWS = 200
KINDS = {
    OfferKind.FRENCH_CLASS: mark("French classes"),
    OfferKind.APPOINTMENT: mark("Appointments"),
    OfferKind.EVENT: mark("Events"),
}
ONE_KIND = {
    OfferKind.FRENCH_CLASS: mark("French class"),
    OfferKind.APPOINTMENT: mark("Appointment"),
    OfferKind.EVENT: mark("Event"),
}
STATES = {
    BookingState.BOOKED: mark("booked"),
    BookingState.HELD: mark("a place is kept"),
    BookingState.WAITING: mark("waiting"),
}
DONE = {
    "added": mark("The offer is added."),
    "saved": mark("The offer is saved."),
    "same": mark("Nothing was different: the offer stays as it was."),
    "cancelled": mark("The offer is cancelled."),
    "level": mark("The level is confirmed."),
    "certificate": mark("The certificate is marked as made, and the student is told."),
    "certificate_before": mark("This certificate was marked as made before."),
}

SignedInDep = Annotated[SignedIn, Depends(by_session)]
LONGEST_MEETINGS = 8000
"""Characters typed; a browser sends two for the end of a line."""
Short = Annotated[str, Form(max_length=300)]
OfferId = Annotated[int, Form(alias="offer", ge=1, le=2**31 - 1)]


@dataclass
class OfferForm:
    """The form of an offer as it was filled in, by the names of a file's columns; `meetings` one a line."""

    code: Short = ""
    kind: Short = str(OfferKind.FRENCH_CLASS)
    title_en: Short = ""
    title_fr: Short = ""
    service: Short = ""
    campus: Short = ""
    level: Short = ""
    places: Short = ""
    room: Short = ""
    host: Short = ""
    date: Short = ""
    starts: Short = ""
    ends: Short = ""
    weekly_until: Short = ""
    meetings: Annotated[str, Form(max_length=2 * LONGEST_MEETINGS)] = ""


Faults = Mapping[str, str]
"""Field → what is wrong and how to mend it, in the colleague's language."""


def render(request: Request, signed_in: SignedIn) -> Response:
    """The list; `?offer=ID` one of them, `?view=add|levels|certificates` the rest."""
    query, services = request.query_params, services_of(request)
    notices = _notices(query, _language(signed_in))
    with services.database.read() as session:
        now = services.clock.now()
        if (number := query.get("offer", "")).isdecimal() and len(number) <= 9:
            offer = session.get(Offer, int(number))
            if offer is None:
                gone = Notice("warning", say(_language(signed_in), "This offer is no longer there."))
                return _list(session, signed_in, now, query, [gone])
            return _one(session, signed_in, now, offer, _form_of(offer), notices=notices)
        match query.get("view"):
            case "add":
                kind = query.get("kind", "")
                form = OfferForm(kind=kind) if kind in tuple(OfferKind) else OfferForm()
                return _add_page(signed_in, form, {})
            case "levels":
                return _levels(session, signed_in, notices=notices)
            case "certificates":
                return _certificates(session, signed_in, notices)
            case _:
                return _list(session, signed_in, now, query, notices)


def routes() -> APIRouter:
    router = APIRouter()
    router.add_api_route(f"{PAGE}/add", add_form, methods=["POST"])
    router.add_api_route(f"{PAGE}/change", change_form, methods=["POST"])
    router.add_api_route(f"{PAGE}/cancel", cancel_form, methods=["POST"])
    router.add_api_route(f"{PAGE}/level", level_form, methods=["POST"])
    router.add_api_route(f"{PAGE}/certificate", certificate_form, methods=["POST"])
    return router


def add_form(services: ServicesDep, signed_in: SignedInDep, form: Annotated[OfferForm, Depends(OfferForm)]) -> Response:
    _check_may_edit(signed_in)
    language, now = _language(signed_in), services.clock.now()
    pattern, findings = _pattern(form)
    data, wrong = _data(form, pattern)
    findings += _beside(wrong, findings)
    if findings:
        return _add_page(signed_in, form, _faults(findings, language))
    try:
        with services.database.write() as session:
            offer = create_offer(session, data, now)
            record(session, "add_offer", staff_id=signed_in.staff.id, now=now, offer=offer.code)
    except WrongOffer as refused:
        return _add_page(signed_in, form, _faults(refused.faults, language))
    return _back(offer=offer.id, done="added")


def change_form(
    services: ServicesDep,
    signed_in: SignedInDep,
    offer_id: OfferId,
    form: Annotated[OfferForm, Depends(OfferForm)],
) -> Response:
    _check_may_edit(signed_in)
    language, now = _language(signed_in), services.clock.now()
    meetings, findings = read_meetings(form.meetings)
    try:
        with services.database.write() as session:
            offer = session.get(Offer, offer_id)
            if offer is None:
                raise NotFound
            form.code = offer.code
            data, wrong = _data(form, meetings)
            findings += _beside(wrong, findings)
            if findings:
                raise WrongOffer(findings)
            change = change_offer(session, offer_id, data, now)
            if change.fields:
                fields = list(change.fields)
                record(session, "change_offer", staff_id=signed_in.staff.id, now=now, offer=offer.code, fields=fields)
    except WrongOffer as refused:
        faults = _faults(refused.faults, language)
        with services.database.read() as session:
            return _one(session, signed_in, now, session.get_one(Offer, offer_id), form, faults=faults)
    return _back(offer=offer_id, done="saved" if change.fields else "same", told=change.told)


def cancel_form(services: ServicesDep, signed_in: SignedInDep, offer_id: OfferId) -> Response:
    _check_may_edit(signed_in)
    now = services.clock.now()
    with services.database.write() as session:
        offer = session.get(Offer, offer_id)
        if offer is None:
            raise NotFound
        told = cancel_offer(session, offer_id, now)
        record(session, "cancel_offer", staff_id=signed_in.staff.id, now=now, offer=offer.code, told=told)
    return _back(offer=offer_id, done="cancelled", told=told)


def level_form(services: ServicesDep, signed_in: SignedInDep, email: Short = "", level: Short = "") -> Response:
    _check_may_edit(signed_in)
    language, now = _language(signed_in), services.clock.now()
    with services.database.write() as session:
        student = student_by_email(session, email)
        faults = {}
        if student is None:
            faults["email"] = say(language, "No student has this address.")
        if level not in LEVELS:
            faults["level"] = say(language, "Choose a level.")
        if student is None or faults:
            return _levels(session, signed_in, email=email, level=level, faults=faults)
        confirm_level(session, student, level, now, staff_id=signed_in.staff.id)
        record(session, "confirm_level", staff_id=signed_in.staff.id, now=now, student_id=student.id)
    return _back(view="levels", done="level")


def certificate_form(
    services: ServicesDep, signed_in: SignedInDep, number: Annotated[int, Form(ge=1, le=2**31 - 1)]
) -> Response:
    _check_may_edit(signed_in)
    now = services.clock.now()
    with services.database.write() as session:
        is_new = finish_request(session, number, now, staff_id=signed_in.staff.id)
        if is_new:
            record(session, "certificate_made", staff_id=signed_in.staff.id, now=now, request=number)
    return _back(view="certificates", done="certificate" if is_new else "certificate_before")


def _check_may_edit(signed_in: SignedIn) -> None:
    if signed_in.staff.role not in MAY_EDIT:
        raise NotAllowed


def _list(
    session: Session, signed_in: SignedIn, now: datetime, query: Mapping[str, str], notices: Sequence[Notice]
) -> Response:
    language = _language(signed_in)
    wanted = query.get("kind", "")
    kind = OfferKind(wanted) if wanted in tuple(OfferKind) else OfferKind.FRENCH_CLASS
    is_past = query.get("past") == "1"
    last = select(func.max(Meeting.ends_at)).where(Meeting.offer_id == Offer.id).scalar_subquery()
    is_ahead = (last > now) & Offer.cancelled_at.is_(None)
    found = session.scalars(
        select(Offer)
        .where(Offer.kind == kind, ~is_ahead if is_past else is_ahead)
        .order_by(last.desc() if is_past else last, Offer.id)
        .limit(MOST_ROWS + 1)
    ).all()
    if not is_past:
        found = sorted(found, key=lambda each: min(span.ends_at for span in spans_of(each) if span.ends_at > now))
    counts = occupancy(session, [each.id for each in found])
    return office_page(
        "bookings.html",
        PAGE,
        signed_in,
        notices=notices,
        kinds=[(str(each), say(language, words)) for each, words in KINDS.items()],
        kind=str(kind),
        is_past=is_past,
        rows=[_row(each, counts[each.id], language, now) for each in found[:MOST_ROWS]],
        is_cut=len(found) > MOST_ROWS,
        may_edit=signed_in.staff.role in MAY_EDIT,
        open_levels=len(unconfirmed(session)),
        open_certificates=len(open_requests(session)),
    )


def _row(offer: Offer, count: Occupancy, language: str, now: datetime) -> dict[str, Any]:
    return {
        "id": offer.id,
        "name": name_of(offer, language),
        "code": offer.code,
        "when": times_words(spans_of(offer), language, now),
        "campus": campus_words(offer.campus, language),
        "room": offer.room or "",
        "host": offer.host or "",
        "taken": count.taken,
        "places": offer.places,
        "waiting": count.waiting,
        "is_demo": offer.is_demo,
        "is_cancelled": offer.cancelled_at is not None,
    }


def _one(
    session: Session,
    signed_in: SignedIn,
    now: datetime,
    offer: Offer,
    form: OfferForm,
    *,
    faults: Faults | None = None,
    notices: Sequence[Notice] = (),
) -> Response:
    language = _language(signed_in)
    bookings = session.scalars(
        select(Booking).where(Booking.offer_id == offer.id, Booking.state.in_(ACTIVE)).order_by(Booking.id)
    ).all()
    spans = spans_of(offer)
    return office_page(
        "booking_offer.html",
        PAGE,
        signed_in,
        status=422 if faults else 200,
        notices=[*notices, *_fault_notice(faults, language)],
        offer=_row(offer, occupancy(session, [offer.id])[offer.id], language, now),
        kind=str(offer.kind),
        people=_people(session, bookings, language, now),
        form=asdict(form),
        faults=faults or {},
        choices=_choices(language),
        sample=SAMPLE_MEETING,
        longest_meetings=LONGEST_MEETINGS,
        may_edit=signed_in.staff.role in MAY_EDIT,
        may_cancel=offer.cancelled_at is None and not is_over(spans, now),
        affected=say_n(
            language,
            "{number} student loses a place or a place in line and is told.",
            "{number} students lose a place or a place in line and are told.",
            len(bookings),
        ),
    )


def _people(session: Session, bookings: Sequence[Booking], language: str, now: datetime) -> list[dict[str, Any]]:
    """Who has a place, then who waits, in the order of arrival."""
    line = [each.id for each in bookings if each.state == BookingState.WAITING]
    order = (BookingState.BOOKED, BookingState.HELD, BookingState.WAITING)
    people = []
    for each in sorted(bookings, key=lambda booking: (order.index(BookingState(booking.state)), booking.id)):
        student = session.get_one(Student, each.student_id)
        state = say(language, STATES[BookingState(each.state)])
        if each.state == BookingState.HELD and each.held_until is not None:
            state = say(language, "a place is kept until {until}", until=until_words(each.held_until, language, now))
        if each.state == BookingState.WAITING:
            state = say(language, "waiting, number {position}", position=line.index(each.id) + 1)
        people.append(
            {
                "name": f"{student.given_name} {student.family_name}",
                "email": student.email,
                "state": state,
                "since": date_words(day_in_france(each.created_at), language),
            }
        )
    return people


def _add_page(signed_in: SignedIn, form: OfferForm, faults: Faults) -> Response:
    language = _language(signed_in)
    return office_page(
        "booking_add.html",
        PAGE,
        signed_in,
        status=422 if faults else 200,
        notices=_fault_notice(faults, language),
        form=asdict(form),
        faults=faults,
        choices=_choices(language),
        may_edit=signed_in.staff.role in MAY_EDIT,
    )


def _levels(
    session: Session,
    signed_in: SignedIn,
    *,
    email: str = "",
    level: str = "",
    faults: Faults | None = None,
    notices: Sequence[Notice] = (),
) -> Response:
    language = _language(signed_in)
    rows = [
        {
            "name": f"{student.given_name} {student.family_name}",
            "email": student.email,
            "level": placement.level,
            "on": date_words(day_in_france(placement.taken_at), language) if placement.taken_at else "",
        }
        for placement, student in unconfirmed(session)
    ]
    return office_page(
        "booking_levels.html",
        PAGE,
        signed_in,
        status=422 if faults else 200,
        notices=[*notices, *_fault_notice(faults, language)],
        rows=rows,
        levels=LEVELS,
        email=email,
        level=level,
        faults=faults or {},
        may_edit=signed_in.staff.role in MAY_EDIT,
    )


def _certificates(session: Session, signed_in: SignedIn, notices: Sequence[Notice]) -> Response:
    language = _language(signed_in)
    rows = [
        {
            "number": asked.id,
            "name": f"{student.given_name} {student.family_name}",
            "email": student.email,
            "class_name": name_of(offer, language),
            "is_demo": offer.is_demo,
            "on": date_words(day_in_france(asked.asked_at), language),
        }
        for asked, student, offer in open_requests(session)
    ]
    may_edit = signed_in.staff.role in MAY_EDIT
    return office_page("booking_certificates.html", PAGE, signed_in, notices=notices, rows=rows, may_edit=may_edit)


def _choices(language: str) -> dict[str, list[tuple[str, str]]]:
    """Value → words of every list of the form."""
    return {
        "kind": [(str(each), say(language, words)) for each, words in ONE_KIND.items()],
        "service": [("", "–"), *((str(each), say(language, SERVICES[each])) for each in Service)],
        "campus": [("", say(language, "every campus")), *((each, CAMPUS_CITIES[each]) for each in CAMPUSES)],
        "level": [("", "–"), *((each, each) for each in LEVELS)],
    }


def _form_of(offer: Offer) -> OfferForm:
    """An offer as its form shows it."""
    return OfferForm(
        code=offer.code,
        kind=str(offer.kind),
        title_en=offer.title["en"],
        title_fr=offer.title.get("fr") or "",
        service=str(offer.service or ""),
        campus=offer.campus or "",
        level=offer.level or "",
        places=str(offer.places or ""),
        room=offer.room or "",
        host=offer.host or "",
        meetings="\n".join(_meeting_line(each) for each in spans_of(offer)),
    )


def _meeting_line(span: Span) -> str:
    starts, ends = span.starts_at.astimezone(PARIS), span.ends_at.astimezone(PARIS)
    return f"{starts:%Y-%m-%d %H:%M}-{ends:%H:%M}"


def _pattern(form: OfferForm) -> tuple[tuple[Span, ...], list[Finding]]:
    """The meetings that the form for a new offer stands for."""
    findings: list[Finding] = []

    def read(name: str, reader: Any) -> Any:
        text = str(getattr(form, name)).strip()
        if not text:
            return None
        try:
            return reader(text)
        except Refused as refused:
            findings.append(refused.at(None, name, text))
            return None

    first, until = read("date", read_day), read("weekly_until", read_day)
    starts, ends = read("starts", read_clock), read("ends", read_clock)
    findings += [
        Finding(None, name, "", mark("This is empty."), mark("Fill it in."))
        for name in ("date", "starts", "ends")
        if not str(getattr(form, name)).strip()
    ]
    if findings:
        return (), findings
    try:
        return weekly(first, starts, ends, until), []
    except Refused as refused:
        return (), [refused.at(None, field_of_pattern(starts, ends, refused))]


def _data(form: OfferForm, meetings: tuple[Span, ...]) -> tuple[OfferData, list[Finding]]:
    values = {name: " ".join(str(getattr(form, name)).split()) for name in COLUMNS}
    return offer_data(values, meetings)


def _beside(wrong: Sequence[Finding], findings: Sequence[Finding]) -> list[Finding]:
    """Of an offer without meetings nothing more is said of them where they could not be read."""
    return [each for each in wrong if each.field != "date" or not findings]


def _faults(findings: Sequence[Finding], language: str) -> Faults:
    faults: dict[str, str] = {}
    for each in findings:
        words = f"{each.problem_words(language)} {each.fix_words(language)}".strip()
        if each.field == "meetings" and each.line is not None:
            words = say(language, "Line {line}: {fault}", line=each.line, fault=words)
        faults[each.field] = f"{faults[each.field]} {words}" if each.field in faults else words
    return faults


def _fault_notice(faults: Faults | None, language: str) -> list[Notice]:
    if not faults:
        return []
    return [Notice("trouble", say(language, "Nothing was saved: the marked fields have to be corrected first."))]


def _notices(query: Mapping[str, str], language: str) -> list[Notice]:
    if (words := DONE.get(query.get("done", ""))) is None:
        return []
    text = say(language, words)
    told = query.get("told", "")
    if told.isdecimal() and len(told) <= 5:
        count = say_n(language, "{number} student is told.", "{number} students are told.", int(told))
        text = f"{text} {count}"
    return [Notice("done", text)]


def _back(**query: object) -> RedirectResponse:
    return RedirectResponse(f"{PAGE}?{urlencode(query)}", 303, headers=HEADERS)


def _language(signed_in: SignedIn) -> str:
    return console_language(signed_in.staff.language)
