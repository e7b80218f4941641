"""What the program says, in the reader's language: gettext catalogues read straight from their .po files."""

from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

from bot.i18n.languages import DEFAULT

LOCALE_FOLDER = Path(__file__).resolve().parent.parent / "locale"


@lru_cache
def translations(language: str) -> NullTranslations:
    """The catalogue of a language. No compiled file is kept: there is nothing that could be stale."""
    source = LOCALE_FOLDER / language / "LC_MESSAGES" / "messages.po"
    if language == DEFAULT or not source.exists():
        return NullTranslations()
    with source.open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


def say(language: str, message: str, /, **values: Any) -> str:
    """The translated sentence, filled with `values`; English where a translation is missing."""
    text = str(translations(language).ugettext(message))
    return text.format(**values) if values else text


def say_n(language: str, singular: str, plural: str, number: int, /, **values: Any) -> str:
    """As `say`, in the right plural form; `number` is also the value {number}."""
    return str(translations(language).ungettext(singular, plural, number)).format(number=number, **values)


def mark(message: str) -> str:
    """Mark a source string for extraction; it is translated where it is said."""
    return message
