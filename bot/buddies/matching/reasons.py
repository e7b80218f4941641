"""Why two people were paired, and why somebody was not, in words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.buddies.matching.people import Newcomer, Person, language_of, plain
from bot.buddies.matching.scoring import ENOUGH_DAYS, interests_of, languages_of
from bot.i18n.languages import language_name
from bot.i18n.translate import mark, say


@dataclass(frozen=True)
class Reason:
    """One reason for a pair. codes and their values: languages {languages}, interests {interests}, field {field},
    stay {}; everything JSON.
    """

    code: str
    values: Mapping[str, Any] = field(default_factory=dict)


LEFT_WORDS = {
    "campus": mark("No buddy is signed up at this campus."),
    "language": mark("No buddy at this campus speaks one of these languages."),
    "overlap": mark("No buddy who fits is here for thirty days at the same time."),
    "gender": mark("No buddy who fits is of the gender that is wished."),
    "excluded": mark("Everybody who fits is ruled out."),
    "full": mark("Everybody who fits has no free place."),
}
"""By the first limit after which nobody is left; see scoring.LIMITS."""


def reasons_for(newcomer: Newcomer, buddy: Person) -> tuple[Reason, ...]:
    """What the two have in common, the strongest first."""
    common = languages_of(newcomer) & languages_of(buddy)
    spoken = list(dict.fromkeys(language_of(tag) for tag in newcomer.languages if language_of(tag) in common))
    found = [Reason("languages", {"languages": spoken})]
    shared = interests_of(newcomer) & interests_of(buddy)
    if shared:
        named = {plain(each): each for each in newcomer.interests if plain(each) in shared}
        found.append(Reason("interests", {"interests": list(named.values())}))
    if plain(newcomer.field) and plain(newcomer.field) == plain(buddy.field):
        found.append(Reason("field", {"field": newcomer.field}))
    if _days_together(newcomer, buddy) >= ENOUGH_DAYS:
        found.append(Reason("stay"))
    return tuple(found)


def reason_words(reason: Reason, language: str, label: Callable[[str], str] = str) -> str:
    """One sentence in the reader's language; `label` names an interest of the list in that language."""
    values = reason.values
    if reason.code == "languages":
        names = ", ".join(language_name(tag, language) for tag in values["languages"])
        return say(language, "You both speak {languages}.", languages=names)
    if reason.code == "interests":
        names = ", ".join(label(each) for each in values["interests"])
        return say(language, "You both like: {interests}.", interests=names)
    if reason.code == "field":
        return say(language, "You are both in {field}.", field=values["field"])
    return say(language, "You are both here for several months.")


def left_words(why: str, language: str) -> str:
    """Why a newcomer has no buddy."""
    return say(language, LEFT_WORDS[why])


def _days_together(one: Person, other: Person) -> int:
    arrivals = [each.arrival.toordinal() for each in (one, other) if each.arrival is not None]
    departures = [each.departure.toordinal() for each in (one, other) if each.departure is not None]
    return min(departures) - max(arrivals) + 1 if arrivals and departures else ENOUGH_DAYS
