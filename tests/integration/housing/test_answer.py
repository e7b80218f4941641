"""Housing for a linked student: where the application stands, what comes next, the wishes."""

from datetime import date

import pytest

from bot.config import ROOT
from bot.housing.answer import housing_answer, my_housing
from bot.paperwork.schema import load_procedures
from bot.students.models import HousingApplication
from bot.students.records import HOUSING_STATES, facts_of
from tests.factories import make_student

TODAY = date(2026, 11, 24)
SINCE = date(2026, 11, 12)


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


def test_wishes_alone_are_no_application(database, now):
    with database.write() as session:
        amina = make_student(session, now, campus="lille")
        without = housing_answer(amina, "en")
        amina.housing = HousingApplication(state="not_applied", wishes={"kind": "studio"}, updated_on=SINCE)
        session.flush()

        assert housing_answer(amina, "en") == without


@pytest.mark.parametrize("state", [each for each in HOUSING_STATES if each != "not_applied"])
def test_every_state_of_an_application_has_an_answer_also_without_a_campus(database, now, state):
    with database.write() as session:
        amina = make_student(session, now)
        amina.housing = HousingApplication(state=state, updated_on=SINCE)
        session.flush()

        assert housing_answer(amina, "en").startswith("Your application for a room in France ")


@pytest.fixture
def answer(database, now, knowledge):
    procedures = load_procedures(ROOT / "knowledge" / "procedures")

    def run(language="en", housing=None, **facts):
        with database.write() as session:
            amina = make_student(session, now, **facts)
            amina.housing = housing
            session.flush()
            return my_housing(knowledge, procedures, amina, facts_of(amina, {}), language, TODAY)

    return run


KOFI = {
    "nationality": ["GH"],
    "document_held": "vls_ts",
    "birth_date": "1994-02-02",
    "campus": "lille",
    "programme_type": "degree",
    "programme_start": "2027-02-01",
    "housing_status": "searching",
    "lease_start": "2027-01-20",
    "guarantor": "none",
}


def test_the_answer_names_the_state_what_is_missing_the_guarantor_and_the_wishes(answer):
    found = answer(
        housing=HousingApplication(state="waiting_list", wishes={"kind": "studio", "budget": 450}, updated_on=SINCE),
        **KOFI,
    )

    assert found.text == (
        "Your application for a room in Lille is on the waiting list. That is how it stands since 12 November 2026. "
        "Keep looking elsewhere as well: nobody can promise when a room becomes free.\n\n"
        "**What is missing next:**\n\n"
        "- **Book your housing**: you can do this now.\n"
        "- **Insure your home**: by 20 January 2027.\n"
        "- **Sign the lease and the entry inventory**: by 20 January 2027.\n"
        "- **Give notice for your room**: no date yet. On which day do you leave?\n\n"
        "**Your guarantor:** Visale (the free State-backed rent guarantee) is for tenants of 18 to 30 years. "
        "You need another guarantor, family or a bank for example.\n\n"
        "**Your wishes:**\n\n"
        "- **Kind of room**: Studio with a kitchenette\n"
        "- **Budget**: at most €450 a month, charges included"
    )
    assert [button.label for button in found.buttons] == [
        "Change my wishes",
        "What will it cost?",
        "Check an advert",
        "Who can be my guarantor?",
    ]
    assert found.buttons[-1].payload == {"topic": "guarantor"}
    assert found.partly_english is False


def test_of_a_step_without_a_date_the_missing_fact_is_asked(answer):
    text = answer(**{**KOFI, "lease_start": None}).text

    assert "- **Insure your home**: no date yet. On which day does your lease start?" in text


def test_an_empty_record_gets_an_answer_in_every_language(answer):
    found = answer(language="ar")

    assert (len(found.buttons), found.partly_english) == (4, True)
