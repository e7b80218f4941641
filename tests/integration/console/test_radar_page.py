"""The radar's page: counts for all its roles, names and reminders for two of them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from bot.bootstrap import Services
from bot.clock import FixedClock
from bot.content.loader import Knowledge
from bot.db.session import Database
from bot.identity.models import AuditEntry, Role
from bot.reminders.models import Campaign, CampaignMember, Reminder
from bot.reminders.sending import Content, send_due
from bot.students.models import Student
from tests.factories import make_staff, make_student
from tests.integration.console.desk import browser, desk_app, desk_services, enter
from tests.integration.reminders.conftest import ADDRESS, PROCEDURES

OVERDUE = {"enrolment_date": "2026-11-02"}
FORM = {"step": "cvec", "intake": "any", "campus": "lille", "programme": "any", "left_out": "20"}


@pytest.fixture
def services(database: Database, clock: FixedClock, knowledge: Knowledge) -> Services:
    return replace(desk_services(database, clock), procedures=PROCEDURES, knowledge=knowledge)


@pytest.fixture
def app(services: Services) -> FastAPI:
    return desk_app(services)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(app) as client:
        yield client


def arrive(services: Services, count: int, prefix: str = "S", **facts: str) -> list[int]:
    """Students who are new: only a date that has passed makes them stuck."""
    now = services.clock.now()
    with services.database.write() as session:
        return [make_student(session, now, f"{prefix}{number}", **facts).id for number in range(count)]


def sit_down(client: httpx.AsyncClient, services: Services, role: Role = Role.COORDINATOR) -> None:
    with services.database.write() as session:
        staff = make_staff(session, services.clock.now(), role.title(), role)
    enter(client, services, staff)


def send(services: Services) -> int:
    content = Content(PROCEDURES, services.knowledge, ADDRESS)
    return len(send_due(services.database, content, services.clock.now()).sent)


async def test_an_empty_radar_says_why(client: httpx.AsyncClient, services: Services):
    sit_down(client, services)

    assert "There are no students yet." in (await client.get("/staff/radar")).text
    arrive(services, 6)
    services.clock.instant += timedelta(minutes=1)
    assert "Nobody is stuck at a step today." in (await client.get("/staff/radar")).text


async def test_counts_are_shown_by_group_and_small_ones_are_hidden(client: httpx.AsyncClient, services: Services):
    arrive(services, 20, "L", campus="lille", **OVERDUE)
    arrive(services, 10, "B", campus="bordeaux", **OVERDUE)
    arrive(services, 2, "C", campus="chateauroux", **OVERDUE)
    sit_down(client, services, Role.AUDITOR)
    page = await client.get("/staff/radar", params={"by": "campus"})

    assert "32 students, as at 12:00." in page.text
    assert page.text.count('<span class="soft">hidden</span>') == 2
    assert "<b>32</b>" in page.text
    assert '<td class="number">20</td>' in page.text


async def test_the_picture_is_a_minute_old_at_most(client: httpx.AsyncClient, services: Services):
    sit_down(client, services)
    await client.get("/staff/radar")
    arrive(services, 7)
    services.clock.instant += timedelta(seconds=59)
    assert "0 students, as at 12:00." in (await client.get("/staff/radar")).text

    services.clock.instant += timedelta(seconds=1)
    assert "7 students, as at 12:01." in (await client.get("/staff/radar")).text


async def test_a_step_done_meanwhile_is_gone_from_the_next_picture(client: httpx.AsyncClient, services: Services):
    ids = arrive(services, 6, campus="lille", **OVERDUE)
    now = services.clock.now()
    assert len(services.radar.picture(now).stuck) == 6

    with services.database.write() as session:
        session.get_one(Student, ids[0]).facts = {"campus": "lille"}
        session.get_one(Student, ids[1]).left_on = now.date()
    assert len(services.radar.picture(now + timedelta(minutes=1)).stuck) == 4


async def test_names_are_for_coordinators_and_administrators_and_looking_is_audited(
    client: httpx.AsyncClient, services: Services
):
    arrive(services, 2, "L", campus="lille", **OVERDUE)
    arrive(services, 1, "B", campus="bordeaux", **OVERDUE)
    sit_down(client, services)
    page = await client.get("/staff/radar/students", params={"step": "cvec", "campus": "lille"})

    assert page.status_code == 200
    assert "L0 Test" in page.text
    assert "L1 Test" in page.text
    assert "B0 Test" not in page.text
    with services.database.read() as session:
        looked = session.scalars(select(AuditEntry).where(AuditEntry.action == "radar_list")).all()
    assert [each.details for each in looked] == [{"step": "cvec", "groups": {"campus": "lille"}, "count": 2}]


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.COORDINATOR, Role.ADMIN}))
async def test_no_other_role_sees_a_name_or_writes(client: httpx.AsyncClient, services: Services, role: Role):
    arrive(services, 6, campus="lille", **OVERDUE)
    sit_down(client, services, role)

    assert (await client.get("/staff/radar/students", params={"step": "cvec"})).status_code == 403
    assert (await client.post("/staff/radar/remind", data=FORM)).status_code == 403
    assert (await client.post("/staff/radar/undo", data={"campaign": "1"})).status_code == 403
    assert "/staff/radar/students" not in (await client.get("/staff/radar")).text
    with services.database.read() as session:
        assert session.scalars(select(Campaign)).all() == []


async def test_before_a_reminder_the_page_shows_the_number_and_the_text_in_each_language(
    client: httpx.AsyncClient, services: Services
):
    ids = arrive(services, 6, campus="lille", **OVERDUE)
    with services.database.write() as session:
        session.get_one(Student, ids[0]).language = "fr"
    sit_down(client, services)
    page = await client.get("/staff/radar/students", params={"step": "cvec"})

    assert "Remind 6 students" in page.text
    assert 'lang="en" dir="auto"' in page.text
    assert "Hello S1, a short reminder" in page.text
    assert 'lang="fr" dir="auto"' in page.text
    assert "Bonjour S0" in page.text


async def test_a_reminder_reaches_those_stuck_but_for_the_share_left_out(client: httpx.AsyncClient, services: Services):
    lille = arrive(services, 10, "L", campus="lille", **OVERDUE)
    arrive(services, 3, "B", campus="bordeaux", **OVERDUE)
    arrive(services, 3, "O", campus="lille", enrolment_date="2027-01-15")
    sit_down(client, services)
    response = await client.post("/staff/radar/remind", data=FORM)

    assert (response.status_code, response.headers["Location"]) == (303, "/staff/radar?reminded=1")
    page = await client.get(response.headers["Location"])
    assert "A reminder of “Do cvec” is planned for 8 students. 2 students get none" in page.text
    with services.database.read() as session:
        members = session.scalars(select(CampaignMember)).all()
        campaign = session.get_one(Campaign, 1)
    assert sorted(each.student_id for each in members) == lille
    assert sum(each.gets_message for each in members) == 8
    assert campaign.chosen_by == {"campus": "lille"}

    assert send(services) == 0
    services.clock.instant += timedelta(minutes=10)
    assert send(services) == 8
    page = await client.get("/staff/radar?reminded=1")
    assert "Undo: nobody gets it" not in page.text


async def test_a_reminder_is_undone_as_if_it_had_never_been(client: httpx.AsyncClient, services: Services):
    arrive(services, 10, campus="lille", **OVERDUE)
    sit_down(client, services)
    await client.post("/staff/radar/remind", data=FORM)
    response = await client.post("/staff/radar/undo", data={"campaign": "1"})

    assert response.headers["Location"] == "/staff/radar?undone=1"
    services.clock.instant += timedelta(minutes=11)
    assert send(services) == 0
    with services.database.read() as session:
        assert [session.scalars(select(table)).all() for table in (Campaign, CampaignMember, Reminder)] == [[], [], []]
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert actions == ["campaign_started", "campaign_undone"]


async def test_what_has_begun_is_not_undone(client: httpx.AsyncClient, services: Services):
    arrive(services, 10, campus="lille", **OVERDUE)
    sit_down(client, services)
    await client.post("/staff/radar/remind", data=FORM)
    services.clock.instant += timedelta(minutes=10)
    send(services)
    response = await client.post("/staff/radar/undo", data={"campaign": "1"})

    assert response.status_code == 409
    assert "It cannot be undone any more" in response.text
    with services.database.read() as session:
        assert len(session.scalars(select(CampaignMember)).all()) == 10


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"left_out": "many"}, "Write a whole number from 0 to 50."),
        ({"left_out": "80"}, "Write a whole number from 0 to 50."),
        ({"campus": "bordeaux"}, "Nobody of this choice is stuck at this step."),
    ],
)
async def test_a_wrong_form_sends_nothing_and_says_what_to_mend(
    client: httpx.AsyncClient, services: Services, change: dict[str, str], fault: str
):
    arrive(services, 6, campus="lille", **OVERDUE)
    sit_down(client, services)
    response = await client.post("/staff/radar/remind", data={**FORM, **change})

    assert response.status_code == 422
    assert fault in response.text
    with services.database.read() as session:
        assert session.scalars(select(Reminder)).all() == []


async def test_a_step_that_does_not_exist_is_said(client: httpx.AsyncClient, services: Services):
    sit_down(client, services)
    page = await client.get("/staff/radar/students", params={"step": "dance"})

    assert (page.status_code, "There is no such step." in page.text) == (404, True)
