"""Offers from a CSV file of the office: one line for each meeting or weekly pattern, all or nothing."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.bookings.models import Offer, OfferKind, Service
from bot.bookings.rules import CAMPUSES, LEVELS, MOST_PLACES, ONE_OF, OfferData, Span, faults_of, weekly
from bot.bookings.service import WrongOffer, change_offer, changed_fields, create_offer
from bot.i18n.translate import mark
from bot.students.cells import as_text, read_cell
from bot.students.files import read_table
from bot.students.findings import Finding, Refused
from bot.students.records import CAMPUS_CITIES
from bot.students.tables import Cell, Odd
from bot.students.vocabulary import plain

COLUMNS = (
    "code",
    "kind",
    "title_en",
    "title_fr",
    "service",
    "campus",
    "level",
    "places",
    "room",
    "host",
    "date",
    "starts",
    "ends",
    "weekly_until",
)
REQUIRED = ("code", "kind", "title_en", "date", "starts", "ends")
OF_THE_OFFER = COLUMNS[1:10]
"""Columns that every line of one code has to agree in; the first line may say them for all."""
KIND_WORDS = {
    "french class": OfferKind.FRENCH_CLASS,
    "cours de francais": OfferKind.FRENCH_CLASS,
    "appointment": OfferKind.APPOINTMENT,
    "rendez vous": OfferKind.APPOINTMENT,
    "event": OfferKind.EVENT,
    "evenement": OfferKind.EVENT,
}
SAMPLE_MEETING = "2026-12-01 18:00-20:00"
EVERYWHERE = frozenset({"all", "every campus", "tous", "tous les campus"})

Value = TypeVar("Value")

_CLOCK = re.compile(r"(\d{1,2})(?:[:h.](\d{2}))?(?::00)?h?", re.ASCII)
_CODE = re.compile(r"[\w][\w .:/+-]*")


@dataclass(frozen=True)
class Line:
    """One row that could be read."""

    number: int
    values: Mapping[str, str]
    meetings: tuple[Span, ...]


@dataclass(frozen=True)
class Plan:
    """What a file asks for. With `faults` nothing of it is done."""

    offers: tuple[OfferData, ...]
    faults: tuple[Finding, ...]
    warnings: tuple[Finding, ...] = ()
    lines: Mapping[str, int] | None = None
    """Code → its first line, to name faults that only the stored offers show."""


@dataclass(frozen=True)
class Changed:
    code: str
    fields: tuple[str, ...]
    told: int


@dataclass(frozen=True)
class Imported:
    """What was done; a dry run rolls it back. `unchanged` and `new` are codes."""

    new: tuple[str, ...] = ()
    changed: tuple[Changed, ...] = ()
    unchanged: tuple[str, ...] = ()
    faults: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()


def read_plan(content: bytes) -> Plan:
    """Everything that the file says, or everything that is wrong with it."""
    try:
        table = read_table(content)
    except Refused as refused:
        return Plan((), (refused.at(),))
    headers = [plain(header).replace(" ", "_") for header in table.headers]
    missing = [column for column in REQUIRED if column not in headers]
    if missing:
        fix = mark("Add it to the first line; docs/bookings.md names the columns.")
        return Plan((), tuple(Finding(1, name, "", mark("This column is missing."), fix) for name in missing))
    twice = [column for column in COLUMNS if headers.count(column) > 1]
    if twice:
        problem, fix = mark("This column is there twice."), mark("Take one of the two out.")
        return Plan((), tuple(Finding(1, name, "", problem, fix) for name in twice))
    warnings = tuple(
        Finding(1, written, "", mark("This column is not read."), mark("The columns are: {values}."), _listed(COLUMNS))
        for header, written in zip(headers, table.headers, strict=True)
        if header not in COLUMNS
    )
    faults: list[Finding] = []
    lines = []
    for row in table.rows:
        cells = dict(zip(headers, row.cells, strict=False))
        line, wrong = _line(row.line, {name: cells.get(name) for name in COLUMNS})
        faults += wrong
        if line is not None:
            lines.append(line)
    if not table.rows:
        faults.append(Finding(None, "", "", mark("The file holds no offer."), mark("Add a line for each meeting.")))
    by_code: dict[str, list[Line]] = {}
    for line in lines:
        by_code.setdefault(line.values["code"], []).append(line)
    offers = []
    for same in by_code.values():
        data, wrong = _offer(same)
        faults += wrong
        offers.append(data)
    ordered = sorted(faults, key=lambda each: each.line or 0)
    return Plan(tuple(offers), tuple(ordered), warnings, {code: same[0].number for code, same in by_code.items()})


def apply_plan(session: Session, plan: Plan, now: datetime) -> Imported:
    """Make and change the offers; with any fault the caller has to roll back, the result says which.

    Offers that the file does not name stay as they are. Bookings are never lost.
    """
    if plan.faults:
        return Imported(faults=plan.faults, warnings=plan.warnings)
    known = {
        offer.code: offer
        for offer in session.scalars(select(Offer).where(Offer.code.in_([each.code for each in plan.offers])))
    }
    new, changed, unchanged = [], [], []
    faults: list[Finding] = []
    warnings = list(plan.warnings)
    # In the order of their rows in the database: see bot.bookings.service on who waits for whom.
    for data in sorted(plan.offers, key=lambda each: known[each.code].id if each.code in known else 0):
        line = (plan.lines or {}).get(data.code)
        offer = known.get(data.code)
        try:
            if offer is None:
                create_offer(session, data, now)
                new.append(data.code)
                continue
            if offer.cancelled_at is not None:
                problem = mark("This offer was cancelled and stays so.")
                fix = mark("Give it another code to offer it again.")
                warnings.append(Finding(line, "code", data.code, problem, fix))
            if changed_fields(offer, data):
                change = change_offer(session, offer.id, data, now)
                changed.append(Changed(data.code, change.fields, change.told))
            else:
                unchanged.append(data.code)
        except WrongOffer as wrong:
            faults += [replace(each, line=line) for each in wrong.faults]
    return Imported(tuple(new), tuple(changed), tuple(unchanged), tuple(faults), tuple(warnings))


def _line(number: int, cells: Mapping[str, Cell]) -> tuple[Line | None, list[Finding]]:
    faults = []
    values: dict[str, str] = {}
    for name, cell in cells.items():
        if isinstance(cell, Odd):
            problem, fix = mark("The cell holds a formula or an error."), mark("Paste it as a value.")
            faults.append(Finding(number, name, "", problem, fix))
        values[name] = as_text(cell) if cell is not None and not isinstance(cell, Odd) else ""
    if not values["code"]:
        faults.append(Finding(number, "code", "", mark("This is empty."), mark("Give the offer a name of your own.")))
    elif not _CODE.fullmatch(values["code"]):
        problem = mark("A code holds letters, digits, spaces and - _ . : / + only.")
        faults.append(Finding(number, "code", values["code"], problem, mark("Change it.")))
    meetings: tuple[Span, ...] = ()
    when: dict[str, date | time | None] = {}
    for name, read in (("date", read_day), ("starts", _clock), ("ends", _clock), ("weekly_until", read_day)):
        cell = cells[name]
        if cell is None or isinstance(cell, Odd) or not values[name]:
            when[name] = None
            if name in REQUIRED and not isinstance(cell, Odd):
                faults.append(Finding(number, name, "", mark("This is empty."), mark("Fill it in.")))
            continue
        try:
            when[name] = read(cell)
        except Refused as refused:
            faults.append(refused.at(number, name, values[name]))
    first, starts, ends = when.get("date"), when.get("starts"), when.get("ends")
    last = when.get("weekly_until")
    until = last if isinstance(last, date) else None
    if isinstance(first, date) and isinstance(starts, time) and isinstance(ends, time) and not faults:
        try:
            meetings = weekly(first, starts, ends, until)
        except Refused as refused:
            field = field_of_pattern(starts, ends, refused)
            faults.append(refused.at(number, field, values[field]))
    return (Line(number, values, meetings) if not faults else None), faults


def read_day(cell: Cell) -> date:
    """As dates of records are read: French and ISO forms, never the American order."""
    return date.fromisoformat(str(read_cell("programme_start", cell)))


def _clock(cell: Cell) -> time:
    return read_clock(as_text(cell))


def field_of_pattern(starts: time, ends: time, refused: Refused) -> str:
    """Which of the four fields of a pattern is to be corrected: hours of no moment name the time that is none."""
    if ends <= starts:
        return "ends"
    at = refused.details.get("time")
    if at is None:
        return "weekly_until"
    return "starts" if at == f"{starts:%H:%M}" else "ends"


def read_clock(text: str) -> time:
    """18:00, 18h, 18h00. Raises Refused."""
    found = _CLOCK.fullmatch(text.replace(" ", ""))
    if found is not None:
        with suppress(ValueError):
            return time(int(found[1]), int(found[2] or 0))
    raise Refused(mark("This is not a time."), mark("Write hours and minutes from 00:00 to 23:59, such as 18:00."))


def read_meetings(text: str) -> tuple[tuple[Span, ...], list[Finding]]:
    """One meeting a line, "2026-12-01 18:00-20:00", as the console writes them; with what is wrong by line."""
    spans: list[Span] = []
    faults = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        found = re.fullmatch(r"(.+?)[ ,]+(\S+?) ?(?:-|–|to|à) ?(\S+)", line.strip())
        try:
            if found is None:
                raise Refused(mark("This is not a meeting."), mark("Write it as {sample}."), sample=SAMPLE_MEETING)
            spans += weekly(read_day(found[1]), read_clock(found[2]), read_clock(found[3]), None)
        except Refused as refused:
            faults.append(refused.at(number, "meetings", line.strip()))
    return tuple(sorted(spans)), faults


def offer_data(
    values: Mapping[str, str], meetings: tuple[Span, ...], line: int | None = None
) -> tuple[OfferData, list[Finding]]:
    """An offer from the words of a file or a form, by the names of COLUMNS; with everything that is wrong."""
    faults = []

    def wrong(name: str, problem: str, allowed: tuple[str, ...]) -> None:
        faults.append(Finding(line, name, values[name][:80], problem, ONE_OF, _listed(allowed)))

    kind = _one_of(values["kind"], {each: each for each in OfferKind} | KIND_WORDS)
    if kind is None:
        wrong("kind", mark("This is no kind of offer."), tuple(OfferKind))
    service = _one_of(values["service"], {each: each for each in Service})
    if values["service"] and service is None:
        wrong("service", mark("This is no service."), tuple(Service))
    campus = _one_of(values["campus"], {plain(city): code for code, city in CAMPUS_CITIES.items()})
    if values["campus"] and campus is None and plain(values["campus"]) not in EVERYWHERE:
        wrong("campus", mark("This is no campus."), CAMPUSES)
    level = values["level"].upper() or None
    if level is not None and level not in LEVELS:
        wrong("level", mark("This is no level."), LEVELS)
    places = None
    if values["places"]:
        if re.fullmatch(r"\d{1,5}", values["places"], re.ASCII) and int(values["places"]) <= MOST_PLACES:
            places = int(values["places"])
        else:
            fix = mark("Write a whole number, or leave it empty for no limit.")
            problem = mark("This is not a number of places.")
            faults.append(Finding(line, "places", values["places"][:80], problem, fix))
    data = OfferData(
        code=values["code"],
        kind=kind or OfferKind.EVENT,
        title_en=values["title_en"],
        title_fr=values["title_fr"],
        service=service,
        campus=campus,
        level=level,
        places=places if places is not None or kind != OfferKind.APPOINTMENT or values["places"] else 1,
        room=values["room"] or None,
        host=values["host"] or None,
        meetings=tuple(sorted(set(meetings))),
    )
    named = {each.field for each in faults}
    if kind is not None:
        faults += [replace(each, line=line) for each in faults_of(data) if each.field not in named]
    return data, faults


def _offer(lines: list[Line]) -> tuple[OfferData, list[Finding]]:
    """The lines of one code together."""
    first = lines[0]
    faults = [
        Finding(
            line.number,
            name,
            line.values[name][:80],
            mark("Line {line} of the same code says something else: {value}."),
            mark("Write the same, or leave it empty here."),
            {"line": first.number, "value": first.values[name] or "–"},
        )
        for line in lines[1:]
        for name in OF_THE_OFFER
        if line.values[name] and line.values[name] != first.values[name]
    ]
    meetings = [each for line in lines for each in line.meetings]
    data, wrong = offer_data(first.values, tuple(meetings), first.number)
    return data, faults + wrong


def _one_of(text: str, words: Mapping[str, Value]) -> Value | None:
    if text in words:
        return words[text]
    return {plain(word): value for word, value in words.items()}.get(plain(text)) if text else None


def _listed(values: tuple[str, ...]) -> dict[str, str]:
    return {"values": ", ".join(values)}
