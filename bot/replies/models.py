"""Canned replies: texts that colleagues send again and again, by language."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.base import Base, Erasing, personal


class CannedReply(Base):
    """One text in one or more languages, with variables (bot.replies.rules). `owner_id` None: shared by the office."""

    __tablename__ = "canned_replies"
    __table_args__ = (
        Index(
            "uq_canned_replies_shared",
            "shortcut",
            unique=True,
            sqlite_where=text("owner_id IS NULL AND deleted_at IS NULL"),
            postgresql_where=text("owner_id IS NULL AND deleted_at IS NULL"),
        ),
        Index(
            "uq_canned_replies_own",
            "owner_id",
            "shortcut",
            unique=True,
            sqlite_where=text("owner_id IS NOT NULL AND deleted_at IS NULL"),
            postgresql_where=text("owner_id IS NOT NULL AND deleted_at IS NULL"),
        ),
        {"info": personal(Erasing.NOTHING, "texts of the office without anybody's name")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    shortcut: Mapped[str] = mapped_column(String(30))
    name: Mapped[str] = mapped_column(String(120))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"))
    texts: Mapped[dict[str, Any]]
    """Language → text with variables in braces."""
    version: Mapped[int] = mapped_column(default=1)
    """Moves with each change: two colleagues who edit at once do not overwrite each other."""
    updated_at: Mapped[datetime]
    updated_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id", ondelete="SET NULL"))
    deleted_at: Mapped[datetime | None]
    """Deleted ones can be brought back until the purge takes them."""
