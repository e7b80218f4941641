"""What the student is told about the path, with the buttons that lead on: the same from a question and from a button.
Pure.

`effects` of a reply say which step was talked about ("path_about"), with which one the student is stuck ("path_stuck")
and which fact the next text may tell ("expect_fact"); the gateway applies them (bot.paperwork.deeds).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property

from bot.content.loader import Knowledge
from bot.content.render import render
from bot.content.schema import SourceEntry
from bot.conversations.deeds import deed_button
from bot.conversations.messages import Answer, Button, Effect, Source, Understanding
from bot.i18n.formats import date_words
from bot.i18n.languages import CONTENT_CODES, DEFAULT, language_name
from bot.i18n.translate import say, say_n
from bot.paperwork.answer import STILL_LEFT, date_sentences, path_summary, step_in_full, still_left, what_to_do
from bot.paperwork.rules import RuleReason, Status, Step, WaitsFor, path
from bot.paperwork.schema import Procedure
from bot.paperwork.wording import (
    by_words,
    flag_words,
    line_words,
    papers_words,
    question,
    reasons_in_words,
)
from bot.students.facts import Facts

PRESSED = Understanding(intent="button", confidence=1.0, action="chat", group="paperwork")
FIRST_STEPS = 3
"""Steps that get a button of their own under the list, reasons and dates where the whole path is meant."""
MOST_TO_CHOOSE = 6
NEAR = timedelta(days=30)


@dataclass(frozen=True)
class View:
    """The path of one student on one day, and in which language it is told."""

    procedures: tuple[Procedure, ...]
    facts: Facts
    today: date
    language: str
    knowledge: Knowledge
    stuck: frozenset[str] = field(default_factory=frozenset)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        return path(self.procedures, self.facts, self.today)

    @cached_property
    def left(self) -> list[Step]:
        return still_left(self.steps, self.today)

    @cached_property
    def days_done(self) -> dict[str, date]:
        """What is recorded as done, whether or not it still counts."""
        return {str(slug): day for slug, day in self.facts.steps_done.items()}

    def step(self, slug: str | None) -> Step | None:
        return next((each for each in self.steps if each.slug == slug), None)

    def procedure(self, slug: str | None) -> Procedure | None:
        return next((each for each in self.procedures if each.slug == slug), None)

    def fill(self, text: str) -> str:
        """Puts the figures in."""
        return render(text, self.knowledge, self.language, self.today)

    def with_done(self, slug: str, on: date) -> "View":
        """The path once this step is recorded as done."""
        return replace(self, facts=self.facts.model_copy(update={"steps_done": {**self.days_done, slug: on}}))

    def without(self, slug: str) -> "View":
        """The path once this step is no longer recorded as done."""
        done = {step: day for step, day in self.days_done.items() if step != slug}
        return replace(self, facts=self.facts.model_copy(update={"steps_done": done}))


def not_linked(language: str) -> Answer:
    text = say(
        language,
        "Your steps depend on your nationality, visa and dates. Link your student record and I list them with "
        "your own dates.",
    )
    button = Button(say(language, "Link my record for my own dates"), {"effect": "start_link"})
    return Answer(text, PRESSED, buttons=(button,))


def did_it_button(language: str, slug: str) -> Button:
    return deed_button(say(language, "I did it"), "path_done", step=slug)


def cannot_button(language: str, slug: str) -> Button:
    return deed_button(say(language, "I can't"), "path_cannot", step=slug)


def everything_left(view: View) -> Answer:
    """ "What do I still have to do?": at most six lines, and the first steps as buttons."""
    shown = view.left[:MOST_TO_CHOOSE]
    return _reply(
        view,
        path_summary(view.steps, view.language, view.today).text,
        buttons=[_step_button(each, view.language) for each in view.left[:FIRST_STEPS]],
        sources=[each.sources[0] for each in shown],
    )


def next_step(view: View) -> Answer:
    """ "What next?": one step. Those with which the student is stuck come after the others."""
    ordered = _soonest_first(view)
    return about_step(view, ordered[0]) if ordered else everything_left(view)


def _soonest_first(view: View) -> list[Step]:
    """What can be done, then what must wait, then what is not clear; within each in the order of the list.

    A duty of law whose date is near comes before an advice that is late.
    """
    near = view.today + NEAR

    def place(step: Step) -> tuple[int, bool, bool]:
        is_pressing = step.legal_duty and step.due is not None and step.due <= near
        return STILL_LEFT.index(step.status), step.slug in view.stuck, not is_pressing

    return sorted(view.left, key=place)


def about_step(view: View, step: Step) -> Answer:
    """One step as something to do now."""
    told = step_in_full(step, view.facts, view.language, view.today, view.fill)
    buttons = [*_asks(step, view.language), *_own_buttons(step, view.language)]
    if told.offer_person:
        buttons.append(_person(view.language))
    why = deed_button(say(view.language, "Why me?"), "path_why", step=step.slug)
    return _reply(view, told.text, step, [*buttons, why, _what_else(view.language)])


def was_done(view: View, step: Step, on: date) -> Answer:
    """ "I did it": noted, and what opens next. `view` is the path before."""
    if step.status is Status.DONE:
        return _is_done_already(view, step)
    language, after = view.language, view.with_done(step.slug, on)
    noted = say(
        language,
        "Noted as done on {date}: **{step}**",
        date=date_words(on, language),
        step=step.title.get(language),
    )
    earlier = view.days_done.get(step.slug)
    undo = _undo_button(language, step.slug, earlier)
    opened = [each for each in after.left if each.status is Status.OPEN and _was_blocked(view, each)]
    following = opened[0] if opened else next(iter(_soonest_first(after)), None)
    if following is None:
        nothing = say(language, "Nothing is left to do that I know of.")
        return _reply(view, f"{noted}\n\n{nothing}", step, [undo])
    lead = say(language, "This can be done now:") if opened else say(language, "What comes next:")
    lines = [f"- {line_words(each, language, view.today)}" for each in (opened[:FIRST_STEPS] or [following])]
    text = "\n\n".join((noted, "\n".join((lead, "", *lines))))
    return _reply(view, text, step, [undo, _step_button(following, language), _what_else(language)])


def _was_blocked(before: View, step: Step) -> bool:
    earlier = before.step(step.slug)
    return earlier is not None and earlier.status is Status.BLOCKED


def _is_done_already(view: View, step: Step) -> Answer:
    language, title = view.language, step.title.get(view.language)
    if step.done_on is None:
        text = say(language, "Your record shows this as done already: **{step}**", step=title)
        return _reply(view, text, step, [_what_else(language)])
    day = date_words(step.done_on, language)
    text = say(language, "You did this on {date} already: **{step}**", date=day, step=title)
    return _reply(view, text, step, [_undo_button(language, step.slug, None), _what_else(language)])


def not_yet(view: View, step: Step, on: date) -> Answer:
    """A day of doing that lies ahead."""
    text = say(
        view.language,
        "{date} has not come yet. Tell me when it is done: **{step}**",
        date=date_words(on, view.language),
        step=step.title.get(view.language),
    )
    return _reply(view, text, step, _own_buttons(step, view.language))


def earlier_round(view: View, step: Step, on: date) -> Answer:
    """A day of doing that lies before the present round of a step that comes back."""
    text = say(
        view.language,
        "What you did on {date} belongs to an earlier year; this has to be done again: **{step}**",
        date=date_words(on, view.language),
        step=step.title.get(view.language),
    )
    return _reply(view, text, step, _own_buttons(step, view.language))


def was_undone(view: View, step: Step, *, changed: bool) -> Answer:
    """After "Undo". `view` is the path as it is now."""
    language, title = view.language, step.title.get(view.language)
    if not changed:
        text = say(language, "This step is not marked as done: **{step}**", step=title)
    elif step.status in STILL_LEFT:
        text = "\n\n".join((say(language, "Taken back."), line_words(step, language, view.today)))
    else:
        text = "\n\n".join((say(language, "Taken back."), f"**{title}**"))
    return _reply(view, text, step, [*_own_buttons(step, language), _what_else(language)])


def cannot_do(view: View, step: Step) -> Answer:
    """ "I can't": what stands in the way, what to do now, and a person."""
    if step.status is Status.DONE:
        return _is_done_already(view, step)
    if step.status is Status.NOT_NEEDED:
        return why(view, step)
    language = view.language
    sentences = [_date_of(view, step), *(_in_the_way(step, language))]
    if step.status in (Status.OPEN, Status.BLOCKED):
        sentences.append(what_to_do(step, language))
    sentences.append(
        say(language, "I have noted that you are stuck here. A person of the office can look at it with you.")
    )
    first = [_step_button(each, language) for each in _waited_for(view, step)[:1]]
    did_it = did_it_button(language, step.slug)
    buttons = [_person(language), *_asks(step, language), *first, did_it, _what_else(language)]
    reply = _reply(view, _with_title(step, language, sentences), step, buttons)
    return replace(reply, effects=(*reply.effects, Effect("path_stuck", {"step": step.slug})))


def _in_the_way(step: Step, language: str) -> list[str]:
    waiting = [each.title.get(language) for each in step.because if isinstance(each, WaitsFor)]
    sentences = [say(language, "This comes first: {step}.", step=title) for title in waiting]
    if step.needs and step.status is not Status.UNKNOWN:
        papers = papers_words(step, language)
        sentences.append(say(language, "It asks for these papers: {papers}. Is one of them missing?", papers=papers))
    return [*sentences, question(step, language)]


def _waited_for(view: View, step: Step) -> list[Step]:
    titles = {each.title for each in step.because if isinstance(each, WaitsFor)}
    return [each for each in view.left if each.title in titles]


def why(view: View, step: Step | None) -> Answer:
    """ "Why me?": the reasons and the source, of one step or of the most urgent ones."""
    language = view.language
    if step is None:
        return _why_at_all(view)
    source = step.sources[0]
    day = date_words(source.checked_on, language)
    checked = say(
        language, "Source: [{title}]({url}), checked on {date}.", title=source.title, url=source.url, date=day
    )
    text = _with_title(step, language, [" ".join(reasons_in_words(step, language)), checked])
    return _reply(view, text, step, [*_own_buttons(step, language), _what_else(language)])


def _why_at_all(view: View) -> Answer:
    language, shown = view.language, view.left[:FIRST_STEPS]
    if not shown:
        return everything_left(view)
    lines = [f"- **{each.title.get(language)}**: {_first_reason(each, language)}" for each in shown]
    lead = say(language, "Your steps follow from what your record says of you. The reasons for the first ones:")
    buttons = [_step_button(each, language) for each in shown]
    return _reply(view, "\n".join((lead, "", *lines)), buttons=buttons, sources=[each.sources[0] for each in shown])


def _first_reason(step: Step, language: str) -> str:
    rules = [each.text.get(language) for each in step.because if isinstance(each, RuleReason)]
    return rules[0] if rules else reasons_in_words(step, language)[0]


def until_when(view: View, step: Step | None) -> Answer:
    """ "Until when?": the date, what is special about it and what missing it means; or the next dates of all."""
    if step is None:
        return _next_dates(view)
    language = view.language
    if step.status not in (Status.OPEN, Status.BLOCKED):
        return about_step(view, step)
    sentences = [_date_of(view, step), question(step, language)]
    if step.overdue:
        sentences.append(step.late.get(language))
    elif step.due is not None:
        sentences.append(say(language, "If you miss this date: {late}", late=step.late.get(language)))
    text = _with_title(step, language, sentences)
    return _reply(view, text, step, [*_asks(step, language), *_own_buttons(step, language), _what_else(language)])


def _date_of(view: View, step: Step) -> str:
    """The date with its reason; that there is none."""
    language = view.language
    if step.status not in (Status.OPEN, Status.BLOCKED):
        return ""
    if step.overdue and step.due is not None:
        return " ".join(date_sentences(step, language, view.today))
    if step.due is not None:
        sentences = [by_words(step, language), flag_words(step, language)]
    elif step.missing_facts:
        sentences = []
    else:
        sentences = [say(language, "There is no last day for this that I know of.")]
    if step.opens is not None and step.opens > view.today:
        sentences.append(say(language, "You can do it from {date} on.", date=date_words(step.opens, language)))
    return " ".join(each for each in sentences if each)


def _next_dates(view: View) -> Answer:
    language = view.language
    ahead = [each for each in view.left if each.due is not None and not each.overdue][:FIRST_STEPS]
    overdue = [each for each in view.left if each.overdue]
    parts = []
    if overdue:
        parts.append(
            say_n(
                language,
                "The date of {number} step is past; the first: {step}.",
                "The dates of {number} steps are past; the first: {step}.",
                len(overdue),
                step=overdue[0].title.get(language),
            )
        )
    if ahead:
        lines = [f"- {line_words(each, language, view.today)}" for each in ahead]
        parts.append("\n".join((say(language, "Your next dates:"), "", *lines)))
    else:
        parts.append(say(language, "I know of no date that lies ahead of you."))
    shown = [*overdue[:1], *ahead]
    buttons = [_step_button(each, language) for each in shown]
    return _reply(view, "\n\n".join(parts), buttons=buttons, sources=[each.sources[0] for each in shown])


def which_step(view: View, effect: str) -> Answer:
    """A step was meant, but which? The open ones as buttons that do `effect`."""
    language = view.language
    shown = _soonest_first(view)[:MOST_TO_CHOOSE]
    if not shown:
        return everything_left(view)
    buttons = [deed_button(each.title.get(language), effect, step=each.slug) for each in shown]
    return _reply(view, say(language, "Which step do you mean?"), buttons=buttons)


def _reply(
    view: View,
    text: str,
    step: Step | None = None,
    buttons: Iterable[Button] = (),
    sources: Iterable[SourceEntry] = (),
) -> Answer:
    """`step`: the one that is talked about from now on."""
    language = view.language
    text = view.fill(text)
    if language not in CONTENT_CODES:
        name = language_name(DEFAULT, language)
        text += "\n\n" + say(language, "The steps themselves are described in {language} only so far.", language=name)
    entries = (*sources, *(step.sources if step else ()))
    buttons = tuple(buttons)
    asked = next((each.payload["values"] for each in buttons if each.payload.get("effect") == "ask_fact"), None)
    return Answer(
        text,
        PRESSED,
        buttons=buttons,
        sources=tuple(dict.fromkeys(Source(each.title, str(each.url), each.checked_on) for each in entries)),
        effects=(
            *((Effect("path_about", {"step": step.slug}),) if step else ()),
            # The question is in the text already: the next text may answer it without a press of the button.
            *((Effect("expect_fact", asked),) if asked else ()),
        ),
    )


def _with_title(step: Step, language: str, sentences: Iterable[str]) -> str:
    return "\n\n".join((f"**{step.title.get(language)}**", *(each for each in sentences if each)))


def _own_buttons(step: Step, language: str) -> list[Button]:
    if step.status in (Status.DONE, Status.NOT_NEEDED):
        return []
    return [did_it_button(language, step.slug), cannot_button(language, step.slug)]


def _asks(step: Step, language: str) -> list[Button]:
    if not step.missing_facts:
        return []
    return [deed_button(say(language, "Answer this question"), "ask_fact", fact=step.missing_facts[0])]


def _step_button(step: Step, language: str) -> Button:
    return deed_button(step.title.get(language), "path_step", step=step.slug)


def _undo_button(language: str, slug: str, earlier: date | None) -> Button:
    label = say(language, "Undo")
    if earlier is None:
        return deed_button(label, "path_undo", step=slug)
    return deed_button(label, "path_undo", step=slug, earlier=earlier.isoformat())


def _what_else(language: str) -> Button:
    return deed_button(say(language, "What else?"), "path_left")


def _person(language: str) -> Button:
    return Button(say(language, "Talk to a person"), {"effect": "request_person"})
