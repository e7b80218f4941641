"""The copy holds every row of a person and nothing of anybody else."""

import json
from base64 import b64encode
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.conversations.messages import Button
from bot.conversations.models import Author, Conversation, OutboxEntry
from bot.conversations.service import append
from bot.db.base import Erasing
from bot.errors import NotFound
from bot.identity.linking import ask_for_email, handle_prompt
from bot.identity.models import AccessToken, AuditEntry
from bot.privacy.export import VERSION, export, export_text
from bot.privacy.links import LIFE, export_behind, make_link
from bot.privacy.reach import person_of_conversation, person_of_student
from bot.students.models import Student
from bot.tables import METADATA
from tests.factories import make_conversation, make_staff, make_student, receive

PERSONAL = [table for table in METADATA.sorted_tables if table.info["erasing"] is Erasing.DELETE_ROWS]
HIDDEN = {
    "access_tokens.token_hash",
    "buddy_alerts.settled_by",
    "buddy_rules.staff_id",
    "cases.claimed_by",
    "certificate_requests.done_by",
    "channel_joins.token_hash",
    "conversations.assignee_id",
    "conversations.token_hash",
    "desk_calls.staff_id",
    "fact_changes.staff_id",
    "fact_requests.decided_by",
    "link_codes.code_hash",
    "messages.staff_id",
    "note_mentions.staff_id",
    "notes.staff_id",
    "placements.confirmed_by",
    "tasks.owner_id",
    "question_decisions.staff_id",
}


def copy_of_student(database, student_id, now, language="en"):
    with database.read() as session:
        person = person_of_student(session, session.get_one(Student, student_id))
        return json.loads(export_text(session, person, now, language))


def copy_of_conversation(database, conversation_id, now):
    with database.read() as session:
        person = person_of_conversation(session, session.get_one(Conversation, conversation_id))
        return json.loads(export_text(session, person, now, "en"))


def rows(copy, name):
    (table,) = (table for table in copy["tables"] if table["name"] == name)
    return table["rows"]


def test_every_row_of_every_table_is_in_the_copy(database, zoe, yan, now):
    copy = copy_of_student(database, zoe.student_id, now)

    assert [table["name"] for table in copy["tables"]] == [table.name for table in PERSONAL]
    with database.read() as session:
        person = person_of_student(session, session.get_one(Student, zoe.student_id))
        mine = export(session, person, now, "en")
        for table, exported in zip(PERSONAL, copy["tables"], strict=True):
            shown = [column for column in table.columns if f"{table.name}.{column.name}" not in HIDDEN]
            assert exported["columns"] == [column.name for column in shown]
            ids = [row["id"] for row in exported["rows"]]
            stored = session.execute(select(table)).mappings().all()
            wanted = [str(row["id"]) for row in stored if zoe.marker in str(dict(row)) or belongs(row, zoe)]
            assert sorted(map(str, ids)) == sorted(wanted), table.name
            assert len(ids) == (2 if table.name == "conversations" else 1)
    assert json.loads(json.dumps(mine)) == copy


def belongs(row, someone) -> bool:
    of_person = {row.get(column) for column in ("student_id", "newcomer_id", "buddy_id")}
    return (
        someone.student_id in of_person
        or row.get("conversation_id") in someone.conversations
        # The only table without a column of its own that says whose it is: both have one note, in this order.
        or row.get("note_id") == someone.student_id
    )


def test_every_text_of_the_person_is_in_it_and_none_of_another(database, zoe, yan, now):
    copy = copy_of_student(database, zoe.student_id, now)

    for table, exported in zip(PERSONAL, copy["tables"], strict=True):
        with database.read() as session:
            for row in session.execute(select(table)).mappings():
                if zoe.marker not in str(dict(row)):
                    continue
                held = {
                    name
                    for name, value in row.items()
                    if zoe.marker in str(value) and f"{table.name}.{name}" not in HIDDEN
                }
                found = {name for each in exported["rows"] for name, value in each.items() if holds(value, zoe)}
                assert held - {"buttons"} <= found, table.name
    assert not holds(copy, yan)


def holds(value, someone) -> bool:
    """In words, or as the content of a file."""
    return someone.marker in str(value) or b64encode(someone.marker.encode()).decode() in str(value)


def test_it_says_what_when_where_from_and_how_long(database, zoe, now):
    copy = copy_of_student(database, zoe.student_id, now)

    assert (copy["schema"], copy["schema_version"], VERSION) == ("accueil.my-data", 1, 1)
    assert (copy["exported_at"], copy["student"]) == ("2026-11-24T11:00:00+00:00", zoe.email)
    assert copy["conversations"] == [str(each) for each in zoe.conversations]
    (messages,) = (table for table in copy["tables"] if table["name"] == "messages")
    assert {key: messages[key] for key in ("what", "comes_from", "kept")} == {
        "what": "Messages",
        "comes_from": "from this chat",
        "kept": "13 months after the last message",
    }
    assert messages["rows"][0]["created_at"] == "2026-11-24T11:00:00+00:00"
    assert rows(copy, "steps_done")[0]["done_on"] == "2026-11-01"


def test_no_hash_no_code_no_number_of_a_colleague_and_no_payload_of_a_button(database, now):
    with database.write() as session:
        student = make_student(session, now)
        claire = make_staff(session, now)
        talk = make_conversation(session, now)
        talk.student_id, talk.control, talk.assignee_id = student.id, "staff", claire.id
        payload = {"to": student.email, "kind": "link_code", "code": "123456"}
        session.add(OutboxEntry(channel="mail", key="link_code:1", payload=payload, next_at=now))
        buttons = [Button("Yes", {"effect": "do", "values": {"other": "somebody"}})]
        append(session, talk, Author.STAFF, "Hello", now=now, author_name="Claire", buttons=buttons)
        student_id, token_hash = student.id, talk.token_hash

    copy = copy_of_student(database, student_id, now)
    text = json.dumps(copy)

    assert [word for word in ("123456", "somebody", token_hash, "_hash", "assignee") if word in text] == []
    said = rows(copy, "messages")[-1]
    assert (said["author_name"], said["buttons"]) == ("Claire", ["Yes"])
    assert rows(copy, "outbox")[0]["payload"] == {"to": "amina@student.junia.com", "kind": "link_code"}


def test_columns_that_are_hidden_are_known(database):
    shown = {f"{table['name']}.{column}" for table in copy_of_nobody(database)["tables"] for column in table["columns"]}

    assert {f"{table.name}.{column.name}" for table in PERSONAL for column in table.columns} - shown == HIDDEN


def copy_of_nobody(database):
    from datetime import UTC, datetime

    now = datetime(2026, 11, 24, tzinfo=UTC)
    with database.write() as session:
        talk = make_conversation(session, now).id
    return copy_of_conversation(database, talk, now)


def test_the_copy_of_an_unlinked_conversation_holds_that_conversation_alone(database, zoe, now):
    with database.write() as session:
        talk = make_conversation(session, now).id
        receive(session, talk, "only this", now)

    copy = copy_of_conversation(database, talk, now)

    assert (copy["student"], copy["conversations"]) == (None, [str(talk)])
    assert {table["name"] for table in copy["tables"] if table["rows"]} == {"conversations", "inbox", "messages"}
    assert [row["text"] for row in rows(copy, "messages")] == ["Hello, I am a machine.", "only this"]
    assert zoe.marker not in json.dumps(copy)


def test_it_does_not_tell_whether_an_address_is_known(database, now):
    """Whoever asked for a code with an address of somebody learns nothing from the copy of the conversation."""
    with database.write() as session:
        make_student(session, now, "Amina")

    def shape(address):
        with database.write() as session:
            talk = make_conversation(session, now)
            ask_for_email(session, talk, now)
            handle_prompt(session, talk, address, now, mail_domains=["student.junia.com"])
            talk_id = talk.id
        copy = copy_of_conversation(database, talk_id, now)
        return [
            (t["name"], [{n: v for n, v in row.items() if "id" not in n} for row in t["rows"]]) for t in copy["tables"]
        ]

    known, unknown = shape("amina@student.junia.com"), shape("nobody@student.junia.com")

    assert [(name, len(each)) for name, each in known] == [(name, len(each)) for name, each in unknown]
    assert dict(known)["link_codes"] == dict(unknown)["link_codes"]
    assert len(dict(known)["link_codes"]) == 1
    assert dict(known)["outbox"] == []


@pytest.fixture
def talk(database, now):
    with database.write() as session:
        student = make_student(session, now)
        conversation = make_conversation(session, now)
        conversation.student_id = student.id
        return conversation.id


def link(database, talk, now) -> str:
    with database.write() as session:
        return make_link(session, session.get_one(Conversation, talk), now)


def follow(database, token, now):
    with database.write() as session:
        return json.loads(export_behind(session, token, now))


def test_a_link_opens_the_copy_once(database, talk, now):
    token = link(database, talk, now)

    assert follow(database, token, now + LIFE - timedelta(seconds=1))["student"] == "amina@student.junia.com"

    with pytest.raises(NotFound):
        follow(database, token, now)
    with database.read() as session:
        assert token not in session.scalars(select(AccessToken.token_hash)).one()
        assert session.scalars(select(AuditEntry.action)).all() == ["export"]


def test_a_link_is_over_after_a_quarter_of_an_hour(database, talk, now):
    token = link(database, talk, now)

    with pytest.raises(NotFound):
        follow(database, token, now + timedelta(minutes=15))


def test_a_newer_link_ends_the_older(database, talk, now):
    older, newer = link(database, talk, now), link(database, talk, now)

    with pytest.raises(NotFound):
        follow(database, older, now)
    assert follow(database, newer, now)["schema_version"] == 1


def test_of_a_message_that_a_messenger_shows_the_copy_says_where_without_the_number_of_the_chat(database, now):
    with database.write() as session:
        conversation = make_conversation(session, now)
        message = append(session, conversation, Author.STAFF, "Come at nine", now=now)
        message.delivered = {"channel": "telegram", "chat": "4001777", "ids": [7]}

    copy = copy_of_conversation(database, conversation.id, now)

    (messages,) = [table["rows"] for table in copy["tables"] if table["name"] == "messages"]
    assert [row["delivered"] for row in messages] == [None, "telegram"]
    assert "4001777" not in json.dumps(copy)


@pytest.mark.parametrize("token", ["", "x", "0" * 43, "\x00", "é"])
def test_an_unknown_link_opens_nothing(database, talk, now, token):
    link(database, talk, now)

    with pytest.raises(NotFound):
        follow(database, token, now)


def test_a_link_made_before_the_conversation_was_unlinked_opens_nothing(database, talk, now):
    token = link(database, talk, now)
    with database.write() as session:
        session.get_one(Conversation, talk).student_id = None

    with pytest.raises(NotFound):
        follow(database, token, now)


def test_the_token_of_a_calendar_is_none_of_a_copy(database, talk, now):
    token = link(database, talk, now)
    with database.write() as session:
        session.scalars(select(AccessToken)).one().purpose = "calendar"

    with pytest.raises(NotFound):
        follow(database, token, now)
