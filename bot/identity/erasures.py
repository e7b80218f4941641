"""Who was erased, known by a keyed hash alone: the next import must not bring the person back by itself."""

import hmac
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.identity.keys import key_of
from bot.identity.models import Erasure

KEY_FILE = "erasure.key"


def erasure_key(data: Path) -> bytes:
    """The key of this data folder, made at the first use and readable by its owner alone.

    Without it nobody can try addresses against the table; when it is lost, earlier erasures are no longer recognised.

    Raises:
        ConfigurationError: the file cannot be read or written, or is not a key.
    """
    return key_of(data, KEY_FILE)


def address_hash(key: bytes, address: str) -> str:
    """What `Erasure.address_hash` holds for a school mailbox, whatever the case of its letters."""
    return hmac.digest(key, address.strip().lower().encode(), "sha256").hex()


def erased_among(session: Session, key: bytes, addresses: Iterable[str]) -> dict[str, datetime]:
    """Those of the addresses (lower case) whose person was erased, and when the last time."""
    erased: dict[str, datetime] = {}
    rows = session.execute(select(Erasure.address_hash, Erasure.erased_at).where(Erasure.address_hash.is_not(None)))
    for hashed, erased_at in rows:
        if hashed is not None:
            erased[hashed] = max(erased_at, erased.get(hashed, erased_at))
    if not erased:
        return {}
    hashes = {address: address_hash(key, address) for address in addresses}
    return {address: erased[hashed] for address, hashed in hashes.items() if hashed in erased}
