"""From a clean question to one answer: split, ask the engine, put the parts together. The turn and `ask` share it."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from bot.answers.urgent import UrgentDoor
from bot.answers.words import unreadable
from bot.assistant.ports import Engine
from bot.assistant.prepare import clean, split_questions
from bot.conversations.messages import Answer, Understanding


@dataclass(frozen=True)
class Question:
    """What the engine may know of a turn. `as_student` counts for probes only, `chosen` is a topic from a button."""

    sender: str
    text: str
    language: str
    today: date
    last_topic: str | None = None
    as_student: int | None = None
    chosen: str | None = None


def urgent_answer(door: UrgentDoor, text: str, language: str) -> Answer | None:
    kind = door.kind_of(text)
    if kind is None:
        return None
    understanding = Understanding(intent=f"urgent/{kind}", confidence=1.0, action="urgent", group="emergency")
    return Answer(door.text(kind, language), understanding)


async def answer(engine: Engine, question: Question) -> Answer:
    """Ask the engine, part by part when several things are asked.

    Raises:
        TurnFailed: the engine gave no answer.
    """
    if question.chosen is not None:
        # The text comes from us, not from the student: only a pressed button may name an intent.
        return await _ask(engine, question, "/ask", {"chosen": question.chosen})
    text = clean(question.text)
    if not any(character.isalnum() for character in text):
        return unreadable(question.language)
    parts = split_questions(text)
    if len(parts) == 1:
        return await _ask(engine, question, parts[0], {})
    answers = [await _ask(engine, question, part, {}) for part in parts]
    if len({a.understanding.topic for a in answers if a.understanding.action == "answer"}) < 2:
        return await _ask(engine, question, text, {})
    return join(answers)


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


async def _ask(engine: Engine, question: Question, text: str, extra: dict[str, Any]) -> Answer:
    metadata: dict[str, Any] = {"last_topic": question.last_topic, **extra}
    if question.as_student is not None:
        metadata["as_student"] = question.as_student
    return await engine.ask(question.sender, text, language=question.language, today=question.today, metadata=metadata)
