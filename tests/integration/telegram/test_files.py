"""Files of students, from Telegram to the office: kept as they are, tried again, given up in words."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import UUID

import pytest
import telegram
from sqlalchemy import select
from telegram.error import BadRequest, InvalidToken, NetworkError, RetryAfter, TelegramError

from bot.channels.telegram import files
from bot.channels.telegram.files import LEASE, MOST_ATTEMPTS, delay_after, fetch_due
from bot.clock import FixedClock
from bot.conversations.brought import MOST_BYTES
from bot.conversations.messages import Brought, IncomingMessage
from bot.conversations.models import Attachment, Conversation, OutboxEntry
from bot.conversations.service import receive_message
from bot.db.session import Database
from bot.handoff.service import claim
from tests.factories import make_conversation, make_staff, transcript

NOT_REACHED = "Your file “{}” did not reach the office. Send it again, please."


@dataclass
class FakeBot:
    """Answers `get_file` with an address of a server of ours, or with the error that is set for a file."""

    server: str
    errors: dict[str, Exception] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    paths: dict[str, str | None] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def get_file(self, external: str) -> telegram.File:
        self.asked.append(external)
        if external in self.errors:
            raise self.errors[external]
        path = self.paths.get(external, f"{self.server}/file/bot9000:AAtests/{external}")
        return telegram.File(external, "unique", self.sizes.get(external), path)


@dataclass
class Server:
    """`bodies` by file; None: 404. Sent without a length, in pieces, as long as somebody reads."""

    bodies: dict[str, bytes | None] = field(default_factory=dict)
    url: str = ""
    sent: int = 0


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = state.bodies.get(self.path.rpartition("/")[2])
            self.send_response(404 if body is None else 200)
            self.end_headers()
            try:
                for start in range(0, len(body or b""), 65536):
                    state.sent += self.wfile.write((body or b"")[start : start + 65536])
            except OSError:
                return

        def log_message(self, *_args: object) -> None:
            return

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    yield state
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.fixture
def bot(server: Server) -> FakeBot:
    return FakeBot(server.url)


@pytest.fixture
def talk(database: Database, clock: FixedClock) -> UUID:
    now = clock.now()
    with database.write() as session:
        conversation = make_conversation(session, now)
        claim(session, conversation.id, make_staff(session, now), now)
        return conversation.id


@pytest.fixture
def bring(database: Database, clock: FixedClock, talk: UUID) -> Callable[[str], None]:
    def write(external: str) -> None:
        now = clock.now()
        file = Brought("document", f"{external}.pdf", "application/pdf", 3, external)
        with database.write() as session:
            receive_message(session, talk, IncomingMessage("telegram", external, "", None, now, file), now)

    return write


def kept(database: Database) -> list[tuple[str, str, int, bytes | None, str]]:
    """(name, state, size, content, external) of every file."""
    with database.read() as session:
        rows = session.scalars(select(Attachment).order_by(Attachment.id))
        return [(row.name, str(row.state), row.size, row.content, row.external) for row in rows]


def notices(database: Database, talk: UUID) -> list[str]:
    """What the system said after the colleague had taken over."""
    with database.read() as session:
        return [text for author, text in transcript(session, talk)[2:] if author == "system"]


async def test_a_file_is_fetched_once_and_kept_as_it_is(database, clock, talk, bring, bot, server):
    server.bodies["a"] = b"%PDF-1.7 \x00\xff"
    bring("a")

    assert await fetch_due(database, bot, clock) == 1
    assert await fetch_due(database, bot, clock) == 0

    assert kept(database) == [("a.pdf", "kept", 11, b"%PDF-1.7 \x00\xff", "")]
    assert (bot.asked, notices(database, talk)) == (["a"], [])


async def test_files_are_fetched_in_the_order_of_arrival_and_one_in_trouble_keeps_no_other(
    database, clock, bring, bot, server
):
    server.bodies |= {"a": b"a", "c": b"c"}
    bot.errors["b"] = NetworkError("away")
    for external in ("a", "b", "c"):
        bring(external)

    assert await fetch_due(database, bot, clock) == 3
    assert bot.asked == ["a", "b", "c"]
    assert [state for _, state, *_ in kept(database)] == ["kept", "pending", "kept"]


async def test_a_file_of_exactly_the_limit_is_kept(database, clock, bring, bot, server):
    server.bodies["a"] = bytes(MOST_BYTES)
    bring("a")

    await fetch_due(database, bot, clock)

    assert [(state, size) for _, state, size, *_ in kept(database)] == [("kept", MOST_BYTES)]


async def test_more_bytes_than_were_said_are_not_taken_in(database, clock, talk, bring, bot, server):
    server.bodies["a"] = bytes(2 * MOST_BYTES)
    bring("a")

    await fetch_due(database, bot, clock)

    assert kept(database) == [("a.pdf", "failed", 3, None, "")]
    assert notices(database, talk) == [
        "Your file “a.pdf” did not reach the office: it is larger than 20 MB. Send a smaller one, please."
    ]
    assert server.sent < 2 * MOST_BYTES


async def test_a_file_that_telegram_calls_too_large_is_not_asked_for(database, clock, talk, bring, bot, server):
    bot.sizes["a"] = MOST_BYTES + 1
    bot.errors["b"] = BadRequest("File is too big")
    bring("a")
    bring("b")

    await fetch_due(database, bot, clock)

    large = "Your file “{}” did not reach the office: it is larger than 20 MB. Send a smaller one, please."
    assert notices(database, talk) == [large.format("a.pdf"), large.format("b.pdf")]
    assert server.sent == 0


@pytest.mark.parametrize(
    "error", [NetworkError("away"), TelegramError("?"), InvalidToken(), BadRequest("file is temporarily unavailable")]
)
async def test_what_may_pass_is_tried_again_later(database, clock, talk, bring, bot, server, error):
    bot.errors["a"] = error
    bring("a")
    await fetch_due(database, bot, clock)

    assert await fetch_due(database, bot, clock) == 0
    assert [state for _, state, *_ in kept(database)] == ["pending"]

    del bot.errors["a"]
    server.bodies["a"] = b"a"
    clock.instant += timedelta(seconds=5)
    assert await fetch_due(database, bot, clock) == 1
    assert [state for _, state, *_ in kept(database)] == ["kept"]
    assert notices(database, talk) == []


async def test_an_answer_other_than_the_file_is_no_file(database, clock, bring, bot, server):
    server.bodies["a"] = None
    bring("a")
    await fetch_due(database, bot, clock)

    assert [(state, content) for _, state, _, content, _ in kept(database)] == [("pending", None)]


async def test_after_the_last_attempt_the_student_is_told(database, clock, talk, bring, bot):
    bot.errors["a"] = NetworkError("away")
    bring("a")
    for _ in range(MOST_ATTEMPTS):
        assert notices(database, talk) == []
        assert await fetch_due(database, bot, clock) == 1
        clock.instant += timedelta(minutes=10)

    assert await fetch_due(database, bot, clock) == 0
    assert kept(database) == [("a.pdf", "failed", 3, None, "")]
    assert notices(database, talk) == [NOT_REACHED.format("a.pdf")]
    with database.read() as session:
        assert [row.channel for row in session.scalars(select(OutboxEntry))] == ["telegram"]


@pytest.mark.parametrize("path", ["/var/lib/telegram-bot-api/documents/a.pdf", "file:///etc/passwd"])
async def test_a_path_on_the_disk_of_a_bot_api_server_is_not_read(database, clock, talk, bring, bot, path):
    bot.paths["a"] = path
    bring("a")
    await fetch_due(database, bot, clock)

    assert kept(database) == [("a.pdf", "failed", 3, None, "")]
    assert notices(database, talk) == [NOT_REACHED.format("a.pdf")]


async def test_a_file_whose_path_is_not_said_yet_is_asked_for_again(database, clock, bring, bot):
    bot.paths["a"] = None
    bring("a")
    await fetch_due(database, bot, clock)

    assert [state for _, state, *_ in kept(database)] == ["pending"]


async def test_a_file_that_somebody_else_is_fetching_is_left_alone_until_the_lease_ends(
    database, clock, bring, bot, server
):
    server.bodies["a"] = b"a"
    bring("a")
    assert files._take(database, clock.now()) is not None

    assert await fetch_due(database, bot, clock) == 0
    clock.instant += LEASE
    assert await fetch_due(database, bot, clock) == 1


@pytest.mark.parametrize("error", [None, BadRequest("wrong file"), NetworkError("away")])
async def test_a_file_erased_while_it_was_fetched_comes_to_nothing(database, clock, talk, bring, bot, server, error):
    class Erasing(FakeBot):
        async def get_file(self, external: str) -> telegram.File:
            with database.write() as session:
                session.delete(session.get_one(Conversation, talk))
            return await super().get_file(external)

    server.bodies["a"] = b"a"
    erasing = Erasing(server.url, errors={} if error is None else {"a": error})
    bring("a")

    assert await fetch_due(database, erasing, clock) == 1
    assert kept(database) == []


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 5), (2, 10), (7, 320), (8, 600), (9, 600)])
def test_the_pauses_grow_to_ten_minutes(attempts, seconds):
    assert delay_after(attempts, NetworkError("away")) == timedelta(seconds=seconds)


# The library warns of a later version of itself whenever it makes this error.
@pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")
def test_a_pause_that_telegram_asks_for_is_kept():
    assert delay_after(1, RetryAfter(42)) == timedelta(seconds=42)
