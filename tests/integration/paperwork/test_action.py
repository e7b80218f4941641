"""The questions about the path as the action answers them, before the gateway does anything."""

from datetime import date

import pytest
from sqlalchemy import select

from actions._turn import Turn
from actions.calendar import calendar_answer
from actions.paperwork import answer
from bot.answers.decision import Decision
from bot.conversations.messages import Candidate, Effect, Understanding
from bot.identity.models import AccessToken
from bot.paperwork.queries import steps_done, steps_stuck

TODAY = date(2026, 11, 24)


@pytest.fixture
def asked(services):
    """Ask under a label; what a conversation remembers and what else the model saw can be given."""

    def ask(conversation, label: str, *seen: Candidate, text="…", last_topic=None, last_step=None, function=answer):
        turn = Turn(
            sender=str(conversation.id),
            text=text,
            language="en",
            today=TODAY,
            last_topic=last_topic,
            last_step=last_step,
            told={},
            mentioned={},
            wants_more=False,
            as_student=None,
            decision=Decision("chat", label, ()),
            understanding=Understanding(label, 0.97, "chat", group="small_talk", candidates=seen),
        )
        return function(services, turn)

    return ask


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("path", "This is what is left to do:"),
        ("path/left", "This is what is left to do:"),
        ("path/next", "**"),
        ("path/done", "Which step do you mean?"),
        ("path/cannot", "Which step do you mean?"),
        ("path/why", "Your steps follow from what your record says of you."),
        ("path/when", "The date"),
        ("path/of_a_later_model", "This is what is left to do:"),
    ],
)
def test_without_a_step_in_context_the_whole_path_is_meant(asked, linked, label, words):
    reply = asked(linked, label)

    assert reply.text.startswith(words)
    assert (reply.understanding.intent, reply.understanding.group) == (label, "paperwork")


@pytest.mark.parametrize(
    ("context", "step"),
    [
        ({"last_step": "lease"}, "lease"),
        ({"last_topic": "validate_visa"}, "validate_visa"),
        ({"last_topic": "validate_visa", "last_step": "lease"}, "lease"),
    ],
)
def test_the_step_just_talked_about_is_meant(asked, linked, context, step):
    assert asked(linked, "path/why", **context).effects == (Effect("path_about", {"step": step}),)


def test_a_step_named_in_the_text_counts_before_the_one_just_talked_about(asked, linked):
    named = (Candidate("bank_refusal", 0.2), Candidate("bank_account", 0.1), Candidate("lease_words", 0.05))

    assert asked(linked, "path/why", *named, last_step="lease").effects == (
        Effect("path_about", {"step": "bank_account"}),
    )


def test_what_the_model_hardly_saw_names_nothing(asked, linked):
    faint = Candidate("bank_account", 0.009)

    assert asked(linked, "path/why", faint, last_step="lease").effects == (Effect("path_about", {"step": "lease"}),)
    assert asked(linked, "path/done", faint).text == "Which step do you mean?"


def test_a_topic_without_a_procedure_or_of_an_old_model_leads_to_the_whole_path(asked, linked):
    whole = asked(linked, "path/why").text

    assert [asked(linked, "path/why", last_topic=topic).text for topic in ("sports", "a_topic_of_last_year")] == [
        whole,
        whole,
    ]


def test_i_did_it_asks_the_gateway_to_write_and_writes_nothing_itself(asked, linked, database):
    reply = asked(linked, "path/done", last_step="validate_visa")

    assert reply.text.startswith("Noted as done on 24 November 2026: **Validate your visa**")
    assert reply.effects == (Effect("path_done", {"step": "validate_visa", "on": "2026-11-24"}),)
    with database.read() as session:
        assert steps_done(session, linked.student_id) == {}


@pytest.mark.parametrize(
    ("text", "on"),
    [
        ("I did it yesterday", "2026-11-23"),
        ("I did it on 2 October", "2026-10-02"),
        ("I did it", "2026-11-24"),
        ("I did it in October", "2026-11-24"),
    ],
)
def test_the_day_that_the_text_names_counts(asked, linked, text, on):
    reply = asked(linked, "path/done", text=text, last_step="validate_visa")

    assert reply.effects == (Effect("path_done", {"step": "validate_visa", "on": on}),)


def test_what_will_be_done_tomorrow_is_not_done(asked, linked):
    reply = asked(linked, "path/done", text="it will be done tomorrow", last_step="validate_visa")

    assert reply.text == "25 November 2026 has not come yet. Tell me when it is done: **Validate your visa**"
    assert reply.effects == (Effect("path_about", {"step": "validate_visa"}),)


def test_i_cannot_asks_the_gateway_to_note_it(asked, linked, database):
    reply = asked(linked, "path/cannot", last_step="validate_visa")

    assert [effect.name for effect in reply.effects] == ["path_about", "path_stuck"]
    with database.read() as session:
        assert steps_stuck(session, linked.student_id) == set()


def test_a_step_that_is_not_needed_is_not_marked_as_done_without_asking_which(asked, linked):
    reply = asked(linked, "path/done", last_step="algerian_certificate")

    assert (reply.text, reply.effects) == ("Which step do you mean?", ())


@pytest.mark.parametrize("label", ["path/left", "path/next", "path/done", "path/cannot", "path/why", "path/when"])
def test_who_is_not_linked_is_offered_to_link(asked, stranger, label):
    reply = asked(stranger, label, last_step="validate_visa")

    assert [button.payload for button in reply.buttons] == [{"effect": "start_link"}]
    assert (reply.effects, reply.sources, reply.understanding.group) == ((), (), "paperwork")


def test_a_calendar_is_given_by_the_gateway_and_only_to_a_linked_student(asked, linked, stranger, database):
    given = asked(linked, "reminders/calendar", function=calendar_answer)
    refused = asked(stranger, "reminders/calendar", function=calendar_answer)

    assert (given.effects, given.understanding.group) == ((Effect("give_calendar"),), "paperwork")
    assert (refused.effects, [button.payload for button in refused.buttons]) == ((), [{"effect": "start_link"}])
    with database.read() as session:
        assert session.scalars(select(AccessToken)).all() == []
