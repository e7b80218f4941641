"""How many phrases a model archive recognises: JSON in on stdin, JSON out on stdout, no Rasa started.

    python -m nlu.score MODEL.tar.gz < [{"text": "…", "label": "ask/visale", "language": "en"}, …]

Prints {"accuracy": 0.93, "languages": {"en": 0.94, …}, "wrong": [{"text", "label", "found", "confidence"}, …]}.
"""

import json
import sys
import tarfile
import tempfile
from collections import defaultdict
from pathlib import Path

import encoder

from nlu.components.kernel import Kernel

NAMES = ("kernel.json", "kernel.npz")


def load(archive: Path) -> Kernel:
    """The classifier inside a model that `rasa train` wrote."""
    with tempfile.TemporaryDirectory() as name, tarfile.open(archive) as tar:
        folder = Path(name)
        for member in tar.getmembers():
            if (content := tar.extractfile(member)) is not None and Path(member.name).name in NAMES:
                (folder / Path(member.name).name).write_bytes(content.read())
        return Kernel.load(folder)


def score(model: Kernel, phrases: list[dict[str, str]]) -> dict[str, object]:
    found = model.best(encoder.encode([phrase["text"] for phrase in phrases]), 1)
    right: dict[str, list[bool]] = defaultdict(list)
    wrong = []
    for phrase, [(label, confidence)] in zip(phrases, found, strict=True):
        right[phrase["language"]].append(label == phrase["label"])
        if label != phrase["label"]:
            wrong.append({"text": phrase["text"], "label": phrase["label"], "found": label, "confidence": confidence})
    return {
        "accuracy": 1 - len(wrong) / len(phrases),
        "languages": {language: sum(each) / len(each) for language, each in sorted(right.items())},
        "wrong": wrong,
    }


if __name__ == "__main__":
    print(json.dumps(score(load(Path(sys.argv[1])), json.load(sys.stdin)), ensure_ascii=False))
