"""The turn on a real database: what is stored, in which order, and what a claim in between does."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from bot.answers.urgent import build_door
from bot.assistant.turn import Outcome, Superseded, commit, compute, load
from bot.conversations.messages import Answer, Button, Effect, Understanding
from bot.conversations.models import Alert, Control, Conversation, Message
from bot.conversations.service import receive_message
from bot.handoff.models import Case, Reason
from bot.handoff.service import claim, close, release, request_person
from tests.factories import incoming, make_conversation, make_staff, receive, transcript
from tests.fakes import TALK, FakeEngine, asks_for_person, plain_answer


@pytest.fixture
def engine():
    return FakeEngine()


@pytest.fixture
def talk(database, now) -> UUID:
    with database.write() as session:
        return make_conversation(session, now).id


@pytest.fixture
def say_it(database, now, talk):
    def write(text: str, external_id: str | None = None):
        with database.write() as session:
            return receive(session, talk, text, now, external_id)

    return write


@pytest.fixture
def take_turn(database, now, talk, engine, knowledge):
    door = build_door(knowledge.urgent)

    def run() -> bool:
        snapshot = load(database, talk)
        if snapshot is None:
            return False
        outcome = asyncio.run(compute(engine, door, knowledge, snapshot, now))
        assert outcome is not None
        commit(database, TALK, snapshot, outcome, now)
        return True

    return run


def said(database, talk):
    with database.read() as session:
        return transcript(session, talk)[1:]


def test_a_message_is_answered_once_and_the_answer_points_at_it(database, talk, say_it, take_turn):
    say_it("What is the CVEC?")

    assert take_turn() is True
    assert take_turn() is False

    assert said(database, talk) == [("student", "What is the CVEC?"), ("bot", "echo: What is the CVEC?")]
    with database.read() as session:
        reply = session.scalars(select(Message).where(Message.author == "bot").order_by(Message.seq.desc())).first()
        assert (reply.seq, reply.in_reply_to) == (3, 2)


def test_messages_are_answered_in_the_order_of_arrival(database, talk, say_it, take_turn):
    say_it("first question")
    say_it("second question")

    take_turn()
    take_turn()

    assert [text for author, text in said(database, talk) if author == "bot"] == [
        "echo: first question",
        "echo: second question",
    ]


def test_a_later_message_cannot_overtake_an_earlier_one(database, talk, say_it, now, knowledge):
    say_it("first question")
    first = load(database, talk)
    say_it("second question")
    with database.write() as session:
        from bot.conversations.models import InboxEntry

        later = session.scalars(select(InboxEntry).order_by(InboxEntry.id.desc())).first().id
    overtaking = replace(first, entry_id=later)

    with pytest.raises(Superseded):
        commit(database, TALK, overtaking, Outcome(plain_answer("no"), "en"), now)


def test_a_repeated_message_is_stored_and_answered_once(database, talk, say_it, take_turn):
    assert say_it("What is the CVEC?", "telegram-7").is_new is True
    assert say_it("What is the CVEC?", "telegram-7").is_new is False

    take_turn()

    assert [author for author, _ in said(database, talk)] == ["student", "bot"]


def test_an_answer_computed_before_a_claim_is_refused_by_the_database(database, talk, say_it, now, engine, knowledge):
    say_it("What is the CVEC?")
    door = build_door(knowledge.urgent)
    snapshot = load(database, talk)
    outcome = asyncio.run(compute(engine, door, knowledge, snapshot, now))
    with database.write() as session:
        claim(session, talk, make_staff(session, now), now)

    with pytest.raises(Superseded):
        commit(database, TALK, snapshot, outcome, now)

    assert said(database, talk) == [
        ("student", "What is the CVEC?"),
        ("system", "You are now talking to Claire."),
    ]


def test_while_staff_hold_it_the_engine_is_not_even_asked(database, talk, say_it, take_turn, now, engine):
    with database.write() as session:
        claim(session, talk, make_staff(session, now), now)
    say_it("Thank you, Claire")

    take_turn()

    assert engine.asked == []
    assert [author for author, _ in said(database, talk)] == ["system", "student"]


def test_after_release_the_bot_answers_again(database, talk, say_it, take_turn, now):
    with database.write() as session:
        staff = make_staff(session, now)
        claim(session, talk, staff, now)
        release(session, talk, staff, now)
    say_it("What is the CVEC?")

    take_turn()

    assert said(database, talk)[-1] == ("bot", "echo: What is the CVEC?")


def test_a_message_to_a_closed_conversation_reopens_it_for_the_bot(database, talk, say_it, take_turn, now):
    with database.write() as session:
        staff = make_staff(session, now)
        claim(session, talk, staff, now)
        close(session, talk, staff, now)

    say_it("One more thing please")
    take_turn()

    with database.read() as session:
        assert session.get_one(Conversation, talk).control == Control.BOT
    assert said(database, talk)[-1] == ("bot", "echo: One more thing please")


def test_asking_for_a_person_queues_once_and_the_bot_goes_on(database, talk, say_it, take_turn, engine):
    engine.answer = lambda text: asks_for_person() if "person" in text else plain_answer("echo")
    for text in ("a person please", "a person please!", "and the CVEC?"):
        say_it(text)
        take_turn()

    with database.read() as session:
        conversation = session.get_one(Conversation, talk)
        assert (conversation.control, conversation.version) == (Control.WAITING, 2)
        assert len(session.scalars(select(Case)).all()) == 1
    assert said(database, talk)[-1] == ("bot", "echo")


def test_a_failed_engine_gets_an_honest_sentence_and_an_alert(database, talk, say_it, take_turn, engine):
    engine.fails = True
    say_it("What is the CVEC?")

    take_turn()

    author, text = said(database, talk)[-1]
    assert author == "bot"
    assert text.startswith("I am sorry: something is not working on my side")
    with database.read() as session:
        assert session.scalars(select(Alert.kind)).all() == ["failed_turn"]


def test_two_abstentions_in_a_row_offer_a_person(database, talk, say_it, take_turn, engine):
    engine.answer = lambda text: plain_answer("I do not know.", action="abstain")
    offers = []
    for _ in range(2):
        say_it("blorb blorb blorb")
        take_turn()
        with database.read() as session:
            last = session.scalars(select(Message).order_by(Message.seq.desc())).first()
            offers.append([button["payload"] for button in last.buttons])

    assert offers == [[], [{"effect": "request_person"}]]


def test_danger_is_answered_without_the_engine_and_alerts_staff(database, talk, say_it, take_turn, engine):
    say_it("I want to die")

    take_turn()

    assert engine.asked == []
    assert said(database, talk)[-1][1].startswith("**Call 3114 now")
    with database.read() as session:
        assert session.scalars(select(Alert.kind)).all() == ["urgent"]
        assert session.get_one(Conversation, talk).control == Control.WAITING
        assert session.scalars(select(Case.reason)).all() == [Reason.URGENT]


def test_danger_while_they_wait_already_is_no_second_request(database, talk, say_it, take_turn, now):
    with database.write() as session:
        request_person(session, session.get_one(Conversation, talk), Reason.ASKED, now)
    say_it("I want to die")

    take_turn()

    with database.read() as session:
        assert session.scalars(select(Alert.kind)).all() == ["urgent"]
        assert session.scalars(select(Case.reason)).all() == [Reason.ASKED]


def test_danger_while_staff_hold_it_only_alerts(database, talk, say_it, take_turn, now):
    with database.write() as session:
        claim(session, talk, make_staff(session, now), now)
    say_it("je veux mourir")

    take_turn()

    assert [author for author, _ in said(database, talk)] == ["system", "student"]
    with database.read() as session:
        assert session.scalars(select(Alert.kind)).all() == ["urgent"]


def test_a_pressed_topic_names_the_topic_to_the_engine_and_nothing_else_can(
    database, talk, say_it, take_turn, engine, now
):
    engine.answer = lambda text: Answer(
        "Which?",
        Understanding(None, 0.4, "clarify"),
        buttons=(Button("What is the CVEC?", {"topic": "cvec"}),),
    )
    say_it("/ask cvec")
    take_turn()
    with database.write() as session:
        last = session.scalars(select(Message).order_by(Message.seq.desc())).first()
        key = last.buttons[0]["key"]
        receive_message(session, talk, incoming(None, now, button=key), now)
    take_turn()

    assert engine.asked == ["ask cvec", "/ask"]
    assert engine.metadata[1]["chosen"] == "cvec"
    assert said(database, talk)[2] == ("student", "What is the CVEC?")


def test_an_unknown_button_gets_a_friendly_answer(database, talk, take_turn, engine, now):
    with database.write() as session:
        receive_message(session, talk, incoming(None, now, button="forged"), now)

    take_turn()

    assert engine.asked == []
    assert said(database, talk)[-1][1].startswith("This button is too old")


def test_the_language_follows_the_student_until_they_choose(database, say_it, take_turn, talk):
    with database.write() as session:
        session.get_one(Conversation, talk).language_chosen = False
    say_it("Bonjour, je cherche un logement à Lille pour septembre")
    take_turn()
    with database.read() as session:
        assert session.get_one(Conversation, talk).language == "fr"

    with database.write() as session:
        session.get_one(Conversation, talk).language_chosen = True
    say_it("And how do I find a room in this city?")
    take_turn()
    with database.read() as session:
        assert session.get_one(Conversation, talk).language == "fr"


def test_a_person_waiting_for_an_hour_keeps_their_place(database, talk, say_it, take_turn, engine, now):
    engine.answer = lambda text: asks_for_person()
    say_it("a person please")
    take_turn()
    with database.write() as session:
        conversation = session.get_one(Conversation, talk)
        assert conversation.waiting_since == now
        other = make_conversation(session, now + timedelta(hours=1))
        assert other.control == Control.BOT


def test_ending_a_request_that_nobody_took_says_so_and_the_bot_goes_on(database, talk, say_it, take_turn, engine, now):
    engine.answer = lambda text: asks_for_person() if "person" in text else plain_answer("echo")
    say_it("a person please")
    take_turn()
    with database.write() as session:
        release(session, talk, make_staff(session, now), now)
    say_it("and the CVEC?")
    take_turn()

    assert said(database, talk)[-3:] == [
        ("system", "The office has ended your request for a person. The assistant goes on answering."),
        ("student", "and the CVEC?"),
        ("bot", "echo"),
    ]


def button_of(database, talk, label):
    with database.read() as session:
        for message in session.scalars(select(Message).order_by(Message.seq.desc())):
            for button in message.buttons:
                if button["label"] == label:
                    return button["key"]
    raise AssertionError(label)


@pytest.fixture
def press(database, now, talk):
    def write(label: str, external_id: str) -> None:
        message = incoming(None, now, external_id, button=button_of(database, talk, label))
        with database.write() as session:
            receive_message(session, talk, message, now)

    return write


def test_a_pressed_choice_is_kept_and_the_topic_is_answered_again(database, talk, say_it, take_turn, press, engine):
    choice = Button("British", {"told": {"citizenship": "uk"}, "topic": "validate_visa"})
    engine.answer = lambda text: replace(
        plain_answer(f"echo: {text}", topic="validate_visa"),
        buttons=(choice,),
        effects=(Effect("remember", {"citizenship": ""}),),
    )
    say_it("When must I validate?")
    take_turn()
    with database.read() as session:
        assert session.get(Conversation, talk).told == {"citizenship": ""}

    press("British", "press-1")
    take_turn()

    with database.read() as session:
        assert session.get(Conversation, talk).told == {"citizenship": "uk"}
    assert engine.metadata[-1]["told"] == {"citizenship": "uk"}
    assert engine.metadata[-1]["chosen"] == "validate_visa"


def test_a_choice_that_does_not_exist_is_not_kept(database, talk, say_it, take_turn, press, engine):
    odd = Button("Odd", {"told": {"citizenship": "moon", "shoe_size": "44"}, "topic": "validate_visa"})
    engine.answer = lambda text: replace(plain_answer("yes"), buttons=(odd,))
    say_it("When must I validate?")
    take_turn()

    press("Odd", "press-1")
    take_turn()

    with database.read() as session:
        assert session.get(Conversation, talk).told == {}


def test_more_asks_for_what_stands_behind_the_answer(talk, say_it, take_turn, press, engine):
    engine.answer = lambda text: replace(
        plain_answer("yes"), buttons=(Button("More", {"topic": "cvec", "more": True}),)
    )
    say_it("What is the CVEC?")
    take_turn()

    press("More", "press-1")
    take_turn()

    assert (engine.metadata[-1]["chosen"], engine.metadata[-1]["more"]) == ("cvec", True)


def test_another_language_from_a_button_repeats_the_answer_in_it(database, talk, say_it, take_turn, press, engine):
    engine.answer = lambda text: replace(plain_answer("echo"), buttons=(Button("Français", {"language": "fr"}),))
    say_it("What is the CVEC?")
    take_turn()

    press("Français", "press-1")
    take_turn()

    assert said(database, talk)[-1] == ("bot", "Je réponds désormais dans cette langue\xa0: Français.\n\necho")
    assert engine.metadata[-1]["chosen"] == "cvec"
    with database.read() as session:
        stored = session.get(Conversation, talk)
        assert (stored.language, stored.language_chosen) == ("fr", True)
