"""A page says in words what was wrong with what a person sent; a program gets the problem as before."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from bot.bootstrap import Services
from bot.console.html import LANGUAGE_COOKIE
from bot.gateway.middleware import BodyLimit
from bot.identity.models import Role
from tests.factories import make_staff
from tests.integration.console.desk import browser, desk_app, enter

PERSON = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PROGRAM = {"Accept": "application/json"}


@pytest.fixture
async def client(app: FastAPI, services: Services) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(app) as client:
        with services.database.write() as session:
            staff = make_staff(session, services.clock.now(), "Claire", Role.ADMIN)
        enter(client, services, staff)
        yield client


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/staff/nope", 404, "There is no such page, or it is not yours to see."),
        ("/staff/radar/stuck.csv?by=zzz", 422, "“by” has a value that is not possible here: please choose it again."),
        ("/staff/radar/weeks.csv?weeks=99999", 422, "“weeks” is too long: please shorten it."),
        ("/staff/radar/report.pdf?first=2026-09-01-2026", 422, "“From” is too long: please shorten it."),
    ],
)
async def test_a_person_reads_a_page_and_a_program_a_problem(
    client: httpx.AsyncClient, address: str, status: int, words: str
):
    page = await client.get(address, headers=PERSON)
    answer = await client.get(address, headers=PROGRAM)

    assert (page.status_code, page.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert words in page.text
    assert "String should" not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["status"] == status


async def test_the_page_speaks_the_language_of_who_reads_it_and_leads_back(client: httpx.AsyncClient):
    client.cookies.set(LANGUAGE_COOKIE, "fr")
    page = await client.get("/staff/radar/stuck.csv?by=zzz", headers=PERSON)

    assert '<html lang="fr"' in page.text
    assert "<h1>Cela n&#39;a pas été accepté, et rien n&#39;a été modifié.</h1>" in page.text
    assert '<a href="/staff/radar">Retour à «\N{NO-BREAK SPACE}Radar\N{NO-BREAK SPACE}»</a>' in page.text


@pytest.mark.parametrize("address", ["/staff/api/search", "/api/v1/nope"])
async def test_what_only_programs_ask_for_stays_a_problem_whatever_they_accept(client: httpx.AsyncClient, address: str):
    answer = await client.get(address, headers=PERSON)

    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_a_password_that_is_far_too_long_is_said_at_the_sign_in(app: FastAPI):
    async with browser(app) as stranger:
        page = await stranger.post("/staff/sign-in", data={"email": "a@b.fr", "password": "x" * 2000}, headers=PERSON)

    assert page.status_code == 422
    assert "“Password” is too long: please shorten it." in page.text
    assert '<a href="/staff/sign-in">To the sign-in</a>' in page.text


async def test_a_form_of_a_session_that_is_over_leads_to_the_sign_in(app: FastAPI):
    async with browser(app) as stranger:
        page = await stranger.post("/staff/account/password", data={"password": "x"}, headers=PERSON)

    assert page.status_code == 401
    assert "<h1>Please sign in first.</h1>" in page.text


async def test_a_form_with_an_old_token_asks_to_load_the_page_again(client: httpx.AsyncClient):
    page = await client.post("/staff/replies/delete", data={"reply_id": "1"}, headers={**PERSON, "X-CSRF-Token": "old"})

    assert page.status_code == 403
    assert "please load the page again." in page.text


async def test_a_form_that_is_too_large_as_a_whole_is_said_as_well(services: Services):
    app = desk_app(services)
    limited = BodyLimit(app, most_bytes=100)

    async def with_app(scope, receive, send):
        await limited({**scope, "app": app}, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(with_app), base_url="http://desk.test") as client:
        page = await client.post("/staff/answers/save", data={"text_en": "x" * 200}, headers=PERSON)
        answer = await client.post("/staff/answers/save", data={"text_en": "x" * 200}, headers=PROGRAM)

    assert (page.status_code, answer.status_code) == (413, 413)
    assert "Together the fields are too long: please shorten them." in page.text
    assert answer.json()["code"] == "too_large"
