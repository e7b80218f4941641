"""How the engine and the action server are started: argv, environment, probe, and both of them for a while."""

import asyncio
import base64
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import uuid4

import numpy as np

from bot.assistant.ports import TurnFailed
from bot.assistant.rasa_http import RasaEngine
from bot.errors import ConfigurationError
from encoder import DIMENSION, handing

PROBE_SECONDS = 5.0
PROBE = "hello"
ANY_VECTOR = {"of": PROBE, "values": base64.b64encode(np.eye(1, DIMENSION, dtype="<f4").tobytes()).decode()}
"""Handed to the engine with the probe, whose answer nobody reads: neither here nor there are weights loaded for it."""
START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class EngineCommand:
    """`env` comes on top of the caller's environment."""

    argv: Sequence[str]
    env: Mapping[str, str]


def engine_environment(root: Path) -> dict[str, str]:
    """What every process in the engine's environment gets: our packages, one thread each, no telemetry, few words."""
    return {
        "PYTHONPATH": str(root),
        "RASA_TELEMETRY_ENABLED": "false",
        "LOG_LEVEL_LIBRARIES": "ERROR",
        "SANIC_WORKERS": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def rasa_command(root: Path, *, model: Path, port: int, actions_url: str, tracker_database: Path) -> EngineCommand:
    """Rasa on loopback with its REST channel only: without the HTTP API nobody can load a model or read a tracker."""
    argv = [str(root / "nlu" / ".venv" / "bin" / "python"), "-m", "nlu.engine", "run"]
    argv += ["--interface", "127.0.0.1", "--port", str(port), "--model", str(model)]
    argv += ["--endpoints", str(root / "endpoints.yml"), "--credentials", str(root / "credentials.yml")]
    argv += ["--response-timeout", "15"]
    env = engine_environment(root) | {
        # Rasa's warnings and errors would repeat what a student wrote; what it could not do is seen by the gateway.
        # Its --logging-config-file does not help: `rasa run` puts a handler of its own in the place of ours.
        "LOG_LEVEL": "CRITICAL",
        "ACCUEIL_ACTIONS_URL": actions_url,
        "ACCUEIL_TRACKER_DB": str(tracker_database),
    }
    return EngineCommand(argv, env)


def actions_command(root: Path, *, port: int) -> EngineCommand:
    """The action server on loopback, one process."""
    argv = [sys.executable, "-m", "actions", "--port", str(port)]
    return EngineCommand(argv, {"PYTHONPATH": str(root)})


async def probe_engine(url: str) -> bool:
    """Whether a turn comes through: Rasa, its model, the action server and the knowledge base."""
    engine = RasaEngine(url, PROBE_SECONDS)
    try:
        today = date.today()  # noqa: DTZ011  (the answer of a probe is thrown away)
        await engine.ask(f"probe-{uuid4()}", PROBE, language="en", today=today, metadata={handing.KEY: ANY_VECTOR})
    except TurnFailed:
        return False
    finally:
        await engine.close()
    return True


@dataclass(frozen=True, slots=True)
class TemporaryEngine:
    rasa_url: str


@contextmanager
def temporary_engine(root: Path, model: Path, environment: Mapping[str, str]) -> Iterator[TemporaryEngine]:
    """An engine and an action server of one's own on free ports, with a tracker store that is thrown away.

    Raises:
        ConfigurationError: they did not start.
    """
    rasa_port, actions_port = _free_ports(2)
    with tempfile.TemporaryDirectory(prefix="accueil-engine-") as name:
        folder = Path(name)
        rasa = rasa_command(
            root,
            model=model,
            port=rasa_port,
            actions_url=f"http://127.0.0.1:{actions_port}/webhook",
            tracker_database=folder / "rasa.db",
        )
        url = f"http://127.0.0.1:{rasa_port}"
        commands = [("engine", rasa), ("actions", actions_command(root, port=actions_port))]
        processes = [_start(command, folder / f"{title}.log", environment, root) for title, command in commands]
        try:
            _wait_until_answering(url, processes, folder)
            yield TemporaryEngine(url)
        finally:
            for process in processes:
                _stop(process)


def _start(command: EngineCommand, log: Path, environment: Mapping[str, str], root: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603  (our own commands)
            list(command.argv),
            env={**environment, **command.env},
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _wait_until_answering(url: str, processes: Sequence[subprocess.Popen[bytes]], folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if any(process.poll() is not None for process in processes):
            break
        if asyncio.run(probe_engine(url)):
            return
        time.sleep(0.5)
    ends = "\n".join(log.read_text(errors="replace")[-800:] for log in sorted(folder.glob("*.log")))
    raise ConfigurationError(f"The engine did not start. The end of its log:\n{ends}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(5)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(5)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()
