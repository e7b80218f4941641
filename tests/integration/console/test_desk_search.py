"""The search of the desk: what is found, what is written down, what is refused."""

from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from bot.bootstrap import Services
from bot.console.pages.desk import rows
from bot.content.desks import load_desks
from bot.conversations.models import Conversation
from bot.handoff.beside import add_note, delete_note
from bot.handoff.desks import Office, join
from bot.handoff.finding import found_notes
from bot.identity.models import AuditEntry, Staff
from bot.privacy.erase import erase
from bot.privacy.reach import person_of_conversation
from tests.factories import make_conversation, make_student, receive
from tests.integration.console.desk import Row, enter, fragment


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
    found = fragment(await desk.get("/staff/rows/found", params={"q": "visa"}))

    assert found.rows == [
        Row(
            id=talk,
            classes="row",
            name=f"Student {talk[:4].upper()}",
            when="12:00",
            excerpts=("The VISA came", "My <b>visa</b> is late"),
            marks=("The assistant answers", "English"),
            hits=("VISA", "visa"),
        )
    ]
    assert (found.following, found.empty) == ("", "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**Documents** for the _visa_: see [the list](https://x.example)", "Documents for the visa: see the list"),
        ("# The visa\n> quoted > not", "The visa quoted > not"),
        ("my_visa_copy <b>.pdf, 2 * 3", "my_visa_copy <b>.pdf, 2 * 3"),
    ],
)
async def test_a_row_and_what_a_search_found_are_without_the_signs_of_markdown_alone(
    desk: httpx.AsyncClient, services: Services, text: str, shown: str
):
    talk_of(services, text)
    listed = fragment(await desk.get("/staff/rows?tab=all"))
    found = fragment(await desk.get("/staff/rows/found?q=visa"))

    assert [row.excerpts for row in (*listed.rows, *found.rows)] == [(shown,)] * (1 + len(found.rows))


async def test_a_student_is_found_by_name_without_a_word_said(desk: httpx.AsyncClient, services: Services):
    talk = talk_of(services, "hello", name="Priya")
    talk_of(services, "hello", name="Ravi")
    found = fragment(await desk.get("/staff/rows/found?q=priya te"))

    assert [(row.id, row.name, row.excerpts, row.hits) for row in found.rows] == [(talk, "Priya Test", ("hello",), ())]


@pytest.mark.parametrize("before", ["", "Student ", "étudiant  "])
async def test_the_number_of_a_student_who_is_not_linked_finds_the_conversation(
    desk: httpx.AsyncClient, services: Services, before: str
):
    talk = talk_of(services, "hello")
    talk_of(services, "hello", "hello again")
    found = fragment(await desk.get("/staff/rows/found", params={"q": f"{before}{talk[:4].upper()}"}))

    assert [(row.id, row.name) for row in found.rows] == [(talk, f"Student {talk[:4].upper()}")]


async def test_a_number_after_another_word_is_looked_for_in_what_was_said(desk: httpx.AsyncClient, services: Services):
    talk = talk_of(services, "hello")

    assert fragment(await desk.get("/staff/rows/found", params={"q": f"visa {talk[:4]}"})).rows == []


async def test_a_number_finds_nothing_at_another_desk(desk: httpx.AsyncClient, services: Services, claire: Staff):
    talk = talk_of(services, "hello")
    with services.database.write() as session:
        join(session, Office(load_desks(services.knowledge.folder / "desks.yml")), "office", claire)
        session.get_one(Conversation, UUID(talk)).desk = "housing"

    assert fragment(await desk.get("/staff/rows/found", params={"q": talk[:4]})).rows == []


async def test_the_next_page_begins_where_the_first_ended(
    desk: httpx.AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rows, "FOUND_AT_ONCE", 2)
    talks = [talk_of(services, f"visa {number}") for number in range(3)]
    first = fragment(await desk.get("/staff/rows/found?q=visa"))
    second = fragment(await desk.get(first.following))

    assert (first.ids, first.buttons) == ([talks[2], talks[1]], ["Show more"])
    assert (second.ids, second.buttons) == ([talks[0]], [])


def note_in(services: Services, talk: str, author: Staff, text: str, minutes: int = 0) -> int:
    now = services.clock.now() + timedelta(minutes=minutes)
    with services.database.write() as session:
        return add_note(session, session.get_one(Conversation, UUID(talk)), author, text, now).id


async def test_a_note_of_a_colleague_is_found_and_says_that_it_is_one(
    desk: httpx.AsyncClient, services: Services, marc: Staff
):
    talk = talk_of(services, "my visa is late")
    note_in(services, talk, marc, "The préfecture knows of the visa", minutes=1)
    of_note = fragment(await desk.get("/staff/rows/found?q=prefecture visa"))
    both = fragment(await desk.get("/staff/rows/found?q=visa"))

    noted = "Note by Marc: The préfecture knows of the visa"
    assert [(row.id, row.excerpts, row.hits) for row in of_note.rows] == [(talk, (noted,), ("préfecture", "visa"))]
    assert [row.excerpts for row in both.rows] == [(noted, "my visa is late")]


async def test_notes_beside_another_desk_are_not_found(
    desk: httpx.AsyncClient, services: Services, claire: Staff, marc: Staff
):
    own, others = talk_of(services, "hello"), talk_of(services, "hello")
    with services.database.write() as session:
        office = Office(load_desks(services.knowledge.folder / "desks.yml"))
        mine, theirs = list(office.desks)[:2]
        join(session, office, mine, claire)
        for talk, desk_name in ((own, mine), (others, theirs)):
            session.get_one(Conversation, UUID(talk)).desk = desk_name
    for talk in (own, others):
        note_in(services, talk, marc, "an expired passport")
    found = fragment(await desk.get("/staff/rows/found?q=passport"))

    assert found.ids == [own]
    with services.database.read() as session:
        assert len(found_notes(session, "passport", None, 10, marc)) == 2


async def test_pages_go_on_until_messages_and_notes_are_all_shown(
    desk: httpx.AsyncClient, services: Services, marc: Staff, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rows, "FOUND_AT_ONCE", 2)
    monkeypatch.setattr(rows, "HITS_SHOWN", 4)
    talk = talk_of(services, "visa 0", "visa 1", "visa 2")
    for number in range(5):
        note_in(services, talk, marc, f"visa note {number}", minutes=number)
    texts, address = [], "/staff/rows/found?q=visa"
    while address:
        page = fragment(await desk.get(address))
        texts.append([text.removeprefix("Note by Marc: ") for row in page.rows for text in row.excerpts])
        address = page.following

    assert texts == [
        ["visa note 4", "visa note 3", "visa 2", "visa 1"],
        ["visa note 2", "visa note 1", "visa 0"],
        ["visa note 0"],
    ]


async def test_a_note_that_was_taken_back_is_found_no_more(desk: httpx.AsyncClient, services: Services, marc: Staff):
    note = note_in(services, talk_of(services, "hello"), marc, "an expired passport")
    before = fragment(await desk.get("/staff/rows/found?q=passport"))
    with services.database.write() as session:
        delete_note(session, note, marc, services.clock.now())

    after = fragment(await desk.get("/staff/rows/found?q=passport"))
    assert (len(before.rows), after.rows) == (1, [])
    assert after.empty == "Nothing was found. Try fewer or shorter words."


async def test_each_page_of_a_search_is_written_down_without_the_words(
    desk: httpx.AsyncClient, services: Services, claire: Staff, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rows, "FOUND_AT_ONCE", 1)
    for number in range(2):
        talk_of(services, f"visa {number}")
    first = fragment(await desk.get("/staff/rows/found?q=visa"))
    assert len(fragment(await desk.get(first.following)).rows) == 1

    assert searches_in_log(services) == [(claire.id, {"found": 1})] * 2


async def test_a_place_that_somebody_made_up_shows_nothing_without_an_entry_in_the_log(
    desk: httpx.AsyncClient, services: Services, claire: Staff
):
    talk = talk_of(services, "my visa")
    shown = fragment(await desk.get("/staff/rows/found?q=visa&cursor=9999999999.9999999999"))

    assert (shown.ids, searches_in_log(services)) == ([talk], [(claire.id, {"found": 1})])


def searches_in_log(services: Services) -> list[tuple[int, dict[str, int]]]:
    """(who, details) of each."""
    with services.database.read() as session:
        wanted = select(AuditEntry.staff_id, AuditEntry.details).where(AuditEntry.action == "search")
        return [tuple(entry) for entry in session.execute(wanted.order_by(AuditEntry.id))]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("q=", "q"),
        ("q=a", "q"),
        (f"q={'a' * 201}", "q"),
        ("", "q"),
        ("q=visa&cursor=1", "cursor"),
        ("q=visa&cursor=1.x", "cursor"),
        ("q=visa&cursor=x", "cursor"),
    ],
)
async def test_a_wrong_query_is_refused_by_field(desk: httpx.AsyncClient, query: str, field: str):
    refused = await desk.get(f"/staff/rows/found?{query}")

    assert (refused.status_code, [error["field"] for error in refused.json()["errors"]]) == (422, [field])


async def test_signs_alone_find_nothing(desk: httpx.AsyncClient, services: Services):
    talk_of(services, "visa", name="Priya")

    assert fragment(await desk.get("/staff/rows/found", params={"q": "%_"})).rows == []


async def test_an_erased_student_is_found_no_more(desk: httpx.AsyncClient, services: Services, marc: Staff):
    talk = talk_of(services, "visa", name="Priya")
    note_in(services, talk, marc, "a visa for Priya")
    before = fragment(await desk.get("/staff/rows/found?q=visa"))
    with services.database.write() as session:
        person = person_of_conversation(session, session.get_one(Conversation, UUID(talk)))
        erase(session, person, services.clock.now(), key=b"k" * 32)
    after = [fragment(await desk.get(f"/staff/rows/found?q={word}")).rows for word in ("visa", "Priya")]

    assert (len(before.rows), after) == (1, [[], []])
