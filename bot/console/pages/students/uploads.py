"""Files between upload and confirmation: in the data folder, for half an hour, for the colleague who sent them."""

import json
import os
import re
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot.identity.imports import Wishes

FOLDER = "uploads"
LASTS = timedelta(minutes=30)
_NAME = re.compile(r"[A-Za-z0-9_-]{32}", re.ASCII)


@dataclass(frozen=True)
class Upload:
    """A file as it came, with how it is meant. `mapping` is the text of the mapping file, empty without one."""

    file_name: str
    staff_id: int
    wishes: Wishes
    mapping: str
    uploaded_at: datetime
    content: bytes


def keep_upload(data: Path, upload: Upload) -> str:
    """Store it, readable by this program alone; returns the name to find it by."""
    folder = data / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = secrets.token_urlsafe(24)
    head = {
        "file_name": upload.file_name,
        "staff_id": upload.staff_id,
        "wishes": asdict(upload.wishes),
        "mapping": upload.mapping,
        "uploaded_at": upload.uploaded_at.isoformat(),
    }
    draft = folder / f"{name}.new"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(json.dumps(head).encode() + b"\n" + upload.content)
    draft.rename(folder / name)
    return name


def find_upload(data: Path, name: str, staff_id: int, now: datetime) -> Upload | None:
    """None when there is none of this name, it is too old, or somebody else sent it."""
    if _NAME.fullmatch(name) is None:
        return None
    try:
        stored = (data / FOLDER / name).read_bytes()
    except OSError:
        return None
    first, _, content = stored.partition(b"\n")
    head = json.loads(first)
    uploaded_at = datetime.fromisoformat(head["uploaded_at"])
    if head["staff_id"] != staff_id or now - uploaded_at > LASTS:
        return None
    wishes = Wishes(**head["wishes"])
    return Upload(head["file_name"], staff_id, wishes, head["mapping"], uploaded_at, content)


def drop_upload(data: Path, name: str) -> None:
    if _NAME.fullmatch(name) is not None:
        (data / FOLDER / name).unlink(missing_ok=True)


def drop_old_uploads(data: Path, now: datetime) -> None:
    """Delete what nobody confirmed in time, and drafts of an upload that broke off."""
    too_old = (now - LASTS).timestamp()
    for file in (data / FOLDER).glob("*"):
        # Somebody may confirm and so delete it at this moment.
        with suppress(FileNotFoundError):
            if file.stat().st_mtime < too_old:
                file.unlink()
