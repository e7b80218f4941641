"""What one can do at the desk, told over HTTP: one set of functions for the staff API and for the console's pages."""

import asyncio
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.bootstrap import Services
from bot.console.access import ServicesDep
from bot.console.html import HEADERS
from bot.conversations.brought import MOST_MEGABYTES
from bot.conversations.models import Attachment, Control, Message
from bot.conversations.queries import kept_file, sent_files
from bot.conversations.service import LONGEST_TEXT
from bot.errors import InvalidField
from bot.handoff.beside import LONGEST_TASK, add_note, add_task
from bot.handoff.models import Outcome
from bot.handoff.queries import Filters, InboxRow, check_readable, inbox, inbox_row, open_alerts
from bot.handoff.service import check_role, check_text, claim, close, hand_to, queue_at, release, reply, send_file
from bot.handoff.undoing import keep_with_deed, undo
from bot.handoff.wire import (
    BIGGEST_SEQ,
    FILE_BODY,
    FILE_HEADERS,
    LONGEST_FILE_NAME,
    ControlName,
    EventBase,
    Sent,
    disposition,
    event_json,
    file_of,
    long_poll,
)
from bot.i18n.translate import mark
from bot.identity.audit import record
from bot.identity.models import AuditEntry, Staff

READING = timedelta(minutes=30)
"""Opening the same transcript again within this is the same reading, for the audit log."""

UNDO = "/undo"
LONGEST_COMMENT = 2000
"""Characters of the note that goes with a move."""

FILE_PATHS = tuple(f"{place}/conversations/{{conversation_id}}/files" for place in ("/staff/api", "/api/v1/staff"))
"""Where a file comes in as the body of a request."""
FileId = Annotated[int, Path(ge=1, le=BIGGEST_SEQ)]
ClientId = Annotated[UUID, Field(description="Made by the client; the same one again is the same message.")]


class ExpectedVersion(BaseModel):
    """What the colleague was looking at; left out, only the state decides."""

    model_config = ConfigDict(extra="forbid")

    version: int | None = Field(None, ge=1, le=BIGGEST_SEQ)


class StaffReply(BaseModel):
    model_config = ConfigDict(extra="forbid")

    client_id: ClientId
    text: str = Field(min_length=1, max_length=LONGEST_TEXT)


class Promise(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=LONGEST_TASK)
    due: date


class Releasing(ExpectedVersion):
    promise: Promise | None = Field(None, description="What was promised to the student: it becomes a task.")
    note: str | None = Field(None, min_length=1, max_length=LONGEST_COMMENT, description="For colleagues.")


class Closing(ExpectedVersion):
    reason: Outcome | None = None
    note: str | None = Field(None, min_length=1, max_length=LONGEST_COMMENT, description="For colleagues.")


class Receiver(BaseModel):
    """A colleague by their address, or a desk by its name in knowledge/desks.yml."""

    model_config = ConfigDict(extra="forbid")

    staff: str | None = Field(None, min_length=3, max_length=254)
    desk: str | None = Field(None, min_length=2, max_length=60)

    @model_validator(mode="after")
    def _one_of_both(self) -> "Receiver":
        if (self.staff is None) == (self.desk is None):
            raise ValueError("give either staff or desk")
        return self


class Transfer(ExpectedVersion):
    to: Receiver
    note: str | None = Field(None, min_length=1, max_length=LONGEST_COMMENT, description="For whoever goes on.")


class AssigneeOut(BaseModel):
    email: str
    name: str


class DeskConversation(BaseModel):
    conversation_id: UUID
    control: ControlName
    version: int
    assignee: AssigneeOut | None
    channel: str
    language: str
    last_seq: int
    waiting_since: datetime | None
    waits_seconds: int | None = Field(description="How long nobody has had it, by the clock.")
    desk: str | None = Field(description="Whose colleagues look after it (GET desks); null: nobody was asked for yet.")
    tags: list[str]
    snoozed_until: datetime | None
    urgency: Literal["urgent", "high", "normal"]
    reason: Literal["asked", "not_understood", "failed_turn", "urgent", "takeover"] | None = Field(
        description="Why a person was asked for, while that request is open."
    )
    outcome: Literal["solved", "no_answer", "elsewhere", "spam", "other"] | None = Field(
        description="Why it was closed, if that was said."
    )


class FileOut(BaseModel):
    id: int
    name: str
    size: int = Field(description="Bytes, as the channel said until it is kept.")
    state: Literal["pending", "kept", "failed", "refused"]


class FileOfMessage(FileOut):
    seq: int


class Files(BaseModel):
    files: list[FileOfMessage]


class StaffEvent(EventBase):
    files: list[FileOut]


class StaffEvents(BaseModel):
    events: list[StaffEvent]
    control: ControlName
    last_seq: int
    changed: list[StaffEvent] = Field(description="Messages up to `after` changed since `changes`, as they are now.")
    changes: int = Field(description="To be given the next time.")


class DeskConversations(BaseModel):
    conversations: list[DeskConversation]
    next_cursor: str | None


def conversation_json(row: InboxRow, now: datetime) -> dict[str, Any]:
    """One conversation as the staff API documents it."""
    conversation, since = row.conversation, row.conversation.waiting_since
    return {
        "conversation_id": str(conversation.id),
        "control": str(conversation.control),
        "version": conversation.version,
        "assignee": {"email": row.assignee.email, "name": row.assignee.name} if row.assignee else None,
        "channel": conversation.channel,
        "language": conversation.language,
        "last_seq": conversation.last_seq,
        "waiting_since": since.isoformat() if since else None,
        "waits_seconds": max(0, int((now - since).total_seconds())) if since else None,
        "desk": conversation.desk,
        "tags": list(row.tags),
        "snoozed_until": conversation.snoozed_until.isoformat() if conversation.snoozed_until else None,
        "urgency": row.urgency,
        "reason": str(row.case.reason) if row.case is not None else None,
        "outcome": conversation.outcome,
    }


Work = Callable[[Session, datetime], Any]
"""What a request does in its transaction."""


def only_readable(signed_in: Callable[..., Staff]) -> Callable[..., None]:
    """A dependency for whole routers: a conversation that is not the colleague's to see does not exist for them.

    `undo` is left to itself.

    Raises:
        NotFound: by `bot.handoff.desks.may_read`.
    """

    def check(request: Request, services: ServicesDep, staff: Annotated[Staff, Depends(signed_in)]) -> None:
        given = request.path_params.get("conversation_id")
        # Who gave a conversation to another desk reads it no more, and may take that back: `undo` says who it is.
        if given is None or request.scope["route"].path.endswith(UNDO):
            return
        try:
            conversation_id = UUID(str(given))
        except ValueError:
            # The route itself refuses it.
            return
        with services.database.read() as session:
            check_readable(session, staff, conversation_id)

    return check


def desk_router(signed_in: Callable[..., Staff], responses: dict[int | str, dict[str, Any]] | None = None) -> APIRouter:
    """The routes of the desk behind one way in. Staff read what is theirs to see; the services say who may answer."""
    router = APIRouter(responses=responses, dependencies=[Depends(only_readable(signed_in))])
    StaffDep = Annotated[Staff, Depends(signed_in)]

    @router.get("/conversations", response_model=DeskConversations)
    def conversations(
        services: ServicesDep,
        staff: StaffDep,
        state: Annotated[ControlName | None, Query(description="Left out: all.")] = None,
        desk: Annotated[str | None, Query(max_length=60)] = None,
        tag: Annotated[str | None, Query(max_length=60)] = None,
        assignee: Annotated[str | None, Query(max_length=254, description="Address of a colleague.")] = None,
        language: Annotated[str | None, Query(max_length=8)] = None,
        unanswered: Annotated[bool, Query(description="Only what the bot did not know last time.")] = False,
        cursor: Annotated[str | None, Query(max_length=400, description="`next_cursor` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, Any]:
        """Waiting ones first-come, without those that were laid aside; all others the newest first."""
        for name, value in {"desk": desk, "tag": tag, "assignee": assignee, "language": language}.items():
            if value is not None:
                check_text(value, 254, name)
        filters = Filters(Control(state) if state else None, desk, tag, assignee, language, unanswered)
        now = services.clock.now()
        with services.database.read() as session:
            rows, following = inbox(session, staff, filters, cursor, limit)
            return {"conversations": [conversation_json(row, now) for row in rows], "next_cursor": following}

    @router.get("/conversations/{conversation_id}/messages", response_model=StaffEvents)
    async def messages(
        services: ServicesDep,
        staff: StaffDep,
        conversation_id: UUID,
        after: Annotated[int, Query(ge=0, le=BIGGEST_SEQ, description="Events after this seq.")] = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 200,
        wait: Annotated[float, Query(ge=0, le=30, description="Seconds to wait for an event (long poll).")] = 0,
        changes: Annotated[int | None, Query(ge=0, le=BIGGEST_SEQ, description="Of the answer before.")] = None,
    ) -> dict[str, Any]:
        view = await long_poll(
            services.database,
            services.live,
            conversation_id,
            after=after,
            limit=limit,
            wait=wait,
            changes=changes,
        )
        await asyncio.to_thread(note_reading, services, staff, conversation_id)

        def read_files() -> None:
            with services.database.read() as session:
                add_files(session, conversation_id, [*view.events, *view.changed])

        await asyncio.to_thread(read_files)
        return {
            "events": view.events,
            "control": view.control["control"],
            "last_seq": view.last_seq,
            "changed": view.changed,
            "changes": view.changes,
        }

    @router.get("/conversations/{conversation_id}/files", response_model=Files)
    def files(services: ServicesDep, staff: StaffDep, conversation_id: UUID) -> dict[str, Any]:
        """The files of the conversation, those of colleagues as well: whether they have arrived."""
        with services.database.read() as session:
            inbox_row(session, conversation_id)
            found = files_json(session, conversation_id)
        note_reading(services, staff, conversation_id)
        return {"files": found}

    @router.get(
        "/conversations/{conversation_id}/files/{file_id}",
        response_class=Response,
        responses={200: {"description": "The file, to be saved.", "content": {"application/octet-stream": {}}}},
    )
    def file(
        services: ServicesDep,
        staff: StaffDep,
        conversation_id: UUID,
        file_id: Annotated[int, Path(ge=1, le=BIGGEST_SEQ)],
    ) -> Response:
        """A file that has arrived; 404 for any other. Each look goes into the audit log."""
        with services.database.write() as session:
            kept = kept_file(session, conversation_id, file_id)
            record(
                session,
                "read_file",
                staff_id=staff.id,
                now=services.clock.now(),
                conversation_id=conversation_id,
                attachment=file_id,
            )
            content, media_type, name = kept.content or b"", kept.media_type, kept.name
        headers = HEADERS | FILE_HEADERS | {"Content-Disposition": disposition(name), "Content-Type": media_type}
        return Response(content, headers=headers)

    @router.post(
        "/conversations/{conversation_id}/files",
        response_model=Sent,
        status_code=202,
        responses={
            200: {"model": Sent, "description": "The same answer again."},
            413: {"description": f"A file of more than {MOST_MEGABYTES} MB."},
        },
        openapi_extra=FILE_BODY,
    )
    async def post_file(
        request: Request,
        services: ServicesDep,
        staff: StaffDep,
        conversation_id: UUID,
        client_id: Annotated[UUID, Query(description="Made by the client; the same one again is the same file.")],
        name: Annotated[str, Query(min_length=1, max_length=LONGEST_FILE_NAME)],
        response: Response,
    ) -> dict[str, Any]:
        """Send the student a file; where nobody holds the conversation this claims it. 200 for a repeat."""
        check_role(staff)
        content = await file_of(request.stream())
        media_type = request.headers.get("Content-Type", "")

        def write() -> tuple[dict[str, Any], bool]:
            now = services.clock.now()
            with services.database.write() as session:
                sent = send_file(
                    session,
                    conversation_id,
                    staff,
                    str(client_id),
                    name=name,
                    media_type=media_type,
                    content=content,
                    now=now,
                )
                if sent.is_new:
                    _see_alerts(session, conversation_id, now)
                return event_json(sent.message, sent_files(session, [sent.message]).get(sent.message.id)), sent.is_new

        return await said(services, conversation_id, write, response)

    @router.post("/conversations/{conversation_id}/claim", response_model=DeskConversation)
    async def claim_it(
        services: ServicesDep, staff: StaffDep, conversation_id: UUID, expected: ExpectedVersion | None = None
    ) -> dict[str, Any]:
        """Take the conversation: from this instant the bot is silent in it."""
        version = expected.version if expected else None
        return await moved(
            services, conversation_id, lambda session, now: claim(session, conversation_id, staff, now, version)
        )

    @router.post("/conversations/{conversation_id}/transfer", response_model=DeskConversation)
    async def transfer_it(
        services: ServicesDep, staff: StaffDep, conversation_id: UUID, body: Transfer
    ) -> dict[str, Any]:
        """Give the conversation to a colleague, who holds it at once, or to a desk, where it waits in its old place."""

        def transfer(session: Session, now: datetime) -> None:
            colleague = None
            if body.to.desk is not None:
                desk = body.to.desk
                given = queue_at(session, conversation_id, staff, services.office, desk, now, body.version)
            else:
                colleague = colleague_of(session, body.to.staff or "")
                given = hand_to(session, conversation_id, staff, colleague, now, body.version)
            if body.note is not None:
                note = add_note(session, given, staff, body.note, now, also=colleague)
                keep_with_deed(given, staff, now, note=note.id)

        return await moved(services, conversation_id, transfer)

    @router.post("/conversations/{conversation_id}/release", response_model=DeskConversation)
    async def release_it(
        services: ServicesDep, staff: StaffDep, conversation_id: UUID, body: Releasing | None = None
    ) -> dict[str, Any]:
        """Give the conversation back to the bot; what was promised becomes a task."""
        wanted = body or Releasing(version=None)

        def give_back(session: Session, now: datetime) -> None:
            given = release(session, conversation_id, staff, now, wanted.version)
            if (promise := wanted.promise) is not None:
                task = add_task(session, given, staff, promise.text, promise.due, now, "promise.")
                keep_with_deed(given, staff, now, task=task.id)
            if wanted.note is not None:
                note = add_note(session, given, staff, wanted.note, now)
                keep_with_deed(given, staff, now, note=note.id)

        return await moved(services, conversation_id, give_back)

    @router.post("/conversations/{conversation_id}/close", response_model=DeskConversation)
    async def close_it(
        services: ServicesDep, staff: StaffDep, conversation_id: UUID, body: Closing | None = None
    ) -> dict[str, Any]:
        """End the conversation; a new message of the student opens it again for the bot."""
        wanted = body or Closing(version=None)

        def end(session: Session, now: datetime) -> None:
            closed = close(session, conversation_id, staff, now, wanted.version, outcome=wanted.reason)
            if wanted.note is not None:
                note = add_note(session, closed, staff, wanted.note, now)
                keep_with_deed(closed, staff, now, note=note.id)

        return await moved(services, conversation_id, end)

    @router.post(f"/conversations/{{conversation_id}}{UNDO}", response_model=DeskConversation)
    async def undo_it(
        services: ServicesDep, staff: StaffDep, conversation_id: UUID, expected: ExpectedVersion | None = None
    ) -> dict[str, Any]:
        """Take back one's own close, release or transfer, within two minutes, while nothing has come of it."""
        version = expected.version if expected else None

        def take_back(session: Session, now: datetime) -> None:
            undo(session, conversation_id, staff, services.office, now, version)

        # What the deed took off the list of what calls somebody has just been put back.
        return await moved(services, conversation_id, take_back, sees_alerts=False)

    @router.post(
        "/conversations/{conversation_id}/messages",
        response_model=Sent,
        status_code=202,
        responses={200: {"model": Sent, "description": "The same answer again."}},
    )
    async def post_message(
        services: ServicesDep, staff: StaffDep, conversation_id: UUID, body: StaffReply, response: Response
    ) -> dict[str, Any]:
        """Answer the student; where nobody holds the conversation this claims it. 200 for a repeat."""

        def write() -> tuple[dict[str, Any], bool]:
            now = services.clock.now()
            with services.database.write() as session:
                replied = reply(session, conversation_id, staff, str(body.client_id), body.text, now)
                if replied.is_new:
                    _see_alerts(session, conversation_id, now)
                return event_json(replied.message), replied.is_new

        return await said(services, conversation_id, write, response)

    # Here, since they build on what stands in this file.
    from bot.console.desk_work import add_work_routes

    add_work_routes(router, signed_in)
    return router


async def said(
    services: Services, conversation_id: UUID, write: Callable[[], tuple[dict[str, Any], bool]], response: Response
) -> dict[str, Any]:
    """Say something by `write`, (the event, whether it is new), and tell all who follow; 200 for a repeat."""
    event, is_new = await asyncio.to_thread(write)
    if is_new:
        services.live.changed(conversation_id)
    else:
        response.status_code = 200
    return {"event": event}


async def moved(services: Services, conversation_id: UUID, work: Work, *, sees_alerts: bool = True) -> dict[str, Any]:
    """Do something in one transaction and tell the conversation as it is then, to the caller and to all who follow."""

    def write() -> dict[str, Any]:
        now = services.clock.now()
        with services.database.write() as session:
            work(session, now)
            if sees_alerts:
                _see_alerts(session, conversation_id, now)
            session.flush()
            return conversation_json(inbox_row(session, conversation_id), now)

    found = await asyncio.to_thread(write)
    services.live.changed(conversation_id)
    return found


def colleague_of(session: Session, email: str) -> Staff:
    """Raises InvalidField."""
    colleague = session.scalar(select(Staff).where(Staff.email == email.strip().lower().replace("\x00", "?")))
    if colleague is None:
        raise InvalidField(mark("There is no account with this address."), field="to.staff")
    return colleague


def files_json(session: Session, conversation_id: UUID) -> list[dict[str, Any]]:
    """What the files are called and whether they are here, with the `seq` of the message; never the bytes."""
    rows = session.execute(
        select(Message.seq, Attachment.id, Attachment.name, Attachment.size, Attachment.state)
        .join(Attachment, Attachment.message_id == Message.id)
        .where(Message.conversation_id == conversation_id)
        .order_by(Message.seq, Attachment.id)
    )
    return [
        {"seq": seq, "id": file_id, "name": name, "size": size, "state": str(state)}
        for seq, file_id, name, size, state in rows
    ]


def add_files(session: Session, conversation_id: UUID, events: list[dict[str, Any]]) -> None:
    """Give every event its `files`, those of the student as well, which only staff see."""
    found = files_json(session, conversation_id) if events else []
    for event in events:
        event["files"] = [
            {key: file[key] for key in FileOut.model_fields} for file in found if file["seq"] == event["seq"]
        ]


def note_reading(services: Services, staff: Staff, conversation_id: UUID) -> None:
    """Who reads a conversation goes into the audit log, once for each reading."""
    now = services.clock.now()
    with services.database.read() as session:
        if _was_read(session, staff.id, conversation_id, now):
            return
    with services.database.write() as session:
        if not _was_read(session, staff.id, conversation_id, now):
            record(session, "read", staff_id=staff.id, now=now, conversation_id=conversation_id)


def _was_read(session: Session, staff_id: int, conversation_id: UUID, now: datetime) -> bool:
    return (
        session.scalar(
            select(AuditEntry.id)
            .where(
                AuditEntry.conversation_id == conversation_id,
                AuditEntry.staff_id == staff_id,
                AuditEntry.action == "read",
                AuditEntry.at > now - READING,
            )
            .limit(1)
        )
        is not None
    )


def _see_alerts(session: Session, conversation_id: UUID, now: datetime) -> None:
    """Whoever acts in a conversation has seen what it called for. A repeat of what was sent before is no act."""
    for alert in open_alerts(session, conversation_id):
        alert.seen_at = now
