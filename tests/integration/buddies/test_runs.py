"""The pool, runs on a copy, publication and undo, locked and forbidden pairs."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.buddies.matching import Weights
from bot.buddies.models import (
    BuddyPairing,
    BuddyProfile,
    BuddyRun,
    EndReason,
    PairingState,
    ProfileState,
    Reply,
    RunState,
)
from bot.buddies.pairing import answer_proposal, end_pairing, propose
from bot.buddies.pool import pool
from bot.buddies.runs import (
    KEPT_DRAFTS,
    UNDO_FOR,
    Load,
    RunOutdated,
    compare,
    loads_of,
    make_run,
    publish,
    run_before,
    set_rule,
    totals_by_run,
    totals_of,
    undo,
)
from bot.db.session import Database
from bot.students.models import Student
from tests.integration.buddies.cast import person, talk_of
from tests.integration.buddies.cast import run as tend_once


@pytest.fixture
def people(database: Database, now) -> dict[str, int]:
    """Two newcomers and two buddies with one place each; Ines and Lise like the same."""
    with database.write() as session:
        made = {
            "Ines": person(session, now, "Ines", languages=["es", "en"], interests=["music", "sport"]),
            "Omar": person(session, now, "Omar", languages=["en"]),
            "Lise": person(session, now, "Lise", is_local=True, languages=["es", "en"], interests=["music", "sport"]),
            "Hugo": person(session, now, "Hugo", is_local=True, languages=["en"]),
        }
        return {name: student.id for name, student in made.items()}


def draft(database: Database, now, weights=None) -> int:
    return make_run(database, weights or Weights(), now, None)


def pairs_of(database: Database, run_id: int) -> dict[int, int | None]:
    with database.read() as session:
        return {row.newcomer_id: row.buddy_id for row in session.get_one(BuddyRun, run_id).rows}


def states(database: Database) -> list[PairingState]:
    with database.read() as session:
        return [PairingState(each) for each in session.scalars(select(BuddyPairing.state).order_by(BuddyPairing.id))]


def test_a_run_is_a_copy_and_pairs_nobody(database, now, people):
    run_id = draft(database, now)

    assert pairs_of(database, run_id) == {people["Ines"]: people["Lise"], people["Omar"]: people["Hugo"]}
    assert states(database) == []


def test_a_publication_plans_every_pair_and_asks_nobody_for_a_quarter_of_an_hour(database, now, people):
    run_id = draft(database, now)
    with database.write() as session:
        talk_of(session, session.get_one(Student, people["Ines"]), now)
        count = publish(session, run_id, now)
    tend_once(database, now + UNDO_FOR - timedelta(minutes=1))

    with database.read() as session:
        found = session.scalars(select(BuddyPairing)).all()
        asked = [each for each in found if each.newcomer_asked_at or each.buddy_asked_at]
    assert (count, [each.state for each in found], asked) == (2, [PairingState.PLANNED] * 2, [])


def test_a_publication_is_undone_until_somebody_was_asked(database, now, people):
    run_id = draft(database, now)
    with database.write() as session:
        publish(session, run_id, now)
    with database.write() as session:
        is_undone = undo(session, run_id, now + timedelta(minutes=1))
        state = session.get_one(BuddyRun, run_id).state

    assert (is_undone, state, states(database)) == (True, RunState.UNDONE, [PairingState.UNDONE] * 2)
    assert set(pairs_of(database, draft(database, now))) == {people["Ines"], people["Omar"]}


def test_after_the_first_message_nothing_is_undone(database, now, people):
    run_id = draft(database, now)
    with database.write() as session:
        publish(session, run_id, now)
    tend_once(database, now + UNDO_FOR)
    with database.write() as session:
        is_undone = undo(session, run_id, now + UNDO_FOR)

    assert (is_undone, states(database)) == (False, [PairingState.PROPOSED] * 2)


def test_a_run_is_published_once(database, now, people):
    run_id = draft(database, now)
    with database.write() as session:
        publish(session, run_id, now)

    with pytest.raises(RunOutdated), database.write() as session:
        publish(session, run_id, now)

    assert len(states(database)) == 2


@pytest.mark.parametrize("who", ["Ines", "Lise"])
def test_a_run_whose_people_changed_is_not_published_not_even_in_part(database, now, people, who):
    run_id = draft(database, now)
    with database.write() as session:
        profile = session.scalar(select(BuddyProfile).where(BuddyProfile.student_id == people[who]))
        profile.state = ProfileState.WITHDRAWN

    with pytest.raises(RunOutdated), database.write() as session:
        publish(session, run_id, now)

    assert states(database) == []


def test_two_drafts_cannot_both_be_published(database, now, people):
    first, second = draft(database, now), draft(database, now)
    with database.write() as session:
        publish(session, first, now)

    with pytest.raises(RunOutdated), database.write() as session:
        publish(session, second, now)

    assert len(states(database)) == 2


def test_a_locked_pair_stays_together_and_a_forbidden_one_apart(database, now, people):
    with database.write() as session:
        set_rule(session, people["Ines"], people["Hugo"], now, is_wanted=True, staff_id=None)
    locked = pairs_of(database, draft(database, now))
    with database.write() as session:
        set_rule(session, people["Ines"], people["Hugo"], now, is_wanted=False, staff_id=None)
        set_rule(session, people["Ines"], people["Lise"], now, is_wanted=False, staff_id=None)
    apart = pairs_of(database, draft(database, now))
    with database.write() as session:
        set_rule(session, people["Ines"], people["Hugo"], now, is_wanted=None, staff_id=None)
    free = pairs_of(database, draft(database, now))

    assert locked == {people["Ines"]: people["Hugo"], people["Omar"]: people["Lise"]}
    assert apart[people["Ines"]] is None
    assert free[people["Ines"]] == people["Hugo"]


def test_a_newcomer_is_locked_to_one_buddy_at_most(database, now, people):
    with database.write() as session:
        set_rule(session, people["Ines"], people["Hugo"], now, is_wanted=True, staff_id=None)
        set_rule(session, people["Ines"], people["Lise"], now, is_wanted=True, staff_id=None)
    with database.read() as session:
        found = pool(session, now)

    assert found.wanted == ((str(people["Ines"]), str(people["Lise"])),)


def test_a_pair_ruled_out_after_the_run_is_not_published(database, now, people):
    run_id = draft(database, now)
    with database.write() as session:
        set_rule(session, people["Ines"], people["Lise"], now, is_wanted=False, staff_id=None)

    with pytest.raises(RunOutdated), database.write() as session:
        publish(session, run_id, now)


def test_who_has_somebody_is_left_in_peace_and_the_place_is_taken(database, now, people):
    with database.write() as session:
        propose(session, people["Omar"], people["Lise"], 0.5, [], now, send_at=now)

    assert pairs_of(database, draft(database, now)) == {people["Ines"]: people["Hugo"]}


def test_two_people_who_parted_are_not_proposed_again(database, now, people):
    with database.write() as session:
        pairing = propose(session, people["Ines"], people["Lise"], 0.5, [], now, send_at=now)
        for who in ("Ines", "Lise"):
            answer_proposal(session, pairing, people[who], Reply.YES, now)
        end_pairing(session, pairing, EndReason.OFFICE, now)

    assert pairs_of(database, draft(database, now))[people["Ines"]] == people["Hugo"]


def test_two_runs_are_compared_person_by_person(database, now, people):
    before = draft(database, now)
    with database.write() as session:
        set_rule(session, people["Ines"], people["Hugo"], now, is_wanted=True, staff_id=None)
    after = draft(database, now)
    with database.read() as session:
        found = compare(session.get_one(BuddyRun, before), session.get_one(BuddyRun, after))

    assert (found.before.paired, found.after.paired) == (2, 2)
    assert found.before.score > found.after.score
    assert found.changed == (
        (people["Ines"], people["Lise"], people["Hugo"]),
        (people["Omar"], people["Hugo"], people["Lise"]),
    )


def test_who_is_left_has_the_reason_the_place_and_what_is_missing(database, now, people):
    with database.write() as session:
        late = person(session, now + timedelta(hours=1), "Oleh", languages=["uk"]).id
    run_id = draft(database, now)
    with database.read() as session:
        run = session.get_one(BuddyRun, run_id)
        row = next(each for each in run.rows if each.newcomer_id == late)

    assert (row.buddy_id, row.why_none, row.position) == (None, "language", 1)
    assert run.missing == [{"campus": "lille", "language": "uk", "count": 1}]


def test_somebody_who_left_the_school_is_not_in_the_pool(database, now, people):
    with database.write() as session:
        session.get_one(Student, people["Ines"]).left_on = now.date()
        session.get_one(Student, people["Hugo"]).left_on = now.date()
    with database.read() as session:
        found = pool(session, now)

    assert [each.id for each in found.newcomers] == [str(people["Omar"])]
    assert [each.id for each in found.buddies] == [str(people["Lise"])]


def test_old_drafts_are_deleted_and_publications_stay(database, now, people):
    published = draft(database, now)
    with database.write() as session:
        publish(session, published, now)
    for _ in range(KEPT_DRAFTS + 2):
        draft(database, now)
    with database.read() as session:
        runs = session.scalars(select(BuddyRun).order_by(BuddyRun.id)).all()

    assert [runs[0].id, len(runs)] == [published, KEPT_DRAFTS + 1]


def test_erasing_somebody_takes_them_out_of_every_run(database, now, people):
    run_id = draft(database, now)
    with database.write() as session:
        session.delete(session.get_one(Student, people["Lise"]))

    assert pairs_of(database, run_id) == {people["Omar"]: people["Hugo"]}


def test_the_load_of_a_buddy_is_that_of_the_run_and_what_is_open_already_counted_once(database, now, people):
    with database.write() as session:
        early = person(session, now - timedelta(days=1), "Noor").id
        lise = session.scalars(select(BuddyProfile).where(BuddyProfile.student_id == people["Lise"])).one()
        lise.capacity = 3
        propose(session, early, people["Lise"], 0.5, [], now, send_at=now)
        set_rule(session, people["Ines"], people["Lise"], now, is_wanted=True, staff_id=None)
        set_rule(session, people["Omar"], people["Hugo"], now, is_wanted=True, staff_id=None)
    run_id = draft(database, now)
    with database.read() as session:
        before = loads_of(session, session.get_one(BuddyRun, run_id))
    with database.write() as session:
        publish(session, run_id, now)
    with database.read() as session:
        after = loads_of(session, session.get_one(BuddyRun, run_id))

    assert before == after == (Load(people["Lise"], 2, 3), Load(people["Hugo"], 1, 1))


def test_totals_of_many_runs_are_those_of_each(database, now, people):
    with database.write() as session:
        person(session, now, "Oleh", languages=["uk"])
        empty = BuddyRun(made_at=now, made_by=None, weights={}, missing=[], state=RunState.DRAFT)
        session.add(empty)
        session.flush()
        empty_id = empty.id
    runs = [empty_id, draft(database, now), draft(database, now)]
    with database.read() as session:
        found = totals_by_run(session, runs)
        each = {run_id: totals_of(session.get_one(BuddyRun, run_id)) for run_id in runs}

    assert found == each
    assert [(found[run_id].paired, found[run_id].left) for run_id in runs] == [(0, 0), (2, 1), (2, 1)]


def test_the_run_before_is_the_last_one_made_earlier(database, now, people):
    runs = [draft(database, now) for _ in range(3)]
    with database.read() as session:
        found = [run_before(session, session.get_one(BuddyRun, each)) for each in runs]

    assert [each.id if each is not None else None for each in found] == [None, runs[0], runs[1]]


@pytest.mark.parametrize("change", [{"campus": "bordeaux"}, {"languages": ["uk"]}, {"same_gender": True}])
def test_a_run_is_not_published_when_somebody_changed_what_a_pair_rests_on(database, now, people, change):
    run_id = draft(database, now)
    with database.write() as session:
        profile = session.scalars(select(BuddyProfile).where(BuddyProfile.student_id == people["Lise"])).one()
        for name, value in change.items():
            setattr(profile, name, value)

    with pytest.raises(RunOutdated), database.write() as session:
        publish(session, run_id, now)

    assert states(database) == []


def test_a_run_is_not_published_when_a_buddy_takes_fewer_now(database, now, people):
    with database.write() as session:
        session.scalars(select(BuddyProfile).where(BuddyProfile.student_id == people["Lise"])).one().capacity = 2
        for who in ("Ines", "Omar"):
            set_rule(session, people[who], people["Lise"], now, is_wanted=True, staff_id=None)
    run_id = draft(database, now)
    with database.write() as session:
        session.scalars(select(BuddyProfile).where(BuddyProfile.student_id == people["Lise"])).one().capacity = 1

    with pytest.raises(RunOutdated), database.write() as session:
        publish(session, run_id, now)

    assert pairs_of(database, run_id) == {people["Ines"]: people["Lise"], people["Omar"]: people["Lise"]}
    assert states(database) == []
