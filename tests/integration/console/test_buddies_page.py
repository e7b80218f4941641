"""The coordinator's page of buddies: run, look, publish, undo, lock, alerts, report."""

from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from sqlalchemy import select

from bot.bootstrap import Services
from bot.buddies.models import AlertReason, BuddyAlert, BuddyPairing, BuddyRule, BuddyRun, PairingState, RunState
from bot.buddies.pairing import propose
from bot.clock import FixedClock
from bot.console.pages.buddies import routes
from bot.db.session import Database
from bot.identity.models import AuditEntry, Role
from tests.factories import make_staff
from tests.integration.buddies.cast import alerts, person
from tests.integration.console.desk import browser, desk_app, desk_services, enter

PAGE = "/staff/buddies"


@pytest.fixture
def services(database: Database, clock: FixedClock) -> Services:
    return desk_services(database, clock)


@pytest.fixture
async def client(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(desk_app(services)) as client:
        with services.database.write() as session:
            staff = make_staff(session, services.clock.now(), "Claire", Role.COORDINATOR)
        enter(client, services, staff)
        yield client


@pytest.fixture
def people(services: Services) -> dict[str, int]:
    now = services.clock.now()
    with services.database.write() as session:
        return {
            "Ines": person(session, now, "Ines", languages=["es"], interests=["music"]).id,
            "Oleh": person(session, now, "Oleh", languages=["uk"]).id,
            "Lise": person(session, now, "Lise", is_local=True, languages=["es"], interests=["music"]).id,
        }


def all_of(services: Services, what: type, read: Callable) -> list:
    with services.database.read() as session:
        return [read(each) for each in session.scalars(select(what).order_by(what.id))]


def states_of_runs(services: Services) -> list[RunState]:
    return all_of(services, BuddyRun, lambda run: RunState(run.state))


async def run_once(client: httpx.AsyncClient, **weights: str) -> httpx.Response:
    return await client.post(f"{PAGE}/run", data=weights)


async def test_a_run_shows_the_pair_with_its_reasons_who_is_left_and_what_is_missing(client, services, people):
    response = await run_once(client)
    page = (await client.get(response.headers["Location"])).text

    assert response.status_code == 303
    for words in (
        "You both speak Spanish. You both like: music.",
        "No buddy at this campus speaks one of these languages.",
        "1 more place with somebody who speaks Ukrainian in Lille",
    ):
        assert words in page
    assert all_of(services, BuddyPairing, lambda pairing: pairing.id) == []


async def test_a_publication_is_undone_from_the_page(client, services, people):
    await run_once(client)
    run_id = all_of(services, BuddyRun, lambda run: run.id)[0]

    published = await client.post(f"{PAGE}/publish", data={"run": run_id})
    page = (await client.get(published.headers["Location"])).text
    undone = await client.post(f"{PAGE}/undo", data={"run": run_id})

    assert "Undo the publication" in page
    assert (published.headers["Location"], undone.headers["Location"]) == (
        f"{PAGE}?run={run_id}&done=published",
        f"{PAGE}?run={run_id}&done=undone",
    )
    assert states_of_runs(services) == [RunState.UNDONE]
    assert all_of(services, AuditEntry, lambda entry: entry.action)[-3:] == [
        "buddies_run",
        "buddies_published",
        "buddies_undone",
    ]


async def test_an_outdated_run_is_not_published_and_says_so(client, services, people):
    await run_once(client)
    run_id = all_of(services, BuddyRun, lambda run: run.id)[0]
    now = services.clock.now()
    with services.database.write() as session:
        propose(session, people["Ines"], people["Lise"], 0.5, [], now, send_at=now)

    response = await client.post(f"{PAGE}/publish", data={"run": run_id})

    assert response.headers["Location"] == f"{PAGE}?run={run_id}&done=outdated"
    assert states_of_runs(services) == [RunState.DRAFT]


@pytest.mark.parametrize(("rule", "kept"), [("lock", [True]), ("forbid", [False]), ("forget", [])])
async def test_a_pair_is_locked_ruled_out_and_forgotten(client, services, people, rule, kept):
    values = {"newcomer": people["Ines"], "buddy": people["Lise"]}
    await client.post(f"{PAGE}/rule", data={**values, "rule": "lock"})
    await client.post(f"{PAGE}/rule", data={**values, "rule": rule})

    assert all_of(services, BuddyRule, lambda each: each.is_wanted) == kept


async def test_a_rule_about_somebody_who_is_gone_changes_nothing(client, services, people):
    response = await client.post(f"{PAGE}/rule", data={"newcomer": 9999, "buddy": people["Lise"], "rule": "lock"})

    assert response.headers["Location"] == f"{PAGE}?done=gone"
    assert all_of(services, BuddyRule, lambda each: each.id) == []


@pytest.mark.parametrize("value", ["-1", "much", "nan", ""])
async def test_a_weight_that_is_none_is_refused_and_stays_in_the_form(client, services, people, value):
    response = await run_once(client, interests=value)

    assert response.status_code == 422
    assert "interests:" in response.text
    assert states_of_runs(services) == []


async def test_a_weight_with_a_french_comma_is_read(client, services, people):
    await run_once(client, interests="2,5")

    assert all_of(services, BuddyRun, lambda run: run.weights["interests"]) == [2.5]


async def test_an_alert_is_settled_or_leads_to_the_next_best(client, services, people):
    now = services.clock.now()
    with services.database.write() as session:
        person(session, now, "Hugo", is_local=True, languages=["es"])
        pairing = propose(session, people["Ines"], people["Lise"], 0.5, [], now, send_at=now)
        alert = BuddyAlert(student_id=people["Ines"], pairing_id=pairing.id, reason=AlertReason.TROUBLE, raised_at=now)
        session.add(alert)
        session.flush()
        alert_id = alert.id
    page = (await client.get(PAGE)).text

    first = await client.post(f"{PAGE}/alert", data={"alert": alert_id, "action": "rematch"})
    second = await client.post(f"{PAGE}/alert", data={"alert": alert_id, "action": "settle"})

    assert "There is trouble" in page
    assert (first.headers["Location"], second.headers["Location"]) == (f"{PAGE}?done=rematched", f"{PAGE}?done=gone")
    assert all_of(services, BuddyPairing, lambda each: each.state) == [PairingState.UNDONE, PairingState.PLANNED]


async def test_the_page_without_anybody_says_so(client):
    page = (await client.get(PAGE)).text

    assert "There is no pair yet." in page
    assert "There are no newcomers or no buddies yet." in page
    assert "Too few people have signed up for a report." in page


async def test_the_report_comes_as_a_file(client, services):
    with services.database.write() as session:
        for number in range(5):
            person(session, services.clock.now(), f"N{number}")

    response = await client.get(f"{PAGE}?report=csv")

    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.text.lstrip("\ufeff").splitlines() == [
        "Campus;Signed up;Paired;Both said yes;Met;Answers;Content;Days until both said yes",
        "All campuses;5;0;0;0;0;–;–",
        "Lille;5;0;0;0;0;–;–",
    ]


async def test_publishing_asks_first_how_many_messages_go_out(client, services, people):
    await run_once(client)
    page = (await client.get(PAGE)).text
    asked = (await client.get(f"{PAGE}?ask=publish")).text

    assert [words in page for words in ("2 messages will go out", "Yes, publish these pairs")] == [False, False]
    assert [words in asked for words in ("2 messages will go out", "Yes, publish these pairs")] == [True, True]


async def test_an_alert_that_nobody_fits_stays_open_while_nobody_does(client, services, people):
    now = services.clock.now()
    with services.database.write() as session:
        alert = BuddyAlert(student_id=people["Oleh"], reason=AlertReason.NO_MORE_MATCH, raised_at=now)
        session.add(alert)
        session.flush()
        alert_id = alert.id

    in_vain = await client.post(f"{PAGE}/alert", data={"alert": alert_id, "action": "rematch"})
    open_then = all_of(services, BuddyAlert, lambda each: each.settled_at is None)
    with services.database.write() as session:
        person(session, now, "Olha", is_local=True, languages=["uk"])
    found = await client.post(f"{PAGE}/alert", data={"alert": alert_id, "action": "rematch"})

    assert in_vain.headers["Location"] == f"{PAGE}?done=still_nobody"
    assert open_then == [True]
    assert found.headers["Location"] == f"{PAGE}?done=rematched"
    assert all_of(services, BuddyAlert, lambda each: each.settled_at is None) == [False]


async def test_trouble_without_another_buddy_is_settled_and_becomes_nobody_else_fits(client, services, people):
    now = services.clock.now()
    with services.database.write() as session:
        pairing = propose(session, people["Ines"], people["Lise"], 0.5, [], now, send_at=now)
        pairing.state = PairingState.ACCEPTED
        alert = BuddyAlert(student_id=people["Lise"], pairing_id=pairing.id, reason=AlertReason.TROUBLE, raised_at=now)
        session.add(alert)
        session.flush()
        alert_id = alert.id

    response = await client.post(f"{PAGE}/alert", data={"alert": alert_id, "action": "rematch"})

    assert response.headers["Location"] == f"{PAGE}?done=nobody"
    assert alerts(services.database) == [(people["Lise"], "trouble"), (people["Ines"], "no_more_match")]
    assert all_of(services, BuddyAlert, lambda each: each.settled_at is None) == [False, True]


async def test_a_rule_the_wrong_way_round_changes_nothing(client, services, people):
    response = await client.post(
        f"{PAGE}/rule", data={"newcomer": people["Lise"], "buddy": people["Ines"], "rule": "lock"}
    )

    assert response.headers["Location"] == f"{PAGE}?done=gone"
    assert all_of(services, BuddyRule, lambda each: each.id) == []


async def test_a_rule_that_is_none_is_refused(client, services, people):
    values = {"newcomer": people["Ines"], "buddy": people["Lise"]}
    await client.post(f"{PAGE}/rule", data={**values, "rule": "lock"})

    response = await client.post(f"{PAGE}/rule", data={**values, "rule": "nonsense"})

    assert response.status_code == 422
    assert all_of(services, BuddyRule, lambda each: each.is_wanted) == [True]


async def test_a_locked_pair_that_cannot_be_is_said_to_be(client, services, people):
    in_vain = "They cannot be paired"
    await client.post(f"{PAGE}/rule", data={"newcomer": people["Ines"], "buddy": people["Lise"], "rule": "lock"})
    possible = (await client.get(PAGE)).text
    await client.post(f"{PAGE}/rule", data={"newcomer": people["Oleh"], "buddy": people["Lise"], "rule": "lock"})
    both = (await client.get(PAGE)).text

    assert (possible.count(in_vain), both.count(in_vain)) == (0, 1)


async def test_the_weights_go_back_to_those_of_the_file(client, services, people):
    await run_once(client, interests="7.5")
    of_the_run = (await client.get(PAGE)).text
    of_the_file = (await client.get(f"{PAGE}?weights=file")).text

    assert '<input name="interests" inputmode="decimal" maxlength="8" value="7.5" required>' in of_the_run
    assert '<input name="interests" inputmode="decimal" maxlength="8" value="3" required>' in of_the_file


async def test_too_many_people_for_one_run_are_told_in_words(client, services, people, monkeypatch):
    def refuse(*_):
        raise ValueError("too many")

    monkeypatch.setattr(routes, "make_run", refuse)

    assert (await run_once(client)).headers["Location"] == f"{PAGE}?done=too_many"


async def test_long_lists_come_in_parts(client, services, people, monkeypatch):
    monkeypatch.setattr(routes, "ROWS", 2)
    now = services.clock.now()
    with services.database.write() as session:
        buddy = person(session, now, "Hugo", is_local=True, capacity=5).id
        for number in range(3):
            newcomer = person(session, now, f"Pair{number}").id
            pairing = propose(session, newcomer, buddy, 0.5, [], now, send_at=now)
            session.add(
                BuddyAlert(student_id=newcomer, pairing_id=pairing.id, reason=AlertReason.SILENCE, raised_at=now)
            )
    first = (await client.get(PAGE)).text
    second = (await client.get(f"{PAGE}?pairs=2&alerts=2")).text
    beyond = (await client.get(f"{PAGE}?pairs=4")).text

    def count(page: str, section: str, name: str) -> int:
        begin = page.index(f'<section aria-labelledby="{section}">')
        return page[begin : page.index("</section>", begin)].count(name)

    assert [count(first, "all", f"<td>Pair{number} Test</td>") for number in range(3)] == [0, 1, 1]
    assert [count(second, "all", f"<td>Pair{number} Test</td>") for number in range(3)] == [1, 0, 0]
    assert [count(first, "alerts", f"<td>Pair{number} Test – ") for number in range(3)] == [1, 1, 0]
    assert [count(second, "alerts", f"<td>Pair{number} Test – ") for number in range(3)] == [0, 0, 1]
    assert (count(first, "all", "?pairs=2"), count(second, "all", "?pairs=0")) == (1, 1)
    assert [count(beyond, "all", f"<td>Pair{number} Test</td>") for number in range(3)] == [0, 1, 1]


async def test_the_report_of_the_semester_before_is_one_step_away(client, services):
    page = (await client.get(PAGE)).text
    before = (await client.get(f"{PAGE}?intake=2026-06-30")).text

    assert ("?intake=2026-06-30#report" in page, "?intake=2027-01-01#report" in page) == (True, False)
    assert "from 1 January 2026 to 30 June 2026" in before
    assert "?intake=2026-07-01#report" in before


@pytest.mark.parametrize(
    "query",
    [
        "intake=x",
        "intake=0001-01-01",
        "pairs=-1",
        "weights=x",
        "run=9999",
        "run=x",
        "run=1&from=99999",
        "from=-1",
        "done=nonsense",
    ],
)
async def test_an_address_that_names_nothing_still_shows_the_page(client, people, query):
    await run_once(client)

    assert (await client.get(f"{PAGE}?{query}")).status_code == 200
