"""How many held-out phrases each model recognises: JSON in on stdin, JSON out on stdout, no Rasa started.

    python -m nlu.score NEW.tar.gz [OLD.tar.gz] < [{"text": "…", "label": "ask/visale", "language": "en"}, …]

Prints, in the order of the models, [{"accuracy": 0.93, "languages": {"en": 0.94, …}, "wrong": [{"text": "…",
"label": "…", "found": "…", "confidence": 0.4}, …]}, …]. A model of another make, which cannot be read, scores null.
"""

import json
import os
import sys
import tarfile
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlu.components.kernel import Kernel
from nlu.components.spelling import FILE, Speller
from nlu.components.vectors import kept_vectors

NEEDED = ("kernel.json", "kernel.npz")


@dataclass(frozen=True)
class Model:
    """What a turn uses of a model, without Rasa."""

    kernel: Kernel
    speller: Speller


def load(archive: Path) -> Model | None:
    """The classifier inside a model that `rasa train` wrote; None for a model of another make."""
    with tempfile.TemporaryDirectory() as name, tarfile.open(archive) as tar:
        folder = Path(name)
        for member in tar.getmembers():
            if (content := tar.extractfile(member)) is not None and Path(member.name).name in (*NEEDED, FILE):
                (folder / Path(member.name).name).write_bytes(content.read())
        return Model(Kernel.load(folder), Speller.load(folder)) if all((folder / n).exists() for n in NEEDED) else None


def best(model: Model, texts: list[str], count: int, keep: Path | None = None) -> list[list[tuple[str, float]]]:
    """For each text the `count` most likely labels, as in a turn; `keep` is a folder for the vectors."""
    return model.kernel.best(kept_vectors([model.speller.repair(text) for text in texts], keep), count)


def score(model: Model, phrases: list[dict[str, str]], keep: Path | None) -> dict[str, Any]:
    right: dict[str, list[bool]] = defaultdict(list)
    wrong = []
    for phrase, [(label, confidence)] in zip(
        phrases, best(model, [each["text"] for each in phrases], 1, keep), strict=True
    ):
        right[phrase["language"]].append(label == phrase["label"])
        if label != phrase["label"]:
            wrong.append({**phrase, "found": label, "confidence": confidence})
    return {
        "accuracy": 1 - len(wrong) / len(phrases),
        "languages": {language: sum(each) / len(each) for language, each in sorted(right.items())},
        "wrong": wrong,
    }


def main() -> None:
    phrases = json.load(sys.stdin)
    keep = os.environ.get("ACCUEIL_VECTORS")
    folder = Path(keep) / "held-out" if keep else None
    # The first model is the new one: scored last, so that what is kept is of its texts.
    models = [load(Path(each)) for each in reversed(sys.argv[1:])]
    scores = [score(model, phrases, folder) if model else None for model in models]
    json.dump(scores[::-1], sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main()
