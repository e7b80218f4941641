"""From Rasa's tracker to our values, and from an answer to the one JSON envelope that goes back."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import Tracker
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.answers.decision import Candidate as Label
from bot.answers.decision import Decision, decide
from bot.answers.variants import Told
from bot.answers.words import failed
from bot.bootstrap import Services, build_services
from bot.config import load_settings
from bot.conversations.messages import Answer, Candidate, Understanding
from bot.conversations.models import Conversation
from bot.i18n.languages import DEFAULT, is_supported
from bot.log import configure_logging, get_logger
from bot.students.models import Student

log = get_logger(__name__)
PROBE = "probe-"
"""Senders of `accueil ask` and of health checks; only they may name the student."""


@lru_cache(maxsize=1)
def services() -> Services:
    """Built on the first turn, one for the process."""
    configure_logging()
    return build_services(load_settings())


@dataclass(frozen=True)
class Turn:
    """One question as an action sees it."""

    sender: str
    text: str
    language: str
    today: date
    last_topic: str | None
    last_step: str | None
    """The step of the path just talked about."""
    told: Told
    """What was told in this conversation, see bot.answers.variants."""
    mentioned: Told
    """What the question itself says ("in Bordeaux"): it counts before the record."""
    wants_more: bool
    """The student pressed "More" of a topic."""
    as_student: int | None
    decision: Decision
    understanding: Understanding

    def student(self, session: Session) -> Student | None:
        """The linked student: of the conversation, or the one a probe names."""
        if self.sender.startswith(PROBE):
            return session.get(Student, self.as_student) if self.as_student is not None else None
        return session.scalar(
            select(Student)
            .join(Conversation, Conversation.student_id == Student.id)
            .where(Conversation.id == UUID(self.sender))
        )


def turn_from(tracker: Tracker) -> Turn:
    message: dict[str, Any] = tracker.latest_message or {}
    metadata: dict[str, Any] = message.get("metadata") or {}
    decision, understanding = _understood(message, metadata.get("chosen"), metadata.get("not"))
    return Turn(
        sender=tracker.sender_id,
        text=str(message.get("text") or ""),
        language=_language_of(tracker),
        today=date.fromisoformat(metadata["today"]) if metadata.get("today") else date.today(),  # noqa: DTZ011
        last_topic=metadata.get("last_topic"),
        last_step=metadata.get("last_step"),
        told=_words(metadata.get("told")),
        mentioned=_words(metadata.get("mentioned")),
        wants_more=bool(metadata.get("more")),
        as_student=metadata.get("as_student"),
        decision=decision,
        understanding=understanding,
    )


def _words(value: Any) -> dict[str, str]:
    return {str(family): str(choice) for family, choice in (value or {}).items()}


def _understood(message: dict[str, Any], chosen: str | None, refused: str | None) -> tuple[Decision, Understanding]:
    """The decision over the model's candidates. A topic from a button needs none; a `refused` one is left out."""
    known = services().knowledge.topics
    if chosen is not None and chosen in known:
        label = Label(f"ask/{chosen}", 1.0)
        decision = Decision(action="answer", label=label.label, topics=(label,))
    else:
        labels = [Label(str(each["label"]), float(each["confidence"])) for each in message.get("labels") or ()]
        possible = [each for each in labels if not _is_unknown_topic(each.label) and each.label != f"ask/{refused}"]
        decision = decide(possible)
    topics = tuple(Candidate(each.label.removeprefix("ask/"), each.confidence) for each in decision.topics)
    best = topics[0].topic if topics else None
    topic = best if decision.action == "answer" else None
    group = {
        "answer": known[best].file.group if best else "out_of_scope",
        "clarify": known[best].file.group if best else "out_of_scope",
        "handoff": "human",
        "chat": "small_talk",
    }.get(decision.action, "out_of_scope")
    confidence = 1.0 if chosen is not None else _confidence(message, decision)
    understanding = Understanding(decision.label, confidence, decision.action, topic, (), group, topics)
    return decision, understanding


def _is_unknown_topic(label: str) -> bool:
    """A model trained before a topic was withdrawn may still name it."""
    return label.startswith("ask/") and label.removeprefix("ask/") not in services().knowledge.topics


def _confidence(message: dict[str, Any], decision: Decision) -> float:
    for each in message.get("labels") or ():
        if each["label"] == decision.label:
            return float(each["confidence"])
    return 0.0


async def respond(
    dispatcher: CollectingDispatcher, tracker: Tracker, answer: Callable[[Services, Turn], Answer]
) -> list[dict[str, Any]]:
    """Work out the answer in a thread (it reads the database) and send it as one envelope.

    Rasa swallows an action that raises and says nothing; here the student gets an honest sentence instead.
    """
    try:
        turn = turn_from(tracker)
        envelope = await asyncio.to_thread(answer, services(), turn)
    except Exception:
        log.exception("action_failed", sender=tracker.sender_id)
        envelope = failed(_language_of(tracker))
    dispatcher.utter_message(json_message=envelope.as_json())
    return []


def _language_of(tracker: Tracker) -> str:
    metadata = (tracker.latest_message or {}).get("metadata") or {}
    language = str(metadata.get("language") or DEFAULT)
    return language if is_supported(language) else DEFAULT
