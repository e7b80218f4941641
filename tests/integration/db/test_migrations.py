from datetime import timedelta

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select

from bot.conversations.search import POSTGRESQL_COLUMN, SEARCHED, postgresql_index, sqlite_table
from bot.db.migrate import alembic_config, upgrade
from bot.db.session import Database
from bot.errors import ConfigurationError
from bot.identity.models import Staff, StaffSession
from bot.tables import METADATA
from tests.factories import make_staff


@pytest.fixture
def empty(database: Database) -> Database:
    METADATA.drop_all(database.engine.execution_options(writes=True))
    return database


def test_an_empty_database_upgraded_to_head_equals_the_models(empty: Database):
    upgrade(empty)

    with empty.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": _is_declared})
        assert compare_metadata(context, METADATA) == []
    _undo(empty)


def test_upgrading_twice_changes_nothing(empty: Database):
    upgrade(empty)
    before = sorted(inspect(empty.engine).get_table_names())

    upgrade(empty)

    assert sorted(inspect(empty.engine).get_table_names()) == before
    _undo(empty)


def test_downgrading_to_nothing_leaves_no_table(empty: Database):
    upgrade(empty)

    _undo(empty)

    assert inspect(empty.engine).get_table_names() == []


def test_when_a_colleague_was_last_seen_is_taken_over_from_their_sessions(empty: Database, now):
    upgrade(empty)
    earlier = now - timedelta(hours=1)
    with empty.write() as session:
        claire, _marc = make_staff(session, now), make_staff(session, now, "Marc")
        for token, seen in (("a", now), ("b", earlier)):
            session.add(
                StaffSession(
                    staff_id=claire.id,
                    token_hash=token,
                    csrf_token="",
                    created_at=earlier,
                    seen_at=seen,
                    expires_at=now,
                )
            )
    config = alembic_config()
    with empty.engine.connect().execution_options(writes=True) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "danger_told")
        command.upgrade(config, "head")
        connection.commit()

    with empty.read() as session:
        assert session.scalars(select(Staff.seen_at).order_by(Staff.id)).all() == [now, None]
    _undo(empty)


def test_a_file_that_is_no_database_is_said_in_one_sentence(tmp_path):
    broken = tmp_path / "broken.db"
    broken.write_text("this is not a database " * 100)

    with pytest.raises(ConfigurationError, match=r"cannot be used .* Move the file away"):
        upgrade(Database(f"sqlite:///{broken}"))


def _is_declared(name: str | None, kind: str, _parents: object) -> bool:
    """What only the search reads is made beside the models (bot/conversations/search.py)."""
    if kind == "table":
        return not str(name).startswith(tuple(map(sqlite_table, SEARCHED)))
    return (kind, name) not in {
        ("column", POSTGRESQL_COLUMN),
        *(("index", postgresql_index(each)) for each in SEARCHED),
    }


def _undo(database: Database) -> None:
    config = alembic_config()
    with database.engine.connect().execution_options(writes=True) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        connection.commit()
        connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
        connection.commit()
