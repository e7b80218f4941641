"""The door of the console."""

import re
from datetime import timedelta
from html import unescape

import httpx
import pytest
from fastapi import FastAPI

from bot.bootstrap import Services
from bot.clock import FixedClock
from bot.db.session import Database
from bot.identity.models import Staff
from tests.integration.console.desk import (
    PASSWORD,
    browser,
    desk_app,
    desk_services,
    enter,
    hidden,
    sign_in,
    staff_with_password,
)


async def test_who_signs_in_reaches_the_desk(client: httpx.AsyncClient, claire: Staff):
    response = await sign_in(client, claire)
    page = await client.get("/staff")

    assert (response.status_code, response.headers["Location"]) == (303, "/staff")
    assert page.status_code == 200
    assert "claire@junia.example" in page.text


async def test_the_cookie_cannot_be_read_by_scripts_nor_sent_by_other_sites(client: httpx.AsyncClient, claire: Staff):
    response = await sign_in(client, claire)

    cookie = next(each for each in response.headers.get_list("set-cookie") if each.startswith("accueil_staff="))
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert attributes == {"httponly", "samesite=lax", "path=/", "max-age=43200"}


async def test_over_https_the_cookie_belongs_to_this_host_alone(database: Database, clock: FixedClock):
    services = desk_services(database, clock, public_url="https://desk.test")
    with database.write() as session:
        claire = staff_with_password(session, services, "Claire")
    async with browser(desk_app(services), "https://desk.test") as client:
        response = await sign_in(client, claire)

    cookie = next(each for each in response.headers.get_list("set-cookie") if "accueil_staff=" in each)
    assert cookie.startswith("__Host-accueil_staff=")
    assert "; Secure" in cookie


async def test_an_unknown_address_and_a_wrong_password_get_the_same_words(client: httpx.AsyncClient, claire: Staff):
    wrong = await sign_in(client, claire, "not the password")
    form = await client.get("/staff/sign-in")
    unknown = await client.post(
        "/staff/sign-in",
        data={"email": "nobody@junia.example", "password": PASSWORD, "csrf": hidden(form, "csrf")},
    )

    assert (wrong.status_code, unknown.status_code) == (401, 401)
    for response in (wrong, unknown):
        assert '<p class="error" role="alert" id="error">The e-mail address or the password is wrong.' in response.text
    assert (await client.get("/staff")).status_code == 303


async def test_the_sixth_try_is_told_to_wait(client: httpx.AsyncClient, claire: Staff):
    answers = [await sign_in(client, claire, "not the password") for _ in range(5)]
    sixth = await sign_in(client, claire)

    assert [answer.status_code for answer in answers] == [401] * 5
    assert sixth.status_code == 429
    assert sixth.headers["Retry-After"] == "900"
    assert "Please try again in 15 minutes." in sixth.text


@pytest.mark.parametrize("csrf", ["", "guessed"])
async def test_a_form_from_another_site_signs_nobody_in(client: httpx.AsyncClient, claire: Staff, csrf: str):
    await client.get("/staff/sign-in")
    response = await client.post("/staff/sign-in", data={"email": claire.email, "password": PASSWORD, "csrf": csrf})

    assert response.status_code == 403
    assert "accueil_staff" not in client.cookies


async def test_after_the_sign_out_the_old_cookie_opens_nothing(client: httpx.AsyncClient, claire: Staff, app: FastAPI):
    await sign_in(client, claire)
    token = client.cookies["accueil_staff"]
    response = await client.post("/staff/sign-out", data={"csrf": client.headers["X-CSRF-Token"]})
    async with browser(app) as thief:
        thief.cookies.set("accueil_staff", token)
        again = await thief.get("/staff/api/mentions")

    assert response.headers["Location"] == "/staff/sign-in"
    assert again.status_code == 401


async def test_signing_out_needs_the_token_as_well(client: httpx.AsyncClient, claire: Staff):
    await sign_in(client, claire)
    refused = await client.post("/staff/sign-out")

    assert refused.status_code == 403
    assert (await client.get("/staff")).status_code == 200


async def test_thirty_idle_minutes_end_the_session_and_reading_by_itself_does_not_keep_it(
    client: httpx.AsyncClient, claire: Staff, clock: FixedClock
):
    await sign_in(client, claire)
    clock.instant += timedelta(minutes=29)
    polled = await client.get("/staff/rows")
    clock.instant += timedelta(minutes=1)
    over = await client.get("/staff/rows")

    assert (polled.status_code, over.status_code) == (200, 401)


async def test_somebody_at_the_screen_keeps_the_session(client: httpx.AsyncClient, claire: Staff, clock: FixedClock):
    await sign_in(client, claire)
    clock.instant += timedelta(minutes=29)
    here = await client.post("/staff/api/here")
    clock.instant += timedelta(minutes=29)

    assert here.status_code == 204
    assert (await client.get("/staff/api/mentions")).status_code == 200


async def test_every_sign_in_is_a_new_session(client: httpx.AsyncClient, claire: Staff, app: FastAPI):
    await sign_in(client, claire)
    first = client.cookies["accueil_staff"]
    async with browser(app) as other:
        other.cookies.set("accueil_staff", "planted")
        await sign_in(other, claire)
        planted = [cookie.value for cookie in other.cookies.jar if cookie.name == "accueil_staff"]

    assert first not in planted
    assert planted != ["planted"]


async def test_the_language_of_the_colleague_is_kept_in_the_account(
    client: httpx.AsyncClient, claire: Staff, services: Services
):
    await sign_in(client, claire)
    csrf = client.headers["X-CSRF-Token"]
    await client.post("/staff/language", data={"language": "fr", "csrf": csrf})
    await client.post("/staff/language", data={"language": "xx", "csrf": csrf})
    page = await client.get("/staff")

    assert page.headers["Content-Language"] == "fr"
    with services.database.read() as session:
        assert session.get_one(Staff, claire.id).language == "fr"


async def test_who_must_sign_in_first_comes_back_to_the_same_text_after_a_wrong_password_in_the_other_language(
    client: httpx.AsyncClient, claire: Staff
):
    door = await client.get("/staff/answers?edition=6&done=saved")
    form = await client.get(door.headers["Location"])
    in_french = re.search(r'href="([^"]*lang=fr[^"]*)"', form.text)
    assert in_french is not None
    form = await client.get(unescape(in_french[1]))
    wrong = await _fill_in(client, form, claire, "not the password")
    response = await _fill_in(client, wrong, claire)

    assert door.headers["Location"] == "/staff/sign-in?next=%2Fstaff%2Fanswers%3Fedition%3D6%26done%3Dsaved"
    assert form.headers["Content-Language"] == "fr"
    assert wrong.status_code == 401
    assert response.headers["Location"] == "/staff/answers?edition=6&done=saved"


async def test_who_is_signed_in_meanwhile_goes_on_at_once(client: httpx.AsyncClient, claire: Staff):
    await sign_in(client, claire)
    page = await client.get("/staff/sign-in", params={"next": "/staff/answers?edition=6"})
    elsewhere = await client.get("/staff/sign-in", params={"next": "https://elsewhere.test/"})

    assert page.headers["Location"] == "/staff/answers?edition=6"
    assert elsewhere.headers["Location"] == "/staff"


async def _fill_in(
    client: httpx.AsyncClient, form: httpx.Response, staff: Staff, password: str = PASSWORD
) -> httpx.Response:
    given = {name: hidden(form, name) for name in ("csrf", "next")}
    return await client.post("/staff/sign-in", data={"email": staff.email, "password": password, **given})


@pytest.mark.parametrize(
    ("path", "goes_to"),
    [
        ("https://elsewhere.test/", "/staff"),
        ("//elsewhere.test/staff", "/staff"),
        ("/staff@elsewhere.test/?x", "/staff"),
        ("/staff/answers/save?x", "/staff"),
        ("/staff", "/staff"),
        ("/staff/answers?q=https://elsewhere.test/", "/staff/answers?q=https://elsewhere.test/"),
        ("/staff/answers?" + "x" * 600, "/staff"),
    ],
)
async def test_after_the_sign_in_one_lands_on_a_page_of_ours(
    client: httpx.AsyncClient, claire: Staff, path: str, goes_to: str
):
    form = await client.get("/staff/sign-in", params={"next": path})
    response = await _fill_in(client, form, claire)

    assert response.headers["Location"] == goes_to


async def test_styles_and_scripts_are_kept_when_their_address_names_the_version(client: httpx.AsyncClient):
    sheet = await client.get("/staff/static/console.css")
    version = sheet.headers["ETag"].strip('"')
    named = await client.get(f"/staff/static/console.css?v={version}")
    known = await client.get("/staff/static/console.css", headers={"If-None-Match": sheet.headers["ETag"]})
    missing = await client.get("/staff/static/..%2Faccess.py")

    assert sheet.headers["Cache-Control"] == "no-cache"
    assert named.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert (known.status_code, missing.status_code) == (304, 404)


async def test_signing_in_again_ends_the_session_this_browser_had(
    client: httpx.AsyncClient, claire: Staff, app: FastAPI, services: Services
):
    form = await client.get("/staff/sign-in")
    enter(client, services, claire)
    before = client.cookies["accueil_staff"]
    fields = {"email": claire.email, "password": PASSWORD, "csrf": hidden(form, "csrf")}
    again = await client.post("/staff/sign-in", data=fields)

    async with browser(app) as old:
        old.cookies.set("accueil_staff", before)
        assert (again.status_code, (await old.get("/staff/api/mentions")).status_code) == (303, 401)


async def test_an_address_with_a_zero_character_is_a_wrong_one(client: httpx.AsyncClient, claire: Staff):
    form = await client.get("/staff/sign-in")
    fields = {"email": "claire\x00@junia.example", "password": PASSWORD, "csrf": hidden(form, "csrf")}

    assert (await client.post("/staff/sign-in", data=fields)).status_code == 401
