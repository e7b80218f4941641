"""When somebody is asked, reminded and given up."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.buddies.models import BuddyCheckIn, BuddyPairing, CheckInAnswer, PairingState, Reply
from bot.buddies.rules import (
    check_in_at,
    check_in_due,
    is_given_up,
    is_silence,
    is_silent,
    is_to_be_asked,
    is_to_be_reminded,
)

NOW = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
AMINA, HUGO = 1, 2
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def a_pairing(**values: object) -> BuddyPairing:
    return BuddyPairing(
        **{"newcomer_id": AMINA, "buddy_id": HUGO, "state": PairingState.PROPOSED, "send_at": NOW, **values}
    )


def test_each_is_asked_once_from_the_time_of_sending_on():
    pairing = a_pairing(state=PairingState.PLANNED)

    assert not is_to_be_asked(pairing, AMINA, NOW - MINUTE)
    assert is_to_be_asked(pairing, AMINA, NOW)
    pairing.newcomer_asked_at = NOW
    assert not is_to_be_asked(pairing, AMINA, NOW)
    assert is_to_be_asked(pairing, HUGO, NOW)


@pytest.mark.parametrize("state", [each for each in PairingState if each not in ("planned", "proposed")])
def test_of_what_is_no_proposal_nobody_is_asked(state):
    assert not is_to_be_asked(a_pairing(state=state), AMINA, NOW)


def test_after_72_hours_one_reminder_and_48_hours_later_the_end():
    pairing = a_pairing(buddy_asked_at=NOW)

    assert not is_to_be_reminded(pairing, HUGO, NOW + 72 * HOUR - MINUTE)
    assert is_to_be_reminded(pairing, HUGO, NOW + 72 * HOUR)
    assert not is_given_up(pairing, HUGO, NOW + 1000 * HOUR)
    pairing.buddy_reminded_at = NOW + 72 * HOUR
    assert not is_to_be_reminded(pairing, HUGO, NOW + 1000 * HOUR)
    assert not is_given_up(pairing, HUGO, NOW + 120 * HOUR - MINUTE)
    assert is_given_up(pairing, HUGO, NOW + 120 * HOUR)
    pairing.buddy_said = Reply.YES
    assert not is_given_up(pairing, HUGO, NOW + 120 * HOUR)


@pytest.mark.parametrize(
    ("accepted_at", "day", "at"),
    [
        # 10:00 in France is 8:00 UTC in summer and 9:00 in winter.
        (datetime(2026, 9, 1, 20, 0, tzinfo=UTC), 3, datetime(2026, 9, 4, 8, 0, tzinfo=UTC)),
        (datetime(2026, 11, 24, 11, 0, tzinfo=UTC), 3, datetime(2026, 11, 27, 9, 0, tzinfo=UTC)),
        # After midnight in France it is the next day already.
        (datetime(2026, 11, 24, 23, 30, tzinfo=UTC), 3, datetime(2026, 11, 28, 9, 0, tzinfo=UTC)),
        # 6 December 2026 is a Sunday: the next morning at nine.
        (datetime(2026, 11, 22, 11, 0, tzinfo=UTC), 14, datetime(2026, 12, 7, 8, 0, tzinfo=UTC)),
    ],
)
def test_the_days_of_the_questions_are_days_in_france(accepted_at, day, at):
    assert check_in_at(accepted_at, day) == at


def test_the_newest_question_that_has_come_is_asked_if_it_was_not_yet_and_is_not_too_old():
    pairing = a_pairing(state=PairingState.ACCEPTED, accepted_at=NOW)
    asked = BuddyCheckIn(day=3, asked_at=NOW)

    def due(days: int, known: dict[int, BuddyCheckIn]) -> int | None:
        return check_in_due(pairing, known, NOW + timedelta(days=days))

    assert [due(days, {}) for days in (2, 3, 13, 14, 24, 25, 44, 45, 55, 56)] == [
        None,
        3,
        3,
        14,
        14,
        None,
        None,
        45,
        45,
        None,
    ]
    assert [due(days, {3: asked}) for days in (3, 13, 14)] == [None, None, 14]
    pairing.state = PairingState.ENDED
    assert due(3, {}) is None


def test_three_days_without_an_answer_are_silence():
    check_in = BuddyCheckIn(day=3, asked_at=NOW, answer=None)

    assert not is_silent(check_in, NOW + 72 * HOUR - MINUTE)
    assert is_silent(check_in, NOW + 72 * HOUR)
    check_in.answer = CheckInAnswer.NOT_YET
    assert not is_silent(check_in, NOW + 72 * HOUR)


def test_not_having_met_is_silence_from_day_14_on():
    assert [is_silence(day, CheckInAnswer.NOT_YET) for day in (3, 14, 45)] == [False, True, True]
    assert not any(is_silence(14, answer) for answer in ("great", "fine", "trouble"))
