"""What the action says to a correction, and questions for missing facts that a text may answer afterwards."""

from datetime import date

import pytest

from actions import answer_topic
from actions._turn import Turn
from actions.record import answer
from bot.answers.decision import Decision
from bot.assistant.deeds import deeds_of, do_all
from bot.conversations.deeds import Context, pending_prompt
from bot.conversations.messages import Effect, Understanding
from bot.conversations.models import Conversation
from bot.students.models import Student

TODAY = date(2026, 11, 24)


@pytest.fixture
def asked(services):
    def ask(conversation, text: str, label: str = "record/correct", function=answer):
        is_topic = label.startswith("ask/")
        action = "answer" if is_topic else "chat"
        turn = Turn(
            sender=str(conversation.id),
            text=text,
            language="en",
            today=TODAY,
            last_topic=None,
            last_step=None,
            told={},
            mentioned={},
            wants_more=False,
            as_student=None,
            decision=Decision(action, label, ()),
            understanding=Understanding(label, 0.97, action, label.removeprefix("ask/") if is_topic else None),
        )
        return function(services, turn)

    return ask


def test_a_correction_is_read_back_with_a_button_that_confirms_it(asked, linked):
    reply = asked(linked, "I arrived a week later")

    assert reply.text == "Your record says you arrived on 12 September 2026. Change it to 19 September 2026?"
    assert reply.buttons[0].payload == {
        "effect": "change_facts",
        "values": {
            "student": linked.student_id,
            "changes": {"date_of_entry": "2026-09-19"},
            "before": {"date_of_entry": "2026-09-12"},
        },
    }
    assert (reply.effects, reply.understanding.group) == ((Effect("expect_confirmation"),), "paperwork")


def test_a_missing_part_is_asked_and_awaited(asked, linked):
    reply = asked(linked, "I found a flat")

    assert [effect.name for effect in reply.effects] == ["expect_fact"]
    assert reply.effects[0].values["fact"] == "housing_status"


def test_whoever_is_not_linked_is_offered_the_link(asked, stranger):
    reply = asked(stranger, "I arrive a week later")

    assert [button.payload for button in reply.buttons] == [{"effect": "start_link"}]
    assert reply.effects == ()


def test_a_topic_that_asks_for_a_missing_fact_takes_a_text_as_its_answer(asked, linked, services, database, now):
    with database.write() as session:
        student = session.get_one(Student, linked.student_id)
        student.facts = {fact: value for fact, value in student.facts.items() if fact != "document_held"}

    reply = asked(linked, "do I validate my visa?", "ask/validate_visa", answer_topic.answer)
    deeds = deeds_of(services)
    with database.write() as session:
        context = Context(session, session.get_one(Conversation, linked.id), now)
        do_all(context, deeds, [effect for effect in reply.effects if effect.name == "expect_fact"])
        prompt = pending_prompt(context.conversation, now)
        saved = deeds.prompts["fact"](context, prompt, "it is a VLS-TS")

    assert "Which document do you hold?" in reply.text
    assert Effect("expect_fact", {"fact": "document_held"}) in reply.effects
    assert [button.label for button in reply.buttons][:2] == ["Student visa VLS-TS", "Temporary student visa VLS-T"]
    assert saved.text.startswith("Changed:\n\n- **Visa or residence document**: Student visa VLS-TS")
    with database.read() as session:
        assert session.get_one(Student, linked.student_id).facts["document_held"] == "vls_ts"
