"""The console's door: sign in, sign out, language, and every page of PAGES behind it."""

import secrets
from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from bot.console.access import (
    check_csrf,
    cookie_name,
    is_https,
    note_presence,
    requires,
    services_of,
    session_token,
    signed_in_or_none,
)
from bot.console.html import HEADERS, LANGUAGE_COOKIE, console_language, html, static_file, visitor_language
from bot.console.pages import PAGES, Page
from bot.errors import NotAllowed, NotSignedIn, TooMany
from bot.i18n.languages import CONTENT_CODES
from bot.i18n.translate import say, say_n
from bot.identity.models import Staff
from bot.identity.staff import LONGEST_PASSWORD, LONGEST_SESSION, sign_in, sign_out

HOME = "/staff"
A_YEAR = 365 * 24 * 3600


def staff_pages_router() -> APIRouter:
    """Everything below `/staff`."""
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/staff/static/{name}", static_file, methods=["GET", "HEAD"])
    router.add_api_route("/staff/sign-in", sign_in_page, methods=["GET", "HEAD"])
    router.add_api_route("/staff/sign-in", sign_in_form, methods=["POST"])
    router.add_api_route("/staff/sign-out", sign_out_form, methods=["POST"])
    router.add_api_route("/staff/language", language_form, methods=["POST"])
    for page in PAGES:
        router.add_api_route(page.path, _door(page), methods=["GET", "HEAD"])
        router.include_router(page.routes, dependencies=[Depends(requires(page.roles)), Depends(_never_stored)])
    return router


def _never_stored(response: Response) -> None:
    response.headers.update(HEADERS)


def _door(page: Page) -> Callable[[Request], Response]:
    """The page for whoever may see it, the sign-in for a stranger, a plain no for another role."""

    def open_page(request: Request) -> Response:
        signed_in = signed_in_or_none(request)
        if signed_in is None:
            return _redirect("/staff/sign-in" + ("" if page.path == HOME else "?" + urlencode({"next": page.path})))
        if signed_in.staff.role not in page.roles:
            language = console_language(signed_in.staff.language)
            return html("message.html", language, 403, title=say(language, NotAllowed.user_text), home=HOME)
        note_presence(services_of(request), signed_in)
        return page.render(request, signed_in)

    return open_page


def sign_in_page(request: Request) -> Response:
    if signed_in_or_none(request) is not None:
        return _redirect(HOME)
    return _sign_in_form(request)


def sign_in_form(
    request: Request,
    email: Annotated[str, Form(max_length=1000)] = "",
    password: Annotated[str, Form(max_length=4 * LONGEST_PASSWORD)] = "",
    csrf: Annotated[str, Form(max_length=200)] = "",
    next_path: Annotated[str, Form(alias="next", max_length=200)] = "",
) -> Response:
    language = visitor_language(request)
    expected = request.cookies.get(_sign_in_cookie(request), "")
    try:
        if not expected:
            raise NotAllowed
        check_csrf(expected, csrf)
    except NotAllowed:
        error = say(language, "This form was open for too long. Please send it again.")
        return _sign_in_form(request, 403, error, email)
    services = services_of(request)
    address = request.client.host if request.client else ""
    try:
        with services.database.write() as session:
            staff, token, _csrf = sign_in(session, email, password, address, services.clock.now())
            # Whoever sat at this browser before is signed out, whoever it was.
            sign_out(session, session_token(request) or "", services.clock.now())
    except NotSignedIn:
        error = say(language, "The e-mail address or the password is wrong.")
        return _sign_in_form(request, 401, error, email)
    except TooMany as limit:
        wait = int(limit.details["retry_after"])
        error = say_n(
            language,
            "Too many attempts. Please try again in {number} minute.",
            "Too many attempts. Please try again in {number} minutes.",
            -(-wait // 60),
        )
        response = _sign_in_form(request, 429, error, email)
        response.headers["Retry-After"] = str(wait)
        return response
    response = _redirect(next_path if next_path in {page.path for page in PAGES} else HOME)
    response.set_cookie(
        cookie_name(request),
        token,
        max_age=int(LONGEST_SESSION.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=is_https(request),
    )
    response.delete_cookie(_sign_in_cookie(request), secure=is_https(request), httponly=True, samesite="lax")
    _remember_language(response, request, console_language(staff.language))
    return response


def sign_out_form(request: Request, csrf: Annotated[str, Form(max_length=200)] = "") -> Response:
    signed_in = signed_in_or_none(request)
    if signed_in is not None:
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
    check_csrf(signed_in.csrf_token, csrf)
    response = _redirect(back if back in {page.path for page in PAGES} else HOME)
    if language in CONTENT_CODES:
        with services_of(request).database.write() as session:
            session.get_one(Staff, signed_in.staff.id).language = language
        _remember_language(response, request, language)
    return response


def _sign_in_form(request: Request, status: int = 200, error: str = "", email: str = "") -> Response:
    language = visitor_language(request)
    csrf = secrets.token_urlsafe(32)
    response = html(
        "sign_in.html",
        language,
        status,
        csrf=csrf,
        error=error,
        email=email,
        next=request.query_params.get("next", ""),
    )
    response.set_cookie(
        _sign_in_cookie(request), csrf, max_age=3600, httponly=True, samesite="lax", secure=is_https(request)
    )
    if request.query_params.get("lang") == language:
        _remember_language(response, request, language)
    return response


def _sign_in_cookie(request: Request) -> str:
    """What the form of somebody who has no session yet is checked against."""
    return "__Host-accueil_sign_in" if is_https(request) else "accueil_sign_in"


def _remember_language(response: Response, request: Request, language: str) -> None:
    response.set_cookie(LANGUAGE_COOKIE, language, max_age=A_YEAR, samesite="lax", secure=is_https(request))


def _redirect(path: str) -> RedirectResponse:
    return RedirectResponse(path, 303, headers=HEADERS)
