"""What the Bot API refuses, in its own words. Pure.

Sources: https://core.telegram.org/bots/api, and for the words the server's own code (github.com/tdlib/td:
MessageEntity.cpp, BotCommand.cpp; github.com/tdlib/telegram-bot-api: Client.cpp). Where the fake does not know a part
of the API it says so (501) rather than accept what Telegram may refuse.
"""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]

LONGEST_TEXT = 4096
LONGEST_CAPTION = 1024
LONGEST_DATA = 64
"""Bytes of the callback data of a button."""
LONGEST_NOTICE = 200
MOST_BUTTONS = 100
MOST_IN_A_ROW = 8
MOST_COMMANDS = 100
LARGEST_DOWNLOAD = 20_000_000
LARGEST_DOCUMENT = 50_000_000
LARGEST_PHOTO = 10_000_000
LONGEST_SECRET = 256
UPDATE_KINDS = (
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "callback_query",
    "my_chat_member",
    "chat_member",
    "poll",
)
ONLY_WHEN_ASKED = frozenset({"chat_member"})
"""Kinds of updates that Telegram sends only to who names them in allowed_updates."""
ACTIONS = frozenset(
    {
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    }
)
SCOPES = frozenset({"default", "all_private_chats", "all_group_chats", "all_chat_administrators", "chat"})


class Refused(Exception):
    """An answer with ok=false. `parameters`: migrate_to_chat_id or retry_after."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters

    @property
    def body(self) -> Json:
        body: Json = {"ok": False, "error_code": self.code, "description": self.description}
        return {**body, "parameters": self.parameters} if self.parameters else body


def bad(description: str) -> Refused:
    return Refused(400, f"Bad Request: {description}")


def forbidden(description: str) -> Refused:
    return Refused(403, f"Forbidden: {description}")


def unknown_here(what: str) -> Refused:
    """Telegram knows it, the fake does not."""
    return Refused(501, f"Not Implemented: the fake does not know {what}")


def units(text: str) -> int:
    """UTF-16 code units, in which Telegram counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


# ── Text ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
REFERENCE = re.compile(r"&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|([a-z]+));?")
ATTRIBUTE = re.compile(r"""\s*([^\s=>/"']*)\s*(?:=\s*("[^"]*"|'[^']*'|[^\s>"']+))?""")


@dataclass
class _Open:
    name: str
    start: int
    """Position in the text, in UTF-16 units."""
    entity: Json | None


@dataclass
class _Parse:
    """One pass over the HTML of a message; `at` is where we are."""

    source: str
    at: int = 0
    text: list[str] = field(default_factory=list)
    length: int = 0
    entities: list[Json] = field(default_factory=list)
    stack: list[_Open] = field(default_factory=list)

    def broken(self, what: str, position: int | None = None) -> Refused:
        where = "" if position is None else f" at byte offset {len(self.source[:position].encode())}"
        return bad(f"can't parse entities: {what}{where}")

    def run(self) -> None:
        while self.at < len(self.source):
            character = self.source[self.at]
            if character == "&":
                self._reference()
            elif character != "<":
                self._take(character)
                self.at += 1
            elif self.source.startswith("</", self.at):
                self._close()
            else:
                self._open()
        if self.stack:
            raise self.broken(f'Can\'t find end tag corresponding to start tag "{self.stack[-1].name}"')

    def _take(self, text: str) -> None:
        self.text.append(text)
        self.length += units(text)

    def _reference(self) -> None:
        found = REFERENCE.match(self.source, self.at)
        decoded = _decoded(found) if found is not None else None
        if found is None or decoded is None:
            self._take("&")
            self.at += 1
            return
        self._take(decoded)
        self.at = found.end()

    def _open(self) -> None:
        start = self.at
        end = start + 1
        while end < len(self.source) and self.source[end] not in " \t\r\n>":
            end += 1
        name = self.source[start + 1 : end].lower()
        if end == len(self.source):
            raise self.broken("Unclosed start tag", start)
        if name not in TAGS:
            raise self.broken(f'Unsupported start tag "{name}"', start)
        attributes, self.at = self._attributes(name, start, end)
        self.stack.append(_Open(name, self.length, self._entity(name, attributes, start)))

    def _attributes(self, name: str, start: int, at: int) -> tuple[dict[str, str], int]:
        found: dict[str, str] = {}
        while True:
            while at < len(self.source) and self.source[at].isspace():
                at += 1
            if at == len(self.source):
                raise self.broken(f'Unclosed start tag "{name}"', start)
            if self.source[at] == ">":
                return found, at + 1
            match = ATTRIBUTE.match(self.source, at)
            if match is None or not match[1]:
                raise self.broken(f'Empty attribute name in the tag "{name}"', start)
            value = match[2] or ""
            found[match[1].lower()] = html.unescape(value.strip("\"'"))
            at = match.end()

    def _entity(self, name: str, attributes: Mapping[str, str], start: int) -> Json | None:
        if name == "span" and attributes.get("class") != "tg-spoiler":
            raise self.broken('Tag "span" must have class "tg-spoiler"', start)
        if name == "a":
            # A link without an address that works is plain text for Telegram; it is no fault.
            return {"type": "text_link", "url": attributes["href"]} if _is_url(attributes.get("href", "")) else None
        if name == "blockquote" and any(each.name == "blockquote" for each in self.stack):
            raise self.broken("Blockquote can't be nested", start)
        if name == "code" and self.stack and self.stack[-1].name == "pre" and "class" in attributes:
            entity = self.stack[-1].entity
            if entity is not None:
                entity["language"] = attributes["class"].removeprefix("language-")
            return None
        return {"type": TAGS[name]}

    def _close(self) -> None:
        start = self.at
        if not self.stack:
            raise self.broken("Unexpected end tag", start)
        end = self.source.find(">", start)
        name = self.source[start + 2 : end if end >= 0 else None].strip().lower()
        if end < 0:
            raise self.broken("Unclosed end tag", start)
        opened = self.stack.pop()
        if name and name != opened.name:
            raise self.broken(
                f"Unmatched end tag at byte offset {len(self.source[:start].encode())}, "
                f'expected "</{opened.name}>", found "</{name}>"'
            )
        if opened.entity is not None and self.length > opened.start:
            self.entities.append({**opened.entity, "offset": opened.start, "length": self.length - opened.start})
        self.at = end + 1


def _decoded(found: re.Match[str]) -> str | None:
    hexadecimal, decimal, name = found.groups()
    if name is not None:
        return NAMED.get(name)
    code = int(hexadecimal, 16) if hexadecimal else int(decimal)
    return chr(code) if 0 < code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else None


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme in ("mailto", "tel"):
        return bool(parts.path)
    return parts.scheme in ("http", "https", "tg", "ton") and bool(parts.netloc)


def parse_html(source: str) -> tuple[str, list[Json]]:
    """(text, entities), as Telegram reads the HTML of a message. Raises Refused."""
    parse = _Parse(source)
    parse.run()
    text = "".join(parse.text)
    cut = units(text) - units(text.lstrip())
    text = text.strip()
    whole = units(text)
    entities: list[Json] = []
    for each in sorted(parse.entities, key=lambda each: (each["offset"], -each["length"])):
        start, end = max(0, each["offset"] - cut), min(whole, each["offset"] + each["length"] - cut)
        if end > start:
            entities.append({**each, "offset": start, "length": end - start})
    return text, entities


def read_text(source: str, parse_mode: str, longest: int, what: str) -> tuple[str, list[Json]]:
    """Text and entities of a message or caption. `what`: "message" or "message caption". Raises Refused."""
    mode = parse_mode.lower()
    if mode in ("markdown", "markdownv2"):
        raise unknown_here(f"parse_mode {parse_mode}")
    if mode not in ("", "none", "html"):
        raise bad("unsupported parse_mode")
    text, entities = parse_html(source) if mode == "html" else (source.strip(), [])
    if units(text) > longest:
        raise bad(f"{what} is too long")
    return text, entities


def message_text(source: str, parse_mode: str) -> tuple[str, list[Json]]:
    if not source:
        raise bad("message text is empty")
    text, entities = read_text(source, parse_mode, LONGEST_TEXT, "message")
    if not text:
        raise bad("text must be non-empty")
    return text, entities


def caption_text(source: str, parse_mode: str) -> tuple[str, list[Json]]:
    return read_text(source, parse_mode, LONGEST_CAPTION, "message caption")


# ── Keyboards ────────────────────────────────────────────────────────────────────────────────────────────────────────

BUTTON_FIELDS = frozenset({"text", "url", "callback_data", "style", "icon_custom_emoji_id"})
MARKUP_FIELDS = frozenset({"inline_keyboard"})
OTHER_MARKUPS = frozenset({"keyboard", "remove_keyboard", "force_reply"})


def keyboard(markup: Any) -> Json | None:
    """The inline keyboard asked for; None for none. Raises Refused."""
    if markup is None or markup == "":
        return None
    if not isinstance(markup, dict):
        raise bad("object expected as reply markup")
    if OTHER_MARKUPS & markup.keys():
        raise unknown_here("keyboards that are not inline")
    if not markup:
        return None
    rows = markup.get("inline_keyboard")
    if not isinstance(rows, list):
        raise bad('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')
    kept = []
    for row in rows:
        if not isinstance(row, list):
            raise bad('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')
        if len(row) > MOST_IN_A_ROW:
            # Telegram shows at most eight side by side and documents no error; what it would not show we refuse.
            raise bad("REPLY_MARKUP_TOO_LONG")
        if row:
            kept.append([_button(each) for each in row])
    if sum(map(len, kept)) > MOST_BUTTONS:
        raise bad("REPLY_MARKUP_TOO_LONG")
    return {"inline_keyboard": kept} if kept else None


def _button(button: Any) -> Json:
    where = "can't parse inline keyboard button: "
    if not isinstance(button, dict):
        raise bad(f"{where}InlineKeyboardButton must be an Object")
    if "text" not in button:
        raise bad(f'{where}Field "text" must be of type String')
    if not isinstance(button["text"], str):
        raise bad(f'{where}Field "text" must be of type String')
    if foreign := button.keys() - BUTTON_FIELDS:
        raise unknown_here(f"buttons with {', '.join(sorted(foreign))}")
    if not button["text"].strip():
        raise bad("inline keyboard button text must be non-empty")
    if "url" in button:
        if not _is_url(str(button["url"])):
            raise bad("inline keyboard button URL is invalid: Wrong HTTP URL")
        return {"text": button["text"], "url": button["url"]}
    if "callback_data" not in button:
        raise bad(f"{where}Text buttons are unallowed in the inline keyboard")
    data = button["callback_data"]
    if not isinstance(data, str) or not 1 <= len(data.encode()) <= LONGEST_DATA:
        raise bad("BUTTON_DATA_INVALID")
    return {"text": button["text"], "callback_data": data}


# ── Everything else ──────────────────────────────────────────────────────────────────────────────────────────────────

COMMAND = re.compile(r"[a-z0-9_]{1,32}")
LANGUAGE = re.compile(r"[a-z]{2}")


def commands(value: Any) -> list[Json]:
    """What setMyCommands asks for. Raises Refused."""
    if not isinstance(value, list):
        raise bad("can't parse commands JSON object")
    if len(value) > MOST_COMMANDS:
        raise bad("BOT_COMMANDS_TOO_MUCH")
    kept = []
    for each in value:
        if not isinstance(each, dict):
            raise bad("can't parse BotCommand: expected an Object")
        name = str(each.get("command", "")).strip().removeprefix("/")
        described = str(each.get("description", "")).strip()
        if not name:
            raise bad("command must be non-empty")
        if len(name) > 32:
            raise bad("command length must not exceed 32")
        if not described:
            raise bad("command description must be non-empty")
        if len(described) > 256:
            raise bad("command description length must not exceed 256")
        if COMMAND.fullmatch(name) is None:
            raise bad("BOT_COMMAND_INVALID")
        kept.append({"command": name, "description": described})
    return kept


def scope(value: Any) -> str:
    """The key under which the commands of a scope are kept. Raises Refused."""
    if value is None or value == "":
        return "default"
    if not isinstance(value, dict):
        raise bad("can't parse BotCommandScope: expected an Object")
    kind = value.get("type", "")
    if kind not in SCOPES:
        raise bad("unsupported type specified") if kind else bad('can\'t find field "type"')
    if kind != "chat":
        return str(kind)
    if "chat_id" not in value:
        raise bad('can\'t find field "chat_id"')
    return f"chat {value['chat_id']}"


def language(value: str) -> str:
    if value and LANGUAGE.fullmatch(value) is None:
        raise bad("invalid language code specified")
    return value


def webhook(url: str) -> str:
    """An address that updates may be sent to. Telegram takes https only; the fake also this machine. Raises Refused."""
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1"):
        return url
    if parts.scheme != "https" or not parts.hostname:
        raise bad("bad webhook: An HTTPS URL must be provided for webhook")
    try:
        port = parts.port or 443
    except ValueError as error:
        raise bad("bad webhook: Invalid port") from error
    if port not in (80, 88, 443, 8443):
        raise bad("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
    return url


def secret(value: str) -> str:
    if len(value) > LONGEST_SECRET:
        raise bad("secret token is too long")
    if re.fullmatch(r"[A-Za-z0-9_-]*", value) is None:
        raise bad("secret token contains unallowed characters")
    return value


def kinds(value: Any) -> tuple[str, ...]:
    """The updates asked for; an empty list is the default. What Telegram does not know it passes over."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise bad("can't parse allowed_updates: expected an Array")
    wanted = tuple(kind for kind in UPDATE_KINDS if kind in value)
    return wanted or tuple(kind for kind in UPDATE_KINDS if kind not in ONLY_WHEN_ASKED)
