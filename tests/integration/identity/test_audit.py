"""The audit log: a chain that nobody changes unnoticed, and a table that refuses to be changed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from alembic import command
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DatabaseError

from bot.db.migrate import alembic_config, upgrade
from bot.db.session import Database
from bot.identity import audit
from bot.identity.audit import empty_details, is_part_of, purge_before, record, verify
from bot.identity.chain import GUARDS, UNGUARDS
from bot.identity.models import AuditEntry, AuditHead, Role
from bot.tables import METADATA


def write(database: Database, now, *actions: str) -> None:
    for action in actions:
        with database.write() as session:
            record(session, action, staff_id=None, now=now, conversation_id=uuid4(), number=7, role=Role.ADMIN)


def state_of(database: Database):
    with database.snapshot() as session:
        return verify(session)


def test_a_log_that_grows_and_is_emptied_while_it_is_checked_is_whole(database, now, monkeypatch):
    write(database, now, "claim", "read", "close")
    in_order = audit._in_order

    def slowly(session):
        """An entry and an erasure come after the head was read."""
        write(database, now, "search")
        with database.write() as other:
            empty_details(other, AuditEntry.action == "close", now)
        yield from in_order(session)

    monkeypatch.setattr(audit, "_in_order", slowly)
    during = state_of(database)
    monkeypatch.undo()

    assert (during.entries, during.fault) == (3, None)
    assert (state_of(database).entries, state_of(database).fault) == (5, None)


def unguarded(database: Database, statement: str, **values) -> None:
    """As somebody with all rights in the database."""
    with database.write() as session:
        for each in UNGUARDS[database.engine.dialect.name]:
            session.execute(text(each))
        session.execute(text(statement), values)
        for each in GUARDS[database.engine.dialect.name]:
            session.execute(text(each))


def test_an_empty_log_is_whole(database):
    assert (state_of(database).entries, state_of(database).fault) == (0, None)


def test_entries_of_one_and_of_several_transactions_form_one_chain(database, now):
    with database.write() as session:
        record(session, "claim", staff_id=None, now=now)
        record(session, "close", staff_id=None, now=now)
    write(database, now, "read")

    with database.read() as session:
        rows = session.execute(
            select(AuditEntry.position, AuditEntry.previous, AuditEntry.hash).order_by(AuditEntry.position)
        ).all()
        assert [row.position for row in rows] == [1, 2, 3]
        assert [row.previous for row in rows[1:]] == [row.hash for row in rows[:-1]]
        assert (verify(session).entries, verify(session).fault) == (3, None)
        assert is_part_of(session, rows[0].hash)
        assert not is_part_of(session, "0" * 64)


def test_what_is_rolled_back_leaves_no_place_empty(database, now):
    write(database, now, "claim")
    with database.write() as session:
        record(session, "lost", staff_id=None, now=now)
        session.flush()
        session.rollback()
    write(database, now, "close")

    assert (state_of(database).entries, state_of(database).fault) == (2, None)


def test_many_who_write_at_once_make_one_chain(database, now):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: write(database, now, f"deed {number}"), range(60)))

    assert (state_of(database).entries, state_of(database).position, state_of(database).fault) == (60, 60, None)


@pytest.mark.parametrize(
    "statement",
    [
        update(AuditEntry).values(action="nothing"),
        update(AuditEntry).values(staff_id=None, at=func.current_timestamp()),
        update(AuditEntry).values(details={"number": 8}),
        update(AuditEntry).values(hash="0" * 64),
        update(AuditEntry).values(details={}),
        delete(AuditEntry),
    ],
)
def test_the_database_refuses_to_change_and_to_delete_an_entry(database, now, statement):
    write(database, now, "claim")

    with pytest.raises(DatabaseError, match="append-only"), database.write() as session:
        session.execute(statement.execution_options(synchronize_session=False))

    assert (state_of(database).entries, state_of(database).fault) == (1, None)


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE audit_log SET action = 'claim' WHERE position = 2", "Entry 2 was changed."),
        ("UPDATE audit_log SET details = '{\"number\": 8}' WHERE position = 2", "The details of entry 2 were changed."),
        (
            "UPDATE audit_log SET details = '{}', salt = NULL WHERE position = 2",
            "The details at place 2 were emptied by nobody.",
        ),
        ("DELETE FROM audit_log WHERE position = 2", "Entry 3 has place 3, place 2 is missing."),
        ("DELETE FROM audit_log WHERE position = 1", "Entry 2 has place 2, place 1 is missing."),
        ("DELETE FROM audit_log WHERE position = 3", "Entries after place 2 are missing."),
        ("UPDATE audit_log SET position = NULL WHERE position = 3", "Entry 3 is not in the chain."),
        (
            "INSERT INTO audit_log (id, at, action, details) SELECT 9, at, action, details FROM audit_log WHERE id = 1",
            "Entry 9 is not in the chain.",
        ),
    ],
)
def test_what_somebody_with_all_rights_does_is_found(database, now, statement, fault):
    write(database, now, "read", "read_file", "close")
    unguarded(database, statement)

    assert state_of(database).fault == fault


def test_a_beginning_that_was_cut_off_without_the_purge_is_found(database, now):
    write(database, now, "read", "read_file", "close")
    with database.write() as session:
        head = session.get_one(AuditHead, 1)
        first = session.scalars(select(AuditEntry.hash).where(AuditEntry.position == 1)).one()
        head.purged, head.purged_hash = 1, first
        session.flush()
        session.execute(delete(AuditEntry).where(AuditEntry.position == 1))

    assert state_of(database).fault == "Entries up to place 1 are missing."


def test_an_erasure_empties_details_and_the_chain_stays_whole(database, now):
    write(database, now, "decide", "read")
    with database.write() as session:
        empty_details(session, AuditEntry.action == "decide", now)

    with database.read() as session:
        entries = session.execute(
            select(AuditEntry.action, AuditEntry.details, AuditEntry.salt.is_(None)).order_by(AuditEntry.id)
        ).all()
        assert [tuple(entry) for entry in entries] == [
            ("decide", {}, True),
            ("read", {"number": 7, "role": "admin"}, False),
            ("details_emptied", {"places": [1]}, False),
        ]
    assert state_of(database).fault is None


def test_what_is_too_old_goes_and_the_rest_can_still_be_checked(database, now):
    write(database, now, "first", "second", "third")
    for _ in range(2):
        with database.write() as session:
            oldest = session.scalars(select(func.min(AuditEntry.id))).one()
            purge_before(session, oldest, now + timedelta(days=800))

    with database.read() as session:
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.position)).all()
        assert actions == ["third", "log_purged", "log_purged"]
        assert verify(session).fault is None


def test_entries_from_before_the_chain_are_chained_by_the_migration(database, now):
    METADATA.drop_all(database.engine.execution_options(writes=True))
    upgrade(database)
    _migrate(database, "messengers")
    with database.write() as session:
        session.execute(
            text(
                "INSERT INTO audit_log (at, action, conversation_id, details) VALUES (:at, 'read', :id, '{\"a\": 1}')"
            ),
            [{"at": now, "id": uuid4() if database.engine.dialect.name == "postgresql" else uuid4().hex}] * 3,
        )
    upgrade(database)
    write(database, now, "claim")

    assert (state_of(database).entries, state_of(database).fault) == (4, None)
    with pytest.raises(DatabaseError, match="append-only"), database.write() as session:
        session.execute(delete(AuditEntry).execution_options(synchronize_session=False))
    _migrate(database, "base")
    with database.engine.connect().execution_options(writes=True) as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
        connection.commit()


def _migrate(database: Database, revision: str) -> None:
    config = alembic_config()
    with database.engine.connect().execution_options(writes=True) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
        connection.commit()
