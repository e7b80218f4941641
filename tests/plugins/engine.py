"""The trained engine, started once per test session: Rasa, the action server, and the database that both read."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.answers.danger import TrainedDanger
from bot.answers.trained import current_model
from bot.answers.urgent import build_door
from bot.assistant.engine import temporary_engine
from bot.bootstrap import Services, build_services
from bot.clock import FixedClock
from bot.config import Settings
from bot.demo import load_demo
from bot.errors import ConfigurationError
from bot.tables import METADATA


@dataclass(frozen=True)
class EngineDesk:
    """`services` has the demo cast in its database, which the action server reads; its clock stands still."""

    services: Services
    rasa_url: str


@pytest.fixture(scope="session")
def trained_model() -> Path:
    """The model that `accueil train` made last. Left out where there is none."""
    settings = Settings()
    if not (settings.root / "nlu" / ".venv" / "bin" / "python").exists():
        pytest.skip("the engine's environment: run `make setup`")
    try:
        return current_model(settings.data / "models")
    except ConfigurationError:
        pytest.skip("a trained model: run `accueil train`")


@pytest.fixture(scope="session")
def engine_desk(trained_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineDesk]:
    """One engine for the whole session; it takes about half a minute to start."""
    data = tmp_path_factory.mktemp("engine")
    settings = Settings(data=data, database_url=f"sqlite:///{data / 'accueil.db'}", _env_file=None)
    built = build_services(settings, clock=FixedClock(datetime(2026, 11, 24, 11, 0, tzinfo=UTC)))
    # The folder is new and empty; the door uses the trained model as the engine does.
    door = build_door(built.knowledge.urgent, TrainedDanger(trained_model.parent))
    services = replace(built, door=door)
    METADATA.create_all(services.database.engine.execution_options(writes=True))
    with services.database.write() as session:
        load_demo(session, settings, services.clock.now())
    environment = {**os.environ, "ACCUEIL_DATA": str(data), "ACCUEIL_DATABASE_URL": settings.database}
    try:
        with temporary_engine(settings.root, trained_model, environment) as engine:
            yield EngineDesk(services, engine.rasa_url)
    finally:
        services.database.close()
