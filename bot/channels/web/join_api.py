"""Which messengers there are, and joining Telegram to the conversation of a page (bot.identity.joining), over HTTP."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from typing import Annotated, Literal, TypeVar
from uuid import UUID

import segno
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from bot.bootstrap import Services
from bot.channels.status import ChannelStatus
from bot.channels.web.api import PROBLEMS, ServicesDep, TokenDep
from bot.conversations.models import Conversation
from bot.conversations.queries import conversation_of_token
from bot.errors import NotFound
from bot.i18n.translate import say
from bot.identity.joining import KEY_LENGTH, LINK_LIFE, confirm, issue, part_by_page, refuse, standing

CHANNEL = "telegram"
NO_STORE = {"Cache-Control": "no-store"}

Result = TypeVar("Result")


class Channel(BaseModel):
    state: Literal["off", "starting", "on", "trouble"]
    name: str = Field(description="The account that students write to, without @; empty while it is not known.")


class Channels(BaseModel):
    telegram: Channel


class JoinLink(BaseModel):
    url: str = Field(description="Opens Telegram. Shown once; the link before it stops.")
    qr: str = Field(description="The same as an SVG image, black on white.")
    expires_at: datetime


class Joining(BaseModel):
    state: Literal["none", "issued", "claimed", "joined", "refused", "over"]
    name: str = Field(description="What the account calls itself, once it has opened the link. Anybody may choose it.")
    claim: str | None = Field(description="To be given back with the answer, so that it is about this account.")
    expires_at: datetime | None
    bot: str = Field(description="The account that students write to, without @.")


class Answered(BaseModel):
    model_config = ConfigDict(extra="forbid")

    claim: str = Field(max_length=KEY_LENGTH, description="Of the account that the page has shown.")


def channel_on(request: Request) -> ChannelStatus:
    """Raises NotFound while nobody could open a link."""
    status: ChannelStatus = request.app.state.telegram
    if status.state != "on":
        raise NotFound
    return status


StatusDep = Annotated[ChannelStatus, Depends(channel_on)]

router = APIRouter(prefix="/api/v1", tags=["students"])
PATH = "/conversations/{conversation_id}/telegram"


@router.get("/channels")
async def channels(request: Request) -> Channels:
    """Where a student may talk to us besides the page."""
    status: ChannelStatus = request.app.state.telegram
    return Channels(telegram=Channel(state=status.state, name=status.name))


@router.post(PATH, status_code=201, responses=PROBLEMS)
async def make_link(
    conversation_id: UUID, status: StatusDep, services: ServicesDep, token: TokenDep, response: Response
) -> JoinLink:
    """A one-time link for 15 minutes. The account that opens it first is shown by GET, and must then be confirmed."""
    response.headers.update(NO_STORE)
    now = services.clock.now()

    def write(session: Session, conversation: Conversation) -> JoinLink:
        url = f"https://t.me/{status.name}?start={issue(session, conversation, CHANNEL, now)}"
        return JoinLink(url=url, qr=qr_code(url, conversation.language), expires_at=now + LINK_LIFE)

    return await _write(services, conversation_id, token, write)


@router.get(PATH, responses=PROBLEMS)
async def look(
    conversation_id: UUID, status: StatusDep, services: ServicesDep, token: TokenDep, response: Response
) -> Joining:
    """How far the conversation is with Telegram."""
    response.headers.update(NO_STORE)

    def read() -> Joining:
        with services.database.read() as session:
            conversation = conversation_of_token(session, conversation_id, token)
            return _joining(session, conversation, status, services)

    return await asyncio.to_thread(read)


@router.post(f"{PATH}/confirm", responses=PROBLEMS)
async def say_yes(
    conversation_id: UUID, body: Answered, status: StatusDep, services: ServicesDep, token: TokenDep
) -> Joining:
    """It is the student's own account: from now on it continues this conversation. Done twice changes nothing.

    The state says what holds: `joined`, or `over` when the answer came too late.
    """
    touched: set[UUID] = set()

    def write(session: Session, conversation: Conversation) -> Joining:
        touched.update(confirm(session, conversation, CHANNEL, body.claim, services.clock.now()))
        return _joining(session, conversation, status, services)

    joining = await _write(services, conversation_id, token, write)
    _tell(services, touched)
    return joining


@router.post(f"{PATH}/refuse", responses=PROBLEMS)
async def say_no(
    conversation_id: UUID, body: Answered, status: StatusDep, services: ServicesDep, token: TokenDep
) -> Joining:
    """It is somebody else's account: the link is over and nothing is joined."""

    def write(session: Session, conversation: Conversation) -> Joining:
        refuse(session, conversation, CHANNEL, body.claim, services.clock.now())
        return _joining(session, conversation, status, services)

    return await _write(services, conversation_id, token, write)


@router.delete(PATH, status_code=204, responses=PROBLEMS)
async def leave(conversation_id: UUID, services: ServicesDep, token: TokenDep) -> Response:
    """Telegram leaves the conversation, also while it cannot be reached. Where it had not joined, nothing changes."""
    touched: set[UUID] = set()

    def write(session: Session, conversation: Conversation) -> None:
        touched.update(part_by_page(session, conversation, CHANNEL, services.clock.now()))

    await _write(services, conversation_id, token, write)
    _tell(services, touched)
    return Response(status_code=204)


def qr_code(url: str, language: str) -> str:
    """An SVG image with a name for those who hear it, and the white border that cameras need in a dark page too."""
    title = say(language, "QR code that opens Telegram")
    code = segno.make_qr(url, error="m")
    image = BytesIO()
    code.save(
        image,
        kind="svg",
        scale=4,
        border=4,
        dark="#000",
        light="#fff",
        title=title,
        omitsize=True,
        xmldecl=False,
        nl=False,
    )
    return image.getvalue().decode().replace("<svg", '<svg role="img"', 1)


def _joining(session: Session, conversation: Conversation, status: ChannelStatus, services: Services) -> Joining:
    found = standing(session, conversation, CHANNEL, services.clock.now())
    return Joining(state=found.step, name=found.name, claim=found.key, expires_at=found.expires_at, bot=status.name)


async def _write(
    services: Services, conversation_id: UUID, token: str, write: Callable[[Session, Conversation], Result]
) -> Result:
    def run() -> Result:
        with services.database.write() as session:
            return write(session, conversation_of_token(session, conversation_id, token))

    return await asyncio.to_thread(run)


def _tell(services: Services, touched: set[UUID]) -> None:
    for each in touched:
        services.live.changed(each)
