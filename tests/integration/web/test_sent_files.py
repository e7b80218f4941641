"""A file that a colleague sends, and the student who saves it."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from bot.bootstrap import Services
from bot.conversations.brought import MOST_BYTES
from bot.conversations.messages import Brought, IncomingMessage
from bot.conversations.models import Attachment, AttachmentState, Conversation
from bot.conversations.service import receive_message
from bot.handoff import service
from bot.handoff.changes import edit
from bot.handoff.service import claim
from bot.identity.models import AuditEntry, Role, Staff
from tests.factories import make_staff
from tests.integration.console.desk import bearer_of

PDF = b"%PDF-1.7\nhousing form\n"
NAME = "Formulaire été.pdf"


@dataclass
class Talk:
    """A student's conversation, and Claire who looks after it, both over HTTP."""

    client: TestClient
    services: Services
    id: UUID
    student: dict[str, str]
    claire: Staff
    token: dict[str, str] = field(repr=False)

    def sends(self, content: bytes = PDF, name: str = NAME, **more: Any) -> httpx.Response:
        params = {"client_id": more.pop("client_id", None) or str(uuid4()), "name": name}
        headers = {"Content-Type": more.pop("media_type", "application/pdf"), **more.pop("token", self.token)}
        return self.client.post(f"{self.desk}/files", params=params, content=content, headers=headers)

    @property
    def desk(self) -> str:
        return f"/api/v1/staff/conversations/{self.id}"

    def saves(self, file_id: int) -> httpx.Response:
        return self.client.get(f"/api/v1/conversations/{self.id}/files/{file_id}", headers=self.student)

    def reads(self) -> dict[str, Any]:
        address = f"/api/v1/conversations/{self.id}/messages"
        return self.client.get(address, params={"changes": 0, "after": 3}, headers=self.student).json()

    def shown(self) -> list[tuple[str, str, list[dict[str, Any]]]]:
        address = f"/api/v1/conversations/{self.id}/messages"
        events = self.client.get(address, headers=self.student).json()["events"]
        return [(event["author"], event["text"], event["files"]) for event in events]

    def token_of(self, name: str, role: Role = Role.ADVISER) -> dict[str, str]:
        with self.services.database.write() as session:
            return bearer_of(session, self.services, make_staff(session, self.services.clock.now(), name, role))


@pytest.fixture
def talk(client: TestClient, services: Services) -> Talk:
    opened = client.post("/api/v1/conversations", json={"language": "fr"}).json()
    with services.database.write() as session:
        claire = make_staff(session, services.clock.now())
        token = bearer_of(session, services, claire)
    student = {"Authorization": f"Bearer {opened['token']}"}
    return Talk(client, services, UUID(opened["conversation_id"]), student, claire, token)


def test_a_file_of_a_colleague_claims_the_conversation_and_is_saved_by_the_student_as_it_was_sent(
    talk: Talk, services: Services
):
    answer = talk.sends()
    file = {"id": 1, "name": NAME, "size": len(PDF), "media_type": "application/pdf"}

    assert (answer.status_code, answer.json()["event"]["files"]) == (202, [file])
    assert talk.shown()[1:] == [
        ("system", "Vous parlez maintenant avec Claire.", []),
        ("staff", f"[Document: {NAME}]", [file]),
    ]
    saved = talk.saves(1)
    assert (saved.status_code, saved.content, saved.headers["Content-Type"]) == (200, PDF, "application/pdf")
    assert saved.headers["Content-Disposition"].startswith('attachment; filename="Formulaire _t_.pdf"; ')
    assert (saved.headers["Cache-Control"], saved.headers["X-Content-Type-Options"]) == ("private, no-store", "nosniff")
    with services.database.read() as session:
        found = session.scalars(select(AuditEntry).where(AuditEntry.action == "send_file")).all()
        assert [(each.staff_id, each.conversation_id, each.details) for each in found] == [
            (talk.claire.id, talk.id, {"seq": 3})
        ]


def test_the_desk_shows_what_it_sent_like_the_files_of_the_student(talk: Talk):
    talk.sends()
    events = talk.client.get(f"{talk.desk}/messages", headers=talk.token).json()["events"]
    saved = talk.client.get(f"{talk.desk}/files/1", headers=talk.token)

    assert events[-1]["files"] == [{"id": 1, "name": NAME, "size": len(PDF), "state": "kept"}]
    assert (saved.status_code, saved.content) == (200, PDF)


def test_the_same_client_id_is_the_same_file_and_another_content_is_refused(talk: Talk, services: Services):
    client_id = str(uuid4())
    first, again = talk.sends(client_id=client_id), talk.sends(client_id=client_id)
    other = talk.sends(b"%PDF another", client_id=client_id)
    renamed = talk.sends(name="other.pdf", client_id=client_id)
    words = talk.client.post(
        f"{talk.desk}/messages", json={"client_id": client_id, "text": "Hello"}, headers=talk.token
    )

    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == first.json()
    refused = [(each.status_code, each.json()["code"]) for each in (other, renamed, words)]
    assert refused == [(409, "different_content")] * 3
    with services.database.read() as session:
        assert len(session.scalars(select(Attachment)).all()) == 1


def test_what_a_colleague_holds_is_answered_by_that_colleague_alone(talk: Talk):
    talk.sends()
    answer = talk.sends(token=talk.token_of("Marc", Role.ADMIN))

    assert (answer.status_code, answer.json()["code"]) == (409, "already_taken")
    assert len(talk.shown()) == 3


@pytest.mark.parametrize("role", [Role.EDITOR, Role.AUDITOR])
def test_a_role_that_does_not_answer_sends_no_file(talk: Talk, role: Role):
    answer = talk.sends(token=talk.token_of("Noa", role))

    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert len(talk.shown()) == 1


def test_a_file_of_exactly_the_limit_is_sent_and_one_byte_more_is_refused_with_the_limit(talk: Talk):
    sent, refused = talk.sends(b"x" * MOST_BYTES), talk.sends(b"x" * (MOST_BYTES + 1))
    endless = talk.client.post(
        f"{talk.desk}/files",
        params={"client_id": str(uuid4()), "name": "a"},
        content=(b"x" * 1024 * 1024 for _ in range(21)),
        headers=talk.token,
    )

    assert (sent.status_code, sent.json()["event"]["files"][0]["size"]) == (202, MOST_BYTES)
    assert [(each.status_code, each.json()["code"]) for each in (refused, endless)] == [(413, "too_large")] * 2
    assert "20 MB" in refused.json()["title"]
    assert "20 MB" in endless.json()["title"]
    assert len(talk.shown()) == 3


def test_an_empty_file_is_refused(talk: Talk):
    answer = talk.sends(b"")

    assert (answer.status_code, answer.json()["errors"]) == (
        422,
        [{"field": "body", "message": "This file is empty."}],
    )
    assert len(talk.shown()) == 1


def test_a_file_whose_type_could_run_is_plain_bytes_under_a_name_without_folders(talk: Talk):
    file = talk.sends(b"<script>", "../../a\u202eb.html", media_type="text/html").json()["event"]["files"][0]
    saved = talk.saves(file["id"])

    assert (file["name"], file["media_type"]) == ("ab.html", "application/octet-stream")
    assert saved.headers["Content-Type"] == "application/octet-stream"


def test_one_file_more_than_a_day_may_have_is_refused_and_the_student_s_own_do_not_count(
    talk: Talk, services: Services, monkeypatch: pytest.MonkeyPatch
):
    now = services.clock.now()
    monkeypatch.setattr("bot.conversations.service.MOST_FILES_A_DAY", 1)
    monkeypatch.setattr(service, "MOST_FILES_A_DAY", 1)
    bring(talk, services)
    first, second = talk.sends(), talk.sends()

    assert (first.status_code, second.status_code) == (202, 422)
    assert "1 files" in second.json()["errors"][0]["message"]
    with services.database.write() as session:
        for each in session.scalars(select(Attachment)):
            each.created_at = now - timedelta(days=2)
    assert talk.sends().status_code == 202


def bring(talk: Talk, services: Services) -> int:
    """A file of the student, kept; returns its number."""
    now = services.clock.now()
    file = Brought("document", "visa.pdf", "application/pdf", 9, "BQACAgIAAx")
    with services.database.write() as session:
        claim(session, talk.id, session.get_one(Staff, talk.claire.id), now)
        receive_message(session, talk.id, IncomingMessage("web", "7", "my visa", None, now, file), now)
        kept = session.scalars(select(Attachment)).one()
        kept.content, kept.state, kept.external = b"%PDF visa", AttachmentState.KEPT, ""
        return kept.id


def test_a_student_is_given_only_what_a_colleague_sent_in_the_own_conversation(talk: Talk, services: Services):
    own = bring(talk, services)
    sent = talk.sends().json()["event"]["files"][0]["id"]
    opened = talk.client.post("/api/v1/conversations").json()
    other = {"Authorization": f"Bearer {opened['token']}"}
    elsewhere = talk.client.get(f"/api/v1/conversations/{opened['conversation_id']}/files/{sent}", headers=other)
    foreign = talk.client.get(f"/api/v1/conversations/{talk.id}/files/{sent}", headers=other)
    without = talk.client.get(f"/api/v1/conversations/{talk.id}/files/{sent}")

    assert [files for author, _, files in talk.shown() if author == "student"] == [[]]
    assert talk.saves(sent).status_code == 200
    assert [each.status_code for each in (talk.saves(own), talk.saves(99), elsewhere, foreign, without)] == [
        404, 404, 404, 404, 401,
    ]  # fmt: skip


def test_a_file_that_was_taken_back_is_gone_for_everybody(talk: Talk, services: Services):
    client_id = str(uuid4())
    sent = talk.sends(client_id=client_id).json()["event"]
    changed = talk.client.patch(f"{talk.desk}/messages/{sent['seq']}", json={"text": "b"}, headers=talk.token)
    gone = talk.client.delete(f"{talk.desk}/messages/{sent['seq']}", headers=talk.token)

    assert (changed.status_code, changed.json()["why"]) == (409, "is_file")
    assert (gone.status_code, gone.json()["event"]["files"], gone.json()["event"]["deleted"]) == (200, [], True)
    (told,) = talk.reads()["changed"]
    assert (told["deleted"], told["files"]) == (True, [])
    assert talk.saves(1).status_code == 404
    assert talk.client.get(f"{talk.desk}/files/1", headers=talk.token).status_code == 404
    with services.database.read() as session:
        assert session.scalars(select(Attachment)).all() == []
    assert talk.sends(client_id=client_id).status_code == 200


def test_words_beside_a_file_can_still_be_changed(talk: Talk, services: Services):
    talk.sends()
    body = {"client_id": str(uuid4()), "text": "Here is the form"}
    seq = talk.client.post(f"{talk.desk}/messages", json=body, headers=talk.token).json()["event"]["seq"]
    with services.database.write() as session:
        staff = session.get_one(Staff, talk.claire.id)
        assert edit(session, talk.id, seq, staff, "Here it is", services.clock.now()).text == "Here it is"


def test_a_file_goes_with_its_conversation(talk: Talk, services: Services):
    talk.sends()
    with services.database.write() as session:
        session.delete(session.get_one(Conversation, talk.id))
    with services.database.read() as session:
        assert session.scalars(select(Attachment)).all() == []
