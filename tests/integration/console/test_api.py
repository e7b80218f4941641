"""The staff API, as another desk would use it."""

import asyncio
import json
from base64 import urlsafe_b64encode
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select

from bot.bootstrap import Services
from bot.clock import FixedClock
from bot.conversations.models import Alert
from bot.handoff.models import Reason
from bot.handoff.service import claim, release, request_person
from bot.identity.models import AuditEntry, Staff
from tests.factories import make_conversation, receive, transcript
from tests.integration.console.desk import bearer_of

V1 = "/api/v1/staff"


@pytest.fixture
def conversation_id(services: Services) -> UUID:
    with services.database.write() as session:
        conversation = make_conversation(session, services.clock.now())
        receive(session, conversation.id, "I want to talk to a person", services.clock.now())
        request_person(session, conversation, Reason.ASKED, services.clock.now())
        return conversation.id


@pytest.fixture
def as_claire(services: Services, claire: Staff) -> dict[str, str]:
    with services.database.write() as session:
        return bearer_of(session, services, claire)


@pytest.fixture
def as_marc(services: Services, marc: Staff) -> dict[str, str]:
    with services.database.write() as session:
        return bearer_of(session, services, marc)


@pytest.fixture
def as_auditor(services: Services, auditor: Staff) -> dict[str, str]:
    with services.database.write() as session:
        return bearer_of(session, services, auditor)


async def test_a_waiting_conversation_is_listed_with_every_field_of_the_contract(
    client: httpx.AsyncClient, as_claire: dict[str, str], conversation_id: UUID, clock: FixedClock
):
    response = await client.get(f"{V1}/conversations", params={"state": "waiting"}, headers=as_claire)

    assert response.status_code == 200
    assert response.json() == {
        "conversations": [
            {
                "conversation_id": str(conversation_id),
                "control": "waiting",
                "version": 2,
                "assignee": None,
                "channel": "web",
                "language": "en",
                "last_seq": 2,
                "waiting_since": "2026-11-24T11:00:00Z",
                "waits_seconds": 0,
                "desk": None,
                "tags": [],
                "snoozed_until": None,
                "urgency": "normal",
                "reason": "asked",
                "outcome": None,
            }
        ],
        "next_cursor": None,
    }


async def test_without_a_token_nothing_is_told(client: httpx.AsyncClient, conversation_id: UUID):
    for path in ("/conversations", f"/conversations/{conversation_id}/messages"):
        response = await client.get(V1 + path)
        assert (response.status_code, response.json()["code"]) == (401, "not_signed_in")


async def test_a_wrong_token_and_that_of_a_disabled_account_are_refused(
    client: httpx.AsyncClient, services: Services, as_claire: dict[str, str], claire: Staff
):
    wrong = await client.get(f"{V1}/conversations", headers={"Authorization": "Bearer something"})
    with services.database.write() as session:
        session.get_one(Staff, claire.id).disabled = True
    disabled = await client.get(f"{V1}/conversations", headers=as_claire)

    assert (wrong.status_code, disabled.status_code) == (401, 401)


async def test_what_a_program_does_is_a_sign_of_its_colleague_once_a_minute_and_what_it_reads_is_none(
    client: httpx.AsyncClient, services: Services, as_claire: dict[str, str], conversation_id: UUID, clock: FixedClock
):
    def seen():
        with services.database.read() as session:
            return session.scalars(select(Staff.seen_at)).one()

    began = clock.now()
    await client.get(f"{V1}/conversations", headers=as_claire)
    assert seen() is None
    for seconds, expected in ((0, 0), (59, 0), (60, 60)):
        clock.instant = began + timedelta(seconds=seconds)
        response = await client.post(f"{V1}/conversations/{conversation_id}/claim", headers=as_claire)
        assert (response.status_code, seen()) == (200, began + timedelta(seconds=expected))


async def test_pages_hold_every_conversation_once_while_new_ones_come(
    client: httpx.AsyncClient, services: Services, as_claire: dict[str, str], clock: FixedClock
):
    def open_one() -> str:
        clock.instant += timedelta(seconds=1)
        with services.database.write() as session:
            return str(make_conversation(session, clock.now()).id)

    there = [open_one() for _ in range(7)]
    seen: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": "3"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(f"{V1}/conversations", params=params, headers=as_claire)).json()
        seen += [row["conversation_id"] for row in page["conversations"]]
        open_one()
        with services.database.write() as session:
            receive(session, UUID(there[0]), "Hello again", clock.now())
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert seen == there[::-1]


async def test_waiting_ones_come_first_come(
    client: httpx.AsyncClient, services: Services, as_claire: dict[str, str], clock: FixedClock
):
    waiting = []
    for _ in range(3):
        clock.instant += timedelta(minutes=1)
        with services.database.write() as session:
            conversation = make_conversation(session, clock.now())
            request_person(session, conversation, Reason.ASKED, clock.now())
            waiting.append(str(conversation.id))

    first = (await client.get(f"{V1}/conversations?state=waiting&limit=2", headers=as_claire)).json()
    second = (
        await client.get(
            f"{V1}/conversations", params={"state": "waiting", "cursor": first["next_cursor"]}, headers=as_claire
        )
    ).json()

    assert [row["conversation_id"] for row in first["conversations"] + second["conversations"]] == waiting
    assert second["next_cursor"] is None


TOO_LONG_AGO = urlsafe_b64encode(b'[null, "0001-01-01T00:00:00+14:00", "00000000000000000000000000000000"]').decode()


@pytest.mark.parametrize("cursor", ["x", "W10", "bnVsbA", "é", "////", "WyJib3QiLCAiMjAyNiIsICIwIl0", TOO_LONG_AGO])
async def test_a_cursor_that_is_not_ours_is_a_wrong_field(
    client: httpx.AsyncClient, as_claire: dict[str, str], cursor: str
):
    response = await client.get(f"{V1}/conversations", params={"cursor": cursor}, headers=as_claire)

    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "cursor")


async def test_a_claim_takes_the_conversation_and_the_student_is_told(
    client: httpx.AsyncClient, services: Services, as_claire: dict[str, str], conversation_id: UUID
):
    response = await client.post(f"{V1}/conversations/{conversation_id}/claim", headers=as_claire)

    assert response.status_code == 200
    assert response.json() == {
        "conversation_id": str(conversation_id),
        "control": "staff",
        "version": 3,
        "assignee": {"email": "claire@junia.example", "name": "Claire"},
        "channel": "web",
        "language": "en",
        "last_seq": 3,
        "waiting_since": None,
        "waits_seconds": None,
        "desk": None,
        "tags": [],
        "snoozed_until": None,
        "urgency": "normal",
        "reason": "asked",
        "outcome": None,
    }
    with services.database.read() as session:
        assert transcript(session, conversation_id)[-1] == ("system", "You are now talking to Claire.")


async def test_of_two_who_claim_at_once_exactly_one_wins(
    client: httpx.AsyncClient, as_claire: dict[str, str], as_marc: dict[str, str], conversation_id: UUID
):
    path = f"{V1}/conversations/{conversation_id}/claim"
    answers = await asyncio.gather(*(client.post(path, headers=who) for who in (as_claire, as_marc)))

    by_status = {answer.status_code: answer.json() for answer in answers}
    assert sorted(by_status) == [200, 409]
    assert by_status[409]["code"] == "already_taken"
    assert by_status[409]["title"] == f"{by_status[200]['assignee']['name']} is already answering this student."


async def test_a_claim_of_an_older_version_is_refused(
    client: httpx.AsyncClient, as_claire: dict[str, str], conversation_id: UUID
):
    response = await client.post(f"{V1}/conversations/{conversation_id}/claim", json={"version": 1}, headers=as_claire)

    assert (response.status_code, response.json()["code"]) == (409, "version_changed")


async def test_release_gives_back_and_close_ends(
    client: httpx.AsyncClient, as_claire: dict[str, str], conversation_id: UUID
):
    path = f"{V1}/conversations/{conversation_id}"
    await client.post(f"{path}/claim", headers=as_claire)
    released = await client.post(f"{path}/release", headers=as_claire)
    again = await client.post(f"{path}/release", headers=as_claire)
    closed = await client.post(f"{path}/close", headers=as_claire)

    assert (released.json()["control"], released.json()["assignee"]) == ("bot", None)
    assert (again.status_code, again.json()["code"]) == (409, "version_changed")
    assert closed.json()["control"] == "closed"


async def test_a_colleague_can_neither_release_nor_close_nor_answer(
    client: httpx.AsyncClient, as_claire: dict[str, str], as_marc: dict[str, str], conversation_id: UUID
):
    path = f"{V1}/conversations/{conversation_id}"
    await client.post(f"{path}/claim", headers=as_claire)
    message = {"client_id": str(uuid4()), "text": "Me too"}
    answers = [
        await client.post(f"{path}/release", headers=as_marc),
        await client.post(f"{path}/close", headers=as_marc),
        await client.post(f"{path}/messages", json=message, headers=as_marc),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(409, "already_taken")] * 3


async def test_an_answer_where_nobody_holds_is_a_claim_and_a_repeat_is_the_same_event(
    client: httpx.AsyncClient, services: Services, as_claire: dict[str, str], conversation_id: UUID
):
    path = f"{V1}/conversations/{conversation_id}/messages"
    message = {"client_id": str(uuid4()), "text": "Good morning, Claire here."}
    first = await client.post(path, json=message, headers=as_claire)
    repeat = await client.post(path, json=message, headers=as_claire)
    other = await client.post(path, json=message | {"text": "Something else"}, headers=as_claire)

    assert (first.status_code, repeat.status_code) == (202, 200)
    assert first.json() == repeat.json()
    assert (other.status_code, other.json()["code"]) == (409, "different_content")
    with services.database.read() as session:
        assert transcript(session, conversation_id)[-2:] == [
            ("system", "You are now talking to Claire."),
            ("staff", "Good morning, Claire here."),
        ]


@pytest.mark.parametrize("text", ["", "   ", "x" * 4001, "a\x00b", "half \ud83d of it"])
async def test_a_text_that_cannot_be_sent_names_the_field(
    client: httpx.AsyncClient, as_claire: dict[str, str], conversation_id: UUID, text: str
):
    body = json.dumps({"client_id": str(uuid4()), "text": text})
    response = await client.post(
        f"{V1}/conversations/{conversation_id}/messages",
        content=body,
        headers=as_claire | {"Content-Type": "application/json"},
    )

    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "text")


async def test_an_auditor_reads_and_cannot_act(
    client: httpx.AsyncClient, as_auditor: dict[str, str], conversation_id: UUID
):
    path = f"{V1}/conversations/{conversation_id}"
    read = await client.get(f"{path}/messages", headers=as_auditor)
    message = {"client_id": str(uuid4()), "text": "Hello"}
    deeds = [await client.post(f"{path}/{deed}", headers=as_auditor) for deed in ("claim", "release", "close")]
    deeds.append(await client.post(f"{path}/messages", json=message, headers=as_auditor))

    assert (read.status_code, read.json()["control"], read.json()["last_seq"]) == (200, "waiting", 2)
    assert [(deed.status_code, deed.json()["code"]) for deed in deeds] == [(403, "not_allowed")] * 4


async def test_messages_come_after_a_seq_and_a_long_poll_ends_with_the_next_one(
    client: httpx.AsyncClient, as_claire: dict[str, str], as_marc: dict[str, str], conversation_id: UUID
):
    path = f"{V1}/conversations/{conversation_id}"
    first = (await client.get(f"{path}/messages", params={"after": 1}, headers=as_claire)).json()
    waiting = asyncio.create_task(
        client.get(f"{path}/messages", params={"after": first["last_seq"], "wait": 20}, headers=as_claire)
    )
    await asyncio.sleep(0.1)
    await client.post(f"{path}/claim", headers=as_marc)
    second = (await asyncio.wait_for(waiting, 2)).json()

    assert [event["text"] for event in first["events"]] == ["I want to talk to a person"]
    assert [event["text"] for event in second["events"]] == ["You are now talking to Marc."]
    assert second["control"] == "staff"


async def test_an_unknown_conversation_is_not_found(client: httpx.AsyncClient, as_claire: dict[str, str]):
    path = f"{V1}/conversations/{uuid4()}"
    message = {"client_id": str(uuid4()), "text": "Hello"}
    answers = [
        await client.get(f"{path}/messages", headers=as_claire),
        await client.post(f"{path}/claim", headers=as_claire),
        await client.post(f"{path}/messages", json=message, headers=as_claire),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]


async def test_whoever_acts_has_seen_the_alert(
    client: httpx.AsyncClient, services: Services, as_claire: dict[str, str], conversation_id: UUID
):
    now = services.clock.now()
    with services.database.write() as session:
        session.add(Alert(conversation_id=conversation_id, kind="urgent", key="urgent:1", created_at=now))
    await client.post(f"{V1}/conversations/{conversation_id}/claim", headers=as_claire)

    with services.database.read() as session:
        assert session.scalars(select(Alert.seen_at)).all() == [now]


async def test_what_is_sent_again_has_seen_no_alert_that_came_since(
    client: httpx.AsyncClient, services: Services, as_claire: dict[str, str], conversation_id: UUID
):
    path = f"{V1}/conversations/{conversation_id}/messages"
    message = {"client_id": str(uuid4()), "text": "Hello"}
    first = await client.post(path, json=message, headers=as_claire)
    with services.database.write() as session:
        came = Alert(conversation_id=conversation_id, kind="urgent", key="urgent:1", created_at=services.clock.now())
        session.add(came)
    again = await client.post(path, json=message, headers=as_claire)

    assert (first.status_code, again.status_code) == (202, 200)
    with services.database.read() as session:
        assert session.scalars(select(Alert.seen_at)).all() == [None]


async def test_a_claim_after_a_colleague_released_is_possible(
    client: httpx.AsyncClient, services: Services, claire: Staff, as_marc: dict[str, str], conversation_id: UUID
):
    with services.database.write() as session:
        claim(session, conversation_id, claire, services.clock.now())
    taken = await client.post(f"{V1}/conversations/{conversation_id}/claim", headers=as_marc)
    with services.database.write() as session:
        release(session, conversation_id, claire, services.clock.now())
    free = await client.post(f"{V1}/conversations/{conversation_id}/claim", headers=as_marc)

    assert (taken.status_code, free.status_code) == (409, 200)


async def test_reading_a_transcript_is_written_down_for_other_programs_as_well(
    client: httpx.AsyncClient, services: Services, as_claire: dict[str, str], conversation_id: UUID
):
    for _ in range(2):
        assert (await client.get(f"{V1}/conversations/{conversation_id}/messages", headers=as_claire)).is_success

    with services.database.read() as session:
        read = session.scalars(select(AuditEntry.conversation_id).where(AuditEntry.action == "read")).all()
    assert read == [conversation_id]
