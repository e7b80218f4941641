"""What colleagues do on the pages beside the inbox, from one end to the other."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Download, Page, expect

from bot.config import ROOT
from tests.e2e.conftest import Context
from tests.e2e.desk import Desk
from tests.e2e.people import colleague_at, conversation_of, sign_in, student_at

pytestmark = [pytest.mark.browser, pytest.mark.engine]

PUBLISHED_WITHIN = 15_000
"""Milliseconds on a busy machine; the aim is five seconds."""


@pytest.fixture
def phrases_kept() -> Iterator[None]:
    """The desk of these tests writes into the folder that it was started from: every file is put back."""
    folders = (ROOT / "data" / "nlu", ROOT / "tests" / "nlu")
    before = {path: path.read_bytes() for path in _files(folders)}
    yield
    for path in _files(folders):
        if path not in before:
            path.unlink()
    for path, body in before.items():
        if not path.exists() or path.read_bytes() != body:
            path.write_bytes(body)


def _files(folders: tuple[Path, ...]) -> list[Path]:
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


def test_a_second_person_publishes_and_the_next_student_reads_it(desk: Desk, new_context: Context):
    added = "Bring a copy of every page as well."
    paul = colleague_at(new_context(), desk, "Paul").page
    paul.goto(f"{desk.url}/staff/answers?topic=cvec")
    paul.get_by_role("button", name="Edit").click()
    text = paul.get_by_label("English text")
    lead, rest = text.input_value().strip().split("\n", 1)
    text.fill(f"{lead} {added}\n{rest}")
    paul.get_by_role("button", name="Save and send to review").click()
    expect(paul.get_by_role("status")).to_contain_text("Sent to review")
    edition = re.sub(r"[&?]done=\w+", "", paul.url)

    student = student_at(new_context(), desk)
    expect(student.ask("What is the CVEC?")).not_to_contain_text(added)
    ines = colleague_at(new_context(), desk, "Inès").page
    ines.goto(edition)
    expect(ines.locator("ins, .new").first).to_contain_text("copy of every page")
    ines.get_by_role("button", name="Publish", exact=True).click()

    expect(ines.get_by_role("status")).to_contain_text("Published")
    until_told(student_at(new_context(), desk), added)


def until_told(student, added: str) -> None:
    """Asked again and again, as different students would."""
    reply = student.ask("What is the CVEC?")
    for number in range(PUBLISHED_WITHIN // 1000):
        if added in reply.inner_text():
            return
        student.page.wait_for_timeout(1000)
        reply = student.ask(f"What is the CVEC? ({number})")
    expect(reply).to_contain_text(added)


def test_a_canned_reply_is_written_once_and_inserted_with_the_names_filled_in(desk: Desk, new_context: Context):
    student = student_at(new_context(), desk)
    student.ask("Where is the office?")
    claire = colleague_at(new_context(), desk, "Claire")
    page = claire.page
    page.goto(f"{desk.url}/staff/replies?edit=new")
    page.locator("input[name=name]").fill("Office corridor")
    page.locator("input[name=shortcut]").fill("corridor")
    page.locator("textarea[name=text_en]").fill("{staff_name} here: the office is at the end of the corridor.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row", name="Office corridor")).to_be_visible()

    page.goto(f"{desk.url}/staff#{conversation_of(student)}")
    page.locator("#beside-tab-replies").click()
    page.locator("#beside-reply").fill("/corridor")
    page.locator("#beside-replies").get_by_role("button", name="Office corridor").click()
    page.locator("#beside-replies").get_by_role("button", name="Insert").click()

    expect(page.locator("#text")).to_have_value("Claire here: the office is at the end of the corridor.")


def test_a_text_that_is_not_saved_is_not_left_without_a_question(desk: Desk, new_context: Context):
    page = colleague_at(new_context(), desk, "Claire").page
    page.goto(f"{desk.url}/staff/replies?edit=new")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.get_by_role("link", name="Back without saving").click()
    expect(page).to_have_url(f"{desk.url}/staff/replies")
    assert asked == []
    page.goto(f"{desk.url}/staff/replies?edit=new")
    page.locator("textarea[name=text_en]").fill("A long text that nobody wants to write twice.")
    page.get_by_role("link", name="Back without saving").click()
    expect(page.locator("textarea[name=text_en]")).to_have_value("A long text that nobody wants to write twice.")
    assert asked == ["beforeunload"]
    # Sent and not taken, it is still not saved; sent and taken, nothing is asked.
    page.locator("input[name=name]").fill("Twice")
    page.locator("input[name=shortcut]").fill("not a shortcut")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("link", name="Back without saving").click()
    assert asked == ["beforeunload"] * 2
    page.locator("input[name=shortcut]").fill("twice")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("The reply is saved.")
    assert asked == ["beforeunload"] * 2


def test_a_text_whose_session_ended_stays_on_the_page_and_is_sent_by_the_same_colleague_who_signs_in_again(
    desk: Desk, new_context: Context
):
    context = new_context()
    page = colleague_at(context, desk, "Claire").page
    page.goto(f"{desk.url}/staff/replies?edit=new")
    page.locator("input[name=name]").fill("Half an hour")
    page.locator("input[name=shortcut]").fill("halfhour")
    page.locator("textarea[name=text_en]").fill("Written for more than half an hour.")
    context.clear_cookies(name="accueil_staff")

    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("You have been signed out, and nothing was sent.")
    with context.expect_page() as opened:
        page.get_by_role("alert").get_by_role("link", name="To the sign-in").click()
    sign_in(opened.value, desk, desk.sign_in_of("Marc"))
    expect(opened.value).to_have_url(f"{desk.url}/staff")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("textarea[name=text_en]")).to_have_value("Written for more than half an hour.")

    context.clear_cookies(name="accueil_staff")
    sign_in(opened.value, desk, desk.sign_in_of("Claire"))
    expect(opened.value).to_have_url(f"{desk.url}/staff")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("row", name="Half an hour")).to_be_visible()


def test_a_group_of_questions_is_given_to_a_topic_and_taken_back(desk: Desk, new_context: Context, phrases_kept: None):
    page = colleague_at(new_context(), desk, "Paul").page
    asked = until_sorted(page, desk, "bring my cat")
    asked.get_by_role("link", name="Give it to a topic").click()
    page.locator("select[name=topic]").select_option("documents_to_bring")
    page.get_by_role("button", name="Save the phrases").click()

    expect(page.locator("article.asked", has_text="bring my cat")).to_have_count(0)
    training = page.locator("section[aria-labelledby=training]")
    expect(training).to_contain_text("New phrases that the assistant has not learned yet")
    given = page.locator("section[aria-labelledby=assigned] details", has_text="Documents to bring")
    given.locator("summary").click()
    given.get_by_role("button", name="Take back").click()

    expect(page.locator("article.asked", has_text="bring my cat")).to_be_visible()
    expect(training).to_contain_text("There is nothing new to learn.")


def until_sorted(page: Page, desk: Desk, words: str):
    """The first grouping begins half a minute after the start."""
    found = page.locator("article.asked", has_text=words)
    for _ in range(120):
        page.goto(f"{desk.url}/staff/questions")
        if found.count():
            break
        page.wait_for_timeout(1000)
    expect(found).to_be_visible()
    return found


def test_the_radar_is_narrowed_down_and_taken_away_as_a_table(desk: Desk, new_context: Context):
    page = colleague_at(new_context(), desk, "Inès").page
    page.goto(f"{desk.url}/staff/radar?by=campus")
    head, *rows = taken(page, "Download as CSV").splitlines()
    assert head == "\ufeffStep;Stuck;Bordeaux;Châteauroux;Lille"
    assert len(rows) == page.locator("section[aria-labelledby=stuck] tbody tr").count()
    page.get_by_role("link", name="See who and remind: Open a bank account").click()
    everybody = page.locator("section[aria-labelledby=names] tbody tr")
    count = everybody.count()
    page.get_by_label("Campus").focus()
    page.get_by_label("Campus").select_option(label="Lille")
    expect(page).to_have_url(re.compile("campus=lille"))
    expect(page.locator("#who")).to_have_text(f"Stuck at this step: {everybody.count()}")
    expect(page.get_by_label("Campus")).to_be_focused()
    expect(page.locator("#chosen input[name=campus]")).to_have_value("lille")
    assert 0 < everybody.count() <= count
    expect(everybody.first).to_contain_text("Lille")


def test_a_choice_of_the_radar_whose_list_does_not_come_is_said_and_nobody_else_can_be_reminded(
    desk: Desk, new_context: Context
):
    page = colleague_at(new_context(), desk, "Inès").page
    page.goto(f"{desk.url}/staff/radar")
    page.get_by_role("link", name="See who and remind: Open a bank account").click()
    page.route("**/staff/radar/students?*", lambda route: route.abort())
    page.get_by_label("Campus").select_option(label="Lille")

    expect(page.get_by_role("alert")).to_have_text(
        "The list could not be loaded: below is still the choice before. “Show these” tries again."
    )
    expect(page.locator("#chosen")).to_have_attribute("inert", "")
    page.unroute("**/staff/radar/students?*")
    page.get_by_role("button", name="Show these").click()
    expect(page).to_have_url(re.compile("campus=lille"))
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(page.locator("#chosen")).not_to_have_attribute("inert", "")


def taken(page: Page, link: str) -> str:
    with page.expect_download() as waiting:
        page.get_by_role("link", name=link).click()
    download: Download = waiting.value
    return Path(download.path()).read_text(encoding="utf-8")
