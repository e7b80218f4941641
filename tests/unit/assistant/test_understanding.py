"""One question in the light of the topic just talked about; several questions in one message."""

import asyncio
from datetime import date

import pytest

from bot.assistant.understanding import Chosen, Question, answer
from bot.conversations.messages import Answer, Understanding
from tests.fakes import FakeEngine

TODAY = date(2026, 11, 25)


def found(topic: str | None, confidence: float = 0.9) -> Answer:
    action = "answer" if topic else "abstain"
    return Answer(f"about {topic}", Understanding(f"ask/{topic}", confidence, action, topic, (), "paperwork"))


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def ask(engine, knowledge):
    def run(
        text: str, replies: dict[str, Answer], last_topic: str | None = "visa_application", **more: object
    ) -> Answer:
        engine.answer = lambda asked: replies.get(asked, found(None))
        question = Question("probe-1", text, "en", TODAY, last_topic, **more)
        return asyncio.run(answer(engine, knowledge, question))

    return run


TITLE = "Applying for the visa"


def test_a_question_that_points_back_is_asked_with_the_last_topic(ask, engine):
    reply = ask("how much is it?", {f"{TITLE}: how much is it?": found("visa_fee")})

    assert reply.understanding.topic == "visa_fee"
    assert engine.asked == ["how much is it?", f"{TITLE}: how much is it?"]


def test_without_a_last_topic_it_stands_alone(ask, engine):
    ask("how much is it?", {}, last_topic=None)

    assert engine.asked == ["how much is it?"]


def test_a_clear_new_subject_after_and_stands_alone(ask, engine):
    reply = ask("and the bank account?", {"and the bank account?": found("bank_account", 0.9)})

    assert reply.understanding.topic == "bank_account"
    assert engine.asked == ["and the bank account?"]


def test_an_unclear_subject_after_and_is_read_with_the_last_topic(ask):
    replies = {
        "and for my wife?": found("pregnancy_children", 0.61),
        f"{TITLE}: and for my wife?": found("visa_application", 0.8),
    }

    assert ask("and for my wife?", replies).understanding.topic == "visa_application"


def test_where_both_say_nothing_the_message_itself_is_answered(ask):
    assert ask("why me?", {}).understanding.action == "abstain"


def test_a_correction_leaves_out_what_was_talked_about(ask, engine):
    reply = ask("no, I meant the bank", {"the bank": found("bank_account")})

    assert reply.understanding.topic == "bank_account"
    assert engine.asked == ["the bank"]
    assert engine.metadata[0]["not"] == "visa_application"


def test_each_of_several_questions_is_answered(ask):
    replies = {
        "how do i get a room": found("housing_search"),
        "when is the welcome session": found("welcome_session", 0.7),
    }

    reply = ask("how do i get a room and when is the welcome session", replies, last_topic=None)

    assert reply.understanding.topics == ("housing_search", "welcome_session")
    assert reply.text == "about housing_search\n\nabout welcome_session"


def test_the_second_question_may_hang_on_the_first(ask, engine):
    replies = {"What is the CVEC?": found("cvec"), "CVEC: how much is it?": found("cvec_payment")}

    reply = ask("What is the CVEC? And how much is it?", replies, last_topic=None)

    assert reply.understanding.topics in (("cvec",), ())
    assert "CVEC: And how much is it?" in engine.asked


def test_parts_with_one_answer_between_them_are_asked_as_one(ask, engine):
    whole = "Where do I validate my visa? And what is the address please?"
    replies = {"Where do I validate my visa?": found("validate_visa"), whole: found("validate_visa")}

    reply = ask(whole, replies, last_topic=None)

    assert engine.asked[-1] == whole
    assert reply.understanding.topics == ()


def test_what_the_question_says_of_the_student_goes_along(ask, engine):
    ask("Do I need a visa as a British student?", {}, last_topic=None, told={"campus": "lille"})

    assert engine.metadata[0]["mentioned"] == {"citizenship": "uk"}
    assert engine.metadata[0]["told"] == {"campus": "lille"}


def test_a_pressed_button_names_its_topic_and_more(ask, engine):
    ask("", {}, chosen=Chosen("cvec", more=True))

    assert engine.asked == ["/ask"]
    assert (engine.metadata[0]["chosen"], engine.metadata[0]["more"]) == ("cvec", True)
