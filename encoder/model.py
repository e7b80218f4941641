"""What a turn uses of a trained model, read from the archive that `rasa train` wrote, without Rasa."""

import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from encoder import urgent
from encoder.kernel import LEFT_OUT, Kernel, read_left_out
from encoder.spelling import FILE, Speller
from encoder.urgent import UrgentModel
from encoder.vectors import kept_vectors

TOPICS = "kernel"
NEEDED = (f"{TOPICS}.json", f"{TOPICS}.npz")
URGENT = (f"{urgent.NAME}.json", f"{urgent.NAME}.npz", f"{urgent.NAME}-threshold.json")


@dataclass(frozen=True)
class Model:
    kernel: Kernel
    speller: Speller


def load(archive: Path) -> Model | None:
    """The classifier of topics; None for a model of another make."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not _unpack(archive, folder, (*NEEDED, FILE), NEEDED):
            return None
        return Model(Kernel.load(folder, TOPICS), Speller.load(folder))


def load_urgent(archive: Path) -> UrgentModel | None:
    """The classifier of danger; None for a model of another make."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return UrgentModel.load(folder) if _unpack(archive, folder, URGENT, URGENT) else None


def load_left_out(archive: Path) -> list[tuple[str, list[tuple[str, float]]]] | None:
    """See encoder.kernel.read_left_out; None for a model of another make."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not _unpack(archive, folder, (*NEEDED, LEFT_OUT), (*NEEDED, LEFT_OUT)):
            return None
        return read_left_out(folder, Kernel.load(folder, TOPICS).labels)


def best(model: Model, texts: list[str], count: int, keep: Path | None = None) -> list[list[tuple[str, float]]]:
    """For each text the `count` most likely labels, as in a turn; `keep` is a folder for the vectors."""
    return model.kernel.best(kept_vectors([model.speller.repair(text) for text in texts], keep), count)


def _unpack(archive: Path, folder: Path, names: tuple[str, ...], needed: tuple[str, ...]) -> bool:
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            if (content := tar.extractfile(member)) is not None and Path(member.name).name in names:
                (folder / Path(member.name).name).write_bytes(content.read())
    return all((folder / name).exists() for name in needed)
