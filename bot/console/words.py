"""Words that several pages of the console share: sessions, instants, waits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from babel.dates import format_datetime

from bot.clock import PARIS, day_in_france
from bot.errors import TooMany
from bot.i18n.languages import locale_of
from bot.i18n.translate import say, say_n
from bot.identity.models import StaffSession


@dataclass(frozen=True)
class SessionRow:
    id: int
    browser: str
    address: str
    since: str
    seen: str
    is_this: bool


def short_moment(language: str, at: datetime) -> str:
    """An instant in French time, short."""
    return _in_france(language, at, "d MMM y, HH:mm")


def weekday_moment(language: str, at: datetime) -> str:
    """An instant of these days."""
    return _in_france(language, at, "EEE d MMM, HH:mm")


def clock_or_day(language: str, at: datetime, now: datetime) -> str:
    """The hour of what was today, the day of what was before."""
    return _in_france(language, at, "HH:mm" if day_in_france(at) == day_in_france(now) else "d MMM")


def _in_france(language: str, at: datetime, pattern: str) -> str:
    return str(format_datetime(at, pattern, tzinfo=PARIS, locale=locale_of(language)))


def session_rows(
    sessions: Sequence[StaffSession], language: str, now: datetime, own: int | None = None
) -> list[SessionRow]:
    """Sessions for a table; `own` is the one that asks."""
    return [
        SessionRow(
            each.id,
            each.browser or say(language, "unknown browser"),
            each.address,
            short_moment(language, each.created_at),
            _ago(language, each.seen_at, now),
            each.id == own,
        )
        for each in sessions
    ]


def one_after_another(parts: Iterable[str], language: str) -> str:
    """Parts that may hold commas, in one line."""
    return say(language, "; ").join(parts)


def wait_words(language: str, limit: TooMany) -> str:
    return say_n(
        language,
        "Too many attempts. Please try again in {number} minute.",
        "Too many attempts. Please try again in {number} minutes.",
        -(-int(limit.details["retry_after"]) // 60),
    )


def _ago(language: str, at: datetime, now: datetime) -> str:
    minutes = int((now - at).total_seconds() // 60)
    if minutes < 2:
        return say(language, "just now")
    return say_n(language, "{number} minute ago", "{number} minutes ago", minutes)
