"""Telegram as one thing that the gateway runs: what comes in, what goes out, and what Telegram must know of us."""

import asyncio
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, NetworkError, TelegramError

from bot.bootstrap import Services
from bot.channels.status import ChannelStatus
from bot.channels.telegram.calls import NO_PREVIEW, send
from bot.channels.telegram.client import client_of, number_of, quietly, webhook_secret
from bot.channels.telegram.files import fetch_due
from bot.channels.telegram.formatting import parts_of
from bot.channels.telegram.incoming import CHANNEL, Elsewhere, Handed, Person, Pressed, Said, read
from bot.channels.telegram.intake import HOLD, Intake, Taken, store_updates
from bot.channels.telegram.menu import introduce, publish_menu
from bot.channels.telegram.sender import Sender
from bot.channels.telegram.typing import Typing
from bot.config import Settings
from bot.errors import ConfigurationError, Unavailable
from bot.i18n.detect import detect
from bot.i18n.languages import CONTENT_CODES, negotiate
from bot.i18n.translate import say
from bot.log import get_logger

log = get_logger(__name__)

UPDATES = ["message", "edited_message", "callback_query", "my_chat_member", "channel_post"]
"""What we ask Telegram for; anything else it keeps to itself."""
MOST_AT_ONCE = 10
"""Calls of the webhook side by side."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
FETCH_EVERY = 1.0
LOOK_AGAIN = 60.0
"""Seconds between two looks whether Telegram still calls us."""
WEBHOOK_PATH = "/telegram/webhook"


class OtherMode(Exception):
    """Telegram is told to hand this bot's messages to somebody else; the text says to whom and what to do."""


@dataclass
class TelegramChannel:
    """`run` for ever. `status` is what the other edges see."""

    services: Services
    status: ChannelStatus = field(default_factory=lambda: ChannelStatus(state="starting"))

    def __post_init__(self) -> None:
        settings = self.services.settings
        self.bot = client_of(settings)
        self.secret = webhook_secret(settings)
        self.is_webhook = settings.telegram_mode == "webhook"
        self.account = f"{CHANNEL}:{number_of(settings)}"
        self.sender = Sender(self.services.database, self.bot, self.services.clock)
        self.typing = Typing(self.services.database, self.bot)
        # Telegram hands over in order when it is asked; a webhook is called several times at once.
        hold = HOLD if self.is_webhook else timedelta()
        self.intake = Intake(self.services, self.account, self._follow, self._answer, hold)
        self._errands: set[asyncio.Task[Any]] = set()
        self._answered: deque[int] = deque(maxlen=10_000)

    async def run(self) -> None:
        """Connect, then take in and send until cancelled; what Telegram refuses is said in `status` and tried again."""
        self.services.live.typed = self.typing.signal
        async with asyncio.TaskGroup() as group:
            # What is stored already is answered and sent whatever becomes of the connection.
            group.create_task(self.intake.run())
            group.create_task(self._wake_sender())
            group.create_task(self.sender.run())
            group.create_task(self._fetch_files())
            group.create_task(self._stay_connected())

    async def close(self) -> None:
        self.typing.stop()
        for task in list(self._errands):
            task.cancel()
        await quietly("shutdown", self.bot.shutdown())

    @property
    def address(self) -> str:
        """Where students open a chat with us."""
        return f"https://t.me/{self.status.name}"

    async def _stay_connected(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                await self._connect()
                self.status.state, self.status.trouble = "on", ""
                log.info("telegram_on", mode="webhook" if self.is_webhook else "polling", name=self.status.name)
                pause = FIRST_PAUSE
                await (self._idle() if self.is_webhook else self._poll())
            except (TelegramError, OtherMode) as error:
                if isinstance(error, Conflict) and "webhook" in error.message:
                    error = await self._other_mode()
                self._trouble(trouble_of(error))
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _trouble(self, text: str) -> None:
        if text != self.status.trouble:
            log.error("telegram_trouble", trouble=text)
        self.status.state, self.status.trouble = "trouble", text

    async def _connect(self) -> None:
        """Who we are, and where Telegram hands over. Raises TelegramError."""
        await self.bot.initialize()
        self.status.name = self.bot.username
        if self.is_webhook:
            await self.bot.set_webhook(
                self._webhook, secret_token=self.secret, allowed_updates=UPDATES, max_connections=MOST_AT_ONCE
            )
        written = await quietly("menu", publish_menu(self.bot))
        if written:
            log.info("telegram_menu_written", languages=written)
        self._errand("introduction", introduce(self.bot))

    @property
    def _webhook(self) -> str:
        return self.services.settings.address + WEBHOOK_PATH

    async def _other_mode(self) -> OtherMode:
        """We poll, and Telegram says that a webhook is set: to whom it hands over is worth knowing."""
        info = await quietly("webhook_info", self.bot.get_webhook_info())
        where = info.url if info is not None and info.url else "another address"
        return OtherMode(
            f"Telegram hands the messages of @{self.status.name} to {where} (a webhook is set). Set "
            "ACCUEIL_TELEGRAM_MODE=webhook, or take it away with: accueil telegram-webhook --remove"
        )

    async def _idle(self) -> None:
        """With a webhook Telegram calls us; now and then we look whether it still does."""
        while True:
            await asyncio.sleep(LOOK_AGAIN)
            info = await quietly("webhook_info", self.bot.get_webhook_info())
            if info is not None and info.url != self._webhook:
                raise OtherMode(
                    f"Telegram no longer hands the messages of @{self.status.name} to us but to "
                    f"{info.url or 'whoever asks (polling)'}: another program uses the same token"
                )

    async def _poll(self) -> None:
        """Ask for updates for ever. They are stored before the next look tells Telegram that we have them."""
        offset: int | None = None
        while True:
            updates = await self._asked(offset)
            if not updates:
                continue
            try:
                await asyncio.to_thread(self.store, updates)
                self.stored()
            except Unavailable:
                # Not acknowledged: Telegram gives them again.
                await self.answer_urgent(updates)
                await asyncio.sleep(FIRST_PAUSE)
                continue
            offset = int(updates[-1]["update_id"]) + 1

    async def _asked(self, offset: int | None) -> Sequence[Mapping[str, Any]]:
        try:
            found = await self.bot.raw_updates(offset, UPDATES)
        except NetworkError as error:
            if isinstance(error, BadRequest):
                raise
            self._trouble(trouble_of(error))
            await asyncio.sleep(FIRST_PAUSE)
            return ()
        self.status.state, self.status.trouble = "on", ""
        return found

    def store(self, updates: Sequence[Mapping[str, Any]]) -> int:
        """Keep updates; returns how many are new. Raises Unavailable."""
        with self.services.database.write() as session:
            return store_updates(session, self.account, updates, self.services.clock.now())

    def stored(self) -> None:
        """Something was stored: take it in now. Call in the event loop."""
        self.intake.called.set()

    async def answer_urgent(self, updates: Sequence[Mapping[str, Any]]) -> None:
        """The database is away: whoever is in danger is answered all the same, the rest when it is back."""
        for payload in updates:
            if payload["update_id"] in self._answered:
                # Telegram hands it over again and again until we can store it.
                continue
            self._answered.append(payload["update_id"])
            match read(payload):
                case Said(person=person, text=text) | Handed(person=person, caption=text) if text:
                    await self._answer_if_urgent(person, text)
                case _:
                    continue

    async def _answer_if_urgent(self, person: Person, text: str) -> None:
        kind = await asyncio.to_thread(self.services.door.kind_of, text)
        if kind is None:
            return
        language = detect(text) or negotiate(person.language)
        for part in parts_of(self.services.door.text(kind, language), language=language):
            await quietly("urgent", send(self.bot, person.chat, part, None))

    def _follow(self, taken: Taken) -> None:
        if taken.conversation_id is not None:
            if taken.has_turn:
                self.services.live.arrived(taken.conversation_id)
            self.services.live.changed(taken.conversation_id)
            self.sender.called.set()
        if taken.pressed is not None and taken.pressed.message_id is not None:
            chat, message_id = int(taken.pressed.person.chat), taken.pressed.message_id
            self._errand("used_keyboard", self.bot.edit_message_reply_markup(chat, message_id, reply_markup=None))
        if taken.refuse is not None:
            self._errand("leave", self._leave(taken.refuse))

    def _answer(self, pressed: Pressed) -> None:
        self._errand("callback", self.bot.answer_callback_query(pressed.callback_id))

    async def _leave(self, elsewhere: Elsewhere) -> None:
        if elsewhere.may_speak:
            # Whose group it is, and what they speak, is not known: in the two languages of the office.
            text = "\n\n".join(
                say(language, "I talk to one person at a time. Write to me here: {url}", url=self.address)
                for language in CONTENT_CODES
            )
            refusal = self.bot.send_message(int(elsewhere.chat), text, link_preview_options=NO_PREVIEW)
            await quietly("refuse_group", refusal)
        await self.bot.leave_chat(int(elsewhere.chat))

    def _errand(self, what: str, call: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(quietly(what, call))
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def _wake_sender(self) -> None:
        """Whatever changes in any conversation may be something to send."""
        with self.services.live.subscribe(None) as subscription:
            while not self.services.live.closing:
                await subscription.wait(60.0)
                self.sender.called.set()

    async def _fetch_files(self) -> None:
        while True:
            try:
                fetched = await fetch_due(self.services.database, self.bot, self.services.clock)
            except Unavailable:
                fetched = 0
            if not fetched:
                await asyncio.sleep(FETCH_EVERY)


def trouble_of(error: Exception) -> str:
    """One sentence with the fix. Without the token, which Telegram's own words never hold."""
    match error:
        case OtherMode():
            return f"{error}."
        case InvalidToken():
            return "Telegram does not know ACCUEIL_TELEGRAM_TOKEN: copy it again from @BotFather."
        case Forbidden():
            return "Telegram refuses this bot: look at what @BotFather says about it."
        case Conflict():
            return (
                "Another program asks Telegram for this bot's messages with the same token. Stop it, or give this one "
                "a token of its own: of two only one gets each message."
            )
        case BadRequest():
            return f"Telegram refused our settings: {error.message}."
        case _:
            return "Telegram cannot be reached; it is tried again. What students wrote waits there, up to a day."


async def webhook_of(settings: Settings, *, remove: bool) -> list[str]:
    """Lines about the webhook of the bot, for the command line.

    Raises:
        ConfigurationError: no token, or Telegram does not answer as it should.
    """
    if not settings.telegram_token.get_secret_value():
        raise ConfigurationError("There is no bot: set ACCUEIL_TELEGRAM_TOKEN first.")
    try:
        async with client_of(settings) as bot:
            if remove:
                await bot.delete_webhook(drop_pending_updates=False)
            info = await bot.get_webhook_info()
    except TelegramError as error:
        raise ConfigurationError(trouble_of(error)) from error
    if not info.url:
        return ["No webhook is set: the bot can be polled (ACCUEIL_TELEGRAM_MODE=polling)."]
    lines = [f"Telegram hands the messages of this bot to {info.url}", f"Waiting there: {info.pending_update_count}"]
    return [*lines, f"Last error: {info.last_error_message}"] if info.last_error_message else lines
