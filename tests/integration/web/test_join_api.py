"""Joining Telegram to a page over HTTP."""

from uuid import UUID
from xml.etree import ElementTree

import pytest
from sqlalchemy import select

from bot.channels.status import ChannelStatus
from bot.conversations.models import Address, Conversation
from bot.identity.joining import Claim, claim

SVG = "{http://www.w3.org/2000/svg}"
NOTHING = {"state": "none", "name": "", "claim": None, "expires_at": None, "bot": "junia_desk_bot"}
REQUESTS = [
    ("POST", "", None),
    ("GET", "", None),
    ("POST", "/confirm", {"claim": "x"}),
    ("POST", "/refuse", {"claim": "x"}),
]
ALL = [*REQUESTS, ("DELETE", "", None)]


class Page:
    """A conversation over HTTP."""

    def __init__(self, client, language: str = "en") -> None:
        opened = client.post("/api/v1/conversations", json={"language": language}).json()
        self.client, self.id, self.token = client, opened["conversation_id"], opened["token"]

    def ask(self, method: str, path: str = "", body: dict | None = None):
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.client.request(method, f"{self.address}{path}", headers=headers, json=body)

    @property
    def address(self) -> str:
        return f"/api/v1/conversations/{self.id}/telegram"

    def link(self) -> str:
        """The token in the address."""
        return self.ask("POST").json()["url"].partition("?start=")[2]

    def shown(self) -> str:
        return self.ask("GET").json()["claim"]


@pytest.fixture
def status(client) -> ChannelStatus:
    client.app.state.telegram = ChannelStatus("on", "junia_desk_bot")
    return client.app.state.telegram


@pytest.fixture
def page(client, status) -> Page:
    return Page(client)


def opened(services, token: str, external: str = "7", name: str = "Ana (@ana)") -> Claim:
    with services.database.write() as session:
        return claim(session, token, "telegram", external, name, services.clock.now())


def test_the_link_opens_our_account_with_a_token_and_comes_with_a_picture(page):
    answer = page.ask("POST")

    body = answer.json()
    address, _, token = body["url"].partition("?start=")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
    assert body.keys() == {"url", "qr", "expires_at"}
    assert address == "https://t.me/junia_desk_bot"
    assert len(token) == 43
    image = ElementTree.fromstring(body["qr"])
    assert image.get("role") == "img"
    assert image.findtext(f"{SVG}title") == "QR code that opens Telegram"
    assert [path.get("fill") or path.get("stroke") for path in image.iter(f"{SVG}path")] == ["#fff", "#000"]


def test_a_page_follows_its_link_until_the_account_has_joined(page, services):
    before = page.ask("GET").json()
    token = page.link()
    issued = page.ask("GET").json()
    opened(services, token)
    asked = page.ask("GET").json()

    joined = page.ask("POST", "/confirm", {"claim": asked["claim"]})

    assert before == NOTHING
    assert (issued["state"], issued["name"]) == ("issued", "")
    assert (asked["state"], asked["name"], asked["claim"]) == ("claimed", "Ana (@ana)", issued["claim"])
    assert (joined.status_code, joined.json()) == (200, NOTHING | {"state": "joined", "name": "Ana (@ana)"})
    assert page.ask("GET").json() == joined.json()
    with services.database.read() as session:
        assert session.scalars(select(Address.conversation_id)).one() == UUID(page.id)


def test_no_ends_the_link_and_a_new_one_can_be_made(page, services):
    token = page.link()
    opened(services, token, name="Mallory")

    refused = page.ask("POST", "/refuse", {"claim": page.shown()}).json()

    assert refused == NOTHING | {"state": "refused"}
    assert opened(services, token) == Claim.OVER
    assert opened(services, page.link()) == Claim.YOURS


def test_a_yes_to_nothing_says_what_holds(page):
    assert page.ask("POST", "/confirm", {"claim": "abc"}).json() == NOTHING


def test_telegram_is_disconnected_also_while_it_is_away(page, services, status):
    opened(services, page.link())
    page.ask("POST", "/confirm", {"claim": page.shown()})
    status.state = "trouble"

    assert page.ask("DELETE").status_code == 204
    assert page.ask("DELETE").status_code == 204
    status.state = "on"
    assert page.ask("GET").json() == NOTHING
    with services.database.read() as session:
        own = session.scalars(select(Address.conversation_id)).one()
        assert own != UUID(page.id)
        assert session.get_one(Conversation, own).student_id is None


def test_where_telegram_is_not_on_there_is_nothing(page, status):
    answers = []
    for state in ("off", "starting", "trouble"):
        status.state = state
        answers += [page.ask(*request) for request in REQUESTS]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "not_found")}


def test_only_the_page_itself_may_ask(client, page):
    stranger = Page(client)
    stranger.id = page.id
    nobody = [client.request(method, f"{page.address}{path}", json=body) for method, path, body in ALL]
    with_another_token = [stranger.ask(*request) for request in ALL]

    assert {(answer.status_code, answer.json()["code"]) for answer in nobody} == {(401, "not_signed_in")}
    assert {(answer.status_code, answer.json()["code"]) for answer in with_another_token} == {(404, "not_found")}


def test_an_answer_names_the_account_it_is_about(page):
    bodies = [None, {}, {"claim": 7}, {"claim": "x" * 17}, {"claim": "x", "name": "Ana"}]
    answers = [page.ask("POST", path, body) for path in ("/confirm", "/refuse") for body in bodies]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(422, "invalid_field")}


def test_anybody_may_ask_which_messengers_there_are(client, status):
    assert client.get("/api/v1/channels").json() == {"telegram": {"state": "on", "name": "junia_desk_bot"}}


def test_trouble_is_not_told_outside(client):
    client.app.state.telegram = ChannelStatus("trouble", "junia_desk_bot", "the token is wrong")

    assert client.get("/api/v1/channels").json() == {"telegram": {"state": "trouble", "name": "junia_desk_bot"}}
