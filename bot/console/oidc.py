"""The way in over the school's identity provider: there, and back."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from bot.console.access import is_https, services_of, session_token, visitor_of
from bot.console.door import let_in, next_of, sign_in_page_with, to_second_step
from bot.console.html import HEADERS, visitor_language
from bot.i18n.translate import say
from bot.identity.oidc import CALLBACK, OidcRefused, account_of, begin, person_behind, sealed, unsealed
from bot.identity.staff import CodeNeeded, enter, sign_out
from bot.log import get_logger

log = get_logger(__name__)


def oidc_router() -> APIRouter:
    router = APIRouter()
    router.add_api_route("/staff/oidc", leave, methods=["GET"])
    router.add_api_route(CALLBACK, come_back, methods=["GET"])
    return router


def leave(request: Request) -> Response:
    """To the provider."""
    services = services_of(request)
    if not services.settings.oidc_issuer:
        return RedirectResponse("/staff/sign-in", 303, headers=HEADERS)
    try:
        address, begun = begin(services.settings, next_of(request), services.clock.now().timestamp())
    except OidcRefused as refused:
        return _refused(request, refused, 502)
    response = RedirectResponse(address, 303, headers=HEADERS)
    response.set_cookie(
        _cookie(request),
        sealed(visitor_of(request).key, begun),
        max_age=600,
        httponly=True,
        samesite="lax",
        secure=is_https(request),
    )
    return response


def come_back(request: Request) -> Response:
    """From the provider, with a code; the account is one of ours or nobody comes in."""
    services = services_of(request)
    if not services.settings.oidc_issuer:
        return RedirectResponse("/staff/sign-in", 303, headers=HEADERS)
    visitor, now = visitor_of(request), services.clock.now()
    try:
        begun = unsealed(visitor.key, request.cookies.get(_cookie(request), ""), now.timestamp())
        person = person_behind(services.settings, begun, request.query_params, now.timestamp())
        with services.database.write() as session:
            staff = account_of(session, services.settings, person, now)
            staff, token, _csrf = enter(session, staff, visitor, now)
            sign_out(session, session_token(request) or "", now)
    except CodeNeeded as step:
        response = to_second_step(request, step, begun.next)
    except OidcRefused as refused:
        return _refused(request, refused, 403)
    else:
        response = let_in(request, staff, token, begun.next)
    response.delete_cookie(_cookie(request), secure=is_https(request), httponly=True, samesite="lax")
    return response


def _refused(request: Request, refused: OidcRefused, status: int) -> Response:
    log.warning("oidc refused", reason=refused.reason)
    words = say(
        visitor_language(request),
        "The sign-in there did not work, or there is no account for you here. Ask an administrator of the desk.",
    )
    response = sign_in_page_with(request, words, status)
    response.delete_cookie(_cookie(request), secure=is_https(request), httponly=True, samesite="lax")
    return response


def _cookie(request: Request) -> str:
    return "__Host-accueil_oidc" if is_https(request) else "accueil_oidc"
