"""One's own data over HTTP: the same as in the chat, for the widget."""

import json
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from bot.bootstrap import Services, build_services
from bot.clock import FixedClock
from bot.conversations.models import Conversation
from bot.gateway import build_app
from bot.handoff.service import claim
from bot.identity.models import Erasure
from bot.privacy.links import LIFE, make_link
from bot.students.models import Student
from tests.factories import make_staff, make_student, receive, transcript
from tests.fakes import FakeEngine


@pytest.fixture
def services(settings, clock) -> Iterator[Services]:
    built = build_services(settings, clock=clock)
    yield built
    built.database.close()


@pytest.fixture
def client(services) -> Iterator[TestClient]:
    with TestClient(build_app(services, engine=FakeEngine())) as client:
        yield client


@pytest.fixture
def opened(client):
    return client.post("/api/v1/conversations", json={"language": "en"}).json()


@pytest.fixture
def amina(database, opened, now) -> int:
    """Linked to the conversation."""
    with database.write() as session:
        student = make_student(session, now, campus="lille")
        session.query(Conversation).one().student_id = student.id
        return student.id


def address(opened, end="") -> str:
    return f"/api/v1/conversations/{opened['conversation_id']}/mydata{end}"


def headers(opened):
    return {"Authorization": f"Bearer {opened['token']}"}


def erase(client, opened, body):
    return client.request("DELETE", address(opened), headers=headers(opened), json=body)


def test_a_stranger_sees_the_conversation_alone(client, opened):
    response = client.get(address(opened), headers=headers(opened))

    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-store")
    body = response.json()
    assert (body["linked"], body["record"]) == (False, [])
    assert body["kept"] == [
        {
            "table": "conversations",
            "what": "Your conversations",
            "number": 1,
            "comes_from": "from this chat",
            "kept": "90 days after the last message",
        },
        {
            "table": "messages",
            "what": "Messages",
            "number": 1,
            "comes_from": "from this chat",
            "kept": "90 days after the last message",
        },
    ]


def test_a_linked_student_sees_the_record(client, opened, amina):
    body = client.get(address(opened), headers=headers(opened)).json()

    assert body["linked"] is True
    assert [(each["name"], each["label"], each["value"]) for each in body["record"]] == [
        ("given_name", "Given name", "Amina"),
        ("family_name", "Family name", "Test"),
        ("email", "School mailbox", "amina@student.junia.com"),
        ("language", "Language", "English"),
        ("campus", "Campus", "Lille"),
    ]
    assert [each["table"] for each in body["kept"]] == ["students", "conversations", "messages"]
    assert "- Campus: Lille" in body["text"].splitlines()


def test_the_copy_is_a_file(client, opened, amina):
    response = client.get(address(opened, "/export"), headers=headers(opened))

    assert response.status_code == 200
    assert response.headers["Content-Disposition"] == 'attachment; filename="accueil-my-data.json"'
    assert (response.headers["Content-Type"], response.headers["Cache-Control"]) == ("application/json", "no-store")
    assert json.loads(response.text)["student"] == "amina@student.junia.com"


def test_erasing_leaves_one_message_and_forgets_the_link(client, opened, amina, database):
    response = erase(client, opened, {"confirm": True})

    assert (response.status_code, response.json()) == (200, {"record": True, "conversations": 1})
    with database.read() as session:
        assert session.get(Student, amina) is None
    seen = client.get(f"/api/v1/conversations/{opened['conversation_id']}/messages", headers=headers(opened)).json()
    assert [event["author"] for event in seen["events"]] == ["system"]
    assert seen["control"] == "closed"
    assert client.get(address(opened), headers=headers(opened)).json()["linked"] is False


def test_erasing_again_has_nothing_to_do(client, opened, amina, database):
    erase(client, opened, {"confirm": True})

    assert erase(client, opened, {"confirm": True}).json() == {"record": False, "conversations": 0}
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Erasure)) == 1


@pytest.mark.parametrize("body", [{"confirm": False}, {}, {"confirm": "yes"}, {"confirm": True, "more": 1}, None])
def test_without_a_clear_yes_nothing_is_erased(client, opened, amina, database, body):
    response = erase(client, opened, body)

    assert (response.status_code, response.json()["code"]) == (422, "invalid_field")
    with database.read() as session:
        assert session.get(Student, amina) is not None


def test_a_colleague_who_holds_it_loses_nothing_but_the_conversation(client, opened, amina, database, now):
    with database.write() as session:
        conversation = session.query(Conversation).one()
        receive(session, conversation.id, "a secret", now)
        claim(session, conversation.id, make_staff(session, now), now)

    assert erase(client, opened, {"confirm": True}).status_code == 200

    with database.read() as session:
        ((author, text),) = transcript(session, session.query(Conversation).one().id)
        assert (author, text.partition(":")[0]) == ("system", "Erased at the student's request")


@pytest.mark.parametrize(("method", "end"), [("GET", ""), ("GET", "/export"), ("DELETE", "")])
def test_only_the_token_of_the_conversation_opens_it(client, opened, amina, database, method, end):
    other = client.post("/api/v1/conversations", json={"language": "en"}).json()
    body = {"confirm": True} if method == "DELETE" else None

    theirs = client.request(method, address(opened, end), headers=headers(other), json=body)
    nobody = client.request(method, address(opened, end), json=body)

    assert (theirs.status_code, theirs.json()["code"]) == (404, "not_found")
    assert (nobody.status_code, nobody.json()["code"]) == (401, "not_signed_in")
    with database.read() as session:
        assert session.get(Student, amina) is not None


def test_the_link_of_the_chat_downloads_once_and_every_other_link_is_the_same_404(
    client, opened, amina, database, now, clock: FixedClock
):
    def link() -> str:
        with database.write() as session:
            return make_link(session, session.query(Conversation).one(), now)

    used, late = link(), None
    first = client.get(f"/mydata/{used}")
    late = link()
    clock.instant = now + LIFE
    refused = [client.get(f"/mydata/{token}") for token in (used, late, "unknown", "x" * 300)]

    assert (first.status_code, json.loads(first.text)["student"]) == (200, "amina@student.junia.com")
    assert first.headers["Content-Disposition"] == 'attachment; filename="accueil-my-data.json"'
    assert {(each.status_code, each.text) for each in refused} == {(404, refused[0].text)}
