"""Whatever people and the clock do, in any order: one open pairing each, no capacity exceeded, nothing told twice or
too early.
"""

from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from bot.buddies.models import OPEN, BuddyPairing, BuddyProfile, BuddyRole
from bot.buddies.pairing import CannotPair, propose, rematch
from bot.conversations.models import Message, OutboxEntry
from bot.db.session import Database
from bot.privacy.erase import erase
from bot.privacy.reach import person_of_student
from bot.students.models import Student
from tests.conftest import empty_tables
from tests.integration.buddies.cast import WEIGHTS, do, person, run, talk_of

START = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
KEY = b"0" * 32
MOST_PEOPLE = 7


class Buddies(RuleBasedStateMachine):
    database: Database
    """Without a row when a run of the machine begins."""

    def __init__(self) -> None:
        super().__init__()
        empty_tables(self.database)
        self.now = START
        self.people = 0
        self.talks: dict[int, UUID | None] = {}
        self.both_said_yes: set[tuple[int, int]] = set()
        """(reader, whose contact may be known)"""
        self.number_of: dict[int, int] = {}
        self.local: set[int] = set()

    def _here(self, number: int) -> int | None:
        here = sorted(self.talks)
        return here[number % len(here)] if here else None

    @initialize(capacity=st.integers(1, 2))
    def a_buddy_and_two_newcomers(self, capacity: int) -> None:
        for is_local in (True, False, False):
            self.sign_up(is_local, capacity, True, True)

    @precondition(lambda self: self.people < MOST_PEOPLE)
    @rule(is_local=st.booleans(), capacity=st.integers(1, 3), has_talk=st.booleans(), speaks_french=st.booleans())
    def sign_up(self, is_local: bool, capacity: int, has_talk: bool, speaks_french: bool) -> None:
        self.people += 1
        with self.database.write() as session:
            student = person(
                session,
                self.now,
                f"Person{self.people}",
                is_local=is_local,
                capacity=capacity if is_local else 1,
                languages=["en", "fr"] if speaks_french else ["en"],
                contact={"mail": True, "other": f"secret-of-{self.people}-"},
            )
            self.talks[student.id] = talk_of(session, student, self.now) if has_talk else None
            self.number_of[student.id] = self.people
            self.local = self.local | {student.id} if is_local else self.local - {student.id}
            # The number of somebody erased may come back; whom they trusted does not.
            self.both_said_yes = {pair for pair in self.both_said_yes if student.id not in pair}

    @rule()
    def match_whoever_waits(self) -> None:
        with self.database.write() as session:
            for student_id in sorted(self.talks):
                rematch(session, student_id, self.now, WEIGHTS)

    @rule(number=st.integers(0, 20))
    def propose_one_buddy_to_everybody(self, number: int) -> None:
        """As a coordinator may, who does not know how many places are free."""
        buddies = sorted(self.talks.keys() & self.local)
        for newcomer in sorted(self.talks.keys() - self.local) if buddies else ():
            with self.database.write() as session, suppress(CannotPair):
                propose(session, newcomer, buddies[number % len(buddies)], 0.5, [], self.now, send_at=self.now)

    @rule(number=st.integers(0, 20), effect=st.sampled_from(["buddy_yes", "buddy_no", "buddy_why_not", "buddy"]))
    def press_a_button_of_any_pairing(self, number: int, effect: str) -> None:
        with self.database.read() as session:
            pairings = session.scalars(select(BuddyPairing).order_by(BuddyPairing.id)).all()
        if not pairings:
            return
        pairing = pairings[number % len(pairings)]
        for student_id in (pairing.newcomer_id, pairing.buddy_id)[:: 1 if number % 2 else -1][:1]:
            self._press(student_id, effect, {"pairing": pairing.id, "reason": "time"})

    @rule(number=st.integers(0, 20))
    def everybody_asked_says_yes(self, number: int) -> None:
        with self.database.read() as session:
            pairings = session.scalars(select(BuddyPairing).where(BuddyPairing.state == "proposed")).all()
        for pairing in pairings[: number % 3 + 1]:
            self._press(pairing.newcomer_id, "buddy_yes", {"pairing": pairing.id})
            self._press(pairing.buddy_id, "buddy_yes", {"pairing": pairing.id})

    @rule(number=st.integers(0, 20), answer=st.sampled_from(["great", "not_yet", "trouble"]))
    def say_how_it_goes(self, number: int, answer: str) -> None:
        student_id = self._here(number)
        for day in (3, 14, 45):
            if student_id is not None:
                self._press(student_id, "buddy_how", {"pairing": number + 1, "day": day, "answer": answer})

    @rule(number=st.integers(0, 20), effect=st.sampled_from(["buddy_really_withdraw", "buddy_pause", "buddy_resume"]))
    def withdraw_or_pause(self, number: int, effect: str) -> None:
        student_id = self._here(number)
        if student_id is not None:
            self._press(student_id, effect, {})

    @rule(number=st.integers(0, 20))
    def leave_the_school(self, number: int) -> None:
        student_id = self._here(number)
        if student_id is not None:
            with self.database.write() as session:
                session.get_one(Student, student_id).left_on = self.now.date()

    @rule(number=st.integers(0, 20))
    def be_erased(self, number: int) -> None:
        student_id = self._here(number)
        if student_id is not None:
            with self.database.write() as session:
                student = session.get_one(Student, student_id)
                erase(session, person_of_student(session, student), self.now, key=KEY)
            del self.talks[student_id]

    @rule(hours=st.sampled_from([1, 12, 24, 48, 72, 240]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        run(self.database, self.now)

    @rule()
    def tend_twice(self) -> None:
        run(self.database, self.now)
        run(self.database, self.now)
        # Nothing is left to be said: the third run has nothing to do.
        assert run(self.database, self.now) == 0

    def _press(self, student_id: int, effect: str, values: dict[str, object]) -> None:
        talk = self.talks.get(student_id)
        if talk is not None:
            do(self.database, talk, effect, dict(values), self.now)

    @invariant()
    def holds(self) -> None:
        with self.database.read() as session:
            open_ones = session.scalars(select(BuddyPairing).where(BuddyPairing.state.in_(OPEN))).all()
            profiles = {each.student_id: each for each in session.scalars(select(BuddyProfile))}
            for pairing in session.scalars(select(BuddyPairing).where(BuddyPairing.accepted_at.is_not(None))):
                pair = (pairing.newcomer_id, pairing.buddy_id)
                assert pairing.newcomer_said == pairing.buddy_said == "yes"
                self.both_said_yes |= {pair, pair[::-1]}
            heard = {
                student_id: [
                    message
                    for message in session.scalars(select(Message).where(Message.conversation_id == talk))
                    if message.author == "bot"
                ]
                for student_id, talk in self.talks.items()
                if talk is not None
            }
            mails = session.scalars(select(OutboxEntry)).all()
            addresses = {each.email: each.id for each in session.scalars(select(Student))}
        assert max(Counter(each.newcomer_id for each in open_ones).values(), default=0) <= 1
        for buddy_id, taken in Counter(each.buddy_id for each in open_ones).items():
            assert profiles[buddy_id].role == BuddyRole.BUDDY
            assert taken <= profiles[buddy_id].capacity
        texts = [(reader, message.text + str(message.buttons)) for reader, found in heard.items() for message in found]
        texts += [
            (addresses[mail.payload["to"]], mail.payload["text"])
            for mail in mails
            if mail.payload.get("to") in addresses
        ]
        for reader, text in texts:
            for other in self.talks:
                if other != reader and (reader, other) not in self.both_said_yes:
                    assert f"secret-of-{self.number_of[other]}-" not in text
                    assert f"person{self.number_of[other]}@" not in text
        for found in heard.values():
            self._is_told_once(found)

    def _is_told_once(self, messages: list[Message]) -> None:
        """Unasked: one proposal, one reminder of it, and one question per day."""
        days, asked, reminded = Counter[tuple[int, int]](), Counter[int](), Counter[int]()
        for message in messages:
            for button in message.buttons:
                values = button["payload"].get("values", {})
                if button["label"] == "Great":
                    days[values["pairing"], values["day"]] += 1
                if button["label"] == "Yes, gladly" and message.text.startswith("Hello"):
                    (reminded if "a short reminder" in message.text else asked)[values["pairing"]] += 1
        for counted in (days, asked, reminded):
            assert max(counted.values(), default=0) <= 1


def test_no_order_of_events_breaks_a_rule(database: Database):
    run_state_machine_as_test(
        type("BuddiesHere", (Buddies,), {"database": database}),
        settings=settings(
            phases=(Phase.explicit, Phase.generate),
            max_examples=25 if database.engine.dialect.name == "sqlite" else 8,
            stateful_step_count=20,
            derandomize=True,
            deadline=None,
            database=None,
        ),
    )
