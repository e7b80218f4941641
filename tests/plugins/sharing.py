"""How a parallel run shares out the tests: what takes longest first, and what shares a desk or an engine together."""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

TOGETHER = ("tests/e2e/", "tests/nlu/", "tests/conversations/")
"""One process each: a desk or an engine is started once."""
ALONE = "tests/e2e/own_desk/"
"""Each file of it starts a desk of its own."""
EARLY = ("tests/e2e/", ALONE, "tests/nlu/", "tests/conversations/", "tests/integration/telegram/")
"""In this order, before all others: what takes longest, so that nobody waits for one of them at the end."""


class Sharing(LoadScopeScheduling):
    """Tests of one group run in one process, one after the other."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Sharing:
    return Sharing(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_place)


def group_of(nodeid: str) -> str:
    """The folder of tests that share something expensive; else the file, which may have fixtures of its own."""
    file = nodeid.partition("::")[0]
    return file if file.startswith(ALONE) else next((folder for folder in TOGETHER if file.startswith(folder)), file)


def _place(item: pytest.Item) -> int:
    """Stable: within a group the order stays."""
    group = group_of(item.nodeid)
    if group in TOGETHER:
        return EARLY.index(group)
    return next((place for place, folder in enumerate(EARLY) if place and group.startswith(folder)), len(EARLY))
