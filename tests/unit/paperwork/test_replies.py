"""What a linked student is told about the path, and which buttons lead on."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from bot.content.loader import Knowledge
from bot.conversations.messages import Answer, Effect
from bot.paperwork.replies import (
    View,
    about_step,
    cannot_do,
    everything_left,
    next_step,
    until_when,
    was_done,
    was_undone,
    which_step,
    why,
)
from bot.paperwork.schema import Procedure
from bot.students.facts import facts_from

Make = Callable[..., Procedure]
TODAY = date(2026, 11, 24)
ARRIVED = {"date_of_entry": "2026-09-12", "date_of_entry_kind": "real"}
PAPERS = [{"en": "a passport", "fr": "un passeport"}, {"en": "an address", "fr": "une adresse"}]
SITE = {"title": {"en": "The site", "fr": "Le site"}, "url": "https://example.org/do"}


@pytest.fixture
def view(knowledge: Knowledge) -> Callable[..., View]:
    def make(procedures: list[Procedure], language: str = "en", stuck: frozenset[str] = frozenset(), **facts: Any):
        return View(tuple(procedures), facts_from(facts), TODAY, language, knowledge, stuck)

    return make


@pytest.fixture
def validation(a_procedure: Make) -> Procedure:
    return a_procedure(opens="date_of_entry", due="date_of_entry + 3 months", legal_duty=True, needs=PAPERS, where=SITE)


def labels(reply: Answer) -> list[str]:
    return [button.label for button in reply.buttons]


def pressed(reply: Answer, label: str) -> dict[str, Any]:
    return next(button.payload for button in reply.buttons if button.label == label)


def test_what_is_left_has_a_button_for_each_of_the_first_three_steps(a_procedure: Make, view) -> None:
    slugs = ["cvec", "visale", "lease", "tax_return"]

    reply = everything_left(view([a_procedure(slug) for slug in slugs]))

    assert labels(reply) == ["Do cvec", "Do lease", "Do tax_return"]
    assert reply.buttons[0].payload == {"effect": "path_step", "values": {"step": "cvec"}}
    assert (reply.effects, reply.understanding.group) == ((), "paperwork")


def test_a_duty_of_law_that_is_late_stands_above_advice_that_is_later_still(a_procedure: Make, view) -> None:
    advice = a_procedure("buddy_sign_up", due="date_of_entry - 4 weeks")
    duty = a_procedure("validate_visa", due="date_of_entry + 2 months", legal_duty=True)

    reply = everything_left(view([advice, duty], **ARRIVED))

    assert labels(reply) == ["Do validate_visa", "Do buddy_sign_up"]


def test_the_next_step_is_one_with_its_date_deed_papers_and_place(validation: Procedure, view) -> None:
    reply = next_step(view([validation], **ARRIVED))

    assert reply.text.split("\n\n") == [
        "**Do validate_visa**",
        "By 12 December 2026, because you arrived on 12 September 2026.",
        "Words",
        "Papers: a passport; an address.",
        "Where: [The site](https://example.org/do)",
    ]
    assert labels(reply) == ["I did it", "I can't", "Why me?", "What else?"]
    assert reply.effects == (Effect("path_about", {"step": "validate_visa"}),)
    assert [source.title for source in reply.sources] == ["A source"]


def test_a_duty_whose_date_is_near_comes_before_advice_that_is_late(a_procedure: Make, validation, view) -> None:
    late = a_procedure("buddy_sign_up", due="date_of_entry - 4 weeks")

    assert next_step(view([late, validation], **ARRIVED)).text.startswith("**Do validate_visa**")
    assert next_step(view([late], **ARRIVED)).text.startswith("**Do buddy_sign_up**")


def test_a_step_with_which_the_student_is_stuck_lets_the_others_go_first(a_procedure: Make, validation, view) -> None:
    procedures = [a_procedure("cvec"), validation]

    assert next_step(view(procedures, stuck=frozenset({"validate_visa"}), **ARRIVED)).text.startswith("**Do cvec**")
    assert next_step(view([validation], stuck=frozenset({"validate_visa"}), **ARRIVED)).text.startswith(
        "**Do validate_visa**"
    )


def test_a_step_whose_date_is_past_says_what_to_do_now_and_not_what_was_to_be_done(validation: Procedure, view) -> None:
    reply = next_step(view([validation], date_of_entry="2026-08-01", date_of_entry_kind="real"))

    assert reply.text.split("\n\n")[1:3] == [
        "The date was 1 November 2026 (23 days ago). You arrived on 1 August 2026.",
        "Do it today for €105.",
    ]


def test_a_step_that_lacks_a_fact_asks_for_it(validation: Procedure, view) -> None:
    reply = next_step(view([validation]))

    assert reply.text.endswith("On which day did you arrive, or will you arrive, in France?")
    assert pressed(reply, "Answer this question") == {"effect": "ask_fact", "values": {"fact": "date_of_entry"}}


def test_an_unclear_step_offers_a_person(a_procedure: Make, view) -> None:
    rule = {"when": "always", "then": "unclear", "because": {"en": "Ask.", "fr": "Demandez."}}

    reply = next_step(view([a_procedure(who=[rule])]))

    assert pressed(reply, "Talk to a person") == {"effect": "request_person"}


def test_when_nothing_is_left_every_question_says_so(a_procedure: Make, view) -> None:
    done = view([a_procedure("cvec")], steps_done={"cvec": "2026-09-01"})
    nothing = "Nothing is left to do that I know of."

    assert [each(done).text for each in (everything_left, next_step)] == [nothing, nothing]
    assert [which_step(done, "path_done").text, why(done, None).text] == [nothing, nothing]
    assert until_when(done, None).text == "I know of no date that lies ahead of you."


def test_what_was_done_is_noted_with_what_opens_next_and_a_way_back(a_procedure: Make, view) -> None:
    before = view([a_procedure("cvec"), a_procedure("health_registration", depends_on=["cvec"]), a_procedure("lease")])

    reply = was_done(before, before.step("cvec"), TODAY)

    assert reply.text.splitlines() == [
        "Noted as done on 24 November 2026: **Do cvec**",
        "",
        "This can be done now:",
        "",
        "- **Do health_registration**: you can do this now.",
    ]
    assert labels(reply) == ["Undo", "Do health_registration", "What else?"]
    assert pressed(reply, "Undo") == {"effect": "path_undo", "values": {"step": "cvec"}}
    assert reply.effects == (Effect("path_about", {"step": "cvec"}),)


def test_where_nothing_opens_the_next_step_is_named_and_after_the_last_one_none(a_procedure: Make, view) -> None:
    two, one = view([a_procedure("cvec"), a_procedure("lease")]), view([a_procedure("cvec")])

    assert was_done(two, two.step("cvec"), TODAY).text.splitlines()[2:] == [
        "What comes next:",
        "",
        "- **Do lease**: you can do this now.",
    ]
    assert was_done(one, one.step("cvec"), TODAY).text.endswith("Nothing is left to do that I know of.")


def test_what_is_done_already_keeps_its_day(a_procedure: Make, view) -> None:
    before = view([a_procedure("cvec")], steps_done={"cvec": "2026-09-01"})

    reply = was_done(before, before.step("cvec"), TODAY)

    assert reply.text == "You did this on 1 September 2026 already: **Do cvec**"
    assert labels(reply) == ["Undo", "What else?"]


def test_what_the_record_shows_as_done_has_no_way_back(a_procedure: Make, view) -> None:
    rule = {"when": "always", "then": "done", "because": {"en": "There.", "fr": "Là."}}
    before = view([a_procedure("cvec", who=[rule])])

    assert labels(was_done(before, before.step("cvec"), TODAY)) == ["What else?"]


def test_a_step_that_comes_back_is_undone_to_the_year_before(a_procedure: Make, view) -> None:
    yearly = a_procedure("cvec", recurring={"done_since": "school_year_start"})
    before = view([yearly], steps_done={"cvec": "2025-09-10"})

    reply = was_done(before, before.step("cvec"), TODAY)

    assert pressed(reply, "Undo") == {"effect": "path_undo", "values": {"step": "cvec", "earlier": "2025-09-10"}}


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        (True, "Taken back.\n\n**Do cvec**: you can do this now."),
        (False, "This step is not marked as done: **Do cvec**"),
    ],
)
def test_undoing_says_what_it_changed(a_procedure: Make, view, changed: bool, text: str) -> None:
    after = view([a_procedure("cvec")])

    assert was_undone(after, after.step("cvec"), changed=changed).text == text


def test_a_step_that_cannot_be_done_says_what_stands_in_the_way_and_offers_a_person(a_procedure: Make, view) -> None:
    waiting = a_procedure("health_registration", depends_on=["cvec"], due="programme_end", needs=PAPERS)
    path = view([a_procedure("cvec"), waiting], programme_end="2027-06-30")

    reply = cannot_do(path, path.step("health_registration"))

    assert reply.text.split("\n\n") == [
        "**Do health_registration**",
        "By 30 June 2027, because your programme ends on 30 June 2027.",
        "This comes first: Do cvec.",
        "It asks for these papers: a passport; an address. Is one of them missing?",
        "Words",
        "I have noted that you are stuck here. A person of the office can look at it with you.",
    ]
    assert labels(reply) == ["Talk to a person", "Do cvec", "I did it", "What else?"]
    assert reply.effects == (
        Effect("path_about", {"step": "health_registration"}),
        Effect("path_stuck", {"step": "health_registration"}),
    )


def test_a_late_step_that_cannot_be_done_says_what_helps_now_and_a_missing_fact_is_asked(
    validation: Procedure, view
) -> None:
    late = view([validation], date_of_entry="2026-08-01", date_of_entry_kind="real")
    unknown = view([validation])

    assert "Do it today for €105." in cannot_do(late, late.step("validate_visa")).text.split("\n\n")
    assert labels(cannot_do(unknown, unknown.step("validate_visa"))) == [
        "Talk to a person",
        "Answer this question",
        "I did it",
        "What else?",
    ]


def test_nobody_is_stuck_with_a_step_that_is_done_or_not_needed(a_procedure: Make, view) -> None:
    rule = {"when": "always", "then": "not_needed", "because": {"en": "Not you.", "fr": "Pas vous."}}
    path = view([a_procedure("cvec"), a_procedure("lease", who=[rule])], steps_done={"cvec": "2026-09-01"})

    replies = [cannot_do(path, path.step(slug)) for slug in ("cvec", "lease")]

    assert [effect.name for reply in replies for effect in reply.effects] == ["path_about", "path_about"]
    assert replies[1].text.startswith("**Do lease**\n\nNot you.")


def test_why_gives_the_reasons_and_the_dated_source(validation: Procedure, view) -> None:
    path = view([validation], **ARRIVED)

    assert why(path, path.step("validate_visa")).text.split("\n\n") == [
        "**Do validate_visa**",
        "The rule. You arrived on 12 September 2026.",
        "Source: [A source](https://example.org/), checked on 23 November 2026.",
    ]


def test_why_of_the_whole_path_gives_the_first_three_reasons(a_procedure: Make, view) -> None:
    reply = why(view([a_procedure(slug) for slug in ("cvec", "visale", "lease", "transcript")]), None)

    assert reply.text.splitlines()[2:] == [f"- **Do {slug}**: The rule." for slug in ("cvec", "lease", "transcript")]


def test_until_when_gives_the_date_its_flag_and_what_missing_it_means(validation: Procedure, view) -> None:
    path = view([validation], date_of_entry="2026-09-13", date_of_entry_kind="real")

    assert until_when(path, path.step("validate_visa")).text.split("\n\n")[1:] == [
        "By 13 December 2026, because you arrived on 13 September 2026. This is a Sunday: do it before.",
        "If you miss this date: Do it today for €105.",
    ]


def test_until_when_of_a_step_without_a_date_says_that_there_is_none_or_asks(a_procedure: Make, view) -> None:
    path = view([a_procedure("cvec"), a_procedure("lease", due="lease_start")])

    assert until_when(path, path.step("cvec")).text.endswith("There is no last day for this that I know of.")
    assert until_when(path, path.step("lease")).text.endswith("On which day does your lease start?")


def test_until_when_of_the_whole_path_gives_the_next_three_dates_and_counts_the_past_ones(
    a_procedure: Make, view
) -> None:
    ends = {"lease": "", "visale": " + 1 day", "transcript": " + 2 days", "moving_out": " + 3 days"}
    procedures = [a_procedure(slug, due=f"programme_end{shift}") for slug, shift in ends.items()]
    path = view([*procedures, a_procedure("cvec", due="programme_start")],
                programme_start="2026-09-07", programme_end="2027-06-27")  # fmt: skip

    assert until_when(path, None).text.splitlines() == [
        "The date of 1 step is past; the first: Do cvec.",
        "",
        "Your next dates:",
        "",
        "- **Do lease**: by 27 June 2027.",
        "- **Do visale**: by 28 June 2027.",
        "- **Do transcript**: by 29 June 2027.",
    ]


def test_which_step_is_asked_with_the_open_ones_as_buttons(a_procedure: Make, view) -> None:
    blocked = a_procedure("lease", opens="programme_end")

    reply = which_step(view([blocked, a_procedure("visale")], programme_end="2027-06-30"), "path_done")

    assert reply.text == "Which step do you mean?"
    assert [button.payload["values"]["step"] for button in reply.buttons] == ["visale", "lease"]
    assert {button.payload["effect"] for button in reply.buttons} == {"path_done"}


def test_in_a_language_without_content_the_reply_says_that_the_steps_are_in_english(validation, view) -> None:
    note = "\n\nThe steps themselves are described in English only so far."
    step = "validate_visa"

    english, french, spanish = (view([validation], language, **ARRIVED) for language in ("en", "fr", "es"))

    assert [about_step(each, each.step(step)).text.count("\n\n") for each in (english, french, spanish)] == [4, 4, 5]
    assert note not in about_step(english, english.step(step)).text
