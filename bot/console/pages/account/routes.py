"""One's own account: the password, the second step, the browsers that are signed in, what calls me to the desk."""

from collections.abc import Callable
from typing import Annotated, Any

import segno
from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup

from bot.bootstrap import Services
from bot.calling.browsers import browsers_of, drop_numbered
from bot.calling.rules import MAIL_CHOICES
from bot.calling.service import set_mail_after
from bot.console.access import ServicesDep, by_session, lacks_second_step, services_of
from bot.console.html import HEADERS, Notice, console_language, office_page
from bot.console.words import session_rows, short_moment, wait_words
from bot.errors import InvalidField, NotFound, TooMany
from bot.handoff.service import MAY_ANSWER
from bot.i18n.translate import mark, say
from bot.identity import second_step
from bot.identity.audit import record
from bot.identity.keys import access_key
from bot.identity.models import Staff
from bot.identity.staff import (
    LONGEST_PASSWORD,
    SignedIn,
    check_own_password,
    end_session,
    end_sessions,
    sessions_of,
    set_password,
)

PAGE = "/staff/account"
DONE = {
    "password": mark("The new password is set. All other browsers were signed out."),
    "off": mark("The second step is off."),
    "ended": mark("That browser is signed out."),
    "others": mark("All other browsers are signed out."),
    "calls": mark("Your choice is kept."),
    "stopped": mark("That browser shows no messages any more."),
}

SignedInDep = Annotated[SignedIn, Depends(by_session)]
Password = Annotated[str, Form(max_length=4 * LONGEST_PASSWORD)]


def render(request: Request, signed_in: SignedIn) -> Response:
    language = console_language(signed_in.staff.language)
    notices = []
    if (done := request.query_params.get("done")) in DONE:
        notices.append(Notice("done", say(language, DONE[done])))
    if lacks_second_step(request, signed_in.staff):
        words = say(language, "Your role needs a second step. Set it up here; then the other pages open.")
        notices.append(Notice("warning", words))
    return _page(services_of(request), signed_in, notices=notices)


def routes() -> APIRouter:
    router = APIRouter()
    forms: dict[str, Callable[..., Response]] = {
        "password": password_form,
        "second-step": begin_form,
        "second-step/confirm": confirm_form,
        "second-step/off": off_form,
        "second-step/codes": codes_form,
        "sessions/end": end_form,
        "sessions/end-others": end_others_form,
        "calls": calls_form,
        "calls/stop": stop_form,
    }
    for name, form in forms.items():
        router.add_api_route(f"{PAGE}/{name}", form, methods=["POST"])
    return router


def password_form(
    services: ServicesDep, signed_in: SignedInDep, password: Password = "", new: Password = "", again: Password = ""
) -> Response:
    """A new password; this browser stays signed in, all others do not."""
    language = console_language(signed_in.staff.language)
    if new != again:
        return _page(services, signed_in, 422, faults={"again": say(language, "The two passwords are not the same.")})
    now = services.clock.now()
    try:
        with services.database.write() as session:
            staff = session.get_one(Staff, signed_in.staff.id)
            check_own_password(session, staff, password, signed_in.session_id, now)
            try:
                set_password(session, staff, new, now, keep_session=signed_in.session_id)
            except InvalidField as fault:
                session.rollback()
                return _page(services, signed_in, 422, faults={"new": say(language, str(fault))})
    except (InvalidField, TooMany) as fault:
        return _refused(services, signed_in, fault, "password")
    return _back("password")


def begin_form(services: ServicesDep, signed_in: SignedInDep) -> Response:
    """Show the secret for the telephone; nothing changes before a first code."""
    return _setting_up(services, signed_in)


def confirm_form(
    services: ServicesDep, signed_in: SignedInDep, code: Annotated[str, Form(max_length=100)] = ""
) -> Response:
    """The first code turns the second step on; the recovery codes are shown this once."""
    language = console_language(signed_in.staff.language)
    now = services.clock.now()
    try:
        with services.database.write() as session:
            staff = session.get_one(Staff, signed_in.staff.id)
            codes = second_step.confirm(session, staff, code, access_key(services.settings.data), now)
            end_sessions(session, staff.id, but=signed_in.session_id)
    except InvalidField:
        fault = say(language, "This is not the code that the telephone shows now. Wait for the next one.")
        return _setting_up(services, signed_in, 422, {"code": fault})
    words = say(language, "The second step is on. From now on, signing in asks for a code.")
    return _page(services, signed_in, notices=[Notice("done", words)], codes=codes)


def off_form(services: ServicesDep, signed_in: SignedInDep, password: Password = "") -> Response:
    now = services.clock.now()
    try:
        with services.database.write() as session:
            staff = session.get_one(Staff, signed_in.staff.id)
            check_own_password(session, staff, password, signed_in.session_id, now)
            second_step.turn_off(session, staff, now, by=staff.id)
    except (InvalidField, TooMany) as fault:
        return _refused(services, signed_in, fault, "off_password")
    return _back("off")


def codes_form(services: ServicesDep, signed_in: SignedInDep, password: Password = "") -> Response:
    """Ten new recovery codes; those before are void."""
    now = services.clock.now()
    try:
        with services.database.write() as session:
            staff = session.get_one(Staff, signed_in.staff.id)
            check_own_password(session, staff, password, signed_in.session_id, now)
            if staff.totp_since is None:
                raise NotFound
            codes = second_step.new_recovery_codes(session, staff, now)
    except (InvalidField, TooMany) as fault:
        return _refused(services, signed_in, fault, "codes_password")
    return _page(services, signed_in, codes=codes)


def end_form(services: ServicesDep, signed_in: SignedInDep, number: Annotated[int, Form(ge=1, lt=2**31)]) -> Response:
    """Sign one of one's own browsers out."""
    with services.database.write() as session:
        end_session(session, number, services.clock.now(), of=signed_in.staff.id, by=signed_in.staff.id)
    return _back("ended")


def end_others_form(services: ServicesDep, signed_in: SignedInDep) -> Response:
    with services.database.write() as session:
        end_sessions(session, signed_in.staff.id, but=signed_in.session_id)
        staff_id = signed_in.staff.id
        record(session, "sessions_ended", staff_id=staff_id, now=services.clock.now(), account=staff_id)
    return _back("others")


def calls_form(
    services: ServicesDep, signed_in: SignedInDep, mail_after: Annotated[int, Form(ge=0, le=max(MAIL_CHOICES))] = 0
) -> Response:
    """After which wait of a student a mail calls me; 0: never."""
    with services.database.write() as session:
        staff = session.get_one(Staff, signed_in.staff.id)
        set_mail_after(session, staff, mail_after or None, services.clock.now())
    return _back("calls")


def stop_form(services: ServicesDep, signed_in: SignedInDep, number: Annotated[int, Form(ge=1, lt=2**31)]) -> Response:
    """Show nothing more in one of one's own browsers."""
    with services.database.write() as session:
        drop_numbered(session, session.get_one(Staff, signed_in.staff.id), number, services.clock.now())
    return _back("stopped")


def _setting_up(
    services: Services, signed_in: SignedIn, status: int = 200, faults: dict[str, str] | None = None
) -> Response:
    with services.database.write() as session:
        staff = session.get_one(Staff, signed_in.staff.id)
        secret = second_step.begin(session, staff, access_key(services.settings.data))
        address = second_step.address_of(staff, secret)
    square = Markup(segno.make_qr(address, error="m").svg_inline(omitsize=True, border=2))  # noqa: S704  (made here)
    secret = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    return _page(services, signed_in, status, faults=faults, square=square, secret=secret)


def _refused(services: Services, signed_in: SignedIn, fault: InvalidField | TooMany, field: str) -> Response:
    language = console_language(signed_in.staff.language)
    if isinstance(fault, TooMany):
        return _page(services, signed_in, 429, faults={field: wait_words(language, fault)})
    return _page(services, signed_in, 422, faults={field: say(language, str(fault))})


def _page(
    services: Services, signed_in: SignedIn, status: int = 200, *, faults: dict[str, str] | None = None, **values: Any
) -> Response:
    language = console_language(signed_in.staff.language)
    now = services.clock.now()
    with services.database.read() as session:
        staff = session.get_one(Staff, signed_in.staff.id)
        sessions = session_rows(sessions_of(session, staff.id, now), language, now, signed_in.session_id)
        shown = {
            "has_password": staff.password_hash is not None,
            "has_second_step": staff.totp_since is not None,
            "codes_left": second_step.recovery_codes_left(session, staff),
            "sessions": sessions,
            "may_be_called": staff.role in MAY_ANSWER,
            "mail_after": staff.mail_after or 0,
            "mail_choices": MAIL_CHOICES,
            "browsers": [
                {
                    "id": each.id,
                    "name": each.browser or say(language, "unknown browser"),
                    "since": short_moment(language, each.created_at),
                }
                for each in browsers_of(session, staff)
            ],
            "longest_password": LONGEST_PASSWORD,
            "faults": faults or {},
            "codes": (),
            "square": None,
            "secret": "",
            "notices": (),
        }
    return office_page("account.html", PAGE, signed_in, status, **{**shown, **values})


def _back(done: str) -> Response:
    return RedirectResponse(f"{PAGE}?done={done}", 303, headers=HEADERS)
