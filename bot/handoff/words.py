"""What is said when a person is asked for: the truth about opening hours and the queue."""

from datetime import date, datetime, time, timedelta

import holidays

from bot.clock import PARIS
from bot.content.schema import DeskHours, School
from bot.i18n.formats import weekday_words
from bot.i18n.translate import say


def is_open(hours: list[DeskHours], now: datetime) -> bool:
    local = now.astimezone(PARIS)
    return not _is_holiday(local.date()) and any(
        slot.weekday == local.weekday()
        and time.fromisoformat(slot.opens) <= local.time() < time.fromisoformat(slot.closes)
        for slot in hours
    )


def next_opening(hours: list[DeskHours], now: datetime) -> datetime | None:
    """When the desk opens next, on a French clock; None when no slot is given."""
    local = now.astimezone(PARIS)
    for days in range(15):
        day = local.date() + timedelta(days=days)
        if _is_holiday(day):
            continue
        for slot in sorted(hours, key=lambda slot: slot.opens):
            opens = datetime.combine(day, time.fromisoformat(slot.opens), PARIS)
            if slot.weekday == day.weekday() and opens > local:
                return opens
    return None


def _is_holiday(day: date) -> bool:
    return day in holidays.country_holidays("FR", years=day.year)


def person_requested(language: str, school: School, now: datetime) -> str:
    """The answer to "I want to talk to a person"."""
    first = say(language, "Your request is with the international office: a person will answer you here.")
    if school.desk_hours is None:
        when = say(
            language,
            "I do not know the office's opening hours, so I cannot promise when. In the meantime I go on answering, "
            "and everything you write is kept for them.",
        )
    elif is_open(school.desk_hours, now):
        when = say(language, "The desk is open now. In the meantime I go on answering.")
    elif (opening := next_opening(school.desk_hours, now)) is not None:
        when = say(
            language,
            "The desk is closed now and opens again on {day} at {time}. In the meantime I go on answering.",
            day=weekday_words(opening.date(), language),
            time=f"{opening:%H:%M}",
        )
    else:
        when = say(language, "The desk is closed now. In the meantime I go on answering.")
    return f"{first} {when}"
