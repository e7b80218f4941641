"""The console as one router: the door, and every page of PAGES behind it."""

from collections.abc import Callable
from functools import cache

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from bot.console.access import lacks_second_step, note_presence, requires, services_of, signed_in_or_none
from bot.console.door import door_router, sign_in_address
from bot.console.html import HEADERS, static_file
from bot.console.messages import message_page
from bot.console.oidc import oidc_router
from bot.console.pages import PAGES, Page
from bot.console.pages.account.routes import PAGE as ACCOUNT


@cache
def staff_pages_router() -> APIRouter:
    """Everything below `/staff`."""
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/staff/static/{name}", static_file, methods=["GET", "HEAD"])
    router.include_router(door_router())
    router.include_router(oidc_router())
    for page in PAGES:
        router.add_api_route(page.path, _door(page), methods=["GET", "HEAD"])
        guard = requires(page.roles, is_own=page.is_own)
        router.include_router(page.routes, dependencies=[Depends(guard), Depends(_never_stored)])
    return router


def _never_stored(response: Response) -> None:
    response.headers.update(HEADERS)


def _with_query(request: Request, path: str) -> str:
    return f"{path}?{request.url.query}" if request.url.query else path


def _door(page: Page) -> Callable[[Request], Response]:
    """The page for whoever may see it, the sign-in for a stranger, a plain no for another role."""

    def open_page(request: Request) -> Response:
        # htmx on the page asks for it anew; nobody did anything.
        by_itself = "HX-Request" in request.headers
        signed_in = signed_in_or_none(request)
        if signed_in is None:
            where = sign_in_address(page.path if by_itself else _with_query(request, page.path))
            if by_itself:
                return Response(status_code=401, headers={**HEADERS, "HX-Redirect": where})
            return RedirectResponse(where, 303, headers=HEADERS)
        if signed_in.staff.role not in page.roles:
            return message_page(request, 403)
        if not by_itself:
            note_presence(services_of(request), signed_in)
        if lacks_second_step(request, signed_in.staff) and not page.is_own:
            return RedirectResponse(ACCOUNT, 303, headers=HEADERS)
        return page.render(request, signed_in)

    return open_page
