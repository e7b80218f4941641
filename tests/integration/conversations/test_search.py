"""The search over the transcripts, on both databases."""

from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import delete, select

from bot.conversations.models import Author, Conversation, Message
from bot.conversations.search import forget_deleted, found
from bot.conversations.service import append
from bot.db.session import Database
from bot.handoff.beside import add_note
from tests.factories import make_conversation, make_staff, receive


def texts_with(database: Database, query: str, before: int | None = None, limit: int = 10) -> list[str]:
    with database.read() as session:
        return [message.text for message in found(session, query, before, limit)]


def talk_of(database: Database, now: datetime, *texts: str) -> UUID:
    with database.write() as session:
        conversation = make_conversation(session, now)
        for text in texts:
            receive(session, conversation.id, text, now)
        return conversation.id


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("residence", "My RESIDENCE permit is lost"),
        ("permits residence", "residence permits"),
        ("resid", "My residence permit"),
        ("prefecture", "La préfecture de Lille"),
        ("préfecture", "la prefecture"),
        ("junia", "write to amina@student.junia.com please"),
        ("2026", "on 2026-11-24"),
        ("адреса", "Моя Адреса у Ліллі"),
        ("قبول", "رسالة قبول الجامعة"),
        ("签证", "我需要签证延期"),
        ("adresse", "l'adresse de l’école"),
    ],
)
def test_a_word_is_found_without_case_and_accents_by_its_beginning(
    database: Database, now: datetime, query: str, text: str
):
    talk_of(database, now, text, "Something else entirely")

    assert texts_with(database, query) == [text]


def test_every_word_must_be_there_and_the_newest_comes_first(database: Database, now: datetime):
    talk_of(database, now, "visa one", "lease", "visa two", "visa lease")

    assert texts_with(database, "visa") == ["visa lease", "visa two", "visa one"]
    assert texts_with(database, "lease visa") == ["visa lease"]
    assert texts_with(database, "nothing") == []


def test_the_next_page_goes_on_where_the_first_ended(database: Database, now: datetime):
    talk_of(database, now, *(f"visa {number}" for number in range(5)))
    with database.read() as session:
        first = found(session, "visa", None, 2)

    assert [message.text for message in first] == ["visa 4", "visa 3"]
    assert texts_with(database, "visa", first[-1].id, 2) == ["visa 2", "visa 1"]


@pytest.mark.parametrize("query", ['"', "visa AND", "NEAR(visa", "visa:*", "text : visa", "' & |", "%", "\\", "-", "*"])
def test_signs_of_a_query_language_are_no_commands(database: Database, now: datetime, query: str):
    talk_of(database, now, "visa and near text")

    assert texts_with(database, query) in ([], ["visa and near text"])


def test_a_changed_text_is_found_by_its_new_words_only(database: Database, now: datetime):
    conversation_id = talk_of(database, now, "My passport")
    with database.write() as session:
        session.scalars(
            select(Message).where(Message.conversation_id == conversation_id, Message.seq == 2)
        ).one().text = "My lease"

    assert (texts_with(database, "passport"), texts_with(database, "lease")) == ([], ["My lease"])


def test_what_a_deleted_conversation_said_is_found_no_more(database: Database, now: datetime):
    gone = talk_of(database, now, "visa of Amina")
    talk_of(database, now, "visa of Ravi")
    with database.write() as session:
        session.execute(delete(Conversation).where(Conversation.id == gone))

    assert texts_with(database, "visa") == ["visa of Ravi"]
    assert texts_with(database, "Amina") == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_index_keeps_no_word_of_what_was_deleted(database: Database, now: datetime):
    # PostgreSQL's index is part of the table.
    gone = talk_of(database, now, "zanzibarite")
    talk_of(database, now, "something else")
    with database.write() as session:
        add_note(session, session.get_one(Conversation, gone), make_staff(session, now, "Marc"), "a zanzibarite", now)
    with database.write() as session:
        session.execute(delete(Conversation).where(Conversation.id == gone))
    forget_deleted(database)
    database.empty_log()

    assert b"zanzibar" not in Path(database.url.removeprefix("sqlite:///")).read_bytes()


def test_notices_of_the_house_are_not_searched(database: Database, now: datetime):
    with database.write() as session:
        conversation = make_conversation(session, now)
        append(session, conversation, Author.SYSTEM, "You are now talking to Claire", kind="notice", now=now)

    assert texts_with(database, "Claire") == []
