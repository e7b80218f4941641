"""Groups the open questions by meaning, beside the requests; keeps message numbers and vectors, no text."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

import encoder
from bot.db.session import Database
from bot.upkeep.grouping import group, with_thoughts
from bot.upkeep.questions import open_questions

STEP = 8
"""Questions encoded in one go: a student's message waits for no more than these."""
REST = 0.3
"""Seconds between two goes."""

Encode = Callable[[Sequence[str]], NDArray[np.float32]]
Rest = Callable[[float], None]


class Groups(BaseModel):
    """What the last gathering found. `groups`: numbers of messages, the most central first. While one runs, `done` of
    `total` new questions are encoded and `groups` are those of the time before."""

    made_at: datetime | None = None
    groups: list[list[int]] = []
    done: int = 0
    total: int = 0

    @property
    def is_under_way(self) -> bool:
        return self.done < self.total


@dataclass(frozen=True)
class Gatherer:
    """`folder`: of our own in the data folder."""

    database: Database
    folder: Path
    encode: Encode = encoder.encode
    rest: Rest = time.sleep

    def gather(self, now: datetime) -> Groups:
        """Encode what is new, in small steps, and group everything.

        Raises:
            Unavailable: the database cannot be reached.
        """
        with self.database.read() as session:
            questions = open_questions(session, now)
        vectors = with_thoughts(self._vectors([each.text for each in questions]), [each.thoughts for each in questions])
        numbers = [each.message_id for each in questions]
        groups = Groups(made_at=now, groups=[[numbers[place] for place in places] for places in group(vectors)])
        _write(self.folder, groups)
        return groups

    def _vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        keys = [hashlib.sha256(text.encode("utf-8", "replace")).hexdigest() for text in texts]
        known = self._kept()
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        before = read_groups(self.folder)
        names = list(missing)
        for start in range(0, len(names), STEP):
            _write(self.folder, before.model_copy(update={"done": start, "total": len(names)}))
            step = names[start : start + STEP]
            known.update(zip(step, self.encode([missing[name] for name in step]), strict=True))
            self.rest(REST)
        if not keys:
            self._file.unlink(missing_ok=True)
            return np.empty((0, encoder.DIMENSION), dtype=np.float32)
        vectors = np.stack([known[key] for key in keys])
        if known.keys() != set(keys) or missing:
            self._keep(keys, vectors)
        return vectors

    @property
    def _file(self) -> Path:
        return self.folder / f"vectors-{encoder.fingerprint()[:16]}.npz"

    def _kept(self) -> dict[str, NDArray[np.float32]]:
        if not self._file.exists():
            return {}
        with np.load(self._file, allow_pickle=False) as kept:
            return dict(zip(kept["keys"].tolist(), kept["vectors"], strict=True))

    def _keep(self, keys: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Hashes and numbers of exactly these questions: those of erased people go with the next gathering."""
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / "partial.npz"
        np.savez(partial, keys=np.array(keys), vectors=vectors)
        for old in self.folder.glob("vectors-*.npz"):
            old.unlink()
        partial.replace(self._file)


def read_groups(folder: Path) -> Groups:
    """What was found last; empty before the first gathering."""
    try:
        return Groups.model_validate_json((folder / "groups.json").read_bytes())
    except (FileNotFoundError, ValidationError):
        return Groups()


def _write(folder: Path, groups: Groups) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / "groups.json.partial"
    partial.write_text(groups.model_dump_json(), encoding="utf-8")
    partial.replace(folder / "groups.json")
