"""What a student has booked and can book: classes, appointments, events."""

from collections.abc import Callable, Mapping
from typing import Any

from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import Action, Tracker
from rasa_sdk.types import DomainDict

from actions import answer_topic
from actions._reader import reader_of
from actions._turn import Turn, respond
from bot.bookings.answer import (
    SERVICE_GROUPS,
    Reader,
    Said,
    bookings_answer,
    cancel_which,
    classes_answer,
    events_answer,
    slots_answer,
    what_to_book,
)
from bot.bookings.rules import When
from bot.bootstrap import Services
from bot.content.naming import named
from bot.conversations.messages import Answer

NAMED_FROM = 0.05
"""Probability from which a topic beside the label says what is to be booked ("book" alone gives each far less)."""
SERVICE_OF_GROUP = {group: service for service, group in SERVICE_GROUPS.items()}

BOOKABLE = frozenset({"french_classes", "associations", *SERVICE_OF_GROUP})


class ActionBookings(Action):
    def name(self) -> str:
        return "action_bookings"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        return await respond(dispatcher, tracker, answer)


def answer(services: Services, turn: Turn) -> Answer:
    if turn.decision.action != "chat":
        return answer_topic.answer(services, turn)
    kind = (turn.understanding.intent or "").partition("/")[2]
    with services.database.read() as session:
        said = KINDS.get(kind, _mine)(services, turn, reader_of(services, turn, session))
    return said.as_answer(turn.understanding)


def _mine(_services: Services, _turn: Turn, reader: Reader) -> Said:
    return bookings_answer(reader)


def _book(services: Services, turn: Turn, reader: Reader) -> Said:
    """What is named in the text, else what was just talked about, else the choice."""
    topics = [each.topic for each in turn.understanding.candidates if each.confidence >= NAMED_FROM]
    for topic in (*topics, _named_topic(services, turn), turn.last_topic):
        known = services.knowledge.topics.get(topic) if topic is not None else None
        group = known.file.group if known is not None else None
        if group == "french_classes":
            return classes_answer(reader)
        if group == "associations":
            return events_answer(reader, When.ALL)
        if group in SERVICE_OF_GROUP:
            return slots_answer(reader, SERVICE_OF_GROUP[group])
    return what_to_book(reader)


def _named_topic(services: Services, turn: Turn) -> str | None:
    """A topic of the group whose words the text uses; the classifier hears "book" and little else."""
    called: dict[str, list[str]] = {"paperwork": ["help with paperwork", "aide pour les papiers"]}
    first: dict[str, str] = {}
    for slug, topic in services.knowledge.topics.items():
        if topic.file.group in BOOKABLE:
            first.setdefault(topic.file.group, slug)
        # A hundred topics are about papers: together they would claim every word.
        if topic.file.group in BOOKABLE - {"paperwork"}:
            called.setdefault(topic.file.group, []).extend((topic.file.title.en, topic.file.title.fr))
    meant = named(turn.text, called)
    return first[meant] if meant is not None else None


def _cancel(_services: Services, _turn: Turn, reader: Reader) -> Said:
    return cancel_which(reader)


def _move(_services: Services, _turn: Turn, reader: Reader) -> Said:
    return cancel_which(reader, move=True)


def _events(_services: Services, _turn: Turn, reader: Reader) -> Said:
    return events_answer(reader, When.WEEK)


KINDS: Mapping[str, Callable[[Services, Turn, Reader], Said]] = {
    "mine": _mine,
    "book": _book,
    "cancel": _cancel,
    "move": _move,
    "events": _events,
}
"""Sub-intent of `bookings` → what is answered."""
