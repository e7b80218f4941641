"""What colleagues do in the takeover and beside it, as the console and another desk ask for it."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select

from bot.bootstrap import Services
from bot.clock import FixedClock
from bot.console.pages.desk import routes
from bot.conversations.models import Address, Conversation, Message, OutboxEntry
from bot.handoff.desks import join
from bot.handoff.models import Case, MessageChange, Reason, Task
from bot.handoff.service import request_person
from bot.identity.models import AuditEntry, Role, Staff
from tests.factories import make_conversation, make_staff, receive, transcript
from tests.integration.console.desk import bearer_of, enter, fragment

V1 = "/api/v1/staff"
Headers = dict[str, str]


@pytest.fixture
def talk(services: Services) -> UUID:
    now = services.clock.now()
    with services.database.write() as session:
        conversation = make_conversation(session, now)
        receive(session, conversation.id, "I need a person", now)
        request_person(session, conversation, Reason.ASKED, now, desk="office")
        return conversation.id


@pytest.fixture
def path(talk: UUID) -> str:
    return f"{V1}/conversations/{talk}"


def token_of(services: Services, staff: Staff) -> Headers:
    with services.database.write() as session:
        return bearer_of(session, services, staff)


@pytest.fixture
def as_claire(services: Services, claire: Staff) -> Headers:
    return token_of(services, claire)


@pytest.fixture
def as_marc(services: Services, marc: Staff) -> Headers:
    return token_of(services, marc)


@pytest.fixture
def sofia(services: Services) -> Staff:
    """An adviser of the housing desk alone."""
    with services.database.write() as session:
        staff = make_staff(session, services.clock.now(), "Sofia")
        join(session, services.office, "housing", staff)
        return staff


@pytest.fixture
def as_sofia(services: Services, sofia: Staff) -> Headers:
    return token_of(services, sofia)


def said(services: Services, talk: UUID) -> list[tuple[str, str]]:
    with services.database.read() as session:
        return transcript(session, talk)


async def say_as(client: httpx.AsyncClient, path: str, headers: Headers, text: str = "Hello") -> int:
    body = {"client_id": str(uuid4()), "text": text}
    answer = await client.post(f"{path}/messages", json=body, headers=headers)
    assert answer.status_code == 202
    return int(answer.json()["event"]["seq"])


async def test_a_colleague_who_is_handed_a_conversation_holds_it_at_once(
    client: httpx.AsyncClient, services: Services, as_claire: Headers, as_marc: Headers, path: str, talk: UUID
):
    await client.post(f"{path}/claim", headers=as_claire)
    body = {"to": {"staff": "marc@junia.example"}, "note": "Speaks Spanish"}
    given = await client.post(f"{path}/transfer", json=body, headers=as_claire)
    late = await client.post(f"{path}/release", headers=as_claire)
    mentions = (await client.get(f"{V1}/mentions", headers=as_marc)).json()["notes"]

    assert (given.json()["control"], given.json()["assignee"]["name"], given.json()["version"]) == ("staff", "Marc", 4)
    assert (late.status_code, late.json()["code"]) == (409, "already_taken")
    assert said(services, talk)[-1] == ("system", "You are now talking to Marc.")
    assert [(note["author"]["name"], note["text"]) for note in mentions] == [("Claire", "Speaks Spanish")]


@pytest.mark.parametrize(("is_answered", "waits"), [(True, 0), (False, 720)])
async def test_a_conversation_given_to_a_desk_waits_there_from_now_on_or_all_along_where_nobody_answered(
    client: httpx.AsyncClient,
    services: Services,
    as_claire: Headers,
    as_sofia: Headers,
    clock: FixedClock,
    path: str,
    talk: UUID,
    is_answered: bool,
    waits: int,
):
    await client.post(f"{path}/claim", headers=as_claire)
    if is_answered:
        await say_as(client, path, as_claire)
    clock.instant += timedelta(minutes=12)
    since = (clock.now() - timedelta(seconds=waits)).isoformat().replace("+00:00", "Z")
    hidden = await client.get(f"{path}/messages", headers=as_sofia)
    given = await client.post(f"{path}/transfer", json={"to": {"desk": "housing"}}, headers=as_claire)
    seen = await client.get(f"{path}/messages", headers=as_sofia)

    found = given.json()
    assert (found["control"], found["desk"], found["waiting_since"], found["waits_seconds"]) == (
        "waiting", "housing", since, waits,
    )  # fmt: skip
    assert (hidden.status_code, seen.status_code) == (404, 200)
    assert said(services, talk)[-1] == (
        "system",
        "Your request is now with: Housing. A person will answer you here.",
    )


async def test_a_conversation_given_to_a_desk_has_the_place_of_its_request_in_every_list(
    client: httpx.AsyncClient, services: Services, claire: Staff, clock: FixedClock, talk: UUID
):
    enter(client, services, claire)
    await say_as(client, f"/staff/api/conversations/{talk}", {})
    clock.instant += timedelta(minutes=5)
    with services.database.write() as session:
        later = make_conversation(session, clock.now()).id
        request_person(session, session.get_one(Conversation, later), Reason.ASKED, clock.now(), desk="housing")
    clock.instant += timedelta(minutes=7)
    await client.post(f"/staff/api/conversations/{talk}/transfer", json={"to": {"desk": "housing"}})

    tab = fragment(await client.get("/staff/rows?tab=waiting"))
    path = "/staff/api/conversations?state=waiting&limit=1"
    first = (await client.get(path)).json()
    second = (await client.get(f"{path}&cursor={first['next_cursor']}")).json()
    heads = [(await client.get(f"/staff/api/conversations/{each}")).json() for each in (talk, later)]

    assert tab.ids == [str(talk), str(later)]
    assert [row["conversation_id"] for page in (first, second) for row in page["conversations"]] == [
        str(talk),
        str(later),
    ]
    assert [(head["position"], head["waits_seconds"]) for head in heads] == [(1, 0), (2, 420)]


@pytest.mark.parametrize(
    ("to", "field"),
    [
        ({"staff": "nobody@junia.example"}, "to.staff"),
        ({"staff": "noa@junia.example"}, "to.staff"),
        ({"desk": "cafeteria"}, "to.desk"),
        ({"desk": "housing", "staff": "marc@junia.example"}, "to"),
        ({}, "to"),
    ],
)
async def test_a_transfer_to_nobody_is_refused_and_nothing_is_written(
    client: httpx.AsyncClient,
    services: Services,
    as_claire: Headers,
    auditor: Staff,
    path: str,
    talk: UUID,
    to: dict[str, str],
    field: str,
):
    before = said(services, talk)
    refused = await client.post(f"{path}/transfer", json={"to": to, "note": "please"}, headers=as_claire)

    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)
    assert said(services, talk) == before


async def test_nobody_is_given_a_conversation_before_they_can_sign_in(
    client: httpx.AsyncClient, services: Services, as_claire: Headers, path: str
):
    with services.database.write() as session:
        make_staff(session, services.clock.now(), "Newton").password_hash = None
        make_staff(session, services.clock.now(), "Olga").password_hash = None
        session.scalars(select(Staff).where(Staff.name == "Olga")).one().oidc_subject = "olga"
    await client.post(f"{path}/claim", headers=as_claire)
    refused = await client.post(f"{path}/transfer", json={"to": {"staff": "newton@junia.example"}}, headers=as_claire)
    offered = (await client.get(f"{V1}/desks", headers=as_claire)).json()["colleagues"]

    assert (refused.status_code, refused.json()["errors"]) == (
        422,
        [{"field": "to.staff", "message": "Newton has no way to sign in yet; choose another colleague."}],
    )
    assert [each["name"] for each in offered] == ["Claire", "Olga"]


@pytest.mark.parametrize(
    ("language", "to", "words"),
    [
        (
            "fr",
            {"staff": "noa@junia.example"},
            "Noa ne peut pas répondre aux étudiants\u00a0; choisissez quelqu'un d'autre.",
        ),
        ("en", {"staff": "noa@junia.example"}, "Noa may not answer students; choose another colleague."),
        ("fr", {"desk": "cafeteria"}, "Il n'y a pas de guichet cafeteria\u00a0; il y a\u00a0: office, housing."),
        ("en", {"desk": "cafeteria"}, "There is no desk cafeteria; the desks are office, housing."),
    ],
)
async def test_why_a_transfer_is_refused_is_said_in_the_language_of_the_console(
    client: httpx.AsyncClient,
    as_claire: Headers,
    auditor: Staff,
    path: str,
    language: str,
    to: dict[str, str],
    words: str,
):
    headers = {**as_claire, "Accept-Language": language}
    refused = await client.post(f"{path}/transfer", json={"to": to}, headers=headers)

    assert [each["message"] for each in refused.json()["errors"]] == [words]


@pytest.mark.parametrize(
    ("deed", "body", "words"),
    [
        ("tags", {"tags": [" "]}, "Une étiquette a de 1 à 30 caractères."),
        ("notes", {"text": " "}, "Le texte doit avoir entre 1 et 4000 caractères."),
    ],
)
async def test_why_a_text_is_refused_is_said_in_the_language_of_the_console(
    client: httpx.AsyncClient, as_claire: Headers, path: str, deed: str, body: dict[str, Any], words: str
):
    headers = {**as_claire, "Accept-Language": "fr"}
    method = "PUT" if deed == "tags" else "POST"
    refused = await client.request(method, f"{path}/{deed}", json=body, headers=headers)

    assert [each["message"] for each in refused.json()["errors"]] == [words]


async def test_an_adviser_cannot_hand_on_what_a_colleague_holds_but_a_coordinator_can(
    client: httpx.AsyncClient, services: Services, as_claire: Headers, path: str, claire: Staff
):
    with services.database.write() as session:
        now = services.clock.now()
        adviser, coordinator = make_staff(session, now, "Leo"), make_staff(session, now, "Ines", Role.COORDINATOR)
        as_leo, as_ines = (bearer_of(session, services, each) for each in (adviser, coordinator))
    await client.post(f"{path}/claim", headers=as_claire)
    body = {"to": {"staff": "leo@junia.example"}}
    refused = await client.post(f"{path}/transfer", json=body, headers=as_leo)
    given = await client.post(f"{path}/transfer", json=body, headers=as_ines)

    assert (refused.status_code, refused.json()["code"]) == (409, "already_taken")
    assert (given.status_code, given.json()["assignee"]["name"]) == (200, "Leo")


async def test_a_promise_at_the_release_becomes_a_task_with_a_date(
    client: httpx.AsyncClient, as_claire: Headers, as_marc: Headers, clock: FixedClock, path: str, talk: UUID
):
    await client.post(f"{path}/claim", headers=as_claire)
    promise = {"text": "Send the certificate", "due": "2026-11-25"}
    released = await client.post(
        f"{path}/release", json={"promise": promise, "note": "She is worried"}, headers=as_claire
    )
    mine = (await client.get(f"{V1}/tasks", headers=as_claire)).json()["tasks"]
    clock.instant += timedelta(days=2)
    late = (await client.get(f"{V1}/tasks?whose=all", headers=as_marc)).json()["tasks"]
    done = await client.post(f"{V1}/tasks/{mine[0]['id']}/done", headers=as_marc)
    left = (await client.get(f"{V1}/tasks", headers=as_claire)).json()["tasks"]
    undone = await client.post(f"{V1}/tasks/{mine[0]['id']}/undo", headers=as_claire)

    assert (released.status_code, released.json()["control"]) == (200, "bot")
    assert mine == [
        {
            "id": 1,
            "conversation_id": str(talk),
            "text": "Send the certificate",
            "due": "2026-11-25",
            "owner": {"email": "claire@junia.example", "name": "Claire"},
            "done_at": None,
            "created_at": "2026-11-24T11:00:00Z",
            "overdue": False,
        }
    ]
    assert ([task["overdue"] for task in late], left) == ([True], [])
    assert (done.json()["done_at"], undone.json()["done_at"]) == ("2026-11-26T11:00:00Z", None)


async def test_a_promise_for_yesterday_is_refused_by_its_field_and_the_conversation_stays_held(
    client: httpx.AsyncClient, services: Services, as_claire: Headers, path: str, talk: UUID
):
    await client.post(f"{path}/claim", headers=as_claire)
    promise = {"text": "Send the certificate", "due": "2026-11-23"}
    refused = await client.post(f"{path}/release", json={"promise": promise}, headers=as_claire)

    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "promise.due")
    with services.database.read() as session:
        assert session.get_one(Conversation, talk).control == "staff"
        assert session.scalars(select(Task)).all() == []


async def test_closing_says_why(client: httpx.AsyncClient, services: Services, as_claire: Headers, path: str):
    closed = await client.post(f"{path}/close", json={"reason": "solved"}, headers=as_claire)
    wrong = await client.post(f"{path}/close", json={"reason": "bored"}, headers=as_claire)

    assert (closed.json()["control"], closed.json()["outcome"]) == ("closed", "solved")
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "reason")
    with services.database.read() as session:
        details = session.scalars(select(AuditEntry.details).where(AuditEntry.action == "close")).one()
    assert details == {"reason": "solved"}


async def test_a_note_names_colleagues_and_the_student_never_sees_it(
    client: httpx.AsyncClient, services: Services, as_claire: Headers, as_marc: Headers, path: str, talk: UUID
):
    before = said(services, talk)
    written = await client.post(f"{path}/notes", json={"text": "@marc knows the landlord"}, headers=as_claire)
    named = (await client.get(f"{V1}/mentions", headers=as_marc)).json()["notes"]
    read = (await client.get(f"{path}/notes", headers=as_marc)).json()["notes"]
    after_reading = (await client.get(f"{V1}/mentions", headers=as_marc)).json()["notes"]

    assert written.status_code == 201
    assert [person["email"] for person in written.json()["mentions"]] == ["marc@junia.example"]
    assert (named, read, after_reading) == ([written.json()], [written.json()], [])
    assert said(services, talk) == before


async def test_a_note_says_which_of_its_names_reached_somebody_and_which_nobody(
    client: httpx.AsyncClient, as_claire: Headers, as_marc: Headers, as_sofia: Headers, path: str
):
    text = "@Marc. Ask @nobody, or @sofia of another desk, or me, @claire; not x@junia.example."
    written = (await client.post(f"{path}/notes", json={"text": text}, headers=as_claire)).json()
    called = [(await client.get(f"{V1}/mentions", headers=each)).json()["notes"] for each in (as_marc, as_sofia)]

    assert (written["told"], written["not_told"]) == (["@Marc"], ["@nobody", "@sofia"])
    assert called == [[written], []]


async def test_a_note_is_taken_back_by_its_author_within_five_minutes(
    client: httpx.AsyncClient, as_claire: Headers, as_marc: Headers, clock: FixedClock, path: str
):
    ids = [
        (await client.post(f"{path}/notes", json={"text": text}, headers=as_claire)).json()["id"] for text in ("a", "b")
    ]
    others = await client.delete(f"{V1}/notes/{ids[0]}", headers=as_marc)
    gone = await client.delete(f"{V1}/notes/{ids[0]}", headers=as_claire)
    again = await client.delete(f"{V1}/notes/{ids[0]}", headers=as_claire)
    clock.instant += timedelta(minutes=6)
    late = await client.delete(f"{V1}/notes/{ids[1]}", headers=as_claire)

    assert (others.status_code, others.json()["code"], others.json()["why"]) == (409, "cannot_change", "not_yours")
    assert (gone.status_code, again.status_code) == (204, 404)
    assert (late.status_code, late.json()["why"]) == (409, "too_late")


async def test_tags_are_replaced_counted_and_found(
    client: httpx.AsyncClient, as_claire: Headers, path: str, talk: UUID
):
    await client.put(f"{path}/tags", json={"tags": ["Visa", "late"]}, headers=as_claire)
    tagged = await client.put(f"{path}/tags", json={"tags": ["VISA", "visa", "lease"]}, headers=as_claire)
    counted = (await client.get(f"{V1}/tags", headers=as_claire)).json()
    found = (await client.get(f"{V1}/conversations?tag=Visa", headers=as_claire)).json()["conversations"]
    nothing = (await client.get(f"{V1}/conversations?tag=late", headers=as_claire)).json()["conversations"]
    too_many = await client.put(f"{path}/tags", json={"tags": [str(n) for n in range(11)]}, headers=as_claire)

    assert tagged.json()["tags"] == ["lease", "visa"]
    assert counted == {"tags": [{"tag": "lease", "conversations": 1}, {"tag": "visa", "conversations": 1}]}
    assert ([each["conversation_id"] for each in found], nothing) == ([str(talk)], [])
    assert (too_many.status_code, too_many.json()["errors"][0]["field"]) == (422, "tags")


async def test_a_deed_is_undone_with_the_note_and_the_promise_that_came_with_it(
    client: httpx.AsyncClient, services: Services, as_claire: Headers, marc: Staff, path: str, talk: UUID
):
    async def beside() -> tuple[int, int]:
        notes = (await client.get(f"{path}/notes", headers=as_claire)).json()["notes"]
        return len(notes), len((await client.get(f"{V1}/tasks", headers=as_claire)).json()["tasks"])

    held = (await client.post(f"{path}/claim", headers=as_claire)).json()
    promise = {"text": "Ask the prefecture", "due": "2026-11-30"}
    states = []
    for deed, body in (
        ("release", {"promise": promise, "note": "Speaks Spanish"}),
        ("close", {"reason": "spam", "note": "An advertisement"}),
        ("transfer", {"to": {"staff": "marc@junia.example"}, "note": "Yours"}),
        ("transfer", {"to": {"desk": "housing"}, "note": "A lease"}),
    ):
        done = (await client.post(f"{path}/{deed}", json=body, headers=as_claire)).json()
        written = await beside()
        undone = await client.post(f"{path}/undo", json={"version": done["version"]}, headers=as_claire)
        states.append((deed, written, await beside()))
        expected = held | {"version": done["version"] + 1, "last_seq": done["last_seq"] + 1}
        assert (undone.status_code, undone.json()) == (200, expected)

    assert states == [
        ("release", (1, 1), (0, 0)),
        ("close", (1, 0), (0, 0)),
        ("transfer", (1, 0), (0, 0)),
        ("transfer", (1, 0), (0, 0)),
    ]
    assert said(services, talk)[-1] == ("system", "You are now talking to Claire.")


async def test_an_undo_is_refused_with_the_reason(
    client: httpx.AsyncClient, as_claire: Headers, as_marc: Headers, clock: FixedClock, path: str
):
    async def undo(headers: Headers, version: int | None = None) -> tuple[int, str, str | None]:
        answer = await client.post(f"{path}/undo", json={"version": version}, headers=headers)
        return answer.status_code, answer.json()["code"], answer.json().get("why")

    closed = (await client.post(f"{path}/close", headers=as_claire)).json()["version"]
    older, of_another = await undo(as_claire, closed - 1), await undo(as_marc, closed)
    clock.instant += timedelta(minutes=3)
    late = await undo(as_claire, closed)
    await client.post(f"{path}/claim", headers=as_marc)
    taken = await undo(as_claire, closed)

    assert (older, of_another) == ((409, "version_changed", None), (409, "cannot_change", "not_yours"))
    assert (late, taken) == ((409, "cannot_change", "too_late"), (409, "already_taken", None))


async def test_whoever_gave_a_conversation_to_another_desk_takes_it_back_unseen(
    client: httpx.AsyncClient, services: Services, claire: Staff, as_claire: Headers, as_sofia: Headers, path: str
):
    with services.database.write() as session:
        join(session, services.office, "office", session.get_one(Staff, claire.id))
    await client.post(f"{path}/transfer", json={"to": {"desk": "housing"}}, headers=as_claire)
    hidden = await client.get(f"{path}/messages", headers=as_claire)
    of_another = await client.post(f"{path}/undo", headers=as_sofia)
    undone = await client.post(f"{path}/undo", headers=as_claire)
    seen = [(await client.get(f"{path}/messages", headers=each)).status_code for each in (as_claire, as_sofia)]

    assert (hidden.status_code, of_another.status_code) == (404, 409)
    assert (undone.status_code, undone.json()["desk"], seen) == (200, "office", [200, 404])


async def test_what_is_laid_aside_leaves_the_list_until_the_student_writes(
    client: httpx.AsyncClient, services: Services, as_claire: Headers, clock: FixedClock, path: str, talk: UUID
):
    async def waiting() -> int:
        listed = await client.get(f"{V1}/conversations?state=waiting", headers=as_claire)
        return len(listed.json()["conversations"])

    until = "2026-11-26T09:00:00+01:00"
    snoozed = await client.post(f"{path}/snooze", json={"until": until}, headers=as_claire)
    aside = await waiting()
    await client.post(f"{path}/wake", headers=as_claire)
    woken = await waiting()
    await client.post(f"{path}/snooze", json={"until": until}, headers=as_claire)
    with services.database.write() as session:
        receive(session, talk, "Are you there?", clock.now())

    assert snoozed.json()["snoozed_until"] == "2026-11-26T08:00:00Z"
    assert (aside, woken, await waiting()) == (0, 1, 1)


@pytest.mark.parametrize("until", ["2026-11-24T10:00:00+01:00", "2026-11-26T09:00:00", "2028-01-01T00:00:00Z", "soon"])
async def test_a_moment_that_cannot_be_is_refused(client: httpx.AsyncClient, as_claire: Headers, path: str, until: str):
    refused = await client.post(f"{path}/snooze", json={"until": until}, headers=as_claire)

    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "until")


async def test_ones_own_words_are_changed_for_five_minutes_and_the_old_ones_are_kept(
    client: httpx.AsyncClient,
    services: Services,
    as_claire: Headers,
    as_marc: Headers,
    clock: FixedClock,
    path: str,
    talk: UUID,
):
    seq = await say_as(client, path, as_claire, "Come at nine")
    edited = await client.patch(f"{path}/messages/{seq}", json={"text": "Come at ten"}, headers=as_claire)
    others = await client.patch(f"{path}/messages/{seq}", json={"text": "No"}, headers=as_marc)
    news = (await client.get(f"{path}/messages?after={seq}&changes=0", headers=as_marc)).json()
    clock.instant += timedelta(minutes=5, seconds=1)
    late = await client.patch(f"{path}/messages/{seq}", json={"text": "Come at noon"}, headers=as_claire)

    assert (edited.json()["event"]["text"], edited.json()["event"]["edited_at"]) == (
        "Come at ten",
        "2026-11-24T11:00:00+00:00",
    )
    assert (news["events"], news["changes"]) == ([], 1)
    assert [(each["seq"], each["text"]) for each in news["changed"]] == [(seq, "Come at ten")]
    assert (others.json()["why"], late.json()["why"]) == ("not_yours", "too_late")
    assert said(services, talk)[-1] == ("staff", "Come at ten")
    with services.database.read() as session:
        assert session.scalars(select(MessageChange.text)).all() == ["Come at nine"]


async def test_deleted_words_are_gone_from_the_transcript_and_their_place_says_so(
    client: httpx.AsyncClient, services: Services, as_claire: Headers, path: str, talk: UUID
):
    seq = await say_as(client, path, as_claire, "To the wrong student")
    deleted = await client.delete(f"{path}/messages/{seq}", headers=as_claire)
    again = await client.patch(f"{path}/messages/{seq}", json={"text": "More"}, headers=as_claire)
    nothing = await client.delete(f"{path}/messages/999", headers=as_claire)
    students = await client.delete(f"{path}/messages/2", headers=as_claire)

    assert (deleted.json()["event"]["deleted"], deleted.json()["event"]["seq"]) == (True, seq)
    assert said(services, talk)[-1] == ("staff", "This message was deleted.")
    assert (again.json()["why"], nothing.status_code, students.json()["why"]) == ("deleted", 404, "not_yours")


async def test_what_telegram_shows_is_changed_there_and_what_has_not_gone_out_before_it_goes(
    client: httpx.AsyncClient, services: Services, as_claire: Headers, path: str, talk: UUID
):
    with services.database.write() as session:
        session.add(Address(channel="telegram", external="4001", conversation_id=talk))
        session.get_one(Conversation, talk).channel = "telegram"
    seq = await say_as(client, path, as_claire)
    key = f"message:{talk}:{seq}"

    def queued() -> list[tuple[str, dict[str, object]]]:
        with services.database.read() as session:
            rows = session.execute(select(OutboxEntry.key, OutboxEntry.payload).order_by(OutboxEntry.id))
            return [tuple(row) for row in rows if row.key.split(":")[2] == str(seq)]

    on_its_way = await client.patch(f"{path}/messages/{seq}", json={"text": "Good day"}, headers=as_claire)
    before = queued()
    with services.database.write() as session:
        session.delete(session.scalars(select(OutboxEntry).where(OutboxEntry.key == key)).one())
        message = session.scalars(select(Message).where(Message.conversation_id == talk, Message.seq == seq)).one()
        message.delivered = {"channel": "telegram", "chat": "4001", "ids": [7]}
    shown = await client.patch(f"{path}/messages/{seq}", json={"text": "Bonjour"}, headers=as_claire)

    assert (on_its_way.status_code, before) == (200, [(key, {"seq": seq})])
    assert (shown.status_code, shown.json()["event"]["text"]) == (200, "Bonjour")
    assert queued() == [(f"change:{talk}:{seq}:2", {"seq": seq, "change": 2, "to": "4001"})]


async def test_what_telegram_shows_from_before_its_numbers_were_kept_is_not_changed(
    client: httpx.AsyncClient, services: Services, as_claire: Headers, path: str, talk: UUID
):
    with services.database.write() as session:
        session.add(Address(channel="telegram", external="4001", conversation_id=talk))
    seq = await say_as(client, path, as_claire)
    with services.database.write() as session:
        message = session.scalars(select(Message).where(Message.conversation_id == talk, Message.seq == seq)).one()
        message.delivered = None

    refused = await client.patch(f"{path}/messages/{seq}", json={"text": "Bonjour"}, headers=as_claire)

    assert (refused.status_code, refused.json()["code"], refused.json()["why"]) == (409, "cannot_change", "delivered")


async def test_a_repeated_answer_that_was_changed_meanwhile_is_still_the_same(
    client: httpx.AsyncClient, as_claire: Headers, path: str
):
    body = {"client_id": str(uuid4()), "text": "Come at nine"}
    first = await client.post(f"{path}/messages", json=body, headers=as_claire)
    await client.patch(f"{path}/messages/{first.json()['event']['seq']}", json={"text": "At ten"}, headers=as_claire)
    again = await client.post(f"{path}/messages", json=body, headers=as_claire)

    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json()["event"]["text"] == "At ten"


async def test_who_looks_on_and_who_writes_is_told_and_forgotten_after_twenty_seconds(
    client: httpx.AsyncClient,
    services: Services,
    as_claire: Headers,
    as_marc: Headers,
    clock: FixedClock,
    path: str,
    talk: UUID,
):
    async def others() -> list[tuple[str, bool]]:
        people = (await client.get(f"{path}/people", headers=as_claire)).json()["people"]
        return [(each["name"], each["composing"]) for each in people]

    with services.live.subscribe(None) as follower:
        await client.post(f"{path}/viewing", json={"composing": False}, headers=as_claire)
        await client.post(f"{path}/viewing", json={"composing": False}, headers=as_marc)
        follower.take_looked_at()
        looking = await others()
        await client.post(f"{path}/viewing", json={"composing": True}, headers=as_marc)
        told, writing = follower.take_looked_at(), await others()
        await client.post(f"{path}/viewing", json={"composing": True}, headers=as_marc)
        repeated = follower.take_looked_at()
    clock.instant += timedelta(seconds=21)

    assert (looking, writing, await others()) == ([("Marc", False)], [("Marc", True)], [])
    assert (told, repeated) == ({talk}, set())


async def test_whether_the_student_has_the_page_open_is_told_of_pages_and_unknown_of_messengers(
    client: httpx.AsyncClient, services: Services, as_claire: Headers, clock: FixedClock, path: str, talk: UUID
):
    async def reads() -> bool | None:
        return (await client.get(f"{path}/people", headers=as_claire)).json()["student_reads"]

    never = await reads()
    services.live.reads(talk)
    clock.instant += timedelta(seconds=39)
    now = await reads()
    clock.instant += timedelta(seconds=1)
    gone = await reads()
    with services.database.write() as session:
        session.get_one(Conversation, talk).channel = "telegram"

    assert (never, now, gone, await reads()) == (False, True, False, None)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Choose a day from 24 November 2026 on, at most a year ahead."),
        ("fr", "Choisissez un jour à partir du 24 novembre 2026, au plus tard dans un an."),
    ],
)
async def test_a_wrong_day_is_explained_in_the_language_of_the_console(
    client: httpx.AsyncClient, as_claire: Headers, path: str, language: str, words: str
):
    headers = {**as_claire, "Accept-Language": language}

    refused = await client.post(f"{path}/tasks", json={"text": "call", "due": "2026-11-23"}, headers=headers)

    assert (refused.status_code, refused.json()["errors"]) == (422, [{"field": "due", "message": words}])


async def test_the_desks_are_listed_with_members_and_who_waits_and_everybody_who_may_answer(
    client: httpx.AsyncClient, services: Services, as_claire: Headers, sofia: Staff, path: str
):
    now = services.clock.now()
    with services.database.write() as session:
        make_staff(session, now, "Nora", Role.AUDITOR)
        make_staff(session, now, "Omar").disabled = True

    answer = (await client.get(f"{V1}/desks", headers=as_claire)).json()

    assert [each["name"] for each in answer["colleagues"]] == ["Claire", "Sofia"]
    assert answer["desks"] == [
        {
            "slug": "office",
            "name": "International office",
            "topics": [],
            "campuses": [],
            "members": [],
            "open_now": None,
            "waiting": 1,
        },
        {
            "slug": "housing",
            "name": "Housing",
            "topics": ["housing"],
            "campuses": [],
            "members": ["sofia@junia.example"],
            "open_now": None,
            "waiting": 0,
        },
    ]


async def test_an_adviser_of_a_desk_finds_nothing_of_another_desk(
    client: httpx.AsyncClient, as_sofia: Headers, as_claire: Headers, path: str, talk: UUID
):
    note = (await client.post(f"{path}/notes", json={"text": "for us"}, headers=as_claire)).json()["id"]
    task = (await client.post(f"{path}/tasks", json={"text": "call", "due": "2026-11-30"}, headers=as_claire)).json()[
        "id"
    ]
    await client.put(f"{path}/tags", json={"tags": ["visa"]}, headers=as_claire)
    calls = [
        ("GET", f"{path}/messages", None),
        ("GET", f"{path}/files", None),
        ("GET", f"{path}/notes", None),
        ("GET", f"{path}/people", None),
        ("POST", f"{path}/claim", None),
        ("POST", f"{path}/transfer", {"to": {"desk": "housing"}}),
        ("POST", f"{path}/release", None),
        ("POST", f"{path}/close", None),
        ("POST", f"{path}/undo", None),
        ("POST", f"{path}/messages", {"client_id": str(uuid4()), "text": "Hello"}),
        ("POST", f"{path}/notes", {"text": "mine"}),
        ("POST", f"{path}/tasks", {"text": "call", "due": "2026-11-30"}),
        ("PUT", f"{path}/tags", {"tags": []}),
        ("POST", f"{path}/snooze", {"until": "2026-11-26T09:00:00Z"}),
        ("POST", f"{path}/wake", None),
        ("POST", f"{path}/viewing", {"composing": True}),
        ("PATCH", f"{path}/messages/1", {"text": "No"}),
        ("DELETE", f"{path}/messages/1", None),
        ("DELETE", f"{V1}/notes/{note}", None),
        ("POST", f"{V1}/tasks/{task}/done", None),
    ]
    answers = [(await client.request(m, p, json=body, headers=as_sofia)).status_code for m, p, body in calls]
    lists = [
        (await client.get(f"{V1}/{name}", headers=as_sofia)).json()
        for name in ("conversations", "tasks?whose=all", "tags", "mentions")
    ]

    assert answers == [404] * len(calls)
    assert lists == [{"conversations": [], "next_cursor": None}, {"tasks": []}, {"tags": []}, {"notes": []}]


async def heard(stream: AsyncGenerator[str, None]) -> list[str]:
    """The names of the events until something moved."""
    names = []
    while "moved" not in names:
        event = await asyncio.wait_for(anext(stream), 2)
        names.append(event.splitlines()[0].removeprefix("event: "))
    return names


async def test_the_stream_tells_of_a_conversation_only_whoever_may_read_it_at_that_moment(
    client: httpx.AsyncClient, services: Services, claire: Staff, sofia: Staff, talk: UUID
):
    def page(staff: Staff) -> AsyncGenerator[str, None]:
        enter(client, services, staff)
        return routes.follow(services, client.cookies["accueil_staff"], talk)

    async def each_hears(name: str) -> list[list[str]]:
        services.live.looks_on(talk, f"{name}@junia.example", name, composing=False)
        services.live.typing(talk, "student", on=True)
        services.live.changed(talk)
        return [await heard(stream) for stream in pages]

    with services.database.write() as session:
        join(session, services.office, "office", claire)
    pages = [page(claire), page(sofia)]
    assert [await heard(stream) for stream in pages] == [["moved"], ["moved"]]
    at_office = await each_hears("Marc")
    with services.database.write() as session:
        session.get_one(Conversation, talk).desk = "housing"
    at_housing = await each_hears("Noa")
    for stream in pages:
        await stream.aclose()

    assert at_office == [["people", "typing", "moved"], ["moved"]]
    assert at_housing == [["moved"], ["people", "typing", "moved"]]


async def test_lists_are_narrowed_by_desk_holder_language_and_what_the_bot_did_not_know(
    client: httpx.AsyncClient, services: Services, as_claire: Headers, path: str, talk: UUID
):
    with services.database.write() as session:
        lost = make_conversation(session, services.clock.now(), "fr")
        lost.abstentions = 1
        lost_id = str(lost.id)
    await client.post(f"{path}/claim", headers=as_claire)

    async def found(query: str) -> list[str]:
        listed = await client.get(f"{V1}/conversations?{query}", headers=as_claire)
        return [each["conversation_id"] for each in listed.json()["conversations"]]

    assert await found("desk=office") == [str(talk)]
    assert await found("desk=housing") == []
    assert await found("assignee=claire@junia.example") == [str(talk)]
    assert await found("language=fr") == [lost_id]
    assert await found("unanswered=true") == [lost_id]


async def test_a_cursor_of_another_list_is_refused(
    client: httpx.AsyncClient, services: Services, as_claire: Headers, path: str
):
    with services.database.write() as session:
        make_conversation(session, services.clock.now())
    first = (await client.get(f"{V1}/conversations?limit=1", headers=as_claire)).json()
    params = {"cursor": first["next_cursor"], "language": "en"}
    other = await client.get(f"{V1}/conversations", params=params, headers=as_claire)

    assert (other.status_code, other.json()["errors"][0]["field"]) == (422, "cursor")


@pytest.mark.parametrize("is_answered", [True, False])
async def test_a_request_that_is_handed_on_keeps_the_claim_that_led_to_an_answer_for_the_figures(
    client: httpx.AsyncClient,
    services: Services,
    as_claire: Headers,
    clock: FixedClock,
    path: str,
    is_answered: bool,
):
    await client.post(f"{path}/claim", headers=as_claire)
    first = clock.now()
    if is_answered:
        await say_as(client, path, as_claire)
    clock.instant += timedelta(hours=1)
    await client.post(f"{path}/transfer", json={"to": {"desk": "housing"}}, headers=as_claire)

    with services.database.read() as session:
        case = session.scalars(select(Case)).one()
        expected = (first if is_answered else None, None, "housing")
        assert (case.claimed_at, case.claimed_by, case.desk) == expected
