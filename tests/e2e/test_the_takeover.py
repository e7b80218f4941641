"""The takeover: a student in one browser, colleagues in others."""

import time

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.conftest import PHONE, Context, Shoot
from tests.e2e.desk import Desk
from tests.e2e.people import colleague_at, colleague_with, conversation_of, student_at

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
    expect(claire.page.locator("#people")).to_have_text("The student has the page open")
    student.page.get_by_role("button", name="New conversation").click()
    starting = student.page.get_by_role("dialog", name="Start a new conversation?")
    expect(starting).to_contain_text("You have asked for a person here: their answers would not reach you any more.")
    starting.get_by_role("button", name="Cancel").click()

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
    claire = colleague_with(new_context(), desk, student)
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
    marc.page.route("**/staff/rows*", lambda route: route.abort())
    marc.page.route(f"**/staff/api/conversations/{conversation}", lambda route: route.abort())
    claire.do("claim")
    expect(claire.state).to_contain_text("You are answering")
    marc.page.unroute(f"**/staff/api/conversations/{conversation}")

    marc.do("claim")

    expect(marc.page.locator("#toast")).to_have_text("Claire is already answering this student.")
    expect(marc.page.locator("#hint")).to_have_text("Claire is already answering this student.")
    expect(marc.page.locator("#text")).to_be_disabled()
    expect(student.log.locator(".message.system")).to_have_count(1)


def test_what_was_done_by_mistake_is_undone_by_a_key_or_by_a_button(desk: Desk, new_context: Context):
    student = student_at(new_context(), desk)
    student.ask("I want to talk to a person")
    conversation = conversation_of(student)
    claire = colleague_at(new_context(), desk, "Claire")
    toast, keys = claire.page.locator("#toast-words"), claire.page.keyboard
    claire.look_at("waiting")
    claire.open(conversation)
    claire.do("claim")
    expect(claire.state).to_contain_text("You are answering")
    claire.page.locator("#name").focus()

    keys.press("e")
    claire.page.locator("#closing textarea").fill("Closed by mistake")
    claire.page.locator("#closing button.primary").click()
    expect(toast).to_have_text("The conversation is closed.")
    expect(student.status).to_contain_text("Closed")
    expect(claire.page.locator("#transcript")).to_contain_text("Closed by mistake")
    expect(claire.page.locator("#closing")).to_be_hidden()
    keys.press("z")
    expect(toast).to_have_text("Undone: everything is as before.")
    expect(claire.state).to_contain_text("You are answering")
    expect(claire.page.locator("#transcript")).not_to_contain_text("Closed by mistake")
    expect(student.status).to_have_text("You are talking to Claire")
    keys.press("z")
    expect(claire.page.locator("#toast-undo")).to_be_hidden()

    claire.page.locator("#transfer").click()
    claire.page.locator("#handing [name=to]").select_option(f"staff:{desk.sign_in_of('Marc').email}")
    claire.page.locator("#handing button.primary").click()
    expect(student.status).to_have_text("You are talking to Marc")
    claire.page.locator("#back").evaluate("link => link.click()")
    expect(claire.page.locator("#open")).to_be_hidden()
    claire.page.get_by_role("button", name="Undo").click()
    expect(claire.state).to_contain_text("You are answering")
    expect(student.status).to_have_text("You are talking to Claire")
    # As at a desk that is not Claire's: she does not see it any more.
    gone = f"**/staff/api/conversations/{conversation}"
    claire.page.locator("#transfer").click()
    claire.page.locator("#handing [name=to]").select_option("desk:housing")
    is_gone = [False]

    def head(route: Route) -> None:
        if is_gone[0]:
            route.fulfill(status=404, json={"code": "not_found"})
        else:
            route.continue_()

    def transfer(route: Route) -> None:
        is_gone[0] = True
        route.continue_()

    claire.page.route(gone, head)
    claire.page.route(f"{gone}/transfer", transfer)
    claire.page.locator("#handing button.primary").click()
    words = "This conversation no longer exists, or it is at a desk that is not yours."
    expect(claire.page.locator("#transcript")).to_contain_text(words)
    expect(claire.page.locator("#transfer")).to_be_hidden()
    expect(claire.page.locator("#handing")).to_be_hidden()
    is_gone[0] = False
    keys.press("z")
    expect(claire.state).to_contain_text("You are answering")
    expect(claire.page.locator("#transcript")).to_contain_text("I want to talk to a person")
    claire.answer("I am still here.")
    expect(student.log.locator(".message.staff .text").last).to_have_text("I am still here.")
    claire.do("close")


def test_an_undo_that_comes_too_late_says_why(desk: Desk, new_context: Context):
    student = student_at(new_context(), desk)
    student.ask("I want to talk to a person")
    claire = colleague_with(new_context(), desk, student)
    claire.do("close")
    expect(student.status).to_contain_text("Closed")
    student.ask("One more thing: what is the CVEC for?")

    claire.page.locator("#toast-undo").click()

    expect(claire.page.locator("#toast-words")).to_have_text(
        "Something has happened in it since: this can no longer be undone."
    )
    expect(claire.state).to_contain_text("The assistant answers")


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


def test_a_deleted_message_looks_deleted_and_offers_no_change(desk: Desk, new_context: Context):
    student = student_at(new_context(), desk)
    student.ask("I want to talk to a person")
    claire = colleague_with(new_context(), desk, student)
    claire.answer("This was meant for somebody else")
    mine = claire.from_staff
    expect(mine).to_have_count(1)
    expect(mine.locator("[data-change]")).to_have_count(2)

    mine.locator("[data-change=delete]").click()
    claire.page.locator("#deleting button.primary").click()

    expect(mine).to_have_class("message from-staff deleted")
    expect(mine.locator("[data-change]")).to_have_count(0)
    expect(mine).not_to_contain_text("somebody else")
    expect(student.log).not_to_contain_text("somebody else")


def test_what_was_typed_in_a_dialog_stays_when_the_desk_cannot_be_reached(desk: Desk, new_context: Context):
    student = student_at(new_context(), desk)
    student.ask("I want to talk to a person")
    claire = colleague_with(new_context(), desk, student)
    claire.do("claim")
    expect(claire.state).to_contain_text("You are answering")
    claire.page.locator("#release").click()
    dialog = claire.page.locator("#releasing")
    dialog.locator("[name=promise]").fill("Send the letter for the bank")
    dialog.locator("[name=due]").fill("2099-01-01")
    dialog.locator("[name=note]").fill("The letter is nearly ready")
    claire.page.route("**/release", lambda route: route.abort())

    dialog.locator("button.primary").click()

    expect(dialog.locator(".fault")).to_have_text("No connection to the desk. Trying again…")
    claire.page.unroute("**/release")
    dialog.locator("button.primary").click()
    expect(dialog.locator(".fault")).not_to_have_text("No connection to the desk. Trying again…")
    expect(dialog.locator(".fault")).not_to_be_empty()
    expect(dialog.locator("[name=promise]")).to_have_value("Send the letter for the bank")
    expect(dialog.locator("[name=note]")).to_have_value("The letter is nearly ready")
    dialog.locator("[name=due]").fill("")
    dialog.locator("[name=promise]").fill("")
    dialog.locator("button.primary").click()
    expect(dialog).to_be_hidden()
    expect(student.status).to_contain_text("A machine")
    expect(claire.page.locator("#transcript .note-private")).to_contain_text("The letter is nearly ready")


def test_a_coordinator_hands_on_what_a_colleague_holds_and_an_adviser_cannot(desk: Desk, new_context: Context):
    student = student_at(new_context(), desk)
    student.ask("I want to talk to a person")
    conversation = conversation_of(student)
    claire, ines = (colleague_at(new_context(), desk, name) for name in ("Claire", "Inès"))
    for each in (claire, ines):
        each.look_at("all")
        each.open(conversation)
    claire.do("claim")
    expect(ines.state).to_contain_text("Claire")

    ines.page.locator("#transfer").click()
    ines.page.locator("#handing [name=to]").select_option(label="Inès · International office")
    ines.page.locator("#handing button.primary").click()

    expect(ines.state).to_contain_text("You are answering")
    expect(student.status).to_have_text("You are talking to Inès")
    expect(claire.state).to_contain_text("Inès")
    expect(claire.page.locator("#transfer")).to_be_hidden()
    ines.do("release")
    expect(student.status).to_contain_text("A machine")
