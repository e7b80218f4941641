"""Role × route: every request below /staff and /api/v1/staff is tried by every role, and docs/access-matrix.md is that.

`ACCUEIL_WRITE_MATRIX=1` writes the table anew; whoever commits it has read it.
"""

import os
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from bot.bootstrap import Services
from bot.clock import FixedClock
from bot.config import ROOT
from bot.console import staff_api_router, staff_pages_router
from bot.console.pages import PAGES
from bot.db.session import Database
from bot.gateway.problems import MEDIA_TYPE
from bot.identity.models import Role, Staff
from tests.contract.test_console_pages import ASKED, BODIES, requests_behind_pages
from tests.factories import make_conversation, make_staff
from tests.integration.console.desk import bearer_of, browser, desk_app, desk_services, enter

FILE = ROOT / "docs" / "access-matrix.md"
HEAD = """# Role and request

Written by `tests/contract/test_access.py`, which tries every cell: ● allowed, – refused. Without a session a page leads
to the sign-in and everything else is refused; an unsafe request without the CSRF token or from another site is refused
to every role. `typing` is for whoever holds the conversation, whatever the role.

| | request | adviser | coordinator | editor | admin | auditor |
| --- | --- | --- | --- | --- | --- | --- |
"""
OPEN = {
    "/staff/static/{name}",
    "/staff/sign-in",
    "/staff/sign-out",
    "/staff/language",
    "/staff/code",
    "/staff/forgotten",
    "/staff/reset",
    "/staff/oidc",
    "/staff/oidc/callback",
}
"""The door: reached without being signed in, tested by tests/integration/console."""
ENDLESS = "/staff/events"
NOBODY: dict[str, Any] = {"account": 999_999, "number": 999_999, "role": "editor"}
FORMS: dict[str, dict[str, Any]] = {
    **{f"/staff/accounts/{deed}": NOBODY for deed in ("disable", "enable", "reset", "role", "second-step/off")},
    **{f"/staff/accounts/sessions/{deed}": NOBODY for deed in ("end", "end-all")},
    "/staff/account/sessions/end": NOBODY,
    "/staff/account/calls": {"mail_after": 0},
    "/staff/account/calls/stop": NOBODY,
    "/staff/answers/decide": {"edition": 999_999, "deed": "submit"},
    "/staff/answers/save": {"edition": 999_999, "number": 1},
    "/staff/bookings/change": {"offer_id": 999_999, "offer": 999_999},
    "/staff/bookings/cancel": {"offer_id": 999_999, "offer": 999_999, "told": "no"},
    "/staff/bookings/level": {"student": 999_999, "student_id": 999_999, "level": "A1"},
    "/staff/bookings/certificate": {"number": 999_999, "request": 999_999},
    "/staff/buddies/alert": {"alert": 999_999, "action": "close"},
    "/staff/buddies/import/confirm": {"name": "0" * 32, "file": "0" * 32},
    "/staff/buddies/import/discard": {"name": "0" * 32, "file": "0" * 32},
    "/staff/buddies/import/report": {"name": "0" * 32, "file": "0" * 32},
    "/staff/buddies/publish": {"run": 999_999},
    "/staff/buddies/rule": {"rule": "forget", "newcomer": 999_999, "buddy": 999_999, "run": 0},
    "/staff/buddies/undo": {"run": 999_999},
    "/staff/students/confirm": {"name": "0" * 32, "file": "0" * 32},
    "/staff/students/discard": {"name": "0" * 32, "file": "0" * 32},
    "/staff/students/report": {"name": "0" * 32, "file": "0" * 32},
    "/staff/students/request": {"request_id": 999_999, "decision": "refuse"},
}
"""Of what does not exist, so that nothing is changed."""
UNREAD: set[str] = set()
"""Requests whose body was refused before anything looked at the role: their cells would say nothing."""


def routes_of(router: APIRouter) -> set[tuple[str, str]]:
    """(method, path) of everything behind a router, routers in it included."""
    found: set[tuple[str, str]] = set()
    for route in router.routes:
        # FastAPI keeps an included router as it is; its contexts have the whole paths.
        contexts = route.effective_route_contexts() if hasattr(route, "effective_route_contexts") else [route]
        found |= {(method, each.path) for each in contexts for method in each.methods - {"HEAD"}}
    return found


REQUESTS = sorted(
    (method, path)
    for method, path in routes_of(staff_pages_router()) | routes_of(staff_api_router())
    if path not in OPEN
)
UNSAFE = [(method, path) for method, path in REQUESTS if method != "GET" and path.startswith("/staff")]
PATHS = {page.path for page in PAGES}
on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""Roles do not depend on the database."""


@pytest.fixture
def services(database: Database, clock: FixedClock) -> Services:
    return desk_services(database, clock)


@pytest.fixture
def app(services: Services) -> FastAPI:
    return desk_app(services)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(app) as client:
        yield client


@pytest.fixture
def conversation_id(services: Services) -> UUID:
    with services.database.write() as session:
        return make_conversation(session, services.clock.now()).id


async def answer(
    client: httpx.AsyncClient, method: str, path: str, conversation_id: UUID, **more: Any
) -> httpx.Response:
    """Every {number} in the path is one that does not exist."""
    filled = path.replace("{conversation_id}", str(conversation_id))
    while "{" in filled:
        before, _, rest = filled.partition("{")
        filled = f"{before}1{rest.partition('}')[2]}"
    if (form := FORMS.get(path)) is not None:
        return await client.request(method, filled, data=form, **more)
    body = BODIES.get(path.rpartition("/")[2], {}) if method != "GET" else None
    return await client.request(method, filled, json=body, params=ASKED.get(path), **more)


async def may(
    client: httpx.AsyncClient, method: str, path: str, conversation_id: UUID, headers: dict[str, str]
) -> bool:
    if path == ENDLESS:
        # Asked without taking the stream: the guard of the list beside it is the same one.
        path = "/staff/rows"
    response = await answer(client, method, path, conversation_id, headers=headers)
    is_unread = response.status_code == 422 and response.headers["Content-Type"] == MEDIA_TYPE
    if is_unread:
        UNREAD.add(path)
    return response.status_code not in (401, 403)


@on_one_database
async def test_every_cell_is_as_it_is_written(client: httpx.AsyncClient, services: Services, conversation_id: UUID):
    cells: dict[tuple[str, str], list[str]] = {each: [] for each in REQUESTS}
    for role in Role:
        with services.database.write() as session:
            staff = make_staff(session, services.clock.now(), role.title(), role)
            bearer = bearer_of(session, services, staff)
        enter(client, services, staff)
        for method, path in REQUESTS:
            headers = bearer if path.startswith("/api/") else {}
            allowed = await may(client, method, path, conversation_id, headers)
            cells[method, path].append("●" if allowed else "–")
            with services.database.write() as session:
                # Whatever the last request did, the next one meets the account as it was.
                assert session.get_one(Staff, staff.id).role == role
    assert set() == UNREAD, "give them a good body in FORMS or BODIES"
    rows = "".join(f"| {method} | `{path}` | {' | '.join(marks)} |\n" for (method, path), marks in cells.items())
    if os.environ.get("ACCUEIL_WRITE_MATRIX"):
        FILE.write_text(HEAD + rows, encoding="utf-8")

    assert FILE.read_text(encoding="utf-8") == HEAD + rows


def test_no_request_behind_a_page_is_left_out():
    assert set(requests_behind_pages()) - set(REQUESTS) == set()


def test_an_auditor_changes_nothing_but_the_own_account():
    rows = [line.split("|") for line in FILE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    changes = [row[2].strip(" `") for row in rows if row[1].strip() not in ("GET", "", "---") and "●" in row[7]]

    assert [path for path in changes if not path.startswith("/staff/account/")] == ["/staff/api/here"]


def test_a_page_is_open_to_its_roles_and_to_no_other():
    rows = [line.split("|") for line in FILE.read_text(encoding="utf-8").splitlines() if line.startswith("| GET")]
    marks = {row[2].strip(" `"): [cell.strip() for cell in row[3:8]] for row in rows}

    for page in PAGES:
        assert marks[page.path] == ["●" if role in page.roles else "–" for role in Role]


@on_one_database
async def test_without_a_session_nothing_is_open(client: httpx.AsyncClient, conversation_id: UUID):
    answers = {
        (method, path): (await answer(client, method, path, conversation_id)).status_code for method, path in REQUESTS
    }

    assert answers == {(method, path): 303 if path in PATHS else 401 for method, path in REQUESTS}


@on_one_database
async def test_without_the_second_step_a_role_needs_its_own_account_alone_is_open(
    database: Database, clock: FixedClock
):
    services = desk_services(database, clock, require_totp="admin")
    with database.write() as session:
        talk = make_conversation(session, clock.now()).id
        marc = make_staff(session, clock.now(), "Marc", Role.ADMIN)
        bearer = bearer_of(session, services, marc)
    async with browser(desk_app(services)) as client:
        enter(client, services, marc)
        answers = {
            (method, path): await answer(client, method, path, talk, headers=bearer if path.startswith("/api/") else {})
            for method, path in REQUESTS
        }
    refused = {
        each: response.headers.get("Location", response.status_code)
        for each, response in answers.items()
        if response.status_code in (401, 403) or response.headers.get("Location") == "/staff/account"
    }
    own = {(method, path) for method, path in REQUESTS if f"{path}/".startswith("/staff/account/")}

    assert len(own) == 10
    assert refused == {each: "/staff/account" if each[1] in PATHS else 403 for each in REQUESTS if each not in own}


@on_one_database
@pytest.mark.parametrize(
    "headers", [{"X-CSRF-Token": ""}, {"X-CSRF-Token": "guessed"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_an_unsafe_request_without_the_token_or_from_another_site_is_refused(
    client: httpx.AsyncClient, services: Services, conversation_id: UUID, headers: dict[str, str]
):
    with services.database.write() as session:
        enter_as = make_staff(session, services.clock.now(), "Marc", Role.ADMIN)
    enter(client, services, enter_as)
    answers = {
        (method, path): (await answer(client, method, path, conversation_id, headers=headers)).status_code
        for method, path in UNSAFE
    }

    assert answers == dict.fromkeys(UNSAFE, 403)
