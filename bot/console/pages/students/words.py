"""Columns and values of records in words for colleagues."""

from datetime import date
from typing import Any

from bot.i18n.formats import date_words
from bot.i18n.translate import mark, say
from bot.students import labels
from bot.students.report import words

OTHER_COLUMNS = {"source_id": mark("Student number"), "left_on": mark("Left")}
"""What an import changes beside facts."""


def column_name(column: str, language: str) -> str:
    """The name of a column; what is none stays as it is."""
    if column in OTHER_COLUMNS:
        return say(language, OTHER_COLUMNS[column])
    return labels.fact_name(column, language) if column in labels.FACT_NAMES else column


def value_words(column: str, value: Any, language: str) -> str:
    """A stored value; a dash where nothing is recorded."""
    if value is None or column not in labels.FACT_NAMES:
        is_day = column == "left_on" and value is not None
        return date_words(date.fromisoformat(value), language) if is_day else words(value)
    return labels.value_words(column, value, language)
