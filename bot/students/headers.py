"""The header row of a file against the columns that an import reads: their places, and what is not read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches

from bot.i18n.translate import mark
from bot.students.findings import Finding
from bot.students.tables import Table
from bot.students.vocabulary import plain

MOST_NAMED = 20
"""Headers or sheets that one warning lists."""


def places_of(
    headers: Iterable[str], wanted: Mapping[str, str], how_to_choose: str
) -> tuple[dict[int, str], list[Finding], list[str]]:
    """Place of each column that is read, faults, headers that stand for no column.

    `wanted`: plain header → column; `how_to_choose` is the fix where two headers stand for one.
    """
    places: dict[int, str] = {}
    faults: list[Finding] = []
    unknown: list[str] = []
    for place, header in enumerate(headers):
        column = wanted.get(plain(header))
        if column is None:
            unknown += [header] if header else []
        elif column in places.values():
            problem = mark("Two columns of the file stand for this one.")
            faults.append(Finding(None, column, header, problem, how_to_choose))
        else:
            places[place] = column
    return places, faults, unknown


def unread_headers(unknown: Iterable[str], wanted: Mapping[str, str]) -> Iterator[Finding]:
    """A warning for each header that is nearly one of ours, then one for all the others."""
    lost: list[str] = []
    for header in unknown:
        if near := get_close_matches(plain(header), wanted, n=1, cutoff=0.8):
            fix = mark("If it is {column}, write that as its header.")
            yield Finding(None, "", header, mark("This column is not read."), fix, {"column": wanted[near[0]]})
        else:
            lost.append(header)
    if lost:
        yield Finding(None, "", "", mark("Not read: {headers}."), details={"headers": _listed(lost)})


def unread_sheets(table: Table) -> Iterator[Finding]:
    if table.other_sheets:
        problem = mark("Only the first sheet is read; not read: {sheets}.")
        yield Finding(None, "", "", problem, details={"sheets": _listed(table.other_sheets)})


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST_NAMED]) + (" …" if len(names) > MOST_NAMED else "")
