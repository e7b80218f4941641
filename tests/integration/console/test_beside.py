"""Beside the composer: who sees what of a student, replies filled in, answers in two languages."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from bot.bootstrap import Services
from bot.clock import FixedClock, day_in_france
from bot.config import ROOT, Settings
from bot.content.loader import Knowledge, load_knowledge
from bot.conversations.messages import Candidate, Understanding
from bot.conversations.models import Author, Conversation
from bot.conversations.service import append
from bot.db.session import Database
from bot.handoff.beside import add_task
from bot.identity.models import AuditEntry, Role
from bot.paperwork.schema import load_procedures
from bot.replies.rules import Draft
from bot.replies.service import add
from bot.students.models import Student
from tests.factories import make_conversation, make_staff, make_student
from tests.integration.console.desk import browser, desk_app, desk_services, enter

TEXTS = {"en": "Hello {first_name}, see you in {campus} on {arrival}.", "fr": "Bonjour {first_name}"}


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge(ROOT / "knowledge")


@pytest.fixture
def services(database: Database, clock: FixedClock, knowledge: Knowledge, tmp_path) -> Services:
    procedures = load_procedures(ROOT / "knowledge" / "procedures")
    services = desk_services(database, clock)
    # Words alone: no model is trained in this folder.
    settings = Settings(_env_file=None, data=tmp_path)
    return replace(services, knowledge=knowledge, procedures=procedures, settings=settings)


@pytest.fixture
def app(services: Services) -> FastAPI:
    return desk_app(services)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(app) as client:
        yield client


@pytest.fixture
def talk(services: Services) -> str:
    """A Spanish conversation of Amina, who goes to Lille."""
    now = services.clock.now()
    with services.database.write() as session:
        student = make_student(session, now, "Amina", campus="lille", programme_type="exchange", nationality=["MA"])
        conversation = make_conversation(session, now, "es")
        conversation.student_id = student.id
        return str(conversation.id)


def sign_in(client: httpx.AsyncClient, services: Services, role: Role = Role.COORDINATOR, language: str = "en") -> None:
    with services.database.write() as session:
        staff = make_staff(session, services.clock.now(), role.title(), role)
        staff.language = language
    enter(client, services, staff)


def add_reply(services: Services) -> int:
    now = services.clock.now()
    with services.database.write() as session:
        ines = make_staff(session, now, "Ines", Role.COORDINATOR)
        return add(session, ines, Draft("Welcome", "welcome", True, TEXTS), now, "en").id


async def test_the_card_shows_the_record_and_the_path(client: httpx.AsyncClient, services: Services, talk: str):
    sign_in(client, services)
    card = await client.get(f"/staff/beside/{talk}")

    assert card.status_code == 200
    for words in ("Amina Test", "Lille", "Exchange", "Nothing is booked.", "No buddy.", "This is the only one."):
        assert words in card.text
    assert 'href="/staff/students"' in card.text


async def test_what_was_promised_here_and_is_not_done_stands_on_the_card(
    client: httpx.AsyncClient, services: Services, talk: str
):
    now = services.clock.now()
    with services.database.write() as session:
        claire = make_staff(session, now, "Claire", Role.ADVISER)
        conversation = session.get_one(Conversation, UUID(talk))
        for text, days, done in (
            ("Call the CAF", 3, False),
            ("Send the letter", 1, False),
            ("Ask the school", 2, True),
        ):
            task = add_task(session, conversation, claire, text, day_in_france(now) + timedelta(days=days), now)
            task.done_at = now if done else None
    sign_in(client, services)

    page = (await client.get(f"/staff/beside/{talk}")).text

    part = page[page.index("<h2>Promised</h2>") : page.index("</ul>")]
    assert re.findall(r'<span dir="auto">(.+?)</span>', part) == ["Send the letter", "Call the CAF"]
    assert part.count("· Claire</span>") == 2


async def test_an_unlinked_conversation_says_what_that_means(client: httpx.AsyncClient, services: Services):
    sign_in(client, services)
    with services.database.write() as session:
        stranger = make_conversation(session, services.clock.now()).id
    card = await client.get(f"/staff/beside/{stranger}")

    assert "Nobody has proved who is writing" in card.text


@pytest.mark.parametrize("role", Role)
async def test_an_editor_sees_no_record_and_nobody_a_page_that_is_not_theirs(
    client: httpx.AsyncClient, services: Services, talk: str, role: Role
):
    sign_in(client, services, role)
    card = await client.get(f"/staff/beside/{talk}")

    assert ("Amina" in card.text) == (role is not Role.EDITOR)
    assert ('href="/staff/students"' in card.text) == (role in {Role.COORDINATOR, Role.ADMIN})


async def test_opening_the_card_is_one_reading_in_the_audit_log(
    client: httpx.AsyncClient, services: Services, talk: str
):
    sign_in(client, services)
    for path in ("", "/replies", "/answers"):
        await client.get(f"/staff/beside/{talk}{path}")

    with services.database.read() as session:
        assert session.scalar(select(func.count()).where(AuditEntry.action == "read")) == 1


@pytest.mark.parametrize(
    ("understanding", "said"),
    [
        (Understanding("handoff", 0.99, "handoff", group="human"), "A person is asked for · 99&nbsp;%"),
        (Understanding("smalltalk/thanks", 0.91, "chat", group="small_talk"), "Small talk · 91&nbsp;%"),
        (Understanding("urgent", 1.0, "urgent"), "Something urgent"),
        (Understanding("ask/cvec", 0.2, "abstain"), "Nothing sure"),
        (Understanding("ask/cvec", 0.9, "answer", "cvec"), "CVEC · 90&nbsp;% · <code>ask/cvec</code>"),
    ],
)
async def test_what_was_understood_is_said_in_words_also_where_it_is_no_topic(
    client: httpx.AsyncClient, services: Services, talk: str, understanding: Understanding, said: str
):
    now = services.clock.now()
    with services.database.write() as session:
        conversation = session.get_one(Conversation, UUID(talk))
        asked = append(session, conversation, Author.STUDENT, "¿?", now=now)
        told = understanding.as_json()
        append(session, conversation, Author.BOT, "…", now=now, in_reply_to=asked.seq, understanding=told)
    sign_in(client, services)
    card = (await client.get(f"/staff/beside/{talk}")).text

    shown = card.partition('<ul class="beside-understood">')[2]
    assert shown.partition("<p>")[2].partition("</p>")[0] == said


async def test_what_else_it_could_be_is_named_where_it_is_at_all_likely(
    client: httpx.AsyncClient, services: Services, talk: str
):
    now = services.clock.now()
    others = (Candidate("visa", 0.06), Candidate("psychologist", 0.004), Candidate("caf", 0.006))
    with services.database.write() as session:
        conversation = session.get_one(Conversation, UUID(talk))
        for candidates in (others, others[1:2]):
            asked = append(session, conversation, Author.STUDENT, "¿?", now=now)
            told = Understanding("handoff", 0.9, "handoff", group="human", candidates=candidates).as_json()
            append(session, conversation, Author.BOT, "…", now=now, in_reply_to=asked.seq, understanding=told)
    sign_in(client, services)
    card = (await client.get(f"/staff/beside/{talk}")).text

    assert re.findall("Other possibilities: (.*?)</p>", card) == ["visa 6&nbsp;%, caf 1&nbsp;%"]


async def test_other_conversations_of_the_student_are_linked(client: httpx.AsyncClient, services: Services, talk: str):
    sign_in(client, services)
    with services.database.write() as session:
        other = make_conversation(session, services.clock.now() - timedelta(days=3))
        other.student_id = session.scalar(select(Student.id))
        other_id = other.id
    card = await client.get(f"/staff/beside/{talk}")

    assert f'href="#{other_id}"' in card.text


@pytest.mark.parametrize("path", ["", "/replies", "/answers"])
async def test_a_conversation_that_does_not_exist_is_not_found(
    client: httpx.AsyncClient, services: Services, path: str
):
    sign_in(client, services)
    response = await client.get(f"/staff/beside/7f8ad1f0-95d6-4c0c-b7a1-6a0f2a7f7d10{path}")

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


async def test_a_reply_is_filled_and_what_is_not_known_is_a_gap(
    client: httpx.AsyncClient, services: Services, talk: str
):
    reply_id = add_reply(services)
    sign_in(client, services, Role.ADVISER)
    found = await client.get(f"/staff/beside/{talk}/replies", params={"q": "/wel"})
    preview = await client.get(f"/staff/beside/{talk}/replies", params={"id": reply_id})

    assert "<code>/welcome</code>" in found.text
    assert "There is no text in Spanish: this is the one in English." in preview.text
    assert "<span data-part>Amina</span>" in preview.text
    assert 'placeholder="day of arrival in France"' in preview.text
    assert "{" not in preview.text
    assert "data-insert disabled" in preview.text


async def test_an_auditor_reads_a_reply_and_cannot_insert_it(client: httpx.AsyncClient, services: Services, talk: str):
    reply_id = add_reply(services)
    sign_in(client, services, Role.AUDITOR)
    preview = await client.get(f"/staff/beside/{talk}/replies", params={"id": reply_id})

    assert "<span data-part>Amina</span>" in preview.text
    assert "data-insert" not in preview.text


async def test_an_answer_is_found_and_shown_in_both_languages(
    client: httpx.AsyncClient, services: Services, knowledge: Knowledge, talk: str
):
    slug = "validate_visa" if "validate_visa" in knowledge.topics else next(iter(knowledge.topics))
    sign_in(client, services, language="fr")
    with services.database.write() as session:
        session.scalars(select(Conversation)).one().language = "en"
    question = knowledge.topic(slug).file.question.get("fr")
    found = await client.get(f"/staff/beside/{talk}/answers", params={"q": question})
    pair = await client.get(f"/staff/beside/{talk}/answers", params={"topic": slug})

    assert f"/answers?topic={slug}&amp;q=" in found.text
    assert 'lang="en"' in pair.text
    assert 'lang="fr"' in pair.text
    assert "data-insert-whole" in pair.text


async def test_an_answer_that_is_not_written_in_the_students_language_says_so(
    client: httpx.AsyncClient, services: Services, knowledge: Knowledge, talk: str
):
    slug = next(slug for slug, topic in knowledge.topics.items() if "es" not in topic.pages)
    sign_in(client, services)
    pair = await client.get(f"/staff/beside/{talk}/answers", params={"topic": slug})

    assert "There is no text in Spanish: this is the one in English." in pair.text


async def test_words_that_are_nowhere_find_nothing(client: httpx.AsyncClient, services: Services, talk: str):
    sign_in(client, services)
    found = await client.get(f"/staff/beside/{talk}/answers", params={"q": "xyzzyx"})

    assert "No answer is near to these words." in found.text
