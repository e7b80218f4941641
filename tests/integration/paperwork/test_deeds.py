"""Whole dialogues about the path by buttons: each is pressed as the student sees it."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from bot.assistant.deeds import deeds_of
from bot.assistant.turn import commit, compute, load, settle
from bot.conversations.deeds import Context
from bot.conversations.messages import Answer, Effect, Understanding
from bot.conversations.models import Conversation, Message
from bot.conversations.service import receive_message
from bot.paperwork.queries import steps_done, steps_stuck
from tests.factories import incoming
from tests.fakes import FakeEngine

DONE = Understanding("path/done", 0.97, "chat", group="paperwork")


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def talk(database, now, services, engine, linked):
    """Say something or press the newest button of a name; the reply as it is stored."""
    deeds = deeds_of(services)

    def send(text: str | None = None, button: str | None = None) -> Message:
        with database.write() as session:
            key = newest(session, linked.id, button)["key"] if button is not None else None
            receive_message(session, linked.id, incoming(text, now, button=key), now)
        snapshot = load(database, linked.id)
        outcome = asyncio.run(compute(engine, services.door, services.knowledge, snapshot, now))
        if outcome is None:
            assert settle(database, deeds, snapshot, now)
        else:
            commit(database, deeds, snapshot, outcome, now)
        with database.read() as session:
            return session.scalars(select(Message).order_by(Message.id.desc())).first()

    return send


def newest(session, conversation_id, label: str) -> dict[str, Any]:
    messages = session.scalars(
        select(Message).where(Message.conversation_id == conversation_id).order_by(Message.seq.desc())
    )
    return next(button for message in messages for button in message.buttons if button["label"] == label)


def labels(message: Message) -> list[str]:
    return [button["label"] for button in message.buttons]


def last_step(database, conversation: Conversation) -> str | None:
    with database.read() as session:
        return session.get_one(Conversation, conversation.id).last_step


def effect(name: str, **values: Any):
    return lambda _text: Answer("…", DONE, effects=(Effect(name, values),))


def test_the_list_leads_to_a_step_it_is_done_and_undone(database, linked, engine, talk):
    engine.answer = effect("path_when")
    listed = talk("Until when?")
    assert "- **Validate your visa**: by 12 December 2026." in listed.text.splitlines()

    step = talk(button="Validate your visa")
    assert step.text.startswith("**Validate your visa**")
    assert last_step(database, linked) == "validate_visa"

    done = talk(button="I did it")
    assert done.text.startswith("Noted as done on 24 November 2026: **Validate your visa**")
    with database.read() as session:
        assert set(steps_done(session, linked.student_id)) == {"validate_visa"}

    undone = talk(button="Undo")
    assert undone.text == "Taken back.\n\n**Validate your visa**: by 12 December 2026."
    with database.read() as session:
        assert steps_done(session, linked.student_id) == {}


def test_pressed_again_a_button_says_what_is_so_already(database, linked, engine, talk):
    engine.answer = effect("path_step", step="validate_visa")
    talk("the visa")
    talk(button="I did it")

    assert talk(button="I did it").text == "You did this on 24 November 2026 already: **Validate your visa**"
    talk(button="Undo")
    assert talk(button="Undo").text == "This step is not marked as done: **Validate your visa**"


def test_who_cannot_do_a_step_is_noted_as_stuck_until_it_is_done(database, linked, engine, talk):
    engine.answer = effect("path_step", step="validate_visa")
    talk("the visa")

    reply = talk(button="I can't")

    assert "I have noted that you are stuck here." in reply.text
    assert labels(reply)[0] == "Talk to a person"
    with database.read() as session:
        assert steps_stuck(session, linked.student_id) == {"validate_visa"}
    talk(button="I did it")
    with database.read() as session:
        assert steps_stuck(session, linked.student_id) == set()


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("path_next", {}, "**"),
        ("path_why", {"step": "validate_visa"}, "**Validate your visa**\n\nYour visa is a VLS-TS"),
        ("path_why", {}, "Your steps follow from what your record says of you."),
        ("path_when", {"step": "validate_visa"}, "**Validate your visa**\n\nBy 12 December 2026"),
        ("path_when", {}, "The date"),
        ("path_done", {}, "Which step do you mean?"),
        ("path_cannot", {}, "Which step do you mean?"),
        ("path_cannot", {"step": "a_step_of_last_year"}, "Which step do you mean?"),
        ("path_done", {"step": "a_step_of_last_year"}, "Which step do you mean?"),
        ("path_step", {"step": "a_step_of_last_year"}, "This is what is left to do:"),
        ("path_undo", {"step": "a_step_of_last_year"}, "This is what is left to do:"),
        ("path_done", {"step": "validate_visa", "on": "2026-11-25"}, "25 November 2026 has not come yet."),
        ("path_done", {"step": "cvec", "on": "2025-09-10"}, "What you did on 10 September 2025 belongs to an earlier"),
    ],
)
def test_every_deed_answers_in_words(services, database, now, linked, name, values, words):
    with database.write() as session:
        conversation = session.get_one(Conversation, linked.id)

        reply = deeds_of(services).effects[name](Context(session, conversation, now), values)

        assert reply.text.startswith(words)
        assert steps_done(session, linked.student_id) == {}


@pytest.mark.parametrize(
    "name",
    ["path_left", "path_next", "path_step", "path_done", "path_undo", "path_cannot", "path_why", "path_when"],
)
def test_a_conversation_that_is_no_longer_linked_is_offered_to_link(services, database, now, stranger, name):
    with database.write() as session:
        conversation = session.get_one(Conversation, stranger.id)

        reply = deeds_of(services).effects[name](Context(session, conversation, now), {"step": "validate_visa"})

        assert [button.payload for button in reply.buttons] == [{"effect": "start_link"}]


def test_the_effects_of_a_spoken_answer_are_kept_and_stay_silent(services, database, now, linked, stranger):
    effects = deeds_of(services).effects
    with database.write() as session:
        mine, foreign = (session.get_one(Conversation, each.id) for each in (linked, stranger))
        replies = [
            effects[name](Context(session, each, now), {"step": "lease"})
            for each in (mine, foreign)
            for name in ("path_about", "path_stuck")
        ]

        assert replies == [None, None, None, None]
        assert (mine.last_step, steps_stuck(session, linked.student_id)) == ("lease", {"lease"})
