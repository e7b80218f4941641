"""The one way to the database: a read context and a write context, each one transaction."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from sqlite3 import Error as SqliteError
from threading import Lock
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.orm import Session

from bot.errors import Unavailable

PRAGMAS = (
    "journal_mode = WAL",
    "busy_timeout = 5000",
    "foreign_keys = ON",
    "synchronous = NORMAL",
    # What is deleted is overwritten: an erased person's words must not stay in a free part of the file.
    "secure_delete = ON",
)
PATIENCE = 5.0
"""Seconds to wait for other writers."""
CHECKPOINT_PATIENCE = 1000
"""Milliseconds to wait for readers; writers wait meanwhile."""


class Database:
    """One engine. SQLite runs in WAL mode with immediate write transactions: writers queue instead of failing."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self.engine = self._engine(url)
        self._writer = Lock()

    def _engine(self, url: str) -> Engine:
        if not self.is_sqlite:
            return create_engine(
                url, hide_parameters=True, pool_pre_ping=True, pool_size=10, max_overflow=10, pool_timeout=5
            )
        engine = create_engine(url, hide_parameters=True, connect_args={"timeout": 5, "check_same_thread": False})

        @event.listens_for(engine, "connect")
        def _configure(connection: Any, _record: Any) -> None:
            # The driver's own transaction handling starts deferred transactions, which can fail when they turn
            # into writers; ours are started below.
            connection.isolation_level = None
            for pragma in PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")

        @event.listens_for(engine, "begin")
        def _begin(connection: Any) -> None:
            writes = connection.get_execution_options().get("writes", False)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

        return engine

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that is rolled back at the end.

        Raises:
            Unavailable: the database cannot be reached, or every connection stays in use.
        """
        with self._session(writes=False) as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """As `read`, with one state for every statement, whatever others write meanwhile; SQLite reads so anyway.

        Raises:
            Unavailable: as for `read`.
        """
        level = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with self._session(writes=False, **level) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that is committed at the end, or rolled back by any exception.

        Raises:
            Unavailable: the database cannot be reached or is locked by another writer for more than 5 s.
        """
        with self._turn_to_write(), self._session(writes=True) as session:
            yield session
            try:
                session.commit()
            except OperationalError as error:
                raise Unavailable from error

    @contextmanager
    def _turn_to_write(self) -> Iterator[None]:
        """One writer of this process at a time: SQLite lets those who wait sleep and look again, ever more seldom."""
        if not self.is_sqlite:
            yield
            return
        if not self._writer.acquire(timeout=PATIENCE):
            raise Unavailable
        try:
            yield
        finally:
            self._writer.release()

    @contextmanager
    def _session(self, **options: Any) -> Iterator[Session]:
        """`options`: of the connection; "writes" is read when its transaction begins."""
        try:
            connection = self.engine.connect()
        except (DBAPIError, NoConnectionFree) as error:
            raise Unavailable from error
        with connection, Session(connection.execution_options(**options), expire_on_commit=False) as session:
            try:
                yield session
            except OperationalError as error:
                raise Unavailable from error

    def empty_log(self) -> bool:
        """Move SQLite's log into the database file and cut it to nothing: it still holds what was deleted.

        Returns False while a reader keeps it; PostgreSQL looks after its own log.

        Raises:
            Unavailable: the file cannot be reached.
        """
        if not self.is_sqlite:
            return True
        try:
            with closing(self.engine.raw_connection()) as connection:
                cursor = connection.cursor()
                cursor.execute(f"PRAGMA busy_timeout = {CHECKPOINT_PATIENCE}")
                is_busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                cursor.execute("PRAGMA busy_timeout = 5000")
                return not is_busy
        except (DBAPIError, NoConnectionFree, SqliteError) as error:
            raise Unavailable from error

    def probe(self) -> None:
        """Raises `Unavailable` when the database does not answer."""
        with self.read() as session:
            session.execute(text("SELECT 1"))

    def close(self) -> None:
        self.engine.dispose()
