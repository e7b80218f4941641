"""`accueil ask` over the engine that runs, or over one of its own."""

import asyncio
import json
import os
import time
from collections.abc import Sequence
from typing import TextIO

from bot.answers.trained import current_model
from bot.assistant.engine import temporary_engine
from bot.assistant.rasa_http import RasaEngine
from bot.bootstrap import Services, build_services
from bot.config import Settings
from bot.gateway.ask import Defaults, Line, ask_one, check_lines, forget_probes
from bot.supervisor import runfile
from bot.supervisor.checks import check_folder, check_interpreter
from bot.supervisor.children import Say
from bot.supervisor.desk import engine_python, prepare_database, train_model

TELL_EVERY = 2.0
"""Seconds between two lines of progress."""


def ask_lines(settings: Settings, lines: Sequence[Line], defaults: Defaults, *, out: TextIO, note: Say) -> None:
    """`accueil ask`: over the engine that runs with this data folder, else over one of its own for the while.

    Raises:
        ConfigurationError: no engine could be started.
        InvalidField, UnknownStudent: a line is wrong.
    """
    check_folder(settings.data)
    prepare_database(settings, note)
    services = build_services(settings)
    try:
        check_lines(services, lines, defaults)
        if (running := runfile.read(settings.data)) is not None:
            asyncio.run(_ask(services, running.rasa_url, lines, defaults, out, note))
            forget_probes(settings.tracker_database)
            return
        check_interpreter(engine_python(settings), "engine")
        train_model(settings, note)
        note("Starting an engine for the questions …")
        environment = {**os.environ, "ACCUEIL_DATA": str(settings.data)}
        with temporary_engine(settings.root, current_model(settings.data / "models"), environment) as engine:
            asyncio.run(_ask(services, engine.rasa_url, lines, defaults, out, note))
    finally:
        services.database.close()


async def _ask(
    services: Services, rasa_url: str, lines: Sequence[Line], defaults: Defaults, out: TextIO, note: Say
) -> None:
    engine = RasaEngine(rasa_url, services.settings.turn_timeout)
    told = time.monotonic()
    try:
        for place, line in enumerate(lines, start=1):
            result = await ask_one(services, engine, line, defaults)
            out.write(json.dumps(result, ensure_ascii=False) + "\n")
            out.flush()
            if len(lines) > 1 and (time.monotonic() - told > TELL_EVERY or place == len(lines)):
                told = time.monotonic()
                note(f"{place} of {len(lines)} questions")
    finally:
        await engine.close()
