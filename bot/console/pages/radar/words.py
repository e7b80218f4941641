"""How the radar names groups, reasons and hidden counts."""

from bot.console.pages.reminders.routes import VALUES
from bot.i18n.formats import date_words
from bot.i18n.translate import mark, say
from bot.radar.rules import UNKNOWN, By, Stuck, Why

GROUPINGS = {
    By.INTAKE: mark("By intake"),
    By.CAMPUS: mark("By campus"),
    By.PROGRAMME: mark("By programme"),
    By.WHY: mark("By reason"),
}
FILTERS = {By.INTAKE: mark("Intake"), By.CAMPUS: mark("Campus"), By.PROGRAMME: mark("Programme")}
EVERY = {By.INTAKE: mark("every intake"), By.CAMPUS: mark("every campus"), By.PROGRAMME: mark("every programme")}
WHYS = {
    Why.OVERDUE: mark("date passed"),
    Why.ASKED: mark("asked for help"),
    Why.WAITING: mark("next step, waiting"),
}

INTAKES = {"1": mark("spring {year}"), "2": mark("autumn {year}")}


def group_words(by: By, group: str, language: str) -> str:
    if group == UNKNOWN:
        return say(language, "not recorded")
    if by is By.WHY:
        return say(language, WHYS[Why(group)])
    if by is By.INTAKE:
        year, half = group.split("-")
        return say(language, INTAKES[half], year=year)
    return say(language, VALUES.get(group, group))


def why_words(stuck: Stuck, language: str) -> str:
    """Why this student is on the list, and since when."""
    since = date_words(stuck.since, language)
    match stuck.why:
        case Why.OVERDUE:
            return say(language, "The date passed; late since {date}.", date=since)
        case Why.ASKED:
            return say(language, "Asked for help on {date}.", date=since)
        case _:
            return say(language, "It is the next step, and nothing has happened since it became possible.")
