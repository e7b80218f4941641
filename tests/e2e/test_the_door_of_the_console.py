"""Who may come in to the console, and what is refused."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Context
from tests.e2e.desk import Desk
from tests.e2e.people import colleague_at, sign_in

pytestmark = pytest.mark.browser


def test_a_wrong_password_is_refused_in_words_and_the_right_one_is_taken(desk: Desk, new_context: Context):
    page = new_context().new_page()
    ines = desk.sign_in_of("Inès")

    sign_in(page, desk, ines, "not the password of anybody")
    expect(page.get_by_role("alert")).to_have_text("The e-mail address or the password is wrong.")
    expect(page.locator("#email")).to_have_value(ines.email)
    expect(page.locator("#password")).to_be_focused()

    page.locator("#password").fill(ines.password)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{desk.url}/staff")


def test_a_link_to_a_conversation_leads_there_through_the_sign_in(desk: Desk, new_context: Context):
    page = new_context().new_page()
    claire = desk.sign_in_of("Claire")
    page.goto(f"{desk.url}/staff#0123")
    page.locator("#email").fill(claire.email)
    page.locator("#password").fill("not the password of anybody")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()

    page.locator("#password").fill(claire.password)
    page.keyboard.press("Enter")

    expect(page).to_have_url(f"{desk.url}/staff#0123")


def test_who_guesses_too_often_must_wait_even_with_the_right_password_and_locks_nobody_out_elsewhere(
    desk: Desk, new_context: Context
):
    page = colleague_at(new_context(), desk, "Paul").page
    page.locator("#menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    paul = desk.sign_in_of("Paul")
    for number in range(5):
        sign_in(page, desk, paul, f"a wrong guess, number {number}")
        expect(page.get_by_role("alert")).to_have_text("The e-mail address or the password is wrong.")

    sign_in(page, desk, paul)

    expect(page.get_by_role("alert")).to_have_text("Too many attempts. Please try again in 15 minutes.")
    page.goto(f"{desk.url}/staff")
    expect(page).to_have_url(f"{desk.url}/staff/sign-in")
    expect(colleague_at(new_context(), desk, "Paul").page).to_have_url(f"{desk.url}/staff")


def test_an_auditor_reads_and_cannot_answer(desk: Desk, new_context: Context):
    nora = colleague_at(new_context(), desk, "Nora")
    nora.look_at("all")
    nora.rows.first.click()

    expect(nora.page.locator("#hint")).to_have_text("Your role may read conversations, not answer them.")
    expect(nora.page.locator("#text")).to_be_disabled()
    expect(nora.page.locator("#claim")).to_be_hidden()


def test_a_request_without_the_token_of_the_session_is_refused(desk: Desk, new_context: Context):
    marc = colleague_at(new_context(), desk, "Marc")
    marc.look_at("all")
    # A note that names Marc stands above the conversations.
    conversation = marc.page.locator("#list .row[data-id]:not(.called)").first.get_attribute("data-id")
    address = f"{desk.url}/staff/api/conversations/{conversation}"
    before = marc.page.request.get(address).json()["version"]

    # Cookies of the browser and nothing else: what a page of somebody else could send.
    refused = marc.page.request.post(f"{address}/claim", data={})

    assert refused.status == 403
    assert refused.json()["code"] == "not_allowed"
    assert marc.page.request.get(address).json()["version"] == before


def test_signing_out_closes_the_door(desk: Desk, new_context: Context):
    marc = colleague_at(new_context(), desk, "Marc")
    marc.page.locator("#menu summary").click()
    marc.page.get_by_role("button", name="Sign out").click()
    expect(marc.page).to_have_url(f"{desk.url}/staff/sign-in")

    marc.page.goto(f"{desk.url}/staff")

    expect(marc.page).to_have_url(f"{desk.url}/staff/sign-in")
