"""The whole gateway in this process, with a fake engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from bot.bootstrap import Services, build_services
from bot.config import Settings
from bot.gateway import build_app
from tests.fakes import FakeEngine


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def services(database, tmp_path: Path) -> Iterator[Services]:
    settings = Settings(
        data=tmp_path,
        database_url=database.engine.url.render_as_string(hide_password=False),
        messages_per_minute=5,
        conversations_per_minute=50,
        allowed_origins="https://www.junia.example",
        _env_file=None,
    )
    built = build_services(settings)
    yield built
    built.database.close()


@pytest.fixture
def client(services: Services, engine: FakeEngine) -> Iterator[TestClient]:
    with TestClient(build_app(services, engine=engine)) as client:
        yield client
