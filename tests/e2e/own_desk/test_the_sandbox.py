"""`accueil telegram-sandbox`: the phone on the page, by itself and with the whole desk behind it."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from bot.answers.trained import current_model
from bot.config import load_settings
from bot.errors import ConfigurationError
from bot.supervisor.checks import free_port
from tests.e2e.conftest import PHONE, Context
from tests.e2e.desk import started, stop
from tests.fakes.telegram_api import Fake, running

pytestmark = pytest.mark.browser

AMINA = 600000001
"""The first on the list of who holds the phone."""
LONG = "\n".join(f"Line {number}" for number in range(1, 101))


@pytest.fixture
def fake() -> Iterator[Fake]:
    with running() as server:
        yield server


@pytest.fixture
def page(fake: Fake, new_context: Context) -> Page:
    """A phone of which nobody has pressed Start."""
    opened = new_context().new_page()
    opened.goto(f"{fake.address}/")
    expect(opened.get_by_role("button", name="Start")).to_be_visible()
    return opened


def say_as_bot(fake: Fake, text: str, *labels: str) -> None:
    keyboard = [[{"text": label, "callback_data": label}] for label in labels]
    body = {"chat_id": AMINA, "text": text, "reply_markup": {"inline_keyboard": keyboard}}
    httpx.post(f"{fake.address}/bot{fake.token}/sendMessage", json=body, trust_env=False).raise_for_status()


def talk(page: Page) -> Locator:
    return page.get_by_role("log", name="Conversation")


def write(page: Page, text: str) -> None:
    page.get_by_label("Message", exact=True).fill(text)
    page.keyboard.press("Enter")


def of_the_bot(page: Page) -> Locator:
    return talk(page).locator("li:not(.own) .words")


def processes_of(folder: Path) -> list[str]:
    """What runs with this data folder, by command line."""
    found = []
    for each in Path("/proc").iterdir():
        try:
            environment = (each / "environ").read_bytes() if each.name.isdigit() else b""
            if f"ACCUEIL_DATA={folder}".encode() in environment.split(b"\0") and int(each.name) != os.getpid():
                found.append((each / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def test_of_a_message_longer_than_the_screen_the_beginning_is_in_view(page: Page, fake: Fake):
    page.get_by_role("button", name="Start").click()
    expect(talk(page).locator(".own")).to_be_visible()

    say_as_bot(fake, LONG, "More")

    expect(of_the_bot(page)).to_contain_text("Line 100")
    expect(of_the_bot(page)).to_be_in_viewport()
    below = "node => node.getBoundingClientRect().top - node.closest('.talk').getBoundingClientRect().top"
    assert 0 <= of_the_bot(page).evaluate(below) < 60
    expect(page.get_by_role("button", name="More")).not_to_be_in_viewport()


def test_escape_closes_what_is_open_and_the_keys_go_back_to_its_button(fake: Fake, new_context: Context):
    page = new_context(viewport=PHONE).new_page()
    page.goto(f"{fake.address}/")
    page.get_by_role("button", name="Settings of the phone").click()
    expect(page.get_by_label("Who holds the phone")).to_be_visible()

    page.keyboard.press("Escape")

    expect(page.get_by_label("Who holds the phone")).to_be_hidden()
    expect(page.get_by_role("button", name="Settings of the phone")).to_be_focused()


def test_without_a_desk_the_page_names_no_mailbox(page: Page):
    expect(page.get_by_role("button", name="Block the bot")).to_be_visible()
    expect(page.get_by_text("mailbox")).to_be_hidden()


@pytest.mark.engine
def test_what_is_typed_is_answered_a_button_is_used_up_and_ctrl_c_leaves_no_process(
    tmp_path: Path, new_context: Context
):
    models = load_settings().data / "models"
    try:
        current_model(models)
    except ConfigurationError as error:
        pytest.skip(str(error))
    port = free_port()
    with started(tmp_path, models, command=("telegram-sandbox", "--port", str(port))) as desk:
        page = new_context().new_page()
        page.goto(f"http://127.0.0.1:{port}/")
        page.get_by_label("Language of their Telegram").select_option("en")
        page.get_by_role("button", name="Start").click()
        expect(of_the_bot(page)).to_contain_text(["I am a machine"])

        write(page, "When must I validate my visa?")
        expect(of_the_bot(page).last).to_contain_text("within three months of entering France")
        keyboard = talk(page).get_by_role("button")
        expect(keyboard).not_to_have_count(0)
        keyboard.filter(has_text="Link my record").click()
        expect(of_the_bot(page).last).to_contain_text("Write me the address of your school mailbox")
        expect(keyboard).to_have_text(["Cancel"])
        expect(page.get_by_role("link", name="mailbox")).to_have_attribute("href", f"{desk.url}/dev/mailbox")

        assert len(processes_of(desk.settings.data)) >= 5
        assert stop(desk) == 0
        assert processes_of(desk.settings.data) == []
        output = desk.output.read_text(encoding="utf-8")
        assert f"  Phone                http://127.0.0.1:{port}/\n" in output
        assert output.endswith("All stopped.\n")
