"""The student's own file over HTTP: the dated path, what is done of it, and the private calendar."""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel, Field, StrictBool
from sqlalchemy.orm import Session

from bot.bootstrap import Services
from bot.calendars.deeds import feed_address
from bot.calendars.service import give_feed, stop_feeds, student_of_feed
from bot.channels.web.api import PROBLEMS, ServicesDep, TokenDep, _Body
from bot.clock import day_in_france
from bot.conversations.models import Conversation
from bot.conversations.queries import conversation_of_token
from bot.errors import NotFound, NotLinked
from bot.handoff.wire import Problem
from bot.paperwork.contract import PathStep
from bot.paperwork.queries import view_of
from bot.paperwork.service import mark_done, undo_done
from bot.paperwork.wording import step_in_full_as_json
from bot.students.facts import Day
from bot.students.models import Student

Result = TypeVar("Result")

RESPONSES: dict[int | str, dict[str, Any]] = {
    **PROBLEMS,
    409: {"model": Problem, "description": "The conversation is not linked to a student record."},
}
MEDIA_TYPE = "text/calendar; charset=utf-8"


class Place(BaseModel):
    title: str
    url: str


class StepInFull(PathStep):
    """One step with everything that a list on a screen shows; English where content has no other language."""

    do: str
    late: str = Field(description="What to do, and what follows, once the date is past.")
    needs: list[str] = Field(description="Papers.")
    where: Place | None
    done_on: date | None
    note: str | None = Field(description="What to know of the date, where it is not a rule of law.")


class WholePath(BaseModel):
    today: date
    steps: list[StepInFull] = Field(description="The most urgent first.")


class ChangeStep(_Body):
    done: StrictBool
    on: Day | None = Field(None, description="The day on which it was done; today when left out.")


class CalendarAddress(BaseModel):
    url: str = Field(description="Shown once. Whoever has it can read the student's dates.")


router = APIRouter(prefix="/api/v1", tags=["students"])
calendar_router = APIRouter(include_in_schema=False)


@router.get("/conversations/{conversation_id}/path", responses=RESPONSES)
async def read_path(conversation_id: UUID, services: ServicesDep, token: TokenDep) -> WholePath:
    """Every step of the linked student with its dates and reasons."""

    def read() -> WholePath:
        with services.database.read() as session:
            conversation, student = _linked(session, conversation_id, token)
            return _path(services, session, conversation, student)

    return await asyncio.to_thread(read)


@router.put("/conversations/{conversation_id}/path/{slug}", responses=RESPONSES)
async def change_step(
    conversation_id: UUID, slug: str, body: ChangeStep, services: ServicesDep, token: TokenDep
) -> WholePath:
    """Mark one step as done, or take that back. Done already keeps the first day. Returns the path as it is now."""

    def change(session: Session, conversation: Conversation, student: Student) -> WholePath:
        now = services.clock.now()
        procedure = next((each for each in services.procedures if each.slug == slug), None)
        if procedure is None:
            raise NotFound
        if body.done:
            mark_done(session, student, procedure, body.on or day_in_france(now), now)
        else:
            undo_done(session, student, slug, now)
        return _path(services, session, conversation, student)

    return await _write(services, conversation_id, token, change)


@router.post("/conversations/{conversation_id}/calendar", status_code=201, responses=RESPONSES)
async def open_calendar(conversation_id: UUID, services: ServicesDep, token: TokenDep) -> CalendarAddress:
    """A new private address for a calendar program. At most five work at a time: the oldest one stops."""

    def give(session: Session, _conversation: Conversation, student: Student) -> CalendarAddress:
        _feed, secret = give_feed(session, student, services.clock.now())
        return CalendarAddress(url=feed_address(services.settings.address, secret))

    return await _write(services, conversation_id, token, give)


@router.delete("/conversations/{conversation_id}/calendar", status_code=204, responses=RESPONSES)
async def close_calendars(conversation_id: UUID, services: ServicesDep, token: TokenDep) -> Response:
    """Stop every address of this student's calendar."""

    def stop(session: Session, _conversation: Conversation, student: Student) -> None:
        stop_feeds(session, student, services.clock.now())

    await _write(services, conversation_id, token, stop)
    return Response(status_code=204)


@calendar_router.api_route("/calendar/{token}.ics", methods=["GET", "HEAD"])
async def calendar(
    token: str, services: ServicesDep, if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """The calendar behind a private address; the same 404 for an unknown, a stopped and an erased one."""

    def read() -> bytes:
        # Here and not above: the library takes 8 MB and a moment, which nobody should wait for at the start.
        from bot.calendars.queries import calendar_of

        with services.database.read() as session:
            student = student_of_feed(session, token)
            today = day_in_france(services.clock.now())
            return calendar_of(session, student, services.procedures, services.knowledge, today)

    body = await asyncio.to_thread(read)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {
        "Cache-Control": "private, no-cache",
        "ETag": etag,
        # A name of our own: the last part of the address is the secret.
        "Content-Disposition": 'inline; filename="accueil.ics"',
    }
    if etag in (each.strip().removeprefix("W/") for each in (if_none_match or "").split(",")):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=MEDIA_TYPE, headers=headers)


async def _write(
    services: Services,
    conversation_id: UUID,
    token: str,
    write: Callable[[Session, Conversation, Student], Result],
) -> Result:
    def run() -> Result:
        with services.database.write() as session:
            conversation, student = _linked(session, conversation_id, token)
            return write(session, conversation, student)

    return await asyncio.to_thread(run)


def _linked(session: Session, conversation_id: UUID, token: str) -> tuple[Conversation, Student]:
    """Raises NotFound (as everywhere) or NotLinked."""
    conversation = conversation_of_token(session, conversation_id, token)
    student = session.get(Student, conversation.student_id) if conversation.student_id is not None else None
    if student is None:
        raise NotLinked
    return conversation, student


def _path(services: Services, session: Session, conversation: Conversation, student: Student) -> WholePath:
    today = day_in_france(services.clock.now())
    view = view_of(session, student, services.procedures, services.knowledge, conversation.language, today)
    steps = [step_in_full_as_json(step, view.language, view.fill) for step in view.steps]
    return WholePath.model_validate({"today": today, "steps": steps})
