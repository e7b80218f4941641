"""What the evidence report claims: counts of the data, with small groups hidden and nothing where nothing is known."""

from datetime import UTC, date, datetime, timedelta

import pytest

from bot.buddies.models import PairingState
from bot.content.loader import Knowledge
from bot.db.session import Database
from bot.errors import InvalidField
from bot.paperwork.models import StepDone
from bot.radar.evidence import Indicator, Sources, checked_period, completion, indicators
from bot.radar.report import report_content
from tests.factories import make_student
from tests.integration.buddies.cast import person
from tests.integration.buddies.test_report import pair
from tests.integration.radar.test_counting import ask_for_a_person, judge, talk
from tests.integration.reminders.conftest import PROCEDURES

TODAY = date(2026, 11, 24)
PERIOD = checked_period(date(2026, 9, 1), TODAY, TODAY)


@pytest.fixture
def sources(database: Database, knowledge: Knowledge) -> Sources:
    return Sources(database, knowledge, PROCEDURES)


def found(sources: Sources, now: datetime) -> dict[str, Indicator]:
    return {each.title: each for each in indicators(sources, PERIOD, "en", now)}


def students(sources: Sources, now: datetime, count: int, done_on: date | None, due: str = "2026-10-01") -> None:
    with sources.database.write() as session:
        for number in range(count):
            student = make_student(session, now, f"S{done_on}{due}{number}", enrolment_date=due)
            if done_on is not None:
                session.add(StepDone(student_id=student.id, step="cvec", done_on=done_on, recorded_at=now))


def test_a_share_of_few_is_not_in_the_headline_above_the_table_that_shows_the_others(sources: Sources, now: datetime):
    with sources.database.write() as session:
        newcomers = [person(session, now, f"N{number}").id for number in range(8)]
        buddy = person(session, now, "Lise", is_local=True, capacity=5).id
        for newcomer in newcomers[:2]:
            pair(session, now, newcomer, buddy, PairingState.ACCEPTED)
    buddies = found(sources, now)["Buddies"]

    assert buddies.headline == "No share: it would tell of too few people. The table has what can be shown."
    assert buddies.table is not None
    assert buddies.table.rows[0] == ("All campuses", "8", "hidden", "hidden", "0 (0 %)")


def test_without_data_there_is_no_figure_and_the_report_says_so(sources: Sources, now: datetime):
    headlines = {title: each.headline for title, each in found(sources, now).items()}

    nothing = "No figure: there is no data, or too little to show."
    assert headlines == {
        "Languages of welcome": "7 languages: English, French, Spanish, Portuguese, Ukrainian, Arabic, Chinese.",
        "Response times": nothing,
        "Coverage of the questions": nothing,
        "Answered at any hour, without waiting for a person": nothing,
        "Satisfaction": nothing,
        "Buddies": nothing,
        "Paperwork done in time": nothing,
    }


def test_shares_and_times_are_those_of_the_conversations(sources: Sources, now: datetime):
    for number in range(9):
        talk(sources.database, now - timedelta(minutes=number))
    for number in range(6):
        ask_for_a_person(sources.database, now - timedelta(hours=2, minutes=number), timedelta(minutes=30))
    indicator = found(sources, now)

    assert indicator["Answered at any hour, without waiting for a person"].headline == "60 % of the conversations."
    assert indicator["Response times"].headline == (
        "Half of the replies of the assistant came within 2 s. "
        "Half of those who asked for a person waited 30 min or less."
    )
    assert indicator["Response times"].base == (
        "15 replies of the assistant; 6 requests for a person that a colleague took."
    )
    assert indicator["Coverage of the questions"].headline.startswith("100 % of the questions got an answer")


def test_few_conversations_are_hidden(sources: Sources, now: datetime):
    for number in range(4):
        talk(sources.database, now - timedelta(minutes=number))
    indicator = found(sources, now)

    assert indicator["Languages of welcome"].table is None
    assert indicator["Coverage of the questions"].base == "hidden questions."
    assert indicator["Response times"].table is not None
    assert indicator["Response times"].table.rows[0] == ("Reply of the assistant", "hidden", "–", "–")


def test_satisfaction_is_the_share_of_all_judgements_of_the_period(sources: Sources, now: datetime):
    judge(sources.database, now, yes=9, no=6)
    judge(sources.database, now - timedelta(days=14), yes=6, no=5)
    # Before the period: the first week of it begins on Monday 31 August.
    judge(sources.database, datetime(2026, 8, 30, 20, 0, tzinfo=UTC), no=7)
    satisfaction = found(sources, now)["Satisfaction"]

    # 9 + 6 of 15 + 11.
    assert (satisfaction.headline, satisfaction.base) == ("58 % said that the answer helped.", "26 judgements.")


@pytest.mark.parametrize(
    ("yes", "no", "base"),
    [(4, 0, "hidden judgements."), (3, 20, "23 judgements."), (20, 3, "23 judgements."), (1, 1, "hidden judgements.")],
)
def test_the_judgements_of_few_give_no_share(sources: Sources, now: datetime, yes: int, no: int, base: str):
    judge(sources.database, now, yes=yes, no=no)
    satisfaction = found(sources, now)["Satisfaction"]

    assert satisfaction.headline == "No figure: there is no data, or too little to show."
    assert satisfaction.base == base


def test_paperwork_is_in_time_late_or_not_recorded(sources: Sources, now: datetime):
    students(sources, now, 12, date(2026, 10, 1))
    students(sources, now, 7, date(2026, 10, 2))
    students(sources, now, 6, None)
    students(sources, now, 9, None, due="2026-08-31")

    assert completion(sources, PERIOD, TODAY) == {"cvec": {"in_time": 12, "late": 7, "not_done": 6}}
    table = found(sources, now)["Paperwork done in time"].table
    assert table is not None
    assert table.rows == (("Do cvec", "25", "12", "7", "6", "48 %"),)


def test_a_small_part_of_the_paperwork_is_hidden_with_another_one(sources: Sources, now: datetime):
    students(sources, now, 12, date(2026, 10, 1))
    students(sources, now, 7, date(2026, 10, 2))
    students(sources, now, 1, None)
    table = found(sources, now)["Paperwork done in time"].table

    assert table is not None
    assert table.rows == (("Do cvec", "20", "12", "hidden", "hidden", "60 %"),)


def test_every_indicator_says_what_it_means_and_what_it_rests_on(sources: Sources, now: datetime):
    content = report_content(sources, PERIOD, "fr", now)

    assert content["language"] == "fr"
    assert len(content["indicators"]) == 7
    for each in content["indicators"]:
        assert len(each["notes"]) == 5
        assert all(words for _, words in each["notes"])


def test_a_period_ends_today_at_the_latest_and_is_five_years_long_at_most():
    tomorrow = TODAY + timedelta(days=1)
    for first, last, field in (
        (TODAY, tomorrow, "to"),
        (TODAY, TODAY - timedelta(days=1), "from"),
        (date(2020, 1, 1), TODAY, "from"),
    ):
        with pytest.raises(InvalidField) as error:
            checked_period(first, last, TODAY)
        assert error.value.details["field"] == field
