"""The French self-check as deeds of a turn: a talk by buttons, from the first statement to the result.

What was answered so far is in the conversation's prompt, so that a button of an earlier statement is recognised. A text
in between is a question like any other (no prompt function takes it); the check goes on with the next press.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.conversations.deeds import (
    Context,
    Deeds,
    Values,
    deed_button,
    expect_answer,
    expect_nothing,
    pending_prompt,
)
from bot.conversations.messages import Answer, Button, Understanding
from bot.courses.levels import level_of
from bot.courses.models import Placement
from bot.courses.placement import (
    MOST_STATEMENTS,
    Bound,
    Given,
    Reply,
    Result,
    next_statement,
    result,
    start_level,
)
from bot.courses.self_checks import check_button, keep_self_check, placement_of
from bot.courses.statements import Statement
from bot.i18n.translate import mark, say

KIND = "placement"
LASTS = timedelta(minutes=30)
"""Between two presses."""
REPLIES = {
    Reply.EASILY: mark("Yes, easily"),
    Reply.WITH_DIFFICULTY: mark("With difficulty"),
    Reply.NO: mark("No"),
}
LEVEL_WORDS = {
    Bound.ABOUT: mark("You seem to be about {level}."),
    Bound.OR_HIGHER: mark("You seem to be about {level}, perhaps higher."),
    Bound.OR_LOWER: mark("You seem to be about {level}, perhaps lower."),
}


def placement_deeds(statements: Sequence[Statement]) -> Deeds:
    """Each answers in words, also where the button is older than the check that is going on."""
    asking = _Asking(tuple(statements))
    return Deeds(
        effects={
            "placement_start": lambda context, _: asking.start(context),
            "placement_answer": asking.answer,
            "placement_back": asking.back,
            "placement_stop": lambda context, _: asking.stop(context),
        }
    )


@dataclass(frozen=True)
class _Check:
    """A check that is going on. `seen`: what an earlier check asked."""

    start: str
    seen: tuple[str, ...]
    given: tuple[Given, ...] = ()


@dataclass(frozen=True)
class _Asking:
    statements: tuple[Statement, ...]

    def start(self, context: Context) -> Answer:
        if (check := self._going_on(context)) is not None and check.given:
            note = say(context.language, "Your self-check is still going on; here is the next statement.")
            return self._ask(context, check, note)
        note = say(
            context.language,
            "I show you statements about daily life in French, {most} at most. Say for each whether you can do it. "
            "The result is advice: the office confirms your level.",
            most=MOST_STATEMENTS,
        )
        return self._ask(context, _new_check(context), note)

    def answer(self, context: Context, values: Values) -> Answer:
        check, present = self._present(context)
        if check is None or present is None:
            return _not_going_on(context.language)
        if values.get("item") != present.slug:
            return self._ask(context, check, _another_is_open(check, values, context.language))
        if values.get("answer") not in tuple(Reply):
            return self._ask(context, check)
        given = (*check.given, Given(present, Reply(values["answer"])))
        return self._ask(context, _Check(check.start, check.seen, given))

    def back(self, context: Context, values: Values) -> Answer:
        check, present = self._present(context)
        if check is None or present is None:
            return _not_going_on(context.language)
        if values.get("item") != present.slug:
            return self._ask(context, check, _another_is_open(check, values, context.language))
        return self._ask(context, _Check(check.start, check.seen, check.given[:-1]))

    def stop(self, context: Context) -> Answer:
        check = self._going_on(context)
        return _not_going_on(context.language) if check is None else _end(context, check)

    def _ask(self, context: Context, check: _Check, note: str | None = None) -> Answer:
        """The next statement, or the result when there is none."""
        statement = next_statement(self.statements, check.given, check.start, check.seen)
        if statement is None:
            return _end(context, check)
        _remember(context, check)
        language = context.language
        question = say(
            language,
            "Statement {number} of at most {most}: can you do this in French?",
            number=len(check.given) + 1,
            most=MOST_STATEMENTS,
        )
        parts = (note, question, f"**{statement.text[language]}**")
        buttons = [
            deed_button(say(language, label), "placement_answer", item=statement.slug, answer=str(reply))
            for reply, label in REPLIES.items()
        ]
        if check.given:
            buttons.append(deed_button(say(language, "Back"), "placement_back", item=statement.slug))
        buttons.append(deed_button(say(language, "Stop here"), "placement_stop"))
        return _say("\n\n".join(filter(None, parts)), *buttons)

    def _going_on(self, context: Context) -> _Check | None:
        """The check in the prompt; None as well when it names a statement that is no longer asked."""
        stored = pending_prompt(context.conversation, context.now)
        if stored is None or stored["kind"] != KIND:
            return None
        by_slug = {each.slug: each for each in self.statements}
        answers: list[Mapping[str, Any]] = stored["answers"]
        if any(each["item"] not in by_slug for each in answers):
            return None
        given = tuple(Given(by_slug[each["item"]], Reply(each["answer"])) for each in answers)
        return _Check(stored["start"], tuple(stored["seen"]), given)

    def _present(self, context: Context) -> tuple[_Check | None, Statement | None]:
        """The check that is going on, with the statement that waits for an answer."""
        check = self._going_on(context)
        if check is None:
            return None, None
        return check, next_statement(self.statements, check.given, check.start, check.seen)


def _end(context: Context, check: _Check) -> Answer:
    expect_nothing(context)
    language, student = context.language, context.student
    found = result(check.given, check.start)
    if found is None:
        text = say(language, "That was too little to say a level, so nothing is kept.")
        return _say(text, check_button(language))
    level = _level_words(found, language)
    if student is None:
        advice = say(language, "This is advice: the office confirms your level.")
        kept = say(language, "I have not kept it: a result is only kept when this conversation is linked to a record.")
        link = deed_button(say(language, "Link my record"), "start_link")
        return _say(f"{level} {advice}\n\n{kept}", _classes_button(language), link)
    placement = keep_self_check(context.session, student, found.level, check.given, context.now)
    kept = say(language, "The result is in your record.")
    return _say(f"{level} {_advice(placement, language)}\n\n{kept}", _classes_button(language))


def _new_check(context: Context) -> _Check:
    """Begins at the level that is known, with other statements than the last time."""
    student = context.student
    if student is None:
        return _Check(start_level(None), ())
    placement = placement_of(context.session, student.id)
    seen = tuple(str(each["item"]) for each in placement.answers) if placement is not None else ()
    return _Check(start_level(level_of(context.session, student.id)), seen)


def _remember(context: Context, check: _Check) -> None:
    answers = [{"item": each.statement.slug, "answer": str(each.reply)} for each in check.given]
    expect_answer(context, KIND, LASTS, start=check.start, seen=list(check.seen), answers=answers)


def _level_words(found: Result, language: str) -> str:
    if found.level is None:
        return say(language, "You seem to be at the very beginning of French: a class for beginners (A1) fits.")
    return say(language, LEVEL_WORDS[found.bound], level=found.level)


def _advice(placement: Placement, language: str) -> str:
    if placement.confirmed_level is None:
        return say(language, "This is advice: the office confirms your level.")
    return say(
        language, "The office has confirmed {level} for you: that level counts.", level=placement.confirmed_level
    )


def _another_is_open(check: _Check, values: Values, language: str) -> str:
    if values.get("item") in [each.statement.slug for each in check.given]:
        return say(language, "That question is answered already; here is the present one.")
    return say(language, "That question is not open now; here is the present one.")


def _classes_button(language: str) -> Button:
    """The deed is one of bot.bookings."""
    return deed_button(say(language, "See classes of this level"), "show_classes")


def _not_going_on(language: str) -> Answer:
    text = say(language, "No self-check is going on any more: it ended, or nothing was answered for half an hour.")
    return _say(text, check_button(language))


def _say(text: str, *buttons: Button) -> Answer:
    understanding = Understanding(intent="button", confidence=1.0, action="chat", group="french_classes")
    return Answer(text, understanding, buttons)
