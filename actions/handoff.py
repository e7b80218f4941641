"""A person is asked for."""

from datetime import UTC, datetime
from typing import Any

from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import Action, Tracker
from rasa_sdk.types import DomainDict

from actions import answer_topic
from actions._turn import Turn, respond
from bot.bootstrap import Services
from bot.conversations.messages import Answer, Effect
from bot.handoff.words import person_requested


class ActionOfferPerson(Action):
    def name(self) -> str:
        return "action_offer_person"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        return await respond(dispatcher, tracker, answer)


def answer(services: Services, turn: Turn) -> Answer:
    if turn.decision.action != "handoff":
        return answer_topic.answer(services, turn)
    text = person_requested(turn.language, services.knowledge.school, datetime.now(UTC))
    return Answer(text, turn.understanding, effects=(Effect("request_person", {"reason": "asked"}),))
