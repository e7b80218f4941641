"""The browsers that show messages while no page is open, and our name at their push services.

The address of a push service comes from a browser: it is a stranger's word. Only services that the settings name are
ever reached, by https.
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.config import LOOPBACK_HOSTS
from bot.errors import InvalidField, NotFound
from bot.handoff.service import check_role
from bot.identity.audit import record
from bot.identity.keys import key_of
from bot.identity.models import PushBrowser, Staff
from bot.identity.staff import SignedIn

KEY_FILE = "push.key"
LONGEST_ENDPOINT = 1000
MOST_BROWSERS = 10
"""Of one colleague; the oldest gives way."""
AUTH_BYTES = 16
# Of the curve P-256: private keys are the numbers below it.
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True)
class Given:
    """What a browser says of itself: an address and two keys, all as text."""

    endpoint: str
    p256dh: str
    auth: str
    browser: str = ""
    """Family and system, for the list on the page of the account."""


def own_key(data: Path) -> ec.EllipticCurvePrivateKey:
    """What we sign with at push services (VAPID, RFC 8292). When the file is lost, browsers must be added anew.

    Raises:
        ConfigurationError: the file in the data folder cannot be read or written, or is not a key.
    """
    return ec.derive_private_key(int.from_bytes(key_of(data, KEY_FILE)) % (_ORDER - 1) + 1, ec.SECP256R1())


def public_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def public_key(data: Path) -> str:
    """By which a browser knows us: the point on the curve, in base64url."""
    return to_base64(public_bytes(own_key(data)))


def to_base64(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def from_base64(text: str) -> bytes:
    """Raises ValueError."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def is_allowed(endpoint: str, services: Sequence[str]) -> bool:
    """Whether this is an address at one of the services, by https; by http on this machine alone, when it is named.

    A name and all below it count; other ports, user names and addresses of machines do not.
    """
    if len(endpoint) > LONGEST_ENDPOINT or not endpoint.isascii() or not endpoint.isprintable() or " " in endpoint:
        return False
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if parts.username is not None or parts.password is not None or "\\" in endpoint:
        return False
    if host in LOOPBACK_HOSTS:
        return parts.scheme == "http" and host in services
    is_named = any(host == service or host.endswith(f".{service}") for service in services)
    return parts.scheme == "https" and port in (None, 443) and is_named


def add_browser(
    session: Session, signed_in: SignedIn, given: Given, services: Sequence[str], now: datetime
) -> PushBrowser:
    """Show messages in this browser from now on. The same one again is the same row, also for another colleague.

    Raises:
        NotAllowed: the role answers no students.
        InvalidField: the push service is none of ours, or the keys are no keys.
    """
    staff = signed_in.staff
    check_role(staff)
    if not is_allowed(given.endpoint, services):
        raise InvalidField("The push service of this browser is not one of the known ones.", field="endpoint")
    _check_keys(given)
    digest = _digest(given.endpoint)
    known = session.scalar(select(PushBrowser).where(PushBrowser.endpoint_hash == digest))
    is_new = known is None or known.staff_id != staff.id
    if known is None:
        known = PushBrowser(endpoint=given.endpoint, endpoint_hash=digest, created_at=now, reached_at=now)
        session.add(known)
    known.staff_id, known.session_id = staff.id, signed_in.session_id
    known.p256dh, known.auth, known.browser = given.p256dh, given.auth, given.browser
    session.flush()
    if is_new:
        record(session, "push_on", staff_id=staff.id, now=now)
        _keep_newest(session, staff.id)
    return known


def drop_browser(session: Session, staff: Staff, endpoint: str, now: datetime) -> None:
    """Show nothing in this browser any more; one that is not known is fine."""
    query = select(PushBrowser).where(PushBrowser.endpoint_hash == _digest(endpoint), PushBrowser.staff_id == staff.id)
    if (known := session.scalar(query)) is not None:
        _drop(session, known, staff, now)


def drop_numbered(session: Session, staff: Staff, number: int, now: datetime) -> None:
    """As `drop_browser`, from the list. Raises NotFound for one that is not the colleague's."""
    known = session.get(PushBrowser, number)
    if known is None or known.staff_id != staff.id:
        raise NotFound
    _drop(session, known, staff, now)


def browsers_of(session: Session, staff: Staff) -> Sequence[PushBrowser]:
    query = select(PushBrowser).where(PushBrowser.staff_id == staff.id)
    return session.scalars(query.order_by(PushBrowser.created_at, PushBrowser.id)).all()


def _drop(session: Session, known: PushBrowser, staff: Staff, now: datetime) -> None:
    session.delete(known)
    session.flush()
    record(session, "push_off", staff_id=staff.id, now=now)


def _keep_newest(session: Session, staff_id: int) -> None:
    newest = (
        select(PushBrowser.id)
        .where(PushBrowser.staff_id == staff_id)
        .order_by(PushBrowser.created_at.desc(), PushBrowser.id.desc())
        .limit(MOST_BROWSERS)
    )
    kept = session.scalars(newest).all()
    session.execute(delete(PushBrowser).where(PushBrowser.staff_id == staff_id, PushBrowser.id.not_in(kept)))


def _check_keys(given: Given) -> None:
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), from_base64(given.p256dh))
        is_good = len(from_base64(given.auth)) == AUTH_BYTES
    except ValueError:
        is_good = False
    if not is_good:
        raise InvalidField("These are no keys of a browser.", field="keys")


def _digest(endpoint: str) -> str:
    return hashlib.sha256(endpoint.encode(errors="replace")).hexdigest()
