"""Messages of the browser: from a row of the outbox to a push service (RFC 8030, 8188, 8291, 8292)."""

import asyncio
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

import http_ece
import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import select

from bot.calling.browsers import from_base64, is_allowed, own_key, public_bytes, to_base64
from bot.calling.service import PUSH
from bot.channels.mail.channel import LONGEST_DELAY, delay_after
from bot.clock import Clock
from bot.config import LOOPBACK_HOSTS, Settings
from bot.conversations.models import OutboxEntry
from bot.db.session import Database
from bot.identity.models import PushBrowser
from bot.log import get_logger

log = get_logger(__name__)

AT_ONCE = 20
TIMEOUT = 10.0
"""Seconds that one delivery may take, whatever the service does."""
LEASE = timedelta(minutes=1)
"""A row being sent is left alone by others for so long; longer than TIMEOUT."""
MOST_ATTEMPTS = 8
LIFE = 30 * 60
"""Seconds that a service keeps what it cannot deliver: later it helps nobody."""
BIGGEST = 3000
"""Bytes of a message before it is encrypted; services take 4096 with all that is around it."""
SIGNED_FOR = timedelta(hours=1)


class Gone(Exception):
    """The browser has let go of it: nothing can be sent there any more."""


class Refused(Exception):
    """It will never be taken; trying again is useless."""


class Later(Exception):
    """The service asks to try again; `seconds`: not before then."""

    def __init__(self, why: str, seconds: int = 0) -> None:
        super().__init__(why)
        self.seconds = seconds


@dataclass(frozen=True)
class Receiver:
    endpoint: str
    p256dh: bytes
    auth: bytes


class PushService:
    """Delivers to whatever service a browser has. Never follows anywhere, never reads an answer's body."""

    def __init__(self, client: httpx.AsyncClient, settings: Settings) -> None:
        self._client = client
        self._services = settings.push_hosts
        self._key = own_key(settings.data)
        self._contact = contact_of(settings)

    async def send(self, to: Receiver, note: dict[str, Any], now: datetime) -> None:
        """Hand a message over. Raises Gone, Refused or Later; an httpx.HTTPError where the service is not reached."""
        if not is_allowed(to.endpoint, self._services):
            raise Refused("service")
        headers = {
            "Authorization": authorization(self._key, to.endpoint, self._contact, now),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(LIFE),
            "Topic": note["tag"],
            "Urgency": "high",
        }
        body = sealed(json.dumps(note, ensure_ascii=False).encode(), to)
        try:
            async with asyncio.timeout(TIMEOUT):
                request = self._client.build_request("POST", to.endpoint, content=body, headers=headers)
                response = await self._client.send(request, stream=True, follow_redirects=False)
                await response.aclose()
        except TimeoutError:
            raise Later("timeout") from None
        _judge(response)


def _judge(response: httpx.Response) -> None:
    status = response.status_code
    if status in (404, 410):
        raise Gone
    if status == 429 or status >= 500:
        wish = response.headers.get("Retry-After", "")
        raise Later(str(status), min(int(wish), int(LONGEST_DELAY.total_seconds())) if wish.isdecimal() else 0)
    if not response.is_success:
        raise Refused(str(status))


def contact_of(settings: Settings) -> str:
    """Whom a push service may write to about us."""
    is_https = settings.address.startswith("https://")
    return settings.address if is_https else f"mailto:{parseaddr(settings.mail_from)[1]}"


def authorization(key: ec.EllipticCurvePrivateKey, endpoint: str, contact: str, now: datetime) -> str:
    """The header by which the service knows us (VAPID)."""
    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int((now + SIGNED_FOR).timestamp()),
        "sub": contact,
    }
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    token = jwt.encode({"typ": "JWT", "alg": "ES256"}, claims, ECKey.import_key(pem), algorithms=["ES256"])
    return f"vapid t={token}, k={to_base64(public_bytes(key))}"


def sealed(content: bytes, to: Receiver) -> bytes:
    """Encrypted for this browser alone: its service carries what it cannot read. Raises Refused when it is too big."""
    if len(content) > BIGGEST:
        raise Refused("size")
    own = ec.generate_private_key(ec.SECP256R1())
    body: bytes = http_ece.encrypt(  # type: ignore[no-untyped-call]  # it has no types
        content, salt=secrets.token_bytes(16), private_key=own, dh=to.p256dh, auth_secret=to.auth, version="aes128gcm"
    )
    return body


@dataclass(frozen=True)
class Taken:
    """A row of the outbox that this process is delivering. `to` is None when the browser is gone."""

    id: int
    attempts: int
    browser: int
    to: Receiver | None
    note: dict[str, Any]


async def deliver_due(database: Database, service: PushService, clock: Clock) -> int:
    """Send the messages that are due, all at once; returns how many were taken from the outbox.

    A failure is tried again later, until the message is too old. A browser that is gone is forgotten.

    Raises:
        Unavailable: the database cannot be reached.
    """
    taken = await asyncio.to_thread(_take, database, clock.now())
    await asyncio.gather(*(_deliver(database, service, clock, each) for each in taken))
    return len(taken)


async def _deliver(database: Database, service: PushService, clock: Clock, taken: Taken) -> None:
    if taken.to is None:
        await asyncio.to_thread(_drop, database, taken)
        return
    try:
        await service.send(taken.to, taken.note, clock.now())
    except Gone:
        await asyncio.to_thread(_forget, database, taken)
    except Refused as error:
        log.error("push given up", outbox_id=taken.id, error=str(error))
        await asyncio.to_thread(_drop, database, taken)
    except Later as error:
        await asyncio.to_thread(_again, database, taken, str(error), error.seconds, clock.now())
    except Exception as error:  # Whatever goes wrong with one message must not keep the others.
        await asyncio.to_thread(_again, database, taken, type(error).__name__, 0, clock.now())
    else:
        await asyncio.to_thread(_arrived, database, taken, clock.now())


def _take(database: Database, now: datetime) -> Sequence[Taken]:
    due = (
        select(OutboxEntry)
        .where(OutboxEntry.channel == PUSH, OutboxEntry.next_at <= now)
        .order_by(OutboxEntry.next_at, OutboxEntry.id)
        .limit(AT_ONCE)
    )
    with database.read() as session:
        if not session.scalars(due).all():
            return ()
    with database.write() as session:
        taken = []
        for row in session.scalars(due.with_for_update(skip_locked=True)):
            # Counted before the attempt: a message that kills the process must not be tried for ever.
            row.attempts += 1
            row.next_at = now + LEASE
            browser = session.get(PushBrowser, row.payload["browser"])
            is_over = datetime.fromisoformat(row.payload["expires_at"]) <= now
            to = None if browser is None or is_over else _receiver(browser)
            taken.append(Taken(row.id, row.attempts, row.payload["browser"], to, row.payload["note"]))
        return taken


def _receiver(browser: PushBrowser) -> Receiver:
    return Receiver(browser.endpoint, from_base64(browser.p256dh), from_base64(browser.auth))


def _arrived(database: Database, taken: Taken, now: datetime) -> None:
    with database.write() as session:
        if (row := session.get(OutboxEntry, taken.id)) is not None:
            session.delete(row)
        if (browser := session.get(PushBrowser, taken.browser)) is not None:
            browser.reached_at = now


def _drop(database: Database, taken: Taken) -> None:
    with database.write() as session:
        if (row := session.get(OutboxEntry, taken.id)) is not None:
            session.delete(row)


def _forget(database: Database, taken: Taken) -> None:
    with database.write() as session:
        if (browser := session.get(PushBrowser, taken.browser)) is not None:
            session.delete(browser)
            log.info("push browser gone", browser=taken.browser)
        if (row := session.get(OutboxEntry, taken.id)) is not None:
            session.delete(row)


def _again(database: Database, taken: Taken, why: str, seconds: int, now: datetime) -> None:
    with database.write() as session:
        row = session.get(OutboxEntry, taken.id)
        if row is None:
            return
        if taken.attempts >= MOST_ATTEMPTS:
            log.error("push given up", outbox_id=row.id, attempts=row.attempts, error=why)
            session.delete(row)
            return
        row.last_error = why
        row.next_at = now + max(delay_after(taken.attempts), timedelta(seconds=seconds))
        log.warning("push not delivered", outbox_id=row.id, attempts=row.attempts, error=why)


def new_client(settings: Settings) -> httpx.AsyncClient:
    """Through the proxy of the environment, where there is one; not to a service on this machine."""
    is_here = any(host in LOOPBACK_HOSTS for host in settings.push_hosts)
    limits = httpx.Limits(max_connections=AT_ONCE)
    return httpx.AsyncClient(timeout=TIMEOUT, limits=limits, trust_env=not is_here)


def push_service_of(client: httpx.AsyncClient, settings: Settings) -> PushService | None:
    """None when the settings allow no service. Raises ConfigurationError for a key that cannot be used."""
    return PushService(client, settings) if settings.push_hosts else None
