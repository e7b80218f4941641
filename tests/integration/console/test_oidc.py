"""Sign-in at the school's identity provider, against a real one (npm oidc-provider) as a process of its own."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy import func, select

from bot.bootstrap import Services
from bot.clock import FixedClock, SystemClock
from bot.db.session import Database
from bot.identity import oidc
from bot.identity.models import Role, Staff
from bot.identity.oidc import OidcRefused, Person, account_of, sealed, unsealed
from tests.factories import make_staff
from tests.fakes.oidc_provider import NotHere, Provider, provider_at
from tests.fakes.oidc_provider.server import CLIENT_ID, CLIENT_SECRET
from tests.integration.console.desk import browser, desk_app, desk_services

SITE = "http://desk.test"
CLAIRE = {"sub": "u-17", "email": "claire@junia.example", "email_verified": True, "name": "Claire"}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    try:
        with provider_at(f"{SITE}/staff/oidc/callback") as running:
            yield running
    except NotHere as error:
        pytest.skip(str(error))


@pytest.fixture
def real_clock() -> FixedClock:
    """The provider signs with the time of this machine."""
    return FixedClock(SystemClock().now())


def services_with(database: Database, clock: FixedClock, issuer: str, **settings: Any) -> Services:
    given = {
        "public_url": SITE,
        "oidc_issuer": issuer,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": CLIENT_SECRET,
        "oidc_name": "JUNIA",
    }
    return desk_services(database, clock, **{**given, **settings})


@pytest.fixture
def services(database: Database, real_clock: FixedClock, provider: Provider) -> Services:
    return services_with(database, real_clock, provider.issuer)


@pytest.fixture
async def client(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    async with visitor(services) as client:
        yield client


@asynccontextmanager
async def visitor(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(desk_app(services)) as client:
        yield client


def claire_of(services: Services, **changes: Any) -> Staff:
    with services.database.write() as session:
        staff = make_staff(session, services.clock.now(), "Claire")
        for name, value in changes.items():
            setattr(staff, name, value)
        return staff


async def come_in(client: httpx.AsyncClient, provider: Provider, **person: Any) -> httpx.Response:
    provider.person(**{**CLAIRE, **person})
    there = await client.get("/staff/oidc")
    return await client.get(provider.walk(there.headers["Location"]))


async def test_whoever_has_an_account_comes_in(client: httpx.AsyncClient, services: Services, provider: Provider):
    claire_of(services)
    door = await client.get("/staff/sign-in?lang=en")
    response = await come_in(client, provider)

    assert '<a class="provider" href="/staff/oidc">Sign in with JUNIA</a>' in door.text
    assert (response.status_code, response.headers["Location"]) == (303, "/staff")
    assert "claire@junia.example" in (await client.get("/staff")).text


async def test_the_way_there_has_a_state_a_nonce_and_a_challenge(client: httpx.AsyncClient):
    ways = [parse_qs(urlsplit((await client.get("/staff/oidc")).headers["Location"]).query) for _ in range(2)]

    for name in ("state", "nonce", "code_challenge"):
        assert ways[0][name] != ways[1][name]
    assert (ways[0]["code_challenge_method"], ways[0]["response_type"]) == (["S256"], ["code"])
    assert CLIENT_SECRET not in str(ways)


@pytest.mark.parametrize(
    ("person", "account"),
    [
        ({"email_verified": False}, {}),
        ({"email": "nobody@junia.example"}, {}),
        ({"email": "not an address"}, {}),
        ({}, {"disabled": True}),
        ({"sub": "u-18"}, {"oidc_subject": "http://127.0.0.1 u-17"}),
    ],
    ids=["address not verified", "unknown address", "no address", "disabled account", "another person"],
)
async def test_who_is_not_ours_stays_out(
    client: httpx.AsyncClient, services: Services, provider: Provider, person: dict[str, Any], account: dict[str, Any]
):
    claire_of(services, **account)
    response = await come_in(client, provider, **person)

    assert response.status_code == 403
    assert 'role="alert"' in response.text
    assert (await client.get("/staff")).status_code == 303
    with services.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Staff)) == 1


async def test_an_address_that_is_given_to_somebody_else_later_opens_nothing(
    client: httpx.AsyncClient, services: Services, provider: Provider
):
    claire_of(services)
    first = await come_in(client, provider)
    async with visitor(services) as other:
        second = await come_in(other, provider, sub="u-99")

    assert (first.status_code, second.status_code) == (303, 403)


async def test_an_answer_for_another_browser_is_refused(
    client: httpx.AsyncClient, services: Services, provider: Provider
):
    claire_of(services)
    provider.person(**CLAIRE)
    back = provider.walk((await client.get("/staff/oidc")).headers["Location"])
    async with visitor(services) as victim:
        without = await victim.get(back)
        await victim.get("/staff/oidc")
        with_another_state = await victim.get(back)

    assert (without.status_code, with_another_state.status_code) == (403, 403)


async def test_an_answer_is_taken_once_and_within_ten_minutes(
    client: httpx.AsyncClient, services: Services, provider: Provider, real_clock: FixedClock
):
    claire_of(services)
    provider.person(**CLAIRE)
    cookie = (there := await client.get("/staff/oidc")).cookies["accueil_oidc"]
    back = provider.walk(there.headers["Location"])
    first = await client.get(back)
    client.cookies.set("accueil_oidc", cookie, domain="desk.test")
    again = await client.get(back)
    there = await client.get("/staff/oidc")
    back = provider.walk(there.headers["Location"])
    real_clock.instant += timedelta(minutes=10)
    late = await client.get(back)

    assert (first.status_code, again.status_code, late.status_code) == (303, 403, 403)


async def test_the_second_step_is_asked_for_as_well(client: httpx.AsyncClient, services: Services, provider: Provider):
    claire_of(services, totp_secret="x", totp_since=services.clock.now())
    response = await come_in(client, provider)

    assert response.headers["Location"].startswith("/staff/code")
    assert (await client.get("/staff")).status_code == 303


async def test_an_account_is_made_only_where_a_setting_says_so(
    database: Database, real_clock: FixedClock, provider: Provider
):
    services = services_with(database, real_clock, provider.issuer, oidc_new_role="auditor")
    async with visitor(services) as client:
        response = await come_in(client, provider, email="zoe@junia.example", sub="u-20", name="Zoé")

    assert response.status_code == 303
    with database.read() as session:
        made = session.execute(select(Staff.email, Staff.name, Staff.role)).one()
        assert tuple(made) == ("zoe@junia.example", "Zoé", Role.AUDITOR)


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:9", "http://127.0.0.1:{port}/"])
async def test_a_provider_that_is_away_or_names_another_issuer_is_said_in_words(
    database: Database, real_clock: FixedClock, provider: Provider, issuer: str
):
    address = issuer.format(port=urlsplit(provider.issuer).port)
    async with visitor(services_with(database, real_clock, address)) as client:
        response = await client.get("/staff/oidc")

    assert response.status_code == 502
    assert "The sign-in there did not work" in response.text


KEY = RSAKey.generate_key(2048, parameters={"kid": "1"})
OTHER_KEY = RSAKey.generate_key(2048, parameters={"kid": "1"})


@pytest.mark.parametrize(
    ("changes", "key", "algorithm"),
    [
        ({"iss": "https://elsewhere.example"}, KEY, "RS256"),
        ({"aud": "another client"}, KEY, "RS256"),
        ({"aud": [CLIENT_ID, "another client"]}, KEY, "RS256"),
        ({"nonce": "another nonce"}, KEY, "RS256"),
        ({"nonce": None}, KEY, "RS256"),
        ({"exp": 1}, KEY, "RS256"),
        ({"iat": 4_000_000_000}, KEY, "RS256"),
        ({"sub": None}, KEY, "RS256"),
        ({"email_verified": "true"}, KEY, "RS256"),
        ({"email_verified": None}, KEY, "RS256"),
        ({}, OTHER_KEY, "RS256"),
    ],
)
def test_a_token_that_says_something_else_is_refused(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, changes, key, algorithm
):
    settings = services_with(database, clock, "https://login.example").settings
    right = person_with(settings, monkeypatch, {}, KEY, algorithm)
    with pytest.raises(OidcRefused):
        person_with(settings, monkeypatch, changes, key, algorithm)

    assert right.email == "claire@junia.example"


def person_with(settings, monkeypatch: pytest.MonkeyPatch, changes, key: RSAKey, algorithm: str) -> Person:
    """What we make of a token of the provider with some claims changed (None: left out)."""
    now = time.time()
    monkeypatch.setattr(oidc, "_descriptions", {})
    _, begun = begin_with(settings, monkeypatch)
    claims = {**CLAIRE, "iss": settings.oidc_issuer, "aud": CLIENT_ID, "nonce": begun.nonce, "iat": int(now)}
    claims = {**claims, "exp": int(now) + 60, **changes}
    token = jwt.encode(
        {"alg": algorithm, "kid": "1"}, {name: value for name, value in claims.items() if value is not None}, key
    )
    answers = {"token": {"id_token": token, "access_token": "a"}, "keys": {"keys": [KEY.as_dict(private=False)]}}
    known = oidc._json_of
    monkeypatch.setattr(
        oidc, "_json_of", lambda method, url, **more: answers.get(url.rpartition("/")[2]) or known(method, url, **more)
    )
    return oidc.person_behind(settings, begun, {"state": begun.state, "code": "c"}, now)


def begin_with(settings, monkeypatch: pytest.MonkeyPatch):
    site = settings.oidc_issuer
    description = {
        "issuer": site,
        "authorization_endpoint": f"{site}/auth",
        "token_endpoint": f"{site}/token",
        "jwks_uri": f"{site}/keys",
    }
    monkeypatch.setattr(oidc, "_json_of", lambda _method, _url, **_more: description)
    return oidc.begin(settings, "/staff", time.time())


def test_what_a_browser_keeps_cannot_be_planted(database: Database, clock: FixedClock, monkeypatch):
    settings = services_with(database, clock, "https://login.example").settings
    monkeypatch.setattr(oidc, "_descriptions", {})
    _, begun = begin_with(settings, monkeypatch)
    cookie = sealed(b"k" * 32, begun)

    assert unsealed(b"k" * 32, cookie, begun.at) == begun
    for wrong, at in (
        (sealed(b"x" * 32, begun), begun.at),
        ("", begun.at),
        ("7b7d.00", begun.at),
        (cookie, begun.at + 600),
    ):
        with pytest.raises(OidcRefused):
            unsealed(b"k" * 32, wrong, at)


def test_a_person_is_bound_at_the_first_sign_in(database: Database, clock: FixedClock, now):
    services = services_with(database, clock, "https://login.example")
    claire_of(services)
    with database.write() as session:
        staff = account_of(session, services.settings, Person("https://login.example u-17", CLAIRE["email"], "C"), now)
        assert staff.oidc_subject == "https://login.example u-17"
