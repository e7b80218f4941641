"""The sender with a bot that refuses as it is told: what Telegram does seldom, and a private chat never."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from telegram.error import BadRequest, ChatMigrated, Forbidden, RetryAfter, TimedOut

from bot.channels.telegram import sender as sender_module
from bot.channels.telegram.incoming import Reach, Started
from bot.channels.telegram.intake import take_in
from bot.channels.telegram.sender import LEASE, LONGEST_DELAY, NOTE_TRIES, PATIENCE, Sender
from bot.conversations.models import Address, Alert, Author, Conversation, OutboxEntry
from bot.conversations.service import append
from bot.conversations.words import greeting
from bot.db.session import Database
from bot.errors import Unavailable
from tests.factories import make_student


class Bot:
    """Raises what it was given, one error a call, and keeps the rest."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.sent = list(errors), []

    async def send_message(self, chat, text, **_more):
        if self.errors:
            raise self.errors.pop(0)
        self.sent.append((chat, text))


@pytest.fixture
def sender(services, amina, now):
    """A sender with one greeting to deliver; the pace does not matter here."""
    with services.database.write() as session:
        take_in(session, services, Started(amina, 1, "", now), now)
    made = Sender(services.database, Bot(), services.clock)
    made.pace.wait, made.pace.room = lambda _chat, _now: 0.0, lambda _now: 30
    return made


def outbox(services):
    with services.database.read() as session:
        return session.scalars(select(OutboxEntry).order_by(OutboxEntry.id)).all()


async def test_a_chat_that_has_moved_is_followed(services, sender):
    sender.bot.errors = [ChatMigrated(5001)]

    await sender.deliver_due()
    assert sender.bot.sent == []
    await sender.deliver_due()

    assert sender.bot.sent == [(5001, greeting("fr"))]
    assert outbox(services) == []
    with services.database.read() as session:
        assert session.scalars(select(Address.external)).all() == ["5001"]


async def test_what_may_have_arrived_is_sent_again_later_and_counted(services, sender):
    sender.bot.errors = [TimedOut()]

    await sender.deliver_due()
    (row,) = outbox(services)
    assert (row.attempts, row.last_error, row.next_at) == (1, "TimedOut", services.clock.now() + timedelta(seconds=1))
    await sender.deliver_due()
    assert sender.bot.sent == []

    services.clock.instant += timedelta(seconds=1)
    await sender.deliver_due()
    assert sender.bot.sent == [(4001, greeting("fr"))]
    assert outbox(services) == []


async def test_after_a_day_without_telegram_the_mail_takes_over(services, sender):
    with services.database.write() as session:
        session.scalars(select(Conversation)).one().student_id = make_student(session, services.clock.now()).id
    await tries_in_vain(services, sender, PATIENCE)

    services.clock.instant += LONGEST_DELAY
    await sender.deliver_due()

    assert sender.bot.sent == []
    (mail,) = outbox(services)
    assert (mail.channel, mail.payload["kind"], mail.payload["to"]) == ("mail", "message", "amina@student.junia.com")
    assert "Telegram" in mail.payload["text"]


async def tries_in_vain(services, sender, during):
    """Telegram does not answer for so long; rows are tried as often as they come due."""
    end = services.clock.now() + during
    while services.clock.now() < end:
        sender.bot.errors = [TimedOut()]
        await sender.deliver_due()
        services.clock.instant += LONGEST_DELAY


async def test_where_no_mailbox_is_known_it_is_tried_until_telegram_is_back(services, sender):
    await tries_in_vain(services, sender, 3 * PATIENCE)
    assert sender.bot.sent == []

    sender.bot.errors = []
    services.clock.instant += LONGEST_DELAY
    await sender.deliver_due()

    assert sender.bot.sent == [(4001, greeting("fr"))]
    assert outbox(services) == []
    with services.database.read() as session:
        assert session.scalars(select(Address.blocked_at)).all() == [None]


async def test_one_failure_and_a_weekend_without_us_is_no_day_without_telegram(services, sender):
    with services.database.write() as session:
        session.scalars(select(Conversation)).one().student_id = make_student(session, services.clock.now()).id
    sender.bot.errors = [TimedOut()]
    await sender.deliver_due()

    services.clock.instant += 3 * PATIENCE
    await sender.deliver_due()

    assert sender.bot.sent == [(4001, greeting("fr"))]
    assert outbox(services) == []


async def test_a_colleague_s_words_that_reach_nobody_are_marked_for_the_office_and_ours_are_not(
    services, sender, amina
):
    now = services.clock.now()
    with services.database.write() as session:
        conversation = session.scalars(select(Conversation)).one()
        append(session, conversation, Author.STAFF, "Come at ten.", now=now, author_name="Claire")
        take_in(session, services, Reach(amina.chat, is_open=False), now)

    assert outbox(services) == []
    with services.database.read() as session:
        assert [(alert.kind, alert.conversation_id) for alert in session.scalars(select(Alert))] == [
            ("undelivered", conversation.id)
        ]


async def test_a_chat_that_came_from_another_conversation_is_one_queue(services, sender, amina, now):
    """What its old conversation still says to it goes first, and a wait that Telegram asks for holds both."""
    del sender.pace.wait
    with services.database.write() as session:
        old = session.scalars(select(Conversation)).one()
        (row,) = session.scalars(select(OutboxEntry))
        row.payload = {**row.payload, "to": amina.chat}
        session.delete(session.scalars(select(Address)).one())
        session.flush()
        take_in(session, services, Started(amina, 2, "", now), now)
        new = session.scalars(select(Conversation).where(Conversation.id != old.id)).one()
        append(session, new, Author.BOT, "The new one speaks.", now=now)
    instant = [0.0]
    sender.now = lambda: instant[0]
    sender.bot.errors = [RetryAfter(timedelta(seconds=30))]

    await sender.deliver_due()
    services.clock.instant += timedelta(seconds=20)
    instant[0] += 20
    await sender.deliver_due()
    assert sender.bot.sent == []

    for _ in range(3):
        services.clock.instant += timedelta(seconds=30)
        instant[0] += 30
        await sender.deliver_due()
    assert sender.bot.sent == [
        (4001, greeting("fr")), (4001, greeting("fr")), (4001, "The new one speaks."),
    ]  # fmt: skip


async def test_the_parts_of_a_long_message_wait_until_there_is_room_for_them(services, sender):
    waits = [0.001, 0.001, 0.0]
    sender.pace.wait = lambda _chat, _now: waits.pop(0)
    left: list[int] = []
    sender.pace.leaves = lambda _chat, _now: left.append(len(waits))

    await sender._turn("4001")

    assert left == [0]


async def test_a_last_word_that_nobody_lets_in_is_not_tried_for_ever(services, sender):
    sender.bot.errors = [Forbidden("Forbidden: bot was blocked by the user")]
    with services.database.write() as session:
        session.delete(session.scalars(select(Address)).one())
        (row,) = session.scalars(select(OutboxEntry))
        row.payload = {**row.payload, "to": "4001"}

    await sender.deliver_due()

    assert sender.bot.errors == []
    assert outbox(services) == []


class AwayOnce:
    """A database that is away for the first write after something was sent."""

    def __init__(self, database: Database, bot: Bot) -> None:
        self.database, self.bot, self.refused = database, bot, 0

    def read(self):
        return self.database.read()

    def write(self):
        if not self.bot.errors and not self.refused:
            self.refused += 1
            raise Unavailable
        return self.database.write()


@pytest.mark.parametrize(
    "error",
    [
        Forbidden("Forbidden: bot was blocked by the user"),
        BadRequest("Chat not found"),
        BadRequest("Text is too odd"),
        ChatMigrated(5001),
        TimedOut(),
        OSError("away"),
        RuntimeError("unforeseen"),
    ],
)
async def test_a_refusal_that_cannot_be_noted_ends_no_task_and_goes_out_again_after_the_lease(services, sender, error):
    sender.bot.errors = [error]
    sender.database = AwayOnce(services.database, sender.bot)

    await sender._start_due()
    (task,) = sender._busy.values()
    await task

    assert (sender.database.refused, sender._busy) == (1, {})
    (row,) = outbox(services)
    assert (row.attempts, row.last_error, row.next_at) == (1, None, services.clock.now() + LEASE)
    services.clock.instant += LEASE
    await sender.deliver_due()
    assert sender.bot.sent == [(4001, greeting("fr"))]
    assert outbox(services) == []


class AwayFor:
    """A database that is away for so many writes after something was sent."""

    def __init__(self, database: Database, bot: Bot, writes: int) -> None:
        self.database, self.bot, self.left = database, bot, writes

    def read(self):
        return self.database.read()

    def write(self):
        if self.bot.sent and self.left:
            self.left -= 1
            raise Unavailable
        return self.database.write()


@pytest.mark.parametrize(("writes", "left"), [(NOTE_TRIES - 1, 0), (NOTE_TRIES, 1)])
async def test_what_arrived_while_the_database_was_busy_is_noted_later_and_given_up_in_the_end(
    services, sender, monkeypatch, writes, left
):
    monkeypatch.setattr(sender_module, "NOTE_EVERY", 0.0)
    sender.database = AwayFor(services.database, sender.bot, writes)

    await sender._start_due()
    (task,) = sender._busy.values()
    await task

    assert sender.bot.sent == [(4001, greeting("fr"))]
    assert (sender.database.left, sender._busy, len(outbox(services))) == (0, {}, left)
