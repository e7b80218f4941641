"""`/mydata` as a student uses it: through the turn, button by button."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from bot.assistant.turn import Outcome, commit, load
from bot.conversations.commands import command_of
from bot.conversations.messages import Answer, Effect, Understanding
from bot.conversations.models import Control, Conversation, Message
from bot.conversations.service import receive_message
from bot.identity.models import Erasure
from bot.privacy.deeds import privacy_deeds
from bot.privacy.links import export_behind
from bot.students.models import Student
from tests.factories import incoming, make_conversation, make_student, receive, transcript

UNDERSTOOD = Understanding(intent="button", confidence=1.0, action="chat", group="small_talk")


class Chat:
    """One conversation; the turn is the real one but for the engine, which no deed of ours asks."""

    def __init__(self, database, settings, talk):
        self.database, self.talk, self.deeds = database, talk, privacy_deeds(settings)

    def write(self, text, now):
        with self.database.write() as session:
            receive(session, self.talk, text, now)
        return self._meant(command_of(text), now)

    def press(self, label, now, message=None):
        buttons = (message or self.last()).buttons
        (button,) = (each for each in buttons if each["label"] == label)
        with self.database.write() as session:
            receive_message(session, self.talk, incoming(None, now, button=button["key"]), now)

        return self._meant(button["payload"], now)

    def _meant(self, payload, now):
        return self._turn(Effect(payload["effect"], payload.get("values", {})), now)

    def _turn(self, effect, now):
        snapshot = load(self.database, self.talk)
        commit(self.database, self.deeds, snapshot, Outcome(Answer("Done.", UNDERSTOOD, effects=(effect,)), "en"), now)
        return self.last()

    def last(self) -> Message:
        with self.database.read() as session:
            return session.scalars(
                select(Message).where(Message.conversation_id == self.talk).order_by(Message.seq.desc()).limit(1)
            ).one()


def labels(message) -> list[str]:
    return [button["label"] for button in message.buttons]


@pytest.fixture
def amina(database, now) -> int:
    with database.write() as session:
        return make_student(session, now, campus="lille").id


@pytest.fixture
def chat(database, settings, amina, now) -> Chat:
    with database.write() as session:
        conversation = make_conversation(session, now)
        conversation.student_id = amina
        return Chat(database, settings, conversation.id)


@pytest.fixture
def stranger(database, settings, now) -> Chat:
    with database.write() as session:
        return Chat(database, settings, make_conversation(session, now).id)


def test_a_linked_student_sees_the_record_in_words_and_the_rest_in_counts(chat, now):
    answer = chat.write("/mydata", now)

    head, record, rest = answer.text.split("\n\n")
    assert head == "**What is kept about you**"
    assert record.splitlines()[0] == (
        "Your record (from the school's information system, and from what you told me; kept 12 months after they left):"
    )
    assert record.splitlines()[1:] == [
        "- Given name: Amina",
        "- Family name: Test",
        "- School mailbox: amina@student.junia.com",
        "- Language: English",
        "- Campus: Lille",
    ]
    assert rest.splitlines() == [
        "With it:",
        "- Messages: 2 (from this chat; kept 13 months after the last message)",
        "- Messages as they came in: 1 (from this chat; kept 13 months after the last message)",
    ]
    assert labels(answer) == ["Give me a copy", "Correct something", "Erase everything"]


def test_a_value_that_has_no_words_is_shown_as_it_is(database, chat, amina, now):
    with database.write() as session:
        session.get_one(Student, amina).facts = {"campus": "atlantis", "leaving_date": None, "unknown_fact": "x"}

    record = chat.write("/mydata", now).text.split("\n\n")[1]

    assert record.splitlines()[-1] == "- Campus: atlantis"


def test_a_stranger_sees_the_conversation_alone(stranger, amina, now):
    answer = stranger.write("/mydata", now)

    assert "This conversation is not linked to a record" in answer.text
    assert "Amina" not in answer.text
    assert answer.text.splitlines()[-2] == "- Messages: 2 (from this chat; kept 90 days after the last message)"


def test_a_copy_is_a_link_that_opens_the_record_of_the_linked_student(database, chat, settings, now):
    chat.write("/mydata", now)
    answer = chat.press("Give me a copy", now)

    address = answer.text.partition("](")[2].partition(")")[0]
    assert address.startswith(f"{settings.address}/mydata/")
    assert answer.text.startswith("[Download your copy](")
    with database.write() as session:
        copy = export_behind(session, address.rpartition("/")[2], now)
    assert "amina@student.junia.com" in copy


def test_the_copy_of_a_stranger_holds_no_record(database, stranger, amina, now):
    stranger.write("/mydata", now)
    answer = stranger.press("Give me a copy", now)

    assert "since it is not linked to a record" in answer.text
    assert labels(answer) == ["Link my record"]
    address = answer.text.partition("](")[2].partition(")")[0]
    with database.write() as session:
        assert "amina@student.junia.com" not in export_behind(session, address.rpartition("/")[2], now)


def test_what_is_wrong_is_corrected_in_the_chat(chat, stranger, now):
    chat.write("/mydata", now)
    stranger.write("/mydata", now)

    assert chat.press("Correct something", now).text.startswith("Write me what is wrong and what is right")
    assert stranger.press("Correct something", now).text == (
        "There is no record in this conversation to correct. Link yours first."
    )


def test_erasing_is_explained_confirmed_and_done(database, chat, amina, now):
    chat.write("/mydata", now)
    explained = chat.press("Erase everything", now)
    with database.read() as session:
        assert session.get(Student, amina) is not None

    done = chat.press("Yes, erase everything", now + timedelta(minutes=9, seconds=59))

    assert explained.text.startswith("Erasing takes away, at once and for good: your record here")
    assert "1 conversation is linked to your record and goes with it." in explained.text
    assert "a hash of your address is kept for 36 months" in explained.text
    assert labels(explained) == ["Yes, erase everything", "No, keep it"]
    assert done.text == (
        "Everything is erased, as you asked: your record here and every conversation linked to it. "
        "This last message goes in 7 days."
    )
    with database.read() as session:
        assert session.get(Student, amina) is None
        assert transcript(session, chat.talk) == [("bot", done.text)]
        left = session.get_one(Conversation, chat.talk)
        assert (left.student_id, left.prompt, left.last_topic, left.told) == (None, None, None, {})
        assert (left.control, done.seq, left.last_seq) == (Control.CLOSED, left.last_seq, done.seq)
        assert session.scalar(select(func.count()).select_from(Erasure)) == 1


def test_the_other_conversations_of_the_student_say_so_too(database, chat, amina, now):
    with database.write() as session:
        other = make_conversation(session, now)
        other.student_id = amina
        other_id = other.id
    chat.write("/mydata", now)
    chat.press("Erase everything", now)
    chat.press("Yes, erase everything", now)

    with database.read() as session:
        assert [author for author, _ in transcript(session, other_id)] == ["system"]


def test_a_stranger_erases_the_conversation_alone(database, stranger, amina, now):
    stranger.write("/mydata", now)
    explained = stranger.press("Erase everything", now)
    done = stranger.press("Yes, erase everything", now)

    assert explained.text.startswith("Erasing takes away everything that was said in this conversation")
    assert done.text.startswith("Everything is erased, as you asked: nothing that was said in this conversation")
    with database.read() as session:
        assert session.get(Student, amina) is not None
        assert transcript(session, stranger.talk) == [("bot", done.text)]


def test_the_button_that_erases_works_for_ten_minutes(database, chat, amina, now):
    chat.write("/mydata", now)
    chat.press("Erase everything", now)

    again = chat.press("Yes, erase everything", now + timedelta(minutes=10))

    assert again.text.startswith("Erasing takes away, at once and for good")
    with database.read() as session:
        assert session.get(Student, amina) is not None


@pytest.mark.parametrize("now_linked", [True, False])
def test_the_button_is_void_when_the_link_has_changed_meanwhile(database, chat, stranger, amina, now, now_linked):
    talk = stranger if now_linked else chat
    talk.write("/mydata", now)
    talk.press("Erase everything", now)
    with database.write() as session:
        session.get_one(Conversation, talk.talk).student_id = amina if now_linked else None

    again = talk.press("Yes, erase everything", now)

    assert again.text.startswith("Erasing takes away")
    with database.read() as session:
        assert session.get(Student, amina) is not None
        assert session.scalar(select(func.count()).select_from(Erasure)) == 0


def test_keeping_everything_erases_nothing(database, chat, amina, now):
    chat.write("/mydata", now)
    chat.press("Erase everything", now)

    assert chat.press("No, keep it", now).text == "All right, nothing is erased."
    with database.read() as session:
        assert session.get(Student, amina) is not None


def test_the_button_of_the_erased_conversation_is_gone_with_it(database, chat, now):
    chat.write("/mydata", now)
    explained = chat.press("Erase everything", now)
    chat.press("Yes, erase everything", now)

    with database.write() as session:
        key = explained.buttons[0]["key"]
        received = receive_message(session, chat.talk, incoming(None, now, button=key), now)
    assert received.message.text == "…"
    assert load(database, chat.talk).payload == {}


def test_what_was_written_while_the_erasure_was_asked_for_goes_too(database, chat, now):
    chat.write("/mydata", now)
    chat.press("Erase everything", now)
    yes = chat.last()
    with database.write() as session:
        button = next(each for each in yes.buttons if each["label"] == "Yes, erase everything")
        receive_message(session, chat.talk, incoming(None, now, button=button["key"]), now)
        receive_message(session, chat.talk, incoming("and one more secret", now), now)

    chat._turn(Effect("erase_everything", button["payload"]["values"]), now)

    assert load(database, chat.talk) is None
    with database.read() as session:
        assert len(transcript(session, chat.talk)) == 1
