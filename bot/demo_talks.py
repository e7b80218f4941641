"""The talks of the demo: what was asked in the weeks before the loading, and answers that colleagues are editing."""

from datetime import date, datetime, time, timedelta

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.orm import Session

from bot.answers.topics import Personal, Reader, abstain_answer, topic_answer
from bot.clock import PARIS, day_in_france
from bot.content.loader import Knowledge
from bot.content.schema import InLanguages
from bot.conversations.messages import Answer, Candidate, Understanding
from bot.conversations.models import Author, Conversation
from bot.conversations.service import append, open_conversation
from bot.conversations.words import greeting
from bot.editing.models import Reason as Unhelpful
from bot.editing.models import State
from bot.editing.queries import last_save
from bot.editing.ratings import rate
from bot.editing.service import Editing
from bot.errors import ContentError
from bot.handoff.models import Outcome, Reason
from bot.handoff.service import close, reply, request_person
from bot.handoff.words import person_requested
from bot.identity.models import Staff
from bot.identity.staff import staff_of_email
from bot.students.models import Student
from bot.students.records import student_by_email

THINKING = timedelta(seconds=2)
ANSWERED_BY = "claire@accueil.example"
WRITTEN_BY = "paul@accueil.example"
SURE = 0.94


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DemoWish(_Part):
    """A person is asked for."""

    minutes: int = Field(ge=1)
    """Until a colleague answered."""
    answer: str


class DemoTurn(_Part):
    """What the student wrote, and one of: what answered it, what the assistant was not sure of, a wish for a person."""

    weeks_ago: int = Field(ge=1, le=12)
    """By calendar weeks, so that as many are in each week whatever the day of the loading."""
    weekday: int = Field(ge=1, le=7)
    at: time
    text: str = ""
    topic: str | None = None
    unsure: dict[str, float] | None = None
    person: DemoWish | None = None
    helpful: bool | None = None
    reason: Unhelpful | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> "DemoTurn":
        if [self.topic, self.unsure, self.person].count(None) != 2:
            raise ValueError("a turn has one of `topic`, `unsure` and `person`")
        if self.topic is None and not self.text:
            raise ValueError("`text` is missing")
        return self

    def when(self, today: date) -> datetime:
        monday = today - timedelta(days=today.weekday(), weeks=self.weeks_ago)
        return datetime.combine(monday + timedelta(days=self.weekday - 1), self.at, PARIS)


class DemoTalk(_Part):
    """One entry of demo/talks.yml: a conversation."""

    student: str | None = None
    """Whose record is linked; None for somebody who was only passing by."""
    language: str
    turns: tuple[DemoTurn, ...] = Field(min_length=1)


class DemoDraft(_Part):
    """One entry of demo/drafts.yml: a sentence that an editor wants to add to an answer."""

    topic: str
    sentence: InLanguages
    days_ago: int = Field(ge=0)
    in_review: bool


def add_talks(session: Session, knowledge: Knowledge, talks: tuple[DemoTalk, ...], now: datetime) -> None:
    """Every turn in the order of time, as if it had happened then. Raises ContentError naming a topic."""
    today = day_in_france(now)
    colleague = staff_of_email(session, ANSWERED_BY)
    opened: dict[int, Conversation] = {}
    turns = [(turn.when(today), number, turn) for number, talk in enumerate(talks) for turn in talk.turns]
    for at, number, turn in sorted(turns, key=lambda each: each[:2]):
        if number not in opened:
            opened[number] = _open(session, talks[number], at)
        _add_turn(session, knowledge, opened[number], turn, colleague, at)


def add_drafts(session: Session, knowledge: Knowledge, drafts: tuple[DemoDraft, ...], now: datetime) -> None:
    """Raises ContentError naming a topic."""
    editor = staff_of_email(session, WRITTEN_BY)
    for draft in drafts:
        _check(knowledge, "drafts.yml", draft.topic)
        editing = Editing(session, knowledge, (), editor, now - timedelta(days=draft.days_ago))
        edition = editing.start(draft.topic)
        texts = dict(last_save(session, edition.id).texts)
        for code, sentence in (("en", draft.sentence.en), ("fr", draft.sentence.fr)):
            texts[f"{code}.md"] = f"{texts[f'{code}.md'].rstrip()}\n\n{sentence}\n"
        editing.save(edition.id, 1, texts)
        if draft.in_review:
            # Not through the service: it refuses sources that were read after the day on which the demo begins.
            edition.state = State.REVIEW


def _open(session: Session, talk: DemoTalk, at: datetime) -> Conversation:
    conversation, _token = open_conversation(
        session, language=talk.language, language_chosen=True, greeting=greeting(talk.language), channel="web", now=at
    )
    if talk.student is not None:
        conversation.student_id = _student(session, talk.student).id
    return conversation


def _student(session: Session, email: str) -> Student:
    student = student_by_email(session, email)
    if student is None:
        raise ContentError(f"talks.yml: there is no student {email}.")
    return student


def _add_turn(
    session: Session, knowledge: Knowledge, talk: Conversation, turn: DemoTurn, colleague: Staff, at: datetime
) -> None:
    for topic in (*filter(None, (turn.topic,)), *(turn.unsure or ())):
        _check(knowledge, "talks.yml", topic)
    text = turn.text or knowledge.topic(str(turn.topic)).file.question.get(talk.language)
    asked = append(session, talk, Author.STUDENT, text, now=at)
    answer = _answer(knowledge, turn, talk.language, at)
    said = append(
        session,
        talk,
        Author.BOT,
        answer.text,
        now=at + THINKING,
        buttons=answer.buttons,
        sources=answer.sources,
        in_reply_to=asked.seq,
        understanding=answer.understanding.as_json(),
    )
    talk.abstentions = int(turn.unsure is not None)
    if turn.helpful is not None:
        rate(session, talk.id, said.seq, at + timedelta(minutes=2), helpful=turn.helpful, reason=turn.reason)
    if turn.person is not None:
        request_person(session, talk, Reason.ASKED, at + THINKING, desk="office")
        answered_at = at + timedelta(minutes=turn.person.minutes)
        reply(session, talk.id, colleague, f"demo-{asked.seq}", turn.person.answer, answered_at)
        close(session, talk.id, colleague, answered_at + timedelta(minutes=5), outcome=Outcome.SOLVED)
        # Nobody of the demo is waiting for a mail.
        talk.answer_due_at = None


def _answer(knowledge: Knowledge, turn: DemoTurn, language: str, at: datetime) -> Answer:
    if turn.topic is not None:
        group = knowledge.topic(turn.topic).file.group
        sure = Understanding(f"ask/{turn.topic}", SURE, "answer", turn.topic, (), group, (Candidate(turn.topic, SURE),))
        return topic_answer(knowledge, turn.topic, Reader(language, day_in_france(at)), Personal(), sure)
    if turn.unsure is not None:
        found = tuple(Candidate(*each) for each in turn.unsure.items())
        unsure = Understanding(f"ask/{found[0].topic}", found[0].confidence, "abstain", candidates=found)
        return abstain_answer(knowledge, list(turn.unsure)[:2], language, unsure)
    wish = Understanding("handoff", SURE, "handoff", group="human")
    return Answer(person_requested(language, knowledge.school, at), wish)


def _check(knowledge: Knowledge, file: str, topic: str) -> None:
    if topic not in knowledge.topics:
        raise ContentError(f"{file}: there is no topic {topic}.")
