"""Messages of the browser while no page is open: the button, the worker, and a click on what it shows.

Headless Chromium has no push service behind it: `subscribe` is played by the page, a service on loopback takes what we
send, and the debugger hands it to the real worker.
"""

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
import uvicorn
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from bot.bootstrap import Services
from bot.calling.browsers import public_key
from bot.calling.rules import NEAR
from bot.channels.push.channel import PushService, deliver_due
from bot.clock import SystemClock
from bot.conversations.service import hash_token
from bot.db.session import Database
from bot.handoff.desks import Office
from bot.identity.models import PushBrowser, Staff, StaffSession
from tests.e2e.conftest import Context
from tests.factories import make_staff
from tests.fakes.push_service import Browser, PushFake, push_service
from tests.integration.calling.cast import DESKS, call, new_session, waiting
from tests.integration.console.desk import desk_app, desk_services

pytestmark = pytest.mark.browser

SUBSCRIBE = """([browser]) => {
  let known = null;
  const made = { endpoint: browser.endpoint, toJSON: () => browser, unsubscribe: async () => { known = null; } };
  PushManager.prototype.getSubscription = async () => known;
  PushManager.prototype.subscribe = async (options) => {
    window.askedWith = [options.userVisibleOnly, Array.from(options.applicationServerKey)];
    return (known = made);
  };
}"""
SHOWN = """async () => {
  const registration = await navigator.serviceWorker.getRegistration("/staff/static/");
  return (await registration.getNotifications()).map(({ title, body, tag, data }) => ({ title, body, tag, data }));
}"""
CLICK = """async (url) => {
  const click = new Event("notificationclick");
  const opened = [];
  self.clients.openWindow = async (address) => opened.push(address);
  const over = [];
  click.notification = { close() {}, data: { url } };
  click.waitUntil = (promise) => over.push(promise);
  self.dispatchEvent(click);
  // Without a hand at the mouse a browser lets nothing come to the front.
  await Promise.allSettled(over);
  return opened;
}"""


@pytest.fixture
def services(every_table: Path, tmp_path: Path) -> Iterator[Services]:
    (tmp_path / "test.db").write_bytes(every_table.read_bytes())
    with closing(Database(f"sqlite:///{tmp_path / 'test.db'}")) as database:
        yield desk_services(database, SystemClock(), data=tmp_path, push_services="127.0.0.1")


@pytest.fixture
def console(services: Services) -> Iterator[str]:
    """The console alone, on a port of its own; its address."""
    with served(desk_app(services)) as address:
        yield address


@contextmanager
def served(app: Any) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=2))
    thread = Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            thread.join(0.05)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def fake() -> Iterator[PushFake]:
    with push_service() as running:
        yield running


@pytest.fixture
def claire(services: Services, console: str, new_context: Context) -> BrowserContext:
    """Signed in; the browser may show messages."""
    now = services.clock.now()
    with services.database.write() as session:
        staff = make_staff(session, now)
        made = new_session(session, staff.id, now, "Claire")
        made.token_hash = hash_token("token")
    context = new_context(service_workers="allow")
    context.grant_permissions(["notifications"], origin=console)
    context.add_cookies([{"name": "accueil_staff", "value": "token", "url": console}])
    return context


def switched_on(context: BrowserContext, console: str, browser: Browser) -> Page:
    context.add_init_script(f"({SUBSCRIBE})({json.dumps([browser.json])})")
    page = context.new_page()
    page.goto(f"{console}/staff")
    page.locator("#menu summary").click()
    page.locator("#alert-window").click()
    return page


def endpoints(services: Services) -> list[str]:
    with services.database.read() as session:
        return list(session.scalars(select(PushBrowser.endpoint)))


def send(services: Services) -> None:
    async def run() -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            await deliver_due(services.database, PushService(client, services.settings), services.clock)

    # The browser's own loop runs in this thread.
    thread = Thread(target=lambda: asyncio.run(run()))
    thread.start()
    thread.join()


def handed_over(page: Page, console: str, note: str) -> list[dict[str, Any]]:
    """The worker is given a message as by the browser; returns what it shows."""
    debugger = page.context.new_cdp_session(page)
    numbers: list[str] = []
    debugger.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: numbers.extend(each["registrationId"] for each in told["registrations"]),
    )
    debugger.send("ServiceWorker.enable")
    while not numbers:
        page.wait_for_timeout(50)
    debugger.send("ServiceWorker.deliverPushMessage", {"origin": console, "registrationId": numbers[0], "data": note})
    page.wait_for_function(f"async () => (await ({SHOWN})()).length")
    return page.evaluate(SHOWN)


def test_the_button_lets_the_browser_call_and_takes_it_back(services, console, claire, fake):
    browser = fake.browser()
    page = switched_on(claire, console, browser)
    expect(page.locator("#toast-words")).to_have_text("This browser calls you, also when no page is open.")
    assert endpoints(services) == [browser.endpoint]
    key = public_key(services.settings.data)
    assert page.evaluate("window.askedWith[0]") is True
    assert (
        page.evaluate("btoa(String.fromCharCode(...window.askedWith[1]))")
        .replace("+", "-")
        .replace("/", "_")
        .rstrip("=")
        == key
    )

    with services.database.write() as session:
        session.delete(session.scalars(select(PushBrowser)).one())
    page.reload()
    expect(page.locator("#alert-window")).to_have_attribute("aria-pressed", "true")
    page.wait_for_function("window.askedWith")
    page.locator("#menu summary").click()
    with page.expect_response(lambda answer: answer.url.endswith("/staff/api/push/stop")) as stopped:
        page.locator("#alert-window").click()
    assert stopped.value.status == 204
    assert endpoints(services) == []


def test_a_browser_without_a_push_service_still_calls_from_the_open_page(services, console, claire):
    page = claire.new_page()
    page.goto(f"{console}/staff")
    page.locator("#menu summary").click()
    page.locator("#alert-window").click()

    expect(page.locator("#toast-words")).to_have_text("This browser calls you for as long as this page is open.")
    expect(page.locator("#alert-window")).to_have_attribute("aria-pressed", "true")
    assert endpoints(services) == []


def test_a_student_waits_while_no_page_is_open_and_the_worker_shows_it(services, console, claire, fake):
    page = switched_on(claire, console, fake.browser())
    expect(page.locator("#toast-words")).to_have_text("This browser calls you, also when no page is open.")
    with services.database.read() as session:
        staff_id = session.scalars(select(Staff.id)).one()
    assert services.live.is_at_desk(staff_id)
    page.goto(f"{console}/staff/account")
    while services.live.is_at_desk(staff_id):
        page.wait_for_timeout(50)

    now = services.clock.now()
    with services.database.write() as session:
        session.scalars(select(StaffSession)).one().seen_at = now - NEAR
    talk = waiting(services.database, now)
    assert call(services.database, now, office=Office(DESKS)) == 1
    send(services)
    (delivery,) = fake.taken
    shown = handed_over(page, console, json.dumps(delivery.note))

    assert shown == [
        {
            "title": "Somebody is waiting for a person.",
            "body": delivery.note["body"],
            "tag": "accueil-wait",
            "data": {"url": f"/staff#{talk}"},
        }
    ]
    (worker,) = claire.service_workers
    assert worker.evaluate(CLICK, f"/staff#{talk}") == [f"{console}/staff#{talk}"]
    assert worker.evaluate(CLICK, "https://elsewhere.example/staff") == []
    assert worker.evaluate(CLICK, "/staff/sign-out") == []

    page.goto(f"{console}/staff")
    expect(page.locator("body")).to_have_attribute("data-fresh", "true")
    assert worker.evaluate(CLICK, f"/staff#{talk}") == []
    expect(page.locator("#state")).to_contain_text("Waits for a person")


def test_a_message_that_cannot_be_read_is_shown_without_words(services, console, claire, fake):
    page = switched_on(claire, console, fake.browser())
    expect(page.locator("#toast-words")).to_have_text("This browser calls you, also when no page is open.")

    assert handed_over(page, console, "not json") == [
        {"title": "Accueil", "body": "", "tag": "accueil-wait", "data": {"url": "/staff"}}
    ]
