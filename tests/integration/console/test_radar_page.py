"""The radar's page: counts for all its roles, names and reminders for two of them."""

import re
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
from tests.integration.radar.test_counting import ask_for_a_person, judge, talk
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
    assert '<td class="number" data-label="Lille">20</td>' in page.text


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

    assert "Students who can be written to: 6. With 20 % left out, so many get no message: 1." in page.text
    assert "Remind them, but for the share left out" in page.text
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


async def test_who_left_the_page_still_finds_the_way_back_while_it_is_open(
    client: httpx.AsyncClient, services: Services
):
    arrive(services, 10, campus="lille", **OVERDUE)
    sit_down(client, services)
    await client.post("/staff/radar/remind", data=FORM)
    step = (await client.get("/staff/radar/students", params={"step": "cvec"})).text
    other = (await client.get("/staff/radar/students", params={"step": "transcript"})).text
    listed = (await client.get("/staff/reminders")).text
    undone = await client.post("/staff/reminders/undo", data={"campaign": "1"})
    again = await client.post("/staff/reminders/undo", data={"campaign": "1"})

    assert "A reminder of “Do cvec” is planned for 8 students." in step
    assert [page.count("Undo: nobody gets it") for page in (step, other, listed)] == [1, 0, 1]
    assert undone.headers["Location"] == "/staff/reminders?undone=1"
    assert "nobody gets it." in (await client.get("/staff/reminders?undone=1")).text
    assert again.status_code == 409
    assert "It cannot be undone any more" in again.text
    with services.database.read() as session:
        assert session.scalars(select(Campaign)).all() == []


async def test_what_has_begun_is_not_undone(client: httpx.AsyncClient, services: Services):
    arrive(services, 10, campus="lille", **OVERDUE)
    sit_down(client, services)
    await client.post("/staff/radar/remind", data=FORM)
    services.clock.instant += timedelta(minutes=10)
    send(services)
    for address in ("/staff/reminders", "/staff/radar/students?step=cvec"):
        assert "Undo: nobody gets it" not in (await client.get(address)).text
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


async def test_the_weeks_say_when_nobody_has_written_and_when_no_answer_was_judged(
    client: httpx.AsyncClient, services: Services
):
    sit_down(client, services, Role.AUDITOR)
    assert "No student has written in these weeks." in (await client.get("/staff/radar?show=weeks")).text

    talk(services.database, services.clock.now())
    page = await client.get("/staff/radar?show=weeks&weeks=4")
    assert "No student has written" not in page.text
    assert "Nobody has said in these weeks whether an answer helped." in page.text
    assert "the office has not given its opening hours" in page.text
    assert page.text.count('<th scope="row">2026-W') == 8


async def test_the_weeks_show_conversations_of_many_and_hide_those_of_few(
    client: httpx.AsyncClient, services: Services
):
    for number in range(7):
        talk(services.database, services.clock.now() - timedelta(minutes=number), language="fr" if number > 4 else "en")
    sit_down(client, services)
    page = await client.get("/staff/radar?show=weeks")

    assert "<title>2026-W48: answered by the assistant alone 7</title>" in page.text
    assert '<th scope="row">English</th><td class="number">5</td>' in page.text
    assert '<th scope="row">French</th>' not in page.text
    assert " style=" not in page.text


async def test_the_weeks_show_how_many_answers_helped_and_hide_the_word_of_few(
    client: httpx.AsyncClient, services: Services
):
    now = services.clock.now()
    sit_down(client, services)
    judge(services.database, now, yes=6, no=2)
    few = (await client.get("/staff/radar?show=weeks")).text
    judge(services.database, now - timedelta(days=7), yes=6, no=5)
    page = (await client.get("/staff/radar?show=weeks")).text

    # 6 + 6 of 8 + 11 judgements.
    assert "Said that the answer helped: <b>63 %</b> (12 / 19)" in " ".join(page.split())
    assert "Said that the answer helped: <b>–</b>" in " ".join(few.split())
    assert "(6 /" not in few
    hidden = '<span class="soft">hidden</span>'
    # Shown, 6 of 11 would tell the 6 of 8.
    assert _row(page, "2026-W48", after="satisfaction") == ["8", hidden, "–"]
    assert _row(page, "2026-W47", after="satisfaction") == ["11", hidden, "–"]
    assert _row(page, "2026-W46", after="satisfaction") == []
    for weeks_ago in (2, 3):
        judge(services.database, now - timedelta(days=7 * weeks_ago), yes=7 * weeks_ago, no=6)
    page = (await client.get("/staff/radar?show=weeks")).text
    assert _row(page, "2026-W47", after="satisfaction") == ["11", hidden, "–"]
    assert _row(page, "2026-W46", after="satisfaction") == ["20", "14", "70 %"]
    assert _row(page, "2026-W45", after="satisfaction") == ["27", "21", "78 %"]


async def test_a_week_of_few_requests_cannot_be_worked_out_from_all_weeks_and_the_others(
    client: httpx.AsyncClient, services: Services
):
    now = services.clock.now() - timedelta(hours=1)
    for weeks_ago, count in ((0, 3), (1, 7), (2, 6)):
        for _ in range(count):
            ask_for_a_person(services.database, now - timedelta(days=7 * weeks_ago), timedelta(minutes=10))
    sit_down(client, services)
    page = (await client.get("/staff/radar?show=weeks&weeks=4")).text
    file = (await client.get("/staff/radar/weeks.csv?weeks=4")).text

    untold = ['<span class="soft">hidden</span>', "–", "–"]
    assert _row(page, "All these weeks", after="waits")[:3] == ["16", "10 min", "10 min"]
    assert _row(page, "2026-W48", after="waits") == [*untold, "–", "–"]
    # Shown, 6 and 7 of 16 would tell the 3.
    assert _row(page, "2026-W46", after="waits") == [*untold, "–", "–"]
    assert _row(page, "2026-W47", after="waits")[:3] == ["7", "10 min", "10 min"]
    assert _row(page, "2026-W45", after="waits")[:3] == ["0", "–", "–"]
    for words in ("Wait for a person", "Reply of the assistant"):
        found = [line.split(";") for line in file.splitlines() if f";{words};counted;" in line]
        assert [(line[0], line[-1]) for line in found] == [
            ("2026-W45", "0"),
            ("2026-W46", "hidden"),
            ("2026-W47", "7"),
            ("2026-W48", "hidden"),
        ]


async def test_languages_are_shown_by_week_and_none_can_be_worked_out_from_the_others(
    client: httpx.AsyncClient, services: Services
):
    now = services.clock.now()
    for language, weeks_ago, count in (("en", 0, 7), ("fr", 0, 6), ("en", 1, 7), ("fr", 1, 6), ("uk", 1, 2)):
        for number in range(count):
            talk(services.database, now - timedelta(days=7 * weeks_ago, minutes=number), language=language)
    sit_down(client, services)
    page = (await client.get("/staff/radar?show=weeks&weeks=4")).text
    file = (await client.get("/staff/radar/weeks.csv?weeks=4")).text

    hidden = '<span class="soft">hidden</span>'
    assert _row(page, "2026-W48", after="languages") == ["7", "6"]
    assert _row(page, "2026-W47", after="languages") == ["7", hidden]
    assert _row(page, "2026-W46", after="languages") == ["0", "0"]
    assert [line for line in file.splitlines() if line.startswith("2026-W47;2026-11-16;Languages")] == [
        f"2026-W47;2026-11-16;Languages;{name};{count}"
        for name, count in (("English", "7"), ("French", "hidden"), ("Ukrainian", "hidden"))
    ]


def _row(page: str, week: str, *, after: str) -> list[str]:
    """The cells of a week in the table of a section; [] where it has no line."""
    section = page.partition(f'<h2 id="{after}">')[2].partition("</section>")[0]
    line = section.partition(f'<th scope="row">{week}')[2].partition("</tr>")[0]
    return re.findall(r'<td class="number">(.*?)</td>', line)


async def test_both_tables_are_downloaded_as_a_csv_that_a_spreadsheet_reads(
    client: httpx.AsyncClient, services: Services
):
    arrive(services, 7, "L", campus="lille", **OVERDUE)
    arrive(services, 2, "B", campus="bordeaux", **OVERDUE)
    for number in range(6):
        talk(services.database, services.clock.now() - timedelta(minutes=number))
    sit_down(client, services, Role.AUDITOR)
    stuck = await client.get("/staff/radar/stuck.csv", params={"by": "campus"})
    weeks = await client.get("/staff/radar/weeks.csv", params={"weeks": "4"})

    assert stuck.headers["Content-Disposition"] == 'attachment; filename="stuck.csv"'
    assert stuck.text == ("\N{ZERO WIDTH NO-BREAK SPACE}Step;Stuck;Bordeaux;Lille\r\nDo cvec;9;hidden;hidden\r\n")
    assert "2026-W48;2026-11-23;Conversations;answered by the assistant alone;6\r\n" in weeks.text
    assert "2026-W48;2026-11-23;Languages;English;6\r\n" in weeks.text
    assert "2026-W48;2026-11-23;Satisfaction;in all;0\r\n" in weeks.text
    assert (await client.get("/staff/radar/stuck.csv", params={"by": "name"})).status_code == 422
    assert exports_in_log(services) == ["stuck.csv", "weeks.csv"]


def exports_in_log(services: Services) -> list[str]:
    """The names of the files that were taken away."""
    with services.database.read() as session:
        wanted = select(AuditEntry.details).where(AuditEntry.action == "file_exported")
        return [details["file"] for details in session.scalars(wanted.order_by(AuditEntry.id))]


@pytest.mark.parametrize("name", ["stuck.csv", "weeks.csv", "report.pdf"])
async def test_files_are_for_the_roles_of_the_page(client: httpx.AsyncClient, services: Services, name: str):
    sit_down(client, services, Role.ADVISER)

    assert (await client.get(f"/staff/radar/{name}")).status_code == 403


async def test_the_report_is_a_pdf_for_the_roles_of_the_page(client: httpx.AsyncClient, services: Services):
    sit_down(client, services, Role.AUDITOR)
    page = await client.get("/staff/radar?show=report")
    asked = {"first": "2026-09-01", "last": "2026-11-24", "written_in": "fr"}
    response = await client.get("/staff/radar/report.pdf", params=asked)

    assert 'name="first" value="2026-09-01" max="2026-11-24"' in page.text
    assert response.content.startswith(b"%PDF-")
    assert response.headers["Content-Type"] == "application/pdf"
    assert "accueil-2026-09-01-2026-11-24-fr.pdf" in response.headers["Content-Disposition"]
    assert exports_in_log(services) == ["accueil-2026-09-01-2026-11-24-fr.pdf"]


@pytest.mark.parametrize(
    ("first", "last", "fault"),
    [
        ("2026-09-01", "2026-11-25", "Write the last day of the period: today at the latest."),
        ("2026-11-24", "2026-09-01", "Write the first day of the period"),
        ("2011-11-24", "2026-09-01", "Write the first day of the period"),
        ("soon", "2026-09-01", "Write the first day of the period"),
    ],
)
async def test_a_period_that_is_wrong_gives_no_report(
    client: httpx.AsyncClient, services: Services, first: str, last: str, fault: str
):
    sit_down(client, services)
    response = await client.get("/staff/radar/report.pdf", params={"first": first, "last": last})

    assert (response.status_code, fault in response.text, exports_in_log(services)) == (422, True, [])
