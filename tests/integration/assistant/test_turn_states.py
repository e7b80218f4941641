"""Random interleavings of students, bot, two colleagues, crashes and failures; the promises that must hold in all.

ACCUEIL_STATE_EXAMPLES sets how many (few in `make test`, thousands in `make proof`).
"""

import asyncio
import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from bot.answers.urgent import build_door
from bot.assistant.turn import Outcome, Snapshot, Superseded, commit, compute, load
from bot.content.loader import load_knowledge
from bot.conversations.models import Control, Conversation, InboxEntry, InboxState, Message
from bot.conversations.service import receive_message
from bot.db.session import Database
from bot.errors import AlreadyTaken, DifferentContent, VersionChanged
from bot.handoff.models import Case
from bot.handoff.service import claim, close, release, reply
from bot.identity.models import Staff
from bot.tables import METADATA
from tests.factories import incoming, make_conversation, make_staff
from tests.fakes import TALK, FakeEngine, asks_for_person, plain_answer

KNOWLEDGE = load_knowledge(Path(__file__).resolve().parents[3] / "knowledge")
DOOR = build_door(KNOWLEDGE.urgent)
_TEMPLATE = Path(tempfile.mkdtemp(prefix="accueil-states-")) / "empty.db"
WORKERS = ("one", "two")


def _fresh_database() -> Database:
    """An empty database; the tables are made once and copied, which is much faster."""
    if not _TEMPLATE.exists():
        made = Database(f"sqlite:///{_TEMPLATE}")
        METADATA.create_all(made.engine.execution_options(writes=True))
        made.close()
    path = _TEMPLATE.with_name(f"{uuid4()}.db")
    path.write_bytes(_TEMPLATE.read_bytes())
    return Database(f"sqlite:///{path}")


class Turns(RuleBasedStateMachine):
    """Two workers take turns of one conversation, step by step, while everything else happens in between."""

    messages = Bundle("messages")

    def __init__(self) -> None:
        super().__init__()
        self.database = _fresh_database()
        self.now = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
        self.engine = FakeEngine()
        self.engine.answer = lambda text: asks_for_person() if "person" in text else plain_answer(f"echo: {text}")
        self.loaded: dict[str, Snapshot] = {}
        self.computed: dict[str, tuple[Snapshot, Outcome]] = {}
        self.sent: dict[str, str] = {}
        self.replied: list[str] = []

    @initialize()
    def begin(self) -> None:
        with self.database.write() as session:
            self.talk = make_conversation(session, self.now).id
            self.staff = {name: make_staff(session, self.now, name).id for name in ("Claire", "Marc")}

    def _tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    # --- the student ---

    @rule(target=messages, text=st.sampled_from(["the CVEC?", "a person please", "I want to die", "thanks"]))
    def message(self, text: str) -> str:
        external = str(uuid4())
        self._receive(external, f"{text} {len(self.sent)}")
        return external

    @rule(external=messages)
    def duplicate(self, external: str) -> None:
        self._receive(external, self.sent[external])

    @rule(external=messages)
    def duplicate_with_other_content(self, external: str) -> None:
        try:
            self._receive(external, self.sent[external] + " changed")
        except DifferentContent:
            return
        raise AssertionError("another content under the same id was accepted")

    def _receive(self, external: str, text: str) -> None:
        with self.database.write() as session:
            receive_message(session, self.talk, incoming(text, self.now, external), self._tick())
        self.sent.setdefault(external, text)

    # --- the bot, step by step; leaving out a step is a crash ---

    @rule(worker=st.sampled_from(WORKERS))
    def load(self, worker: str) -> None:
        snapshot = load(self.database, self.talk)
        if snapshot is not None:
            self.loaded[worker] = snapshot

    @precondition(lambda self: self.loaded)
    @rule(worker=st.sampled_from(WORKERS), fails=st.booleans())
    def compute(self, worker: str, fails: bool) -> None:
        if (snapshot := self.loaded.pop(worker, None)) is None:
            return
        self.engine.fails = fails
        outcome = asyncio.run(compute(self.engine, DOOR, KNOWLEDGE, snapshot, self.now))
        assert outcome is not None
        self.computed[worker] = (snapshot, outcome)

    @precondition(lambda self: self.computed)
    @rule(worker=st.sampled_from(WORKERS), again=st.booleans())
    def commit(self, worker: str, again: bool) -> None:
        if worker not in self.computed:
            return
        snapshot, outcome = self.computed[worker] if again else self.computed.pop(worker)
        try:
            commit(self.database, TALK, snapshot, outcome, self._tick())
        except Superseded:
            return

    @rule(worker=st.sampled_from(WORKERS))
    def crash(self, worker: str) -> None:
        self.loaded.pop(worker, None)
        self.computed.pop(worker, None)

    # --- the colleagues ---

    @rule(name=st.sampled_from(["Claire", "Marc"]), move=st.sampled_from([claim, release, close]))
    def staff_move(self, name: str, move) -> None:
        try:
            with self.database.write() as session:
                move(session, self.talk, session.get_one(Staff, self.staff[name]), self._tick())
        except (AlreadyTaken, VersionChanged):
            return

    @rule(name=st.sampled_from(["Claire", "Marc"]))
    def staff_reply(self, name: str) -> None:
        text = f"I look into it ({len(self.replied)})"
        try:
            with self.database.write() as session:
                reply(session, self.talk, session.get_one(Staff, self.staff[name]), str(uuid4()), text, self._tick())
        except AlreadyTaken:
            return
        self.replied.append(text)

    # --- what must hold at every moment ---

    def _transcript(self, session) -> list[Message]:
        return list(session.scalars(select(Message).where(Message.conversation_id == self.talk).order_by(Message.seq)))

    @invariant()
    def nothing_is_lost_and_order_is_kept(self) -> None:
        if not hasattr(self, "talk"):
            return
        with self.database.read() as session:
            messages = self._transcript(session)
            assert [m.seq for m in messages] == list(range(1, len(messages) + 1))
            assert session.get_one(Conversation, self.talk).last_seq == len(messages)
            assert [m.text for m in messages if m.author == "student"] == list(self.sent.values())
            assert [m.text for m in messages if m.author == "staff"] == self.replied

    @invariant()
    def nothing_is_said_twice_and_answers_keep_the_order(self) -> None:
        if not hasattr(self, "talk"):
            return
        with self.database.read() as session:
            answered = [m.in_reply_to for m in self._transcript(session) if m.author == "bot" and m.in_reply_to]
            assert answered == sorted(set(answered))

    @invariant()
    def no_bot_word_while_a_person_holds_it(self) -> None:
        if not hasattr(self, "talk"):
            return
        held = False
        with self.database.read() as session:
            for message in self._transcript(session):
                if message.author == "system":
                    held = message.text.startswith("You are now talking to")
                assert not (held and message.author == "bot")
            control = session.get_one(Conversation, self.talk).control
            assert held == (control == Control.STAFF)

    @invariant()
    def effects_happen_once(self) -> None:
        if not hasattr(self, "talk"):
            return
        with self.database.read() as session:
            open_cases = session.scalars(select(Case).where(Case.closed_at.is_(None))).all()
            control = session.get_one(Conversation, self.talk).control
            assert len(open_cases) == (1 if control in (Control.WAITING, Control.STAFF) else 0)

    def teardown(self) -> None:
        """After the storm: one worker answers everything that is left, and nothing stays in the inbox."""
        if hasattr(self, "talk"):
            self.engine.fails = False
            for _ in range(2 * len(self.sent) + 2):
                if (snapshot := load(self.database, self.talk)) is None:
                    break
                outcome = asyncio.run(compute(self.engine, DOOR, KNOWLEDGE, snapshot, self.now))
                assert outcome is not None
                commit(self.database, TALK, snapshot, outcome, self._tick())
            with self.database.read() as session:
                pending = session.scalars(select(InboxEntry).where(InboxEntry.state == InboxState.PENDING)).all()
                assert pending == []
            self.nothing_is_lost_and_order_is_kept()
            self.nothing_is_said_twice_and_answers_keep_the_order()
        self.database.close()
        for file in _TEMPLATE.parent.glob(f"{Path(self.database.engine.url.database or '').stem}*"):
            file.unlink()


TestTurns = Turns.TestCase
TestTurns.settings = settings(
    max_examples=int(os.environ.get("ACCUEIL_STATE_EXAMPLES", "40")),
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
