"""Canned replies: whose they are, who changes them, what two at once may do."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.errors import NotAllowed, NotFound, VersionChanged
from bot.identity.models import AuditEntry, Role, Staff
from bot.replies.rules import Draft
from bot.replies.service import Faulty, add, change, delete, find, one, restore, visible
from tests.factories import make_staff

WELCOME = Draft("Welcome", "welcome", True, {"en": "Hello {first_name}", "fr": "Bonjour {first_name}"})
MINE = Draft("My own", "mine", False, {"en": "I am back on Monday."})
TAKEN = {"shortcut": "Another reply has this shortcut already. Choose another one."}


@pytest.fixture
def people(database, now) -> dict[str, Staff]:
    with database.write() as session:
        return {role: make_staff(session, now, role.title(), role) for role in Role} | {
            "other": make_staff(session, now, "Other", Role.ADVISER)
        }


@pytest.fixture
def shared(database, now, people) -> int:
    with database.write() as session:
        return add(session, people[Role.COORDINATOR], WELCOME, now, "en").id


def test_a_shared_reply_is_there_for_all_and_an_own_one_for_its_owner(database, now, people, shared):
    with database.write() as session:
        add(session, people[Role.ADVISER], MINE, now, "en")

        assert [reply.shortcut for reply in visible(session, people[Role.ADVISER])] == ["mine", "welcome"]
        assert [reply.shortcut for reply in visible(session, people["other"])] == ["welcome"]


@pytest.mark.parametrize("role", [Role.EDITOR, Role.AUDITOR])
def test_a_role_that_does_not_answer_writes_none(database, now, people, role):
    with database.write() as session, pytest.raises(NotAllowed):
        add(session, people[role], MINE, now, "en")


def test_an_adviser_writes_own_ones_and_changes_no_shared_one(database, now, people, shared):
    adviser = people[Role.ADVISER]
    with database.write() as session:
        with pytest.raises(NotAllowed):
            add(session, adviser, WELCOME, now, "en")
        with pytest.raises(NotAllowed):
            change(session, adviser, shared, 1, WELCOME, now, "en")
        with pytest.raises(NotAllowed):
            delete(session, adviser, shared, now)


def test_the_reply_of_another_colleague_is_not_there_even_for_an_administrator(database, now, people):
    with database.write() as session:
        mine = add(session, people[Role.ADVISER], MINE, now, "en").id
        for deed in (one, lambda *given: delete(*given, now), lambda *given: restore(*given, now, "en")):
            with pytest.raises(NotFound):
                deed(session, people[Role.ADMIN], mine)


def test_a_shortcut_is_given_once_among_what_one_sees(database, now, people, shared):
    with database.write() as session:
        add(session, people["other"], MINE, now, "en")
        add(session, people[Role.ADVISER], MINE, now, "en")
        for staff, draft in ((people[Role.ADMIN], WELCOME), (people[Role.ADVISER], MINE)):
            with pytest.raises(Faulty) as refused:
                add(session, staff, draft, now, "en")
            assert refused.value.faults == TAKEN
        with pytest.raises(Faulty) as refused:
            add(session, people["other"], Draft("Hi", "welcome", False, {"en": "Hi"}), now, "en")
        assert refused.value.faults == TAKEN


def test_the_database_refuses_a_second_shortcut_that_came_in_the_same_moment(
    database, now, people, shared, monkeypatch
):
    monkeypatch.setattr("bot.replies.service._is_taken", lambda *_given: False)
    with pytest.raises(Faulty) as refused, database.write() as session:
        add(session, people[Role.ADMIN], WELCOME, now, "en")

    assert refused.value.faults == TAKEN


def test_a_change_is_kept_with_who_and_when(database, now, people, shared):
    later, admin = now + timedelta(hours=1), people[Role.ADMIN]
    with database.write() as session:
        change(session, admin, shared, 1, Draft("Hello", "hello", True, {"es": "Hola"}), later, "en")
    with database.read() as session:
        reply = one(session, admin, shared)

        assert (reply.name, reply.shortcut, reply.texts, reply.version) == ("Hello", "hello", {"es": "Hola"}, 2)
        assert (reply.updated_at, reply.updated_by) == (later, admin.id)
        assert session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all() == ["add_reply", "change_reply"]


def test_of_two_who_edit_at_once_the_second_is_told(database, now, people, shared):
    with database.write() as session:
        change(session, people[Role.ADMIN], shared, 1, WELCOME, now, "en")
        with pytest.raises(VersionChanged):
            change(session, people[Role.COORDINATOR], shared, 1, WELCOME, now, "en")


def test_a_deleted_reply_comes_back(database, now, people, shared):
    staff = people[Role.COORDINATOR]
    with database.write() as session:
        delete(session, staff, shared, now)
        assert visible(session, staff) == []
        with pytest.raises(NotFound):
            one(session, staff, shared)

        restore(session, staff, shared, now, "en")
        assert [reply.id for reply in visible(session, staff)] == [shared]


def test_a_deleted_reply_whose_shortcut_is_taken_does_not_come_back(database, now, people, shared):
    staff = people[Role.COORDINATOR]
    with database.write() as session:
        delete(session, staff, shared, now)
        add(session, staff, WELCOME, now, "en")
        with pytest.raises(Faulty) as refused:
            restore(session, staff, shared, now, "en")

    assert refused.value.faults == TAKEN


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["mine", "welcome"]),
        ("/wel", ["welcome"]),
        ("/come", []),
        ("BONJOUR", ["welcome"]),
        ("monday back", ["mine"]),
        ("nothing like it", []),
    ],
)
def test_replies_are_found_by_shortcut_and_by_words(database, now, people, shared, query, found):
    with database.write() as session:
        add(session, people[Role.ADVISER], MINE, now, "en")

        assert [reply.shortcut for reply in find(session, people[Role.ADVISER], query)] == found
