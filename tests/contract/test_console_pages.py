"""Every page of the console, and every request behind one, answers the same questions."""

import re
from collections.abc import AsyncIterator
from hashlib import sha256
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from bot.bootstrap import Services
from bot.clock import FixedClock
from bot.console import html as console_html
from bot.console.pages import PAGES, Page
from bot.db.session import Database
from bot.handoff.service import MAY_ANSWER
from bot.i18n.languages import CONTENT_CODES
from bot.identity.models import Role, Staff
from tests.factories import make_conversation, make_staff
from tests.integration.console.desk import browser, desk_app, desk_services, enter

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)


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


def staff_of(services: Services, role: Role) -> Staff:
    with services.database.write() as session:
        return make_staff(session, services.clock.now(), role.title(), role)


def requests_behind_pages() -> list[tuple[str, str]]:
    """(method, path) of everything that the scripts of the pages may ask for."""
    app = FastAPI()
    for page in PAGES:
        app.include_router(page.routes)
    return sorted((method.upper(), path) for path, methods in app.openapi()["paths"].items() for method in methods)


REQUESTS = requests_behind_pages()
CHANGING_A_TALK = [(method, path) for method, path in REQUESTS if method != "GET" and "{conversation_id}" in path]
ELSEWHERE = (
    "/staff/events",
    "/staff/api/conversations/{conversation_id}/files/{file_id}",
    "/staff/audit/log.csv",
    *(f"/staff/radar/{name}" for name in ("report.pdf", "students", "stuck.csv", "weeks.csv")),
)
"""The stream never ends; a file needs one that has arrived (tests/integration/console/test_files.py); radar and log
are not for every role (tests/contract/test_access.py)."""
READING = [path for method, path in REQUESTS if method == "GET" and path not in ELSEWHERE]
ASKED = {
    "/staff/rows/found": {"q": "visa"},
    **{
        f"{place}/conversations/{{conversation_id}}/files": {
            "client_id": "7f8ad1f0-95d6-4c0c-b7a1-6a0f2a7f7d11",
            "name": "form.pdf",
        }
        for place in ("/staff/api", "/api/v1/staff")
    },
}
requests = pytest.mark.parametrize(("method", "path"), REQUESTS)
BODIES: dict[str, dict[str, object]] = {
    "messages": {"client_id": "7f8ad1f0-95d6-4c0c-b7a1-6a0f2a7f7d10", "text": "Hello"},
    "typing": {"on": True},
    "transfer": {"to": {"desk": "housing"}},
    "notes": {"text": "Look at the lease."},
    "tasks": {"text": "Send the certificate", "due": "2026-11-27"},
    "tags": {"tags": ["visa"]},
    "snooze": {"until": "2026-11-27T09:00:00+01:00"},
    "viewing": {"composing": False},
    "{seq}": {"text": "Other words"},
    "push": {
        "endpoint": "https://fcm.googleapis.com/fcm/send/1",
        "keys": {
            "p256dh": "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8",
            "auth": "AAAAAAAAAAAAAAAAAAAAAA",
        },
    },
    "stop": {"endpoint": "https://fcm.googleapis.com/fcm/send/1"},
}
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


def address(path: str, conversation_id: UUID) -> str:
    return path.format(conversation_id=conversation_id, file_id=1, seq=1, note_id=1, task_id=1)


def body_of(path: str) -> dict[str, object]:
    return BODIES.get(path.rpartition("/")[2], {})


@pages
async def test_a_stranger_is_sent_to_the_sign_in(client: httpx.AsyncClient, page: Page):
    response = await client.get(page.path)

    assert response.status_code == 303
    assert response.headers["Location"].startswith("/staff/sign-in")


@pages
@pytest.mark.parametrize("role", Role)
async def test_a_page_opens_for_its_roles_and_for_no_other(
    client: httpx.AsyncClient, services: Services, page: Page, role: Role
):
    enter(client, services, staff_of(services, role))
    response = await client.get(page.path)

    assert response.status_code == (200 if role in page.roles else 403)


@pages
async def test_a_page_of_a_disabled_account_is_closed(client: httpx.AsyncClient, services: Services, page: Page):
    staff = staff_of(services, min(page.roles))
    enter(client, services, staff)
    with services.database.write() as session:
        session.get_one(Staff, staff.id).disabled = True

    assert (await client.get(page.path)).status_code == 303


@pages
@pytest.mark.parametrize("language", CONTENT_CODES)
async def test_a_page_speaks_the_language_of_the_colleague(
    client: httpx.AsyncClient, services: Services, page: Page, language: str
):
    staff = staff_of(services, min(page.roles))
    with services.database.write() as session:
        session.get_one(Staff, staff.id).language = language
    enter(client, services, staff)
    response = await client.get(page.path)

    assert f'<html lang="{language}"' in response.text
    assert response.headers["Content-Language"] == language


@pages
async def test_a_page_is_neither_stored_nor_framed_nor_runs_foreign_scripts(
    client: httpx.AsyncClient, services: Services, page: Page
):
    enter(client, services, staff_of(services, min(page.roles)))
    response = await client.get(page.path)

    headers = {name: response.headers[name] for name in console_html.HEADERS}
    assert headers == console_html.HEADERS
    assert "'unsafe-inline'" not in headers["Content-Security-Policy"]
    assert " style=" not in response.text
    assert " onclick=" not in response.text


@pytest.mark.parametrize(("script", "licence"), [("htmx.min", "htmx"), ("idiomorph-ext.min", "idiomorph")])
def test_a_script_that_is_not_ours_is_the_one_that_its_licence_names(script: str, licence: str):
    folder = console_html.FOLDER / "static"
    named = re.search(r"SHA-256: (\w+)", (folder / f"{licence}.LICENSE").read_text(encoding="utf-8"))

    assert named is not None
    assert named[1] == sha256((folder / f"{script}.js").read_bytes()).hexdigest()


@requests
async def test_a_stranger_is_told_nothing(client: httpx.AsyncClient, conversation_id: UUID, method: str, path: str):
    body = body_of(path) if method in UNSAFE else None
    response = await client.request(method, address(path, conversation_id), json=body)

    assert (response.status_code, response.json()["code"]) == (401, "not_signed_in")


@pytest.mark.parametrize(("method", "path"), [each for each in REQUESTS if each[0] in UNSAFE])
async def test_an_unsafe_request_without_the_csrf_token_is_refused(
    client: httpx.AsyncClient, services: Services, conversation_id: UUID, method: str, path: str
):
    enter(client, services, staff_of(services, Role.ADMIN))
    del client.headers["X-CSRF-Token"]
    response = await client.request(method, address(path, conversation_id), json=body_of(path))

    assert (response.status_code, response.json()["code"]) == (403, "not_allowed")


@pytest.mark.parametrize(("method", "path"), CHANGING_A_TALK)
@pytest.mark.parametrize("role", sorted(set(Role) - MAY_ANSWER))
async def test_a_role_that_only_reads_changes_no_conversation(
    client: httpx.AsyncClient, services: Services, conversation_id: UUID, method: str, path: str, role: Role
):
    enter(client, services, staff_of(services, role))
    response = await client.request(method, address(path, conversation_id), json=body_of(path), params=ASKED.get(path))

    assert (response.status_code, response.json()["code"]) == (403, "not_allowed")


@pytest.mark.parametrize("path", READING)
@pytest.mark.parametrize("role", Role)
async def test_every_role_reads_and_nothing_read_is_stored(
    client: httpx.AsyncClient, services: Services, conversation_id: UUID, path: str, role: Role
):
    enter(client, services, staff_of(services, role))
    response = await client.get(address(path, conversation_id), params=ASKED.get(path))

    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-store")


def test_the_requests_behind_the_pages_are_known():
    talk = "/staff/api/conversations/{conversation_id}"
    assert {
        ("DELETE", f"{talk}/messages/{{seq}}"),
        ("DELETE", "/staff/api/notes/{note_id}"),
        ("GET", "/staff/api/conversations"),
        ("GET", "/staff/api/conversations/{conversation_id}"),
        ("GET", "/staff/api/conversations/{conversation_id}/files"),
        ("GET", "/staff/api/conversations/{conversation_id}/files/{file_id}"),
        ("GET", "/staff/api/conversations/{conversation_id}/messages"),
        *(("GET", f"{talk}/{name}") for name in ("notes", "people", "transcript")),
        *(("GET", f"/staff/api/{name}") for name in ("desks", "mentions", "tags", "tasks")),
        ("GET", "/staff/audit/log.csv"),
        ("GET", "/staff/beside/{conversation_id}"),
        ("GET", "/staff/beside/{conversation_id}/answers"),
        ("GET", "/staff/beside/{conversation_id}/replies"),
        ("GET", "/staff/events"),
        *(("GET", f"/staff/rows{name}") for name in ("", "/found", "/promises")),
        ("PATCH", f"{talk}/messages/{{seq}}"),
        *(("POST", f"/staff/answers/{name}") for name in ("confirm", "decide", "edit", "save")),
        *(("GET", f"/staff/radar/{name}") for name in ("report.pdf", "stuck.csv", "students", "weeks.csv")),
        ("POST", "/staff/api/conversations/{conversation_id}/claim"),
        ("POST", "/staff/api/conversations/{conversation_id}/close"),
        ("POST", "/staff/api/conversations/{conversation_id}/files"),
        ("POST", "/staff/api/conversations/{conversation_id}/messages"),
        ("POST", f"{talk}/notes"),
        ("POST", "/staff/api/conversations/{conversation_id}/release"),
        *(("POST", f"{talk}/{name}") for name in ("snooze", "tasks", "transfer")),
        ("POST", "/staff/api/conversations/{conversation_id}/typing"),
        *(("POST", f"{talk}/{name}") for name in ("undo", "viewing", "wake")),
        ("POST", "/staff/api/here"),
        *(("POST", f"/staff/api/tasks/{{task_id}}/{name}") for name in ("done", "undo")),
        *(("POST", f"/staff/account/{name}") for name in ("password", "second-step", "second-step/codes")),
        *(("POST", f"/staff/account/{name}") for name in ("second-step/confirm", "second-step/off")),
        *(("POST", f"/staff/account/{name}") for name in ("calls", "calls/stop")),
        *(("POST", f"/staff/api/{name}") for name in ("push", "push/stop")),
        *(("POST", f"/staff/account/sessions/{name}") for name in ("end", "end-others")),
        *(("POST", f"/staff/accounts/{name}") for name in ("add", "disable", "enable", "reset", "role")),
        *(("POST", f"/staff/accounts/{name}") for name in ("second-step/off", "sessions/end", "sessions/end-all")),
        ("POST", "/staff/bookings/add"),
        ("POST", "/staff/bookings/cancel"),
        ("POST", "/staff/bookings/certificate"),
        ("POST", "/staff/bookings/change"),
        ("POST", "/staff/bookings/level"),
        *(("POST", f"/staff/buddies/{name}") for name in ("alert", "import", "import/confirm", "import/discard")),
        *(("POST", f"/staff/buddies/{name}") for name in ("import/report", "publish", "rule", "run", "undo")),
        ("POST", "/staff/radar/remind"),
        ("POST", "/staff/radar/undo"),
        *(("POST", f"/staff/questions/{name}") for name in ("assign", "back", "discard", "ignore", "patch", "reopen")),
        *(("POST", f"/staff/questions/{name}") for name in ("snooze", "switch", "take-back", "train")),
        ("POST", "/staff/reminders/campaigns"),
        ("POST", "/staff/reminders/undo"),
        *(("POST", f"/staff/replies/{name}") for name in ("delete", "restore", "save")),
        ("POST", "/staff/students/confirm"),
        ("POST", "/staff/students/discard"),
        ("POST", "/staff/students/import"),
        ("POST", "/staff/students/report"),
        ("POST", "/staff/students/request"),
        ("PUT", f"{talk}/tags"),
    } == set(REQUESTS)
