"""Who counts as stuck, and that no count which is shown tells of fewer than five people."""

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.paperwork.rules import path
from bot.radar.rules import (
    FEW,
    By,
    Looked,
    Stuck,
    Why,
    chosen,
    counted,
    hidden_groups,
    intake_of,
    is_small,
    looked_at,
    stuck_at_steps,
)
from bot.students.facts import facts_from
from tests.integration.reminders.conftest import PROCEDURES

TODAY = date(2026, 11, 28)
LONG_AGO = date(2026, 1, 1)
BY_SLUG = {str(each.slug): each for each in PROCEDURES}


def stuck_of(facts: Mapping[str, object], *, asked: Mapping[str, date] | None = None, known_since: date = LONG_AGO):
    known = facts_from(facts)
    looked = looked_at(1, known)
    steps = path(PROCEDURES, known, TODAY)
    found = stuck_at_steps(looked, steps, BY_SLUG, known.steps_done, asked or {}, known_since, TODAY)
    return {each.step: (each.why, each.since) for each in found}


def test_a_step_whose_date_has_passed_is_stuck_since_the_day_after():
    yesterday = TODAY - timedelta(days=1)

    assert stuck_of({"job_start": yesterday.isoformat()}, known_since=TODAY) == {
        "bank_account": (Why.OVERDUE, TODAY),
    }
    assert stuck_of({"job_start": TODAY.isoformat()}, known_since=TODAY) == {}


def test_the_next_step_is_stuck_once_it_has_been_possible_for_more_than_two_weeks():
    for days, expected in ((15, {"bank_account": (Why.WAITING, TODAY)}), (14, {})):
        assert stuck_of({"job_start": "2027-06-01"}, known_since=TODAY - timedelta(days=days)) == expected


def test_only_the_first_of_the_open_steps_is_the_next_one():
    found = stuck_of({"job_start": "2027-06-01"})

    assert list(found) == ["bank_account"]


def test_a_step_with_which_the_student_asked_for_help_is_stuck_since_then():
    asked = {"transcript": TODAY}

    assert stuck_of({"job_start": "2027-06-01"}, asked=asked, known_since=TODAY) == {"transcript": (Why.ASKED, TODAY)}


@pytest.mark.parametrize(
    ("start", "intake"),
    [(date(2026, 9, 1), "2026-2"), (date(2026, 7, 1), "2026-2"), (date(2027, 1, 15), "2027-1"), (None, "")],
)
def test_an_intake_is_the_half_year_in_which_the_programme_begins(start: date | None, intake: str):
    assert intake_of(start) == intake


def people(counts: Mapping[str, int], stuck: Mapping[str, int]) -> tuple[list[Looked], list[Stuck]]:
    """So many students of each campus, and how many of them are stuck at one step."""
    students, found, number = [], [], 0
    for campus, count in counts.items():
        for place in range(count):
            number += 1
            student = Looked(number, "2026-2", campus, "exchange")
            students.append(student)
            if place < stuck.get(campus, 0):
                found.append(Stuck(student, "cvec", Why.OVERDUE, TODAY))
    return students, found


def shown(counts: Mapping[str, int], stuck: Mapping[str, int], by: By = By.CAMPUS):
    groups, rows = counted(*people(counts, stuck), by)
    return [(row.step, row.total, [row.groups[group] for group in groups]) for row in rows]


def test_large_groups_are_shown_with_their_total():
    assert shown({"bordeaux": 40, "lille": 60}, {"bordeaux": 6, "lille": 20}) == [("cvec", 26, [6, 20])]


def test_a_small_group_takes_the_smallest_other_one_with_it():
    campuses = {"bordeaux": 40, "chateauroux": 40, "lille": 60}

    assert shown(campuses, {"bordeaux": 2, "chateauroux": 9, "lille": 20}) == [("cvec", 31, [None, None, 20])]


def test_where_nothing_can_hide_a_small_group_the_total_goes_in_every_table():
    campuses, stuck = {"bordeaux": 40, "lille": 60}, {"bordeaux": 4, "lille": 4}

    assert shown(campuses, stuck) == [("cvec", None, [None, None])]
    # The programme alone would say how many there are together.
    assert shown(campuses, stuck, By.PROGRAMME) == [("cvec", None, [None])]


def test_nobody_is_a_count_that_tells_of_nobody():
    assert shown({"bordeaux": 40, "lille": 60}, {"lille": 20}) == [("cvec", 20, [0, 20])]


def test_those_who_are_not_stuck_can_be_few_as_well():
    assert shown({"bordeaux": 40, "lille": 20}, {"bordeaux": 10, "lille": 17}) == [("cvec", 27, [None, None])]


def test_the_order_of_the_steps_does_not_tell_what_is_hidden():
    students, found = people({"lille": 60}, {"lille": 20})
    few = [
        Stuck(each.student, step, Why.OVERDUE, TODAY)
        for step, count in (("visale", 2), ("lease", 4))
        for each in found[:count]
    ]

    _, rows = counted(students, [*few, *found], By.CAMPUS)

    assert [(row.step, row.total) for row in rows] == [("cvec", 20), ("lease", None), ("visale", None)]


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(st.sampled_from("abcd"), st.integers(0, 12), min_size=1))
def test_a_reader_who_knows_the_total_and_the_rule_cannot_tell_a_small_group(counts: dict[str, int]):
    hidden = hidden_groups(counts, {})
    if hidden is None:
        # Nothing is shown at all: there is no total to subtract from.
        return
    small = {name for name, count in counts.items() if is_small(count)}
    together = sum(counts[name] for name in hidden)
    readings = [
        values
        for values in product(range(1, 13), repeat=len(hidden))
        if sum(values) == together and any(is_small(value) for value in values)
    ]

    assert small <= hidden
    assert not hidden or together >= FEW
    assert all(
        len({values[place] for values in readings}) > 1 for place, name in enumerate(sorted(hidden)) if name in small
    )


def test_the_list_of_a_step_is_narrowed_by_groups_and_begins_with_the_longest():
    students, found = people({"bordeaux": 2, "lille": 2}, {"bordeaux": 2, "lille": 2})
    early = Stuck(students[3], "cvec", Why.OVERDUE, TODAY - timedelta(days=9))

    assert chosen([*found[:3], early], "cvec", {By.CAMPUS: "lille"}) == [early, found[2]]
    assert chosen(found, "lease", {}) == []
