"""The takeover: a student in one browser, colleagues in others."""

import time

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import PHONE, Context, Shoot
from tests.e2e.desk import Desk
from tests.e2e.people import colleague_at, conversation_of, student_at

pytestmark = [pytest.mark.browser, pytest.mark.engine]


def test_a_person_takes_over_answers_and_gives_back(desk: Desk, new_context: Context, shoot: Shoot):
    claire = colleague_at(new_context(), desk, "Claire")
    claire.look_at("waiting")
    student = student_at(new_context(), desk)
    student.ask("My landlord in Lille wants a guarantor, what is Visale?")
    student.link("priya@student.junia.com")

    promised = student.ask("I want to talk to a person")
    expect(promised).to_contain_text("Your request is with the international office")
    expect(student.status).to_contain_text("Waiting for a person")

    conversation = conversation_of(student)
    expect(claire.page.locator(f'.row[data-id="{conversation}"]')).to_be_visible()
    claire.open(conversation)
    expect(claire.state).to_contain_text("Waits for a person")
    expect(claire.page.locator("#name")).to_contain_text("Priya")
    claire.do("claim")
    expect(claire.state).to_contain_text("You are answering")
    expect(student.log.locator(".message.system").last).to_contain_text("You are now talking to Claire")
    expect(student.status).to_have_text("You are talking to Claire")

    bot_said = student.log.locator(".message.bot").count()
    question = "He also asks for three months of rent at once, is that allowed?"
    student.write(question)
    expect(claire.page.locator("#transcript")).to_contain_text(question)
    answer = "Please do not sign or pay anything yet. Can you send me a copy of the draft lease?"
    claire.answer(answer)
    received = student.log.locator(".message.staff").last
    expect(received.locator(".text")).to_have_text(answer)
    expect(received.locator(".called")).to_have_text("Claire")
    expect(received.locator(".role")).to_have_text("person")
    expect(claire.from_staff).to_have_count(1)
    assert student.log.locator(".message.bot").count() == bot_said
    shoot(student.page, "takeover")
    claire.look_at("all")
    expect(claire.rows.first).to_be_visible()
    shoot(claire.page, "console")

    claire.do("release")
    expect(student.status).to_contain_text("A machine")
    expect(student.ask("Thank you. When do I renew my residence permit?").locator(".role")).to_have_text("machine")

    claire.do("claim")
    expect(claire.state).to_contain_text("You are answering")
    claire.do("close")
    expect(student.status).to_contain_text("Closed")
    expect(claire.state).to_contain_text("Conversation closed")
    student.ask("One more thing: how do I get housing aid?")
    expect(student.status).to_contain_text("A machine")


def test_colleagues_see_that_a_student_types_and_the_assistant_is_not_told(desk: Desk, new_context: Context):
    student = student_at(new_context(), desk)
    told: list[str] = []
    student.page.on("request", lambda request: request.url.endswith("/typing") and told.append(request.method))
    field = student.chat.locator("textarea")
    student.ask("What is the CVEC for?")
    field.press_sequentially("Is it obligatory")
    student.ask("I want to talk to a person")
    assert told == []
    claire = colleague_at(new_context(), desk, "Claire")
    claire.look_at("waiting")
    claire.open(conversation_of(student))
    claire.do("claim")
    expect(student.status).to_have_text("You are talking to Claire")

    begun = time.monotonic()
    field.press_sequentially("My landlord")

    expect(claire.page.locator("#people")).to_contain_text("The student is writing")
    field.press_sequentially(" wants three months of rent at once")
    assert 1 <= len(told) <= 1 + (time.monotonic() - begun) / 3
    field.press("Enter")
    expect(claire.page.locator("#transcript")).to_contain_text("My landlord wants three months of rent at once")


def test_a_waiting_student_goes_on_getting_answers(desk: Desk, new_context: Context):
    student = student_at(new_context(), desk)
    student.ask("Could a human being of the office answer me please")

    expect(student.ask("What is the CVEC for?").locator(".sources")).to_be_visible()
    expect(student.status).to_contain_text("Waiting for a person")


def test_the_colleague_who_comes_second_is_told_who_was_faster(desk: Desk, new_context: Context):
    student = student_at(new_context(), desk)
    student.ask("I want to talk to a person")
    conversation = conversation_of(student)
    claire = colleague_at(new_context(), desk, "Claire")
    marc = colleague_at(new_context(), desk, "Marc")
    for each in (claire, marc):
        each.look_at("waiting")
        each.open(conversation)
        expect(each.state).to_contain_text("Waits for a person")
    # What Marc sees stays as it is, so that he really presses a button that is too late.
    marc.page.route("**/staff/api/inbox*", lambda route: route.abort())
    marc.page.route(f"**/staff/api/conversations/{conversation}", lambda route: route.abort())
    claire.do("claim")
    expect(claire.state).to_contain_text("You are answering")
    marc.page.unroute(f"**/staff/api/conversations/{conversation}")

    marc.do("claim")

    expect(marc.page.locator("#toast")).to_have_text("Claire is already answering this student.")
    expect(marc.page.locator("#hint")).to_have_text("Claire is already answering this student.")
    expect(marc.page.locator("#text")).to_be_disabled()
    expect(student.log.locator(".message.system")).to_have_count(1)


def test_a_colleague_answers_from_a_phone(desk: Desk, new_context: Context, shoot: Shoot):
    student = student_at(new_context(viewport=PHONE, is_mobile=True, has_touch=True, locale="fr-FR"), desk, "/?lang=fr")
    student.ask("Bonjour, quand commencent les cours de français à Lille ?")
    student.ask("Je veux parler à une personne")
    conversation = conversation_of(student)
    marc = colleague_at(new_context(viewport=PHONE, is_mobile=True, has_touch=True), desk, "Marc")
    marc.look_at("waiting")
    expect(marc.page.locator(f'.row[data-id="{conversation}"]')).to_be_visible()

    marc.open(conversation)
    expect(marc.state).to_contain_text("Waits for a person")
    marc.answer("Bonjour ! Je regarde votre dossier. Quel est votre niveau de français ?")

    expect(student.log.locator(".message.staff .called")).to_have_text("Marc")
    expect(marc.from_staff).to_have_count(1)
    shoot(marc.page, "console-phone")
    marc.page.locator("#back").click()
    expect(marc.rows.first).to_be_visible()
