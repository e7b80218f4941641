"""A fake from outside, and a phone on it: what tests use. Over HTTP only, so the fake may be another process."""

import asyncio
import base64
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import httpx

from tests.fakes.telegram_api.core import Core
from tests.fakes.telegram_api.rules import Json


class CannotDo(AssertionError):
    """The phone cannot do this: no such button, no such message."""


@dataclass(frozen=True)
class Button:
    """`data` or `url` is empty."""

    text: str
    data: str
    url: str


@dataclass
class Received:
    """A message of the bot as it stands now. `html`: what the bot wrote, None where it wrote plain text."""

    id: int
    text: str
    html: str | None
    entities: list[Json]
    keyboard: list[list[Button]]
    at: float
    body: Json = field(repr=False)
    is_edited: bool = False
    is_deleted: bool = False

    @property
    def labels(self) -> list[str]:
        """Of all buttons, row after row."""
        return [each.text for row in self.keyboard for each in row]

    def button(self, label: str) -> Button:
        found = next((each for row in self.keyboard for each in row if each.text == label), None)
        if found is None:
            raise CannotDo(f"no button {label!r}; there are: {self.labels}")
        return found


class Handset(Protocol):
    """The least that a phone can do; other test servers of the Bot API can do it as well."""

    def starts(self, payload: str = "") -> int: ...

    def says(self, text: str) -> int: ...

    def presses(self, button: str | Button, message: Received | None = None) -> str: ...

    def reads(self, timeout: float = 5.0, count: int = 1) -> list[Received]: ...


class Fake:
    """A running fake. `core` is its inside when it runs in this process."""

    def __init__(self, address: str, token: str, core: Core | None = None) -> None:
        self.address, self.token, self.core = address.rstrip("/"), token, core
        # Loopback only: no certificate store to read and no proxy to go through.
        limits = httpx.Limits(max_connections=None)
        self.http = httpx.Client(base_url=self.address, verify=False, trust_env=False, timeout=60, limits=limits)
        self._next_person = 500_000_001

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def wait_until_up(self, seconds: float = 10.0) -> None:
        until = time.monotonic() + seconds
        while True:
            try:
                self.http.get("/control/state").raise_for_status()
                return
            except httpx.HTTPError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)

    @property
    def environment(self) -> dict[str, str]:
        """For a gateway that is to speak with this fake."""
        return {"ACCUEIL_TELEGRAM_TOKEN": self.token, "ACCUEIL_TELEGRAM_API_URL": self.address}

    def phone(self, user_id: int | None = None, name: str = "Test", language_code: str = "en", **more: str) -> "Phone":
        """A phone of a new person (or of the one with this number). `more`: last_name, username."""
        if user_id is None:
            user_id, self._next_person = self._next_person, self._next_person + 1
        person: Json = {"id": user_id, "name": name, "language_code": language_code, **more}
        return Phone(self, person)

    # ── What the bot did ─────────────────────────────────────────────────────────────────────────────────────────

    def calls(self, method: str = "", after: int = 0) -> list[Json]:
        """What the bot asked, oldest first: method, params, at, status (0: cut), description, result."""
        found: list[Json] = self._get("/control/calls", {"method": method, "after": after})
        return found

    def state(self) -> Json:
        """bot, pending (updates), next_update, webhook, violations, people, calls (how many)."""
        found: Json = self._get("/control/state", {})
        return found

    @property
    def violations(self) -> dict[str, int]:
        """How often the bot was faster than it may be; empty when never."""
        found: dict[str, int] = self.state()["violations"]
        return found

    def menu(self, language: str = "") -> list[Json]:
        """The command menu of a phone in this language."""
        found: list[Json] = self._get("/control/menu", {"language": language})["commands"]
        return found

    # ── What goes wrong ──────────────────────────────────────────────────────────────────────────────────────────

    def fault(self, kind: str, **how: Any) -> None:
        """Let something go wrong from now on; `faults.Fault` says what there is. `lasts` is in seconds."""
        self._post("/control/faults", {"kind": kind, **how})

    def faults(self) -> list[Json]:
        """All faults, with how often each has `struck`."""
        found: list[Json] = self._get("/control/faults", {})
        return found

    def heals(self) -> None:
        """Nothing goes wrong any more."""
        self.http.delete("/control/faults").raise_for_status()

    def settings(self, **values: Any) -> None:
        """burst, per_second, group_per_minute, tolerance (of the limits); query_lasts; bot_name, bot_username."""
        self._post("/control/settings", values)

    # ── Underneath ───────────────────────────────────────────────────────────────────────────────────────────────

    def _get(self, path: str, params: Json) -> Any:
        return self.http.get(path, params=params).raise_for_status().json()

    def _post(self, path: str, body: Json) -> Any:
        answer = self.http.post(path, json=body)
        if answer.status_code == 422:
            raise CannotDo(answer.json()["error"])
        return answer.raise_for_status().json()

    def deed(self, person: Json, name: str, **values: Any) -> Json:
        found: Json = self._post("/control/deed", {"person": person, "deed": name, **values})
        return found

    def events(self, chat: int, after: int, timeout: float) -> tuple[list[Json], int]:
        found = self._get(f"/control/chats/{chat}/events", {"after": after, "timeout": timeout})
        return found["events"], found["next"]


class Phone:
    """One person's Telegram. What it does is done when the call returns; what the bot answers is read later."""

    def __init__(self, fake: Fake, person: Json) -> None:
        self.fake, self.person = fake, person
        self.id = int(person["id"])
        self.typing: list[float] = []
        """When the bot was seen typing (seconds since 1970)."""
        self.answers: list[Json] = []
        """What the bot answered to pressed buttons: query_id, text, show_alert."""
        self.messages: dict[int, Received] = {}
        """All of the bot, as they stand now; `sync` brings them up to date."""
        self.edits_seen: list[Received] = []
        self._unread: list[Received] = []
        self._after = 0
        fake.deed(person, "appears")

    # ── What the person does ─────────────────────────────────────────────────────────────────────────────────────

    def starts(self, payload: str = "") -> int:
        """Press Start, or open a deep link. Returns the number of the message."""
        return self.says(f"/start {payload}".rstrip())

    def says(self, text: str, chat: int | None = None) -> int:
        return int(self._do("says", text=text, chat=chat)["message_id"])

    def edits(self, message: int, text: str) -> None:
        """Change the text or the caption of an own message."""
        self._do("edits", message_id=message, text=text)

    def presses(self, button: str | Button, message: Received | None = None) -> str:
        """Press a button: by its label in the newest message that has it. Returns the number of the query.

        A button that is gone from its message can be pressed as well, as on a phone that lagged: give both.
        """
        self.sync()
        if message is None:
            message = self._newest_with(button)
        pressed = message.button(button) if isinstance(button, str) else button
        if pressed.url:
            raise CannotDo(f"{pressed.text!r} opens {pressed.url}")
        known = self.messages.get(message.id)
        is_there = known is not None and any(pressed.data == each.data for row in known.keyboard for each in row)
        done = self._do("presses", message_id=message.id, data=pressed.data, anyway=not is_there)
        return str(done["query_id"])

    def sends_photo(self, data: bytes = b"a photo", caption: str = "", **more: Any) -> int:
        return self._sends({"kind": "photo", "name": "photo.jpg", "caption": caption, **_bytes(data), **more})

    def sends_album(self, photos: Sequence[bytes], caption: str = "") -> list[int]:
        """Several photos at once; the caption stands on the first."""
        items = [{"kind": "photo", "name": "photo.jpg", **_bytes(each)} for each in photos]
        items[0]["caption"] = caption
        return [int(each["message_id"]) for each in self._do("sends", items=items)["messages"]]

    def sends_document(
        self, name: str, data: bytes = b"a document", *, media_type: str = "application/pdf", **more: Any
    ) -> int:
        """`size=` makes it claim a size of its own; `caption=`."""
        return self._sends({"kind": "document", "name": name, "media_type": media_type, **_bytes(data), **more})

    def sends_voice(self, data: bytes = b"a voice") -> int:
        return self._sends({"kind": "voice", "name": "voice.oga", **_bytes(data)})

    def sends_video(self, data: bytes = b"a video", name: str = "video.mp4") -> int:
        return self._sends({"kind": "video", "name": name, "media_type": "video/mp4", **_bytes(data)})

    def sends_sticker(self, emoji: str = "🙂") -> int:
        return self._sends({"kind": "sticker", "emoji": emoji})

    def sends_location(self, latitude: float = 50.6333, longitude: float = 3.0667) -> int:
        return self._sends({"kind": "location", "latitude": latitude, "longitude": longitude})

    def sends_contact(self, name: str = "Test", phone_number: str = "+33600000000") -> int:
        return self._sends({"kind": "contact", "name": name, "phone_number": phone_number})

    def sends_poll(self, question: str = "A question?") -> int:
        return self._sends({"kind": "poll", "question": question})

    def blocks(self) -> None:
        self._do("blocks")

    def unblocks(self) -> None:
        self._do("unblocks")

    def leaves_telegram(self) -> None:
        """The account is deactivated."""
        self._do("leaves")

    def speaks(self, language_code: str) -> None:
        """Telegram is set to another language."""
        self.person["language_code"] = language_code
        self._do("appears")

    def adds_to_group(self, title: str = "A group", kind: str = "group") -> int:
        """Add the bot to a new group ("group", "supergroup" or "channel"). Returns the number of its chat."""
        return int(self._do("groups", title=title, kind=kind)["chat"])

    def puts_out(self, group: int) -> None:
        self._do("puts_out", chat=group)

    def migrates(self, group: int) -> int:
        """The group becomes a supergroup. Returns the number of the new chat."""
        return int(self._do("migrates", chat=group)["chat"])

    # ── What the person sees ─────────────────────────────────────────────────────────────────────────────────────

    def reads(self, timeout: float = 5.0, count: int = 1) -> list[Received]:
        """The messages of the bot not read yet, once there are `count` or the time is over (it may be fewer then)."""
        until = time.monotonic() + timeout
        while True:
            self.sync(0.0 if len(self._unread) >= count else max(0.0, until - time.monotonic()))
            if len(self._unread) >= count or time.monotonic() >= until:
                read, self._unread = self._unread, []
                return read

    async def areads(self, timeout: float = 5.0, count: int = 1) -> list[Received]:  # noqa: ASYNC109
        """`reads` for a test in whose event loop the bot runs."""
        return await asyncio.to_thread(self.reads, timeout, count)

    def reads_one(self, timeout: float = 5.0) -> Received:
        """Exactly one message."""
        read = self.reads(timeout)
        if len(read) != 1:
            raise CannotDo(f"{len(read)} messages instead of one: {[each.text for each in read]}")
        return read[0]

    def sync(self, timeout: float = 0.0) -> None:
        """Take in what happened since the last look; waits up to `timeout` seconds for something."""
        events, self._after = self.fake.events(self.id, self._after, timeout)
        for event in events:
            self._sees(event)

    def events(self, chat: int) -> list[Json]:
        """Everything that happened in another chat, such as a group."""
        return self.fake.events(chat, 0, 0.0)[0]

    def _sees(self, event: Json) -> None:
        kind = event["kind"]
        if kind == "action":
            self.typing.append(event["at"])
        elif kind == "answer":
            self.answers.append({name: event[name] for name in ("query_id", "text", "show_alert")})
        elif event.get("from_bot"):
            self._sees_message(kind, event)

    def _sees_message(self, kind: str, event: Json) -> None:
        new = _received(event)
        if kind == "message":
            self.messages[new.id] = new
            self._unread.append(new)
            return
        known = self.messages[new.id]
        if kind == "delete":
            known.is_deleted = True
            return
        # The same object that a test holds: it sees the message as it stands now.
        known.text, known.html, known.entities = new.text, new.html, new.entities
        known.keyboard, known.body, known.is_edited = new.keyboard, new.body, True
        self.edits_seen.append(known)

    def _newest_with(self, button: str | Button) -> Received:
        label = button if isinstance(button, str) else button.text
        for message in reversed(self.messages.values()):
            if label in message.labels and not message.is_deleted:
                return message
        shown = [each.labels for each in self.messages.values() if each.labels]
        raise CannotDo(f"no message has the button {label!r}; there are: {shown}")

    def _sends(self, item: Json) -> int:
        return int(self._do("sends", items=[item])["messages"][0]["message_id"])

    def _do(self, name: str, **values: Any) -> Json:
        return self.fake.deed(self.person, name, **{k: v for k, v in values.items() if v is not None})


def _bytes(data: bytes) -> Json:
    return {"data": base64.b64encode(data).decode()}


def _received(event: Json) -> Received:
    body = event["message"]
    rows = body.get("reply_markup", {}).get("inline_keyboard", [])
    return Received(
        id=body["message_id"],
        text=body.get("text", body.get("caption", "")),
        html=event["html"],
        entities=body.get("entities", body.get("caption_entities", [])),
        keyboard=[[Button(b["text"], b.get("callback_data", ""), b.get("url", "")) for b in row] for row in rows],
        at=event["at"],
        body=body,
    )
