"""The public API as other programs call it."""

import json
import time
from uuid import uuid4

import httpx
import pytest

from bot.channels.web.limits import TYPING_PER_MINUTE
from bot.conversations.models import Conversation
from bot.conversations.service import open_conversation
from bot.db.session import Database
from bot.gateway import build_app
from bot.handoff.models import Reason
from bot.handoff.service import claim, request_person
from tests.factories import make_staff


@pytest.fixture
def talk(client):
    opened = client.post("/api/v1/conversations", json={"language": "en"}).json()
    return opened["conversation_id"], {"Authorization": f"Bearer {opened['token']}"}


def send(client, talk, text="What is the CVEC?", client_id=None, **more):
    conversation, headers = talk
    body = {"client_id": client_id or str(uuid4()), "text": text} | more
    body = {key: value for key, value in body.items() if value is not None}
    return client.post(f"/api/v1/conversations/{conversation}/messages", json=body, headers=headers)


def events(client, talk, after=0, wait=5):
    conversation, headers = talk
    url = f"/api/v1/conversations/{conversation}/messages"
    return client.get(url, params={"after": after, "wait": wait}, headers=headers).json()


def test_a_conversation_opens_with_a_greeting_that_says_it_is_a_machine(client):
    response = client.post("/api/v1/conversations", json={"language": "fr"})

    assert response.status_code == 201
    body = response.json()
    assert (body["language"], body["control"]) == ("fr", "bot")
    (event,) = body["messages"]
    assert (event["seq"], event["author"], event["kind"], event["language"]) == (1, "bot", "notice", "fr")
    assert "machine" in event["text"]
    assert len(body["token"]) >= 22


def test_without_a_body_the_language_of_the_browser_is_taken(client):
    response = client.post("/api/v1/conversations", headers={"Accept-Language": "pt-BR,pt;q=0.9,en;q=0.5"})

    assert response.json()["language"] == "pt"


def test_an_unsupported_language_is_refused_with_the_field(client, talk):
    conversation, headers = talk
    response = client.patch(f"/api/v1/conversations/{conversation}", json={"language": "tlh"}, headers=headers)

    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "invalid_field"
    assert response.json()["errors"][0]["field"] == "language"


def test_a_chosen_language_is_kept(client, talk):
    conversation, headers = talk
    response = client.patch(f"/api/v1/conversations/{conversation}", json={"language": "es"}, headers=headers)

    assert (response.status_code, response.json()["language"]) == (200, "es")


def test_a_message_is_accepted_and_answered(client, talk):
    sent = send(client, talk)

    assert sent.status_code == 202
    assert sent.json()["event"] == {
        "seq": 2,
        "author": "student",
        "author_name": None,
        "kind": "text",
        "text": "What is the CVEC?",
        "language": "en",
        "buttons": [],
        "sources": [],
        "in_reply_to": None,
        "topic": None,
        "created_at": sent.json()["event"]["created_at"],
        "edited_at": None,
        "deleted": False,
        "files": [],
    }
    answer = events(client, talk, after=2)
    assert [(e["author"], e["text"], e["in_reply_to"]) for e in answer["events"]] == [
        ("bot", "echo: What is the CVEC?", 2)
    ]
    assert (answer["control"], answer["last_seq"]) == ("bot", 3)


def test_the_same_client_id_with_the_same_content_is_the_same_message(client, talk):
    first = send(client, talk, client_id="8f14e45f-ceea-4a7a-9c3d-000000000001")
    again = send(client, talk, client_id="8f14e45f-ceea-4a7a-9c3d-000000000001")

    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == first.json()


def test_the_same_client_id_with_other_content_is_a_conflict(client, talk):
    send(client, talk, client_id="8f14e45f-ceea-4a7a-9c3d-000000000001")
    other = send(client, talk, "Something else", client_id="8f14e45f-ceea-4a7a-9c3d-000000000001")

    assert (other.status_code, other.json()["code"]) == (409, "different_content")


@pytest.mark.parametrize(
    "body",
    [
        {"client_id": str(uuid4()), "text": ""},
        {"client_id": str(uuid4()), "text": "   "},
        {"client_id": str(uuid4()), "text": "x" * 4001},
        {"client_id": str(uuid4()), "text": "a\x00b"},
        {"client_id": "not a uuid", "text": "hello"},
        {"client_id": str(uuid4())},
        {"client_id": str(uuid4()), "text": "hello", "button": "key"},
        {"client_id": str(uuid4()), "text": "hello", "unknown": 1},
    ],
)
def test_a_message_that_is_not_valid_is_refused_with_the_field(client, talk, body):
    conversation, headers = talk
    response = client.post(f"/api/v1/conversations/{conversation}/messages", json=body, headers=headers)

    assert (response.status_code, response.json()["code"]) == (422, "invalid_field")
    assert response.json()["errors"]


def test_a_lone_surrogate_is_refused_and_nothing_is_stored(client, talk):
    conversation, headers = talk
    raw = json.dumps({"client_id": str(uuid4()), "text": "half \ud83d"}).encode()
    response = client.post(
        f"/api/v1/conversations/{conversation}/messages",
        content=raw,
        headers={**headers, "Content-Type": "application/json"},
    )

    assert response.status_code == 422
    assert events(client, talk, wait=0)["last_seq"] == 1


def test_no_token_is_401_and_the_token_of_another_is_404(client, talk):
    conversation, headers = talk
    other = client.post("/api/v1/conversations").json()
    url = f"/api/v1/conversations/{conversation}/messages"

    assert client.get(url).status_code == 401
    assert client.get(url, headers={"Authorization": f"Bearer {other['token']}"}).status_code == 404
    assert client.get(f"/api/v1/conversations/{uuid4()}/messages", headers=headers).status_code == 404
    assert client.get(url, headers=headers).status_code == 200


def test_too_many_messages_are_refused_with_the_seconds_to_wait(client, talk):
    statuses = [send(client, talk, f"question {n}").status_code for n in range(6)]
    refused = send(client, talk, "one more")

    assert statuses == [202] * 5 + [429]
    assert refused.json()["code"] == "too_many"
    assert 1 <= int(refused.headers["retry-after"]) <= 61


def test_the_limit_does_not_refuse_a_repeat(client, talk):
    client_id = str(uuid4())
    send(client, talk, "question 0", client_id=client_id)
    for n in range(1, 5):
        send(client, talk, f"question {n}")

    assert send(client, talk, "question 0", client_id=client_id).status_code == 200


def test_words_of_danger_are_taken_in_and_answered_beyond_the_limit(client, talk):
    for n in range(5):
        send(client, talk, f"question {n}")

    assert send(client, talk, "question 5").status_code == 429
    sent = send(client, talk, "I want to kill myself")
    assert sent.status_code == 202
    seen = events(client, talk, after=sent.json()["event"]["seq"])["events"]
    while not any("3114" in event["text"] for event in seen):
        seen = events(client, talk, after=seen[-1]["seq"])["events"]
        assert seen


def test_an_unknown_button_gets_a_friendly_answer(client, talk):
    send(client, talk, text=None, button="no-such-key")

    assert events(client, talk, after=2)["events"][0]["text"].startswith("This button is too old")


@pytest.mark.parametrize(
    "query", [{"after": -1}, {"after": "x"}, {"limit": 0}, {"limit": 201}, {"wait": -1}, {"wait": 31}]
)
def test_a_query_out_of_range_is_refused_with_the_field(client, talk, query):
    conversation, headers = talk
    response = client.get(f"/api/v1/conversations/{conversation}/messages", params=query, headers=headers)

    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, next(iter(query)))


def test_a_long_poll_waits_for_the_answer_and_returns_empty_at_the_end(client, talk):
    began = time.monotonic()
    nothing = events(client, talk, after=1, wait=1)

    assert nothing["events"] == []
    assert 0.9 < time.monotonic() - began < 5


def test_when_the_database_is_away_an_urgent_message_still_gets_its_numbers(client, talk, services, monkeypatch):
    monkeypatch.setattr(services.database, "engine", Database("sqlite:////no/such/folder/accueil.db").engine)
    urgent = send(client, talk, "I want to die")
    plain = send(client, talk, "What is the CVEC?")

    assert (urgent.status_code, urgent.json()["code"]) == (503, "unavailable")
    assert urgent.json()["urgent_text"].startswith("**Call 3114 now")
    assert (plain.status_code, "urgent_text" in plain.json()) == (503, False)


def test_another_site_may_call_only_when_it_is_on_the_list(client):
    def preflight(origin):
        return client.options(
            "/api/v1/conversations",
            headers={"Origin": origin, "Access-Control-Request-Method": "POST"},
        ).headers.get("access-control-allow-origin")

    assert preflight("https://www.junia.example") == "https://www.junia.example"
    assert preflight("https://evil.example") is None


def test_a_body_that_is_too_large_is_refused_before_it_is_read(client, talk):
    conversation, headers = talk
    response = client.post(f"/api/v1/conversations/{conversation}/messages", content=b"x" * 70_000, headers=headers)

    assert (response.status_code, response.json()["code"]) == (413, "too_large")


def test_a_body_without_a_length_that_grows_too_large_is_refused_in_the_same_way(client, talk):
    conversation, headers = talk
    parts = (b"x" * 1000 for _ in range(70))
    response = client.post(f"/api/v1/conversations/{conversation}/messages", content=parts, headers=headers)

    assert (response.status_code, response.json()["code"]) == (413, "too_large")


def test_a_body_that_is_no_json_is_named_as_such(client):
    response = client.post("/api/v1/conversations", content=b"{", headers={"Content-Type": "application/json"})

    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "body")


def test_probes_tell_the_process_from_the_engine(client, engine):
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").json() == {"database": "ok", "engine": "ok"}
    engine.fails = True
    assert client.get("/readyz").status_code == 503


async def test_that_a_student_types_reaches_the_console_and_only_where_a_person_may_read(services, engine):
    app = build_app(services, engine=engine)
    now = services.clock.now()
    with services.database.write() as session:
        conversation, token = open_conversation(
            session, language="en", language_chosen=True, greeting="Hello", channel="web", now=now
        )
        talk = conversation.id
    # What the console follows when this conversation is on the screen (bot.console.pages.desk.routes.follow).
    with services.live.subscribe(None, talk) as console:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:

            async def types() -> tuple[int, list[tuple[str, bool]]]:
                answer = await client.post(
                    f"/api/v1/conversations/{talk}/typing", headers={"Authorization": f"Bearer {token}"}
                )
                return answer.status_code, console.take_typing()

            with_the_bot = await types()
            with services.database.write() as session:
                request_person(session, session.get_one(Conversation, talk), Reason.ASKED, now)
            waiting = await types()
            with services.database.write() as session:
                claim(session, talk, make_staff(session, now), now)
            with_a_colleague = await types()
            stranger = await client.post(
                f"/api/v1/conversations/{talk}/typing", headers={"Authorization": "Bearer of-another"}
            )

    assert with_the_bot == (204, [])
    assert waiting == with_a_colleague == (204, [("student", True)])
    assert (stranger.status_code, console.take_typing()) == (404, [])


def test_whoever_types_faster_than_a_hand_is_told_to_wait(client, talk):
    conversation, headers = talk
    url = f"/api/v1/conversations/{conversation}/typing"

    answers = [client.post(url, headers=headers) for _ in range(TYPING_PER_MINUTE + 1)]

    assert [each.status_code for each in answers] == [204] * TYPING_PER_MINUTE + [429]
    assert (answers[-1].json()["code"], int(answers[-1].headers["Retry-After"]) > 0) == ("too_many", True)
