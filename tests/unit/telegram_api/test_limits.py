"""The fake's limits: one message a second in a chat, thirty overall, and the wait that was told."""

import pytest

from tests.fakes.telegram_api.limits import Limits
from tests.fakes.telegram_api.rules import Refused


def asked_to_wait(limits, chat, now, *, is_group=False):
    with pytest.raises(Refused) as caught:
        limits.check(chat, now, is_group=is_group)
    assert caught.value.code == 429
    seconds = caught.value.parameters["retry_after"]
    assert caught.value.description == f"Too Many Requests: retry after {seconds}"
    return seconds


def test_one_message_a_second_goes_to_a_chat():
    limits = Limits()
    for second in range(5):
        limits.check(1, 100.0 + second, is_group=False)
    assert limits.violations == {}


def test_the_second_within_a_second_is_refused_and_other_chats_go_on():
    limits = Limits()
    limits.check(1, 100.0, is_group=False)
    assert asked_to_wait(limits, 1, 100.5) == 1
    limits.check(2, 100.5, is_group=False)
    assert limits.violations == {"chat": 1}


def test_a_few_milliseconds_too_early_are_forgiven():
    limits = Limits(tolerance=0.02)
    limits.check(1, 100.0, is_group=False)
    limits.check(1, 100.985, is_group=False)
    assert limits.violations == {}


def test_a_refused_message_makes_the_chat_wait_as_long_as_it_was_told():
    limits = Limits()
    limits.check(1, 100.0, is_group=False)
    assert asked_to_wait(limits, 1, 100.9) == 1
    assert asked_to_wait(limits, 1, 100.95) == 1
    limits.check(1, 101.1, is_group=False)
    assert limits.violations == {"chat": 1, "impatient": 1}


def test_a_short_burst_passes_when_it_is_allowed():
    limits = Limits(burst=3)
    for _ in range(3):
        limits.check(1, 100.0, is_group=False)
    assert asked_to_wait(limits, 1, 100.0) == 3
    assert limits.violations == {"chat": 1}


def test_thirty_a_second_overall():
    limits = Limits()
    for chat in range(30):
        limits.check(chat, 100.0 + chat / 100, is_group=False)
    assert asked_to_wait(limits, 99, 100.5) == 1
    limits.check(98, 101.0, is_group=False)
    assert limits.violations == {"overall": 1}


def test_twenty_a_minute_in_a_group():
    limits = Limits()
    for n in range(20):
        limits.check(-1, 100.0 + n, is_group=True)
    assert asked_to_wait(limits, -1, 120.0, is_group=True) == 40
    assert limits.violations == {"group": 1}


def test_a_wait_that_was_told_counts_for_its_chat_only():
    limits = Limits()
    assert limits.tell_to_wait(1, 100.0, 5).parameters == {"retry_after": 5}
    assert asked_to_wait(limits, 1, 102.0) == 3
    limits.check(2, 102.0, is_group=False)
    limits.check(1, 105.0, is_group=False)
    assert limits.violations == {"impatient": 1}
