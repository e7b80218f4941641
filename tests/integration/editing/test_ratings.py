from uuid import uuid4

import pytest
from sqlalchemy import select

from bot.conversations.models import Author, Conversation
from bot.conversations.service import append
from bot.editing.models import Rating, Reason
from bot.editing.queries import asked_counts, unhelpful_answers, unhelpful_counts
from bot.editing.ratings import rate
from bot.errors import InvalidField, NotFound
from bot.identity.models import Role
from tests.factories import make_conversation, make_staff

ANSWER = {"intent": "ask/cvec", "confidence": 0.9, "action": "answer", "topic": "cvec", "group": "paperwork"}


@pytest.fixture
def conversation_id(database, now):
    """The greeting is message 1, two answers about one topic are 2 and 3, a "did you mean" is 4."""
    with database.write() as session:
        conversation = make_conversation(session, now)
        for understanding in (ANSWER, ANSWER, {**ANSWER, "action": "clarify", "topic": None}):
            append(session, conversation, Author.BOT, "Pay it.", understanding=understanding, now=now)
        return conversation.id


def stored(database):
    with database.read() as session:
        return [(each.topic, each.helpful, each.reason) for each in session.scalars(select(Rating))]


def test_what_was_pressed_is_kept_once_for_a_topic_and_the_last_word_counts(database, conversation_id, now):
    with database.write() as session:
        rate(session, conversation_id, 2, now, helpful=True)
    with database.write() as session:
        rate(session, conversation_id, 3, now, helpful=False, reason=Reason.UNCLEAR)

    assert stored(database) == [("cvec", False, "unclear")]
    with database.write() as session:
        nora = make_staff(session, now, "Nora", Role.EDITOR)
        assert [each.rating.topic for each in unhelpful_answers(session, nora, now)] == ["cvec"]
        assert unhelpful_counts(session, now) == {"cvec": 1}
        assert unhelpful_answers(session, nora, now, "visale") == []
        assert asked_counts(session, now) == {"cvec": 2}


@pytest.mark.parametrize("seq", [1, 4, 99])
def test_only_an_answer_about_a_topic_can_be_rated(database, conversation_id, now, seq):
    with pytest.raises(NotFound), database.write() as session:
        rate(session, conversation_id, seq, now, helpful=True)

    assert stored(database) == []


def test_the_answer_of_another_conversation_cannot_be_rated(database, conversation_id, now):
    with pytest.raises(NotFound), database.write() as session:
        rate(session, uuid4(), 2, now, helpful=True)


def test_a_reason_belongs_to_what_did_not_help(database, conversation_id, now):
    with pytest.raises(InvalidField) as refused, database.write() as session:
        rate(session, conversation_id, 2, now, helpful=True, reason=Reason.WRONG)

    assert refused.value.details["field"] == "reason"


def test_it_goes_with_the_conversation(database, conversation_id, now):
    with database.write() as session:
        rate(session, conversation_id, 2, now, helpful=False)
    with database.write() as session:
        session.delete(session.get_one(Conversation, conversation_id))

    assert stored(database) == []
