"""A copy of everything that belongs to a person, as JSON that people and programs can read."""

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Table, and_, select
from sqlalchemy.orm import Session

from bot.conversations.models import OutboxEntry
from bot.i18n.translate import say
from bot.privacy.holdings import HOLDINGS, Holding
from bot.privacy.reach import CONVERSATIONS, STUDENTS, Person, mails_to, personal_tables, rows_of
from bot.privacy.retention import BY_NAME

VERSION = 1
"""Of the shape of the file; it grows when a program that reads it would have to change."""
FILE_NAME = "accueil-my-data.json"
STAFF_NUMBERS = frozenset({"staff_id", "decided_by"})
"""Columns that name a colleague without a foreign key. Names that a student was shown are in the messages."""


def export(session: Session, person: Person, now: datetime, language: str) -> dict[str, Any]:
    """Every row of a person, by table. Of a conversation that is linked to nobody: that conversation alone."""
    return {
        "schema": "accueil.my-data",
        "schema_version": VERSION,
        "exported_at": now.isoformat(),
        "student": person.email,
        "conversations": [str(each) for each in person.conversations],
        "tables": [_table(session, table, person, language) for table in personal_tables()],
    }


def export_text(session: Session, person: Person, now: datetime, language: str) -> str:
    return json.dumps(export(session, person, now, language), ensure_ascii=False, indent=1) + "\n"


def owned(table: Table, person: Person) -> ColumnElement[bool]:
    """As `rows_of`, but for mails only those to the person: a conversation that is linked to nobody must not tell
    whether a code went to the address that was written in it."""
    mine = rows_of(table, person)
    return and_(mine, mails_to(person)) if table.name == OutboxEntry.__tablename__ else mine


def kept_words(holding: Holding, person: Person, language: str) -> str:
    """How long a table is kept, as the rule says it."""
    conversations = "linked_conversations" if person.student_id is not None else "unlinked_conversations"
    return say(language, BY_NAME[conversations if holding.rule == "conversations" else holding.rule].words)


def shown_columns(table: Table) -> list[Column[Any]]:
    """Without hashes of secrets and without numbers of colleagues."""
    return [column for column in table.columns if not _is_hidden(column)]


def _table(session: Session, table: Table, person: Person, language: str) -> dict[str, Any]:
    columns = shown_columns(table)
    rows = session.execute(select(*columns).where(owned(table, person)).order_by(*table.primary_key.columns))
    return {
        "name": table.name,
        **_words(table, person, language),
        "columns": [column.name for column in columns],
        "rows": [
            {column.name: _value(column, value, person) for column, value in zip(columns, row, strict=True)}
            for row in rows
        ],
    }


def _words(table: Table, person: Person, language: str) -> Mapping[str, str]:
    holding = HOLDINGS[table.name]
    return {
        "what": say(language, holding.what),
        "comes_from": say(language, holding.comes_from),
        "kept": kept_words(holding, person, language),
    }


def _is_hidden(column: Column[Any]) -> bool:
    points_at = {key.column.table.name for key in column.foreign_keys}
    return column.name.endswith("_hash") or column.name in STAFF_NUMBERS or "staff" in points_at


def _value(column: Column[Any], value: Any, person: Person) -> Any:
    for key in column.foreign_keys:
        # A code that somebody else asked for has their conversation in it, or their record.
        if key.column.table.name == STUDENTS and value != person.student_id:
            return None
        if key.column.table.name == CONVERSATIONS and value not in person.conversations:
            return None
    match f"{column.table.name}.{column.name}", value:
        case "messages.buttons", list():
            # What a press means is ours and may name others.
            return [button.get("label") if isinstance(button, dict) else None for button in value]
        case "messages.delivered", dict():
            # The number of a chat that has left the conversation may be somebody else's.
            return value.get("channel")
        case "outbox.payload", dict():
            return {name: each for name, each in value.items() if name not in ("code", "buttons")}
    return _plain(value)


def _plain(value: Any) -> Any:
    match value:
        case datetime() | date():
            return value.isoformat()
        case UUID():
            return str(value)
        case bytes():
            return b64encode(value).decode()
    return value
