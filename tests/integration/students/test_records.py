from datetime import date

import pytest

from bot.buddies.models import BuddyPairing
from bot.buddies.records import PAIRING_STATES, buddy_answer
from bot.paperwork.models import StepDone
from bot.paperwork.queries import steps_done
from bot.students.facts import FactsError
from bot.students.records import facts_of, student_by_email
from tests.factories import make_student

TODAY = date(2026, 11, 24)
SINCE = date(2026, 11, 12)


def test_a_student_is_found_by_address_in_any_case(database, now):
    with database.write() as session:
        amina = make_student(session, now)

        assert student_by_email(session, " AMINA@student.junia.com ") == amina
        assert student_by_email(session, "nobody@student.junia.com") is None


def test_facts_are_those_of_the_record_with_the_steps_done(database, now):
    with database.write() as session:
        amina = make_student(session, now, campus="lille", visa_start="2026-09-01")
        jonas = make_student(session, now, name="Jonas")
        session.add_all(
            StepDone(student_id=student.id, step="cvec", done_on=done_on, recorded_at=now)
            for student, done_on in ((amina, SINCE), (jonas, TODAY))
        )
        session.flush()

        facts = facts_of(amina, steps_done(session, amina.id))

    assert (facts.campus, facts.visa_start, facts.steps_done) == ("lille", date(2026, 9, 1), {"cvec": SINCE})


def test_facts_that_cannot_be_read_are_refused(database, now):
    with database.write() as session:
        amina = make_student(session, now, campus="paris")

        with pytest.raises(FactsError, match="campus"):
            facts_of(amina, {})


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (
            "signed_up",
            "You are signed up for a buddy since 12 November 2026, and nobody is proposed yet. "
            "Matching takes time; a person of the office can tell you more.",
        ),
        (
            "proposed",
            "A buddy is proposed to you since 12 November 2026: Hugo. You both still have to say yes. You can speak "
            "these languages together: French, English. You get the contact details once both have accepted.",
        ),
        (
            "accepted",
            "Your buddy is Hugo, since 12 November 2026. You can speak these languages together: French, English. "
            "Ask a person of the office for the contact details.",
        ),
    ],
)
def test_buddy_says_where_the_pairing_stands(database, now, state, text):
    with database.write() as session:
        amina = make_student(session, now)
        session.add(
            BuddyPairing(
                student_id=amina.id, state=state, buddy_given_name="Hugo", buddy_languages="fr|en", since=SINCE
            )
        )
        session.flush()

        assert buddy_answer(session, amina, "en") == text


@pytest.mark.parametrize("state", PAIRING_STATES)
def test_every_state_of_a_pairing_has_an_answer_also_without_a_name(database, now, state):
    with database.write() as session:
        amina = make_student(session, now)
        session.add(BuddyPairing(student_id=amina.id, state=state, since=SINCE))
        session.flush()

        assert "12 November 2026" in buddy_answer(session, amina, "en")


@pytest.mark.parametrize(
    ("facts", "first"),
    [
        ({"wants_buddy": True}, "You have no buddy yet: you asked for one, but no sign-up is recorded."),
        ({"wants_buddy": False}, "You are not signed up for a buddy, so there is no pairing yet."),
        ({}, "You are not signed up for a buddy, so there is no pairing yet."),
    ],
)
def test_without_a_pairing_the_wish_is_told(database, now, facts, first):
    with database.write() as session:
        amina = make_student(session, now, **facts)

        assert buddy_answer(session, amina, "en") == f"{first} If you would like one, ask me how to sign up."
