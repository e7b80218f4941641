"""Phrases to learn and questions to test with: checked, then put into the files of the checkout in their own shape."""

import difflib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from bot.content.check import folded, near_repeat
from bot.content.phrases import read_training_phrases
from bot.errors import InvalidField
from bot.i18n.languages import CODES
from bot.i18n.translate import mark
from bot.upkeep.masking import LONGEST

TRAINING = Path("data") / "nlu"
REGRESSIONS = Path("tests") / "nlu" / "regressions.yml"
HELD_OUT = Path("tests") / "nlu"
MOST_PHRASES = 60
_MARKUP = re.compile(r"[\[\]{}|<>`]")
_EMPTY_FILE = 'version: "3.1"\nnlu:\n'


@dataclass(frozen=True)
class Phrase:
    """`use`: "learn" is trained on, "test" is only asked afterwards. Never the same one for both."""

    language: str
    text: str
    use: Literal["learn", "test"]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


FAULTS = {
    "none_to_learn": mark("Keep at least one phrase to learn, or write one more way to ask it."),
    "none_to_test": mark("Keep at least one question to test with; it is not learned."),
    "too_many": mark("At most 60 phrases at a time."),
    "language": mark("This language has no phrases."),
    "length": mark("A phrase has between 3 and 300 letters."),
    "markup": mark("Leave out brackets and other marks: [ ] { } < > | `"),
    "other_topic": mark("This phrase already belongs to another topic."),
    "held_out": mark("This phrase is too close to a question of the tests."),
    "test_repeats": mark("A question to test with must not be learned as well; change or leave out one of the two."),
    "unknown_topic": mark("Choose a topic of the list."),
}


def checked(root: Path, label: str, phrases: Sequence[Phrase]) -> list[Phrase]:
    """The phrases as they will be written: in one line each, those that are known left out.

    Raises:
        InvalidField: `field` is the number of the phrase, counted from 0, or "phrases"; the message is a key of FAULTS.
    """
    found = [Phrase(each.language, " ".join(each.text.split()), each.use) for each in phrases]
    for place, each in enumerate(found):
        if (fault := _fault(each)) is not None:
            raise InvalidField(fault, field=str(place))
    training, held_out = _training(root), _held_out(root)
    tests = [folded(each.text) for each in found if each.use == "test"]
    kept: list[Phrase] = []
    for place, each in enumerate(found):
        key = folded(each.text)
        owner = training.get(key)
        if each.use == "learn":
            if owner not in (None, label):
                raise InvalidField("other_topic", field=str(place))
            if near_repeat(key, held_out) is not None:
                raise InvalidField("held_out", field=str(place))
            if near_repeat(key, tests) is not None:
                raise InvalidField("test_repeats", field=str(place))
        elif owner is not None:
            raise InvalidField("test_repeats", field=str(place))
        if owner is None and all(folded(other.text) != key for other in kept):
            kept.append(each)
    for use in ("learn", "test"):
        if all(each.use != use for each in kept):
            raise InvalidField(f"none_to_{use}", field="phrases")
    if len(kept) > MOST_PHRASES:
        raise InvalidField("too_many", field="phrases")
    return kept


def _fault(phrase: Phrase) -> str | None:
    if phrase.language not in CODES:
        return "language"
    if not 3 <= len(phrase.text) <= LONGEST or not any(sign.isalpha() for sign in phrase.text):
        return "length"
    # Rasa reads [word](entity) in a phrase, and a slash at its start as a command.
    return "markup" if _MARKUP.search(phrase.text) or phrase.text.startswith(("/", "-")) else None


def _training(root: Path) -> dict[str, str]:
    """Folded phrase → its label, over all languages."""
    return {
        folded(phrase): label
        for file in sorted((root / TRAINING).glob("*/*.yml"))
        for label, phrases in read_training_phrases(file).items()
        for phrase in phrases
    }


def _held_out(root: Path) -> list[str]:
    files = sorted((root / HELD_OUT).glob("*/**/*.yml"))
    known = [text for file in files for text in yaml.safe_load(file.read_text(encoding="utf-8")) or ()]
    return [folded(text) for text in (*known, *(each["text"] for each in regressions(root)))]


def regressions(root: Path) -> list[dict[str, str]]:
    """[{"language", "label", "text"}]: questions of students that must be understood from now on."""
    file = root / REGRESSIONS
    return (yaml.safe_load(file.read_text(encoding="utf-8")) or []) if file.exists() else []


def changed_files(root: Path, label: str, phrases: Iterable[Phrase]) -> dict[Path, str]:
    """Relative path → new text of every file that these phrases change; nothing is written."""
    by_file: dict[Path, list[str]] = {}
    tests: list[Phrase] = []
    for each in phrases:
        if each.use == "test":
            tests.append(each)
        else:
            by_file.setdefault(_file(root, label, each.language), []).append(each.text)
    changed = {file: with_phrases(_read(root / file) or _EMPTY_FILE, label, new) for file, new in by_file.items()}
    if tests:
        changed[REGRESSIONS] = _read(root / REGRESSIONS) + "".join(map(_regression_line(label), tests))
    return changed


def _file(root: Path, label: str, language: str) -> Path:
    own = TRAINING / language / f"{label.partition('/')[2]}.yml"
    shared = TRAINING / language / "_topics.yml"
    return own if (root / own).exists() or not (root / shared).exists() else shared


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""


def _regression_line(label: str) -> Any:
    def line(phrase: Phrase) -> str:
        return f"- {{language: {phrase.language}, label: {label}, text: {_quoted(phrase.text)}}}\n"

    return line


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def with_phrases(content: str, label: str, new: Sequence[str]) -> str:
    """The text of a file of phrases with these at the end of the label's list; all else stays letter by letter."""
    lines = content.splitlines()
    added = [f"    - {phrase}" for phrase in new]
    if (span := _span(lines, label)) is None:
        return "\n".join([*lines, f"- intent: {label}", "  examples: |", *added, ""])
    return "\n".join([*lines[: span[1]], *added, *lines[span[1] :], ""])


def without_phrases(content: str, label: str, gone: Iterable[str]) -> str:
    """The text of a file of phrases without these; a phrase that somebody changed meanwhile stays."""
    lines = content.splitlines()
    if (span := _span(lines, label)) is None:
        return content
    left_out = {f"- {phrase}" for phrase in gone}
    kept = [line for line in lines[span[0] : span[1]] if line.strip() not in left_out]
    return "\n".join([*lines[: span[0]], *kept, *lines[span[1] :], ""])


def _span(lines: Sequence[str], label: str) -> tuple[int, int] | None:
    """The first phrase of a label and the line after its last one."""
    try:
        start = lines.index(f"- intent: {label}") + 2
    except ValueError:
        return None
    end = start
    while end < len(lines) and lines[end].strip().startswith("- ") and lines[end].startswith("    "):
        end += 1
    return start, end


def files_without(root: Path, label: str, phrases: Sequence[Phrase]) -> dict[Path, str]:
    """As `changed_files`, the other way round."""
    changed: dict[Path, str] = {}
    for language in sorted({each.language for each in phrases if each.use == "learn"}):
        file = _file(root, label, language)
        gone = [each.text for each in phrases if each.language == language and each.use == "learn"]
        if text := _read(root / file):
            changed[file] = without_phrases(text, label, gone)
    if text := _read(root / REGRESSIONS):
        gone_lines = {_regression_line(label)(each) for each in phrases if each.use == "test"}
        changed[REGRESSIONS] = "".join(line for line in text.splitlines(keepends=True) if line not in gone_lines)
    return changed


def is_writable(root: Path, files: Iterable[Path]) -> bool:
    """Whether every file can be replaced: its folder takes new files."""
    return all(os.access((root / file).parent, os.W_OK) for file in files)


def write(root: Path, changed: Mapping[Path, str]) -> None:
    """Replace each file as a whole."""
    for file, text in changed.items():
        target = root / file
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f"{target.name}.partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(target)


def patch(root: Path, changed: Mapping[Path, str]) -> str:
    """The changes as a unified diff for `git apply`."""
    return "".join(_diff(file, _read(root / file), text) for file, text in changed.items())


def _diff(file: Path, before: str, after: str) -> str:
    source = f"a/{file}" if before else "/dev/null"
    lines = difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), source, f"b/{file}")
    return "".join(lines)
