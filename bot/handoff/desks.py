"""Desks: which one a question belongs to, who works there, and which conversations a colleague may read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, delete, or_, select, true
from sqlalchemy.orm import Session

from bot.content.desks import DeskFile
from bot.content.loader import Knowledge
from bot.content.schema import DeskHours
from bot.conversations.models import Conversation
from bot.errors import InvalidField
from bot.handoff.models import DeskMember
from bot.identity.models import Role, Staff
from bot.students.models import Student

SEES_ALL = frozenset({Role.COORDINATOR, Role.ADMIN, Role.AUDITOR})


@dataclass(frozen=True)
class Office:
    """What the office says of itself: its desks, its hours (None: unknown), and the group of each topic."""

    desks: Mapping[str, DeskFile]
    hours: list[DeskHours] | None = None
    groups: Mapping[str, str] = field(default_factory=dict)

    @property
    def default(self) -> str:
        return next(slug for slug, desk in self.desks.items() if desk.default)

    def desk(self, slug: str | None) -> DeskFile:
        """The desk, also for a name that is no longer in the file: its conversations are the default's then."""
        return self.desks.get(slug or "") or self.desks[self.default]


def office_of(knowledge: Knowledge, desks: Mapping[str, DeskFile]) -> Office:
    groups = {slug: topic.file.group for slug, topic in knowledge.topics.items()}
    return Office(desks, knowledge.school.desk_hours, groups)


def desk_for(office: Office, group: str | None, campus: str | None) -> str:
    """The desk of a question. A desk for its topic goes before one for its campus. Pure."""

    def how_well(desk: DeskFile) -> int:
        if (desk.topics and group not in desk.topics) or (desk.campuses and campus not in desk.campuses):
            return -1
        return 2 * bool(desk.topics) + bool(desk.campuses)

    return max(office.desks, key=lambda slug: how_well(office.desks[slug]))


def desk_of_question(session: Session, office: Office, conversation: Conversation) -> str:
    """Where a request in this conversation goes: by the topic last talked about and the student's campus."""
    student = session.get(Student, conversation.student_id) if conversation.student_id is not None else None
    campus = student.facts.get("campus") if student is not None else conversation.told.get("campus")
    return desk_for(office, office.groups.get(conversation.last_topic or ""), campus)


def desks_of(session: Session, staff: Staff) -> Sequence[str]:
    """Where a colleague works."""
    query = select(DeskMember.desk).where(DeskMember.staff_id == staff.id).order_by(DeskMember.desk)
    return session.scalars(query).all()


def members(session: Session) -> dict[str, list[Staff]]:
    """Who works where; disabled accounts left out."""
    found: dict[str, list[Staff]] = {}
    query = (
        select(DeskMember.desk, Staff)
        .join(Staff, Staff.id == DeskMember.staff_id)
        .where(Staff.disabled.is_(False))
        .order_by(DeskMember.desk, Staff.email)
    )
    for desk, staff in session.execute(query):
        found.setdefault(desk, []).append(staff)
    return found


def join(session: Session, office: Office, desk: str, staff: Staff) -> None:
    """Raises InvalidField for a desk that is not in knowledge/desks.yml. Joining twice changes nothing."""
    if desk not in office.desks:
        raise InvalidField(f"There is no desk {desk}; knowledge/desks.yml has {', '.join(office.desks)}.", field="desk")
    if desk not in desks_of(session, staff):
        session.add(DeskMember(desk=desk, staff_id=staff.id))
        session.flush()


def leave(session: Session, desk: str, staff: Staff) -> None:
    session.execute(delete(DeskMember).where(DeskMember.desk == desk, DeskMember.staff_id == staff.id))


def may_read(session: Session, staff: Staff, conversation: Conversation) -> bool:
    """Coordinators, administrators and auditors read everything; others what is at their desks, at none, or theirs.

    Whoever works at no desk reads everything: a small office needs no desks.
    """
    if staff.role in SEES_ALL or conversation.desk is None or conversation.assignee_id == staff.id:
        return True
    own = desks_of(session, staff)
    return not own or conversation.desk in own


def readable(session: Session, staff: Staff) -> ColumnElement[bool]:
    """`may_read` as a condition of a query."""
    own = [] if staff.role in SEES_ALL else desks_of(session, staff)
    if not own:
        return true()
    return or_(Conversation.desk.is_(None), Conversation.desk.in_(own), Conversation.assignee_id == staff.id)


def coordinators(session: Session, desk: str) -> list[Staff]:
    """Who is told when a student waits too long: the desk's coordinators, else all of them, else administrators."""

    def found() -> Iterator[list[Staff]]:
        query = select(Staff).where(Staff.disabled.is_(False)).order_by(Staff.email)
        everyone = session.scalars(query.where(Staff.role == Role.COORDINATOR)).all()
        at_desk = {person.id for person in members(session).get(desk, ())}
        yield [person for person in everyone if person.id in at_desk]
        yield list(everyone)
        yield list(session.scalars(query.where(Staff.role == Role.ADMIN)))

    return next((people for people in found() if people), [])
