"""The one generic action for every topic: answer, ask back, or say that the answer is not known."""

from typing import Any

from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import Action, Tracker
from rasa_sdk.types import DomainDict
from sqlalchemy.orm import Session

from actions._turn import Turn, respond
from actions.records import RECORDS, Asked
from bot.answers.search import fuse
from bot.answers.topics import Personal, Reader, abstain_answer, as_source, clarify_answer, more_answer, topic_answer
from bot.answers.variants import known
from bot.bootstrap import Services
from bot.content.render import render
from bot.content.schema import TopicFile
from bot.conversations.messages import Answer, Effect
from bot.courses.self_checks import check_button
from bot.paperwork.answer import personal_sentence
from bot.paperwork.correcting import answer_buttons
from bot.paperwork.deeds_facts import record_of
from bot.paperwork.queries import steps_done
from bot.paperwork.replies import did_it_button
from bot.paperwork.rules import Status, path
from bot.students.facts import Facts
from bot.students.models import Student
from bot.students.records import facts_of

SUGGEST_FROM = 0.1
"""Calibrated confidence below which a topic is not even offered as a button."""
MOST_SUGGESTIONS = 3


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
        return abstain_answer(knowledge, closest(services, turn), turn.language, understanding)
    return answer_about(services, turn, understanding.topic)


def closest(services: Services, turn: Turn) -> list[str]:
    """Topics to offer where no answer is known: near in meaning, the order settled by the words as well."""
    near = [each.topic for each in turn.understanding.candidates if each.confidence >= SUGGEST_FROM]
    if not near:
        return []
    hits = fuse([near, [topic for topic in services.words.ranking(turn.text) if topic in near]])
    return [hit.topic for hit in hits[:MOST_SUGGESTIONS]]


def answer_about(services: Services, turn: Turn, slug: str) -> Answer:
    """The topic as it is for this student, in the language of the turn."""
    topic = services.knowledge.topic(slug)
    with services.database.read() as session:
        student = turn.student(session)
        facts = facts_of(student, steps_done(session, student.id)) if student else None
        personal = _personal(services, turn, session, topic.file, student, facts)
    choices = {**known(facts, turn.told, turn.today), **turn.mentioned}
    reader = Reader(turn.language, turn.today, choices, turn.told)
    if turn.wants_more:
        return more_answer(services.knowledge, slug, reader, turn.understanding)
    return topic_answer(services.knowledge, slug, reader, personal, turn.understanding)


def _personal(
    services: Services, turn: Turn, session: Session, file: TopicFile, student: Student | None, facts: Facts | None
) -> Personal:
    if file.procedure is None and file.record is None:
        return Personal()
    if student is None or facts is None:
        # The self-check is open to everybody; without a record its result is not kept.
        buttons = (check_button(turn.language),) if file.record == "placement" else ()
        return Personal(can_link=True, buttons=buttons)
    if file.record is not None:
        return RECORDS[file.record](Asked(services, turn, session, student, facts))
    return _step(services, turn, student, facts, str(file.procedure))


def _step(services: Services, turn: Turn, student: Student, facts: Facts, procedure: str) -> Personal:
    step = next(each for each in path(services.procedures, facts, turn.today) if each.slug == procedure)

    def fill(text: str) -> str:
        return render(text, services.knowledge, turn.language, turn.today)

    said = personal_sentence(step, facts, turn.language, turn.today, fill)
    sources = tuple(as_source(source, None) for source in step.sources)
    asked = said.asks_for
    if asked:
        buttons = tuple(answer_buttons(record_of(student, turn.language, turn.today), asked))
    elif step.status in (Status.OPEN, Status.BLOCKED):
        buttons = (did_it_button(turn.language, procedure),)
    else:
        buttons = ()
    return Personal(
        said.text,
        sources,
        buttons=buttons,
        effects=(Effect("expect_fact", {"fact": asked}),) if asked else (),
        can_link=True,
        offer_person=said.offer_person,
        partly_english=said.partly_english,
        for_others=step.status is Status.NOT_NEEDED,
    )
