"""The files of a student at the desk: seen under their message, saved by those who may read it, and audited."""

from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from bot.bootstrap import Services
from bot.console.html import HEADERS
from bot.conversations.messages import Brought, IncomingMessage
from bot.conversations.models import Attachment, AttachmentState
from bot.conversations.service import receive_message
from bot.handoff.service import claim
from bot.handoff.wire import disposition
from bot.identity.models import AuditEntry, Role, Staff
from tests.factories import make_conversation, make_staff
from tests.integration.console.desk import bearer_of, enter

NAME = "visa – “Amina”.pdf"
PENDING = {"id": 1, "name": NAME, "size": 2048, "state": "pending"}
KEPT = {"id": 1, "name": NAME, "size": 9, "state": "kept"}


@pytest.fixture
async def desk(client: httpx.AsyncClient, services: Services, claire: Staff) -> httpx.AsyncClient:
    enter(client, services, claire)
    return client


@pytest.fixture
def conversation_id(services: Services, claire: Staff) -> UUID:
    """A conversation of Claire's with one file that has not arrived yet."""
    now = services.clock.now()
    file = Brought("document", NAME, "application/pdf", 2048, "BQACAgIAAx")
    with services.database.write() as session:
        conversation = make_conversation(session, now)
        claim(session, conversation.id, claire, now)
        receive_message(session, conversation.id, IncomingMessage("web", "7", "my visa", None, now, file), now)
        return conversation.id


def arrives(services: Services, content: bytes = b"%PDF-1.7\n") -> None:
    with services.database.write() as session:
        row = session.scalars(select(Attachment)).one()
        row.content, row.size, row.state, row.external = content, len(content), AttachmentState.KEPT, ""


def fails(services: Services) -> None:
    with services.database.write() as session:
        session.scalars(select(Attachment)).one().state = AttachmentState.FAILED


def looks(services: Services) -> list[tuple[int | None, dict[str, object]]]:
    with services.database.read() as session:
        rows = session.scalars(select(AuditEntry).where(AuditEntry.action == "read_file").order_by(AuditEntry.id))
        return [(row.staff_id, row.details) for row in rows]


async def test_the_transcript_of_the_desk_shows_a_file_under_its_message(
    desk: httpx.AsyncClient, services: Services, conversation_id: UUID
):
    coming = (await desk.get(f"/staff/api/conversations/{conversation_id}/transcript")).json()["events"]
    arrives(services)
    there = (await desk.get(f"/staff/api/conversations/{conversation_id}/transcript")).json()["events"]

    assert [event["files"] for event in coming] == [[], [], [PENDING]]
    assert [event["files"] for event in there] == [[], [], [KEPT]]


async def test_the_transcript_shows_that_a_captioned_file_was_not_kept_and_has_nothing_to_save(
    desk: httpx.AsyncClient, services: Services
):
    now = services.clock.now()
    file = Brought("document", NAME, "application/pdf", 2048, "BQACAgIAAx")
    with services.database.write() as session:
        conversation_id = make_conversation(session, now).id
        receive_message(session, conversation_id, IncomingMessage("web", "8", "my visa", None, now, file), now)

    events = (await desk.get(f"/staff/api/conversations/{conversation_id}/transcript")).json()["events"]
    assert [event["files"] for event in events] == [[], [PENDING | {"state": "refused"}]]
    assert (await desk.get(f"/staff/api/conversations/{conversation_id}/files/1")).status_code == 404


async def test_a_page_that_waits_for_a_file_asks_for_the_files_alone(
    desk: httpx.AsyncClient, services: Services, conversation_id: UUID
):
    path = f"/staff/api/conversations/{conversation_id}/files"
    coming = (await desk.get(path)).json()
    fails(services)

    assert coming == {"files": [PENDING | {"seq": 3}]}
    assert (await desk.get(path)).json() == {"files": [PENDING | {"seq": 3, "state": "failed"}]}


async def test_a_file_is_saved_under_its_name_and_never_shown_or_stored(
    desk: httpx.AsyncClient, services: Services, conversation_id: UUID, claire: Staff
):
    arrives(services)
    response = await desk.get(f"/staff/api/conversations/{conversation_id}/files/1")

    assert (response.status_code, response.content) == (200, b"%PDF-1.7\n")
    assert {name: response.headers[name] for name in HEADERS} == HEADERS | {
        "Cache-Control": "private, no-store",
        "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    }
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.headers["Content-Disposition"] == (
        "attachment; filename=\"visa _ _Amina_.pdf\"; filename*=UTF-8''visa%20%E2%80%93%20%E2%80%9CAmina%E2%80%9D.pdf"
    )
    assert looks(services) == [(claire.id, {"attachment": 1})]


@pytest.mark.parametrize("role", Role)
async def test_whoever_may_read_the_transcript_may_read_its_files(
    client: httpx.AsyncClient, services: Services, conversation_id: UUID, role: Role
):
    arrives(services)
    with services.database.write() as session:
        staff = make_staff(session, services.clock.now(), role.title(), role)
    enter(client, services, staff)
    response = await client.get(f"/staff/api/conversations/{conversation_id}/files/1")

    assert response.status_code == 200
    assert looks(services) == [(staff.id, {"attachment": 1})]


async def test_another_program_reads_files_with_a_personal_token(
    client: httpx.AsyncClient, services: Services, conversation_id: UUID, claire: Staff
):
    arrives(services)
    with services.database.write() as session:
        bearer = bearer_of(session, services, claire)
    path = f"/api/v1/staff/conversations/{conversation_id}"
    events = (await client.get(f"{path}/messages", headers=bearer)).json()["events"]
    response = await client.get(f"{path}/files/1", headers=bearer)
    without = await client.get(f"{path}/files/1")

    assert [event["files"] for event in events] == [[], [], [KEPT]]
    assert (response.status_code, response.content) == (200, b"%PDF-1.7\n")
    assert (without.status_code, without.json()["code"]) == (401, "not_signed_in")


async def test_a_stranger_gets_no_file(client: httpx.AsyncClient, services: Services, conversation_id: UUID):
    arrives(services)
    response = await client.get(f"/staff/api/conversations/{conversation_id}/files/1")

    assert (response.status_code, response.json()["code"]) == (401, "not_signed_in")
    assert looks(services) == []


@pytest.mark.parametrize("change", [lambda _services: None, fails], ids=["pending", "failed"])
async def test_a_file_that_is_not_here_is_not_found(
    desk: httpx.AsyncClient, services: Services, conversation_id: UUID, change
):
    change(services)
    response = await desk.get(f"/staff/api/conversations/{conversation_id}/files/1")

    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert looks(services) == []


async def test_a_file_is_found_in_its_own_conversation_only(
    desk: httpx.AsyncClient, services: Services, conversation_id: UUID
):
    arrives(services)
    with services.database.write() as session:
        other = make_conversation(session, services.clock.now()).id
    elsewhere = await desk.get(f"/staff/api/conversations/{other}/files/1")
    unknown = await desk.get(f"/staff/api/conversations/{conversation_id}/files/2")
    wrong = await desk.get(f"/staff/api/conversations/{conversation_id}/files/0")

    assert (elsewhere.status_code, unknown.status_code, wrong.status_code) == (404, 404, 422)
    assert (await desk.get(f"/staff/api/conversations/{other}/files")).json() == {"files": []}


async def test_an_empty_file_is_a_file(desk: httpx.AsyncClient, services: Services, conversation_id: UUID):
    arrives(services, b"")
    response = await desk.get(f"/staff/api/conversations/{conversation_id}/files/1")

    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("scan.pdf", "attachment; filename=\"scan.pdf\"; filename*=UTF-8''scan.pdf"),
        ('a"b\\c%d;e', "attachment; filename=\"a_b_c_d;e\"; filename*=UTF-8''a%22b%5Cc%25d%3Be"),
        ("a\r\nb", "attachment; filename=\"a__b\"; filename*=UTF-8''a%0D%0Ab"),
    ],
)
def test_a_name_cannot_leave_its_place_in_the_header(name: str, header: str):
    assert disposition(name) == header
