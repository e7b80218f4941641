"""What all tests share: databases, a fixed clock, a cast."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.clock import FixedClock
from bot.content.loader import Knowledge, load_knowledge
from bot.db.session import Database
from bot.log import configure_logging
from bot.tables import METADATA

configure_logging()

pytest_plugins = ["tests.plugins.engine", "tests.plugins.leftout"]

ROOT = Path(__file__).resolve().parent.parent
POSTGRESQL = os.environ.get("ACCUEIL_TEST_POSTGRESQL_URL", "")


@pytest.fixture
def now() -> datetime:
    """Noon in Paris on a working Tuesday."""
    return datetime(2026, 11, 24, 11, 0, tzinfo=UTC)


@pytest.fixture
def clock(now: datetime) -> FixedClock:
    return FixedClock(now)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A real, empty database with every table; on PostgreSQL as well, where one is given."""
    if request.param == "sqlite":
        made = Database(f"sqlite:///{tmp_path / 'test.db'}")
        METADATA.create_all(made.engine.execution_options(writes=True))
        yield made
        made.close()
        return
    if not POSTGRESQL:
        pytest.skip("PostgreSQL: set ACCUEIL_TEST_POSTGRESQL_URL to a throw-away database")
    made = Database(POSTGRESQL)
    METADATA.drop_all(made.engine)
    METADATA.create_all(made.engine)
    yield made
    METADATA.drop_all(made.engine)
    made.close()


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    return load_knowledge(ROOT / "knowledge")
