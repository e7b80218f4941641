"""The Bot API over HTTP: `/bot<token>/<method>` and `/file/bot<token>/<path>`."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.fakes.telegram_api import rules
from tests.fakes.telegram_api.core import TOKEN_SHAPE, Call, Core
from tests.fakes.telegram_api.rules import Json, Refused, bad
from tests.fakes.telegram_api.state import File, Webhook

MESSAGES = frozenset({"sendmessage", "sendphoto", "senddocument"})
LONGEST_POLL = 50
TEXTS = {"name": 64, "description": 512, "short_description": 120}


@dataclass(frozen=True)
class Upload:
    name: str
    data: bytes
    media_type: str


class Params:
    """The parameters of a call: from the address, a form or JSON; in forms, objects are JSON themselves."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = dict(values)

    def text(self, name: str, default: str = "") -> str:
        value = self.values.get(name, default)
        if value is None:
            return default
        return value if isinstance(value, str) else json.dumps(value)

    def number(self, name: str, default: int | None = None) -> int | None:
        value = self.values.get(name)
        if value is None or value == "":
            return default
        try:
            return int(value)
        except (TypeError, ValueError) as error:
            raise bad(f'field "{name}" must be of type Number') from error

    def flag(self, name: str) -> bool:
        return str(self.values.get(name, "")).lower() in ("true", "1", "yes", "t")

    def object(self, name: str, otherwise: str) -> Any:
        """What stands there as JSON; None when nothing does. Raises Refused with `otherwise`."""
        value = self.values.get(name)
        if not isinstance(value, str) or value == "":
            return None if value == "" else value
        try:
            return json.loads(value)
        except ValueError as error:
            raise bad(otherwise) from error

    @property
    def markup(self) -> Json | None:
        return rules.keyboard(self.object("reply_markup", "can't parse reply keyboard markup JSON object"))

    @property
    def chat(self) -> int:
        value = self.text("chat_id")
        if not value:
            raise bad("chat_id is empty")
        try:
            return int(value)
        except ValueError as error:
            raise bad("chat not found") from error

    @property
    def message_id(self) -> int:
        number = self.number("message_id", 0)
        if not number or number < 0:
            raise bad("message identifier is not specified")
        return number

    @property
    def kept(self) -> Json:
        """As it is written down for tests: files by name and size."""
        return {
            name: {"file_name": each.name, "size": len(each.data)} if isinstance(each, Upload) else _readable(each)
            for name, each in self.values.items()
        }


def _readable(value: Any) -> Any:
    if not isinstance(value, str) or not value.startswith(("{", "[")):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


async def params_of(request: Request) -> Params:
    values: dict[str, Any] = dict(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind == "application/json":
        try:
            body = json.loads(await request.body() or b"{}")
        except ValueError as error:
            raise bad("can't parse JSON object") from error
        if not isinstance(body, dict):
            raise bad("expected a JSON object")
        values |= body
    elif kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        async with request.form(max_part_size=8_000_000) as form:
            for name, each in form.multi_items():
                if isinstance(each, UploadFile):
                    values[name] = Upload(each.filename or name, await each.read(), each.content_type or "")
                else:
                    values[name] = each
    return Params(values)


class BotApi:
    """Every method is a coroutine that returns the result or raises Refused."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.methods: dict[str, Callable[[Params], Awaitable[Any]]] = {
            "getme": self.get_me,
            "logout": self.unknown_here,
            "close": self.unknown_here,
            "getupdates": self.get_updates,
            "setwebhook": self.set_webhook,
            "deletewebhook": self.delete_webhook,
            "getwebhookinfo": self.get_webhook_info,
            "sendmessage": self.send_message,
            "sendphoto": self.send_photo,
            "senddocument": self.send_document,
            "editmessagetext": self.edit_message_text,
            "editmessagecaption": self.unknown_here,
            "editmessagereplymarkup": self.edit_message_reply_markup,
            "deletemessage": self.delete_message,
            "answercallbackquery": self.answer_callback_query,
            "sendchataction": self.send_chat_action,
            "setmycommands": self.set_my_commands,
            "getmycommands": self.get_my_commands,
            "deletemycommands": self.delete_my_commands,
            "setmyname": self.set_my_text("name"),
            "getmyname": self.get_my_text("name"),
            "setmydescription": self.set_my_text("description"),
            "getmydescription": self.get_my_text("description"),
            "setmyshortdescription": self.set_my_text("short_description"),
            "getmyshortdescription": self.get_my_text("short_description"),
            "getfile": self.get_file,
            "getchat": self.get_chat,
            "leavechat": self.leave_chat,
        }

    # ── The door ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def handle(self, request: Request) -> Response:
        """Check the token, let faults strike, do it, write it down, answer."""
        method = request.path_params["method"]
        params = Params({})
        began = self.core.now()
        try:
            self._check_token(request.path_params["token"])
            params = await params_of(request)
            if await self._strike_before(method, params):
                self.core.calls.append(Call(method, params.kept, began, 0, "cut before"))
                return await cut(request)
            if method.lower() not in self.methods:
                raise Refused(404, "Not Found: method not found")
            result = await self.methods[method.lower()](params)
        except Refused as refused:
            self.core.calls.append(Call(method, params.kept, began, refused.code, refused.description))
            return JSONResponse(refused.body, refused.code, _retry_header(refused))
        call = Call(method, params.kept, began, 200, result=result)
        self.core.calls.append(call)
        self.core.bell.ring()
        if self._fault("cut_after", method, params) is not None:
            call.status, call.description = 0, "cut after"
            return await cut(request)
        return JSONResponse({"ok": True, "result": result})

    async def file(self, request: Request) -> Response:
        """The bytes behind a path of getFile."""
        try:
            self._check_token(request.path_params["token"])
        except Refused as refused:
            return JSONResponse(refused.body, refused.code)
        path = request.path_params["path"]
        found = next((each for each in self.core.world.files.values() if each.path == path), None)
        if await self._strike_before("file", Params({})):
            return await cut(request)
        if found is None:
            return JSONResponse(Refused(404, "Not Found").body, 404)
        if self._fault("cut_after", "file", Params({})) is not None:
            return await cut(request)
        return Response(found.data, media_type="application/octet-stream")

    def _check_token(self, token: str) -> None:
        if TOKEN_SHAPE.fullmatch(token) is None:
            raise Refused(404, "Not Found")
        if token != self.core.token:
            raise Refused(401, "Unauthorized")

    def _fault(self, kind: Any, method: str, params: Params) -> Any:
        chat = params.values.get("chat_id")
        return self.core.faults.of_call(kind, self.core.now(), method, int(str(chat)) if _is_number(chat) else None)

    async def _strike_before(self, method: str, params: Params) -> bool:
        """Whether the connection is to be cut. Raises Refused for the faults that answer."""
        if (fault := self._fault("slow", method, params)) is not None:
            await asyncio.sleep(fault.seconds)
        if self._fault("cut_before", method, params) is not None:
            return True
        if (fault := self._fault("status", method, params)) is not None:
            words = {500: "Internal Server Error", 502: "Bad Gateway", 504: "Gateway Timeout"}
            raise Refused(fault.status, words.get(fault.status, "Internal Server Error"))
        if (fault := self._fault("too_many", method, params)) is not None:
            chat = params.values.get("chat_id")
            if method.lower() in MESSAGES and _is_number(chat):
                raise self.core.world.limits.tell_to_wait(int(str(chat)), self.core.now(), fault.seconds)
            seconds = max(1, round(fault.seconds))
            raise Refused(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
        return False

    async def unknown_here(self, _params: Params) -> Any:
        raise rules.unknown_here("this method")

    # ── Updates ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def get_me(self, _params: Params) -> Json:
        can = ("can_join_groups", "can_read_all_group_messages", "supports_inline_queries", "can_connect_to_business")
        abilities = {**dict.fromkeys(can, False), "can_join_groups": True, "has_main_web_app": False}
        return {**self.core.world.bot, **abilities}

    async def get_updates(self, params: Params) -> list[Json]:
        core, world = self.core, self.core.world
        if world.webhook.url:
            raise Refused(
                409,
                "Conflict: can't use getUpdates method while webhook is active; "
                "use deleteWebhook to delete the webhook first",
            )
        limit = min(100, max(1, params.number("limit", 100) or 100))
        wait = min(LONGEST_POLL, max(0, params.number("timeout", 0) or 0))
        allowed = params.object("allowed_updates", "can't parse allowed_updates: expected an Array")
        if allowed is not None:
            world.allowed = rules.kinds(allowed)
        core.poll += 1
        mine = core.poll
        core.bell.ring()
        self._acknowledge(params.number("offset", 0) or 0)
        until = core.now() + wait
        while True:
            if mine != core.poll:
                raise Refused(
                    409,
                    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
                )
            if world.webhook.url:
                raise Refused(409, "Conflict: terminated by setWebhook request")
            now = core.now()
            world.forget_old(now)
            again, core.echoes = core.echoes[:limit], core.echoes[limit:]
            batch = again + core.faults.mixed(world.ready(now, limit - len(again)), now)
            if batch or now >= until:
                return [each.json for each in batch]
            ready = world.updates[0].ready_at if world.updates else until
            await core.bell.wait(min(until, ready) - now)

    def _acknowledge(self, offset: int) -> None:
        for update in self.core.world.acknowledge(offset):
            if update.repeats:
                update.repeats -= 1
                self.core.echoes.append(update)

    async def set_webhook(self, params: Params) -> bool:
        url = params.text("url")
        if not url:
            return await self.delete_webhook(params)
        secret = rules.secret(params.text("secret_token"))
        most = params.number("max_connections", 40) or 40
        if not 1 <= most <= 100:
            raise bad("max_connections must be between 1 and 100")
        allowed = params.object("allowed_updates", "can't parse allowed_updates: expected an Array")
        if allowed is not None:
            self.core.world.allowed = rules.kinds(allowed)
        self.core.world.webhook = Webhook(rules.webhook(url), secret, most)
        self._drop_pending(params)
        return True

    async def delete_webhook(self, params: Params) -> bool:
        self.core.world.webhook = Webhook()
        self._drop_pending(params)
        return True

    def _drop_pending(self, params: Params) -> None:
        if params.flag("drop_pending_updates"):
            self.core.world.updates.clear()

    async def get_webhook_info(self, _params: Params) -> Json:
        world, hook = self.core.world, self.core.world.webhook
        info: Json = {
            "url": hook.url,
            "has_custom_certificate": False,
            "pending_update_count": len(world.updates),
            "allowed_updates": list(world.allowed),
        }
        if hook.url:
            info["max_connections"] = hook.most_at_once
        if hook.last_error:
            info |= {"last_error_date": int(hook.last_error_at), "last_error_message": hook.last_error}
        return info

    # ── Messages ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def send_message(self, params: Params) -> Json:
        source, mode = params.text("text"), params.text("parse_mode")
        text, entities = rules.message_text(source, mode)
        content = {"text": text, "entities": entities, "reply_markup": params.markup, **self._around(params)}
        chat = self.core.world.open_chat(params.chat)
        return self.core.world.send(chat, content, self.core.now(), html=source if mode else None)

    async def send_photo(self, params: Params) -> Json:
        file = self._upload(params, "photo", rules.LARGEST_PHOTO, "photos")
        size = {"file_id": file.id, "file_unique_id": file.unique_id, "file_size": file.size, "width": 1, "height": 1}
        return self._send_file(params, {"photo": [size]})

    async def send_document(self, params: Params) -> Json:
        file = self._upload(params, "document", rules.LARGEST_DOCUMENT, "documents")
        upload = params.values["document"]
        document = {
            "file_id": file.id,
            "file_unique_id": file.unique_id,
            "file_size": file.size,
            "file_name": upload.name,
            "mime_type": upload.media_type,
        }
        return self._send_file(params, {"document": document})

    def _upload(self, params: Params, name: str, largest: int, folder: str) -> File:
        upload = params.values.get(name)
        if isinstance(upload, str) and upload.startswith("attach://"):
            upload = params.values[name] = params.values.get(upload.removeprefix("attach://"))
        if upload is None or upload == "":
            raise bad(f"there is no {name} in the request")
        if not isinstance(upload, Upload):
            raise rules.unknown_here("files by address or number")
        if len(upload.data) == 0:
            raise bad("file must be non-empty")
        if len(upload.data) > largest:
            raise Refused(413, "Request Entity Too Large")
        return self.core.world.add_file(upload.data, upload.name, folder)

    def _send_file(self, params: Params, content: Json) -> Json:
        source, mode = params.text("caption"), params.text("parse_mode")
        caption, entities = rules.caption_text(source, mode)
        content |= {"caption": caption, "caption_entities": entities, "reply_markup": params.markup}
        chat = self.core.world.open_chat(params.chat)
        return self.core.world.send(chat, content, self.core.now(), html=source if mode else None)

    def _around(self, params: Params) -> Json:
        """What goes with a text: no preview of links, silence, an answer to a message."""
        options = params.object("link_preview_options", "can't parse link preview options JSON object")
        if options is None and params.flag("disable_web_page_preview"):
            options = {"is_disabled": True}
        return {"link_preview_options": options}

    async def edit_message_text(self, params: Params) -> Json:
        source, mode = params.text("text"), params.text("parse_mode")
        text, entities = rules.message_text(source, mode)
        chat = self.core.world.open_chat(params.chat)
        message = self.core.world.own_message(chat, params.message_id, "edit")
        if "text" not in message.body:
            raise bad("there is no text in the message to edit")
        content = {"text": text, "entities": entities, "reply_markup": params.markup, **self._around(params)}
        return self.core.world.edit(chat, message, content, self.core.now(), html=source if mode else None)

    async def edit_message_reply_markup(self, params: Params) -> Json:
        markup = params.markup
        chat = self.core.world.open_chat(params.chat)
        message = self.core.world.own_message(chat, params.message_id, "edit")
        return self.core.world.edit(chat, message, {"reply_markup": markup}, self.core.now())

    async def delete_message(self, params: Params) -> bool:
        chat = self.core.world.open_chat(params.chat)
        message = self.core.world.own_message(chat, params.message_id, "delete")
        if self.core.now() - message.body["date"] > 48 * 3600:
            raise bad("message can't be deleted for everyone")
        self.core.world.delete(chat, message, self.core.now())
        return True

    async def answer_callback_query(self, params: Params) -> bool:
        notice = params.text("text")
        if rules.units(notice) > rules.LONGEST_NOTICE:
            raise bad("MESSAGE_TOO_LONG")
        shown = {"text": notice, "show_alert": params.flag("show_alert")}
        self.core.world.answer(params.text("callback_query_id"), shown, self.core.now())
        return True

    async def send_chat_action(self, params: Params) -> bool:
        action = params.text("action")
        if action not in rules.ACTIONS:
            raise bad("wrong parameter action in request")
        chat = self.core.world.open_chat(params.chat)
        self.core.world.act(chat, action, self.core.now())
        return True

    # ── The bot itself ───────────────────────────────────────────────────────────────────────────────────────────

    async def set_my_commands(self, params: Params) -> bool:
        wanted = rules.commands(params.object("commands", "can't parse commands JSON object"))
        self.core.world.commands[self._menu(params)] = wanted
        return True

    async def get_my_commands(self, params: Params) -> list[Json]:
        return self.core.world.commands.get(self._menu(params), [])

    async def delete_my_commands(self, params: Params) -> bool:
        self.core.world.commands.pop(self._menu(params), None)
        return True

    def _menu(self, params: Params) -> tuple[str, str]:
        scope = params.object("scope", "can't parse BotCommandScope JSON object")
        return rules.scope(scope), rules.language(params.text("language_code"))

    def set_my_text(self, name: str) -> Callable[[Params], Awaitable[bool]]:
        async def set_it(params: Params) -> bool:
            text = params.text(name)
            if rules.units(text) > TEXTS[name]:
                raise bad(f"bot {name.replace('_', ' ')} is too long")
            self.core.world.texts[name, rules.language(params.text("language_code"))] = text
            return True

        return set_it

    def get_my_text(self, name: str) -> Callable[[Params], Awaitable[Json]]:
        async def get_it(params: Params) -> Json:
            known = self.core.world.texts
            plain = known.get((name, ""), self.core.world.bot_name if name == "name" else "")
            return {name: known.get((name, rules.language(params.text("language_code"))), "") or plain}

        return get_it

    async def get_file(self, params: Params) -> Json:
        file = self.core.world.files.get(params.text("file_id"))
        if file is None:
            raise bad("invalid file_id")
        if file.size > rules.LARGEST_DOWNLOAD:
            raise bad("file is too big")
        known = {"file_id": file.id, "file_unique_id": file.unique_id, "file_size": file.size}
        return {**known, "file_path": file.path}

    async def get_chat(self, params: Params) -> Json:
        chat = self.core.world.open_chat(params.chat)
        facts = {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": _gifts()}
        return {**self.core.world.chat_json(chat), **facts}

    async def leave_chat(self, params: Params) -> bool:
        self.core.world.leave(self.core.world.open_chat(params.chat), self.core.now())
        return True


def _gifts() -> Json:
    kinds = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
    return dict.fromkeys(kinds, False)


def _is_number(value: Any) -> bool:
    return str(value).lstrip("-").isdigit()


def _retry_header(refused: Refused) -> dict[str, str]:
    seconds = refused.parameters.get("retry_after")
    return {} if seconds is None else {"Retry-After": str(seconds)}


async def cut(request: Request) -> Response:
    """Close the connection without an answer; what is returned goes nowhere."""
    request.scope["fake.cut"]()
    # The server learns of it in its next round; before that it would complain of the missing answer.
    await asyncio.sleep(0.01)
    return Response()


def call_json(call: Call) -> Json:
    return asdict(call)
