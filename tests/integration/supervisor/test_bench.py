"""The measuring itself, against a stand-in for the public API."""

import json
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bot.bench.desk import ask_in_turn, bench_turn, weigh
from bot.errors import ConfigurationError
from bot.supervisor.runfile import Running

THINKING = 0.05


class Desk(BaseHTTPRequestHandler):
    """Answers every message after a moment, in the shapes of the API."""

    asked: list[str]

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/api/v1/conversations":
            return self.say({"conversation_id": "c1", "token": "t1"})
        assert self.headers["Authorization"] == "Bearer t1"
        self.asked.append(body["text"])
        return self.say({"event": {"seq": 2 * len(self.asked), "author": "student"}})

    def do_GET(self):
        time.sleep(THINKING)
        seq = 2 * len(self.asked) + 1
        self.say({"events": [{"seq": seq, "author": "bot"}], "control": "bot", "last_seq": seq})

    def say(self, value):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def desk_url():
    Desk.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Desk) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_turn_lasts_from_the_question_to_the_answer(desk_url):
    durations = list(ask_in_turn(desk_url, 3))

    assert len(Desk.asked) == len(set(Desk.asked)) == 3
    assert all(THINKING <= duration < THINKING + 1 for duration in durations)


def test_without_a_running_desk_there_is_nothing_to_measure(tmp_path):
    with pytest.raises(ConfigurationError, match="Nothing runs with the data folder"):
        bench_turn(tmp_path, 1, print)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_every_process_under_the_supervisor_is_weighed():
    # Three levels of our own: this process may have other children (a browser, an engine of the session).
    engine = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    code = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {engine!r}]); print(p.pid, flush=True)"
    argv = [sys.executable, "-c", f"{code}; p.wait()"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        deadline = time.monotonic() + 10
        running = Running(child.pid, "", "", "", {"engine": int(child.stdout.readline())})
        while len(weighed := weigh(running)) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        child.communicate("\n")

    assert sorted(memory.name for memory in weighed) == ["engine", "engine, its child", "supervisor"]
    assert all(0 < memory.pss <= memory.rss for memory in weighed)
