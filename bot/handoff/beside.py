"""What colleagues keep beside a conversation: notes, promises, tags, snoozing. Transactions are the caller's."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from bot.clock import PARIS, day_in_france
from bot.conversations.brought import clean_text
from bot.conversations.models import Control, Conversation
from bot.conversations.service import locked_conversation
from bot.errors import AlreadyTaken, CannotChange, InvalidField, NotFound
from bot.handoff.desks import may_read, readable
from bot.handoff.models import Mention, Note, Tag, Task
from bot.handoff.service import MAY_REASSIGN, check_role, check_text, name_of
from bot.i18n.translate import mark
from bot.identity.audit import record
from bot.identity.models import Staff

LONGEST_NOTE = 4000
LONGEST_TASK = 500
LONGEST_TAG = 30
MOST_TAGS = 10
CHANGEABLE = timedelta(minutes=5)
"""How long one's own words can be changed or taken back."""
LONGEST_SNOOZE = timedelta(days=92)
LONGEST_PROMISE = timedelta(days=366)
AT = re.compile(r"(?<![\w.])@([\w][\w.+'’-]*)")
_NO_END = ".'’-"
"""Signs that belong to the sentence when a name ends with them."""


def add_note(
    session: Session, conversation: Conversation, staff: Staff, text: str, now: datetime, also: Staff | None = None
) -> Note:
    """A note for colleagues; whoever is named in it by @name or @address finds it in their list, `also` in any case.

    Raises:
        NotAllowed: the role may not write.
        InvalidField: the text is empty or too long.
    """
    check_role(staff)
    check_text(text, LONGEST_NOTE)
    note = Note(conversation_id=conversation.id, staff_id=staff.id, text=text.strip(), created_at=now)
    session.add(note)
    session.flush()
    everyone = session.scalars(select(Staff).where(Staff.disabled.is_(False)).order_by(Staff.id)).all()
    named = {each.id: each for each in (*mentioned(text, everyone), *([also] if also is not None else []))}
    session.add_all(
        Mention(note_id=note.id, staff_id=each.id)
        for each in named.values()
        if each.id != staff.id and may_read(session, each, conversation)
    )
    conversation.updated_at = now
    session.flush()
    record(session, "note", staff_id=staff.id, now=now, conversation_id=conversation.id)
    return note


def mentioned(text: str, everyone: Sequence[Staff]) -> list[Staff]:
    """Whom a text names: `@claire`, `@Claire`, `@claire.martin`. A name that two colleagues have means both. Pure."""
    named = {_folded(word[1:]) for word in _words(text)}
    return [person for person in everyone if named & _names(person)]


def told_by(text: str, told: Sequence[Staff]) -> list[str]:
    """The words of a note that named one of those who were told, as they stand in it: `@Claire`. Pure."""
    return [word for word in _words(text) if mentioned(word, told)]


def not_told_by(text: str, told: Sequence[Staff], author: Staff) -> list[str]:
    """The words of a note that were meant to call somebody and reached nobody. Pure."""
    return [word for word in _words(text) if not mentioned(word, (*told, author))]


def _words(text: str) -> list[str]:
    return list(dict.fromkeys("@" + found.rstrip(_NO_END) for found in AT.findall(text)))


def _names(person: Staff) -> set[str]:
    whole = _folded(person.name)
    first, *_rest = whole.split() or [""]
    return {whole.replace(" ", ""), whole.replace(" ", "."), first, _folded(person.email.partition("@")[0])} - {""}


def _folded(name: str) -> str:
    """Without capitals and accents: @ines finds Inès."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(each for each in decomposed if not unicodedata.combining(each))


def notes_of(session: Session, conversation_id: UUID) -> Sequence[Note]:
    return session.scalars(select(Note).where(Note.conversation_id == conversation_id).order_by(Note.id)).all()


def mentions_of(session: Session, note_ids: Sequence[int]) -> dict[int, list[Staff]]:
    """Who is named in which note."""
    found: dict[int, list[Staff]] = {}
    query = (
        select(Mention.note_id, Staff)
        .join(Staff, Staff.id == Mention.staff_id)
        .where(Mention.note_id.in_(note_ids))
        .order_by(Staff.email)
    )
    for note_id, person in session.execute(query):
        found.setdefault(note_id, []).append(person)
    return found


def unseen_mentions(session: Session, staff: Staff) -> Sequence[Note]:
    """Notes that name a colleague and that they have not read, in conversations that they may read."""
    return session.scalars(
        select(Note)
        .join(Mention, Mention.note_id == Note.id)
        .join(Conversation, Conversation.id == Note.conversation_id)
        .where(Mention.staff_id == staff.id, Mention.seen_at.is_(None), readable(session, staff))
        .order_by(Note.id.desc())
        .limit(100)
    ).all()


def unseen_in(session: Session, conversation_id: UUID, staff: Staff) -> Sequence[Mention]:
    """What of a colleague's list reading the notes of a conversation takes off."""
    return session.scalars(
        select(Mention)
        .join(Note, Note.id == Mention.note_id)
        .where(Note.conversation_id == conversation_id, Mention.staff_id == staff.id, Mention.seen_at.is_(None))
    ).all()


def readable_note(session: Session, note_id: int, staff: Staff) -> Note:
    """Raises NotFound."""
    note = session.get(Note, note_id)
    if note is None or not may_read(session, staff, session.get_one(Conversation, note.conversation_id)):
        raise NotFound
    return note


def delete_note(session: Session, note_id: int, staff: Staff, now: datetime) -> UUID:
    """Take one's own note back within five minutes; returns the conversation it stood in.

    Raises:
        NotFound: there is no such note, or it is not to be seen.
        CannotChange: a colleague's, or older than five minutes.
        NotAllowed: the role only reads.
    """
    check_role(staff)
    note = readable_note(session, note_id, staff)
    if note.staff_id != staff.id:
        raise CannotChange(why="not_yours")
    if now - note.created_at > CHANGEABLE:
        raise CannotChange(why="too_late")
    session.delete(note)
    session.flush()
    record(session, "note_deleted", staff_id=staff.id, now=now, conversation_id=note.conversation_id)
    return note.conversation_id


def add_task(
    session: Session, conversation: Conversation, staff: Staff, text: str, due: date, now: datetime, field: str = ""
) -> Task:
    """A promise to a student, kept by whoever writes it down. `field`: where it stands in what came in.

    Raises:
        NotAllowed: the role may not write.
        InvalidField: the text is empty or too long, the day is past or more than a year ahead.
    """
    check_role(staff)
    check_text(text, LONGEST_TASK, f"{field}text")
    today = day_in_france(now)
    if not today <= due <= today + LONGEST_PROMISE:
        raise InvalidField(
            mark("Choose a day from {first} on, at most a year ahead."), field=f"{field}due", first=today
        )
    task = Task(conversation_id=conversation.id, text=text.strip(), due=due, owner_id=staff.id, created_at=now)
    session.add(task)
    conversation.updated_at = now
    session.flush()
    record(session, "task", staff_id=staff.id, now=now, conversation_id=conversation.id, task=task.id)
    return task


def tasks(session: Session, staff: Staff, *, mine: bool, done: bool, limit: int = 500) -> Sequence[Task]:
    """The promises in conversations that a colleague may read, the most urgent first; done ones the latest first."""
    order = (Task.done_at.desc(), Task.id.desc()) if done else (Task.due, Task.id)
    query = select(Task).join(Conversation, Conversation.id == Task.conversation_id)
    return session.scalars(query.where(*_wanted(session, staff, mine, done)).order_by(*order).limit(limit)).all()


def open_tasks(session: Session, staff: Staff, *, mine: bool) -> int:
    """How many promises `tasks` would list."""
    query = select(func.count(Task.id)).join(Conversation, Conversation.id == Task.conversation_id)
    return session.scalar(query.where(*_wanted(session, staff, mine, done=False))) or 0


def _wanted(session: Session, staff: Staff, mine: bool, done: bool) -> tuple[ColumnElement[bool], ...]:
    is_done = Task.done_at.is_not(None) if done else Task.done_at.is_(None)
    return is_done, Task.owner_id == staff.id if mine else readable(session, staff)


def settle_task(session: Session, task_id: int, staff: Staff, now: datetime, *, done: bool) -> Task:
    """Tick a promise off, or take the tick back. Twice changes nothing.

    Raises:
        NotFound: there is no such task, or its conversation is not to be seen.
        NotAllowed: the role may not write.
    """
    check_role(staff)
    task = session.get(Task, task_id)
    if task is None:
        raise NotFound
    conversation = session.get_one(Conversation, task.conversation_id)
    if task.owner_id != staff.id and not may_read(session, staff, conversation):
        raise NotFound
    if (task.done_at is not None) != done:
        task.done_at = now if done else None
        conversation.updated_at = now
        deed = "task_done" if done else "task_undone"
        record(session, deed, staff_id=staff.id, now=now, conversation_id=conversation.id, task=task.id)
        session.flush()
    return task


def set_tags(session: Session, conversation: Conversation, staff: Staff, tags: Sequence[str], now: datetime) -> None:
    """Put these tags in place of those there are.

    Raises:
        NotAllowed: the role may not write.
        InvalidField: too many, or one that is empty or too long.
    """
    check_role(staff)
    wanted = dict.fromkeys(clean_text(tag).casefold() for tag in tags)
    if len(wanted) > MOST_TAGS:
        raise InvalidField(mark("At most {most} tags are possible; leave some out."), field="tags", most=MOST_TAGS)
    if any(not 0 < len(tag) <= LONGEST_TAG for tag in wanted):
        raise InvalidField(mark("A tag has 1 to {longest} characters."), field="tags", longest=LONGEST_TAG)
    session.execute(delete(Tag).where(Tag.conversation_id == conversation.id))
    session.add_all(Tag(conversation_id=conversation.id, tag=tag) for tag in wanted)
    conversation.updated_at = now
    session.flush()
    record(session, "tags", staff_id=staff.id, now=now, conversation_id=conversation.id)


def tag_counts(session: Session, staff: Staff) -> Sequence[tuple[str, int]]:
    """The tags in conversations that a colleague may read, the most used first."""
    count = func.count()
    rows = session.execute(
        select(Tag.tag, count)
        .join(Conversation, Conversation.id == Tag.conversation_id)
        .where(readable(session, staff))
        .group_by(Tag.tag)
        .order_by(count.desc(), Tag.tag)
        .limit(500)
    )
    return [(tag, number) for tag, number in rows]


def snooze(session: Session, conversation_id: UUID, staff: Staff, until: datetime, now: datetime) -> Conversation:
    """Lay a conversation aside until an instant, or until the student writes.

    Raises:
        NotAllowed: the role may not answer.
        AlreadyTaken: a colleague holds it.
        InvalidField: the instant has no time zone, is past, or lies too far ahead.
        CannotChange: there is nothing to be done in it: the bot has it, or it is closed.
    """
    if until.tzinfo is None:
        raise InvalidField("Write the instant with its offset, as 2026-11-30T09:00:00+01:00.", field="until")
    if not now < until <= now + LONGEST_SNOOZE:
        last = (now + LONGEST_SNOOZE).astimezone(PARIS).date()
        raise InvalidField(mark("Choose a moment from now on, until {last}."), field="until", last=last)
    conversation = _on_hand(session, conversation_id, staff)
    if conversation.control not in (Control.WAITING, Control.STAFF):
        raise CannotChange(why="nothing_waits")
    conversation.snoozed_until = until
    conversation.updated_at = now
    record(session, "snooze", staff_id=staff.id, now=now, conversation_id=conversation_id)
    return conversation


def wake(session: Session, conversation_id: UUID, staff: Staff, now: datetime) -> Conversation:
    """Back into the lists. Raises as `snooze`."""
    conversation = _on_hand(session, conversation_id, staff)
    if conversation.snoozed_until is not None:
        conversation.snoozed_until = None
        conversation.updated_at = now
        record(session, "wake", staff_id=staff.id, now=now, conversation_id=conversation_id)
    return conversation


def _on_hand(session: Session, conversation_id: UUID, staff: Staff) -> Conversation:
    check_role(staff)
    conversation = locked_conversation(session, conversation_id)
    is_others = conversation.control == Control.STAFF and conversation.assignee_id != staff.id
    if is_others and staff.role not in MAY_REASSIGN:
        raise AlreadyTaken(colleague=name_of(session, conversation.assignee_id))
    return conversation
