"""`run.json` in the data folder: what runs there now, for `accueil ask` and `accueil bench`."""

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bot.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Running:
    """Addresses without a final slash; `pids` by child name, each the leader of a process group."""

    pid: int
    gateway_url: str
    rasa_url: str
    actions_url: str
    pids: Mapping[str, int] = field(default_factory=dict)


@contextmanager
def hold(folder: Path, handed: int | None = None) -> Iterator[int]:
    """Be the one supervisor of a data folder. The lock goes with the process, however it ends.

    Gives the number of the open file that has the lock; `handed`: the one that this process had before it became
    another program.

    Raises:
        ConfigurationError: another one holds it.
    """
    lock = os.open(folder / "run.lock", os.O_RDWR | os.O_CREAT, 0o600) if handed is None else handed
    os.set_inheritable(lock, False)
    try:
        if not _lock(lock):
            raise ConfigurationError(
                f"Accueil already runs with the data folder {folder}{_where(folder)}. "
                "Stop it first, or choose another folder with ACCUEIL_DATA."
            )
        forget(folder)
        yield lock
        forget(folder)
    finally:
        os.close(lock)


def _lock(lock: int, tries: int = 5) -> bool:
    for _ in range(tries):
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        # Somebody who only looks (`read`) holds it for an instant.
        time.sleep(0.05)
    return False


def write(folder: Path, running: Running) -> None:
    """Replace run.json in one step: a reader sees the old one or the new one."""
    draft = folder / "run.json.new"
    draft.write_text(json.dumps(asdict(running), indent=1), encoding="utf-8")
    draft.replace(folder / "run.json")


def forget(folder: Path) -> None:
    (folder / "run.json").unlink(missing_ok=True)


def read(folder: Path) -> Running | None:
    """What runs with this data folder and answers, or None. What a killed supervisor left behind is not believed."""
    try:
        running = Running(**json.loads((folder / "run.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return running if _is_held(folder) else None


def _is_held(folder: Path) -> bool:
    try:
        lock = os.open(folder / "run.lock", os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _where(folder: Path) -> str:
    with suppress(OSError, ValueError, TypeError):
        running = Running(**json.loads((folder / "run.json").read_text(encoding="utf-8")))
        return f" (process {running.pid}, {running.gateway_url})"
    return ""
