"""An advert pasted in a talk: answered before the engine, which never sees it; and by `accueil ask`."""

import asyncio
import logging
from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import select

from bot.answers.urgent import build_door
from bot.assistant.turn import commit, compute, load
from bot.assistant.understanding import Question, answer
from bot.conversations.models import Message
from bot.handoff.models import Case
from bot.housing.advert_answer import advert_answer
from tests.factories import make_conversation, receive
from tests.fakes import TALK, FakeEngine

TODAY = date(2026, 11, 24)
SCAM = (
    "Nice furnished room for rent in Lille, 420 euros per month, bills included, available now.\n"
    "To reserve the room, send the first month by Western Union to Mr Nemo, +44 7700 900123.\n"
    "Contact: nemo@example.org, see https://ads.example.org/12"
)
HONEST = (
    "Furnished studio to rent, rue Nationale, Lille, 20 m². Rent 490 € per month, charges included, deposit 490 €.\n"
    "Available from 1 February. Visits on Wednesday and Saturday. Phone 01 99 00 12 12."
)


@pytest.fixture
def engine():
    return FakeEngine()


@pytest.fixture
def talk(database, now) -> UUID:
    with database.write() as session:
        return make_conversation(session, now).id


@pytest.fixture
def write(database, now, talk, engine, knowledge):
    def run(text: str) -> Message:
        with database.write() as session:
            receive(session, talk, text, now)
        snapshot = load(database, talk)
        outcome = asyncio.run(compute(engine, build_door(knowledge.urgent), knowledge, snapshot, now))
        commit(database, TALK, snapshot, outcome, now)
        with database.read() as session:
            return session.scalars(select(Message).where(Message.author == "bot").order_by(Message.seq.desc())).first()

    return run


def test_a_pasted_advert_is_answered_and_the_engine_is_not_asked(write, engine, caplog):
    caplog.set_level(logging.DEBUG)
    reply = write(SCAM)

    assert reply.text.startswith("I read this as an offer of a room and found 1 sign of a scam in it:")
    assert reply.understanding["intent"] == "housing/advert"
    assert engine.asked == []
    assert "nemo" not in caplog.text.casefold()


def test_an_honest_advert_gets_the_habits_and_no_guarantee(write):
    text = write(HONEST).text

    assert "found none of the signs of a scam that I know; that is no guarantee" in text
    assert [line.split("**")[1] for line in text.splitlines() if line.startswith("- ")] == [
        "Visit",
        "Contract before money",
        "Traceable payment",
    ]


def test_a_question_about_rent_goes_to_the_engine(write, engine):
    write("What does a room in Lille cost a month?")

    assert engine.asked == ["What does a room in Lille cost a month?"]


def test_who_has_paid_gets_the_help_first_and_a_person(write, database, now):
    text = write(f"I already paid! Is it a scam?\n{SCAM}").text

    assert text.startswith("**Do not pay anything (more) and send no papers.")
    with database.read() as session:
        assert session.scalar(select(Case.reason)) == "urgent"


def test_ask_answers_an_advert_in_the_language_asked_for(engine, knowledge):
    found = asyncio.run(answer(engine, knowledge, Question("probe-1", SCAM, "fr", TODAY)))

    assert (found.understanding.topic, found.understanding.group, engine.asked) == ("rental_scam", "housing", [])
    assert "L'argent envoyé ainsi ne se retrouve pas" in found.text


def test_the_answer_repeats_no_link_address_or_markup_of_the_advert(knowledge):
    text = "**Now** [click](https://bad.example.org/x) and send Western Union to nemo@example.org, flat and room"

    found = advert_answer(knowledge, text, "en", TODAY)

    quote = found.text.split("**")[1]
    assert quote == "“click (... and send Western Union to e-mail, flat and room”"


def test_each_sign_has_a_source_where_it_is_not_our_own_advice(knowledge):
    assert [source.title for source in advert_answer(knowledge, SCAM, "en", TODAY).sources] == [
        "Service-Public F31269 (deposit)"
    ]
    low = "Furnished studio in Lille, rent 190 € a month."
    assert [source.title for source in advert_answer(knowledge, low, "en", TODAY).sources] == [
        "Aides-jeunes, State-run simulator data",
        "ESPOL, exchange student page",
    ]
