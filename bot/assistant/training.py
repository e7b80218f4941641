"""Training: only when something changed, never to something worse, always with a way back."""

import fcntl
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from bot.answers.inputs import inputs_fingerprint
from bot.answers.trained import Current, read_current, write_current
from bot.assistant.engine import engine_environment
from bot.errors import ConfigurationError, ContentError

HELD_OUT = Path("tests") / "nlu"

TOLERATED_LOSS = 0.01
"""A new model may recognise this share of the held-out phrases less than the present one, not more."""

INVALID_DATA = 2
"""Exit code of nlu/train.py for data that is wrong; see there."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class TrainingPaths:
    """`root`: the checkout, only read. `data`: the data folder; everything that is written goes under `data`/models.

    `cache`: a folder that other checkouts of the same person share, where vectors are left for the next one.
    """

    root: Path
    data: Path
    cache: Path | None = None

    @property
    def models(self) -> Path:
        return self.data / "models"

    @property
    def vectors(self) -> Path:
        return self.models / "vectors"


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """What `train` did. `model` is the one in use afterwards; scores are shares (0 to 1), None where not measured."""

    model: Path
    trained: bool
    accepted: bool
    score: float | None
    previous_score: float | None


class HeldOut(BaseModel):
    text: str
    label: str
    language: str


class Score(BaseModel):
    accuracy: float
    languages: dict[str, float]


_SCORES = TypeAdapter(list[Score | None])
_HELD_OUT = TypeAdapter(list[HeldOut])


def train(paths: TrainingPaths, *, force: bool, say: Say) -> TrainingReport:
    """Train when the inputs changed, and switch to the new model unless it is worse.

    `force` trains in any case and switches in any case. The file of the model before is kept, older ones go.

    Raises:
        ContentError: the training data is wrong; the message lists what.
        ConfigurationError: the training itself failed; the message names the log.
    """
    with _alone(paths.models, say):
        present = inputs_fingerprint(paths.root)
        current = read_current(paths.models)
        if current and not force and present in (current.fingerprint, current.refused):
            if present == current.refused:
                say(
                    "The model before stays in use: the present phrases made a worse one, or wait for a training from "
                    "the page of questions (`accueil train --force` trains them now)."
                )
            return TrainingReport(paths.models / current.model, False, True, current.score, None)
        if paths.cache is not None and not paths.vectors.exists():
            copy_vectors(paths.cache / "vectors", paths.vectors)
        new = _train_into(paths, f"model-{present[:12]}-{os.getpid()}", say)
        report = _choose(paths, current, new, present, force, say)
        if paths.cache is not None:
            copy_vectors(paths.vectors, paths.cache / "vectors")
        return report


@dataclass(frozen=True, slots=True)
class Beside:
    """An archive that waits in `models`/beside, and the inputs it was trained on."""

    model: Path
    fingerprint: str


def train_beside(paths: TrainingPaths, say: Say) -> Beside:
    """Train on the present inputs without touching the model in use. What was trained beside it before goes.

    Raises: as `train`.
    """
    with _alone(paths.models, say):
        folder = paths.models / "beside"
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        present = inputs_fingerprint(paths.root)
        new = _train_into(paths, f"model-{present[:12]}-{os.getpid()}", say)
        return Beside(new.replace(folder / new.name), present)


def is_worse(score: float, previous: float) -> bool:
    """Whether a new model recognises too few of the held-out phrases to be taken."""
    return score < previous - TOLERATED_LOSS


def copy_vectors(source: Path, target: Path) -> None:
    """Bring over the vectors of another folder that are newer: encoding sentences is nearly all of a training.

    The files hold hashes and numbers, no text. What cannot be copied is computed: nothing is raised.
    """
    for file in source.glob("*/vectors-*.npz"):
        copy = target / file.parent.name / file.name
        if copy.exists() and copy.stat().st_mtime >= file.stat().st_mtime:
            continue
        try:
            if not zipfile.is_zipfile(file):
                continue
            copy.parent.mkdir(parents=True, exist_ok=True)
            # Another checkout may copy at the same time: each file is there as a whole or not at all.
            with tempfile.NamedTemporaryFile(dir=copy.parent, suffix=".part", delete=False) as partial:
                partial.write(file.read_bytes())
            # With its time, so that nobody takes it for newer.
            shutil.copystat(file, partial.name)
            Path(partial.name).replace(copy)
            for old in copy.parent.glob("vectors-*.npz"):
                if old != copy:
                    old.unlink()
        except OSError:
            continue


def _choose(
    paths: TrainingPaths, current: Current | None, new: Path, fingerprint: str, force: bool, say: Say
) -> TrainingReport:
    old = paths.models / current.model if current else None
    score, previous = _compare(paths, new, old, say)
    report = TrainingReport(new, True, True, score, previous)
    if current and old and not force and _is_worse(score, previous):
        say(f"Refused: the new model recognises {score:.1%} of the held-out phrases, the present one {previous:.1%}.")
        new.unlink()
        write_current(paths.models, current.model_copy(update={"refused": fingerprint}))
        return TrainingReport(old, True, False, score, previous)
    write_current(paths.models, Current(model=new.name, fingerprint=fingerprint, score=score))
    for other in paths.models.glob("*.tar.gz"):
        if other not in (new, old):
            other.unlink()
    return report


def _is_worse(score: float | None, previous: float | None) -> bool:
    return score is not None and previous is not None and is_worse(score, previous)


def held_out_phrases(root: Path) -> list[HeldOut]:
    """Phrases never trained on: tests/nlu/<language>/<slug>.yml is a list; a leading "_" marks what is not a topic.

    What a family asks for in several ways has a folder: tests/nlu/<language>/_<family>/<sub-intent>.yml.
    """
    held_out = root / HELD_OUT
    return [
        HeldOut(text=text, label=_label(file.relative_to(held_out)), language=file.relative_to(held_out).parts[0])
        for file in sorted(held_out.glob("*/**/*.yml"))
        for text in yaml.safe_load(file.read_text(encoding="utf-8")) or ()
    ]


def _label(file: Path) -> str:
    name = "/".join((*file.parts[1:-1], file.stem))
    return name.removeprefix("_") if name.startswith("_") else f"ask/{name}"


def _train_into(paths: TrainingPaths, name: str, say: Say) -> Path:
    log = paths.models / "train.log"
    with tempfile.TemporaryDirectory(prefix="training-", dir=paths.models) as scratch:
        argv = [*_engine_python(paths.root), "-m", "nlu.train", scratch, name]
        problems: list[str] = []
        with log.open("w", encoding="utf-8") as output:
            code = _run(argv, paths, scratch, output.write, say, problems)
        made = Path(scratch) / f"{name}.tar.gz"
        if code == INVALID_DATA and problems:
            raise ContentError("The training data is wrong:\n" + "\n".join(f"- {each}" for each in problems))
        if code != 0 or not made.exists():
            raise ConfigurationError(f"The training failed (exit code {code}); what it said is in {log}.")
        return made.replace(paths.models / made.name)


def _run(
    argv: Sequence[str],
    paths: TrainingPaths,
    scratch: str,
    write: Callable[[str], object],
    say: Say,
    problems: list[str],
) -> int:
    """Run the training; its lines for people go to `say` and `problems`, everything to `write`."""
    with subprocess.Popen(  # noqa: S603  (our own command)
        argv,
        env=_environment(paths, scratch),
        cwd=paths.root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None  # noqa: S101  (it was asked for above)
        try:
            for line in process.stdout:
                write(line)
                kind, _, rest = line.rstrip().partition(": ")
                if kind == "accueil":
                    say(f"  {rest}")
                elif kind == "problem":
                    problems.append(rest)
        except BaseException:
            process.kill()
            raise
        return process.wait()


def _compare(paths: TrainingPaths, new: Path, old: Path | None, say: Say) -> tuple[float | None, float | None]:
    phrases = held_out_phrases(paths.root)
    if not phrases:
        return None, None
    models = [new, old] if old and old.exists() else [new]
    argv = [*_engine_python(paths.root), "-m", "nlu.score", *map(str, models)]
    say(f"  recognising {len(phrases)} held-out phrases")
    with tempfile.TemporaryDirectory(prefix="scoring-", dir=paths.models) as scratch:
        done = subprocess.run(  # noqa: S603  (our own command)
            argv,
            env=_environment(paths, scratch),
            cwd=paths.root,
            input=_HELD_OUT.dump_json(phrases),
            capture_output=True,
            check=False,
        )
    try:
        scores = _SCORES.validate_json(done.stdout)
    except ValidationError as error:
        log = paths.models / "score.log"
        log.write_bytes(done.stderr)
        raise ConfigurationError(f"The new model could not be scored; what was said is in {log}.") from error
    for score in scores[:1]:
        if score:
            each = ", ".join(f"{language} {share:.1%}" for language, share in score.languages.items())
            say(f"  {score.accuracy:.1%} recognised ({each})")
    values = [score.accuracy if score else None for score in scores]
    return values[0], values[1] if len(values) > 1 else None


def _engine_python(root: Path) -> list[str]:
    python = root / "nlu" / ".venv" / "bin" / "python"
    if not python.exists():
        raise ConfigurationError(f"The engine is not installed ({python} is missing): run `make setup`.")
    return [str(python)]


def _environment(paths: TrainingPaths, scratch: str) -> Mapping[str, str]:
    """Whatever the training writes goes under the data folder: the checkout may be read-only."""
    return {
        **os.environ,
        **engine_environment(paths.root),
        "ACCUEIL_VECTORS": str(paths.vectors),
        # Rasa's own cache would only keep copies of what is trained in seconds.
        "RASA_MAX_CACHE_SIZE": "0",
        "RASA_CACHE_DIRECTORY": scratch,
        "MPLCONFIGDIR": scratch,
        "TMPDIR": scratch,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONWARNINGS": "ignore",
    }


@contextmanager
def _alone(models: Path, say: Say) -> Iterator[None]:
    """Two trainings of one data folder wait for each other; the second then finds nothing to do."""
    models.mkdir(parents=True, exist_ok=True)
    with (models / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("  another training of this data folder is running; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        for left in (*models.glob("training-*"), *models.glob("scoring-*")):
            # Of a training that was killed: nobody else works here while the lock is held.
            shutil.rmtree(left, ignore_errors=True)
        yield
