"""Two students with rows everywhere, and the settings of a data folder of their own."""

from pathlib import Path

import pytest

from bot.config import Settings
from bot.db.session import Database
from tests.integration.privacy.people import Someone, make_someone

KEY = bytes(32)


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> Settings:
    return Settings(
        data=tmp_path,
        database_url=database.engine.url.render_as_string(hide_password=False),
        _env_file=None,
    )


@pytest.fixture
def zoe(database: Database, now) -> Someone:
    """Whoever is erased, exported, looked at."""
    with database.write() as session:
        return make_someone(session, "zqzoe7", now)


@pytest.fixture
def yan(database: Database, now) -> Someone:
    """Somebody else, of whom nothing may go or be seen."""
    with database.write() as session:
        return make_someone(session, "yqyan8", now)
