"""Students correct their own record: asked, answered, confirmed, taken back. The words are bot.paperwork.correcting."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.clock import day_in_france
from bot.conversations.deeds import Context, Deeds, EffectFunction, Values, deed_button, expect_answer, expect_nothing
from bot.conversations.messages import Answer, Button
from bot.conversations.models import Author, Message
from bot.errors import NotFound
from bot.i18n.formats import date_words
from bot.i18n.languages import CONTENT_CODES, DEFAULT, language_name
from bot.i18n.translate import mark, say
from bot.paperwork.consequences import MOST_LINES, consequences
from bot.paperwork.correcting import (
    ASKED,
    CONFIRMS,
    PRESSED,
    Draft,
    Record,
    ask,
    has_new_lease,
    impossible,
    lines_of,
    next_answer,
    not_linked,
    proposal,
    read_back,
    several,
    unreadable,
    what_to_correct,
)
from bot.paperwork.queries import steps_done
from bot.paperwork.rules import Step, path
from bot.paperwork.schema import Procedure
from bot.paperwork.wording import QUESTIONS
from bot.students.changes import merged, out_of_order
from bot.students.facts import DATE_FACTS, FactsError, facts_from
from bot.students.labels import fact_name, value_words
from bot.students.models import FactChange, Origin, Student
from bot.students.ownership import SCHOOL_OWNED
from bot.students.people import PERSON_FIELDS
from bot.students.readings import Reply, agrees, asks_something, read_changes, read_value, with_kind
from bot.students.records import facts_of
from bot.students.requests import ask_correction
from bot.students.service import ChangedSince, set_facts, undo_changes

FACT_LIFE = timedelta(minutes=30)
"""How long a text counts as the answer to our question."""
LONGEST_ANSWER = 15
"""Words: what is longer is about something else as well."""
LONGEST_HISTORY = 8

WHO = {
    Origin.STUDENT: mark("you"),
    Origin.SCHOOL: mark("the school's records"),
    Origin.STAFF: mark("the office"),
}

OfStudent = Callable[[Context, Student, Values], Answer | None]


def fact_deeds(procedures: Sequence[Procedure]) -> Deeds:
    """Every button is checked again when it is pressed: who is linked, and what the record holds by then."""
    facts = _Facts(tuple(procedures))
    return Deeds(
        effects={
            "ask_fact": _of_linked(_ask),
            **EXPECTING,
            "answer_fact": _of_linked(facts.answer),
            "leave_fact": _of_linked(facts.leave),
            CONFIRMS: _of_linked(facts.change),
            "keep_facts": _keep,
            "undo_facts": _of_linked(facts.undo),
            "my_changes": _of_linked(_history),
            "correct_facts": _of_linked(lambda context, _student, _values: what_to_correct(context.language)),
        },
        prompts={"fact": facts.read_answer, "confirmation": facts.read_confirmation},
    )


def record_of(student: Student, language: str, today: date) -> Record:
    values = dict(student.facts) | {field: getattr(student, field) for field in PERSON_FIELDS}
    return Record(student.id, values, language, today)


def _of_linked(run: OfStudent) -> EffectFunction:
    """Refuses what comes from an unlinked conversation, or from a button made for another record."""

    def deed(context: Context, values: Values) -> Answer | None:
        student = context.student
        if student is None:
            return not_linked(context.language)
        if values.get("student", student.id) != student.id:
            text = say(context.language, "This button belongs to another record. Please tell me again what is wrong.")
            return Answer(text, PRESSED)
        return _settled(context, run(context, student, values))

    return deed


def _settled(context: Context, reply: Answer | None) -> Answer | None:
    """An answer of a deed takes the place of the reply, so its own effects are done here."""
    for effect in reply.effects if reply is not None else ():
        EXPECTING[effect.name](context, effect.values)
    return replace(reply, effects=()) if reply is not None else None


def _ask(context: Context, student: Student, values: Values) -> Answer:
    fact = str(values["fact"])
    return ask(_record(context, student), fact) if fact in QUESTIONS else what_to_correct(context.language)


def expect_fact(context: Context, values: Values, tries: int = 0) -> None:
    """From now on a text may answer the question for this fact."""
    if context.conversation.student_id is None:
        return
    kept = {"draft": values["draft"]} if "draft" in values else {}
    expect_answer(
        context,
        "fact",
        FACT_LIFE,
        fact=str(values["fact"]),
        student=context.conversation.student_id,
        tries=tries,
        **kept,
    )


def expect_confirmation(context: Context, _values: Values) -> None:
    """From now on "yes" or "no" in words does what the buttons of the message do."""
    if context.conversation.student_id is not None:
        expect_answer(context, "confirmation", FACT_LIFE, student=context.conversation.student_id)


EXPECTING: Mapping[str, Callable[[Context, Values], None]] = {
    "expect_fact": expect_fact,
    "expect_confirmation": expect_confirmation,
}
"""Effects of our own answers that wait for a text."""


def _read_back_last(context: Context) -> Values | None:
    """What the last message to the student would change on confirmation; None when it was about something else."""
    last = context.session.scalars(
        select(Message)
        .where(Message.conversation_id == context.conversation.id, Message.author != Author.STUDENT)
        .order_by(Message.seq.desc())
        .limit(1)
    ).first()
    payloads = [button["payload"] for button in last.buttons] if last is not None else []
    return next((payload["values"] for payload in payloads if payload.get("effect") == CONFIRMS), None)


def _keep(context: Context, _values: Values) -> Answer:
    expect_nothing(context)
    return Answer(say(context.language, "All right, I change nothing."), PRESSED)


def _record(context: Context, student: Student) -> Record:
    return record_of(student, context.language, context.today)


def _draft(values: Values) -> Draft | None:
    return Draft.from_json(values["draft"]) if values.get("draft") is not None else None


class _Facts:
    """The deeds that change the path."""

    def __init__(self, procedures: tuple[Procedure, ...]) -> None:
        self.procedures = procedures

    def answer(self, context: Context, student: Student, values: Values) -> Answer:
        """A button answers our question."""
        fact, value = str(values["fact"]), values["value"]
        record = _record(context, student)
        now_recorded = record.values.get(fact)
        if "before" in values and now_recorded not in (values["before"], value):
            return self._read_back_anew(context, record, {fact: value})
        return self._take(context, student, fact, value, _draft(values))

    def leave(self, context: Context, student: Student, values: Values) -> Answer:
        """The student does not know."""
        expect_nothing(context)
        draft = _draft(values)
        if draft is not None:
            return next_answer(_record(context, student), draft.without(str(values["fact"])))
        text = say(context.language, "All right. Tell me as soon as you know: some of your dates depend on it.")
        return Answer(text, PRESSED)

    def change(self, context: Context, student: Student, values: Values) -> Answer:
        """Yes, change it: only what was read back, and only while the record is as it was then."""
        record, changes = _record(context, student), dict(values["changes"])
        current = {fact: record.values.get(fact) for fact in changes}
        if current != values["before"] and current != changes:
            return self._read_back_anew(context, record, changes)
        expect_nothing(context)
        return self._save(context, student, changes)

    def undo(self, context: Context, student: Student, values: Values) -> Answer:
        language, before = context.language, self._path(context, student)
        try:
            with context.session.begin_nested():
                undone = undo_changes(context.session, student, list(values["changes"]), context.now)
        except ChangedSince as error:
            names = ", ".join(fact_name(fact, language) for fact in error.facts)
            text = say(
                language,
                "This was changed again in the meantime, so I do not take it back: {facts}. Tell me what is right.",
                facts=names,
            )
            return Answer(text, PRESSED, buttons=(_history_button(language),))
        except NotFound:
            return Answer(say(language, "I find no such change in your record any more."), PRESSED)
        except FactsError:
            text = say(
                language,
                "I cannot take this back: the earlier value no longer fits the rest of your record. "
                "Tell me what is right.",
            )
            return Answer(text, PRESSED, buttons=(_history_button(language),))
        if not undone:
            return Answer(say(language, "That was taken back already."), PRESSED)
        record = _record(context, student)
        back = {row.fact: record.values.get(row.fact) for row in reversed(undone)}
        text = "\n\n".join((say(language, "Taken back. Your record says again:"), "\n".join(lines_of(record, back))))
        return Answer(self._with_consequences(context, student, text, before), PRESSED)

    def read_answer(self, context: Context, prompt: Values, text: str) -> Answer | None:
        """A text comes while our question for a fact is open. None: it is about something else."""
        student = context.student
        if student is None or prompt.get("student") != student.id or len(text.split()) > LONGEST_ANSWER:
            return None
        if asks_something(text, context.language):
            return None
        fact, draft = str(prompt["fact"]), _draft(prompt)
        record, facts = _record(context, student), facts_from(student.facts)
        reply = read_value(fact, text, context.language, facts, context.today)
        if reply.is_cancelled:
            return _keep(context, {})
        if reply.is_unknown:
            return _settled(context, self.leave(context, student, prompt))
        if len(reply.values) == 1:
            return _settled(context, self._take(context, student, fact, reply.values[0], draft))
        if reply.values:
            return several(record, fact, reply.values, draft)
        if reading := read_changes(text, context.language, facts, context.today):
            expect_nothing(context)
            return _settled(context, proposal(record, reading, ASKED))
        if int(prompt.get("tries", 0)) > 0:
            return None
        expect_fact(context, prompt, tries=1)
        return unreadable(record, fact, draft)

    def read_confirmation(self, context: Context, prompt: Values, text: str) -> Answer | None:
        """A text comes after we read back a correction: yes, no, or another correction."""
        student, values = context.student, _read_back_last(context)
        if student is None or prompt.get("student") != student.id or values is None:
            return None
        if len(text.split()) > LONGEST_ANSWER or asks_something(text, context.language):
            return None
        facts, record = facts_from(student.facts), _record(context, student)
        if reading := read_changes(text, context.language, facts, context.today):
            return _settled(context, proposal(record, reading, ASKED))
        # "No, on the 20th": another value for the only fact that was read back.
        named = [fact for fact in values["changes"] if fact != "date_of_entry_kind"]
        reply = read_value(named[0], text, context.language, facts, context.today) if len(named) == 1 else Reply()
        if reply.values and named[0] in DATE_FACTS:
            if len(reply.values) > 1:
                return several(record, named[0], reply.values, Draft())
            draft = Draft().with_value(named[0], reply.values[0], context.today)
            return _settled(context, next_answer(record, draft, ASKED))
        agreed = agrees(text, context.language)
        if agreed is None and not reply.is_cancelled:
            return None
        return _settled(context, self.change(context, student, values)) if agreed else _keep(context, {})

    def _take(self, context: Context, student: Student, fact: str, value: Any, draft: Draft | None) -> Answer:
        """An answer to our question: part of a draft, or written down at once."""
        expect_nothing(context)
        record = _record(context, student)
        if draft is not None:
            return next_answer(record, draft.with_value(fact, value, context.today))
        if fact == "date_of_entry_kind" and not _fits(record, value):
            return ask(record, "date_of_entry")
        reply = self._save(context, student, with_kind({fact: value}, context.today))
        status, lease = record.values.get("housing_status"), record.values.get("lease_start")
        if fact != "housing_status" or not has_new_lease(status, student.facts.get(fact), lease):
            return reply
        # The lease moves deadlines, so it is asked for while it is in mind.
        question = ask(_record(context, student), "lease_start", first=reply.text)
        return replace(question, buttons=(*reply.buttons, *question.buttons))

    def _read_back_anew(self, context: Context, record: Record, changes: Mapping[str, Any]) -> Answer:
        expect_nothing(context)
        return read_back(
            record, changes, first=say(context.language, "Your record has changed since that button was made.")
        )

    def _save(self, context: Context, student: Student, changes: Mapping[str, Any]) -> Answer:
        """Own facts are changed, those of the school become requests: both, or nothing at all."""
        record, before = _record(context, student), self._path(context, student)
        own = {fact: value for fact, value in changes.items() if fact not in SCHOOL_OWNED}
        wishes = {
            fact: value for fact, value in changes.items() if fact in SCHOOL_OWNED and record.values.get(fact) != value
        }
        try:
            with context.session.begin_nested():
                rows = set_facts(context.session, student, own, Origin.STUDENT, context.now) if own else []
                asked = [
                    ask_correction(context.session, student, fact, value, context.now) for fact, value in wishes.items()
                ]
        except FactsError:
            return impossible(record, changes, _contradictions(student, changes))
        if not rows and not asked:
            return read_back(record, changes)
        return self._done(context, student, rows, [is_new for _, is_new in asked], wishes, before)

    def _done(
        self,
        context: Context,
        student: Student,
        rows: Sequence[FactChange],
        asked: Sequence[bool],
        wishes: Mapping[str, Any],
        before: Sequence[Step],
    ) -> Answer:
        language, record = context.language, _record(context, student)
        parts, buttons = [], []
        if rows:
            changed = "\n".join(lines_of(record, {row.fact: row.after for row in rows}))
            text = "\n\n".join((say(language, "Changed:"), changed))
            parts.append(self._with_consequences(context, student, text, before))
            undo = deed_button(say(language, "Undo"), "undo_facts", student=student.id, changes=[r.id for r in rows])
            buttons += [undo, _history_button(language)]
        if wishes:
            parts.append(_passed_on(record, wishes, is_new=any(asked)))
        return Answer("\n\n".join(parts), PRESSED, buttons=tuple(buttons))

    def _with_consequences(self, context: Context, student: Student, text: str, before: Sequence[Step]) -> str:
        language = context.language
        lines = consequences(before, self._path(context, student), language, context.today)
        if facts_from(student.facts).entered_before_visa:
            wrong = say(language, "Nobody can enter before the visa starts, so one of these two days is wrong.")
            lines = [wrong, *lines[: MOST_LINES - 1]]
        if not lines:
            return text
        intro = say(language, "What this means for your steps:")
        text = "\n\n".join((text, intro, "\n".join(f"- {line}" for line in lines)))
        if language in CONTENT_CODES:
            return text
        name = language_name(DEFAULT, language)
        return f"{text}\n\n" + say(
            language, "The steps themselves are described in {language} only so far.", language=name
        )

    def _path(self, context: Context, student: Student) -> tuple[Step, ...]:
        return path(self.procedures, facts_of(student, steps_done(context.session, student.id)), context.today)


def _fits(record: Record, kind: str) -> bool:
    """Whether the recorded day of entry can be planned, or real, as told."""
    day = record.values.get("date_of_entry")
    return day is not None and (date.fromisoformat(day) > record.today) == (kind == "planned")


def _contradictions(student: Student, changes: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Facts of which the second would lie before the first; none when a value is impossible by itself."""
    try:
        return out_of_order(facts_from(merged(student.facts, changes)), changes)
    except FactsError:
        return []


def _passed_on(record: Record, wishes: Mapping[str, Any], *, is_new: bool) -> str:
    intro = (
        say(record.language, "I have passed this wish on to the office. You hear from me here when it is decided:")
        if is_new
        else say(record.language, "This wish is with the office already; it is not decided yet:")
    )
    return "\n\n".join((intro, "\n".join(lines_of(record, wishes))))


def _history_button(language: str) -> Button:
    return deed_button(say(language, "What did I change?"), "my_changes")


def _history(context: Context, student: Student, _values: Values) -> Answer:
    """The latest changes of the record, the newest first."""
    language = context.language
    rows = latest_changes(context.session, student.id)
    if not rows:
        return Answer(say(language, "Nothing was changed in your record so far."), PRESSED)
    lines = [_history_line(row, language) for row in rows]
    return Answer("\n".join((say(language, "The latest changes of your record:"), "", *lines)), PRESSED)


def latest_changes(session: Session, student_id: int) -> Sequence[FactChange]:
    return session.scalars(
        select(FactChange)
        .where(FactChange.student_id == student_id, FactChange.fact != "date_of_entry_kind")
        .order_by(FactChange.id.desc())
        .limit(LONGEST_HISTORY)
    ).all()


def _history_line(row: FactChange, language: str) -> str:
    line = say(
        language,
        "{day}: **{fact}**: {before} → {after} ({who})",
        day=date_words(day_in_france(row.changed_at), language),
        fact=fact_name(row.fact, language),
        before=value_words(row.fact, row.before, language),
        after=value_words(row.fact, row.after, language),
        who=say(language, WHO[Origin(row.origin)]),
    )
    taken_back = say(language, "taken back")
    return f"- {line}, {taken_back}" if row.undone else f"- {line}"
