"""The sheet of the widget: a student's steps and data, in a real browser."""

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import PHONE, Context
from tests.e2e.desk import Desk
from tests.e2e.people import Student, colleague_at, conversation_of, student_at

pytestmark = [pytest.mark.browser, pytest.mark.engine]

KARIM = "karim@student.junia.com"
HANA = "hana@student.junia.com"
KOFI = "kofi@student.junia.com"
SAMIR = "samir@student.junia.com"
NARROW = {"width": 360, "height": 740}


def linked(context: Context, desk: Desk, email: str, **options: object) -> Student:
    student = student_at(context(**options), desk)
    student.ask("When must I validate my visa?")
    student.link(email)
    return student


def open_sheet(student: Student) -> None:
    student.chat.get_by_role("button", name="My steps and my data").click()


def test_before_linking_the_sheet_offers_the_link_and_escape_leads_back(desk: Desk, new_context: Context):
    student = student_at(new_context(), desk)

    open_sheet(student)

    expect(student.chat.locator(".sheet")).to_contain_text("Your steps and dates depend on your record.")
    student.page.keyboard.press("Escape")
    expect(student.chat.locator(".sheet")).to_be_hidden()
    expect(student.chat.get_by_role("button", name="My steps and my data")).to_be_focused()


def test_the_link_starts_from_the_sheet_and_is_spoken_of_in_words(desk: Desk, new_context: Context):
    student = student_at(new_context(), desk)
    open_sheet(student)

    student.chat.locator(".sheet").get_by_role("button", name="Link my record").click()

    expect(student.chat.locator(".sheet")).to_be_hidden()
    written = student.log.locator(".message.student")
    expect(written.locator(".bubble")).to_have_text("I want to link my student record")
    expect(student.reply_to(written)).to_contain_text("Write me the address of your school mailbox")
    student.page.reload()
    expect(written.locator(".bubble")).to_have_text("I want to link my student record")


def test_what_is_said_behind_the_sheet_is_counted_until_it_is_left(desk: Desk, new_context: Context):
    context = new_context()
    student = student_at(context, desk)
    student.ask("How do I find a room?")
    open_sheet(student)
    badge = student.chat.locator(".sheet .badge")
    expect(badge).to_be_hidden()

    student_at(context, desk).ask("Which insurance do I need for my room?")

    expect(badge).to_have_text("1")
    student.chat.get_by_role("button", name="Back to the chat").click()
    expect(student.log).to_contain_text("Which insurance do I need for my room?")
    open_sheet(student)
    expect(badge).to_be_hidden()


def test_a_sheet_that_cannot_be_read_says_so_and_is_read_again(desk: Desk, new_context: Context):
    student = student_at(new_context(), desk)
    student.page.route("**/path", lambda route: route.abort())

    open_sheet(student)

    expect(student.chat.locator(".sheet").get_by_role("alert")).to_have_text("This cannot be shown at the moment.")
    student.page.unroute("**/path")
    student.chat.locator(".sheet").get_by_role("button", name="Try again").click()
    expect(student.chat.locator(".sheet")).to_contain_text("Your steps and dates depend on your record.")


def test_the_sheet_in_arabic_fits_a_narrow_screen(desk: Desk, new_context: Context):
    student = linked(new_context, desk, SAMIR, viewport=NARROW)
    student.chat.locator("select").select_option("ar")
    open_sheet_button = student.chat.locator("button.file")
    expect(open_sheet_button).to_have_attribute("aria-label", "خطواتي وبياناتي")

    open_sheet_button.click()
    student.chat.locator(".step[data-slug] summary").first.click()

    assert student.chat.locator(".sheetBody").evaluate("node => node.scrollWidth - node.clientWidth") == 0
    assert student.page.evaluate("() => document.documentElement.scrollWidth - innerWidth") == 0


def test_a_step_is_marked_by_keyboard_and_undone(desk: Desk, new_context: Context):
    student = linked(new_context, desk, KARIM)
    open_sheet(student)
    step = student.chat.locator('.step[data-state="open"]').first
    expect(step).to_be_visible()
    title = step.locator("strong").inner_text()

    step.locator("summary").press("Enter")
    step.get_by_role("button", name="I did it").press("Enter")

    note = student.chat.locator(".sheetNote")
    expect(note).to_contain_text(f"Marked as done: {title}")
    expect(note.get_by_role("button", name="Undo")).to_be_focused()
    student.page.keyboard.press("Enter")
    expect(note).to_contain_text(f"No longer marked as done: {title}")
    expect(student.chat.locator('.step[data-state="open"] strong', has_text=title)).to_be_visible()


def test_a_calendar_address_answers_until_it_is_stopped(desk: Desk, new_context: Context):
    student = linked(new_context, desk, HANA)
    open_sheet(student)
    student.chat.locator("summary", has_text="Your dates in your calendar").click()
    student.chat.get_by_role("button", name="Give me an address").click()
    address = student.chat.locator(".address").inner_text()
    desk.said.add(address.rsplit("/", 1)[1].removesuffix(".ics"))

    assert httpx.get(address).text.startswith("BEGIN:VCALENDAR")
    student.chat.get_by_role("button", name="Stop all addresses").click()
    expect(student.chat.locator(".sheet")).to_contain_text("No address works any more.")
    assert httpx.get(address).status_code == 404


def test_erasing_everything_starts_anew_and_nothing_comes_back(desk: Desk, new_context: Context):
    student = linked(new_context, desk, KOFI, viewport=PHONE)
    claire = colleague_at(new_context(), desk, "Claire")
    claire.look_at("all")
    claire.open(conversation_of(student))
    expect(claire.page.locator("#hint")).to_have_text("Sending takes the conversation over from the assistant.")
    open_sheet(student)
    student.chat.get_by_role("tab", name="My data").click()
    expect(student.chat.locator(".sheet")).to_contain_text("What is kept about you")

    student.chat.get_by_role("button", name="Erase everything").click()
    student.chat.get_by_role("button", name="Yes, erase everything").click()

    expect(student.log).to_contain_text("Everything is erased. This is a new conversation.")
    expect(student.messages).to_have_count(1)
    student.page.reload()
    expect(student.messages).to_have_count(1)
    expect(student.log).not_to_contain_text("When must I validate my visa?")
    expect(claire.page.locator("#hint")).to_have_text(
        "The student erased this conversation and may not read what is written here."
    )
