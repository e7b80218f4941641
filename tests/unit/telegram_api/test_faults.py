"""The fake's faults: they strike as told, and the same way each time."""

import pytest

from tests.fakes.telegram_api.faults import Fault, Faults


def course(fault, chances=50):
    return [fault.strikes(0.0, "sendMessage", 1) for _ in range(chances)]


def test_a_fault_strikes_so_many_times():
    assert course(Fault("cut_before", times=2), 4) == [True, True, False, False]


def test_a_share_is_repeatable_by_seed():
    first = course(Fault("cut_after", share=0.3, seed=7))
    assert first == course(Fault("cut_after", share=0.3, seed=7))
    assert first != course(Fault("cut_after", share=0.3, seed=8))
    assert 5 < sum(first) < 25


def test_a_fault_keeps_to_its_method_its_chat_and_its_time():
    fault = Fault("status", methods=("sendMessage",), chat=1, until=10.0)
    assert fault.strikes(9.0, "sendmessage", 1)
    assert not fault.strikes(9.0, "getUpdates", 1)
    assert not fault.strikes(9.0, "sendMessage", 2)
    assert not fault.strikes(11.0, "sendMessage", 1)
    assert fault.struck == 1


def test_what_else_is_asked_does_not_change_the_course():
    alone, among_others = (
        Fault("slow", share=0.5, seed=3, methods=("a",)),
        Fault("slow", share=0.5, seed=3, methods=("a",)),
    )
    expected = [alone.strikes(0.0, "a") for _ in range(20)]
    seen = []
    for _ in range(20):
        among_others.strikes(0.0, "b")
        seen.append(among_others.strikes(0.0, "a"))
    assert seen == expected


def test_a_shuffle_stays_within_its_window_and_is_repeatable():
    def mixed():
        return Faults([Fault("shuffle", count=4, seed=5)]).mixed(list(range(12)), 0.0)

    assert mixed() == mixed()
    assert mixed() != list(range(12))
    assert [sorted(mixed()[start : start + 4]) for start in (0, 4, 8)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert Faults().mixed([1, 2], 0.0) == [1, 2]


def test_an_unknown_fault_is_refused():
    with pytest.raises(ValueError, match="there is no fault 'gremlin'"):
        Fault("gremlin")
