"""What is kept of a week: counts, of nobody in particular."""

from datetime import date

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.base import Base, Erasing, personal


class WeekFigure(Base):
    """How often something happened in one week; written once, when the week is over.

    Messages are deleted long before a report on a year is due; these counts stay.
    """

    __tablename__ = "week_figures"
    __table_args__ = ({"info": personal(Erasing.NOTHING, "counts of a week, without a person")},)

    week: Mapped[date] = mapped_column(primary_key=True)
    """Its Monday, in France."""
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    """One of bot.radar.weeks.Name."""
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    """What is counted: a language, a topic, an hour, a number of minutes."""
    count: Mapped[int]
