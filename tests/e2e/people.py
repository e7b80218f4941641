"""A student at the widget and a colleague at the console, each in a browser: what their hands do and eyes see."""

import re
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from bot.demo import SignIn
from tests.e2e.desk import Desk

LINK_BUTTON = "Link my record"
CODE = re.compile(r"\b\d{3} \d{3}\b")


@dataclass(frozen=True)
class Student:
    """One who has the page with the widget open."""

    page: Page
    desk: Desk

    @property
    def chat(self) -> Locator:
        return self.page.locator("accueil-chat")

    @property
    def log(self) -> Locator:
        return self.chat.get_by_role("log")

    @property
    def messages(self) -> Locator:
        """What has its place in the conversation, in order."""
        return self.log.locator(".message[data-seq]")

    @property
    def status(self) -> Locator:
        return self.chat.locator(".status")

    def write(self, text: str) -> Locator:
        """Type and press Enter; gives the bubble, whatever becomes of it."""
        self.desk.said.add(text)
        field = self.chat.locator("textarea")
        field.fill(text)
        field.press("Enter")
        return self.log.locator(".message.student", has_text=text).last

    def ask(self, text: str, *, within: float = 20) -> Locator:
        """Write and wait for the bot's reply to exactly this message."""
        return self.reply_to(self.write(text), within=within)

    def press(self, label: str) -> Locator:
        """Press the newest button of this name and wait for the reply."""
        self.chat.locator(".chips button", has_text=label).last.click()
        return self.reply_to(self.log.locator(".message.student", has_text=label).last)

    def reply_to(self, message: Locator, *, within: float = 20) -> Locator:
        expect(message).to_have_attribute("data-seq", re.compile(r"\d+"), timeout=within * 1000)
        seq = message.get_attribute("data-seq")
        reply = self.log.locator(f'.message.student[data-seq="{seq}"] ~ .message.bot').first
        expect(reply).to_be_visible(timeout=within * 1000)
        return reply

    def link(self, email: str) -> None:
        """From the offer under an answer to the record: address, code, done."""
        expect(self.press(LINK_BUTTON)).to_contain_text("Write me the address of your school mailbox")
        sent = f"If {email} is the school mailbox of a student, a code is on its way."
        expect(self.ask(email)).to_contain_text(sent)
        expect(self.ask(self.code_in_mailbox(email))).to_contain_text("You are linked")

    def code_in_mailbox(self, email: str) -> str:
        """Look into the development mailbox in a second tab, as a developer would."""
        mailbox = self.page.context.new_page()
        mailbox.goto(f"{self.desk.url}/dev/mailbox")
        newest = mailbox.locator("article", has_text=email).first
        for _ in range(50):
            if newest.count():
                break
            mailbox.get_by_role("link", name="Refresh now").click()
            mailbox.wait_for_timeout(200)
        found = CODE.search(newest.inner_text())
        assert found is not None
        mailbox.close()
        self.desk.said.update({found[0], found[0].replace(" ", "")})
        return found[0]

    def transcript(self) -> list[tuple[str, str]]:
        """(author, text) of every message on the screen, in order; what has no place yet has no number."""
        found: list[tuple[str, str]] = self.log.locator(".message").evaluate_all(
            "nodes => nodes.map(node => [node.classList[1], node.querySelector('.text').innerText])"
        )
        return [(author, text) for author, text in found]


@dataclass(frozen=True)
class Colleague:
    """One who is signed in to the console."""

    page: Page
    desk: Desk

    @property
    def rows(self) -> Locator:
        return self.page.locator("#list .row[data-id]")

    @property
    def state(self) -> Locator:
        return self.page.locator("#state")

    @property
    def from_staff(self) -> Locator:
        return self.page.locator("#transcript article.from-staff:not(.pending)")

    def look_at(self, tab: str) -> None:
        self.page.locator(f"#tab-{tab}").click()

    def open(self, conversation: str) -> None:
        self.page.locator(f'.row[data-id="{conversation}"]').click()

    def do(self, deed: str) -> None:
        """claim, release or close; what is asked before is left as it is offered."""
        self.page.locator(f"#{deed}").click()
        asked = self.page.locator("dialog[open] button.primary")
        if asked.count():
            asked.click()

    def answer(self, text: str) -> None:
        self.desk.said.add(text)
        self.page.locator("#text").fill(text)
        self.page.locator("#send").click()


def student_at(context: BrowserContext, desk: Desk, path: str = "/?lang=en") -> Student:
    page = context.new_page()
    note_tokens(page, desk)
    page.goto(desk.url + path)
    return Student(page, desk)


def conversation_of(student: Student) -> str:
    """The id, as the browser keeps it."""
    kept: dict[str, Any] = student.page.evaluate(
        "() => JSON.parse(Object.entries(localStorage).find(([key]) => key.startsWith('accueil:'))[1])"
    )
    return str(kept["id"])


def sign_in(page: Page, desk: Desk, who: SignIn, password: str | None = None) -> None:
    """Fill in the form of the console and send it."""
    page.goto(f"{desk.url}/staff/sign-in?lang=en")
    page.locator("#email").fill(who.email)
    page.locator("#password").fill(password or who.password)
    page.get_by_role("button", name="Sign in").click()


def colleague_at(context: BrowserContext, desk: Desk, name: str) -> Colleague:
    """At the list of conversations, in English whatever language the account had."""
    page = context.new_page()
    sign_in(page, desk, desk.sign_in_of(name))
    if page.locator("html").get_attribute("lang") != "en":
        page.locator("#menu summary").click()
        page.locator("#menu button[lang=en]").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#list")).to_have_attribute("aria-busy", "false")
    return Colleague(page, desk)


def colleague_with(context: BrowserContext, desk: Desk, student: Student, name: str = "Claire") -> Colleague:
    """At the conversation of a student who waits."""
    colleague = colleague_at(context, desk, name)
    colleague.look_at("waiting")
    colleague.open(conversation_of(student))
    return colleague


def note_tokens(page: Page, desk: Desk) -> None:
    """Remember every token of a conversation that this page is given, to look for it in the logs at the end."""

    def note(route: Route) -> None:
        response = route.fetch()
        if response.ok:
            desk.said.add(response.json()["token"])
        route.fulfill(response=response)

    page.route(re.compile(r"/api/v1/conversations$"), note)
