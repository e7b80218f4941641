"""From a clean question to one answer: split, ask the engine, put the parts together. The turn and `ask` share it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from bot.answers.mentions import mentioned
from bot.answers.topics import topic_button
from bot.answers.urgent import UrgentDoor
from bot.answers.variants import Told
from bot.answers.words import unreadable
from bot.assistant.followup import read
from bot.assistant.ports import Engine
from bot.assistant.prepare import clean, split_questions
from bot.content.loader import Knowledge
from bot.conversations.messages import Answer, Effect, Understanding
from bot.housing.advert_answer import advert_answer, is_advert

SCAM = "housing_scam"
"""The kind of danger (knowledge/urgent.yml) that a pasted advert looks like."""
SURE = 0.75
"""Confidence from which "and the visa?" stands alone, whatever was talked about before."""


@dataclass(frozen=True)
class Chosen:
    """A topic from a button; `more`: what stands behind "More" of it."""

    topic: str
    more: bool = False


@dataclass(frozen=True)
class Question:
    """What the engine may know of a turn. `as_student` counts for probes only."""

    sender: str
    text: str
    language: str
    today: date
    last_topic: str | None = None
    last_step: str | None = None
    told: Told = field(default_factory=dict)
    as_student: int | None = None
    chosen: Chosen | None = None


def urgent_answer(door: UrgentDoor, knowledge: Knowledge, text: str, language: str) -> Answer | None:
    kind = door.kind_of(text)
    if kind is None or (kind == SCAM and is_advert(knowledge, text)):
        # An advert full of the signs of a scam is not yet a person in trouble: the check explains them, and whoever has
        # paid is led on from there.
        return None
    topic = door.kinds[kind].topic
    known = topic in knowledge.topics
    group = knowledge.topic(topic).file.group if known else "emergency"
    understanding = Understanding(f"urgent/{kind}", 1.0, "urgent", topic, (), group)
    buttons = (topic_button(knowledge, topic, language),) if known else ()
    # Each text says that it is passed on to the office: so it waits there, and colleagues are called.
    passed_on = (Effect("request_person", {"reason": "urgent"}),)
    return Answer(door.text(kind, language), understanding, buttons=buttons, effects=passed_on)


async def answer(engine: Engine, knowledge: Knowledge, question: Question) -> Answer:
    """Ask the engine, part by part when several things are asked.

    Raises:
        TurnFailed: the engine gave no answer.
    """
    if question.chosen is not None:
        # The text comes from us, not from the student: only a pressed button may name an intent.
        chosen = {"chosen": question.chosen.topic, "more": question.chosen.more}
        return await _ask(engine, question, "/ask", chosen)
    if await asyncio.to_thread(is_advert, knowledge, question.text):
        # Before anything is cleaned or asked: an advert holds names, numbers and addresses of other people.
        return await asyncio.to_thread(advert_answer, knowledge, question.text, question.language, question.today)
    text = clean(question.text)
    if not any(character.isalnum() for character in text):
        return unreadable(question.language)
    parts = split_questions(text)
    if len(parts) == 1:
        return await _one(engine, knowledge, question, text)
    answers: list[Answer] = []
    topic = question.last_topic
    for part in parts:
        reply = await _one(engine, knowledge, replace(question, last_topic=topic), part)
        answers.append(reply)
        topic = reply.understanding.topic or topic
    if len({a.understanding.topic for a in answers if a.understanding.action == "answer"}) < 2:
        return await _one(engine, knowledge, question, text)
    return join(answers)


async def _one(engine: Engine, knowledge: Knowledge, question: Question, text: str) -> Answer:
    """One question, in the light of the topic just talked about where it hangs on it."""
    last = question.last_topic
    if last is None or last not in knowledge.topics:
        return await _ask(engine, question, text)
    reading = read(text)
    if reading.kind == "alone":
        return await _ask(engine, question, text)
    if reading.kind == "correction":
        return await _ask(engine, question, reading.text, {"not": last})
    alone = await _ask(engine, question, text)
    if reading.kind == "next" and _is_clear(alone, SURE) and alone.understanding.topic != last:
        return alone
    if alone.understanding.action not in ("answer", "clarify", "abstain"):
        return alone
    about = knowledge.topic(last).file.title.get(question.language)
    together = await _ask(engine, question, f"{about}: {text}")
    return together if _is_clear(together, 0) else alone


def _is_clear(reply: Answer, least: float) -> bool:
    return reply.understanding.action == "answer" and reply.understanding.confidence >= least


def join(answers: list[Answer]) -> Answer:
    """Several answers as one: each topic once, the unclear parts last in their own words."""
    chosen: list[Answer] = []
    for each in answers:
        if all(each.text != other.text for other in chosen):
            chosen.append(each)
    clear = [a for a in chosen if a.understanding.action == "answer"]
    ordered = clear + [a for a in chosen if a.understanding.action != "answer"]
    first = clear[0].understanding
    sources = tuple(dict.fromkeys(source for a in ordered for source in a.sources))
    buttons = {button.label: button for a in ordered for button in a.buttons}
    understanding = Understanding(
        intent=first.intent,
        confidence=min(a.understanding.confidence for a in clear),
        action="answer",
        topic=first.topic,
        topics=tuple(a.understanding.topic for a in clear if a.understanding.topic),
        group=first.group,
        candidates=first.candidates,
    )
    return Answer(
        text="\n\n".join(a.text for a in ordered),
        understanding=understanding,
        buttons=tuple(buttons.values())[:6],
        sources=sources,
        effects=tuple(effect for a in ordered for effect in a.effects),
    )


async def _ask(engine: Engine, question: Question, text: str, extra: Mapping[str, Any] | None = None) -> Answer:
    metadata: dict[str, Any] = {
        "last_topic": question.last_topic,
        "last_step": question.last_step,
        "told": dict(question.told),
        # Of this question alone: "in Bordeaux", "as a British student".
        "mentioned": dict(mentioned(question.text)),
        **(extra or {}),
    }
    if question.as_student is not None:
        metadata["as_student"] = question.as_student
    return await engine.ask(question.sender, text, language=question.language, today=question.today, metadata=metadata)
