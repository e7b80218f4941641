import asyncio
import socket
from collections.abc import Iterator
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope
from sqlalchemy import select
from structlog.testing import capture_logs

from bot.channels.mail.channel import (
    LEASE,
    MailboxTransport,
    SmtpTransport,
    deliver_due,
    transport_of,
)
from bot.clock import FixedClock
from bot.config import Settings
from bot.conversations.models import OutboxEntry
from bot.db.session import Database

SENDER = "accueil@junia.example"


class MailServer:
    """What a real SMTP server received; `verdict` is its reply to the recipient or the mail."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipient_reply: str | None = None
        self.data_reply = "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.recipient_reply is not None:
            return self.recipient_reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session, envelope: Envelope) -> str:
        if self.data_reply.startswith("250"):
            self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return self.data_reply


def authenticate(server, session, envelope, mechanism, data) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"accueil", b"secret"), handled=False)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    yield from running(MailServer())


def running(handler: MailServer, **options: object) -> Iterator[MailServer]:
    controller = Controller(handler, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    handler.port = controller.port
    yield handler
    controller.stop()


def settings_for(server: MailServer, **more: object) -> Settings:
    return Settings(smtp_host="127.0.0.1", smtp_port=server.port, smtp_tls="none", _env_file=None, **more)


def add_mail(database: Database, now: datetime, key: str = "link_code:1", **more: object) -> None:
    payload = {
        "kind": "link_code",
        "to": "amina@student.junia.com",
        "name": "Amina",
        "language": "en",
        "code": "123456",
        "expires_at": (now + timedelta(days=7)).isoformat(),
        **more,
    }
    with database.write() as session:
        session.add(OutboxEntry(channel="mail", key=key, payload=payload, next_at=now))


def outbox(database: Database) -> list[OutboxEntry]:
    with database.read() as session:
        return list(session.scalars(select(OutboxEntry).order_by(OutboxEntry.id)))


async def test_a_mail_reaches_the_server_and_leaves_the_outbox(database, clock, now, mail_server):
    add_mail(database, now)

    delivered = await deliver_due(database, SmtpTransport(settings_for(mail_server)), clock, sender=SENDER)

    (mail,) = mail_server.mails
    assert delivered == 1
    assert (mail["To"], mail["From"], mail["Subject"]) == ("amina@student.junia.com", SENDER, "Your code for Accueil")
    assert "123 456" in mail.get_content()
    assert outbox(database) == []


async def test_only_what_is_due_and_is_mail_is_sent_and_no_more_than_the_limit(database, clock, now, mail_server):
    for number in range(3):
        add_mail(database, now - timedelta(minutes=number), key=f"link_code:{number}")
    add_mail(database, now + timedelta(seconds=1), key="link_code:later")
    with database.write() as session:
        session.add(OutboxEntry(channel="telegram", key="other", payload={}, next_at=now))

    transport = SmtpTransport(settings_for(mail_server))
    first = await deliver_due(database, transport, clock, limit=2, sender=SENDER)
    second = await deliver_due(database, transport, clock, limit=2, sender=SENDER)
    third = await deliver_due(database, transport, clock, limit=2, sender=SENDER)

    assert (first, second, third) == (2, 1, 0)
    assert [row.key for row in outbox(database)] == ["link_code:later", "other"]


async def test_a_mail_that_fails_is_tried_again_with_the_same_id_and_longer_pauses(database, now, mail_server):
    add_mail(database, now)
    clock = FixedClock(now)
    transport = SmtpTransport(settings_for(mail_server))
    mail_server.data_reply = "451 come back later"
    pauses = []
    for _ in range(3):
        assert await deliver_due(database, transport, clock, sender=SENDER) == 0
        (row,) = outbox(database)
        pauses.append((row.next_at - clock.instant).total_seconds())
        assert await deliver_due(database, transport, clock, sender=SENDER) == 0
        clock.instant = row.next_at

    mail_server.data_reply = "250 OK"
    delivered = await deliver_due(database, transport, clock, sender=SENDER)

    assert pauses == [5, 10, 20]
    assert row.last_error == "SMTPDataError"
    assert delivered == 1
    assert outbox(database) == []


async def test_a_mail_is_given_up_after_twelve_attempts_with_an_error_in_the_log(database, now):
    add_mail(database, now)
    clock = FixedClock(now)
    transport = SmtpTransport(Settings(smtp_host="127.0.0.1", smtp_port=free_port(), smtp_tls="none", _env_file=None))

    with capture_logs() as logs:
        for _ in range(12):
            assert await deliver_due(database, transport, clock, sender=SENDER) == 0
            clock.instant += timedelta(hours=1)

    assert outbox(database) == []
    assert [line["log_level"] for line in logs] == ["warning"] * 11 + ["error"]
    assert (logs[-1]["event"], logs[-1]["attempts"], logs[-1]["error"]) == ("mail given up", 12, "SMTPConnectError")


async def test_a_recipient_refused_for_good_is_given_up_at_once(database, clock, now, mail_server):
    add_mail(database, now)
    mail_server.recipient_reply = "550 no such user amina@student.junia.com"

    with capture_logs() as logs:
        await deliver_due(database, SmtpTransport(settings_for(mail_server)), clock, sender=SENDER)

    assert outbox(database) == []
    assert [line["log_level"] for line in logs] == ["error"]


async def test_a_recipient_refused_for_now_is_tried_again(database, clock, now, mail_server):
    add_mail(database, now)
    mail_server.recipient_reply = "450 mailbox busy"

    await deliver_due(database, SmtpTransport(settings_for(mail_server)), clock, sender=SENDER)

    assert [row.attempts for row in outbox(database)] == [1]


async def test_one_bad_row_does_not_keep_the_others(database, clock, now, mail_server):
    add_mail(database, now - timedelta(minutes=1), key="bad", kind="birthday")
    add_mail(database, now)

    assert await deliver_due(database, SmtpTransport(settings_for(mail_server)), clock, sender=SENDER) == 1

    assert [(row.key, row.last_error) for row in outbox(database)] == [("bad", "ValueError")]


async def test_an_expired_code_is_not_sent(database, clock, now, mail_server):
    add_mail(database, now - timedelta(minutes=10), expires_at=now.isoformat())

    assert await deliver_due(database, SmtpTransport(settings_for(mail_server)), clock, sender=SENDER) == 0

    assert (mail_server.mails, outbox(database)) == ([], [])


async def test_neither_address_nor_code_is_ever_logged(database, clock, now, mail_server, capfd):
    mail_server.recipient_reply = "550 no such user amina@student.junia.com, code 123456"
    add_mail(database, now)
    add_mail(database, now, key="bad", kind="birthday")

    with capture_logs() as logs:
        await deliver_due(database, SmtpTransport(settings_for(mail_server)), clock, sender=SENDER)

    written = repr(logs) + "".join(capfd.readouterr()) + repr([row.last_error for row in outbox(database)])
    assert len(logs) == 2
    assert "amina" not in written.lower()
    assert "123456" not in written


async def test_a_mail_being_sent_is_left_alone_until_its_lease_ends(database, now):
    add_mail(database, now)
    clock = FixedClock(now)
    started, gate = asyncio.Event(), asyncio.Event()
    sent: list[EmailMessage] = []

    class Slow:
        async def send(self, message: EmailMessage) -> None:
            started.set()
            await gate.wait()
            sent.append(message)

    slow = asyncio.create_task(deliver_due(database, Slow(), clock, sender=SENDER))
    await started.wait()
    clock.instant = now + LEASE - timedelta(seconds=1)
    meanwhile = await deliver_due(database, Slow(), clock, sender=SENDER)
    gate.set()

    assert (meanwhile, await slow, len(sent)) == (0, 1, 1)


async def test_a_mail_of_a_process_that_died_is_taken_up_again(database, now, mail_server):
    add_mail(database, now)
    clock = FixedClock(now)

    class Dies:
        async def send(self, message: EmailMessage) -> None:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await deliver_due(database, Dies(), clock, sender=SENDER)
    clock.instant = now + LEASE

    assert await deliver_due(database, SmtpTransport(settings_for(mail_server)), clock, sender=SENDER) == 1


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # TLS is not what is tested here
async def test_user_and_password_are_given_to_a_server_that_asks(database, clock, now):
    servers = running(
        MailServer(), authenticator=authenticate, auth_required=True, auth_require_tls=False, decode_data=False
    )
    server = next(servers)
    add_mail(database, now)
    wrong = SmtpTransport(settings_for(server, smtp_user="accueil", smtp_password="guess"))
    right = SmtpTransport(settings_for(server, smtp_user="accueil", smtp_password="secret"))

    assert await deliver_due(database, wrong, clock, sender=SENDER) == 0
    clock.instant += timedelta(seconds=5)
    assert await deliver_due(database, right, clock, sender=SENDER) == 1

    assert len(server.mails) == 1
    next(servers, None)


async def test_nothing_is_sent_in_clear_where_tls_is_wanted(database, clock, now, mail_server):
    add_mail(database, now)
    transport = SmtpTransport(
        Settings(smtp_host="127.0.0.1", smtp_port=mail_server.port, smtp_tls="starttls", _env_file=None)
    )

    assert await deliver_due(database, transport, clock, sender=SENDER) == 0

    assert (mail_server.mails, len(outbox(database))) == ([], 1)


def test_without_a_mail_server_mails_go_to_the_mailbox_of_the_data_folder(tmp_path):
    assert isinstance(transport_of(Settings(data=tmp_path, _env_file=None)), MailboxTransport)
    assert isinstance(transport_of(Settings(data=tmp_path, smtp_host="mail.example", _env_file=None)), SmtpTransport)


async def test_each_mail_has_a_whole_lease_even_behind_slow_ones(database, now):
    add_mail(database, now, "link_code:1")
    add_mail(database, now, "link_code:2")
    clock = FixedClock(now)
    sent: list[str] = []

    class Slow:
        async def send(self, message: EmailMessage) -> None:
            sent.append(str(message["Message-ID"]))
            if len(sent) == 1:
                clock.instant += LEASE - timedelta(seconds=1)
                return
            clock.instant += timedelta(seconds=2)
            await deliver_due(database, Other(), clock, sender=SENDER)

    class Other:
        async def send(self, message: EmailMessage) -> None:
            sent.append(str(message["Message-ID"]))

    assert await deliver_due(database, Slow(), clock, sender=SENDER) == 2
    assert len(sent) == 2
