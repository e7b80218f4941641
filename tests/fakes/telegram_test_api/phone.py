"""The client side of `telegram-test-api`, as a phone like those of our own fake.

The package keeps a message as the bot sent it: `Received.text` is what a phone would show of that HTML. Edits, typing
and answers to pressed buttons cannot be seen here.
"""

import re
import time
from html import unescape
from typing import Any, Self

import httpx

from tests.fakes.telegram_api.phone import Button, CannotDo, Received
from tests.fakes.telegram_api.rules import Json

LOOK_EVERY = 0.05
TAG = re.compile(r"<[^>]+>")


class OtherServer:
    """A running server of the package, and what a gateway must know of it."""

    token = "666:AAtests"

    def __init__(self, address: str) -> None:
        self.address = address
        self.http = httpx.Client(base_url=address, verify=False, trust_env=False, timeout=60)
        self._next_person = 500_000_001

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def phone(self, name: str = "Test", language_code: str = "en") -> "OtherPhone":
        """A phone of a new person."""
        number, self._next_person = self._next_person, self._next_person + 1
        return OtherPhone(self, {"id": number, "is_bot": False, "first_name": name, "language_code": language_code})

    def ask(self, path: str, body: Json) -> Any:
        """One call of the client side."""
        return self.http.post(path, json=body).raise_for_status().json()["result"]


class OtherPhone:
    """A `Handset`: one person and their private chat with the bot."""

    def __init__(self, server: OtherServer, person: Json) -> None:
        self.server, self.person = server, person
        self.id = int(person["id"])
        self.messages: dict[int, Received] = {}
        self._unread: list[Received] = []

    def starts(self, payload: str = "") -> int:
        return self.says(f"/start {payload}".rstrip())

    def says(self, text: str) -> int:
        message = {**self._meta(), "from": self.person, "chat": self._chat(), "text": text}
        if text.startswith("/"):
            command = {"type": "bot_command", "offset": 0, "length": len(text.split()[0])}
            self.server.ask("/sendCommand", {**message, "entities": [command]})
        else:
            self.server.ask("/sendMessage", message)
        return int(self._newest("message")["messageId"])

    def presses(self, button: str | Button, message: Received | None = None) -> str:
        """Press a button: by its label in the newest message that has it. Returns the number of the query."""
        self._sync()
        label = button if isinstance(button, str) else button.text
        if message is None:
            message = next((each for each in reversed(self.messages.values()) if label in each.labels), None)
        if message is None:
            raise CannotDo(f"no message has the button {label!r}")
        pressed = message.button(button) if isinstance(button, str) else button
        under = {"message_id": message.id, "date": int(message.at), "chat": self._chat(), "text": message.text}
        self.server.ask("/sendCallback", {**self._meta(), "from": self.person, "message": under, "data": pressed.data})
        return str(self._newest("callbackQuery")["callbackId"])

    def reads(self, timeout: float = 5.0, count: int = 1) -> list[Received]:
        until = time.monotonic() + timeout
        self._sync()
        while len(self._unread) < count and time.monotonic() < until:
            time.sleep(LOOK_EVERY)
            self._sync()
        read, self._unread = self._unread, []
        return read

    def _sync(self) -> None:
        for update in self.server.ask("/getUpdates", {"token": self.server.token, "chatId": self.id}):
            new = _received(update)
            self.messages[new.id] = new
            self._unread.append(new)

    def _newest(self, part: str) -> Json:
        """The last thing of this person that the server took in: it does not answer with the number it gave it."""
        history = self.server.ask("/getUpdatesHistory", {"token": self.server.token})
        own = [each for each in history if each.get(part, {}).get("from", {}).get("id") == self.id]
        newest: Json = max(own, key=lambda each: int(each["updateId"]))
        return newest

    def _meta(self) -> Json:
        return {"botToken": self.server.token, "date": int(time.time())}

    def _chat(self) -> Json:
        return {"id": self.id, "type": "private", "first_name": self.person["first_name"]}


def _received(update: Json) -> Received:
    body = update["message"]
    is_html = body.get("parse_mode") == "HTML"
    rows = (body.get("reply_markup") or {}).get("inline_keyboard", [])
    return Received(
        id=int(update["messageId"]),
        text=unescape(TAG.sub("", body["text"])) if is_html else body["text"],
        html=body["text"] if is_html else None,
        entities=[],
        keyboard=[[Button(b["text"], b.get("callback_data", ""), b.get("url", "")) for b in row] for row in rows],
        at=update["time"] / 1000,
        body=body,
    )
