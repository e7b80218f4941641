"""The generic core: keep a set of child processes running until told to stop."""

import asyncio
import os
import signal
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bot.errors import ConfigurationError
from bot.supervisor.guardian import Guardian, guardian, signal_group

Say = Callable[[str], None]
Probe = Callable[[], Awaitable[bool]]

WHEN_TOLD = 'read -r go && exec "$@" </dev/null'
"""A child becomes its program once the guardian knows it; if we are killed before that, the pipe closes and it ends."""

LOG_LIMIT = 5_000_000
"""Bytes; a longer log is set aside when its child starts."""


@dataclass(frozen=True, slots=True)
class Child:
    """A process to keep running. `env` is complete (nothing is inherited); `probe` never raises.

    `newer` gives what is to run in its place from now on, None for no change; `on_answering` hears whether it answers.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    log: Path
    probe: Probe
    newer: Callable[[], "Child | None"] = lambda: None
    on_answering: Callable[[bool], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Pace:
    """All in seconds."""

    look: float = 0.2
    """Between two probes."""
    tell: float = 5.0
    """Between two lines of progress."""
    patience: float = 120.0
    """For the first answer of a child."""
    grace: float = 10.0
    """Between TERM and KILL."""
    first_pause: float = 1.0
    longest_pause: float = 30.0
    calm: float = 15.0
    """A child that ran this long starts again after the first pause."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The wish to stop: the first `ask` is polite, the second is not."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: asyncio.Event = field(default_factory=asyncio.Event)

    def ask(self) -> None:
        if self.asked.is_set():
            self.at_once.set()
        self.asked.set()


def pauses(pace: Pace) -> Iterator[float]:
    """1, 2, 4 … 30, 30 …"""
    pause = pace.first_pause
    while True:
        yield min(pause, pace.longest_pause)
        pause = min(pause * 2, pace.longest_pause)


def how_it_ended(code: int) -> str:
    """`returncode` in words: "exit code 1", "signal SIGKILL"."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


async def http_answers(client: httpx.AsyncClient, url: str) -> bool:
    """Whether a GET is answered with 2xx."""
    try:
        return (await client.get(url)).is_success
    except httpx.HTTPError:
        return False


async def supervise(
    children: Sequence[Child],
    say: Say,
    *,
    stop: Stop,
    on_up: Callable[[], None] = lambda: None,
    on_pids: Callable[[Mapping[str, int]], None] = lambda _: None,
    pace: Pace | None = None,
) -> None:
    """Start all children side by side, keep them running, and return when `stop` was asked and all have ended.

    `on_up` is called once, when every child has answered its probe; `on_pids` after each start and end with the
    process ids by name (each child leads a process group of its own, with the same number).

    Raises:
        ConfigurationError: a child ended, or never answered, before all were up; the others have been stopped.
    """
    with guardian() as guard:
        watch = _Watch(children, say, stop, on_up, on_pids, pace or Pace(), guard)
        async with asyncio.TaskGroup() as group:
            teller = group.create_task(watch.tell())
            keepers = [group.create_task(watch.keep(child)) for child in children]
            await asyncio.wait(keepers)
            teller.cancel()
    if watch.failure:
        raise ConfigurationError(watch.failure)


class _Watch:
    """What the keepers of all children share."""

    def __init__(
        self,
        children: Sequence[Child],
        say: Say,
        stop: Stop,
        on_up: Callable[[], None],
        on_pids: Callable[[Mapping[str, int]], None],
        pace: Pace,
        guard: Guardian,
    ) -> None:
        self.waiting = [child.name for child in children]
        self.up = False
        self.failure = ""
        self.pids: dict[str, int] = {}
        self.say, self.stop, self.on_up, self.on_pids, self.pace, self.guard = say, stop, on_up, on_pids, pace, guard

    async def tell(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while self.waiting and not self.stop.asked.is_set():
            await asyncio.sleep(self.pace.tell)
            if self.waiting and not self.stop.asked.is_set():
                self.say(f"  … {loop.time() - began:.0f} s, waiting for: {', '.join(self.waiting)}")

    async def keep(self, child: Child) -> None:
        """One child from the first start to the end, through all its restarts."""
        loop = asyncio.get_running_loop()
        rests = pauses(self.pace)
        while not self.stop.asked.is_set():
            began = loop.time()
            child = child.newer() or child
            trouble = await self._one_life(child)
            if self.stop.asked.is_set():
                return
            if self.up and child.newer() is not None:
                self.say(f"The {child.name} is started again: there is something newer to run.")
                continue
            if not self.up:
                self.failure = f"The {child.name} {trouble} during the start. {_end_of_log(child.log)}"
                self.stop.ask()
                return
            if loop.time() - began > self.pace.calm:
                rests = pauses(self.pace)
            rest = next(rests)
            self.say(f"The {child.name} {trouble}; starting it again in {rest:g} s. Its log: {child.log}")
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stop.asked.wait(), rest)

    async def _one_life(self, child: Child) -> str:
        """Start, wait until it ends or must end, sweep. Returns what happened, as the end of a sentence."""
        began = asyncio.get_running_loop().time()
        try:
            process = await _start(child)
        except OSError as error:
            return f"could not be started ({error.strerror or error})"
        child.on_answering(False)
        self._note(child, process.pid)
        _tell_to_go(process)
        ended = asyncio.create_task(process.wait())
        stopping = asyncio.create_task(self.stop.asked.wait())
        ready = asyncio.create_task(self._until_ready(child, began))
        outdated = asyncio.create_task(self._until_newer(child))
        try:
            await asyncio.wait({ended, stopping, ready, outdated}, return_when=asyncio.FIRST_COMPLETED)
            if ready.done() and not ready.result() and not ended.done():
                return f"did not answer within {self.pace.patience:g} s"
            await asyncio.wait({ended, stopping, outdated}, return_when=asyncio.FIRST_COMPLETED)
            return f"stopped ({how_it_ended(ended.result())})" if ended.done() else "was stopped"
        finally:
            ready.cancel()
            stopping.cancel()
            outdated.cancel()
            child.on_answering(False)
            await self._end(process)
            await ended
            self._note(child, None)

    async def _until_newer(self, child: Child) -> None:
        """Not during the first start: what begins together is tried together."""
        while not self.up or child.newer() is None:  # noqa: ASYNC110  (a file, which tells nobody)
            await asyncio.sleep(self.pace.look)

    async def _until_ready(self, child: Child, began: float) -> bool:
        loop = asyncio.get_running_loop()
        while not await child.probe():
            if loop.time() - began > self.pace.patience:
                return False
            await asyncio.sleep(self.pace.look)
        child.on_answering(True)
        if self.up:
            self.say(f"The {child.name} answers again after {loop.time() - began:.1f} s.")
            return True
        self.say(f"The {child.name} answers after {loop.time() - began:.1f} s.")
        if child.name in self.waiting:
            self.waiting.remove(child.name)
        if not self.waiting and not self.stop.asked.is_set():
            self.up = True
            self.on_up()
        return True

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        """TERM, KILL after the grace; then KILL to whatever the child had started itself."""
        if process.returncode is None:
            signal_group(process.pid, signal.SIGTERM)
            ended = asyncio.create_task(process.wait())
            hurry = asyncio.create_task(self.stop.at_once.wait())
            await asyncio.wait({ended, hurry}, timeout=self.pace.grace, return_when=asyncio.FIRST_COMPLETED)
            hurry.cancel()
        signal_group(process.pid, signal.SIGKILL)

    def _note(self, child: Child, pid: int | None) -> None:
        if pid is None:
            self.pids.pop(child.name, None)
        else:
            self.pids[child.name] = pid
        self.guard.watch(self.pids.values())
        self.on_pids(dict(self.pids))


async def _start(child: Child) -> asyncio.subprocess.Process:
    child.log.parent.mkdir(parents=True, exist_ok=True)
    if child.log.exists() and child.log.stat().st_size > LOG_LIMIT:
        child.log.replace(child.log.with_suffix(".log.1"))
    log = os.open(child.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            WHEN_TOLD,
            child.name,
            *child.argv,
            cwd=child.cwd,
            env=dict(child.env),
            stdin=asyncio.subprocess.PIPE,
            stdout=log,
            stderr=log,
            # A session of its own: Ctrl-C in the terminal reaches us alone, and we end the children in order.
            start_new_session=True,
        )
    finally:
        os.close(log)


def _tell_to_go(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.write(b"go\n")
        process.stdin.close()


def _end_of_log(log: Path, lines: int = 8) -> str:
    try:
        with log.open(encoding="utf-8", errors="replace") as file:
            tail: Iterable[str] = deque((line.rstrip() for line in file if line.strip()), maxlen=lines)
    except OSError:
        return f"Its log, {log}, cannot be read."
    return f"The end of its log, {log}:\n" + "\n".join(f"    {line}" for line in tail)
