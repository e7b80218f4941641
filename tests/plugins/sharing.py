"""How a parallel run shares out the tests: what takes longest first, and what shares a desk or an engine together."""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

TOGETHER = ("tests/e2e/", "tests/nlu/", "tests/conversations/")
"""One process each, in this order: a desk or an engine is started once, not both at the same time, and nobody waits for
one at the end.
"""


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
    return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid.partition("::")[0])


def _place(item: pytest.Item) -> int:
    """Stable: within a group the order stays."""
    group = group_of(item.nodeid)
    return TOGETHER.index(group) if group in TOGETHER else len(TOGETHER)
