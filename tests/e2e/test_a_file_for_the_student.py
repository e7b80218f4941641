"""A colleague sends a file, the student saves the same bytes; what is taken back is gone for both."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.conftest import Context
from tests.e2e.desk import Desk
from tests.e2e.people import Colleague, Student, colleague_at, conversation_of, student_at

pytestmark = [pytest.mark.browser, pytest.mark.engine]

NAME = "Attestation d'hébergement.pdf"
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 400
LET_GO = """([name, text]) => {
  const given = new DataTransfer();
  given.items.add(new File([text], name, { type: "text/plain" }));
  const over = new DragEvent("dragover", { dataTransfer: given, bubbles: true, cancelable: true });
  document.querySelector("#transcript").dispatchEvent(over);
  const isOffered = !document.querySelector("#drop").hidden;
  const drop = new DragEvent("drop", { dataTransfer: given, bubbles: true, cancelable: true });
  document.querySelector("#transcript").dispatchEvent(drop);
  return isOffered && drop.defaultPrevented;
}"""
PASTE = """([name, text]) => {
  const given = new DataTransfer();
  given.items.add(new File([text], name, { type: "text/plain" }));
  const field = document.querySelector("#text");
  return !field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: given, bubbles: true, cancelable: true }));
}"""


def talking(desk: Desk, new_context: Context, language: str = "en", **options: object) -> tuple[Student, Colleague]:
    """A student, and Claire who has the conversation on the screen and may write in it."""
    student = student_at(new_context(**options), desk, f"/?lang={language}")
    student.ask("I want to talk to a person")
    claire = colleague_at(new_context(), desk, "Claire")
    claire.page.evaluate("id => { location.hash = id }", conversation_of(student))
    expect(claire.state).to_contain_text("Waits for a person")
    expect(claire.page.locator("body")).to_have_attribute("data-fresh", "true")
    expect(claire.page.locator("#attach")).to_be_enabled()
    return student, claire


def attaches(claire: Colleague, content: bytes = PDF, name: str = NAME) -> None:
    claire.desk.said.add(name)
    with claire.page.expect_file_chooser() as chosen:
        claire.page.locator("#attach").click()
    chosen.value.set_files({"name": name, "mimeType": "application/pdf", "buffer": content})


def card(student: Student, name: str = NAME) -> Locator:
    return student.log.locator(".message.staff .paper", has_text=name)


def saved_by(student: Student, button: Locator) -> tuple[str, bytes]:
    with student.page.expect_download() as download:
        button.press("Enter")
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def test_the_student_saves_the_bytes_that_the_colleague_attached_and_none_once_they_are_taken_back(
    desk: Desk, new_context: Context
):
    student, claire = talking(desk, new_context)
    attaches(claire)
    sent = claire.from_staff.last
    expect(sent.locator(".file a")).to_have_text(NAME)
    expect(sent.locator("[data-change=delete]")).to_be_visible()
    expect(sent.locator("[data-change=edit]")).to_have_count(0)
    expect(claire.page.locator("#transcript .pending")).to_have_count(0)
    with claire.page.expect_download() as download:
        sent.locator(".file a").click()
    assert Path(download.value.path()).read_bytes() == PDF

    expect(card(student)).to_contain_text("102.4 kB")
    button = student.chat.get_by_role("button", name=f"Download the file \u2068{NAME}\u2069")
    assert saved_by(student, button) == (NAME, PDF)
    student.page.reload()
    assert saved_by(student, button) == (NAME, PDF)

    gone = re.compile(r"/files/\d+$")
    student.page.route(gone, lambda route: route.abort())
    button.click()
    expect(card(student)).to_contain_text("The file could not be loaded. Please try again.")
    student.page.unroute(gone)
    student.page.route(gone, lambda route: route.fulfill(status=404, json={"code": "not_found"}))
    button.click()
    expect(card(student)).to_contain_text("This file is no longer here.")
    student.page.unroute(gone)

    sent.locator("[data-change=delete]").click()
    claire.page.locator("#deleting button.primary").click()
    expect(claire.from_staff.last).to_have_class(re.compile("deleted"))
    expect(claire.page.locator("#transcript .file")).to_have_count(0)
    expect(card(student)).to_have_count(0)
    expect(student.log.locator(".message.staff").last).to_contain_text("deleted")


def test_a_file_is_let_go_over_the_talk_or_pasted_and_what_cannot_be_sent_is_said_before(
    desk: Desk, new_context: Context
):
    student, claire = talking(desk, new_context)
    desk.said.update({"hours.txt", "plan.txt"})
    assert claire.page.evaluate(LET_GO, ["hours.txt", "nine to five"])
    expect(card(student, "hours.txt")).to_be_visible()
    assert claire.page.evaluate(PASTE, ["plan.txt", "room 12"])
    expect(card(student, "plan.txt")).to_be_visible()

    toast = claire.page.locator("#toast.shown #toast-words")
    attaches(claire, b"", "empty.pdf")
    expect(toast).to_have_text("“empty.pdf” is empty and cannot be sent.")
    attaches(claire, b"x" * (20 * 1024 * 1024 + 1), "film.mp4")
    expect(toast).to_have_text("“film.mp4” is larger than 20 MB and cannot be sent.")
    expect(claire.page.locator("#transcript .pending")).to_have_count(0)
    claire.page.locator("[data-mode=note]").click()
    expect(claire.page.locator("#attach")).to_be_hidden()
    claire.page.locator("[data-mode=answer]").click()

    sending = re.compile(r"/files\?")
    claire.page.route(sending, lambda route: route.fulfill(status=422, json={"code": "invalid_field", "title": "No."}))
    attaches(claire)
    pending = claire.page.locator("#transcript .pending")
    expect(pending).to_contain_text(NAME)
    expect(pending).to_contain_text("Not sent. No.")
    pending.get_by_role("button", name="Try again").click()
    expect(pending).to_contain_text("Not sent. No.")
    claire.page.unroute(sending)
    pending.get_by_role("button", name="Try again").click()
    expect(card(student)).to_be_visible()
    expect(pending).to_have_count(0)


def test_whoever_may_not_answer_here_has_no_button_for_files(desk: Desk, new_context: Context):
    student, claire = talking(desk, new_context)
    attaches(claire)
    expect(card(student)).to_be_visible()
    marc = colleague_at(new_context(), desk, "Marc")
    marc.page.evaluate("id => { location.hash = id }", conversation_of(student))

    expect(marc.page.locator("#hint")).to_contain_text("Claire")
    expect(marc.page.locator("#attach")).to_be_hidden()
    expect(marc.from_staff.last.locator(".file a")).to_have_text(NAME)
