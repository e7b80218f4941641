"""What a campaign changed, in honest words."""

from dataclasses import asdict
from typing import Any

from babel.numbers import format_decimal

from bot.clock import day_in_france
from bot.i18n.formats import date_words
from bot.i18n.translate import say
from bot.reminders.campaigns import Arm, Result

FEW = 5
"""A smaller count could point at a person."""


def result_words(result: Result, language: str, *, are_small_counts_hidden: bool) -> list[str]:
    """The counts, the difference with its interval, and what may be concluded from them."""
    campaign, with_message, without = result.campaign, result.with_message, result.without
    sentences = [
        _arm_words(with_message, language, result.days, has_message=True, hidden=are_small_counts_hidden),
    ]
    if without.members == 0:
        sentences.append(say(language, "Nobody was left out, so there is nothing to compare with."))
    else:
        sentences.append(_arm_words(without, language, result.days, has_message=False, hidden=are_small_counts_hidden))
        sentences += _difference_words(result, language, hidden=are_small_counts_hidden)
    if not result.is_over:
        started = date_words(day_in_france(campaign.started_at), language)
        sentences.append(
            say(
                language,
                "It began on {date} and the {days} days are not over: the counts can still grow.",
                date=started,
                days=result.days,
            )
        )
    return sentences


def _arm_words(arm: Arm, language: str, days: int, *, has_message: bool, hidden: bool) -> str:
    values = {
        "done": count_words(arm.completed, hidden=hidden),
        "members": count_words(arm.members, hidden=hidden),
        "days": days,
    }
    if has_message:
        return say(language, "With a message: {done} of {members} did it within {days} days.", **values)
    return say(language, "Without: {done} of {members} did it within {days} days.", **values)


def _difference_words(result: Result, language: str, *, hidden: bool) -> list[str]:
    found = result.difference
    if found is None:
        return [say(language, "Nobody got a message, so there is nothing to compare with.")]
    if hidden and has_few(result):
        return [say(language, "The groups are too small to show a difference without pointing at a person.")]
    values = {
        "difference": points(found.value, language),
        "low": points(found.low, language),
        "high": points(found.high, language),
    }
    sentence = say(
        language,
        "The difference is {difference} percentage points; with 95 % confidence it lies between {low} and {high}.",
        **values,
    )
    if found.may_be_chance:
        meaning = say(
            language,
            "This interval includes 0: what we see may be chance. It does not show that the message helps, nor that "
            "it does not.",
        )
    elif found.value > 0:
        meaning = say(language, "More students did it after a message.")
    else:
        meaning = say(language, "Fewer students did it after a message: look at what it says before you send it again.")
    return [sentence, meaning]


def has_few(result: Result) -> bool:
    """Whether one of the counts could point at a person: those who did it, or those who did not."""
    arms = (result.with_message, result.without)
    return any(0 < count < FEW for arm in arms for count in (arm.members, arm.completed, arm.members - arm.completed))


def count_words(count: int, *, hidden: bool) -> str:
    return f"<{FEW}" if hidden and 0 < count < FEW else str(count)


def points(share: float, language: str) -> str:
    """+12.3, in percentage points."""
    locale = "en_GB" if language == "en" else language
    return str(format_decimal(100 * share, "+0.0;-0.0", locale=locale))


def result_as_json(result: Result) -> dict[str, Any]:
    """The object that `accueil campaign report --json` prints; shares are numbers from 0 to 1."""
    campaign, found = result.campaign, result.difference
    return {
        "campaign": campaign.id,
        "name": campaign.name,
        "step": campaign.step,
        "chosen_by": dict(campaign.chosen_by),
        "left_out": campaign.left_out,
        "started_at": campaign.started_at.isoformat(),
        "days": result.days,
        "is_over": result.is_over,
        "sent": result.sent,
        "with_message": asdict(result.with_message),
        "without": asdict(result.without),
        "difference": None if found is None else round(found.value, 4),
        "interval": None if found is None else [round(found.low, 4), round(found.high, 4)],
        "may_be_chance": None if found is None else found.may_be_chance,
    }
