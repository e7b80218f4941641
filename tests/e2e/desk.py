"""A whole Accueil as a person starts it: `accueil run` on ports of its own, with a data folder of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bot.clock import SystemClock, day_in_france
from bot.config import ROOT, Settings
from bot.content.loader import load_knowledge
from bot.content.render import render
from bot.demo import PASSWORD_FILE, SignIn, read_students
from bot.paperwork.answer import personal_sentence
from bot.paperwork.rules import path
from bot.paperwork.schema import load_procedures
from bot.students.facts import facts_from
from bot.supervisor import runfile
from bot.supervisor.checks import free_port

START_SECONDS = 240
"""An engine on a busy machine; nothing is trained."""
STOP_SECONDS = 20


@dataclass(frozen=True)
class Desk:
    """A running desk. The port `site_port` may embed the widget; `said` is what must never be found in a log."""

    process: subprocess.Popen[str]
    settings: Settings
    site_port: int
    output: Path
    said: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        return self.settings.address

    @property
    def pids(self) -> dict[str, int]:
        """By the names of the supervisor: engine, action server, gateway."""
        running = runfile.read(self.settings.data)
        assert running is not None, self.output.read_text(encoding="utf-8")
        return dict(running.pids)

    def sign_in_of(self, name: str) -> SignIn:
        """A colleague of the demo."""
        entries = json.loads((self.settings.data / PASSWORD_FILE).read_text(encoding="utf-8"))
        return next(SignIn(**entry) for entry in entries if entry["name"] == name)

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal to a process and return its id."""
        pid = self.pids[name]
        os.kill(pid, number)
        return pid

    @property
    def server(self) -> int | None:
        """The process of the gateway that answers, forked from the one that waits; None between two of them."""
        waits = self.pids.get("gateway")
        try:
            children = Path(f"/proc/{waits}/task/{waits}/children").read_text(encoding="ascii").split()
        except FileNotFoundError:
            return None
        return int(children[0]) if children else None

    def kill_server(self) -> None:
        """SIGKILL to it alone, and wait until another is in its place."""
        if (killed := self.server) is not None:
            os.kill(killed, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while self.server in (None, killed):
            assert time.monotonic() < deadline, "the server was not forked again"
            time.sleep(0.1)

    def until_answered(self, path: str, seconds: float = 90) -> None:
        """Wait until a GET is answered with 200."""
        deadline = time.monotonic() + seconds
        while not _is_answered(self.url + path):
            assert time.monotonic() < deadline, f"{path} was not answered within {seconds} s"
            time.sleep(0.2)

    def until_restarted(self, name: str, old: int) -> None:
        """Wait until the supervisor has put another process in the place of `old`."""
        deadline = time.monotonic() + 30
        while self.pids.get(name, old) == old:
            assert time.monotonic() < deadline, f"the {name} was not started again"
            time.sleep(0.1)

    def logs(self) -> dict[str, str]:
        """What the three processes wrote, by file name."""
        files = sorted((self.settings.data / "logs").iterdir())
        return {file.name: file.read_text(encoding="utf-8", errors="replace") for file in files}


def _is_answered(url: str) -> bool:
    try:
        return httpx.get(url, timeout=10, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


@contextmanager
def started(
    folder: Path, models: Path, more: Mapping[str, str] | None = None, command: Sequence[str] = ("run",)
) -> Iterator[Desk]:
    """`accueil run` until the end of the block. `models`: trained already, shared so that nothing is trained twice.

    `more`: settings of its own, as variables of the environment. `command`: another one that starts a desk.
    """
    data = folder / "data"
    data.mkdir(mode=0o700)
    (data / "models").symlink_to(models)
    port, rasa_port, actions_port, site_port = _free_ports(4)
    # Without the settings of whoever runs the tests.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ACCUEIL_")}
    environment = {
        **kept,
        "ACCUEIL_DATA": str(data),
        "ACCUEIL_PORT": str(port),
        "ACCUEIL_RASA_PORT": str(rasa_port),
        "ACCUEIL_ACTIONS_PORT": str(actions_port),
        "ACCUEIL_ALLOWED_ORIGINS": f"http://127.0.0.1:{site_port}",
        **(more or {}),
    }
    output = folder / "accueil-run.txt"
    with output.open("w") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", *command],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
            text=True,
        )
    settings = Settings(data=data, port=port, rasa_port=rasa_port, actions_port=actions_port)
    desk = Desk(process, settings, site_port, output)
    try:
        _until_up(desk)
        yield desk
    finally:
        stop(desk)


def stop(desk: Desk) -> int:
    """Ctrl-C. Returns the exit code."""
    if desk.process.poll() is None:
        desk.process.send_signal(signal.SIGINT)
    try:
        return desk.process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        desk.process.kill()
        return desk.process.wait()


def _until_up(desk: Desk) -> None:
    deadline = time.monotonic() + START_SECONDS
    while runfile.read(desk.settings.data) is None:
        written = desk.output.read_text(encoding="utf-8")
        assert desk.process.poll() is None, f"accueil run ended:\n{written}"
        assert time.monotonic() < deadline, f"accueil run did not come up:\n{written}"
        time.sleep(0.2)


def _free_ports(count: int) -> list[int]:
    chosen: dict[int, None] = {}
    while len(chosen) < count:
        chosen[free_port()] = None
    return list(chosen)


def own_sentence(email: str, procedure: str, language: str) -> str:
    """The personal part of the answer about a procedure for a student of the demo, as on this day."""
    knowledge = load_knowledge(ROOT / "knowledge")
    procedures = load_procedures(ROOT / "knowledge" / "procedures")
    student = next(each for each in read_students(ROOT / "demo" / "students.yml") if each.email == email)
    facts = facts_from({**student.facts, "steps_done": student.steps_done})
    today = day_in_france(SystemClock().now())
    step = next(each for each in path(procedures, facts, today) if each.slug == procedure)
    said = personal_sentence(step, facts, language, today, lambda text: render(text, knowledge, language, today))
    return said.text
