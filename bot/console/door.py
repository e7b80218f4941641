"""The console's door: sign in, the second step, a forgotten password, sign out, language."""

import secrets
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from bot.console.access import (
    check_csrf,
    check_same_site,
    cookie_name,
    device_cookie_name,
    is_https,
    services_of,
    session_token,
    signed_in_or_none,
    visitor_of,
)
from bot.console.html import HEADERS, LANGUAGE_COOKIE, console_language, html, visitor_language
from bot.console.pages import PAGES
from bot.console.words import wait_words
from bot.errors import InvalidField, NotAllowed, NotSignedIn, TooMany
from bot.i18n.languages import CONTENT_CODES
from bot.i18n.translate import say
from bot.identity.browsers import device_cookie, with_device
from bot.identity.keys import access_key
from bot.identity.models import Staff
from bot.identity.passes import Purpose, holder_of
from bot.identity.resets import ask_for_reset, reset_password
from bot.identity.staff import (
    LONGEST_PASSWORD,
    LONGEST_SESSION,
    CodeNeeded,
    sign_in,
    sign_out,
    take_second_step,
)

HOME = "/staff"
A_YEAR = 365 * 24 * 3600
LONGEST_NEXT = 500
"""Characters of a page's address with its query."""
NextPath = Annotated[str, Form(alias="next", max_length=LONGEST_NEXT)]


def door_router() -> APIRouter:
    """What is reached without being signed in, and what leads out."""
    router = APIRouter()
    router.add_api_route("/staff/sign-in", sign_in_page, methods=["GET", "HEAD"])
    router.add_api_route("/staff/sign-in", sign_in_form, methods=["POST"])
    router.add_api_route("/staff/code", code_page, methods=["GET", "HEAD"])
    router.add_api_route("/staff/code", code_form, methods=["POST"])
    router.add_api_route("/staff/forgotten", forgotten_page, methods=["GET", "HEAD"])
    router.add_api_route("/staff/forgotten", forgotten_form, methods=["POST"])
    router.add_api_route("/staff/reset", reset_page, methods=["GET", "HEAD"])
    router.add_api_route("/staff/reset", reset_form, methods=["POST"])
    router.add_api_route("/staff/sign-out", sign_out_form, methods=["POST"])
    router.add_api_route("/staff/language", language_form, methods=["POST"])
    return router


def sign_in_page_with(request: Request, error: str, status: int) -> Response:
    return _sign_in_form(request, status, error)


def sign_in_address(next_path: str) -> str:
    """The sign-in that leads to this page afterwards."""
    return "/staff/sign-in" + ("" if next_path == HOME else "?" + urlencode({"next": next_path}))


def next_of(request: Request) -> str:
    """Where the address of a form says one goes on; nothing where that is too long for the form."""
    wanted = request.query_params.get("next", "")
    return wanted if len(wanted) <= LONGEST_NEXT else ""


def page_of_ours(next_path: str) -> str:
    """The page with its query; the desk where it is none of ours."""
    return next_path if next_path.partition("?")[0] in {page.path for page in PAGES} else HOME


def sign_in_page(request: Request) -> Response:
    next_path = next_of(request)
    if signed_in_or_none(request) is not None:
        return _redirect(page_of_ours(next_path))
    return _sign_in_form(request, next_path=next_path)


def sign_in_form(
    request: Request,
    email: Annotated[str, Form(max_length=1000)] = "",
    password: Annotated[str, Form(max_length=4 * LONGEST_PASSWORD)] = "",
    csrf: Annotated[str, Form(max_length=200)] = "",
    next_path: NextPath = "",
) -> Response:
    language = visitor_language(request)
    if not _is_our_form(request, csrf):
        return _sign_in_form(request, 403, _open_too_long(language), email, next_path=next_path)
    services = services_of(request)
    try:
        with services.database.write() as session:
            staff, token, _csrf = sign_in(session, email, password, visitor_of(request), services.clock.now())
            # Whoever sat at this browser before is signed out, whoever it was.
            sign_out(session, session_token(request) or "", services.clock.now())
    except CodeNeeded as step:
        return to_second_step(request, step, next_path)
    except NotSignedIn:
        error = say(language, "The e-mail address or the password is wrong.")
        return _sign_in_form(request, 401, error, email, next_path=next_path)
    except TooMany as limit:
        words = wait_words(language, limit)
        return _wait(limit, _sign_in_form(request, 429, words, email, next_path=next_path))
    return let_in(request, staff, token, next_path)


def to_second_step(request: Request, step: CodeNeeded, next_path: str) -> Response:
    """To the form for the code; the right to fill it in travels in a cookie."""
    response = _redirect("/staff/code" + ("?" + urlencode({"next": next_path}) if next_path else ""))
    response.set_cookie(
        _code_cookie(request), step.code_pass, max_age=300, httponly=True, samesite="lax", secure=is_https(request)
    )
    return response


def let_in(request: Request, staff: Staff, token: str, next_path: str) -> Response:
    """To the desk, with the session, and with the sign by which this browser is known to the account."""
    response = _redirect(page_of_ours(next_path))
    response.set_cookie(
        cookie_name(request),
        token,
        max_age=int(LONGEST_SESSION.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=is_https(request),
    )
    _remember_browser(response, request, staff)
    for name in (_sign_in_cookie(request), _code_cookie(request)):
        response.delete_cookie(name, secure=is_https(request), httponly=True, samesite="lax")
    _remember_language(response, request, console_language(staff.language))
    return response


def code_page(request: Request) -> Response:
    if _code_cookie(request) not in request.cookies:
        return _redirect("/staff/sign-in")
    return _form(request, "code.html", next=next_of(request))


def code_form(
    request: Request,
    code: Annotated[str, Form(max_length=100)] = "",
    csrf: Annotated[str, Form(max_length=200)] = "",
    next_path: NextPath = "",
) -> Response:
    """The second step of the sign-in."""
    language = visitor_language(request)
    if not _is_our_form(request, csrf):
        return _form(request, "code.html", 403, _open_too_long(language), next=next_path)
    services = services_of(request)
    code_pass = request.cookies.get(_code_cookie(request), "")
    now = services.clock.now()
    try:
        with services.database.write() as session:
            staff, token, _csrf = take_second_step(session, code_pass, code, visitor_of(request), now)
            sign_out(session, session_token(request) or "", now)
    except InvalidField:
        error = say(language, "The code is wrong, or it was used before. Wait for the next one.")
        return _form(request, "code.html", 401, error, next=next_path)
    except NotSignedIn:
        error = say(language, "That took too long, or there were too many wrong codes. Please sign in again.")
        return _sign_in_form(request, 401, error, next_path=next_path)
    except TooMany as limit:
        return _wait(limit, _form(request, "code.html", 429, wait_words(language, limit), next=next_path))
    return let_in(request, staff, token, next_path)


def forgotten_page(request: Request) -> Response:
    return _form(request, "forgotten.html", is_sent=False, email="")


def forgotten_form(
    request: Request,
    email: Annotated[str, Form(max_length=1000)] = "",
    csrf: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """The same words whether there is such an account or not."""
    language = visitor_language(request)
    if not _is_our_form(request, csrf):
        return _form(request, "forgotten.html", 403, _open_too_long(language), is_sent=False, email=email)
    services = services_of(request)
    address = request.client.host if request.client else ""
    try:
        with services.database.write() as session:
            ask_for_reset(session, email, address, services.clock.now())
    except TooMany as limit:
        words = wait_words(language, limit)
        return _wait(limit, _form(request, "forgotten.html", 429, words, is_sent=False, email=email))
    return _form(request, "forgotten.html", is_sent=True, email=email)


def reset_page(request: Request) -> Response:
    """The form behind the link of the mail. A link that is over is said so at once."""
    token = request.query_params.get("token", "")[:200]
    services = services_of(request)
    try:
        with services.database.read() as session:
            holder_of(session, token, Purpose.RESET, services.clock.now())
    except NotSignedIn:
        return _link_is_over(request)
    return _form(request, "reset.html", token=token)


def reset_form(
    request: Request,
    token: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=4 * LONGEST_PASSWORD)] = "",
    again: Annotated[str, Form(max_length=4 * LONGEST_PASSWORD)] = "",
    csrf: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """The new password. Whoever read the mail is known here: their next sign-in is not held up by a stranger's."""
    language = visitor_language(request)
    if not _is_our_form(request, csrf):
        return _form(request, "reset.html", 403, _open_too_long(language), token=token)
    if password != again:
        return _form(request, "reset.html", 422, say(language, "The two passwords are not the same."), token=token)
    services = services_of(request)
    try:
        with services.database.write() as session:
            staff = reset_password(session, token, password, services.clock.now())
    except NotSignedIn:
        return _link_is_over(request)
    except InvalidField as fault:
        return _form(request, "reset.html", 422, say(language, str(fault)), token=token)
    words = say(language, "The new password is set. All browsers were signed out; sign in with it.")
    response = _sign_in_form(request, 200, done=words, email=staff.email)
    _remember_browser(response, request, staff)
    return response


def _link_is_over(request: Request) -> Response:
    language = visitor_language(request)
    error = say(language, "This link is over: it works once, for half an hour. Ask for a new one.")
    return _form(request, "forgotten.html", 410, error, is_sent=False, email="")


def sign_out_form(request: Request, csrf: Annotated[str, Form(max_length=200)] = "") -> Response:
    signed_in = signed_in_or_none(request)
    if signed_in is not None:
        check_same_site(request)
        check_csrf(signed_in.csrf_token, csrf)
        services = services_of(request)
        with services.database.write() as session:
            sign_out(session, session_token(request) or "", services.clock.now())
    response = _redirect("/staff/sign-in")
    response.delete_cookie(cookie_name(request), secure=is_https(request), httponly=True, samesite="lax")
    return response


def language_form(
    request: Request,
    language: Annotated[str, Form(max_length=35)],
    csrf: Annotated[str, Form(max_length=200)] = "",
    back: Annotated[str, Form(max_length=200)] = HOME,
) -> Response:
    """The colleague's own language, kept in the account."""
    signed_in = signed_in_or_none(request)
    if signed_in is None:
        return _redirect("/staff/sign-in")
    check_same_site(request)
    check_csrf(signed_in.csrf_token, csrf)
    response = _redirect(back if back in {page.path for page in PAGES} else HOME)
    if language in CONTENT_CODES:
        with services_of(request).database.write() as session:
            session.get_one(Staff, signed_in.staff.id).language = language
        _remember_language(response, request, language)
    return response


def _sign_in_form(
    request: Request, status: int = 200, error: str = "", email: str = "", done: str = "", next_path: str = ""
) -> Response:
    settings = services_of(request).settings
    response = _form(
        request,
        "sign_in.html",
        status,
        error,
        email=email,
        done=done,
        next=next_path,
        provider=(settings.oidc_name or settings.oidc_issuer) if settings.oidc_issuer else "",
    )
    if request.query_params.get("lang") == visitor_language(request):
        _remember_language(response, request, visitor_language(request))
    return response


def _form(request: Request, template: str, status: int = 200, error: str = "", **values: Any) -> Response:
    """A form of somebody who is not signed in yet, with a token of its own against other sites."""
    csrf = secrets.token_urlsafe(32)
    response = html(
        template,
        visitor_language(request),
        status,
        csrf=csrf,
        error=error,
        longest_password=LONGEST_PASSWORD,
        **values,
    )
    response.set_cookie(
        _sign_in_cookie(request), csrf, max_age=3600, httponly=True, samesite="lax", secure=is_https(request)
    )
    return response


def _is_our_form(request: Request, csrf: str) -> bool:
    expected = request.cookies.get(_sign_in_cookie(request), "")
    try:
        check_same_site(request)
        check_csrf(expected, csrf)
    except NotAllowed:
        return False
    return bool(expected)


def _open_too_long(language: str) -> str:
    return say(language, "This form was open for too long. Please send it again.")


def _wait(limit: TooMany, response: Response) -> Response:
    response.headers["Retry-After"] = str(int(limit.details["retry_after"]))
    return response


def _sign_in_cookie(request: Request) -> str:
    """What the form of somebody who has no session yet is checked against."""
    return "__Host-accueil_sign_in" if is_https(request) else "accueil_sign_in"


def _code_cookie(request: Request) -> str:
    """The right to take the second step."""
    return "__Host-accueil_code" if is_https(request) else "accueil_code"


def _remember_browser(response: Response, request: Request, staff: Staff) -> None:
    services = services_of(request)
    made = device_cookie(access_key(services.settings.data), staff.id, services.clock.now())
    response.set_cookie(
        device_cookie_name(request),
        with_device(request.cookies.get(device_cookie_name(request), ""), made),
        max_age=A_YEAR,
        httponly=True,
        samesite="lax",
        secure=is_https(request),
    )


def _remember_language(response: Response, request: Request, language: str) -> None:
    response.set_cookie(LANGUAGE_COOKIE, language, max_age=A_YEAR, samesite="lax", secure=is_https(request))


def _redirect(path: str) -> RedirectResponse:
    return RedirectResponse(path, 303, headers=HEADERS)
