"""`accueil bench nlu`: how well the model in use understands questions it has never seen, and public sets beside it."""

import csv
import hashlib
import json
import resource
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import sqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

import encoder
from bot.answers.decision import ANSWER_FROM, CLARIFY_FROM, Candidate, Decision, decide
from bot.answers.trained import current_model
from bot.assistant.training import HeldOut, Say, held_out_phrases
from bot.errors import ConfigurationError, InvalidField
from encoder.kernel import Floats, Kernel, fit
from encoder.model import Model, best, load, load_left_out

BEST = 5
"""Candidates that reach the decision in a turn."""
OUT_OF_SCOPE = "out_of_scope"
BASELINE = "tests/nlu/baseline.json"
TIMED = 200
"""Messages timed one by one, as a turn asks them."""
OOS_NAMES = ("oos", "out_of_scope", "ood")
WIDTH, RIDGE = 2.0, 0.1
"""For public sets: chosen on parts of their training sets, never on a test part."""


@dataclass(frozen=True)
class Decided:
    """One held-out question and what would be done about it. `label` is what is right."""

    text: str
    label: str
    language: str
    best: tuple[Candidate, ...]
    decision: Decision

    @property
    def outcome(self) -> str:
        """right, wrong, asked (the right topic is among the choices), astray (it is not), unknown."""
        match self.decision.action:
            case "abstain":
                return "unknown"
            case "clarify":
                return "asked" if self.label in {each.label for each in self.decision.topics} else "astray"
            case _:
                return "right" if self.decision.label == self.label else "wrong"

    @property
    def is_ours(self) -> bool:
        return self.label != OUT_OF_SCOPE


@dataclass(frozen=True)
class Share:
    """`hits` of `total`, with the 95 % interval of Wilson (1927)."""

    hits: int
    total: int

    @property
    def value(self) -> float:
        return self.hits / self.total if self.total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        if not self.total:
            return 0.0, 1.0
        z, n, p = 1.96, self.total, self.value
        middle, half = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:6.1%}  ({self.hits} of {self.total}; {low:.1%} to {high:.1%})"


def measure(root: Path, data: Path) -> list[Decided]:
    """Every held-out question through the model in use and the decision.

    Raises:
        ConfigurationError: no model is trained, or one of another make.
    """
    return _measured(_model_in_use(data)[1], root, data)


def _model_in_use(data: Path) -> tuple[Path, Model]:
    archive = current_model(data / "models")
    model = load(archive)
    if model is None:
        raise ConfigurationError("The model in use is of another make: run `accueil train --force`.")
    return archive, model


def _measured(model: Model, root: Path, data: Path) -> list[Decided]:
    phrases = held_out_phrases(root)
    # The vectors that the training kept of these phrases.
    found = best(model, [each.text for each in phrases], BEST, data / "models" / "vectors" / "held-out")
    return [decided(phrase, candidates) for phrase, candidates in zip(phrases, found, strict=True)]


def cross_validated(data: Path) -> list[Decided]:
    """Every training phrase, each by the model trained without it: what the thresholds are chosen on.

    Raises:
        ConfigurationError: no model is trained, or one of another make.
    """
    left_out = load_left_out(current_model(data / "models"))
    if left_out is None:
        raise ConfigurationError("The model in use is of another make: run `accueil train --force`.")
    return [decided(HeldOut(text="", label=label, language=""), found) for label, found in left_out]


def decided(phrase: HeldOut, found: Iterable[tuple[str, float]]) -> Decided:
    candidates = tuple(Candidate(*each) for each in found)
    return Decided(phrase.text, phrase.label, phrase.language, candidates, decide(candidates))


def recognised(results: Iterable[Decided]) -> Share:
    """The right label comes first, sure or not."""
    marks = [each.best[0].label == each.label for each in results]
    return Share(sum(marks), len(marks))


def outcomes(results: Sequence[Decided], *names: str) -> Share:
    counted = Counter(each.outcome for each in results)
    return Share(sum(counted[name] for name in names), len(results))


def false_answers(outside: Sequence[Decided]) -> Share:
    """What is not ours and is answered all the same. Small talk is no harm: an insult may be met as a complaint."""
    return Share(sum(each.decision.action in ("answer", "handoff") for each in outside), len(outside))


def asked_back(results: Sequence[Decided]) -> Share:
    return Share(sum(each.decision.action == "clarify" for each in results), len(results))


def by_language(results: Iterable[Decided]) -> dict[str, list[Decided]]:
    ordered = sorted(results, key=lambda each: each.language)
    return {language: list(group) for language, group in groupby(ordered, key=lambda each: each.language)}


def fingerprint(results: Iterable[Decided]) -> str:
    """The same for the same set of questions and labels."""
    lines = sorted(f"{each.language}\t{each.label}\t{each.text}" for each in results)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


class Baseline(BaseModel):
    """The last accepted measurement: `recognised` and `answered` (rightly), shares by language."""

    fingerprint: str
    recognised: dict[str, float]
    answered: dict[str, float]


def baseline_of(results: Sequence[Decided]) -> Baseline:
    parts = by_language(each for each in results if each.is_ours)
    return Baseline(
        fingerprint=fingerprint(results),
        recognised={language: round(recognised(part).value, 4) for language, part in parts.items()},
        answered={language: round(outcomes(part, "right").value, 4) for language, part in parts.items()},
    )


def read_baseline(root: Path) -> Baseline:
    return Baseline.model_validate_json((root / BASELINE).read_bytes())


def write_baseline(root: Path, results: Sequence[Decided]) -> None:
    (root / BASELINE).write_text(baseline_of(results).model_dump_json(indent=2) + "\n", encoding="utf-8")


def figures(results: Sequence[Decided]) -> Iterator[tuple[str, str]]:
    """The lines of the table, by language and together."""
    ours, outside = [each for each in results if each.is_ours], [each for each in results if not each.is_ours]
    for language, part in (*by_language(ours).items(), ("all", ours)):
        yield f"{language}: right label first", str(recognised(part))
        yield f"{language}: answered rightly", str(outcomes(part, "right"))
        yield f"{language}: answered wrongly", str(outcomes(part, "wrong"))
        yield f"{language}: asked back", f"{asked_back(part)}; the right topic among the choices {_of_asked(part):.0%}"
        yield f"{language}: not known", str(outcomes(part, "unknown"))
    for language, part in (*by_language(outside).items(), ("all", outside)):
        yield f"out of scope, {language}: answered all the same", str(false_answers(part))
        yield f"out of scope, {language}: asked back", str(asked_back(part))


def _of_asked(results: Sequence[Decided]) -> float:
    asked = asked_back(results).hits
    return outcomes(results, "asked").hits / asked if asked else 0.0


def bench_own(root: Path, data: Path) -> tuple[list[Decided], list[tuple[str, str]]]:
    """What was measured on our own questions, and its table with time and memory. Raises as `measure`."""
    began = time.perf_counter()
    archive, model = _model_in_use(data)
    results = _measured(model, root, data)
    return results, [
        ("model", archive.name),
        ("labels", str(len(model.kernel.labels))),
        ("training phrases recognised when left out", f"{model.kernel.left_out:.1%}"),
        ("thresholds", f"answer from {ANSWER_FROM}, ask back from {CLARIFY_FROM}"),
        *figures(results),
        ("milliseconds a message (median)", f"{milliseconds(model.kernel, [each.text for each in results]):.1f}"),
        ("resident memory", f"{resident_megabytes():.0f} MB"),
        ("measured in", f"{time.perf_counter() - began:.0f} s"),
    ]


def milliseconds(kernel: Kernel, texts: Sequence[str]) -> float:
    """Encoding and classifying one message, the median."""
    spent = []
    for text in texts[:: max(1, len(texts) // TIMED)][:TIMED]:
        began = time.perf_counter()
        kernel.best(encoder.encode([text]), BEST)
        spent.append(time.perf_counter() - began)
    return float(np.median(spent)) * 1000


def resident_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# Public sets


@dataclass(frozen=True)
class Dataset:
    """Texts with labels; out-of-scope texts, if any, carry the label OUT_OF_SCOPE."""

    train: tuple[tuple[str, str], ...]
    test: tuple[tuple[str, str], ...]


def read_dataset(folder: Path) -> Dataset:
    """`train.csv` and `test.csv` (columns text, category or label), or CLINC150's data_full.json.

    Raises:
        InvalidField: there is neither, or a file has other columns.
    """
    if (clinc := folder / "data_full.json").exists():
        parts: Mapping[str, list[list[str]]] = json.loads(clinc.read_text(encoding="utf-8"))
        return Dataset(
            tuple(_pairs([*parts["train"], *parts.get("oos_train", [])])),
            tuple(_pairs([*parts["test"], *parts.get("oos_test", [])])),
        )
    if not (folder / "train.csv").exists() or not (folder / "test.csv").exists():
        raise InvalidField(f"{folder} has neither data_full.json nor train.csv and test.csv.", field="dataset")
    return Dataset(tuple(_csv(folder / "train.csv")), tuple(_csv(folder / "test.csv")))


def _pairs(rows: Iterable[Sequence[str]]) -> Iterator[tuple[str, str]]:
    for text, label in rows:
        yield text, OUT_OF_SCOPE if label in OOS_NAMES else label


def _csv(path: Path) -> Iterator[tuple[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        names = reader.fieldnames or []
        column = next((name for name in ("category", "label", "intent") if name in names), None)
        if "text" not in names or column is None:
            raise InvalidField(f"{path.name}: the first line must name the columns text and category.", field="dataset")
        yield from _pairs((row["text"], row[column]) for row in reader)


def bench_dataset(folder: Path, shots: int | None, seeds: int, note: Say) -> list[tuple[str, str]]:
    """Train on `shots` examples a class (None: all) as often as `seeds` says, and measure on the test part.

    Label names are training texts as well, as our topics' titles are. Raises InvalidField.
    """
    dataset = read_dataset(folder)
    note(f"Encoding {len(dataset.train) + len(dataset.test)} texts …")
    train, test = encode([text for text, _ in dataset.train], note), encode([text for text, _ in dataset.test], note)
    truth = np.array([label for _, label in dataset.test])
    labels = np.array([label for _, label in dataset.train])
    accuracies, recalls = [], []
    kernel: Kernel | None = None
    for seed in range(seeds if shots else 1):
        note(f"Training {seed + 1} …")
        chosen = draw(labels, shots, seed)
        kernel = train_on(train[chosen], labels[chosen].tolist())
        found = np.array([each[0][0] for each in kernel.best(test, 1)])
        ours = truth != OUT_OF_SCOPE
        accuracies.append(float(np.mean(found[ours] == truth[ours])))
        recalls.append(float(np.mean(found[~ours] == OUT_OF_SCOPE)) if not ours.all() else float("nan"))
    assert kernel is not None  # noqa: S101  (seeds is at least 1)
    return [
        ("classes", str(len(kernel.labels))),
        ("training texts", f"{len(draw(labels, shots, 0))}" + (f" ({shots} a class)" if shots else " (all)")),
        ("accuracy in scope", _mean(accuracies)),
        ("out-of-scope recall", "-" if np.isnan(recalls[0]) else _mean(recalls)),
        ("milliseconds a message (median)", f"{milliseconds(kernel, [text for text, _ in dataset.test]):.1f}"),
        ("peak resident memory, training included", f"{resident_megabytes():.0f} MB"),
    ]


def _mean(values: Sequence[float]) -> str:
    spread = f" ± {float(np.std(values, ddof=1)):.1%} ({len(values)} seeds)" if len(values) > 1 else ""
    return f"{float(np.mean(values)):.1%}{spread}"


def draw(labels: NDArray[np.str_], shots: int | None, seed: int) -> list[int]:
    """Places of `shots` examples of each class; of all examples for None."""
    if shots is None:
        return list(range(len(labels)))
    random = np.random.default_rng(seed)
    places: list[int] = []
    for label in np.unique(labels):
        of_class = np.flatnonzero(labels == label)
        places += random.choice(of_class, min(shots, len(of_class)), replace=False).tolist()
    return places


def train_on(vectors: Floats, labels: Sequence[str]) -> Kernel:
    names = sorted(set(labels) - {OUT_OF_SCOPE})
    titles = encoder.encode([name.replace("_", " ") for name in names])
    return fit(
        np.vstack([vectors, titles]),
        [*labels, *names],
        np.ones(len(labels) + len(names), dtype=np.float32),
        phrases=len(labels),
        width=WIDTH,
        ridge=RIDGE,
    ).kernel


def encode(texts: Sequence[str], note: Say, step: int = 1024) -> Floats:
    parts = []
    for start in range(0, len(texts), step):
        parts.append(encoder.encode(texts[start : start + step]))
        note(f"  {min(start + step, len(texts))} of {len(texts)}")
    return np.vstack(parts)
