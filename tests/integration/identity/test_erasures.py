from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.db.session import Database
from bot.errors import ConfigurationError
from bot.identity.erasures import KEY_FILE, address_hash, erased_among, erasure_key
from bot.identity.models import Erasure


def test_the_key_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path):
    key = erasure_key(tmp_path / "new")

    assert (len(key), erasure_key(tmp_path / "new")) == (32, key)
    assert (tmp_path / "new" / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert [file.name for file in (tmp_path / "new").iterdir()] == [KEY_FILE]
    assert erasure_key(tmp_path / "other") != key


@pytest.mark.parametrize("content", ["", "abc", "00" * 31, "é"])
def test_a_damaged_key_is_not_replaced(tmp_path: Path, content: str):
    (tmp_path / KEY_FILE).write_text(content, encoding="utf-8")

    with pytest.raises(ConfigurationError):
        erasure_key(tmp_path)
    assert (tmp_path / KEY_FILE).read_text(encoding="utf-8") == content


def test_an_address_has_one_hash_in_every_case_of_letters_and_another_under_another_key():
    first, second = b"1" * 32, b"2" * 32

    assert address_hash(first, " Amina@Student.junia.com ") == address_hash(first, "amina@student.junia.com")
    assert address_hash(first, "amina@student.junia.com") != address_hash(second, "amina@student.junia.com")
    assert "amina" not in address_hash(first, "amina@student.junia.com")


def test_erased_addresses_are_found_with_their_last_day(database: Database, now: datetime):
    key = b"1" * 32
    hashed = address_hash(key, "amina@student.junia.com")
    with database.write() as session:
        session.add_all(
            Erasure(address_hash=each, erased_at=at, senders=[])
            for each, at in ((hashed, now), (hashed, now - timedelta(days=9)), (None, now))
        )
    with database.read() as session:
        assert erased_among(session, key, ["amina@student.junia.com", "jonas@student.junia.com"]) == {
            "amina@student.junia.com": now
        }
        assert erased_among(session, b"2" * 32, ["amina@student.junia.com"]) == {}
