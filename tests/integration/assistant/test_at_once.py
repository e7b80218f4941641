"""What a student may ask of the machine while a colleague has the conversation: to end the link, and no reminders."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import select

from bot.answers.urgent import build_door
from bot.assistant.turn import commit, compute, load
from bot.conversations.messages import Button, IncomingMessage
from bot.conversations.models import Address, Author, Control, Conversation, Kind, Message, OutboxEntry
from bot.conversations.service import append, locked_conversation, open_conversation, receive_message
from bot.handoff.service import claim
from bot.identity.deeds import identity_deeds
from bot.identity.joining import claim as open_link
from bot.identity.joining import confirm, issue, standing
from bot.reminders.deeds import reminder_deeds
from bot.reminders.queries import unwanted_by
from bot.reminders.wording import stopped_words
from tests.factories import make_conversation, make_staff, make_student, transcript
from tests.fakes import FakeEngine

TELEGRAM = "telegram"
FORGOTTEN = (
    "This conversation is no longer linked to your record: from now on my answers are general ones. "
    "What was said before stays in the conversation."
)
PARTED = "Telegram has left this conversation. It goes on here."
TALK = identity_deeds([]) | reminder_deeds([])


@pytest.fixture
def held(database, now) -> UUID:
    """A chat of Telegram that is linked to a record, and that a colleague has."""
    with database.write() as session:
        conversation, _ = open_conversation(
            session, language="en", language_chosen=False, greeting="Hi", channel=TELEGRAM, now=now
        )
        session.add(Address(channel=TELEGRAM, external="7", conversation_id=conversation.id))
        conversation.student_id = make_student(session, now).id
        claim(session, conversation.id, make_staff(session, now), now)
        return conversation.id


@pytest.fixture
def write(database, now, knowledge):
    """Take a message in and do the turn; returns what was said after it, by whom."""
    door = build_door(knowledge.urgent)

    def take(conversation_id: UUID, text: str | None, button: str | None = None) -> list[tuple[str, str]]:
        with database.write() as session:
            incoming = IncomingMessage(TELEGRAM, f"7:{text}", text, button, now)
            seq = receive_message(session, conversation_id, incoming, now).message.seq
        snapshot = load(database, conversation_id)
        outcome = asyncio.run(compute(FakeEngine(), door, knowledge, snapshot, now))
        commit(database, TALK, snapshot, outcome, now)
        with database.read() as session:
            return transcript(session, conversation_id)[seq:]

    return take


def row(database, conversation_id: UUID) -> Conversation:
    with database.read() as session:
        return session.get_one(Conversation, conversation_id)


def test_unlink_forgets_the_record_at_once_and_both_read_so(database, held, write):
    assert write(held, "/unlink") == [("system", FORGOTTEN)]

    conversation = row(database, held)
    assert (conversation.student_id, conversation.control) == (None, Control.STAFF)
    with database.read() as session:
        last = session.scalars(select(OutboxEntry).order_by(OutboxEntry.id.desc())).first()
        assert (last.channel, last.conversation_id, last.payload) == (TELEGRAM, held, {"seq": conversation.last_seq})


def test_a_button_with_the_same_meaning_does_the_same(database, held, write, now):
    with database.write() as session:
        button = Button("End the link", {"effect": "unlink"})
        append(
            session,
            locked_conversation(session, held),
            Author.SYSTEM,
            "Linked.",
            kind=Kind.NOTICE,
            buttons=[button],
            now=now,
        )
        key = session.scalars(select(Message).order_by(Message.seq.desc())).first().buttons[0]["key"]

    assert write(held, None, key) == [("system", FORGOTTEN)]
    assert row(database, held).student_id is None


def test_unlink_in_a_joined_chat_leaves_the_page_and_the_colleague_reads_so(database, held, write, now):
    with database.write() as session:
        page = make_conversation(session, now)
        open_link(session, issue(session, page, TELEGRAM, now), TELEGRAM, "7", "Ana", now)
        confirm(session, page, TELEGRAM, standing(session, page, TELEGRAM, now).key, now)
        claim(session, page.id, make_staff(session, now, "Marc"), now)
        page_id = page.id

    assert write(page_id, "/unlink") == [("system", PARTED)]

    conversation = row(database, page_id)
    assert (conversation.control, conversation.channel) == (Control.STAFF, "web")
    with database.read() as session:
        assert session.scalar(select(Address.conversation_id).where(Address.external == "7")) not in (page_id, held)


def test_no_more_reminders_holds_at_once_and_both_read_so(database, held, write):
    assert write(held, "/stop") == [("system", stopped_words("all", "en"))]

    conversation = row(database, held)
    assert conversation.control == Control.STAFF
    with database.read() as session:
        assert unwanted_by(session, conversation.student_id) == {"all"}


@pytest.mark.parametrize("text", ["/mydata", "/human", "unlink", "please /unlink me"])
def test_anything_else_is_for_the_colleague_alone(database, held, write, text):
    assert write(held, text) == []
    assert row(database, held).student_id is not None
