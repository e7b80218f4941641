"""A server that is forked, with small real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

PROGRAM = """
import os, sys, time
from pathlib import Path
from bot.supervisor.prefork import serve_by_fork

pids, calm, ends = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]

def serve():
    with pids.open("a") as file:
        print(os.getpid(), file=file)
    if ends:
        raise SystemExit(int(ends[0]))
    time.sleep(600)

with pids.with_suffix(".imports").open("a") as file:
    print(os.getpid(), file=file)
sys.exit(serve_by_fork(serve, calm))
"""


@dataclass
class Forked:
    """The process that waits, and what it has served with so far."""

    process: subprocess.Popen[bytes]
    file: Path

    def servers(self, count: int) -> list[int]:
        """The process ids of all servers there have been, once there are `count`."""
        deadline = time.monotonic() + 15
        while len(pids := self.file.read_text().split() if self.file.exists() else []) < count:
            assert time.monotonic() < deadline, f"{len(pids)} of {count} servers came"
            time.sleep(0.02)
        return [int(pid) for pid in pids]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "servers"


@pytest.fixture
def forked(file: Path) -> Iterator[Forked]:
    with _start(file, "0") as process:
        yield Forked(process, file)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _start(file: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", PROGRAM, str(file), *arguments], start_new_session=True)


def test_a_killed_server_is_replaced_without_importing_anything_again(forked: Forked, file: Path):
    (first,) = forked.servers(1)
    os.kill(first, signal.SIGKILL)
    _, second = forked.servers(2)
    os.kill(second, signal.SIGSEGV)
    third = forked.servers(3)[2]

    assert len({first, second, third, forked.process.pid}) == 4
    assert file.with_suffix(".imports").read_text().split() == [str(forked.process.pid)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_who_is_told_to_end_ends_with_its_server_and_is_not_replaced(forked: Forked, number: signal.Signals):
    (server,) = forked.servers(1)

    forked.process.send_signal(number)

    assert forked.process.wait(15) == 128 + signal.SIGTERM
    assert forked.servers(1) == [server]
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)


def test_a_server_killed_at_its_beginning_is_left_to_whoever_started_it(file: Path):
    with _start(file, "60") as process:
        (server,) = Forked(process, file).servers(1)
        os.kill(server, signal.SIGKILL)
        assert process.wait(15) == 128 + signal.SIGKILL

    assert Forked(process, file).servers(1) == [server]


@pytest.mark.parametrize("status", [0, 2])
def test_a_server_that_ends_by_itself_is_not_replaced_and_its_status_is_passed_on(file: Path, status: int):
    with _start(file, "0", str(status)) as process:
        assert process.wait(15) == status

    assert len(Forked(process, file).servers(1)) == 1
