"""The generic core with small real processes."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from bot.errors import ConfigurationError
from bot.supervisor.checks import free_port
from bot.supervisor.children import Child, Pace, Stop, http_answers, supervise

QUICK = Pace(look=0.02, tell=0.5, patience=10, grace=10, first_pause=0.1, longest_pause=0.4)

READY = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text('x'); time.sleep(600)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + READY
ENDS = "print('no model was found', flush=True); raise SystemExit(3)"
SILENT = "import time; time.sleep(600)"
WITH_CHILD = (
    "import subprocess, sys; "
    "worker = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
    "open(sys.argv[1] + '.worker', 'w').write(str(worker.pid)); " + READY
)


def child(folder: Path, name: str, code: str) -> Child:
    mark = folder / f"{name}.mark"

    async def answers() -> bool:
        return mark.exists()

    return Child(
        name=name,
        argv=(sys.executable, "-S", "-c", code, str(mark)),
        env={"PATH": os.environ["PATH"]},
        cwd=folder,
        log=folder / "logs" / f"{name}.log",
        probe=answers,
    )


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def gone_within(pids: list[int], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while any(is_alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


class Desk:
    """Runs `supervise` in the background and keeps what it said."""

    def __init__(self, children, pace=QUICK):
        self.said: list[str] = []
        self.stop = Stop()
        self.up = asyncio.Event()
        self.seen: list[dict[str, int]] = []
        self.task = asyncio.create_task(
            supervise(
                children,
                self.said.append,
                stop=self.stop,
                on_up=self.up.set,
                on_pids=lambda pids: self.seen.append(dict(pids)),
                pace=pace,
            )
        )

    @property
    def pids(self) -> dict[str, int]:
        return self.seen[-1]

    async def until(self, condition) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - what is waited for lies outside this process
                await asyncio.sleep(0.02)

    async def end(self) -> None:
        self.stop.ask()
        async with asyncio.timeout(15):
            await self.task


async def test_all_children_run_until_asked_to_stop_and_leave_no_process(tmp_path):
    desk = Desk([child(tmp_path, "engine", READY), child(tmp_path, "gateway", READY)])
    await desk.until(desk.up.is_set)
    pids = list(desk.pids.values())
    assert [is_alive(pid) for pid in pids] == [True, True]

    await desk.end()

    assert [is_alive(pid) for pid in pids] == [False, False]
    assert desk.pids == {}


async def test_a_child_that_dies_is_started_again_and_said_so(tmp_path):
    desk = Desk([child(tmp_path, "engine", READY), child(tmp_path, "gateway", READY)])
    await desk.until(desk.up.is_set)
    first = dict(desk.pids)

    os.kill(first["engine"], signal.SIGKILL)
    await desk.until(lambda: any("answers again" in line for line in desk.said))

    assert desk.pids["engine"] != first["engine"]
    assert desk.pids["gateway"] == first["gateway"]
    log = tmp_path / "logs" / "engine.log"
    assert [line for line in desk.said if "stopped" in line] == [
        f"The engine stopped (signal SIGKILL); starting it again in 0.1 s. Its log: {log}"
    ]
    await desk.end()


async def test_a_child_is_started_again_when_there_is_something_newer_and_says_when_it_answers(tmp_path):
    told: list[tuple[str, bool]] = []
    wanted = tmp_path / "wanted"

    def engine(name: str) -> Child:
        def newer() -> Child | None:
            return engine(wanted.read_text()) if wanted.exists() and wanted.read_text() != name else None

        made = child(tmp_path, "engine", READY.replace("sys.argv[1]", f"sys.argv[1].replace('engine', '{name}')"))

        async def answers() -> bool:
            return (tmp_path / f"{name}.mark").exists()

        return replace(made, probe=answers, newer=newer, on_answering=lambda yes: told.append((name, yes)))

    desk = Desk([engine("old"), child(tmp_path, "gateway", READY)])
    await desk.until(desk.up.is_set)
    first = dict(desk.pids)
    wanted.write_text("new")
    await desk.until(lambda: ("new", True) in told)

    assert told == [("old", False), ("old", True), ("old", False), ("new", False), ("new", True)]
    assert (is_alive(first["engine"]), desk.pids["gateway"]) == (False, first["gateway"])
    assert [line for line in desk.said if "stopped" in line or "starting it again in" in line] == []
    await desk.end()


async def test_a_child_that_goes_on_dying_is_started_ever_more_slowly(tmp_path):
    desk = Desk([child(tmp_path, "engine", READY)])
    await desk.until(desk.up.is_set)

    for count in range(1, 5):
        os.kill(desk.pids["engine"], signal.SIGKILL)
        await desk.until(
            lambda n=count: sum("answers again" in line for line in desk.said) == n and "engine" in desk.pids
        )

    pauses = [line.split(" again in ")[1].split(" s.")[0] for line in desk.said if "starting it again" in line]
    assert pauses == ["0.1", "0.2", "0.4", "0.4"]
    await desk.end()


async def test_a_child_deaf_to_term_is_killed_after_the_grace(tmp_path):
    desk = Desk([child(tmp_path, "engine", DEAF)], Pace(look=0.02, grace=0.5))
    await desk.until(desk.up.is_set)
    pid = desk.pids["engine"]

    began = time.monotonic()
    await desk.end()

    assert 0.5 <= time.monotonic() - began < 3
    assert not is_alive(pid)


async def test_asking_twice_does_not_wait_for_a_deaf_child(tmp_path):
    desk = Desk([child(tmp_path, "engine", DEAF)], Pace(look=0.02, grace=30))
    await desk.until(desk.up.is_set)
    pid = desk.pids["engine"]

    desk.stop.ask()
    await asyncio.sleep(0.2)
    assert not desk.task.done()
    await desk.end()

    assert not is_alive(pid)


async def test_what_a_child_started_itself_ends_with_it(tmp_path):
    desk = Desk([child(tmp_path, "engine", WITH_CHILD)])
    await desk.until(desk.up.is_set)
    worker = int((tmp_path / "engine.mark.worker").read_text())
    assert is_alive(worker)

    os.kill(desk.pids["engine"], signal.SIGKILL)
    await desk.until(lambda: any("starting it again" in line for line in desk.said))

    assert gone_within([worker], 2)
    await desk.end()


async def test_a_child_that_ends_during_the_start_stops_the_others_and_shows_its_log(tmp_path):
    desk = Desk([child(tmp_path, "gateway", READY), child(tmp_path, "engine", ENDS)])

    with pytest.raises(ConfigurationError) as refused:
        await desk.task

    log = tmp_path / "logs" / "engine.log"
    assert str(refused.value) == (
        f"The engine stopped (exit code 3) during the start. The end of its log, {log}:\n    no model was found"
    )
    assert desk.pids == {}
    assert not desk.up.is_set()


async def test_a_child_that_never_answers_is_given_up(tmp_path):
    desk = Desk([child(tmp_path, "engine", SILENT)], Pace(look=0.02, patience=0.5))

    with pytest.raises(ConfigurationError, match=r"The engine did not answer within 0\.5 s during the start\."):
        await desk.task

    assert desk.pids == {}


async def test_a_program_that_is_not_there_is_named(tmp_path):
    missing = child(tmp_path, "engine", READY)
    missing = Child("engine", ("/nowhere/python",), missing.env, missing.cwd, missing.log, missing.probe)

    with pytest.raises(
        ConfigurationError, match=r"The engine stopped \(exit code 127\)[\s\S]*/nowhere/python: not found"
    ):
        await Desk([missing]).task


async def test_a_log_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "logs").write_text("not a folder")

    with pytest.raises(ConfigurationError, match=r"The engine could not be started \(File exists\) during the start"):
        await Desk([child(tmp_path, "engine", READY)]).task


async def test_waiting_is_told(tmp_path):
    desk = Desk([child(tmp_path, "gateway", READY), child(tmp_path, "engine", SILENT)], Pace(look=0.02, tell=0.3))

    await desk.until(lambda: any("waiting for: engine" in line for line in desk.said))

    assert not desk.up.is_set()
    await desk.end()


async def test_stopping_during_the_start_leaves_no_process(tmp_path):
    desk = Desk([child(tmp_path, "gateway", READY), child(tmp_path, "engine", SILENT)])
    await desk.until(lambda: bool(desk.seen) and len(desk.pids) == 2)
    pids = list(desk.pids.values())

    await desk.end()

    assert [is_alive(pid) for pid in pids] == [False, False]


async def test_a_long_log_is_set_aside(tmp_path):
    log = tmp_path / "logs" / "engine.log"
    log.parent.mkdir()
    log.write_bytes(b"x" * 5_000_001)

    desk = Desk([child(tmp_path, "engine", READY)])
    await desk.until(desk.up.is_set)
    await desk.end()

    assert log.stat().st_size == 0
    assert (tmp_path / "logs" / "engine.log.1").stat().st_size == 5_000_001
    assert log.stat().st_mode & 0o777 == 0o600


async def test_an_http_probe_is_false_until_a_server_listens():
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    async with httpx.AsyncClient(trust_env=False) as client:
        assert await http_answers(client, url) is False

        async def hello(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            writer.close()
            await writer.wait_closed()

        async with await asyncio.start_server(hello, "127.0.0.1", port):
            assert await http_answers(client, url) is True


SUPERVISOR = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_children import QUICK, WITH_CHILD, READY, child
from bot.supervisor.children import Stop, supervise

folder = Path({folder!r})
def note(pids): (folder / "pids").write_text(" ".join(str(pid) for pid in pids.values()))
def up(): (folder / "up").write_text("x")
asyncio.run(supervise(
    [child(folder, "engine", WITH_CHILD), child(folder, "gateway", READY)],
    print, stop=Stop(), on_up=up, on_pids=note, pace=QUICK,
))
"""


def test_nothing_outlives_a_supervisor_killed_at_any_moment_of_the_start(tmp_path):
    for moment in range(4):
        folder = tmp_path / str(moment)
        folder.mkdir()
        code = SUPERVISOR.format(tests=str(Path(__file__).parent), folder=str(folder))
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL) as supervisor:
            deadline = time.monotonic() + 10
            while not (folder / "logs").exists() and time.monotonic() < deadline:
                time.sleep(0.001)
            time.sleep(moment * 0.016)
            supervisor.kill()
            supervisor.wait()
        deadline = time.monotonic() + 4
        while (left := processes_naming(folder)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert left == []


def processes_naming(folder: Path) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if f"{folder}/" in (command := entry.read_text().replace("\0", " ")):
                found.append(command)
    return found


def test_nothing_outlives_a_killed_supervisor(tmp_path):
    code = SUPERVISOR.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL) as supervisor:
        deadline = time.monotonic() + 10
        while not (tmp_path / "up").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
        pids.append(int((tmp_path / "engine.mark.worker").read_text()))
        assert [is_alive(pid) for pid in pids] == [True, True, True]

        supervisor.kill()
        supervisor.wait()

    assert gone_within(pids, 3)
