"""The search over the notes of colleagues, beside the one over what was said (bot.conversations.search)."""

from collections.abc import Sequence

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from bot.conversations.search import drop_index, found_ids, make_index
from bot.handoff.desks import readable
from bot.handoff.models import Note
from bot.identity.models import Staff


def found_notes(
    session: Session, query: str, before: int | None, limit: int, staff: Staff
) -> Sequence[tuple[Note, str]]:
    """Notes with every word of the query in conversations that a colleague may read, and who wrote them, newest first.

    `before`: the id of the last one of the page before.
    """
    ids = found_ids(session, Note, query, before, limit, within=readable(session, staff))
    named = select(Note, Staff.name).join(Staff, Staff.id == Note.staff_id).where(Note.id.in_(ids))
    return [(note, name) for note, name in session.execute(named.order_by(Note.id.desc()))]


event.listen(Note.__table__, "after_create", make_index)
event.listen(Note.__table__, "before_drop", drop_index)
