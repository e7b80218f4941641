"""The student's path: a question, the general rule, a link to the record, an answer with one's own date."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Context, Shoot
from tests.e2e.desk import Desk, own_sentence
from tests.e2e.people import LINK_BUTTON, student_at

pytestmark = [pytest.mark.browser, pytest.mark.engine]

QUESTION = "When must I validate my visa?"
AMINA = "amina@student.junia.com"
JONAS = "jonas@student.junia.com"


def test_a_question_becomes_a_personal_answer_once_the_record_is_linked(desk: Desk, new_context: Context, shoot: Shoot):
    student = student_at(new_context(), desk)
    expect(student.log).to_contain_text("I am a machine")
    shoot(student.page, "welcome")

    general = student.ask(QUESTION)
    expect(general).to_contain_text("within three months of entering France")
    expect(general).not_to_contain_text("you arrived on")
    general.locator("summary").click()
    expect(general.locator(".sources a").first).to_have_attribute("href", re.compile("^https://"))
    expect(general.locator(".sources small").first).to_contain_text("checked on")

    student.link(AMINA)
    personal = student.ask(QUESTION)

    expected = own_sentence(AMINA, "validate_visa", "en")
    assert "12 December 2026" in expected
    expect(personal.locator(".text")).to_contain_text(expected)
    shoot(student.page, "personal-answer")
    personal.locator("summary").click()
    expect(personal.get_by_role("link", name="Service-Public F2231")).to_be_visible()


def test_a_wrong_code_links_nothing_and_says_how_many_tries_are_left(desk: Desk, new_context: Context):
    student = student_at(new_context(), desk)
    student.ask("Until when must I have validated the visa?")
    student.press(LINK_BUTTON)
    student.ask(JONAS)
    code = student.code_in_mailbox(JONAS)
    wrong = f"{(int(code.replace(' ', '')) + 1) % 1_000_000:06}"

    refused = student.ask(wrong)

    expect(refused).to_contain_text("That is not the code. You have 4 tries left.")
    expect(student.ask(code)).to_contain_text("You are linked, Jonas.")


def test_an_unknown_address_gets_the_same_words_and_no_mail(desk: Desk, new_context: Context):
    student = student_at(new_context(), desk)
    student.ask("By what date do I have to validate my visa?")
    student.press(LINK_BUTTON)

    reply = student.ask("nobody.at.all@student.junia.com")

    expect(reply).to_contain_text("If nobody.at.all@student.junia.com is the school mailbox of a student, a code is on")
    student.page.goto(f"{desk.url}/dev/mailbox")
    expect(student.page.locator("main")).not_to_contain_text("nobody.at.all@student.junia.com")


def test_the_conversation_is_there_again_after_a_reload(desk: Desk, new_context: Context):
    student = student_at(new_context(), desk)
    student.ask("What is the CVEC and who pays it?")
    before = student.transcript()

    student.page.reload()

    expect(student.messages).to_have_count(len(before))
    assert student.transcript() == before


def test_what_is_being_written_is_there_again_after_a_reload_until_it_is_sent(desk: Desk, new_context: Context):
    student = student_at(new_context(), desk)
    student.ask("What is the CVEC and who pays it?")
    field = student.chat.locator("textarea")
    field.fill("My landlord says\nthat I must")
    student.page.reload()

    expect(field).to_have_value("My landlord says\nthat I must")
    field.press("Enter")
    expect(field).to_have_value("")
    student.page.reload()
    expect(student.log.locator(".message.student")).to_have_count(2)
    expect(field).to_have_value("")


def test_an_example_question_of_the_page_is_asked_in_the_widget(desk: Desk, new_context: Context):
    student = student_at(new_context(), desk)
    example = student.page.locator("a[data-ask]").first
    text = example.inner_text()

    example.click()

    asked = student.log.locator(".message.student", has_text=text)
    expect(student.reply_to(asked).locator(".sources")).to_be_visible()


def test_the_keyboard_alone_is_enough(desk: Desk, new_context: Context):
    student = student_at(new_context(), desk)
    field = student.chat.get_by_role("textbox", name="Your message")
    expect(field).to_be_visible()
    for _ in range(40):
        student.page.keyboard.press("Tab")
        if field.evaluate("node => node.getRootNode().activeElement === node"):
            break
    expect(field).to_be_focused()
    text = "How do I find a room in Lille, please?"
    desk.said.add(text)

    student.page.keyboard.type(text)
    student.page.keyboard.press("Enter")

    asked = student.log.locator(".message.student", has_text=text)
    expect(student.reply_to(asked).locator(".role")).to_have_text("machine")
    expect(student.log).to_have_attribute("aria-live", "polite")
    expect(field).to_be_focused()
