"""What is kept about the student: shown, copied, erased by the gateway, which holds the conversation."""

from typing import Any

from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import Action, Tracker
from rasa_sdk.types import DomainDict

from actions import answer_topic
from actions._turn import Turn, respond
from bot.bootstrap import Services
from bot.conversations.messages import Answer, Effect
from bot.i18n.translate import say
from bot.privacy.deeds import EXPLAIN, EXPORT, SHOW, erase_button, export_button

DEEDS = {"mydata/show": SHOW, "mydata/export": EXPORT, "mydata/erase": EXPLAIN}


class ActionMyData(Action):
    def name(self) -> str:
        return "action_my_data"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        return await respond(dispatcher, tracker, answer)


def answer(services: Services, turn: Turn) -> Answer:
    """The deed speaks in place of this text; only a probe, which has no conversation, reads it."""
    if turn.decision.action != "chat":
        return answer_topic.answer(services, turn)
    text = say(
        turn.language,
        "In the chat you see what is kept about you, take a copy of it, correct it, or erase everything.",
    )
    deed = DEEDS.get(turn.understanding.intent or "", SHOW)
    buttons = (export_button(turn.language), erase_button(turn.language))
    return Answer(text, turn.understanding, buttons=buttons, effects=(Effect(deed),))
