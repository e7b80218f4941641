"""The students of the school's file against our records: what would be new, changed, kept, refused. No I/O."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from hashlib import sha256
from typing import Any, Literal

import yaml

from bot.i18n.languages import DEFAULT
from bot.i18n.translate import mark
from bot.students.cells import as_text, read_cell
from bot.students.changes import merged, out_of_order
from bot.students.facts import FactsError, facts_from
from bot.students.findings import Finding, Refused
from bot.students.headers import places_of, unread_headers, unread_sheets
from bot.students.ownership import SCHOOL_OWNED
from bot.students.people import PERSON_FIELDS, person_problem
from bot.students.tables import Odd, Row, Table
from bot.students.vocabulary import COLUMNS, HEADERS, REQUIRED, plain

Mapped = Mapping[str, tuple[str, ...]]
"""Column → the headers of the file that stand for it; empty: the column is not read."""


@dataclass(frozen=True, slots=True)
class Values:
    """One row of the file: what its cells say. A missing column is left as it is, None forgets the fact."""

    line: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """One record. `corrected` has the facts whose last change is the student's own, and the day of it."""

    id: int
    source_id: str | None
    left_on: date | None
    person: Mapping[str, str]
    facts: Mapping[str, Any]
    corrected: Mapping[str, date]
    is_local: bool = False
    """A buddy who studies here already; the file has newcomers only."""


@dataclass(frozen=True, slots=True)
class Moved:
    """One value that changes. `field` is a column, or `left_on`."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Kept:
    """A value of the file that does not replace what the student corrected on `day`."""

    field: str
    in_file: Any
    day: date


@dataclass(frozen=True, slots=True)
class Entry:
    """One row that can be imported. `id` is the record's, None for a new one; the rest is how it will stand."""

    line: int
    id: int | None
    source_id: str | None
    person: Mapping[str, str]
    facts: Mapping[str, Any]
    changes: tuple[Moved, ...]
    kept: tuple[Kept, ...]

    @property
    def kind(self) -> Literal["new", "changed", "unchanged"]:
        if self.id is None:
            return "new"
        return "changed" if self.changes else "unchanged"

    @property
    def name(self) -> str:
        return f"{self.person['given_name']} {self.person['family_name']}"


@dataclass(frozen=True, slots=True)
class Leaver:
    """A record whose number is no longer in a complete file."""

    id: int
    source_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Erased:
    """A row whose person asked to be erased, and is not brought back."""

    line: int
    email: str
    day: date


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do. With `faults` it does nothing at all."""

    today: date
    entries: tuple[Entry, ...] = ()
    left: tuple[Leaver, ...] = ()
    erased: tuple[Erased, ...] = ()
    faults: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        kinds = Counter(entry.kind for entry in self.entries)
        return {
            "new": kinds["new"],
            "changed": kinds["changed"],
            "unchanged": kinds["unchanged"],
            "left": len(self.left),
            "erased": len(self.erased),
            "refused": len({fault.line for fault in self.faults if fault.line is not None}),
        }

    @property
    def digest(self) -> str:
        """The same for plans that do the same."""
        return sha256(repr((self.today, self.entries, self.left, self.erased, self.faults)).encode()).hexdigest()


def read_mapping(text: str) -> Mapped:
    """A mapping file: YAML, our column → the header or the headers of the school's file, null: do not read it.

    Raises:
        Refused: not YAML of that shape, or a column that does not exist.
    """
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Refused(mark("The mapping file is not YAML."), mark("Begin with docs/templates/mapping.yml.")) from error
    if not isinstance(raw, Mapping):
        raise Refused(
            mark("The mapping file is not a list of `column: header`."), mark("Begin with docs/templates/mapping.yml.")
        )
    found: dict[str, tuple[str, ...]] = {}
    for column, given in raw.items():
        headers = given if isinstance(given, list) else [] if given is None else [given]
        if column not in COLUMNS:
            near = get_close_matches(str(column), COLUMNS, n=1)
            raise Refused(
                mark("The mapping file names the column {column}, which does not exist."),
                mark("Did you mean {near}? The data dictionary has all of them."),
                column=column,
                near=near[0] if near else COLUMNS[0],
            )
        if not all(isinstance(header, str) and header.strip() for header in headers):
            raise Refused(
                mark("The mapping file gives the column {column} something that is no header."),
                mark("Write the header of the file in quotation marks."),
                column=column,
            )
        found[column] = tuple(headers)
    return found


def read_rows(table: Table, mapping: Mapped | None = None) -> tuple[list[Values], list[Finding], list[Finding]]:
    """The values of every row, then all faults, then all warnings."""
    places, faults, warnings = _columns(table, mapping or {})
    if not table.rows:
        faults.append(Finding(None, "", "", mark("The file has headers and no student."), mark("Export it again.")))
    rows: list[Values] = []
    reader = _Cells()
    for row in table.rows:
        values, wrong = reader.read(row, places, len(table.headers))
        faults += wrong
        if values:
            rows.append(Values(row.line, values))
    return rows, faults, warnings


def plan_import(
    rows: Sequence[Values],
    known: Sequence[Known],
    erased: Mapping[str, date],
    today: date,
    *,
    complete: bool = False,
    faults: Sequence[Finding] = (),
    warnings: Sequence[Finding] = (),
) -> Plan:
    """Rows against records: matched by number, else by address.

    `erased` has the addresses that are not brought back, with the day of their erasure. With `complete`, records whose
    number the file no longer holds are left behind.
    """
    twice = list(_duplicates(rows))
    lines_twice = {fault.line for fault in twice}
    found: list[Finding] = [*faults, *twice]
    by_number = {record.source_id: record for record in known if record.source_id is not None}
    by_address = {record.person["email"]: record for record in known}
    entries: list[Entry] = []
    gone: list[Erased] = []
    taken: dict[int, int] = {}
    for row in rows:
        try:
            record = _match(row, by_number, by_address)
            if record is None and (address := row.values.get("email")) in erased:
                gone.append(Erased(row.line, str(address), erased[str(address)]))
                continue
            if record is not None and (other := taken.setdefault(record.id, row.line)) != row.line:
                if row.line in lines_twice:
                    continue
                raise _Misplaced("email", row.values.get("email", ""), *_SAME_RECORD, other=other)
            entry, wrong = _entry(row, record, today)
        except _Misplaced as error:
            found.append(error.at(row.line, error.column, error.value))
            continue
        found += wrong
        if not wrong:
            entries.append(entry)
    told = {fault.line for fault in found if fault.field == "email"}
    found += _addresses_taken(entries, known, told)
    # Whoever is in the file has not left, also when something else in the row is wrong.
    present = {str(row.values["source_id"]) for row in rows if row.values.get("source_id")}
    left = [
        Leaver(record.id, record.source_id, f"{record.person['given_name']} {record.person['family_name']}")
        for record in known
        if complete
        and record.source_id is not None
        and record.left_on is None
        and record.source_id not in present
        and record.id not in taken
    ]
    found.sort(key=lambda fault: fault.line or 0)
    refused = {fault.line for fault in found}
    entries = [entry for entry in entries if entry.line not in refused]
    return Plan(today, tuple(entries), tuple(left), tuple(gone), tuple(found), tuple(warnings))


def _columns(table: Table, mapping: Mapped) -> tuple[dict[int, str], list[Finding], list[Finding]]:
    """Place of each column that is read, faults of the header row, warnings."""
    wanted: dict[str, str] = {}
    for column in COLUMNS:
        for header in mapping.get(column, (column, *HEADERS[column])):
            # What the mapping file says goes before what is likely.
            if column in mapping or plain(header) not in wanted:
                wanted[plain(header)] = column
    how_to_choose = mark("Take one of them out, or say in a mapping file which one counts.")
    places, faults, unknown = places_of(table.headers, wanted, how_to_choose)
    faults += _missing(set(places.values()), mapping)
    return places, faults, [*unread_headers(unknown, wanted), *_no_numbers(places), *unread_sheets(table)]


_SAME_RECORD = (
    mark("Line {other} is about the same record."),
    mark("Keep one row for each student."),
)


def _missing(present: set[str], mapping: Mapped) -> Iterator[Finding]:
    for column in COLUMNS:
        if column in present:
            continue
        if named := mapping.get(column):
            yield Finding(
                None,
                column,
                named[0],
                mark("The mapping file names a header that the file does not have."),
                mark("Copy the header from the first row of the file."),
            )
        elif column in REQUIRED:
            yield Finding(
                None,
                column,
                "",
                mark("The file has no column for this."),
                mark("Add the column {column}, or name its header in a mapping file."),
                {"column": column},
            )


def _no_numbers(places: Mapping[int, str]) -> Iterator[Finding]:
    if "source_id" not in places.values():
        yield Finding(
            None,
            "source_id",
            "",
            mark("Without student numbers a changed address makes a second record, and leavers are not found."),
            mark("Add the column source_id."),
        )


class _Cells:
    """Reads the cells of one file; a value that comes again is not worked out again."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], Any] = {}

    def read(self, row: Row, places: Mapping[int, str], width: int) -> tuple[dict[str, Any], list[Finding]]:
        values: dict[str, Any] = {}
        faults: list[Finding] = []
        if any(cell is not None for cell in row.cells[width:]):
            faults.append(
                Finding(
                    row.line,
                    "",
                    as_text(row.cells[width]),
                    mark("The row has more cells than there are headers."),
                    mark("Look for a separator inside a value, and put the value in quotation marks."),
                )
            )
        for place, cell in enumerate(row.cells):
            column = places.get(place)
            if column is None or cell is None or (isinstance(cell, str) and not cell.strip()):
                continue
            try:
                values[column] = self._value(column, cell)
            except Refused as error:
                faults.append(error.at(row.line, column, "" if isinstance(cell, Odd) else as_text(cell)))
        return values, faults

    def _value(self, column: str, cell: Any) -> Any:
        if not isinstance(cell, str) or column in ("source_id", *PERSON_FIELDS):
            return read_cell(column, cell)
        key = (column, cell)
        if key not in self.known:
            self.known[key] = read_cell(column, cell)
        return self.known[key]


class _Misplaced(Refused):
    """A row that fits no record, or two."""

    def __init__(self, column: str, value: object, problem: str, fix: str, **details: Any) -> None:
        super().__init__(problem, fix, **details)
        self.column, self.value = column, value


def _duplicates(rows: Sequence[Values]) -> Iterator[Finding]:
    for column in ("source_id", "email"):
        first: dict[str, int] = {}
        for row in rows:
            value = row.values.get(column)
            if value is not None and first.setdefault(value, row.line) != row.line:
                yield Finding(
                    row.line,
                    column,
                    value,
                    mark("Line {other} has the same value."),
                    mark("Keep one row for each student."),
                    {"other": first[value]},
                )


def _match(row: Values, by_number: Mapping[str, Known], by_address: Mapping[str, Known]) -> Known | None:
    number, address = row.values.get("source_id"), row.values.get("email")
    numbered = by_number.get(number) if number else None
    addressed = by_address.get(address) if address else None
    if addressed is not None and addressed.is_local:
        raise _Misplaced(
            "email",
            address,
            mark("This address belongs to a local student, who is a buddy."),
            mark("Check the address; if it is right, take the row out."),
        )
    if numbered is not None:
        return numbered
    if addressed is None or number is None or addressed.source_id is None:
        return addressed
    if _same_name(row, addressed):
        return addressed
    raise _Misplaced(
        "source_id",
        number,
        mark("The record of {email} has the number {recorded} and another name."),
        mark("Check number, name and address; an address that was given to somebody else needs a new one."),
        email=address,
        recorded=addressed.source_id,
    )


def _same_name(row: Values, record: Known) -> bool:
    return all(
        plain(str(row.values.get(field, ""))) == plain(record.person[field]) for field in ("given_name", "family_name")
    )


def _entry(row: Values, record: Known | None, today: date) -> tuple[Entry, list[Finding]]:
    """How the record will stand, and what is wrong with it; of a row with faults the entry means nothing."""
    values = row.values if record is None else _without_kept(row, record)
    person = {field: values.get(field, record.person[field] if record else "") for field in PERSON_FIELDS}
    person["language"] = person["language"] or DEFAULT
    faults = [
        Finding(
            row.line,
            field,
            str(person[field]),
            mark("This is no e-mail address.") if person[field] else mark("A new record needs this."),
            mark("Write it like amina.brahmi@student.junia.com.") if field == "email" else mark("Fill in the cell."),
        )
        for field in PERSON_FIELDS
        if person_problem(field, person[field]) is not None
    ]
    before = dict(record.facts) if record else {}
    facts = before
    given = {name: value for name, value in values.items() if name not in ("source_id", *PERSON_FIELDS)}
    if any(before.get(name) != value for name, value in given.items()):
        try:
            facts = merged(before, given)
            faults += _order_faults(row.line, facts, given)
        except FactsError as error:
            faults += [_of_facts(row.line, problem) for problem in error.problems]
    source_id = values.get("source_id") or (record.source_id if record else None)
    changes = tuple(_changes(record, source_id, person, facts)) if record else ()
    kept = tuple(_kept(row, record)) if record else ()
    entry = Entry(row.line, record.id if record else None, source_id, person, facts, changes, kept)
    return entry, faults


def _kept(row: Values, record: Known) -> Iterator[Kept]:
    recorded = {**record.facts, **record.person}
    for name, value in row.values.items():
        day = record.corrected.get(name)
        if day is not None and name not in SCHOOL_OWNED and recorded.get(name) != value:
            yield Kept(name, value, day)


def _without_kept(row: Values, record: Known) -> dict[str, Any]:
    kept = {each.field for each in _kept(row, record)}
    return {name: value for name, value in row.values.items() if name not in kept}


def _changes(
    record: Known, source_id: str | None, person: Mapping[str, str], facts: Mapping[str, Any]
) -> Iterator[Moved]:
    if source_id != record.source_id:
        yield Moved("source_id", record.source_id, source_id)
    before: dict[str, Any] = {**record.person, **record.facts}
    after: dict[str, Any] = {**person, **facts}
    for name in dict.fromkeys((*after, *before)):
        if before.get(name) != after.get(name):
            yield Moved(name, before.get(name), after.get(name))
    if record.left_on is not None:
        yield Moved("left_on", record.left_on.isoformat(), None)


def _order_faults(line: int, facts: Mapping[str, Any], given: Iterable[str]) -> list[Finding]:
    return [
        Finding(
            line,
            last,
            str(facts[last]),
            mark("This day lies before {other}, {day}."),
            mark("Correct one of the two."),
            {"other": first, "day": facts[first]},
        )
        for first, last in out_of_order(facts_from(facts), given)
    ]


def _of_facts(line: int, problem: str) -> Finding:
    name, _, words = problem.partition(": ")
    reason, _, fix = words.partition("; ")
    return Finding(line, name.partition(".")[0], "", "{reason}", "{fix}", {"reason": reason, "fix": fix})


def _addresses_taken(entries: Sequence[Entry], known: Sequence[Known], told: set[int | None]) -> Iterator[Finding]:
    """Addresses that two records would have at the end; one that is passed on inside the file is fine."""
    moving = {entry.id for entry in entries}
    owned = {record.person["email"] for record in known if record.id not in moving}
    for entry in entries:
        address = entry.person["email"]
        if address in owned and entry.line not in told:
            yield Finding(
                entry.line,
                "email",
                address,
                mark("This is the address of another record."),
                mark("Check which of the two students has it; correct the other one first."),
            )
        owned.add(address)
