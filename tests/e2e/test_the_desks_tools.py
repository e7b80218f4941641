"""What colleagues have at hand in a conversation: tags, later, notes, promises, second thoughts, the panel, a sound."""

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from bot.clock import SystemClock, day_in_france
from tests.e2e.axe import violations
from tests.e2e.conftest import Context
from tests.e2e.desk import Desk
from tests.e2e.people import Colleague, Student, colleague_at, conversation_of, student_at

pytestmark = [pytest.mark.browser, pytest.mark.engine]

NEARLY = timedelta(minutes=4, seconds=52)


def waiting(desk: Desk, new_context: Context) -> Student:
    """A student who asked for a person."""
    student = student_at(new_context(), desk)
    student.ask("I want to talk to a person")
    return student


def with_open(desk: Desk, new_context: Context, student: Student, name: str = "Claire") -> Colleague:
    """A colleague who has the student's conversation on the screen, up to date."""
    colleague = colleague_at(new_context(), desk, name)
    colleague.page.evaluate("id => { location.hash = id }", conversation_of(student))
    expect(colleague.page.locator("#transcript article").first).to_be_visible()
    expect(colleague.page.locator("body")).to_have_attribute("data-fresh", "true")
    return colleague


def row_of(colleague: Colleague, student: Student) -> Locator:
    return colleague.page.locator(f'#list .row[data-id="{conversation_of(student)}"]')


def toast_of(colleague: Colleague) -> Locator:
    return colleague.page.locator("#toast.shown #toast-words")


def test_tags_stand_in_the_row_and_the_head_and_filter_the_list(desk: Desk, new_context: Context):
    student, other = waiting(desk, new_context), waiting(desk, new_context)
    claire = with_open(desk, new_context, student)
    claire.look_at("waiting")
    dialog = claire.page.locator("#labelling")
    field, fault = dialog.locator("[name=tags]"), dialog.locator(".fault")
    claire.page.locator("#label").click()
    field.fill(", ".join(f"tag {number}" for number in range(11)))
    field.press("Enter")
    expect(fault).to_have_text("Tags: at most 10 are possible.")
    field.fill("x" * 31)
    field.press("Enter")
    expect(fault).to_have_text("Tags: each may have up to 30 characters.")
    field.fill("Bank Letter, urgent mail,, bank letter")
    field.press("Enter")

    expect(dialog).to_be_hidden()
    expect(toast_of(claire)).to_have_text("The tags are saved.")
    for place in (claire.state, row_of(claire, student)):
        expect(place.locator(".tag")).to_have_text(["bank letter", "urgent mail"])
    expect(row_of(claire, other)).to_be_visible()
    claire.page.locator("#filters summary").click()
    claire.page.locator("#filter-tag").select_option(label="bank letter (1)")
    expect(row_of(claire, other)).to_have_count(0)
    expect(row_of(claire, student)).to_be_visible()
    claire.page.locator("#no-filters").click()
    expect(row_of(claire, other)).to_be_visible()
    claire.page.locator("#label").click()
    expect(field).to_have_value("bank letter, urgent mail")
    field.fill("")
    field.press("Enter")
    expect(claire.state.locator(".tag")).to_have_count(0)
    claire.do("close")


def test_what_is_laid_aside_is_under_later_until_it_is_brought_back(desk: Desk, new_context: Context):
    student = waiting(desk, new_context)
    claire = with_open(desk, new_context, student)
    claire.look_at("waiting")
    dialog = claire.page.locator("#snoozing")
    claire.page.locator("#snooze").click()
    lay = dialog.get_by_role("button", name="Lay aside")
    lay.click()
    expect(dialog.locator(".fault")).to_have_text("Another time: choose a day and an hour.")
    dialog.locator("[name=until]").fill("2020-01-01T09:00")
    lay.click()
    expect(dialog.locator(".fault")).to_contain_text("Choose a moment from now on, until")
    expect(row_of(claire, student)).to_have_count(1)
    dialog.get_by_role("button", name="Tomorrow morning").click()
    expect(claire.state).to_contain_text("laid aside until")
    claire.page.get_by_role("button", name="Undo").click()
    expect(toast_of(claire)).to_have_text("It is back in the list.")
    expect(row_of(claire, student)).to_have_count(1)
    claire.page.locator("#snooze").click()
    dialog.get_by_role("button", name="Tomorrow morning").click()

    expect(dialog).to_be_hidden()
    expect(claire.state).to_contain_text("laid aside until")
    expect(row_of(claire, student)).to_have_count(0)
    claire.look_at("snoozed")
    expect(row_of(claire, student)).to_contain_text("laid aside until")
    expect(claire.page.locator("#snooze")).to_be_hidden()
    claire.page.locator("#wake").click()
    expect(toast_of(claire)).to_have_text("It is back in the list.")
    expect(row_of(claire, student)).to_have_count(0)
    claire.look_at("waiting")
    expect(row_of(claire, student)).to_be_visible()
    claire.do("close")


def test_a_student_who_writes_brings_back_what_was_laid_aside(desk: Desk, new_context: Context):
    student = waiting(desk, new_context)
    claire = with_open(desk, new_context, student)
    claire.look_at("waiting")
    claire.page.keyboard.press("s")
    claire.page.locator("#snoozing").get_by_role("button", name="In an hour").click()
    expect(row_of(claire, student)).to_have_count(0)

    student.ask("What is the CVEC?")

    expect(row_of(claire, student)).to_be_visible()
    expect(claire.state).not_to_contain_text("laid aside")
    claire.do("close")


def test_a_note_calls_a_colleague_and_the_student_never_sees_it(desk: Desk, new_context: Context):
    secret = "The deposit was paid twice, @marc can you look?"
    student = waiting(desk, new_context)
    claire = with_open(desk, new_context, student)
    marc, nora = colleague_at(new_context(), desk, "Marc"), with_open(desk, new_context, student, "Nora")
    claire.page.keyboard.press("n")
    send = claire.page.get_by_role("button", name="Save note")
    expect(claire.page.locator("#hint")).to_have_text("Only colleagues see this, never the student.")
    expect(send).to_be_disabled()
    claire.page.locator("#text").fill(secret)
    send.click()

    note = claire.page.locator("#transcript .note-private")
    expect(note.locator(".mention")).to_have_text("@marc")
    called = marc.page.locator("#list .called", has_text="The deposit was paid twice")
    expect(called).to_contain_text("Claire mentions you in a note")
    called.click()
    expect(marc.page.locator("#transcript .note-private")).to_contain_text("The deposit was paid twice")
    expect(called).to_have_count(0)
    expect(nora.page.locator("#transcript .note-private .mention")).to_have_text("@marc")
    expect(nora.page.locator("#modes")).to_be_hidden()
    student.ask("Are you there?")
    student.page.reload()
    expect(student.messages.last).to_be_visible()
    expect(student.log).not_to_contain_text("deposit")

    expect(marc.page.locator("#transcript .note-private [data-change]")).to_have_count(0)
    note.get_by_role("button", name="Delete").click()
    claire.page.locator("#deleting button.primary").click()
    for each in (claire, marc):
        expect(each.page.locator("#transcript .note-private")).to_have_count(0)
    claire.page.locator("#modes [data-mode=answer]").click()
    claire.do("close")


def test_a_name_that_reached_nobody_is_not_bold_and_said(desk: Desk, new_context: Context):
    student = waiting(desk, new_context)
    claire = with_open(desk, new_context, student)
    claire.page.keyboard.press("n")
    claire.page.locator("#text").fill("Does @marc know, or @nobody?")
    claire.page.get_by_role("button", name="Save note").click()

    expect(toast_of(claire)).to_have_text(
        "Nobody is called @nobody, or they may not read this conversation: they were not told."
    )
    note = claire.page.locator("#transcript .note-private")
    expect(note.locator(".text")).to_have_text("Does @marc know, or @nobody?")
    expect(note.locator(".mention")).to_have_text(["@marc"])
    claire.page.locator("#close").click()
    claire.page.locator("#closing [name=note]").fill("@marc, tell @nobody")
    claire.page.locator("#closing button.primary").click()
    expect(toast_of(claire)).to_have_text(
        "The conversation is closed. "
        "Nobody is called @nobody, or they may not read this conversation: they were not told."
    )


def test_a_colleague_is_chosen_by_keys_after_an_at_sign_in_a_note(desk: Desk, new_context: Context):
    student = waiting(desk, new_context)
    claire = with_open(desk, new_context, student)
    text, offered = claire.page.locator("#text"), claire.page.get_by_role("listbox", name="Colleagues")
    text.press_sequentially("Here @m")
    expect(offered).to_be_hidden()
    text.fill("")
    claire.page.locator("#modes [data-mode=note]").click()
    text.press_sequentially("Ask @")
    expect(offered.get_by_role("option").nth(1)).to_be_visible()
    first = offered.get_by_role("option").first
    expect(first).to_have_attribute("aria-selected", "true")
    text.press("ArrowDown")
    expect(first).to_have_attribute("aria-selected", "false")
    chosen = offered.get_by_role("option", selected=True)
    expect(text).to_have_attribute("aria-activedescendant", chosen.get_attribute("id") or "")
    assert violations(claire.page) == []
    text.press("Escape")
    expect(offered).to_be_hidden()
    expect(text).to_be_focused()
    text.press_sequentially("mar")
    expect(offered.get_by_role("option")).to_have_count(1)
    text.press("Enter")

    expect(text).to_have_value("Ask @Marc ")
    expect(offered).to_be_hidden()
    text.fill("")
    claire.page.locator("#modes [data-mode=answer]").click()
    claire.do("close")


def test_a_promise_is_kept_among_the_promises_until_it_is_done(desk: Desk, new_context: Context):
    promise = "Send the certificate for the bank"
    student = waiting(desk, new_context)
    claire = with_open(desk, new_context, student)
    claire.do("claim")
    expect(claire.state).to_contain_text("You are answering")
    dialog = claire.page.locator("#releasing")
    claire.page.locator("#release").click()
    give_back = dialog.locator("button.primary")
    dialog.locator("[name=promise]").fill(promise)
    give_back.click()
    expect(dialog.locator(".fault")).to_have_text("Until when: choose the day by which you keep the promise.")
    dialog.locator("[name=due]").fill((day_in_france(SystemClock().now()) + timedelta(days=2)).isoformat())
    dialog.locator("[name=promise]").fill("")
    give_back.click()
    expect(dialog.locator(".fault")).to_have_text("What you promised: write it down, or take the day away.")
    dialog.locator("[name=promise]").fill(promise)
    give_back.click()

    expect(toast_of(claire)).to_have_text("The assistant answers again; your promise is under “Promises”.")
    expect(student.status).to_contain_text("A machine")
    claire.look_at("tasks")
    task = claire.page.locator("#list .task", has_text=promise)
    expect(task).to_contain_text("due on")
    task.get_by_role("button", name="Done").click()
    expect(toast_of(claire)).to_have_text("The promise is kept.")
    expect(task).to_have_count(0)
    claire.page.locator("#toast-undo").click()
    expect(task).to_be_visible()
    ines = colleague_at(new_context(), desk, "Inès")
    ines.look_at("tasks")
    expect(ines.page.locator("#list .task", has_text=promise)).to_contain_text("Claire")
    task.get_by_role("button", name="Done").click()
    expect(task).to_have_count(0)
    expect(ines.page.locator("#list .task", has_text=promise)).to_have_count(0)
    claire.page.route("**/undo", lambda route: route.abort())
    claire.page.locator("#toast-undo").click()
    expect(toast_of(claire)).to_have_text("No connection to the desk. Trying again…")
    expect(task).to_have_count(0)


def test_the_team_sees_what_is_open_at_its_desks_and_whoever_has_none_is_offered_no_such_list(
    desk: Desk, new_context: Context
):
    student = waiting(desk, new_context)
    claire = with_open(desk, new_context, student)
    marc = colleague_at(new_context(), desk, "Marc")
    claire.look_at("team")

    expect(row_of(claire, student)).to_be_visible()
    expect(marc.page.locator("#tab-mine")).to_be_visible()
    expect(marc.page.locator("#tab-team")).to_be_hidden()
    claire.do("claim")
    expect(row_of(claire, student)).to_contain_text("You")
    claire.do("release")
    expect(row_of(claire, student)).to_have_count(0)


def test_words_without_an_answer_are_marked_and_said_before_the_conversation_is_given_back(
    desk: Desk, new_context: Context
):
    student = waiting(desk, new_context)
    claire = with_open(desk, new_context, student)
    claire.do("claim")
    claire.look_at("mine")
    dialog = claire.page.locator("#releasing")
    warning = dialog.locator(".warning")
    expect(row_of(claire, student)).to_contain_text("to answer")
    claire.page.locator("#name").focus()
    claire.page.keyboard.press("b")
    expect(warning).to_have_text("The student's last message has no answer yet: the assistant will not answer it.")
    claire.page.keyboard.press("Escape")
    claire.answer("Come on Monday.")
    expect(row_of(claire, student)).not_to_contain_text("to answer")
    claire.page.locator("#release").click()
    expect(dialog).to_be_visible()
    expect(warning).to_be_hidden()
    claire.page.keyboard.press("Escape")
    claire.do("close")

    expect(claire.state).to_have_text("Conversation closed · solved")


def test_ones_own_words_are_changed_and_taken_back_for_five_minutes(desk: Desk, new_context: Context):
    student = waiting(desk, new_context)
    claire = with_open(desk, new_context, student)
    said = student.log.locator(".message.staff")
    claire.answer("The office opens at nine")
    expect(said.locator(".text")).to_have_text("The office opens at nine")
    mine = claire.from_staff
    left = mine.locator("[data-left]")
    expect(left).to_have_text(re.compile(r"[43]:\d\d"))
    before = left.inner_text()
    expect(left).not_to_have_text(before)
    dialog = claire.page.locator("#correcting")
    mine.get_by_role("button", name="Edit").click()
    expect(dialog.locator("textarea")).to_have_value("The office opens at nine")
    dialog.locator("textarea").fill("  ")
    dialog.locator("button.primary").click()
    expect(dialog.locator(".fault")).to_have_text("Text: write something, or delete the message.")
    dialog.locator("textarea").fill("The office opens at ten")
    desk.said.add("The office opens at ten")
    dialog.locator("button.primary").click()

    expect(dialog).to_be_hidden()
    expect(mine).to_contain_text("changed")
    expect(said.locator(".text")).to_have_text("The office opens at ten")
    expect(said.locator("time")).to_have_text(re.compile(r"\d\d:\d\d · changed"))
    marc = with_open(desk, new_context, student, "Marc")
    expect(marc.from_staff).to_contain_text("The office opens at ten")
    expect(marc.from_staff.locator("[data-change]")).to_have_count(0)
    mine.get_by_role("button", name="Delete").click()
    claire.page.locator("#deleting button.primary").click()
    expect(said).not_to_contain_text("The office opens")
    expect(said.locator("time")).not_to_contain_text("changed")
    expect(mine.locator("[data-change]")).to_have_count(0)
    claire.do("close")


def test_the_buttons_that_change_words_go_when_their_time_is_over(desk: Desk, new_context: Context):
    student = waiting(desk, new_context)
    claire = with_open(desk, new_context, student)
    claire.page.route("**/transcript?*", nearly_five_minutes_ago)
    claire.answer("The office opens at nine")
    expect(claire.from_staff.locator("[data-left]")).to_have_text(re.compile(r"0:0\d"))

    expect(claire.from_staff.locator("[data-change]")).to_have_count(0)
    expect(claire.from_staff).to_contain_text("The office opens at nine")
    claire.do("close")


def nearly_five_minutes_ago(route: Route) -> None:
    """What colleagues wrote was written so long ago that it can be changed for a few seconds more."""
    response = route.fetch()
    found = response.json()
    for event in found["events"]:
        if event["author"] == "staff":
            event["created_at"] = (datetime.fromisoformat(event["created_at"]) - NEARLY).isoformat()
    route.fulfill(response=response, json=found)


def test_an_answer_of_the_panel_goes_into_the_answer_and_not_into_a_note(desk: Desk, new_context: Context):
    student = student_at(new_context(), desk)
    student.ask("What is the CVEC?")
    claire = with_open(desk, new_context, student)
    text = claire.page.locator("#text")
    claire.page.keyboard.press("n")
    text.fill("Ask the bank first")
    claire.page.locator("#beside-tab-answers").click()
    claire.page.locator("#beside-answers").get_by_role("button", name="Show this answer").first.click()
    claire.page.locator("#answers-found").get_by_role("button", name="Insert").click()

    expect(claire.page.locator("#modes [data-mode=answer]")).to_have_attribute("aria-pressed", "true")
    expect(text).to_be_focused()
    expect(text).to_have_value(re.compile("CVEC"))
    inserted = text.input_value()
    claire.page.locator("#modes [data-mode=note]").click()
    expect(text).to_have_value("Ask the bank first")
    claire.page.locator("#modes [data-mode=answer]").click()
    expect(text).to_have_value(inserted)
    claire.page.locator("#send").click()
    expect(student.log.locator(".message.staff")).to_contain_text("CVEC")
    claire.do("close")


def test_the_sound_is_as_it_was_chosen_after_the_page_was_loaded_again(desk: Desk, new_context: Context):
    page = colleague_at(new_context(), desk, "Claire").page
    for pressed in ("true", "false"):
        sound = chosen(page)
        sound.click()
        expect(sound).to_have_attribute("aria-pressed", pressed)
        page.reload()
        expect(chosen(page)).to_have_attribute("aria-pressed", pressed)


def chosen(page: Page) -> Locator:
    """The setting in the menu, which is opened for it."""
    if page.locator("#menu").get_attribute("open") is None:
        page.locator("#menu summary").click()
    return page.locator("#alert-sound")
