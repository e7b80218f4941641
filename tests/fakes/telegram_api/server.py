"""The fake as a server: in a thread of this process, or as a process of its own."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.fakes.telegram_api.control import Control
from tests.fakes.telegram_api.core import TOKEN, Core
from tests.fakes.telegram_api.delivery import Delivery
from tests.fakes.telegram_api.methods import BotApi
from tests.fakes.telegram_api.phone import Fake

PAGE = Path(__file__).parent / "page"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


def build_app(core: Core) -> ASGIApp:
    """The Bot API, the control and the page, as one ASGI app."""
    api = BotApi(core)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(Delivery(core).run())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    app = Starlette(
        routes=[
            Route("/bot{token}/{method}", api.handle, methods=["GET", "POST"]),
            Route("/file/bot{token}/{path:path}", api.file),
            *Control(core).routes(),
            Mount("/", StaticFiles(directory=PAGE, html=True, check_dir=False)),
        ],
        lifespan=lifespan,
    )
    return _Outermost(app)


class _Outermost:
    """Answers this machine only, and lets a method close the connection without an answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["fake.cut"] = lambda: _transport(receive).abort()
            host = dict(scope["headers"]).get(b"host", b"").decode("latin-1").rsplit(":", 1)[0]
            if host not in LOOPBACK:
                # A page of the web must not reach it under a name of its own.
                await JSONResponse({"error": "this server answers on this machine only"}, 403)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _transport(receive: Receive) -> Any:
    """The connection of a request; uvicorn hands it out to nobody."""
    cycle: Any = receive.__self__  # type: ignore[attr-defined]
    return cycle.transport


def listening(port: int) -> socket.socket:
    # With the protocol named, asyncio sends each answer at once; without, it may wait 40 ms for more.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    sock.listen(512)
    return sock


def server_of(core: Core) -> uvicorn.Server:
    config = uvicorn.Config(
        build_app(core),
        log_config=None,
        log_level="critical",
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=60,
    )
    return uvicorn.Server(config)


@contextmanager
def running(*, token: str = TOKEN, port: int = 0) -> Iterator[Fake]:
    """A fake on a free port of this machine, in a thread of its own, until the block ends."""
    core = Core(token)
    server = server_of(core)
    with listening(port) as sock:
        address = f"http://127.0.0.1:{sock.getsockname()[1]}"
        thread = threading.Thread(target=_serve, args=(server, sock), daemon=True)
        thread.start()
        with Fake(address, token, core) as fake:
            try:
                fake.wait_until_up()
                yield fake
            finally:
                server.should_exit = True
                server.force_exit = True
                thread.join(timeout=10)


def _serve(server: uvicorn.Server, sock: socket.socket) -> None:
    asyncio.run(server.serve(sockets=[sock]))
