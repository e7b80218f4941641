"""The desk alone as an app, with the helpers that its tests share."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder

import httpx
from fastapi import FastAPI
from sqlalchemy.orm import Session
from starlette.datastructures import State

from bot.answers.urgent import UrgentDoor, build_door
from bot.bootstrap import Services
from bot.clock import Clock
from bot.config import ROOT, Settings
from bot.console import staff_api_router, staff_pages_router
from bot.conversations.live import Live
from bot.conversations.service import hash_token
from bot.db.session import Database
from bot.gateway import problems
from bot.identity.models import Role, Staff, StaffSession
from bot.identity.staff import LONGEST_SESSION, make_token, set_password
from tests.factories import make_staff

PASSWORD = "paper lantern canal"


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory()


def data_folder() -> Path:
    """Of these tests, for the keys that the console makes; gone with the process."""
    return Path(_folder().name)


def desk_services(database: Database, clock: Clock, *, door: UrgentDoor | None = None, **settings: Any) -> Services:
    return Services(
        settings=Settings(_env_file=None, **{"data": data_folder(), **settings}),
        clock=clock,
        database=database,
        knowledge=SimpleNamespace(topics={}, folder=ROOT / "knowledge", school=SimpleNamespace(desk_hours=None)),
        procedures=(),
        door=door or build_door({}),
        live=Live(database, clock),
    )


def new_app() -> FastAPI:
    app = FastAPI()
    problems.install(app)
    app.include_router(staff_api_router())
    app.include_router(staff_pages_router())
    return app


shared_app = cache(new_app)


def desk_app(services: Services, app: FastAPI | None = None) -> FastAPI:
    """One for all tests of a process, unless another is given: finding out what each route takes costs a second."""
    app = app or shared_app()
    app.state = State({"services": services})
    return app


@asynccontextmanager
async def browser(app: FastAPI, base_url: str = "http://desk.test") -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base_url) as client:
        yield client


def staff_with_password(session: Session, services: Services, name: str, role: Role = Role.ADVISER) -> Staff:
    staff = make_staff(session, services.clock.now(), name, role)
    set_password(session, staff, PASSWORD, services.clock.now())
    return staff


def bearer_of(session: Session, services: Services, staff: Staff) -> dict[str, str]:
    return {"Authorization": f"Bearer {make_token(session, staff.email, services.clock.now())}"}


def enter(client: httpx.AsyncClient, services: Services, staff: Staff) -> None:
    """A session without the form and its slow password: for tests of what lies behind the door."""
    now = services.clock.now()
    token, csrf = f"token-of-{staff.email}", f"csrf-of-{staff.email}"
    with services.database.write() as session:
        session.add(
            StaffSession(
                staff_id=staff.id,
                token_hash=hash_token(token),
                csrf_token=csrf,
                created_at=now,
                seen_at=now,
                expires_at=now + LONGEST_SESSION,
            )
        )
    client.cookies.set("accueil_staff", token, domain="desk.test")
    client.headers["X-CSRF-Token"] = csrf


async def sign_in(client: httpx.AsyncClient, staff: Staff, password: str = PASSWORD) -> httpx.Response:
    """Fills in the form as a browser does; afterwards every request of the client carries the CSRF token."""
    form = await client.get("/staff/sign-in")
    response = await client.post(
        "/staff/sign-in", data={"email": staff.email, "password": password, "csrf": hidden(form, "csrf")}
    )
    if response.headers.get("Location") == "/staff":
        page = await client.get("/staff")
        client.headers["X-CSRF-Token"] = hidden(page, "csrf")
    return response


def hidden(page: httpx.Response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None, f"no hidden field {name} in {page.text[:500]}"
    return unescape(found[1])


@dataclass(frozen=True)
class Row:
    """One row of the desk's list, as one reads it."""

    id: str
    classes: str
    name: str
    when: str
    """The instant since when somebody waits; the page says how long that is."""
    excerpts: tuple[str, ...]
    marks: tuple[str, ...]
    hits: tuple[str, ...]
    """Words of a search."""


@dataclass(frozen=True)
class Fragment:
    rows: list[Row]
    facts: dict[str, Any]
    """What the page's script reads besides the rows."""
    empty: str
    buttons: list[str]
    following: str
    """The address of the next page of a search."""

    @property
    def ids(self) -> list[str]:
        return [row.id for row in self.rows]


class _Tree(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.builder = TreeBuilder()
        self.builder.start("body", {})
        self.feed(html)
        self.close()
        self.builder.end("body")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.builder.start(tag, {name: value or "" for name, value in attrs})

    def handle_endtag(self, tag: str) -> None:
        self.builder.end(tag)

    def handle_data(self, data: str) -> None:
        self.builder.data(data)


def fragment(response: httpx.Response) -> Fragment:
    """What an answer of /staff/rows shows. What somebody wrote is never a tag in it."""
    assert response.status_code == 200, response.text
    body = _Tree(response.text).builder.close()
    facts = body.find("div[@data-facts]")
    following = body.find("button[@hx-get]")
    assert {each.tag for each in body.iter()} <= {"body", "a", "b", "button", "div", "i", "mark", "p", "span"}
    return Fragment(
        [_row(each) for each in body if each.get("class", "").split()[:1] == ["row"]],
        json.loads(facts.get("data-facts", "")) if facts is not None else {},
        "".join(_texts(body, "empty")),
        [_words(each) for each in body.iter("button")],
        following.get("hx-get", "") if following is not None else "",
    )


def _row(row: Element) -> Row:
    waits = row.find("span[@data-waits]")
    [name], [when] = _texts(row, "row-name"), _texts(row, "when")
    return Row(
        row.get("data-id") or row.get("id", ""),
        row.get("class", ""),
        name,
        when if waits is None else waits.get("data-waits", ""),
        _texts(row, "excerpt"),
        _texts(row, "mark"),
        tuple(map(_words, row.iter("mark"))),
    )


def _texts(within: Element, of_class: str) -> tuple[str, ...]:
    return tuple(_words(each) for each in within.iter() if of_class in each.get("class", "").split())


def _words(element: Element) -> str:
    return "".join(element.itertext())
