"""From an update to a conversation, each in one transaction."""

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from bot.channels.telegram import intake
from bot.channels.telegram.incoming import Edited, Elsewhere, Handed, Nothing, Person, Pressed, Reach, Said, Started
from bot.channels.telegram.intake import MOST_TRIES, Intake, Taken, store_updates, take_in
from bot.conversations.messages import Brought, Button
from bot.conversations.models import (
    Address,
    Alert,
    Author,
    ChannelUpdate,
    Control,
    Conversation,
    InboxEntry,
    InboxState,
    Message,
    OutboxEntry,
)
from bot.conversations.service import append, finish_entry
from bot.conversations.words import greeting
from bot.identity.joining import Claim, issue, words_of
from tests.factories import make_conversation, make_student


@pytest.fixture
def do(services, now):
    """Take something in, in a transaction of its own."""

    def take(incoming, at=now) -> Taken:
        with services.database.write() as session:
            return take_in(session, services, incoming, at)

    return take


@pytest.fixture
def talk(services):
    """(author, text) of the one conversation that Telegram has."""

    def read(chat="4001"):
        with services.database.read() as session:
            leads_to = select(Address.conversation_id).where(Address.external == chat).scalar_subquery()
            rows = session.scalars(select(Message).where(Message.conversation_id == leads_to).order_by(Message.seq))
            return [(str(row.author), row.text) for row in rows]

    return read


def rows(services, table, *where):
    with services.database.read() as session:
        return session.scalars(select(table).where(*where).order_by(table.id)).all()


def said(amina, now, text, message_id=1):
    return Said(amina, message_id, text, now)


def test_the_first_message_of_a_chat_is_greeted_in_its_language_and_waits_for_its_turn(do, services, amina, now, talk):
    taken = do(said(amina, now, "Bonjour, une chambre ?"))

    assert talk() == [("bot", greeting("fr")), ("student", "Bonjour, une chambre ?")]
    (entry,) = rows(services, InboxEntry)
    assert (entry.channel, entry.external_id, entry.content, entry.state) == (
        "telegram", "9000:4001:1", {"text": "Bonjour, une chambre ?"}, InboxState.PENDING,
    )  # fmt: skip
    assert (taken.conversation_id, taken.has_turn) == (entry.conversation_id, True)
    assert [each.payload for each in rows(services, OutboxEntry)] == [{"seq": 1}]


def test_start_in_a_new_chat_is_answered_by_the_greeting_alone(do, services, amina, now, talk):
    taken = do(Started(amina, 1, "", now))

    assert talk() == [("bot", greeting("fr"))]
    assert taken.has_turn is False
    assert rows(services, InboxEntry) == []


def test_start_in_a_known_chat_is_a_message_like_any_other(do, services, amina, now):
    do(Started(amina, 1, "", now))

    assert do(Started(amina, 2, "", now)).has_turn is True
    assert [entry.content for entry in rows(services, InboxEntry)] == [{"text": "/start"}]


def test_an_unknown_language_is_greeted_in_english(do, amina, now, talk):
    do(Started(replace(amina, language="tlh"), 1, "", now))

    assert talk() == [("bot", greeting("en"))]


def test_the_same_message_again_is_taken_once(do, services, amina, now):
    assert do(said(amina, now, "Hello")).has_turn is True
    assert do(said(amina, now, "Hello")).has_turn is False
    assert len(rows(services, InboxEntry)) == 1


def test_a_deep_link_claims_for_the_page_that_made_it_and_its_token_is_not_kept(do, services, amina, now, talk):
    with services.database.write() as session:
        page = make_conversation(session, now)
        token = issue(session, page, "telegram", now)

    do(Started(amina, 1, token, now))

    assert talk() == [("bot", greeting("fr")), ("bot", words_of(Claim.YOURS, "fr"))]
    assert not [row for row in rows(services, Message) if token in row.text]

    do(Started(Person("4002", "Other", "en"), 1, token, now))
    assert talk("4002") == [("bot", greeting("en")), ("bot", words_of(Claim.ANOTHERS, "en"))]

    do(Started(amina, 2, "no-such-token", now))
    assert talk()[-1] == ("bot", words_of(Claim.UNKNOWN, "fr"))


def test_a_press_carries_the_opaque_key_and_each_press_is_one(do, services, amina, now, talk):
    do(Started(amina, 1, "", now))
    with services.database.write() as session:
        conversation = session.scalars(select(Conversation)).one()
        asked = append(
            session, conversation, Author.BOT, "Which?", now=now, buttons=[Button("Visa", {"topic": "visa"})]
        )
        key = asked.buttons[0]["key"]

    taken = do(Pressed(amina, 2, key, "c1", now))
    do(Pressed(amina, 2, key, "c1", now))

    assert talk()[-1] == ("student", "Visa")
    assert (taken.has_turn, taken.pressed) == (True, Pressed(amina, 2, key, "c1", now))
    assert [entry.content for entry in rows(services, InboxEntry)] == [{"button": key}]


def test_new_words_replace_the_old_ones_before_the_answer_and_after_it_only_in_the_transcript(
    do, services, amina, now, talk
):
    do(said(amina, now, "How do I get a vsia?"))
    do(Edited(amina, 1, "How do I get a visa?"))

    (entry,) = rows(services, InboxEntry)
    assert (entry.content, entry.state) == ({"text": "How do I get a visa?"}, InboxState.PENDING)
    assert talk()[-1] == ("student", "How do I get a visa?")

    with services.database.write() as session:
        finish_entry(session, entry.id, now)
    do(Edited(amina, 1, "Never mind"))
    assert [each.state for each in rows(services, InboxEntry)] == [InboxState.DONE]
    assert talk()[-1] == ("student", "Never mind")


def test_an_edit_of_what_we_never_saw_changes_nothing(do, services, amina, now, talk):
    assert do(Edited(amina, 9, "x")) == Taken()

    do(said(amina, now, "Hello"))
    do(Edited(amina, 9, "x"))
    do(Edited(Person("4002", "Other", "en"), 1, "x"))
    assert talk()[-1] == ("student", "Hello")


def test_characters_that_no_database_holds_are_replaced(do, amina, now, talk):
    do(said(amina, now, "a\x00b\ud83dc"))
    do(said(amina, now, "\x00 ", 2))

    assert talk()[1:] == [("student", "ab�c"), ("student", "…")]


def test_a_file_comes_with_its_caption(do, services, amina, now, talk):
    photo = Brought("photo", "photo.jpg", "image/jpeg", 12, "F")
    assert do(Handed(amina, 1, photo, "Is this the right form?", now)).has_turn is True

    assert talk()[-1] == ("student", "Is this the right form?")


def test_a_chat_that_shut_us_out_gets_nothing_more_and_a_linked_student_gets_mail(do, services, amina, now):
    do(Started(amina, 1, "", now))
    with services.database.write() as session:
        conversation = session.scalars(select(Conversation)).one()
        conversation.student_id = make_student(session, now).id
        append(session, conversation, Author.STAFF, "Come at **ten**.", now=now, author_name="Claire")

    do(Reach("4001", is_open=False))

    (address,) = rows(services, Address)
    assert address.blocked_at == now
    assert rows(services, Conversation)[0].channel == "web"
    mails = rows(services, OutboxEntry)
    assert [(mail.channel, mail.payload["kind"], mail.payload["to"]) for mail in mails] == [
        ("mail", "message", "amina@student.junia.com")
    ] * 2
    assert "Come at ten." in mails[1].payload["text"]

    with services.database.write() as session:
        append(session, session.scalars(select(Conversation)).one(), Author.STAFF, "Still there?", now=now)
    assert len(rows(services, OutboxEntry)) == 2


def test_a_stranger_who_shut_us_out_gets_no_mail_and_writing_again_opens_the_chat(do, services, amina, now):
    do(Started(amina, 1, "", now))
    do(Reach("4001", is_open=False))
    assert rows(services, OutboxEntry) == []

    do(said(amina, now, "Me again", 2))
    assert rows(services, Address)[0].blocked_at is None
    assert rows(services, Conversation)[0].channel == "telegram"

    do(Reach("4001", is_open=False))
    do(Reach("4001", is_open=True))
    assert rows(services, Address)[0].blocked_at is None


def test_shutting_out_by_somebody_we_do_not_know_is_nothing(do):
    assert do(Reach("7", is_open=False)) == Taken()


def test_groups_leave_no_trace_and_are_to_be_refused(do, services):
    group = Elsewhere("-100", may_speak=True)
    assert do(group) == Taken(refuse=group)
    assert do(Nothing()) == Taken()
    assert rows(services, Conversation) == []


def test_who_writes_too_fast_is_asked_once_to_send_it_again(do, services, amina, now, talk):
    for number in range(8):
        do(said(amina, now, f"{number}", number), now + timedelta(seconds=number))

    assert len(rows(services, InboxEntry)) == 5
    slower = [text for author, text in talk() if author == "system"]
    assert len(slower) == 1

    later = now + timedelta(minutes=2)
    do(said(amina, later, "slowly", 99), later)
    assert len(rows(services, InboxEntry)) == 6


def test_what_waited_while_we_were_away_was_not_written_fast(do, services, amina, now, talk):
    for number in range(12):
        do(said(amina, now - timedelta(hours=2) + timedelta(seconds=20 * number), f"{number}", number), now)

    assert [text for _, text in talk()[1:]] == [f"{number}" for number in range(12)]

    for number in range(12, 19):
        do(said(amina, now - timedelta(hours=1), f"{number}", number), now)
    assert [text for author, text in talk() if author == "student"] == [f"{number}" for number in range(17)]


def test_an_album_is_one_message_for_how_fast_one_writes(do, services, amina, now):
    for number in range(10):
        photo = Brought("photo", "photo.jpg", "image/jpeg", 12, f"F{number}", album="trip")
        assert do(Handed(amina, number, photo, "", now)).has_turn is True
    for number in range(10, 14):
        assert do(said(amina, now, f"{number}", number)).has_turn is True

    assert do(said(amina, now, "too fast", 14)).has_turn is False
    another = Brought("photo", "photo.jpg", "image/jpeg", 12, "F", album="party")
    assert do(Handed(amina, 15, another, "", now)).has_turn is False
    assert len(rows(services, InboxEntry)) == 14


def test_a_repeat_is_not_called_too_fast(do, amina, now, talk):
    for number in range(5):
        do(said(amina, now, f"{number}", number))

    assert do(said(amina, now, "2", 2)).has_turn is False
    assert [author for author, _ in talk()].count("system") == 0


def test_words_of_danger_are_taken_in_beyond_the_limit_as_many_again(do, services, amina, now, talk):
    for number in range(6):
        do(said(amina, now, f"{number}", number))
    for number in range(6, 16):
        do(said(amina, now, "I want to kill myself", number))

    written = [text for author, text in talk() if author == "student"]
    assert written == [*(f"{number}" for number in range(5)), *["I want to kill myself"] * 5]
    assert do(said(amina, now, "What is the CVEC?", 20)).has_turn is False


def test_a_button_that_was_pressed_too_fast_stays(do, amina, now):
    for number in range(4):
        do(said(amina, now, f"{number}", number))
    assert do(Pressed(amina, 9, "k", "c1", now)).pressed == Pressed(amina, 9, "k", "c1", now)

    assert do(Pressed(amina, 9, "k", "c2", now)).pressed is None


def test_another_bot_in_the_same_chat_counts_its_messages_from_the_beginning(do, services, amina, now, talk):
    do(said(amina, now, "Hello"))
    token = SecretStr("9001:AAother")
    other = replace(services, settings=services.settings.model_copy(update={"telegram_token": token}))

    with services.database.write() as session:
        assert take_in(session, other, said(amina, now, "Hello"), now).has_turn is True
        assert take_in(session, other, said(amina, now, "And now?", 2), now).has_turn is True
        take_in(session, other, Edited(amina, 2, "And now, please?"), now)

    assert [text for _, text in talk()[1:]] == ["Hello", "Hello", "And now, please?"]


def update(number, text="Hello", chat=4001):
    return {
        "update_id": number,
        "message": {
            "message_id": number,
            "date": 1_795_000_000,
            "chat": {"id": chat, "type": "private", "first_name": "Amina"},
            "from": {"id": chat, "is_bot": False, "first_name": "Amina", "language_code": "en"},
            "text": text,
        },
    }


@pytest.fixture
def runner(services):
    taken: list[Taken] = []
    made = Intake(services, "telegram:9000", taken.append, lambda _pressed: None, timedelta())
    made.taken = taken
    return made


async def test_the_runner_empties_a_row_when_it_has_taken_it_in(services, runner, now, talk):
    with services.database.write() as session:
        store_updates(session, "telegram:9000", [update(1), update(2, "And?")], now)

    assert await runner.take_ready() == 2
    assert await runner.take_ready() == 0

    assert [(row.payload, row.done_at) for row in rows(services, ChannelUpdate)] == [(None, now), (None, now)]
    assert talk()[1:] == [("student", "Hello"), ("student", "And?")]
    assert [each.has_turn for each in runner.taken] == [True, True]


async def test_an_update_that_fails_is_tried_again_before_those_behind_it_and_at_last_set_aside(
    services, runner, now, talk, monkeypatch
):
    real = intake.take_in

    def broken(session, services_, incoming, at):
        if isinstance(incoming, Said) and incoming.text == "bad":
            real(session, services_, incoming, at)
            raise RuntimeError("as told")
        return real(session, services_, incoming, at)

    monkeypatch.setattr(intake, "take_in", broken)
    monkeypatch.setattr(intake, "PAUSE", 0)
    with services.database.write() as session:
        store_updates(session, "telegram:9000", [update(1, "bad"), update(2, "good")], now)

    for _ in range(MOST_TRIES - 1):
        await runner.take_ready()
        assert rows(services, Conversation) == []
    await runner.take_ready()

    (_, (author, told), *rest) = talk()
    assert (author, rest) == ("system", [("student", "good")])
    assert told.startswith("Something went wrong on my side: I could not take in your last message.")
    assert [(alert.kind, alert.conversation_id) for alert in rows(services, Alert)] == [
        ("not_taken_in", rows(services, Conversation)[0].id)
    ]
    assert [each.payload for each in rows(services, OutboxEntry)] == [{"seq": 1}, {"seq": 2}]
    assert [(row.done_at, row.payload) for row in rows(services, ChannelUpdate)] == [(now, None), (now, None)]


async def test_what_cannot_even_be_owned_up_to_holds_nobody_up(services, runner, now, talk, monkeypatch):
    real, begun = intake.take_in, intake.conversation_of

    def broken(session, services_, incoming, at):
        if isinstance(incoming, Said) and incoming.person.chat == "666":
            raise RuntimeError("as told")
        return real(session, services_, incoming, at)

    def without(session, person, at):
        if person.chat == "666":
            raise RuntimeError("as told")
        return begun(session, person, at)

    monkeypatch.setattr(intake, "take_in", broken)
    monkeypatch.setattr(intake, "conversation_of", without)
    monkeypatch.setattr(intake, "PAUSE", 0)
    with services.database.write() as session:
        store_updates(session, "telegram:9000", [update(1, "bad", chat=666), update(2, "good")], now)

    for _ in range(MOST_TRIES):
        await runner.take_ready()

    assert talk()[1:] == [("student", "good")]
    assert [(row.done_at, row.payload) for row in rows(services, ChannelUpdate)] == [(now, None), (now, None)]


async def test_the_wheel_on_a_button_stops_before_the_work_begins(services, now, monkeypatch):
    order: list[str] = []
    real = intake.take_in

    def noted(session, services_, incoming, at):
        order.append("work")
        return real(session, services_, incoming, at)

    monkeypatch.setattr(intake, "take_in", noted)
    runner = Intake(
        services, "telegram:9000", lambda _taken: None, lambda _pressed: order.append("answer"), timedelta()
    )
    press = {
        "update_id": 1,
        "callback_query": {
            "id": "c1",
            "from": {"id": 4001, "is_bot": False, "first_name": "Amina"},
            "message": {**update(7)["message"], "date": 1},
            "chat_instance": "x",
            "data": "key",
        },
    }
    with services.database.write() as session:
        store_updates(session, "telegram:9000", [press, update(2)], now)

    await runner.take_ready()

    assert order == ["answer", "work", "work"]


async def test_an_update_never_overtakes_one_that_another_gateway_is_at(services, runner, now, talk, monkeypatch):
    monkeypatch.setattr(intake, "PAUSE", 0)
    with services.database.write() as session:
        store_updates(session, "telegram:9000", [update(1, "first"), update(2, "second")], now)
    (_, second) = [row.id for row in rows(services, ChannelUpdate)]
    monkeypatch.setattr(runner, "_ready", lambda: [second])

    await runner.take_ready()
    assert rows(services, Conversation) == []

    monkeypatch.undo()
    await runner.take_ready()
    assert talk()[1:] == [("student", "first"), ("student", "second")]


async def test_what_cannot_be_read_is_nothing_and_holds_nobody_up(services, runner, now, talk):
    with services.database.write() as session:
        store_updates(session, "telegram:9000", [{"update_id": 1, "message": {"text": 5}}, update(2)], now)

    await runner.take_ready()

    assert talk()[1:] == [("student", "Hello")]


def test_a_held_conversation_keeps_its_colleague_while_the_student_writes(do, services, amina, now):
    do(Started(amina, 1, "", now))
    with services.database.write() as session:
        session.scalars(select(Conversation)).one().control = Control.WAITING

    do(said(amina, now, "Anybody?"))

    assert rows(services, Conversation)[0].control == Control.WAITING
    with services.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Conversation)) == 1
