""" "What do I still have to do?": the student's dated steps."""

from dataclasses import replace
from typing import Any

from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import Action, Tracker
from rasa_sdk.types import DomainDict

from actions import answer_topic
from actions._turn import Turn, respond
from bot.answers.topics import as_source
from bot.answers.words import link_button
from bot.bootstrap import Services
from bot.conversations.messages import Answer
from bot.i18n.translate import say
from bot.paperwork.answer import path_summary
from bot.paperwork.queries import steps_done
from bot.paperwork.rules import path
from bot.students.records import facts_of


class ActionShowPath(Action):
    def name(self) -> str:
        return "action_show_path"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        return await respond(dispatcher, tracker, answer)


def answer(services: Services, turn: Turn) -> Answer:
    if turn.decision.action != "chat":
        return answer_topic.answer(services, turn)
    understanding = replace(turn.understanding, group="paperwork")
    with services.database.read() as session:
        student = turn.student(session)
        if student is None:
            text = say(
                turn.language,
                "Your steps depend on your nationality, visa and dates. Link your student record and I list them with "
                "your own dates.",
            )
            return Answer(text, understanding, buttons=(link_button(turn.language),))
        facts = facts_of(student, steps_done(session, student.id))
    steps = path(services.procedures, facts, turn.today)
    sources = tuple(
        {
            source.url: source
            for step in steps
            if step.status in ("open", "blocked")
            for source in (as_source(each, None) for each in step.sources)
        }.values()
    )
    return Answer(path_summary(steps, turn.language, turn.today).text, understanding, sources=sources)
