"""The path as deeds of a turn: steps are done, undone and talked about by buttons."""

from collections.abc import Callable, Sequence
from datetime import date

from bot.content.loader import Knowledge
from bot.conversations.deeds import Context, Deeds, EffectFunction, Values
from bot.conversations.messages import Answer
from bot.errors import InvalidField
from bot.paperwork.deeds_facts import expect_fact
from bot.paperwork.queries import view_of
from bot.paperwork.replies import (
    View,
    about_step,
    cannot_do,
    earlier_round,
    everything_left,
    next_step,
    not_linked,
    not_yet,
    until_when,
    was_done,
    was_undone,
    which_step,
    why,
)
from bot.paperwork.rules import Step
from bot.paperwork.schema import Procedure
from bot.paperwork.service import mark_done, note_stuck, undo_done
from bot.students.models import Student

Told = Callable[[Context, Student, View, Values], Answer]


def paperwork_deeds(procedures: Sequence[Procedure], knowledge: Knowledge) -> Deeds:
    """Each answers in words, also where the button is older than what it is about."""

    def of_linked(told: Told) -> EffectFunction:
        def run(context: Context, values: Values) -> Answer:
            student = context.student
            if student is None:
                return not_linked(context.language)
            view = view_of(context.session, student, procedures, knowledge, context.language, context.today)
            return _with_effects(context, student, told(context, student, view, values))

        return run

    return Deeds(
        effects={
            "path_left": of_linked(lambda _context, _student, view, _values: everything_left(view)),
            "path_next": of_linked(lambda _context, _student, view, _values: next_step(view)),
            "path_step": of_linked(_about),
            "path_done": of_linked(_done),
            "path_undo": of_linked(_undo),
            "path_cannot": of_linked(_cannot),
            "path_why": of_linked(lambda _context, _student, view, values: why(view, _step_of(view, values))),
            "path_when": of_linked(lambda _context, _student, view, values: until_when(view, _step_of(view, values))),
            "path_about": _talk_about,
            "path_stuck": _stuck,
        }
    )


def _with_effects(context: Context, student: Student, reply: Answer) -> Answer:
    """What the reply of a pressed button asks for is done at once: nobody reads the effects of a replacement."""
    for effect in reply.effects:
        if effect.name == "path_about":
            context.conversation.last_step = str(effect.values["step"])
        elif effect.name == "path_stuck":
            note_stuck(context.session, student, str(effect.values["step"]), context.now)
        elif effect.name == "expect_fact":
            expect_fact(context, effect.values)
    return reply


def _talk_about(context: Context, values: Values) -> None:
    context.conversation.last_step = str(values["step"])


def _stuck(context: Context, values: Values) -> None:
    if context.student is not None:
        note_stuck(context.session, context.student, str(values["step"]), context.now)


def _about(_context: Context, _student: Student, view: View, values: Values) -> Answer:
    step = _step_of(view, values)
    return everything_left(view) if step is None else about_step(view, step)


def _cannot(_context: Context, _student: Student, view: View, values: Values) -> Answer:
    step = _step_of(view, values)
    return which_step(view, "path_cannot") if step is None else cannot_do(view, step)


def _done(context: Context, student: Student, view: View, values: Values) -> Answer:
    step, procedure = _step_of(view, values), view.procedure(_slug(values))
    if step is None or procedure is None:
        return which_step(view, "path_done")
    on = _day(values, "on") or context.today
    if on > context.today:
        return not_yet(view, step, on)
    reply = was_done(view, step, on)
    try:
        mark_done(context.session, student, procedure, on, context.now)
    except InvalidField:
        return earlier_round(view, step, on)
    return reply


def _undo(context: Context, student: Student, view: View, values: Values) -> Answer:
    step = _step_of(view, values)
    if step is None:
        return everything_left(view)
    changed = undo_done(context.session, student, step.slug, context.now, earlier=_day(values, "earlier"))
    after = view.without(step.slug)
    return was_undone(after, after.step(step.slug) or step, changed=changed)


def _step_of(view: View, values: Values) -> Step | None:
    """The step that the button names; None where it names none, or one that is no longer on the path."""
    return view.step(_slug(values))


def _slug(values: Values) -> str | None:
    return str(values["step"]) if "step" in values else None


def _day(values: Values, name: str) -> date | None:
    return date.fromisoformat(str(values[name])) if values.get(name) else None
