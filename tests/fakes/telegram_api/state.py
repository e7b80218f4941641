"""What Telegram knows: people, chats, messages, updates that wait for the bot. Pure: "now" is an argument.

Times are seconds since 1970. What goes to the bot are the objects of the Bot API as JSON.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.telegram_api import rules
from tests.fakes.telegram_api.limits import Limits
from tests.fakes.telegram_api.rules import Json, Refused, bad, forbidden

KEPT = 24 * 3600.0
"""Seconds that an update waits for the bot."""
FIRST_UPDATE = 730_000_001
FIRST_GROUP = -4_000_001
FIRST_SUPERGROUP = -1_002_000_000_001


@dataclass
class Person:
    """A Telegram account."""

    id: int
    name: str = "Test"
    last_name: str = ""
    username: str = ""
    language_code: str = "en"
    is_deactivated: bool = False

    @property
    def user(self) -> Json:
        user: Json = {"id": self.id, "is_bot": False, "first_name": self.name}
        optional = {"last_name": self.last_name, "username": self.username, "language_code": self.language_code}
        return {**user, **{name: value for name, value in optional.items() if value}}

    @property
    def chat(self) -> Json:
        """The private chat with this person."""
        return {k: v for k, v in self.user.items() if k not in ("is_bot", "language_code")} | {"type": "private"}


@dataclass
class Chat:
    """A private chat has the number of its person."""

    id: int
    kind: str
    title: str = ""
    is_blocked: bool = False
    """Private: the person blocked the bot. Group: the bot was put out or left."""
    migrated_to: int | None = None


@dataclass
class Message:
    """`body` is the object of the Bot API; `html` what the bot wrote, where it wrote HTML."""

    body: Json
    is_ours: bool
    html: str | None = None
    is_deleted: bool = False

    @property
    def id(self) -> int:
        return int(self.body["message_id"])


@dataclass
class Update:
    number: int
    kind: str
    body: Json
    chat: int
    made_at: float
    ready_at: float
    retry_at: float = 0.0
    """When the webhook, which did not take it, gets it again."""
    attempts: int = 0
    repeats: int = 0
    """How often it must come again after it was taken."""

    @property
    def json(self) -> Json:
        return {"update_id": self.number, self.kind: self.body}


@dataclass
class Query:
    """A pressed button that waits for answerCallbackQuery."""

    id: str
    chat: int
    at: float
    is_answered: bool = False


@dataclass
class File:
    id: str
    unique_id: str
    path: str
    data: bytes
    size: int
    """May be larger than the data, to try limits without the bytes."""


@dataclass
class Webhook:
    url: str = ""
    secret: str = ""
    most_at_once: int = 40
    last_error: str = ""
    last_error_at: float = 0.0


@dataclass
class World:
    """Everything of one bot. The phone and the Bot API act on it from one event loop."""

    bot_id: int
    bot_name: str = "Accueil sandbox"
    bot_username: str = "accueil_sandbox_bot"
    query_lasts: float = 15.0
    """Seconds within which a pressed button must be answered."""
    limits: Limits = field(default_factory=Limits)
    people: dict[int, Person] = field(default_factory=dict)
    chats: dict[int, Chat] = field(default_factory=dict)
    messages: dict[tuple[int, int], Message] = field(default_factory=dict)
    updates: list[Update] = field(default_factory=list)
    """In the order of their numbers; taken away when the bot has acknowledged them."""
    queries: dict[str, Query] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    commands: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    """(scope, language) → commands."""
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    """("name" | "description" | "short_description", language) → text."""
    webhook: Webhook = field(default_factory=Webhook)
    allowed: tuple[str, ...] = field(default_factory=lambda: rules.kinds([]))
    events: dict[int, list[Json]] = field(default_factory=lambda: defaultdict(list))
    """What a phone sees in a chat, in order."""
    befalls: Callable[[Update], None] = lambda _: None
    """What happens to a new update on its way (`faults.py`)."""
    next_message: int = 1
    next_update: int = FIRST_UPDATE
    next_number: int = 1
    """For everything else that needs a number of its own."""

    # ── What the bot does ────────────────────────────────────────────────────────────────────────────────────────

    @property
    def bot(self) -> Json:
        return {"id": self.bot_id, "is_bot": True, "first_name": self.bot_name, "username": self.bot_username}

    def open_chat(self, chat_id: int) -> Chat:
        """A chat the bot may write to. Raises Refused: not found, blocked, gone, migrated."""
        chat = self.chats.get(chat_id)
        if chat is None:
            raise bad("chat not found")
        if chat.migrated_to is not None:
            raise Refused(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=chat.migrated_to,
            )
        if chat.kind == "private" and self.people[chat_id].is_deactivated:
            raise forbidden("user is deactivated")
        if chat.is_blocked:
            if chat.kind == "private":
                raise forbidden("bot was blocked by the user")
            raise forbidden(f"bot was kicked from the {chat.kind} chat")
        return chat

    def send(self, chat: Chat, content: Json, now: float, *, html: str | None = None) -> Json:
        """A message of the bot; `content` is what stands in it besides who, where and when. Raises Refused (429)."""
        self.limits.check(chat.id, now, is_group=chat.kind != "private")
        number = self._message_id()
        body: Json = {"message_id": number, "from": self.bot, "chat": self.chat_json(chat), "date": int(now)}
        body |= {name: value for name, value in content.items() if value not in (None, [], "")}
        message = self.messages[chat.id, number] = Message(body, True, html)
        self._seen(chat.id, "message", now, message)
        return body

    def own_message(self, chat: Chat, message_id: int, what: str) -> Message:
        """A message of the bot, to edit or delete (`what`). Raises Refused."""
        message = self.messages.get((chat.id, message_id))
        if message is None or message.is_deleted:
            raise bad(f"message to {what} not found")
        if not message.is_ours and what == "edit":
            raise bad("message can't be edited")
        return message

    def edit(self, chat: Chat, message: Message, content: Json, now: float, *, html: str | None = None) -> Json:
        """Change parts of a message of the bot. Raises Refused when nothing changes."""
        changed = {name: value for name, value in {**message.body, **content}.items() if value not in (None, [], "")}
        if _without_preview(changed) == _without_preview(message.body):
            raise bad(
                "message is not modified: specified new message content and reply markup are exactly the same as a "
                "current content and reply markup of the message"
            )
        message.body = {**changed, "edit_date": int(now)}
        message.html = html if html is not None else message.html
        self._seen(chat.id, "edit", now, message)
        return message.body

    def delete(self, chat: Chat, message: Message, now: float) -> None:
        message.is_deleted = True
        self._seen(chat.id, "delete", now, message)

    def act(self, chat: Chat, action: str, now: float) -> None:
        self.events[chat.id].append({"kind": "action", "action": action, "at": now})

    def answer(self, query_id: str, notice: Json, now: float) -> None:
        """Raises Refused when the query is unknown, answered or too old."""
        query = self.queries.get(query_id)
        if query is None or now - query.at > self.query_lasts:
            raise bad("query is too old and response timeout expired or query ID is invalid")
        query.is_answered = True
        self.events[query.chat].append({"kind": "answer", "query_id": query_id, "at": now, **notice})

    def leave(self, chat: Chat, now: float) -> None:
        if chat.kind == "private":
            raise bad("chat is a private chat, which can't be left")
        chat.is_blocked = True
        self.events[chat.id].append({"kind": "left", "at": now})

    def add_file(self, data: bytes, name: str, folder: str, size: int | None = None) -> File:
        number = self._number()
        digest = hashlib.sha256(f"{number} {name}".encode()).hexdigest()
        file = File(f"AgAC{digest}", f"AQAD{digest[:12]}", f"{folder}/file_{number}{_ending(name)}", data, 0)
        file.size = len(data) if size is None else size
        self.files[file.id] = file
        return file

    # ── What waits for the bot ───────────────────────────────────────────────────────────────────────────────────

    def tell(self, kind: str, body: Json, chat: int, now: float) -> int | None:
        """An update for the bot; None when it did not ask for this kind."""
        if kind not in self.allowed:
            return None
        number, self.next_update = self.next_update, self.next_update + 1
        update = Update(number, kind, body, chat, now, now)
        self.befalls(update)
        self.updates.append(update)
        return number

    def acknowledge(self, offset: int) -> list[Update]:
        """Forget what came before `offset`; below zero: all but the last so many. Returns what was forgotten."""
        if offset < 0:
            offset = self.updates[offset:][0].number if self.updates else 0
        taken = [each for each in self.updates if each.number < offset]
        self.updates = [each for each in self.updates if each.number >= offset]
        return taken

    def forget_old(self, now: float) -> None:
        self.updates = [each for each in self.updates if now - each.made_at <= KEPT]

    def ready(self, now: float, limit: int = 100) -> list[Update]:
        """What may be handed over, in order; one that is held back holds back those after it."""
        found: list[Update] = []
        for each in self.updates:
            if each.ready_at > now or len(found) == limit:
                break
            found.append(each)
        return found

    def drop(self, update: Update) -> None:
        if update in self.updates:
            self.updates.remove(update)

    # ── What people do ───────────────────────────────────────────────────────────────────────────────────────────

    def meet(self, person: Person) -> Person:
        """Make an account, or change its name and language; the state of the account stays."""
        known = self.people.get(person.id)
        if known is not None:
            person.is_deactivated = known.is_deactivated
        self.people[person.id] = person
        return person

    def write(self, person: Person, content: Json, now: float, chat_id: int | None = None) -> Message:
        """A message of a person, in the private chat with the bot or in a group."""
        chat = self._chat_of(person) if chat_id is None else self.chats[chat_id]
        number = self._message_id()
        body: Json = {"message_id": number, "from": person.user, "chat": self.chat_json(chat), "date": int(now)}
        if chat.kind == "channel":
            del body["from"]
            body["sender_chat"] = self.chat_json(chat)
        body |= _with_commands(content)
        message = self.messages[chat.id, number] = Message(body, False)
        self._seen(chat.id, "message", now, message)
        self.tell("channel_post" if chat.kind == "channel" else "message", body, chat.id, now)
        return message

    def rewrite(self, person: Person, message_id: int, text: str, now: float, chat_id: int | None = None) -> Message:
        """A person edits a message of theirs: its text, or its caption."""
        message = self.messages[chat_id or person.id, message_id]
        part = "text" if "text" in message.body else "caption"
        message.body = {**message.body, part: text, "edit_date": int(now)}
        self._seen(chat_id or person.id, "edit", now, message)
        self.tell("edited_message", message.body, chat_id or person.id, now)
        return message

    def press(self, person: Person, message_id: int, data: str, now: float) -> str:
        """A person presses a button. Returns the id of the query."""
        message = self.messages[person.id, message_id]
        shown = [each for row in _rows(message) for each in row]
        if not any(each.get("callback_data") == data for each in shown):
            raise KeyError(f"message {message_id} has no button with this data (any more)")
        return self.press_anyway(person, message, data, now)

    def press_anyway(self, person: Person, message: Message, data: str, now: float) -> str:
        """As an old phone does, which still shows a button that is gone."""
        query = Query(str(4_000_000_000_000 + self._number()), person.id, now)
        self.queries[query.id] = query
        body = {
            "id": query.id,
            "from": person.user,
            "message": message.body,
            "chat_instance": str(person.id),
            "data": data,
        }
        self.tell("callback_query", body, person.id, now)
        return query.id

    def block(self, person: Person, now: float, *, is_blocked: bool) -> None:
        chat = self._chat_of(person)
        if chat.is_blocked == is_blocked:
            return
        chat.is_blocked = is_blocked
        self._membership(chat, person, now, "member" if is_blocked else "kicked", "kicked" if is_blocked else "member")

    def make_group(self, person: Person, kind: str, title: str, now: float) -> Chat:
        """A group (kind "group" or "supergroup") or channel to which a person adds the bot."""
        first = FIRST_GROUP if kind == "group" else FIRST_SUPERGROUP
        chat = self.chats[first - self.next_number] = Chat(first - self.next_number, kind, title)
        self._number()
        self._membership(chat, person, now, "left", "administrator" if kind == "channel" else "member")
        return chat

    def put_out(self, person: Person, chat: Chat, now: float) -> None:
        chat.is_blocked = True
        self._membership(chat, person, now, "member", "kicked")

    def migrate(self, person: Person, chat: Chat, now: float) -> Chat:
        """A group becomes a supergroup, with a number of its own."""
        number = FIRST_SUPERGROUP - self._number()
        new = self.chats[number] = Chat(number, "supergroup", chat.title)
        self.write(person, {"migrate_to_chat_id": new.id}, now, chat.id)
        chat.migrated_to = new.id
        self.write(person, {"migrate_from_chat_id": chat.id}, now, new.id)
        return new

    # ── For all ──────────────────────────────────────────────────────────────────────────────────────────────────

    def menu(self, language: str) -> list[Json]:
        """The commands that a phone in this language shows in a private chat."""
        for key in (
            ("all_private_chats", language),
            ("all_private_chats", ""),
            ("default", language),
            ("default", ""),
        ):
            if self.commands.get(key):
                return self.commands[key]
        return []

    def _chat_of(self, person: Person) -> Chat:
        return self.chats.setdefault(person.id, Chat(person.id, "private"))

    def chat_json(self, chat: Chat) -> Json:
        if chat.kind == "private":
            return self.people[chat.id].chat
        return {"id": chat.id, "type": chat.kind, "title": chat.title}

    def _membership(self, chat: Chat, person: Person, now: float, before: str, after: str) -> None:
        body = {
            "chat": self.chat_json(chat),
            "from": person.user,
            "date": int(now),
            "old_chat_member": _member(self.bot, before),
            "new_chat_member": _member(self.bot, after),
        }
        self.tell("my_chat_member", body, chat.id, now)

    def _seen(self, chat_id: int, kind: str, now: float, message: Message) -> None:
        seen = {"kind": kind, "at": now, "message": message.body, "html": message.html, "from_bot": message.is_ours}
        self.events[chat_id].append(seen)

    def _message_id(self) -> int:
        number, self.next_message = self.next_message, self.next_message + 1
        return number

    def _number(self) -> int:
        number, self.next_number = self.next_number, self.next_number + 1
        return number


def _rows(message: Message) -> Sequence[Sequence[Json]]:
    rows: Sequence[Sequence[Json]] = message.body.get("reply_markup", {}).get("inline_keyboard", [])
    return rows


def _without_preview(body: Json) -> Json:
    """What the eye sees of a message: whether links have a preview is no change to it."""
    return {name: value for name, value in body.items() if name != "link_preview_options"}


def _ending(name: str) -> str:
    _, dot, ending = name.rpartition(".")
    return f".{ending}" if dot and ending.isalnum() else ""


def _member(bot: Json, status: str) -> Json:
    member: dict[str, Any] = {"user": bot, "status": status}
    if status == "kicked":
        return {**member, "until_date": 0}
    if status == "administrator":
        rights = (
            "can_be_edited",
            "is_anonymous",
            "can_manage_chat",
            "can_delete_messages",
            "can_manage_video_chats",
            "can_restrict_members",
            "can_promote_members",
            "can_change_info",
            "can_invite_users",
            "can_post_stories",
            "can_edit_stories",
            "can_delete_stories",
        )
        return {**member, **dict.fromkeys(rights, False)}
    return member


def _with_commands(content: Json) -> Json:
    """Telegram marks a command at the start of a text as an entity."""
    text = content.get("text", "")
    if not text.startswith("/") or len(text) < 2:
        return content
    return {**content, "entities": [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]}
