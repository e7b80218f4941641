"""Lengths of time and names of campuses, as the page and the report say them."""

from bot.i18n.translate import say
from bot.students.records import CAMPUS_CITIES


def length_words(seconds: int, language: str) -> str:
    """4 s, 12 min, 3 h 20 min, 2 d 4 h: the two largest units."""
    minutes, left_seconds = divmod(seconds, 60)
    hours, left_minutes = divmod(minutes, 60)
    days, left_hours = divmod(hours, 24)
    if days:
        return say(language, "{days} d {hours} h", days=days, hours=left_hours)
    if hours:
        return say(language, "{hours} h {minutes} min", hours=hours, minutes=left_minutes)
    if minutes:
        return say(language, "{minutes} min", minutes=minutes)
    return say(language, "{seconds} s", seconds=left_seconds)


def campus_words(campus: str | None, language: str) -> str:
    """None: all of them."""
    return say(language, "All campuses") if campus is None else CAMPUS_CITIES.get(campus, campus)
