"""What a colleague changes or takes back, on the student's phone: the sender against the strict fake."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import select
from telegram.error import BadRequest

from bot.bootstrap import Services
from bot.channels.telegram.client import client_of
from bot.channels.telegram.incoming import Person, Reach, Started
from bot.channels.telegram.intake import take_in
from bot.channels.telegram.sender import LONGEST_DELAY, PATIENCE, Sender, render
from bot.clock import FixedClock
from bot.conversations.models import Address, Alert, Conversation, Message, OutboxEntry
from bot.db.session import Database
from bot.errors import CannotChange
from bot.gateway.app import telegram_parts
from bot.handoff.changes import edit, take_back
from bot.handoff.service import reply
from bot.identity.models import Staff
from tests.factories import make_staff, make_student
from tests.fakes.telegram_api import Fake, Phone, running
from tests.integration.console.desk import desk_services

IN_TWO_PARTS = "\n\n".join([("🙂 " * 750).strip()] * 2)
"""More than 4,096 units of UTF-16, less than the 4,000 characters that a colleague may write."""


@dataclass
class Desk:
    """Claire, who has the conversation, and the sender that brings her words to the phone."""

    services: Services
    sender: Sender
    phone: Phone
    claire: Staff
    talk: UUID

    def says(self, text: str) -> int:
        with self.services.database.write() as session:
            now = self.services.clock.now()
            return reply(session, self.talk, self.claire, str(uuid4()), text, now).message.seq

    def edits(self, seq: int, text: str) -> None:
        with self.services.database.write() as session:
            edit(session, self.talk, seq, self.claire, text, self.services.clock.now(), telegram_parts)

    def takes_back(self, seq: int) -> None:
        with self.services.database.write() as session:
            take_back(session, self.talk, seq, self.claire, self.services.clock.now())

    async def delivers(self) -> None:
        """Until nothing is left, or what comes first has to wait."""
        while (rows := self.outbox()) and rows[0].next_at <= self.services.clock.now():
            await self.sender.deliver_due()

    async def has_said(self, text: str) -> int:
        seq = self.says(text)
        await self.delivers()
        return seq

    def outbox(self) -> list[OutboxEntry]:
        with self.services.database.read() as session:
            return list(session.scalars(select(OutboxEntry).order_by(OutboxEntry.id)))

    def message(self, seq: int) -> Message:
        with self.services.database.read() as session:
            return session.scalars(
                select(Message).where(Message.conversation_id == self.talk, Message.seq == seq)
            ).one()

    def alerts(self) -> list[str]:
        with self.services.database.read() as session:
            return list(session.scalars(select(Alert.kind)))

    def shown(self) -> list[str]:
        """What the phone shows of Claire's words now."""
        self.phone.sync()
        every = self.phone.messages.values()
        return [each.text.removeprefix("Claire\n\n") for each in every if not each.is_deleted][2:]


@pytest.fixture
def fake() -> Iterator[Fake]:
    with running() as made:
        made.settings(burst=100)
        yield made


@asynccontextmanager
async def desk_at(database: Database, clock: FixedClock, folder: Path, fake: Fake) -> AsyncIterator[Desk]:
    services = desk_services(
        database, clock, data=folder, telegram_token=SecretStr(fake.token), telegram_api_url=fake.address
    )
    phone, now = fake.phone(name="Amina"), clock.now()
    phone.starts()
    with database.write() as session:
        person = Person(str(phone.id), "Amina", "en")
        take_in(session, services, Started(person, 1, "", now), now)
        claire = make_staff(session, now)
        talk = session.scalars(select(Conversation.id)).one()
    async with client_of(services.settings) as bot:
        sender = Sender(database, bot, clock)
        sender.pace.wait, sender.pace.room = lambda _chat, _now: 0.0, lambda _now: 30
        yield Desk(services, sender, phone, claire, talk)


@pytest.fixture
async def desk(database: Database, clock: FixedClock, tmp_path: Path, fake: Fake) -> AsyncIterator[Desk]:
    async with desk_at(database, clock, tmp_path, fake) as made:
        yield made


async def test_telegram_s_numbers_of_all_parts_are_kept_in_order(desk: Desk):
    seq = await desk.has_said(IN_TWO_PARTS)

    desk.phone.sync()
    ids = [each.id for each in desk.phone.messages.values()][2:]
    assert len(ids) == 2
    assert desk.message(seq).delivered == {"channel": "telegram", "chat": str(desk.phone.id), "ids": ids}


async def test_changed_words_take_the_place_of_the_old_ones_on_the_phone(desk: Desk, fake: Fake):
    seq = await desk.has_said("Come at **nine**")
    last = await desk.has_said("Bring your passport")

    desk.edits(seq, "Come at **ten**")
    await desk.delivers()

    assert desk.shown() == ["Come at ten", "Bring your passport"]
    changed = desk.phone.messages[desk.message(seq).delivered["ids"][0]]
    assert (changed.html, changed.is_edited) == ("<b>Claire</b>\n\nCome at <b>ten</b>", True)
    assert not desk.phone.messages[desk.message(last).delivered["ids"][0]].is_edited
    assert (len(fake.calls("editMessageText")), desk.outbox(), desk.alerts()) == (1, [], [])


async def test_words_that_were_taken_back_leave_the_phone(desk: Desk):
    seq = await desk.has_said(IN_TWO_PARTS)
    await desk.has_said("Bring your passport")

    desk.takes_back(seq)
    await desk.delivers()

    assert desk.shown() == ["Bring your passport"]
    assert (desk.message(seq).delivered, desk.outbox(), desk.alerts()) == ({}, [], [])


async def test_parts_that_are_no_longer_needed_leave_the_phone(desk: Desk):
    seq = await desk.has_said(IN_TWO_PARTS)
    first, _second = desk.message(seq).delivered["ids"]

    desk.edits(seq, "Come at ten")
    await desk.delivers()

    assert desk.shown() == ["Come at ten"]
    assert desk.message(seq).delivered["ids"] == [first]


async def test_a_text_that_needs_more_parts_than_are_shown_is_refused_and_nothing_changes(desk: Desk, fake: Fake):
    seq = await desk.has_said("Come at nine")

    with pytest.raises(CannotChange) as refused:
        desk.edits(seq, IN_TWO_PARTS)
    await desk.delivers()

    assert refused.value.details == {"why": "too_long"}
    assert (desk.message(seq).text, desk.shown()) == ("Come at nine", ["Come at nine"])
    assert fake.calls("editMessageText") == []


async def test_what_has_not_gone_out_yet_goes_out_as_it_is_now_in_as_many_parts_as_it_needs(desk: Desk, fake: Fake):
    seq = desk.says("Come at nine")

    desk.edits(seq, IN_TWO_PARTS)
    await desk.delivers()

    assert [part.strip() for part in desk.shown()] == [
        each.plain.removeprefix("Claire\n\n") for each in render(desk.message(seq))
    ]
    assert fake.calls("editMessageText") == []


async def test_what_was_taken_back_before_it_went_out_never_goes_out(desk: Desk):
    seq = desk.says("To the wrong student")

    desk.takes_back(seq)
    await desk.delivers()

    assert (desk.shown(), desk.outbox(), desk.alerts()) == ([], [], [])


async def test_what_is_changed_while_it_is_tried_again_is_shown_once_with_the_new_words(desk: Desk, fake: Fake):
    await desk.delivers()
    seq = desk.says("Come at nine")
    await desk.sender.deliver_due()
    fake.fault("status", methods=["sendMessage"], times=1, status=502)
    await desk.sender.deliver_due()
    assert [row.attempts for row in desk.outbox()] == [1]

    desk.edits(seq, "Come at ten")
    desk.services.clock.instant += timedelta(seconds=1)
    await desk.delivers()

    assert (desk.shown(), desk.outbox(), desk.alerts()) == (["Come at ten"], [], [])


async def test_a_change_is_tried_again_until_telegram_takes_it_and_what_follows_waits(desk: Desk, fake: Fake):
    seq = await desk.has_said("Come at nine")
    fake.fault("status", methods=["editMessageText"], times=1, status=502)

    desk.edits(seq, "Come at ten")
    desk.says("Bring your passport")
    await desk.delivers()
    assert desk.shown() == ["Come at nine"]
    desk.services.clock.instant += timedelta(seconds=1)
    await desk.delivers()

    assert desk.shown() == ["Come at ten", "Bring your passport"]
    assert (desk.outbox(), desk.alerts()) == ([], [])


async def test_a_change_that_arrived_without_an_answer_is_done_when_it_is_tried_again(desk: Desk, fake: Fake):
    seq = await desk.has_said("Come at nine")
    fake.fault("cut_after", methods=["editMessageText"], times=1)

    desk.edits(seq, "Come at ten")
    await desk.delivers()
    desk.services.clock.instant += timedelta(seconds=1)
    await desk.delivers()

    assert [(call["status"], call["description"][:36]) for call in fake.calls("editMessageText")] == [
        (0, "cut after"),
        (400, "Bad Request: message is not modified"),
    ]
    assert (desk.shown(), desk.outbox(), desk.alerts()) == (["Come at ten"], [], [])


async def test_of_two_changes_only_the_last_is_made(desk: Desk, fake: Fake):
    seq = await desk.has_said("Come at nine")

    desk.edits(seq, "Come at ten")
    desk.takes_back(seq)
    await desk.delivers()

    assert (desk.shown(), desk.outbox(), desk.alerts()) == ([], [], [])
    assert (len(fake.calls("editMessageText")), len(fake.calls("deleteMessage"))) == (0, 1)


@pytest.mark.parametrize("deed", ["edits", "takes_back"])
async def test_what_the_student_has_deleted_is_done(desk: Desk, fake: Fake, deed: str):
    seq = await desk.has_said("Come at nine")
    (number,) = desk.message(seq).delivered["ids"]
    fake.core.world.messages[desk.phone.id, number].is_deleted = True

    desk.edits(seq, "Come at ten") if deed == "edits" else desk.takes_back(seq)
    await desk.delivers()

    assert (desk.outbox(), desk.alerts()) == ([], [])


@pytest.mark.parametrize("deed", ["edits", "takes_back"])
async def test_the_office_is_told_when_telegram_refuses_a_change(desk: Desk, fake: Fake, deed: str):
    seq = await desk.has_said("Come at nine")
    method = "editMessageText" if deed == "edits" else "deleteMessage"
    fake.fault("status", methods=[method], times=1, status=400)

    desk.edits(seq, "Come at ten") if deed == "edits" else desk.takes_back(seq)
    await desk.delivers()

    assert (desk.shown(), desk.alerts(), desk.outbox()) == (["Come at nine"], ["unchanged"], [])


async def test_the_office_is_told_when_the_number_on_telegram_is_not_known(desk: Desk, fake: Fake):
    seq = await desk.has_said("Come at nine")
    with desk.services.database.write() as session:
        row = session.scalars(select(Message).where(Message.seq == seq)).one()
        row.delivered = {**row.delivered, "ids": [None]}

    desk.takes_back(seq)
    await desk.delivers()

    assert (desk.alerts(), desk.outbox(), fake.calls("deleteMessage")) == (["unchanged"], [], [])


async def test_a_change_that_telegram_never_took_is_told_to_the_office_after_a_day(desk: Desk, fake: Fake):
    seq = await desk.has_said("Come at nine")
    fake.fault("status", methods=["deleteMessage"], status=502)
    desk.takes_back(seq)
    end = desk.services.clock.now() + PATIENCE
    while desk.services.clock.now() <= end:
        await desk.delivers()
        desk.services.clock.instant += LONGEST_DELAY
    await desk.delivers()

    assert (desk.alerts(), desk.outbox()) == (["unchanged"], [])


async def test_a_message_from_before_the_numbers_were_kept_is_not_changed(desk: Desk, fake: Fake):
    seq = await desk.has_said("Come at nine")
    with desk.services.database.write() as session:
        session.scalars(select(Message).where(Message.seq == seq)).one().delivered = None

    with pytest.raises(CannotChange) as refused:
        desk.takes_back(seq)

    assert refused.value.details == {"why": "delivered"}
    assert desk.message(seq).text == "Come at nine"


async def test_what_only_the_page_shows_is_changed_there_though_the_student_also_has_telegram(desk: Desk, fake: Fake):
    await desk.delivers()
    with desk.services.database.write() as session:
        session.get_one(Conversation, desk.talk).channel = "web"
    seq = desk.says("Come at nine")

    desk.edits(seq, "Come at ten")
    await desk.delivers()

    assert (desk.message(seq).text, desk.outbox(), fake.calls("editMessageText")) == ("Come at ten", [], [])


async def test_a_chat_that_has_left_the_conversation_gets_the_change_of_what_it_shows(desk: Desk):
    seq = await desk.has_said("To the wrong student")
    with desk.services.database.write() as session:
        address = session.scalars(select(Address)).one()
        session.delete(address)

    desk.takes_back(seq)
    await desk.delivers()

    assert desk.shown() == []


async def test_whoever_shuts_us_out_gets_changed_words_by_mail_once_and_deleted_ones_not(desk: Desk):
    now = desk.services.clock.now()
    changed, gone = await desk.has_said("Come at nine"), await desk.has_said("To the wrong student")
    with desk.services.database.write() as session:
        session.get_one(Conversation, desk.talk).student_id = make_student(session, now).id
    desk.edits(changed, "Come at ten")
    desk.takes_back(gone)
    desk.phone.blocks()

    await desk.sender.deliver_due()

    (mail,) = desk.outbox()
    assert (mail.channel, mail.key) == ("mail", f"instead:{desk.talk}:{changed}:1")
    assert "Come at ten" in mail.payload["text"]
    # The deleted words may still be read there.
    assert desk.alerts() == ["unchanged"]


async def test_what_is_changed_after_the_student_has_shut_us_out_goes_by_mail(desk: Desk):
    now = desk.services.clock.now()
    seq = await desk.has_said("Come at nine")
    with desk.services.database.write() as session:
        session.get_one(Conversation, desk.talk).student_id = make_student(session, now).id
        take_in(session, desk.services, Reach(str(desk.phone.id), is_open=False), now)

    desk.edits(seq, "Come at ten")
    await desk.sender.deliver_due()

    (mail,) = desk.outbox()
    assert (mail.channel, mail.key) == ("mail", f"instead:{desk.talk}:{seq}:1")
    assert "Come at ten" in mail.payload["text"]
    assert desk.alerts() == []


async def test_what_is_changed_after_a_stranger_has_shut_us_out_is_marked_for_the_office(desk: Desk):
    seq = await desk.has_said("Come at nine")
    with desk.services.database.write() as session:
        take_in(session, desk.services, Reach(str(desk.phone.id), is_open=False), desk.services.clock.now())

    desk.edits(seq, "Come at ten")
    await desk.sender.deliver_due()

    assert (desk.alerts(), desk.outbox()) == (["unchanged"], [])


async def test_changes_keep_the_pace_of_the_chat(desk: Desk, fake: Fake):
    seq = await desk.has_said(IN_TWO_PARTS)
    del desk.sender.pace.wait

    desk.takes_back(seq)
    await desk.delivers()

    first, second = (call["at"] for call in fake.calls("deleteMessage"))
    assert second - first >= 0.95


class Odd:
    """A bot whose server tells no numbers, or says no in its own words."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.asked = list(errors), []

    async def send_message(self, _chat, text, **_more):
        self.asked.append(("send", text))
        return True

    async def edit_message_text(self, text, _chat, number, **more):
        self.asked.append(("edit", number, text, more["parse_mode"]))
        if self.errors:
            raise self.errors.pop(0)


async def test_a_server_that_tells_no_number_delivers_all_the_same(desk: Desk):
    desk.sender.bot = Odd()

    seq = await desk.has_said("Come at nine")

    assert desk.message(seq).delivered["ids"] == [None]
    assert desk.outbox() == []


async def test_a_change_refused_for_its_markup_is_made_without_it(desk: Desk):
    seq = await desk.has_said("Come at nine")
    (number,) = desk.message(seq).delivered["ids"]
    desk.sender.bot = Odd(BadRequest("Can't parse entities: unsupported start tag"))

    desk.edits(seq, "Come at **ten**")
    await desk.delivers()

    assert desk.sender.bot.asked == [
        ("edit", number, "<b>Claire</b>\n\nCome at <b>ten</b>", "HTML"),
        ("edit", number, "Claire\n\nCome at ten", None),
    ]
    assert (desk.outbox(), desk.alerts()) == ([], [])


async def test_what_may_have_arrived_and_was_taken_back_is_told_to_the_office(desk: Desk, fake: Fake):
    await desk.delivers()
    seq = desk.says("To the wrong student")
    await desk.sender.deliver_due()
    fake.fault("cut_after", methods=["sendMessage"], times=1)
    await desk.sender.deliver_due()

    desk.takes_back(seq)
    desk.services.clock.instant += timedelta(seconds=1)
    await desk.delivers()

    assert (desk.alerts(), desk.outbox()) == (["unchanged"], [])
    assert desk.shown() == ["To the wrong student"]
