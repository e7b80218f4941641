"""From the page to Telegram and back: the link, the question, the answer, in a real browser.

Telegram itself is left out: the gateway runs in this process, its bot is said to be on, and a chat opens the link.
"""

import io
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import pytest
import uvicorn
import zxingcpp
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from bot.bootstrap import Services, build_services
from bot.channels.status import ChannelStatus
from bot.config import Settings
from bot.conversations.models import Address
from bot.gateway import build_app
from bot.identity.joining import Claim, claim
from bot.supervisor.checks import free_port
from bot.tables import METADATA
from tests.e2e.conftest import PHONE, WIDE, Context
from tests.fakes import FakeEngine

pytestmark = pytest.mark.browser

NARROW = {"width": 320, "height": 640}


@dataclass(frozen=True)
class Gateway:
    url: str
    services: Services
    status: ChannelStatus

    def opened(self, address: str, chat: str, name: str) -> Claim:
        """What Telegram's /start does."""
        (token,) = parse_qs(urlsplit(address).query)["start"]
        with self.services.database.write() as session:
            return claim(session, token, "telegram", chat, name, self.services.clock.now())

    def leads_somewhere(self, chat: str) -> bool:
        with self.services.database.read() as session:
            return session.scalar(select(Address.id).where(Address.external == chat)) is not None


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    data = tmp_path_factory.mktemp("joining")
    services = build_services(Settings(data=data, database_url=f"sqlite:///{data / 'test.db'}", _env_file=None))
    METADATA.create_all(services.database.engine.execution_options(writes=True))
    app = build_app(services, engine=FakeEngine())
    app.state.telegram = status = ChannelStatus("on", "junia_desk_bot")
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.05)
    yield Gateway(f"http://127.0.0.1:{port}", services, status)
    server.should_exit = True
    thread.join()
    services.database.close()


@dataclass(frozen=True)
class Reader:
    """Somebody with the page open."""

    page: Page
    gateway: Gateway

    @property
    def chat(self) -> Locator:
        return self.page.locator("accueil-chat")

    @property
    def sheet(self) -> Locator:
        return self.chat.locator(".sheet")

    @property
    def question(self) -> Locator:
        return self.sheet.get_by_role("alert")

    def link(self) -> str:
        """Ask for Telegram and read the address of the link."""
        self.chat.get_by_role("button", name="Continue on Telegram").click()
        return self.shown_link()

    def shown_link(self) -> str:
        link = self.sheet.get_by_role("link", name="Open Telegram")
        expect(link).to_be_visible()
        return link.get_attribute("href") or ""

    def answer(self, label: str) -> None:
        self.sheet.get_by_role("button", name=label, exact=True).click()


def reader_at(context: Context, gateway: Gateway, language: str = "en", **options: object) -> Reader:
    page = context(**options).new_page()
    page.goto(f"{gateway.url}/?lang={language}")
    return Reader(page, gateway)


def codes_on(page: Page) -> list[str]:
    """What a camera that looks at the screen reads of it."""
    picture = Image.open(io.BytesIO(page.screenshot()))
    return [code.text for code in zxingcpp.read_barcodes(picture)]


def test_the_link_is_opened_and_confirmed_and_telegram_leaves_again(gateway: Gateway, new_context: Context):
    reader = reader_at(new_context, gateway)

    address = reader.link()
    expect(reader.sheet.get_by_role("img", name="QR code that opens Telegram")).to_be_visible()
    gateway.opened(address, "1001", "Ana Silva (@ana)")
    expect(reader.question).to_contain_text("Ana Silva (@ana)")
    assert not gateway.leads_somewhere("1001")
    reader.answer("Yes, join")

    expect(reader.sheet.get_by_role("status")).to_contain_text("This conversation goes on in Telegram as well")
    assert gateway.leads_somewhere("1001")
    expect(reader.sheet.get_by_role("link", name="Open Telegram")).to_have_attribute(
        "href", "https://t.me/junia_desk_bot"
    )
    expect(reader.chat.get_by_role("log", include_hidden=True)).to_contain_text("now goes on in Telegram as well")
    reader.answer("Disconnect Telegram")
    expect(reader.sheet.get_by_role("button", name="Make a link")).to_be_focused()
    reader.page.keyboard.press("Escape")
    expect(reader.chat.get_by_role("button", name="Continue on Telegram")).to_be_focused()
    expect(reader.chat.get_by_role("log")).to_contain_text("Telegram has left this conversation.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_camera_reads_the_link_and_nothing_before_there_is_one(gateway: Gateway, new_context: Context, scheme: str):
    reader = reader_at(new_context, gateway, color_scheme=scheme)
    expect(reader.chat.get_by_role("button", name="Continue on Telegram")).to_be_visible()
    assert codes_on(reader.page) == []

    address = reader.link()
    expect(reader.sheet.get_by_role("img", name="QR code that opens Telegram")).to_be_visible()

    assert codes_on(reader.page) == [address]


def test_another_account_is_shown_as_text_and_no_leads_to_a_new_link(gateway: Gateway, new_context: Context):
    reader = reader_at(new_context, gateway)

    first = reader.link()
    gateway.opened(first, "666", "\u202eMallory <b>**you**</b>")
    expect(reader.question).to_contain_text("Mallory <b>**you**</b>")
    reader.answer("No")

    expect(reader.sheet).to_contain_text("The link is over, and nothing was joined.")
    assert not gateway.leads_somewhere("666")
    reader.answer("New link")
    assert reader.shown_link() != first


def test_a_page_that_was_let_go_asks_its_question_when_it_is_opened_again(gateway: Gateway, new_context: Context):
    reader = reader_at(new_context, gateway, viewport=PHONE, has_touch=True, is_mobile=True)
    address = reader.link()
    expect(reader.sheet.get_by_role("img", name="QR code that opens Telegram", include_hidden=True)).to_be_hidden()

    reader.page.goto("about:blank")
    gateway.opened(address, "1002", "Ana")
    reader.page.goto(f"{gateway.url}/?lang=en")

    expect(reader.question).to_contain_text("Is this you?")


def test_the_tabs_are_walked_by_keys_and_end_where_they_began(gateway: Gateway, new_context: Context):
    reader = reader_at(new_context, gateway)
    reader.chat.get_by_role("button", name="My steps and my data").click()
    selected = reader.sheet.get_by_role("tab", selected=True)

    walked = []
    for key in ("End", "ArrowRight", "ArrowLeft", "Home", "ArrowRight"):
        reader.page.keyboard.press(key)
        walked.append(selected.text_content())

    assert walked == ["Telegram", "My steps", "Telegram", "My steps", "My data"]
    expect(selected).to_be_focused()


@pytest.mark.parametrize("language", ["en", "fr", "ar"])
def test_nothing_is_wider_than_a_narrow_phone(gateway: Gateway, new_context: Context, language: str):
    reader = reader_at(new_context, gateway, language, viewport=NARROW)
    reader.chat.locator(".onward").click()
    expect(reader.sheet.locator(".go")).to_be_visible()

    widths = reader.sheet.evaluate(
        "sheet => [sheet, sheet.querySelector('.sheetBody')].map(e => e.scrollWidth - e.clientWidth)"
    )

    assert widths == [0, 0]


def test_while_telegram_is_away_the_page_does_not_offer_it(gateway: Gateway, new_context: Context):
    gateway.status.state = "trouble"
    try:
        reader = reader_at(new_context, gateway, viewport=WIDE)
        reader.chat.get_by_role("button", name="My steps and my data").click()
        expect(reader.sheet.get_by_role("tab")).to_have_text(["My steps", "My data"])
        expect(reader.chat.locator(".onward")).to_be_hidden()
    finally:
        gateway.status.state = "on"
