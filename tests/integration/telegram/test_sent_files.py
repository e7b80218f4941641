"""A file that a colleague sends, on the student's phone: the sender against the strict fake."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select

from bot.channels.telegram.incoming import Reach
from bot.channels.telegram.intake import take_in
from bot.channels.telegram.sender import FILE_LEASE, Sender
from bot.clock import FixedClock
from bot.conversations.models import Attachment, Conversation
from bot.db.session import Database
from bot.errors import CannotChange
from bot.handoff.service import send_file
from tests.factories import make_student
from tests.fakes.telegram_api import Fake, running
from tests.integration.telegram.test_changing import Desk, desk_at

PDF = b"%PDF-1.7\nhousing form\n"
NAME = "Formulaire d'été.pdf"


@pytest.fixture
def fake() -> Iterator[Fake]:
    with running() as made:
        made.settings(burst=100)
        yield made


@pytest.fixture
async def desk(database: Database, clock: FixedClock, tmp_path: Path, fake: Fake) -> AsyncIterator[Desk]:
    async with desk_at(database, clock, tmp_path, fake) as made:
        await made.delivers()
        yield made


def sends(desk: Desk, content: bytes = PDF, name: str = NAME) -> int:
    with desk.services.database.write() as session:
        now = desk.services.clock.now()
        sent = send_file(
            session,
            desk.talk,
            desk.claire,
            str(uuid4()),
            name=name,
            media_type="application/pdf",
            content=content,
            now=now,
        )
        return sent.message.seq


def shown(desk: Desk, fake: Fake) -> list[tuple[str, bytes | None]]:
    """(name, bytes) of the files on the phone, (text, None) of words, without what stood there before Claire."""
    desk.phone.sync()
    found: list[tuple[str, bytes | None]] = []
    for message in list(desk.phone.messages.values())[2:]:
        if message.is_deleted:
            continue
        if (document := message.body.get("document")) is None:
            found.append((message.text.removeprefix("Claire\n\n"), None))
        else:
            found.append((document["file_name"], fake.core.world.files[document["file_id"]].data))
    return found


async def test_a_file_comes_to_the_phone_in_its_place_under_its_name_and_the_colleague_s(desk: Desk, fake: Fake):
    desk.says("Here is the form")
    seq = sends(desk)
    desk.says("Sign it, please")
    await desk.delivers()

    assert shown(desk, fake) == [("Here is the form", None), (NAME, PDF), ("Sign it, please", None)]
    (number,) = desk.message(seq).delivered["ids"]
    message = desk.phone.messages[number]
    assert (message.html, message.text, message.entities) == (
        "<b>Claire</b>", "Claire", [{"type": "bold", "offset": 0, "length": 6}],
    )  # fmt: skip
    assert (desk.outbox(), desk.alerts(), fake.violations) == ([], [], {})


async def test_a_file_that_telegram_asks_to_wait_with_comes_later_and_what_follows_waits(desk: Desk, fake: Fake):
    fake.fault("too_many", methods=["sendDocument"], times=1, seconds=1)
    sends(desk)
    desk.says("Sign it, please")
    await desk.sender.deliver_due()
    await desk.sender.deliver_due()
    assert shown(desk, fake) == []

    desk.services.clock.instant += timedelta(seconds=2)
    fake.core.world.limits._until.clear()
    await desk.delivers()

    assert shown(desk, fake) == [(NAME, PDF), ("Sign it, please", None)]
    assert desk.outbox() == []


async def test_a_file_whose_answer_was_lost_comes_again(desk: Desk, fake: Fake):
    fake.fault("cut_after", methods=["sendDocument"], times=1)
    sends(desk)
    await desk.delivers()
    desk.services.clock.instant += timedelta(seconds=1)
    await desk.delivers()

    assert shown(desk, fake) == [(NAME, PDF)] * 2
    assert (desk.outbox(), desk.alerts()) == ([], [])


async def test_a_file_that_telegram_refuses_is_told_to_the_office(desk: Desk, fake: Fake):
    fake.fault("status", methods=["sendDocument"], times=1, status=400)
    sends(desk)
    await desk.delivers()

    assert (shown(desk, fake), desk.outbox(), desk.alerts()) == ([], [], ["undelivered"])


async def test_a_row_with_a_file_is_left_alone_for_as_long_as_the_file_may_take(desk: Desk, monkeypatch):
    monkeypatch.setattr(Sender, "_deliver", lambda _self, _head: _nothing())
    sends(desk)
    # What takes the conversation over is said first.
    for row in desk.outbox()[:-1]:
        desk.sender._drop(row.id)
    await desk.sender._start_due()

    (row,) = desk.outbox()
    assert row.next_at == desk.services.clock.now() + FILE_LEASE


async def _nothing() -> None:
    """A delivery that has not ended yet."""


async def test_whoever_has_shut_us_out_is_told_by_mail_that_a_file_waits_without_the_file_or_its_name(
    desk: Desk, fake: Fake
):
    now = desk.services.clock.now()
    with desk.services.database.write() as session:
        session.get_one(Conversation, desk.talk).student_id = make_student(session, now).id
    seq = sends(desk)
    for row in desk.outbox()[:-1]:
        desk.sender._drop(row.id)
    desk.phone.blocks()
    await desk.sender.deliver_due()

    (mail,) = desk.outbox()
    assert (mail.channel, mail.key) == ("mail", f"instead:{desk.talk}:{seq}:0")
    assert "has sent you a file" in mail.payload["text"]
    assert NAME not in str(mail.payload)
    assert desk.alerts() == []
    with desk.services.database.read() as session:
        assert session.scalars(select(Attachment.name)).all() == [NAME]


async def test_the_office_is_told_when_nobody_can_be_mailed_about_a_file(desk: Desk, fake: Fake):
    sends(desk)
    with desk.services.database.write() as session:
        take_in(session, desk.services, Reach(str(desk.phone.id), is_open=False), desk.services.clock.now())

    assert (desk.alerts(), desk.outbox()) == (["undelivered"], [])


async def test_a_file_that_was_taken_back_leaves_the_phone(desk: Desk, fake: Fake):
    seq = sends(desk)
    await desk.delivers()

    desk.takes_back(seq)
    await desk.delivers()

    assert (shown(desk, fake), desk.outbox(), desk.alerts()) == ([], [], [])
    assert desk.message(seq).delivered == {}


async def test_a_file_that_was_taken_back_before_it_went_out_never_goes_out(desk: Desk, fake: Fake):
    seq = sends(desk)
    desk.takes_back(seq)
    await desk.delivers()

    assert (shown(desk, fake), desk.outbox(), desk.alerts(), fake.calls("sendDocument")) == ([], [], [], [])


async def test_a_file_that_was_taken_back_while_its_row_was_leased_is_not_sent(desk: Desk, fake: Fake):
    seq = sends(desk)
    for row in desk.outbox()[:-1]:
        desk.sender._drop(row.id)
    (row,) = desk.outbox()
    (head,) = desk.sender._lease([row.id])
    desk.takes_back(seq)
    await desk.sender._deliver(head)

    assert fake.calls("sendDocument") == []


async def test_a_file_is_not_changed(desk: Desk, fake: Fake):
    seq = sends(desk)
    await desk.delivers()

    with pytest.raises(CannotChange) as refused:
        desk.edits(seq, "Other words")

    assert refused.value.details == {"why": "is_file"}
    assert shown(desk, fake) == [(NAME, PDF)]
