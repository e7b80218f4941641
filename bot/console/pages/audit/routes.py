"""The log of who did what: to read, to filter, to check, to take away as a table."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from bot.bootstrap import Services
from bot.clock import PARIS
from bot.console.access import ServicesDep, by_session, services_of
from bot.console.html import HEADERS, Notice, console_language, office_page
from bot.console.pages.audit.words import action_words, details_words
from bot.console.words import short_moment
from bot.errors import InvalidField
from bot.i18n.translate import mark, say
from bot.identity.audit import ChainState, record, verify
from bot.identity.models import AuditEntry, AuditHead, Staff
from bot.identity.staff import SignedIn, all_staff

PAGE = "/staff/audit"
TABLE = f"{PAGE}/log.csv"
ROWS = 100
BATCH = 1000
COLUMNS = ("place", "at", "account", "action", "conversation", "details", "previous", "hash")
FIELDS = ("account", "action", "conversation", "since", "until")
WRONG = {
    "account": mark("Choose one of the accounts."),
    "conversation": mark(
        "This is not the number of a conversation; it looks like 7f8ad1f0-95d6-4c0c-b7a1-6a0f2a7f7d10."
    ),
    "since": mark("This is not a date; write it as 2026-11-28."),
    "until": mark("This is not a date; write it as 2026-11-28."),
    "before": mark("This is not a place in the log."),
}

SignedInDep = Annotated[SignedIn, Depends(by_session)]


@dataclass(frozen=True)
class Row:
    place: int
    at: str
    who: str
    action: str
    conversation: str
    details: str


def render(request: Request, signed_in: SignedIn) -> Response:
    """The newest entries; `?before=PLACE` goes on, `?check=1` computes the chain."""
    services = services_of(request)
    language = console_language(signed_in.staff.language)
    draft = {name: request.query_params.get(name, "").strip()[:200] for name in FIELDS}
    faults: dict[str, str] = {}
    wanted: list[ColumnElement[bool]] = []
    try:
        wanted = filters_of({**draft, "before": request.query_params.get("before", "")})
    except InvalidField as fault:
        field = str(fault.details["field"])
        faults = {field: say(language, WRONG[field])}
    with services.database.snapshot() as session:
        checked = verify(session) if "check" in request.query_params else None
        found = [] if faults else _entries(session, wanted, ROWS + 1)
        everybody = all_staff(session)
        names = _names(services, everybody, language)
        rows = [_row(entry, email, names, language) for entry, email in found[:ROWS]]
        head = session.get(AuditHead, 1)
        accounts = [(str(staff.id), staff.name) for staff in everybody]
        actions = session.scalars(select(AuditEntry.action).distinct()).all()
        values: dict[str, Any] = {
            "rows": rows,
            "older": _address(draft, before=rows[-1].place) if len(found) > ROWS else None,
            "table": f"{TABLE}?{urlencode(draft)}",
            "head": (head.position, head.hash, head.purged) if head is not None else (0, "", 0),
            "accounts": accounts,
            "actions": sorted(((each, action_words(each, language)) for each in actions), key=lambda pair: pair[1]),
            "draft": draft,
            "faults": faults,
            "notices": [_chain_notice(checked, language)] if checked is not None else [],
        }
    return office_page("audit.html", PAGE, signed_in, 422 if faults else 200, **values)


def routes() -> APIRouter:
    router = APIRouter()
    router.add_api_route(TABLE, table, methods=["GET"])
    return router


def table(request: Request, services: ServicesDep, signed_in: SignedInDep) -> Response:
    """The filtered log as CSV, the oldest first; that it was taken away is an entry itself. Raises InvalidField."""
    wanted = filters_of({name: request.query_params.get(name, "").strip() for name in FIELDS})
    with services.database.write() as session:
        record(session, "log_exported", staff_id=signed_in.staff.id, now=services.clock.now())
    headers = HEADERS | {"Content-Disposition": 'attachment; filename="log.csv"'}
    return StreamingResponse(_lines(services, wanted), media_type="text/csv; charset=utf-8", headers=headers)


def filters_of(given: dict[str, str]) -> list[ColumnElement[bool]]:
    """What the form asks for. Raises InvalidField with the field."""
    wanted: list[ColumnElement[bool]] = []
    if account := given.get("account"):
        if not account.isdecimal() or len(account) > 9:
            raise InvalidField(field="account")
        wanted.append(AuditEntry.staff_id == int(account))
    if action := given.get("action"):
        wanted.append(AuditEntry.action == action.replace("\x00", "?"))
    if conversation := given.get("conversation"):
        wanted.append(AuditEntry.conversation_id == _number(conversation))
    if since := given.get("since"):
        wanted.append(AuditEntry.at >= _midnight(since, "since"))
    if until := given.get("until"):
        wanted.append(AuditEntry.at < _midnight(until, "until") + timedelta(days=1))
    if before := given.get("before"):
        if not before.isdecimal() or len(before) > 18:
            raise InvalidField(field="before")
        wanted.append(AuditEntry.position < int(before))
    return wanted


def _number(conversation: str) -> UUID:
    try:
        return UUID(conversation)
    except ValueError as error:
        raise InvalidField(field="conversation") from error


def _midnight(day: str, field: str) -> datetime:
    try:
        known = date.fromisoformat(day)
    except ValueError as error:
        raise InvalidField(field=field) from error
    if not 2000 <= known.year <= 2100:
        raise InvalidField(field=field)
    return datetime.combine(known, time(), PARIS)


def _entries(
    session: Session, wanted: list[ColumnElement[bool]], limit: int, *, oldest_first: bool = False
) -> list[tuple[AuditEntry, str | None]]:
    order = AuditEntry.position.asc() if oldest_first else AuditEntry.position.desc()
    rows = session.execute(
        select(AuditEntry, Staff.email)
        .outerjoin(Staff, Staff.id == AuditEntry.staff_id)
        .where(AuditEntry.position.is_not(None), *wanted)
        .order_by(order)
        .limit(limit)
    )
    return [(entry, email) for entry, email in rows]


def _names(services: Services, everybody: Iterable[Staff], language: str) -> dict[str, str]:
    """What details name by a number or a slug, as details_words looks it up."""
    topics = services.knowledge.topics.items()
    return {
        **{f"account {staff.id}": staff.name for staff in everybody},
        **{f"step {each.slug}": each.title.get(language) for each in services.procedures},
        **{f"topic {slug}": topic.file.title.get(language) for slug, topic in topics},
    }


def _row(entry: AuditEntry, email: str | None, names: Mapping[str, str], language: str) -> Row:
    return Row(
        int(entry.position or 0),
        short_moment(language, entry.at),
        email or "–",
        action_words(entry.action, language),
        str(entry.conversation_id) if entry.conversation_id else "",
        details_words(entry.details, names, language),
    )


def _address(draft: dict[str, str], **more: int) -> str:
    return f"{PAGE}?{urlencode({**{name: value for name, value in draft.items() if value}, **more})}"


def _chain_notice(state: ChainState, language: str) -> Notice:
    if state.fault is None:
        words = say(language, "The chain is whole: {count} entries were computed anew.", count=state.entries)
        return Notice("done", words)
    words = say(
        language,
        "The chain is broken. Somebody changed the log in the database. Run `accueil audit verify` and keep a copy.",
    )
    return Notice("trouble", f"{words} ({state.fault})")


def _lines(services: Services, wanted: list[ColumnElement[bool]]) -> Iterator[str]:
    """Read in batches, each in a transaction of its own: a slow reader must not hold one open."""
    yield _line(COLUMNS)
    last = 0
    while True:
        with services.database.read() as session:
            found = _entries(session, [*wanted, AuditEntry.position > last], BATCH, oldest_first=True)
            lines = [_line(_cells(entry, email)) for entry, email in found]
            last = int(found[-1][0].position or 0) if found else last
        if not lines:
            return
        yield "".join(lines)


def _cells(entry: AuditEntry, email: str | None) -> tuple[str, ...]:
    about = str(entry.conversation_id) if entry.conversation_id else ""
    details = json.dumps(entry.details, ensure_ascii=False, sort_keys=True) if entry.details else ""
    at = entry.at.isoformat()
    return str(entry.position), at, email or "", entry.action, about, details, str(entry.previous), str(entry.hash)


def _line(cells: tuple[str, ...]) -> str:
    out = io.StringIO()
    # A spreadsheet would compute what begins like a formula.
    csv.writer(out).writerow(
        [f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell for cell in cells]
    )
    return out.getvalue()
