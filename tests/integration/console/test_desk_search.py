"""The search of the desk: what is found, what is written down, what is refused."""

from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from bot.bootstrap import Services
from bot.console.pages.desk import routes
from bot.conversations.models import Conversation
from bot.identity.models import AuditEntry, Staff
from bot.privacy.erase import erase
from bot.privacy.reach import person_of_conversation
from tests.factories import make_conversation, make_student, receive
from tests.integration.console.desk import enter


@pytest.fixture
async def desk(client: httpx.AsyncClient, services: Services, claire: Staff) -> httpx.AsyncClient:
    enter(client, services, claire)
    return client


def talk_of(services: Services, *texts: str, name: str | None = None) -> str:
    now = services.clock.now()
    with services.database.write() as session:
        conversation = make_conversation(session, now)
        if name:
            conversation.student_id = make_student(session, now, name).id
        for text in texts:
            receive(session, conversation.id, text, now)
        return str(conversation.id)


async def test_what_was_said_is_found_by_conversation_with_its_place_and_marks(
    desk: httpx.AsyncClient, services: Services
):
    talk = talk_of(services, "My <b>visa</b> is late", "hello", "The VISA came")
    talk_of(services, "My lease")
    answer = (await desk.get("/staff/api/search", params={"q": "visa"})).json()

    assert [(row["conversation_id"], row["control"]) for row in answer["rows"]] == [(talk, "bot")]
    assert [(hit["seq"], hit["author"], hit["parts"]) for hit in answer["rows"][0]["hits"]] == [
        (
            4,
            "student",
            [{"text": "The ", "hit": False}, {"text": "VISA", "hit": True}, {"text": " came", "hit": False}],
        ),
        (
            2,
            "student",
            [{"text": "My <b>", "hit": False}, {"text": "visa", "hit": True}, {"text": "</b> is late", "hit": False}],
        ),
    ]
    assert answer["next_cursor"] is None


async def test_a_student_is_found_by_name_without_a_word_said(desk: httpx.AsyncClient, services: Services):
    talk = talk_of(services, "hello", name="Priya")
    talk_of(services, "hello", name="Ravi")
    found = (await desk.get("/staff/api/search?q=priya te")).json()["rows"]

    assert [(row["conversation_id"], row["student"]["name"], row["hits"]) for row in found] == [
        (talk, "Priya Test", [])
    ]


async def test_the_next_page_begins_where_the_first_ended(
    desk: httpx.AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(routes, "FOUND_AT_ONCE", 2)
    talks = [talk_of(services, f"visa {number}") for number in range(3)]
    first = (await desk.get("/staff/api/search?q=visa")).json()
    second = (await desk.get(f"/staff/api/search?q=visa&cursor={first['next_cursor']}")).json()

    assert [row["conversation_id"] for row in first["rows"]] == [talks[2], talks[1]]
    assert [row["conversation_id"] for row in second["rows"]] == [talks[0]]
    assert second["next_cursor"] is None


async def test_that_somebody_searched_is_written_down_without_the_words(
    desk: httpx.AsyncClient, services: Services, claire: Staff
):
    talk_of(services, "visa")
    await desk.get("/staff/api/search?q=visa")

    with services.database.read() as session:
        entries = session.execute(
            select(AuditEntry.staff_id, AuditEntry.details).where(AuditEntry.action == "search")
        ).all()
    assert [tuple(entry) for entry in entries] == [(claire.id, {"found": 1})]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("q=", "q"),
        ("q=a", "q"),
        (f"q={'a' * 201}", "q"),
        ("", "q"),
        ("q=visa&cursor=0", "cursor"),
        ("q=visa&cursor=x", "cursor"),
    ],
)
async def test_a_wrong_query_is_refused_by_field(desk: httpx.AsyncClient, query: str, field: str):
    refused = await desk.get(f"/staff/api/search?{query}")

    assert (refused.status_code, [error["field"] for error in refused.json()["errors"]]) == (422, [field])


async def test_signs_alone_find_nothing(desk: httpx.AsyncClient, services: Services):
    talk_of(services, "visa", name="Priya")

    assert (await desk.get("/staff/api/search", params={"q": "%_"})).json()["rows"] == []


async def test_an_erased_student_is_found_no_more(desk: httpx.AsyncClient, services: Services):
    talk = talk_of(services, "visa", name="Priya")
    before = (await desk.get("/staff/api/search?q=visa")).json()["rows"]
    with services.database.write() as session:
        person = person_of_conversation(session, session.get_one(Conversation, UUID(talk)))
        erase(session, person, services.clock.now(), key=b"k" * 32)
    after = [(await desk.get(f"/staff/api/search?q={word}")).json()["rows"] for word in ("visa", "Priya")]

    assert (len(before), after) == (1, [[], []])
