"""Files that a student hands over on the page, as other programs would."""

from base64 import b64encode
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from bot.conversations.brought import LONGEST_NAME, MOST_BYTES, MOST_FILES_A_DAY, handed_over
from bot.conversations.messages import IncomingMessage
from bot.conversations.models import Attachment, AttachmentState, Control, Conversation, InboxEntry, Message
from bot.conversations.service import receive_message
from bot.handoff.models import Reason
from bot.handoff.service import claim, close, release, request_person
from tests.factories import make_staff

PDF = b"%PDF-1.7\n" + bytes(range(256))
PNG = b"\x89PNG\r\n"
NO_COLLEAGUE = "Files can be sent here once a person of the office has taken over."
USED_UP = "This file was not passed on: at most 40 files and 100 MB a day can be sent here. Send it tomorrow, please."


@pytest.fixture
def talk(client):
    opened = client.post("/api/v1/conversations", json={"language": "en"}).json()
    return opened["conversation_id"], {"Authorization": f"Bearer {opened['token']}"}


@pytest.fixture
def claire(services, talk):
    """Has the conversation."""
    now = services.clock.now()
    with services.database.write() as session:
        staff = make_staff(session, now)
        claim(session, UUID(talk[0]), staff, now)
        return staff


def hand_over(client, talk, content=PDF, name="scan.pdf", media_type="application/pdf", client_id=None, **headers):
    conversation, token = talk
    return client.post(
        f"/api/v1/conversations/{conversation}/files",
        params={"client_id": client_id or str(uuid4()), "name": name},
        content=content,
        headers=token | {"Content-Type": media_type} | headers,
    )


def answered(response):
    return response.status_code, response.json()["code"], response.json()["title"]


def files(services):
    """(name, type, size, bytes, state) of all there are, in order."""
    with services.database.read() as session:
        rows = session.scalars(select(Attachment).order_by(Attachment.id))
        return [(row.name, row.media_type, row.size, row.content, row.state) for row in rows]


def from_student(services):
    with services.database.read() as session:
        found = session.scalars(select(Message).where(Message.author == "student").order_by(Message.seq))
        return [message.text for message in found]


def test_a_file_is_kept_at_once_for_the_colleague_who_has_the_conversation(client, services, talk, claire):
    response = hand_over(client, talk)

    assert response.status_code == 202
    event = response.json()["event"]
    assert (event["author"], event["kind"], event["text"]) == ("student", "text", "[Document: scan.pdf]")
    assert files(services) == [("scan.pdf", "application/pdf", len(PDF), PDF, AttachmentState.KEPT)]


def test_an_image_is_a_photo_and_what_is_not_known_to_be_harmless_is_plain_bytes(client, services, talk, claire):
    texts = [
        hand_over(client, talk, PNG, "passport.png", "image/png").json()["event"]["text"],
        hand_over(client, talk, b"<svg/>", "logo.svg", "image/svg+xml").json()["event"]["text"],
        hand_over(client, talk, b"<p>", "page.html", "text/html; charset=utf-8").json()["event"]["text"],
    ]

    assert texts == ["[Photo] passport.png", "[Document: logo.svg]", "[Document: page.html]"]
    assert [each[1] for each in files(services)] == [
        "image/png",
        "application/octet-stream",
        "application/octet-stream",
    ]


def test_nothing_is_said_to_a_file_while_a_colleague_has_the_conversation(client, services, talk, claire):
    hand_over(client, talk)
    conversation, token = talk
    url = f"/api/v1/conversations/{conversation}/messages"
    events = client.get(url, params={"after": 0, "wait": 0}, headers=token).json()["events"]

    assert [event["author"] for event in events] == ["bot", "system", "student"]


def test_the_same_file_again_is_the_same_message_also_when_it_was_given_back(client, services, talk, claire):
    client_id = str(uuid4())
    first = hand_over(client, talk, client_id=client_id)
    again = hand_over(client, talk, client_id=client_id)
    with services.database.write() as session:
        release(session, UUID(talk[0]), claire, services.clock.now())
    later = hand_over(client, talk, client_id=client_id)

    assert (first.status_code, again.status_code, later.status_code) == (202, 200, 200)
    assert first.json()["event"]["seq"] == again.json()["event"]["seq"] == later.json()["event"]["seq"]
    assert len(files(services)) == 1


@pytest.mark.parametrize(
    "other",
    [{"content": b"%PDF-1.7\nother"}, {"name": "other.pdf"}, {"media_type": "text/plain"}, {"content": PDF[:-1]}],
)
def test_the_same_client_id_with_another_file_is_a_conflict(client, services, talk, claire, other):
    client_id = str(uuid4())
    hand_over(client, talk, client_id=client_id)
    response = hand_over(client, talk, client_id=client_id, **other)

    assert (response.status_code, response.json()["code"]) == (409, "different_content")
    assert [each[3] for each in files(services)] == [PDF]


def test_the_client_id_of_a_text_is_not_the_one_of_a_file(client, services, talk, claire):
    conversation, token = talk
    client_id = str(uuid4())
    body = {"client_id": client_id, "text": "Here is my passport"}
    client.post(f"/api/v1/conversations/{conversation}/messages", json=body, headers=token)
    response = hand_over(client, talk, client_id=client_id)

    assert (response.status_code, response.json()["code"]) == (409, "different_content")
    assert files(services) == []


def test_no_token_is_401_and_the_token_of_another_is_404(client, services, talk, claire):
    other = client.post("/api/v1/conversations", json={}).json()["token"]
    without = hand_over(client, (talk[0], {}))
    stranger = hand_over(client, (talk[0], {"Authorization": f"Bearer {other}"}))

    assert (without.status_code, stranger.status_code) == (401, 404)
    assert files(services) == []


@pytest.mark.parametrize(("headers", "status"), [({}, 401), ({"Authorization": "Bearer of-another"}, 404)])
def test_whoever_has_no_right_token_is_refused_before_the_file_is_read(client, talk, claire, headers, status):
    read = []

    def parts():
        read.append(PDF)
        yield PDF

    response = hand_over(client, (talk[0], headers), parts())

    assert (response.status_code, read) == (status, [])
    assert (hand_over(client, talk, parts()).status_code, read) == (202, [PDF])


@pytest.mark.parametrize("control", [Control.BOT, Control.WAITING, Control.CLOSED])
def test_while_no_colleague_has_the_conversation_a_file_is_refused_and_nothing_is_stored(
    client, services, talk, control
):
    now = services.clock.now()
    with services.database.write() as session:
        conversation = session.get_one(Conversation, UUID(talk[0]))
        if control == Control.WAITING:
            request_person(session, conversation, Reason.ASKED, now)
        if control == Control.CLOSED:
            staff = make_staff(session, now)
            claim(session, conversation.id, staff, now)
            close(session, conversation.id, staff, now)
        assert conversation.control == control
    response = hand_over(client, talk)

    assert answered(response) == (409, "no_colleague", NO_COLLEAGUE)
    assert (files(services), from_student(services)) == ([], [])
    with services.database.read() as session:
        assert session.scalars(select(InboxEntry)).all() == []
        assert session.get_one(Conversation, UUID(talk[0])).control == control


def test_a_file_that_is_on_its_way_when_the_colleague_gives_back_is_refused(client, services, talk, claire):
    def parts():
        yield PDF
        with services.database.write() as session:
            release(session, UUID(talk[0]), claire, services.clock.now())

    response = hand_over(client, talk, parts())

    assert answered(response) == (409, "no_colleague", NO_COLLEAGUE)
    assert (files(services), from_student(services)) == ([], [])


def test_a_file_of_20_mb_is_taken_and_one_byte_more_is_refused_with_the_limit(client, services, talk, claire):
    largest = hand_over(client, talk, b"x" * MOST_BYTES)
    larger = hand_over(client, talk, b"x" * (MOST_BYTES + 1))

    assert largest.status_code == 202
    assert answered(larger) == (413, "too_large", "The request is too large: 20 MB at most.")
    assert larger.headers["content-type"] == "application/problem+json"
    assert [each[2] for each in files(services)] == [MOST_BYTES]


def test_a_file_without_a_length_that_grows_too_large_is_cut_off_and_refused_in_the_same_way(
    client, services, talk, claire
):
    response = hand_over(client, talk, (b"x" * 1024 * 1024 for _ in range(21)))

    assert answered(response) == (413, "too_large", "The request is too large: 20 MB at most.")
    assert files(services) == []


def test_a_file_whose_sender_goes_away_halfway_leaves_nothing(client, services, talk, claire):
    parts = [{"type": "http.request", "body": PDF, "more_body": True}, {"type": "http.disconnect"}]
    sent = []

    async def receive():
        return parts.pop(0)

    async def send(message):
        sent.append(message)

    headers = [(b"authorization", talk[1]["Authorization"].encode()), (b"content-type", b"application/pdf")]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": f"/api/v1/conversations/{talk[0]}/files",
        "raw_path": b"",
        "query_string": f"client_id={uuid4()}&name=scan.pdf".encode(),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
        "state": {},
    }
    client.portal.call(client.app, scope, receive, send)

    assert (parts, sent[0]["status"]) == ([], 422)
    assert (files(services), from_student(services)) == ([], [])


def test_an_empty_file_is_refused_with_the_field(client, services, talk, claire):
    response = hand_over(client, talk, b"")

    assert (response.status_code, response.json()["code"]) == (422, "invalid_field")
    assert response.json()["errors"] == [{"field": "body", "message": "This file is empty."}]
    assert files(services) == []


@pytest.mark.parametrize(
    "params", [{}, {"name": "a.pdf"}, {"client_id": "1", "name": "a.pdf"}, {"client_id": str(uuid4())}]
)
def test_a_file_without_a_name_or_a_client_id_is_refused_with_the_field(client, talk, claire, params):
    conversation, token = talk
    url = f"/api/v1/conversations/{conversation}/files"
    response = client.post(url, params=params, content=PDF, headers=token)

    assert (response.status_code, response.json()["code"]) == (422, "invalid_field")


def test_more_files_than_a_day_allows_are_refused_with_both_limits_and_taken_the_day_after(
    client, services, talk, claire
):
    now = services.clock.now()
    with services.database.write() as session:
        for number in range(MOST_FILES_A_DAY):
            file = handed_over("scan.pdf", "application/pdf", b"%PDF")
            sent_at = now - timedelta(hours=1)
            receive_message(
                session, UUID(talk[0]), IncomingMessage("web", f"{number}", "", None, sent_at, file), sent_at
            )
    refused = hand_over(client, talk)
    with services.database.write() as session:
        for row in session.scalars(select(Attachment)):
            row.created_at = now - timedelta(days=1, minutes=1)
    taken = hand_over(client, talk)

    assert answered(refused) == (409, "too_many_files", USED_UP)
    assert taken.status_code == 202
    assert len(files(services)) == len(from_student(services)) == MOST_FILES_A_DAY + 1


def test_the_day_has_a_limit_of_100_mb_as_well(client, services, talk, claire):
    with services.database.write() as session:
        now = services.clock.now()
        for number in range(5):
            file = handed_over("scan.pdf", "application/pdf", b"x" * MOST_BYTES)
            receive_message(session, UUID(talk[0]), IncomingMessage("web", f"{number}", "", None, now, file), now)
            # The limit is about what they are said to have; the rest of this test needs no bytes.
            session.scalars(select(Attachment).order_by(Attachment.id.desc())).first().content = b"x"
            session.query(InboxEntry).update({"rated_at": None})

    assert answered(hand_over(client, talk)) == (409, "too_many_files", USED_UP)


def test_files_count_as_messages_do_and_a_repeat_costs_nothing(client, services, talk, claire):
    client_id = str(uuid4())
    taken = [hand_over(client, talk, client_id=client_id)] + [hand_over(client, talk) for _ in range(4)]
    more = hand_over(client, talk)
    again = hand_over(client, talk, client_id=client_id)

    assert [each.status_code for each in taken] == [202] * 5
    assert (more.status_code, more.json()["code"], again.status_code) == (429, "too_many", 200)
    assert int(more.headers["Retry-After"]) > 0
    assert len(files(services)) == 5


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\amina\\visa.pdf", "visa.pdf"),
        ("visa\r\nSet-Cookie: x\x00.pdf", "visa Set-Cookie: x.pdf"),
        ("visa\u202efdp.exe", "visafdp.exe"),
        ("签证 – фото.pdf", "签证 – фото.pdf"),
        ("x" * 296 + ".pdf", "x" * (LONGEST_NAME - 4) + ".pdf"),
    ],
)
def test_a_name_is_kept_without_folders_and_without_what_a_screen_hides(client, services, talk, claire, given, name):
    response = hand_over(client, talk, name=given)

    assert response.json()["event"]["text"] == f"[Document: {name}]"
    assert [each[0] for each in files(services)] == [name]


def test_the_reasons_are_said_in_the_language_that_is_asked_for(client, talk):
    response = hand_over(client, talk, **{"Accept-Language": "fr"})

    assert answered(response)[2] == (
        "Vous pourrez envoyer des fichiers ici dès qu'une personne du service aura pris le relais."
    )


def test_the_file_of_the_api_says_what_a_file_may_be(client):
    operation = client.get("/api/v1/openapi.json").json()["paths"]["/api/v1/conversations/{conversation_id}/files"]

    assert list(operation["post"]["requestBody"]["content"]) == ["application/octet-stream"]
    assert operation["post"]["responses"]["413"]["description"] == "A file of more than 20 MB."


def test_a_student_finds_the_file_among_their_data_and_erases_it(client, services, talk, claire):
    conversation, token = talk
    hand_over(client, talk)
    url = f"/api/v1/conversations/{conversation}/mydata"
    exported = client.get(f"{url}/export", headers=token)
    erased = client.request("DELETE", url, headers=token, json={"confirm": True})

    assert "[Document: scan.pdf]" in exported.text
    assert b64encode(PDF).decode() in exported.text
    assert erased.status_code == 200
    assert files(services) == []
