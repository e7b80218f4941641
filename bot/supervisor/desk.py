"""Our three processes and what comes before them: the one place where the supervisor meets the rest of Accueil."""

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

import httpx

from bot.answers.trained import current_model, read_wanted, write_engine, write_wanted
from bot.assistant.engine import EngineCommand, actions_command, probe_engine, rasa_command
from bot.assistant.training import TrainingPaths, train
from bot.clock import SystemClock
from bot.config import Settings
from bot.db.migrate import upgrade
from bot.db.session import Database
from bot.demo import load_demo
from bot.supervisor.children import Child, Probe, Say, http_answers
from bot.supervisor.run import Step, gateway_url, run

CONNECT_WITHIN = 5.0
"""Seconds that the channel has to connect before the summary is said without it."""


def run_desk(
    settings: Settings,
    say: Say,
    *,
    beside: Callable[[httpx.AsyncClient], Sequence[Child]] = lambda _: (),
    addresses: Mapping[str, str] = MappingProxyType({}),
) -> int:
    """`accueil run`. Returns the exit code. `beside`: more processes; `addresses`: more lines for the summary, by name.

    Raises:
        ConfigurationError: it cannot start; the message is one sentence with the fix.
    """
    # No certificate store to read and no proxy to go through: everything is on loopback.
    client = httpx.AsyncClient(verify=False, trust_env=False, timeout=5)  # noqa: S501
    return run(
        settings,
        interpreters={"engine": engine_python(settings)},
        steps=[
            Step("Preparing the database", partial(prepare_database, settings)),
            Step("Checking whether the model must be trained", partial(train_model, settings)),
        ],
        children=lambda: [*children(settings, client), *beside(client)],
        summary=lambda: summary(settings, addresses),
        say=say,
    )


def train_model(settings: Settings, say: Say, *, force: bool = False) -> None:
    """Train when the inputs changed."""
    train(TrainingPaths(settings.root, settings.data, settings.cache.expanduser()), force=force, say=say)


def engine_python(settings: Settings) -> Path:
    return settings.root / "nlu" / ".venv" / "bin" / "python"


def children(settings: Settings, client: httpx.AsyncClient) -> list[Child]:
    """Engine, action server, gateway, each listening on loopback (the gateway on `settings.host`)."""

    # What was wanted from the engine before has come to an end with it.
    write_wanted(settings.data / "models", None)
    actions = actions_command(settings.root, port=settings.actions_port)
    gateway = EngineCommand(argv=(sys.executable, "-m", "bot", "gateway"), env={})
    actions_health = f"http://127.0.0.1:{settings.actions_port}/health"
    return [
        engine_child(settings, current_model(settings.data / "models")),
        _child(settings, "action server", actions, partial(http_answers, client, actions_health)),
        _child(settings, "gateway", gateway, partial(http_answers, client, f"{gateway_url(settings)}/healthz")),
    ]


def engine_child(settings: Settings, model: Path) -> Child:
    """The engine on one model; in its place comes an engine on the model that is wanted later."""

    async def answers() -> bool:
        return await probe_engine(settings.rasa_url)

    def newer() -> Child | None:
        wanted = model.with_name(read_wanted(model.parent) or model.name)
        return engine_child(settings, wanted) if wanted != model and wanted.exists() else None

    def tell(is_answering: bool) -> None:
        with suppress(OSError):  # A full disk must not end what still serves.
            write_engine(model.parent, model.name if is_answering else None)

    rasa = rasa_command(
        settings.root,
        model=model,
        port=settings.rasa_port,
        actions_url=settings.actions_url,
        tracker_database=settings.tracker_database,
    )
    return replace(
        _child(settings, "engine", rasa, answers),
        newer=newer,
        on_answering=tell,
    )


def _child(settings: Settings, name: str, command: EngineCommand, probe: Probe) -> Child:
    # The children read the same settings; the data folder may have been given relative to where we were started.
    env: Mapping[str, str] = {**os.environ, "ACCUEIL_DATA": str(settings.data), **command.env}
    log = settings.data / "logs" / f"{name.replace(' ', '-')}.log"
    return Child(name, tuple(command.argv), env, settings.root, log, probe)


def prepare_database(settings: Settings, _say: Say) -> None:
    database = Database(settings.database)
    try:
        upgrade(database)
        with database.write() as session:
            load_demo(session, settings, SystemClock().now())
    finally:
        database.close()


def summary(settings: Settings, addresses: Mapping[str, str] = MappingProxyType({})) -> Sequence[str]:
    """Addresses and, in development, how to sign in as one of the demo cast."""
    url = settings.address
    lines = ["", "Accueil answers.", f"  Welcome page         {url}/", f"  Staff console        {url}/staff"]
    if settings.telegram_token.get_secret_value():
        lines.append(f"  Telegram             {telegram_line(settings)}")
    lines += [f"  {name:20} {address}" for name, address in addresses.items()]
    if settings.in_development:
        lines += [f"  Development mailbox  {url}/dev/mailbox", *_demo_lines(settings)]
    return [*lines, "", "Ctrl-C stops everything."]


def telegram_line(settings: Settings) -> str:
    """How the channel does, as the gateway says; it has a moment to connect."""
    deadline = time.monotonic() + CONNECT_WITHIN
    found = {"state": "starting", "name": "", "trouble": ""}
    with httpx.Client(base_url=gateway_url(settings), verify=False, trust_env=False, timeout=2) as client:  # noqa: S501
        while found["state"] == "starting" and time.monotonic() < deadline:
            with suppress(httpx.HTTPError, ValueError, KeyError):
                found = client.get("/healthz/channels").raise_for_status().json()["telegram"]
            time.sleep(0.1)
    if found["state"] == "on":
        return f"https://t.me/{found['name']} ({settings.telegram_mode})"
    return found["trouble"] or "connecting; look into the gateway's log if it stays away"


def _demo_lines(settings: Settings) -> list[str]:
    database = Database(settings.database)
    try:
        with database.write() as session:
            demo = load_demo(session, settings, SystemClock().now())
    finally:
        database.close()
    staff = [f"    {each.email}  {each.password}  ({each.name}, {each.role})" for each in demo.sign_ins]
    students = [f"    {email}" for email in demo.students]
    return [
        *(["", "  Sign in to the staff console as:", *staff] if staff else []),
        *(["", "  Link your record in the chat as (the code arrives in the mailbox):", *students] if students else []),
    ]
