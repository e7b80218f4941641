"""The French self-check: which statement comes next, and what the answers say of the level. Pure.

A level is judged by three statements at most: "yes, easily" counts two points, "with difficulty" one, and four points
of six reach it. No more is asked once the points left cannot change that: two "easily" in a row go up, two "no" go
down. The check ends where a level that is reached meets one that is missed, at either end of the scale, or after ten
statements. Every level is judged once, so that a better answer can only lead higher, never lower.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.bookings.rules import LEVELS
from bot.courses.statements import PER_LEVEL, Statement

MOST_STATEMENTS = 10
USUAL_START = "B1"
LOWEST_START, HIGHEST_START = "A2", "C1"
"""From here ten answers that are alike still lead to either end of the scale."""


class Reply(StrEnum):
    EASILY = "easily"
    WITH_DIFFICULTY = "with_difficulty"
    NO = "no"


POINTS = {Reply.EASILY: 2, Reply.WITH_DIFFICULTY: 1, Reply.NO: 0}
MOST_POINTS = 2
REACHED_FROM = 4
"""Points of six: one can do most of it without trouble."""


@dataclass(frozen=True)
class Given:
    """An answer to a statement."""

    statement: Statement
    reply: Reply


@dataclass(frozen=True)
class Standing:
    """What the answers so far say. `present`: the level being judged, None once the level is settled."""

    reached: str | None = None
    """The highest level that was reached."""
    missed: str | None = None
    """The lowest level that was missed."""
    present: str | None = None


class Bound(StrEnum):
    ABOUT = "about"
    OR_HIGHER = "or_higher"
    """The levels above were not judged to the end."""
    OR_LOWER = "or_lower"


@dataclass(frozen=True)
class Result:
    """`level` None: before A1."""

    level: str | None
    bound: Bound


def start_level(known: str | None) -> str:
    """Where to begin for somebody whose level was thought to be `known`."""
    if known not in LEVELS:
        return USUAL_START
    return LEVELS[min(max(LEVELS.index(known), LEVELS.index(LOWEST_START)), LEVELS.index(HIGHEST_START))]


def is_reached(points: Sequence[int]) -> bool | None:
    """Of one level; None while its further statements can still decide."""
    if sum(points) >= REACHED_FROM:
        return True
    possible = sum(points) + MOST_POINTS * (PER_LEVEL - len(points))
    return False if possible < REACHED_FROM else None


def standing(given: Sequence[Given], start: str) -> Standing:
    at = LEVELS.index(start)
    reached: str | None = None
    missed: str | None = None
    while 0 <= at < len(LEVELS):
        level = LEVELS[at]
        verdict = is_reached([POINTS[each.reply] for each in given if each.statement.level == level])
        if verdict is None:
            return Standing(reached, missed, level)
        if verdict:
            reached, at = level, at + 1
        else:
            missed, at = level, at - 1
        if reached is not None and missed is not None:
            break
    return Standing(reached, missed)


def next_statement(
    statements: Sequence[Statement], given: Sequence[Given], start: str, seen: Collection[str] = ()
) -> Statement | None:
    """The next one to ask, None when the check is over. Those of an earlier check (`seen`, slugs) come last."""
    level = standing(given, start).present
    if level is None or len(given) >= MOST_STATEMENTS:
        return None
    answered = {each.statement.slug for each in given}
    left = [each for each in statements if each.level == level and each.slug not in answered]
    return min(left, key=lambda each: each.slug in seen, default=None)


def result(given: Sequence[Given], start: str) -> Result | None:
    """What is known once the check ends or is given up; None: not a single level was judged."""
    where = standing(given, start)
    if where.present is None:
        return Result(where.reached, Bound.ABOUT)
    if where.reached is not None:
        return Result(where.reached, Bound.OR_HIGHER)
    if where.missed is not None:
        # Missing the level above says nothing against this one: it is as high as it may be.
        return Result(where.present, Bound.OR_LOWER)
    return None
