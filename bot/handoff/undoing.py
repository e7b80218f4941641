"""Undo of a close, a give-back or a hand-over, by whoever did it, for two minutes. Transactions are the caller's.

How the conversation was before stands in its own column `undoing`, written by `bot.handoff.service` with the deed. The
audit log is no place for it: an entry cannot be added to afterwards, when the note and the promise of the same deed are
written, it outlives the conversation, and nothing that runs should depend on what is kept for people to check.

An undo is no move of `bot.conversations.states`: it leads back to where a move came from. The request stays the same
one, so that waits and counts are as if nothing had been done. Not put back is the bot's own pending question, which
every takeover ends.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.conversations.models import Alert, Author, Control, Conversation, Kind, Message
from bot.conversations.service import append, locked_conversation
from bot.errors import AlreadyTaken, CannotChange, NotFound, VersionChanged
from bot.handoff.desks import Office, may_read
from bot.handoff.models import Case, Note, Task
from bot.handoff.service import check_role, is_gone, name_of, open_case
from bot.handoff.words import assistant_back, now_talking_to, now_waiting_at
from bot.identity.audit import record
from bot.identity.models import Staff

UNDOABLE = timedelta(minutes=2)


def keep_with_deed(conversation: Conversation, staff: Staff, now: datetime, **made: int) -> None:
    """What was written together with a deed goes with it: `note` or `task`, its number."""
    before = conversation.undoing
    if before is not None and (before["staff"], before["at"]) == (staff.id, now.isoformat()):
        conversation.undoing = before | made


def undo(
    session: Session, conversation_id: UUID, staff: Staff, office: Office, now: datetime, version: int | None = None
) -> Conversation:
    """Put the conversation back to how it was before the last close, give-back or hand-over, and tell the student.

    Raises:
        NotAllowed: the role may not answer students.
        NotFound: the conversation is not to be seen, and the deed was not this colleague's.
        AlreadyTaken: a colleague has taken it since, or has answered after it was handed to them.
        VersionChanged: it is not as the deed left it: the student wrote after a close, say, or it is undone already;
            or whoever had it may not answer any more.
        CannotChange: a colleague's deed (`not_yours`), or older than two minutes (`too_late`).
    """
    check_role(staff)
    conversation = locked_conversation(session, conversation_id)
    before = conversation.undoing or {}
    # Who gave it to another desk may not read it any more.
    if before.get("staff") != staff.id and not may_read(session, staff, conversation):
        raise NotFound
    if {before.get("version"), version or conversation.version} != {conversation.version}:
        raise _has_gone_on(session, conversation, staff)
    if before["staff"] != staff.id:
        raise CannotChange(why="not_yours")
    if now - datetime.fromisoformat(before["at"]) > UNDOABLE:
        raise CannotChange(why="too_late")
    since = _authors_since(session, conversation, before["seq"])
    if Author.STAFF in since:
        raise _has_gone_on(session, conversation, staff)
    if before["assignee"] is not None and is_gone(session.get_one(Staff, before["assignee"])):
        raise VersionChanged
    was_waiting = conversation.control == Control.WAITING
    _put_back_case(session, conversation, before["case"])
    _put_back(conversation, before, is_awake=Author.STUDENT in since)
    _forget_what_was_written(session, conversation, before)
    session.flush()
    words = _words(session, conversation, office, was_waiting=was_waiting)
    append(session, conversation, Author.SYSTEM, words, kind=Kind.NOTICE, now=now)
    record(session, "undo", staff_id=staff.id, now=now, conversation_id=conversation_id, of=before["deed"])
    return conversation


def _has_gone_on(session: Session, conversation: Conversation, staff: Staff) -> AlreadyTaken | VersionChanged:
    if conversation.assignee_id in (None, staff.id):
        return VersionChanged()
    return AlreadyTaken(colleague=name_of(session, conversation.assignee_id))


def _authors_since(session: Session, conversation: Conversation, seq: int) -> set[Author]:
    query = select(Message.author).where(Message.conversation_id == conversation.id, Message.seq > seq).distinct()
    return set(session.scalars(query))


def _put_back(conversation: Conversation, before: Mapping[str, Any], *, is_awake: bool) -> None:
    """`is_awake`: the student has written since, which ends any laying aside."""
    conversation.control = Control(before["control"])
    conversation.assignee_id = before["assignee"]
    conversation.desk = before["desk"]
    conversation.waiting_since = _instant(before["waiting_since"])
    conversation.snoozed_until = None if is_awake else _instant(before["snoozed_until"])
    conversation.outcome = None
    conversation.undoing = None
    conversation.version += 1


def _put_back_case(session: Session, conversation: Conversation, before: Mapping[str, Any] | None) -> None:
    if before is None:
        # The deed itself made one.
        if (made := open_case(session, conversation)) is not None:
            session.delete(made)
        return
    case = session.get_one(Case, before["id"])
    case.desk = before["desk"]
    case.escalated_at = _instant(before["escalated_at"])
    case.claimed_at, case.claimed_by = _instant(before["claimed_at"]), before["claimed_by"]
    case.closed_at = None


def _forget_what_was_written(session: Session, conversation: Conversation, before: Mapping[str, Any]) -> None:
    """The note and the promise go; what the deed took off the list of what calls somebody is there again."""
    for table, name in ((Note, "note"), (Task, "task")):
        if name in before and (row := session.get(table, before[name])) is not None:
            session.delete(row)
    seen_by_it = Alert.conversation_id == conversation.id, Alert.seen_at == datetime.fromisoformat(before["at"])
    for alert in session.scalars(select(Alert).where(*seen_by_it)):
        alert.seen_at = None


def _words(session: Session, conversation: Conversation, office: Office, *, was_waiting: bool) -> str:
    language = conversation.language
    match conversation.control:
        case Control.STAFF:
            return now_talking_to(language, name_of(session, conversation.assignee_id))
        case Control.WAITING:
            return now_waiting_at(language, office.desk(conversation.desk).name.get(language))
        case _:
            return assistant_back(language, was_held=not was_waiting)


def _instant(written: str | None) -> datetime | None:
    return None if written is None else datetime.fromisoformat(written)
