"""What is kept about a person, in words and counts: the answer to "what do you know about me?"."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.i18n.translate import say
from bot.privacy.export import kept_words, owned
from bot.privacy.holdings import HOLDINGS
from bot.privacy.reach import CONVERSATIONS, STUDENTS, Person, personal_tables
from bot.students.labels import FACT_NAMES, fact_name, value_words
from bot.students.models import Student
from bot.students.people import PERSON_FIELDS


@dataclass(frozen=True)
class Fact:
    """One thing the record says. `name` is stable, for programs."""

    name: str
    label: str
    value: str


@dataclass(frozen=True)
class Kept:
    """How many rows of one kind there are, where they come from and how long they stay."""

    table: str
    what: str
    number: int
    comes_from: str
    kept: str


@dataclass(frozen=True)
class Summary:
    record: tuple[Fact, ...]
    """Empty where the conversation is not linked."""
    kept: tuple[Kept, ...]
    """Without what there is nothing of."""


def summary_of(session: Session, person: Person, language: str) -> Summary:
    student = session.get(Student, person.student_id) if person.student_id is not None else None
    counted = []
    for table in personal_tables():
        number = session.scalar(select(func.count()).select_from(table).where(owned(table, person))) or 0
        if number:
            holding = HOLDINGS[table.name]
            comes_from, kept = say(language, holding.comes_from), kept_words(holding, person, language)
            counted.append(Kept(table.name, say(language, holding.what), number, comes_from, kept))
    counted.sort(key=lambda each: list(HOLDINGS).index(each.table))
    return Summary(_facts(student, language) if student is not None else (), tuple(counted))


def summary_words(summary: Summary, language: str) -> str:
    """The summary as Markdown."""
    heading = say(language, "What is kept about you")
    parts = [f"**{heading}**"]
    by_table = {each.table: each for each in summary.kept}
    if (own := by_table.get(STUDENTS)) is not None:
        head = say(language, "Your record ({comes_from}; kept {kept}):", comes_from=own.comes_from, kept=own.kept)
        parts.append("\n".join([head, *(f"- {fact.label}: {fact.value}" for fact in summary.record)]))
        then = say(language, "With it:")
    else:
        parts.append(
            say(
                language,
                "This conversation is not linked to a record: nothing of yours is used here but what you wrote.",
            )
        )
        then = say(language, "Of this conversation:")
    lines = [
        say(
            language,
            "{what}: {number} ({comes_from}; kept {kept})",
            what=each.what,
            number=each.number,
            comes_from=each.comes_from,
            kept=each.kept,
        )
        for each in _listed(summary.kept)
    ]
    parts.append("\n".join([then, *(f"- {line}" for line in lines)]))
    return "\n\n".join(parts)


def _listed(kept: Sequence[Kept]) -> list[Kept]:
    """Without the record, which is said in words; one conversation alone needs no count either."""
    return [each for each in kept if each.table != STUDENTS and (each.table, each.number) != (CONVERSATIONS, 1)]


def _facts(student: Student, language: str) -> tuple[Fact, ...]:
    person = {name: getattr(student, name) for name in PERSON_FIELDS}
    known = person | {name: value for name, value in student.facts.items() if value is not None}
    facts = [
        Fact(name, fact_name(name, language), _words(name, value, language))
        for name, value in known.items()
        if name in FACT_NAMES
    ]
    if student.source_id is not None:
        facts.append(Fact("source_id", say(language, "Number at the school"), student.source_id))
    return tuple(facts)


def _words(name: str, value: Any, language: str) -> str:
    """Also what an earlier version stored, and has no words for, is shown as it is."""
    try:
        return value_words(name, value, language)
    except (AttributeError, KeyError, TypeError, ValueError):
        return str(value)
