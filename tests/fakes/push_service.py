"""A push service on loopback, as browsers have them (RFC 8030): it checks who sends, and can open what was sealed.

The signature is checked with bare cryptography and not with the library that made it.
"""

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from time import time
from typing import Any

import http_ece
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

MOST_BYTES = 4096
LONGEST_CLAIM = 24 * 3600


def text_of(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def bytes_of(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(frozen=True)
class Browser:
    """What a browser keeps for itself, and what it gives away."""

    endpoint: str
    private: ec.EllipticCurvePrivateKey
    secret: bytes

    @property
    def p256dh(self) -> str:
        return text_of(self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))

    @property
    def auth(self) -> str:
        return text_of(self.secret)

    @property
    def json(self) -> dict[str, Any]:
        return {"endpoint": self.endpoint, "keys": {"p256dh": self.p256dh, "auth": self.auth}}

    def open(self, body: bytes) -> dict[str, Any]:
        return json.loads(
            http_ece.decrypt(body, private_key=self.private, auth_secret=self.secret, version="aes128gcm")
        )


@dataclass(frozen=True)
class Delivery:
    endpoint: str
    note: dict[str, Any]
    headers: dict[str, str]
    claims: dict[str, Any]


@dataclass
class PushFake:
    """`answers`: statuses with headers for the next requests, 201 after them; `now`: for the age of signatures."""

    url: str = ""
    browsers: dict[str, Browser] = field(default_factory=dict)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    taken: list[Delivery] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    now: float | None = None
    hangs: Event = field(default_factory=Event)
    """Cleared, a request is not answered before it is set."""

    def browser(self) -> Browser:
        path = f"/push/{secrets.token_urlsafe(16)}"
        made = Browser(self.url + path, ec.generate_private_key(ec.SECP256R1()), secrets.token_bytes(16))
        self.browsers[path] = made
        return made

    def take(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str]]:
        self.hangs.wait()
        if (browser := self.browsers.get(path)) is None:
            return 404, {}
        try:
            claims = self.check(headers, body)
            note = browser.open(body)
        except (ValueError, KeyError, InvalidSignature, http_ece.ECEException) as error:
            self.refused.append(f"{type(error).__name__}: {error}")
            return 400, {}
        if len(body) > MOST_BYTES:
            return 413, {}
        status, more = self.answers.pop(0) if self.answers else (201, {"Location": f"{self.url}/m/1"})
        if status == 201:
            self.taken.append(Delivery(browser.endpoint, note, headers, claims))
        return status, more

    def check(self, headers: dict[str, str], _body: bytes) -> dict[str, Any]:
        """The claims of the sender. Raises for a header that is missing or a signature that does not hold."""
        scheme, _, rest = headers["authorization"].partition(" ")
        given = dict(part.strip().split("=", 1) for part in rest.split(","))
        signed, _, signature = given["t"].rpartition(".")
        raw = bytes_of(signature)
        if scheme != "vapid" or len(raw) != 64:
            raise ValueError("no signature of VAPID")
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes_of(given["k"]))
        der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
        key.verify(der, signed.encode(), ec.ECDSA(SHA256()))
        head, claims = (json.loads(bytes_of(part)) for part in signed.split("."))
        now = self.now if self.now is not None else time()
        if head["alg"] != "ES256" or claims["aud"] != self.url or not now < claims["exp"] <= now + LONGEST_CLAIM:
            raise ValueError("claims")
        if not claims["sub"].startswith(("mailto:", "https:")):
            raise ValueError("nobody to write to")
        if headers["content-encoding"] != "aes128gcm" or int(headers["ttl"]) < 0:
            raise ValueError("headers")
        return claims | {"key": given["k"]}


@contextmanager
def push_service() -> Iterator[PushFake]:
    fake = PushFake()
    fake.hangs.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, more = fake.take(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(status)
            for name, value in {**more, "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield fake
    finally:
        fake.hangs.set()
        server.shutdown()
        server.server_close()
        thread.join()
