"""Every channel hands over messages under the same promises. Another channel is one more maker in CHANNELS."""

import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Select, select

from bot.bootstrap import Services, build_services
from bot.channels.telegram.channel import WEBHOOK_PATH
from bot.channels.telegram.client import webhook_secret
from bot.config import Settings
from bot.conversations.models import Address, ChannelUpdate, Conversation, InboxEntry, Message
from bot.conversations.service import LONGEST_TEXT
from bot.db.session import Database
from bot.gateway import build_app
from bot.handoff.service import claim, send_file
from tests.factories import make_staff
from tests.fakes import FakeEngine
from tests.fakes.telegram_api import Fake, running
from tests.fakes.telegram_api.core import TOKEN

PATIENCE = 10.0
"""Seconds."""


class Channel(Protocol):
    """A student at the far end of a channel."""

    conversation_id: UUID

    def write(self, text: str, external_id: str) -> bool:
        """Whether the message was taken; a repeat is taken as well."""
        ...

    def heard(self) -> list[str]:
        """What reached the student so far, without what they wrote themselves, in order."""
        ...

    def files(self) -> list[tuple[str, bytes]]:
        """(name, bytes) of the files that reached the student so far, in order."""
        ...

    def close(self) -> None: ...


class WebChannel:
    """The widget: HTTP, long poll."""

    def __init__(self, client: TestClient) -> None:
        opened = client.post("/api/v1/conversations", json={"language": "en"}).json()
        self.conversation_id = UUID(opened["conversation_id"])
        self._client = client
        self._headers = {"Authorization": f"Bearer {opened['token']}"}
        self._url = f"/api/v1/conversations/{self.conversation_id}/messages"

    def write(self, text: str, external_id: str) -> bool:
        body = {"client_id": external_id, "text": text}
        return self._client.post(self._url, json=body, headers=self._headers).is_success

    def heard(self) -> list[str]:
        events: list[dict[str, Any]] = self._client.get(self._url, headers=self._headers).json()["events"]
        return [event["text"] for event in events if event["author"] != "student"]

    def files(self) -> list[tuple[str, bytes]]:
        events: list[dict[str, Any]] = self._client.get(self._url, headers=self._headers).json()["events"]
        address = f"/api/v1/conversations/{self.conversation_id}/files"
        return [
            (file["name"], self._client.get(f"{address}/{file['id']}", headers=self._headers).content)
            for event in events
            for file in event["files"]
        ]

    def close(self) -> None:
        """The client is closed by whoever opened it."""


class TelegramChannel:
    """Telegram: a webhook in, calls of the Bot API out."""

    def __init__(self, client: TestClient) -> None:
        self._services: Services = client.app.state.services
        self._client, self._numbers = client, count(1)
        self._known: dict[str, dict[str, Any]] = {}
        self._fake = Fake(self._services.settings.telegram_api_url, TOKEN)
        self._phone = self._fake.phone()
        # Who has not opened the chat cannot be written to. The update itself is handed over below, by us.
        self._phone.starts()
        self._post("/start", "start")
        (address,) = self._rows(select(Address))
        self.conversation_id = address.conversation_id
        wait_until(lambda: len(self.heard()) == 1)

    def write(self, text: str, external_id: str) -> bool:
        return self._post(text, external_id)

    def heard(self) -> list[str]:
        self._phone.sync()
        return [message.text for message in self._phone.messages.values()]

    def files(self) -> list[tuple[str, bytes]]:
        self._phone.sync()
        sent = [each.body["document"] for each in self._phone.messages.values() if "document" in each.body]
        return [(each["file_name"], self._content(each["file_id"])) for each in sent]

    def _content(self, file_id: str) -> bytes:
        return self._fake.http.get(f"/control/files/{file_id}").raise_for_status().content

    def close(self) -> None:
        self._fake.http.close()

    def _post(self, text: str, external_id: str) -> bool:
        """Telegram calls again with the same number until it hears 200."""
        update = self._known.setdefault(external_id, self._update(text))
        headers = {"X-Telegram-Bot-Api-Secret-Token": webhook_secret(self._services.settings)}
        taken = self._client.post(WEBHOOK_PATH, json=update, headers=headers).is_success
        number = update["update_id"]
        wait_until(lambda: bool(self._rows(select(ChannelUpdate.done_at).where(ChannelUpdate.number == number))[0]))
        return taken

    def _update(self, text: str) -> dict[str, Any]:
        number, person = next(self._numbers), {"id": self._phone.id, "is_bot": False, "first_name": "Test"}
        chat = {"id": self._phone.id, "type": "private", "first_name": "Test"}
        message = {"message_id": number, "date": 1_795_000_000, "chat": chat, "from": person, "text": text}
        return {"update_id": number, "message": message}

    def _rows(self, statement: Select[Any]) -> list[Any]:
        with self._services.database.read() as session:
            return list(session.scalars(statement).all())


CHANNELS: dict[str, Callable[[TestClient], Channel]] = {"web": WebChannel, "telegram": TelegramChannel}


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture(params=sorted(CHANNELS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def telegram(name: str) -> Iterator[dict[str, Any]]:
    """Settings of the channel; {} for the others."""
    if name != "telegram":
        yield {}
        return
    with running(token=TOKEN) as fake:
        fake.settings(burst=100)
        # Nobody listens on the port that the fake would call.
        yield {"telegram_token": TOKEN, "telegram_api_url": fake.address, "telegram_mode": "webhook", "port": 9}


@pytest.fixture
def services(database: Database, tmp_path: Path, telegram: dict[str, Any]) -> Iterator[Services]:
    url = database.engine.url.render_as_string(hide_password=False)
    settings = Settings(data=tmp_path, database_url=url, messages_per_minute=500, _env_file=None, **telegram)
    built = build_services(settings)
    yield built
    built.database.close()


@pytest.fixture
def channel(name: str, services: Services, engine: FakeEngine) -> Iterator[Channel]:
    with TestClient(build_app(services, engine=engine)) as client:
        far_end = CHANNELS[name](client)
        yield far_end
        far_end.close()


@pytest.fixture
def stored(services: Services, channel: Channel) -> Callable[[], list[str]]:
    def read() -> list[str]:
        with services.database.read() as session:
            mine = Message.conversation_id == channel.conversation_id
            return list(
                session.scalars(select(Message.text).where(mine, Message.author == "student").order_by(Message.seq))
            )

    return read


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.02)


def test_the_first_thing_heard_says_that_it_is_a_machine(channel: Channel) -> None:
    (greeting,) = channel.heard()

    assert "I am a machine" in greeting


def test_a_message_is_answered_once_and_its_repeats_change_nothing(
    channel: Channel, stored: Callable[[], list[str]]
) -> None:
    external_id = str(uuid4())

    assert [channel.write("What is the CVEC?", external_id) for _ in range(3)] == [True, True, True]

    wait_until(lambda: len(channel.heard()) == 2)
    assert channel.write("What is the CVEC?", external_id) is True
    assert channel.heard()[1:] == ["echo: What is the CVEC?"]
    assert stored() == ["What is the CVEC?"]


@pytest.mark.parametrize("name", ["web"], indirect=True)
def test_a_client_that_gives_the_same_number_to_another_text_is_told(
    channel: Channel, stored: Callable[[], list[str]]
) -> None:
    external_id = str(uuid4())

    assert (channel.write("one", external_id), channel.write("another", external_id)) == (True, False)
    assert stored() == ["one"]


def test_answers_come_in_the_order_of_the_questions(channel: Channel) -> None:
    questions = [f"question number {number}" for number in range(6)]
    for question in questions:
        assert channel.write(question, str(uuid4())) is True

    wait_until(lambda: len(channel.heard()) == 1 + len(questions))
    assert channel.heard()[1:] == [f"echo: {question}" for question in questions]


@pytest.mark.parametrize("name", ["web"], indirect=True)
@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("x" * LONGEST_TEXT, True),
        ("x" * (LONGEST_TEXT + 1), False),
        ("", False),
        (" \n\t", False),
        ("a\x00b", False),
        ("🙂 مرحبا 你好", True),
    ],
    ids=["longest", "too long", "empty", "blank", "zero character", "every script"],
)
def test_a_client_is_told_what_cannot_be_stored(
    channel: Channel, stored: Callable[[], list[str]], text: str, taken: bool
) -> None:
    assert channel.write(text, str(uuid4())) is taken
    assert stored() == ([text] if taken else [])


def test_while_a_colleague_has_the_conversation_messages_are_kept_and_the_bot_is_silent(
    channel: Channel, services: Services, engine: FakeEngine, stored: Callable[[], list[str]]
) -> None:
    now = services.clock.now()
    with services.database.write() as session:
        claim(session, channel.conversation_id, make_staff(session, now), now)

    assert channel.write("Thank you, Claire", str(uuid4())) is True

    wait_until(lambda: _inbox_is_done(services, channel.conversation_id))
    wait_until(lambda: len(channel.heard()) > 1)
    assert stored() == ["Thank you, Claire"]
    assert channel.heard()[1:] == ["You are now talking to Claire."]
    assert engine.asked == []


def test_a_file_of_a_colleague_reaches_the_student_as_it_was_sent(channel: Channel, services: Services) -> None:
    now, content = services.clock.now(), bytes(range(256)) * 1000
    with services.database.write() as session:
        send_file(
            session,
            channel.conversation_id,
            make_staff(session, now),
            str(uuid4()),
            name="Reçu 收据.pdf",
            media_type="application/pdf",
            content=content,
            now=now,
        )

    wait_until(lambda: len(channel.files()) == 1)
    assert channel.files() == [("Reçu 收据.pdf", content)]
    assert len(channel.heard()) == 3


def test_replies_go_to_the_channel_used_last(channel: Channel, services: Services) -> None:
    channel.write("What is the CVEC?", str(uuid4()))

    with services.database.read() as session:
        used = session.get_one(Conversation, channel.conversation_id).channel
    assert used in CHANNELS


def _inbox_is_done(services: Services, conversation_id: UUID) -> bool:
    with services.database.read() as session:
        states = session.scalars(select(InboxEntry.state).where(InboxEntry.conversation_id == conversation_id)).all()
    return [str(state) for state in states] == ["done"]
