"""Two editors, a coordinator and the topics of this checkout, each test with its own copy of what is loaded."""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.config import ROOT
from bot.content.loader import Knowledge
from bot.db.session import Database
from bot.editing.service import Editing
from bot.identity.models import Role, Staff
from tests.factories import make_staff

PROCEDURES = frozenset(path.stem for path in (ROOT / "knowledge" / "procedures").glob("*.yml"))
Desk = Callable[[Staff], AbstractContextManager[Editing]]


@pytest.fixture
def mine(knowledge: Knowledge) -> Knowledge:
    """Publishing changes the topics in memory; other tests read them as they are in the files."""
    return replace(knowledge, topics=dict(knowledge.topics))


@pytest.fixture
def people(database: Database, now: datetime) -> SimpleNamespace:
    with database.write() as session:
        return SimpleNamespace(
            nora=make_staff(session, now, "Nora", Role.EDITOR),
            paul=make_staff(session, now, "Paul", Role.EDITOR),
            claire=make_staff(session, now, "Claire", Role.COORDINATOR),
            adviser=make_staff(session, now, "Ada", Role.ADVISER),
            auditor=make_staff(session, now, "Otto", Role.AUDITOR),
        )


@pytest.fixture
def desk(database: Database, mine: Knowledge, now: datetime) -> Desk:
    """`with desk(staff) as editing`: one transaction of a colleague."""

    @contextmanager
    def at(staff):
        with database.write() as session:
            yield Editing(session, mine, PROCEDURES, staff, now)

    return at


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A knowledge folder that may be written to."""
    shutil.copytree(ROOT / "knowledge", tmp_path / "knowledge")
    return tmp_path / "knowledge"
