"""The facts of a student: what is computed, what is refused and with which words."""

from datetime import date

import pytest

from bot.students.facts import DATE_FACTS, Facts, FactsError, facts_from


@pytest.mark.parametrize(
    ("nationality", "group"),
    [
        (["FR"], "eu_eea_ch"),
        (["NO"], "eu_eea_ch"),
        (["CH"], "eu_eea_ch"),
        (["GB"], "uk"),
        (["DZ"], "algeria"),
        (["TR"], "turkey"),
        (["CA"], "other_non_eu"),
        (["IN", "US"], "other_non_eu"),
        (["DZ", "FR"], "eu_eea_ch"),
        (["DZ", "MA"], None),
    ],
)
def test_the_group_follows_from_the_nationalities(nationality: list[str], group: str | None) -> None:
    assert facts_from({"nationality": nationality}).nationality_group == group


def test_a_group_that_is_given_stays() -> None:
    assert facts_from({"nationality": ["CA"], "nationality_group": "quebec"}).nationality_group == "quebec"


def test_null_is_unknown_everywhere() -> None:
    assert facts_from(dict.fromkeys(Facts.model_fields)) == facts_from({}) == Facts()


def test_dates_are_read_from_iso_text() -> None:
    facts = facts_from({"date_of_entry": "2026-09-01", "steps_done": {"cvec": "2026-07-10"}})

    assert (facts.date_of_entry, facts.steps_done) == (date(2026, 9, 1), {"cvec": date(2026, 7, 10)})


def test_the_dates_of_the_record_are_listed() -> None:
    assert len(DATE_FACTS) == 16
    assert "date_of_entry" in DATE_FACTS
    assert "date_of_entry_kind" not in DATE_FACTS


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"nationalty": ["IN"]}, "nationalty: there is no fact of this name; did you mean nationality?"),
        (
            {"shoe_size": 42},
            "shoe_size: there is no fact of this name; take it out; the names are in `accueil path --schema`",
        ),
        (
            {"nationality": ["in"]},
            "nationality.0: 'in' is no country; write the two capital letters of ISO 3166, FR for France",
        ),
        ({"nationality": []}, "nationality: an empty list says nothing; leave the fact out when it is unknown"),
        (
            {"programme_start": "2027-02-29"},
            "programme_start: '2027-02-29' is not a date of the calendar; write it as 2026-09-01",
        ),
        (
            {"programme_start": "2026-W01-1"},
            "programme_start: '2026-W01-1' is not a date of the calendar; write it as 2026-09-01",
        ),
        (
            {"birth_date": "0204-05-06"},
            "birth_date: 0204-05-06 is not between 1900-01-01 and 2199-12-31; check the year",
        ),
        (
            {"earlier_stays": [{"entry": "2026-02-01", "exit": "2026-01-01"}]},
            "earlier_stays.0: exit lies before entry; swap them",
        ),
        ({"wants_buddy": "yes"}, "wants_buddy: 'yes' is not possible; Input should be a valid boolean"),
        ({"nationality": "IN"}, "nationality: 'IN' is not a list; write it in square brackets"),
        ({"campus": "paris"}, "campus: 'paris' is not possible; Input should be 'lille', 'bordeaux' or 'chateauroux'"),
        ([], "facts: not an object; write {} with the names of facts in it"),
    ],
)
def test_what_cannot_be_read_names_the_field_and_the_fix(value: object, problem: str) -> None:
    with pytest.raises(FactsError) as refusal:
        facts_from(value)

    assert refusal.value.problems == (problem,)


def test_an_unknown_step_is_refused() -> None:
    with pytest.raises(FactsError) as refusal:
        facts_from({"steps_done": {"validate_the_visa": "2026-09-01"}})

    assert refusal.value.problems[0].startswith("steps_done.validate_the_visa: ")


def test_every_wrong_field_is_named_at_once() -> None:
    with pytest.raises(FactsError) as refusal:
        facts_from({"campus": "paris", "school": "mit"})

    assert [problem.split(":")[0] for problem in refusal.value.problems] == ["campus", "school"]
