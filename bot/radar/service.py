"""Keeps what was counted of a week once it is over, before its messages are deleted."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import func, select

from bot.clock import day_in_france
from bot.content.schema import DeskHours
from bot.db.session import Database
from bot.radar.models import WeekFigure
from bot.radar.queries import counted_week, first_message
from bot.radar.weeks import WEEK, Name, monday_of, mondays, week_of


def keep_weeks(database: Database, hours: Sequence[DeskHours] | None, now: datetime) -> list[date]:
    """Count every week that is over and not kept yet, each in a transaction of its own; returns their Mondays.

    Raises:
        Unavailable: the database cannot be reached; the weeks before stay kept.
    """
    with database.read() as session:
        last = session.scalar(select(func.max(WeekFigure.week)))
        first = first_message(session)
    if last is None and first is None:
        return []
    begin = last + WEEK if last is not None else week_of(first or now)
    # A day later than it ends, so that nothing of it is still being written.
    over = monday_of(day_in_france(now) - timedelta(days=1)) - WEEK
    kept = []
    for monday in mondays(begin, over):
        with database.read() as session:
            found = counted_week(session, monday, hours)
        with database.write() as session:
            if session.get(WeekFigure, (monday, str(Name.KEPT), "")) is None:
                session.add(WeekFigure(week=monday, name=Name.KEPT, key="", count=1))
                session.add_all(
                    WeekFigure(week=monday, name=name, key=key[:80], count=count)
                    for (name, key), count in found.items()
                )
        kept.append(monday)
    return kept
