"""Everybody whom a run may pair now, as the matcher takes them."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.buddies.models import BuddyProfile, EndReason, ProfileState, Reply
from bot.buddies.pairing import answer_proposal, end_pairing, propose, undo_planned
from bot.buddies.pool import Pool, pool
from bot.buddies.runs import set_rule
from bot.db.session import Database
from bot.students.models import Student
from tests.integration.buddies.cast import person


@pytest.fixture
def people(database: Database, now) -> dict[str, int]:
    """Ines signed up before Omar; Lise has two places."""
    with database.write() as session:
        omar = person(session, now, "Omar")
        ines = person(session, now - timedelta(hours=1), "Ines")
        lise = person(session, now, "Lise", is_local=True, capacity=2)
        return {"Omar": omar.id, "Ines": ines.id, "Lise": lise.id}


def found_in(database: Database, now) -> Pool:
    with database.read() as session:
        return pool(session, now)


def ids(*numbers: int) -> list[str]:
    return [str(each) for each in numbers]


def test_newcomers_come_in_the_order_of_signing_up_and_buddies_with_their_places(database, now, people):
    found = found_in(database, now)

    assert [each.id for each in found.newcomers] == ids(people["Ines"], people["Omar"])
    assert [(each.id, each.capacity) for each in found.buddies] == [(str(people["Lise"]), 2)]
    assert (found.wanted, found.forbidden) == ((), frozenset())


@pytest.mark.parametrize("state", [ProfileState.PAUSED, ProfileState.WITHDRAWN])
def test_who_pauses_or_withdrew_is_not_there(database, now, people, state):
    with database.write() as session:
        for who in ("Ines", "Lise"):
            session.scalars(select(BuddyProfile).where(BuddyProfile.student_id == people[who])).one().state = state
    found = found_in(database, now)

    assert [each.id for each in found.newcomers] == ids(people["Omar"])
    assert found.buddies == ()


@pytest.mark.parametrize(("days", "is_there"), [(0, False), (1, True)])
def test_who_leaves_is_there_until_the_day_before(database, now, people, days, is_there):
    with database.write() as session:
        session.get_one(Student, people["Lise"]).left_on = (now + timedelta(days=days)).date()

    assert bool(found_in(database, now).buddies) is is_there


def test_an_open_pair_takes_a_place_and_its_newcomer_out(database, now, people):
    with database.write() as session:
        propose(session, people["Omar"], people["Lise"], 0.5, [], now, send_at=now)
    found = found_in(database, now)

    assert [each.id for each in found.newcomers] == ids(people["Ines"])
    assert [each.capacity for each in found.buddies] == [1]


def test_a_place_too_many_that_was_given_up_leaves_none_free(database, now, people):
    with database.write() as session:
        for who in ("Omar", "Ines"):
            propose(session, people[who], people["Lise"], 0.5, [], now, send_at=now)
        session.scalars(select(BuddyProfile).where(BuddyProfile.student_id == people["Lise"])).one().capacity = 1

    assert [each.capacity for each in found_in(database, now).buddies] == [0]


@pytest.mark.parametrize("how", ["declined", "expired", "ended"])
def test_a_pair_that_is_over_is_not_made_again(database, now, people, how):
    with database.write() as session:
        pairing = propose(session, people["Omar"], people["Lise"], 0.5, [], now, send_at=now)
        match how:
            case "declined":
                answer_proposal(session, pairing, people["Omar"], Reply.NO, now)
            case "expired":
                answer_proposal(session, pairing, people["Omar"], Reply.YES, now)
                pairing.state = "proposed"
                session.flush()
                end_pairing(session, pairing, EndReason.NO_ANSWER, now)
            case "ended":
                for who in ("Omar", "Lise"):
                    answer_proposal(session, pairing, people[who], Reply.YES, now)
                end_pairing(session, pairing, EndReason.TROUBLE, now)
        assert pairing.state == how
    found = found_in(database, now)

    assert found.forbidden == {(str(people["Omar"]), str(people["Lise"]))}
    assert [each.id for each in found.newcomers] == ids(people["Ines"], people["Omar"])
    assert [each.capacity for each in found.buddies] == [2]


def test_a_pair_taken_back_before_anybody_heard_of_it_may_be_made_again(database, now, people):
    with database.write() as session:
        undo_planned(session, propose(session, people["Omar"], people["Lise"], 0.5, [], now, send_at=now), now)

    assert found_in(database, now).forbidden == frozenset()


def test_a_locked_pair_is_wanted_while_the_newcomer_waits_and_a_ruled_out_one_is_forbidden(database, now, people):
    with database.write() as session:
        set_rule(session, people["Omar"], people["Lise"], now, is_wanted=True, staff_id=None)
        set_rule(session, people["Ines"], people["Lise"], now, is_wanted=False, staff_id=None)
    waiting = found_in(database, now)
    with database.write() as session:
        propose(session, people["Omar"], people["Lise"], 0.5, [], now, send_at=now)
    paired = found_in(database, now)

    assert waiting.wanted == ((str(people["Omar"]), str(people["Lise"])),)
    assert waiting.forbidden == {(str(people["Ines"]), str(people["Lise"]))}
    assert paired.wanted == ()
