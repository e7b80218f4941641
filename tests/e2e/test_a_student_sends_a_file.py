"""Files: a student hands them over on the page while a colleague has the conversation, in browsers."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Locator, Route, expect

from tests.e2e.conftest import PHONE, Context, Shoot
from tests.e2e.desk import Desk
from tests.e2e.people import Colleague, Student, colleague_with, student_at

pytestmark = [pytest.mark.browser, pytest.mark.engine]

FILES = re.compile(r"/api/v1/conversations/[^/]+/files")
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 400


def with_claire(desk: Desk, new_context: Context, student: Student) -> Colleague:
    student.ask("I want to talk to a person")
    claire = colleague_with(new_context(), desk, student)
    claire.do("claim")
    expect(student.status).to_have_text("You are talking to Claire")
    return claire


def a_file(desk: Desk, name: str, content: bytes = PDF, media_type: str = "application/pdf") -> dict[str, Any]:
    desk.said.add(name)
    return {"name": name, "mimeType": media_type, "buffer": content}


def attach(student: Student) -> Locator:
    return student.chat.get_by_role("button", name="Send a file")


def send(student: Student, *files: dict[str, Any]) -> None:
    """By the button, as a person does."""
    with student.page.expect_file_chooser() as chooser:
        attach(student).click()
    chooser.value.set_files(list(files))


def bubble(student: Student, name: str) -> Locator:
    return student.log.locator(".message.student", has_text=name)


def next_upload(student: Student, held: list[Route]) -> Route:
    """The one that the network holds back now."""
    for _ in range(50):
        if held:
            return held.pop()
        student.page.wait_for_timeout(100)
    raise AssertionError("nothing was sent")


PASTED = """([name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File(["pasted bytes"], name, { type: "image/png" }));
  if (text) data.items.add(text, "text/plain");
  const field = document.querySelector("accueil-chat").shadowRoot.querySelector("textarea");
  field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""
DROPPED = """([name, bytes]) => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([new Uint8Array(bytes)], name, { type: "application/pdf" }));
  const log = document.querySelector("accueil-chat").shadowRoot.querySelector("[role=log]");
  for (const type of ["dragover", "drop"]) {
    log.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true, composed: true }));
  }
}"""
LOSE_THE_NEXT_ANSWER = """() => {
  const send = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.send = function (body) {
    XMLHttpRequest.prototype.send = send;
    const { onerror } = this;
    this.onload = () => {
      onerror();
      document.body.dataset.lost = "yes";
    };
    send.call(this, body);
  };
}"""


def test_a_colleague_saves_the_very_bytes_that_a_student_sent(
    desk: Desk, new_context: Context, shoot: Shoot, tmp_path: Path
):
    student = student_at(new_context(), desk)
    expect(attach(student)).to_have_count(0)
    claire = with_claire(desk, new_context, student)
    held: list[Route] = []
    student.page.route(FILES, lambda route: held.append(route))

    send(student, a_file(desk, "residence-permit.pdf"), a_file(desk, "landlord.png", b"\x89PNG\r\n", "image/png"))

    pending = bubble(student, "residence-permit.pdf")
    expect(pending.locator(".size")).to_have_text("102.4 kB")
    expect(pending.locator("progress")).to_be_visible()
    expect(pending.locator(".state")).to_contain_text("Sending…")
    first = next_upload(student, held)
    shoot(student.page, "file-pending")
    assert held == []
    first.continue_()
    expect(
        student.log.locator(".message.student[data-seq]", has_text="[Document: residence-permit.pdf]")
    ).to_be_visible()
    next_upload(student, held).continue_()
    expect(student.log.locator(".message.student[data-seq]", has_text="[Photo] landlord.png")).to_be_visible()
    expect(student.log.locator(".message.student:not([data-seq])")).to_have_count(0)
    shoot(student.page, "file-sent")

    links = claire.page.locator("#transcript .files a")
    expect(links).to_have_count(2)
    with claire.page.expect_download() as saved:
        links.first.click()
    saved.value.save_as(tmp_path / "saved.pdf")
    assert (saved.value.suggested_filename, (tmp_path / "saved.pdf").read_bytes()) == ("residence-permit.pdf", PDF)
    shoot(claire.page, "file-console")

    student.page.reload()
    expect(student.log.locator(".message.student", has_text="[Photo] landlord.png")).to_have_count(1)
    expect(attach(student)).to_be_visible()


def test_the_button_comes_with_the_colleague_and_goes_with_them(desk: Desk, new_context: Context):
    student = student_at(new_context(), desk)
    field = student.chat.locator("textarea")
    expect(attach(student)).to_be_hidden()
    claire = with_claire(desk, new_context, student)
    expect(attach(student)).to_be_visible()
    field.focus()
    student.page.keyboard.press("Shift+Tab")
    expect(attach(student)).to_be_focused()

    claire.do("release")

    expect(student.status).to_contain_text("A machine")
    expect(attach(student)).to_be_hidden()
    expect(field).to_be_focused()
    student.page.evaluate(PASTED, ["screenshot-of-mine.png", ""])
    refused = bubble(student, "screenshot-of-mine.png")
    expect(refused.locator(".state")).to_contain_text(
        "Files can be sent here once a person of the office has taken over."
    )
    claire.do("claim")
    expect(attach(student)).to_be_visible()
    refused.get_by_role("button", name="Try again").click()
    expect(bubble(student, "[Photo] screenshot-of-mine.png")).to_have_attribute("data-seq", re.compile(r"\d+"))
    expect(refused).to_have_count(1)


def test_an_upload_that_failed_is_tried_again_and_arrives_once(desk: Desk, new_context: Context, shoot: Shoot):
    student = student_at(new_context(), desk)
    claire = with_claire(desk, new_context, student)
    student.page.route(FILES, lambda route: route.abort())
    send(student, a_file(desk, "lease-of-june.pdf"))
    failed = bubble(student, "lease-of-june.pdf")
    expect(failed.locator(".state")).to_contain_text("Not sent.")
    shoot(student.page, "file-failed")
    student.page.unroute(FILES)

    failed.get_by_role("button", name="Try again").press("Enter")
    expect(attach(student)).to_be_focused()
    expect(bubble(student, "[Document: lease-of-june.pdf]")).to_have_attribute("data-seq", re.compile(r"\d+"))

    student.page.evaluate(LOSE_THE_NEXT_ANSWER)
    send(student, a_file(desk, "answer-lost.pdf"))
    expect(student.page.locator("body")).to_have_attribute("data-lost", "yes")
    lost = student.log.locator('.message.student[data-state="failed"]')
    if lost.count():
        # The stream has not brought it before.
        lost.get_by_role("button", name="Try again").click()
    expect(lost).to_have_count(0)
    expect(bubble(student, "answer-lost.pdf")).to_have_count(1)
    expect(claire.page.locator("#transcript .files a")).to_have_count(2)
    expect(claire.page.locator("#transcript .files a", has_text="lease-of-june.pdf")).to_have_count(1)


def test_what_cannot_be_taken_is_said_before_anything_is_sent_and_can_be_removed(desk: Desk, new_context: Context):
    student = student_at(new_context(), desk)
    with_claire(desk, new_context, student)
    asked: list[str] = []
    student.page.on("request", lambda request: FILES.search(request.url) and asked.append(request.url))

    student.page.evaluate(DROPPED, ["nothing-in-it.pdf", []])
    empty = bubble(student, "nothing-in-it.pdf")
    student.page.evaluate(
        """() => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([new Uint8Array(20 * 1024 * 1024 + 1)], "far-too-large.zip"));
          const log = document.querySelector("accueil-chat").shadowRoot.querySelector("[role=log]");
          log.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
        }"""
    )
    large = bubble(student, "far-too-large.zip")

    expect(empty.locator(".state")).to_contain_text("This file is empty.")
    expect(large.locator(".state")).to_contain_text("it is larger than 20 MB. Send a smaller one, please.")
    for refused in (empty, large):
        expect(refused.get_by_role("button", name="Try again")).to_have_count(0)
        refused.get_by_role("button", name="Remove").click()
        expect(refused).to_have_count(0)
    assert asked == []


def test_files_are_dropped_and_pasted_and_pasted_words_stay_words(desk: Desk, new_context: Context):
    student = student_at(new_context(), desk)
    claire = with_claire(desk, new_context, student)

    student.page.evaluate(DROPPED, ["dropped-by-hand.pdf", list(b"%PDF-1.7")])
    student.page.evaluate(PASTED, ["picture-of-words.png", "words that were copied"])
    student.page.evaluate(PASTED, ["pasted-by-hand.png", ""])

    expect(bubble(student, "[Photo] pasted-by-hand.png")).to_have_attribute("data-seq", re.compile(r"\d+"))
    expect(bubble(student, "[Document: dropped-by-hand.pdf]")).to_have_attribute("data-seq", re.compile(r"\d+"))
    expect(bubble(student, "picture-of-words.png")).to_have_count(0)
    names = claire.page.locator("#transcript .files a")
    expect(names).to_have_count(2)
    assert [re.search(r"[\w-]+\.\w+", name)[0] for name in names.all_inner_texts()] == [  # type: ignore[index]
        "dropped-by-hand.pdf",
        "pasted-by-hand.png",
    ]


def test_on_a_phone_and_from_right_to_left_a_file_is_sent_by_a_finger(desk: Desk, new_context: Context, shoot: Shoot):
    student = student_at(new_context(viewport=PHONE, has_touch=True), desk, "/?lang=ar")
    student.ask("أريد التحدث إلى شخص")
    claire = colleague_with(new_context(), desk, student)
    claire.do("claim")
    button = student.chat.get_by_role("button", name="إرسال ملف")
    expect(button).to_be_visible()
    box = button.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 44
    field = student.chat.locator("textarea").bounding_box()
    assert field is not None
    assert box["x"] > field["x"] + field["width"] - 1
    held: list[Route] = []
    student.page.route(FILES, lambda route: held.append(route))
    desk.said.add("my-passport-and-visa.pdf")
    student.chat.locator("input[type=file]").set_input_files(
        [a_file(desk, "my-passport-and-visa.pdf", b"x" * 3_400_000)]  # type: ignore[list-item]
    )
    expect(bubble(student, "my-passport-and-visa.pdf").locator("progress")).to_be_visible()
    upload = next_upload(student, held)
    shoot(student.page, "file-phone-pending")
    assert student.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    upload.continue_()
    expect(student.log.locator(".message.student[data-seq]", has_text="my-passport-and-visa.pdf")).to_be_visible()
    shoot(student.page, "file-phone-sent")


def test_a_program_that_sends_too_much_is_cut_off_and_the_desk_goes_on(desk: Desk, new_context: Context):
    student = student_at(new_context(), desk)
    with_claire(desk, new_context, student)
    kept = student.page.evaluate(
        "() => JSON.parse(Object.entries(localStorage).find(([key]) => key.startsWith('accueil:'))[1])"
    )

    def hand_over(content: bytes | Iterator[bytes], token: str = kept["token"]) -> httpx.Response:
        return httpx.post(
            f"{desk.url}/api/v1/conversations/{kept['id']}/files",
            params={"client_id": str(uuid4()), "name": "large.bin"},
            content=content,
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
            trust_env=False,
        )

    megabyte = b"x" * 1024 * 1024
    with_length = hand_over(megabyte * 21)
    without_length = hand_over(megabyte for _ in range(30))
    stranger = hand_over((megabyte for _ in range(19)), token="of-another")

    assert [each.status_code for each in (with_length, without_length, stranger)] == [413, 413, 404]
    assert without_length.json()["title"] == "The request is too large: 20 MB at most."
    desk.said.add("large.bin")
    assert hand_over(megabyte * 20).status_code == 202
    expect(bubble(student, "[Document: large.bin]")).to_have_count(1)
