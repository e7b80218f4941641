"""What all tests share: databases, a fixed clock, a cast."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import Table, TextClause, create_engine, delete, literal, make_url, select, text, union_all
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from bot.clock import FixedClock
from bot.content.loader import Knowledge, load_knowledge
from bot.db.session import Database
from bot.log import configure_logging
from bot.tables import METADATA

configure_logging()

pytest_plugins = ["tests.plugins.compiled", "tests.plugins.engine", "tests.plugins.leftout", "tests.plugins.sharing"]

ROOT = Path(__file__).resolve().parent.parent
POSTGRESQL = os.environ.get("ACCUEIL_TEST_POSTGRESQL_URL", "")


@pytest.fixture
def now() -> datetime:
    """Noon in Paris on a working Tuesday."""
    return datetime(2026, 11, 24, 11, 0, tzinfo=UTC)


@pytest.fixture
def clock(now: datetime) -> FixedClock:
    return FixedClock(now)


@pytest.fixture(scope="session")
def every_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with every table and no row, to be copied: making the tables takes longer than most tests."""
    file = tmp_path_factory.mktemp("database") / "empty.db"
    made = Database(f"sqlite:///{file}")
    METADATA.create_all(made.engine.execution_options(writes=True))
    made.empty_log()
    made.close()
    return file


@pytest.fixture(scope="session")
def postgresql(worker_id: str) -> str:
    """The address of a PostgreSQL database with every table; each process of a parallel run has one of its own."""
    if not POSTGRESQL:
        pytest.skip("PostgreSQL: set ACCUEIL_TEST_POSTGRESQL_URL to a throw-away database")
    address = POSTGRESQL if worker_id == "master" else _database_of(worker_id)
    made = Database(address)
    METADATA.drop_all(made.engine)
    METADATA.create_all(made.engine)
    made.close()
    return address


def _database_of(worker_id: str) -> str:
    url = make_url(POSTGRESQL)
    name = f"{url.database}_{worker_id}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    engine.dispose()
    return url.set(database=name).render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A real, empty database with every table; on PostgreSQL as well, where one is given."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("every_table"), tmp_path / "test.db")
        made = Database(f"sqlite:///{tmp_path / 'test.db'}")
    else:
        made = Database(request.getfixturevalue("postgresql"))
        empty_tables(made)
    yield made
    made.close()


NUMBERS_FROM_ONE = {
    "sqlite": "DELETE FROM sqlite_sequence",
    "postgresql": "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, 1, false)"
    " FROM pg_sequences WHERE last_value IS NOT NULL",
}


@cache
def _which_have_rows() -> TextClause:
    looks = (select(literal(n)).select_from(table).limit(1) for n, table in enumerate(METADATA.sorted_tables))
    every = union_all(*(select(look.subquery()) for look in looks))
    return text(str(every.compile(compile_kwargs={"literal_binds": True})))


def _with_rows(session: Session) -> list[Table]:
    """Those that hold any, children before parents. TRUNCATE of all tables would take longer than most tests."""
    places = session.scalars(_which_have_rows()).all()
    return [METADATA.sorted_tables[place] for place in sorted(places, reverse=True)]


def empty_tables(made: Database) -> None:
    """Back to no row, and to 1 as the next number of every table."""
    try:
        with made.write() as session:
            # The audit log lets go of what is too old and of nothing else.
            session.execute(text("UPDATE audit_head SET purged = position"))
            for table in _with_rows(session):
                session.execute(delete(table))
            session.execute(text(NUMBERS_FROM_ONE[made.engine.dialect.name]))
    except DBAPIError:
        # A test of the migrations took tables away.
        METADATA.drop_all(made.engine)
        METADATA.create_all(made.engine)


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    return load_knowledge(ROOT / "knowledge")
