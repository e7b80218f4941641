"""Tables of answers edited in the console: editions of topics, their saved texts, what students think of them."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.base import Base, Erasing, personal


class State(StrEnum):
    DRAFT = "draft"
    REVIEW = "review"
    """Waits for somebody who did not write it."""
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class Origin(StrEnum):
    FILES = "files"
    """As it stood in knowledge/ before the first edition on top of it."""
    WRITTEN = "written"
    CHECKED = "checked"
    """Still true: sources were read again, no word was changed."""
    RESTORED = "restored"
    """An earlier edition again."""


IS_OPEN = text("state IN ('draft', 'review')")


class Edition(Base):
    """One text of a topic on its way to the students. Of the published ones the last of a topic is live."""

    __tablename__ = "editions"
    __table_args__ = (
        CheckConstraint("reviewer_id IS NULL OR reviewer_id <> author_id", name="reviewed_by_another"),
        CheckConstraint(
            "state <> 'published' OR origin IN ('files', 'restored') OR reviewer_id IS NOT NULL", name="reviewed_first"
        ),
        CheckConstraint("(state = 'published') = (publication IS NOT NULL)", name="publication_iff_published"),
        Index("ix_editions_slug", "slug", "publication"),
        Index("uq_editions_open", "slug", unique=True, sqlite_where=IS_OPEN, postgresql_where=IS_OPEN),
        {"info": personal(Erasing.NOTHING, "texts of the office, not students")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(60))
    state: Mapped[State] = mapped_column(String(10), default=State.DRAFT)
    origin: Mapped[Origin] = mapped_column(String(10), default=Origin.WRITTEN)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    """Whoever saved it last; None for what came from the files."""
    reviewer_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    remark: Mapped[str] = mapped_column(Text, default="")
    """The reviewer's, when it was sent back."""
    based_on: Mapped[str] = mapped_column(String(64))
    """Hash of the live text it started from; another one by now means that somebody else published."""
    files_hash: Mapped[str] = mapped_column(String(64))
    """Hash of the topic's files when it started."""
    publication: Mapped[int | None] = mapped_column(unique=True)
    """1, 2, 3 … over all topics, in the order of publishing: whoever has seen the highest has seen all."""
    restores_id: Mapped[int | None] = mapped_column(ForeignKey("editions.id"))
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    exported_at: Mapped[datetime | None]
    """When it was written into the files of knowledge/; files that change afterwards are newer."""


class EditionSave(Base):
    """Every saved state of an edition, so that nobody's words are lost. `number` counts from 1 in an edition."""

    __tablename__ = "edition_saves"
    __table_args__ = (
        UniqueConstraint("edition_id", "number"),
        {"info": personal(Erasing.NOTHING, "texts of the office, not students")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    edition_id: Mapped[int] = mapped_column(ForeignKey("editions.id", ondelete="CASCADE"))
    number: Mapped[int]
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    texts: Mapped[dict[str, Any]]
    """The files of the topic's folder: topic.yml, en.md, fr.md."""
    saved_at: Mapped[datetime]


class Reason(StrEnum):
    WRONG = "wrong"
    UNCLEAR = "unclear"
    NOT_MY_CASE = "not_my_case"


class Rating(Base):
    """Whether an answer helped, as the student pressed it: once for a topic in a conversation; it may be changed."""

    __tablename__ = "ratings"
    __table_args__ = (
        UniqueConstraint("conversation_id", "topic"),
        Index("ix_ratings_topic", "topic", "created_at"),
        {"info": personal(Erasing.DELETE_ROWS, "what a person thought of an answer")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[UUID] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), index=True)
    topic: Mapped[str] = mapped_column(String(60))
    language: Mapped[str] = mapped_column(String(8))
    helpful: Mapped[bool]
    reason: Mapped[Reason | None] = mapped_column(String(20))
    created_at: Mapped[datetime]
