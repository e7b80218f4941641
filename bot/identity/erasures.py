"""Who was erased, known by a keyed hash alone: the next import must not bring the person back by itself."""

import hmac
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.errors import ConfigurationError
from bot.identity.models import Erasure

KEY_FILE = "erasure.key"
KEY_BYTES = 32


def erasure_key(data: Path) -> bytes:
    """The key of this data folder, made at the first use and readable by its owner alone.

    Without it nobody can try addresses against the table; when it is lost, earlier erasures are no longer recognised.

    Raises:
        ConfigurationError: the file cannot be read or written, or is not a key.
    """
    file = data / KEY_FILE
    try:
        # Only an absent file is replaced: another key would make every erased person unknown.
        if not file.exists():
            _make(file)
        key = bytes.fromhex(file.read_text(encoding="ascii").strip())
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be used: {error.strerror}. Correct the rights of the file.") from error
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigurationError(f"{file} holds no key. Put back the copy of your backup.")
    return key


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


def _make(file: Path) -> None:
    """Write a new key in one step, so that two processes starting together agree on one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as stream:
        stream.write(secrets.token_hex(KEY_BYTES))
        stream.flush()
        os.fsync(stream.fileno())
    try:
        with suppress(FileExistsError):
            # A link, unlike a rename, never replaces the key that the other process made first.
            file.hardlink_to(draft)
    finally:
        draft.unlink()
