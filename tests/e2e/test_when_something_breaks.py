"""Processes die; nothing a student wrote is lost or doubled, and nobody is left without a word."""

import re
import signal
import time
from collections import Counter

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Context
from tests.e2e.desk import Desk
from tests.e2e.people import student_at

pytestmark = [pytest.mark.browser, pytest.mark.engine]

HONEST = "something is not working on my side"


def test_a_killed_gateway_loses_and_doubles_nothing_on_the_screen(desk: Desk, new_context: Context):
    student = student_at(new_context(), desk)
    questions = [
        "Is there a buddy who can show me around Lille?",
        "How do I open a bank account as a student?",
        "Do I need a translated birth certificate?",
    ]
    student.ask(questions[0])
    in_flight = student.write(questions[1])

    killed = desk.kill("gateway")
    offline = student.write(questions[2])
    desk.until_restarted("gateway", killed)
    desk.until_answered("/readyz")

    for message in (in_flight, offline):
        student.reply_to(message, within=40)
    # Both may get their place before either is answered; then the first reply stands behind both of them.
    expect(student.messages).to_have_count(1 + 2 * len(questions), timeout=40_000)
    expect(student.chat.locator(".banner")).to_be_hidden()
    shown = student.transcript()
    assert [text for author, text in shown if author == "student"] == questions
    assert Counter(author for author, _ in shown) == {"bot": 1 + len(questions), "student": len(questions)}
    assert len(set(shown)) == len(shown)
    student.page.reload()
    expect(student.messages).to_have_count(len(shown))
    assert student.transcript() == shown


def test_what_was_given_up_during_a_long_failure_is_sent_when_the_desk_is_back(desk: Desk, new_context: Context):
    student = student_at(new_context(), desk)
    student.ask("Is there a buddy who can show me around Lille?")
    everything = re.compile("/api/v1/")
    student.page.route(everything, lambda route: route.abort())
    # The open stream is closed by the desk; no new one succeeds.
    killed = desk.kill("gateway")
    given_up = student.write("How do I open a bank account as a student?")
    expect(given_up).to_have_attribute("data-state", "failed", timeout=60_000)
    desk.until_restarted("gateway", killed)
    desk.until_answered("/readyz")

    student.page.unroute(everything)

    # By now the widget asks instead of listening; a look that waits for news would take 25 seconds.
    expect(given_up).to_have_attribute("data-seq", "4", timeout=15_000)
    expect(student.reply_to(given_up).locator(".sources")).to_be_visible()


def test_a_frozen_and_then_killed_engine_is_admitted_and_the_next_turn_works(desk: Desk, new_context: Context):
    student = student_at(new_context(), desk)
    student.ask("Which documents should I bring from home?")
    frozen = desk.kill("engine", signal.SIGSTOP)

    began = time.monotonic()
    expect(student.ask("How do I get a bus pass in Lille?")).to_contain_text(HONEST)
    assert time.monotonic() - began < 15

    in_flight = student.write("And how do I get to Lille from the airport?")
    expect(in_flight).to_have_attribute("data-seq", "6")
    desk.kill("engine")
    expect(student.reply_to(in_flight)).to_contain_text(HONEST)
    assert student.reply_to(in_flight).locator(".chips button").all_inner_texts() == ["Talk to a person"]

    desk.until_restarted("engine", frozen)
    desk.until_answered("/readyz")
    expect(student.ask("So how do I get a bus pass in Lille?").locator(".sources")).to_be_visible()
