"""Colleagues who are not there are called: by mail after the wait they chose, in their browsers at once."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from bot.calling.models import DeskCall
from bot.calling.service import set_mail_after
from bot.channels.mail.channel import render
from bot.conversations.models import Conversation
from bot.errors import InvalidField, NotAllowed
from bot.handoff.beside import snooze
from bot.handoff.desks import Office, join
from bot.handoff.models import Reason
from bot.handoff.service import claim, release, reply, request_person
from bot.identity.models import AuditEntry, Role, Staff
from tests.factories import receive
from tests.integration.calling.cast import (
    DESKS,
    MINUTE,
    OFFICE,
    call,
    colleague,
    held,
    notes,
    queued,
    waiting,
    with_browser,
)


def mails(database) -> list[str]:
    return [each["to"] for each in queued(database, "mail")]


# --- by mail ---


def test_a_mail_goes_once_after_the_chosen_wait_and_says_nothing_of_the_student(database, now):
    colleague(database, now, mail_after=15)
    talk = waiting(database, now, topic="visale")
    with database.write() as session:
        receive(session, talk, "My name is Amina and I am lost", now)

    told = [call(database, now + minutes * MINUTE) for minutes in (14, 15, 30, 90)]

    assert told == [0, 1, 0, 0]
    (payload,) = queued(database, "mail")
    mail = render("call:1", payload, "accueil@junia.example", now)
    assert (mail["To"], mail["Subject"]) == ("claire@junia.example", "A student waits for a person")
    assert mail.get_content().splitlines()[2:5] == [
        "- has waited for 15 minutes of opening time",
        "  Office · Visale guarantee",
        f"  https://desk.test/staff#{talk}",
    ]
    assert "Amina" not in str(payload)
    assert "lost" not in str(payload)


def test_a_new_request_in_the_same_conversation_is_told_again(database, now):
    claire = colleague(database, now, mail_after=5)
    talk = waiting(database, now)
    call(database, now + 5 * MINUTE)
    with database.write() as session:
        staff = session.get_one(Staff, claire)
        claim(session, talk, staff, now + 6 * MINUTE)
        release(session, talk, staff, now + 7 * MINUTE)
    call(database, now + 20 * MINUTE)
    assert len(mails(database)) == 1

    with database.write() as session:
        request_person(session, session.get_one(Conversation, talk), Reason.ASKED, now + 30 * MINUTE, desk="office")
    call(database, now + 36 * MINUTE)

    assert len(mails(database)) == 2


def test_those_who_wait_at_the_same_time_are_in_one_mail_and_the_next_one_is_five_minutes_later(database, now):
    colleague(database, now, mail_after=5)
    for minute in (0, 1, 3):
        waiting(database, now + minute * MINUTE)

    told = [call(database, now + minutes * MINUTE) for minutes in (6, 8, 10, 11)]

    assert told == [1, 0, 0, 1]
    assert [each["text"].count("has waited") for each in queued(database, "mail")] == [2, 1]


def test_nobody_is_mailed_who_is_in_the_console_and_then_they_are_when_they_leave(database, now):
    claire = colleague(database, now, mail_after=5)
    colleague(database, now + 10 * MINUTE, "Marc", mail_after=5, seen=1)
    waiting(database, now)

    call(database, now + 10 * MINUTE, at_desk={claire})
    assert mails(database) == []

    call(database, now + 12 * MINUTE)
    assert mails(database) == ["claire@junia.example", "marc@junia.example"]


def test_a_mail_is_about_ones_own_desks_and_about_all_where_one_has_none(database, now):
    claire = colleague(database, now, mail_after=5)
    colleague(database, now, "Marc", mail_after=5, role=Role.COORDINATOR)
    with database.write() as session:
        join(session, OFFICE, "housing", session.get_one(Staff, claire))
    waiting(database, now)
    call(database, now + 5 * MINUTE)
    assert mails(database) == ["marc@junia.example"]

    waiting(database, now + 10 * MINUTE, desk="housing")
    call(database, now + 20 * MINUTE)

    assert mails(database) == ["marc@junia.example", "claire@junia.example", "marc@junia.example"]


def test_outside_opening_hours_nobody_is_called_and_a_wait_counts_from_the_opening(database, now):
    claire = colleague(database, now, mail_after=5)
    night = now.replace(hour=4)
    browser = with_browser(database, claire, night)
    talk = waiting(database, night)
    told = [call(database, now.replace(hour=hour, minute=minute)) for hour, minute in ((5, 0), (7, 59))]
    assert told == [0, 0]

    call(database, now.replace(hour=8, minute=0))
    assert (notes(database), mails(database)) == (
        [(browser, "Somebody is waiting for a person.", f"/staff#{talk}")],
        [],
    )
    call(database, now.replace(hour=8, minute=5))
    assert mails(database) == ["claire@junia.example"]


def test_while_the_hours_are_unknown_the_clock_counts(database, now):
    colleague(database, now, mail_after=5)
    night = now.replace(hour=1)
    waiting(database, night)

    assert call(database, night + 5 * MINUTE, office=Office(DESKS)) == 1


def test_neither_a_disabled_account_nor_a_role_that_does_not_answer_is_called(database, now):
    for name, role in (("Claire", Role.ADVISER), ("Nora", Role.EDITOR)):
        colleague(database, now, name, mail_after=5, role=role)
    with database.write() as session:
        session.scalars(select(Staff).where(Staff.name == "Claire")).one().disabled = True
    waiting(database, now)

    assert call(database, now + 30 * MINUTE) == 0


def test_what_is_laid_aside_calls_nobody(database, now):
    claire = colleague(database, now, mail_after=5)
    talk = waiting(database, now)
    with database.write() as session:
        snooze(session, talk, session.get_one(Staff, claire), now + 60 * MINUTE, now)

    assert call(database, now + 30 * MINUTE) == 0


# --- in browsers ---


def test_each_browser_of_whoever_is_away_is_called_at_once_and_only_once(database, now):
    claire, marc = colleague(database, now), colleague(database, now, "Marc")
    first, second, third = (with_browser(database, each, now) for each in (claire, claire, marc))
    talk = waiting(database, now)

    told = [call(database, now + seconds * timedelta(seconds=1)) for seconds in (5, 10)]

    assert told == [2, 0]
    assert notes(database) == [
        (browser, "Somebody is waiting for a person.", f"/staff#{talk}") for browser in (first, second, third)
    ]
    assert mails(database) == []


def test_several_who_wait_at_once_are_one_message(database, now):
    browser = with_browser(database, colleague(database, now), now)
    for _ in range(3):
        waiting(database, now)
    call(database, now)

    assert notes(database) == [(browser, "3 students are waiting for a person.", "/staff")]


def test_what_an_open_page_showed_is_not_told_again_when_it_closes(database, now):
    claire = colleague(database, now)
    browser = with_browser(database, claire, now)
    waiting(database, now)
    assert call(database, now, at_desk={claire}) == 0

    assert call(database, now + 5 * MINUTE) == 0
    second = waiting(database, now + 6 * MINUTE)
    assert call(database, now + 6 * MINUTE) == 1
    assert notes(database) == [(browser, "Somebody is waiting for a person.", f"/staff#{second}")]


def test_whoever_was_on_another_page_a_moment_ago_is_called_when_they_do_not_come_back(database, now):
    claire = colleague(database, now, seen=1)
    with_browser(database, claire, now)
    waiting(database, now)

    assert call(database, now) == 0
    assert call(database, now + MINUTE) == 1


def test_words_in_ones_own_conversation_call_and_those_in_others_do_not(database, now):
    claire, marc = colleague(database, now), colleague(database, now, "Marc")
    browser = with_browser(database, claire, now)
    with_browser(database, marc, now)
    talk = held(database, claire, now)
    with database.write() as session:
        reply(session, talk, session.get_one(Staff, claire), "7f8ad1f0-95d6-4c0c-b7a1-6a0f2a7f7d10", "Hello", now)
    assert call(database, now) == 0

    with database.write() as session:
        receive(session, talk, "Are you there?", now + MINUTE)
    assert call(database, now + MINUTE) == 1
    assert call(database, now + 2 * MINUTE) == 0
    assert notes(database) == [(browser, "A student has written to you.", f"/staff#{talk}")]
    assert "there" not in str(queued(database, "push"))

    with database.write() as session:
        receive(session, talk, "Please", now + 3 * MINUTE)
    assert call(database, now + 3 * MINUTE) == 1


def test_what_was_read_on_an_open_page_does_not_call_later(database, now):
    claire = colleague(database, now)
    with_browser(database, claire, now)
    talk = held(database, claire, now)
    with database.write() as session:
        receive(session, talk, "Are you there?", now)
    call(database, now, at_desk={claire})

    assert call(database, now + 10 * MINUTE) == 0


def test_a_call_goes_with_the_conversation(database, now):
    with_browser(database, colleague(database, now), now)
    talk = waiting(database, now)
    call(database, now)
    with database.write() as session:
        session.delete(session.get_one(Conversation, talk))

    with database.read() as session:
        assert session.scalar(select(func.count(DeskCall.id))) == 0


# --- the choice ---


def test_the_choice_is_kept_and_written_down_once(database, now):
    claire = colleague(database, now)
    for minutes in (15, 15, None):
        with database.write() as session:
            set_mail_after(session, session.get_one(Staff, claire), minutes, now)

    with database.read() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        assert [(each.action, each.details) for each in entries] == [
            ("mail_after_set", {"minutes": 15}),
            ("mail_after_set", {"minutes": None}),
        ]


def test_another_wait_and_another_role_are_refused(database, now):
    claire, nora = colleague(database, now), colleague(database, now, "Nora", role=Role.AUDITOR)
    with database.write() as session, pytest.raises(InvalidField):
        set_mail_after(session, session.get_one(Staff, claire), 7, now)
    with database.write() as session, pytest.raises(NotAllowed):
        set_mail_after(session, session.get_one(Staff, nora), 15, now)
