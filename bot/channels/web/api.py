"""The public HTTP API for students (contract: docs/api.md, /api/v1/openapi.json)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.bootstrap import Services
from bot.channels.web.limits import AddressLimit
from bot.conversations.brought import MOST_MEGABYTES, handed_over
from bot.conversations.messages import IncomingMessage
from bot.conversations.models import Author, Control, Conversation
from bot.conversations.queries import conversation_of_token, kept_file
from bot.conversations.service import (
    LONGEST_TEXT,
    check_rate,
    check_takes_files,
    open_conversation,
    receive_message,
    set_language,
)
from bot.conversations.words import greeting
from bot.errors import InvalidField, NotSignedIn, Unavailable
from bot.handoff.wire import (
    BIGGEST_SEQ,
    FILE_BODY,
    FILE_HEADERS,
    LONGEST_FILE_NAME,
    ControlName,
    Event,
    Events,
    Problem,
    Sent,
    disposition,
    event_json,
    file_of,
    long_poll,
    stream,
    view_after,
)
from bot.i18n.detect import detect
from bot.i18n.languages import CODES, is_supported, negotiate


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OpenConversation(_Body):
    language: str | None = Field(None, max_length=35, description="One of our languages; else it is negotiated.")


class ChangeConversation(_Body):
    language: str = Field(max_length=35)


class SendMessage(_Body):
    """Either a text or the key of a button."""

    client_id: UUID = Field(description="Made by the client; the same one again is the same message.")
    text: str | None = Field(None, max_length=LONGEST_TEXT, min_length=1)
    button: str | None = Field(None, max_length=100, min_length=1)

    @model_validator(mode="after")
    def _one_of_both(self) -> "SendMessage":
        if (self.text is None) == (self.button is None):
            raise ValueError("give either text or button")
        return self


class Opened(BaseModel):
    conversation_id: UUID
    token: str
    language: str
    control: ControlName
    messages: list[Event]


class Changed(BaseModel):
    conversation_id: UUID
    language: str
    control: ControlName


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": text}
    for status, text in {
        401: "No token.",
        404: "No such conversation, or the token of another one.",
        422: "A field is not valid; `errors` names it.",
        503: "The database is away; `urgent_text` when the message was urgent.",
    }.items()
}


def _only(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: PROBLEMS[status] for status in statuses}


CONFLICT: dict[int | str, dict[str, Any]] = {
    409: {"model": Problem, "description": "The same client_id came with another content."},
    429: {"model": Problem, "description": "Too fast; see Retry-After."},
}


def services_of(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


CONVERSATION_TOKEN = HTTPBearer(
    auto_error=False, scheme_name="conversation", description="The token that came with the conversation."
)


def bearer(given: Annotated[HTTPAuthorizationCredentials | None, Depends(CONVERSATION_TOKEN)]) -> str:
    if given is None or not given.credentials.strip():
        raise NotSignedIn
    return given.credentials.strip()


ServicesDep = Annotated[Services, Depends(services_of)]
TokenDep = Annotated[str, Depends(bearer)]
After = Annotated[int, Query(ge=0, le=BIGGEST_SEQ, description="Events after this seq.")]


PREFIX = "/api/v1"
FILES_PATH = "/conversations/{conversation_id}/files"

router = APIRouter(prefix=PREFIX, tags=["students"])


def language_of(wanted: str | None, accept: str | None) -> tuple[str, bool]:
    """(language, chosen by the student).

    Raises:
        InvalidField: a language that we do not speak.
    """
    if wanted is None:
        return negotiate(accept), False
    code = wanted.strip().lower()
    if not is_supported(code):
        raise InvalidField(f"{wanted!r} is not one of {', '.join(CODES)}.", field="language")
    return code, True


@router.post("/conversations", status_code=201, responses={**_only(422, 503), 429: CONFLICT[429]})
async def open_(
    request: Request,
    services: ServicesDep,
    body: OpenConversation | None = None,
    accept_language: Annotated[str | None, Header()] = None,
) -> Opened:
    """Begin a conversation. Its token is shown once and goes into the Authorization header, never into an address."""
    limit: AddressLimit = request.app.state.address_limit
    limit.check(request.client.host if request.client else "", services.clock.now())
    language, chosen = language_of(body.language if body else None, accept_language)

    def write() -> Opened:
        with services.database.write() as session:
            conversation, token = open_conversation(
                session,
                language=language,
                language_chosen=chosen,
                greeting=greeting(language),
                channel="web",
                now=services.clock.now(),
            )
            events = view_after(session, conversation.id, 0).events
            return Opened.model_validate(
                {
                    "conversation_id": conversation.id,
                    "token": token,
                    "language": language,
                    "control": str(conversation.control),
                    "messages": events,
                }
            )

    return await asyncio.to_thread(write)


@router.patch("/conversations/{conversation_id}", responses=PROBLEMS)
async def change(conversation_id: UUID, body: ChangeConversation, services: ServicesDep, token: TokenDep) -> Changed:
    """Choose the language; detection never overrides a choice."""
    language, _ = language_of(body.language, None)

    def write() -> Changed:
        with services.database.write() as session:
            conversation = conversation_of_token(session, conversation_id, token)
            set_language(conversation, language, services.clock.now())
            return Changed.model_validate(
                {"conversation_id": conversation.id, "language": language, "control": str(conversation.control)}
            )

    return await asyncio.to_thread(write)


@router.post(
    "/conversations/{conversation_id}/messages",
    status_code=202,
    responses={**PROBLEMS, **CONFLICT, 200: {"model": Sent, "description": "The same message again."}},
)
async def send(
    conversation_id: UUID,
    body: SendMessage,
    services: ServicesDep,
    token: TokenDep,
    response: Response,
    accept_language: Annotated[str | None, Header()] = None,
) -> Sent:
    """Store a message; it is answered after it is stored."""
    now = services.clock.now()
    incoming = IncomingMessage("web", f"{conversation_id}:{body.client_id}", body.text, body.button, now)
    try:
        event, is_new = await asyncio.to_thread(_take_in, services, conversation_id, token, incoming)
    except Unavailable as error:
        kind = services.door.kind_of(body.text or "")
        if kind is None:
            raise
        language = detect(body.text or "") or negotiate(accept_language)
        raise Unavailable(urgent_text=services.door.text(kind, language)) from error
    return _taken(services, conversation_id, event, response, is_new=is_new)


@router.post(
    FILES_PATH,
    status_code=202,
    openapi_extra=FILE_BODY,
    responses={
        **PROBLEMS,
        200: {"model": Sent, "description": "The same file again."},
        409: {
            "model": Problem,
            "description": "No colleague has the conversation (`no_colleague`), the files of a day are used up "
            "(`too_many_files`), or the same client_id came with another content.",
        },
        413: {"model": Problem, "description": f"A file of more than {MOST_MEGABYTES} MB."},
        429: CONFLICT[429],
    },
)
async def send_file(
    conversation_id: UUID,
    client_id: Annotated[UUID, Query(description="Made by the client; the same one again is the same file.")],
    name: Annotated[str, Query(min_length=1, max_length=LONGEST_FILE_NAME, description="With its ending.")],
    request: Request,
    services: ServicesDep,
    token: TokenDep,
    response: Response,
) -> Sent:
    """Hand over a file, while a colleague has the conversation. It is kept at once, or nothing of it is."""
    now = services.clock.now()
    named = IncomingMessage("web", f"{conversation_id}:{client_id}", "", None, now)

    def look() -> None:
        with services.database.read() as session:
            check_takes_files(session, conversation_of_token(session, conversation_id, token), named)

    # Whoever may not send one is refused before it is read into memory; what counts is asked again below.
    await asyncio.to_thread(look)
    content = await file_of(request.stream())
    media_type = request.headers.get("content-type", "")

    def take_in() -> tuple[dict[str, Any], bool]:
        incoming = replace(named, brought=handed_over(name, media_type, content))
        return _take_in(services, conversation_id, token, incoming)

    event, is_new = await asyncio.to_thread(take_in)
    return _taken(services, conversation_id, event, response, is_new=is_new)


def _taken(
    services: Services, conversation_id: UUID, event: dict[str, Any], response: Response, *, is_new: bool
) -> Sent:
    """What is new has its turn and is told to all who follow; 200 for a repeat."""
    if is_new:
        services.live.arrived(conversation_id)
        services.live.changed(conversation_id)
    else:
        response.status_code = 200
    return Sent.model_validate({"event": event})


def _take_in(
    services: Services, conversation_id: UUID, token: str, incoming: IncomingMessage
) -> tuple[dict[str, Any], bool]:
    """(the event as the API tells it, whether it is new). Raises what `check_rate` and `receive_message` raise."""
    with services.database.write() as session:
        conversation = conversation_of_token(session, conversation_id, token)
        check_rate(
            session,
            conversation.id,
            incoming,
            per_minute=services.settings.messages_per_minute,
            is_urgent=services.door.is_urgent,
        )
        received = receive_message(session, conversation.id, incoming, incoming.sent_at)
        return event_json(received.message), received.is_new


@router.post(
    "/conversations/{conversation_id}/typing",
    status_code=204,
    responses={**_only(401, 404, 422, 503), 429: CONFLICT[429]},
)
async def typing(conversation_id: UUID, request: Request, services: ServicesDep, token: TokenDep) -> None:
    """The student types now: shown for a few seconds to colleagues who look on, while they or their queue have the
    conversation. Nothing is stored, and what is typed is not asked for."""
    conversation = await asyncio.to_thread(_check, services, conversation_id, token)
    limit: AddressLimit = request.app.state.typing_limit
    limit.check(str(conversation_id), services.clock.now())
    if conversation.control in (Control.WAITING, Control.STAFF):
        services.live.typing(conversation_id, str(Author.STUDENT), on=True)


@router.get("/conversations/{conversation_id}/messages", responses=PROBLEMS)
async def read(
    conversation_id: UUID,
    services: ServicesDep,
    token: TokenDep,
    after: After = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 200,
    wait: Annotated[float, Query(ge=0, le=30, description="Seconds to wait for the next event (long poll).")] = 0,
    changes: Annotated[int | None, Query(ge=0, le=BIGGEST_SEQ, description="Of the answer before.")] = None,
) -> Events:
    """The events after a seq; with `wait`, as soon as there is one; with `changes`, what changed before that seq."""
    await asyncio.to_thread(_check, services, conversation_id, token)
    view = await long_poll(
        services.database,
        services.live,
        conversation_id,
        after=after,
        limit=limit,
        wait=wait,
        changes=changes,
    )
    services.live.reads(conversation_id)
    return Events.model_validate(
        {
            "events": view.events,
            "control": view.control["control"],
            "last_seq": view.last_seq,
            "changed": view.changed,
            "changes": view.changes,
        }
    )


@router.get(
    "/conversations/{conversation_id}/files/{file_id}",
    responses={
        **PROBLEMS,
        200: {"description": "The file, to be saved.", "content": {"application/octet-stream": {}}},
    },
    response_class=Response,
)
async def file(
    conversation_id: UUID,
    file_id: Annotated[int, Path(ge=1, le=BIGGEST_SEQ)],
    services: ServicesDep,
    token: TokenDep,
) -> Response:
    """A file that a colleague sent; 404 for any other, also when it was deleted."""

    def read() -> Response:
        with services.database.read() as session:
            conversation_of_token(session, conversation_id, token)
            found = kept_file(session, conversation_id, file_id, of=Author.STAFF)
            own = {"Content-Disposition": disposition(found.name), "Content-Type": found.media_type}
            return Response(found.content, headers=FILE_HEADERS | own)

    return await asyncio.to_thread(read)


@router.get(
    "/conversations/{conversation_id}/events",
    responses={
        **PROBLEMS,
        200: {"content": {"text/event-stream": {}}, "description": "See above."},
    },
    response_class=StreamingResponse,
)
async def follow(
    conversation_id: UUID,
    services: ServicesDep,
    token: TokenDep,
    last_event_id: Annotated[str | None, Header(max_length=20)] = None,
) -> StreamingResponse:
    """Server-sent events: `message` (its id is the seq), `edited` and `deleted` (a message told before, as it is now),
    `control`, `typing`. Last-Event-ID replays what was missed."""
    await asyncio.to_thread(_check, services, conversation_id, token)
    known = last_event_id or ""
    after = min(int(known), BIGGEST_SEQ) if known.isascii() and known.isdigit() else 0
    events: AsyncIterator[str] = stream(services.database, services.live, conversation_id, after=after)
    return StreamingResponse(
        events, media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )


def _check(services: Services, conversation_id: UUID, token: str) -> Conversation:
    with services.database.read() as session:
        return conversation_of_token(session, conversation_id, token)
