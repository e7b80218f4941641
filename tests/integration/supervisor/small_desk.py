"""The supervisor with three tiny servers in place of ours; run as a program by test_run.py."""

import os
import sys
import time
from functools import partial
from pathlib import Path

import httpx

from bot.config import load_settings
from bot.errors import ConfigurationError
from bot.supervisor.children import Child, Say, http_answers
from bot.supervisor.run import Step, run

SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


read: list[bytes] = []


def long_step(say: Say) -> None:
    say("working")
    read.append(b"x" * 200_000_000)
    time.sleep(float(os.environ.get("STEP_SECONDS", "0")))


def main() -> int:
    settings = load_settings()
    client = httpx.AsyncClient(trust_env=False)

    def child(name: str, port: int) -> Child:
        return Child(
            name=name,
            argv=(sys.executable, "-S", "-c", SERVER, str(port)),
            env={"PATH": os.environ["PATH"]},
            cwd=settings.data,
            log=settings.data / "logs" / f"{name}.log",
            probe=partial(http_answers, client, f"http://127.0.0.1:{port}/"),
        )

    try:
        return run(
            settings,
            interpreters={"engine": Path(os.environ.get("ENGINE", sys.executable))},
            steps=[Step("Preparing", long_step)],
            children=lambda: [
                child("engine", settings.rasa_port),
                child("action server", settings.actions_port),
                child("gateway", settings.port),
            ],
            summary=lambda: ["Everything answers."],
            say=partial(print, flush=True),
        )
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
