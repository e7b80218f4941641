"""Students, conversations and a colleague for the tests of identity."""

from datetime import datetime
from uuid import UUID

import pytest

from bot.conversations.service import open_conversation
from bot.db.session import Database
from bot.identity.models import Role
from bot.identity.staff import create_staff, set_password
from bot.students.models import Student


@pytest.fixture
def amina(database: Database, now: datetime) -> int:
    return _student(database, "amina@student.junia.com", "Amina", "fr", now)


@pytest.fixture
def jonas_elsewhere(database: Database, now: datetime) -> int:
    """A student whose recorded address is not of the school."""
    return _student(database, "jonas@elsewhere.example", "Jonas", "en", now)


@pytest.fixture
def conversation(database: Database, now: datetime) -> UUID:
    return new_conversation(database, now)


@pytest.fixture
def claire(database: Database, now: datetime) -> str:
    """The address of an account; her password is `PASSWORD`."""
    with database.write() as session:
        staff = create_staff(session, "claire@accueil.example", "Claire", Role.ADVISER, now)
        set_password(session, staff, PASSWORD, now)
    return "claire@accueil.example"


PASSWORD = "brick canal and paper"


def new_conversation(database: Database, now: datetime) -> UUID:
    with database.write() as session:
        conversation, _token = open_conversation(
            session, language="en", language_chosen=False, greeting="Hello", channel="web", now=now
        )
        return conversation.id


def _student(database: Database, email: str, given_name: str, language: str, now: datetime) -> int:
    with database.write() as session:
        student = Student(
            email=email,
            given_name=given_name,
            family_name="Brahmi",
            language=language,
            facts={},
            created_at=now,
            updated_at=now,
        )
        session.add(student)
        session.flush()
        return student.id
