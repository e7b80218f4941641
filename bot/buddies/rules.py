"""When somebody is asked, reminded, asked how it goes; when a question is given up. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from bot.buddies.models import BuddyCheckIn, BuddyPairing, CheckInAnswer, PairingState
from bot.clock import PARIS, day_in_france
from bot.reminders.rules import next_allowed

ANSWER_WITHIN = timedelta(hours=72)
"""Then a proposal is reminded of, once."""
LAST_CHANCE = timedelta(hours=48)
"""After the reminder; then the proposal is over."""
CHECK_DAYS = (3, 14, 45)
CHECK_AT = time(10)
MET_BY = 14
"""Who has not met by this day of the pair is looked after by the office."""
SILENT_AFTER = timedelta(days=3)
"""A question "how is it going?" without an answer is silence then."""
ASKED_LATEST = timedelta(days=11)
"""So long a question that nobody could ask on its day (the machine was off) is still asked."""
MOST_SILENT = 2
"""A newcomer who let so many proposals lapse is not proposed to anybody else until they come back."""


@dataclass(frozen=True)
class Side:
    """A pairing as one of the two sees it."""

    asked_at: datetime | None
    reminded_at: datetime | None
    has_answered: bool


def side_of(pairing: BuddyPairing, student_id: int) -> Side:
    if student_id == pairing.newcomer_id:
        return Side(pairing.newcomer_asked_at, pairing.newcomer_reminded_at, pairing.newcomer_said is not None)
    return Side(pairing.buddy_asked_at, pairing.buddy_reminded_at, pairing.buddy_said is not None)


def is_to_be_asked(pairing: BuddyPairing, student_id: int, now: datetime) -> bool:
    side = side_of(pairing, student_id)
    return _is_proposal(pairing) and pairing.send_at <= now and side.asked_at is None and not side.has_answered


def is_to_be_reminded(pairing: BuddyPairing, student_id: int, now: datetime) -> bool:
    side = side_of(pairing, student_id)
    if not _is_proposal(pairing) or side.has_answered or side.asked_at is None or side.reminded_at is not None:
        return False
    return side.asked_at + ANSWER_WITHIN <= now


def is_given_up(pairing: BuddyPairing, student_id: int, now: datetime) -> bool:
    side = side_of(pairing, student_id)
    if not _is_proposal(pairing) or side.has_answered or side.reminded_at is None:
        return False
    return side.reminded_at + LAST_CHANCE <= now


def check_in_due(pairing: BuddyPairing, asked: Mapping[int, BuddyCheckIn], now: datetime) -> int | None:
    """The day (3, 14, 45) of which one of an accepted pair is to be asked now; `asked`: their check-ins by day."""
    if pairing.state != PairingState.ACCEPTED or pairing.accepted_at is None:
        return None
    come = [day for day in CHECK_DAYS if check_in_at(pairing.accepted_at, day) <= now]
    if not come or come[-1] in asked or now > check_in_at(pairing.accepted_at, come[-1]) + ASKED_LATEST:
        return None
    return come[-1]


def check_in_at(accepted_at: datetime, day: int) -> datetime:
    """Ten o'clock in France, that many days after the second yes, or the next morning that is not quiet."""
    on = day_in_france(accepted_at) + timedelta(days=day)
    return next_allowed(datetime.combine(on, CHECK_AT, PARIS))


def is_silent(check_in: BuddyCheckIn, now: datetime) -> bool:
    return check_in.answer is None and check_in.asked_at + SILENT_AFTER <= now


def is_silence(day: int, answer: CheckInAnswer) -> bool:
    """Whether an answer means that the two do not find each other."""
    return answer is CheckInAnswer.NOT_YET and day >= MET_BY


def _is_proposal(pairing: BuddyPairing) -> bool:
    return pairing.state in (PairingState.PLANNED, PairingState.PROPOSED)
