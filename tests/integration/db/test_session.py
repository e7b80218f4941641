import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import QueuePool

from bot.db.session import Database
from bot.errors import Unavailable


def test_when_every_connection_is_in_use_the_database_counts_as_away(tmp_path):
    database = Database("sqlite://")
    database.close()
    address = f"sqlite:///{tmp_path / 'small.db'}"
    database.engine = create_engine(address, poolclass=QueuePool, pool_size=1, max_overflow=0, pool_timeout=0.1)
    with database.read() as session:
        session.execute(text("SELECT 1"))
        with pytest.raises(Unavailable):
            database.probe()
    database.probe()
    database.close()


def test_a_damaged_file_counts_as_away(tmp_path):
    file = tmp_path / "damaged.db"
    file.write_bytes(b"this is no database at all" * 1000)
    database = Database(f"sqlite:///{file}")

    with pytest.raises(Unavailable):
        database.probe()
    database.close()


def test_what_is_deleted_is_in_no_file_once_the_log_is_empty(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'own.db'}")
    with database.write() as session:
        session.execute(text("CREATE TABLE words (word TEXT)"))
        session.execute(text("INSERT INTO words VALUES ('a word that must go'), ('another')"))
    with database.write() as session:
        session.execute(text("DELETE FROM words WHERE word LIKE 'a word%'"))

    def files_with_it():
        return sorted(file.name for file in tmp_path.iterdir() if b"must go" in file.read_bytes())

    before = files_with_it()
    assert (before, database.empty_log(), files_with_it()) == (["own.db-wal"], True, [])
    database.close()


def test_the_log_stays_while_somebody_reads(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'own.db'}")
    with database.write() as session:
        session.execute(text("CREATE TABLE words (word TEXT)"))
    with database.read() as reader:
        reader.execute(text("SELECT * FROM words"))
        with database.write() as session:
            session.execute(text("INSERT INTO words VALUES ('one')"))
        assert not database.empty_log()
    assert database.empty_log()
    database.close()


def test_without_a_file_the_log_cannot_be_emptied(tmp_path):
    file = tmp_path / "damaged.db"
    file.write_bytes(b"this is no database at all" * 1000)
    database = Database(f"sqlite:///{file}")

    with pytest.raises(Unavailable):
        database.empty_log()
    database.close()
