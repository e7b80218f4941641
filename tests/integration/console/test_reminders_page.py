"""The page of reminders: what went out, who would get a campaign, starting it, what it changed."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from bot.bootstrap import Services
from bot.clock import FixedClock
from bot.db.session import Database
from bot.identity.models import AuditEntry, Role
from bot.reminders.models import Campaign, CampaignMember, Reminder
from tests.factories import make_staff, make_student
from tests.integration.console.desk import browser, desk_app, desk_services, enter
from tests.integration.reminders.conftest import PROCEDURES

FORM = {"step": "transcript", "name": "Transcripts", "campus": "", "programme_type": "", "left_out": "50"}


@pytest.fixture
def services(database: Database, clock: FixedClock) -> Services:
    return replace(desk_services(database, clock), procedures=PROCEDURES)


@pytest.fixture
def app(services: Services) -> FastAPI:
    return desk_app(services)


@pytest.fixture
async def client(app: FastAPI, services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """A coordinator's browser, and twenty students in Lille."""
    with services.database.write() as session:
        for number in range(20):
            make_student(session, services.clock.now(), f"S{number}", campus="lille")
        staff = make_staff(session, services.clock.now(), "Nora", Role.COORDINATOR)
    async with browser(app) as client:
        enter(client, services, staff)
        yield client


async def submit(client: httpx.AsyncClient, **changes: str) -> httpx.Response:
    return await client.post("/staff/reminders/campaigns", data={**FORM, **changes})


async def test_an_empty_desk_says_so(client: httpx.AsyncClient):
    page = await client.get("/staff/reminders")

    assert page.status_code == 200
    assert "Nothing was sent." in page.text
    assert "There is no campaign yet." in page.text
    assert '<option value="transcript" >Do transcript</option>' in page.text


async def test_before_anything_starts_the_page_says_how_many_would_get_it(
    client: httpx.AsyncClient, services: Services
):
    page = await client.get("/staff/reminders", params=FORM)

    assert page.status_code == 200
    assert "10 students would get the message, 10 would be left out to compare." in page.text
    with services.database.read() as session:
        assert session.scalars(select(Campaign)).all() == []

    nobody = await client.get("/staff/reminders", params={**FORM, "campus": "bordeaux"})
    assert "Nobody is at this step now." in nobody.text
    assert "Start the campaign" not in nobody.text


async def test_a_campaign_starts_with_who_started_it_and_shows_its_result(
    client: httpx.AsyncClient, services: Services
):
    response = await submit(client)

    assert (response.status_code, response.headers["Location"]) == (303, "/staff/reminders?campaign=1&started=1")
    page = await client.get(response.headers["Location"])
    assert "The campaign has started." in page.text
    assert "With a message: 0 of 10 did it within 14 days." in page.text
    assert "This interval includes 0: what we see may be chance." in page.text
    with services.database.read() as session:
        campaign = session.scalars(select(Campaign)).one()
        staff_id = session.scalars(select(AuditEntry.staff_id).where(AuditEntry.action == "campaign_started")).one()
        assert (campaign.name, campaign.step, campaign.left_out) == ("Transcripts", "transcript", 0.5)
        assert campaign.started_by == staff_id
        assert len(session.scalars(select(CampaignMember)).all()) == 20
        assert len(session.scalars(select(Reminder)).all()) == 10


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"step": "dance"}, "Choose a step at which somebody is now."),
        ({"step": ""}, "Choose a step at which somebody is now."),
        ({"left_out": "60"}, "Write a whole number from 0 to 50."),
        ({"left_out": "a third"}, "Write a whole number from 0 to 50."),
        ({"campus": "paris"}, "Choose one of the list."),
        ({"campus": "bordeaux"}, "Choose a step at which somebody is now."),
        ({"name": "x" * 121}, "The name is too long; 120 characters are possible."),
    ],
)
async def test_a_wrong_form_comes_back_with_its_fault_and_starts_nothing(
    client: httpx.AsyncClient, services: Services, changes: dict[str, str], fault: str
):
    page = await submit(client, **changes)

    assert page.status_code == 422
    assert f'<span class="fault">{fault}</span>' in page.text
    with services.database.read() as session:
        assert session.scalars(select(Campaign)).all() == []
        assert session.scalars(select(Reminder)).all() == []


@pytest.mark.parametrize("number", ["7", "one", "-1", "9" * 30, "²"])
async def test_a_campaign_that_does_not_exist_is_called_that(client: httpx.AsyncClient, number: str):
    page = await client.get("/staff/reminders", params={"campaign": number})

    assert page.status_code == 200
    assert "There is no such campaign." in page.text


async def test_what_went_out_and_what_did_not_is_counted(client: httpx.AsyncClient, services: Services):
    now = services.clock.now()
    with services.database.write() as session:
        for day, state, more in (
            (1, "sent", {"channel": "mail", "sent_at": now - timedelta(days=1)}),
            (2, "sent", {"channel": "mail", "sent_at": now - timedelta(days=8)}),
            (3, "skipped", {"reason": "opted_out"}),
            (4, "planned", {}),
        ):
            at = now - timedelta(days=1, hours=day)
            session.add(
                Reminder(student_id=1, kind="step", subject=f"s{day}", day=at.date(), due_at=at, state=state, **more)
            )

    page = await client.get("/staff/reminders")

    assert "<tr><td>Steps</td><td>by mail</td><td>1</td></tr>" in page.text
    assert "Waiting for their hour: 1" in page.text
    assert "<li>the student does not want them: 1</li>" in page.text


@pytest.mark.parametrize("role", [Role.ADVISER, Role.EDITOR, Role.AUDITOR])
async def test_other_roles_start_nothing(client: httpx.AsyncClient, services: Services, role: Role):
    with services.database.write() as session:
        staff = make_staff(session, services.clock.now(), role.title(), role)
    enter(client, services, staff)

    response = await submit(client)

    assert response.status_code == 403
    with services.database.read() as session:
        assert session.scalars(select(Campaign)).all() == []
