"""The student's own path: what is left, what comes next, "I did it", "I can't", "why me?", "until when?"."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import Action, Tracker
from rasa_sdk.types import DomainDict

from actions import answer_topic
from actions._turn import Turn, respond
from bot.bootstrap import Services
from bot.content.naming import named
from bot.conversations.messages import Answer, Effect
from bot.paperwork.queries import view_of
from bot.paperwork.replies import (
    View,
    cannot_do,
    everything_left,
    next_step,
    not_linked,
    not_yet,
    until_when,
    was_done,
    which_step,
    why,
)
from bot.paperwork.rules import Status, Step
from bot.students.dates import day_in

NAMED_FROM = 0.01
"""Probability from which a topic beside the label says which step is meant ("I did it" alone gives each far less)."""

MOST_WORDS = 8
"""Of a text that may mean what was just talked about: "I have already done that on 2 October"."""


class ActionShowPath(Action):
    def name(self) -> str:
        return "action_show_path"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        return await respond(dispatcher, tracker, answer)


def answer(services: Services, turn: Turn) -> Answer:
    if turn.decision.action != "chat":
        return answer_topic.answer(services, turn)
    with services.database.read() as session:
        student = turn.student(session)
        if student is None:
            reply = not_linked(turn.language)
        else:
            view = view_of(session, student, services.procedures, services.knowledge, turn.language, turn.today)
            kind = (turn.understanding.intent or "").partition("/")[2]
            reply = KINDS.get(kind, _left)(services, turn, view)
    return replace(reply, understanding=replace(turn.understanding, group="paperwork"))


def step_meant(services: Services, turn: Turn, view: View) -> Step | None:
    """The step named in the text, else the one just talked about, else that of the topic just talked about.

    A long text that names no step we know is about something else than what was just talked about: None, so that no
    legal date disappears behind a wrong "done".
    """
    for each in turn.understanding.candidates:
        if each.confidence >= NAMED_FROM and (step := _step_of_topic(services, each.topic, view)) is not None:
            return step
    if (slug := named(turn.text, _names(view))) is not None:
        return view.step(slug)
    if len(turn.text.split()) > MOST_WORDS:
        return None
    if turn.last_step is not None:
        return view.step(turn.last_step)
    return _step_of_topic(services, turn.last_topic, view)


def _names(view: View) -> dict[str, list[str]]:
    """What each step is called."""
    return {each.slug: [each.slug.replace("_", " "), each.title.en, each.title.fr] for each in view.procedures}


def _step_of_topic(services: Services, topic: str | None, view: View) -> Step | None:
    known = services.knowledge.topics.get(topic) if topic is not None else None
    return view.step(known.file.procedure) if known is not None else None


def _left(_services: Services, _turn: Turn, view: View) -> Answer:
    return everything_left(view)


def _next(_services: Services, _turn: Turn, view: View) -> Answer:
    return next_step(view)


def _done(services: Services, turn: Turn, view: View) -> Answer:
    """The words as they will be; the deed writes, and says it again from what it wrote."""
    step = step_meant(services, turn, view)
    if step is None or step.status is Status.NOT_NEEDED:
        return which_step(view, "path_done")
    on = day_in(turn.text, turn.language, turn.today, "past") or turn.today
    if on > turn.today:
        return not_yet(view, step, on)
    deed = Effect("path_done", {"step": step.slug, "on": on.isoformat()})
    return replace(was_done(view, step, on), effects=(deed,))


def _cannot(services: Services, turn: Turn, view: View) -> Answer:
    step = step_meant(services, turn, view)
    return which_step(view, "path_cannot") if step is None else cannot_do(view, step)


def _why(services: Services, turn: Turn, view: View) -> Answer:
    return why(view, step_meant(services, turn, view))


def _when(services: Services, turn: Turn, view: View) -> Answer:
    return until_when(view, step_meant(services, turn, view))


KINDS: Mapping[str, Callable[[Services, Turn, View], Answer]] = {
    "left": _left,
    "next": _next,
    "done": _done,
    "cannot": _cannot,
    "why": _why,
    "when": _when,
}
"""Sub-intent of `path` → what is answered."""
