"""What the student settles about themselves: language, the link to the record, privacy."""

from dataclasses import replace
from functools import lru_cache
from typing import Any

from babel import Locale
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import Action, Tracker
from rasa_sdk.types import DomainDict

from actions import answer_topic
from actions._turn import Turn, respond
from bot.answers.topics import language_buttons
from bot.answers.urgent import fold
from bot.answers.words import link_button, person_button
from bot.bootstrap import Services
from bot.conversations.deeds import deed_button
from bot.conversations.messages import Answer, Button, Effect
from bot.i18n.languages import BY_CODE, CODES
from bot.i18n.translate import say
from bot.privacy.deeds import SHOW


class ActionSetLanguage(Action):
    def name(self) -> str:
        return "action_set_language"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        return await respond(dispatcher, tracker, language_answer)


class ActionLinkRecord(Action):
    def name(self) -> str:
        return "action_link_record"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        return await respond(dispatcher, tracker, identity_answer)


class ActionPrivacy(Action):
    def name(self) -> str:
        return "action_privacy"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        return await respond(dispatcher, tracker, privacy_answer)


def language_answer(services: Services, turn: Turn) -> Answer:
    if turn.decision.action != "chat":
        return answer_topic.answer(services, turn)
    wanted = named_language(turn.text)
    if wanted is None:
        text = say(turn.language, "In which language shall I answer?")
        return Answer(text, turn.understanding, buttons=language_buttons())
    text = say(wanted, "I now answer in {language}.", language=BY_CODE[wanted].name)
    effect = Effect("set_language", {"language": wanted})
    if turn.last_topic is None or turn.last_topic not in services.knowledge.topics:
        return Answer(text, turn.understanding, effects=(effect,))
    # "In French, please" is about the answer just given.
    again = answer_topic.answer_about(services, replace(turn, language=wanted), turn.last_topic)
    return replace(again, text=f"{text}\n\n{again.text}", effects=(*again.effects, effect))


@lru_cache(maxsize=1)
def _language_names() -> dict[str, str]:
    """Folded name of each of our languages in each of our languages → code."""
    return {
        fold(name): code for code in CODES for reader in CODES if (name := Locale.parse(code).get_language_name(reader))
    }


def named_language(text: str) -> str | None:
    """The language that a message asks for by name, in whatever language it is written."""
    folded = fold(text)
    words = set(folded.replace("?", " ").replace(".", " ").split())
    for name, code in _language_names().items():
        if name in words or (not name.isascii() and name in folded):
            return code
    return None


def identity_answer(services: Services, turn: Turn) -> Answer:
    if turn.decision.action != "chat":
        return answer_topic.answer(services, turn)
    with services.database.read() as session:
        student = turn.student(session)
        if student is None:
            text = say(turn.language, "Your record is not linked to this conversation yet.")
            return Answer(text, turn.understanding, effects=(Effect("start_link"),))
        text = say(
            turn.language,
            "You are linked as {name}: I can give you your own dates.",
            name=student.given_name,
        )
    unlink = Button(say(turn.language, "Remove the link"), {"effect": "unlink"})
    return Answer(text, turn.understanding, buttons=(unlink,))


def privacy_answer(services: Services, turn: Turn) -> Answer:
    if turn.decision.action != "chat":
        return answer_topic.answer(services, turn)
    text = say(
        turn.language,
        "I keep this conversation so that you and the international office can read it again. Your student record is "
        "used only after you have linked it, and only to answer you. You can see, correct, copy or erase what is kept "
        "about you at any time. Please do not write about your health or other private matters that are not "
        "needed here.",
    )
    with services.database.read() as session:
        linked = turn.student(session) is not None
    own = Button(say(turn.language, "Remove the link"), {"effect": "unlink"}) if linked else link_button(turn.language)
    kept = deed_button(say(turn.language, "What is kept about me"), SHOW)
    return Answer(text, turn.understanding, buttons=(kept, person_button(turn.language), own))
