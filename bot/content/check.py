"""`accueil check-content`: what is missing, out of date or dangling in knowledge/ and data/nlu/."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from pathlib import Path
from typing import Literal

import yaml

from bot.content.loader import Knowledge
from bot.content.render import PLACEHOLDER, figure_names
from bot.i18n.languages import CODES, CONTENT_CODES

LONGEST_ANSWER = 120
"""Words before the reader stops reading."""
FEWEST_PHRASES = 12
NEAR_REPEAT = 0.92
LINK = re.compile(r"\]\((?P<url>[^)]*)\)")


@dataclass(frozen=True)
class Finding:
    level: Literal["error", "warning"]
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.level}: {self.where}: {self.what}"


def check(
    knowledge: Knowledge, phrases: Path, held_out: Path, procedures: Mapping[str, date], today: date
) -> list[Finding]:
    """Errors stop the build; warnings are for the owner of the content. `procedures`: slug → valid until."""
    return [
        *_procedures(procedures, today),
        *_topics(knowledge, procedures, today),
        *_figures(knowledge, today),
        *_urgent(knowledge),
        *_phrases(knowledge, phrases),
        *_held_out(knowledge, phrases, held_out),
    ]


def _topics(knowledge: Knowledge, procedures: Mapping[str, date], today: date) -> Iterator[Finding]:
    for slug, topic in knowledge.topics.items():
        where = f"topics/{slug}"
        for code in CONTENT_CODES:
            if not topic.texts.get(code):
                yield Finding("error", f"{where}/{code}.md", "the text is missing")
        for code, text in topic.texts.items():
            place = f"{where}/{code}.md"
            if (words := sum(any(c.isalnum() for c in word) for word in text.split())) > LONGEST_ANSWER:
                yield Finding("error", place, f"{words} words; an answer has at most {LONGEST_ANSWER}")
            for name in set(figure_names(text)) - knowledge.figures.keys():
                yield Finding("error", place, f"the figure {name} is not in figures.yml")
            if "{" in PLACEHOLDER.sub("", text) or "TODO" in text:
                yield Finding("error", place, "a placeholder was left open")
            for match in LINK.finditer(text):
                if not match["url"].startswith(("https://", "http://", "mailto:", "tel:")):
                    yield Finding("error", place, f"the link {match['url']} leads nowhere")
        if topic.file.valid_until <= today:
            yield Finding("error", f"{where}/topic.yml", f"valid_until {topic.file.valid_until} is past")
        for source in topic.file.sources:
            if source.checked_on > today:
                yield Finding("error", f"{where}/topic.yml", f"checked_on {source.checked_on} lies in the future")
        for slug_next in topic.file.next:
            if slug_next not in knowledge.topics or slug_next == slug:
                yield Finding("error", f"{where}/topic.yml", f"next names {slug_next}, which is no other topic")
        if topic.file.procedure and topic.file.procedure not in procedures:
            yield Finding("error", f"{where}/topic.yml", f"there is no procedure {topic.file.procedure}")


def _procedures(procedures: Mapping[str, date], today: date) -> Iterator[Finding]:
    for slug, valid_until in procedures.items():
        if valid_until <= today:
            yield Finding("error", f"procedures/{slug}.yml", f"valid_until {valid_until} is past")


def _figures(knowledge: Knowledge, today: date) -> Iterator[Finding]:
    for slug in knowledge.stale_figures(today):
        yield Finding("error", f"figures.yml: {slug}", f"to be reviewed by {knowledge.figures[slug].review_by}")


def _urgent(knowledge: Knowledge) -> Iterator[Finding]:
    for kind, entry in knowledge.urgent.items():
        for code in CODES:
            if not entry.text.get(code) or not entry.words.get(code):
                yield Finding("error", f"urgent.yml: {kind}", f"words or text are missing in {code}")


def read_training_phrases(path: Path) -> dict[str, list[str]]:
    """Label → phrases of one Rasa NLU file."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {
        entry["intent"]: [line.strip()[2:].strip() for line in entry["examples"].splitlines() if line.strip()]
        for entry in content["nlu"]
        if "intent" in entry
    }


def _phrases(knowledge: Knowledge, folder: Path) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for code in CONTENT_CODES:
        for slug in knowledge.topics:
            path = folder / code / f"{slug}.yml"
            if not path.exists():
                yield Finding("error", f"data/nlu/{code}/{slug}.yml", "the phrases are missing")
                continue
            phrases = read_training_phrases(path).get(f"ask/{slug}", [])
            if len(phrases) < FEWEST_PHRASES:
                yield Finding("error", f"data/nlu/{code}/{slug}.yml", f"{len(phrases)} phrases of {FEWEST_PHRASES}")
            for phrase in phrases:
                if (other := seen.setdefault(folded(phrase), slug)) != slug:
                    yield Finding("error", f"data/nlu/{code}/{slug}.yml", f"{phrase!r} stands in {other} as well")
        for path in sorted((folder / code).glob("[a-z]*.yml")):
            if path.stem not in knowledge.topics:
                yield Finding("error", f"data/nlu/{code}/{path.name}", "there is no such topic")


def _held_out(knowledge: Knowledge, phrases: Path, held_out: Path) -> Iterator[Finding]:
    for path in sorted(held_out.glob("*/*.yml")):
        code, slug = path.parent.name, path.stem
        if slug not in knowledge.topics:
            if not slug.startswith("_"):
                yield Finding("error", f"tests/nlu/{code}/{path.name}", "there is no such topic")
            continue
        training = phrases / code / f"{slug}.yml"
        known = [folded(p) for p in read_training_phrases(training).get(f"ask/{slug}", [])] if training.exists() else []
        for phrase in yaml.safe_load(path.read_text(encoding="utf-8")):
            if (twin := near_repeat(folded(phrase), known)) is not None:
                yield Finding("error", f"tests/nlu/{code}/{path.name}", f"{phrase!r} nearly repeats {twin!r}")


def folded(phrase: str) -> str:
    return " ".join(re.findall(r"\w+", phrase.casefold()))


def near_repeat(phrase: str, known: list[str]) -> str | None:
    """The known phrase that this one nearly repeats, if any."""
    for other in known:
        matcher = SequenceMatcher(None, phrase, other)
        if matcher.quick_ratio() >= NEAR_REPEAT and matcher.ratio() >= NEAR_REPEAT:
            return other
    return None
