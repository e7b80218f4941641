"""Statements are compiled once in a run.

Each test has an engine of its own, and each engine begins with an empty cache: to fill it took a quarter of the time.
"""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.util import LRUCache

from bot.db.session import Database
from tests.conftest import POSTGRESQL

STATEMENTS = 5000


def _model(url: str) -> Engine:
    """Its dialect, which has seen the server, is part of the key of what is compiled."""
    made = create_engine(url)
    made.connect().close()
    made.dispose()
    made._compiled_cache = LRUCache(STATEMENTS)
    return made


@pytest.fixture(autouse=True, scope="session")
def compiled_once() -> Iterator[None]:
    """For every database that a test of this process opens."""
    models = {model.dialect.name: model for model in map(_model, filter(None, ["sqlite://", POSTGRESQL]))}
    make = Database._engine

    def sharing(database: Database, url: str) -> Engine:
        made = make(database, url)
        if (model := models.get(made.dialect.name)) is not None:
            made.dialect = made.pool._dialect = model.dialect
            made._compiled_cache = model._compiled_cache
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "_engine", sharing)
        yield
