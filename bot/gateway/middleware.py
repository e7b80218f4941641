"""What holds for every request: a limit for bodies, and headers that browsers obey."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.gateway.problems import too_large


class BodyLimit:
    """Refuses a body of more than `most_bytes` before it is read into memory.

    `larger` has the paths that take more, a file say, with how much; written as routes are: `/talks/{id}/files`.
    """

    def __init__(self, app: ASGIApp, most_bytes: int, larger: Mapping[str, int] | None = None) -> None:
        self.app = app
        self.most_bytes = most_bytes
        self.larger = [(compile_path(path)[0], most) for path, most in (larger or {}).items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most_bytes = next((most for path, most in self.larger if path.match(scope["path"])), self.most_bytes)
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > most_bytes:
            await too_large(Request(scope), most_bytes)(scope, receive, send)
            return
        taken = 0

        async def limited() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most_bytes:
                # A body without a length that grows over the limit: the app sees a client that went away.
                return {"type": "http.disconnect"}
            return message

        async def refused(message: Message) -> None:
            # Whatever the app made of the client that went away.
            if taken <= most_bytes:
                await send(message)
            elif message["type"] == "http.response.start":
                await too_large(Request(scope), most_bytes)(scope, receive, send)

        await self.app(scope, limited, refused)


HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class SecurityHeaders:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(h for h in HEADERS if h[0] not in present)]
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)
