"""Services with a bot's token; nothing here reaches a network by itself."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.answers.urgent import build_door
from bot.bootstrap import Services
from bot.channels.telegram.incoming import Person
from bot.clock import FixedClock
from bot.content.loader import Knowledge
from bot.db.session import Database
from tests.integration.console.desk import desk_services

TOKEN = "9000:AAtests"


@pytest.fixture
def services(database: Database, clock: FixedClock, tmp_path: Path, knowledge: Knowledge) -> Services:
    door = build_door(knowledge.urgent)
    token = SecretStr(TOKEN)
    return desk_services(database, clock, door=door, data=tmp_path, messages_per_minute=5, telegram_token=token)


@pytest.fixture
def amina() -> Person:
    return Person("4001", "Amina B. (@amina_b)", "fr")
