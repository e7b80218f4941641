"""The page of canned replies: the list, the form with its faults, deleting and bringing back."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from bot.bootstrap import Services
from bot.clock import FixedClock
from bot.db.session import Database
from bot.identity.models import Role, Staff
from bot.replies.models import CannedReply
from tests.factories import make_staff
from tests.integration.console.desk import browser, desk_app, desk_services, enter

FORM = {"name": "Welcome", "shortcut": "/welcome", "whose": "shared", "text_en": "Hello {first_name}", "text_fr": ""}


@pytest.fixture
def services(database: Database, clock: FixedClock) -> Services:
    return desk_services(database, clock)


@pytest.fixture
def app(services: Services) -> FastAPI:
    return desk_app(services)


@pytest.fixture
def coordinator(services: Services) -> Staff:
    with services.database.write() as session:
        return make_staff(session, services.clock.now(), "Ines", Role.COORDINATOR)


@pytest.fixture
async def client(app: FastAPI, services: Services, coordinator: Staff) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(app) as client:
        enter(client, services, coordinator)
        yield client


async def save(client: httpx.AsyncClient, **changes: str) -> httpx.Response:
    return await client.post("/staff/replies/save", data={**FORM, **changes})


def kept(services: Services) -> list[CannedReply]:
    with services.database.read() as session:
        return list(session.scalars(select(CannedReply)))


async def test_an_empty_list_says_what_to_do(client: httpx.AsyncClient):
    page = await client.get("/staff/replies")

    assert "There is no canned reply yet." in page.text
    assert 'href="/staff/replies?edit=new"' in page.text


async def test_a_reply_is_written_and_listed(client: httpx.AsyncClient, services: Services):
    response = await save(client)
    page = await client.get(response.headers["Location"])

    assert (response.status_code, response.headers["Location"]) == (303, "/staff/replies?done=saved")
    assert "The reply is saved." in page.text
    assert "<code>/welcome</code>" in page.text
    [reply] = kept(services)
    assert (reply.shortcut, reply.owner_id, reply.texts) == ("welcome", None, {"en": "Hello {first_name}"})


async def test_a_fault_is_shown_at_its_field_and_what_was_typed_stays(client: httpx.AsyncClient, services: Services):
    response = await save(client, text_fr="Bonjour {prenom}", name="<b>")

    assert response.status_code == 422
    assert "{prenom} is not a variable." in response.text
    assert 'value="&lt;b&gt;"' in response.text
    assert 'id="tab-fr" value="fr" checked' in response.text
    assert kept(services) == []


async def test_a_reply_is_changed(client: httpx.AsyncClient, services: Services):
    await save(client)
    [reply] = kept(services)
    form = await client.get(f"/staff/replies?edit={reply.id}")
    response = await save(client, reply_id=str(reply.id), version="1", text_fr="Bonjour")

    assert "Hello {first_name}" in form.text
    assert response.headers["Location"] == "/staff/replies?done=saved"
    assert [reply.texts for reply in kept(services)] == [{"en": "Hello {first_name}", "fr": "Bonjour"}]


async def test_an_old_form_is_shown_again_with_what_was_typed(client: httpx.AsyncClient, services: Services):
    await save(client)
    [reply] = kept(services)
    await save(client, reply_id=str(reply.id), version="1", name="First")
    response = await save(client, reply_id=str(reply.id), version="1", name="Second")

    assert response.status_code == 409
    assert "A colleague changed this reply in the meantime." in response.text
    assert 'name="version" value="2"' in response.text
    assert 'value="Second"' in response.text
    assert [reply.name for reply in kept(services)] == ["First"]


async def test_a_deleted_reply_is_brought_back(client: httpx.AsyncClient, services: Services):
    await save(client)
    [reply] = kept(services)
    deleted = await client.post("/staff/replies/delete", data={"reply_id": str(reply.id)})
    page = await client.get(deleted.headers["Location"])
    restored = await client.post("/staff/replies/restore", data={"reply_id": str(reply.id)})

    assert "Undo the deletion" in page.text
    assert "There is no canned reply yet." in page.text
    assert restored.headers["Location"] == "/staff/replies?done=restored"
    assert [reply.deleted_at for reply in kept(services)] == [None]


async def test_a_reply_that_is_gone_is_said_to_be(client: httpx.AsyncClient):
    deleted = await client.post("/staff/replies/delete", data={"reply_id": "7"})
    edited = await client.get("/staff/replies?edit=7")

    assert deleted.headers["Location"] == "/staff/replies?done=gone"
    assert (edited.status_code, "This reply is no longer here." in edited.text) == (404, True)


async def test_an_adviser_sees_the_shared_ones_and_changes_none_of_them(
    app: FastAPI, client: httpx.AsyncClient, services: Services
):
    await save(client)
    [reply] = kept(services)
    with services.database.write() as session:
        adviser = make_staff(session, services.clock.now(), "Claire", Role.ADVISER)
    async with browser(app) as other:
        enter(other, services, adviser)
        page = await other.get("/staff/replies")
        deleted = await other.post("/staff/replies/delete", data={"reply_id": str(reply.id)})
        shared = await save(other, shortcut="mine")

        assert "<code>/welcome</code>" in page.text
        assert f"edit={reply.id}" not in page.text
        assert (deleted.status_code, deleted.json()["code"]) == (403, "not_allowed")
        assert (shared.status_code, shared.json()["code"]) == (403, "not_allowed")
