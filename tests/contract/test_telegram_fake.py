"""The fake of the Bot API over HTTP: methods and refusals, both ways of updates, faults, the phone."""

import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.error import BadRequest, Forbidden

from tests.fakes.telegram_api import Fake, running
from tests.fakes.telegram_api.phone import CannotDo

ROOT = Path(__file__).resolve().parents[2]
NO_SUCH_TOKEN = "1:" + "x" * 35


class Api:
    """The bare Bot API: (status, what it answered)."""

    def __init__(self, fake):
        self.fake = fake
        self.http = httpx.Client(base_url=f"{fake.address}/bot{fake.token}/", verify=False, trust_env=False, timeout=20)

    def __call__(self, method, **params):
        answer = self.http.post(method, json=params)
        return answer.status_code, answer.json()

    def result(self, method, **params):
        status, body = self(method, **params)
        assert (status, body["ok"]) == (200, True), body
        return body["result"]

    def refusal(self, method, **params):
        status, body = self(method, **params)
        assert (body["ok"], body["error_code"]) == (False, status), body
        return status, body["description"]


@pytest.fixture(scope="module")
def started():
    with running() as fake:
        yield fake


@pytest.fixture
def api(started):
    """One server for all; every test has people of its own and leaves no update and no fault behind."""
    api = Api(started)
    yield api
    started.heals()
    api.result("deleteWebhook", drop_pending_updates=True)
    api.http.close()


@pytest.fixture
def fake(started, api):
    return started


@pytest.fixture
def lina(fake, api):
    """Has started the bot; nothing waits."""
    phone = fake.phone(name="Lina", language_code="fr")
    phone.starts()
    api.result("deleteWebhook", drop_pending_updates=True)
    return phone


def numbers(updates):
    return [each["update_id"] for each in updates]


# ── The door ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_token_is_checked(fake, api):
    assert api.result("getMe")["username"] == "accueil_sandbox_bot"
    wrong = httpx.get(f"{fake.address}/bot{NO_SUCH_TOKEN}/getMe", verify=False, trust_env=False)
    assert (wrong.status_code, wrong.json()) == (401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
    malformed = httpx.get(f"{fake.address}/botnothing/getMe", verify=False, trust_env=False)
    assert malformed.json() == {"ok": False, "error_code": 404, "description": "Not Found"}


def test_an_unknown_method_is_not_found(api):
    assert api.refusal("sendGreeting") == (404, "Not Found: method not found")


def test_only_this_machine_is_answered(fake):
    answer = httpx.get(f"{fake.address}/control/state", headers={"Host": "example.org"}, verify=False, trust_env=False)
    assert answer.status_code == 403


def test_parameters_come_in_the_address_in_a_form_and_as_json(fake, api, lina):
    fake.settings(burst=3)
    keyboard = json.dumps({"inline_keyboard": [[{"text": "A", "callback_data": "a"}]]})
    given = {"chat_id": str(lina.id), "text": "hello", "reply_markup": keyboard}
    answers = [
        api.http.get("sendMessage", params=given),
        api.http.post("sendmessage", data=given),
        api.http.post("sendMessage", json={**given, "reply_markup": json.loads(keyboard)}),
    ]
    fake.settings(burst=1)
    assert [each.status_code for each in answers] == [200, 200, 200]
    assert [each.labels for each in lina.reads(count=3)] == [["A"], ["A"], ["A"]]


# ── Messages ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_message_arrives_with_text_entities_and_keyboard(api, lina):
    sent = api.result(
        "sendMessage",
        chat_id=lina.id,
        text="<b>Bonjour</b> &lt;3",
        parse_mode="HTML",
        link_preview_options={"is_disabled": True},
        reply_markup={"inline_keyboard": [[{"text": "Oui", "callback_data": "y"}]]},
    )
    read = lina.reads_one()

    assert (read.id, read.text, read.html, read.labels) == (
        sent["message_id"], "Bonjour <3", "<b>Bonjour</b> &lt;3", ["Oui"],
    )  # fmt: skip
    assert read.entities == [{"type": "bold", "offset": 0, "length": 7}]
    assert read.body["link_preview_options"] == {"is_disabled": True}


def test_who_cannot_be_written_to(fake, api, lina):
    stranger = fake.phone()
    assert api.refusal("sendMessage", chat_id=stranger.id, text="x") == (400, "Bad Request: chat not found")
    assert api.refusal("sendMessage", text="x") == (400, "Bad Request: chat_id is empty")

    lina.blocks()
    assert api.refusal("sendMessage", chat_id=lina.id, text="x") == (403, "Forbidden: bot was blocked by the user")
    lina.unblocks()
    assert api.result("sendMessage", chat_id=lina.id, text="x")["text"] == "x"
    lina.leaves_telegram()
    assert api.refusal("sendMessage", chat_id=lina.id, text="x") == (403, "Forbidden: user is deactivated")


def test_groups_put_out_and_migrate(fake, api, lina):
    group = lina.adds_to_group("Parrainage")
    assert api.result("sendMessage", chat_id=group, text="x")["chat"]["type"] == "group"
    assert [each["kind"] for each in lina.events(group)] == ["message"]

    new = lina.migrates(group)
    status, body = api("sendMessage", chat_id=group, text="x")
    assert (status, body["description"], body["parameters"]) == (
        400, "Bad Request: group chat was upgraded to a supergroup chat", {"migrate_to_chat_id": new},
    )  # fmt: skip
    assert api.result("sendMessage", chat_id=new, text="x")["chat"]["id"] == new

    lina.puts_out(new)
    refusal = api.refusal("sendMessage", chat_id=new, text="x")
    assert refusal == (403, "Forbidden: bot was kicked from the supergroup chat")


def test_the_bot_leaves_a_group_but_no_private_chat(api, lina):
    group = lina.adds_to_group()
    assert api.result("leaveChat", chat_id=group) is True
    assert lina.events(group)[-1]["kind"] == "left"
    assert api.refusal("sendMessage", chat_id=group, text="x")[0] == 403
    assert api.refusal("leaveChat", chat_id=lina.id)[0] == 400


def test_editing(api, lina):
    keyboard = {"inline_keyboard": [[{"text": "A", "callback_data": "a"}]]}
    sent = api.result("sendMessage", chat_id=lina.id, text="one", reply_markup=keyboard)
    read = lina.reads_one()
    where = {"chat_id": lina.id, "message_id": sent["message_id"]}

    not_modified = (
        400,
        "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as "
        "a current content and reply markup of the message",
    )
    assert api.refusal("editMessageText", **where, text="one", reply_markup=keyboard) == not_modified
    assert api.refusal("editMessageReplyMarkup", **where, reply_markup=keyboard) == not_modified
    assert api.result("editMessageText", **where, text="two", reply_markup=keyboard)["text"] == "two"
    assert "reply_markup" not in api.result("editMessageReplyMarkup", **where)
    assert api.refusal("editMessageReplyMarkup", **where) == not_modified

    lina.sync()
    assert (read.text, read.labels, read.is_edited) == ("two", [], True)
    assert lina.edits_seen == [read, read]


def test_what_cannot_be_edited(api, lina):
    own = lina.says("mine")
    assert api.refusal("editMessageText", chat_id=lina.id, message_id=own, text="x") == (
        400,
        "Bad Request: message can't be edited",
    )
    missing = api.refusal("editMessageText", chat_id=lina.id, message_id=own + 1000, text="x")
    assert missing == (400, "Bad Request: message to edit not found")
    assert api.refusal("editMessageText", chat_id=lina.id, text="x") == (
        400,
        "Bad Request: message identifier is not specified",
    )


def test_deleting(api, lina):
    sent = api.result("sendMessage", chat_id=lina.id, text="x")
    read = lina.reads_one()
    where = {"chat_id": lina.id, "message_id": sent["message_id"]}
    assert api.result("deleteMessage", **where) is True
    lina.sync()
    assert read.is_deleted
    assert api.refusal("deleteMessage", **where) == (400, "Bad Request: message to delete not found")


def test_a_pressed_button_is_answered_in_time(fake, api, lina):
    keyboard = {"inline_keyboard": [[{"text": "A", "callback_data": "a"}, {"text": "W", "url": "https://a.org"}]]}
    api.result("sendMessage", chat_id=lina.id, text="choose", reply_markup=keyboard)
    query = lina.presses("A")

    update = api.result("getUpdates")[-1]["callback_query"]
    assert (update["id"], update["data"], update["message"]["text"]) == (query, "a", "choose")
    assert api.result("answerCallbackQuery", callback_query_id=query, text="Noted") is True
    lina.sync()
    assert lina.answers == [{"query_id": query, "text": "Noted", "show_alert": False}]

    too_old = (400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
    assert api.refusal("answerCallbackQuery", callback_query_id="1") == too_old
    assert api.refusal("answerCallbackQuery", callback_query_id=query, text="x" * 201)[0] == 400
    late = lina.presses("A")
    fake.settings(query_lasts=0)
    refusal = api.refusal("answerCallbackQuery", callback_query_id=late)
    fake.settings(query_lasts=15)
    assert refusal == too_old


def test_a_phone_presses_only_what_it_sees_or_saw(api, lina):
    keyboard = {"inline_keyboard": [[{"text": "A", "callback_data": "a"}], [{"text": "W", "url": "https://a.org"}]]}
    sent = api.result("sendMessage", chat_id=lina.id, text="choose", reply_markup=keyboard)
    read = lina.reads_one()
    with pytest.raises(CannotDo, match="no message has the button 'B'"):
        lina.presses("B")
    with pytest.raises(CannotDo, match="opens https://"):
        lina.presses("W")

    button = read.button("A")
    api.result("editMessageReplyMarkup", chat_id=lina.id, message_id=sent["message_id"])
    with pytest.raises(CannotDo, match="no message has the button 'A'"):
        lina.presses("A")
    assert lina.presses(button, read)
    assert api.result("getUpdates")[-1]["callback_query"]["data"] == "a"


def test_typing_is_seen_and_other_actions_are_checked(api, lina):
    assert api.result("sendChatAction", chat_id=lina.id, action="typing") is True
    lina.sync()
    assert len(lina.typing) == 1
    refusal = api.refusal("sendChatAction", chat_id=lina.id, action="sleeping")
    assert refusal == (400, "Bad Request: wrong parameter action in request")


def test_the_menu_is_kept_per_language(fake, api):
    english, french = [{"command": "help", "description": "Help"}], [{"command": "help", "description": "Aide"}]
    api.result("setMyCommands", commands=english)
    api.result("setMyCommands", commands=french, language_code="fr")
    assert api.result("getMyCommands", language_code="fr") == french
    assert api.result("getMyCommands", language_code="es") == []
    assert (fake.menu("fr"), fake.menu("es")) == (french, english)
    api.result("deleteMyCommands", language_code="fr")
    assert fake.menu("fr") == english
    api.result("deleteMyCommands")


# ── Files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_of_the_phone_is_fetched_up_to_20_megabytes(fake, api, lina):
    lina.sends_document("lettre.pdf", b"%PDF-1.7", caption="ma lettre")
    lina.sends_document("video.mkv", size=20_000_001)
    small, large = (each["message"] for each in api.result("getUpdates"))
    assert (small["document"]["file_name"], small["caption"]) == ("lettre.pdf", "ma lettre")

    path = api.result("getFile", file_id=small["document"]["file_id"])["file_path"]
    fetched = httpx.get(f"{fake.address}/file/bot{fake.token}/{path}", verify=False, trust_env=False)
    assert (fetched.status_code, fetched.content) == (200, b"%PDF-1.7")
    wrong = httpx.get(f"{fake.address}/file/bot{NO_SUCH_TOKEN}/{path}", verify=False, trust_env=False)
    assert wrong.status_code == 401
    refusal = api.refusal("getFile", file_id=large["document"]["file_id"])
    assert refusal == (400, "Bad Request: file is too big")
    assert api.refusal("getFile", file_id="none") == (400, "Bad Request: invalid file_id")


def test_what_else_a_phone_sends(api, lina):
    lina.sends_photo(caption="ici")
    lina.sends_voice()
    lina.sends_video()
    lina.sends_sticker("👋")
    lina.sends_location(50.6, 3.1)
    lina.sends_contact("Ana", "+34600000000")
    lina.sends_poll("Quand ?")
    messages = [each["message"] for each in api.result("getUpdates")]

    assert messages[0]["caption"] == "ici"
    kinds = ("photo", "voice", "video", "sticker", "location", "contact", "poll")
    assert [kind in message for kind, message in zip(kinds, messages, strict=True)] == [True] * 7
    assert messages[4]["location"] == {"latitude": 50.6, "longitude": 3.1}


def test_an_album_is_several_messages_of_one_group(api, lina):
    sent = lina.sends_album([b"1", b"2", b"3"], caption="trois")
    messages = [each["message"] for each in api.result("getUpdates")]
    assert [each["message_id"] for each in messages] == sent
    assert [each.get("caption") for each in messages] == ["trois", None, None]
    assert len({each["media_group_id"] for each in messages}) == 1


def test_the_bot_sends_a_document_and_not_an_empty_one(api, lina):
    def send(data):
        answer = api.http.post("sendDocument", data={"chat_id": lina.id, "caption": "copie"}, files={"document": data})
        return answer.status_code, answer.json()

    assert send(("copie.json", b"", "application/json"))[1]["description"] == "Bad Request: file must be non-empty"
    status, body = send(("copie.json", b"{}", "application/json"))
    assert (status, body["result"]["document"]["file_name"]) == (200, "copie.json")
    assert lina.reads_one().text == "copie"
    assert api.refusal("sendDocument", chat_id=lina.id) == (400, "Bad Request: there is no document in the request")


# ── Updates by asking ────────────────────────────────────────────────────────────────────────────────────────────────


def test_updates_come_until_they_are_acknowledged(api, lina):
    lina.says("one")
    lina.says("two")
    first = api.result("getUpdates")
    assert [each["message"]["text"] for each in first] == ["one", "two"]
    assert api.result("getUpdates") == first
    assert api.result("getUpdates", limit=1) == first[:1]
    assert api.result("getUpdates", offset=first[1]["update_id"]) == first[1:]
    assert api.result("getUpdates", offset=first[1]["update_id"] + 1) == []
    assert api.result("getUpdates") == []


def test_a_negative_offset_keeps_the_last(api, lina):
    for text in ("one", "two", "three"):
        lina.says(text)
    assert [each["message"]["text"] for each in api.result("getUpdates", offset=-2)] == ["two", "three"]
    assert len(api.result("getUpdates")) == 2


def test_a_long_poll_ends_with_the_first_update(api, lina):
    with ThreadPoolExecutor(1) as pool:
        poll = pool.submit(api.result, "getUpdates", timeout=15)
        time.sleep(0.2)
        assert not poll.done()
        lina.says("now")
        assert poll.result(5)[0]["message"]["text"] == "now"


def test_a_second_look_ends_the_first_with_a_conflict(fake, api, lina):
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(api.refusal, "getUpdates", timeout=15)
        time.sleep(0.2)
        assert api.result("getUpdates") == []
        assert first.result(5) == (
            409,
            "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
        )


def test_only_the_updates_asked_for_are_kept(api, lina):
    api.result("getUpdates", allowed_updates=["callback_query"])
    lina.says("nobody hears")
    assert api.result("getUpdates") == []
    api.result("getUpdates", allowed_updates=[])
    lina.says("somebody hears")
    assert len(api.result("getUpdates")) == 1


def test_edits_groups_channels_and_blocks_are_updates(api, lina):
    first = lina.says("hello")
    lina.edits(first, "hello!")
    lina.blocks()
    lina.unblocks()
    group = lina.adds_to_group("G")
    lina.says("in the group", chat=group)
    channel = lina.adds_to_group("C", kind="channel")
    lina.says("a post", chat=channel)
    updates = api.result("getUpdates")

    assert [next(name for name in each if name != "update_id") for each in updates] == [
        "message", "edited_message", "my_chat_member", "my_chat_member", "my_chat_member", "message", "my_chat_member",
        "channel_post",
    ]  # fmt: skip
    edited, blocked = updates[1]["edited_message"], updates[2]["my_chat_member"]
    assert (edited["message_id"], edited["text"]) == (first, "hello!")
    assert (blocked["old_chat_member"]["status"], blocked["new_chat_member"]["status"]) == ("member", "kicked")
    assert updates[5]["message"]["chat"] == {"id": group, "type": "group", "title": "G"}
    assert updates[7]["channel_post"]["chat"]["type"] == "channel"


# ── Updates by webhook ───────────────────────────────────────────────────────────────────────────────────────────────


class Hook:
    """A gateway that takes updates, or not: `answers` holds the codes of the next ones (200 after them)."""

    def __init__(self):
        self.answers = []
        self.got = []
        self.slow = 0.0
        self.most_at_once = 0
        self._now = 0
        self._lock = threading.Lock()

    def take(self, body, secret):
        with self._lock:
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            code = self.answers.pop(0) if self.answers else 200
        time.sleep(self.slow)
        with self._lock:
            self._now -= 1
            self.got.append((json.loads(body), secret, code))
        return code

    def wait(self, count):
        until = time.monotonic() + 10
        while len(self.got) < count and time.monotonic() < until:
            time.sleep(0.01)
        return self.got

    @property
    def taken(self):
        return [update["message"]["text"] for update, _, code in self.got if code == 200]


@contextmanager
def listening():
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(hook.take(body, self.headers.get("X-Telegram-Bot-Api-Secret-Token")))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    hook.url = f"http://127.0.0.1:{server.server_port}/hook"
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def when_delivered(api):
    """What is known of the webhook once nothing waits for it: it answers before the fake has read the answer."""
    until = time.monotonic() + 10
    while (info := api.result("getWebhookInfo"))["pending_update_count"] and time.monotonic() < until:
        time.sleep(0.01)
    return info


def test_a_webhook_gets_updates_with_its_secret(api, lina):
    with listening() as hook:
        assert api.result("setWebhook", url=hook.url, secret_token="s3cret") is True
        lina.says("hello")
        update, secret, _ = hook.wait(1)[0]
        assert (update["message"]["text"], secret) == ("hello", "s3cret")
        assert api.refusal("getUpdates") == (
            409,
            "Conflict: can't use getUpdates method while webhook is active; "
            "use deleteWebhook to delete the webhook first",
        )
        when_delivered(api)
        api.result("deleteWebhook")
        assert api.result("getUpdates") == []


def test_an_update_is_given_again_until_it_is_taken_and_in_order(api, lina):
    with listening() as hook:
        hook.answers = [500, 404, 302]
        api.result("setWebhook", url=hook.url)
        for text in ("one", "two"):
            lina.says(text)
        hook.wait(5)
        assert [(update["message"]["text"], code) for update, _, code in hook.got] == [
            ("one", 500), ("one", 404), ("one", 302), ("one", 200), ("two", 200),
        ]  # fmt: skip
        info = when_delivered(api)
        assert (info["url"], info["pending_update_count"]) == (hook.url, 0)
        assert info["last_error_message"] == "Wrong response from the webhook: 302 Found"
        api.result("deleteWebhook")


def test_a_webhook_is_called_side_by_side_up_to_its_limit(fake, api):
    phones = [fake.phone() for _ in range(6)]
    with listening() as hook:
        hook.slow = 0.1
        api.result("setWebhook", url=hook.url, max_connections=2)
        for phone in phones:
            phone.says("hello")
        hook.wait(6)
        assert hook.most_at_once == 2
        api.result("deleteWebhook")


def test_what_nobody_took_waits_for_who_asks(api, lina):
    api.result("setWebhook", url="http://127.0.0.1:9/nobody")
    lina.says("hello")
    time.sleep(0.2)
    assert api.result("getWebhookInfo")["last_error_message"] == "Connection refused"
    api.result("deleteWebhook")
    assert [each["message"]["text"] for each in api.result("getUpdates")] == ["hello"]


def test_a_webhook_out_of_its_limits_is_refused(api):
    assert api.refusal("setWebhook", url="http://example.org/")[0] == 400
    assert api.refusal("setWebhook", url="http://127.0.0.1:1/", secret_token="no spaces")[0] == 400
    assert api.refusal("setWebhook", url="http://127.0.0.1:1/", max_connections=101)[0] == 400
    assert api.result("getWebhookInfo")["url"] == ""


# ── What goes wrong on purpose ───────────────────────────────────────────────────────────────────────────────────────


def test_limits_are_answered_with_429_and_counted(fake, api, lina):
    before = fake.violations.get("chat", 0)
    api.result("sendMessage", chat_id=lina.id, text="one")
    status, body = api("sendMessage", chat_id=lina.id, text="two")
    assert (status, body["description"], body["parameters"]) == (
        429, "Too Many Requests: retry after 1", {"retry_after": 1},
    )  # fmt: skip
    assert fake.violations["chat"] == before + 1
    assert [each.text for each in lina.reads()] == ["one"]


def test_a_cut_before_loses_the_message_and_a_cut_after_does_not(fake, api, lina):
    fake.fault("cut_before", methods=["sendMessage"], times=1)
    with pytest.raises(httpx.TransportError):
        api("sendMessage", chat_id=lina.id, text="lost")
    fake.fault("cut_after", methods=["sendMessage"], times=1)
    with pytest.raises(httpx.TransportError):
        api("sendMessage", chat_id=lina.id, text="arrived")
    assert [each.text for each in lina.reads()] == ["arrived"]
    assert [each["description"] for each in fake.calls("sendMessage")[-2:]] == ["cut before", "cut after"]


def test_errors_and_429s_strike_where_they_are_told(fake, api, lina):
    other = fake.phone()
    other.starts()
    fake.fault("status", methods=["getMe"], status=502, times=1)
    assert api.refusal("getMe") == (502, "Bad Gateway")
    assert api.result("getMe")["is_bot"]
    fake.fault("too_many", chat=lina.id, seconds=3, times=1)
    assert api("sendMessage", chat_id=lina.id, text="x")[1]["parameters"] == {"retry_after": 3}
    assert api.result("sendMessage", chat_id=other.id, text="x")["text"] == "x"
    before = fake.violations.get("impatient", 0)
    assert api("sendMessage", chat_id=lina.id, text="x")[0] == 429
    assert fake.violations["impatient"] == before + 1


def test_a_slow_answer_takes_its_time(fake, api):
    fake.fault("slow", methods=["getMe"], seconds=0.3, times=1)
    began = time.monotonic()
    api.result("getMe")
    assert time.monotonic() - began >= 0.3


def test_a_repeated_update_comes_again_after_it_was_acknowledged(fake, api, lina):
    fake.fault("repeat", times=1)
    lina.says("twice")
    lina.says("once")
    first = api.result("getUpdates")
    again = api.result("getUpdates", offset=first[-1]["update_id"] + 1)
    assert again == first[:1]
    assert api.result("getUpdates", offset=first[-1]["update_id"] + 1) == []


def test_a_repeated_update_comes_twice_to_a_webhook(fake, api, lina):
    fake.fault("repeat", times=1)
    with listening() as hook:
        api.result("setWebhook", url=hook.url)
        lina.says("twice")
        hook.wait(2)
        assert hook.taken == ["twice", "twice"]
        assert hook.got[0][0]["update_id"] == hook.got[1][0]["update_id"]
        api.result("deleteWebhook")


def test_a_delayed_update_holds_back_those_after_it(fake, api, lina):
    fake.fault("delay", seconds=0.3, times=1)
    lina.says("late")
    lina.says("later")
    assert api.result("getUpdates") == []
    assert [each["message"]["text"] for each in api.result("getUpdates", timeout=5)] == ["late", "later"]


def test_a_shuffle_mixes_the_updates_of_one_answer_and_loses_none(fake, api, lina):
    for n in range(6):
        lina.says(str(n))
    plain = numbers(api.result("getUpdates"))
    fake.fault("shuffle", count=3, seed=1)
    mixed = numbers(api.result("getUpdates"))
    assert mixed != plain
    assert [sorted(mixed[:3]), sorted(mixed[3:])] == [plain[:3], plain[3:]]


def test_faults_are_listed_counted_and_healed(fake, api):
    fake.fault("status", methods=["getMe"], status=500)
    api.refusal("getMe")
    assert [(each["kind"], each["struck"]) for each in fake.faults()] == [("status", 1)]
    fake.heals()
    assert api.result("getMe")["is_bot"]
    with pytest.raises(CannotDo, match="there is no fault 'gremlin'"):
        fake.fault("gremlin")


# ── Around it ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_page_with_the_phone_is_served(fake):
    with httpx.Client(base_url=fake.address, verify=False, trust_env=False) as http:
        page = http.get("/")
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        for part in ("phone.js", "phone.css"):
            assert f'"{part}"' in page.text
            assert http.get(f"/{part}").status_code == 200
        assert http.get("/core.py").status_code == 404


def test_as_a_process_it_says_its_address_and_takes_its_token_from_the_environment():
    token = "7:" + "t" * 35
    argv = [sys.executable, "-m", "tests.fakes.telegram_api", "--token-from", "FAKE_TOKEN"]
    env = {**os.environ, "FAKE_TOKEN": token}
    with subprocess.Popen(argv, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            said = json.loads(process.stdout.readline())
            with Fake(said["address"], said["token"]) as fake:
                fake.wait_until_up()
                phone = fake.phone()
                phone.starts()
                assert said["token"] == token
                assert fake.state()["bot"]["id"] == 7
                # Larger than those of any start before, else a bot would take them for repeats.
                assert fake.state()["next_update"] > 730_000_001 + 1_000_000
        finally:
            process.terminate()
    assert process.returncode is not None


# ── With the library that the gateway uses ───────────────────────────────────────────────────────────────────────────


async def test_the_library_of_the_gateway_speaks_with_it(fake, lina):
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Oui", callback_data="y")]])
    async with Bot(fake.token, base_url=f"{fake.address}/bot", base_file_url=f"{fake.address}/file/bot") as bot:
        sent = await bot.send_message(
            lina.id, "<b>Bonjour</b>", "HTML", reply_markup=keyboard, link_preview_options=LinkPreviewOptions(True)
        )
        assert [each.text for each in await lina.areads()] == ["Bonjour"]
        lina.presses("Oui")
        (update,) = await bot.get_updates(timeout=5)
        assert update.callback_query.data == "y"
        await update.callback_query.answer()
        await update.callback_query.edit_message_reply_markup(None)
        with pytest.raises(BadRequest, match="Message is not modified"):
            await bot.edit_message_reply_markup(lina.id, sent.message_id)
        lina.sends_document("a.pdf", b"bytes")
        (update,) = await bot.get_updates(update.update_id + 1)
        file = await bot.get_file(update.message.document.file_id)
        assert bytes(await file.download_as_bytearray()) == b"bytes"
        lina.blocks()
        with pytest.raises(Forbidden, match="bot was blocked by the user"):
            await bot.send_message(lina.id, "x")
