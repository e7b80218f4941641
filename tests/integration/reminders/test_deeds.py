"""Buttons and commands: fewer, none, again, not now."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from bot.conversations.commands import command_of
from bot.conversations.deeds import Context
from bot.conversations.messages import Answer
from bot.conversations.service import locked_conversation
from bot.db.session import Database
from bot.reminders.deeds import ask_which, ask_which_again, reminder_deeds
from bot.reminders.models import Reminder, ReminderChoice
from bot.reminders.sending import Content, Reminders
from tests.factories import make_conversation
from tests.integration.reminders.conftest import PROCEDURES, rows

Press = Callable[..., Answer]
DEEDS = reminder_deeds(PROCEDURES)


@pytest.fixture
def press(database: Database, talk: UUID, now: datetime) -> Press:
    def do(effect: str, at: datetime = now, **values: object) -> Answer:
        with database.write() as session:
            answer = DEEDS.effects[effect](Context(session, locked_conversation(session, talk), at), values)
            assert answer is not None
            return answer

    return do


def choices(database: Database) -> list[str]:
    with database.read() as session:
        return sorted(session.scalars(select(ReminderChoice.kind)))


def labels(answer: Answer) -> list[tuple[str, object]]:
    return [(button.label, button.payload.get("values", {}).get("kind")) for button in answer.buttons]


def test_fewer_reminders_asks_which(press: Press):
    answer = press("fewer_reminders")

    assert answer.text == "Which reminders shall I stop?"
    assert labels(answer) == [
        ("Steps of my path", "step"),
        ("Classes, appointments, events", "booking"),
        ("Messages of the office", "campaign"),
        ("All reminders", "all"),
    ]


def test_one_kind_is_stopped_and_started_again(database: Database, press: Press):
    answer = press("stop_reminders", kind="step")
    assert choices(database) == ["step"]
    assert labels(answer) == [("Remind me again", "step")]

    press("stop_reminders", kind="step")
    assert choices(database) == ["step"]

    press("start_reminders", kind="step")
    assert choices(database) == []


def test_the_command_stop_ends_all_reminders_and_one_kind_can_come_back(database: Database, press: Press):
    meant = command_of("/stop")
    assert meant is not None
    press("stop_reminders", kind="booking")

    answer = press(meant["effect"], **meant["values"])
    assert choices(database) == ["all"]
    assert answer.text == (
        "All right, I send you no more reminders. Your dates stay the same; ask me for them at any time."
    )

    press("start_reminders", kind="step")
    assert choices(database) == ["booking", "campaign"]

    press("start_reminders", kind="all")
    assert choices(database) == []


def test_a_button_that_says_nothing_we_know_stops_everything(database: Database, press: Press):
    press("stop_reminders", kind="birthdays")

    assert choices(database) == ["all"]


def test_what_is_stopped_is_offered_again_and_no_more():
    assert labels(ask_which("en", frozenset({"step"}))) == [
        ("Classes, appointments, events", "booking"),
        ("Messages of the office", "campaign"),
        ("All reminders", "all"),
    ]
    assert labels(ask_which_again("en", frozenset({"step"}))) == [("All reminders", "all")]
    assert ask_which("en", frozenset({"all"})).text == "You get no reminders from me. Shall I remind you again?"
    assert ask_which_again("en", frozenset()).text.startswith("You get all reminders")


@pytest.mark.parametrize("effect", ["fewer_reminders", "stop_reminders", "start_reminders", "remind_later"])
def test_in_a_conversation_that_is_not_linked_nothing_is_written(database: Database, now: datetime, effect: str):
    with database.write() as session:
        conversation = make_conversation(session, now)
        answer = DEEDS.effects[effect](Context(session, conversation, now), {"kind": "all", "steps": ["cvec"]})

    assert answer is not None
    assert [button.payload for button in answer.buttons] == [{"effect": "start_link"}]
    assert choices(database) == []
    assert rows(database) == []


def test_not_now_leaves_the_step_alone_for_a_week_and_the_missed_date_is_still_said(
    database: Database, content: Content, press: Press, now: datetime
):
    Reminders(database, content).run(now)

    answer = press("remind_later", steps=["validate_visa"])
    assert answer.text == (
        "All right, I leave this alone until 30 November 2026. The date of the step stays the same; ask me for it at "
        "any time."
    )
    assert rows(database) == [("validate_visa", "sent", "not_now", "web")]

    sent = []
    for day in range(1, 12):
        report = Reminders(database, content).run(now + timedelta(days=day))
        sent += [(day, each.jobs[0].day) for each in report.sent]
    # Its date was 27 November: the word about the day after it comes when the week is over.
    assert sent == [(7, datetime(2026, 11, 28).date())]  # noqa: DTZ001


def test_not_now_before_anything_was_sent_is_kept_as_well_and_twice_is_once(
    database: Database, press: Press, talk: UUID, now: datetime
):
    press("remind_later", steps=["cvec"])
    press("remind_later", steps=["cvec"])

    assert rows(database) == [("cvec", "skipped", "not_now", None)]


def test_not_now_on_a_step_that_does_not_exist_writes_nothing(database: Database, press: Press):
    press("remind_later", steps=["dance", 7, None])
    press("remind_later", steps="cvec")

    assert rows(database) == []


def test_after_stopping_nothing_is_sent_and_after_starting_again_the_next_one_is(
    database: Database, content: Content, press: Press, now: datetime
):
    press("stop_reminders", kind="all")
    assert Reminders(database, content).run(now).sent == []

    press("start_reminders", kind="all", at=now + timedelta(hours=1))
    later = Reminders(database, content).run(now + timedelta(days=4))

    assert [each.steps for each in later.sent] == [("validate_visa",)]
    with database.read() as session:
        found = session.execute(select(Reminder.day, Reminder.state).order_by(Reminder.id)).all()
    assert [(day.day, str(state)) for day, state in found] == [(24, "skipped"), (28, "sent")]
