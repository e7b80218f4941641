"""What is not a text, from the channel to the reply: what is stored, what is kept, what is said."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from bot.answers.urgent import build_door
from bot.assistant.brought import INSTEAD, Thing, before_answer, kept, without_words
from bot.assistant.turn import commit, compute, load
from bot.conversations.brought import MOST_BYTES, MOST_FILES_A_DAY, MOST_MEGABYTES_A_DAY
from bot.conversations.messages import Brought, IncomingMessage
from bot.conversations.models import Alert, Attachment, AttachmentState, Control, Conversation, InboxEntry, Message
from bot.conversations.service import edit_message, receive_message
from bot.errors import DifferentContent, InvalidField
from bot.handoff.models import Reason
from bot.handoff.service import claim, release, request_person
from tests.factories import make_conversation, make_staff, transcript
from tests.fakes import TALK, FakeEngine

NOT_KEPT = Thing("photo", is_kept=False, is_large=False)


def photo(size: int = 1000, album: str = "", external: str = "AgACAgIAAx") -> Brought:
    return Brought("photo", "photo.jpg", "image/jpeg", size, external, album)


@pytest.fixture
def engine():
    return FakeEngine()


@pytest.fixture
def talk(database, now) -> UUID:
    with database.write() as session:
        return make_conversation(session, now).id


@pytest.fixture
def bring(database, now, talk):
    def write(brought: Brought, caption: str = "", external_id: str = "4001:1"):
        with database.write() as session:
            return receive_message(
                session, talk, IncomingMessage("web", external_id, caption, None, now, brought), now
            ).is_new

    return write


@pytest.fixture
def take_turns(database, now, talk, engine, knowledge):
    door = build_door(knowledge.urgent)

    def run() -> None:
        while (snapshot := load(database, talk)) is not None:
            outcome = asyncio.run(compute(engine, door, knowledge, snapshot, now))
            assert outcome is not None
            commit(database, TALK, snapshot, outcome, now)

    return run


@pytest.fixture
def claire(database, now, talk):
    with database.write() as session:
        staff = make_staff(session, now)
        claim(session, talk, staff, now)
        return staff


def said(database, talk):
    with database.read() as session:
        return transcript(session, talk)[1:]


def attachments(database):
    with database.read() as session:
        rows = session.scalars(select(Attachment).order_by(Attachment.id))
        return [(row.external, row.name, row.media_type, row.size, str(row.state)) for row in rows]


def test_a_photo_alone_is_answered_without_the_engine_and_not_kept(database, talk, bring, take_turns, engine):
    bring(photo())
    take_turns()

    answer = without_words("en", NOT_KEPT, is_waiting=False)
    assert said(database, talk) == [("student", "[Photo]"), ("bot", answer.text)]
    assert (engine.asked, attachments(database)) == ([], [])
    with database.read() as session:
        reply = session.scalars(select(Message).order_by(Message.seq.desc())).first()
        assert [button["payload"] for button in reply.buttons] == [{"effect": "request_person"}]


def test_whoever_waits_is_told_the_same_without_a_second_offer(database, talk, bring, take_turns, now):
    with database.write() as session:
        request_person(session, session.get_one(Conversation, talk), Reason.ASKED, now)
    bring(photo())
    take_turns()

    assert said(database, talk)[-1] == ("bot", without_words("en", NOT_KEPT, is_waiting=True).text)
    assert attachments(database) == []
    with database.read() as session:
        assert session.scalars(select(Message).order_by(Message.seq.desc())).first().buttons == []


def test_a_caption_is_a_question_like_any_other(database, talk, bring, take_turns, engine):
    bring(photo(), "What is the CVEC?")
    take_turns()

    assert said(database, talk) == [
        ("student", "What is the CVEC?"),
        ("bot", f"{before_answer('en', NOT_KEPT)}\n\necho: What is the CVEC?"),
    ]
    assert len(engine.asked) == 1


def test_the_urgent_door_reads_captions_and_its_answer_comes_first(database, talk, bring, take_turns, knowledge):
    bring(photo(), "I want to kill myself")
    take_turns()

    door = build_door(knowledge.urgent)
    kind = door.kind_of("I want to kill myself")
    assert said(database, talk)[-1] == ("bot", door.text(kind, "en"))
    with database.read() as session:
        assert session.scalars(select(Alert.kind)).all() == ["urgent"]


def test_an_album_is_answered_once(database, talk, bring, take_turns):
    for number in range(5):
        bring(photo(album="a1"), external_id=f"4001:{number}")
    take_turns()

    assert [author for author, _ in said(database, talk)] == ["student"] * 5 + ["bot"]


def test_a_question_under_a_later_photo_of_an_album_is_answered(database, talk, bring, take_turns):
    bring(photo(album="a1"), external_id="4001:1")
    bring(photo(album="a1"), "What is the CVEC?", external_id="4001:2")
    take_turns()

    assert said(database, talk)[-1] == ("bot", "echo: What is the CVEC?")


def test_two_albums_are_answered_one_by_one(database, talk, bring, take_turns):
    bring(photo(album="a1"), external_id="4001:1")
    bring(photo(album="a2"), external_id="4001:2")
    bring(photo(), external_id="4001:3")
    bring(photo(), external_id="4001:4")
    take_turns()

    assert [author for author, _ in said(database, talk)].count("bot") == 4


def test_while_a_colleague_answers_a_file_is_kept_for_them_in_silence(database, talk, bring, take_turns, claire):
    bring(Brought("document", "../visa\u202efdp.exe", "application/PDF", 2048, "BQACAgIAAx"), "my visa")
    take_turns()

    assert said(database, talk)[1:] == [("student", "my visa")]
    assert attachments(database) == [("BQACAgIAAx", "visafdp.exe", "application/pdf", 2048, "pending")]


def test_a_file_over_the_limit_is_not_kept_and_the_student_is_told_once(database, talk, bring, take_turns, claire):
    for number in range(3):
        bring(photo(MOST_BYTES + 1, album="a1"), external_id=f"4001:{number}")
    take_turns()

    notice = "This file was not passed on: it is larger than 20 MB. Send a smaller one, please."
    assert said(database, talk)[1:] == [("student", "[Photo]")] * 3 + [("system", notice)]
    assert attachments(database) == []


OVER = "This file was not passed on: at most 40 files and 100 MB a day can be sent here. Send it tomorrow, please."


def test_after_as_many_files_as_a_day_holds_the_student_is_told_and_the_next_day_begins_anew(
    database, talk, take_turns, claire, now
):
    def bring_at(moment, number: int) -> None:
        with database.write() as session:
            message = IncomingMessage("web", f"4001:{number}", "", None, moment, photo())
            receive_message(session, talk, message, moment)

    for number in range(MOST_FILES_A_DAY):
        bring_at(now, number)
    bring_at(now + timedelta(hours=23), 1001)
    bring_at(now + timedelta(hours=24), 1002)
    take_turns()

    assert [text for author, text in said(database, talk) if author == "system"][1:] == [OVER]
    assert len(attachments(database)) == MOST_FILES_A_DAY + 1


def test_the_bytes_of_a_day_are_limited_and_a_smaller_file_still_finds_room(database, talk, bring, take_turns, claire):
    whole, rest = divmod(MOST_MEGABYTES_A_DAY * 1024 * 1024 - 10, MOST_BYTES)
    for number in range(whole):
        bring(photo(MOST_BYTES), external_id=f"4001:{number}")
    bring(photo(rest), external_id="4001:rest")
    bring(photo(11), external_id="4001:large")
    bring(photo(10), external_id="4001:small")
    take_turns()

    assert said(database, talk)[-1] == ("system", OVER)
    assert [size for *_, size, _ in attachments(database)] == [*[MOST_BYTES] * whole, rest, 10]


def test_a_file_that_never_came_takes_no_room(database, talk, bring, take_turns, claire):
    for number in range(MOST_FILES_A_DAY):
        bring(photo(), external_id=f"4001:{number}")
    with database.write() as session:
        session.scalars(select(Attachment)).first().state = AttachmentState.FAILED
    bring(photo(), external_id="4001:again")
    take_turns()

    assert len(attachments(database)) == MOST_FILES_A_DAY + 1
    assert OVER not in [text for _, text in said(database, talk)]


def test_of_an_album_over_the_limit_the_student_is_told_once(database, talk, bring, take_turns, claire):
    for number in range(MOST_FILES_A_DAY):
        bring(photo(), external_id=f"4001:{number}")
    for number in range(3):
        bring(photo(album="a1"), external_id=f"4001:over{number}")
    take_turns()

    assert [text for _, text in said(database, talk)].count(OVER) == 1


@pytest.mark.parametrize("size", [1000, MOST_BYTES + 1])
def test_of_a_captioned_file_that_is_not_kept_staff_see_that_it_was_there(database, talk, bring, take_turns, size):
    bring(photo(size), "What is the CVEC?")
    take_turns()

    assert attachments(database) == [("", "photo.jpg", "image/jpeg", size, "refused")]
    assert said(database, talk)[0] == ("student", "What is the CVEC?")


def test_a_file_from_the_moment_before_a_claim_is_asked_for_again(database, talk, bring, take_turns, now):
    bring(photo())
    with database.write() as session:
        claim(session, talk, make_staff(session, now), now)
    take_turns()

    assert said(database, talk)[-1] == ("system", "This file was not passed on. Send it again, please.")


def test_a_file_that_was_kept_before_the_conversation_came_back_is_with_the_office(
    database, talk, bring, take_turns, claire, now
):
    bring(photo())
    with database.write() as session:
        release(session, talk, claire, now)
    take_turns()

    assert said(database, talk)[-1] == ("bot", kept("en"))
    assert len(attachments(database)) == 1


@pytest.mark.parametrize(
    ("kind", "summary", "line"),
    [
        ("location", "50.63000, 3.06000", "[Location]"),
        ("contact", "Sami, +33", "[Contact]"),
        ("poll", "Pizza?", "[Poll]"),
    ],
)
def test_of_a_place_a_contact_or_a_poll_nothing_is_stored_while_the_bot_has_it(
    database, talk, bring, take_turns, kind, summary, line
):
    bring(Brought(kind, "", "", 0, "", summary=summary))
    take_turns()

    answer = f"{INSTEAD[kind]} I did not keep what you sent."
    assert said(database, talk) == [("student", line), ("bot", answer)]
    with database.read() as session:
        assert [entry.content for entry in session.scalars(select(InboxEntry))] == [
            {"brought": kind, "text": "", "album": "", "kept": False, "large": False, "over": False}
        ]


def test_a_colleague_sees_the_place(database, talk, bring, take_turns, claire):
    bring(Brought("location", "", "", 0, "", summary="50.63000, 3.06000"))
    take_turns()

    assert said(database, talk)[1:] == [("student", "[Location] 50.63000, 3.06000")]


def test_a_repeat_is_stored_once_also_when_the_conversation_changed_hands(database, talk, bring, now):
    assert bring(photo()) is True
    with database.write() as session:
        claim(session, talk, make_staff(session, now), now)

    assert bring(photo()) is False
    assert attachments(database) == []


def test_the_same_number_with_another_file_is_refused(bring):
    bring(photo(), "visa")

    with pytest.raises(DifferentContent):
        bring(Brought("voice", "voice.ogg", "audio/ogg", 10, "AwAC"), "visa")
    with pytest.raises(DifferentContent):
        bring(photo(), "another caption")


@pytest.mark.parametrize("caption", ["half \ud800", "zero \x00"])
def test_a_caption_that_cannot_be_stored_is_refused(database, bring, caption):
    with pytest.raises(InvalidField):
        bring(photo(), caption)

    assert attachments(database) == []


def test_a_caption_changed_before_the_answer_is_the_question(database, talk, bring, take_turns):
    bring(photo(), "What is the CVC?")
    with database.write() as session:
        edit_message(session, talk, "web", "4001:1", "What is the CVEC?")
    take_turns()

    assert said(database, talk)[0] == ("student", "What is the CVEC?")
    assert said(database, talk)[1] == ("bot", f"{before_answer('en', NOT_KEPT)}\n\necho: What is the CVEC?")


def test_a_file_to_a_closed_conversation_reopens_it_for_the_bot(database, talk, bring, take_turns, now):
    with database.write() as session:
        session.get_one(Conversation, talk).control = Control.CLOSED
    bring(photo())
    take_turns()

    assert said(database, talk)[-1] == ("bot", without_words("en", NOT_KEPT, is_waiting=False).text)


def test_files_go_with_the_conversation(database, talk, bring, claire):
    bring(photo())
    assert len(attachments(database)) == 1
    with database.write() as session:
        session.delete(session.get_one(Conversation, talk))

    assert attachments(database) == []
