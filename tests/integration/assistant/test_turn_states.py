"""Random interleavings of students, bot, two colleagues, time, crashes and failures; the promises that hold in all.

ACCUEIL_STATE_EXAMPLES sets how many (few in `make test`, thousands in `make proof`).
"""

import asyncio
import os
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)
from sqlalchemy import func, select

from bot.answers.urgent import build_door
from bot.assistant.turn import Outcome, Snapshot, Superseded, commit, compute, load
from bot.content.loader import load_knowledge
from bot.conversations.brought import handed_over
from bot.conversations.messages import Brought
from bot.conversations.models import Attachment, Control, Conversation, InboxEntry, InboxState, Message, OutboxEntry
from bot.conversations.service import receive_message
from bot.db.session import Database
from bot.errors import (
    AlreadyTaken,
    CannotChange,
    DifferentContent,
    InvalidField,
    NoColleague,
    NotAllowed,
    VersionChanged,
)
from bot.handoff import changes
from bot.handoff.beside import snooze, wake
from bot.handoff.models import Case
from bot.handoff.service import claim, close, hand_to, open_case, queue_at, release, reply, send_file
from bot.handoff.tending import GONE_FOR_A_DAY, is_absent, requeue_if_absent, tend
from bot.handoff.undoing import UNDOABLE, undo
from bot.identity.models import Role, Staff
from bot.tables import METADATA
from tests.factories import incoming, make_conversation, make_staff, make_student
from tests.fakes import OFFICE, TALK, FakeEngine, asks_for_person, plain_answer

KNOWLEDGE = load_knowledge(Path(__file__).resolve().parents[3] / "knowledge")
DOOR = build_door(KNOWLEDGE.urgent)
_FOLDER = tempfile.TemporaryDirectory(prefix="accueil-states-")
_TEMPLATE = Path(_FOLDER.name) / "empty.db"
WORKERS = ("one", "two")
NAMES = st.sampled_from(["Claire", "Marc"])
COORDINATOR = "Marc"
"""May hand on what others hold."""


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
        self.brought: dict[str, Brought] = {}
        self.files: list[tuple[int, str]] = []
        """By seq: the files that either side sent and that are not deleted."""
        self.replied: dict[int, str] = {}
        """By seq: what colleagues said, as they last put it."""
        self.disabled: set[str] = set()
        self.holder: str | None = None
        """Who has the conversation by what this machine saw happen."""
        self.deed: tuple[str, datetime, str | None, list[Any]] | None = None
        """The last deed that can be undone: whose, when, and before it the holder and the state."""

    @initialize()
    def begin(self) -> None:
        with self.database.write() as session:
            self.talk = make_conversation(session, self.now).id
            roles = {"Claire": Role.ADVISER, COORDINATOR: Role.COORDINATOR}
            self.staff = {name: make_staff(session, self.now, name, role).id for name, role in roles.items()}
            student = make_student(session, self.now)
            session.get_one(Conversation, self.talk).student_id = student.id

    def _tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    # --- the student ---

    @rule(
        target=messages,
        text=st.sampled_from(["the CVEC?", "a person please", "I want to die", "thanks", "/restart", "/session_start"]),
    )
    def message(self, text: str) -> str:
        external = str(uuid4())
        self._receive(external, f"{text} {len(self.sent)}")
        return external

    @rule(target=messages)
    def brings_a_file(self) -> str | MultipleResults[str]:
        """Taken in exactly while a colleague has the conversation."""
        external, name = str(uuid4()), f"visa-{len(self.sent)}.pdf"
        brought = handed_over(name, "application/pdf", name.encode())
        try:
            with self.database.write() as session:
                received = receive_message(
                    session, self.talk, replace(incoming("", self.now, external), brought=brought), self._tick()
                )
                self.sent[external] = received.message.text
        except NoColleague:
            assert self.holder is None
            return multiple()
        assert self.holder is not None
        self.brought[external] = brought
        self.files.append((received.message.seq, name))
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
        if external in self.brought:
            # The words of a file are ours: what comes again comes without, or with other ones.
            text = text.removeprefix(self.sent[external])
        given = replace(incoming(text, self.now, external), brought=self.brought.get(external))
        with self.database.write() as session:
            receive_message(session, self.talk, given, self._tick())
        self.sent.setdefault(external, text)

    # --- the bot, step by step; leaving out a step is a crash ---

    @rule(worker=st.sampled_from(WORKERS))
    def load(self, worker: str) -> None:
        snapshot = load(self.database, self.talk)
        if snapshot is not None and snapshot.control == Control.STAFF:
            with self.database.read() as session:
                is_gone = is_absent(session, OFFICE, session.get_one(Conversation, self.talk), self.now)
            assert requeue_if_absent(self.database, OFFICE, self.talk, self._tick()) == is_gone
            if is_gone:
                self.holder = None
                return
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

    def _as(self, name: str, deed, *refusals: type[Exception]) -> bool:
        """Whether it was done; a refusal changes nothing, and is true."""
        try:
            with self.database.write() as session:
                deed(session, session.get_one(Staff, self.staff[name]), self._tick())
        except AlreadyTaken:
            assert self.holder not in (None, name)
            return False
        except NotAllowed:
            assert name in self.disabled
            return False
        except refusals:
            return False
        assert name not in self.disabled
        return True

    def _state(self) -> list[Any]:
        """What an undo must bring back: who has the conversation, where and since when it waits, every request."""
        with self.database.read() as session:
            talk = session.get_one(Conversation, self.talk)
            cases = session.execute(select(*Case.__table__.columns).order_by(Case.id)).all()
            return [talk.control, talk.assignee_id, talk.desk, talk.waiting_since, cases]

    def _does(self, name: str, deed, *refusals: type[Exception]) -> bool:
        """As `_as`, for what can be undone."""
        with self.database.read() as session:
            version = session.get_one(Conversation, self.talk).version
        before = self.holder, self._state()
        if not self._as(name, deed, *refusals):
            return False
        with self.database.read() as session:
            if session.get_one(Conversation, self.talk).version != version:
                self.deed = (name, self.now, *before)
        return True

    @rule(name=NAMES)
    def undoes(self, name: str) -> None:
        def deed(session, staff, now) -> None:
            undo(session, self.talk, staff, OFFICE, now)

        before = self._state()
        if self._as(name, deed, VersionChanged, CannotChange):
            assert self.deed is not None
            whose, at, self.holder, state = self.deed
            assert (whose, self.now - at <= UNDOABLE, self._state()) == (name, True, state)
            self.deed = None
        else:
            assert self._state() == before

    @rule(name=NAMES)
    def claims(self, name: str) -> None:
        if self._as(name, lambda session, staff, now: claim(session, self.talk, staff, now)):
            assert self.holder in (None, name)
            self.holder = name

    @rule(name=NAMES, ends=st.booleans())
    def gives_back_or_closes(self, name: str, ends: bool) -> None:
        move = close if ends else release
        if self._does(name, lambda session, staff, now: move(session, self.talk, staff, now), VersionChanged):
            assert self.holder in (None, name)
            self.holder = None

    @rule(name=NAMES, to=NAMES)
    def hands_to_a_colleague(self, name: str, to: str) -> None:
        def deed(session, staff, now) -> None:
            hand_to(session, self.talk, staff, session.get_one(Staff, self.staff[to]), now)

        if self._does(name, deed, VersionChanged, InvalidField):
            assert self.holder in (None, name) or name == COORDINATOR
            assert to not in self.disabled
            self.holder = to

    @rule(name=NAMES)
    def hands_to_a_desk(self, name: str) -> None:
        def deed(session, staff, now) -> None:
            conversation = session.get_one(Conversation, self.talk)
            case = open_case(session, conversation)
            place = case.opened_at if case else now
            since = conversation.waiting_since or self._unanswered_since(session, place, now)
            queued = queue_at(session, self.talk, staff, OFFICE, "office", now)
            assert queued.control == Control.WAITING
            assert (queued.waiting_since, open_case(session, queued).opened_at) == (since, place)

        if self._does(name, deed, VersionChanged):
            assert self.holder in (None, name) or name == COORDINATOR
            self.holder = None

    def _unanswered_since(self, session, asked_at: datetime, now: datetime) -> datetime:
        """Since when a student waits whom nobody has any more: a wait is over only when somebody has answered."""
        said = [m for m in self._transcript(session) if m.author in ("staff", "student")]
        if not any(m.author == "staff" and m.created_at >= asked_at for m in said):
            return asked_at
        after = list(takewhile(lambda m: m.author == "student", reversed(said)))
        return after[-1].created_at if after else now

    @rule(name=NAMES, minutes=st.sampled_from([1, 60]))
    def lays_aside(self, name: str, minutes: int) -> None:
        until = self.now + timedelta(minutes=minutes)
        self._as(name, lambda session, staff, now: snooze(session, self.talk, staff, until, now), CannotChange)

    @rule(name=NAMES)
    def takes_up_again(self, name: str) -> None:
        self._as(name, lambda session, staff, now: wake(session, self.talk, staff, now))

    @rule(name=NAMES)
    def staff_reply(self, name: str) -> None:
        text = f"I look into it ({len(self.replied)})"

        def deed(session, staff, now) -> None:
            said = reply(session, self.talk, staff, str(uuid4()), text, now)
            self.replied[said.message.seq] = text

        if self._as(name, deed):
            assert self.holder in (None, name)
            self.holder = name

    @rule(name=NAMES, repeats=st.booleans())
    def staff_file(self, name: str, repeats: bool) -> None:
        client_id, file = str(uuid4()), f"letter-{len(self.replied)}.pdf"

        def deed(session, staff, now) -> None:
            sent = [
                send_file(
                    session,
                    self.talk,
                    staff,
                    client_id,
                    name=file,
                    media_type="application/pdf",
                    content=file.encode(),
                    now=now,
                )
                for _ in range(1 + repeats)
            ]
            assert [each.is_new for each in sent] == [True, False][: len(sent)]
            self.replied[sent[0].message.seq] = sent[0].message.text
            self.files.append((sent[0].message.seq, file))

        if self._as(name, deed):
            assert self.holder in (None, name)
            self.holder = name

    @precondition(lambda self: self.replied)
    @rule(name=NAMES, deletes=st.booleans())
    def changes_the_last_word(self, name: str, deletes: bool) -> None:
        seq = max(self.replied)

        def deed(session, staff, now) -> None:
            if deletes:
                self.replied[seq] = changes.take_back(session, self.talk, seq, staff, now).text
                self.files = [each for each in self.files if each[0] != seq]
            else:
                self.replied[seq] = changes.edit(session, self.talk, seq, staff, f"Better: {seq}", now).text

        self._as(name, deed, CannotChange)

    # --- time ---

    @rule(name=NAMES, disabled=st.booleans())
    def account_is_disabled_or_not(self, name: str, disabled: bool) -> None:
        with self.database.write() as session:
            session.get_one(Staff, self.staff[name]).disabled = disabled
        (self.disabled.add if disabled else self.disabled.discard)(name)

    @rule(passes=st.sampled_from([timedelta(minutes=11), timedelta(hours=1), GONE_FOR_A_DAY]))
    def time_passes(self, passes: timedelta) -> None:
        """Sessions of browsers and of the engine run out, prompts expire, colleagues go home."""
        self.now += passes

    @rule()
    def what_is_due_is_done(self) -> None:
        with self.database.read() as session:
            said = [m.author for m in self._transcript(session) if m.author in ("staff", "student")]
            is_gone = self.holder is not None and self._is_gone(session)
        tend(self.database, OFFICE, lambda _conversation_id: None, self._tick(), "http://desk.test")
        with self.database.read() as session:
            conversation = session.get_one(Conversation, self.talk)
            until = conversation.snoozed_until
            assert until is None or until > self.now
            if self.holder is not None and conversation.control == Control.WAITING:
                # Only the words of a student whose colleague is gone bring a conversation back by themselves.
                assert (is_gone, said[-1:]) == (True, ["student"])
                self.holder = None
            elif self.holder in self.disabled and until is None:
                assert said[-1:] != ["student"]

    def _is_gone(self, session) -> bool:
        conversation = session.get_one(Conversation, self.talk)
        return is_absent(session, replace(OFFICE, hours=None), conversation, self.now + timedelta(seconds=1))

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
            assert {m.seq: m.text for m in messages if m.author == "staff"} == self.replied

    @invariant()
    def every_file_is_there_once_with_its_message(self) -> None:
        if not hasattr(self, "talk"):
            return
        query = select(Message.seq, Attachment.name, Attachment.content, Attachment.state)
        query = query.join(Message, Message.id == Attachment.message_id).order_by(Attachment.id)
        with self.database.read() as session:
            found = [tuple(row) for row in session.execute(query)]
        assert found == [(seq, name, name.encode(), "kept") for seq, name in self.files]

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
        told: str | None = None
        with self.database.read() as session:
            for message in self._transcript(session):
                if message.author == "system":
                    name = message.text.removeprefix("You are now talking to ").removesuffix(".")
                    told = name if message.text.startswith("You are now talking to") else None
                assert not (told is not None and message.author == "bot")
                assert message.author != "staff" or message.author_name == told
            conversation = session.get_one(Conversation, self.talk)
            holder = None if conversation.assignee_id is None else session.get_one(Staff, conversation.assignee_id).name
        # The student was told who it is at each border, and who it is is who the machine saw win.
        assert told == holder == self.holder
        assert (conversation.control == Control.STAFF) == (holder is not None)
        assert (conversation.control == Control.WAITING) == (conversation.waiting_since is not None)

    @invariant()
    def effects_happen_once(self) -> None:
        if not hasattr(self, "talk"):
            return
        with self.database.read() as session:
            open_cases = session.scalars(select(Case).where(Case.closed_at.is_(None))).all()
            control = session.get_one(Conversation, self.talk).control
            assert len(open_cases) == (1 if control in (Control.WAITING, Control.STAFF) else 0)

    @invariant()
    def a_student_gets_one_mail_at_most_for_what_they_wrote(self) -> None:
        if not hasattr(self, "talk"):
            return
        with self.database.read() as session:
            answered = OutboxEntry.key.startswith(f"answered:{self.talk}")
            mails = session.scalar(select(func.count()).select_from(OutboxEntry).where(answered))
            # One more: a colleague may be the first to write.
            assert mails <= 1 + len(self.sent)

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
    # The same ones each time; the proof asks for others by `--hypothesis-seed`, to run parts of it side by side.
    derandomize="ACCUEIL_STATE_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
