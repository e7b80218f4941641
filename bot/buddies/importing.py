"""Local students of a file against our records: who becomes a buddy, what changes, is kept, is refused. No I/O."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any

from bot.buddies.interests import Interests
from bot.buddies.models import ProfileState
from bot.buddies.profiles import (
    GENDERS,
    LONGEST_FIELD,
    LONGEST_WORDS,
    MOST_CAPACITY,
    MOST_LANGUAGES,
    Draft,
    draft_from,
)
from bot.clock import PARIS
from bot.i18n.languages import CONTENT_CODES, DEFAULT
from bot.i18n.translate import mark
from bot.students.cells import CLEARS, SEVERAL, as_text, read_cell
from bot.students.findings import Finding, Refused, shown
from bot.students.headers import places_of, unread_headers, unread_sheets
from bot.students.importing import Entry, Erased, Kept, Moved, Plan, Values
from bot.students.ownership import SCHOOL_OWNED
from bot.students.people import PERSON_FIELDS, person_problem
from bot.students.tables import Cell, Odd, Row, Table
from bot.students.vocabulary import HEADERS as STUDENT_HEADERS
from bot.students.vocabulary import plain, words_of

REQUIRED = ("email", "given_name", "family_name", "campus", "languages", "consent")
NEEDED = (*PERSON_FIELDS, "campus", "languages", "consent")
"""Cannot be cleared."""
NO_ANSWERS = (*PERSON_FIELDS, "former_email")
"""Columns that say who somebody is."""
HEADERS: Mapping[str, tuple[str, ...]] = {
    "email": STUDENT_HEADERS["email"],
    "former_email": ("previous e-mail", "former e-mail", "ancien e-mail", "ancien courriel", "ancienne adresse"),
    "given_name": STUDENT_HEADERS["given_name"],
    "family_name": STUDENT_HEADERS["family_name"],
    "language": STUDENT_HEADERS["language"],
    "campus": STUDENT_HEADERS["campus"],
    "languages": ("spoken languages", "languages spoken", "langues", "langues parlées"),
    "arrival": ("arrival date", "arrivée", "date d'arrivée"),
    "departure": ("departure date", "départ", "date de départ"),
    "interests": ("hobbies", "intérêts", "centres d'intérêt", "loisirs"),
    "field": ("field of study", "domaine", "domaine d'études", "filière"),
    "gender": ("sex", "genre", "sexe"),
    "same_gender": ("wants same gender", "même genre", "souhaite le même genre"),
    "same_field": ("wants same field", "même domaine", "souhaite le même domaine"),
    "capacity": ("number of newcomers", "places", "capacité", "nombre de places", "nombre de filleuls"),
    "consent": ("agreed on", "date of consent", "consentement", "date de consentement", "accord donné le"),
}
"""Column → headers that are recognised beside its own name; case, accents and punctuation do not count."""
COLUMNS = tuple(HEADERS)
ADDRESSES = ("email", "former_email")
READ_LIKE: Mapping[str, str] = {
    "former_email": "email",
    "arrival": "date_of_entry",
    "departure": "leaving_date",
    "consent": "enrolment_date",
    "same_gender": "wants_buddy",
    "same_field": "wants_buddy",
}
"""Columns whose cells hold what one of the students' file holds."""
MOST_ROWS = 2000
"""They are written in one piece, and nobody else writes meanwhile: a few seconds for so many."""
GENDER_WORDS: Mapping[str, tuple[str, ...]] = {
    "woman": ("female", "femme", "féminin", "F"),
    "man": ("male", "homme", "masculin", "H", "M"),
    "other": ("neither", "non-binary", "autre", "non binaire"),
}
"""Words for a gender beside its code."""

_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z]{4})?(?:[-_](?:[A-Za-z]{2}|\d{3}))?", re.ASCII)
_ARTICLE = re.compile(r"^(?:le|la|les|l) ")
_ANSWERS: Mapping[str, str] = {
    "campus": "campus",
    "languages": "languages",
    "arrival": "arrives_on",
    "departure": "leaves_on",
    "interests": "interests",
    "own_words": "own_words",
    "field": "field",
    "gender": "gender",
    "same_gender": "same_gender",
    "same_field": "same_field",
    "capacity": "capacity",
}
"""Name in a plan → field of the draft. `own_words` comes from the cell of `interests`; contact has no column."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One record that has an address of the file. `answers` (see `answers_of`) is None for who never signed up."""

    id: int
    is_local: bool
    left_on: date | None
    person: Mapping[str, str]
    corrected: Mapping[str, date]
    """Of `person` what the student changed last, and the day of it."""
    answers: Mapping[str, Any] | None = None
    state: ProfileState = ProfileState.SIGNED_UP
    consented_on: date | None = None
    changed_on: date | None = None
    """The day of the sign-up or of its last change; with `is_own` by the person, else the day of consent of a file."""
    is_own: bool = False
    taken: int = 0
    """Places of the capacity that newcomers have now."""


def answers_of(draft: Draft) -> dict[str, Any]:
    """A draft by the names of a plan, as JSON."""
    values = draft.as_json()
    return {name: values[field] for name, field in _ANSWERS.items()}


def draft_with(draft: Draft, answers: Mapping[str, Any]) -> Draft:
    """The draft after `answers`, which `answers_of` would give; how to be reached stays as it is."""
    given = draft_from({field: answers[name] for name, field in _ANSWERS.items()})
    return replace(given, contact_mail=draft.contact_mail, contact_other=draft.contact_other)


def consent_moment(day: date) -> datetime:
    """A file knows the day alone. Whatever the person does on that day comes later."""
    return datetime.combine(day, time(), PARIS)


def read_rows(table: Table, interests: Interests) -> tuple[list[Values], list[Finding], list[Finding]]:
    """The values of every row, then all faults, then all warnings."""
    if len(table.rows) > MOST_ROWS:
        fix = mark("Split it into files of at most {most} rows.")
        return [], [Finding(None, "", "", mark("The file has more than {most} rows."), fix, {"most": MOST_ROWS})], []
    places, faults, warnings = _columns(table)
    if not table.rows:
        faults.append(Finding(None, "", "", mark("The file has headers and no student."), mark("Export it again.")))
    words = _interest_words(interests)
    rows: list[Values] = []
    for row in table.rows:
        values, wrong = _values(row, places, len(table.headers), words)
        faults += wrong
        rows.append(Values(row.line, values))
    return rows, faults, warnings


def plan_import(
    rows: Sequence[Values],
    known: Mapping[str, Recorded],
    erased: Mapping[str, date],
    today: date,
    *,
    namesakes: Mapping[str, Sequence[str]] | None = None,
    faults: Sequence[Finding] = (),
    warnings: Sequence[Finding] = (),
) -> Plan:
    """Rows against records, both by address; where the address is new, by the former one. `erased` has the addresses
    that are not brought back, with the day; `namesakes` the addresses of local students by `name_key`.

    Of an entry `facts` holds the answers and `consent`.
    """
    told = {(fault.line, fault.field) for fault in faults}
    found: list[Finding] = [*faults, *_duplicates(rows)]
    in_file = {address for row in rows for address in addresses_of(row)}
    doubts: list[Finding] = []
    entries: list[Entry] = []
    gone: list[Erased] = []
    for row in rows:
        addresses = addresses_of(row)
        records = [known[address] for address in addresses if address in known]
        record = records[0] if records else None
        was_erased = next((address for address in addresses if address in erased), None)
        if record is None and was_erased is not None:
            gone.append(Erased(row.line, was_erased, erased[was_erased]))
            continue
        wrong = [*_row_faults(row, record, today), *_former_faults(row, records)]
        if not wrong:
            entry = _entry(row, record, today)
            wrong = list(_entry_faults(entry, record))
            entries.append(entry)
            same = (namesakes or {}).get(name_key(entry.name), ()) if record is None else ()
            doubts += _same_name(entry, [each for each in same if each not in in_file])
        # A cell that could not be read, or a column that is not there, is told once.
        found += [each for each in wrong if not {(each.line, each.field), (None, each.field)} & told]
    found.sort(key=lambda fault: fault.line or 0)
    refused = {fault.line for fault in found}
    kept = tuple(entry for entry in entries if entry.line not in refused)
    return Plan(today, kept, (), tuple(gone), tuple(found), (*warnings, *doubts))


def addresses_of(row: Values) -> tuple[str, ...]:
    """The address of a row, then the one that the person had before."""
    found = (row.values.get(field) for field in ADDRESSES)
    return tuple(str(each) for each in found if each is not None)


def name_key(name: str) -> str:
    """The same for names that differ in case, accents or punctuation alone."""
    return plain(name)


# Columns and cells


def _columns(table: Table) -> tuple[dict[int, str], list[Finding], list[Finding]]:
    """Place of each column that is read, faults of the header row, warnings."""
    wanted = {plain(header): column for column in COLUMNS for header in (column, *HEADERS[column])}
    places, faults, unknown = places_of(table.headers, wanted, mark("Take one of them out."))
    faults += [
        Finding(
            None,
            column,
            "",
            mark("The file has no column for this."),
            mark("Add the column {column}."),
            {"column": column},
        )
        for column in REQUIRED
        if column not in places.values()
    ]
    return places, faults, [*unread_headers(unknown, wanted), *unread_sheets(table)]


def _values(
    row: Row, places: Mapping[int, str], width: int, words: Mapping[str, str]
) -> tuple[dict[str, Any], list[Finding]]:
    values: dict[str, Any] = {}
    faults: list[Finding] = []
    if any(cell is not None for cell in row.cells[width:]):
        problem = mark("The row has more cells than there are headers.")
        fix = mark("Look for a separator inside a value, and put the value in quotation marks.")
        faults.append(Finding(row.line, "", shown(as_text(row.cells[width])), problem, fix))
    for place, cell in enumerate(row.cells):
        column = places.get(place)
        if column is None or cell is None or (isinstance(cell, str) and not cell.strip()):
            continue
        try:
            values |= _read(column, cell, words)
        except Refused as error:
            faults.append(error.at(row.line, column, "" if isinstance(cell, Odd) else as_text(cell)))
    return values, faults


def _read(column: str, cell: Cell, words: Mapping[str, str]) -> dict[str, Any]:
    """What one cell says, by the names of a plan; `words`: plain word → code of an interest.

    Raises:
        Refused: not a value of this column.
    """
    text = as_text(cell)
    if isinstance(cell, Odd) or text == CLEARS:
        # An address cannot be cleared either, and a formula is refused in any column.
        read_cell("email" if column in NEEDED else column, cell)
        return _CLEARED[column]
    match column:
        case "languages":
            return {"languages": _languages(text)}
        case "interests":
            return _interests(text, words)
        case "gender":
            return {"gender": _gender(text)}
        case "capacity":
            return {"capacity": _capacity(text)}
        case "field":
            return {"field": _short(text, LONGEST_FIELD)}
        case _:
            return {column: read_cell(READ_LIKE.get(column, column), cell)}


def _languages(text: str) -> list[str]:
    tags = list(dict.fromkeys(_language(part) for part in _parts(text)))
    if not tags:
        raise Refused(mark("No language is named."), mark("Write fr|en, say; the best spoken comes first."))
    if len(tags) > MOST_LANGUAGES:
        raise Refused(
            mark("These are {count} languages."),
            mark("Keep the {most} that are spoken best."),
            count=len(tags),
            most=MOST_LANGUAGES,
        )
    return tags


def _language(part: str) -> str:
    """pt-BR and Portuguese are pt: people who speak one understand the other."""
    is_name = plain(part) in words_of("birth_certificate_language")
    tag = None if is_name else _TAG.fullmatch(part)
    return str(read_cell("birth_certificate_language", tag[1] if tag else part))


def _interests(text: str, words: Mapping[str, str]) -> dict[str, Any]:
    codes, own = [], []
    for part in _parts(text):
        code = words.get(_bare(part))
        if code is not None:
            codes.append(code)
        else:
            own.append(part)
    return {"interests": list(dict.fromkeys(codes)), "own_words": _short(", ".join(dict.fromkeys(own)), LONGEST_WORDS)}


def _interest_words(interests: Interests) -> dict[str, str]:
    """The first code keeps a word that two would claim."""
    found: dict[str, str] = {}
    for code in interests.codes:
        for word in (code, *(interests.label(code, language) for language in CONTENT_CODES)):
            found.setdefault(_bare(word), code)
    return found


def _bare(word: str) -> str:
    """The French labels have their article; people write them with and without."""
    return _ARTICLE.sub("", plain(word))


def _gender(text: str) -> str:
    for code in GENDERS:
        if plain(text) in {plain(word) for word in (code, *GENDER_WORDS[code])}:
            return code
    raise Refused(
        mark("This is none of the values of this column."),
        mark("Write one of {values}, or leave it empty."),
        values=", ".join(GENDERS),
    )


def _capacity(text: str) -> int:
    if re.fullmatch(r"\d{1,3}", text, re.ASCII) and 1 <= int(text) <= MOST_CAPACITY:
        return int(text)
    raise Refused(
        mark("This is not a whole number from 1 to {most}."),
        mark("Write for how many newcomers the person has time, 1 say."),
        most=MOST_CAPACITY,
    )


def _short(text: str, most: int) -> str:
    if not text.isprintable():
        raise Refused(mark("The text holds signs that cannot be printed."), mark("Type it again."))
    if len(text) > most:
        raise Refused(
            mark("The text has {count} characters."), mark("Shorten it to {most}."), count=len(text), most=most
        )
    return text


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(SEVERAL) if part.strip()]


# Rows


def _duplicates(rows: Iterable[Values]) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for row in rows:
        for field in ADDRESSES:
            address = row.values.get(field)
            if address is not None and first.setdefault(address, row.line) != row.line:
                problem, fix = mark("Line {other} has the same value."), mark("Keep one row for each student.")
                yield Finding(row.line, field, address, problem, fix, {"other": first[address]})


def _former_faults(row: Values, records: Sequence[Recorded]) -> Iterator[Finding]:
    former = row.values.get("former_email")
    if former is None:
        return
    if not records:
        problem = mark("Nobody is recorded with this address.")
        yield Finding(row.line, "former_email", former, problem, mark("Correct it, or leave the cell empty."))
    elif len({record.id for record in records}) > 1:
        problem = mark("Both addresses have a record.")
        fix = mark("Leave the cell empty, and ask the person to delete one of the two in the chat.")
        yield Finding(row.line, "former_email", former, problem, fix)


def _same_name(entry: Entry, addresses: Iterable[str]) -> Iterator[Finding]:
    """Somebody new is perhaps somebody known whose address changed: that is for a person to say."""
    for address in addresses:
        yield Finding(
            entry.line,
            "email",
            entry.person["email"],
            mark("Same name as {other}: a second person?"),
            mark("If it is one person with a new address, write {other} in the column {column}."),
            {"other": address, "column": "former_email"},
        )


def _row_faults(row: Values, record: Recorded | None, today: date) -> Iterator[Finding]:
    """Why a row is nobody who can be a buddy."""
    if record is not None and not record.is_local:
        yield Finding(
            row.line,
            "email",
            record.person["email"],
            mark("This address belongs to an international student, who cannot be a buddy as well."),
            mark("Check the address; if it is right, take the row out."),
        )
    consent = row.values.get("consent")
    if consent is None:
        yield Finding(
            row.line,
            "consent",
            "",
            mark("Nobody is matched without having agreed to it."),
            mark("Write the day on which the person agreed, or take the row out."),
        )
    elif date.fromisoformat(consent) > today:
        yield Finding(
            row.line,
            "consent",
            consent,
            mark("This day is still to come."),
            mark("Write the day on which the person agreed."),
        )
    person = _person(row, record)
    for field in PERSON_FIELDS:
        if person_problem(field, person[field]) is not None:
            problem = mark("This is no e-mail address.") if person[field] else mark("A new record needs this.")
            sample = mark("Write it like amina.brahmi@student.junia.com.")
            fix = sample if field == "email" else mark("Fill in the cell.")
            yield Finding(row.line, field, person[field], problem, fix)


def _entry(row: Values, record: Recorded | None, today: date) -> Entry:
    """How the record will stand: the newer word wins, that of the file or the person's own."""
    person = _person(row, record)
    before = _before(record)
    said = {name: value for name, value in row.values.items() if name not in NO_ANSWERS} | _signing_up(record, today)
    kept = list(_kept_person(row, record))
    later = _later_word(record, date.fromisoformat(said["consent"]), today)
    if later is None:
        after = before | said
    else:
        after = before
        # An older consent that is not taken over is nothing that somebody has to look at.
        different = (name for name in said if name != "consent" and said[name] != before[name])
        kept += [Kept(name, said[name], later) for name in different]
    changes = _changes({**record.person, **before}, {**person, **after}) if record is not None else ()
    answers = {name: after[name] for name in (*_ANSWERS, "consent")}
    return Entry(row.line, record.id if record else None, None, person, answers, tuple(changes), tuple(kept))


_DEFAULTS = answers_of(Draft())
_CLEARED: Mapping[str, dict[str, Any]] = {
    **{column: {column: _DEFAULTS.get(column)} for column in COLUMNS},
    "interests": {"interests": [], "own_words": ""},
}


def _signing_up(record: Recorded | None, today: date) -> dict[str, Any]:
    """What a row says without a column of its own; a day of leaving that is still to come stays."""
    has_left = record is not None and record.left_on is not None and record.left_on <= today
    return {"state": str(ProfileState.SIGNED_UP), **({"left_on": None} if has_left else {})}


def _before(record: Recorded | None) -> dict[str, Any]:
    """What is recorded, by the names of a plan."""
    if record is None or record.answers is None:
        left_on = record.left_on if record is not None else None
        return {**_DEFAULTS, "consent": None, "state": None, "left_on": _iso(left_on)}
    return {
        **record.answers,
        "consent": _iso(record.consented_on),
        "state": str(record.state),
        "left_on": _iso(record.left_on),
    }


def _later_word(record: Recorded | None, consent: date, today: date) -> date | None:
    """The day on which something was said or happened that a consent of that day does not undo."""
    if record is None:
        return None
    if record.left_on is not None and consent < record.left_on <= today:
        return record.left_on
    if record.changed_on is None or record.changed_on < consent:
        return None
    return record.changed_on if record.is_own or record.changed_on > consent else None


def _entry_faults(entry: Entry, record: Recorded | None) -> Iterator[Finding]:
    """What does not fit together in the answers that a row leaves, where it changes any."""
    answers = entry.facts
    if record is not None and all(moved.field in PERSON_FIELDS for moved in entry.changes):
        return
    for column in ("campus", "languages"):
        if not answers[column]:
            yield Finding(entry.line, column, "", mark("A new record needs this."), mark("Fill in the cell."))
    if answers["arrival"] and answers["departure"] and answers["departure"] < answers["arrival"]:
        yield Finding(
            entry.line,
            "departure",
            answers["departure"],
            mark("This day lies before {other}, {day}."),
            mark("Correct one of the two."),
            {"other": "arrival", "day": answers["arrival"]},
        )
    for wish, own in (("same_gender", "gender"), ("same_field", "field")):
        if answers[wish] and not answers[own]:
            yield Finding(
                entry.line,
                own,
                "",
                mark("The person wishes the same as their own, and this cell does not say what it is."),
                mark("Fill in the cell, or write no under {column}."),
                {"column": wish},
            )
    if record is not None and answers["capacity"] < record.taken:
        yield Finding(
            entry.line,
            "capacity",
            str(answers["capacity"]),
            mark("This buddy has {taken} newcomers or proposals now."),
            mark("Write {taken} or more; end a pair first if it has to be fewer."),
            {"taken": record.taken},
        )


def _person(row: Values, record: Recorded | None) -> dict[str, str]:
    kept = {each.field for each in _kept_person(row, record)}
    before = record.person if record is not None else {}
    person = {
        field: str(before.get(field, "") if field in kept else row.values.get(field) or before.get(field, ""))
        for field in PERSON_FIELDS
    }
    return {**person, "language": person["language"] or DEFAULT}


def _kept_person(row: Values, record: Recorded | None) -> Iterator[Kept]:
    if record is None:
        return
    for field, day in record.corrected.items():
        value = row.values.get(field)
        if value is not None and field not in SCHOOL_OWNED and value != record.person[field]:
            yield Kept(field, value, day)


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Moved]:
    for name, value in after.items():
        if before[name] != value:
            yield Moved(name, before[name], value)


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None
