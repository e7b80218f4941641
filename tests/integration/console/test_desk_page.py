"""What the desk's script asks for."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select

from bot.bootstrap import Services
from bot.clock import FixedClock
from bot.console.pages.desk import routes, rows
from bot.conversations.messages import Candidate, Understanding
from bot.conversations.models import Alert, Author, Conversation
from bot.conversations.service import append
from bot.handoff.beside import add_note, add_task, set_tags, settle_task
from bot.handoff.models import DeskMember, Outcome, Reason
from bot.handoff.service import claim, close, reply, request_person
from bot.identity.models import AuditEntry, Role, Staff
from tests.factories import make_conversation, make_staff, make_student, receive
from tests.integration.console.desk import Row, enter, fragment

TABS = ("waiting", "mine", "team", "colleagues", "bot", "unanswered", "snoozed", "closed", "all", "tasks")
NONE = dict.fromkeys(TABS, 0)


@pytest.fixture
async def desk(client: httpx.AsyncClient, services: Services, claire: Staff) -> httpx.AsyncClient:
    enter(client, services, claire)
    return client


@pytest.fixture
def conversation_id(services: Services) -> UUID:
    now = services.clock.now()
    with services.database.write() as session:
        student = make_student(session, now, campus="lille", programme_type="degree", school="hei")
        conversation = make_conversation(session, now)
        conversation.student_id = student.id
        receive(session, conversation.id, "My *visa* <b>number</b>", now)
        request_person(session, conversation, Reason.ASKED, now)
        session.add(Alert(conversation_id=conversation.id, kind="urgent", key="urgent:1", created_at=now))
        return conversation.id


async def test_whoever_is_in_danger_stands_before_those_who_wait_longer(desk: httpx.AsyncClient, services: Services):
    now = services.clock.now()
    with services.database.write() as session:
        talks = [make_conversation(session, now) for _ in range(4)]
        for minutes, (talk, reason) in enumerate(
            zip(talks, (Reason.ASKED, Reason.ASKED, Reason.URGENT, Reason.URGENT), strict=True)
        ):
            request_person(session, talk, reason, now + timedelta(minutes=minutes))
        session.add(Alert(conversation_id=talks[1].id, kind="urgent", key="urgent:1", created_at=now))
        first, alerted, urgent, last = (str(talk.id) for talk in talks)

    waiting = fragment(await desk.get("/staff/rows?tab=waiting"))

    assert waiting.ids == [alerted, urgent, last, first]
    assert [row.marks for row in waiting.rows] == [("Urgent", "English")] * 3 + [("English",)]


async def test_a_row_says_who_waits_since_when_and_what_for(desk: httpx.AsyncClient, conversation_id: UUID):
    waiting = fragment(await desk.get("/staff/rows?tab=waiting"))

    assert waiting.rows == [
        Row(
            id=str(conversation_id),
            classes="row is-urgent alerted",
            name="Amina Test",
            when="2026-11-24T11:00:00+00:00",
            excerpts=("My visa <b>number</b>",),
            marks=("Urgent", "English", "Lille"),
            hits=(),
        )
    ]
    assert waiting.facts == {
        "counts": NONE | {"waiting": 1, "all": 1},
        "calling": [{"conversation_id": str(conversation_id), "control": "waiting", "last_seq": 2}],
        "now": "2026-11-24T11:00:00+00:00",
    }
    assert (waiting.empty, waiting.buttons) == ("", [])


async def test_the_head_of_a_conversation_says_what_may_be_done_with_it(desk: httpx.AsyncClient, conversation_id: UUID):
    head = await desk.get(f"/staff/api/conversations/{conversation_id}")

    assert head.json() == {
        "conversation_id": str(conversation_id),
        "control": "waiting",
        "version": 2,
        "assignee": None,
        "channel": "web",
        "language": "en",
        "last_seq": 2,
        "waiting_since": "2026-11-24T11:00:00+00:00",
        "waits_seconds": 0,
        "desk": None,
        "tags": [],
        "snoozed_until": None,
        "urgency": "urgent",
        "reason": "asked",
        "outcome": None,
        "updated_at": "2026-11-24T11:00:00+00:00",
        "created_at": "2026-11-24T11:00:00+00:00",
        "alerts": ["urgent"],
        "student": {
            "name": "Amina Test",
            "campus": "Lille",
            "programme": "Degree",
            "school": "HEI",
            "language": "English",
        },
        "last": {"author": "student", "author_name": None, "text": "My *visa* <b>number</b>"},
        "position": 1,
    }


@pytest.mark.parametrize(
    ("language", "marks", "whens"),
    [
        ("en", ("You", "laid aside until Thu 26 Nov, 09:00", "English", "Housing", "caf"), ["12:00", "2 Sept"]),
        (
            "fr",
            ("Vous", "mise de côté, retour\xa0: jeu. 26 nov., 09:00", "anglais", "Logement", "caf"),
            ["12:00", "2 sept."],
        ),
    ],
)
async def test_a_row_tells_its_marks_and_french_times_in_the_colleague_s_language(
    desk: httpx.AsyncClient, services: Services, claire: Staff, language: str, marks: tuple[str, ...], whens: list[str]
):
    now = services.clock.now()
    with services.database.write() as session:
        session.get_one(Staff, claire.id).language = language
        talk, old = make_conversation(session, now), make_conversation(session, now - timedelta(days=83, hours=12))
        claim(session, talk.id, claire, now)
        set_tags(session, talk, claire, ["caf"], now)
        talk.snoozed_until, talk.desk = datetime(2026, 11, 26, 8, 0, tzinfo=UTC), "housing"
        # What happened late in the evening in France is of the day before in London.
        old.updated_at = datetime(2026, 9, 1, 22, 30, tzinfo=UTC)
    every = fragment(await desk.get("/staff/rows?tab=all"))

    assert (every.rows[0].marks, [row.when for row in every.rows]) == (marks, whens)


async def test_what_stands_in_a_row_is_text_whoever_wrote_it(
    desk: httpx.AsyncClient, services: Services, claire: Staff, marc: Staff
):
    now, hostile = services.clock.now(), "<img src=x onerror=alert(1)> '\"&amp;</a>"
    with services.database.write() as session:
        student = make_student(session, now, "<b>Mallory</b>")
        conversation = make_conversation(session, now)
        conversation.student_id = student.id
        receive(session, conversation.id, f"[a](https://x.example) {hostile}", now)
        add_note(session, conversation, marc, f"@claire {hostile}", now)
        add_task(session, conversation, claire, hostile, now.date(), now)
    listed = fragment(await desk.get("/staff/rows?tab=all"))
    found = fragment(await desk.get("/staff/rows/found?q=onerror"))
    promised = fragment(await desk.get("/staff/rows/promises"))

    note, row = listed.rows
    assert (note.excerpts, row.name) == ((f"@claire {hostile}",), "<b>Mallory</b> Test")
    assert row.excerpts == (f"a {hostile}",)
    assert found.rows[0].excerpts == (f"a {hostile}", f"Note by Marc: @claire {hostile}")
    assert (promised.rows[0].name, promised.rows[0].excerpts) == (hostile, ("<b>Mallory</b> Test",))


async def test_a_claim_moves_the_conversation_from_waiting_to_mine(desk: httpx.AsyncClient, conversation_id: UUID):
    claimed = await desk.post(f"/staff/api/conversations/{conversation_id}/claim")
    waiting = fragment(await desk.get("/staff/rows?tab=waiting"))
    mine = fragment(await desk.get("/staff/rows?tab=mine"))

    assert claimed.status_code == 200
    assert (waiting.ids, mine.ids) == ([], [str(conversation_id)])
    assert waiting.empty == "Nobody is waiting. A good moment for a coffee."
    assert mine.facts["counts"] == NONE | {"mine": 1, "all": 1}


async def test_what_a_colleague_holds_is_under_colleagues(
    desk: httpx.AsyncClient, services: Services, marc: Staff, conversation_id: UUID
):
    with services.database.write() as session:
        claim(session, conversation_id, marc, services.clock.now())
    held = fragment(await desk.get("/staff/rows?tab=colleagues"))

    assert [row.marks for row in held.rows] == [("Urgent", "Marc", "to answer", "English", "Lille")]
    assert held.facts["counts"] == NONE | {"colleagues": 1, "all": 1}


async def test_open_promises_are_listed_one_s_own_and_for_coordinators_everybody_s(
    desk: httpx.AsyncClient, services: Services, claire: Staff, marc: Staff, conversation_id: UUID
):
    now = services.clock.now()
    with services.database.write() as session:
        conversation = session.get_one(Conversation, conversation_id)
        late = add_task(session, conversation, marc, "I call the landlord", now.date(), now)
        late.due = date(2026, 11, 23)
        kept = add_task(session, conversation, claire, "I ask the CAF", now.date(), now).id
        add_task(session, conversation, claire, "I write to the bank", now.date(), now)
        settle_task(session, kept, claire, now, done=True)
        ines = make_staff(session, now, "Ines", Role.COORDINATOR)

    own = fragment(await desk.get("/staff/rows/promises"))
    enter(desk, services, ines)
    every = fragment(await desk.get("/staff/rows/promises"))
    counted = fragment(await desk.get("/staff/rows"))

    bank = ("row task", "I write to the bank", "due on 24 November 2026")
    landlord = ("row task alerted", "I call the landlord", "was due on 23 November 2026 · Marc")
    assert [(row.classes, row.name, row.when) for row in own.rows] == [bank]
    assert [(row.classes, row.name, row.when) for row in every.rows] == [landlord, (*bank[:2], f"{bank[2]} · Claire")]
    assert {row.excerpts for row in (*own.rows, *every.rows)} == {("Amina Test",)}
    assert every.buttons == ["Done", "Done"]
    assert [each.facts["counts"]["tasks"] for each in (own, every, counted)] == [1, 2, 2]


async def test_a_promise_in_a_conversation_that_went_to_another_desk_names_no_student(
    desk: httpx.AsyncClient, services: Services, claire: Staff, conversation_id: UUID
):
    now = services.clock.now()
    with services.database.write() as session:
        conversation = session.get_one(Conversation, conversation_id)
        add_task(session, conversation, claire, "I ask the CAF", now.date(), now)
        session.add(DeskMember(staff_id=claire.id, desk="office"))
        conversation.desk = "housing"
    promised = fragment(await desk.get("/staff/rows/promises"))

    assert [row.excerpts for row in promised.rows] == [(f"Student {str(conversation_id)[:4].upper()}",)]


async def test_held_rows_whose_last_word_is_the_student_s_are_to_be_answered(
    desk: httpx.AsyncClient, services: Services, claire: Staff
):
    now = services.clock.now()
    with services.database.write() as session:
        talks = [make_conversation(session, now + timedelta(minutes=minutes)) for minutes in range(2)]
        for talk in talks:
            receive(session, talk.id, "When?", now)
            reply(session, talk.id, claire, str(uuid4()), "On Monday", now)
        receive(session, talks[0].id, "And where?", now)
        answered, asked = talks[1].id, talks[0].id
    mine = fragment(await desk.get("/staff/rows?tab=mine"))

    assert {row.id: (row.classes, row.marks) for row in mine.rows} == {
        str(asked): ("row awaits-answer", ("You", "to answer", "English")),
        str(answered): ("row", ("You", "English")),
    }


async def test_a_closed_row_says_why_it_was_closed_where_that_is_known(
    desk: httpx.AsyncClient, services: Services, claire: Staff
):
    now = services.clock.now()
    with services.database.write() as session:
        for outcome in (Outcome.SOLVED, None):
            talk = make_conversation(session, now)
            claim(session, talk.id, claire, now)
            close(session, talk.id, claire, now, outcome=outcome)
    closed, every = [fragment(await desk.get(f"/staff/rows?tab={tab}")) for tab in ("closed", "all")]

    assert {row.marks for row in closed.rows} == {("Conversation closed · solved", "English"), ("English",)}
    assert {row.marks[0] for row in every.rows} == {"Conversation closed · solved", "Conversation closed"}


async def test_a_note_that_names_the_colleague_stands_above_every_list_until_it_is_read(
    desk: httpx.AsyncClient, services: Services, marc: Staff, conversation_id: UUID
):
    with services.database.write() as session:
        conversation = session.get_one(Conversation, conversation_id)
        note = add_note(session, conversation, marc, "@claire look at the lease", services.clock.now()).id
    before = fragment(await desk.get("/staff/rows?tab=closed"))
    await desk.get(f"/staff/api/conversations/{conversation_id}/notes")
    after = fragment(await desk.get("/staff/rows?tab=closed"))

    assert before.rows == [
        Row(
            id=f"note-{note}",
            classes="row called",
            name="Marc mentions you in a note",
            when="12:00",
            excerpts=("@claire look at the lease",),
            marks=(),
            hits=(),
        )
    ]
    assert (after.rows, after.empty) == ([], before.empty) == ([], "No conversation has been closed yet.")


async def test_a_list_that_is_full_offers_more_and_the_longest_one_the_search(
    desk: httpx.AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch
):
    with services.database.write() as session:
        for _ in range(2):
            make_conversation(session, services.clock.now())
    three, two = [fragment(await desk.get(f"/staff/rows?tab=all&limit={limit}")) for limit in (3, 2)]
    monkeypatch.setattr(rows, "MOST_ROWS", 2)
    longest = fragment(await desk.get("/staff/rows?tab=all&limit=2"))

    assert [(each.buttons, each.empty) for each in (three, two, longest)] == [
        ([], ""),
        (["Show more"], ""),
        ([], "There are more. Search, or use the filters."),
    ]


@pytest.mark.parametrize("deed", ["claim", "release", "close", "messages", "typing"])
async def test_without_the_csrf_token_nothing_is_done(
    desk: httpx.AsyncClient, services: Services, conversation_id: UUID, deed: str
):
    del desk.headers["X-CSRF-Token"]
    bodies = {"messages": {"client_id": str(uuid4()), "text": "Hello"}, "typing": {"on": True}}
    refused = await desk.post(f"/staff/api/conversations/{conversation_id}/{deed}", json=bodies.get(deed, {}))

    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    with services.database.read() as session:
        assert session.get_one(Conversation, conversation_id).last_seq == 2


async def test_the_transcript_shows_what_was_understood_and_no_html_of_anybody(
    desk: httpx.AsyncClient, services: Services, conversation_id: UUID
):
    known = Understanding(
        "ask/validate_visa", 0.93, "answer", "validate_visa", (), "paperwork",
        (Candidate("validate_visa", 0.93), Candidate("visa_fee", 0.04)),
    )  # fmt: skip
    with services.database.write() as session:
        append(
            session,
            session.get_one(Conversation, conversation_id),
            Author.BOT,
            "By **12 December** <script>alert(1)</script> [link](javascript:alert(1))",
            now=services.clock.now(),
            understanding=known.as_json(),
        )
    events = (await desk.get(f"/staff/api/conversations/{conversation_id}/transcript?after=1")).json()["events"]

    assert "html" not in events[0]
    assert events[0]["text"] == "My *visa* <b>number</b>"
    assert events[1]["html"] == (
        "<p>By <strong>12 December</strong> &lt;script&gt;alert(1)&lt;/script&gt; [link](javascript:alert(1))</p>\n"
    )
    assert events[1]["understanding"] == {
        "what": ["validate visa"],
        "confidence": 0.93,
        "action": "answer",
        "others": [{"title": "visa fee", "confidence": 0.04}],
    }


async def test_reading_a_conversation_is_written_down_once(
    desk: httpx.AsyncClient, services: Services, claire: Staff, conversation_id: UUID, clock: FixedClock
):
    for minutes in (0, 5, 20, 20):
        clock.instant += timedelta(minutes=minutes)
        await desk.post("/staff/api/here")
        for path in ("", "/transcript", "/messages"):
            assert (await desk.get(f"/staff/api/conversations/{conversation_id}{path}")).status_code == 200

    with services.database.read() as session:
        read = session.execute(
            select(AuditEntry.staff_id, AuditEntry.conversation_id).where(AuditEntry.action == "read")
        ).all()
    assert [tuple(entry) for entry in read] == [(claire.id, conversation_id)] * 2


async def test_only_whoever_holds_the_conversation_is_shown_as_writing(
    desk: httpx.AsyncClient, services: Services, claire: Staff, conversation_id: UUID
):
    path = f"/staff/api/conversations/{conversation_id}/typing"
    with services.live.subscribe(conversation_id) as student:
        refused = await desk.post(path, json={"on": True})
        with services.database.write() as session:
            claim(session, conversation_id, claire, services.clock.now())
        allowed = await desk.post(path, json={"on": True})
        signals = student.take_typing()

    assert (refused.status_code, allowed.status_code) == (403, 204)
    assert signals == [("staff", True)]


async def test_the_stream_tells_at_once_that_something_moved(
    desk: httpx.AsyncClient, services: Services, conversation_id: UUID
):
    stream = routes.follow(services, desk.cookies["accueil_staff"])
    first = await anext(stream)
    second = asyncio.create_task(anext(stream))
    await asyncio.sleep(0)
    await desk.post(f"/staff/api/conversations/{conversation_id}/claim")

    assert first == await asyncio.wait_for(second, 1) == "event: moved\ndata: {}\n\n"
    await stream.aclose()


async def test_the_stream_of_a_disabled_account_is_cut(
    desk: httpx.AsyncClient, services: Services, claire: Staff, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(routes, "SESSION_CHECK", 0.05)
    monkeypatch.setattr(routes, "HEARTBEAT", 0.05)
    stream = routes.follow(services, desk.cookies["accueil_staff"])
    heard = [await anext(stream), await anext(stream)]
    with services.database.write() as session:
        session.get_one(Staff, claire.id).disabled = True
    heard += [event async for event in stream]

    assert heard == ["event: moved\ndata: {}\n\n", "event: beat\ndata: {}\n\n", "event: signed_out\ndata: {}\n\n"]


async def test_the_stream_says_who_writes_in_the_opened_conversation_only(
    desk: httpx.AsyncClient, services: Services, conversation_id: UUID
):
    opened = routes.follow(services, desk.cookies["accueil_staff"], conversation_id)
    elsewhere = routes.follow(services, desk.cookies["accueil_staff"])
    for stream in (opened, elsewhere):
        await anext(stream)
    heard = [asyncio.create_task(anext(stream)) for stream in (opened, elsewhere)]
    await asyncio.sleep(0)
    services.live.typing(conversation_id, "student", on=True)
    await asyncio.sleep(0)
    assert await asyncio.wait_for(heard[0], 1) == 'event: typing\ndata: {"author": "student", "on": true}\n\n'
    services.live.changed(conversation_id)

    assert await asyncio.wait_for(anext(opened), 1) == "event: moved\ndata: {}\n\n"
    assert await asyncio.wait_for(heard[1], 1) == "event: moved\ndata: {}\n\n"
    await opened.aclose()
    await elsewhere.aclose()


async def test_the_list_of_a_language_leaves_the_others_out(
    desk: httpx.AsyncClient, services: Services, conversation_id: UUID
):
    english = fragment(await desk.get("/staff/rows?tab=all&language=en"))
    french = fragment(await desk.get("/staff/rows?tab=all&language=fr"))

    assert english.ids == [str(conversation_id)]
    assert (french.rows, french.facts["counts"]) == ([], english.facts["counts"])
    assert french.empty == "Nothing in this list fits the filters."


async def test_what_the_assistant_did_not_know_is_a_list_of_its_own(
    desk: httpx.AsyncClient, services: Services, conversation_id: UUID
):
    before = fragment(await desk.get("/staff/rows?tab=unanswered"))
    with services.database.write() as session:
        session.get_one(Conversation, conversation_id).abstentions = 1
    unanswered = fragment(await desk.get("/staff/rows?tab=unanswered"))
    await desk.post(f"/staff/api/conversations/{conversation_id}/claim")
    held = fragment(await desk.get("/staff/rows?tab=unanswered"))

    assert unanswered.ids == [str(conversation_id)]
    assert [each.facts["counts"]["unanswered"] for each in (before, unanswered, held)] == [0, 1, 0]


async def test_the_stream_is_not_for_strangers(client: httpx.AsyncClient):
    assert (await client.get("/staff/events")).status_code == 401
