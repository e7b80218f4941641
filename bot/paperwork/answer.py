"""The sentences that open a personal answer: this student's date, and why. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from bot.content.schema import SourceEntry
from bot.i18n.formats import date_words
from bot.i18n.languages import CONTENT_CODES
from bot.i18n.translate import say, say_n
from bot.paperwork.rules import DateReason, Flag, RuleReason, Status, Step, WaitsFor
from bot.paperwork.wording import by_words, fact_words, flag_words, line_words, overdue_words, papers_words, question
from bot.students.facts import Facts

LONGEST_LIST = 6
STILL_LEFT = (Status.OPEN, Status.BLOCKED, Status.UNKNOWN)


@dataclass(frozen=True)
class PersonalAnswer:
    """`text` is Markdown in the reader's language."""

    text: str
    sources: tuple[SourceEntry, ...] = ()
    asks_for: str | None = None
    """The fact that the text asks for."""
    offer_person: bool = False
    """The rule is not clear for this student: someone of the office should look at it."""
    partly_english: bool = False
    """Sentences of the procedure came in English, because knowledge/ is not written in the reader's language."""


def personal_sentence(
    step: Step, facts: Facts, language: str, today: date, fill: Callable[[str], str]
) -> PersonalAnswer:
    """The date of this step for this student and the reason, whatever its status.

    `fill` puts the figures into a text of knowledge/, `{{ vls_ts_tax }}` and the like, in the reader's language.
    """
    sentences, from_procedure = _sentences(step, facts, language, today)
    asked = question(step, language)
    return PersonalAnswer(
        text=fill(" ".join(each for each in (*sentences, asked) if each)),
        sources=step.sources,
        asks_for=step.missing_facts[0] if asked else None,
        offer_person=step.status is Status.UNKNOWN and not step.missing_facts,
        partly_english=from_procedure and language not in CONTENT_CODES,
    )


def _sentences(step: Step, facts: Facts, language: str, today: date) -> tuple[list[str], bool]:
    """What to say before any question, and whether texts of the procedure are in it."""
    rules = [reason.text.get(language) for reason in step.because if isinstance(reason, RuleReason)]
    match step.status:
        case Status.DONE if step.done_on is not None:
            return [say(language, "You did this on {date}.", date=date_words(step.done_on, language)), *rules[:1]], True
        case Status.DONE:
            return [say(language, "This is done."), *rules], True
        case Status.NOT_NEEDED:
            return [say(language, "You do not need to do this."), *rules], True
        case Status.UNKNOWN if facts.date_of_entry and facts.visa_start and Flag.ENTRY_BEFORE_VISA in step.flags:
            return [_entry_before_visa(facts.date_of_entry, facts.visa_start, language)], False
        case Status.UNKNOWN if step.missing_facts:
            lacking = say(language, "I cannot give you your own date yet, because something is not in your record.")
            return [*rules, lacking], bool(rules)
        case Status.UNKNOWN:
            return rules, True
    if step.overdue and step.due is not None:
        return [*_overdue(step, step.due, language, today), step.late.get(language)], True
    special = [step.do.get(language)] if step.do_is_special else []
    return [*_ahead(step, rules, language, today), *special], bool(step.due is None or rules[1:] or special)


def _overdue(step: Step, due: date, language: str, today: date) -> list[str]:
    reasons = [fact_words(reason, language) for reason in step.because if isinstance(reason, DateReason)]
    return [overdue_words(due, today, language), *reasons]


def _ahead(step: Step, rules: list[str], language: str, today: date) -> list[str]:
    """A step whose date has not passed: the date with its reason, else the rule; then what stands in the way."""
    waiting = [reason.title.get(language) for reason in step.because if isinstance(reason, WaitsFor)]
    sentences = [by_words(step, language), flag_words(step, language)] if step.due else rules[:1]
    # After the first, the rule itself, come the notes on the date.
    sentences += rules[1:]
    if step.opens is not None and step.opens > today:
        sentences.append(say(language, "You can do it from {date} on.", date=date_words(step.opens, language)))
    elif step.due is None and step.status is Status.OPEN:
        sentences.append(say(language, "You can do this now."))
    sentences += [say(language, "This comes first: {step}.", step=title) for title in waiting]
    return sentences


def _entry_before_visa(arrival: date, start: date, language: str) -> str:
    return say(
        language,
        "Your record says that you arrived on {arrival}, but your visa starts on {start}. "
        "One of the two must be wrong, so there is no date yet.",
        arrival=date_words(arrival, language),
        start=date_words(start, language),
    )


def step_in_full(step: Step, facts: Facts, language: str, today: date, fill: Callable[[str], str]) -> PersonalAnswer:
    """One step as something to do: title, date and reason, what to do, which papers, where. Markdown."""
    title = f"**{step.title.get(language)}**"
    if step.status not in (Status.OPEN, Status.BLOCKED):
        told = personal_sentence(step, facts, language, today, fill)
        return replace(told, text=f"{title}\n\n{told.text}", partly_english=language not in CONTENT_CODES)
    parts = [title, " ".join(date_sentences(step, language, today)), what_to_do(step, language)]
    if step.needs:
        parts.append(say(language, "Papers: {papers}.", papers=papers_words(step, language)))
    if step.where is not None:
        place = f"[{step.where.title.get(language)}]({step.where.url})"
        parts.append(say(language, "Where: {place}", place=place))
    asked = question(step, language)
    return PersonalAnswer(
        text=fill("\n\n".join(each for each in (*parts, asked) if each)),
        sources=step.sources,
        asks_for=step.missing_facts[0] if asked else None,
        partly_english=language not in CONTENT_CODES,
    )


def date_sentences(step: Step, language: str, today: date) -> list[str]:
    """The date of a step that is open or blocked, with its reason and what comes first."""
    if step.overdue and step.due is not None:
        return _overdue(step, step.due, language, today)
    rules = [reason.text.get(language) for reason in step.because if isinstance(reason, RuleReason)]
    return [each for each in _ahead(step, rules, language, today) if each]


def what_to_do(step: Step, language: str) -> str:
    """Once the date is past, only what helps now."""
    return step.late.get(language) if step.overdue else step.do.get(language)


def still_left(steps: Sequence[Step], today: date) -> list[Step]:
    """What is not done yet: overdue first (duties of law before the rest), then by date, then what has none."""

    def place(step: Step) -> tuple[bool, bool, bool, date, int, str]:
        overdue_duty = step.overdue and step.legal_duty
        rest = (step.due or today, STILL_LEFT.index(step.status), step.slug)
        return (not step.overdue, not overdue_duty, step.due is None, *rest)

    return sorted((each for each in steps if each.status in STILL_LEFT), key=place)


def path_summary(steps: Sequence[Step], language: str, today: date) -> PersonalAnswer:
    """What is still to do, at most six lines with their dates: overdue first, then by date, then what has none."""
    left = still_left(steps, today)
    if not left:
        return PersonalAnswer(say(language, "Nothing is left to do that I know of."))
    lines = [f"- {line_words(each, language, today)}" for each in left[:LONGEST_LIST]]
    if (more := len(left) - LONGEST_LIST) > 0:
        # An empty line, or it would belong to the last line of the list.
        lines += ["", say_n(language, "And {number} more step.", "And {number} more steps.", more)]
    return PersonalAnswer(
        "\n".join((say(language, "This is what is left to do:"), "", *lines)),
        partly_english=language not in CONTENT_CODES,
    )
