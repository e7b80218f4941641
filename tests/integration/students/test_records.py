from datetime import date

import pytest

from bot.buddies.models import BuddyPairing
from bot.buddies.records import PAIRING_STATES, buddy_answer
from bot.courses.models import CourseEnrolment
from bot.courses.records import french_answer
from bot.paperwork.models import StepDone
from bot.paperwork.queries import steps_done
from bot.students.facts import FactsError
from bot.students.models import HousingApplication
from bot.students.records import HOUSING_STATES, facts_of, housing_answer, student_by_email
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
    ("state", "residence", "text"),
    [
        (
            "accepted",
            "Demo residence",
            "Your application for a room in Lille is accepted: Demo residence. That is how it stands since 12 November "
            "2026. Read the contract before you sign it, and insure the room from the first day.",
        ),
        (
            "accepted",
            None,
            "Your application for a room in Lille is accepted. That is how it stands since 12 November 2026. "
            "Read the contract before you sign it, and insure the room from the first day.",
        ),
        (
            "waiting_list",
            None,
            "Your application for a room in Lille is on the waiting list. That is how it stands since 12 November "
            "2026. Keep looking elsewhere as well: nobody can promise when a room becomes free.",
        ),
    ],
)
def test_housing_says_campus_state_residence_and_date(database, now, state, residence, text):
    with database.write() as session:
        amina = make_student(session, now, campus="lille")
        amina.housing = HousingApplication(state=state, residence=residence, updated_on=SINCE)
        session.flush()

        assert housing_answer(amina, "en") == text


def test_housing_without_an_application_says_that_nothing_is_recorded(database, now):
    with database.write() as session:
        amina = make_student(session, now, campus="chateauroux")

        assert housing_answer(amina, "en") == (
            "I see no application for a room in Châteauroux in your record. "
            "If you did apply, it may not have reached us yet: a person of the office can look it up."
        )


@pytest.mark.parametrize("state", HOUSING_STATES)
def test_every_state_of_housing_has_an_answer_also_without_a_campus(database, now, state):
    with database.write() as session:
        amina = make_student(session, now)
        amina.housing = HousingApplication(state=state, updated_on=SINCE)
        session.flush()

        assert housing_answer(amina, "en").startswith("Your application for a room in France ")


CLASS = {"level": "B1", "class_name": "French B1 evening", "weekday": 1, "starts_at": "18:15"}


@pytest.mark.parametrize(
    ("enrolment", "text"),
    [
        (
            {**CLASS, "first_session": date(2026, 9, 29)},
            "Your French class is French B1 evening, your level B1. It meets every Tuesday at 18:15. "
            "The first session was on 29 September 2026.",
        ),
        (
            {**CLASS, "first_session": TODAY},
            "Your French class is French B1 evening, your level B1. It meets every Tuesday at 18:15. "
            "The first session is today, 24 November 2026.",
        ),
        (
            {**CLASS, "first_session": date(2026, 12, 1)},
            "Your French class is French B1 evening, your level B1. It meets every Tuesday at 18:15. "
            "The first session is on 1 December 2026.",
        ),
        (
            {"class_name": "French B1 evening"},
            "Your French class is French B1 evening. Its day and time are not set yet.",
        ),
        (
            {"level": "A1"},
            "You have no French class yet: your level is A1, a class is not assigned. "
            "A person of the office can tell you what comes next.",
        ),
        (
            {},
            "You have no French class yet: the result of your placement test is not in your record. "
            "A person of the office can tell you what comes next.",
        ),
        (
            None,
            "You have no French class yet: I see neither a test nor an enrolment in your record. "
            "A person of the office can tell you what comes next.",
        ),
    ],
)
def test_french_says_level_class_and_when_or_what_is_missing(database, now, enrolment, text):
    with database.write() as session:
        amina = make_student(session, now)
        if enrolment is not None:
            session.add(CourseEnrolment(student_id=amina.id, **enrolment))
            session.flush()

        assert french_answer(session, amina, "en", TODAY) == text


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
