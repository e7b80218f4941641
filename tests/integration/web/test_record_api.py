"""The student's path and calendar over HTTP."""

import json
import logging
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import icalendar
import pytest
import vobject
from sqlalchemy import select

from bot.bookings.models import Booking, BookingState, Meeting, Offer, OfferKind
from bot.bootstrap import Services, build_services
from bot.calendars.service import MOST_FEEDS
from bot.channels.web import record_api
from bot.config import Settings
from bot.conversations.live import Live
from bot.conversations.models import Conversation
from bot.conversations.service import hash_token
from bot.errors import Unavailable
from bot.gateway import problems
from bot.identity.models import AccessToken
from bot.paperwork.models import StepDone
from bot.students.models import Student
from tests.factories import make_student

ARRIVED = {
    "nationality": ["MA"],
    "programme_type": "degree",
    "document_held": "vls_ts",
    "visa_start": "2026-09-01",
    "visa_expiry": "2027-08-31",
    "date_of_entry": "2026-09-12",
    "date_of_entry_kind": "real",
}
STEP = {
    "slug", "title", "status", "due", "opens", "overdue", "provisional", "flags", "because", "missing_facts", "source",
    "do", "late", "needs", "where", "done_on", "note",
}  # fmt: skip


@pytest.fixture(scope="module")
def content(tmp_path_factory) -> Services:
    """Read once: these tests change nothing of it."""
    return build_services(Settings(data=tmp_path_factory.mktemp("data"), database_url="", _env_file=None))


@pytest.fixture
def services(content, database, clock) -> Services:
    """On a fixed day: steps depend on it."""
    settings = content.settings.model_copy(update={"allowed_origins": "https://www.junia.example"})
    return replace(content, settings=settings, database=database, clock=clock, live=Live(database, clock))


class Visitor:
    """A conversation over HTTP, linked when told."""

    def __init__(self, client, database, now) -> None:
        opened = client.post("/api/v1/conversations", json={"language": "en"}).json()
        self.client, self.database, self.now = client, database, now
        self.id, self.token = opened["conversation_id"], opened["token"]

    def link(self, **facts) -> int:
        with self.database.write() as session:
            student = make_student(session, self.now, **(facts or ARRIVED))
            session.get_one(Conversation, UUID(self.id)).student_id = student.id
            return student.id

    def ask(self, method: str, path: str, **given):
        headers = {"Authorization": f"Bearer {self.token}", **given.pop("headers", {})}
        return self.client.request(method, f"/api/v1/conversations/{self.id}/{path}", headers=headers, **given)

    def step(self, slug: str) -> dict:
        return next(step for step in self.ask("GET", "path").json()["steps"] if step["slug"] == slug)

    def mark(self, slug: str, **body):
        return self.ask("PUT", f"path/{slug}", json=body)

    def feed(self) -> str:
        url = self.ask("POST", "calendar").json()["url"]
        return url.removeprefix("http://127.0.0.1:8000")


@pytest.fixture
def student(client, database, now) -> Visitor:
    return Visitor(client, database, now)


def events(body: bytes) -> dict[str, icalendar.Event]:
    return {str(each["summary"]): each for each in icalendar.Calendar.from_ical(body).walk("VEVENT")}


def test_the_path_has_every_step_with_everything_a_list_shows(student, services):
    student.link()

    shown = student.ask("GET", "path").json()

    assert shown["today"] == "2026-11-24"
    assert {step["slug"] for step in shown["steps"]} == {each.slug for each in services.procedures}
    assert {frozenset(step) for step in shown["steps"]} == {frozenset(STEP)}
    assert "{{" not in json.dumps(shown)
    visa = student.step("validate_visa")
    assert (visa["status"], visa["due"], visa["overdue"], visa["done_on"]) == ("open", "2026-12-12", False, None)
    assert visa["where"] == {
        "title": "ANEF site",
        "url": "https://administration-etrangers-en-france.interieur.gouv.fr/",
    }
    assert "a valid e-mail address" in visa["needs"]
    assert (visa["note"], student.step("health_registration")["note"]) == (
        None,
        "The 30 days are our own advice; no legal date was found.",
    )


def test_the_path_is_in_the_language_of_the_conversation(student, client):
    student.link()
    headers = {"Authorization": f"Bearer {student.token}"}
    client.patch(f"/api/v1/conversations/{student.id}", json={"language": "fr"}, headers=headers)

    assert student.step("validate_visa")["title"] == "Valider votre visa"


def test_a_step_is_done_keeps_its_first_day_and_is_undone(student):
    student.link()

    first = student.mark("validate_visa", done=True, on="2026-10-02")
    second = student.mark("validate_visa", done=True)

    assert (first.status_code, second.status_code) == (200, 200)
    step = next(each for each in second.json()["steps"] if each["slug"] == "validate_visa")
    assert (step["status"], step["done_on"]) == ("done", "2026-10-02")
    student.mark("validate_visa", done=False)
    again = student.mark("validate_visa", done=False)
    assert (again.status_code, student.step("validate_visa")["done_on"]) == (200, None)


def test_without_a_day_it_was_done_today(student):
    student.link()

    student.mark("lease", done=True)

    assert student.step("lease")["done_on"] == "2026-11-24"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"done": True, "on": "2026-11-25"}, "on"),
        ({"done": True, "on": "2026-02-30"}, "on"),
        ({"done": True, "on": 0}, "on"),
        ({"done": "yes"}, "done"),
        ({"on": "2026-11-20"}, "done"),
        ({"done": True, "when": "2026-11-20"}, "when"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_its_field_and_nothing_is_written(student, database, body, field):
    student.link()

    refused = student.mark("validate_visa", **body)

    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_field")
    assert [error["field"] for error in refused.json()["errors"]] == [field]
    with database.read() as session:
        assert session.scalars(select(StepDone)).all() == []


def test_a_step_that_does_not_exist_is_404(student):
    student.link()

    assert student.mark("fly_to_the_moon", done=True).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "path", None),
        ("PUT", "path/validate_visa", {"done": True}),
        ("POST", "calendar", None),
        ("DELETE", "calendar", None),
    ],
)
def test_each_needs_the_token_and_a_linked_record(student, client, database, now, method, path, body):
    address = f"/api/v1/conversations/{student.id}/{path}"
    other = Visitor(client, database, now)

    unlinked = student.ask(method, path, json=body)
    without = client.request(method, address, json=body)
    foreign = client.request(method, address, json=body, headers={"Authorization": f"Bearer {other.token}"})

    assert [each.status_code for each in (unlinked, without, foreign)] == [409, 401, 404]
    assert [each.json()["code"] for each in (unlinked, without, foreign)] == [
        "not_linked",
        "not_signed_in",
        "not_found",
    ]


def test_a_page_that_embeds_the_widget_may_use_them(client):
    allowed = client.options(
        "/api/v1/conversations/x/path/cvec",
        headers={"Origin": "https://www.junia.example", "Access-Control-Request-Method": "PUT"},
    )

    assert allowed.headers["access-control-allow-methods"] == "GET, POST, PUT, PATCH, DELETE"


def test_a_calendar_is_read_by_two_parsers_and_is_private(student, client):
    student.link()

    response = client.get(student.feed())

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/calendar; charset=utf-8"
    assert response.headers["cache-control"] == "private, no-cache"
    visa = events(response.content)["Validate your visa"]
    assert (visa.start, visa.end, str(visa["status"])) == (date(2026, 12, 12), date(2026, 12, 13), "CONFIRMED")
    read = vobject.readOne(response.text)
    assert {event.summary.value for event in read.vevent_list} == set(events(response.content))
    assert "{{" not in response.text


def test_done_and_not_needed_steps_leave_and_come_back_with_the_same_uid(student, client):
    student.link()
    feed = student.feed()
    before = events(client.get(feed).content)

    student.mark("validate_visa", done=True)
    during = events(client.get(feed).content)
    student.mark("validate_visa", done=False)
    after = events(client.get(feed).content)

    assert set(before) - set(during) == {"Validate your visa"}
    assert str(after["Validate your visa"]["uid"]) == str(before["Validate your visa"]["uid"])
    assert "Ask for your residence certificate" not in before


def test_a_fact_that_changes_moves_the_event_its_sequence_and_the_etag(student, client, database, clock):
    student_id = student.link(**{**ARRIVED, "date_of_entry": "2027-01-10", "date_of_entry_kind": "planned"})
    feed = student.feed()
    first = client.get(feed)
    clock.instant += timedelta(minutes=5)
    with database.write() as session:
        record = session.get_one(Student, student_id)
        record.facts = {**record.facts, "date_of_entry": "2027-01-17", "date_of_entry_kind": "real"}
        record.updated_at = clock.now()

    second = client.get(feed, headers={"If-None-Match": first.headers["etag"]})

    old, new = (events(each.content)["Validate your visa"] for each in (first, second))
    assert (second.status_code, first.headers["etag"] == second.headers["etag"]) == (200, False)
    assert (str(old["status"]), str(new["status"])) == ("TENTATIVE", "CONFIRMED")
    assert "This date is provisional: it moves with your day of arrival." in str(old["description"])
    assert (old.start, new.start) == (date(2027, 4, 10), date(2027, 4, 17))
    assert (str(old["uid"]), new["sequence"] - old["sequence"]) == (str(new["uid"]), 300)
    assert new["last-modified"].dt == clock.now()


def test_as_long_as_nothing_changes_the_answer_is_not_modified_also_on_another_day(student, client, clock):
    student.link()
    feed = student.feed()
    etag = client.get(feed).headers["etag"]
    clock.instant += timedelta(hours=5)

    same = client.get(feed, headers={"If-None-Match": f'"other", W/{etag}'})

    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)


def test_what_is_booked_is_there_at_its_time_and_cancelled_things_are_not(student, client, database, now):
    student_id = student.link()
    feed = student.feed()
    starts = datetime(2026, 12, 1, 17, 0, tzinfo=UTC)
    with database.write() as session:
        for code, state, cancelled_at in [
            ("kept", BookingState.BOOKED, None),
            ("waiting", BookingState.WAITING, None),
            ("given_up", BookingState.CANCELLED, None),
            ("called_off", BookingState.BOOKED, now),
        ]:
            offer = Offer(
                kind=OfferKind.EVENT,
                code=code,
                title={"en": code},
                is_demo=code == "kept",
                cancelled_at=cancelled_at,
                created_at=now,
                updated_at=now,
                meetings=[Meeting(starts_at=starts, ends_at=starts + timedelta(hours=1))],
            )
            session.add(offer)
            session.flush()
            session.add(Booking(offer_id=offer.id, student_id=student_id, state=state, created_at=now, changed_at=now))

    found = events(client.get(feed).content)

    assert {"kept", "waiting", "given_up", "called_off"} & set(found) == {"kept"}
    assert (found["kept"].start, found["kept"].end) == (starts, starts + timedelta(hours=1))
    assert str(found["kept"]["description"]) == "This is demo data: nothing really takes place."


def test_the_calendar_is_named_in_the_language_of_the_record(student, client, database):
    student_id = student.link()
    feed = student.feed()
    with database.write() as session:
        session.get_one(Student, student_id).language = "fr"

    assert "Valider votre visa" in events(client.get(feed).content)


def test_only_the_hash_of_an_address_is_kept(student, database):
    student.link()
    token = student.feed().removeprefix("/calendar/").removesuffix(".ics")

    with database.read() as session:
        row = session.scalars(select(AccessToken)).one()
        assert (row.purpose, row.token_hash, len(token)) == ("calendar", hash_token(token), 43)
        assert token not in json.dumps(
            {column.name: str(getattr(row, column.name)) for column in row.__table__.columns}
        )


def test_five_addresses_work_at_a_time_and_the_oldest_stops(student, client, clock):
    student.link()
    feeds = []
    for _ in range(MOST_FEEDS + 1):
        feeds.append(student.feed())
        clock.instant += timedelta(seconds=1)

    assert [client.get(feed).status_code for feed in feeds] == [404, *[200] * MOST_FEEDS]


def test_unknown_stopped_and_erased_addresses_give_the_same_404(student, client, database, now):
    student.link()
    stopped = student.feed()
    assert student.ask("DELETE", "calendar").status_code == 204
    other = Visitor(client, database, now)
    with database.write() as session:
        erased_student = make_student(session, now, "Jonas", **ARRIVED)
        session.get_one(Conversation, UUID(other.id)).student_id = erased_student.id
    erased = other.feed()
    assert client.get(erased).status_code == 200
    with database.write() as session:
        session.get_one(Conversation, UUID(other.id)).student_id = None
        session.flush()
        session.delete(session.get_one(Student, erased_student.id))

    answers = [client.get(path) for path in ("/calendar/unknown.ics", stopped, erased)]

    assert {(each.status_code, each.text) for each in answers} == {(404, answers[0].text)}


def test_stopping_leaves_the_addresses_of_others_alone(student, client, database, now):
    student.link()
    with database.write() as session:
        other = make_student(session, now, "Jonas", **ARRIVED)
        session.add(
            AccessToken(purpose="calendar", token_hash=hash_token("theirs"), student_id=other.id, created_at=now)
        )
    student.feed()

    student.ask("DELETE", "calendar")

    assert client.get("/calendar/theirs.ics").status_code == 200


def test_a_token_of_another_purpose_opens_no_calendar(student, client, database, now):
    student_id = student.link()
    with database.write() as session:
        session.add(
            AccessToken(purpose="export", token_hash=hash_token("export"), student_id=student_id, created_at=now)
        )

    assert client.get("/calendar/export.ics").status_code == 404


@pytest.mark.parametrize(
    ("failure", "status", "event"),
    [(Unavailable(), 503, "request_failed"), (RuntimeError("as told"), 500, "unexpected_error")],
    ids=["away", "our fault"],
)
def test_the_address_is_in_no_log_even_when_reading_fails(student, client, monkeypatch, caplog, failure, status, event):
    student.link()
    feed = student.feed()
    token = feed.removeprefix("/calendar/").removesuffix(".ics")
    written = []
    monkeypatch.setattr(problems.log, "error", lambda name, **values: written.append((name, values)))

    def fails(*_arguments):
        raise failure

    monkeypatch.setattr(record_api, "student_of_feed", fails)
    caplog.set_level(logging.DEBUG)
    client._transport.raise_server_exceptions = False

    assert client.get(feed).status_code == status
    assert [(name, values["route"]) for name, values in written] == [(event, "/calendar/{token}.ics")]
    assert token not in str(written)
    # The test's own client writes the address that it asks for.
    assert token not in "".join(each.getMessage() for each in caplog.records if each.name != "httpx")
