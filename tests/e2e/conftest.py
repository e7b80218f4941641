"""One desk for all of these tests, and browsers to visit it with."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from bot.answers.trained import current_model
from bot.config import load_settings
from bot.errors import ConfigurationError
from tests.e2e.desk import Desk, started

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE = {"width": 1200, "height": 860}
PHONE = {"width": 390, "height": 844}
LARGEST_PICTURE = 250_000
"""Bytes: a README that loads on a phone."""

Context = Callable[..., BrowserContext]
Shoot = Callable[[Page, str], None]


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    models = load_settings().data / "models"
    try:
        current_model(models)
    except ConfigurationError as error:
        pytest.skip(str(error))
    with started(tmp_path_factory.mktemp("desk"), models) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed with each module: its event loop would be in the way of the asynchronous tests of other folders."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium: apt install chromium")
    expect.set_options(timeout=15_000)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Context]:
    """Browser profiles of their own: another person each. Keywords as Playwright's `new_context`.

    At the end no page may have had an uncaught error, or tried what its own security policy forbids.
    """
    opened: list[BrowserContext] = []
    troubles: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            troubles.append(message.text)

    def make(**options: object) -> BrowserContext:
        given = {"viewport": WIDE, "locale": "en-GB", "timezone_id": "Europe/Paris", "reduced_motion": "reduce"}
        context = browser.new_context(**{**given, **options})  # type: ignore[arg-type]
        context.on("weberror", lambda error: troubles.append(str(error.error)))
        context.on("console", note)
        opened.append(context)
        return context

    yield make
    for context in opened:
        context.close()
    assert troubles == []


@pytest.fixture
def shoot() -> Shoot:
    """Save a picture for the README when ACCUEIL_SCREENSHOTS names a folder."""

    def save(page: Page, name: str) -> None:
        if folder := os.environ.get("ACCUEIL_SCREENSHOTS"):
            picture = Path(folder) / f"{name}.png"
            page.screenshot(path=picture, animations="disabled", caret="hide")
            assert picture.stat().st_size <= LARGEST_PICTURE

    return save
