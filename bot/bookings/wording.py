"""Offers and bookings in words: what, when on a French clock, where, with whom, and whether it is only demo data."""

from collections.abc import Sequence
from datetime import date, datetime, time

from babel.dates import format_time, get_day_names

from bot.bookings.models import Offer, OfferKind, Service
from bot.bookings.queries import Occupancy
from bot.bookings.rules import Span
from bot.clock import PARIS, day_in_france
from bot.i18n.formats import date_words, weekday_words
from bot.i18n.translate import mark, say, say_n
from bot.students.records import CAMPUS_CITIES

SERVICES = {
    Service.WELCOME_SESSION: mark("Welcome session"),
    Service.MENTORING: mark("Mentoring"),
    Service.CAREER: mark("Career Center"),
    Service.PAPERWORK: mark("Help with paperwork"),
}
MOST_DAYS = 3
"""Of an offer without a weekly pattern, more days than these are counted, not listed."""


def service_words(service: Service, language: str) -> str:
    return say(language, SERVICES[service])


def title_of(offer: Offer, language: str) -> str:
    """The French title where it is read in French and there is one."""
    french = offer.title.get("fr") if language == "fr" else None
    return str(french or offer.title["en"])


def clock_words(instant: datetime, language: str) -> str:
    """18:00, on a French clock: the hours are written as in France, whatever the language."""
    return str(format_time(instant, "HH:mm", tzinfo=PARIS, locale=language))


def slot_words(starts_at: datetime, language: str) -> str:
    """Tuesday 24 November 2026, 18:00."""
    day = weekday_words(day_in_france(starts_at), language)
    return say(language, "{day}, {time}", day=day, time=clock_words(starts_at, language))


def span_words(span: Span, language: str) -> str:
    """Tuesday 24 November 2026, 18:00 to 20:00."""
    return say(
        language,
        "{start} to {end}",
        start=slot_words(span.starts_at, language),
        end=clock_words(span.ends_at, language),
    )


def times_words(meetings: Sequence[Span], language: str, now: datetime) -> str:
    """Every Tuesday from 18:00 to 20:00 until …; or the next days, the rest by number."""
    ahead = [each for each in sorted(meetings) if each.ends_at > now] or sorted(meetings)[-1:]
    if len(ahead) > 1 and (pattern := _pattern(ahead)) is not None:
        weekday, starts, _ends = pattern
        locale = "en_GB" if language == "en" else language
        return say(
            language,
            "every {weekday}, {start} to {end}, next on {next}, until {last}",
            weekday=get_day_names("wide", "format", locale)[weekday],
            start=format_time(starts, "HH:mm", locale=locale),
            end=clock_words(ahead[0].ends_at, language),
            next=date_words(day_in_france(ahead[0].starts_at), language),
            last=date_words(day_in_france(ahead[-1].starts_at), language),
        )
    words = "; ".join(span_words(each, language) for each in ahead[:MOST_DAYS])
    if (rest := len(ahead) - MOST_DAYS) > 0:
        words += " " + say_n(language, "and {number} more time", "and {number} more times", rest)
    return words


def _pattern(meetings: Sequence[Span]) -> tuple[int, time, time] | None:
    """(weekday, from, to) on a French clock where all meetings share them, a week apart or more."""
    shapes = set()
    for each in meetings:
        starts, ends = each.starts_at.astimezone(PARIS), each.ends_at.astimezone(PARIS)
        shapes.add((starts.weekday(), starts.time(), ends.time()))
    return shapes.pop() if len(shapes) == 1 else None


def campus_words(campus: str | None, language: str) -> str:
    return CAMPUS_CITIES[campus] if campus is not None else say(language, "every campus")


def where_words(offer: Offer, language: str) -> str:
    """Lille, room 12, with Claire: what of it is known."""
    parts = [CAMPUS_CITIES[offer.campus]] if offer.campus is not None else []
    if offer.room:
        parts.append(offer.room)
    if offer.host:
        parts.append(say(language, "with {name}", name=offer.host))
    return ", ".join(parts)


def name_of(offer: Offer, language: str) -> str:
    """What an offer is called in an answer: a class with its level, where that is not said already."""
    title = title_of(offer, language)
    return f"{title} ({offer.level})" if offer.level and offer.level not in title else title


def offer_words(offer: Offer, meetings: Sequence[Span], language: str, now: datetime) -> str:
    """Title, when and where, in one line."""
    when = times_words(meetings, language, now)
    where = where_words(offer, language)
    line = f"**{name_of(offer, language)}**: {when}"
    return f"{line} ({where})" if where else line


def places_words(offer: Offer, occupancy: Occupancy, language: str) -> str:
    """How many places are left; "" where there is no limit."""
    free = occupancy.free(offer.places)
    if free is None:
        return ""
    if free:
        return say_n(language, "{number} place left", "{number} places left", free)
    if offer.kind == OfferKind.APPOINTMENT:
        return say(language, "taken")
    return say_n(
        language,
        "full, {number} person on the waiting list",
        "full, {number} people on the waiting list",
        occupancy.waiting,
    )


def demo_note(offers: Sequence[Offer], language: str) -> str:
    """Says what is invented; "" where nothing is."""
    if not any(each.is_demo for each in offers):
        return ""
    return say(language, "This is demo data: made up to try Accueil out, not a real timetable.")


def with_demo_note(text: str, offers: Sequence[Offer], language: str) -> str:
    note = demo_note(offers, language)
    return f"{text}\n\n_{note}_" if note else text


def until_words(instant: datetime, language: str, now: datetime) -> str:
    """The end of a hold: the hour alone where it is today."""
    if day_in_france(instant) == day_in_france(now):
        return say(language, "today, {time} (French time)", time=clock_words(instant, language))
    return say(language, "{moment} (French time)", moment=slot_words(instant, language))


def event_day(offer: Offer, day: date, language: str) -> str:
    return say(language, "{title} on {date}", title=title_of(offer, language), date=date_words(day, language))
