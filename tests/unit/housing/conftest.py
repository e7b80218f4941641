"""The words and rules that the housing help reads."""

from datetime import date
from functools import partial

import pytest

from bot.config import ROOT
from bot.content.render import render
from bot.housing.advert_file import load_adverts
from bot.paperwork.rules import path
from bot.paperwork.schema import load_procedures
from bot.students.facts import facts_from

TODAY = date(2026, 11, 24)


@pytest.fixture(scope="session")
def adverts():
    return load_adverts(ROOT / "knowledge")


@pytest.fixture(scope="session")
def procedures():
    return load_procedures(ROOT / "knowledge" / "procedures")


@pytest.fixture(scope="session")
def fill(knowledge):
    return partial(render, knowledge=knowledge, language="en", today=TODAY)


@pytest.fixture
def steps_of(procedures):
    """facts → (facts, their path today)."""

    def run(**facts: object):
        known = facts_from(facts)
        return known, path(procedures, known, TODAY)

    return run
