"""How a parallel run shares out the tests: what takes longest first, and what shares a desk or an engine together."""

import pytest

TOGETHER = ("tests/e2e/", "tests/conversations/", "tests/nlu/")
"""One process each, in this order: a desk or an engine is started once, and nobody waits for it at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_place)
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item.nodeid)))


def group_of(nodeid: str) -> str:
    """The folder of tests that share something expensive; else the file, which may have fixtures of its own."""
    return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid.partition("::")[0])


def _place(item: pytest.Item) -> int:
    """Stable: within a group the order stays."""
    group = group_of(item.nodeid)
    return TOGETHER.index(group) if group in TOGETHER else len(TOGETHER)
