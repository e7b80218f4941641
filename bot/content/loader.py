"""Read knowledge/ into memory. Every error names the file, the field and what to write instead."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from bot.content.schema import Figure, Page, School, Topic, TopicFile, UrgentKind
from bot.errors import ContentError
from bot.i18n.languages import CONTENT_CODES

M = TypeVar("M", bound=BaseModel)

TOPIC_FILE = "topic.yml"
Texts = Mapping[str, str]
"""The files of one topic's folder as they are written: topic.yml, en.md, fr.md."""
SLUG = re.compile(r"[a-z][a-z0-9_]{1,59}")
MORE = "<!-- more -->"
HEADING = re.compile(r"^##[ ]+(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Knowledge:
    """Everything in knowledge/ but the procedures, which bot.paperwork reads."""

    folder: Path
    topics: dict[str, Topic]
    figures: dict[str, Figure]
    school: School
    urgent: dict[str, UrgentKind]

    def topic(self, slug: str) -> Topic:
        return self.topics[slug]

    def stale_figures(self, today: date) -> list[str]:
        return [slug for slug, figure in self.figures.items() if figure.review_by <= today]


class _EachKeyOnce(yaml.CSafeLoader):
    """YAML lets the second of two equal keys win in silence; whoever wrote the first would never know."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        twice = next((key for place, key in enumerate(keys) if key in keys[:place]), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(None, None, f"the key {twice} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """Raises ContentError when the file is missing, not YAML, or says a key twice."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ContentError(f"{path}: the file is missing.") from error
    return parse_yaml(text, str(path))


def parse_yaml(text: str, where: str) -> Any:
    """Raises ContentError when the text is not YAML, or says a key twice."""
    try:
        return yaml.load(text, Loader=_EachKeyOnce)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise ContentError(f"{where}: not valid YAML ({error}).") from error


def parse(model: type[M], value: Any, where: str) -> M:
    """Raises ContentError naming file and field."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        lines = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ContentError(f"{where}: {lines}.") from error


def topic_texts(folder: Path) -> Texts:
    """Raises ContentError when topic.yml is missing."""
    if not (folder / TOPIC_FILE).exists():
        raise ContentError(f"{folder / TOPIC_FILE}: the file is missing.")
    names = (TOPIC_FILE, *(f"{code}.md" for code in CONTENT_CODES))
    return {name: (folder / name).read_text(encoding="utf-8") for name in names if (folder / name).exists()}


def load_topic(folder: Path) -> Topic:
    return topic_from(folder, topic_texts(folder))


def topic_from(folder: Path, texts: Texts) -> Topic:
    """The topic that these texts make; the folder gives its slug and stands in errors. Raises ContentError."""
    where = str(folder / TOPIC_FILE)
    file = parse(TopicFile, parse_yaml(texts[TOPIC_FILE], where), where)
    if SLUG.fullmatch(folder.name) is None:
        raise ContentError(f"{folder}: a slug has small letters, digits and underscores and starts with a letter.")
    pages = {
        code: parse_page(texts[name], file.variants, str(folder / name))
        for code in CONTENT_CODES
        if (name := f"{code}.md") in texts
    }
    return Topic(folder.name, file, pages)


def parse_page(text: str, variants: Sequence[str], where: str) -> Page:
    """The parts of a Markdown text: `## <variant>` begins a variant's part, `<!-- more -->` the details.

    Raises:
        ContentError: the headings are not the variants of topic.yml.
    """
    shown, _, more = text.partition(MORE)
    lead, *rest = HEADING.split(shown)
    parts = {name.strip(): body.strip() for name, body in zip(rest[::2], rest[1::2], strict=True)}
    if list(parts) != list(variants) or len(rest) != 2 * len(parts) or not all(parts.values()):
        raise ContentError(
            f"{where}: its ## headings must be the `variants` of topic.yml, in that order, each with text."
        )
    if not lead.strip():
        raise ContentError(f"{where}: begin with a sentence for everybody.")
    return Page(lead.strip(), parts, more.strip())


def load_knowledge(folder: Path) -> Knowledge:
    """Raises ContentError for the first file that is wrong."""
    topics = {path.parent.name: load_topic(path.parent) for path in sorted((folder / "topics").glob("*/topic.yml"))}
    figures = {
        slug: parse(Figure, value, f"{folder / 'figures.yml'}: {slug}")
        for slug, value in read_yaml(folder / "figures.yml").items()
    }
    urgent = {
        kind: parse(UrgentKind, value, f"{folder / 'urgent.yml'}: {kind}")
        for kind, value in read_yaml(folder / "urgent.yml").items()
    }
    school = parse(School, read_yaml(folder / "school.yml"), str(folder / "school.yml"))
    return Knowledge(folder, topics, figures, school, urgent)
