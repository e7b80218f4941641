"""Whether an answer helped, over HTTP."""

from uuid import UUID

import pytest

from bot.conversations.models import Author, Conversation
from bot.conversations.service import append
from tests.integration.web.test_api import send

ANSWER = {"intent": "ask/cvec", "confidence": 0.9, "action": "answer", "topic": "cvec", "group": "paperwork"}


@pytest.fixture
def talk(client):
    opened = client.post("/api/v1/conversations", json={"language": "en"}).json()
    return opened["conversation_id"], {"Authorization": f"Bearer {opened['token']}"}


@pytest.fixture
def answered(services, talk):
    """The seq of an answer about the CVEC."""
    conversation_id, _ = talk
    with services.database.write() as session:
        conversation = session.get_one(Conversation, UUID(conversation_id))
        now = services.clock.now()
        return append(session, conversation, Author.BOT, "Pay it.", understanding=ANSWER, now=now).seq


def rate(client, talk, **body):
    conversation_id, headers = talk
    return client.post(f"/api/v1/conversations/{conversation_id}/ratings", json=body, headers=headers)


def test_an_answer_names_its_topic_and_can_be_rated(client, talk, answered):
    conversation_id, headers = talk
    seen = client.get(f"/api/v1/conversations/{conversation_id}/messages", headers=headers).json()["events"]
    assert [event["topic"] for event in seen] == [None, "cvec"]

    first = rate(client, talk, seq=answered, helpful=True)
    then = rate(client, talk, seq=answered, helpful=False, reason="not_my_case")

    assert (first.status_code, first.json()) == (200, {"topic": "cvec", "helpful": True, "reason": None})
    assert (then.status_code, then.json()) == (200, {"topic": "cvec", "helpful": False, "reason": "not_my_case"})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"helpful": True}, "seq"),
        ({"seq": 2}, "helpful"),
        ({"seq": 2, "helpful": "yes"}, "helpful"),
        ({"seq": 0, "helpful": True}, "seq"),
        ({"seq": 2, "helpful": False, "reason": "boring"}, "reason"),
        ({"seq": 2, "helpful": True, "reason": "wrong"}, "reason"),
        ({"seq": 2, "helpful": True, "more": 1}, "more"),
    ],
)
def test_what_is_not_a_rating_is_refused_by_field(client, talk, answered, body, field):
    refused = rate(client, talk, **body)

    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == [field]


def test_a_message_that_answers_no_topic_is_not_found(client, talk):
    send(client, talk)

    assert rate(client, talk, seq=1, helpful=True).status_code == 404
    assert rate(client, talk, seq=99, helpful=True).status_code == 404


def test_without_the_token_nothing_is_rated(client, talk, answered):
    conversation_id, _ = talk

    assert rate(client, (conversation_id, {}), seq=answered, helpful=True).status_code == 401
    assert rate(client, (conversation_id, {"Authorization": "Bearer x"}), seq=answered, helpful=True).status_code == 404
