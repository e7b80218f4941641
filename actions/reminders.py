"""Fewer reminders, reminders again, and the dates in one's own calendar."""

from dataclasses import replace
from typing import Any

from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import Action, Tracker
from rasa_sdk.types import DomainDict

from actions import answer_topic
from actions._turn import Turn, respond
from actions.calendar import calendar_answer
from bot.bootstrap import Services
from bot.conversations.messages import Answer
from bot.reminders.deeds import ask_which, ask_which_again, not_linked
from bot.reminders.queries import unwanted_by

ASKS = {"reminders/stop": ask_which, "reminders/start": ask_which_again}
CALENDAR = "reminders/calendar"


class ActionReminders(Action):
    def name(self) -> str:
        return "action_reminders"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        return await respond(dispatcher, tracker, answer)


def answer(services: Services, turn: Turn) -> Answer:
    label = turn.understanding.intent
    if turn.decision.action != "chat":
        return answer_topic.answer(services, turn)
    if label == CALENDAR:
        return calendar_answer(services, turn)
    understanding = replace(turn.understanding, group="paperwork")
    with services.database.read() as session:
        student = turn.student(session)
        if student is None:
            return replace(not_linked(turn.language), understanding=understanding)
        unwanted = unwanted_by(session, student.id)
    ask = ASKS.get(label or "", ask_which)
    return replace(ask(turn.language, unwanted), understanding=understanding)
