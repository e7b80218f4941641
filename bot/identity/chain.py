"""The chain of the audit log: the formula, which may never change, and the triggers that guard the table.

Each entry's hash covers its content and the hash before it, so that nobody changes, removes or inserts one unnoticed.
Details are covered by a salted hash of their own: an erasure may empty them, and the rest can still be checked.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

GENESIS = "0" * 64
"""What comes before the first entry."""


def details_hash(salt: str, details: Mapping[str, Any]) -> str:
    return _hash([salt, json.dumps(details, sort_keys=True, ensure_ascii=True)])


def entry_hash(
    previous: str,
    position: int,
    at: datetime,
    staff_id: int | None,
    action: str,
    conversation_id: UUID | None,
    hashed_details: str,
) -> str:
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    about = str(conversation_id) if conversation_id is not None else None
    return _hash([previous, position, moment, staff_id, action, about, hashed_details])


def _hash(values: list[Any]) -> str:
    return hashlib.sha256(json.dumps(values, ensure_ascii=True).encode()).hexdigest()


_CONTENT = ("id", "at", "staff_id", "action", "conversation_id")
_SEAL = ("position", "details_hash", "previous", "hash")


def _same(columns: tuple[str, ...], operator: str) -> str:
    return " AND ".join(f"NEW.{name} {operator} OLD.{name}" for name in columns)


def _allowed(same: str, emptied: str) -> str:
    """An entry is sealed once, in the transaction that writes it; later its details may be emptied, nothing else."""
    is_emptied = f"{_same(_SEAL, same)} AND {emptied} AND NEW.salt IS NULL"
    return f"{_same(_CONTENT, same)} AND (OLD.hash IS NULL OR ({is_emptied}))"


GUARDS: Mapping[str, tuple[str, ...]] = {
    "sqlite": (
        "CREATE TRIGGER audit_log_update BEFORE UPDATE ON audit_log WHEN NOT ("
        + _allowed("IS", "NEW.details = '{}'")
        + ") BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END",
        "CREATE TRIGGER audit_log_delete BEFORE DELETE ON audit_log WHEN OLD.position > "
        "coalesce((SELECT purged FROM audit_head WHERE id = 1), 0) "
        "BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION audit_log_guard() RETURNS trigger LANGUAGE plpgsql AS $guard$ BEGIN "  # noqa: S608  (names of columns)
        "IF TG_OP = 'UPDATE' THEN IF "
        + _allowed("IS NOT DISTINCT FROM", "CAST(NEW.details AS text) = '{}'")
        + " THEN RETURN NEW; END IF; "
        "ELSIF OLD.position IS NULL OR OLD.position <= "
        "coalesce((SELECT purged FROM audit_head WHERE id = 1), 0) THEN RETURN OLD; END IF; "
        "RAISE EXCEPTION 'audit_log is append-only'; END $guard$",
        "CREATE TRIGGER audit_log_guard BEFORE UPDATE OR DELETE ON audit_log "
        "FOR EACH ROW EXECUTE FUNCTION audit_log_guard()",
    ),
}
"""By dialect; made with the table and by the migration."""
UNGUARDS: Mapping[str, tuple[str, ...]] = {
    "sqlite": ("DROP TRIGGER audit_log_update", "DROP TRIGGER audit_log_delete"),
    "postgresql": ("DROP TRIGGER audit_log_guard ON audit_log", "DROP FUNCTION audit_log_guard()"),
}
