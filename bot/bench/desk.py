"""`accueil bench`: the figures of the README, measured on the machine at hand."""

import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from uuid import uuid4

import httpx

from bot.config import ROOT
from bot.errors import ConfigurationError
from bot.supervisor import runfile
from bot.supervisor.checks import free_port

Say = Callable[[str], None]

QUESTIONS = (
    "When must I validate my visa?",
    "où trouver un logement à Lille",
    "how do i get a french class",
    "C'est quoi la CVEC et combien ça coûte ?",
    "hello",
    "my buddy never answered me, what can I do",
    "quand est la journée d'accueil",
    "can i work while studying",
    "qui gagne le match ce soir",
    "I lost my residence permit",
)
"""Asked in turn: known and unknown subjects, both languages."""

TURNS_PER_CONVERSATION = 25
"""Under the limit of messages a minute (ACCUEIL_MESSAGES_PER_MINUTE) of one conversation."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes. `rss` counts shared pages once per process, `pss` shares them out."""

    name: str
    pid: int
    rss: int
    pss: int


def bench_start(say: Say, ready_within: float = 300.0) -> None:
    """Start twice in an empty data folder, ask once, weigh all processes, stop; all in a temporary folder.

    Raises:
        ConfigurationError: it did not start; the message holds what it said.
    """
    with tempfile.TemporaryDirectory(prefix="accueil-bench-") as name:
        data = Path(name)
        say("First start, in an empty data folder (the model is trained) …")
        with own_desk(data, ready_within) as (_, first):
            pass
        say("Second start …")
        with own_desk(data, ready_within) as (running, second):
            began = time.monotonic()
            first_turn = next(ask_in_turn(running.gateway_url, 1))
            answered = time.monotonic() - began
            durations = list(ask_in_turn(running.gateway_url, 20))
            weights = weigh(running)
    rows = [
        ("first start, model trained", f"{first:.1f} s"),
        ("second start", f"{second:.1f} s"),
        ("opening a conversation and its first answer", f"{answered:.2f} s (the answer alone: {first_turn:.2f} s)"),
        ("next 20 turns, median", f"{statistics.median(durations) * 1000:.0f} ms"),
        ("resident memory of all processes (RSS)", f"{sum(w.rss for w in weights) / 1e6:.0f} MB"),
        ("the same, shared pages counted once (PSS)", f"{sum(w.pss for w in weights) / 1e6:.0f} MB"),
    ]
    say_table(say, rows)
    say("")
    say_table(say, [(f"  {w.name} ({w.pid})", f"{w.rss / 1e6:.0f} MB RSS, {w.pss / 1e6:.0f} MB PSS") for w in weights])
    say("")
    say(machine())


def bench_turn(data: Path, turns: int, say: Say, *, own: bool = False) -> None:
    """Ask `turns` questions one after the other over the public API and tell how long the answers took.

    With `own`, a desk is started in a temporary folder for it; else the one that runs with `data` is asked, and the
    conversations stay in its database.

    Raises:
        ConfigurationError: nothing runs with this data folder.
    """
    if own:
        with (
            tempfile.TemporaryDirectory(prefix="accueil-bench-") as name,
            own_desk(Path(name), 300.0) as (running, _),
        ):
            durations = sorted(_told(ask_in_turn(running.gateway_url, turns), turns, say))
    else:
        present = runfile.read(data)
        if present is None:
            raise ConfigurationError(
                f"Nothing runs with the data folder {data}. Start it with `make run`, or add --own."
            )
        durations = sorted(_told(ask_in_turn(present.gateway_url, turns), turns, say))
    say_table(
        say,
        [
            (f"{turns} turns, one after the other", f"{sum(durations):.1f} s"),
            ("p50", f"{percentile(durations, 50) * 1000:.0f} ms"),
            ("p95", f"{percentile(durations, 95) * 1000:.0f} ms"),
            ("longest", f"{durations[-1] * 1000:.0f} ms"),
        ],
    )
    say(machine())


@contextmanager
def own_desk(data: Path, ready_within: float) -> Iterator[tuple[runfile.Running, float]]:
    """Accueil of its own in `data`, on free ports; gives what runs and the seconds until everything answered."""
    settings = {
        "ACCUEIL_DATA": str(data),
        "ACCUEIL_MODE": "development",
        "ACCUEIL_HOST": "127.0.0.1",
        "ACCUEIL_DATABASE_URL": "",
        "ACCUEIL_SMTP_HOST": "",
        "ACCUEIL_CONVERSATIONS_PER_MINUTE": "100000",
        **{name: str(free_port()) for name in ("ACCUEIL_PORT", "ACCUEIL_RASA_PORT", "ACCUEIL_ACTIONS_PORT")},
    }
    said = data / "bench.log"
    began = time.monotonic()
    with (
        said.open("w", encoding="utf-8") as log,
        subprocess.Popen(
            [sys.executable, "-m", "bot", "run"], cwd=ROOT, env=os.environ | settings, stdout=log, stderr=log
        ) as process,
    ):
        try:
            while (running := runfile.read(data)) is None:
                if process.poll() is not None or time.monotonic() - began > ready_within:
                    raise ConfigurationError(f"It did not start:\n{said.read_text(encoding='utf-8')}")
                time.sleep(0.05)
            yield running, time.monotonic() - began
        finally:
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()


def ask_in_turn(gateway_url: str, turns: int) -> Iterator[float]:
    """Seconds from sending each question until the bot's answer was read; greeting and opening do not count."""
    with httpx.Client(base_url=f"{gateway_url}/api/v1", trust_env=False, timeout=40) as client:
        for place, question in enumerate(islice(cycle(QUESTIONS), turns)):
            if place % TURNS_PER_CONVERSATION == 0:
                opened = client.post("/conversations", json={}).raise_for_status().json()
                path = f"/conversations/{opened['conversation_id']}/messages"
                client.headers["Authorization"] = f"Bearer {opened['token']}"
            began = time.monotonic()
            sent = client.post(path, json={"client_id": str(uuid4()), "text": question}).raise_for_status().json()
            _wait_for_answer(client, path, int(sent["event"]["seq"]))
            yield time.monotonic() - began


def _wait_for_answer(client: httpx.Client, path: str, after: int, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        page = client.get(path, params={"after": after, "wait": 10}).raise_for_status().json()
        if any(event["author"] == "bot" for event in page["events"]):
            return
        after = int(page["last_seq"])
    raise ConfigurationError(f"No answer came within {seconds:.0f} s. Look into the logs in the data folder.")


def weigh(running: runfile.Running) -> list[Memory]:
    """The supervisor and everything under it, the heaviest first. Empty where there is no /proc."""
    names = {running.pid: "supervisor"} | {pid: name for name, pid in running.pids.items()}
    found: list[Memory] = []
    for pid, name in _with_descendants(names).items():
        with suppress(OSError):
            fields = _kilobytes(Path(f"/proc/{pid}/smaps_rollup"))
            found.append(Memory(name, pid, fields["Rss"] * 1024, fields["Pss"] * 1024))
    return sorted(found, key=lambda memory: -memory.rss)


def _with_descendants(names: Mapping[int, str]) -> dict[int, str]:
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            # The second field, the command, may hold blanks and brackets; the parent is the second after it.
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    result = dict(names)
    while fresh := {pid: parent for pid, parent in parents.items() if parent in result and pid not in result}:
        result |= {pid: f"{result[parent]}, its child" for pid, parent in fresh.items()}
    return result


def _kilobytes(rollup: Path) -> dict[str, int]:
    lines = (line.split() for line in rollup.read_text().splitlines()[1:])
    return {line[0].rstrip(":"): int(line[1]) for line in lines}


def percentile(ordered: Sequence[float], percent: int) -> float:
    """The smallest value that at least `percent` % of the values do not exceed."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def machine() -> str:
    """One line on the machine, to stand beside every figure."""
    cpu = platform.processor() or platform.machine()
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), cpu)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    disk = shutil.disk_usage(ROOT).free / 1e9
    return (
        f"Machine: {cpu}, {os.cpu_count()} cores, {memory:.0f} GiB of memory, {disk:.0f} GB of disk free, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


def say_table(say: Say, rows: Sequence[tuple[str, str]]) -> None:
    width = max(len(label) for label, _ in rows)
    for label, value in rows:
        say(f"{label:<{width}}  {value}")


def _told(durations: Iterator[float], turns: int, say: Say) -> Iterator[float]:
    """Pass on, with a line of progress every five seconds."""
    told = time.monotonic()
    for count, duration in enumerate(durations, 1):
        yield duration
        if time.monotonic() - told > 5:
            told = time.monotonic()
            say(f"  … {count} of {turns}")
