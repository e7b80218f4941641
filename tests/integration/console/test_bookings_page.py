"""The office adds, changes and cancels offers, confirms levels and makes certificates; advisers read."""

import httpx
import pytest
from sqlalchemy import select

from bot.bookings.models import Offer
from bot.bookings.service import book
from bot.courses.certificates import request_certificate
from bot.courses.levels import level_of
from bot.identity.models import AuditEntry, Role
from tests.factories import make_staff, make_student
from tests.integration.bookings.desk import make_class, notes
from tests.integration.console.desk import browser, desk_app, desk_services, enter

NEW = {
    "code": "f-b1",
    "kind": "french_class",
    "title_en": "French <B1>",
    "level": "B1",
    "campus": "lille",
    "places": "10",
    "date": "2026-12-01",
    "starts": "18:00",
    "ends": "20:00",
    "weekly_until": "2026-12-15",
}


@pytest.fixture
def services(database, clock):
    return desk_services(database, clock)


@pytest.fixture
async def client(services):
    async with browser(desk_app(services)) as client:
        yield client


@pytest.fixture
def sign_in_as(client, services):
    def enter_as(role: Role) -> None:
        with services.database.write() as session:
            staff = make_staff(session, services.clock.now(), role.title(), role)
        enter(client, services, staff)

    return enter_as


async def post(client: httpx.AsyncClient, path: str, **form: object) -> httpx.Response:
    return await client.post(f"/staff/bookings/{path}", data={name: str(value) for name, value in form.items()})


async def test_a_weekly_class_is_added_and_shown_safely(client, services, sign_in_as):
    sign_in_as(Role.COORDINATOR)

    response = await post(client, "add", **NEW)
    page = await client.get(response.headers["Location"])

    assert (response.status_code, page.status_code) == (303, 200)
    assert "The offer is added." in page.text
    assert "French &lt;B1&gt;" in page.text
    assert "2026-12-01 18:00-20:00\n2026-12-08 18:00-20:00\n2026-12-15 18:00-20:00" in page.text
    with services.database.read() as session:
        assert session.scalars(select(AuditEntry.action)).all() == ["add_offer"]


async def test_faults_are_named_at_their_fields_and_nothing_is_saved(client, services, sign_in_as):
    sign_in_as(Role.ADMIN)

    response = await post(client, "add", **{**NEW, "level": "", "date": "soon", "places": "many", "code": ""})

    assert response.status_code == 422
    assert [name for name in NEW if f'id="fault-{name}"' in response.text] == ["code", "level", "places", "date"]
    assert 'value="soon"' in response.text
    with services.database.read() as session:
        assert session.scalars(select(Offer)).all() == []


async def test_a_change_says_how_many_were_told(client, services, sign_in_as, now):
    with services.database.write() as session:
        french = make_class(session, now, places=3)
        for name in ("Amina", "Mei"):
            book(session, make_student(session, now, name), french.id, now)
    sign_in_as(Role.COORDINATOR)
    form = {"offer": french.id, "kind": "french_class", "title_en": "French A2", "level": "A2", "campus": "lille"}

    fewer = await post(client, "change", **form, places=1, meetings="2026-12-01 18:00-20:00")
    moved = await post(client, "change", **form, places=3, meetings="2026-12-01 18:00-20:00")

    assert (fewer.status_code, 'id="fault-places"' in fewer.text) == (422, True)
    assert moved.headers["Location"] == f"/staff/bookings?offer={french.id}&done=saved&told=2"
    page = (await client.get(moved.headers["Location"])).text
    assert "The offer is saved. 2 students are told." in page
    assert ("amina@student.junia.com" in page, "mei@student.junia.com" in page) == (True, True)


async def test_a_cancelled_offer_is_told_and_closed(client, services, sign_in_as, now):
    with services.database.write() as session:
        french = make_class(session, now)
        book(session, make_student(session, now), french.id, now)
    sign_in_as(Role.COORDINATOR)

    response = await post(client, "cancel", offer=french.id)

    assert response.headers["Location"] == f"/staff/bookings?offer={french.id}&done=cancelled&told=1"
    assert "This offer is cancelled." in (await client.get(response.headers["Location"])).text
    with services.database.read() as session:
        assert [name for name, _ in notes(session)] == ["Amina"]


async def test_levels_are_confirmed_and_an_unknown_address_is_said(client, services, sign_in_as, now):
    with services.database.write() as session:
        amina = make_student(session, now)
    sign_in_as(Role.COORDINATOR)

    wrong = await post(client, "level", email="nobody@student.junia.com", level="B1")
    right = await post(client, "level", email="Amina@student.junia.com", level="B1")

    assert (wrong.status_code, right.status_code) == (422, 303)
    assert "No student has this address." in wrong.text
    with services.database.read() as session:
        assert level_of(session, amina.id) == "B1"


async def test_a_certificate_is_made_and_the_student_told(client, services, sign_in_as, now):
    with services.database.write() as session:
        asked, _ = request_certificate(session, make_student(session, now), make_class(session, now), now)
    sign_in_as(Role.ADMIN)
    listed = await client.get("/staff/bookings?view=certificates")

    response = await post(client, "certificate", number=asked.id)

    assert ("amina@student.junia.com" in listed.text, response.status_code) == (True, 303)
    assert "No certificate is asked for." in (await client.get("/staff/bookings?view=certificates")).text


@pytest.mark.parametrize("path", ["add", "change", "cancel", "level", "certificate"])
async def test_an_adviser_reads_and_changes_nothing(client, services, sign_in_as, now, path):
    with services.database.write() as session:
        french = make_class(session, now)
    sign_in_as(Role.ADVISER)

    response = await post(client, path, **NEW, offer=french.id, number=1, email="a@b.example")

    assert response.status_code == 403
    page = (await client.get(f"/staff/bookings?offer={french.id}")).text
    assert ("/staff/bookings/change" in page, "/staff/bookings/cancel" in page) == (False, False)


@pytest.mark.parametrize("query", ["offer=999999", "offer=abc", "view=nothing", "kind=x&past=1", "done=x&told=1"])
async def test_an_odd_address_shows_the_list(client, sign_in_as, query):
    sign_in_as(Role.ADVISER)

    assert (await client.get(f"/staff/bookings?{query}")).status_code == 200
