"""Full-text search over what was said: FTS5 in SQLite, a column of words in PostgreSQL, asked in one way."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any, TypedDict

from sqlalchemy import ColumnElement, Connection, Select, Table, event, func, select, text
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import KeyedColumnElement

from bot.conversations.models import Conversation, Kind, Message
from bot.db.base import Base
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

SEARCHED = ("messages", "notes")
"""The tables that can be searched: each has an `id`, a `text` and a `conversation_id`."""
POSTGRESQL_COLUMN = "search_words"
"""Of a searched table, made by the database itself; no model reads it."""
NEWEST = 5_000
"""The newest rows, in which PostgreSQL looks before it asks the index: a common word is found often enough in them, one
that is not is rare enough to be counted as a whole."""
ACCENTED = "àáâãäåāăąçćčďèéêëēėęěğìíîïīłñńňòóôõöøōőřśşšťùúûüūůűýÿžźż@._-/:"
PLAIN = "aaaaaaaaacccdeeeeeeeegiiiiilnnnoooooooorssstuuuuuuuyyzzz      "
"""The letter for each of `ACCENTED`; a blank for signs that PostgreSQL would take for a part of a word."""
FOLDED = str.maketrans(ACCENTED, PLAIN)


def sqlite_made(table: str) -> tuple[str, ...]:
    """What makes the index of a table: FTS5 over its own rows, kept by triggers."""
    index = sqlite_table(table)
    add = f"INSERT INTO {index}(rowid, text) VALUES (new.id, new.text); "  # noqa: S608  (our names)
    strike = f"INSERT INTO {index}({index}, rowid, text) VALUES ('delete', old.id, old.text); "  # noqa: S608  (our names)
    return (
        f"CREATE VIRTUAL TABLE {index} USING fts5("
        f"text, content='{table}', content_rowid='id', tokenize='unicode61 remove_diacritics 2')",
        f"CREATE TRIGGER {index}_added AFTER INSERT ON {table} BEGIN {add}END",
        f"CREATE TRIGGER {index}_deleted AFTER DELETE ON {table} BEGIN {strike}END",
        f"CREATE TRIGGER {index}_changed AFTER UPDATE OF text ON {table} BEGIN {strike}{add}END",
    )


def sqlite_table(table: str) -> str:
    return f"{table}_search"


def postgresql_made(table: str) -> tuple[str, ...]:
    """As `sqlite_made`: a column of words that the database keeps itself, and its index."""
    return (
        f"ALTER TABLE {table} ADD COLUMN {POSTGRESQL_COLUMN} tsvector GENERATED ALWAYS AS "
        f"(to_tsvector('simple'::regconfig, translate(lower(text), '{ACCENTED}', '{PLAIN}'))) STORED",
        f"CREATE INDEX {postgresql_index(table)} ON {table} USING gin ({POSTGRESQL_COLUMN})",
    )


def postgresql_index(table: str) -> str:
    return f"ix_{table}_{POSTGRESQL_COLUMN}"


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
    ids = found_ids(session, Message, query, before, limit, Message.kind == Kind.TEXT, within=within)
    return session.scalars(select(Message).where(Message.id.in_(ids)).order_by(Message.id.desc())).all()


def found_ids(
    session: Session,
    model: type[Base],
    query: str,
    before: int | None,
    limit: int,
    *conditions: ColumnElement[bool],
    within: ColumnElement[bool] | None = None,
) -> Sequence[int]:
    """Ids of the rows of a searched table with every word of the query, the newest first. See `found`."""
    words = words_of(query)
    if not words:
        return []
    row = model.__table__.c
    pieces = [row.text.contains(word, autoescape=True) for word in words if UNSPACED.search(word)]
    wanted: Wanted = select(row.id).where(*conditions, *pieces)
    if within is not None:
        wanted = wanted.where(row.conversation_id.in_(select(Conversation.id).where(within)))
    if before is not None:
        wanted = wanted.where(row.id < before)
    spaced = [word for word in words if not UNSPACED.search(word)]
    if session.get_bind().dialect.name == "sqlite":
        return _ids_in_sqlite(session, wanted, row.id, spaced, limit)
    return _ids_in_postgresql(session, wanted, row.id, spaced, limit)


Wanted = Select[int]


def _ids_in_sqlite(
    session: Session, wanted: Wanted, id_: KeyedColumnElement[Any], words: Sequence[str], limit: int
) -> Sequence[int]:
    if words:
        match = " ".join(f'"{word}"*' if len(word) >= PREFIX_FROM else f'"{word}"' for word in words)
        index = sqlite_table(id_.table.name)
        indexed = text(f"{id_} IN (SELECT rowid FROM {index} WHERE {index} MATCH :match)")  # noqa: S608  (our names)
        wanted = wanted.where(indexed.bindparams(match=match))
    return session.scalars(wanted.order_by(id_.desc()).limit(limit)).all()


def _ids_in_postgresql(
    session: Session, wanted: Wanted, id_: KeyedColumnElement[Any], words: Sequence[str], limit: int
) -> Sequence[int]:
    if not words:
        return session.scalars(wanted.order_by(id_.desc()).limit(limit)).all()
    folded = [piece for word in words for piece in word.translate(FOLDED).split()]
    match = " & ".join(f"'{word}':*" if len(word) >= PREFIX_FROM else f"'{word}'" for word in folded)
    wanted = wanted.where(text(f"{POSTGRESQL_COLUMN} @@ to_tsquery('simple', :match)").bindparams(match=match))
    since = session.scalar(select(func.max(id_))) or 0
    newest = wanted.where(id_ > since - NEWEST).order_by(id_.desc()).limit(limit)
    ids = session.scalars(newest).all()
    if len(ids) == limit:
        return ids
    # Materialized: the planner must not walk through all rows backwards in the hope of an early end.
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
            for index in map(sqlite_table, SEARCHED):
                session.execute(text(f"INSERT INTO {index}({index}) VALUES ('optimize')"))  # noqa: S608  (our names)


def make_index(table: Table, connection: Connection, **_options: Any) -> None:
    """To be called after a searched table was created (an event of SQLAlchemy)."""
    for statement in (sqlite_made if connection.dialect.name == "sqlite" else postgresql_made)(table.name):
        connection.exec_driver_sql(statement)


def drop_index(table: Table, connection: Connection, **_options: Any) -> None:
    """To be called before it is dropped."""
    # PostgreSQL drops column and index together with the table.
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {sqlite_table(table.name)}")


event.listen(Message.__table__, "after_create", make_index)
event.listen(Message.__table__, "before_drop", drop_index)
