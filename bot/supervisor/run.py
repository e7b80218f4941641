"""`accueil run`: from a folder to a welcome desk that answers, and back to nothing."""

import asyncio
import errno
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from bot.config import Settings
from bot.supervisor import runfile
from bot.supervisor.checks import check_folder, check_interpreter, check_ports, folder_trouble
from bot.supervisor.children import Child, Say, Stop, supervise

LOOPBACK = "127.0.0.1"
PREPARED = "_ACCUEIL_PREPARED"
"""In the environment of the program that goes on after the steps: the number of the open file that has the lock."""
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do before the processes start; `work` may take long and says what it does through its argument."""

    title: str
    work: Callable[[Say], None]


def run(
    settings: Settings,
    *,
    interpreters: Mapping[str, Path],
    steps: Sequence[Step],
    children: Callable[[], Sequence[Child]],
    summary: Callable[[], Sequence[str]],
    say: Say,
) -> int:
    """Check, prepare, start, keep running until Ctrl-C or SIGTERM. Returns the exit code.

    After the steps the process becomes the same program anew and comes here a second time, to the start: what the steps
    read would stay in its memory for as long as it runs.

    `interpreters`: the name of an environment and its Python. `children` is called after the steps: the model's file
    has its name from the training. `summary`: the lines to say once all answer.

    Raises:
        ConfigurationError: something is missing or in the way; the message is one sentence with the fix.
    """
    say = _to_nobody_if_need_be(say)
    signal.signal(signal.SIGTERM, _leave)
    lock = os.environ.pop(PREPARED, None)
    try:
        # What was asked while the program was exchanged is heard now.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        check_folder(settings.data)
        with runfile.hold(settings.data, None if lock is None else int(lock)) as held:
            if lock is None:
                _prepare(settings, interpreters, steps, say)
                _start_anew(held)
            asyncio.run(_serve(settings, children(), summary, say))
    except KeyboardInterrupt:
        say("Stopped before the start was complete.")
        return 130
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise folder_trouble(settings.data, error) from error
        raise
    say("All stopped.")
    return 0


def _prepare(settings: Settings, interpreters: Mapping[str, Path], steps: Sequence[Step], say: Say) -> None:
    check_ports(
        {
            "ACCUEIL_PORT": (settings.host, settings.port),
            "ACCUEIL_RASA_PORT": (LOOPBACK, settings.rasa_port),
            "ACCUEIL_ACTIONS_PORT": (LOOPBACK, settings.actions_port),
        }
    )
    for name, interpreter in interpreters.items():
        check_interpreter(interpreter, name)
    for step in steps:
        with progress(step.title, say):
            step.work(say)


def _start_anew(lock: int) -> NoReturn:
    """The process stays, and with it the lock; signals wait until the new program can hear them."""
    os.set_inheritable(lock, True)
    os.environ[PREPARED] = str(lock)
    sys.stdout.flush()
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606


async def _serve(settings: Settings, children: Sequence[Child], summary: Callable[[], Sequence[str]], say: Say) -> None:
    stop = Stop()
    present: dict[str, int] = {}
    is_up = False

    def note(pids: Mapping[str, int]) -> None:
        present.clear()
        present.update(pids)
        if is_up:
            with suppress(OSError):  # Only a help for other commands: a full disk must not end what still serves.
                runfile.write(settings.data, _running(settings, pids))

    def up() -> None:
        nonlocal is_up
        is_up = True
        note(dict(present))
        for line in summary():
            say(line)

    def ask(number: signal.Signals) -> None:
        if stop.asked.is_set():
            say("Stopping at once.")
        else:
            say("Stopping; once more stops at once." if number == signal.SIGINT else "Stopping.")
        stop.ask()

    loop = asyncio.get_running_loop()
    for number in ENDING:
        loop.add_signal_handler(number, ask, number)
    say("Starting the engine, the action server and the gateway …")
    await supervise(children, say, stop=stop, on_up=up, on_pids=note)


def _running(settings: Settings, pids: Mapping[str, int]) -> runfile.Running:
    return runfile.Running(os.getpid(), gateway_url(settings), settings.rasa_url, settings.actions_url, pids)


def gateway_url(settings: Settings) -> str:
    """Where a program on this machine reaches the gateway; no slash at the end."""
    everywhere = {"0.0.0.0": LOOPBACK, "::": "[::1]"}  # noqa: S104 - compared with, not listened on
    host = everywhere.get(settings.host, f"[{settings.host}]" if ":" in settings.host else settings.host)
    return f"http://{host}:{settings.port}"


@contextmanager
def progress(title: str, say: Say, every: float = 5.0) -> Iterator[None]:
    """Say what is being done, and that it still is, every five seconds."""
    began = time.monotonic()
    done = threading.Event()

    def tick() -> None:
        while not done.wait(every):
            say(f"  … {time.monotonic() - began:.0f} s")

    say(f"{title} …")
    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    try:
        yield
    finally:
        done.set()
        ticker.join()


def _to_nobody_if_need_be(say: Say) -> Say:
    """A closed terminal must not keep us from stopping the children in order."""

    def quietly(line: str) -> None:
        with suppress(OSError):
            say(line)

    return quietly


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
