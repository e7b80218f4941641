"""The conversations, live: the list by tab, one transcript, and the stream that says what moved."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from markdown_it import MarkdownIt
from pydantic import BaseModel, ConfigDict, Field

from bot.bootstrap import Services
from bot.calling.browsers import LONGEST_ENDPOINT, Given, add_browser, drop_browser, public_key
from bot.console.access import (
    ServicesDep,
    by_session,
    note_presence,
    services_of,
    session_token,
    signed_in_with,
    staff_by_session,
    visitor_of,
)
from bot.console.desk import add_files, conversation_json, desk_router, note_reading, only_readable
from bot.console.html import HEADERS, console_language, office_page
from bot.console.pages.desk.rows import add_row_routes
from bot.console.pages.desk.words import ENDINGS, card_json, script_strings, understanding_json
from bot.content.loader import Knowledge
from bot.conversations.brought import MOST_MEGABYTES
from bot.conversations.models import Author, Message
from bot.conversations.queries import changed_messages, messages_after
from bot.conversations.service import LONGEST_TEXT
from bot.errors import NotAllowed, Unavailable
from bot.handoff.desks import desks_of
from bot.handoff.queries import InboxRow, Tab, inbox_row, queue_position, readable_of
from bot.handoff.service import MAY_ANSWER, MAY_REASSIGN
from bot.handoff.wire import BIGGEST_SEQ, HEARTBEAT, event_json, sse
from bot.i18n.translate import say
from bot.identity.browsers import browser_family
from bot.identity.models import Staff
from bot.identity.staff import SignedIn

SESSION_CHECK = 30.0
"""Seconds between two looks whether the session behind a stream is still valid."""
SAME_MOMENT = 0.15
"""Seconds in which changes are told together, so that a busy desk does not reload its list for each message."""

_markdown = MarkdownIt("commonmark", {"html": False, "breaks": True})
SignedInDep = Annotated[SignedIn, Depends(by_session)]


class BrowserKeys(BaseModel):
    model_config = ConfigDict(extra="forbid")

    p256dh: str = Field(max_length=100)
    auth: str = Field(max_length=40)


class Endpoint(BaseModel):
    """The address of a browser at its push service."""

    model_config = ConfigDict(extra="forbid")

    endpoint: str = Field(max_length=LONGEST_ENDPOINT)


class PushSubscription(Endpoint):
    keys: BrowserKeys


class Typing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    on: bool


def render(request: Request, signed_in: SignedIn) -> Response:
    staff = signed_in.staff
    language = console_language(staff.language)
    start = {
        "csrf": signed_in.csrf_token,
        "language": language,
        "me": {
            "email": staff.email,
            "name": staff.name,
            "may_answer": staff.role in MAY_ANSWER,
            "may_reassign": staff.role in MAY_REASSIGN,
        },
        "longest": LONGEST_TEXT,
        "largest_megabytes": MOST_MEGABYTES,
        "can": sorted(CAN),
        "tabs": _tabs(services_of(request), staff),
        "strings": script_strings(language),
        "push_key": _push_key(services_of(request), staff),
    }
    endings = [(reason, say(language, words)) for reason, words in ENDINGS.items()]
    return office_page("desk.html", "/staff", signed_in, start=start, endings=endings)


def _tabs(services: Services, staff: Staff) -> list[Tab]:
    """The lists that say something to a colleague: who works at no desk has no team."""
    with services.database.read() as session:
        has_team = bool(desks_of(session, staff))
    return [tab for tab in Tab if has_team or tab != Tab.TEAM]


def _push_key(services: Services, staff: Staff) -> str:
    """By which the browser knows us at its push service; empty where no message may be sent that way."""
    may_push = staff.role in MAY_ANSWER and services.settings.push_hosts
    return public_key(services.settings.data) if may_push else ""


def _deeds_of(router: APIRouter) -> frozenset[str]:
    """What the desk can do, by the last word of its addresses: the screen shows no control without one behind it."""
    paths = [str(getattr(route, "path", "")) for route in router.routes]
    return frozenset(path.rstrip("/").rpartition("/")[2] for path in paths if not path.endswith("}")) | frozenset(
        f"{path.split('/')[-2]}/one" for path in paths if path.endswith("}")
    )


CAN = _deeds_of(desk_router(staff_by_session))


def routes() -> APIRouter:
    """Below `/staff/api`, the rows of the list below `/staff/rows`, and the stream `/staff/events`."""
    router = APIRouter(dependencies=[Depends(only_readable(staff_by_session))])
    router.include_router(desk_router(staff_by_session), prefix="/staff/api")
    add_row_routes(router)
    router.add_api_route("/staff/api/conversations/{conversation_id}", one, methods=["GET"])
    router.add_api_route("/staff/api/conversations/{conversation_id}/transcript", transcript, methods=["GET"])
    router.add_api_route("/staff/api/conversations/{conversation_id}/typing", typing, methods=["POST"], status_code=204)
    router.add_api_route("/staff/api/here", here, methods=["POST"], status_code=204)
    router.add_api_route("/staff/api/push", add_push, methods=["POST"], status_code=204)
    router.add_api_route("/staff/api/push/stop", stop_push, methods=["POST"], status_code=204)
    router.add_api_route("/staff/events", events, methods=["GET"], response_class=StreamingResponse)
    return router


def one(services: ServicesDep, signed_in: SignedInDep, conversation_id: UUID) -> dict[str, Any]:
    """The head of a conversation; who reads it goes into the audit log."""
    language = console_language(signed_in.staff.language)
    with services.database.read() as session:
        row = inbox_row(session, conversation_id)
        position = queue_position(session, row.conversation)
        head = row_json(row, language, services.clock.now()) | {"position": position}
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
    """Events with what only staff see: what the bot understood, files. Texts of ours: safe HTML.

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


def add_push(request: Request, services: ServicesDep, signed_in: SignedInDep, body: PushSubscription) -> None:
    """Show messages in this browser also while no page is open. The page says so at each start."""
    browser = browser_family(visitor_of(request).user_agent)[:60]
    given = Given(body.endpoint, body.keys.p256dh, body.keys.auth, browser)
    with services.database.write() as session:
        add_browser(session, signed_in, given, services.settings.push_hosts, services.clock.now())


def stop_push(services: ServicesDep, signed_in: SignedInDep, body: Endpoint) -> None:
    with services.database.write() as session:
        drop_browser(session, signed_in.staff, body.endpoint, services.clock.now())


async def events(
    request: Request,
    services: ServicesDep,
    signed_in: SignedInDep,
    opened: Annotated[UUID | None, Query(alias="open", description="The conversation that is on the screen.")] = None,
) -> StreamingResponse:
    token = session_token(request) or ""
    return StreamingResponse(
        _watched(services, signed_in.staff.id, follow(services, token, opened)),
        media_type="text/event-stream",
        headers=HEADERS | {"X-Accel-Buffering": "no"},
    )


async def _watched(services: Services, staff_id: int, stream: AsyncGenerator[str, None]) -> AsyncIterator[str]:
    """The stream of an open page: whoever reads it need not be called in another way (bot.calling)."""
    with services.live.open_page(staff_id):
        async with aclosing(stream):
            async for each in stream:
                yield each


async def follow(services: Services, token: str, opened: UUID | None = None) -> AsyncGenerator[str, None]:
    """`moved` whenever any conversation changed: the page then reads the tables, so that nothing can be missed.
    `people` when colleagues begin or end to look on or to write somewhere.

    `typing` says who writes in the opened conversation. Both tell only of what the colleague may read then. `beat`
    comes when nothing else does: a page that hears nothing at all knows that its connection is dead. `signed_out` and
    the end as soon as the session is over or its account disabled, at the latest after 30 s.
    """
    clock = asyncio.get_running_loop().time
    checked = clock()
    keys: tuple[UUID | None, ...] = (None,) if opened is None else (None, opened)
    with services.live.subscribe(*keys) as subscription:
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
                yield sse("beat", {})
                continue
            looked_at, typed = subscription.take_looked_at(), subscription.take_typing()
            about = looked_at | {opened} if opened is not None and typed else looked_at
            may_hear = await asyncio.to_thread(_readable_now, services, token, about) if about else set()
            for conversation_id in sorted(looked_at & may_hear):
                yield sse("people", {"conversation_id": str(conversation_id)})
            for author, on in typed if opened in may_hear else ():
                yield sse("typing", {"author": author, "on": on})
            if subscription.take_moved():
                yield sse("moved", {})
                await asyncio.sleep(SAME_MOMENT)


def _readable_now(services: Services, token: str, conversations: set[UUID]) -> set[UUID]:
    """Those that the colleague may read at this moment: what is on the screen may be at another desk since."""
    try:
        signed_in = signed_in_with(services, token)
        if signed_in is None:
            return set()
        with services.database.read() as session:
            return readable_of(session, signed_in.staff, conversations)
    except Unavailable:
        # What is missed here is over in seconds; the look at the session ends the stream.
        return set()


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
