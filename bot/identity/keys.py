"""Keys of this data folder: made at the first use, readable by their owner alone."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from bot.errors import ConfigurationError

KEY_BYTES = 32
ACCESS_KEY = "access.key"


def access_key(data: Path) -> bytes:
    """What second steps are encrypted with and the cookies of known browsers are signed with.

    When it is lost, second steps must be set up again and no browser is known.

    Raises:
        ConfigurationError: the file cannot be read or written, or is not a key.
    """
    return key_of(data, ACCESS_KEY)


def key_of(data: Path, name: str) -> bytes:
    """The key in a file of the data folder; an absent one is made.

    Raises:
        ConfigurationError: the file cannot be read or written, or is not a key.
    """
    file = data / name
    try:
        # Only an absent file is replaced: another key would make all that was kept with it worthless.
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
