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
