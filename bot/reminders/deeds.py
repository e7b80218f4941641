"""Buttons and commands about reminders: fewer, none, again, and "not now"."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select

from bot.conversations.deeds import Context, Deeds, Values, deed_button
from bot.conversations.messages import Answer, Button, Understanding
from bot.i18n.formats import date_words
from bot.i18n.translate import say
from bot.paperwork.schema import Procedure
from bot.reminders.models import Reminder, ReminderChoice, ReminderKind, ReminderState
from bot.reminders.queries import NOT_NOW, add_missing, unwanted_by
from bot.reminders.rules import ALL, REST, morning_of
from bot.reminders.wording import (
    FEWER,
    LATER,
    START,
    STOP,
    kind_buttons,
    started_words,
    stopped_words,
)
from bot.students.models import Student

KINDS = tuple(str(kind) for kind in ReminderKind)
MOST_LATER = 10
"""Steps that one button may put off."""


def reminder_deeds(procedures: Sequence[Procedure]) -> Deeds:
    slugs = frozenset(str(each.slug) for each in procedures)
    return Deeds(
        effects={
            FEWER: _fewer,
            STOP: _stop,
            START: _start,
            LATER: lambda context, values: _later(context, values, slugs),
        }
    )


def ask_which(language: str, unwanted: frozenset[str]) -> Answer:
    """Which reminders to stop; for somebody who gets none, the way back."""
    if _are_all(unwanted):
        text = say(language, "You get no reminders from me. Shall I remind you again?")
        return _answer(text, *kind_buttons(frozenset(KINDS), START, language))
    text = say(language, "Which reminders shall I stop?")
    return _answer(text, *kind_buttons(unwanted, STOP, language))


def ask_which_again(language: str, unwanted: frozenset[str]) -> Answer:
    """Which reminders to send again."""
    if not unwanted:
        text = say(language, "You get all reminders: of your steps before their date, and of what you booked.")
        return _answer(text, deed_button(say(language, "Fewer reminders"), FEWER))
    stopped = frozenset(KINDS) if ALL in unwanted else unwanted
    text = say(language, "Which reminders shall I send again?")
    return _answer(text, *kind_buttons(stopped, START, language))


def not_linked(language: str) -> Answer:
    text = say(language, "This conversation is not linked to a record. Link yours and I know whose reminders you mean.")
    return _answer(text, Button(say(language, "Link my record"), {"effect": "start_link"}))


def _fewer(context: Context, _values: Values) -> Answer:
    student = context.student
    if student is None:
        return not_linked(context.language)
    return ask_which(context.language, unwanted_by(context.session, student.id))


def _stop(context: Context, values: Values) -> Answer:
    student, language = context.student, context.language
    if student is None:
        return not_linked(language)
    kind = _kind(values)
    unwanted = unwanted_by(context.session, student.id)
    _choose(context, student, {ALL} if ALL in {kind, *unwanted} else {kind, *unwanted})
    return _answer(stopped_words(kind, language), deed_button(say(language, "Remind me again"), START, kind=kind))


def _start(context: Context, values: Values) -> Answer:
    student, language = context.student, context.language
    if student is None:
        return not_linked(language)
    kind = _kind(values)
    unwanted = unwanted_by(context.session, student.id)
    stopped = frozenset(KINDS) if ALL in unwanted else unwanted
    _choose(context, student, frozenset() if kind == ALL else stopped - {kind})
    return _answer(started_words(kind, language), deed_button(say(language, "Fewer reminders"), FEWER))


def _later(context: Context, values: Values, slugs: frozenset[str]) -> Answer:
    """The steps are left alone for a week: a row of today says so."""
    student, language = context.student, context.language
    if student is None:
        return not_linked(language)
    named = values.get("steps")
    steps = [slug for slug in named if slug in slugs][:MOST_LATER] if isinstance(named, list) else []
    rows = [
        {
            "student_id": student.id,
            "kind": ReminderKind.STEP,
            "subject": slug,
            "day": context.today,
            "due_at": morning_of(context.today),
            "state": ReminderState.SKIPPED,
            "reason": NOT_NOW,
        }
        for slug in steps
    ]
    add_missing(context.session, Reminder, rows)
    today_s = context.session.scalars(
        select(Reminder).where(
            Reminder.student_id == student.id, Reminder.subject.in_(steps), Reminder.day == context.today
        )
    )
    for row in today_s:
        row.reason = NOT_NOW
        if row.state == ReminderState.PLANNED:
            row.state = ReminderState.SKIPPED
    context.session.flush()
    until = date_words(context.today + REST - timedelta(days=1), language)
    text = say(
        language,
        "All right, I leave this alone until {date}. The date of the step stays the same; ask me for it at any time.",
        date=until,
    )
    return _answer(text, deed_button(say(language, "Fewer reminders"), FEWER))


def _choose(context: Context, student: Student, unwanted: frozenset[str] | set[str]) -> None:
    """Exactly these kinds are unwanted from now on."""
    session = context.session
    session.execute(
        delete(ReminderChoice).where(ReminderChoice.student_id == student.id, ReminderChoice.kind.not_in(unwanted))
    )
    rows = [{"student_id": student.id, "kind": kind, "chosen_at": context.now} for kind in sorted(unwanted)]
    add_missing(session, ReminderChoice, rows)


def _kind(values: Values) -> str:
    """What the button meant; everything, where an old button says nothing that we know."""
    kind = str(values.get("kind", ALL))
    return kind if kind in KINDS else ALL


def _are_all(unwanted: frozenset[str]) -> bool:
    return ALL in unwanted or unwanted >= set(KINDS)


def _answer(text: str, *buttons: Button) -> Answer:
    understanding = Understanding(intent="button", confidence=1.0, action="chat", group="paperwork")
    return Answer(text, understanding, buttons=buttons)
