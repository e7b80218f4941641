"""`accueil i18n-check`: the catalogues hold every string that is said, in every language in which it is read.

Students read all of ours; staff those of the content, English and French (see babel-students.cfg).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from bot.i18n.languages import CODES, CONTENT_CODES, DEFAULT
from bot.i18n.translate import LOCALE_FOLDER

KEYWORDS: dict[str, Any] = {"_": None, "gettext": None, "ngettext": (1, 2), "say": (2,), "say_n": (2, 3), "mark": (1,)}
PLAIN_SPACE = re.compile(r"(?<=[\w)\]}*»]) (?=[:;?!»])|(?<=«) ")
"""Where French has a no-break space: a line may not begin with the mark. Listed signs, as in `. : /`, are none."""
PLACEHOLDER = re.compile(r"\{(\w+)\}")


def extracted(root: Path, *, staff: bool = True) -> set[str]:
    """Every source string of bot/ and actions/ (of a plural: the singular), with those that `staff` alone read."""
    with (root / ("babel.cfg" if staff else "babel-students.cfg")).open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    messages = [
        message for _file, _line, message, _comments, _context in extract_from_dir(root, methods, options, KEYWORDS)
    ]
    return {message[0] if isinstance(message, tuple) else message for message in messages} - {""}


def check_catalogues(root: Path) -> Iterator[str]:
    """One sentence per fault."""
    everything, of_students = extracted(root), extracted(root, staff=False)
    for code in CODES:
        if code == DEFAULT:
            continue
        path = LOCALE_FOLDER / code / "LC_MESSAGES" / "messages.po"
        if not path.exists():
            yield f"{code}: there is no catalogue; run `make i18n`"
            continue
        with path.open("rb") as file:
            catalogue = read_po(file, locale=code, abort_invalid=True)
        strings = everything if code in CONTENT_CODES else of_students
        yield from (f"{code}: {fault}" for fault in _check(catalogue, strings))
        if code == "fr":
            yield from (f"{code}: {fault}" for fault in check_spaces(catalogue))


def check_spaces(catalogue: Catalog) -> Iterator[str]:
    """The French translations with a plain space at a mark that needs a no-break one."""
    for message in catalogue:
        for translation in message.string if isinstance(message.string, tuple | list) else (message.string,):
            if message.id and PLAIN_SPACE.search(translation or ""):
                yield f"a plain space before : ; ? ! or inside « » (U+00A0 belongs there): {translation!r}"


def _check(catalogue: Catalog, strings: set[str]) -> Iterator[str]:
    known = {}
    for message in catalogue:
        if message.id:
            source = message.id[0] if isinstance(message.id, tuple | list) else message.id
            known[source] = message
    for source in sorted(strings - known.keys()):
        yield f"not in the catalogue (run `make i18n`): {source!r}"
    for source in sorted(known.keys() - strings):
        yield f"no longer said (run `make i18n`): {source!r}"
    for source in sorted(strings & known.keys()):
        message = known[source]
        sources = message.id if isinstance(message.id, tuple | list) else (message.id,)
        translations = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if message.fuzzy or not all(translations):
            yield f"not translated: {source!r}"
            continue
        allowed = {name for each in sources for name in PLACEHOLDER.findall(each)}
        for translation in translations:
            names = set(PLACEHOLDER.findall(translation or ""))
            if names - allowed or (len(translations) == 1 and names != allowed):
                yield f"other placeholders than {sorted(allowed)}: {translation!r}"
