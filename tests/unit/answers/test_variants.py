"""Which part of an answer is for whom."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answers.variants import CHOICES, LABELS, choose, known
from bot.content.schema import FAMILIES
from bot.students.facts import Facts

TODAY = date(2026, 11, 25)
CITIZENS = ("eu", "uk", "algeria", "non_eu")


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("eu", ("eu",)),
        ("uk", ("uk",)),
        ("algeria", ("algeria",)),
        ("other", ("non_eu",)),
    ],
)
def test_what_was_told_chooses_one_part(told, shown):
    assert choose(CITIZENS, {"citizenship": told}, {}).variants == shown


def test_when_nothing_is_known_all_are_shown_and_the_question_is_asked_once():
    first = choose(CITIZENS, {}, {})
    again = choose(CITIZENS, {}, {"citizenship": ""})

    assert (first.variants, first.ask) == (CITIZENS, "citizenship")
    assert (again.variants, again.ask) == (CITIZENS, None)


def test_a_british_student_gets_the_general_part_where_there_is_none_of_their_own():
    assert choose(("eu", "non_eu"), {"citizenship": "uk"}, {}).variants == ("non_eu",)


def test_another_country_leaves_open_whether_it_is_quebec():
    shown = choose(("eu", "quebec", "non_eu"), {"citizenship": "other"}, {})

    assert (shown.variants, shown.ask) == (("quebec", "non_eu"), None)


def test_where_no_part_fits_all_are_shown():
    assert choose(("vls_ts", "vls_t"), {"visa": "none_needed"}, {}).variants == ("vls_ts", "vls_t")


def test_a_topic_without_variants_shows_none_and_asks_nothing():
    shown = choose((), {}, {})

    assert (shown.variants, shown.ask) == ((), None)


@pytest.mark.parametrize(
    ("birthday", "age"),
    [("2008-11-26", "minor"), ("2008-11-25", "adult"), ("1995-11-26", "adult"), ("1995-11-25", "over_30")],
)
def test_age_changes_on_the_birthday(birthday, age):
    facts = Facts.model_validate({"birth_date": birthday})

    assert known(facts, {}, TODAY) == {"age": age}


def test_the_record_counts_before_what_was_told():
    facts = Facts.model_validate({"nationality": ["DZ"], "programme_type": "ka171", "campus": "lille"})

    assert known(facts, {"citizenship": "eu", "visa": "vls_t"}, TODAY) == {
        "citizenship": "algeria",
        "programme": "exchange",
        "campus": "lille",
        "visa": "vls_t",
    }


def test_every_variant_has_a_label_and_every_question_its_choices():
    assert set(LABELS) == set(FAMILIES)
    assert set(CHOICES) == set(FAMILIES.values())


@given(
    st.sampled_from(sorted(CHOICES)).flatmap(
        lambda family: st.tuples(
            st.lists(st.sampled_from([v for v in FAMILIES if FAMILIES[v] == family]), unique=True),
            st.fixed_dictionaries({}, optional={family: st.sampled_from([*CHOICES[family], "unheard_of"])}),
        )
    )
)
def test_something_is_always_shown_and_never_more_than_there_is(case):
    variants, told = case
    shown = choose(variants, told, {})

    assert set(shown.variants) <= set(variants)
    assert (shown.variants == ()) == (variants == [])
    assert list(shown.variants) == [variant for variant in variants if variant in shown.variants]
