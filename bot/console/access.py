"""Who is at the desk: the checked ways in, by personal token (other programs) and by session cookie (browsers)."""

import secrets
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from bot.bootstrap import Services
from bot.errors import NotAllowed, NotSignedIn
from bot.identity.models import Role, Staff
from bot.identity.staff import SignedIn, is_stale, keep_alive, session_of, staff_of_token

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def services_of(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(services_of)]


def is_https(request: Request) -> bool:
    """Whether the browser reached us by https, a TLS proxy before us included."""
    return request.url.scheme == "https" or services_of(request).settings.address.startswith("https://")


def cookie_name(request: Request) -> str:
    return "__Host-accueil_staff" if is_https(request) else "accueil_staff"


def session_token(request: Request) -> str | None:
    return request.cookies.get(cookie_name(request))


def signed_in_or_none(request: Request) -> SignedIn | None:
    """Who the session cookie stands for; None when it is missing, over, or its account is disabled."""
    token = session_token(request)
    return signed_in_with(services_of(request), token) if token else None


def signed_in_with(services: Services, token: str) -> SignedIn | None:
    """As `signed_in_or_none`, for a stream that looks again while it runs."""
    try:
        with services.database.read() as session:
            return session_of(session, token, services.clock.now())
    except NotSignedIn:
        return None


def note_presence(services: Services, signed_in: SignedIn) -> None:
    """Somebody did something in this browser: the session does not run out. What a page does by itself is no sign."""
    now = services.clock.now()
    if is_stale(signed_in, now):
        with services.database.write() as session:
            keep_alive(session, signed_in, now)


FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


async def csrf_given(request: Request, x_csrf_token: Annotated[str | None, Header()] = None) -> str | None:
    """The CSRF token of a request: a script sends it as a header, a form as its field `csrf`."""
    if x_csrf_token is not None or request.method in SAFE_METHODS:
        return x_csrf_token
    if not request.headers.get("Content-Type", "").startswith(FORMS):
        return None
    field = (await request.form()).get("csrf")
    return field if isinstance(field, str) else None


def by_session(request: Request, csrf: Annotated[str | None, Depends(csrf_given)]) -> SignedIn:
    """The way in of the console's own requests.

    Raises:
        NotSignedIn: no valid session.
        NotAllowed: an unsafe request without the session's CSRF token.
    """
    signed_in = signed_in_or_none(request)
    if signed_in is None:
        raise NotSignedIn
    if request.method not in SAFE_METHODS:
        check_csrf(signed_in.csrf_token, csrf)
        note_presence(services_of(request), signed_in)
    return signed_in


def check_csrf(expected: str, given: str | None) -> None:
    """Raises NotAllowed when the page that sent this is not ours."""
    if not given or not secrets.compare_digest(expected.encode(), given.encode(errors="replace")):
        raise NotAllowed("The CSRF token is missing or belongs to another session. Load the page again.")


def staff_by_session(signed_in: Annotated[SignedIn, Depends(by_session)]) -> Staff:
    return signed_in.staff


STAFF_TOKEN = HTTPBearer(
    auto_error=False, scheme_name="staff", description="A personal token from `accueil staff token EMAIL`."
)


def staff_by_token(
    request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(STAFF_TOKEN)]
) -> Staff:
    """The way in of other programs: `Authorization: Bearer` with a personal token.

    Raises:
        NotSignedIn: no token, an unknown one, or that of a disabled account.
    """
    if given is None or not given.credentials.strip():
        raise NotSignedIn
    services = services_of(request)
    with services.database.read() as session:
        return staff_of_token(session, given.credentials.strip(), services.clock.now())


def requires(roles: frozenset[Role]) -> Callable[[SignedIn], None]:
    """A dependency that lets only these roles through. Raises NotAllowed."""

    def check(signed_in: Annotated[SignedIn, Depends(by_session)]) -> None:
        if signed_in.staff.role not in roles:
            raise NotAllowed

    return check
