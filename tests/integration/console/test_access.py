"""Second steps, forgotten passwords, known browsers, sessions: what a colleague sees, and what a stranger cannot do."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pyotp
import pytest
from fastapi import FastAPI
from sqlalchemy import event, func, select

from bot.bootstrap import Services
from bot.clock import FixedClock
from bot.console.pages.desk.routes import HEARTBEAT, SESSION_CHECK, follow
from bot.conversations.models import OutboxEntry
from bot.db.session import Database
from bot.identity.audit import verify
from bot.identity.keys import access_key
from bot.identity.models import AuditEntry, RecoveryCode, Role, Staff, StaffPass, StaffSession
from bot.identity.resets import MAILS_OF_ACCOUNT, ask_for_reset, send_links
from bot.identity.second_step import begin, confirm
from tests.factories import make_conversation, make_staff
from tests.integration.console.desk import (
    PASSWORD,
    bearer_of,
    browser,
    desk_app,
    desk_services,
    enter,
    hidden,
    sign_in,
    staff_with_password,
)

NEW = "another brick in the canal"
SITE = "http://127.0.0.1:8000"


def second_step_of(services: Services, staff: Staff) -> tuple[pyotp.TOTP, list[str]]:
    """Turned on ten minutes ago."""
    key, before = access_key(services.settings.data), services.clock.now() - timedelta(minutes=10)
    with services.database.write() as session:
        account = session.get_one(Staff, staff.id)
        codes = pyotp.TOTP(begin(session, account, key))
        return codes, confirm(session, account, codes.at(before), key, before)


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """What is asked of the database meanwhile."""
    sent: list[str] = []

    def note(_connection, _cursor, statement, *_rest) -> None:
        sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def wrong_code(codes: pyotp.TOTP, clock: FixedClock) -> str:
    """Of six digits, and none of the three that are taken now."""
    right = {codes.at(clock.now() + timedelta(seconds=seconds)) for seconds in (-30, 0, 30)}
    return next(code for code in ("000000", "000001", "000002", "000003") if code not in right)


async def enter_code(client: httpx.AsyncClient, code: str) -> httpx.Response:
    form = await client.get("/staff/code")
    return await client.post("/staff/code", data={"code": code, "csrf": hidden(form, "csrf")})


async def link_by_mail(client: httpx.AsyncClient, services: Services, email: str) -> str:
    form = await client.get("/staff/forgotten")
    await client.post("/staff/forgotten", data={"email": email, "csrf": hidden(form, "csrf")})
    send_links(services.database, SITE, services.clock.now())
    with services.database.read() as session:
        mail = session.scalars(select(OutboxEntry.payload).order_by(OutboxEntry.id.desc()).limit(1)).one()
    found = re.search(r"/staff/reset\?token=[\w-]+", mail["text"])
    assert found is not None
    return found[0]


async def test_with_a_second_step_the_password_alone_opens_nothing(
    client: httpx.AsyncClient, claire: Staff, services: Services, clock: FixedClock
):
    codes, _ = second_step_of(services, claire)
    first = await sign_in(client, claire)
    closed = await client.get("/staff")
    second = await enter_code(client, codes.at(clock.now()))

    assert (first.headers["Location"], closed.status_code) == ("/staff/code", 303)
    assert (second.status_code, second.headers["Location"]) == (303, "/staff")
    assert (await client.get("/staff")).status_code == 200


async def test_a_code_is_taken_once(
    client: httpx.AsyncClient, claire: Staff, services: Services, clock: FixedClock, app: FastAPI
):
    codes, _ = second_step_of(services, claire)
    await sign_in(client, claire)
    code = codes.at(clock.now())
    assert (await enter_code(client, code)).status_code == 303
    async with browser(app) as thief:
        await sign_in(thief, claire)
        again = await enter_code(thief, code)

        assert again.status_code == 401
        assert "it was used before" in again.text
        assert (await thief.get("/staff")).status_code == 303


async def test_a_recovery_code_opens_once_however_it_is_typed(
    client: httpx.AsyncClient, claire: Staff, services: Services, app: FastAPI
):
    _, recovery = second_step_of(services, claire)
    await sign_in(client, claire)
    first = await enter_code(client, f" {recovery[0].upper().replace('-', ' ')} ")
    async with browser(app) as other:
        await sign_in(other, claire)
        again = await enter_code(other, recovery[0])

    assert (first.status_code, again.status_code) == (303, 401)
    with services.database.read() as session:
        stored = session.scalars(select(RecoveryCode.code_hash)).all()
        assert (len(stored), set(recovery) & set(stored)) == (10, set())


async def test_after_five_wrong_codes_one_begins_anew(
    client: httpx.AsyncClient, claire: Staff, services: Services, clock: FixedClock
):
    codes, _ = second_step_of(services, claire)
    await sign_in(client, claire)
    guess = wrong_code(codes, clock)
    wrong = [(await enter_code(client, guess)).status_code for _ in range(5)]
    right = await enter_code(client, codes.at(clock.now()))

    assert wrong == [401] * 5
    assert right.status_code == 401
    assert "Please sign in again." in right.text


async def test_whoever_knows_the_password_cannot_try_codes_for_ever(
    client: httpx.AsyncClient, claire: Staff, services: Services, clock: FixedClock
):
    guess = wrong_code(second_step_of(services, claire)[0], clock)
    answers = []
    for _ in range(2):
        client.cookies.clear()
        await sign_in(client, claire)
        answers += [(await enter_code(client, guess)).status_code for _ in range(3)]

    assert answers == [401] * 5 + [429]


async def test_a_first_step_is_good_for_five_minutes(
    client: httpx.AsyncClient, claire: Staff, services: Services, clock: FixedClock
):
    codes, _ = second_step_of(services, claire)
    await sign_in(client, claire)
    form = await client.get("/staff/code")
    clock.instant += timedelta(minutes=5)
    late = await client.post("/staff/code", data={"code": codes.at(clock.now()), "csrf": hidden(form, "csrf")})

    assert late.status_code == 401


async def test_the_second_step_is_set_up_with_a_code_and_turned_off_with_the_password(
    client: httpx.AsyncClient, claire: Staff, services: Services, clock: FixedClock
):
    enter(client, services, claire)
    shown = await client.post("/staff/account/second-step")
    secret = re.search(r'<p class="secret">([A-Z2-7 ]+)</p>', shown.text)
    assert secret is not None
    codes = pyotp.TOTP(secret[1].replace(" ", ""))
    refused = await client.post("/staff/account/second-step/confirm", data={"code": wrong_code(codes, clock)})
    taken = await client.post("/staff/account/second-step/confirm", data={"code": codes.at(clock.now())})
    with services.database.read() as session:
        stored = session.get_one(Staff, claire.id).totp_secret
    kept = await client.post("/staff/account/second-step/off", data={"password": "not the password"})
    off = await client.post("/staff/account/second-step/off", data={"password": PASSWORD})

    assert "<svg" in shown.text
    assert " style=" not in shown.text
    assert (refused.status_code, taken.status_code) == (422, 200)
    assert len(re.findall(r"<li><code>[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}</code>", taken.text)) == 10
    assert stored is not None
    assert secret[1].replace(" ", "") not in stored
    assert (kept.status_code, off.headers["Location"]) == (422, "/staff/account?done=off")
    with services.database.read() as session:
        account = session.get_one(Staff, claire.id)
        assert (account.totp_secret, account.totp_since) == (None, None)
        assert session.scalar(select(func.count()).select_from(RecoveryCode)) == 0


async def test_a_role_that_needs_a_second_step_sees_its_own_page_alone(database, clock: FixedClock):
    services = desk_services(database, clock, require_totp="admin, coordinator")
    with database.write() as session:
        marc = make_staff(session, clock.now(), "Marc", Role.ADMIN)
        claire = make_staff(session, clock.now(), "Claire", Role.ADVISER)
    async with browser(desk_app(services)) as client:
        enter(client, services, claire)
        adviser = await client.get("/staff")
        enter(client, services, marc)
        desk, account = await client.get("/staff"), await client.get("/staff/account")
        mentions = await client.get("/staff/api/mentions")
        second_step_of(services, marc)
        after = await client.get("/staff")

    assert adviser.status_code == 200
    assert (desk.headers["Location"], account.status_code, mentions.status_code) == ("/staff/account", 200, 403)
    assert "Your role needs a second step." in account.text
    assert after.status_code == 200


async def test_a_forgotten_password_is_replaced_by_a_link_and_every_browser_is_signed_out(
    client: httpx.AsyncClient, claire: Staff, services: Services, app: FastAPI
):
    async with browser(app) as thief:
        await sign_in(thief, claire)
        link = await link_by_mail(client, services, "  Claire@junia.example")
        form = await client.get(link)
        fields = {"csrf": hidden(form, "csrf"), "token": hidden(form, "token"), "password": NEW, "again": NEW}
        done = await client.post("/staff/reset", data=fields)
        again = await client.post("/staff/reset", data={**fields, "csrf": hidden(done, "csrf")})

        assert (done.status_code, again.status_code) == (200, 410)
        assert "The new password is set." in done.text
        assert (await thief.get("/staff")).status_code == 303
    assert (await sign_in(client, claire)).status_code == 401
    assert (await sign_in(client, claire, NEW)).status_code == 303


async def test_an_unknown_address_gets_the_same_words_and_no_mail(
    client: httpx.AsyncClient, claire: Staff, services: Services
):
    answers = []
    for email in (claire.email, "nobody@junia.example", "", "\x00"):
        form = await client.get("/staff/forgotten")
        response = await client.post("/staff/forgotten", data={"email": email, "csrf": hidden(form, "csrf")})
        answers.append((response.status_code, re.sub(r'value="[^"]*"', "", response.text)))

    assert answers == answers[:1] * 4
    send_links(services.database, SITE, services.clock.now())
    with services.database.read() as session:
        assert [mail["to"] for mail in session.scalars(select(OutboxEntry.payload))] == [claire.email]


async def test_an_unknown_address_costs_the_same_work_as_a_known_one(
    client: httpx.AsyncClient, claire: Staff, services: Services
):
    """Time is measured in statements: they are what an answer takes, and a clock would prove nothing."""

    async def work(email: str) -> list[list[str]]:
        found = []
        for _ in range(MAILS_OF_ACCOUNT + 1):
            form = await client.get("/staff/forgotten")
            with statements(services.database) as sent:
                await client.post("/staff/forgotten", data={"email": email, "csrf": hidden(form, "csrf")})
            found.append(sent)
        return found

    known = await work(claire.email)

    assert await work("nobody@junia.example") == known
    assert len(known[0]) > len(known[-1]) > 0


async def test_a_mailbox_gets_three_links_in_half_an_hour_and_only_the_last_one_works(
    client: httpx.AsyncClient, claire: Staff, services: Services, clock: FixedClock
):
    links = []
    for wait in (timedelta(seconds=1),) * 4 + (timedelta(minutes=30),):
        clock.instant += wait
        links.append(await link_by_mail(client, services, claire.email))

    assert [links.index(link) for link in links] == [0, 1, 2, 2, 4]
    assert [(await client.get(link)).status_code for link in links] == [410, 410, 410, 410, 200]


async def test_a_stranger_who_asks_for_links_all_day_keeps_none_away_from_the_owner(
    client: httpx.AsyncClient, claire: Staff, services: Services, clock: FixedClock
):
    """Once a quarter of an hour, then every minute: the last mail in the box always opens."""
    answers = []
    for wait in (timedelta(minutes=15),) * 12 + (timedelta(minutes=1),) * 70:
        clock.instant += wait
        with services.database.write() as session:
            ask_for_reset(session, claire.email, "6.6.6.6", clock.now())
        link = await link_by_mail(client, services, claire.email)
        answers.append((await client.get(link)).status_code)

    assert answers == [200] * 82


async def test_a_link_is_good_for_half_an_hour_and_is_stored_hashed(
    client: httpx.AsyncClient, claire: Staff, services: Services, clock: FixedClock
):
    link = await link_by_mail(client, services, claire.email)
    with services.database.read() as session:
        assert session.scalars(select(StaffPass.token_hash)).one() not in link
    clock.instant += timedelta(minutes=29, seconds=59)
    before = await client.get(link)
    clock.instant += timedelta(seconds=1)

    assert (before.status_code, (await client.get(link)).status_code) == (200, 410)


async def test_a_weak_password_and_two_different_ones_leave_the_link_good(
    client: httpx.AsyncClient, claire: Staff, services: Services
):
    link = await link_by_mail(client, services, claire.email)
    for password, again in (("short", "short"), (NEW, "something else entirely")):
        form = await client.get(link)
        fields = {"csrf": hidden(form, "csrf"), "token": hidden(form, "token"), "password": password, "again": again}
        assert (await client.post("/staff/reset", data=fields)).status_code == 422

    assert (await client.get(link)).status_code == 200


async def test_a_stranger_who_guesses_does_not_lock_the_owner_out(
    client: httpx.AsyncClient, claire: Staff, app: FastAPI
):
    await sign_in(client, claire)
    await client.post("/staff/sign-out", data={"csrf": client.headers["X-CSRF-Token"]})
    async with browser(app) as stranger:
        guesses = [(await sign_in(stranger, claire, f"guess {number}")).status_code for number in range(6)]
        right = await sign_in(stranger, claire)
    owner = await sign_in(client, claire)

    assert guesses == [401] * 5 + [429]
    assert right.status_code == 429
    assert owner.status_code == 303


async def test_the_owner_at_a_new_browser_comes_in_by_a_link_whatever_a_stranger_does(
    client: httpx.AsyncClient, claire: Staff, services: Services, app: FastAPI
):
    async with browser(app) as stranger:
        for number in range(6):
            await sign_in(stranger, claire, f"guess {number}")
    held_up = await sign_in(client, claire)
    form = await client.get(await link_by_mail(client, services, claire.email))
    fields = {"csrf": hidden(form, "csrf"), "token": hidden(form, "token"), "password": NEW, "again": NEW}
    await client.post("/staff/reset", data=fields)

    assert (held_up.status_code, (await sign_in(client, claire, NEW)).status_code) == (429, 303)


async def test_a_known_browser_is_throttled_by_itself(client: httpx.AsyncClient, claire: Staff, app: FastAPI):
    await sign_in(client, claire)
    await client.post("/staff/sign-out", data={"csrf": client.headers["X-CSRF-Token"]})
    guesses = [(await sign_in(client, claire, f"guess {number}")).status_code for number in range(6)]
    async with browser(app) as elsewhere:
        other = await sign_in(elsewhere, claire)

    assert guesses == [401] * 5 + [429]
    assert other.status_code == 303


@pytest.mark.parametrize("cookie", ["", "1.2.3.4", "~~~", "1.1795000000.x.AAAA", "1.x.y.AAAA"])
async def test_a_made_up_sign_of_a_browser_counts_for_nothing(claire: Staff, cookie: str, app: FastAPI):
    guesses = []
    for number in range(6):
        async with browser(app) as stranger:
            stranger.cookies.set("accueil_known", cookie, domain="desk.test")
            guesses.append((await sign_in(stranger, claire, f"guess {number}")).status_code)

    assert guesses == [401] * 5 + [429]


async def test_the_sign_of_a_browser_is_of_one_account(
    client: httpx.AsyncClient, claire: Staff, services: Services, app: FastAPI
):
    with services.database.write() as session:
        zoe = staff_with_password(session, services, "Zoe")
    await sign_in(client, zoe)
    await client.post("/staff/sign-out", data={"csrf": client.headers["X-CSRF-Token"]})
    async with browser(app) as stranger:
        for number in range(5):
            await sign_in(stranger, claire, f"guess {number}")

    assert (await sign_in(client, claire)).status_code == 429
    assert (await sign_in(client, zoe)).status_code == 303


async def test_sessions_are_listed_and_one_is_ended(
    client: httpx.AsyncClient, claire: Staff, services: Services, app: FastAPI
):
    async with browser(app) as phone:
        phone.headers["User-Agent"] = "Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0"
        await sign_in(phone, claire)
        await sign_in(client, claire)
        page = await client.get("/staff/account")
        ended = await client.post("/staff/account/sessions/end", data={"number": hidden(page, "number")})

        assert "<td>Firefox, Android</td><td>127.0.0.*</td>" in page.text
        assert ended.headers["Location"] == "/staff/account?done=ended"
        assert (await phone.get("/staff")).status_code == 303
    assert (await client.get("/staff")).status_code == 200


async def test_an_administrator_sees_where_an_account_is_signed_in_and_ends_it(
    client: httpx.AsyncClient, claire: Staff, marc: Staff, services: Services, app: FastAPI
):
    async with browser(app) as theirs:
        await sign_in(theirs, claire)
        enter(client, services, marc)
        page = await client.get("/staff/accounts", params={"account": claire.id})
        own = await client.get("/staff/account")
        form = {name: hidden(page, name) for name in ("account", "number")}
        ended = await client.post("/staff/accounts/sessions/end", data=form)

        assert (form["account"], ended.status_code) == (str(claire.id), 303)
        buttons = [re.findall(r">(Sign (?:them )?out)</button>", each.text) for each in (page, own)]
        assert buttons == [["Sign out", "Sign them out"], ["Sign out"]]
        assert (await theirs.get("/staff")).status_code == 303


async def test_nobody_ends_a_session_of_somebody_else(client: httpx.AsyncClient, claire: Staff, marc, services, app):
    async with browser(app) as other:
        enter(other, services, marc)
        with services.database.read() as session:
            number = session.scalars(select(StaffSession.id)).one()
        await sign_in(client, claire)
        refused = await client.post("/staff/account/sessions/end", data={"number": number})

        assert refused.status_code == 404
        assert (await other.get("/staff")).status_code == 200


async def test_a_new_password_keeps_this_browser_and_no_other(client: httpx.AsyncClient, claire: Staff, app: FastAPI):
    async with browser(app) as phone:
        await sign_in(phone, claire)
        await sign_in(client, claire)
        fields = {"password": PASSWORD, "new": NEW, "again": NEW}
        wrong = await client.post("/staff/account/password", data={**fields, "password": "not the password"})
        weak = await client.post("/staff/account/password", data={**fields, "new": "short", "again": "short"})
        done = await client.post("/staff/account/password", data=fields)

        assert (wrong.status_code, weak.status_code, done.status_code) == (422, 422, 303)
        assert (await phone.get("/staff")).status_code == 303
    assert (await client.get("/staff")).status_code == 200


async def test_an_administrator_adds_an_account_and_its_owner_comes_in_by_the_mail(
    client: httpx.AsyncClient, marc: Staff, services: Services, app: FastAPI
):
    enter(client, services, marc)
    fields = {"email": "zoe@junia.example", "name": "Zoé", "role": "adviser", "language": "fr"}
    wrong = await client.post("/staff/accounts/add", data={**fields, "role": "king"})
    added = await client.post("/staff/accounts/add", data=fields)
    again = await client.post("/staff/accounts/add", data=fields)
    with services.database.read() as session:
        mail = session.scalars(select(OutboxEntry.payload)).one()
        made = session.execute(
            select(AuditEntry.staff_id, AuditEntry.action).where(AuditEntry.action == "staff_created")
        ).one()
    token = mail["text"].partition("token=")[2].split()[0]
    async with browser(app) as zoe:
        form = await zoe.get("/staff/reset", params={"token": token})
        fields = {"csrf": hidden(form, "csrf"), "token": token, "password": NEW, "again": NEW}
        done = await zoe.post("/staff/reset", data=fields)

    assert (wrong.status_code, added.status_code, again.status_code) == (422, 303, 422)
    assert (mail["to"], mail["language"], made.staff_id) == ("zoe@junia.example", "fr", marc.id)
    assert done.status_code == 200


async def test_a_disabled_account_is_out_and_may_come_back(
    client: httpx.AsyncClient, marc: Staff, claire: Staff, services: Services, app: FastAPI
):
    enter(client, services, marc)
    async with browser(app) as other:
        await sign_in(other, claire)
        await client.post("/staff/accounts/disable", data={"account": claire.id})
        assert (await other.get("/staff")).status_code == 303
        assert (await sign_in(other, claire)).status_code == 401
        await client.post("/staff/accounts/enable", data={"account": claire.id})
        assert (await sign_in(other, claire)).status_code == 303


@pytest.mark.parametrize("deed", ["disable", "role", "second-step/off", "sessions/end-all"])
async def test_nobody_takes_their_own_rights_away(
    client: httpx.AsyncClient, marc: Staff, services: Services, deed: str
):
    enter(client, services, marc)
    refused = await client.post(f"/staff/accounts/{deed}", data={"account": marc.id, "role": "auditor"})
    unknown = await client.post(f"/staff/accounts/{deed}", data={"account": 9999, "role": "auditor"})

    assert (refused.status_code, unknown.status_code) == (403, 404)
    assert (await client.get("/staff/accounts")).status_code == 200


async def test_a_role_that_is_taken_away_is_gone_at_the_next_request(
    client: httpx.AsyncClient, marc: Staff, services: Services, app: FastAPI
):
    with services.database.write() as session:
        ines = make_staff(session, services.clock.now(), "Ines", Role.COORDINATOR)
    async with browser(app) as other:
        enter(other, services, ines)
        before = await other.get("/staff/students")
        enter(client, services, marc)
        await client.post("/staff/accounts/role", data={"account": ines.id, "role": "editor"})

        assert (before.status_code, (await other.get("/staff/students")).status_code) == (200, 403)


@pytest.mark.parametrize("end", ["disable", "sessions/end-all"])
async def test_an_open_stream_is_cut_within_a_minute(
    client: httpx.AsyncClient, marc: Staff, claire: Staff, services: Services, app: FastAPI, monkeypatch, end: str
):
    routes = sys.modules["bot.console.pages.desk.routes"]
    monkeypatch.setattr(routes, "HEARTBEAT", 0.02)
    monkeypatch.setattr(routes, "SESSION_CHECK", 0.04)
    enter(client, services, marc)
    async with browser(app) as other:
        enter(other, services, claire)
        stream = follow(services, other.cookies["accueil_staff"])
        assert await anext(stream) == "event: moved\ndata: {}\n\n"
        await client.post(f"/staff/accounts/{end}", data={"account": claire.id})
        said = [event async for event in stream]

    assert said[-1] == "event: signed_out\ndata: {}\n\n"


def test_the_longest_that_an_ended_session_still_hears_is_below_a_minute():
    assert HEARTBEAT + SESSION_CHECK < 60


async def test_a_personal_token_and_a_long_poll_end_with_the_account(
    client: httpx.AsyncClient, marc: Staff, claire: Staff, services: Services, app: FastAPI
):
    with services.database.write() as session:
        talk = make_conversation(session, services.clock.now()).id
        bearer = bearer_of(session, services, claire)
    path = f"/api/v1/staff/conversations/{talk}/messages"
    async with browser(app) as program:
        before = await program.get(path, headers=bearer)
        enter(client, services, marc)
        await client.post("/staff/accounts/disable", data={"account": claire.id})
        after = await program.get(path, params={"after": 1, "wait": 30}, headers=bearer)

    assert (before.status_code, after.status_code) == (200, 401)


async def test_the_log_is_filtered_checked_and_taken_away(
    client: httpx.AsyncClient, auditor: Staff, claire: Staff, services: Services
):
    await sign_in(client, claire)
    enter(client, services, auditor)
    all_, mine = await client.get("/staff/audit"), await client.get(f"/staff/audit?account={auditor.id}")
    signed = await client.get("/staff/audit?action=sign_in&since=2026-11-24&until=2026-11-24&check=1")
    table = await client.get("/staff/audit/log.csv?action=sign_in")
    lines = table.text.splitlines()

    assert '<option value="sign_in" >signed in</option>' in all_.text
    assert "<td>signed in</td>" in all_.text
    assert "No entry is like this." in mine.text
    assert "The chain is whole: 2 entries were computed anew." in signed.text
    assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert lines[0] == "place,at,account,action,conversation,details,previous,hash"
    assert [line.split(",")[2:4] for line in lines[1:]] == [["claire@junia.example", "sign_in"]]
    with services.database.read() as session:
        assert verify(session).fault is None


@pytest.mark.parametrize(
    "query", ["account=x", "account=9999999999", "conversation=7", "since=soon", "until=0001-01-01", "before=-1"]
)
async def test_a_wrong_filter_is_said_by_field(client: httpx.AsyncClient, auditor: Staff, services, query: str):
    enter(client, services, auditor)
    page = await client.get(f"/staff/audit?{query}")

    assert page.status_code == 422


async def test_a_request_from_another_site_is_refused_whatever_it_carries(
    client: httpx.AsyncClient, claire: Staff, services: Services
):
    enter(client, services, claire)
    answers = []
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.test"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://desk.test"},
    ):
        answers.append((await client.post("/staff/api/here", headers=headers)).status_code)

    assert answers == [403, 403, 403, 403, 204, 204]
