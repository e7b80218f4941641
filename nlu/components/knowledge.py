"""What the office says about each topic, as sentences the classifier learns from besides the students' phrases."""

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

# Left out, 85.5 % of the phrases are recognised with titles and all sentences of the answers, 85.8 % with the first
# sentences alone: what stands further down is about many things.
TITLE_TRUST = 1.0
ANSWER_TRUST = 0.5
SHORTEST = 20
FIRST = 2
"""Sentences of an answer that count: those that say what it is about."""
PLACEHOLDER = re.compile(r"\{\{.*?\}\}")
MARKUP = re.compile(r"\]\([^)]*\)|[*_#>\[\]]")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")


@dataclass(frozen=True)
class Sentence:
    """A sentence that belongs to a label; `trust` is how much it counts against a student's own phrase (1.0)."""

    text: str
    label: str
    trust: float


def sentences(folder: Path) -> list[Sentence]:
    """Titles, questions and sentences of the answers in `folder`/<slug>/, labelled `ask/<slug>`, in stable order."""
    return [
        sentence
        for topic in sorted(folder.glob("*/topic.yml"))
        for sentence in _of_topic(topic.parent, f"ask/{topic.parent.name}")
    ]


def _of_topic(folder: Path, label: str) -> list[Sentence]:
    topic = yaml.safe_load((folder / "topic.yml").read_text(encoding="utf-8"))
    names = [*topic["title"].values(), *topic["question"].values()]
    answers = [page.read_text(encoding="utf-8") for page in sorted(folder.glob("*.md"))]
    return [Sentence(name, label, TITLE_TRUST) for name in names] + [
        Sentence(text, label, ANSWER_TRUST) for answer in answers for text in _split(answer)[:FIRST]
    ]


def _split(answer: str) -> list[str]:
    plain = MARKUP.sub("", PLACEHOLDER.sub("100", answer))
    parts = (part.strip(" -\n") for part in SENTENCE_END.split(plain))
    return [part for part in parts if len(part) > SHORTEST]
