"""Requests that Rasa 3.6.21 sent, replayed against the action server; and how both of them are started.

The files of tests/data/rasa were taken between a running engine and its action server.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from bot.assistant.engine import actions_command, engine_environment, rasa_command
from bot.config import ROOT, Settings
from bot.conversations.messages import Answer
from bot.db.session import Database
from bot.demo import load_demo
from bot.supervisor.checks import free_port
from bot.tables import METADATA

RECORDED = ROOT / "tests" / "data" / "rasa"
EXPECTED = {
    "answer": "answer",
    "answer_in_french": "answer",
    "as_student": "answer",
    "bookings": "chat",
    "clarify": "clarify",
    "conversation": "answer",
    "handoff": "handoff",
    "identity": "chat",
    "language": "chat",
    "mydata": "chat",
    "out_of_scope": "abstain",
    "path": "chat",
    "pressed_topic": "answer",
    "privacy": "chat",
    "record": "chat",
    "reminders": "chat",
    "second_turn": "chat",
    "small_talk": "chat",
}
"""Recorded request → action of the answer."""

ENVELOPE = {"text", "buttons", "sources", "understanding", "effects"}
UNDERSTANDING = {"intent", "confidence", "action", "topic", "topics", "group", "candidates"}
WORDS = "a sentence that nobody may read"


def recorded(name: str) -> dict[str, Any]:
    request: dict[str, Any] = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))
    return request


@dataclass(frozen=True)
class ActionServer:
    client: httpx.Client
    port: int
    log: Path

    def run(self, request: Any) -> httpx.Response:
        return self.client.post("/webhook", json=request)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ActionServer]:
    """The action server as it is really started, with the demo cast; Amina is student 1."""
    folder = tmp_path_factory.mktemp("actions")
    settings = Settings(data=folder, database_url="", _env_file=None)
    database = Database(settings.database)
    METADATA.create_all(database.engine.execution_options(writes=True))
    with database.write() as session:
        load_demo(session, settings, datetime(2026, 11, 24, tzinfo=UTC))
    database.close()
    port, log = free_port(), folder / "actions.log"
    command = actions_command(ROOT, port=port)
    env = {**os.environ, **command.env, "ACCUEIL_DATA": str(folder), "ACCUEIL_DATABASE_URL": ""}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command.argv, env=env, cwd=ROOT, stdout=output, stderr=output, start_new_session=True
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            _wait_for(client)
            yield ActionServer(client, port, log)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for(client: httpx.Client) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if client.get("/health").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the action server did not start")


def test_every_recorded_request_is_replayed() -> None:
    assert {path.stem for path in RECORDED.glob("*.json")} == EXPECTED.keys()
    assert {recorded(name)["version"] for name in EXPECTED} == {"3.6.21"}


def test_every_action_of_the_domain_was_recorded_and_is_registered(server: ActionServer) -> None:
    ours = set(yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))["actions"])

    assert {recorded(name)["next_action"] for name in EXPECTED} == ours
    assert {action["name"] for action in server.client.get("/actions").json()} == ours


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_recorded_request_is_answered_by_one_envelope(server: ActionServer, name: str) -> None:
    response = server.run(recorded(name))

    assert response.status_code == 200
    body = response.json()
    assert body["events"] == []
    (sent,) = body["responses"]
    envelope = sent["custom"]
    assert envelope.keys() == ENVELOPE
    assert envelope["understanding"].keys() == UNDERSTANDING
    assert envelope["understanding"]["action"] == EXPECTED[name]
    assert Answer.from_json(envelope).as_json() == envelope
    assert envelope["text"].strip() == envelope["text"] != ""


def test_a_topic_from_a_button_needs_no_labels(server: ActionServer) -> None:
    understanding = server.run(recorded("pressed_topic")).json()["responses"][0]["custom"]["understanding"]

    assert (understanding["topic"], understanding["confidence"]) == ("cvec", 1.0)


def test_a_probe_may_name_the_student_and_a_conversation_may_not(server: ActionServer) -> None:
    def text(sender: str) -> str:
        request = recorded("as_student") | {"sender_id": sender}
        request["tracker"]["sender_id"] = sender
        return str(server.run(request).json()["responses"][0]["custom"]["text"])

    personal = "By 12 December 2026, because you arrived on 12 September 2026."
    assert text("probe-00000000-0000-4000-8000-000000000000").startswith(personal)
    assert personal not in text("00000000-0000-4000-8000-0000000000aa")


def test_an_unknown_action_is_404(server: ActionServer) -> None:
    response = server.run(recorded("answer") | {"next_action": "action_of_nobody"})

    assert response.status_code == 404


def test_only_a_request_that_left_its_domain_out_would_be_answered_by_449(server: ActionServer) -> None:
    request = recorded("answer")
    without = {key: value for key, value in request.items() if key != "domain"} | {"domain_digest": None}

    assert (server.run(request).status_code, server.run(without).status_code) == (200, 449)


@pytest.mark.parametrize(
    "broken",
    [
        {"next_action": "action_answer_topic", "tracker": WORDS, "domain": {}, "version": "3.6.21"},
        {"next_action": "action_answer_topic", "tracker": {"events": WORDS}, "domain": {}},
        [WORDS],
        WORDS,
    ],
    ids=["no tracker", "half a tracker", "a list", "a text"],
)
def test_a_broken_request_is_refused_without_its_words(server: ActionServer, broken: Any) -> None:
    response = server.run(broken)

    assert (response.status_code, response.json()) == (500, {"error": "the action failed"})
    assert WORDS not in server.log.read_text(encoding="utf-8")


def test_what_makes_an_action_fail_is_answered_by_the_honest_sentence(server: ActionServer) -> None:
    request = recorded("answer")
    request["tracker"]["latest_message"] |= {"text": WORDS, "labels": "not a list of labels"}

    response = server.run(request)

    assert response.status_code == 200
    (sent,) = response.json()["responses"]
    assert sent["custom"]["understanding"]["action"] == "failed"
    assert WORDS not in server.log.read_text(encoding="utf-8")


def test_no_answer_repeats_the_request_in_the_log(server: ActionServer) -> None:
    server.run(recorded("answer"))

    assert "What is the CVEC?" not in server.log.read_text(encoding="utf-8")


def test_the_action_server_listens_on_loopback_only(server: ActionServer) -> None:
    assert listening_on(server.port) == {"0100007F"}


def listening_on(port: int) -> set[str]:
    """The local addresses (hexadecimal, as the kernel writes them) on which a port is open."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
            address, state = line.split()[1], line.split()[3]
            host, _, number = address.partition(":")
            if state == "0A" and int(number, 16) == port:
                found.add(host)
    return found


def test_the_engine_is_started_on_loopback_without_its_http_api_and_without_telemetry(tmp_path: Path) -> None:
    command = rasa_command(
        ROOT,
        model=tmp_path / "model.tar.gz",
        port=5005,
        actions_url="http://127.0.0.1:5055/webhook",
        tracker_database=tmp_path / "rasa.db",
    )
    options = dict(zip(command.argv, [*command.argv[1:], ""], strict=True))

    assert options["--interface"] == "127.0.0.1"
    assert [each for each in command.argv if each in ("--enable-api", "--cors", "--auth-token", "--debug", "-vv")] == []
    assert command.env["RASA_TELEMETRY_ENABLED"] == "false"
    assert command.env["ACCUEIL_ACTIONS_URL"] == "http://127.0.0.1:5055/webhook"
    assert engine_environment(ROOT)["RASA_TELEMETRY_ENABLED"] == "false"


def test_selective_domains_are_off_and_only_the_rest_channel_is_open() -> None:
    endpoints = yaml.safe_load((ROOT / "endpoints.yml").read_text(encoding="utf-8"))
    credentials = yaml.safe_load((ROOT / "credentials.yml").read_text(encoding="utf-8"))

    assert endpoints["action_endpoint"] == {"url": "${ACCUEIL_ACTIONS_URL}"}
    assert endpoints.keys() == {"action_endpoint", "tracker_store"}
    assert credentials == {"rest": None}


def test_the_dialogue_has_rules_only_and_falls_back_to_an_action_of_ours() -> None:
    config = yaml.safe_load((ROOT / "config.yml").read_text(encoding="utf-8"))
    domain = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))

    assert [policy["name"] for policy in config["policies"]] == ["RulePolicy"]
    assert config["policies"][0]["core_fallback_action_name"] == "action_answer_topic"
    assert domain.keys() & {"slots", "forms", "responses"} == set()
    assert domain["session_config"]["carry_over_slots_to_new_session"] is False


def test_every_rule_ends_in_one_action_of_ours_and_every_intent_has_one() -> None:
    domain = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))
    rules = [
        rule
        for path in sorted((ROOT / "data" / "rules").glob("*.yml"))
        for rule in yaml.safe_load(path.read_text(encoding="utf-8"))["rules"]
    ]

    assert sorted(rule["steps"][0]["intent"] for rule in rules) == sorted(domain["intents"])
    assert {tuple(map(len, (rule["steps"], rule["steps"][1]))) for rule in rules} == {(2, 1)}
    assert {rule["steps"][1]["action"] for rule in rules} == set(domain["actions"])
