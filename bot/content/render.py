"""Put the figures of figures.yml and the school's facts into a text of knowledge/."""

import re
from collections.abc import Iterator
from datetime import date

from bot.content.loader import Knowledge
from bot.content.schema import Figure, SchoolFact
from bot.errors import ContentError
from bot.i18n.formats import date_words, money, number
from bot.i18n.translate import say

PLACEHOLDER = re.compile(r"\{\{\s*(?P<school>school\.)?(?P<name>[a-z0-9_]+)\s*\}\}")


def figure_names(text: str) -> Iterator[str]:
    """The figures a text names."""
    return (match["name"] for match in PLACEHOLDER.finditer(text) if not match["school"])


def school_names(text: str) -> Iterator[str]:
    """The school's facts a text names."""
    return (match["name"] for match in PLACEHOLDER.finditer(text) if match["school"])


def figure_words(figure: Figure, language: str, today: date) -> str:
    """€100 or 964 (the unit of hours stands in the text); past its review, the amount is not given as today's."""
    words = money(figure.value, language) if figure.unit == "EUR" else number(figure.value, language)
    if figure.review_by > today:
        return words
    return say(
        language,
        "{amount} (on {date}; it may have changed, see the [official page]({url}))",
        amount=words,
        date=date_words(figure.source.checked_on, language),
        url=str(figure.source.url),
    )


def school_words(fact: SchoolFact, language: str) -> str:
    """What the office says, or that it has not said so yet."""
    if fact.value is not None:
        return fact.value.get(language)
    return say(language, "The international office has not told me yet: {what}.", what=fact.title.get(language))


def render(text: str, knowledge: Knowledge, language: str, today: date) -> str:
    """`language` is that of the text. Raises ContentError when the text names a figure or fact that does not exist."""

    def replace(match: re.Match[str]) -> str:
        name = match["name"]
        if match["school"]:
            if name not in knowledge.school.facts:
                raise ContentError(f"The fact {name} is not in school.yml.")
            return school_words(knowledge.school.facts[name], language)
        if name not in knowledge.figures:
            raise ContentError(f"The figure {name} is not in figures.yml.")
        return figure_words(knowledge.figures[name], language, today)

    return PLACEHOLDER.sub(replace, text)
