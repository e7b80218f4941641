"""What an update of the Bot API is for us. Pure: no network, no tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import telegram
from telegram.constants import ChatMemberStatus, ChatType

from bot.conversations.messages import Brought

CHANNEL = "telegram"
LONGEST_PAYLOAD = 64
"""Characters that a deep link may carry."""


@dataclass(frozen=True)
class Person:
    """Who writes, in a private chat. `chat` is the chat's id as text; `language` what their Telegram is set to."""

    chat: str
    name: str
    language: str | None


@dataclass(frozen=True)
class Said:
    person: Person
    message_id: int
    text: str
    sent_at: datetime


@dataclass(frozen=True)
class Started:
    """/start, from the button of a new chat (no payload) or from a deep link."""

    person: Person
    message_id: int
    payload: str
    sent_at: datetime


@dataclass(frozen=True)
class Handed:
    """Something that is not a text, with its caption ("" for none)."""

    person: Person
    message_id: int
    brought: Brought
    caption: str
    sent_at: datetime


@dataclass(frozen=True)
class Edited:
    """The new words of a message (of its caption, for a file)."""

    person: Person
    message_id: int
    text: str


@dataclass(frozen=True)
class Pressed:
    """A button under one of our messages. `message_id` is None where Telegram no longer says which."""

    person: Person
    message_id: int | None
    key: str
    callback_id: str
    sent_at: datetime


@dataclass(frozen=True)
class Reach:
    """The student has shut us out, or lets us in again."""

    chat: str
    is_open: bool


@dataclass(frozen=True)
class Elsewhere:
    """A group or a channel: we answer in private chats only."""

    chat: str
    may_speak: bool
    """Somebody speaks to us there, or has just added us: they are told why we leave."""


@dataclass(frozen=True)
class Nothing:
    """Nothing to do: the pinned message of a chat, what we never asked for."""


Incoming = Said | Started | Handed | Edited | Pressed | Reach | Elsewhere | Nothing


BARE = frozenset({"message_id", "from", "chat", "date", "edit_date", "text", "caption"})
"""Of a message: what has always been there."""
BARE_PRESS = frozenset({"id", "from", "data"})
"""Of a press on a button, besides the message it stands under."""


def read(payload: Mapping[str, Any]) -> Incoming:
    """What an update is, also where a newer or older Telegram writes a part that the library cannot read.

    What is no update at all raises whatever the library raises: TypeError, KeyError, AttributeError …
    """
    try:
        return incoming_of(telegram.Update.de_json(dict(payload), None))
    except Exception:
        update = telegram.Update.de_json(_bare_update(payload), None)
        found = incoming_of(update)
        if not isinstance(found, Nothing) or update.message is None or update.message.chat.type != ChatType.PRIVATE:
            return found
        person = _person(update.message.from_user, update.message.chat)
        brought = Brought("other", "", "", 0, "")
        return Handed(person, update.message.message_id, brought, update.message.caption or "", update.message.date)


def _bare_update(payload: Mapping[str, Any]) -> dict[str, Any]:
    bare = {
        name: _bare(part) if isinstance(part, dict) else part
        for name, part in payload.items()
        if name in ("update_id", "message", "edited_message")
    }
    press = payload.get("callback_query")
    if isinstance(press, dict) and isinstance(press.get("message"), dict):
        known = {field: each for field, each in press.items() if field in BARE_PRESS}
        # The library insists on the instance, which we never read; other Bot API servers leave it out.
        bare["callback_query"] = {**known, "message": _bare(press["message"]), "chat_instance": ""}
    return bare


def _bare(message: Mapping[str, Any]) -> dict[str, Any]:
    return {field: each for field, each in message.items() if field in BARE}


def incoming_of(update: telegram.Update) -> Incoming:
    """Every update has its place here; what we do not know is `Nothing`."""
    if update.callback_query is not None:
        return _pressed(update.callback_query)
    if update.my_chat_member is not None:
        return _membership(update.my_chat_member)
    message = update.message or update.edited_message
    if message is None:
        post = update.channel_post or update.edited_channel_post
        return Elsewhere(str(post.chat.id), may_speak=False) if post is not None else Nothing()
    if message.chat.type != ChatType.PRIVATE:
        return _in_a_group(message)
    person = _person(message.from_user, message.chat)
    if update.edited_message is not None:
        text = message.text or message.caption
        return Edited(person, message.message_id, text) if text else Nothing()
    if message.text is not None:
        return _text(person, message, message.text)
    brought = brought_in(message)
    if brought is None:
        return Nothing()
    return Handed(person, message.message_id, brought, message.caption or "", message.date)


def _text(person: Person, message: telegram.Message, text: str) -> Said | Started:
    word, _, rest = text.strip().partition(" ")
    if word.partition("@")[0].casefold() == "/start":
        return Started(person, message.message_id, rest.strip()[:LONGEST_PAYLOAD], message.date)
    return Said(person, message.message_id, text, message.date)


def _pressed(query: telegram.CallbackQuery) -> Incoming:
    # A button of a message sent inline, in somebody else's chat, has no message; we send none.
    if query.message is None or query.message.chat.type != ChatType.PRIVATE:
        return Nothing()
    person = _person(query.from_user, query.message.chat)
    # Telegram gives an old message the date 0.
    return Pressed(person, query.message.message_id, query.data or "", query.id, query.message.date)


def _membership(change: telegram.ChatMemberUpdated) -> Incoming:
    is_in = change.new_chat_member.status not in (ChatMemberStatus.BANNED, ChatMemberStatus.LEFT)
    if change.chat.type == ChatType.PRIVATE:
        return Reach(str(change.chat.id), is_open=is_in)
    return Elsewhere(str(change.chat.id), may_speak=change.chat.type != ChatType.CHANNEL) if is_in else Nothing()


def _in_a_group(message: telegram.Message) -> Incoming:
    """A group that becomes a supergroup says so in a message of the old one: there is nothing left to leave."""
    if message.migrate_to_chat_id is not None or message.left_chat_member is not None:
        return Nothing()
    return Elsewhere(str(message.chat.id), may_speak=message.chat.type != ChatType.CHANNEL)


def _person(user: telegram.User | None, chat: telegram.Chat) -> Person:
    name = user.full_name if user is not None else (chat.effective_name or "")
    if user is not None and user.username:
        name = f"{name} (@{user.username})"
    return Person(str(chat.id), name, user.language_code if user is not None else None)


def brought_in(message: telegram.Message) -> Brought | None:
    """What a message holds besides text; None for the messages that Telegram writes itself (a pinned message …)."""
    album = message.media_group_id or ""
    if message.photo:
        largest = message.photo[-1]
        return Brought("photo", "photo.jpg", "image/jpeg", largest.file_size or 0, largest.file_id, album)
    # An animation comes with a document as well: it is the same file.
    if message.document is not None:
        file = message.document
        name, media_type = file.file_name or "document", file.mime_type or ""
        return Brought("document", name, media_type, file.file_size or 0, file.file_id, album)
    if message.voice is not None:
        file_ = message.voice
        return Brought("voice", "voice.ogg", file_.mime_type or "audio/ogg", file_.file_size or 0, file_.file_id)
    if message.audio is not None:
        audio = message.audio
        name, media_type = audio.file_name or "audio", audio.mime_type or ""
        return Brought("audio", name, media_type, audio.file_size or 0, audio.file_id, album)
    if message.video is not None:
        video = message.video
        name, media_type = video.file_name or "video.mp4", video.mime_type or "video/mp4"
        return Brought("video", name, media_type, video.file_size or 0, video.file_id, album)
    if message.video_note is not None:
        note = message.video_note
        return Brought("video", "video.mp4", "video/mp4", note.file_size or 0, note.file_id)
    if message.sticker is not None:
        return Brought("sticker", "", "", 0, "", summary=message.sticker.emoji or "")
    if message.location is not None:
        place = message.location
        return Brought("location", "", "", 0, "", summary=f"{place.latitude:.5f}, {place.longitude:.5f}")
    if message.contact is not None:
        contact = message.contact
        full_name = " ".join(filter(None, (contact.first_name, contact.last_name)))
        return Brought("contact", "", "", 0, "", summary=f"{full_name}, {contact.phone_number}")
    if message.poll is not None:
        return Brought("poll", "", "", 0, "", summary=message.poll.question)
    return Brought("other", "", "", 0, "") if message.effective_attachment is not None else None
