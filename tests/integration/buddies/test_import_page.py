"""A list of local students through the console: sent, shown, confirmed."""

import html
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from bot.bootstrap import Services
from bot.clock import FixedClock
from bot.console.pages.buddies.upload import IMPORT_PATH, NOTICES, PAGE
from bot.console.pages.students.uploads import FOLDER, LASTS
from bot.db.session import Database
from bot.identity.models import AuditEntry, Role, Staff
from bot.students.files import MOST_BYTES
from bot.students.models import Student
from tests.factories import make_staff, make_student
from tests.integration.console.desk import browser, desk_app, desk_services, enter, hidden

FILE = """email;prénom;nom;campus;langues;centres d'intérêt;même genre;sexe;consentement
lise@student.junia.com;Lise;Carlier;Lille;fr|en;sport|piano;oui;femme;01/09/2026
"""


@pytest.fixture
def services(database: Database, clock: FixedClock, tmp_path: Path) -> Services:
    return desk_services(database, clock, data=tmp_path)


@pytest.fixture
def app(services: Services) -> FastAPI:
    return desk_app(services)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(app) as client:
        yield client


@pytest.fixture
def nadia(services: Services, client: httpx.AsyncClient) -> Staff:
    with services.database.write() as session:
        staff = make_staff(session, services.clock.now(), "Nadia", Role.COORDINATOR)
    enter(client, services, staff)
    return staff


async def send(client: httpx.AsyncClient, content: str | bytes = FILE) -> httpx.Response:
    """Sends a file and follows to its preview."""
    response = await client.post(IMPORT_PATH, files={"file": ("buddies.csv", content)})
    return await client.get(response.headers["Location"]) if response.status_code == 303 else response


async def press(client: httpx.AsyncClient, sent: httpx.Response, action: str) -> httpx.Response:
    fields = {name: hidden(sent, name) for name in ("name", "digest") if f'name="{name}"' in sent.text}
    return await client.post(f"{IMPORT_PATH}/{action}", data=fields)


def rows(page: httpx.Response, section: str) -> list[list[str]]:
    part = page.text.partition(f'<section aria-labelledby="{section}">')[2].partition("</section>")[0]
    body = html.unescape(part.partition("<tbody>")[2])
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)]


def figures(page: httpx.Response) -> dict[str, int]:
    return {title: int(count) for title, count in re.findall(r"<dt>([^<]*)</dt><dd>(\d+)</dd>", page.text)}


def people(services: Services) -> list[tuple[str, bool, str]]:
    with services.database.read() as session:
        found = session.scalars(select(Student).order_by(Student.id))
        return [(each.given_name, each.is_local, each.language) for each in found]


def uploads(services: Services) -> list[Path]:
    return sorted((services.settings.data / FOLDER).glob("*"))


async def test_the_preview_asks_of_each_row_whether_it_is_a_second_person(
    client: httpx.AsyncClient, services: Services, nadia: Staff
):
    await press(client, await send(client), "confirm")
    sent = await send(client, FILE.replace("lise@", "lise.carlier@"))

    assert rows(sent, "doubts") == [
        [
            "2",
            "School mailbox",
            "lise.carlier@student.junia.com",
            "Same name as lise@student.junia.com: a second person?",
            "If it is one person with a new address, write lise@student.junia.com in the column former_email.",
        ]
    ]
    assert people(services) == [("Lise", True, "en")]
    report = await press(client, sent, "report")
    noted = "2;note;;email;lise.carlier@student.junia.com;;Same name as lise@student.junia.com: a second person?"
    assert noted in report.text


async def test_a_list_is_shown_and_then_imported(client: httpx.AsyncClient, services: Services, nadia: Staff):
    sent = await send(client)

    assert (sent.status_code, people(services)) == (200, [])
    assert figures(sent) == {
        "New": 1,
        "Changed": 0,
        "Unchanged": 0,
        "Erased, not imported": 0,
        "Rows with faults": 0,
    }
    assert rows(sent, "new") == [["2", "Lise Carlier", "lise@student.junia.com"]]

    done = await press(client, sent, "confirm")

    assert (done.status_code, done.headers["Location"]) == (303, f"{PAGE}?done=file_imported")
    assert people(services) == [("Lise", True, "en")]
    assert uploads(services) == []
    with services.database.read() as session:
        assert session.scalars(select(AuditEntry.staff_id).where(AuditEntry.action == "buddies_imported")).all() == [
            nadia.id
        ]


async def test_what_would_change_is_shown_in_words(client: httpx.AsyncClient, nadia: Staff):
    await press(client, await send(client), "confirm")
    changed = FILE.replace("fr|en", "fr|es").replace("sport|piano", "hiking").replace("oui", "non")
    sent = await send(client, changed)

    assert rows(sent, "changes") == [
        ["Lise Carlier", "Languages", "French, English", "French, Spanish"],
        ["Lise Carlier", "Interests", "sport", "hiking"],
        ["Lise Carlier", "Interests in own words", "piano", "–"],
        ["Lise Carlier", "Wants the same gender", "Yes", "No"],
    ]


async def test_what_stays_is_shown_with_its_day(client: httpx.AsyncClient, nadia: Staff):
    await press(client, await send(client), "confirm")
    older = FILE.replace("01/09/2026", "31/08/2026").replace("Lille", "Bordeaux").replace("femme", "autre")
    sent = await send(client, older)

    assert rows(sent, "kept") == [
        ["Lise Carlier", "Campus", "Bordeaux", "1 September 2026"],
        ["Lise Carlier", "Gender", "Neither", "1 September 2026"],
    ]
    assert f'action="{IMPORT_PATH}/confirm"' not in sent.text


async def test_faults_are_shown_and_cannot_be_confirmed(client: httpx.AsyncClient, services: Services, nadia: Staff):
    sent = await send(client, FILE.replace("Lille", "Paris").replace("01/09/2026", ""))

    assert rows(sent, "faults") == [
        [
            "2",
            "Campus",
            "Paris",
            "This is none of the values of this column.",
            "Write one of lille, bordeaux, chateauroux; the data dictionary has the words for them.",
        ],
        [
            "2",
            "Agreed on",
            "",
            "Nobody is matched without having agreed to it.",
            "Write the day on which the person agreed, or take the row out.",
        ],
    ]
    assert f'action="{IMPORT_PATH}/confirm"' not in sent.text
    assert (await press(client, sent, "confirm")).status_code == 422
    assert people(services) == []


async def test_a_file_that_means_something_else_by_now_is_shown_again(
    client: httpx.AsyncClient, services: Services, nadia: Staff
):
    sent = await send(client)
    with services.database.write() as session:
        make_student(session, services.clock.now(), "Lise").is_local = True
    again = await press(client, sent, "confirm")

    assert again.status_code == 409
    assert "nothing was imported" in again.text
    assert (await press(client, again, "confirm")).headers["Location"] == f"{PAGE}?done=file_imported"


@pytest.mark.parametrize("action", ["confirm", "discard", "report"])
async def test_a_file_waits_half_an_hour_for_whoever_sent_it(
    client: httpx.AsyncClient, app: FastAPI, services: Services, nadia: Staff, clock: FixedClock, action: str
):
    sent = await send(client)
    with services.database.write() as session:
        other_coordinator = make_staff(session, services.clock.now(), "Omar", Role.COORDINATOR)
    async with browser(app) as other:
        enter(other, services, other_coordinator)
        assert (await press(other, sent, action)).headers["Location"] == f"{PAGE}?done=file_gone"
        seen = await other.get(PAGE, params={"import": hidden(sent, "name")})
        assert (seen.status_code, seen.headers["Location"]) == (303, f"{PAGE}?done=file_gone")
    # In two steps: a session ends after half an hour as well.
    clock.instant += LASTS / 2
    assert (await client.get(str(sent.url))).status_code == 200
    clock.instant += LASTS / 2 + timedelta(seconds=1)

    assert (await press(client, sent, action)).headers["Location"] == f"{PAGE}?done=file_gone"


async def test_a_file_can_be_deleted_unread(client: httpx.AsyncClient, services: Services, nadia: Staff):
    done = await press(client, await send(client), "discard")

    assert (done.headers["Location"], uploads(services), people(services)) == (f"{PAGE}?done=file_deleted", [], [])


async def test_the_report_is_a_spreadsheet(client: httpx.AsyncClient, nadia: Staff):
    report = await press(client, await send(client), "report")

    assert report.headers["Content-Disposition"] == 'attachment; filename="import-report.csv"'
    assert report.text.splitlines()[1:] == ["2;new;Lise Carlier;email;;lise@student.junia.com;;"]


@pytest.mark.parametrize(
    ("content", "fault"), [(None, "Choose a file first."), (b"x" * (MOST_BYTES + 1), "The file is larger than 20 MB.")]
)
async def test_no_file_or_one_too_large_is_answered_by_the_form(
    client: httpx.AsyncClient, nadia: Staff, content: bytes | None, fault: str
):
    response = await send(client, content) if content is not None else await client.post(IMPORT_PATH)

    assert response.status_code == 422
    assert f'<span class="fault">{fault}</span>' in response.text


async def test_the_form_leads_to_a_preview_and_every_end_has_a_notice(client: httpx.AsyncClient, nadia: Staff):
    page = await client.get(PAGE)

    assert f'action="{IMPORT_PATH}" enctype="multipart/form-data"' in page.text
    assert sorted(NOTICES) == ["file_deleted", "file_gone", "file_imported"]
