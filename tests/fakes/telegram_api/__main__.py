"""`python -m tests.fakes.telegram_api`: the fake as a process; its address is one JSON line on stdout."""

import argparse
import asyncio
import json
import os

from tests.fakes.telegram_api.core import TOKEN, Core
from tests.fakes.telegram_api.server import listening, server_of
from tests.fakes.telegram_api.state import FIRST_UPDATE

BEGINNING = 1_790_000_000
"""A moment in September 2026, in seconds since 1970."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.telegram_api", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--token", default=TOKEN, help="the token that the bot must show")
    parser.add_argument("--token-from", metavar="VARIABLE", help="read the token from this variable of the environment")
    parser.add_argument("--desk", default="", help="where the bot's own pages are, for links on the page of the phone")
    given = parser.parse_args()
    token = os.environ[given.token_from] if given.token_from else given.token
    with listening(given.port) as sock:
        address = f"http://127.0.0.1:{sock.getsockname()[1]}"
        print(json.dumps({"address": address, "token": token}), flush=True)
        core = Core(token, desk=given.desk)
        # A bot that knew an earlier run must not take new updates for repeats: all numbers grow from start to start.
        since = int(core.now()) - BEGINNING
        core.world.next_update, core.world.next_message = FIRST_UPDATE + since, 1 + since
        server = server_of(core)
        asyncio.run(server.serve(sockets=[sock]))


if __name__ == "__main__":
    main()
