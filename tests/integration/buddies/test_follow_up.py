"""A moved clock: reminders, silence, re-matches and the questions of days 3, 14 and 45."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from bot.buddies.models import BuddyAlert, BuddyCheckIn, BuddyPairing, EndReason
from bot.buddies.pairing import end_pairing, rematch
from bot.db.session import Database
from bot.students.models import Student
from tests.integration.buddies.cast import (
    WEIGHTS,
    alerts,
    do,
    mails,
    pairings,
    person,
    press,
    profile,
    run,
    said_in,
    talk_of,
)

AMINA, HUGO, LISE = 1, 2, 3
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def talks(database: Database, now: datetime) -> dict[int, UUID]:
    """Amina and Hugo were asked at `now`; Lise fits Amina second best."""
    with database.write() as session:
        amina = person(session, now, "Amina", languages=["en", "fr"])
        hugo = person(session, now, "Hugo", is_local=True, languages=["fr", "en"])
        lise = person(session, now, "Lise", is_local=True, languages=["fr"])
        talks = {each.id: talk_of(session, each, now) for each in (amina, hugo, lise)}
        rematch(session, AMINA, now, WEIGHTS)
    run(database, now)
    return talks


@pytest.fixture
def accepted(database: Database, now: datetime, talks: dict[int, UUID]) -> dict[int, UUID]:
    """Amina and Hugo both said yes at `now`, a Tuesday, and know it."""
    for student_id in (AMINA, HUGO):
        do(database, talks[student_id], "buddy_yes", {"pairing": 1}, now)
    run(database, now)
    return talks


def subjects(database: Database, name: str) -> list[str]:
    return [mail["subject"] for mail in mails(database) if mail["to"] == f"{name}@student.junia.com"]


def days_asked(database: Database, student_id: int) -> list[int]:
    with database.read() as session:
        rows = session.scalars(
            select(BuddyCheckIn).where(BuddyCheckIn.student_id == student_id).order_by(BuddyCheckIn.id)
        )
        return [row.day for row in rows]


def test_no_answer_for_three_days_is_reminded_of_once_and_two_days_later_the_next_best_is_asked(database, talks, now):
    do(database, talks[AMINA], "buddy_yes", {"pairing": 1}, now)

    assert run(database, now + 72 * HOUR - timedelta(minutes=1)) == 0
    assert run(database, now + 72 * HOUR) == 1
    assert run(database, now + 73 * HOUR) == 0
    assert subjects(database, "hugo") == ["A buddy is waiting for your answer"]
    assert pairings(database) == [(AMINA, HUGO, "proposed")]

    # The reminder went out on Friday noon: 48 hours later it is Sunday, when nobody is told anything.
    assert run(database, now + 120 * HOUR) == 0
    assert pairings(database) == [(AMINA, HUGO, "expired"), (AMINA, LISE, "planned")]
    assert profile(database, HUGO).state == "paused"
    monday = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
    assert run(database, monday) == 4
    assert subjects(database, "amina") == ["No pair this time", "A buddy for you: yes or no?"]
    assert subjects(database, "lise") == ["A buddy for you: yes or no?"]
    assert subjects(database, "hugo")[1:] == ["The proposal for a buddy is over"]


def test_a_newcomer_who_never_answers_is_asked_of_two_and_then_left_in_peace(database, talks, now):
    moment = now
    for _ in range(60):
        run(database, moment)
        moment += 6 * HOUR

    assert pairings(database) == [(AMINA, HUGO, "expired"), (AMINA, LISE, "expired")]
    assert profile(database, AMINA).state == "paused"
    assert (AMINA, "silence") in alerts(database)
    # One proposal went into the chat, everything later by mail, each once.
    assert subjects(database, "amina") == [
        "A buddy is waiting for your answer",
        "The proposal for a buddy is over",
        "A buddy for you: yes or no?",
        "A buddy is waiting for your answer",
        "The proposal for a buddy is over",
    ]


def test_an_answer_after_the_reminder_is_in_time(database, talks, now):
    do(database, talks[AMINA], "buddy_yes", {"pairing": 1}, now)
    run(database, now + 72 * HOUR)

    do(database, talks[HUGO], "buddy_yes", {"pairing": 1}, now + 100 * HOUR)

    assert pairings(database) == [(AMINA, HUGO, "accepted")]
    run(database, now + 120 * HOUR)
    assert pairings(database) == [(AMINA, HUGO, "accepted")]


def test_on_days_3_14_and_45_both_are_asked_once_and_one_tap_answers(database, accepted, now):
    moment, heard = now, []
    for _ in range(50 * 12):
        if run(database, moment):
            heard.append(moment)
        moment += 2 * HOUR

    assert (days_asked(database, AMINA), days_asked(database, HUGO)) == ([3, 14, 45], [3, 14, 45])
    # 10:00 in France or later; day 3 is a Friday, day 14 a Tuesday, day 45 (8 January) a Friday.
    assert [each.date().isoformat() for each in heard] == ["2026-11-27", "2026-12-08", "2027-01-08"]
    assert {each.hour for each in heard} == {9}


@pytest.mark.parametrize(
    ("day", "answer", "text", "raised"),
    [
        (3, "great", "Thank you, that is good to hear.", []),
        (3, "fine", "Thank you, that is good to hear.", []),
        (3, "not_yet", "Thank you. A short message with two days to choose from is often enough", []),
        (14, "not_yet", "Thank you. I tell the international office", [(AMINA, "silence")]),
        (45, "not_yet", "Thank you. I tell the international office", [(AMINA, "silence")]),
        (3, "trouble", "I am sorry. The international office sees this now", [(AMINA, "trouble")]),
    ],
)
def test_what_an_answer_leads_to(database, accepted, now, day, answer, text, raised):
    moment = now + day * DAY
    run(database, moment)

    said = do(database, accepted[AMINA], "buddy_how", {"pairing": 1, "day": day, "answer": answer}, moment)

    assert said.text.startswith(text)
    assert alerts(database) == raised
    with database.read() as session:
        row = session.scalars(select(BuddyCheckIn).where(BuddyCheckIn.student_id == AMINA)).one()
        assert (row.day, row.answer, row.answered_at) == (day, answer, moment)


def test_a_second_tap_changes_nothing_but_trouble_is_always_heard(database, accepted, now):
    moment = now + 3 * DAY
    run(database, moment)
    do(database, accepted[AMINA], "buddy_how", {"pairing": 1, "day": 3, "answer": "great"}, moment)

    again = do(database, accepted[AMINA], "buddy_how", {"pairing": 1, "day": 3, "answer": "not_yet"}, moment)
    assert again.text == "You told me already: Great. If something is wrong, press the button."
    do(database, accepted[AMINA], "buddy_how", {"pairing": 1, "day": 3, "answer": "trouble"}, moment)

    assert alerts(database) == [(AMINA, "trouble")]
    do(database, accepted[AMINA], "buddy_trouble", {"pairing": 1}, moment)
    assert alerts(database) == [(AMINA, "trouble")]


def test_three_days_without_an_answer_are_told_to_the_office_once(database, accepted, now):
    asked_at = now + 3 * DAY
    run(database, asked_at)
    do(database, accepted[HUGO], "buddy_how", {"pairing": 1, "day": 3, "answer": "fine"}, asked_at)

    run(database, asked_at + 3 * DAY - HOUR)
    assert alerts(database) == []
    run(database, asked_at + 3 * DAY)
    run(database, asked_at + 4 * DAY)
    assert alerts(database) == [(AMINA, "silence")]
    with database.write() as session:
        session.scalars(select(BuddyAlert)).one().settled_at = asked_at + 4 * DAY
    run(database, asked_at + 5 * DAY)
    assert alerts(database) == [(AMINA, "silence")]


@pytest.mark.parametrize("values", [{"day": 14, "answer": "great"}, {"day": 3, "answer": "blue"}, {"day": None}])
def test_a_check_in_that_was_not_asked_is_not_answered(database, accepted, now, values):
    run(database, now + 3 * DAY)

    do(database, accepted[AMINA], "buddy_how", {"pairing": 1, **values}, now + 3 * DAY)

    with database.read() as session:
        assert session.scalars(select(BuddyCheckIn.answer).where(BuddyCheckIn.student_id == AMINA)).all() == [None]


def test_after_the_end_nobody_is_asked_how_it_goes(database, accepted, now):
    with database.write() as session:
        end_pairing(session, session.get_one(BuddyPairing, 1), EndReason.TROUBLE, now + DAY)
    run(database, now + DAY)
    assert said_in(database, accepted[AMINA])[-1].startswith("The pair of you and Hugo has ended.")

    run(database, now + 3 * DAY)

    assert days_asked(database, AMINA) == []


def withdraws(database: Database, talk: UUID, now: datetime) -> None:
    do(database, talk, "buddy_withdraw", {}, now)
    press(database, talk, "Yes, take me off", now)


def leaves(database: Database, _talk: UUID, now: datetime) -> None:
    with database.write() as session:
        session.get_one(Student, HUGO).left_on = now.date()
    run(database, now)


@pytest.mark.parametrize("goes", [withdraws, leaves])
def test_when_a_buddy_goes_the_newcomer_is_told_and_gets_the_next_best(
    database, accepted, now, goes: Callable[[Database, UUID, datetime], None]
):
    moment = now + HOUR
    before = len(said_in(database, accepted[HUGO]))

    goes(database, accepted[HUGO], moment)
    run(database, moment)

    assert pairings(database) == [(AMINA, HUGO, "ended"), (AMINA, LISE, "proposed")]
    assert said_in(database, accepted[AMINA])[-2].startswith("The pair of you and Hugo has ended. I have already")
    assert (profile(database, HUGO).state, profile(database, HUGO).languages) == ("withdrawn", [])
    # Whoever went hears nothing but the answers to their own buttons.
    assert len(said_in(database, accepted[HUGO])) - before == (2 if goes is withdraws else 0)
    with database.read() as session:
        assert session.get_one(BuddyPairing, 1).end_reason == "left"


def test_a_newcomer_who_withdraws_before_the_answer_frees_the_buddy(database, talks, now):
    withdraws(database, talks[AMINA], now)

    run(database, now)

    assert pairings(database) == [(AMINA, HUGO, "declined")]
    assert said_in(database, talks[HUGO])[-1].endswith(
        "You stay on the list of buddies, and I ask you again when somebody fits."
    )


def test_a_machine_that_was_off_for_a_month_asks_the_newest_question_alone(database, accepted, now):
    run(database, now + 20 * DAY)
    assert days_asked(database, AMINA) == [14]

    run(database, now + 44 * DAY)
    assert days_asked(database, AMINA) == [14]
