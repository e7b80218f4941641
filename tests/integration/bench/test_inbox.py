"""The measurement of the inbox, on a small desk."""

import pytest

from bot.bench import inbox
from bot.bench.inbox import QUERIES, bench_inbox
from bot.db.session import Database
from bot.errors import ConfigurationError


def test_it_fills_an_empty_database_and_tells_how_long_lists_and_searches_took():
    said: list[str] = []
    assert bench_inbox(said.append, 5, 60, None) is True

    labels = [line.split("  ")[0].strip() for line in said[:3]]
    assert labels == ["filling 5 conversations, 60 messages", "list of a tab", "search, all queries"]
    assert [line.split('"')[1] for line in said[3:-1]] == list(QUERIES)
    assert said[-1].startswith("Machine: ")


def test_what_takes_longer_than_it_may_fails_and_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(inbox, "AIM", 0.0)
    said: list[str] = []

    assert bench_inbox(said.append, 5, 60, None) is False
    assert said[-1].startswith("Too slow: 95 of 100 took up to ")


def test_a_database_with_tables_is_left_alone(database: Database):
    with pytest.raises(ConfigurationError, match="must be empty"):
        bench_inbox(print, 5, 60, database.engine.url.render_as_string(hide_password=False))
