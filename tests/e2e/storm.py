"""Many students write on Telegram at once while processes are killed and the network misbehaves; then it is counted.

`python -m tests.e2e.storm --messages 10000 --chats 200 --kill-every 20 --faults` is the proof of the README; the test
beside it runs a small one.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import yaml
from sqlalchemy import func, select

from bot.channels.telegram.sender import render
from bot.config import ROOT, load_settings
from bot.conversations.models import Address, Author, InboxEntry, InboxState, Message, OutboxEntry
from bot.db.session import Database
from tests.e2e.desk import Desk, started
from tests.fakes.telegram_api import Fake, Phone

COMMANDS = ("/help", "thank you", "Wie bekomme ich ein Visum?", "¿Cómo pido el visado?")
PATIENCE = 300.0
"""Seconds for what is left once the last message was sent; one more for each message."""


@dataclass
class Figures:
    """What a storm did. `repeats`: messages that a chat got twice; `lost`: answers it never got, or never had."""

    messages: int = 0
    chats: int = 0
    kills: int = 0
    seconds: float = 0.0
    answered: int = 0
    lost: int = 0
    out_of_order: int = 0
    repeats: int = 0
    violations: dict[str, int] = field(default_factory=dict)
    delays: list[float] = field(default_factory=list)
    """Seconds from the student's send to the arrival of the last part of the answer."""

    def percentile(self, percent: int) -> float:
        ordered = sorted(self.delays)
        return ordered[max(0, -(-len(ordered) * percent // 100) - 1)] if ordered else 0.0


@contextmanager
def fake_process() -> Iterator[Fake]:
    """A fake in a process of its own: it must not die with what is killed, nor take its time."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.telegram_api"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            said = json.loads(process.stdout.readline())
            with Fake(said["address"], said["token"]) as fake:
                fake.wait_until_up()
                yield fake
        finally:
            process.kill()


def storm(
    *,
    messages: int,
    chats: int,
    rate: float,
    models: Path,
    folder: Path,
    kill_every: float | None = None,
    faults: bool = False,
    mode: str = "webhook",
    say: Callable[[str], None] = lambda _line: None,
) -> Figures:
    """Run one. `rate`: messages a second over all chats, which take turns."""
    with fake_process() as fake:
        more = {**fake.environment, "ACCUEIL_TELEGRAM_MODE": mode}
        with started(folder, models, more) as desk:
            phones = [fake.phone(name=f"Student {number}", language_code="en") for number in range(chats)]
            _until(lambda: bool(fake.calls("setMyCommands")), 60)
            if faults:
                fake.fault("repeat", share=0.05, seed=1)
                fake.fault("shuffle", share=0.3, count=5, seed=2)
                fake.fault("too_many", methods=["sendMessage"], share=0.01, seconds=2, seed=3)
            return _storm(fake, desk, phones, messages, rate, kill_every, say)


def _storm(
    fake: Fake,
    desk: Desk,
    phones: Sequence[Phone],
    messages: int,
    rate: float,
    kill_every: float | None,
    say: Callable[[str], None],
) -> Figures:
    figures = Figures(messages=messages, chats=len(phones))
    sent: dict[int, list[tuple[float, str]]] = {phone.id: [] for phone in phones}
    began = time.monotonic()
    done = threading.Event()
    writer = threading.Thread(target=_write, args=(phones, messages, rate, sent, done), daemon=True)
    writer.start()
    told = began
    while not done.is_set():
        if kill_every is None:
            done.wait(1)
        elif not done.wait(kill_every):
            if figures.kills % 10:
                desk.kill_server()
            else:
                # The process it is forked from dies with it: all is imported anew.
                killed = desk.kill("gateway")
                desk.until_restarted("gateway", killed)
            figures.kills += 1
        if time.monotonic() - told > 20:
            told = time.monotonic()
            say(f"  … {sum(map(len, sent.values()))} of {messages} sent, {figures.kills} kills")
    writer.join()
    fake.heals()
    database = Database(desk.settings.database)
    try:
        _until(lambda: _is_quiet(database, messages), PATIENCE + messages)
        figures.seconds = time.monotonic() - began
        figures.violations = fake.violations
        for phone in phones:
            _count(database, phone, sent[phone.id], figures)
    finally:
        database.close()
    return figures


def questions() -> list[str]:
    """The held-out questions and a few other messages among them: so many that no answer's work is done before."""
    files = [
        path for language in ("en", "fr") for path in sorted((ROOT / "tests" / "nlu" / language).glob("[a-z]*.yml"))
    ]
    asked = [text for path in files for text in yaml.safe_load(path.read_text(encoding="utf-8"))]
    random.Random(4).shuffle(asked)
    return [
        text
        for number, each in enumerate(asked)
        for text in ((each,) if number % 10 else (each, COMMANDS[number // 10 % 4]))
    ]


def _write(
    phones: Sequence[Phone],
    messages: int,
    rate: float,
    sent: Mapping[int, list[tuple[float, str]]],
    done: threading.Event,
) -> None:
    began = time.monotonic()
    try:
        for number, phone, question in zip(range(messages), cycle(phones), cycle(questions()), strict=False):
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
            sent[phone.id].append((time.time(), question))
            phone.says(question)
    finally:
        done.set()


def _is_quiet(database: Database, messages: int) -> bool:
    with database.read() as session:
        answered = session.scalar(select(func.count()).where(InboxEntry.state == InboxState.DONE))
        waiting = session.scalar(select(func.count()).select_from(OutboxEntry))
        return answered == messages and waiting == 0


def _until(look: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not look() and time.monotonic() < deadline:
        time.sleep(0.3)


def _count(database: Database, phone: Phone, sent: Sequence[tuple[float, str]], figures: Figures) -> None:
    """Compare what the phone sent with the transcript, and what the transcript says was told with what came."""
    with database.read() as session:
        talk = select(Address.conversation_id).where(Address.external == str(phone.id)).scalar_subquery()
        rows = session.scalars(select(Message).where(Message.conversation_id == talk).order_by(Message.seq)).all()
        expected = [
            (part.plain, row.in_reply_to) for row in rows if row.author != Author.STUDENT for part in render(row)
        ]
        asked = [row.seq for row in rows if row.author == Author.STUDENT]
        texts = [row.text for row in rows if row.author == Author.STUDENT]
        replies = [row.in_reply_to for row in rows if row.in_reply_to is not None]
    # Each message has its answer, once, in order.
    answered = Counter(replies)
    figures.answered += sum(answered[seq] == 1 for seq in asked)
    figures.lost += len(sent) - sum(answered[seq] == 1 for seq in asked)
    figures.out_of_order += replies != sorted(replies) or texts != [text for _, text in sent]
    phone.sync()
    arrived: dict[int, float] = {}
    place = 0
    for message in phone.messages.values():
        if place < len(expected) and message.text == expected[place][0]:
            if (seq := expected[place][1]) is not None:
                arrived[seq] = message.at
            place += 1
        elif place > 0 and message.text == expected[place - 1][0]:
            figures.repeats += 1
        else:
            figures.out_of_order += 1
    figures.lost += len(expected) - place
    figures.delays += [arrived[seq] - at for seq, (at, _) in zip(asked, sent, strict=False) if seq in arrived]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.storm", description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--chats", type=int, default=200)
    parser.add_argument("--rate", type=float, default=20.0, help="messages a second")
    parser.add_argument("--kill-every", type=float, help="seconds between two kills of the gateway")
    parser.add_argument("--faults", action="store_true", help="repeats, other orders, 429s")
    parser.add_argument("--mode", choices=("polling", "webhook"), default="webhook")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = storm(
            messages=given.messages,
            chats=given.chats,
            rate=given.rate,
            kill_every=given.kill_every,
            faults=given.faults,
            mode=given.mode,
            models=load_settings().data / "models",
            folder=Path(folder),
            say=lambda line: print(line, flush=True),
        )
    print(
        f"{figures.messages} messages from {figures.chats} chats in {figures.seconds:.0f} s ({given.mode}), "
        f"{figures.kills} kills: {figures.answered} answered, {figures.lost} lost, "
        f"{figures.out_of_order} out of order, "
        f"{figures.repeats} repeated, too fast for Telegram {sum(figures.violations.values())} times\n"
        f"update to delivered answer: p50 {figures.percentile(50):.2f} s, p95 {figures.percentile(95):.2f} s, "
        f"p99 {figures.percentile(99):.2f} s"
    )
    sys.exit(bool(figures.lost or figures.out_of_order or figures.violations or figures.repeats > figures.kills))


if __name__ == "__main__":
    main()
