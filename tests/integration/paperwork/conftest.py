"""A conversation that is linked, and the services around it."""

from dataclasses import replace

import pytest

from bot.bootstrap import Services, build_services
from bot.config import Settings
from bot.conversations.live import Live
from bot.conversations.models import Conversation
from tests.factories import make_conversation, make_student

ARRIVED = {
    "nationality": ["MA"],
    "programme_type": "degree",
    "document_held": "vls_ts",
    "visa_start": "2026-09-01",
    "visa_expiry": "2027-08-31",
    "date_of_entry": "2026-09-12",
    "date_of_entry_kind": "real",
    "programme_start": "2026-09-07",
}


@pytest.fixture(scope="session")
def content(tmp_path_factory) -> Services:
    """Read once: these tests change nothing of it."""
    return build_services(Settings(data=tmp_path_factory.mktemp("data"), database_url="", _env_file=None))


@pytest.fixture
def services(content, database, clock) -> Services:
    return replace(content, database=database, clock=clock, live=Live(database, clock))


@pytest.fixture
def linked(database, now) -> Conversation:
    """Of Amina, who arrived and has her visa to validate by 12 December."""
    with database.write() as session:
        conversation = make_conversation(session, now)
        conversation.student_id = make_student(session, now, **ARRIVED).id
        return conversation


@pytest.fixture
def stranger(database, now) -> Conversation:
    with database.write() as session:
        return make_conversation(session, now)
