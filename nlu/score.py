"""How many held-out phrases each model recognises: JSON in on stdin, JSON out on stdout, no Rasa started.

    python -m nlu.score NEW.tar.gz [OLD.tar.gz] < [{"text": "…", "label": "ask/visale", "language": "en"}, …]

Prints, in the order of the models, [{"accuracy": 0.93, "languages": {"en": 0.94, …}, "wrong": [{"text": "…",
"label": "…", "found": "…", "confidence": 0.4}, …]}, …]. A model of another make, which cannot be read, scores null.
"""

import json
import os
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from encoder.model import Model, best, load


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
