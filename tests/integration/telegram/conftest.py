"""Services with a bot's token; nothing here reaches a network by itself."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.bootstrap import Services
from bot.channels.telegram.incoming import Person
from bot.clock import FixedClock
from bot.db.session import Database
from tests.integration.console.desk import desk_services

TOKEN = "9000:AAtests"


@pytest.fixture
def services(database: Database, clock: FixedClock, tmp_path: Path) -> Services:
    return desk_services(database, clock, data=tmp_path, messages_per_minute=5, telegram_token=SecretStr(TOKEN))


@pytest.fixture
def amina() -> Person:
    return Person("4001", "Amina B. (@amina_b)", "fr")
