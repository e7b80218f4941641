"""How a conversation is told over HTTP: the shapes of the public API, shared by students' and staff's edges."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.conversations.live import Live
from bot.conversations.models import Conversation, Message
from bot.conversations.queries import messages_after, queue_position
from bot.db.session import Database
from bot.errors import NotFound, Unavailable
from bot.identity.models import Staff

HEARTBEAT = 15.0
"""Seconds; proxies close a silent stream after 30 to 60."""
PAGE = 200
BIGGEST_SEQ = 2**31 - 1
"""What a column of a counter holds."""

ControlName = Literal["bot", "waiting", "staff", "closed"]


class ButtonOut(BaseModel):
    key: str
    label: str


class SourceOut(BaseModel):
    title: str
    url: str
    checked_on: str
    valid_until: str | None


class Event(BaseModel):
    seq: int
    author: Literal["student", "bot", "staff", "system"]
    author_name: str | None
    kind: Literal["text", "notice", "erased"]
    text: str = Field(description="Markdown")
    language: str
    buttons: list[ButtonOut]
    sources: list[SourceOut]
    in_reply_to: int | None
    created_at: str = Field(description="RFC 3339")


class Sent(BaseModel):
    event: Event


class Events(BaseModel):
    events: list[Event]
    control: ControlName
    last_seq: int


class Problem(BaseModel):
    """RFC 9457; `code` is stable (docs/api.md)."""

    type: str
    title: str
    status: int
    code: str
    errors: list[dict[str, str]] | None = None
    urgent_text: str | None = None


def event_json(message: Message) -> dict[str, Any]:
    """One event as the API documents it; the payloads of buttons stay here."""
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
        "created_at": message.created_at.isoformat(),
    }


@dataclass(frozen=True)
class View:
    """What a follower has not seen yet."""

    events: list[dict[str, Any]]
    control: dict[str, Any]
    last_seq: int


def view_after(session: Session, conversation_id: UUID, seq: int, limit: int = PAGE) -> View:
    """Raises NotFound when the conversation is gone (erased)."""
    conversation = session.get(Conversation, conversation_id)
    if conversation is None:
        raise NotFound
    name = session.scalar(select(Staff.name).where(Staff.id == conversation.assignee_id))
    control = {
        "control": str(conversation.control),
        "staff_name": name,
        "position": queue_position(session, conversation),
    }
    events = [event_json(message) for message in messages_after(session, conversation_id, seq, limit)]
    return View(events, control, conversation.last_seq)


async def long_poll(
    database: Database, live: Live, conversation_id: UUID, *, after: int, limit: int, wait: float
) -> View:
    """The events after `after`, at once when there are any, else when one comes or `wait` seconds have passed."""

    def look() -> View:
        with database.read() as session:
            return view_after(session, conversation_id, after, limit)

    deadline = asyncio.get_running_loop().time() + wait
    with live.subscribe(conversation_id) as subscription:
        while True:
            view = await asyncio.to_thread(look)
            left = deadline - asyncio.get_running_loop().time()
            if view.events or left <= 0 or live.closing:
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
    """Server-sent events of one conversation after a seq: without gap or repeat, since each look reads the table."""

    def look(seq: int) -> View | None:
        if not still_allowed():
            return None
        try:
            with database.read() as session:
                return view_after(session, conversation_id, seq)
        except (NotFound, Unavailable):
            # The answer has begun: it can only end. Whoever asks again gets 404 or 503.
            return None

    seq, control = after, None
    yield ": connected\n\n"
    with live.subscribe(conversation_id) as subscription:
        while not live.closing:
            view = await asyncio.to_thread(look, seq)
            if view is None:
                return
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
