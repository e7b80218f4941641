"""How a conversation is told over HTTP: the shapes of the public API, shared by students' and staff's edges."""

import asyncio
import json
from collections.abc import AsyncIterable, AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.conversations.live import Live
from bot.conversations.messages import answered_topic
from bot.conversations.models import Attachment, Conversation, Message
from bot.conversations.queries import changed_messages, messages_after, sent_files
from bot.db.session import Database
from bot.errors import InvalidField, NotFound, Unavailable
from bot.handoff.queries import queue_position
from bot.identity.models import Staff

HEARTBEAT = 15.0
"""Seconds; proxies close a silent stream after 30 to 60."""
PAGE = 200
BIGGEST_SEQ = 2**31 - 1
"""What a column of a counter holds."""

LONGEST_FILE_NAME = 300
"""Characters of a file's name as it comes; it is kept shorter."""
FILE_BODY = {
    "requestBody": {
        "required": True,
        "description": "The bytes of the file; their type is the Content-Type.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
"""Of an operation that takes a file, for the documentation."""
FILE_HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
"""Of a file that somebody else has made: saved, never shown by the browser."""

ControlName = Literal["bot", "waiting", "staff", "closed"]


class ButtonOut(BaseModel):
    key: str
    label: str


class SourceOut(BaseModel):
    title: str
    url: str
    checked_on: str
    valid_until: str | None


class SentFileOut(BaseModel):
    id: int
    name: str
    size: int = Field(description="Bytes.")
    media_type: str


class EventBase(BaseModel):
    seq: int
    author: Literal["student", "bot", "staff", "system"]
    author_name: str | None
    kind: Literal["text", "notice", "erased"]
    text: str = Field(description="Markdown")
    language: str
    buttons: list[ButtonOut]
    sources: list[SourceOut]
    in_reply_to: int | None
    topic: str | None = Field(description="What it answers; such a message can be rated.")
    created_at: str = Field(description="RFC 3339")
    edited_at: str | None = Field(description="RFC 3339; when a colleague changed the words.")
    deleted: bool = Field(description="A colleague took the words back; `text` says so.")


class Event(EventBase):
    files: list[SentFileOut] = Field(description="What a colleague sent with it; `text` is only their names then.")


class Sent(BaseModel):
    event: Event


class Events(BaseModel):
    events: list[Event]
    control: ControlName
    last_seq: int
    changed: list[Event] = Field(description="Messages up to `after` that changed since `changes`, as they are now.")
    changes: int = Field(description="To be given the next time.")


class Problem(BaseModel):
    """RFC 9457; `code` is stable (docs/api.md)."""

    type: str
    title: str
    status: int
    code: str
    errors: list[dict[str, str]] | None = None
    why: str | None = None
    urgent_text: str | None = None


def event_json(message: Message, file: Attachment | None = None) -> dict[str, Any]:
    """One event as the API documents it; the payloads of buttons stay here. `file`: what a colleague sent with it."""
    return {
        "seq": message.seq,
        "author": str(message.author),
        "author_name": message.author_name,
        "kind": str(message.kind),
        "text": message.text,
        "language": message.language,
        "buttons": [{"key": button["key"], "label": button["label"]} for button in message.buttons],
        "sources": message.sources,
        "in_reply_to": message.in_reply_to,
        "topic": answered_topic(message.understanding),
        "created_at": message.created_at.isoformat(),
        "edited_at": message.edited_at.isoformat() if message.edited_at else None,
        "deleted": message.deleted_at is not None,
        "files": [] if file is None else [file_json(file)],
    }


def file_json(file: Attachment) -> dict[str, Any]:
    return {"id": file.id, "name": file.name, "size": file.size, "media_type": file.media_type}


async def file_of(parts: AsyncIterable[bytes]) -> bytes:
    """The bytes of a file that comes as a body, of at most what the gateway lets through.

    Raises:
        InvalidField: there are none.
    """
    content = bytearray()
    async for part in parts:
        content += part
    if not content:
        raise InvalidField("This file is empty.", field="body")
    return bytes(content)


def disposition(name: str) -> str:
    """The header that has a browser save a file under its name (RFC 6266, RFC 5987)."""
    plain = "".join(each if each.isascii() and each.isprintable() and each not in '"\\%' else "_" for each in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


@dataclass(frozen=True)
class View:
    """What a follower has not seen yet. `changed`: messages seen before whose words have changed."""

    events: list[dict[str, Any]]
    control: dict[str, Any]
    last_seq: int
    changed: list[dict[str, Any]]
    changes: int


def view_after(session: Session, conversation_id: UUID, seq: int, limit: int = PAGE, *, changes: int = 0) -> View:
    """What came after a seq, and what changed up to it since so many `changes`.

    Raises:
        NotFound: the conversation is gone (erased).
    """
    conversation = session.get(Conversation, conversation_id)
    if conversation is None:
        raise NotFound
    name = session.scalar(select(Staff.name).where(Staff.id == conversation.assignee_id))
    control = {
        "control": str(conversation.control),
        "staff_name": name,
        "position": queue_position(session, conversation),
    }
    came = messages_after(session, conversation_id, seq, limit)
    moved = changed_messages(session, conversation_id, seq, changes) if conversation.changes > changes else []
    files = sent_files(session, [*came, *moved])
    events = [event_json(message, files.get(message.id)) for message in came]
    changed = [event_json(message, files.get(message.id)) for message in moved]
    return View(events, control, conversation.last_seq, changed, conversation.changes)


async def long_poll(
    database: Database,
    live: Live,
    conversation_id: UUID,
    *,
    after: int,
    limit: int,
    wait: float,
    changes: int | None,
) -> View:
    """The events after `after`, at once when there are any, else when one comes or `wait` seconds have passed.

    `changes`: how many the caller knows of; None: what changed is not asked for.
    """

    known = BIGGEST_SEQ if changes is None else changes

    def look() -> View:
        with database.read() as session:
            return view_after(session, conversation_id, after, limit, changes=known)

    deadline = asyncio.get_running_loop().time() + wait
    with live.subscribe(conversation_id) as subscription:
        while True:
            view = await asyncio.to_thread(look)
            left = deadline - asyncio.get_running_loop().time()
            if view.events or view.changed or left <= 0 or live.closing:
                return view
            await subscription.wait(left)


def sse(event: str, data: dict[str, Any], event_id: int | None = None) -> str:
    head = f"id: {event_id}\n" if event_id is not None else ""
    return f"{head}event: {event}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


async def stream(
    database: Database,
    live: Live,
    conversation_id: UUID,
    *,
    after: int,
    still_allowed: Callable[[], bool] = lambda: True,
) -> AsyncIterator[str]:
    """Server-sent events of one conversation after a seq: without gap or repeat, since each look reads the table.

    `edited` and `deleted` tell a message again that was told before; whoever comes back hears of all of them.
    """

    def look(seq: int, changes: int) -> View | None:
        if not still_allowed():
            return None
        try:
            with database.read() as session:
                return view_after(session, conversation_id, seq, changes=changes)
        except (NotFound, Unavailable):
            # The answer has begun: it can only end. Whoever asks again gets 404 or 503.
            return None

    seq, changes, control = after, 0, None
    yield ": connected\n\n"
    with live.subscribe(conversation_id) as subscription:
        while not live.closing:
            view = await asyncio.to_thread(look, seq, changes)
            if view is None:
                return
            live.reads(conversation_id)
            for event in view.changed:
                yield sse("deleted" if event["deleted"] else "edited", event)
            changes = view.changes
            for event in view.events:
                seq = event["seq"]
                yield sse("message", event, seq)
            if view.control != control:
                control = view.control
                yield sse("control", control)
            for author, on in subscription.take_typing():
                yield sse("typing", {"author": author, "on": on})
            if len(view.events) == PAGE:
                continue
            before = asyncio.get_running_loop().time()
            await subscription.wait(HEARTBEAT)
            if asyncio.get_running_loop().time() - before >= HEARTBEAT:
                yield ": heartbeat\n\n"
