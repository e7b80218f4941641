"""Full-text search over what was said: FTS5 in SQLite, a column of words in PostgreSQL, asked in one way."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any, TypedDict

from sqlalchemy import ColumnElement, Connection, Select, event, func, select, text
from sqlalchemy.orm import Session

from bot.conversations.models import Conversation, Kind, Message
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
POSTGRESQL_COLUMN = "search_words"
"""Of `messages`, made by the database itself; no model reads it."""
POSTGRESQL_INDEX = "ix_messages_search_words"
NEWEST = 5_000
"""Messages in which PostgreSQL looks before it asks the index: a common word is found often enough in them, one that
is not is rare enough to be counted as a whole."""
ACCENTED = "àáâãäåāăąçćčďèéêëēėęěğìíîïīłñńňòóôõöøōőřśşšťùúûüūůűýÿžźż@._-/:"
PLAIN = "aaaaaaaaacccdeeeeeeeegiiiiilnnnoooooooorssstuuuuuuuyyzzz      "
"""The letter for each of `ACCENTED`; a blank for signs that PostgreSQL would take for a part of a word."""
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
POSTGRESQL_MADE = (
    "ALTER TABLE messages ADD COLUMN search_words tsvector GENERATED ALWAYS AS "
    f"(to_tsvector('simple'::regconfig, translate(lower(text), '{ACCENTED}', '{PLAIN}'))) STORED",
    "CREATE INDEX ix_messages_search_words ON messages USING gin (search_words)",
)


class Part(TypedDict):
    """A piece of a snippet; `hit`: one of the words that were looked for."""

    text: str
    hit: bool


def words_of(query: str) -> list[str]:
    """The words to look for, in lower case; all of them must be there."""
    return [word.lower() for word in WORD.findall(query)][:MOST_WORDS]


def found(
    session: Session, query: str, before: int | None, limit: int, *, within: ColumnElement[bool] | None = None
) -> Sequence[Message]:
    """Messages with every word of the query, the newest first.

    `before`: the id of the last one of the page before. `within`: of which conversations.
    """
    words = words_of(query)
    if not words:
        return []
    pieces = [Message.text.contains(word, autoescape=True) for word in words if UNSPACED.search(word)]
    wanted = select(Message.id).where(Message.kind == Kind.TEXT, *pieces)
    if within is not None:
        wanted = wanted.where(Message.conversation_id.in_(select(Conversation.id).where(within)))
    if before is not None:
        wanted = wanted.where(Message.id < before)
    spaced = [word for word in words if not UNSPACED.search(word)]
    if session.get_bind().dialect.name == "sqlite":
        ids = _ids_in_sqlite(session, wanted, spaced, limit)
    else:
        ids = _ids_in_postgresql(session, wanted, spaced, limit)
    return session.scalars(select(Message).where(Message.id.in_(ids)).order_by(Message.id.desc())).all()


Wanted = Select[int]


def _ids_in_sqlite(session: Session, wanted: Wanted, words: Sequence[str], limit: int) -> Sequence[int]:
    if words:
        match = " ".join(f'"{word}"*' if len(word) >= PREFIX_FROM else f'"{word}"' for word in words)
        indexed = text("messages.id IN (SELECT rowid FROM messages_search WHERE messages_search MATCH :match)")
        wanted = wanted.where(indexed.bindparams(match=match))
    return session.scalars(wanted.order_by(Message.id.desc()).limit(limit)).all()


def _ids_in_postgresql(session: Session, wanted: Wanted, words: Sequence[str], limit: int) -> Sequence[int]:
    if not words:
        return session.scalars(wanted.order_by(Message.id.desc()).limit(limit)).all()
    folded = [piece for word in words for piece in word.translate(FOLDED).split()]
    match = " & ".join(f"'{word}':*" if len(word) >= PREFIX_FROM else f"'{word}'" for word in folded)
    wanted = wanted.where(text("search_words @@ to_tsquery('simple', :match)").bindparams(match=match))
    since = session.scalar(select(func.max(Message.id))) or 0
    newest = wanted.where(Message.id > since - NEWEST).order_by(Message.id.desc()).limit(limit)
    ids = session.scalars(newest).all()
    if len(ids) == limit:
        return ids
    # Materialized: the planner must not walk through all messages backwards in the hope of an early end.
    rare = wanted.cte("rare").prefix_with("MATERIALIZED", dialect="postgresql")
    return session.scalars(select(rare.c.id).order_by(rare.c.id.desc()).limit(limit)).all()


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
    # PostgreSQL drops column and index together with the table.
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("DROP TABLE IF EXISTS messages_search")
