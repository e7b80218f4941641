"""Canned replies: find, write, delete and bring back. Transactions belong to the caller."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.answers.urgent import fold
from bot.errors import NotAllowed, NotFound, VersionChanged
from bot.i18n.translate import say
from bot.identity.audit import record
from bot.identity.models import Role, Staff
from bot.replies.models import CannedReply
from bot.replies.rules import Draft, faults_of

MAY_WRITE = frozenset({Role.ADVISER, Role.COORDINATOR, Role.ADMIN})
MAY_SHARE = frozenset({Role.COORDINATOR, Role.ADMIN})
"""Who changes what the whole office sends; an adviser writes replies of their own."""
MOST_FOUND = 30


class Faulty(ValueError):
    """A draft that cannot be kept; `faults` has a sentence for each field."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("; ".join(faults.values()))
        self.faults = dict(faults)


def visible(session: Session, staff: Staff) -> Sequence[CannedReply]:
    """One's own and the shared ones, by shortcut; one's own first where two are called the same."""
    query = select(CannedReply).where(
        CannedReply.deleted_at.is_(None), or_(CannedReply.owner_id.is_(None), CannedReply.owner_id == staff.id)
    )
    found = session.scalars(query).all()
    return sorted(found, key=lambda reply: (reply.shortcut, reply.owner_id is None))


def find(session: Session, staff: Staff, query: str) -> list[CannedReply]:
    """Replies for what was typed: "/shortcut" by its beginning, else every word in name, shortcut or text."""
    typed = fold(query.strip())
    everything = visible(session, staff)
    if typed.startswith("/"):
        return [reply for reply in everything if reply.shortcut.startswith(typed[1:])][:MOST_FOUND]
    words = typed.split()

    def has_them(reply: CannedReply) -> bool:
        said = fold(" ".join((reply.name, reply.shortcut, *reply.texts.values())))
        return all(word in said for word in words)

    return [reply for reply in everything if has_them(reply)][:MOST_FOUND]


def one(session: Session, staff: Staff, reply_id: int) -> CannedReply:
    """A reply that the colleague may use. Raises NotFound."""
    reply = session.get(CannedReply, reply_id)
    if reply is None or reply.deleted_at is not None or reply.owner_id not in (None, staff.id):
        raise NotFound
    return reply


def may_change(staff: Staff, reply: CannedReply) -> bool:
    if reply.owner_id is not None:
        return reply.owner_id == staff.id and staff.role in MAY_WRITE
    return staff.role in MAY_SHARE


def add(session: Session, staff: Staff, draft: Draft, now: datetime, language: str) -> CannedReply:
    """Write a new one.

    Raises:
        NotAllowed: the role may not write, or not for the whole office.
        Faulty: by field, in `language`.
    """
    draft = _checked(session, staff, draft, language, None)
    reply = CannedReply(owner_id=None if draft.is_shared else staff.id)
    _write(reply, draft, staff, now)
    session.add(reply)
    _flush(session, language)
    record(session, "add_reply", staff_id=staff.id, now=now, reply=reply.id)
    return reply


def change(
    session: Session, staff: Staff, reply_id: int, version: int, draft: Draft, now: datetime, language: str
) -> CannedReply:
    """Write it anew as a whole.

    Raises:
        NotFound, NotAllowed, Faulty: see `one`, `add`.
        VersionChanged: somebody changed it since it was opened.
    """
    reply = _to_change(session, staff, reply_id)
    draft = _checked(session, staff, draft, language, reply)
    if reply.version != version:
        raise VersionChanged
    reply.owner_id = None if draft.is_shared else staff.id
    reply.version += 1
    _write(reply, draft, staff, now)
    _flush(session, language)
    record(session, "change_reply", staff_id=staff.id, now=now, reply=reply.id)
    return reply


def delete(session: Session, staff: Staff, reply_id: int, now: datetime) -> CannedReply:
    """Take it away; `restore` brings it back until the purge. Raises NotFound, NotAllowed."""
    reply = _to_change(session, staff, reply_id)
    reply.deleted_at = now
    record(session, "delete_reply", staff_id=staff.id, now=now, reply=reply.id)
    return reply


def restore(session: Session, staff: Staff, reply_id: int, now: datetime, language: str) -> CannedReply:
    """Undo a deletion.

    Raises:
        NotFound: it is gone for good, or never was.
        NotAllowed: see `may_change`.
        Faulty: another one has its shortcut meanwhile.
    """
    reply = session.get(CannedReply, reply_id, with_for_update=True)
    if reply is None or (reply.owner_id not in (None, staff.id)):
        raise NotFound
    if not may_change(staff, reply):
        raise NotAllowed
    if reply.deleted_at is None:
        return reply
    if _is_taken(session, staff, reply.shortcut, reply.owner_id is None, reply.id):
        raise Faulty({"shortcut": _taken(language)})
    reply.deleted_at = None
    _flush(session, language)
    record(session, "restore_reply", staff_id=staff.id, now=now, reply=reply.id)
    return reply


def _to_change(session: Session, staff: Staff, reply_id: int) -> CannedReply:
    reply = one(session, staff, reply_id)
    session.refresh(reply, with_for_update=True)
    if not may_change(staff, reply):
        raise NotAllowed
    return reply


def _checked(session: Session, staff: Staff, draft: Draft, language: str, reply: CannedReply | None) -> Draft:
    draft = draft.tidy()
    if staff.role not in (MAY_SHARE if draft.is_shared else MAY_WRITE):
        raise NotAllowed
    faults = faults_of(draft, language)
    but = reply.id if reply is not None else None
    if "shortcut" not in faults and _is_taken(session, staff, draft.shortcut, draft.is_shared, but):
        faults["shortcut"] = _taken(language)
    if faults:
        raise Faulty(faults)
    return draft


def _is_taken(session: Session, staff: Staff, shortcut: str, is_shared: bool, but: int | None) -> bool:
    """A shared one needs a name of its own among the shared ones, one's own also among one's own."""
    owners = CannedReply.owner_id.is_(None)
    query = select(CannedReply.id).where(
        CannedReply.shortcut == shortcut,
        CannedReply.deleted_at.is_(None),
        owners if is_shared else or_(owners, CannedReply.owner_id == staff.id),
    )
    return any(each != but for each in session.scalars(query))


def _taken(language: str) -> str:
    return say(language, "Another reply has this shortcut already. Choose another one.")


def _write(reply: CannedReply, draft: Draft, staff: Staff, now: datetime) -> None:
    reply.name, reply.shortcut, reply.texts = draft.name, draft.shortcut, dict(draft.texts)
    reply.updated_at, reply.updated_by = now, staff.id


def _flush(session: Session, language: str) -> None:
    """The database has the last word on shortcuts: two colleagues may choose the same one in the same moment."""
    try:
        session.flush()
    except IntegrityError as error:
        raise Faulty({"shortcut": _taken(language)}) from error
