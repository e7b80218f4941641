"""What is counted of a week, on both databases; a week that is over is kept when its messages go."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from bot.content.schema import DeskHours
from bot.conversations.models import Author, Conversation, Message
from bot.conversations.service import append
from bot.db.session import Database
from bot.editing.ratings import rate
from bot.handoff.models import Case, Reason
from bot.radar.models import WeekFigure
from bot.radar.queries import counted_week, figures_of_weeks
from bot.radar.service import keep_weeks
from tests.factories import make_conversation

MONDAY = date(2026, 11, 16)
NOON = datetime(2026, 11, 16, 11, 0, tzinfo=UTC)
HOURS = [DeskHours(weekday=day, opens="09:00", closes="17:00") for day in range(5)]


def talk(
    database: Database,
    at: datetime = NOON,
    *,
    language: str = "en",
    action: str = "answer",
    topic: str | None = "cvec",
    group: str = "ask",
    seconds: float = 1.5,
    staff: bool = False,
) -> Any:
    """A conversation: a greeting, a question, a reply, and a colleague's word where there is one."""
    with database.write() as session:
        conversation = make_conversation(session, at - timedelta(minutes=1), language)
        asked = append(session, conversation, Author.STUDENT, "A question", now=at)
        understanding = {"action": action, "topic": topic, "group": group}
        append(
            session,
            conversation,
            Author.BOT,
            "A reply",
            now=at + timedelta(seconds=seconds),
            in_reply_to=asked.seq,
            understanding=understanding,
        )
        if staff:
            append(session, conversation, Author.STAFF, "Hello", now=at + timedelta(minutes=5))
        return conversation.id


def ask_for_a_person(database: Database, at: datetime, after: timedelta | None, reason: Reason = Reason.ASKED) -> Any:
    conversation_id = talk(database, at, action="handoff", topic=None, group="human")
    with database.write() as session:
        claimed_at = at + after if after is not None else None
        session.add(Case(conversation_id=conversation_id, reason=reason, opened_at=at, claimed_at=claimed_at))
    return conversation_id


def judge(database: Database, at: datetime, *, yes: int = 0, no: int = 0) -> None:
    """So many conversations in which a student said of one answer that it helped, and that it did not."""
    for helpful in (*[True] * yes, *[False] * no):
        conversation_id = talk(database, at)
        with database.write() as session:
            rate(session, conversation_id, 3, at, helpful=helpful)


def counted(
    database: Database, monday: date = MONDAY, hours: list[DeskHours] | None = None
) -> dict[str, dict[str, int]]:
    with database.read() as session:
        found: dict[str, dict[str, int]] = {}
        for (name, key), count in counted_week(session, monday, hours).items():
            found.setdefault(str(name), {})[key] = count
        return found


def test_a_week_is_counted_by_author_hour_language_topic_reply_and_outcome(database: Database):
    talk(database)
    talk(database, NOON + timedelta(hours=1), language="fr", topic="visa", seconds=0.2)
    talk(database, NOON + timedelta(days=1), topic="cvec", staff=True)
    talk(database, NOON, action="abstain", topic=None, group="out_of_scope")
    talk(database, NOON, action="chat", topic=None, group="small_talk")
    talk(database, NOON, action="chat", topic=None, group="bookings")

    assert counted(database) == {
        "messages": {"student": 6, "bot": 6, "staff": 1},
        "hour": {"0-12": 4, "0-13": 1, "1-12": 1},
        "language": {"en": 5, "fr": 1},
        "topic": {"cvec": 2, "visa": 1},
        "reply": {"answer": 3, "abstain": 1, "chat": 2},
        "talks": {"answered": 3, "person": 1, "neither": 2},
        "seconds": {"1": 1, "2": 5},
    }


def test_only_what_lies_in_the_week_is_counted(database: Database):
    begin = datetime(2026, 11, 15, 23, 0, tzinfo=UTC)
    talk(database, begin - timedelta(minutes=10))
    talk(database, begin)
    talk(database, begin + timedelta(days=7))

    assert counted(database)["messages"] == {"student": 1, "bot": 1}
    assert counted(database)["hour"] == {"0-00": 1}
    assert counted(database, date(2026, 1, 5)) == {}


def test_waits_are_counted_when_they_end_and_again_in_opening_hours(database: Database):
    evening = datetime(2026, 11, 16, 15, 50, tzinfo=UTC)
    ask_for_a_person(database, evening, timedelta(hours=16, minutes=20))
    ask_for_a_person(database, evening, None)
    ask_for_a_person(database, evening, timedelta(minutes=3), Reason.TAKEOVER)
    found = counted(database, hours=HOURS)

    assert found["request"] == {"made": 2}
    assert found["wait"] == {"980": 1}
    assert found["wait_open"] == {"20": 1}
    assert found["talks"] == {"person": 3}
    assert "wait_open" not in counted(database)


def test_one_student_who_judges_many_answers_is_one(database: Database):
    conversation_id = talk(database)
    with database.write() as session:
        conversation = session.get_one(Conversation, conversation_id)
        for topic, helpful in (("visa", True), ("caf", True), ("bank", False)):
            understanding = {"action": "answer", "topic": topic, "group": "ask"}
            answer = append(
                session, conversation, Author.BOT, "A reply", now=NOON, in_reply_to=2, understanding=understanding
            )
            rate(session, conversation_id, answer.seq, NOON, helpful=helpful)
    judge(database, NOON, yes=1)

    assert counted(database)["helpful"] == {"yes": 2, "no": 1}


def test_of_each_answer_the_last_word_of_the_student_counts_in_the_week_in_which_it_was_said(database: Database):
    judge(database, NOON, yes=3, no=2)
    judge(database, NOON - timedelta(days=7), yes=1)
    changed_their_mind = talk(database)
    for minutes, helpful in ((1, True), (2, False)):
        with database.write() as session:
            rate(session, changed_their_mind, 3, NOON + timedelta(minutes=minutes), helpful=helpful)

    assert counted(database)["helpful"] == {"yes": 3, "no": 3}
    assert counted(database, MONDAY - timedelta(days=7))["helpful"] == {"yes": 1}


def test_a_week_is_kept_once_it_is_over_and_outlasts_its_messages(database: Database):
    talk(database)
    sunday_night = datetime(2026, 11, 22, 22, 0, tzinfo=UTC)
    assert keep_weeks(database, None, sunday_night) == []
    assert keep_weeks(database, None, sunday_night + timedelta(days=1)) == []
    before = counted(database)

    assert keep_weeks(database, None, sunday_night + timedelta(days=2)) == [MONDAY]
    assert keep_weeks(database, None, sunday_night + timedelta(days=2)) == []
    with database.write() as session:
        session.execute(delete(Conversation))
    with database.read() as session:
        kept = figures_of_weeks(session, MONDAY, MONDAY, None)[MONDAY]
    assert {key: count for key, count in kept.items() if key != ("kept", "")} == {
        (name, key): count for name, counts in before.items() for key, count in counts.items()
    }


def test_weeks_without_a_message_are_kept_as_well(database: Database):
    talk(database)
    talk(database, NOON + timedelta(days=21))

    assert keep_weeks(database, None, NOON + timedelta(days=29)) == [MONDAY + timedelta(days=7 * n) for n in range(4)]
    with database.read() as session:
        assert len(session.scalars(select(WeekFigure.week).distinct()).all()) == 4


def test_the_week_that_runs_is_counted_as_it_is_now(database: Database):
    talk(database)
    keep_weeks(database, None, NOON + timedelta(days=8))
    talk(database, NOON + timedelta(days=8))
    with database.read() as session:
        found = figures_of_weeks(session, MONDAY - timedelta(days=7), MONDAY + timedelta(days=7), None)

    assert [figures.get(("messages", "student")) for figures in found.values()] == [None, 1, 1]


def test_nothing_is_kept_before_the_first_message(database: Database, now: datetime):
    assert keep_weeks(database, None, now) == []
    with database.read() as session:
        assert session.scalars(select(Message)).all() == []


@pytest.mark.parametrize("seconds", [-3.0, 7200.0])
def test_a_reply_before_its_question_or_long_after_it_has_a_length_that_is_possible(database: Database, seconds: float):
    talk(database, seconds=seconds)

    assert counted(database)["seconds"] == ({"0": 1} if seconds < 0 else {"3600": 1})
