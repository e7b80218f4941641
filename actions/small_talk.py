"""Greetings, thanks, "are you a robot", and what can be asked here."""

from collections.abc import Mapping
from typing import Any

from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import Action, Tracker
from rasa_sdk.types import DomainDict

from actions import answer_topic
from actions._turn import Turn, respond
from bot.answers.words import HELP, person_button
from bot.bootstrap import Services
from bot.conversations.messages import Answer
from bot.i18n.translate import mark, say

REPLIES: Mapping[str, str] = {
    "greet": mark("Hello! What can I do for you: a room, the visa, French classes, a buddy, papers?"),
    "thanks": mark("You are welcome! Write again whenever something comes up."),
    "bye": mark("Goodbye, and all the best! This conversation stays here for you."),
    "how_are_you": mark("All is well at the desk, thank you. What can I do for you?"),
    "bot_challenge": mark(
        "I am a machine: a program that answers from sources checked by the international office. You can ask for a "
        "person at any time."
    ),
    "praise": mark("Thank you, that is kind! What else can I do for you?"),
    "complaint": mark(
        "I am sorry that this did not help. Tell me in other words what you need, or let a person of the international "
        "office answer you."
    ),
    "help": HELP,
}
WITH_PERSON = frozenset({"bot_challenge", "complaint"})


class ActionSmallTalk(Action):
    def name(self) -> str:
        return "action_small_talk"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        return await respond(dispatcher, tracker, answer)


def answer(services: Services, turn: Turn) -> Answer:
    if turn.decision.action != "chat":
        return answer_topic.answer(services, turn)
    kind = (turn.understanding.intent or "").removeprefix("smalltalk/")
    text = say(turn.language, REPLIES.get(kind, REPLIES["help"]))
    buttons = (person_button(turn.language),) if kind in WITH_PERSON else ()
    return Answer(text, turn.understanding, buttons=buttons)
