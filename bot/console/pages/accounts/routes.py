"""Accounts of the office, for administrators: add, change the role, disable, send a link, end sessions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from bot.bootstrap import Services
from bot.console.access import ServicesDep, by_session, services_of
from bot.console.html import HEADERS, ROLES, Notice, console_language, office_page
from bot.console.words import session_rows
from bot.errors import InvalidField, NotAllowed, NotFound
from bot.i18n.languages import BY_CODE, CONTENT_CODES
from bot.i18n.translate import mark, say
from bot.identity import second_step
from bot.identity.audit import record
from bot.identity.models import Role, Staff
from bot.identity.resets import mail_link
from bot.identity.staff import (
    SignedIn,
    all_staff,
    create_staff,
    disable_staff,
    enable_staff,
    end_session,
    end_sessions,
    sessions_of,
    set_role,
)

PAGE = "/staff/accounts"
BIGGEST_ID = 2**31
DONE = {
    "added": mark("The account is made. A mail with a link for the password is on its way; it works for half an hour."),
    "role": mark("The role is changed; it holds at once."),
    "disabled": mark("The account is disabled: signed out everywhere within a minute, its tokens are gone."),
    "enabled": mark("The account may sign in again."),
    "reset": mark("A mail with a link for a new password is on its way; it works for half an hour."),
    "off": mark("The second step of the account is off."),
    "ended": mark("The browser is signed out."),
    "all_ended": mark("All browsers of the account are signed out."),
}

SignedInDep = Annotated[SignedIn, Depends(by_session)]
AccountField = Annotated[int, Form(ge=1, lt=BIGGEST_ID)]


@dataclass(frozen=True)
class AccountRow:
    id: int
    name: str
    email: str
    role: Role
    is_disabled: bool
    has_password: bool
    has_second_step: bool
    is_own: bool


def render(request: Request, signed_in: SignedIn) -> Response:
    """The list; `?account=ID` shows one."""
    language = console_language(signed_in.staff.language)
    done = request.query_params.get("done")
    notices = [Notice("done", say(language, DONE[done]))] if done in DONE else []
    number = request.query_params.get("account", "")
    account = int(number) if number.isdecimal() and len(number) < len(str(BIGGEST_ID)) else None
    return _page(services_of(request), signed_in, account=account, notices=notices)


def routes() -> APIRouter:
    router = APIRouter()
    forms: dict[str, Callable[..., Response]] = {
        "add": add_form,
        "role": role_form,
        "disable": disable_form,
        "enable": enable_form,
        "reset": reset_form,
        "second-step/off": off_form,
        "sessions/end": end_form,
        "sessions/end-all": end_all_form,
    }
    for name, form in forms.items():
        router.add_api_route(f"{PAGE}/{name}", form, methods=["POST"])
    return router


def add_form(
    services: ServicesDep,
    signed_in: SignedInDep,
    email: Annotated[str, Form(max_length=1000)] = "",
    name: Annotated[str, Form(max_length=1000)] = "",
    role: Annotated[str, Form(max_length=40)] = "",
    language: Annotated[str, Form(max_length=35)] = "",
) -> Response:
    """A new account; its owner gets a mail with a link to choose a password."""
    own_language = console_language(signed_in.staff.language)
    draft = {"email": email, "name": name, "role": role, "language": language}
    now = services.clock.now()
    try:
        if len(name.strip()) > 120:
            raise InvalidField(mark("The name is longer than 120 characters."), field="name")
        if role not in set(Role):
            raise InvalidField(mark("Choose one of the roles."), field="role")
        with services.database.write() as session:
            staff = create_staff(session, email, name, Role(role), now, language=language, by=signed_in.staff.id)
            mail_link(session, staff, services.settings.address, now, by=signed_in.staff.id)
    except InvalidField as fault:
        faults = {str(fault.details["field"]): say(own_language, str(fault))}
        return _page(services, signed_in, 422, draft=draft, faults=faults)
    return _back("added", staff.id)


def role_form(
    services: ServicesDep, signed_in: SignedInDep, account: AccountField, role: Annotated[Role, Form()]
) -> Response:
    def change(session: Session, staff: Staff) -> None:
        set_role(session, staff, role, services.clock.now(), by=signed_in.staff.id)

    return _change(services, signed_in, account, change, "role")


def disable_form(services: ServicesDep, signed_in: SignedInDep, account: AccountField) -> Response:
    def change(session: Session, staff: Staff) -> None:
        disable_staff(session, staff.email, services.clock.now(), by=signed_in.staff.id)

    return _change(services, signed_in, account, change, "disabled")


def enable_form(services: ServicesDep, signed_in: SignedInDep, account: AccountField) -> Response:
    def change(session: Session, staff: Staff) -> None:
        enable_staff(session, staff, services.clock.now(), by=signed_in.staff.id)

    return _change(services, signed_in, account, change, "enabled")


def reset_form(services: ServicesDep, signed_in: SignedInDep, account: AccountField) -> Response:
    def change(session: Session, staff: Staff) -> None:
        if staff.disabled:
            raise NotAllowed("This account is disabled.")
        mail_link(session, staff, services.settings.address, services.clock.now(), by=signed_in.staff.id)

    return _change(services, signed_in, account, change, "reset")


def off_form(services: ServicesDep, signed_in: SignedInDep, account: AccountField) -> Response:
    """For a colleague whose telephone is lost and whose recovery codes are too."""

    def change(session: Session, staff: Staff) -> None:
        second_step.turn_off(session, staff, services.clock.now(), by=signed_in.staff.id)
        end_sessions(session, staff.id)

    return _change(services, signed_in, account, change, "off")


def end_form(services: ServicesDep, signed_in: SignedInDep, account: AccountField, number: AccountField) -> Response:
    def change(session: Session, staff: Staff) -> None:
        end_session(session, number, services.clock.now(), of=staff.id, by=signed_in.staff.id)

    return _change(services, signed_in, account, change, "ended")


def end_all_form(services: ServicesDep, signed_in: SignedInDep, account: AccountField) -> Response:
    def change(session: Session, staff: Staff) -> None:
        end_sessions(session, staff.id)
        now = services.clock.now()
        record(session, "sessions_ended", staff_id=signed_in.staff.id, now=now, account=staff.id)

    return _change(services, signed_in, account, change, "all_ended")


def _change(
    services: Services,
    signed_in: SignedIn,
    account: int,
    change: Callable[[Session, Staff], None],
    done: str,
) -> Response:
    """A deed on somebody else's account: nobody takes their own role away, so that one administrator always stays.

    Raises:
        NotFound: there is no such account.
        NotAllowed: it is one's own, or the administrator who asks is none any more.
    """
    if account == signed_in.staff.id:
        raise NotAllowed("This is your own account: change it on its page, or ask another administrator.")
    with services.database.write() as session:
        # Two administrators who disable each other at once: one of them was first.
        actor = session.get_one(Staff, signed_in.staff.id, with_for_update=True, populate_existing=True)
        if actor.disabled or actor.role != Role.ADMIN:
            raise NotAllowed
        staff = session.get(Staff, account)
        if staff is None:
            raise NotFound
        change(session, staff)
    return _back(done, account)


def _page(
    services: Services, signed_in: SignedIn, status: int = 200, *, account: int | None = None, **values: Any
) -> Response:
    language = console_language(signed_in.staff.language)
    now = services.clock.now()
    with services.database.read() as session:
        accounts = [_row(staff, signed_in) for staff in all_staff(session)]
        chosen = next((each for each in accounts if each.id == account), None)
        sessions = session_rows(sessions_of(session, chosen.id, now), language, now) if chosen else []
    shown = {
        "accounts": accounts,
        "chosen": chosen,
        "sessions": sessions,
        "roles": [(str(role), say(language, words)) for role, words in ROLES.items()],
        "content_languages": [(code, BY_CODE[code].name) for code in CONTENT_CODES],
        "draft": {"email": "", "name": "", "role": "", "language": language},
        "faults": {},
        "notices": (),
    }
    return office_page("accounts.html", PAGE, signed_in, status, **{**shown, **values})


def _row(staff: Staff, signed_in: SignedIn) -> AccountRow:
    return AccountRow(
        staff.id,
        staff.name,
        staff.email,
        staff.role,
        staff.disabled,
        staff.password_hash is not None,
        staff.totp_since is not None,
        staff.id == signed_in.staff.id,
    )


def _back(done: str, account: int) -> Response:
    return RedirectResponse(f"{PAGE}?{urlencode({'account': account, 'done': done})}", 303, headers=HEADERS)
