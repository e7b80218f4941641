"""The one generic action for every topic: answer, ask back, or say that the answer is not known."""

from typing import Any

from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import Action, Tracker
from rasa_sdk.types import DomainDict
from sqlalchemy.orm import Session

from actions._turn import Turn, respond
from bot.answers.topics import Personal, abstain_answer, as_source, clarify_answer, topic_answer
from bot.bootstrap import Services
from bot.buddies.records import buddy_answer
from bot.content.render import render
from bot.conversations.messages import Answer
from bot.courses.records import french_answer
from bot.paperwork.answer import personal_sentence
from bot.paperwork.queries import steps_done
from bot.paperwork.rules import Status, path
from bot.students.models import Student
from bot.students.records import facts_of, housing_answer


class ActionAnswerTopic(Action):
    def name(self) -> str:
        return "action_answer_topic"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        return await respond(dispatcher, tracker, answer)


def answer(services: Services, turn: Turn) -> Answer:
    knowledge, understanding = services.knowledge, turn.understanding
    if understanding.action == "clarify":
        return clarify_answer(knowledge, understanding.candidates, turn.language, understanding)
    if understanding.action != "answer" or understanding.topic is None:
        return abstain_answer(knowledge, understanding.candidates[:2], turn.language, understanding)
    with services.database.read() as session:
        personal = _personal(services, turn, session, understanding.topic)
    return topic_answer(knowledge, understanding.topic, turn.language, turn.today, personal, understanding)


def _personal(services: Services, turn: Turn, session: Session, slug: str) -> Personal:
    file = services.knowledge.topic(slug).file
    if file.procedure is None and file.record is None:
        return Personal()
    student = turn.student(session)
    if student is None:
        return Personal(can_link=True)
    if file.procedure is not None:
        return _step(services, turn, session, student, file.procedure)
    match file.record:
        case "housing":
            return Personal(housing_answer(student, turn.language), can_link=True)
        case "french":
            return Personal(french_answer(session, student, turn.language, turn.today), can_link=True)
        case _:
            return Personal(buddy_answer(session, student, turn.language), can_link=True)


def _step(services: Services, turn: Turn, session: Session, student: Student, procedure: str) -> Personal:
    facts = facts_of(student, steps_done(session, student.id))
    step = next(each for each in path(services.procedures, facts, turn.today) if each.slug == procedure)

    def fill(text: str) -> str:
        return render(text, services.knowledge.figures, turn.language)

    said = personal_sentence(step, facts, turn.language, turn.today, fill)
    sources = tuple(as_source(source, None) for source in step.sources)
    return Personal(
        said.text,
        sources,
        can_link=True,
        offer_person=said.offer_person,
        partly_english=said.partly_english,
        for_others=step.status is Status.NOT_NEEDED,
    )
