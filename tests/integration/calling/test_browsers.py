"""Browsers that show messages: whose they are, what is refused, and when they are forgotten."""

import stat
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.calling.browsers import (
    MOST_BROWSERS,
    Given,
    add_browser,
    browsers_of,
    drop_browser,
    drop_numbered,
    public_key,
)
from bot.conversations.service import hash_token
from bot.errors import InvalidField, NotAllowed, NotFound
from bot.identity.models import AuditEntry, PushBrowser, Role, Staff, StaffSession
from bot.identity.staff import SignedIn, disable_staff, end_session, end_sessions, set_password, sign_out
from bot.privacy.retention import purge
from tests.fakes.push_service import PushFake, bytes_of
from tests.integration.calling.cast import MINUTE, browsers, colleague, new_session, with_browser

HERE = ["127.0.0.1"]


def given() -> Given:
    made = PushFake("http://127.0.0.1:9").browser()
    return Given(made.endpoint, made.p256dh, made.auth, "Firefox, Windows")


def add(database, staff_id, what, now, services=HERE):
    with database.write() as session:
        staff = session.get_one(Staff, staff_id)
        signed_in = new_session(session, staff_id, now, f"{staff_id}-{now.timestamp()}")
        return add_browser(session, SignedIn(staff, "csrf", signed_in.id, now), what, services, now).id


def actions(database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_our_key_is_made_once_and_is_the_owners_alone(tmp_path):
    first = public_key(tmp_path)

    assert (len(bytes_of(first)), bytes_of(first)[0]) == (65, 4)
    assert public_key(tmp_path) == first
    assert stat.S_IMODE((tmp_path / "push.key").stat().st_mode) == 0o600
    assert public_key(tmp_path / "other") != first


def test_the_same_browser_is_one_row_and_belongs_to_whoever_signed_in_there_last(database, now):
    claire, marc = colleague(database, now), colleague(database, now, "Marc")
    what = given()
    first = add(database, claire, what, now)

    assert add(database, claire, what, now + MINUTE) == first
    assert actions(database) == ["push_on"]
    assert add(database, marc, what, now + 2 * MINUTE) == first
    assert actions(database) == ["push_on", "push_on"]
    with database.read() as session:
        assert session.get_one(PushBrowser, first).staff_id == marc


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint": "https://10.0.0.1/push"},
        {"p256dh": "AAAA"},
        {"p256dh": "é"},
        {"auth": "AAAA"},
        {"auth": ""},
    ],
)
def test_a_strange_service_and_keys_that_are_none_are_refused(database, now, change):
    claire = colleague(database, now)
    with pytest.raises(InvalidField):
        add(database, claire, Given(**{**vars(given()), **change}), now)

    assert browsers(database) == []


def test_a_role_that_answers_nobody_has_none(database, now):
    with pytest.raises(NotAllowed):
        add(database, colleague(database, now, role=Role.EDITOR), given(), now)


def test_the_oldest_gives_way(database, now):
    claire = colleague(database, now)
    added = [add(database, claire, given(), now + each * MINUTE) for each in range(MOST_BROWSERS + 1)]

    assert browsers(database) == added[1:]


def test_one_is_stopped_by_its_owner_and_by_nobody_else(database, now):
    claire, marc = colleague(database, now), colleague(database, now, "Marc")
    what = given()
    number = add(database, claire, what, now)
    with database.write() as session:
        drop_browser(session, session.get_one(Staff, marc), what.endpoint, now)
        with pytest.raises(NotFound):
            drop_numbered(session, session.get_one(Staff, marc), number, now)
    assert browsers(database) == [number]

    with database.write() as session:
        drop_browser(session, session.get_one(Staff, claire), what.endpoint, now)
        assert browsers_of(session, session.get_one(Staff, claire)) == []
    assert actions(database) == ["push_on", "push_off"]


# --- forgotten with the session ---


@pytest.fixture
def two(database, now):
    """(colleague, browsers): each with a session of its own."""
    claire = colleague(database, now)
    return claire, [with_browser(database, claire, now) for _ in range(2)]


def session_of(session, browser):
    return session.get_one(PushBrowser, browser).session_id


def test_a_session_that_is_ended_takes_its_browser_with_it(database, now, two):
    claire, (first, second) = two
    with database.write() as session:
        end_session(session, session_of(session, first), now, of=claire, by=claire)

    assert browsers(database) == [second]


def test_all_others_go_also_those_whose_session_has_run_out(database, now, two):
    claire, (first, second) = two
    with database.write() as session:
        session.delete(session.get_one(StaffSession, session_of(session, first)))
    assert browsers(database) == [first, second]

    with database.write() as session:
        end_sessions(session, claire, but=session_of(session, second))
    assert browsers(database) == [second]


def test_a_new_password_and_a_disabled_account_end_them_all(database, now, two):
    claire, _ = two
    marc = colleague(database, now, "Marc")
    with_browser(database, marc, now)
    with database.write() as session:
        set_password(session, session.get_one(Staff, claire), "paper lantern canal", now)
    assert len(browsers(database)) == 1

    with database.write() as session:
        disable_staff(session, "marc@junia.example", now)
    assert browsers(database) == []


def test_signing_out_ends_the_messages_there(database, now, two):
    _, (first, second) = two
    with database.write() as session:
        session.get_one(StaffSession, session_of(session, first)).token_hash = hash_token("token")
        session.flush()
        sign_out(session, "token", now)

    assert browsers(database) == [second]


def test_a_session_that_runs_out_leaves_the_browser_and_ninety_days_without_success_do_not(database, now, two):
    _, numbers = two
    assert purge(database, now + timedelta(days=2))["staff_sessions"] == 2
    assert browsers(database) == numbers

    assert purge(database, now + timedelta(days=91))["push_browsers"] == 2
    assert browsers(database) == []
