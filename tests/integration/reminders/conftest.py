"""One small path, a student whose dates fall around `now`, and what counts and reads what was sent."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from bot.content.loader import Knowledge
from bot.conversations.models import Conversation, OutboxEntry
from bot.db.session import Database
from bot.paperwork.models import StepDone
from bot.paperwork.schema import Procedure
from bot.reminders.models import Reminder
from bot.reminders.sending import Content, Reminders
from tests.factories import make_conversation, make_student, receive

ADDRESS = "https://accueil.example"


def a_step(slug: str, due: str | None, **changes: Any) -> Procedure:
    return Procedure.model_validate(
        {
            "slug": slug,
            "title": {"en": f"Do {slug}", "fr": f"Faire {slug}"},
            "who": [{"when": "always", "then": "applies", "because": {"en": "The rule.", "fr": "La règle."}}],
            "due": due,
            "legal_duty": False,
            "do": {"en": f"How {slug} is done.", "fr": f"Comment {slug} se fait."},
            "late": {"en": f"Do {slug} today.", "fr": f"Faites {slug} aujourd'hui."},
            "sources": [{"title": "A source", "url": "https://example.org/", "checked_on": "2026-11-23"}],
            "facts": ["VAL-01"],
            "valid_from": "2026-01-01",
            "valid_until": "2027-12-31",
            "owner": "international_office",
            **changes,
        }
    )


PROCEDURES = (
    a_step("validate_visa", "visa_start", legal_duty=True),
    a_step("cvec", "enrolment_date"),
    a_step("housing_aid", "lease_start"),
    a_step("bank_account", "job_start"),
    a_step("transcript", None),
)
DUE = {"visa_start": "2026-11-27"}
"""Three days after `now`: `validate_visa` is reminded of today."""


@pytest.fixture
def content(knowledge: Knowledge) -> Content:
    return Content(PROCEDURES, knowledge, ADDRESS)


@pytest.fixture
def reminders(database: Database, content: Content) -> Reminders:
    return Reminders(database, content)


@pytest.fixture
def amina(database: Database, now: datetime) -> int:
    with database.write() as session:
        return make_student(session, now - timedelta(days=90), **DUE).id


@pytest.fixture
def talk(database: Database, now: datetime, amina: int) -> UUID:
    """A linked conversation in which she wrote an hour ago."""
    with database.write() as session:
        conversation = make_conversation(session, now - timedelta(days=3))
        conversation.student_id = amina
        receive(session, conversation.id, "Hello", now - timedelta(hours=1))
        return conversation.id


@pytest.fixture
def do_step(database: Database, now: datetime) -> Callable[..., None]:
    def write(student_id: int, step: str, at: datetime = now) -> None:
        with database.write() as session:
            session.add(StepDone(student_id=student_id, step=step, done_on=at.date(), recorded_at=at))

    return write


def rows(database: Database) -> list[tuple[str, str, str | None, str | None]]:
    """(subject, state, reason, channel) of every reminder, in the order they were made."""
    with database.read() as session:
        found = session.scalars(select(Reminder).order_by(Reminder.id))
        return [(each.subject, str(each.state), each.reason, each.channel) for each in found]


def mails(database: Database) -> list[dict[str, Any]]:
    with database.read() as session:
        return list(session.scalars(select(OutboxEntry.payload).order_by(OutboxEntry.id)))


def talk_of(database: Database, conversation_id: UUID) -> Conversation:
    with database.read() as session:
        return session.get_one(Conversation, conversation_id)
