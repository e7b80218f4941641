"""A student's own data over HTTP: see it, take a copy, erase it."""

import asyncio
from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from bot.channels.web.api import PROBLEMS, ServicesDep, TokenDep
from bot.conversations.queries import conversation_of_token
from bot.identity.erasures import erasure_key
from bot.privacy.erase import Erased, erase, is_erased
from bot.privacy.export import FILE_NAME
from bot.privacy.links import export_behind, given_export
from bot.privacy.reach import person_of_conversation
from bot.privacy.summary import summary_of, summary_words
from bot.privacy.traces import finish_erasures

NO_STORE = {"Cache-Control": "no-store"}
AS_FILE = NO_STORE | {"Content-Disposition": f'attachment; filename="{FILE_NAME}"'}


class FactOut(BaseModel):
    name: str = Field(description="Stable, for programs.")
    label: str
    value: str


class KeptOut(BaseModel):
    table: str
    what: str
    number: int
    comes_from: str
    kept: str


class MyData(BaseModel):
    linked: bool
    text: str = Field(description="The same in Markdown.")
    record: list[FactOut] = Field(description="Empty where the conversation is not linked to a record.")
    kept: list[KeptOut]


class EraseMyData(BaseModel):
    model_config = ConfigDict(extra="forbid")

    confirm: Literal[True] = Field(description="The student has read what goes and wants it.")


class ErasedOut(BaseModel):
    record: bool = Field(description="Whether a record was erased with the conversations linked to it.")
    conversations: int = Field(description="0: they were erased already.")


router = APIRouter(prefix="/api/v1/conversations/{conversation_id}/mydata", tags=["students"])
download_router = APIRouter(include_in_schema=False)


@router.get("", responses=PROBLEMS)
async def show(conversation_id: UUID, services: ServicesDep, token: TokenDep, response: Response) -> MyData:
    """What is kept about the student of this conversation, in the language of the conversation."""
    response.headers.update(NO_STORE)

    def read() -> MyData:
        with services.database.read() as session:
            conversation = conversation_of_token(session, conversation_id, token)
            person = person_of_conversation(session, conversation)
            summary = summary_of(session, person, conversation.language)
            return MyData(
                linked=person.student_id is not None,
                text=summary_words(summary, conversation.language),
                record=[FactOut(**vars(fact)) for fact in summary.record],
                kept=[KeptOut(**vars(each)) for each in summary.kept],
            )

    return await asyncio.to_thread(read)


@router.get(
    "/export",
    responses={**PROBLEMS, 200: {"content": {"application/json": {}}, "description": "docs/privacy.md"}},
    response_class=Response,
)
async def export(conversation_id: UUID, services: ServicesDep, token: TokenDep) -> Response:
    """A copy of everything as a JSON file."""

    def write() -> str:
        with services.database.write() as session:
            conversation = conversation_of_token(session, conversation_id, token)
            return given_export(session, conversation, services.clock.now())

    return Response(await asyncio.to_thread(write), media_type="application/json", headers=AS_FILE)


@router.delete("", responses=PROBLEMS)
async def remove(conversation_id: UUID, body: EraseMyData, services: ServicesDep, token: TokenDep) -> ErasedOut:
    """Erase the record and every conversation linked to it; a conversation that is not linked erases itself alone."""
    now = services.clock.now()

    def write() -> Erased | None:
        with services.database.write() as session:
            conversation = conversation_of_token(session, conversation_id, token)
            if conversation.student_id is None and is_erased(session, conversation):
                return None
            key = erasure_key(services.settings.data)
            erased = erase(session, person_of_conversation(session, conversation), now, key=key)
        finish_erasures(services.database, services.settings, now)
        return erased

    erased = await asyncio.to_thread(write)
    if erased is None:
        return ErasedOut(record=False, conversations=0)
    for each in erased.conversations:
        services.live.changed(each)
    return ErasedOut(record=erased.has_record, conversations=len(erased.conversations))


@download_router.get("/mydata/{token}")
async def download(token: str, services: ServicesDep) -> Response:
    """The copy behind a link of the chat, once; anything else is the same 404."""

    def write() -> str:
        with services.database.write() as session:
            return export_behind(session, token, services.clock.now())

    return Response(await asyncio.to_thread(write), media_type="application/json", headers=AS_FILE)
