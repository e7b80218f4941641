"""Full-text search over what was said: FTS5 in SQLite, an index over an expression in PostgreSQL, asked in one way."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any, TypedDict

from sqlalchemy import ColumnElement, Connection, TextClause, event, select, text
from sqlalchemy.orm import Session

from bot.conversations.models import Kind, Message
from bot.db.session import Database

MOST_WORDS = 8
"""Of a query; more are left out."""
PREFIX_FROM = 3
"""A word of so many letters finds longer ones as well: visa → visas."""
AROUND = 70
"""Characters of a text that are shown on both sides of what was found."""

WORD = re.compile(r"[^\W_]+")
UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""Chinese, Japanese, Korean: no blanks between words, so that a word is looked for as a piece of the text."""

SQLITE_TABLE = "messages_search"
POSTGRESQL_INDEX = "ix_messages_search"
ACCENTED = "àáâãäåāăąçćčďèéêëēėęěğìíîïīłñńňòóôõöøōőřśşšťùúûüūůűýÿžźż@._-/:"
PLAIN = "aaaaaaaaacccdeeeeeeeegiiiiilnnnoooooooorssstuuuuuuuyyzzz      "
"""The letter for each of `ACCENTED`; a blank for signs that PostgreSQL would take for a part of a word."""
# Written out, not bound: PostgreSQL uses the index only for the very expression that it was made of.
POSTGRESQL_WORDS = f"to_tsvector('simple'::regconfig, translate(lower(messages.text), '{ACCENTED}', '{PLAIN}'))"
FOLDED = str.maketrans(ACCENTED, PLAIN)

SQLITE_MADE = (
    "CREATE VIRTUAL TABLE messages_search USING fts5("
    "text, content='messages', content_rowid='id', tokenize='unicode61 remove_diacritics 2')",
    "CREATE TRIGGER messages_search_added AFTER INSERT ON messages BEGIN "
    "INSERT INTO messages_search(rowid, text) VALUES (new.id, new.text); END",
    "CREATE TRIGGER messages_search_deleted AFTER DELETE ON messages BEGIN "
    "INSERT INTO messages_search(messages_search, rowid, text) VALUES ('delete', old.id, old.text); END",
    "CREATE TRIGGER messages_search_changed AFTER UPDATE OF text ON messages BEGIN "
    "INSERT INTO messages_search(messages_search, rowid, text) VALUES ('delete', old.id, old.text); "
    "INSERT INTO messages_search(rowid, text) VALUES (new.id, new.text); END",
)
POSTGRESQL_MADE = (f"CREATE INDEX {POSTGRESQL_INDEX} ON messages USING gin (({POSTGRESQL_WORDS}))",)


class Part(TypedDict):
    """A piece of a snippet; `hit`: one of the words that were looked for."""

    text: str
    hit: bool


def words_of(query: str) -> list[str]:
    """The words to look for, in lower case; all of them must be there."""
    return [word.lower() for word in WORD.findall(query)][:MOST_WORDS]


def found(session: Session, query: str, before: int | None, limit: int) -> Sequence[Message]:
    """Messages with every word of the query, the newest first; `before`: the id of the last one of the page before."""
    words = words_of(query)
    if not words:
        return []
    conditions: list[ColumnElement[bool] | TextClause]
    conditions = [Message.text.contains(word, autoescape=True) for word in words if UNSPACED.search(word)]
    if spaced := [word for word in words if not UNSPACED.search(word)]:
        conditions.append(_in_index(session, spaced))
    if before is not None:
        conditions.append(Message.id < before)
    wanted = select(Message).where(Message.kind == Kind.TEXT, *conditions).order_by(Message.id.desc()).limit(limit)
    return session.scalars(wanted).all()


def _in_index(session: Session, words: Sequence[str]) -> TextClause:
    if session.get_bind().dialect.name == "sqlite":
        match = " ".join(f'"{word}"*' if len(word) >= PREFIX_FROM else f'"{word}"' for word in words)
        condition = "messages.id IN (SELECT rowid FROM messages_search WHERE messages_search MATCH :match)"
    else:
        folded = [piece for word in words for piece in word.translate(FOLDED).split()]
        match = " & ".join(f"'{word}':*" if len(word) >= PREFIX_FROM else f"'{word}'" for word in folded)
        condition = f"{POSTGRESQL_WORDS} @@ to_tsquery('simple', :match)"
    return text(condition).bindparams(match=match)


def snippet(whole: str, query: str) -> list[Part]:
    """The text around the first word that was found, cut into what was looked for and what was not."""
    flat = " ".join(whole.split())
    folded = fold(flat)
    hits = _places(folded, [fold(word) for word in words_of(query)])
    start = max(0, hits[0][0] - AROUND) if hits else 0
    end = min(len(flat), (hits[0][1] if hits else 0) + 2 * AROUND)
    parts: list[Part] = []
    at = start
    for begins, ends in hits:
        if begins < at or ends > end:
            continue
        parts += [Part(text=flat[at:begins], hit=False), Part(text=flat[begins:ends], hit=True)]
        at = ends
    parts.append(Part(text=flat[at:end], hit=False))
    if start > 0:
        parts[0]["text"] = "…" + parts[0]["text"]
    if end < len(flat):
        parts[-1]["text"] += "…"
    return [part for part in parts if part["text"]]


def _places(folded: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Where the words stand, in order: at the beginning of a word, or anywhere in a text without blanks."""
    places = set()
    for word in words:
        begins = "" if UNSPACED.search(word) else r"(?<![^\W_])"
        ends = r"[^\W_]*" if len(word) >= PREFIX_FROM and begins else ("" if not begins else r"(?![^\W_])")
        places |= {(each.start(), each.end()) for each in re.finditer(begins + re.escape(word) + ends, folded)}
    return sorted(places)


def fold(whole: str) -> str:
    """Small letters without accents, as long as the text itself so that places are the same in both."""
    return "".join(_plain(letter) for letter in whole)


def _plain(letter: str) -> str:
    folded = unicodedata.normalize("NFKD", letter)[0].lower()
    return folded if len(folded) == 1 else letter


def forget_deleted(database: Database) -> None:
    """Write SQLite's index anew without what was deleted: FTS5 strikes words out and keeps them until it tidies up.

    Raises:
        Unavailable: the database cannot be reached.
    """
    if database.is_sqlite:
        with database.write() as session:
            session.execute(text("INSERT INTO messages_search(messages_search) VALUES ('optimize')"))


@event.listens_for(Message.__table__, "after_create")
def _make(_table: Any, connection: Connection, **_options: Any) -> None:
    for statement in SQLITE_MADE if connection.dialect.name == "sqlite" else POSTGRESQL_MADE:
        connection.exec_driver_sql(statement)


@event.listens_for(Message.__table__, "before_drop")
def _drop(_table: Any, connection: Connection, **_options: Any) -> None:
    # PostgreSQL drops the index together with the table.
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("DROP TABLE IF EXISTS messages_search")
