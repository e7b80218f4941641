"""What stands beside the conversation: searched while one types, slow answers, failures, what is inserted."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.axe import violations
from tests.e2e.conftest import Context
from tests.e2e.desk import Desk
from tests.e2e.people import Colleague, colleague_at, conversation_of, student_at

pytestmark = [pytest.mark.browser, pytest.mark.engine]


def beside(desk: Desk, new_context: Context, text: str = "What is the CVEC?") -> tuple[Colleague, str]:
    """A colleague who has a new conversation open, with its answers beside it; and the conversation."""
    student = student_at(new_context(), desk)
    student.ask(text)
    claire = colleague_at(new_context(), desk, "Claire")
    claire.page.evaluate("id => { location.hash = id }", conversation_of(student))
    claire.page.locator("#beside-tab-answers").click()
    expect(claire.page.locator("#answers-found")).to_contain_text("Answers come as the assistant would give them")
    return claire, conversation_of(student)


def test_an_answer_is_found_read_and_inserted(desk: Desk, new_context: Context):
    claire, _ = beside(desk, new_context)
    found = claire.page.locator("#answers-found")
    search = claire.page.get_by_label("Search the answers")
    search.press_sequentially("visale")
    expect(found.locator(".beside-found button").first).to_be_visible()
    search.press("Enter")
    expect(found.locator(".beside-found button").first).to_be_visible()
    assert violations(claire.page) == []
    found.locator(".beside-found button", has_text="Visale").first.click()
    back = found.get_by_role("button", name="Back to the search")
    expect(back).to_be_focused()
    assert violations(claire.page) == []
    found.get_by_role("button", name="Insert").click()

    expect(claire.page.locator("#text")).to_have_value(re.compile("Visale"))
    expect(claire.page.locator("#text")).to_be_focused()
    back.click()
    expect(found.locator(".beside-found button").first).to_be_visible()
    search.fill("")
    expect(found).to_contain_text("Answers come as the assistant would give them")
    claire.page.locator("#text").fill("")


def test_a_slow_answer_never_takes_the_place_of_a_newer_one(desk: Desk, new_context: Context):
    claire, _ = beside(desk, new_context)
    found = claire.page.locator("#answers-found")
    search = claire.page.get_by_label("Search the answers")
    slow: list[Route] = []
    claire.page.route(re.compile("/answers.*visale"), lambda route: slow.append(route))
    with claire.page.expect_request(re.compile("/answers.*visale")):
        search.fill("visale")
    expect(found).to_have_attribute("aria-busy", "true")
    search.fill("How do I open a bank account?")
    newer = found.locator(".beside-found button", has_text="bank account").first
    expect(newer).to_be_visible()
    for each in slow:
        each.continue_()
    expect(found).to_have_attribute("aria-busy", "false")

    claire.page.wait_for_timeout(500)
    expect(newer).to_be_visible()
    claire.page.evaluate(
        """() => {
          const field = document.getElementById("beside-question");
          field.value = "visale";
          field.dispatchEvent(new Event("input", { bubbles: true }));
          document.querySelector("#answers-found .beside-found button").click();
        }"""
    )
    expect(found.get_by_role("button", name="Back to the search")).to_be_visible()
    claire.page.wait_for_timeout(500)
    expect(found.get_by_role("button", name="Back to the search")).to_be_visible()


def test_what_belongs_to_a_conversation_that_was_left_is_not_shown(desk: Desk, new_context: Context):
    claire, first = beside(desk, new_context)
    page = claire.page
    page.evaluate("() => { location.hash = '' }")
    expect(page.locator("#beside")).to_be_empty()
    slow: list[Route] = []
    page.route(f"**/staff/beside/{first}", lambda route: slow.append(route))
    with page.expect_request(f"**/staff/beside/{first}"):
        page.evaluate("id => { location.hash = id }", first)
    expect(page.locator("#beside")).to_have_attribute("aria-busy", "true")
    page.evaluate("() => { location.hash = '' }")
    expect(page.locator("#beside")).to_have_attribute("aria-busy", "false")
    for each in slow:
        each.continue_()

    page.wait_for_timeout(500)
    expect(page.locator("#beside")).to_be_empty()
    page.unroute(f"**/staff/beside/{first}")
    page.evaluate("id => { location.hash = id }", first)
    expect(page.locator("#beside-tab-student")).to_be_visible()


def test_what_could_not_be_loaded_says_so_and_is_tried_again(desk: Desk, new_context: Context):
    claire, conversation = beside(desk, new_context)
    page, found = claire.page, claire.page.locator("#answers-found")
    search = page.get_by_label("Search the answers")
    for failure in (lambda route: route.fulfill(status=503), lambda route: route.abort()):
        page.route("**/answers?q=visale", failure)
        search.fill("visale")
        expect(found.get_by_role("alert")).to_contain_text("This could not be loaded.")
        assert violations(page) == []
        page.unroute("**/answers?q=visale")
        found.get_by_role("button", name="Try again").click()
        expect(found.locator(".beside-found button").first).to_be_visible()
        search.fill("")
        expect(found).to_contain_text("Answers come as the assistant would give them")

    page.route(f"**/staff/beside/{conversation}", lambda route: route.fulfill(status=503))
    page.reload()
    expect(page.locator("#beside").get_by_role("alert")).to_contain_text("This could not be loaded.")
    expect(page.locator("#transcript")).to_contain_text("What is the CVEC?")
    page.unroute(f"**/staff/beside/{conversation}")
    page.locator("#beside").get_by_role("button", name="Try again").click()
    expect(page.locator("#beside-tab-student")).to_be_visible()
