"""What calls a colleague to the desk: chosen on the page of the account, switched on in the inbox for one browser."""

import re

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from bot.bootstrap import Services
from bot.calling.browsers import public_key
from bot.clock import FixedClock
from bot.console.pages.desk import routes
from bot.db.session import Database
from bot.identity.models import PushBrowser, Role, Staff
from tests.factories import make_staff
from tests.fakes.push_service import PushFake
from tests.integration.console.desk import browser, desk_app, desk_services, enter, hidden

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0"
BROWSER = PushFake("http://127.0.0.1:9").browser().json


@pytest.fixture
def services(database: Database, clock: FixedClock, tmp_path) -> Services:
    return desk_services(database, clock, data=tmp_path, push_services="127.0.0.1")


@pytest.fixture
def app(services: Services) -> FastAPI:
    return desk_app(services)


@pytest.fixture
async def client(app: FastAPI):
    async with browser(app) as client:
        client.headers["User-Agent"] = FIREFOX
        yield client


def signed_in(client: httpx.AsyncClient, services: Services, role: Role = Role.ADVISER) -> Staff:
    with services.database.write() as session:
        staff = make_staff(session, services.clock.now(), role.title(), role)
    enter(client, services, staff)
    return staff


def browsers(services: Services) -> list[tuple[int, str, str]]:
    with services.database.read() as session:
        return [
            (each.staff_id, each.endpoint, each.browser)
            for each in session.scalars(select(PushBrowser).order_by(PushBrowser.id))
        ]


async def choice(client: httpx.AsyncClient) -> tuple[str, ...]:
    page = (await client.get("/staff/account")).text
    return tuple(re.findall(r'<option value="(\d+)" selected>', page))


async def test_the_wait_after_which_a_mail_comes_is_chosen_and_taken_back(client, services):
    signed_in(client, services)
    assert await choice(client) == ()

    done = await client.post("/staff/account/calls", data={"mail_after": 15})
    assert (done.status_code, done.headers["Location"]) == (303, "/staff/account?done=calls")
    assert await choice(client) == ("15",)

    assert (await client.post("/staff/account/calls", data={"mail_after": 7})).status_code == 422
    assert await choice(client) == ("15",)
    await client.post("/staff/account/calls", data={"mail_after": 0})
    assert await choice(client) == ()


async def test_a_role_that_answers_nobody_is_offered_nothing_and_refused(client, services):
    signed_in(client, services, Role.EDITOR)

    assert "mail_after" not in (await client.get("/staff/account")).text
    assert '"push_key": ""' in (await client.get("/staff")).text
    assert (await client.post("/staff/account/calls", data={"mail_after": 15})).status_code == 403
    assert (await client.post("/staff/api/push", json=BROWSER)).status_code == 403
    assert browsers(services) == []


async def test_a_browser_is_added_with_our_key_shown_on_the_account_and_stopped_there(client, services):
    staff = signed_in(client, services)
    assert f'"push_key": "{public_key(services.settings.data)}"' in (await client.get("/staff")).text

    assert (await client.post("/staff/api/push", json=BROWSER)).status_code == 204
    assert (await client.post("/staff/api/push", json=BROWSER)).status_code == 204
    assert browsers(services) == [(staff.id, BROWSER["endpoint"], "Firefox, Windows")]
    page = await client.get("/staff/account")
    assert page.text.count("Firefox, Windows, since") == 1
    assert BROWSER["endpoint"] not in page.text

    number = re.search(r'action="/staff/account/calls/stop".*?name="number" value="(\d+)"', page.text, re.DOTALL)
    stopped = await client.post("/staff/account/calls/stop", data={"number": number[1], "csrf": hidden(page, "csrf")})
    assert (stopped.status_code, browsers(services)) == (303, [])


async def test_the_inbox_stops_its_own_browser_and_no_colleagues(client, services):
    claire = signed_in(client, services)
    await client.post("/staff/api/push", json=BROWSER)
    signed_in(client, services, Role.COORDINATOR)
    assert (await client.post("/staff/api/push/stop", json={"endpoint": BROWSER["endpoint"]})).status_code == 204
    assert [owner for owner, *_ in browsers(services)] == [claire.id]

    enter_again = {"accueil_staff": f"token-of-{claire.email}"}
    headers = {"X-CSRF-Token": f"csrf-of-{claire.email}"}
    client.cookies.clear()
    client.cookies.update(enter_again)
    await client.post("/staff/api/push/stop", json={"endpoint": BROWSER["endpoint"]}, headers=headers)
    assert browsers(services) == []


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint": "https://169.254.169.254/latest"},
        {"endpoint": "http://127.0.0.1@10.0.0.1/"},
        {"keys": {"p256dh": "AAAA", "auth": "AAAA"}},
        {"keys": {}},
        {"more": 1},
    ],
)
async def test_what_no_browser_says_is_refused(client, services, change):
    signed_in(client, services)

    assert (await client.post("/staff/api/push", json=BROWSER | change)).status_code == 422
    assert browsers(services) == []


async def test_signing_out_ends_the_messages_in_this_browser(client, services):
    signed_in(client, services)
    await client.post("/staff/api/push", json=BROWSER)
    page = await client.get("/staff/account")
    await client.post("/staff/sign-out", data={"csrf": hidden(page, "csrf")})

    assert browsers(services) == []


async def test_whoever_has_the_list_open_is_at_the_desk_until_the_last_page_is_closed(client, services):
    staff = signed_in(client, services)
    token = client.cookies["accueil_staff"]
    first, second = (routes._watched(services, staff.id, routes.follow(services, token)) for _ in range(2))
    assert not services.live.is_at_desk(staff.id)
    for stream in (first, second):
        await anext(stream)
    await first.aclose()
    assert services.live.is_at_desk(staff.id)

    await second.aclose()
    assert not services.live.is_at_desk(staff.id)
    assert services.live._followers == {}


async def test_the_worker_is_a_script_that_answers_for_no_page(client):
    worker = await client.get("/staff/static/calls-worker.js")

    assert worker.headers["Content-Type"].startswith("text/javascript")
    assert worker.headers["Cache-Control"] == "no-cache"
    assert "Service-Worker-Allowed" not in worker.headers
