"""Every page of the console and what it leads to: nobody is shut out, in both languages, on a desk and on a phone.

English on a desk, French (whose words are longer) on a phone; ACCUEIL_EVERY_SCREEN=1 for both on both (`make proof`).

The pages are those of PAGES and the addresses those that they link to, so that a new one is looked at by itself.
"""

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from bot.console import pages as console
from bot.i18n.languages import CONTENT_CODES
from tests.e2e.axe import violations
from tests.e2e.conftest import WIDE
from tests.e2e.desk import Desk
from tests.e2e.people import sign_in

pytestmark = pytest.mark.browser

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 800}
SCREENS = {"en": (DESK,), "fr": (PHONE,)}
if os.environ.get("ACCUEIL_EVERY_SCREEN"):
    SCREENS = dict.fromkeys(SCREENS, (DESK, PHONE))
LOOKS = frozenset({"view", "show"})
"""Of these names in an address each value is a screen of its own; of any other one value stands for all."""
MOST = 12
"""Screens of one page: more are a sign that LOOKS misses a name."""
FILE = re.compile(r"[.=](csv|pdf)\b")
SORTED_WITHIN = 120
"""Seconds until the questions of students are grouped for the first time."""


@dataclass
class Eyes:
    """One browser for all pages in one language. `troubles`: what it complained of since it was last asked."""

    page: Page
    url: str
    language: str
    troubles: list[str] = field(default_factory=list)

    def open(self, address: str) -> None:
        answer = self.page.goto(self.url + address)
        assert answer is not None
        assert answer.status == 200, address

    def faults(self, where: str) -> list[tuple[str, str]]:
        """(where, what is wrong) of the screen as it is now, with all that can be unfolded on it unfolded."""
        found = []
        self.page.locator("main details").evaluate_all("all => all.forEach(each => each.open = true)")
        for screen in SCREENS[self.language]:
            self.page.set_viewport_size(screen)  # type: ignore[arg-type]
            at = f"{where} at {screen['width']}"
            found += [(at, f"{rule}: {' '.join(nodes)[:500]}") for rule, nodes in violations(self.page)]
            wide = int(self.page.evaluate("document.documentElement.scrollWidth"))
            if wide > screen["width"]:
                found.append((at, f"scrolls sideways: {wide}"))
        self.page.set_viewport_size(DESK)  # type: ignore[arg-type]
        if (language := self.page.locator("html").get_attribute("lang")) != self.language:
            found.append((where, f"language: {language}"))
        if (headings := self.page.locator("h1:visible").count()) != 1:
            found.append((where, f"headings of the page: {headings}"))
        found += [(where, trouble) for trouble in self.troubles]
        self.troubles.clear()
        return found


@pytest.fixture(scope="module", params=CONTENT_CODES)
def eyes(request: pytest.FixtureRequest, desk: Desk, browser: Browser) -> Iterator[Eyes]:
    """Marc, who may see every page, in one language after the other: it is kept with the account."""
    language = request.param
    context = browser.new_context(viewport=WIDE, locale="en-GB", timezone_id="Europe/Paris", reduced_motion="reduce")
    looking = Eyes(context.new_page(), desk.url, language)
    context.on("weberror", lambda error: looking.troubles.append(str(error.error)))
    context.on("console", lambda said: looking.troubles.append(said.text) if said.type == "error" else None)
    sign_in(looking.page, desk, desk.sign_in_of("Marc"))
    if looking.page.locator("html").get_attribute("lang") != language:
        looking.page.locator("#menu summary").click()
        looking.page.locator(f"#menu button[lang={language}]").click()
    expect(looking.page.locator("html")).to_have_attribute("lang", language)
    yield looking
    context.close()


@pytest.mark.parametrize("page", console.PAGES, ids=lambda page: page.path)
def test_a_page_and_what_it_leads_to_shut_nobody_out(eyes: Eyes, page: console.Page):
    if page.path == "/staff/questions":
        until_sorted(eyes)
    seen: dict[frozenset[object], str] = {frozenset(): page.path}
    left, faults = [page.path], []
    while left:
        address = left.pop(0)
        eyes.open(address)
        if page.path == "/staff":
            expect(eyes.page.locator("#list")).to_have_attribute("aria-busy", "false")
        faults += eyes.faults(address)
        for href in links_below(eyes.page, page.path):
            if kind_of(href, page.path) not in seen:
                seen[kind_of(href, page.path)] = href
                left.append(href)

    assert faults == []
    assert len(seen) <= MOST, sorted(seen.values())


def test_a_talk_with_all_that_stands_beside_it_shuts_nobody_out(eyes: Eyes):
    eyes.open("/staff")
    eyes.page.locator("#tab-all").click()
    eyes.page.locator("#list .row[data-id]", has_text="Giulia").first.click()
    expect(eyes.page.locator("#transcript article").first).to_be_visible()
    faults = []
    for tab in ("student", "answers", "replies"):
        eyes.page.locator(f"#beside-tab-{tab}").click()
        expect(eyes.page.locator(f"#beside-{tab}")).to_be_visible()
        faults += eyes.faults(f"beside: {tab}")

    assert faults == []


def links_below(page: Page, path: str) -> list[str]:
    """Addresses that this page has on itself; files to download are none."""
    hrefs: list[str] = page.locator("main a[href]").evaluate_all(
        "nodes => nodes.map(each => each.getAttribute('href'))"
    )
    return [
        href.partition("#")[0] for href in hrefs if href.startswith((f"{path}?", f"{path}/")) and not FILE.search(href)
    ]


def kind_of(href: str, path: str) -> frozenset[object]:
    """Addresses of one kind differ in what they show, not in how."""
    parts = urlsplit(href)
    kind: set[object] = {(name, value) if name in LOOKS else name for name, value in parse_qsl(parts.query)}
    return frozenset(kind if parts.path == path else {*kind, parts.path})


def until_sorted(eyes: Eyes) -> None:
    """The first grouping begins half a minute after the start."""
    deadline = time.monotonic() + SORTED_WITHIN
    while True:
        eyes.open("/staff/questions")
        if eyes.page.locator("article.asked").count():
            return
        assert time.monotonic() < deadline
        eyes.page.wait_for_timeout(1000)
