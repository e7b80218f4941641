"""A student's dates as an iCalendar file (RFC 5545, RFC 7986). Pure.

Nothing in it depends on when it is asked for: as long as the record stays as it is, the bytes stay the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid5

from icalendar import Alarm, Calendar, Event

PRODUCT = "-//Accueil//Calendar//EN"
NAMESPACE = UUID("6f1c6a86-0c0b-4c55-9a4e-3d6b1f2e8a10")
"""Of our UIDs: made once, never to be changed."""
REFRESH = timedelta(hours=12)
NINE = timedelta(hours=9)
ALARMS = (timedelta(days=-7) + NINE, timedelta(days=-1) + NINE)
"""Relative to the beginning of the day: a week before and the day before, at nine."""
SEQUENCE_SINCE = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Deadline:
    """The last day of one step. `changed_at`: when the student's record, or what the step says, changed last."""

    key: str
    """Of the student and the step; the UID is made from it and never changes."""
    title: str
    text: str
    day: date
    changed_at: datetime
    tentative: bool = False
    url: str | None = None


@dataclass(frozen=True)
class Appointment:
    """One meeting of something that the student has booked."""

    key: str
    title: str
    text: str
    starts_at: datetime
    ends_at: datetime
    changed_at: datetime
    place: str = ""


def as_ics(name: str, deadlines: Iterable[Deadline], appointments: Iterable[Appointment]) -> bytes:
    """`name`: of the calendar, in the student's language."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    # What Outlook and older programs read in its place.
    calendar.add("x-published-ttl", "PT12H")
    for deadline in deadlines:
        calendar.add_component(_deadline(deadline))
    for appointment in appointments:
        calendar.add_component(_appointment(appointment))
    body: bytes = calendar.to_ical()
    return body


def _deadline(deadline: Deadline) -> Event:
    event = _event(deadline.key, deadline.title, deadline.text, deadline.changed_at)
    event.add("dtstart", deadline.day)
    event.add("dtend", deadline.day + timedelta(days=1))
    event.add("status", "TENTATIVE" if deadline.tentative else "CONFIRMED")
    # A deadline does not make the student busy.
    event.add("transp", "TRANSPARENT")
    if deadline.url is not None:
        event.add("url", deadline.url)
    for trigger in ALARMS:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", deadline.title)
        alarm.add("trigger", trigger)
        event.add_component(alarm)
    return event


def _appointment(appointment: Appointment) -> Event:
    event = _event(appointment.key, appointment.title, appointment.text, appointment.changed_at)
    event.add("dtstart", appointment.starts_at.astimezone(UTC))
    event.add("dtend", appointment.ends_at.astimezone(UTC))
    event.add("status", "CONFIRMED")
    if appointment.place:
        event.add("location", appointment.place)
    return event


def _event(key: str, title: str, text: str, changed_at: datetime) -> Event:
    changed_at = changed_at.astimezone(UTC).replace(microsecond=0)
    event = Event()
    event.add("uid", str(uuid5(NAMESPACE, key)))
    # In a published calendar DTSTAMP is the last change (RFC 5545, 3.8.7.2).
    event.add("dtstamp", changed_at)
    event.add("last-modified", changed_at)
    event.add("sequence", max(0, int((changed_at - SEQUENCE_SINCE).total_seconds())))
    event.add("class", "PRIVATE")
    event.add("summary", title)
    if text:
        event.add("description", text)
    return event


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
