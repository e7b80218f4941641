"""What goes to the engine with a question, over a real socket."""

import json
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from bot.assistant.engine import ANY_VECTOR, probe_engine
from bot.assistant.rasa_http import RasaEngine
from encoder import handing
from tests.fakes import plain_answer


@pytest.fixture
def asked() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The address of an engine that knows one answer, and what it was asked."""
    bodies: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            answer = json.dumps([{"custom": plain_answer("here").as_json()}]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", bodies
        server.shutdown()
        thread.join()


async def test_the_vector_of_a_question_goes_with_it(asked: tuple[str, list[dict[str, Any]]]):
    url, bodies = asked
    engine = RasaEngine(url, 5)

    answer = await engine.ask("s", "Où est la CAF ?", language="fr", today=date(2026, 11, 24), metadata={"a": 1})
    await engine.close()

    assert answer.text == "here"
    assert bodies == [
        {
            "sender": "s",
            "message": "Où est la CAF ?",
            "metadata": {"language": "fr", "today": "2026-11-24", "a": 1, "vector": handing.handed("Où est la CAF ?")},
        }
    ]


async def test_a_probe_loads_no_weights_where_it_is_asked(
    asked: tuple[str, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
):
    url, bodies = asked
    monkeypatch.setattr(handing, "vector_of", lambda _: pytest.fail("encoded"))

    assert await probe_engine(url)

    assert [(body["message"], body["metadata"]["vector"]) for body in bodies] == [("hello", ANY_VECTOR)]
    assert handing.taken(ANY_VECTOR, "hello").tolist()[0][:2] == [1.0, 0.0]


async def test_no_proxy_stands_between_us_and_the_engine(
    asked: tuple[str, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    assert await probe_engine(asked[0])
