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

    everybody = Group(None, signed_up=6, paired=3, accepted=2, met=1, answers=3, content=None, days_to_accept=None)
    assert found == (everybody, Group("lille", 6, 3, 2, 1, 3, None, None))


def intake_with_answers(database, now, answers: dict[str, list[CheckInAnswer]]) -> dict[str | None, Group]:
    """Six newcomers at each campus; as many of them as there are answers have accepted and say how it goes."""
    with database.write() as session:
        for campus, given in answers.items():
            for number in range(6):
                newcomer = person(session, now, f"{campus}{number}", campus=campus).id
                buddy = person(session, now, f"Buddy {campus}{number}", is_local=True, campus=campus).id
                if number < len(given):
                    pair(session, now, newcomer, buddy, PairingState.ACCEPTED, [(newcomer, 3, given[number])])
    with database.read() as session:
        return {each.campus: each for each in intake(session, FIRST, LAST)}


def test_the_answers_of_five_are_shown_and_so_are_their_days(database, now):
    great, fine, trouble = CheckInAnswer.GREAT, CheckInAnswer.FINE, CheckInAnswer.TROUBLE
    found = intake_with_answers(database, now, {"lille": [great, fine, trouble, great, great], "bordeaux": []})

    assert [(each.answers, each.content, each.days_to_accept) for each in found.values()] == [
        (5, 4, 4),
        (0, None, None),
        (5, 4, 4),
    ]


def test_the_answers_of_a_few_cannot_be_worked_out_from_those_of_the_others(database, now):
    great, trouble = CheckInAnswer.GREAT, CheckInAnswer.TROUBLE
    found = intake_with_answers(database, now, {"lille": [great] * 6, "bordeaux": [trouble]})

    # Seven in all, six of Lille: the difference would be the one of Bordeaux.
    assert [(each.content, each.days_to_accept) for each in found.values()] == [(6, 4), (None, None), (None, None)]


def test_the_answers_at_a_campus_that_is_not_shown_cannot_be_worked_out(database, now):
    great = CheckInAnswer.GREAT
    with database.write() as session:
        for number in range(5):
            person(session, now, f"Waiting {number}", campus="chateauroux")
    found = intake_with_answers(database, now, {"lille": [great] * 6, "bordeaux": [great] * 6})
    with database.write() as session:
        lonely = person(session, now, "Lonely", campus="paris").id
        buddy = person(session, now, "Paula", is_local=True, campus="paris").id
        pair(session, now, lonely, buddy, PairingState.ACCEPTED, [(lonely, 3, CheckInAnswer.TROUBLE)])
    with database.read() as session:
        after = {each.campus: each.content for each in intake(session, FIRST, LAST)}

    assert {each: group.content for each, group in found.items()} == {
        None: 12,
        "bordeaux": 6,
        "chateauroux": None,
        "lille": 6,
    }
    # Chateauroux is hidden with Paris; the one answer there with those of Bordeaux.
    assert after == {None: 12, "bordeaux": None, "lille": 6}


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
