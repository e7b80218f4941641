"""Buddies: where the pairing of a newcomer stands."""

from datetime import date

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.base import Base, Erasing, personal


class BuddyPairing(Base):
    """One newcomer's pairing; contact details are not kept here, they wait for both to accept."""

    __tablename__ = "buddy_pairings"
    __table_args__ = ({"info": personal(Erasing.DELETE_ROWS, "whom a person is paired with")},)

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"), unique=True)
    state: Mapped[str] = mapped_column(String(20))
    """One of bot.buddies.records.PAIRING_STATES."""
    buddy_given_name: Mapped[str | None] = mapped_column(String(80))
    buddy_languages: Mapped[str | None] = mapped_column(String(80))
    """BCP 47 tags separated by |."""
    since: Mapped[date]
