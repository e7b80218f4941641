"""The report of an intake."""

from datetime import date, timedelta

import pytest

from bot.buddies.models import BuddyCheckIn, BuddyPairing, CheckInAnswer, PairingState
from bot.buddies.report import Group, intake, intake_days, shown_of
from tests.integration.buddies.cast import person

FIRST, LAST = date(2026, 7, 1), date(2026, 12, 31)


def pair(session, now, newcomer_id: int, buddy_id: int, state: PairingState, answers=()) -> None:
    made = BuddyPairing(
        newcomer_id=newcomer_id, buddy_id=buddy_id, state=state, score=0.5, reasons=[], planned_at=now, send_at=now
    )
    if state == PairingState.ACCEPTED:
        made.accepted_at = now + timedelta(days=4)
    session.add(made)
    session.flush()
    for student_id, day, answer in answers:
        session.add(
            BuddyCheckIn(
                pairing_id=made.id, student_id=student_id, day=day, asked_at=now, answer=answer, answered_at=now
            )
        )
    session.flush()


def test_an_intake_is_counted_by_newcomers(database, now):
    with database.write() as session:
        people = [person(session, now, f"N{number}").id for number in range(6)]
        buddy = person(session, now, "Lise", is_local=True, capacity=5).id
        great, not_yet, trouble = CheckInAnswer.GREAT, CheckInAnswer.NOT_YET, CheckInAnswer.TROUBLE
        accepted = PairingState.ACCEPTED
        pair(session, now, people[0], buddy, accepted, [(people[0], 3, not_yet), (people[0], 14, great)])
        pair(session, now, people[1], buddy, accepted, [(people[1], 3, trouble), (buddy, 3, great)])
        pair(session, now, people[2], buddy, PairingState.DECLINED)
        pair(session, now, people[3], buddy, PairingState.UNDONE)
    with database.read() as session:
        found = intake(session, FIRST, LAST)

    everybody = Group(None, signed_up=6, paired=3, accepted=2, met=1, answers=3, content=2, days_to_accept=4)
    assert found == (everybody, Group("lille", 6, 3, 2, 1, 3, 2, 4))


def test_an_intake_of_fewer_than_five_is_not_shown(database, now):
    with database.write() as session:
        for number in range(4):
            person(session, now, f"N{number}")
    with database.read() as session:
        assert intake(session, FIRST, LAST) == ()


def test_people_of_another_semester_do_not_count(database, now):
    with database.write() as session:
        for number in range(5):
            person(session, now - timedelta(days=365), f"N{number}")
    with database.read() as session:
        assert intake(session, FIRST, LAST) == ()


@pytest.mark.parametrize(
    ("sizes", "shown"),
    [
        ({"lille": 20, "bordeaux": 6}, ["bordeaux", "lille"]),
        # The four of Bordeaux would be the whole less the others.
        ({"lille": 20, "bordeaux": 4, "chateauroux": 6}, ["lille"]),
        ({"lille": 20, "bordeaux": 4, "chateauroux": 3}, ["lille"]),
        ({"lille": 4}, []),
        ({}, []),
    ],
)
def test_no_small_group_is_shown_nor_can_be_worked_out(sizes, shown):
    assert shown_of(sizes) == shown


def test_a_semester_ends_with_june_and_december():
    assert intake_days(date(2026, 6, 30)) == (date(2026, 1, 1), date(2026, 6, 30))
    assert intake_days(date(2026, 7, 1)) == (date(2026, 7, 1), date(2026, 12, 31))
