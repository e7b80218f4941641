"""What a model is trained on, as one fingerprint."""

import hashlib
from pathlib import Path

import encoder

INPUTS = ("config.yml", "domain.yml", "data", "knowledge/topics", "nlu/components", "nlu/train.py", "encoder")


def inputs_fingerprint(root: Path) -> str:
    """Changes whenever a training would give another model: phrases, rules, knowledge, configuration, code, encoder."""
    digest = hashlib.sha256(encoder.fingerprint().encode())
    for name in INPUTS:
        start = root / name
        files = [start] if start.is_file() else sorted(each for each in start.rglob("*") if each.is_file())
        for file in files:
            if "__pycache__" not in file.parts:
                digest.update(f"\n{file.relative_to(root)}\n".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()
