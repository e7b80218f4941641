"""`python -m actions --port N`: the action server on loopback, in one process."""

import argparse
import asyncio
from typing import Any

from rasa_sdk.endpoint import create_app
from rasa_sdk.executor import ActionExecutor
from sanic import Request, Sanic
from sanic.response import BaseHTTPResponse, HTTPResponse, json

from actions._turn import services
from bot.editing.live import PAUSE, follow
from bot.log import get_logger

log = get_logger(__name__)

LOOPBACK = "127.0.0.1"


def build_app() -> Sanic[Any, Any]:
    executor = ActionExecutor()
    executor.register_package("actions")
    app = create_app(executor)
    app.register_middleware(withhold_request, "response")
    app.register_listener(begin_to_follow, "after_server_start")
    return app


async def begin_to_follow(app: Sanic[Any, Any]) -> None:
    app.add_task(follow_editions(), name="editions")


async def follow_editions() -> None:
    """What the office publishes is answered without a restart. Building the services may fail: it is tried again."""
    while True:
        try:
            await follow(lambda: services().editions)
        except Exception:
            log.exception("background_failed", work="editions")
        await asyncio.sleep(PAUSE)


async def withhold_request(_request: Request, response: BaseHTTPResponse) -> HTTPResponse | None:
    """The SDK's answer to an error repeats the whole request, the student's words included; ours says nothing."""
    return json({"error": "the action failed"}, status=response.status) if response.status >= 500 else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    # The SDK's own start binds every address and forks three processes; neither is wanted here.
    build_app().run(host=LOOPBACK, port=parser.parse_args().port, single_process=True, access_log=False, motd=False)


if __name__ == "__main__":
    main()
