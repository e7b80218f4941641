"""From the outbox to a push service that checks the signature and opens what was sealed."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from bot.calling.browsers import public_key
from bot.channels.push.channel import (
    BIGGEST,
    LIFE,
    MOST_ATTEMPTS,
    PushService,
    Receiver,
    Refused,
    contact_of,
    deliver_due,
    push_service_of,
    sealed,
)
from bot.config import Settings
from bot.conversations.models import OutboxEntry
from bot.identity.models import PushBrowser
from tests.fakes.push_service import PushFake, bytes_of, push_service
from tests.integration.calling.cast import MINUTE, browsers, call, colleague, waiting, with_browser


@pytest.fixture
def fake(now) -> Iterator[PushFake]:
    with push_service() as running:
        running.now = now.timestamp()
        yield running


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(_env_file=None, data=tmp_path, push_services="127.0.0.1", mail_from="Accueil <desk@junia.example>")


@pytest.fixture
async def service(settings) -> AsyncIterator[PushService]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield PushService(client, settings)


@pytest.fixture
def browser(database, now, fake):
    """Claire's; a student begins to wait, and the message is on its way to it."""
    made = fake.browser()
    with_browser(database, colleague(database, now), now, made)
    waiting(database, now)
    call(database, now)
    return made


def queued(database) -> list[tuple[int, object]]:
    """(attempts, when) of what is not delivered yet."""
    with database.read() as session:
        rows = session.scalars(select(OutboxEntry).where(OutboxEntry.channel == "push").order_by(OutboxEntry.id))
        return [(row.attempts, row.next_at) for row in rows]


async def test_the_service_knows_us_the_browser_reads_it_and_nobody_else(
    database, clock, settings, service, fake, browser
):
    clock.instant += timedelta(seconds=1)
    assert await deliver_due(database, service, clock) == 1

    (delivery,) = fake.taken
    assert delivery.note["title"] == "Somebody is waiting for a person."
    assert delivery.claims == {
        "aud": fake.url,
        "exp": int((clock.now() + timedelta(hours=1)).timestamp()),
        "sub": "mailto:desk@junia.example",
        "key": public_key(settings.data),
    }
    assert {name: delivery.headers[name] for name in ("ttl", "urgency", "topic", "content-encoding")} == {
        "ttl": str(LIFE),
        "urgency": "high",
        "topic": "wait",
        "content-encoding": "aes128gcm",
    }
    assert (queued(database), fake.refused) == ([], [])
    with database.read() as session:
        assert session.scalars(select(PushBrowser.reached_at)).all() == [clock.now()]
    assert await deliver_due(database, service, clock) == 0


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_signature_of_another_moment_is_not_taken(database, clock, service, fake, browser):
    """The fake can say no: otherwise the test above would prove nothing."""
    clock.instant -= timedelta(days=2)
    with database.write() as session:
        session.scalars(select(OutboxEntry)).one().next_at = clock.now()
    await deliver_due(database, service, clock)

    assert (fake.taken, fake.refused) == ([], ["ValueError: claims"])


@pytest.mark.parametrize("status", [404, 410])
async def test_a_browser_that_is_gone_is_forgotten(database, clock, service, fake, browser, status):
    fake.answers = [(status, {})]
    await deliver_due(database, service, clock)

    assert (browsers(database), queued(database)) == ([], [])


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        ((429, {"Retry-After": "120"}), 120),
        ((429, {"Retry-After": "999999"}), 3600),
        ((503, {"Retry-After": "Wed, 25 Nov 2026 12:00:00 GMT"}), 5),
        ((500, {}), 5),
    ],
)
async def test_a_service_that_is_busy_is_asked_again_when_it_says(
    database, clock, service, fake, browser, answer, seconds
):
    fake.answers = [answer]
    await deliver_due(database, service, clock)
    assert queued(database) == [(1, clock.now() + timedelta(seconds=seconds))]

    clock.instant += timedelta(seconds=min(seconds, 120))
    await deliver_due(database, service, clock)
    assert len(fake.taken) == (1 if seconds <= 120 else 0)
    assert len(browsers(database)) == 1


@pytest.mark.parametrize("status", [301, 400, 401, 403, 413])
async def test_a_no_is_a_no_and_no_redirection_is_followed(database, clock, service, fake, browser, status):
    fake.answers = [(status, {"Location": f"{fake.url}/push/elsewhere"})]
    await deliver_due(database, service, clock)

    assert (queued(database), fake.taken, len(browsers(database))) == ([], [], 1)


async def test_a_service_that_is_not_there_is_tried_again_until_the_message_is_too_old(
    database, clock, service, fake, browser
):
    with database.write() as session:
        session.scalars(select(PushBrowser)).one().endpoint = "http://127.0.0.1:9/push/nobody"
    await deliver_due(database, service, clock)
    assert queued(database) == [(1, clock.now() + timedelta(seconds=5))]

    clock.instant += 31 * MINUTE
    await deliver_due(database, service, clock)
    assert (queued(database), len(browsers(database))) == ([], 1)


async def test_it_is_given_up_after_so_many_attempts(database, clock, service, fake, browser):
    with database.write() as session:
        session.scalars(select(OutboxEntry)).one().attempts = MOST_ATTEMPTS - 1
    fake.answers = [(500, {})]
    await deliver_due(database, service, clock)

    assert queued(database) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_service_that_hangs_keeps_only_its_own_message(
    database, clock, now, service, fake, browser, monkeypatch
):
    monkeypatch.setattr("bot.channels.push.channel.TIMEOUT", 0.5)
    with push_service() as other:
        other.now = now.timestamp()
        with_browser(database, colleague(database, now, "Marc"), now, other.browser())
        call(database, now)
        fake.hangs.clear()
        assert await deliver_due(database, service, clock) == 2

    assert len(other.taken) == 1
    assert queued(database) == [(1, now + timedelta(seconds=5))]


async def test_what_the_settings_no_longer_allow_is_not_reached(database, clock, now, settings, fake, browser):
    stricter = settings.model_copy(update={"push_services": "fcm.googleapis.com"})
    async with httpx.AsyncClient(trust_env=False) as client:
        await deliver_due(database, PushService(client, stricter), clock)

    assert (queued(database), fake.taken, fake.refused) == ([], [], [])


async def test_of_a_browser_that_was_taken_off_nothing_is_sent(database, clock, service, fake, browser):
    with database.write() as session:
        session.delete(session.scalars(select(PushBrowser)).one())
    assert await deliver_due(database, service, clock) == 1

    assert (queued(database), fake.taken) == ([], [])


async def test_no_log_has_the_address_of_a_browser(database, clock, service, fake, browser, caplog, capsys):
    caplog.set_level(logging.DEBUG, "accueil")
    fake.answers = [(500, {}), (403, {}), (410, {})]
    for _ in fake.answers.copy():
        await deliver_due(database, service, clock)
        clock.instant += MINUTE

    written = caplog.text + "".join(capsys.readouterr())
    assert browser.endpoint.rpartition("/")[2] not in written
    assert "push not delivered" in written


def test_a_message_that_is_too_big_is_not_sent(fake):
    made = fake.browser()
    to = Receiver(made.endpoint, bytes_of(made.p256dh), made.secret)

    assert len(sealed(b"x" * BIGGEST, to)) <= 4096
    with pytest.raises(Refused):
        sealed(b"x" * (BIGGEST + 1), to)


async def test_without_a_service_in_the_settings_there_is_none(settings):
    async with httpx.AsyncClient(trust_env=False) as client:
        assert push_service_of(client, settings.model_copy(update={"push_services": ""})) is None
        assert await asyncio.to_thread(push_service_of, client, settings) is not None


def test_a_service_may_write_to_the_address_of_the_desk_where_that_is_public(settings):
    public = settings.model_copy(update={"public_url": "https://desk.junia.example"})

    assert (contact_of(settings), contact_of(public)) == (
        "mailto:desk@junia.example",
        "https://desk.junia.example",
    )
