"""Reads about editions: what is live, what is under way, what happened before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import and_, case, exists, func, select
from sqlalchemy.orm import Session, aliased

from bot.content.loader import Knowledge, Texts, topic_texts
from bot.content.schema import Topic
from bot.conversations.models import Alert, Conversation, Message
from bot.editing.models import Edition, EditionSave, Rating, State
from bot.editing.rules import due_first, files_are_newer, texts_hash
from bot.errors import NotFound
from bot.handoff.desks import readable
from bot.identity.models import Staff
from bot.students.models import Student

OPEN = (State.DRAFT, State.REVIEW)
COUNTED = timedelta(days=90)
"""How far back questions and ratings are counted."""
MOST_RATINGS = 200
"""In one list."""
SOON = timedelta(days=60)
"""An answer is due for review so long before its day."""


def newest_publication(session: Session) -> int:
    """The one number that says whether anything was published since."""
    return session.scalar(select(func.max(Edition.publication))) or 0


def published_after(session: Session, publication: int) -> Sequence[Edition]:
    """The last edition of each topic that was published since, in order."""
    last = (
        select(func.max(Edition.publication)).where(Edition.publication > publication).group_by(Edition.slug).subquery()
    )
    rows = select(Edition).where(Edition.publication.in_(select(last.c[0]))).order_by(Edition.publication)
    return session.scalars(rows).all()


def last_save(session: Session, edition_id: int) -> EditionSave:
    """The text of an edition as it is now."""
    return session.scalars(
        select(EditionSave).where(EditionSave.edition_id == edition_id).order_by(EditionSave.number.desc()).limit(1)
    ).one()


def text_of_save(session: Session, edition_id: int, number: int) -> Texts | None:
    """The text at one save; None where there was no such save."""
    return session.scalar(
        select(EditionSave.texts).where(EditionSave.edition_id == edition_id, EditionSave.number == number)
    )


def writers_of(session: Session, edition_id: int) -> frozenset[int]:
    """Everybody who saved it: none of them may review it."""
    found = session.scalars(select(EditionSave.staff_id).where(EditionSave.edition_id == edition_id))
    return frozenset(each for each in found if each is not None)


def edition_of(session: Session, edition_id: int) -> Edition:
    """Raises NotFound."""
    edition = session.get(Edition, edition_id, populate_existing=True)
    if edition is None:
        raise NotFound("There is no such edition.")
    return edition


def open_edition(session: Session, slug: str) -> Edition | None:
    return session.scalar(select(Edition).where(Edition.slug == slug, Edition.state.in_(OPEN)))


def last_published(session: Session, slug: str) -> Edition | None:
    return session.scalar(
        select(Edition)
        .where(Edition.slug == slug, Edition.publication.is_not(None))
        .order_by(Edition.publication.desc())
        .limit(1)
    )


def history(session: Session, slug: str) -> Sequence[Edition]:
    """What was published, the newest first."""
    return session.scalars(
        select(Edition)
        .where(Edition.slug == slug, Edition.publication.is_not(None))
        .order_by(Edition.publication.desc())
    ).all()


def files_of(knowledge: Knowledge, slug: str) -> Texts:
    """The topic as it stands in knowledge/."""
    return topic_texts(knowledge.folder / "topics" / slug)


def gives_way(edition: Edition, files: Texts) -> bool:
    """Whether the files are newer than this published edition."""
    return files_are_newer(
        was_exported=edition.exported_at is not None,
        files_hash=edition.files_hash,
        files_hash_now=texts_hash(files),
    )


def live_texts(session: Session, knowledge: Knowledge, slug: str) -> Texts:
    """What students are told: the last published edition, else the files.

    Raises:
        NotFound: there is no such topic.
    """
    if slug not in knowledge.topics:
        raise NotFound("There is no such topic.")
    files, edition = files_of(knowledge, slug), last_published(session, slug)
    if edition is None or gives_way(edition, files):
        return files
    texts: Texts = last_save(session, edition.id).texts
    return texts


def under_way(session: Session) -> Sequence[Edition]:
    """Drafts and reviews, the longest waiting first, reviews before drafts."""
    return session.scalars(
        select(Edition).where(Edition.state.in_(OPEN)).order_by(Edition.state.desc(), Edition.changed_at)
    ).all()


def names_of_staff(session: Session) -> Mapping[int, str]:
    return {row.id: row.name for row in session.execute(select(Staff.id, Staff.name))}


@dataclass(frozen=True)
class Asked:
    """One topic in the list. `days_left`: until it must have been checked again; below 0 it is late."""

    slug: str
    topic: Topic
    asked: int
    unhelpful: int
    days_left: int
    checked_on: date
    """Of its oldest source."""


def asked_counts(session: Session, now: datetime) -> Mapping[str, int]:
    """Topic → how often it was answered in the last 90 days."""
    topic = Message.understanding["topic"].as_string()
    rows = session.execute(
        select(topic, func.count())
        .where(Message.created_at >= now - COUNTED, Message.understanding.is_not(None), topic.is_not(None))
        .group_by(topic)
    )
    return {str(slug): int(count) for slug, count in rows}


def unhelpful_counts(session: Session, now: datetime) -> Mapping[str, int]:
    rows = session.execute(
        select(Rating.topic, func.count())
        .where(Rating.created_at >= now - COUNTED, Rating.helpful.is_(False))
        .group_by(Rating.topic)
    )
    return {str(slug): int(count) for slug, count in rows}


def every_answer(session: Session, knowledge: Knowledge, now: datetime, today: date) -> list[Asked]:
    """All topics, the most asked first."""
    asked, unhelpful = asked_counts(session, now), unhelpful_counts(session, now)
    return due_first(
        [
            Asked(
                slug,
                topic,
                asked.get(slug, 0),
                unhelpful.get(slug, 0),
                (topic.file.valid_until - today).days,
                min(source.checked_on for source in topic.file.sources),
            )
            for slug, topic in knowledge.topics.items()
        ]
    )


def is_due(row: Asked) -> bool:
    return row.days_left <= SOON.days


@dataclass(frozen=True)
class Unhelpful:
    """An answer that did not help, with the question it answered."""

    rating: Rating
    question: str | None
    """As the student wrote it, to be masked before it is shown; None in a conversation with an alert of danger."""
    names: tuple[str, ...]
    """Of the linked student."""
    is_readable: bool
    """The colleague who looks may open the conversation."""


def unhelpful_answers(session: Session, staff: Staff, now: datetime, slug: str | None = None) -> Sequence[Unhelpful]:
    """What did not help in the last 90 days, the newest first; `staff` looks."""
    answer, asked = aliased(Message), aliased(Message)
    in_danger = exists().where(Alert.conversation_id == Rating.conversation_id, Alert.kind == "urgent")
    wanted = (
        select(
            Rating,
            case((in_danger, None), else_=asked.text),
            case((readable(session, staff), True), else_=False),
            Student.given_name,
            Student.family_name,
        )
        .join(answer, answer.id == Rating.message_id)
        .join(Conversation, Conversation.id == Rating.conversation_id)
        .outerjoin(asked, and_(asked.conversation_id == answer.conversation_id, asked.seq == answer.in_reply_to))
        .outerjoin(Student, Student.id == Conversation.student_id)
        .where(Rating.created_at >= now - COUNTED, Rating.helpful.is_(False))
    )
    if slug is not None:
        wanted = wanted.where(Rating.topic == slug)
    found = session.execute(wanted.order_by(Rating.created_at.desc(), Rating.id.desc()).limit(MOST_RATINGS))
    return [
        Unhelpful(rating, question, tuple(filter(None, names)), is_readable)
        for rating, question, is_readable, *names in found
    ]
