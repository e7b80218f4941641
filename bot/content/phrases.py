"""The training phrases of data/nlu/, as the office's pages and the search read them."""

from pathlib import Path

import yaml


def read_training_phrases(path: Path) -> dict[str, list[str]]:
    """Label → phrases of one Rasa NLU file."""
    content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return {
        entry["intent"]: [line.strip()[2:].strip() for line in entry["examples"].splitlines() if line.strip()]
        for entry in content["nlu"]
        if "intent" in entry
    }
