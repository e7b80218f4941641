"""Counts of a week out of the tables of the talk: the database counts, no text is read."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from math import ceil
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, literal_column, or_, select
from sqlalchemy.orm import Session, aliased

from bot.content.schema import DeskHours
from bot.conversations.models import Author, Kind, Message
from bot.editing.models import Rating
from bot.handoff.models import Case, Reason
from bot.radar.models import WeekFigure
from bot.radar.weeks import (
    LONGEST_REPLY,
    LONGEST_WAIT,
    Figures,
    Name,
    Outcome,
    hour_key,
    mondays,
    open_minutes,
    span_of,
)

SMALL_TALK = ("small_talk", "human", "out_of_scope")
"""Replies of these groups answer no question."""

Span = tuple[datetime, datetime]


def figures_of_weeks(
    session: Session, first: date, last: date, hours: Sequence[DeskHours] | None
) -> dict[date, Figures]:
    """Monday → what was counted, of the weeks from that of `first` to that of `last`: kept ones as kept, others now."""
    wanted = mondays(first, last)
    found: dict[date, dict[tuple[str, str], int]] = {}
    kept = select(WeekFigure.week, WeekFigure.name, WeekFigure.key, WeekFigure.count).where(WeekFigure.week.in_(wanted))
    for week, name, key, number in session.execute(kept):
        found.setdefault(week, {})[name, key] = number
    first_day = first_message(session)
    for monday in wanted:
        if monday not in found:
            is_before = first_day is None or span_of(monday)[1] <= first_day
            found[monday] = {} if is_before else counted_week(session, monday, hours)
    return {monday: found[monday] for monday in wanted}


def first_message(session: Session) -> datetime | None:
    return session.scalar(select(Message.created_at).order_by(Message.created_at).limit(1))


def counted_week(session: Session, monday: date, hours: Sequence[DeskHours] | None) -> dict[tuple[str, str], int]:
    """Everything that is counted of one week, as the tables are now."""
    span = span_of(monday)
    counts: Counter[tuple[str, str]] = Counter()
    for author, hour, count in session.execute(_messages(session, span)):
        counts[Name.MESSAGES, str(author)] += count
        if author == Author.STUDENT:
            # Whole hours of UTC are whole hours of France as well.
            counts[Name.HOUR, hour_key(datetime.strptime(hour, "%Y-%m-%d %H").replace(tzinfo=UTC))] += count
    for name, query in (
        (Name.LANGUAGE, _languages(span)),
        (Name.TOPIC, _topics(span)),
        (Name.REPLY, _replies(span)),
        (Name.TALKS, _outcomes(span)),
        (Name.HELPFUL, _ratings(span)),
    ):
        for key, count in session.execute(query):
            counts[name, str(key)] += count
    for key in _seconds(session, span):
        counts[Name.SECONDS, str(key)] += 1
    _count_cases(session, span, hours, counts)
    return {key: count for key, count in counts.items() if count}


def _within(column: Any, span: Span) -> ColumnElement[bool]:
    return and_(column >= span[0], column < span[1])


def _said(author: Author, span: Span) -> ColumnElement[bool]:
    return and_(_within(Message.created_at, span), Message.author == author, Message.kind == Kind.TEXT)


def _messages(session: Session, span: Span) -> Select[Any]:
    """(author, hour in UTC, how many)."""
    if session.get_bind().dialect.name == "postgresql":
        hour: ColumnElement[str] = func.to_char(func.timezone("UTC", Message.created_at), "YYYY-MM-DD HH24")
    else:
        hour = func.substr(Message.created_at, 1, 13)
    each = (
        select(Message.author.label("author"), hour.label("hour"))
        .where(_within(Message.created_at, span), Message.kind == Kind.TEXT)
        .subquery()
    )
    return select(each.c.author, each.c.hour, func.count()).group_by(each.c.author, each.c.hour)


def _languages(span: Span) -> Select[str, int]:
    return (
        select(Message.language, func.count(func.distinct(Message.conversation_id)))
        .where(_said(Author.STUDENT, span))
        .group_by(Message.language)
    )


def _understood(span: Span) -> Any:
    """The replies of the assistant with what was decided, as columns."""
    return (
        select(
            Message.conversation_id.label("talk"),
            Message.understanding["action"].as_string().label("action"),
            Message.understanding["group"].as_string().label("group"),
            Message.understanding["topic"].as_string().label("topic"),
        )
        .where(_said(Author.BOT, span), Message.in_reply_to.is_not(None), Message.understanding.is_not(None))
        .subquery()
    )


def _topics(span: Span) -> Select[Any]:
    each = _understood(span)
    return (
        select(each.c.topic, func.count(func.distinct(each.c.talk)))
        .where(each.c.action == "answer", each.c.topic.is_not(None))
        .group_by(each.c.topic)
    )


def _replies(span: Span) -> Select[Any]:
    each = _understood(span)
    return select(each.c.action, func.count()).where(each.c.action.is_not(None)).group_by(each.c.action)


def _outcomes(span: Span) -> Select[str, int]:
    """(outcome, conversations): each conversation in which a student wrote, once."""
    wrote = select(Message.conversation_id.label("talk")).where(_said(Author.STUDENT, span)).distinct().subquery()
    person = (
        select(Message.conversation_id.label("talk"))
        .where(_said(Author.STAFF, span))
        .union(select(Case.conversation_id.label("talk")).where(_within(Case.opened_at, span)))
        .subquery()
    )
    each = _understood(span)
    is_answer = or_(
        each.c.action == "answer", and_(each.c.action.in_(("chat", "prompt")), each.c.group.not_in(SMALL_TALK))
    )
    answered = select(each.c.talk).where(is_answer).distinct().subquery()
    kinds = (
        select(person.c.talk.is_not(None).label("person"), answered.c.talk.is_not(None).label("answered"))
        .select_from(wrote)
        .outerjoin(person, person.c.talk == wrote.c.talk)
        .outerjoin(answered, answered.c.talk == wrote.c.talk)
        .subquery()
    )
    outcome = _outcome_of(kinds)
    return select(outcome, func.count()).group_by(outcome)


def _outcome_of(kinds: Any) -> ColumnElement[str]:
    return case(
        (kinds.c.person, literal_column(f"'{Outcome.PERSON}'")),
        (kinds.c.answered, literal_column(f"'{Outcome.ANSWERED}'")),
        else_=literal_column(f"'{Outcome.NEITHER}'"),
    )


def _seconds(session: Session, span: Span) -> list[int]:
    """How long each reply of the assistant took."""
    asked, reply = aliased(Message), aliased(Message)
    rows = session.execute(
        select(asked.created_at, reply.created_at)
        .join(asked, and_(asked.conversation_id == reply.conversation_id, asked.seq == reply.in_reply_to))
        .where(_within(reply.created_at, span), reply.author == Author.BOT, reply.in_reply_to.is_not(None))
        .where(asked.author == Author.STUDENT)
    )
    return [min(_ceiling((end - begin).total_seconds()), LONGEST_REPLY) for begin, end in rows]


def _count_cases(
    session: Session, span: Span, hours: Sequence[DeskHours] | None, counts: Counter[tuple[str, str]]
) -> None:
    """Requests by the week in which they were made, waits by the week in which they ended."""
    made = select(func.count()).where(_within(Case.opened_at, span), Case.reason != Reason.TAKEOVER)
    counts[Name.REQUEST, "made"] += session.scalar(made) or 0
    taken = session.execute(
        select(Case.opened_at, Case.claimed_at).where(_within(Case.claimed_at, span), Case.reason != Reason.TAKEOVER)
    )
    for opened_at, claimed_at in taken:
        if claimed_at is None:
            continue
        minutes = _ceiling((claimed_at - opened_at).total_seconds() / 60)
        counts[Name.WAIT, str(min(minutes, LONGEST_WAIT))] += 1
        if hours:
            counts[Name.WAIT_OPEN, str(min(open_minutes(hours, opened_at, claimed_at), LONGEST_WAIT))] += 1


def _ratings(span: Span) -> Select[str, int]:
    """(yes or no, conversations): one person who judges five answers is no group of five."""
    said = case((Rating.helpful, literal_column("'yes'")), else_=literal_column("'no'"))
    talks = func.count(func.distinct(Rating.conversation_id))
    return select(said, talks).where(_within(Rating.created_at, span)).group_by(said)


def _ceiling(value: float) -> int:
    return max(0, ceil(value))
