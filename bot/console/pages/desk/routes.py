"""The conversations, live: the list by tab, one transcript, and the stream that says what moved."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from markdown_it import MarkdownIt
from pydantic import BaseModel, ConfigDict

from bot.bootstrap import Services
from bot.console.access import ServicesDep, by_session, note_presence, session_token, signed_in_with, staff_by_session
from bot.console.desk import add_files, conversation_json, desk_router, note_reading, only_readable
from bot.console.html import HEADERS, console_language, office_page
from bot.console.pages.desk.words import card_json, script_strings, understanding_json
from bot.content.loader import Knowledge
from bot.conversations.models import Author, Message
from bot.conversations.queries import changed_messages, messages_after, queue_position
from bot.conversations.service import LONGEST_TEXT
from bot.errors import NotAllowed, Unavailable
from bot.handoff.queries import InboxRow, Tab, counts, inbox_row, latest
from bot.handoff.service import MAY_ANSWER
from bot.handoff.wire import BIGGEST_SEQ, HEARTBEAT, event_json, sse
from bot.identity.staff import SignedIn

SESSION_CHECK = 30.0
"""Seconds between two looks whether the session behind a stream is still valid."""
SAME_MOMENT = 0.15
"""Seconds in which changes are told together, so that a busy desk does not reload its list for each message."""

_markdown = MarkdownIt("commonmark", {"html": False, "breaks": True})
SignedInDep = Annotated[SignedIn, Depends(by_session)]


class Typing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    on: bool


def render(request: Request, signed_in: SignedIn) -> Response:
    staff = signed_in.staff
    language = console_language(staff.language)
    start = {
        "csrf": signed_in.csrf_token,
        "language": language,
        "me": {"email": staff.email, "name": staff.name, "may_answer": staff.role in MAY_ANSWER},
        "longest": LONGEST_TEXT,
        "strings": script_strings(language),
    }
    return office_page("desk.html", "/staff", signed_in, start=start)


def routes() -> APIRouter:
    """Below `/staff/api`, and the stream `/staff/events`."""
    router = APIRouter(dependencies=[Depends(only_readable(staff_by_session))])
    router.include_router(desk_router(staff_by_session), prefix="/staff/api")
    router.add_api_route("/staff/api/inbox", list_of_tab, methods=["GET"])
    router.add_api_route("/staff/api/conversations/{conversation_id}", one, methods=["GET"])
    router.add_api_route("/staff/api/conversations/{conversation_id}/transcript", transcript, methods=["GET"])
    router.add_api_route("/staff/api/conversations/{conversation_id}/typing", typing, methods=["POST"], status_code=204)
    router.add_api_route("/staff/api/here", here, methods=["POST"], status_code=204)
    router.add_api_route("/staff/events", events, methods=["GET"], response_class=StreamingResponse)
    return router


def list_of_tab(
    services: ServicesDep,
    signed_in: SignedInDep,
    tab: Tab = Tab.WAITING,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> dict[str, Any]:
    """The rows of a tab and what every tab holds."""
    language, now = console_language(signed_in.staff.language), services.clock.now()
    with services.database.read() as session:
        rows = [row_json(row, language, now) for row in latest(session, tab, signed_in.staff.id, limit)]
        return {"rows": rows, "counts": counts(session, signed_in.staff.id), "now": now.isoformat()}


def one(services: ServicesDep, signed_in: SignedInDep, conversation_id: UUID) -> dict[str, Any]:
    """The head of a conversation; who reads it goes into the audit log."""
    language = console_language(signed_in.staff.language)
    with services.database.read() as session:
        row = inbox_row(session, conversation_id)
        head = row_json(row, language, services.clock.now()) | {"position": queue_position(session, row.conversation)}
    note_reading(services, signed_in.staff, conversation_id)
    return head


def transcript(
    services: ServicesDep,
    signed_in: SignedInDep,
    conversation_id: UUID,
    after: Annotated[int, Query(ge=0, le=BIGGEST_SEQ)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 200,
    changes: Annotated[int, Query(ge=0, le=BIGGEST_SEQ, description="Of the answer before.")] = 0,
) -> dict[str, Any]:
    """Events with what only staff see: what the bot understood, the student's files. Texts of ours: safe HTML.

    `changed`: messages up to `after` that were edited or deleted since so many `changes`.
    """
    language = console_language(signed_in.staff.language)
    with services.database.read() as session:
        conversation = inbox_row(session, conversation_id).conversation
        found = messages_after(session, conversation_id, after, limit)
        shown = [message_json(message, services.knowledge, language) for message in found]
        since = changed_messages(session, conversation_id, after, changes)
        changed = [message_json(message, services.knowledge, language) for message in since]
        add_files(session, conversation_id, [*shown, *changed])
    note_reading(services, signed_in.staff, conversation_id)
    return {
        "events": shown,
        "last_seq": conversation.last_seq,
        "changed": changed,
        "changes": conversation.changes,
    }


async def typing(services: ServicesDep, signed_in: SignedInDep, conversation_id: UUID, body: Typing) -> None:
    """Tell the student that a person is writing. Only whoever holds the conversation is told of."""
    staff = signed_in.staff

    def holds_it() -> bool:
        with services.database.read() as session:
            return inbox_row(session, conversation_id).conversation.assignee_id == staff.id

    if not await asyncio.to_thread(holds_it):
        raise NotAllowed
    services.live.typing(conversation_id, "staff", on=body.on)


def here(services: ServicesDep, signed_in: SignedInDep) -> None:
    """Somebody is at the screen, reading."""
    note_presence(services, signed_in)


async def events(request: Request, services: ServicesDep, _signed_in: SignedInDep) -> StreamingResponse:
    token = session_token(request) or ""
    return StreamingResponse(
        follow(services, token), media_type="text/event-stream", headers=HEADERS | {"X-Accel-Buffering": "no"}
    )


async def follow(services: Services, token: str) -> AsyncIterator[str]:
    """`moved` whenever any conversation changed: the page then reads the tables, so that nothing can be missed.
    `people` when colleagues begin or end to look on or to write somewhere.

    `signed_out` and the end as soon as the session is over or its account disabled, at the latest after 30 s.
    """
    clock = asyncio.get_running_loop().time
    checked = clock()
    with services.live.subscribe(None) as subscription:
        yield sse("moved", {})
        while not services.live.closing:
            before = clock()
            await subscription.wait(HEARTBEAT)
            if clock() - checked >= SESSION_CHECK:
                checked = clock()
                try:
                    signed_in = await asyncio.to_thread(signed_in_with, services, token)
                except Unavailable:
                    # Not signed out: the page comes back by itself when the database does.
                    return
                if signed_in is None:
                    yield sse("signed_out", {})
                    return
            if clock() - before >= HEARTBEAT:
                yield ": heartbeat\n\n"
                continue
            for conversation_id in sorted(subscription.take_looked_at()):
                yield sse("people", {"conversation_id": str(conversation_id)})
            if subscription.take_moved():
                yield sse("moved", {})
                await asyncio.sleep(SAME_MOMENT)


def row_json(row: InboxRow, language: str, now: datetime) -> dict[str, Any]:
    text = row.last_text
    return conversation_json(row, now) | {
        "updated_at": row.conversation.updated_at.isoformat(),
        "created_at": row.conversation.created_at.isoformat(),
        "alerts": row.alerts,
        "student": card_json(row.student, language) if row.student else None,
        "last": {"author": str(text.author), "author_name": text.author_name, "text": text.text[:200]}
        if text
        else None,
    }


def message_json(message: Message, knowledge: Knowledge, language: str) -> dict[str, Any]:
    event = event_json(message)
    if message.understanding is not None:
        event["understanding"] = understanding_json(message.understanding, knowledge, language)
    if message.author != Author.STUDENT:
        event["html"] = _markdown.render(message.text)
    return event
