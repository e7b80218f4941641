"""Put the figures of figures.yml into a text of knowledge/, in the reader's language."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

from bot.content.schema import Figure
from bot.errors import ContentError
from bot.i18n.formats import money, number

PLACEHOLDER = re.compile(r"\{\{\s*([a-z0-9_]+)\s*\}\}")


def figure_names(text: str) -> Iterator[str]:
    """The figures a text names."""
    for match in PLACEHOLDER.finditer(text):
        yield match.group(1)


def figure_words(figure: Figure, language: str) -> str:
    """€100 or 964: the unit of hours stands in the text."""
    value = Decimal(figure.value)
    return money(value, language) if figure.unit == "EUR" else number(value, language)


def render(text: str, figures: Mapping[str, Figure], language: str) -> str:
    """Raises ContentError when the text names a figure that does not exist."""

    def replace(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in figures:
            raise ContentError(f"The figure {name} is not in figures.yml.")
        return figure_words(figures[name], language)

    return PLACEHOLDER.sub(replace, text)
