"""Who is at the desk: the checked ways in, by personal token (other programs) and by session cookie (browsers)."""

import secrets
from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from bot.bootstrap import Services
from bot.errors import NotAllowed, NotSignedIn
from bot.identity.keys import access_key
from bot.identity.models import Role, Staff
from bot.identity.staff import FRESH, SignedIn, Visitor, is_stale, keep_alive, note_seen, session_of, staff_of_token

PRESENCE = "/staff/api/here"
"""Not a deed: somebody is reading."""
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


def device_cookie_name(request: Request) -> str:
    return "__Host-accueil_known" if is_https(request) else "accueil_known"


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


def check_same_site(request: Request) -> None:
    """Raises NotAllowed when another site sent this: browsers say so, whatever the token."""
    came_from = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if came_from is not None:
        is_ours = came_from in ("same-origin", "none")
    elif origin is not None:
        own = {request.url.netloc, urlsplit(services_of(request).settings.address).netloc}
        is_ours = urlsplit(origin).netloc in own
    else:
        is_ours = True
    if not is_ours:
        raise NotAllowed("This request came from another site.")


def lacks_second_step(request: Request, staff: Staff) -> bool:
    """The role needs a second step and the account has none: nothing but its own page is open."""
    return staff.totp_since is None and staff.role in services_of(request).settings.roles_with_second_step


def check_second_step(request: Request, staff: Staff) -> None:
    """Raises NotAllowed when the account `lacks_second_step`."""
    if lacks_second_step(request, staff):
        raise NotAllowed("Set up the second step first, on the page of your account.")


def visitor_of(request: Request) -> Visitor:
    """Where a request comes from, for the throttle and for the list of sessions."""
    return Visitor(
        address=request.client.host if request.client else "",
        user_agent=request.headers.get("User-Agent", "")[:500],
        device=request.cookies.get(device_cookie_name(request), ""),
        key=access_key(services_of(request).settings.data),
    )


def by_session(request: Request, csrf: Annotated[str | None, Depends(csrf_given)]) -> SignedIn:
    """The way in of the console's own requests.

    Raises:
        NotSignedIn: no valid session.
        NotAllowed: an unsafe request without the session's CSRF token or from another site.
    """
    signed_in = signed_in_or_none(request)
    if signed_in is None:
        raise NotSignedIn
    if request.method not in SAFE_METHODS:
        check_same_site(request)
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
        NotAllowed: a second step is missing.
    """
    if given is None or not given.credentials.strip():
        raise NotSignedIn
    services = services_of(request)
    with services.database.read() as session:
        staff = staff_of_token(session, given.credentials.strip())
    check_second_step(request, staff)
    now = services.clock.now()
    # As in a browser: what a program reads by itself is no sign of anybody.
    if request.method not in SAFE_METHODS and (staff.seen_at is None or now - staff.seen_at >= FRESH):
        with services.database.write() as session:
            note_seen(session, staff, now)
    return staff


def requires(roles: frozenset[Role], *, is_own: bool = False) -> Callable[[Request, SignedIn], None]:
    """A dependency that lets only these roles through, with the second step that theirs needs, and an auditor only to
    read. The routes of one's own account (`is_own`) are open without a second step, and to changes of an auditor.
    Raises NotAllowed.
    """

    def check(request: Request, signed_in: Annotated[SignedIn, Depends(by_session)]) -> None:
        role = signed_in.staff.role
        if not is_own:
            check_second_step(request, signed_in.staff)
        is_reading = request.method in SAFE_METHODS or request.url.path == PRESENCE
        if role not in roles or (role == Role.AUDITOR and not is_reading and not is_own):
            raise NotAllowed

    return check
