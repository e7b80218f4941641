"""What the engine's labels reminders/stop, reminders/start and reminders/calendar are answered with."""

from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest

from actions._turn import Turn
from actions.reminders import answer
from bot.answers.decision import Decision
from bot.conversations.messages import Answer, Understanding
from bot.db.session import Database
from bot.reminders.models import ReminderChoice

Ask = Callable[..., Answer]


@pytest.fixture
def ask(database: Database, now: datetime) -> Ask:
    def turn(label: str, conversation: UUID) -> Answer:
        asked = Turn(
            sender=str(conversation),
            text="",
            language="en",
            today=now.date(),
            last_topic=None,
            last_step=None,
            told={},
            mentioned={},
            wants_more=False,
            as_student=None,
            decision=Decision(action="chat", label=label, topics=()),
            understanding=Understanding(label, 0.9, "chat"),
        )
        return answer(SimpleNamespace(database=database), asked)

    return turn


def test_stop_asks_which_and_start_says_what_is_sent(ask: Ask, talk: UUID):
    stop, start = ask("reminders/stop", talk), ask("reminders/start", talk)

    assert stop.text == "Which reminders shall I stop?"
    assert [button.payload["effect"] for button in stop.buttons] == ["stop_reminders"] * 4
    assert start.text.startswith("You get all reminders")
    assert (stop.understanding.intent, stop.understanding.group) == ("reminders/stop", "paperwork")


def test_start_offers_what_was_stopped(database: Database, ask: Ask, talk: UUID, amina: int, now: datetime):
    with database.write() as session:
        session.add(ReminderChoice(student_id=amina, kind="all", chosen_at=now))

    again = ask("reminders/start", talk)

    assert again.text == "Which reminders shall I send again?"
    assert [button.payload["values"]["kind"] for button in again.buttons] == ["step", "booking", "campaign", "all"]


@pytest.mark.parametrize("label", ["reminders/stop", "reminders/start", "reminders/calendar"])
def test_whoever_is_not_linked_is_offered_the_link(ask: Ask, label: str):
    offered = ask(label, uuid4())

    assert [button.payload for button in offered.buttons] == [{"effect": "start_link"}]
    assert offered.effects == ()


def test_the_calendar_is_given_by_the_gateway(ask: Ask, talk: UUID):
    assert [effect.name for effect in ask("reminders/calendar", talk).effects] == ["give_calendar"]
