"""Students correct their own record: "I arrive a week later", "I found a flat", "my visa is VLS-T"."""

from dataclasses import replace
from typing import Any

from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import Action, Tracker
from rasa_sdk.types import DomainDict

from actions import answer_topic
from actions._turn import Turn, respond
from bot.bootstrap import Services
from bot.conversations.messages import Answer
from bot.paperwork.correcting import not_linked, proposal
from bot.paperwork.deeds_facts import record_of
from bot.students.facts import facts_from
from bot.students.readings import read_changes


class ActionCorrectRecord(Action):
    def name(self) -> str:
        return "action_correct_record"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        return await respond(dispatcher, tracker, answer)


def answer(services: Services, turn: Turn) -> Answer:
    """Reads back what would change; nothing is stored before a button confirms it."""
    if turn.decision.action != "chat":
        return answer_topic.answer(services, turn)
    understanding = replace(turn.understanding, group="paperwork")
    with services.database.read() as session:
        student = turn.student(session)
        if student is None:
            return not_linked(turn.language, understanding)
        record = record_of(student, turn.language, turn.today)
        reading = read_changes(turn.text, turn.language, facts_from(student.facts), turn.today)
    return proposal(record, reading, understanding)
