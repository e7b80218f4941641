from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from bot.bootstrap import Services
from bot.clock import FixedClock
from bot.db.session import Database
from bot.identity.models import Role, Staff
from tests.factories import make_staff
from tests.integration.console.desk import browser, desk_app, desk_services, staff_with_password


@pytest.fixture
def services(database: Database, clock: FixedClock) -> Services:
    return desk_services(database, clock)


@pytest.fixture
def app(services: Services) -> FastAPI:
    return desk_app(services)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(app) as client:
        yield client


@pytest.fixture
def claire(services: Services) -> Staff:
    with services.database.write() as session:
        return staff_with_password(session, services, "Claire")


@pytest.fixture
def marc(services: Services) -> Staff:
    with services.database.write() as session:
        return make_staff(session, services.clock.now(), "Marc", Role.ADMIN)


@pytest.fixture
def auditor(services: Services) -> Staff:
    with services.database.write() as session:
        return make_staff(session, services.clock.now(), "Noa", Role.AUDITOR)
