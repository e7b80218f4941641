"""`accueil check-content`: what is missing, out of date or dangling in knowledge/ and data/nlu/."""

import dataclasses
import re
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from itertools import product
from pathlib import Path
from typing import Any, Literal

import yaml

from bot.content.loader import TOPIC_FILE, Knowledge
from bot.content.phrases import read_training_phrases
from bot.content.render import PLACEHOLDER, figure_names, school_names
from bot.content.schema import FAMILIES, LONGEST_ANSWER, Page, Topic, first_paragraph, word_count
from bot.i18n.languages import CODES, CONTENT_CODES
from bot.i18n.translate import mark

LONGEST_MORE = 250
FEWEST_PHRASES = 15
FEWEST_HELD_OUT = 4
NEAR_REPEAT = 0.92
LINK = re.compile(r"\]\((?P<url>[^)]*)\)")


@dataclass(frozen=True)
class Finding:
    level: Literal["error", "warning"]
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.level}: {self.where}: {self.what}"


@dataclass(frozen=True)
class Fault:
    """What is wrong in one topic. `file`: topic.yml, en.md, fr.md, or "" for both texts; `field`: one of topic.yml."""

    file: str
    field: str
    what: str
    """English with {names}, to be filled with `values`."""
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)


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
        for fault in topic_faults(knowledge, topic, procedures.keys(), today):
            where = "/".join(part for part in ("topics", slug, fault.file) if part)
            yield Finding("error", where, fault.what.format(**fault.values))


def topic_faults(knowledge: Knowledge, topic: Topic, procedures: Container[str], today: date) -> Iterator[Fault]:
    """What is wrong with one topic; the other topics, figures and facts are those of `knowledge`."""
    for code in CONTENT_CODES:
        if code not in topic.pages:
            yield Fault(f"{code}.md", "", mark("the text is missing"))
    for code, page in topic.pages.items():
        yield from _page(knowledge, page, f"{code}.md")
    file = topic.file
    if len({FAMILIES[variant] for variant in file.variants}) > 1:
        yield Fault(TOPIC_FILE, "variants", mark("variants of two kinds; the assistant asks one question only"))
    if len({_names(page) for page in topic.pages.values()}) > 1:
        yield Fault("", "", mark("the two languages name different figures or facts of the school"))
    if file.valid_until <= today:
        yield Fault(TOPIC_FILE, "valid_until", mark("valid_until {date} is past"), {"date": file.valid_until})
    for source in file.sources:
        if source.checked_on > today:
            future = {"date": source.checked_on}
            yield Fault(TOPIC_FILE, "sources", mark("checked_on {date} lies in the future"), future)
    for slug in file.next:
        if slug not in knowledge.topics or slug == topic.slug:
            yield Fault(TOPIC_FILE, "next", mark("next names {slug}, which is no other topic"), {"slug": slug})
    if file.procedure and file.procedure not in procedures:
        yield Fault(TOPIC_FILE, "procedure", mark("there is no procedure {slug}"), {"slug": file.procedure})


def _page(knowledge: Knowledge, page: Page, file: str) -> Iterator[Fault]:
    text = page.whole
    for sentence, variant, shown in _forms(page):
        if (words := word_count(shown)) > LONGEST_ANSWER:
            yield Fault(file, "", sentence, {"words": words, "most": LONGEST_ANSWER, "variant": variant})
    if (words := word_count(page.more)) > LONGEST_MORE:
        values = {"words": words, "most": LONGEST_MORE}
        yield Fault(file, "", mark("{words} words after more; at most {most}"), values)
    for name in sorted(set(figure_names(text)) - knowledge.figures.keys()):
        yield Fault(file, "", mark("the figure {name} is not in figures.yml"), {"name": name})
    for name in sorted(set(school_names(text)) - knowledge.school.facts.keys()):
        yield Fault(file, "", mark("the fact {name} is not in school.yml"), {"name": name})
    if "{" in PLACEHOLDER.sub("", text) or "TODO" in text:
        yield Fault(file, "", mark("a placeholder was left open"))
    for match in LINK.finditer(text):
        if not match["url"].startswith(("https://", "http://", "mailto:", "tel:")):
            yield Fault(file, "", mark("the link {url} leads nowhere"), {"url": match["url"]})


def _forms(page: Page) -> Iterator[tuple[str, str, str]]:
    """Every form in which the answer may be shown: (what to say when it is too long, its variant, the text)."""
    if not page.variants:
        yield mark("{words} words in all; an answer has at most {most}"), "", page.lead
        return
    short = " ".join((page.lead, *map(first_paragraph, page.variants.values())))
    yield mark("{words} words with all variants in short; an answer has at most {most}"), "", short
    for name, part in page.variants.items():
        yield mark("{words} words for {variant}; an answer has at most {most}"), name, f"{page.lead} {part}"


def _names(page: Page) -> frozenset[str]:
    return frozenset((*figure_names(page.whole), *(f"school.{name}" for name in school_names(page.whole))))


def blanks(knowledge: Knowledge) -> list[tuple[str, int]]:
    """What the office has not told us yet, with the number of topics that need it, the most needed first."""
    needed = Counter(
        name
        for topic in knowledge.topics.values()
        for name in {name for page in topic.pages.values() for name in school_names(page.whole)}
    )
    empty = [(name, needed[name]) for name, fact in knowledge.school.facts.items() if fact.value is None]
    return sorted(empty, key=lambda each: (-each[1], each[0]))


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
        if entry.topic not in knowledge.topics:
            yield Finding("error", f"urgent.yml: {kind}", f"there is no topic {entry.topic}")


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
    for code, slug in product(CONTENT_CODES, knowledge.topics):
        if not (held_out / code / f"{slug}.yml").exists():
            yield Finding("error", f"tests/nlu/{code}/{slug}.yml", "the held-out phrases are missing")
    for path in sorted(held_out.glob("*/**/*.yml")):
        code, *family = path.relative_to(held_out).parts[:-1]
        where = f"tests/nlu/{path.relative_to(held_out)}"
        if family:
            # tests/nlu/en/_path/left.yml → the label path/left in data/nlu/en/_path.yml
            label, training = f"{family[0].removeprefix('_')}/{path.stem}", phrases / code / f"{family[0]}.yml"
        elif path.stem in knowledge.topics:
            label, training = f"ask/{path.stem}", phrases / code / path.name
        else:
            if not path.stem.startswith("_"):
                yield Finding("error", where, "there is no such topic")
            continue
        questions = yaml.safe_load(path.read_text(encoding="utf-8"))
        if len(questions) < FEWEST_HELD_OUT:
            yield Finding("error", where, f"{len(questions)} of {FEWEST_HELD_OUT} phrases")
        known = [folded(p) for p in read_training_phrases(training).get(label, [])] if training.exists() else []
        if family and not known:
            yield Finding("error", where, f"no phrase of {training.name} has the label {label}")
        for phrase in questions:
            if (twin := near_repeat(folded(phrase), known)) is not None:
                yield Finding("error", where, f"{phrase!r} nearly repeats {twin!r}")


def folded(phrase: str) -> str:
    return " ".join(re.findall(r"\w+", phrase.casefold()))


def near_repeat(phrase: str, known: list[str]) -> str | None:
    """The known phrase that this one nearly repeats, if any."""
    for other in known:
        matcher = SequenceMatcher(None, phrase, other)
        if matcher.quick_ratio() >= NEAR_REPEAT and matcher.ratio() >= NEAR_REPEAT:
            return other
    return None
