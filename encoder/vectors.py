"""Sentence vectors kept on disk between trainings: encoding is most of the work, and few sentences change."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import encoder

STEP = 256


def kept_vectors(
    texts: Sequence[str], folder: Path | None, say: Callable[[str], None] = lambda _: None
) -> NDArray[np.float32]:
    """Vectors of the texts, shape (len(texts), encoder.DIMENSION); those in the folder's file are not computed again.

    The file holds hashes and numbers, no text, and afterwards exactly the vectors of these texts: each use has a folder
    of its own. Without a folder nothing is kept.
    """
    keys = [hashlib.sha256(text.encode("utf-8", "replace")).hexdigest() for text in texts]
    known = _read(folder) if folder else {}
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    names = list(missing)
    for start in range(0, len(names), STEP):
        if start:
            say(f"{start} of {len(names)} new sentences encoded")
        step = names[start : start + STEP]
        known.update(zip(step, encoder.encode([missing[key] for key in step]), strict=True))
    vectors = np.stack([known[key] for key in keys])
    if folder and missing:
        _write(folder, keys, vectors)
    return vectors


def _file(folder: Path) -> Path:
    return folder / f"vectors-{encoder.fingerprint()[:16]}.npz"


def _read(folder: Path) -> dict[str, NDArray[np.float32]]:
    if not _file(folder).exists():
        return {}
    with np.load(_file(folder), allow_pickle=False) as kept:
        return dict(zip(kept["keys"].tolist(), kept["vectors"], strict=True))


def _write(folder: Path, keys: Sequence[str], vectors: NDArray[np.float32]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    target = _file(folder)
    partial = target.with_name("partial.npz")
    np.savez(partial, keys=np.array(keys), vectors=vectors)
    partial.replace(target)
    for old in folder.glob("vectors-*.npz"):
        if old != target:
            old.unlink()
