"""A whole Accueil as a person starts it: `accueil run` on ports of its own, with a data folder of its own."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from bot.bootstrap import build_services
from bot.clock import SystemClock, day_in_france
from bot.config import ROOT, Settings
from bot.content.render import render
from bot.demo import SignIn, read_students
from bot.paperwork.answer import personal_sentence
from bot.paperwork.rules import path
from bot.students.facts import facts_from
from bot.supervisor import runfile
from bot.supervisor.checks import free_port

START_SECONDS = 240
"""An engine on a busy machine; nothing is trained."""
STOP_SECONDS = 20


@dataclass(frozen=True)
class Desk:
    """A running desk. `site` may embed the widget; `said` is everything that must never be found in a log."""

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

    @property
    def sign_ins(self) -> dict[str, SignIn]:
        """The colleagues of the demo by name."""
        file = self.settings.data / "demo-passwords.json"
        return {entry.name: entry for entry in _sign_ins(file)}

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal to a process and return its id."""
        pid = self.pids[name]
        os.kill(pid, number)
        return pid

    def until(self, path: str, seconds: float = 90) -> None:
        """Wait until a GET of a probe is answered with 200."""
        deadline = time.monotonic() + seconds
        while not _is_answered(self.url + path):
            assert time.monotonic() < deadline, f"{path} was not answered within {seconds} s"
            time.sleep(0.2)

    def until_restarted(self, name: str, old: int, path: str) -> None:
        """Wait until the supervisor has put another process in the place of `old` and the probe is answered."""
        deadline = time.monotonic() + 30
        while self.pids.get(name, old) == old:
            assert time.monotonic() < deadline, f"the {name} was not started again"
            time.sleep(0.1)
        self.until(path)

    def logs(self) -> dict[str, str]:
        """What the three processes and the supervisor wrote, by file name."""
        files = [self.output, *sorted((self.settings.data / "logs").iterdir())]
        return {file.name: file.read_text(encoding="utf-8", errors="replace") for file in files}

    def conversations(self) -> int:
        """How many conversations exist."""
        from sqlalchemy import func, select

        from bot.conversations.models import Conversation
        from bot.db.session import Database

        database = Database(self.settings.database)
        try:
            with database.read() as session:
                return session.scalar(select(func.count()).select_from(Conversation)) or 0
        finally:
            database.close()


def _sign_ins(file: Path) -> list[SignIn]:
    import json

    return [SignIn(**entry) for entry in json.loads(file.read_text(encoding="utf-8"))]


def _is_answered(url: str) -> bool:
    try:
        return httpx.get(url, timeout=10, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def clean_environment(**changes: str) -> dict[str, str]:
    """This environment without the settings of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ACCUEIL_")}
    return {**kept, **changes}


@contextmanager
def started(folder: Path, models: Path) -> Iterator[Desk]:
    """`accueil run` until the end of the block. `models`: trained already, shared so that nothing is trained twice."""
    data = folder / "data"
    data.mkdir()
    (data / "models").symlink_to(models)
    ports = [free_port() for _ in range(4)]
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        data=data,
        port=ports[0],
        rasa_port=ports[1],
        actions_port=ports[2],
        allowed_origins=f"http://127.0.0.1:{ports[3]}",
    )
    environment = clean_environment(
        ACCUEIL_DATA=str(data),
        ACCUEIL_PORT=str(settings.port),
        ACCUEIL_RASA_PORT=str(settings.rasa_port),
        ACCUEIL_ACTIONS_PORT=str(settings.actions_port),
        ACCUEIL_ALLOWED_ORIGINS=settings.allowed_origins,
    )
    output = folder / "accueil-run.txt"
    with output.open("w") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", "run"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
            text=True,
        )
    desk = Desk(process, settings, ports[3], output)
    try:
        _until_up(desk)
        yield desk
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _until_up(desk: Desk) -> None:
    deadline = time.monotonic() + START_SECONDS
    while runfile.read(desk.settings.data) is None:
        written = desk.output.read_text(encoding="utf-8")
        assert desk.process.poll() is None, f"accueil run ended:\n{written}"
        assert time.monotonic() < deadline, f"accueil run did not come up:\n{written}"
        time.sleep(0.2)


def own_sentence(email: str, procedure: str, language: str) -> str:
    """The personal part of the answer about a procedure for a student of the demo, as on this day."""
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    services = build_services(settings)
    student = next(each for each in read_students(ROOT / "demo" / "students.yml") if each.email == email)
    facts = facts_from({**student.facts, "steps_done": student.steps_done})
    today = day_in_france(SystemClock().now())
    step = next(each for each in path(services.procedures, facts, today) if each.slug == procedure)

    def fill(text: str) -> str:
        return render(text, services.knowledge.figures, language)

    services.database.close()
    return personal_sentence(step, facts, language, today, fill).text
