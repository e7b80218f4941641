"""Whom to call and when: no mail to whoever is there, one for each request, and none too soon after another."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from bot.calling.rules import Wait, Whereabouts, Words, new_waits, new_words, to_mail, waits_for, whereabouts

NOW = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def wait(number: int, minutes: int = 20, desk: str = "office") -> Wait:
    return Wait(UUID(int=number), number, desk, None, NOW - minutes * MINUTE, minutes * MINUTE)


@pytest.mark.parametrize(
    ("has_page", "seen_at", "expected"),
    [
        (True, None, Whereabouts.AT_DESK),
        (False, NOW - MINUTE, Whereabouts.NEAR),
        (False, NOW - 2 * MINUTE, Whereabouts.AWAY),
        (False, None, Whereabouts.AWAY),
    ],
)
def test_an_open_page_goes_before_a_sign_of_life_and_that_counts_for_two_minutes(has_page, seen_at, expected):
    assert whereabouts(has_page, seen_at, NOW) == expected


def test_one_looks_after_ones_own_desks_and_after_all_where_one_has_none():
    waits = [wait(1), wait(2, desk="housing")]

    assert waits_for(["housing"], waits) == [waits[1]]
    assert waits_for([], waits) == waits


def test_a_mail_is_about_those_who_waited_as_long_as_was_chosen():
    waits = [wait(1, 15), wait(2, 14)]

    assert to_mail(waits, {}, 15, Whereabouts.AWAY, None, NOW) == [waits[0]]
    assert to_mail(waits, {}, 5, Whereabouts.AWAY, None, NOW) == waits
    assert to_mail(waits, {}, None, Whereabouts.AWAY, None, NOW) == []


@pytest.mark.parametrize("place", [Whereabouts.AT_DESK, Whereabouts.NEAR])
def test_whoever_is_there_gets_no_mail(place):
    assert to_mail([wait(1)], {}, 5, place, None, NOW) == []


def test_one_mail_for_each_request_and_another_for_a_new_request_in_the_same_conversation():
    told = {UUID(int=1): 1, UUID(int=2): 1}

    assert to_mail([wait(1), wait(2)], told, 5, Whereabouts.AWAY, None, NOW) == [wait(2)]


def test_the_next_mail_comes_five_minutes_after_the_one_before():
    def after(minutes: int) -> list[Wait]:
        return to_mail([wait(1)], {}, 5, Whereabouts.AWAY, NOW - minutes * MINUTE, NOW)

    assert (after(4), after(5)) == ([], [wait(1)])


def test_only_what_was_not_told_is_new():
    assert new_waits([wait(1), wait(2)], {UUID(int=1): 1, UUID(int=2): 1}) == [wait(2)]
    words = [Words(UUID(int=1), 4), Words(UUID(int=2), 4), Words(UUID(int=3), 1)]
    assert new_words(words, {UUID(int=1): 4, UUID(int=2): 3}) == words[1:]
