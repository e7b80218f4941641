"""A topic's files as the fields of a form and back, what is wrong with them, what differs between two. Pure."""

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import SequenceMatcher
from hashlib import sha256
from typing import Any, Literal

import yaml
from pydantic import ValidationError

from bot.content.check import Fault, topic_faults
from bot.content.loader import HEADING, MORE, TOPIC_FILE, Knowledge, Texts, parse_page, parse_yaml, topic_from
from bot.content.schema import Topic, TopicFile
from bot.errors import ContentError
from bot.i18n.languages import CONTENT_CODES
from bot.i18n.translate import mark

DAY = re.compile(r"\d{4}-\d\d-\d\d")
BLOCK = re.compile(r"^(?=[a-z_]+:)", re.MULTILINE)
BLANKS = re.compile(r"[ \t\r\n]+")
WORDS = re.compile(r"\s+|[^\s]+")
LONGEST_TEXT = 16_000
"""Of an answer in one language."""
AROUND = 100
"""Signs shown before and after a change."""
MENDS: Mapping[str, str] = {
    "title": mark("Write a title of 2 to 60 characters."),
    "question": mark("Write the question as a student would say it, in 2 to 60 characters."),
    "owner": mark("Say who answers for it."),
    "valid_until": mark("Write the day as 2027-01-31."),
    "sources": mark(
        "A source has a title of 3 to 200 characters, an address that begins with https://, and the day it was read, "
        "as 2027-01-31. At least one is needed."
    ),
    "next": mark("Name up to three topics by their short names, separated by commas."),
}
"""What to do about a field of the form; the other fields of topic.yml are not in it."""


@dataclass(frozen=True)
class SourceLine:
    """One source as it is typed."""

    title: str
    url: str
    checked_on: str


@dataclass(frozen=True)
class Fields:
    """What the form of a topic holds, as it is typed. `texts` by language: Markdown with its ## and more parts."""

    title: Mapping[str, str]
    question: Mapping[str, str]
    owner: str
    valid_until: str
    sources: tuple[SourceLine, ...]
    next: str
    texts: Mapping[str, str]


def texts_hash(texts: Texts) -> str:
    joined = "\0".join(f"{name}\0{texts[name]}" for name in sorted(texts))
    return sha256(joined.encode()).hexdigest()


def fields_of(texts: Texts) -> Fields:
    """Raises ContentError when topic.yml is no YAML."""
    file = parse_yaml(texts[TOPIC_FILE], TOPIC_FILE)
    return Fields(
        title={code: str(file["title"][code]) for code in CONTENT_CODES},
        question={code: str(file["question"][code]) for code in CONTENT_CODES},
        owner=str(file["owner"]),
        valid_until=str(file["valid_until"]),
        sources=tuple(SourceLine(str(s["title"]), str(s["url"]), str(s["checked_on"])) for s in file["sources"]),
        next=", ".join(file.get("next", ())),
        texts={code: texts.get(f"{code}.md", "") for code in CONTENT_CODES},
    )


def with_fields(texts: Texts, fields: Fields) -> dict[str, str]:
    """The files with what differs in the form; what the form does not touch keeps its every sign."""
    before = fields_of(texts)
    file = texts[TOPIC_FILE]
    for name in ("title", "question"):
        given = {code: _line(getattr(fields, name)[code]) for code in CONTENT_CODES}
        if given != getattr(before, name):
            file = _with_block(file, name, "".join(f"\n  {code}: {_scalar(text)}" for code, text in given.items()))
    for name in ("owner", "valid_until"):
        if (text := _line(getattr(fields, name))) != getattr(before, name):
            file = _with_block(file, name, f" {text if _is_day(text) else _scalar(text)}")
    if (sources := tuple(map(_tidy, fields.sources))) != before.sources:
        file = _with_block(file, "sources", "".join(map(_source, sources)) or " []")
    if (slugs := _slugs(fields.next)) != _slugs(before.next):
        file = _with_block(file, "next", f" [{', '.join(map(_scalar, slugs))}]" if slugs else None)
    pages = {f"{code}.md": _page(fields.texts[code]) for code in CONTENT_CODES}
    # An untouched text keeps its line ends; a form sends others.
    kept = {name: texts[name] for name, text in pages.items() if name in texts and _page(texts[name]) == text}
    return {TOPIC_FILE: file, **pages, **kept}


def checked_again(texts: Texts, on: date, valid_until: str) -> dict[str, str]:
    """The same words, with every source read on this day."""
    fields = fields_of(texts)
    sources = tuple(replace(each, checked_on=on.isoformat()) for each in fields.sources)
    return with_fields(texts, replace(fields, sources=sources, valid_until=valid_until))


def _line(text: str) -> str:
    # A no-break space before a French question mark stays.
    return BLANKS.sub(" ", text).strip(" ")


def _tidy(source: SourceLine) -> SourceLine:
    return SourceLine(_line(source.title), _line(source.url), _line(source.checked_on))


def lines_of(text: str) -> str:
    """The text with the line ends of our files: a form sends others."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _page(text: str) -> str:
    lines = lines_of(text).split("\n")
    return "\n".join(line.rstrip(" \t") for line in lines).strip("\n") + "\n"


def _slugs(text: str) -> list[str]:
    return [slug for each in text.split(",") if (slug := each.strip())]


def _is_day(text: str) -> bool:
    try:
        return DAY.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _scalar(text: str) -> str:
    written: str = yaml.safe_dump(text, allow_unicode=True, width=float("inf"))
    return written.removesuffix("...\n").strip()


def _source(source: SourceLine) -> str:
    day = source.checked_on if _is_day(source.checked_on) else _scalar(source.checked_on)
    return f"\n  - title: {_scalar(source.title)}\n    url: {_scalar(source.url)}\n    checked_on: {day}"


def _with_block(file: str, key: str, value: str | None) -> str:
    """The YAML file with another value of one key at its place, or at the end; without the key for None."""
    blocks = [block for block in BLOCK.split(file) if block]
    place = next((number for number, block in enumerate(blocks) if block.startswith(f"{key}:")), None)
    written = [] if value is None else [f"{key}:{value}\n"]
    if place is None:
        return "".join((*blocks, *written))
    return "".join((*blocks[:place], *written, *blocks[place + 1 :]))


def faults_of(
    knowledge: Knowledge, slug: str, texts: Texts, procedures: Container[str], today: date
) -> tuple[Fault, ...]:
    """Everything that keeps these texts from being published: the rules of `accueil check-content`."""
    try:
        file = TopicFile.model_validate(parse_yaml(texts[TOPIC_FILE], TOPIC_FILE))
    except ContentError:
        return (Fault(TOPIC_FILE, "", mark("topic.yml is not valid YAML.")),)
    except ValidationError as error:
        return tuple(_invalid(error))
    faults = [fault for code in CONTENT_CODES for fault in _shape(f"{code}.md", texts.get(f"{code}.md", ""), file)]
    return tuple(faults or topic_faults(knowledge, topic_of(knowledge, slug, texts), procedures, today))


def topic_of(knowledge: Knowledge, slug: str, texts: Texts) -> Topic:
    """Raises ContentError."""
    return topic_from(knowledge.folder / "topics" / slug, texts)


def _invalid(error: ValidationError) -> Iterator[Fault]:
    for field in dict.fromkeys(str(each["loc"][0]) for each in error.errors()):
        mend = MENDS.get(field, mark("This field of topic.yml is not as knowledge/README.md says."))
        yield Fault(TOPIC_FILE, field, mend)


def _shape(name: str, text: str, file: TopicFile) -> Iterator[Fault]:
    try:
        parse_page(text, file.variants, name)
    except ContentError:
        if not HEADING.split(text.partition(MORE)[0])[0].strip():
            yield Fault(name, "", mark("Begin with a sentence for everybody."))
        elif file.variants:
            wanted = ", ".join(f"## {variant}" for variant in file.variants)
            what = mark("The parts must be, in this order and each with text: {headings}")
            yield Fault(name, "", what, {"headings": wanted})
        else:
            yield Fault(name, "", mark("This answer has no parts: take the lines that begin with ## out."))


@dataclass(frozen=True)
class Piece:
    """A stretch of a text: the same in both, only in the older, only in the newer."""

    kind: Literal["same", "old", "new"]
    text: str


def difference(old: str, new: str) -> tuple[Piece, ...]:
    """Word by word."""
    before, after = WORDS.findall(old), WORDS.findall(new)
    pieces: list[Piece] = []
    for kind, i, j, k, n in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(Piece("same", "".join(before[i:j])))
            continue
        if i < j:
            pieces.append(Piece("old", "".join(before[i:j])))
        if k < n:
            pieces.append(Piece("new", "".join(after[k:n])))
    return tuple(pieces)


def excerpt(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Of long stretches that are the same only what stands next to a change."""
    return tuple(
        Piece("same", _ends(piece.text, is_first=place == 0, is_last=place == len(pieces) - 1))
        if piece.kind == "same"
        else piece
        for place, piece in enumerate(pieces)
    )


def _ends(text: str, *, is_first: bool, is_last: bool) -> str:
    before, after = 0 if is_first else AROUND, 0 if is_last else AROUND
    if len(text) <= before + after + AROUND:
        return text
    head, tail = text[:before], text[len(text) - after :]
    # Whole words, where there are any.
    return f"{head.rpartition(' ')[0] or head} … {tail.partition(' ')[2] or tail}"


def differences(old: Texts, new: Texts) -> dict[str, tuple[Piece, ...]]:
    """File → its pieces, for the files that differ."""
    names = sorted({*old, *new}, key=lambda name: (name == TOPIC_FILE, name))
    return {name: difference(old.get(name, ""), new.get(name, "")) for name in names if old.get(name) != new.get(name)}


def files_are_newer(*, was_exported: bool, files_hash: str, files_hash_now: str) -> bool:
    """An edition that went into the files gives way to them once they change: they hold it, or something later."""
    return was_exported and files_hash != files_hash_now


def due_first(rows: Sequence[Any]) -> list[Any]:
    """Rows with `asked` and `days_left`: the most asked first, among equals the one that has least time."""
    return sorted(rows, key=lambda row: (-row.asked, row.days_left))
