"""Stored updates: each once, in the order of their numbers, whatever order they came in."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bot.channels.telegram.intake import HOLD, ready, store_updates
from bot.conversations.models import ChannelUpdate

BOT = "telegram:9000"


def update(number):
    return {"update_id": number, "message": {"text": f"{number}"}}


def store(database, now, *numbers, account=BOT):
    with database.write() as session:
        return store_updates(session, account, [update(number) for number in numbers], now)


def ready_numbers(database, now, hold=HOLD):
    with database.read() as session:
        return [session.get_one(ChannelUpdate, row).number for row in ready(session, BOT, now, hold)]


def finish(database, now, *numbers):
    with database.write() as session:
        for row in session.scalars(select(ChannelUpdate).where(ChannelUpdate.number.in_(numbers))):
            row.done_at, row.payload = now, None


def test_a_repeat_is_dropped_also_within_one_batch_and_after_it_was_taken_in(database, now):
    assert store(database, now, 1, 2, 1) == 2
    finish(database, now, 1)

    assert store(database, now, 1, 2, 3) == 1
    assert ready_numbers(database, now) == [2, 3]


def test_two_bots_count_for_themselves(database, now):
    assert store(database, now, 1) == 1
    assert store(database, now, 1, account="telegram:9001") == 1
    assert ready_numbers(database, now) == [1]


def test_nothing_is_nothing(database, now):
    assert store(database, now) == 0
    assert ready_numbers(database, now) == []


def test_an_update_waits_for_the_one_before_it_but_not_for_ever(database, now):
    store(database, now, 5)
    finish(database, now, 5)
    store(database, now, 7, 8)

    assert ready_numbers(database, now) == []
    assert ready_numbers(database, now + HOLD - timedelta(milliseconds=1)) == []
    assert ready_numbers(database, now + HOLD) == [7, 8]

    store(database, now, 6)
    assert ready_numbers(database, now) == [6, 7, 8]


def test_one_that_comes_after_later_ones_were_taken_in_goes_at_once(database, now):
    store(database, now, 5, 7)
    finish(database, now, 5, 7)
    store(database, now, 6)

    assert ready_numbers(database, now) == [6]


def test_the_first_update_ever_and_one_asked_for_wait_for_nobody(database, now):
    store(database, now, 730_000_000)
    assert ready_numbers(database, now) == [730_000_000]

    finish(database, now, 730_000_000)
    store(database, now, 12)
    store(database, now, 731_000_000)
    assert ready_numbers(database, now, hold=timedelta()) == [12, 731_000_000]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(range(10, 18)), st.data())
def test_every_order_of_arrival_with_repeats_is_taken_in_once_and_in_order(database, now, order, data):
    with database.write() as session:
        for row in session.scalars(select(ChannelUpdate)):
            session.delete(row)
    store(database, now, 9)
    finish(database, now, 9)
    taken = []
    for number in order:
        store(
            database, now, number, *data.draw(st.lists(st.sampled_from(order[: order.index(number) + 1]), max_size=2))
        )
        found = ready_numbers(database, now)
        taken += found
        finish(database, now, *found)

    assert taken == list(range(10, 18))
