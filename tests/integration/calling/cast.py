"""What the tests of calls share: an office with two desks, colleagues with browsers, students who wait."""

from datetime import timedelta
from types import SimpleNamespace

from sqlalchemy import select

from bot.calling.browsers import Given, add_browser
from bot.calling.service import Desk, call_people
from bot.content.desks import DeskFile
from bot.content.schema import DeskHours
from bot.conversations.models import OutboxEntry
from bot.handoff.desks import Office
from bot.handoff.models import Reason
from bot.handoff.service import claim, request_person
from bot.identity.models import PushBrowser, Staff, StaffSession
from bot.identity.staff import LONGEST_SESSION, SignedIn
from tests.factories import make_conversation, make_staff
from tests.fakes.push_service import Browser, PushFake

HOURS = [DeskHours(weekday=day, opens="09:00", closes="17:00") for day in range(5)]
DESKS = {
    "office": DeskFile.model_validate({"name": {"en": "Office", "fr": "Bureau"}, "default": True}),
    "housing": DeskFile.model_validate({"name": {"en": "Housing", "fr": "Logement"}, "topics": ["housing"]}),
}
OFFICE = Office(DESKS, HOURS, {"visale": "housing"})
TOPICS = {"visale": SimpleNamespace(title=SimpleNamespace(get=lambda _language: "Visale guarantee"))}
ADDRESS = "https://desk.test"
MINUTE = timedelta(minutes=1)


def colleague(database, now, name="Claire", *, mail_after=None, seen=None, **more) -> int:
    """`seen`: minutes since they did something in the console; None: not signed in."""
    with database.write() as session:
        staff = make_staff(session, now, name, **more)
        staff.mail_after = mail_after
        if seen is not None:
            new_session(session, staff.id, now - seen * MINUTE, name)
        return staff.id


def new_session(session, staff_id: int, at, name: str) -> StaffSession:
    made = StaffSession(
        staff_id=staff_id,
        token_hash=f"hash-{name}",
        csrf_token="csrf",
        created_at=at,
        seen_at=at,
        expires_at=at + LONGEST_SESSION,
    )
    session.add(made)
    session.flush()
    return made


def with_browser(database, staff_id: int, now, browser: Browser | None = None) -> int:
    """A browser that shows messages; its session began long ago. Returns its number."""
    browser = browser or PushFake("http://127.0.0.1:9").browser()
    with database.write() as session:
        staff = session.get_one(Staff, staff_id)
        signed_in = new_session(session, staff_id, now - 60 * MINUTE, browser.endpoint[-22:])
        given = Given(browser.endpoint, browser.p256dh, browser.auth, "Firefox, Windows")
        who = SignedIn(staff, "csrf", signed_in.id, now)
        return add_browser(session, who, given, ["127.0.0.1"], now).id


def waiting(database, since, *, desk="office", topic=None):
    """A conversation in which a student asked for a person."""
    with database.write() as session:
        conversation = make_conversation(session, since)
        conversation.last_topic = topic
        request_person(session, conversation, Reason.ASKED, since, desk=desk)
        conversation.waiting_since = since
        return conversation.id


def held(database, staff_id: int, now):
    """A conversation that a colleague holds."""
    talk = waiting(database, now)
    with database.write() as session:
        claim(session, talk, session.get_one(Staff, staff_id), now)
    return talk


def call(database, now, *, at_desk=(), office=OFFICE) -> int:
    return call_people(database, Desk(office, TOPICS, lambda staff_id: staff_id in at_desk, ADDRESS), now)


def queued(database, channel: str) -> list[dict]:
    with database.read() as session:
        rows = session.scalars(select(OutboxEntry).where(OutboxEntry.channel == channel).order_by(OutboxEntry.id))
        return [row.payload for row in rows]


def notes(database) -> list[tuple[int, str, str]]:
    """(browser, title, url) of what is on its way to browsers."""
    return [(each["browser"], each["note"]["title"], each["note"]["url"]) for each in queued(database, "push")]


def browsers(database) -> list[int]:
    with database.read() as session:
        return list(session.scalars(select(PushBrowser.id).order_by(PushBrowser.id)))
