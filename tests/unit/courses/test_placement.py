"""The self-check: which statement comes next, when it ends, and what the answers say."""

from collections.abc import Mapping

import pytest
from hypothesis import given as samples
from hypothesis import strategies as st

from bot.bookings.rules import LEVELS
from bot.courses.placement import (
    HIGHEST_START,
    LOWEST_START,
    MOST_STATEMENTS,
    Bound,
    Given,
    Reply,
    Result,
    is_reached,
    next_statement,
    result,
    start_level,
)
from bot.courses.statements import Skill, Statement

EASILY, DIFFICULTY, NO = Reply.EASILY, Reply.WITH_DIFFICULTY, Reply.NO
STATEMENTS = tuple(
    Statement(f"{level.lower()}_{number}", level, Skill.READING, {"en": f"{level} {number}"})
    for level in LEVELS
    for number in range(1, 4 if level == "C2" else 6)
)
STARTS = LEVELS[LEVELS.index(LOWEST_START) : LEVELS.index(HIGHEST_START) + 1]
SIGNS = {"+": EASILY, "~": DIFFICULTY, "-": NO}

person = st.fixed_dictionaries({each.slug: st.sampled_from(Reply) for each in STATEMENTS})
"""What somebody would answer to each of the statements."""
starts = st.sampled_from(STARTS)
seen_before = st.lists(st.sampled_from([each.slug for each in STATEMENTS]), unique=True, max_size=MOST_STATEMENTS)


def check(would_say: Mapping[str, Reply], start: str = "B1", seen: list[str] | None = None) -> list[Given]:
    """The whole check of this person."""
    given: list[Given] = []
    while (statement := next_statement(STATEMENTS, given, start, seen or [])) is not None:
        given.append(Given(statement, would_say[statement.slug]))
    return given


def answered(signs: str, start: str = "B1") -> list[Given]:
    """The answers of `signs` in order; it must not be longer than the check."""
    given: list[Given] = []
    for sign in signs.replace(" ", ""):
        statement = next_statement(STATEMENTS, given, start)
        assert statement is not None
        given.append(Given(statement, SIGNS[sign]))
    return given


def everywhere(reply: Reply) -> dict[str, Reply]:
    return {each.slug: reply for each in STATEMENTS}


def rank(found: Result | None) -> int:
    assert found is not None
    return -1 if found.level is None else LEVELS.index(found.level)


@pytest.mark.parametrize(
    ("points", "verdict"),
    [
        ([], None),
        ([2], None),
        ([0], None),
        ([2, 2], True),
        ([0, 0], False),
        ([1, 0], False),
        ([2, 1], None),
        ([2, 0], None),
        ([1, 1], None),
        ([2, 1, 0], False),
        ([2, 1, 1], True),
        ([0, 2, 2], True),
        ([2, 0, 1], False),
        ([1, 1, 2], True),
        ([1, 1, 1], False),
    ],
)
def test_four_points_of_six_reach_a_level_and_no_more_is_asked_than_that_takes(points, verdict):
    assert is_reached(points) is verdict


@pytest.mark.parametrize(
    ("signs", "level", "bound"),
    [
        ("++ ++ ++ ++", "C2", Bound.ABOUT),
        ("-- -- --", None, Bound.ABOUT),
        ("++ --", "B1", Bound.ABOUT),
        ("-- ++", "A2", Bound.ABOUT),
        ("-- -- ++", "A1", Bound.ABOUT),
        ("++ ++ --", "B2", Bound.ABOUT),
        ("+-+ ~~~", "B1", Bound.ABOUT),
        ("~~~ ~~~ ~~~", None, Bound.ABOUT),
        ("+-+ +-+ +-+ +", "C1", Bound.OR_HIGHER),
    ],
)
def test_a_whole_check_leads_to_a_level(signs, level, bound):
    given = answered(signs)

    assert next_statement(STATEMENTS, given, "B1") is None
    assert result(given, "B1") == Result(level, bound)


def test_ten_answers_that_do_not_settle_it_on_the_way_down_leave_the_level_open_that_was_not_missed():
    given = answered("-+- -+- -+- +", "C1")

    assert next_statement(STATEMENTS, given, "C1") is None
    assert result(given, "C1") == Result("A2", Bound.OR_LOWER)


@pytest.mark.parametrize(
    ("signs", "found"),
    [
        ("", None),
        ("+", None),
        ("+-", None),
        ("++", Result("B1", Bound.OR_HIGHER)),
        ("++ ++ +", Result("B2", Bound.OR_HIGHER)),
        ("--", Result("A2", Bound.OR_LOWER)),
        ("-- -- -", Result("A1", Bound.OR_LOWER)),
    ],
)
def test_who_stops_early_keeps_what_is_known(signs, found):
    given = answered(signs)

    assert next_statement(STATEMENTS, given, "B1") is not None
    assert result(given, "B1") == found


def test_the_statements_come_from_the_level_being_judged_in_the_order_of_the_file():
    given = answered("+-+ ++ --")

    assert [each.statement.slug for each in given] == ["b1_1", "b1_2", "b1_3", "b2_1", "b2_2", "c1_1", "c1_2"]


def test_those_of_an_earlier_check_come_last():
    seen = ["b1_1", "b1_2", "c2_1", "c2_2", "c2_3"]
    given = check(everywhere(EASILY), "B1", seen)

    assert [each.statement.slug for each in given] == [
        *("b1_3", "b1_4", "b2_1", "b2_2", "c1_1", "c1_2", "c2_1", "c2_2"),
    ]


@pytest.mark.parametrize(
    ("known", "start"),
    [(None, "B1"), ("D9", "B1"), ("A1", "A2"), ("A2", "A2"), ("B2", "B2"), ("C1", "C1"), ("C2", "C1")],
)
def test_it_begins_at_the_level_that_is_known_but_for_the_ends_of_the_scale(known, start):
    assert start_level(known) == start


@pytest.mark.parametrize("start", STARTS)
def test_only_yes_leads_to_c2_and_only_no_before_a1_from_every_start(start):
    assert result(check(everywhere(EASILY), start), start) == Result("C2", Bound.ABOUT)
    assert result(check(everywhere(NO), start), start) == Result(None, Bound.ABOUT)


@samples(person, starts, seen_before)
def test_a_check_ends_after_ten_statements_at_most_and_repeats_none(would_say, start, seen):
    slugs = [each.statement.slug for each in check(would_say, start, seen)]

    assert len(slugs) <= MOST_STATEMENTS
    assert len(set(slugs)) == len(slugs)


@samples(person, starts, seen_before)
def test_a_check_that_ended_has_a_result(would_say, start, seen):
    assert result(check(would_say, start, seen), start) is not None


@samples(person, person, starts, seen_before)
def test_better_answers_never_lead_to_a_lower_level(one, other, start, seen):
    better = {slug: max(reply, other[slug], key=[NO, DIFFICULTY, EASILY].index) for slug, reply in one.items()}

    assert rank(result(check(better, start, seen), start)) >= rank(result(check(one, start, seen), start))


@samples(person, starts, st.data())
def test_one_better_answer_never_leads_to_a_lower_level(would_say, start, data):
    given = check(would_say, start)
    improved = data.draw(st.sampled_from(given)).statement.slug

    assert rank(result(check({**would_say, improved: EASILY}, start), start)) >= rank(result(given, start))


@samples(person, starts, seen_before, st.integers(0, MOST_STATEMENTS))
def test_after_a_step_back_the_same_statement_comes_again(would_say, start, seen, answers):
    given = check(would_say, start, seen)
    kept = given[:answers]
    following = next_statement(STATEMENTS, kept, start, seen)

    assert following == (given[answers].statement if answers < len(given) else None)
