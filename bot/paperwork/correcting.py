"""What is said when students correct their record: questions, the reading back, what was done. Pure.

A correction that is not complete yet travels as a `Draft` in the values of the buttons and of the pending question.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from bot.conversations.deeds import Values, deed_button
from bot.conversations.messages import Answer, Button, Effect, Understanding
from bot.i18n.translate import mark, say
from bot.paperwork.wording import QUESTIONS
from bot.students.facts import DATE_FACTS
from bot.students.labels import choices_of, fact_name, value_words
from bot.students.ownership import SCHOOL_OWNED
from bot.students.readings import Reading, with_kind

PRESSED = Understanding(intent="button", confidence=1.0, action="chat", group="paperwork")
ASKED = Understanding(intent="fact", confidence=1.0, action="prompt", group="paperwork")
CONFIRMS = "change_facts"
"""The deed of the button that confirms what was read back; a "yes" in words stands for it."""
RENTED = frozenset({"all", "crous", "private_furnished", "private_unfurnished", "shared"})
"""Kinds of housing with a lease."""
OFTEN = ("date_of_entry", "housing_status", "document_held", "leaving_date")
"""What students correct most: offered where a message did not say what."""

EXAMPLES = {
    "nationality": mark("Write the name of the country, for example: Morocco."),
    "country_of_residence": mark("Write the name of the country, for example: Morocco."),
    "nationality_group": mark("Write the country of the passport, for example: Morocco."),
    "birth_certificate_language": mark("Write the name of the language, for example: Spanish."),
    "hours_this_permit_year": mark("Write a number, for example: 120."),
    "earlier_stays": mark("Write the first and the last day of the stay, or “no”."),
}
A_DAY = mark("Write a day, for example: {day}.")
A_CHOICE = mark("Choose one of the buttons, please, or write it in other words.")


@dataclass(frozen=True)
class Draft:
    """A correction on its way: what is clear, what is still to ask, and what the student left open."""

    changes: Mapping[str, Any] = field(default_factory=dict)
    open: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        left = [{"fact": fact, "values": list(values)} for fact, values in self.open.items()]
        return {"changes": dict(self.changes), "open": left, "skipped": list(self.skipped)}

    @staticmethod
    def from_json(value: Values) -> "Draft":
        left = {str(each["fact"]): tuple(each["values"]) for each in value["open"]}
        return Draft(dict(value["changes"]), left, tuple(value["skipped"]))

    def with_value(self, fact: str, value: Any, today: date) -> "Draft":
        left = {name: values for name, values in self.open.items() if name != fact}
        return replace(self, changes=with_kind({**self.changes, fact: value}, today), open=left)

    def without(self, fact: str) -> "Draft":
        """The student cannot say it."""
        left = {name: values for name, values in self.open.items() if name != fact}
        return replace(self, open=left, skipped=(*self.skipped, fact))


@dataclass(frozen=True)
class Record:
    """Whose record, what it holds (facts and PERSON_FIELDS, as JSON), and for whom and when words are made."""

    student_id: int
    values: Mapping[str, Any]
    language: str
    today: date


def proposal(record: Record, reading: Reading, understanding: Understanding) -> Answer:
    """The answer to a message that corrects something: a question for what is open, else everything read back."""
    if not reading:
        return what_to_correct(record.language, understanding)
    return next_answer(record, Draft(dict(reading.changes), dict(reading.open)), understanding)


def next_answer(record: Record, draft: Draft, understanding: Understanding = PRESSED) -> Answer:
    """What comes next with a draft: the next question, or the reading back."""
    draft = _with_follow_up(draft, record.values)
    if draft.open:
        fact, values = next(iter(draft.open.items()))
        return ask(record, fact, understanding, values=values, draft=draft)
    return read_back(record, draft.changes, understanding)


def _with_follow_up(draft: Draft, values: Mapping[str, Any]) -> Draft:
    """Whoever found a place to rent has a lease: its first day moves deadlines."""
    is_settled = any("lease_start" in part for part in (draft.changes, draft.skipped, draft.open))
    status = draft.changes.get("housing_status")
    if is_settled or not has_new_lease(values.get("housing_status"), status, values.get("lease_start")):
        return draft
    return replace(draft, open={**draft.open, "lease_start": ()})


def has_new_lease(before: str | None, after: str | None, lease_start: str | None) -> bool:
    """Whether a change of housing brings a lease of unknown first day; that of an earlier place does not count."""
    return after in RENTED and after != before and (lease_start is None or before in RENTED)


def ask(
    record: Record,
    fact: str,
    understanding: Understanding = PRESSED,
    *,
    values: Sequence[Any] = (),
    draft: Draft | None = None,
    first: str = "",
) -> Answer:
    """The question for one fact with a button for each value (or only for those in `values`); a text may answer it."""
    language = record.language
    text = say(language, QUESTIONS[fact])
    if draft is not None and draft.changes:
        known = lines_of(record, draft.changes)
        text = "\n\n".join((say(language, "I understood:"), "\n".join(known), text))
    effect = Effect("expect_fact", {"fact": fact, **_draft_values(draft)})
    return Answer(
        "\n\n".join(part for part in (first, text) if part),
        understanding,
        buttons=answer_buttons(record, fact, values=values, draft=draft),
        effects=(effect,),
    )


def answer_buttons(
    record: Record, fact: str, *, values: Sequence[Any] = (), draft: Draft | None = None
) -> tuple[Button, ...]:
    """The values of a fact as buttons, and the way out for who does not know."""
    language = record.language
    # Without a draft the answer is written down at once, so it counts only while the record is as it is now.
    more = {"before": record.values.get(fact)} if draft is None else _draft_values(draft)
    choices = [(value, value_words(fact, value, language)) for value in values] or choices_of(fact, language)
    buttons = [
        deed_button(words, "answer_fact", student=record.student_id, fact=fact, value=value, **more)
        for value, words in choices
    ]
    unknown = deed_button(say(language, "I don't know yet"), "leave_fact", student=record.student_id, fact=fact, **more)
    return (*buttons, unknown)


def _draft_values(draft: Draft | None) -> dict[str, Any]:
    return {} if draft is None else {"draft": draft.as_json()}


def unreadable(record: Record, fact: str, draft: Draft | None) -> Answer:
    """Asked once more, with an example."""
    language = record.language
    if fact in DATE_FACTS:
        example = say(language, A_DAY, day=value_words(fact, record.today.isoformat(), language))
    else:
        example = say(language, EXAMPLES.get(fact, A_CHOICE))
    values = draft.open.get(fact, ()) if draft is not None else ()
    text = say(language, "I could not read that as an answer to: {question}", question=say(language, QUESTIONS[fact]))
    return Answer(f"{text} {example}", ASKED, buttons=answer_buttons(record, fact, values=values, draft=draft))


def several(record: Record, fact: str, values: Sequence[Any], draft: Draft | None) -> Answer:
    """The text may mean several of the values."""
    text = say(record.language, "That can mean more than one thing. Which of these?")
    return Answer(text, ASKED, buttons=answer_buttons(record, fact, values=values, draft=draft))


def what_to_correct(language: str, understanding: Understanding = PRESSED) -> Answer:
    """For a message that corrects something without our seeing what."""
    text = say(
        language,
        "What should be different in your record? Write it in one sentence, for example “I arrive on 19 September” or "
        "“I found a flat”, or choose:",
    )
    buttons = tuple(deed_button(fact_name(fact, language), "ask_fact", fact=fact) for fact in OFTEN)
    person = Button(say(language, "Talk to a person"), {"effect": "request_person"})
    return Answer(text, understanding, buttons=(*buttons, person))


def not_linked(language: str, understanding: Understanding = PRESSED) -> Answer:
    text = say(
        language,
        "This conversation is not linked to a student record, so there is nothing that I could correct. Link yours "
        "first, then tell me again.",
    )
    button = Button(say(language, "Link my record"), {"effect": "start_link"})
    return Answer(text, understanding, buttons=(button,))


def read_back(
    record: Record, changes: Mapping[str, Any], understanding: Understanding = PRESSED, first: str = ""
) -> Answer:
    """What would change, from what to what, with the buttons that confirm it. Nothing is stored before."""
    language = record.language
    fresh = {fact: value for fact, value in changes.items() if record.values.get(fact) != value}
    if not fresh:
        return _nothing_new(record, changes, understanding)
    own = {fact: value for fact, value in fresh.items() if fact not in SCHOOL_OWNED}
    school = {fact: value for fact, value in fresh.items() if fact in SCHOOL_OWNED}
    parts = [first] if first else []
    if own:
        parts.append(_own_words(record, own, is_alone=not school))
    if school:
        intro = say(language, "The school keeps this itself, so a colleague has to decide. I can pass your wish on:")
        parts += [intro, "\n".join(from_to(record, school))]
    if own and school:
        label = say(language, "Yes, do both")
    else:
        label = say(language, "Yes, change it") if own else say(language, "Yes, pass it on")
    before = {fact: record.values.get(fact) for fact in fresh}
    yes = deed_button(label, CONFIRMS, student=record.student_id, changes=fresh, before=before)
    no = deed_button(say(language, "No"), "keep_facts")
    effect = Effect("expect_confirmation")
    return Answer("\n\n".join(parts), understanding, buttons=(yes, no), effects=(effect,))


def _nothing_new(record: Record, changes: Mapping[str, Any], understanding: Understanding) -> Answer:
    if not changes:
        return Answer(say(record.language, "All right, I change nothing."), understanding)
    same = say(record.language, "That is how your record has it already:")
    return Answer("\n\n".join((same, "\n".join(lines_of(record, changes)))), understanding)


def _own_words(record: Record, own: Mapping[str, Any], *, is_alone: bool) -> str:
    """A single date of arrival as one sentence, everything else as a list."""
    language = record.language
    arrival, recorded = own.get("date_of_entry"), record.values.get("date_of_entry")
    if is_alone and arrival and recorded and set(own) <= {"date_of_entry", "date_of_entry_kind"}:
        is_real = own.get("date_of_entry_kind", record.values.get("date_of_entry_kind")) == "real"
        was_real = record.values.get("date_of_entry_kind") == "real"
        message = _ARRIVALS[was_real, is_real]
        return say(
            language,
            message,
            before=value_words("date_of_entry", recorded, language),
            after=value_words("date_of_entry", arrival, language),
        )
    intro = say(language, "I would change your record like this:")
    return "\n\n".join((intro, "\n".join(from_to(record, own)), say(language, "Is that right?")))


_ARRIVALS = {
    (False, False): mark("Your record says you arrive on {before}. Change it to {after}?"),
    (False, True): mark("Your record says you arrive on {before}. Change it to: you arrived on {after}?"),
    (True, True): mark("Your record says you arrived on {before}. Change it to {after}?"),
    (True, False): mark("Your record says you arrived on {before}. Change it to: you arrive on {after}?"),
}
"""By (has arrived as recorded, has arrived as told)."""


def from_to(record: Record, changes: Mapping[str, Any]) -> list[str]:
    """- **Housing**: Still searching → Rented, furnished"""
    language = record.language
    return [
        say(
            language,
            "- **{fact}**: {before} → {after}",
            fact=fact_name(fact, language),
            before=value_words(fact, record.values.get(fact), language),
            after=value_words(fact, value, language),
        )
        for fact, value in _shown(changes).items()
    ]


def lines_of(record: Record, changes: Mapping[str, Any]) -> list[str]:
    """- **Housing**: Rented, furnished"""
    return [
        f"- **{fact_name(fact, record.language)}**: {value_words(fact, value, record.language)}"
        for fact, value in _shown(changes).items()
    ]


def _shown(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Whether an arrival is planned is seen from its date."""
    return {
        fact: value for fact, value in changes.items() if fact != "date_of_entry_kind" or "date_of_entry" not in changes
    }


def impossible(record: Record, changes: Mapping[str, Any], pairs: Sequence[tuple[str, str]]) -> Answer:
    """The record would contradict itself; `pairs` are facts of which the second would lie before the first."""
    language = record.language
    after = {**record.values, **changes}
    sentences = [
        say(
            language,
            "“{last}”, {last_day}, would lie before “{first}”, {first_day}.",
            last=fact_name(last, language),
            last_day=value_words(last, after.get(last), language),
            first=fact_name(first, language),
            first_day=value_words(first, after.get(first), language),
        )
        for first, last in pairs
    ]
    text = " ".join(
        (say(language, "That cannot be, so I changed nothing."), *sentences, say(language, "Which of them is wrong?"))
        if pairs
        else (say(language, "That value is not possible, so I changed nothing. Please check it and write it again."),)
    )
    names = dict.fromkeys(fact for pair in pairs for fact in pair)
    buttons = tuple(deed_button(fact_name(fact, language), "ask_fact", fact=fact) for fact in names)
    return Answer(text, PRESSED, buttons=buttons)
