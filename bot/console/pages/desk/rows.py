"""The rows of the desk's list: conversations of a tab, promises, what a search found, as pieces of HTML for htmx."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from bot.clock import day_in_france
from bot.console.access import ServicesDep, by_session
from bot.console.html import console_language, html
from bot.console.pages.desk.words import alert_words, card_json, state_words
from bot.console.words import clock_or_day, weekday_moment
from bot.conversations.models import Author
from bot.conversations.search import Part, fold, found, snippet, words_of
from bot.handoff.beside import open_tasks, tasks, unseen_mentions
from bot.handoff.desks import Office, readable
from bot.handoff.finding import found_notes
from bot.handoff.queries import (
    Filters,
    InboxRow,
    Tab,
    calling,
    counts,
    latest,
    narrowed,
    of_number,
    of_students_named,
    rows_of,
    students_of,
)
from bot.handoff.service import MAY_REASSIGN, check_text, names_of
from bot.handoff.wire import BIGGEST_SEQ
from bot.i18n.formats import date_words
from bot.i18n.languages import CONTENT_CODES, language_name
from bot.i18n.translate import say
from bot.identity.audit import record
from bot.identity.models import Staff
from bot.identity.staff import SignedIn

MOST_ROWS = 500
FOUND_AT_ONCE = 40
"""Messages in one page of the search."""
SHORTEST_QUERY = 2
HITS_SHOWN = 3
"""Of one conversation."""

_MARKDOWN = re.compile(
    r"\[([^\]]*)\]\([^)]*\)|^[ ]{0,3}(?:>\s?|\#{1,6}\s+)|`|(?<!\w)[*_]+(?=\S)|(?<=\S)[*_]+(?!\w)", re.MULTILINE
)
"""Links and the signs of Markdown, where they are such: `a_file <b>.pdf` has none."""
SignedInDep = Annotated[SignedIn, Depends(by_session)]


@dataclass(frozen=True)
class Hit:
    """A place in a conversation that has words which were looked for."""

    author: Author
    name: str | None
    """Of a colleague."""
    parts: list[Part]
    place: str
    """Of the transcript: `seq-7`, or `note-3`."""

    @property
    def is_note(self) -> bool:
        return self.place.startswith("note")


def add_row_routes(router: APIRouter) -> None:
    router.add_api_route("/staff/rows", rows_of_tab, methods=["GET"], response_class=Response)
    router.add_api_route("/staff/rows/promises", promises, methods=["GET"], response_class=Response)
    router.add_api_route("/staff/rows/found", found_rows, methods=["GET"], response_class=Response)


def rows_of_tab(
    services: ServicesDep,
    signed_in: SignedInDep,
    tab: Tab = Tab.WAITING,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 50,
    language: Annotated[str | None, Query(max_length=8)] = None,
    desk: Annotated[str | None, Query(max_length=60)] = None,
    tag: Annotated[str | None, Query(max_length=60)] = None,
) -> Response:
    """The rows of a tab, what every tab holds, and what may call the colleague to the screen."""
    for name, value in {"language": language, "desk": desk, "tag": tag}.items():
        if value is not None:
            check_text(value, 60, name)
    only = narrowed(Filters(language=language, desk=desk, tag=tag))
    now = services.clock.now()
    with services.database.read() as session:
        return tab_html(session, services.office, tab, signed_in.staff, now, limit=limit, only=only)


def tab_html(
    session: Session,
    office: Office,
    tab: Tab,
    staff: Staff,
    now: datetime,
    *,
    limit: int,
    only: Sequence[ColumnElement[bool]] = (),
) -> Response:
    rows, notes = latest(session, tab, staff.id, limit, only), unseen_mentions(session, staff)
    return _html(
        "rows.html",
        office,
        staff,
        now,
        facts=facts_json(session, staff, now),
        tab=tab,
        rows=rows,
        notes=notes,
        authors=names_of(session, {note.staff_id for note in notes}),
        is_full=len(rows) >= limit,
        is_longest=limit >= MOST_ROWS,
        is_narrowed=bool(only),
        shows_state=tab == Tab.ALL,
    )


def promises(services: ServicesDep, signed_in: SignedInDep) -> Response:
    """What was promised to students and is still open: one's own, for coordinators everybody's, so that a promise is
    kept also when whoever made it is away."""
    staff, now = signed_in.staff, services.clock.now()
    with services.database.read() as session:
        promised = tasks(session, staff, mine=staff.role not in MAY_REASSIGN, done=False)
        return _html(
            "rows_promises.html",
            services.office,
            staff,
            now,
            facts=facts_json(session, staff, now),
            tasks=promised,
            owners=names_of(session, {task.owner_id for task in promised}),
            students=students_of(session, staff, {task.conversation_id for task in promised}),
            today=day_in_france(now),
        )


def facts_json(session: Session, staff: Staff, now: datetime) -> dict[str, Any]:
    """What the page needs to know besides the rows."""
    open_promises = open_tasks(session, staff, mine=staff.role not in MAY_REASSIGN)
    return {
        "counts": counts(session, staff.id) | {"tasks": open_promises},
        "calling": [
            {"conversation_id": str(each), "control": str(control), "last_seq": seq}
            for each, control, seq in calling(session, staff)
        ],
        "now": now.isoformat(),
    }


def found_rows(
    services: ServicesDep,
    signed_in: SignedInDep,
    q: Annotated[str, Query(min_length=SHORTEST_QUERY, max_length=200)],
    cursor: Annotated[
        str | None, Query(pattern=r"^\d{1,10}\.\d{1,10}$", description="Where the page before ended.")
    ] = None,
) -> Response:
    """Conversations in which every word was said or noted, or whose student is called so, newest first, with snippets.

    Each page goes into the audit log, without the words: where one begins is said by whoever asks.
    """
    staff, now = signed_in.staff, services.clock.now()
    with services.database.read() as session:
        number, page = found_html(session, services.office, q, cursor, staff, now)
    with services.database.write() as session:
        record(session, "search", staff_id=staff.id, now=now, found=number)
    return page


def found_html(
    session: Session, office: Office, query: str, cursor: str | None, staff: Staff, now: datetime
) -> tuple[int, Response]:
    """How many conversations, and their rows: what this colleague may read of it.

    The cursor: the last message and the last note of the page before.
    """
    last_message, last_note = _places(cursor)
    messages = found(session, query, last_message, FOUND_AT_ONCE, within=readable(session, staff))
    notes = found_notes(session, query, last_note, FOUND_AT_ONCE, staff)
    words = words_of(query)
    called: list[UUID] = []
    if cursor is None and words:
        number = number_in(query)
        called += of_number(session, number, staff, FOUND_AT_ONCE) if number else ()
        called += of_students_named(session, words, staff, FOUND_AT_ONCE)
    hits: dict[UUID, list[Hit]] = {each: [] for each in called}
    found_here: list[tuple[datetime, UUID, Hit]] = [
        *(
            (
                each.created_at,
                each.conversation_id,
                Hit(each.author, each.author_name, snippet(plain(each.text), query), f"seq-{each.seq}"),
            )
            for each in messages
        ),
        *(
            (
                note.created_at,
                note.conversation_id,
                Hit(Author.STAFF, name, snippet(note.text, query), f"note-{note.id}"),
            )
            for note, name in notes
        ),
    ]
    # Each kind comes newest first; sorting keeps the order of what was written at the same moment.
    for _, conversation_id, hit in sorted(found_here, key=lambda each: each[0], reverse=True):
        hits.setdefault(conversation_id, []).append(hit)
    rows = rows_of(session, list(hits))
    page = _html(
        "rows_found.html",
        office,
        staff,
        now,
        rows=rows,
        hits={conversation_id: each[:HITS_SHOWN] for conversation_id, each in hits.items()},
        query=query,
        is_first=cursor is None,
        following=_next_cursor([each.id for each in messages], [each.id for each, _ in notes]),
        shows_state=True,
    )
    return len(rows), page


def number_in(query: str) -> str | None:
    """The number by which the list names whoever is not linked, with or without the word before it. Pure."""
    asked = fold(" ".join(query.split()))
    number = asked[-4:]
    if not re.fullmatch("[0-9a-f]{4}", number):
        return None
    named = {fold(say(code, "Student {number}", number=number)) for code in CONTENT_CODES}
    return number if asked in {number, *named} else None


def _places(cursor: str | None) -> tuple[int | None, int | None]:
    """The next page holds messages before the first number and notes before the second; 0: none are left."""
    if cursor is None:
        return None, None
    message, note = (min(int(number), BIGGEST_SEQ) for number in cursor.split("."))
    return message, note


def _next_cursor(messages: Sequence[int], notes: Sequence[int]) -> str | None:
    places = [ids[-1] if len(ids) == FOUND_AT_ONCE else 0 for ids in (messages, notes)]
    return ".".join(map(str, places)) if any(places) else None


def _html(template: str, office: Office, staff: Staff, now: datetime, **values: Any) -> Response:
    language = console_language(staff.language)
    desks = {slug: desk.name.get(language) for slug, desk in office.desks.items()}
    return html(
        template,
        language,
        me=staff,
        # An office with one desk need not say which.
        desks=desks if len(desks) > 1 else {},
        excerpt=excerpt,
        card=partial(card_json, language=language),
        alert_words=partial(alert_words, language),
        state_words=partial(state_words, language),
        language_name=partial(language_name, in_language=language),
        when=partial(clock_or_day, language, now=now),
        moment=partial(weekday_moment, language),
        day=partial(date_words, language=language),
        **values,
    )


def excerpt(row: InboxRow) -> str:
    """The last words of a human without the signs of Markdown, on one line."""
    return re.sub(r"\s+", " ", plain(row.last_text.text))[:200] if row.last_text else ""


def plain(text: str) -> str:
    """Without the signs of Markdown. Pure."""
    return _MARKDOWN.sub(r"\1", text)
