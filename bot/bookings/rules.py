"""What may be booked, and when things meet: levels, overlaps, weekly patterns on a French clock. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise

from bot.bookings.models import OfferKind, Service
from bot.clock import PARIS, day_in_france
from bot.i18n.translate import mark
from bot.students.findings import Finding, Refused

LEVELS = ("A1", "A2", "B1", "B2", "C1", "C2")
CAMPUSES = ("lille", "bordeaux", "chateauroux")
"""As in the facts of a record."""
HOLD = timedelta(hours=24)
"""How long a place that became free is kept for the first in line."""
MOST_MEETINGS = 80
LONGEST_CODE, LONGEST_TITLE, LONGEST_WHERE = 60, 120, 120
MOST_PLACES = 10_000

ONE_OF = mark("Write one of {values}.")
SHORTEN = mark("Shorten it.")
LEAVE_EMPTY = mark("Leave it empty.")


@dataclass(frozen=True, order=True)
class Span:
    """One meeting: aware instants, the end after the start."""

    starts_at: datetime
    ends_at: datetime


class Fit(StrEnum):
    """How the level of a class suits a student."""

    RIGHT = "right"
    UNKNOWN = "unknown"
    """One of the two levels is not known."""
    NEAR = "near"
    """One level apart: possible, with a warning."""
    FAR = "far"


def level_fit(own: str | None, wanted: str | None) -> Fit:
    if own not in LEVELS or wanted not in LEVELS:
        return Fit.UNKNOWN
    apart = abs(LEVELS.index(own) - LEVELS.index(wanted))
    return Fit.RIGHT if apart == 0 else Fit.NEAR if apart == 1 else Fit.FAR


def overlap(first: Sequence[Span], second: Sequence[Span]) -> bool:
    """Whether somebody would have to be in two places at once; where one ends as the other starts, nobody has to."""
    return any(one.starts_at < other.ends_at and other.starts_at < one.ends_at for one in first for other in second)


def is_over(meetings: Sequence[Span], now: datetime) -> bool:
    """Nothing of it starts any more. A class may be joined between two meetings; what never meets cannot be booked."""
    return all(each.starts_at <= now for each in meetings)


def held_until(meetings: Sequence[Span], now: datetime) -> datetime:
    """A place is kept for a day, but not longer than there is something to come to."""
    return min(now + HOLD, max(each.starts_at for each in meetings))


def instant(day: date, at: time) -> datetime:
    """That time on a French clock.

    Raises:
        Refused: the clock skips it or shows it twice that night.
    """
    local = datetime.combine(day, at, PARIS)
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        raise Refused(
            mark("The French clock changes in the night of {day}: {time} is not one moment."),
            mark("Choose another hour."),
            day=day.isoformat(),
            time=f"{at:%H:%M}",
        )
    return local.astimezone(UTC)


def span(day: date, starts: time, ends: time) -> Span:
    """Raises Refused when the end is not after the start, or see `instant`."""
    if ends <= starts:
        raise Refused(
            mark("The end, {end}, is not after the start, {start}."),
            mark("Write hours of one day, from 00:00 to 23:59."),
            start=f"{starts:%H:%M}",
            end=f"{ends:%H:%M}",
        )
    return Span(instant(day, starts), instant(day, ends))


def weekly(first: date, starts: time, ends: time, until: date | None) -> tuple[Span, ...]:
    """The same hours on a French clock every week from `first` to `until`, both counted; once without `until`.

    Raises:
        Refused: see `span`; or the last day comes before the first, or there are more than MOST_MEETINGS weeks.
    """
    last = until or first
    if last < first:
        raise Refused(
            mark("The last day, {last}, comes before the first, {first}."),
            mark("Correct one of them."),
            first=first.isoformat(),
            last=last.isoformat(),
        )
    weeks = (last - first).days // 7 + 1
    if weeks > MOST_MEETINGS:
        raise Refused(
            mark("These are {count} weeks, more than {most}."),
            mark("Correct the last day, or make several offers of it."),
            count=weeks,
            most=MOST_MEETINGS,
        )
    return tuple(span(first + timedelta(weeks=week), starts, ends) for week in range(weeks))


class When(StrEnum):
    """Which events are asked for. Weeks begin on Monday."""

    TODAY = "today"
    WEEK = "week"
    NEXT_WEEK = "next_week"
    ALL = "all"


def period(when: When, now: datetime) -> tuple[datetime, datetime | None]:
    """From when to before when; None: without end. What of today is over does not count."""
    today = day_in_france(now)
    monday = today - timedelta(days=today.weekday())
    match when:
        case When.TODAY:
            return now, _midnight(today + timedelta(days=1))
        case When.WEEK:
            return now, _midnight(monday + timedelta(weeks=1))
        case When.NEXT_WEEK:
            return _midnight(monday + timedelta(weeks=1)), _midnight(monday + timedelta(weeks=2))
        case When.ALL:
            return now, None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), PARIS).astimezone(UTC)


@dataclass(frozen=True)
class OfferData:
    """An offer as the office writes it; `code` is its name for it."""

    code: str
    kind: OfferKind
    title_en: str
    title_fr: str = ""
    service: Service | None = None
    campus: str | None = None
    level: str | None = None
    places: int | None = None
    room: str | None = None
    host: str | None = None
    meetings: tuple[Span, ...] = ()


def faults_of(data: OfferData) -> list[Finding]:
    """Everything that keeps this from being an offer; empty where it is one. Fields are named as in a file."""
    faults = [
        Finding(
            None, name, value[:40], mark("This is longer than {most} characters."), mark("Shorten it."), {"most": most}
        )
        for name, value, most in (
            ("code", data.code, LONGEST_CODE),
            ("title_en", data.title_en, LONGEST_TITLE),
            ("title_fr", data.title_fr, LONGEST_TITLE),
            ("room", data.room or "", LONGEST_WHERE),
            ("host", data.host or "", LONGEST_WHERE),
        )
        if len(value) > most
    ]
    faults += [
        Finding(None, name, "", mark("This is empty."), mark("Fill it in."))
        for name, value in (("code", data.code), ("title_en", data.title_en))
        if not value
    ]
    return faults + _faults_of_kind(data) + _faults_of_meetings(data)


def _faults_of_kind(data: OfferData) -> list[Finding]:
    """What belongs to one kind of offer only."""
    faults = []
    levels, services = {"values": ", ".join(LEVELS)}, {"values": ", ".join(Service)}
    if data.kind == OfferKind.FRENCH_CLASS and data.level is None:
        faults.append(Finding(None, "level", "", mark("A French class needs a level."), ONE_OF, levels))
    if data.kind != OfferKind.FRENCH_CLASS and data.level is not None:
        problem = mark("Only a French class has a level.")
        faults.append(Finding(None, "level", data.level, problem, LEAVE_EMPTY))
    if data.kind == OfferKind.APPOINTMENT and data.service is None:
        faults.append(Finding(None, "service", "", mark("An appointment needs a service."), ONE_OF, services))
    if data.kind != OfferKind.APPOINTMENT and data.service is not None:
        problem = mark("Only an appointment has a service.")
        faults.append(Finding(None, "service", str(data.service), problem, LEAVE_EMPTY))
    if data.kind == OfferKind.APPOINTMENT and data.places is None:
        problem = mark("An appointment needs a number of places.")
        faults.append(Finding(None, "places", "", problem, mark("Write 1 for one student.")))
    if data.places is not None and not 1 <= data.places <= MOST_PLACES:
        problem, fix = mark("This is not a possible number of places."), mark("Write 1 to {most}.")
        faults.append(Finding(None, "places", str(data.places), problem, fix, {"most": MOST_PLACES}))
    return faults


def _faults_of_meetings(data: OfferData) -> list[Finding]:
    meetings = sorted(data.meetings)
    if not meetings:
        return [Finding(None, "date", "", mark("There is no meeting."), mark("Give at least one day with its hours."))]
    if len(meetings) > MOST_MEETINGS:
        problem, fix = mark("There are more than {most} meetings."), mark("Make several offers of it.")
        return [Finding(None, "date", str(len(meetings)), problem, fix, {"most": MOST_MEETINGS})]
    if data.kind == OfferKind.APPOINTMENT and len(meetings) > 1:
        problem, fix = mark("An appointment has one meeting only."), mark("Give each slot a code of its own.")
        return [Finding(None, "date", str(len(meetings)), problem, fix)]
    for one, following in pairwise(meetings):
        if following.starts_at < one.ends_at:
            day = following.starts_at.astimezone(PARIS).date().isoformat()
            problem, fix = mark("Two meetings of this offer overlap."), mark("Correct the hours, or take one out.")
            return [Finding(None, "date", day, problem, fix)]
    return []
