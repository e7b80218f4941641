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
from pathlib import Path
from typing import Any

import numpy as np

from nlu.components.kernel import Kernel
from nlu.components.vectors import kept_vectors

NAMES = ("kernel.json", "kernel.npz")


def load(archive: Path) -> Kernel | None:
    """The classifier inside a model that `rasa train` wrote."""
    with tempfile.TemporaryDirectory() as name, tarfile.open(archive) as tar:
        folder = Path(name)
        for member in tar.getmembers():
            if (content := tar.extractfile(member)) is not None and Path(member.name).name in NAMES:
                (folder / Path(member.name).name).write_bytes(content.read())
        return Kernel.load(folder) if all((folder / each).exists() for each in NAMES) else None


def score(model: Kernel, phrases: list[dict[str, str]], vectors: np.ndarray) -> dict[str, Any]:
    right: dict[str, list[bool]] = defaultdict(list)
    wrong = []
    for phrase, [(label, confidence)] in zip(phrases, model.best(vectors, 1), strict=True):
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
    vectors = kept_vectors([phrase["text"] for phrase in phrases], Path(keep) / "held-out" if keep else None)
    models = [load(Path(each)) for each in sys.argv[1:]]
    json.dump([score(model, phrases, vectors) if model else None for model in models], sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main()
