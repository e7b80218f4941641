"""One message a second in a chat, thirty a second in all."""

from hypothesis import given
from hypothesis import strategies as st

from bot.channels.telegram.pace import OVERALL, PER_CHAT, WINDOW, Pace


def test_a_chat_waits_a_second_from_when_its_message_arrived_and_others_do_not():
    pace = Pace()
    pace.leaves("1", 100.0)
    pace.arrived("1", 100.4)

    assert pace.wait("1", 100.5) == 100.4 + PER_CHAT - 100.5
    assert pace.wait("1", 100.4 + PER_CHAT) == 0
    assert pace.wait("2", 100.5) == 0


def test_who_must_wait_longer_waits_and_others_go_on():
    pace = Pace()
    pace.blocked("1", 100.0, 30)
    pace.arrived("1", 101.0)

    assert pace.wait("1", 110.0) == 20.0
    assert pace.wait("2", 110.0) == 0


def test_the_thirty_first_message_waits_until_the_first_is_a_window_old():
    pace = Pace()
    for number in range(OVERALL):
        pace.leaves(str(number), 100.0 + number / 100)

    assert pace.room(100.5) == 0
    assert pace.wait("other", 100.5) == 100.0 + WINDOW - 100.5
    assert pace.wait("other", 100.0 + WINDOW) == 0
    assert pace.room(100.0 + WINDOW) == 1


def test_chats_whose_wait_is_over_are_forgotten():
    pace = Pace()
    for number in range(10_001):
        pace.arrived(str(number), 0.0)

    pace.wait("x", 500.0)

    assert pace._next == {}


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 0.2)), max_size=200))
def test_no_second_holds_more_than_allowed_whatever_is_asked_for(asked: list[tuple[int, float]]):
    pace, now = Pace(), 1000.0
    left: list[tuple[str, float]] = []
    for chat, pause in asked:
        now += pause
        now += pace.wait(str(chat), now)
        pace.leaves(str(chat), now)
        left.append((str(chat), now))

    for place, (chat, at) in enumerate(left):
        within = [other for other in left[place:] if other[1] < at + 1.0]
        assert len(within) <= OVERALL
        assert [each[0] for each in within].count(chat) == 1
