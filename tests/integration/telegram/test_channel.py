"""The whole channel against the strict fake: what a student sees, in both modes."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from bot.answers.words import HELP
from bot.channels.telegram import channel as channel_module
from bot.channels.telegram.channel import UPDATES, TelegramChannel, webhook_of
from bot.channels.telegram.client import Client, webhook_secret
from bot.channels.telegram.menu import WHO, description_in
from bot.config import Settings
from bot.conversations.commands import MENU
from bot.conversations.messages import Button
from bot.conversations.models import (
    Address,
    Alert,
    Attachment,
    Author,
    ChannelUpdate,
    Control,
    Conversation,
    InboxEntry,
    OutboxEntry,
)
from bot.conversations.service import append
from bot.conversations.words import greeting
from bot.errors import ConfigurationError, Unavailable
from bot.handoff.service import claim, reply
from bot.i18n.languages import CODES
from bot.i18n.translate import say
from bot.identity.staff import make_token
from tests.factories import make_staff
from tests.fakes import plain_answer
from tests.fakes.telegram_api import Fake, running
from tests.integration.telegram.gateway import Gateway, gateway, until


@pytest.fixture
def fake() -> Iterator[Fake]:
    with running() as made:
        yield made


@pytest.fixture
def desk(database, tmp_path: Path, fake: Fake) -> Iterator[Gateway]:
    """Polled on SQLite, called on PostgreSQL: what each is for."""
    mode = "polling" if database.engine.dialect.name == "sqlite" else "webhook"
    with gateway(database, tmp_path, fake, mode=mode) as made:
        yield made
    assert fake.violations == {}


def plain(markdown: str) -> str:
    return markdown.replace("**", "")


def test_a_student_is_greeted_in_their_language_and_answered(desk: Gateway, fake: Fake):
    phone = fake.phone(name="Amina", language_code="fr")
    phone.starts()
    assert phone.reads_one(20).text == greeting("fr")

    phone.says("Où est la CAF ?")

    answer = phone.reads_one(20)
    assert answer.text == "echo: Où est la CAF ?"
    assert [author for author, _ in desk.transcript(phone)] == ["bot", "student", "bot"]


def test_a_question_that_takes_long_shows_that_we_are_typing(desk: Gateway, fake: Fake):
    phone = fake.phone()
    phone.starts()
    phone.reads(20)
    assert phone.typing == []
    desk.engine.gate = asyncio.Event()

    phone.says("a hard one")
    until(lambda: phone.sync() or phone.typing)
    desk.loop.call_soon_threadsafe(desk.engine.gate.set)

    assert phone.reads_one(20).text == "echo: a hard one"


def test_a_colleague_who_writes_is_seen_typing(desk: Gateway, fake: Fake):
    phone = fake.phone()
    phone.starts()
    phone.reads(20)

    talk, loop = desk.conversation(phone).id, desk.loop
    loop.call_soon_threadsafe(lambda: desk.services.live.typing(talk, "staff", on=True))

    until(lambda: phone.sync() or phone.typing)


def test_messages_of_one_chat_are_answered_in_order_and_other_chats_do_not_wait(desk: Gateway, fake: Fake):
    one, other = fake.phone(), fake.phone()
    for number in range(4):
        one.says(f"question {number}")
    other.says("hello")

    assert [each.text for each in other.reads(20, 2)] == [greeting("en"), "echo: hello"]
    assert [each.text for each in one.reads(30, 5)] == [greeting("en"), *(f"echo: question {n}" for n in range(4))]


def test_a_press_is_answered_at_once_does_its_deed_and_takes_the_buttons_away(desk: Gateway, fake: Fake):
    phone = fake.phone()
    desk.engine.answer = lambda text: plain_answer(f"echo: {text}")
    phone.says("/language")
    _, asked = phone.reads(20, 2)
    assert "Français" in asked.labels

    query = phone.presses("Français")

    answer = phone.reads_one(20)
    assert answer.text == say("fr", "I now answer in {language}.", language="Français")
    assert [each["query_id"] for each in phone.answers] == [query]
    until(lambda: phone.sync() or asked.keyboard == [])
    assert desk.conversation(phone).language == "fr"


def test_an_old_button_is_explained(desk: Gateway, fake: Fake):
    phone = fake.phone()
    phone.says("/help")
    _, help_ = phone.reads(20, 2)
    assert help_.text == plain(say("en", HELP))
    with desk.services.database.write() as session:
        conversation = session.scalars(select(Conversation)).one()
        for number in range(205):
            append(session, conversation, Author.STUDENT, f"{number}", now=desk.services.clock.now())
            conversation.channel = "web"
            append(session, conversation, Author.BOT, f"{number}", now=desk.services.clock.now())

    phone.presses("Talk to a person")

    assert phone.reads_one(20).text.startswith("This button is too old")


def test_a_long_answer_comes_in_parts_that_telegram_takes(desk: Gateway, fake: Fake):
    paragraph = "Bring **every paper** & the <form>. " * 40
    desk.engine.answer = lambda text: plain_answer("\n\n".join([paragraph.strip()] * 7))
    phone = fake.phone()
    phone.says("everything?")

    parts = phone.reads(30, 4)[1:]

    assert [len(part.text) <= 4096 for part in parts] == [True, True, True]
    assert "\n\n".join(part.text for part in parts) == plain("\n\n".join([paragraph.strip()] * 7))
    assert all(part.html is not None and "<b>every paper</b> &amp; the &lt;form&gt;" in part.html for part in parts)


def test_a_chat_that_must_wait_holds_up_nobody_else_and_keeps_its_order(desk: Gateway, fake: Fake):
    slow, quick = fake.phone(), fake.phone()
    slow.starts(), quick.starts()
    slow.reads(20), quick.reads(20)
    fake.fault("too_many", methods=["sendMessage"], chat=slow.id, times=1, seconds=4)

    slow.says("first")
    slow.says("second")
    quick.says("hello")

    answer = quick.reads_one(10)
    waited = slow.reads(30, 2)
    assert answer.text == "echo: hello"
    assert [each.text for each in waited] == ["echo: first", "echo: second"]
    assert answer.at < waited[0].at


def test_repeated_delayed_and_shuffled_updates_are_answered_once_and_in_order(desk: Gateway, fake: Fake):
    phone = fake.phone()
    fake.fault("repeat", count=2, share=0.5, seed=3)
    fake.fault("shuffle", count=4, seed=3)
    for number in range(6):
        phone.says(f"{number}")

    assert [each.text for each in phone.reads(40, 7)] == [greeting("en"), *(f"echo: {n}" for n in range(6))]
    until(lambda: fake.state()["pending"] == 0)
    assert phone.reads(1.5) == []


def test_a_connection_that_breaks_before_telegram_has_it_costs_no_message(desk: Gateway, fake: Fake):
    phone = fake.phone()
    phone.starts()
    phone.reads(20)
    fake.fault("cut_before", methods=["sendMessage"], times=2)
    fake.fault("status", methods=["sendMessage"], times=1, status=502)

    phone.says("still there?")

    assert phone.reads_one(30).text == "echo: still there?"


def test_a_connection_that_breaks_after_telegram_has_it_may_repeat_but_never_lose(desk: Gateway, fake: Fake):
    phone = fake.phone()
    phone.starts()
    phone.reads(20)
    fake.fault("cut_after", methods=["sendMessage"], times=1)

    phone.says("once?")

    assert [each.text for each in phone.reads(30, 2)] == ["echo: once?"] * 2


def test_new_words_before_the_answer_are_what_is_answered(desk: Gateway, fake: Fake):
    phone = fake.phone()
    phone.starts()
    phone.reads(20)
    desk.engine.gate = asyncio.Event()
    message = phone.says("how is the wether")
    until(lambda: desk.engine.asked == ["how is the wether"])

    phone.edits(message, "how is the weather")
    until(lambda: ("student", "how is the weather") in desk.transcript(phone))
    desk.loop.call_soon_threadsafe(desk.engine.gate.set)

    assert phone.reads_one(20).text == "echo: how is the weather"

    phone.edits(message, "never mind")
    until(lambda: ("student", "never mind") in desk.transcript(phone))
    assert phone.reads(1.5) == []


def test_who_blocks_us_is_written_to_no_more_until_they_write_again(desk: Gateway, fake: Fake):
    phone = fake.phone()
    phone.starts()
    phone.reads(20)
    phone.blocks()
    until(lambda: desk.conversation(phone).channel == "web")

    phone.unblocks()
    phone.says("me again")

    assert phone.reads_one(20).text == "echo: me again"


def test_a_refusal_because_we_are_blocked_closes_the_chat_even_without_a_word_from_telegram(desk: Gateway, fake: Fake):
    phone = fake.phone()
    phone.starts()
    phone.reads(20)
    phone.leaves_telegram()
    with desk.services.database.write() as session:
        conversation = session.scalars(select(Conversation)).one()
        append(session, conversation, Author.BOT, "Anybody there?", now=desk.services.clock.now())

    until(lambda: desk.conversation(phone).channel == "web")
    with desk.services.database.read() as session:
        assert session.scalars(select(Address)).one().blocked_at is not None
        assert session.scalars(select(OutboxEntry)).all() == []


def test_groups_are_left_with_a_word_and_nothing_of_them_is_kept(desk: Gateway, fake: Fake):
    phone = fake.phone()
    group = phone.adds_to_group()

    until(lambda: fake.calls("leaveChat"))
    (said,) = [call for call in fake.calls("sendMessage") if str(call["params"]["chat_id"]) == str(group)]
    assert "https://t.me/" in said["params"]["text"]
    assert said["params"]["link_preview_options"] == {"is_disabled": True}
    with desk.services.database.read() as session:
        assert session.scalars(select(Conversation)).all() == []
        assert [row.payload for row in session.scalars(select(ChannelUpdate))] == [None]


def test_a_channel_is_left_without_a_word(desk: Gateway, fake: Fake):
    phone = fake.phone()
    channel = phone.adds_to_group(kind="channel")

    until(lambda: fake.calls("leaveChat"))
    assert [int(call["params"]["chat_id"]) for call in fake.calls("leaveChat")] == [channel]
    assert fake.calls("sendMessage") == []


def test_nothing_that_is_sent_shows_a_preview_of_its_links(desk: Gateway, fake: Fake):
    desk.engine.answer = lambda text: plain_answer("Look at https://www.campusfrance.org and write again.")
    phone = fake.phone()
    phone.says("Where?")
    assert len(phone.reads(20, 2)) == 2

    assert [call["params"]["link_preview_options"] for call in fake.calls("sendMessage")] == [{"is_disabled": True}] * 2


def test_telegram_is_asked_for_what_we_read_and_for_nothing_else(desk: Gateway, fake: Fake):
    method = "setWebhook" if desk.services.settings.telegram_mode == "webhook" else "getUpdates"
    phone = fake.phone()
    phone.starts()
    phone.reads(20)

    assert {tuple(call["params"]["allowed_updates"]) for call in fake.calls(method)} == {tuple(UPDATES)}


def test_commands_do_what_the_menu_says(desk: Gateway, fake: Fake):
    phone = fake.phone()
    phone.starts()
    phone.reads(20)

    phone.says("/start")
    assert phone.reads_one(20).text == greeting("en")
    phone.says("/link")
    assert phone.reads_one(20).text.startswith("Write me the address of your school mailbox")
    phone.says("/human")
    assert phone.reads_one(20).text.startswith("Your request is with the international office")
    assert desk.conversation(phone).control == Control.WAITING
    assert desk.engine.asked == []


def test_a_colleague_answers_in_telegram_and_the_bot_is_silent_meanwhile(desk: Gateway, fake: Fake):
    phone = fake.phone()
    phone.starts()
    phone.reads(20)
    now = desk.services.clock.now()
    with desk.services.database.write() as session:
        claire = make_staff(session, now)
        conversation = session.scalars(select(Conversation)).one()
        claim(session, conversation.id, claire, now)
        reply(session, conversation.id, claire, "c1", "Come **tomorrow**.", now)

    border, answer = phone.reads(20, 2)
    assert border.text == "You are now talking to Claire."
    assert answer.text == "Claire\n\nCome tomorrow."

    phone.says("thank you")
    until(lambda: desk.transcript(phone)[-1] == ("student", "thank you"))
    assert phone.reads(2) == []
    assert desk.engine.asked == []


def test_the_menu_is_in_every_language_and_written_once(desk: Gateway, fake: Fake):
    assert [each["command"] for each in fake.menu("fr")] == list(MENU)
    assert fake.menu("fr")[1]["description"] == say("fr", MENU["human"])
    assert fake.menu("tlh") == fake.menu("en")
    assert len(fake.calls("setMyCommands")) == 8


def test_a_chat_in_which_nobody_has_written_says_who_the_bot_is_in_every_language(database, tmp_path: Path, fake: Fake):
    def said(method: str, **of: str) -> str:
        answer = fake.http.get(f"/bot{fake.token}/get{method}", params=of)
        return str(next(iter(answer.json()["result"].values())))

    theirs = {"description": "Le guichet de notre école", "language_code": "fr"}
    fake.http.post(f"/bot{fake.token}/setMyDescription", json=theirs).raise_for_status()
    for looked_at in (8, 16):
        with gateway(database, tmp_path, fake):
            until(lambda wanted=looked_at: len(fake.calls("getMyShortDescription")) == wanted)
            until(lambda: len(fake.calls("setMyShortDescription")) == 8)

    assert said("MyDescription", language_code="fr") == "Le guichet de notre école"
    for code in set(CODES) - {"fr"}:
        assert said("MyDescription", language_code=code) == description_in(code)
    assert said("MyDescription", language_code="de") == description_in("en")
    assert said("MyShortDescription", language_code="uk") == say("uk", WHO)
    # Once: seven languages less the one that was there, and the one for all others; eight short ones.
    assert (len(fake.calls("setMyDescription")), len(fake.calls("setMyShortDescription"))) == (1 + 7, 8)


def test_a_start_writes_of_the_menu_what_has_changed_and_no_more(database, tmp_path: Path, fake: Fake):
    with gateway(database, tmp_path, fake):
        until(lambda: len(fake.calls("setMyCommands")) == 8)
    other = [{"command": "help", "description": "Something else"}]
    body = {"commands": other, "language_code": "fr"}
    fake.http.post(f"/bot{fake.token}/setMyCommands", json=body).raise_for_status()

    with gateway(database, tmp_path, fake):
        until(lambda: [each["command"] for each in fake.menu("fr")] == list(MENU))
        # Taken in after the menu was looked at.
        phone = fake.phone()
        phone.starts()
        phone.reads(20)
    assert len(fake.calls("setMyCommands")) == 10


def test_what_is_not_stored_is_not_acknowledged(database, tmp_path: Path, fake: Fake, monkeypatch):
    away = [True]
    real, ask = TelegramChannel.store, Client.raw_updates
    stored: set[int] = set()

    def store(self, updates):
        if away[0]:
            raise Unavailable
        done = real(self, updates)
        with database.read() as session:
            stored.update(session.scalars(select(ChannelUpdate.number)))
        return done

    async def asks(self, offset, allowed):
        # To ask from a number on tells Telegram that we have all before it.
        assert offset is None or offset - 1 in stored
        return await ask(self, offset, allowed)

    monkeypatch.setattr(TelegramChannel, "store", store)
    monkeypatch.setattr(Client, "raw_updates", asks)
    phone = fake.phone()
    with gateway(database, tmp_path, fake):
        phone.says("one")
        phone.says("two")
        until(lambda: len(fake.calls("getUpdates")) >= 3)
        assert fake.state()["pending"] == 2

        away[0] = False
        assert [each.text for each in phone.reads(30, 3)] == [greeting("en"), "echo: one", "echo: two"]
        until(lambda: fake.state()["pending"] == 0)


def test_a_webhook_that_somebody_else_has_taken_is_said_and_taken_back(
    database, tmp_path: Path, fake: Fake, monkeypatch
):
    monkeypatch.setattr(channel_module, "LOOK_AGAIN", 0.2)
    said: list[str] = []
    real = TelegramChannel._trouble
    monkeypatch.setattr(TelegramChannel, "_trouble", lambda self, text: (said.append(text), real(self, text))[1])
    with gateway(database, tmp_path, fake, mode="webhook") as desk:
        url = "https://elsewhere.example/hook"
        fake.http.post(f"/bot{fake.token}/setWebhook", json={"url": url}).raise_for_status()

        until(lambda: said)
        assert said[0] == (
            f"Telegram no longer hands the messages of @{desk.status.name} to us but to {url}: another program uses "
            "the same token."
        )
        until(desk.is_on)
        assert fake.state()["webhook"] == f"{desk.services.settings.address}/telegram/webhook"


async def test_the_command_shows_the_webhook_and_takes_it_away_without_losing_what_waits(tmp_path: Path, fake: Fake):
    settings = Settings(
        data=tmp_path, telegram_token=SecretStr(fake.token), telegram_api_url=fake.address, _env_file=None
    )
    none = ["No webhook is set: the bot can be polled (ACCUEIL_TELEGRAM_MODE=polling)."]
    assert await webhook_of(settings, remove=False) == none
    url = "https://elsewhere.example/hook"
    fake.http.post(f"/bot{fake.token}/setWebhook", json={"url": url}).raise_for_status()
    fake.phone().says("waits")

    shown = await webhook_of(settings, remove=False)
    assert shown[:2] == [f"Telegram hands the messages of this bot to {url}", "Waiting there: 1"]
    assert await webhook_of(settings, remove=True) == none
    assert fake.state()["pending"] == 1

    with pytest.raises(ConfigurationError, match="There is no bot: set ACCUEIL_TELEGRAM_TOKEN first"):
        await webhook_of(Settings(data=tmp_path, telegram_token=SecretStr(""), _env_file=None), remove=False)
    wrong = settings.model_copy(update={"telegram_token": SecretStr("110000001:another-token-of-the-fake-bot-api00")})
    with pytest.raises(ConfigurationError, match="Telegram does not know ACCUEIL_TELEGRAM_TOKEN"):
        await webhook_of(wrong, remove=True)


def test_what_telegram_refuses_for_good_becomes_an_alert_and_the_next_one_goes_out(desk: Gateway, fake: Fake):
    phone = fake.phone()
    phone.starts()
    phone.reads(20)
    fake.fault("status", methods=["sendMessage"], times=1, status=400)

    phone.says("one")
    phone.says("two")

    assert [each.text for each in phone.reads(20)] == ["echo: two"]
    with desk.services.database.read() as session:
        assert [alert.kind for alert in session.scalars(select(Alert))] == ["undelivered"]


def test_a_photo_is_refused_in_words_and_its_caption_is_answered(desk: Gateway, fake: Fake):
    phone = fake.phone()
    phone.starts()
    phone.reads(20)

    phone.sends_photo()
    assert phone.reads_one(20).text.startswith("I cannot look at pictures")

    phone.sends_photo(caption="Is this right?")
    assert phone.reads_one(20).text.endswith("echo: Is this right?")


def test_a_file_for_a_colleague_is_fetched_and_kept(desk: Gateway, fake: Fake):
    phone = fake.phone()
    phone.starts()
    phone.reads(20)
    now = desk.services.clock.now()
    with desk.services.database.write() as session:
        conversation = session.scalars(select(Conversation)).one()
        claim(session, conversation.id, make_staff(session, now), now)
    phone.reads(20)

    phone.sends_document("visa.pdf", b"%PDF-1.7 a visa")

    def kept():
        with desk.services.database.read() as session:
            return session.scalars(select(Attachment.content)).all()

    assert until(lambda: [each for each in kept() if each]) == [b"%PDF-1.7 a visa"]


def test_buttons_of_a_message_are_opaque_and_short(desk: Gateway, fake: Fake):
    phone = fake.phone()
    phone.starts()
    phone.reads(20)
    label = "С" * 40
    with desk.services.database.write() as session:
        conversation = session.scalars(select(Conversation)).one()
        values = {"topic": "residence_permit", "told": {"nationality": "x" * 500}}
        buttons = [Button(label, values), Button("OK", {"effect": "greet"})]
        append(session, conversation, Author.BOT, "Choose", now=desk.services.clock.now(), buttons=buttons)

    message = phone.reads_one(20)
    assert message.labels == [label, "OK"]
    assert [len(button.data.encode()) <= 64 for row in message.keyboard for button in row] == [True, True]


def test_a_forged_call_of_the_webhook_is_not_known_and_nothing_is_stored(database, tmp_path: Path, fake: Fake):
    with gateway(database, tmp_path, fake, mode="webhook") as desk:
        update = {"update_id": 1, "message": {"text": "forged"}}
        right = {"X-Telegram-Bot-Api-Secret-Token": webhook_secret(desk.services.settings)}
        for headers in ({}, {"X-Telegram-Bot-Api-Secret-Token": "x"}, {"X-Telegram-Bot-Api-Secret-Token": "é"}):
            encoded = {name: value.encode() for name, value in headers.items()}
            assert desk.client.post("/telegram/webhook", json=update, headers=encoded).status_code == 404
        for body in ("[]", "{}", "no json", '{"update_id": "1"}', '{"update_id": true}', "[" * 100_000):
            assert desk.client.post("/telegram/webhook", content=body, headers=right).status_code == 400
        large = desk.client.post("/telegram/webhook", content=b" " * (1024 * 1024 + 1), headers=right)
        assert large.status_code == 413
        with desk.services.database.read() as session:
            assert session.scalars(select(ChannelUpdate)).all() == []

        assert desk.client.post("/telegram/webhook", json=update, headers=right).status_code == 200
        with desk.services.database.read() as session:
            assert len(session.scalars(select(ChannelUpdate)).all()) == 1


def test_danger_is_answered_once_while_the_database_is_away_and_all_is_answered_when_it_is_back(
    database, tmp_path: Path, fake: Fake, monkeypatch
):
    away = [True]
    real = TelegramChannel.store

    def store(self, updates):
        if away[0]:
            raise Unavailable
        return real(self, updates)

    phone = fake.phone()
    monkeypatch.setattr(TelegramChannel, "store", store)
    with gateway(database, tmp_path, fake, mode="webhook"):
        phone.says("I want to kill myself")
        phone.says("What is the CVEC?")

        (urgent,) = phone.reads(20)
        assert "3114" in urgent.text
        assert phone.reads(3) == []

        away[0] = False
        told = phone.reads(30, 3)
        assert told[0].text == greeting("en")
        assert "3114" in told[1].text
        assert told[2].text == "echo: What is the CVEC?"


def test_polling_while_a_webhook_is_set_says_where_the_messages_go(database, tmp_path: Path, fake: Fake):
    url = "https://elsewhere.example/hook"
    fake.http.post(f"/bot{fake.token}/setWebhook", json={"url": url}).raise_for_status()

    with gateway(database, tmp_path, fake, connects=False) as desk:
        trouble = until(lambda: desk.status.trouble)
        assert url in trouble
        assert "accueil telegram-webhook --remove" in trouble
        assert desk.client.get("/healthz").status_code == 200
        assert desk.client.get("/healthz/channels").json()["telegram"]["state"] == "trouble"

        fake.http.post(f"/bot{fake.token}/deleteWebhook").raise_for_status()
        until(desk.is_on)


def test_two_who_poll_with_one_token_are_told(database, tmp_path: Path, fake: Fake):
    with gateway(database, tmp_path, fake) as desk:
        until(lambda: fake.calls("getMyCommands"))

        def other_takes_over():
            fake.http.post(f"/bot{fake.token}/getUpdates", json={"timeout": 0})
            return "Another program" in desk.status.trouble

        until(other_takes_over)


def test_a_wrong_token_is_said_and_the_rest_goes_on(database, tmp_path: Path, fake: Fake):
    wrong = Fake(fake.address, "110000001:another-token-of-the-fake-bot-api00")
    with wrong, gateway(database, tmp_path, wrong, connects=False) as desk:
        trouble = until(lambda: desk.status.trouble)
        assert trouble == "Telegram does not know ACCUEIL_TELEGRAM_TOKEN: copy it again from @BotFather."
        assert desk.client.post("/api/v1/conversations", json={}).status_code == 201


def test_without_a_token_there_is_no_channel(database, tmp_path: Path, fake: Fake):
    nobody = Fake(fake.address, "")
    with nobody, gateway(database, tmp_path, nobody, connects=False) as desk:
        assert desk.status.state == "off"
        assert desk.client.post("/telegram/webhook", json={"update_id": 1}).status_code == 404
    assert fake.calls() == []


def test_what_was_stored_before_a_stop_is_answered_after_the_next_start(database, tmp_path: Path, fake: Fake):
    phone = fake.phone()
    with gateway(database, tmp_path, fake) as desk:
        phone.starts()
        phone.reads(20)
    phone.says("while you slept")
    with gateway(database, tmp_path, fake) as desk:
        assert phone.reads_one(20).text == "echo: while you slept"
        assert desk.conversation(phone).control == Control.BOT
        with desk.services.database.read() as session:
            assert len(session.scalars(select(InboxEntry)).all()) == 1


def test_a_colleague_s_words_are_changed_and_taken_back_in_the_chat(desk: Gateway, fake: Fake):
    phone = fake.phone()
    phone.starts()
    phone.reads(20)
    with desk.services.database.write() as session:
        claire = make_staff(session, desk.services.clock.now())
        token = make_token(session, claire.email, desk.services.clock.now())
    path = f"/api/v1/staff/conversations/{desk.conversation(phone).id}/messages"
    headers = {"Authorization": f"Bearer {token}"}
    answer = desk.client.post(path, json={"client_id": str(uuid4()), "text": "Come at **nine**"}, headers=headers)
    _notice, said = phone.reads(20, 2)
    one = f"{path}/{answer.json()['event']['seq']}"
    until(lambda: desk.client.patch(one, json={"text": "Come at **ten**"}, headers=headers).is_success)
    until(lambda: phone.sync() or said.is_edited)

    too_long = desk.client.patch(one, json={"text": "\n\n".join(["🙂" * 1900] * 2)}, headers=headers)
    deleted = desk.client.delete(one, headers=headers)

    assert said.text == "Claire\n\nCome at ten"
    assert (too_long.status_code, too_long.json()["code"], too_long.json()["why"]) == (409, "cannot_change", "too_long")
    assert deleted.status_code == 200
    until(lambda: phone.sync() or said.is_deleted)
