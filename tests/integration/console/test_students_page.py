"""The school's file through the console: sent, shown, confirmed; and what students ask to be corrected."""

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from bot.bootstrap import Services
from bot.clock import FixedClock
from bot.console.pages.students.routes import MOST_UPLOAD, UPLOAD_PATH
from bot.console.pages.students.uploads import FOLDER, LASTS, drop_old_uploads
from bot.db.session import Database
from bot.gateway.middleware import BodyLimit
from bot.identity.models import AuditEntry, Role, Staff
from bot.students.files import MOST_BYTES
from bot.students.models import FactChange, FactRequest, Origin, Student
from bot.students.requests import ask_correction
from bot.students.service import set_facts
from tests.factories import make_conversation, make_staff, make_student, transcript
from tests.integration.console.desk import browser, desk_app, desk_services, enter, hidden, new_app

PAGE = "/staff/students"
FILE = """source_id;email;prénom;nom;campus
J1;amina@student.junia.com;Amina;Test;Bordeaux
J2;jonas@student.junia.com;Jonas;Halb;Lille
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


@pytest.fixture
def amina(services: Services) -> Student:
    with services.database.write() as session:
        student = make_student(session, services.clock.now(), campus="lille")
        student.source_id = "J1"
        return student


def uploads(services: Services) -> list[Path]:
    return sorted((services.settings.data / FOLDER).glob("*"))


async def send(client: httpx.AsyncClient, content: str | bytes = FILE, **fields: str) -> httpx.Response:
    """Sends a file and follows to its preview."""
    response = await client.post(UPLOAD_PATH, files={"file": ("students.csv", content)}, data=fields)
    return await client.get(response.headers["Location"]) if response.status_code == 303 else response


async def press(client: httpx.AsyncClient, preview: httpx.Response, action: str) -> httpx.Response:
    fields = {name: hidden(preview, name) for name in ("name", "digest") if f'name="{name}"' in preview.text}
    return await client.post(f"{PAGE}/{action}", data=fields)


def figures(page: httpx.Response) -> list[tuple[str, int]]:
    return [(title, int(count)) for title, count in re.findall(r"<dt>([^<]*)</dt><dd>(\d+)</dd>", page.text)]


def rows(page: httpx.Response, section: str) -> list[list[str]]:
    part = page.text.partition(f'<section aria-labelledby="{section}">')[2].partition("</section>")[0]
    body = part.partition("<tbody>")[2]
    return [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)]


async def test_a_file_is_shown_and_then_imported(
    client: httpx.AsyncClient, services: Services, nadia: Staff, amina: Student
):
    preview = await send(client)

    assert preview.status_code == 200
    assert figures(preview) == [
        ("New", 1),
        ("Changed", 1),
        ("Unchanged", 0),
        ("Left", 0),
        ("Erased, not imported", 0),
        ("Rows with faults", 0),
    ]
    assert rows(preview, "changes") == [["Amina Test", "Campus", "Lille", "Bordeaux"]]
    assert rows(preview, "new") == [["3", "Jonas Halb", "jonas@student.junia.com"]]
    with services.database.read() as session:
        assert session.get_one(Student, amina.id).facts == {"campus": "lille"}

    done = await press(client, preview, "confirm")

    assert (done.status_code, done.headers["Location"]) == (303, f"{PAGE}?done=imported")
    assert "The import is done." in (await client.get(done.headers["Location"])).text
    assert uploads(services) == []
    with services.database.read() as session:
        found = session.scalars(select(Student).order_by(Student.id)).all()
        assert [(each.given_name, each.facts) for each in found] == [
            ("Amina", {"campus": "bordeaux"}),
            ("Jonas", {"campus": "lille"}),
        ]
        assert [(row.origin, row.staff_id) for row in session.scalars(select(FactChange))] == [
            (Origin.SCHOOL, nadia.id)
        ]
        assert session.scalars(select(AuditEntry.staff_id).where(AuditEntry.action == "students_imported")).all() == [
            nadia.id
        ]


async def test_a_file_with_faults_is_shown_and_cannot_be_confirmed(
    client: httpx.AsyncClient, services: Services, nadia: Staff, amina: Student
):
    preview = await send(client, FILE.replace("Bordeaux", "Paris"))

    assert rows(preview, "faults") == [
        [
            "2",
            "Campus",
            "Paris",
            "This is none of the values of this column.",
            "Write one of lille, bordeaux, chateauroux; the data dictionary has the words for them.",
        ]
    ]
    assert "Import these changes" not in preview.text
    name = hidden(preview, "name")
    refused = await client.post(f"{PAGE}/confirm", data={"name": name, "digest": "x"})
    assert refused.status_code == 422
    with services.database.read() as session:
        assert session.scalars(select(Student.given_name)).all() == ["Amina"]


async def test_records_that_changed_meanwhile_are_shown_again(
    client: httpx.AsyncClient, services: Services, nadia: Staff, amina: Student, now: datetime
):
    preview = await send(client)
    with services.database.write() as session:
        set_facts(session, session.get_one(Student, amina.id), {"campus": "bordeaux"}, Origin.STAFF, now, nadia.id)
    again = await press(client, preview, "confirm")

    assert again.status_code == 409
    assert "The records changed since this preview was made" in again.text
    assert figures(again)[:3] == [("New", 1), ("Changed", 0), ("Unchanged", 1)]
    with services.database.read() as session:
        assert session.scalars(select(Student.given_name)).all() == ["Amina"]
    assert (await press(client, again, "confirm")).headers["Location"] == f"{PAGE}?done=imported"


async def test_a_confirmation_that_is_sent_twice_imports_once(
    client: httpx.AsyncClient, services: Services, nadia: Staff, amina: Student
):
    preview = await send(client)
    await press(client, preview, "confirm")
    second = await press(client, preview, "confirm")

    assert second.headers["Location"] == f"{PAGE}?done=gone"
    with services.database.read() as session:
        assert len(session.scalars(select(Student)).all()) == 2


async def test_a_file_is_forgotten_after_half_an_hour(
    client: httpx.AsyncClient, services: Services, clock: FixedClock, nadia: Staff
):
    preview = await send(client)
    # In two steps: a session ends after half an hour as well.
    clock.instant += LASTS / 2
    assert "What the file would change" in (await client.get(str(preview.url))).text
    clock.instant += LASTS / 2 + timedelta(seconds=1)

    assert (await press(client, preview, "confirm")).headers["Location"] == f"{PAGE}?done=gone"
    (kept,) = uploads(services)
    written = datetime.fromtimestamp(kept.stat().st_mtime, clock.now().tzinfo)
    drop_old_uploads(services.settings.data, written + LASTS - timedelta(seconds=1))
    assert uploads(services) == [kept]
    drop_old_uploads(services.settings.data, written + LASTS + timedelta(seconds=1))
    assert uploads(services) == []


async def test_only_who_sent_a_file_sees_it(
    client: httpx.AsyncClient, app: FastAPI, services: Services, nadia: Staff, amina: Student
):
    preview = await send(client)
    with services.database.write() as session:
        marc = make_staff(session, services.clock.now(), "Marc", Role.ADMIN)
    async with browser(app) as other:
        enter(other, services, marc)
        for action in ("confirm", "report", "discard"):
            assert (await press(other, preview, action)).headers["Location"] == f"{PAGE}?done=gone"
        seen = await other.get(PAGE, params={"import": hidden(preview, "name")})

    assert "This file is no longer here." in seen.text
    assert [file.stat().st_mode & 0o777 for file in uploads(services)] == [0o600]


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "a" * 32, "é" * 32])
async def test_a_name_that_is_none_opens_nothing(client: httpx.AsyncClient, nadia: Staff, name: str):
    assert (await client.post(f"{PAGE}/confirm", data={"name": name})).headers["Location"] == f"{PAGE}?done=gone"


async def test_a_discarded_file_is_deleted(client: httpx.AsyncClient, services: Services, nadia: Staff):
    preview = await send(client)

    assert (await press(client, preview, "discard")).headers["Location"] == f"{PAGE}?done=discarded"
    assert uploads(services) == []


async def test_the_report_is_a_harmless_spreadsheet(client: httpx.AsyncClient, nadia: Staff, amina: Student):
    preview = await send(client, FILE.replace("Amina;Test", "=cmd;Test"))
    report = await press(client, preview, "report")

    assert report.headers["Content-Disposition"] == 'attachment; filename="import-report.csv"'
    assert report.content.decode("utf-8-sig").splitlines()[1] == "2;changed;'=cmd Test;given_name;Amina;'=cmd;;"


async def test_leavers_are_marked_when_the_box_is_ticked(
    client: httpx.AsyncClient, services: Services, nadia: Staff, amina: Student
):
    without = "\n".join(line for line in FILE.splitlines() if not line.startswith("J1"))
    assert figures(await send(client, without))[3] == ("Left", 0)
    preview = await send(client, without, complete="yes")

    assert figures(preview)[3] == ("Left", 1)
    done = await press(client, preview, "confirm")
    page = await client.get(done.headers["Location"])
    assert rows(page, "leavers") == [
        ['Amina Test<br><span class="soft">amina@student.junia.com</span>', "J1", "24 November 2026"]
    ]


async def test_a_mapping_file_is_used_and_a_wrong_one_refused(client: httpx.AsyncClient, nadia: Staff):
    files = {"file": ("s.csv", FILE.replace("campus", "Ort")), "mapping": ("map.yml", "campus: Ort")}
    response = await client.post(UPLOAD_PATH, files=files)
    preview = await client.get(response.headers["Location"])
    wrong = await client.post(UPLOAD_PATH, files=files | {"mapping": ("map.yml", "campsu: Ort")})

    assert figures(preview)[0] == ("New", 2)
    assert wrong.status_code == 422
    assert "The mapping file names the column campsu, which does not exist. Did you mean campus?" in wrong.text


async def test_a_form_without_a_file_or_with_a_large_one_is_refused_on_the_page(
    client: httpx.AsyncClient, services: Services, nadia: Staff
):
    empty = await client.post(UPLOAD_PATH, data={"complete": "yes"})
    large = await send(client, b"x" * (MOST_BYTES + 1))

    assert (empty.status_code, large.status_code) == (422, 422)
    assert "Choose a file first." in empty.text
    assert "The file is larger than 20 MB." in large.text
    assert uploads(services) == []


async def test_only_the_upload_may_have_a_large_body(services: Services):
    with services.database.write() as session:
        coordinator = make_staff(session, services.clock.now(), "Nadia", Role.COORDINATOR)
    app = desk_app(services, new_app())
    app.add_middleware(BodyLimit, most_bytes=64 * 1024, larger={UPLOAD_PATH: MOST_UPLOAD})
    large = FILE + "\n".join(f"K{n};k{n}@student.junia.com;K;Test;Lille" for n in range(5000))

    async with browser(app) as client:
        enter(client, services, coordinator)
        assert figures(await send(client, large))[0] == ("New", 5002)
        assert (await client.post(f"{PAGE}/confirm", data={"name": "x" * 100_000})).status_code == 413
        assert (await client.post(UPLOAD_PATH, content=b"x" * (MOST_UPLOAD + 1))).status_code == 413


async def test_an_accepted_request_changes_the_record_and_the_student_hears_of_it(
    client: httpx.AsyncClient, services: Services, nadia: Staff, amina: Student, now: datetime
):
    with services.database.write() as session:
        student = session.get_one(Student, amina.id)
        conversation = make_conversation(session, now)
        conversation.student_id = student.id
        request, _ = ask_correction(session, student, "birth_date", "2004-05-13", now)
    page = await client.get(PAGE)
    (row,) = rows(page, "requests")
    accepted = await client.post(f"{PAGE}/request", data={"request_id": request.id, "decision": "accept"})
    again = await client.post(f"{PAGE}/request", data={"request_id": request.id, "decision": "refuse"})

    assert row[1:4] == ["Date of birth", "–", "13 May 2004"]
    assert accepted.headers["Location"] == f"{PAGE}?done=accepted"
    assert again.headers["Location"] == f"{PAGE}?done=decided"
    with services.database.read() as session:
        assert session.get_one(Student, amina.id).facts["birth_date"] == "2004-05-13"
        assert [(each.origin, each.staff_id) for each in session.scalars(select(FactChange))] == [
            (Origin.STAFF, nadia.id)
        ]
        assert session.get_one(FactRequest, request.id).state == "accepted"
        assert "13 May 2004" in transcript(session, conversation.id)[-1][1]
    assert rows(await client.get(PAGE), "requests") == []


async def test_a_refused_request_leaves_the_record(
    client: httpx.AsyncClient, services: Services, nadia: Staff, amina: Student, now: datetime
):
    with services.database.write() as session:
        request, _ = ask_correction(session, session.get_one(Student, amina.id), "campus", "bordeaux", now)
    refused = await client.post(f"{PAGE}/request", data={"request_id": request.id, "decision": "refuse"})

    assert refused.headers["Location"] == f"{PAGE}?done=refused"
    with services.database.read() as session:
        assert session.get_one(Student, amina.id).facts == {"campus": "lille"}
        assert session.get_one(FactRequest, request.id).state == "refused"


async def test_a_request_that_no_longer_fits_the_record_says_why_and_stays_open(
    client: httpx.AsyncClient, services: Services, nadia: Staff, amina: Student, now: datetime
):
    with services.database.write() as session:
        student = session.get_one(Student, amina.id)
        request, _ = ask_correction(session, student, "programme_end", "2026-12-18", now)
        set_facts(session, student, {"programme_start": "2027-01-11"}, Origin.SCHOOL, now)
    answer = await client.post(f"{PAGE}/request", data={"request_id": request.id, "decision": "accept"})

    assert answer.status_code == 422
    assert "programme_end: 2026-12-18 lies before programme_start, 2027-01-11" in answer.text
    with services.database.read() as session:
        assert session.get_one(FactRequest, request.id).state == "open"


async def test_a_request_that_does_not_exist_is_not_found(client: httpx.AsyncClient, nadia: Staff):
    answer = await client.post(f"{PAGE}/request", data={"request_id": 1, "decision": "accept"})

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("role", [Role.ADVISER, Role.EDITOR, Role.AUDITOR])
async def test_other_roles_neither_send_nor_decide(client: httpx.AsyncClient, services: Services, role: Role):
    with services.database.write() as session:
        staff = make_staff(session, services.clock.now(), "Noa", role)
    enter(client, services, staff)

    assert (await send(client)).status_code == 403
    assert (await client.post(f"{PAGE}/request", data={"request_id": 1, "decision": "accept"})).status_code == 403
    assert uploads(services) == []
