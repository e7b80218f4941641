"""What colleagues do beside answering, over HTTP: desks, notes, promises, tags, snoozing, who looks on, changes."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.bootstrap import Services
from bot.clock import day_in_france
from bot.console.access import ServicesDep
from bot.console.desk import AssigneeOut, DeskConversation, moved, note_reading
from bot.console.html import console_language
from bot.conversations.models import Control, Conversation
from bot.conversations.service import LONGEST_TEXT, locked_conversation
from bot.handoff.beside import (
    LONGEST_NOTE,
    LONGEST_TAG,
    LONGEST_TASK,
    MOST_TAGS,
    add_note,
    add_task,
    delete_note,
    mentions_of,
    not_told_by,
    notes_of,
    set_tags,
    settle_task,
    snooze,
    tag_counts,
    tasks,
    told_by,
    unseen_in,
    unseen_mentions,
    wake,
)
from bot.handoff.changes import Parts, edit, one_part, take_back
from bot.handoff.desks import members
from bot.handoff.hours import is_open
from bot.handoff.models import Note, Task
from bot.handoff.service import WEB, check_role, may_answer, names_of
from bot.handoff.wire import BIGGEST_SEQ, Sent, event_json
from bot.identity.models import Staff

Result = TypeVar("Result")
Number = Annotated[int, Path(ge=1, le=BIGGEST_SEQ)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewNote(_Body):
    text: str = Field(min_length=1, max_length=LONGEST_NOTE, description="`@name` tells a colleague of it.")


class NewTask(_Body):
    text: str = Field(min_length=1, max_length=LONGEST_TASK)
    due: date


class NewTags(_Body):
    tags: list[Annotated[str, Field(min_length=1, max_length=LONGEST_TAG)]] = Field(max_length=MOST_TAGS)


class Snooze(_Body):
    until: AwareDatetime = Field(description="RFC 3339 with its offset.")


class Viewing(_Body):
    composing: bool


class NewWords(_Body):
    text: str = Field(min_length=1, max_length=LONGEST_TEXT)


class DeskOut(BaseModel):
    slug: str
    name: str
    topics: list[str]
    campuses: list[str]
    members: list[str] = Field(description="Addresses of colleagues.")
    open_now: bool | None = Field(description="null: the hours are not known.")
    waiting: int


class Desks(BaseModel):
    desks: list[DeskOut]
    colleagues: list[AssigneeOut] = Field(description="Who may answer students, at a desk or not, by name.")


class NoteOut(BaseModel):
    id: int
    conversation_id: UUID
    author: AssigneeOut
    text: str
    mentions: list[AssigneeOut] = Field(description="Who was told of it.")
    told: list[str] = Field(description="Words of the text by which they were, as written: `@claire`.")
    not_told: list[str] = Field(description="Words with @ that reached nobody: not known, or they may not read this.")
    created_at: datetime


class Notes(BaseModel):
    notes: list[NoteOut]


class TaskOut(BaseModel):
    id: int
    conversation_id: UUID
    text: str
    due: date
    owner: AssigneeOut
    done_at: datetime | None
    created_at: datetime
    overdue: bool


class Tasks(BaseModel):
    tasks: list[TaskOut]


class TagOut(BaseModel):
    tag: str
    conversations: int


class Tags(BaseModel):
    tags: list[TagOut]


class OnlookerOut(BaseModel):
    email: str
    name: str
    composing: bool


class People(BaseModel):
    people: list[OnlookerOut]
    student_reads: bool | None = Field(
        description="Whether the student has the page open; null: they write in a messenger, which does not say."
    )


def add_work_routes(router: APIRouter, signed_in: Callable[..., Staff]) -> None:
    """Add them to the desk's router, behind the same way in."""
    StaffDep = Annotated[Staff, Depends(signed_in)]

    @router.get("/desks", response_model=Desks)
    def desks(services: ServicesDep, staff: StaffDep) -> dict[str, Any]:
        """The desks of the office, in the order of knowledge/desks.yml, with who works there and how many wait."""
        with services.database.read() as session:
            people = [person_json(person) for person in may_answer(session)]
            return {"desks": desks_json(session, services, staff), "colleagues": people}

    @router.get("/conversations/{conversation_id}/notes", response_model=Notes)
    def notes(services: ServicesDep, staff: StaffDep, conversation_id: UUID) -> dict[str, Any]:
        """Notes of colleagues, the oldest first; the chat never shows them. Reading takes your mentions off."""
        with services.database.read() as session:
            found = notes_json(session, notes_of(session, conversation_id))
            is_named = bool(unseen_in(session, conversation_id, staff))
        if is_named:
            now = services.clock.now()
            with services.database.write() as session:
                for mention in unseen_in(session, conversation_id, staff):
                    mention.seen_at = now
        note_reading(services, staff, conversation_id)
        return {"notes": found}

    @router.post("/conversations/{conversation_id}/notes", response_model=NoteOut, status_code=201)
    async def write_note(
        services: ServicesDep, staff: StaffDep, conversation_id: UUID, body: NewNote
    ) -> dict[str, Any]:
        def work(session: Session, now: datetime) -> dict[str, Any]:
            note = add_note(session, locked_conversation(session, conversation_id), staff, body.text, now)
            return notes_json(session, [note])[0]

        return await _done(services, work, conversation_id)

    @router.delete("/notes/{note_id}", status_code=204)
    async def take_note_back(services: ServicesDep, staff: StaffDep, note_id: Number) -> None:
        """One's own, within five minutes."""
        conversation_id = await _done(services, lambda session, now: delete_note(session, note_id, staff, now))
        services.live.changed(conversation_id)

    @router.get("/mentions", response_model=Notes)
    def mentions(services: ServicesDep, staff: StaffDep) -> dict[str, Any]:
        """Notes that name you and that you have not read, the newest first."""
        with services.database.read() as session:
            return {"notes": notes_json(session, unseen_mentions(session, staff))}

    @router.get("/tasks", response_model=Tasks)
    def promises(
        services: ServicesDep,
        staff: StaffDep,
        whose: Annotated[str, Query(pattern="^(mine|all)$")] = "mine",
        done: bool = False,
    ) -> dict[str, Any]:
        """What was promised to students: open ones by their day, done ones the latest first."""
        today = day_in_france(services.clock.now())
        with services.database.read() as session:
            found = tasks(session, staff, mine=whose == "mine", done=done)
            return {"tasks": tasks_json(session, found, today)}

    @router.post("/conversations/{conversation_id}/tasks", response_model=TaskOut, status_code=201)
    async def write_task(
        services: ServicesDep, staff: StaffDep, conversation_id: UUID, body: NewTask
    ) -> dict[str, Any]:
        """A promise of yours; `due` is a day in France, today at the earliest."""

        def work(session: Session, now: datetime) -> dict[str, Any]:
            conversation = locked_conversation(session, conversation_id)
            task = add_task(session, conversation, staff, body.text, body.due, now)
            return tasks_json(session, [task], day_in_france(now))[0]

        return await _done(services, work, conversation_id)

    @router.post("/tasks/{task_id}/done", response_model=TaskOut)
    async def task_done(services: ServicesDep, staff: StaffDep, task_id: Number) -> dict[str, Any]:
        return await _settled(services, staff, task_id, done=True)

    @router.post("/tasks/{task_id}/undo", response_model=TaskOut)
    async def task_undo(services: ServicesDep, staff: StaffDep, task_id: Number) -> dict[str, Any]:
        return await _settled(services, staff, task_id, done=False)

    @router.put("/conversations/{conversation_id}/tags", response_model=DeskConversation)
    async def put_tags(services: ServicesDep, staff: StaffDep, conversation_id: UUID, body: NewTags) -> dict[str, Any]:
        """These in place of those there are; kept in small letters."""

        def work(session: Session, now: datetime) -> None:
            set_tags(session, locked_conversation(session, conversation_id), staff, body.tags, now)

        return await moved(services, conversation_id, work, sees_alerts=False)

    @router.get("/tags", response_model=Tags)
    def tags(services: ServicesDep, staff: StaffDep) -> dict[str, Any]:
        """The most used first."""
        with services.database.read() as session:
            return {"tags": [{"tag": tag, "conversations": count} for tag, count in tag_counts(session, staff)]}

    @router.post("/conversations/{conversation_id}/snooze", response_model=DeskConversation)
    async def snooze_it(services: ServicesDep, staff: StaffDep, conversation_id: UUID, body: Snooze) -> dict[str, Any]:
        """Lay it aside until then, or until the student writes."""
        return await moved(
            services, conversation_id, lambda session, now: snooze(session, conversation_id, staff, body.until, now)
        )

    @router.post("/conversations/{conversation_id}/wake", response_model=DeskConversation)
    async def wake_it(services: ServicesDep, staff: StaffDep, conversation_id: UUID) -> dict[str, Any]:
        return await moved(services, conversation_id, lambda session, now: wake(session, conversation_id, staff, now))

    @router.post("/conversations/{conversation_id}/viewing", status_code=204)
    async def viewing(services: ServicesDep, staff: StaffDep, conversation_id: UUID, body: Viewing) -> None:
        """You have it on the screen; say so again within 20 seconds. Nothing of it is stored."""
        check_role(staff)
        services.live.looks_on(conversation_id, staff.email, staff.name, composing=body.composing)

    @router.get("/conversations/{conversation_id}/people", response_model=People)
    async def people(services: ServicesDep, staff: StaffDep, conversation_id: UUID) -> dict[str, Any]:
        """Who else has it on the screen, and who writes; whether the student has."""
        found = services.live.onlookers(conversation_id)

        def is_on_the_web() -> bool:
            with services.database.read() as session:
                return session.scalar(select(Conversation.channel).where(Conversation.id == conversation_id)) == WEB

        is_known = await asyncio.to_thread(is_on_the_web)
        return {
            "student_reads": services.live.is_read(conversation_id) if is_known else None,
            "people": [
                {"email": each.email, "name": each.name, "composing": each.composing}
                for each in found
                if each.email != staff.email
            ],
        }

    @router.patch("/conversations/{conversation_id}/messages/{seq}", response_model=Sent)
    async def edit_message(
        request: Request, services: ServicesDep, staff: StaffDep, conversation_id: UUID, seq: Number, body: NewWords
    ) -> dict[str, Any]:
        """Other words in place of your own, within five minutes, in the student's messenger as well."""
        parts: Parts = getattr(request.app.state, "telegram_parts", one_part)

        def work(session: Session, now: datetime) -> dict[str, Any]:
            return {"event": event_json(edit(session, conversation_id, seq, staff, body.text, now, parts))}

        return await _done(services, work, conversation_id)

    @router.delete("/conversations/{conversation_id}/messages/{seq}", response_model=Sent)
    async def delete_message(
        services: ServicesDep, staff: StaffDep, conversation_id: UUID, seq: Number
    ) -> dict[str, Any]:
        """Take your own words back, within five minutes; their place in the transcript says so."""

        def work(session: Session, now: datetime) -> dict[str, Any]:
            return {"event": event_json(take_back(session, conversation_id, seq, staff, now))}

        return await _done(services, work, conversation_id)


async def _done(services: Services, work: Callable[[Session, datetime], Result], changed: UUID | None = None) -> Result:
    """Do something in one transaction; whoever follows the conversation hears of it."""

    def write() -> Result:
        with services.database.write() as session:
            return work(session, services.clock.now())

    found = await asyncio.to_thread(write)
    if changed is not None:
        services.live.changed(changed)
    return found


async def _settled(services: Services, staff: Staff, task_id: int, *, done: bool) -> dict[str, Any]:
    def work(session: Session, now: datetime) -> dict[str, Any]:
        task = settle_task(session, task_id, staff, now, done=done)
        return tasks_json(session, [task], day_in_france(now))[0]

    found = await _done(services, work)
    services.live.changed(UUID(found["conversation_id"]))
    return found


def desks_json(session: Session, services: Services, staff: Staff) -> list[dict[str, Any]]:
    office, language = services.office, console_language(staff.language)
    is_waiting = (Conversation.control == Control.WAITING, Conversation.snoozed_until.is_(None))
    counted = select(Conversation.desk, func.count()).where(*is_waiting).group_by(Conversation.desk)
    waiting: dict[str | None, int] = dict(session.execute(counted).all())
    who = members(session)
    open_now = is_open(office.hours, services.clock.now()) if office.hours is not None else None
    return [
        {
            "slug": slug,
            "name": desk.name.get(language),
            "topics": list(desk.topics),
            "campuses": list(desk.campuses),
            "members": [person.email for person in who.get(slug, ())],
            "open_now": open_now,
            "waiting": waiting.get(slug, 0),
        }
        for slug, desk in office.desks.items()
    ]


def notes_json(session: Session, notes: Sequence[Note]) -> list[dict[str, Any]]:
    authors = names_of(session, {note.staff_id for note in notes})
    named = mentions_of(session, [note.id for note in notes])
    return [
        {
            "id": note.id,
            "conversation_id": str(note.conversation_id),
            "author": person_json(authors[note.staff_id]),
            "text": note.text,
            "mentions": [person_json(person) for person in named.get(note.id, ())],
            "told": told_by(note.text, named.get(note.id, ())),
            "not_told": not_told_by(note.text, named.get(note.id, ()), authors[note.staff_id]),
            "created_at": note.created_at.isoformat(),
        }
        for note in notes
    ]


def tasks_json(session: Session, found: Sequence[Task], today: date) -> list[dict[str, Any]]:
    owners = names_of(session, {task.owner_id for task in found})
    return [
        {
            "id": task.id,
            "conversation_id": str(task.conversation_id),
            "text": task.text,
            "due": task.due.isoformat(),
            "owner": person_json(owners[task.owner_id]),
            "done_at": task.done_at.isoformat() if task.done_at else None,
            "created_at": task.created_at.isoformat(),
            "overdue": task.done_at is None and task.due < today,
        }
        for task in found
    ]


def person_json(person: Staff) -> dict[str, str]:
    return {"email": person.email, "name": person.name}
