"""Looks after every pair: asks, reminds, gives up, asks how it goes, and tells people what happened to their pair.

One transaction per person, in which everything is read again, said, and marked as said: a second worker or a crash in
between finds either all of it or nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.buddies.matching import Weights
from bot.buddies.models import (
    OPEN,
    AlertReason,
    BuddyAlert,
    BuddyCheckIn,
    BuddyPairing,
    BuddyProfile,
    BuddyRole,
    EndReason,
    PairingState,
    ProfileState,
)
from bot.buddies.notes import CHANNEL, NoteKind
from bot.buddies.pairing import (
    both,
    end_pairing,
    hold_pairs,
    leave,
    open_pairing_of,
    open_pairings_with,
    raise_alert,
    rematch,
)
from bot.buddies.profiles import profile_of
from bot.buddies.queries import newcomers_of, pair_of, position_of, silent_times
from bot.buddies.rules import (
    MOST_SILENT,
    check_in_due,
    is_given_up,
    is_silent,
    is_to_be_asked,
    is_to_be_reminded,
    side_of,
)
from bot.buddies.wording import accepted_note, check_in_note, lost_note, mail_of, over_note, proposal_note, what_comes
from bot.clock import day_in_france
from bot.conversations.models import OutboxEntry
from bot.db.session import Database
from bot.errors import Unavailable
from bot.log import get_logger
from bot.reminders.queries import has_left
from bot.reminders.rules import is_quiet
from bot.reminders.telling import MAIL, Busy, Words, channel_to, queue_mail, say_in_chat
from bot.reminders.wording import Note
from bot.students.models import Student

log = get_logger(__name__)


@dataclass(frozen=True)
class Content:
    """By what a re-match goes, and the address of the chat for mails."""

    weights: Weights
    address: str


def tend(database: Database, content: Content, now: datetime) -> int:
    """Do everything that is due now; returns how many messages went out. Safe beside other workers.

    Raises:
        Unavailable: the database cannot be reached; the next run goes on from there.
    """
    with database.read() as session:
        waiting = _due(session, now)
    sent = 0
    for student_id in waiting:
        try:
            with database.write() as session:
                said = tend_student(session, content, student_id, now)
        except Unavailable:
            raise
        except Busy:
            log.info("buddies_later", student_id=student_id)
            continue
        except Exception:
            # One record that nobody foresaw must not keep all others waiting.
            log.exception("buddies_failed", student_id=student_id)
            continue
        # Only now: what a transaction did not commit was not sent.
        sent += said
    return sent


def tend_student(session: Session, content: Content, student_id: int, now: datetime) -> int:
    """Everything that is due for one person, in this transaction; returns how many messages that makes.

    A record that somebody else is writing to is left for the next run.

    Raises:
        Busy: the conversation is being written to; undo everything and come back later.
    """
    hold_pairs(session)
    student = session.scalar(
        select(Student)
        .where(Student.id == student_id)
        .with_for_update(skip_locked=True, of=Student)
        .execution_options(populate_existing=True)
    )
    if student is None:
        return 0
    turn = _Turn(session, content, student, now)
    turn.settle()
    if is_quiet(now):
        return 0
    turn.speak()
    return turn.sent


@dataclass
class _Turn:
    """One person in one transaction."""

    session: Session
    content: Content
    student: Student
    now: datetime
    sent: int = 0

    # What happens whether or not anybody may be told now

    def settle(self) -> None:
        profile = self._profile
        if profile is not None and has_left(self.student, day_in_france(self.now)):
            if profile.state != ProfileState.WITHDRAWN:
                leave(self.session, profile, self.now, self.content.weights)
            return
        for pairing in open_pairings_with(self.session, self.student.id):
            if is_given_up(pairing, self.student.id, self.now):
                self._give_up(pairing)
        for check_in in self._check_ins():
            if is_silent(check_in, self.now) and not self._is_known_as_silent(check_in):
                raise_alert(
                    self.session, self.student.id, AlertReason.SILENCE, self.now, pairing_id=check_in.pairing_id
                )

    def _give_up(self, pairing: BuddyPairing) -> None:
        """Whoever let it lapse makes room: a buddy at once, a newcomer after the second time."""
        silent = [each for each in both(pairing) if not side_of(pairing, each).has_answered]
        end_pairing(self.session, pairing, EndReason.NO_ANSWER, self.now)
        for student_id in silent:
            profile = profile_of(self.session, student_id)
            if profile is None or profile.state != ProfileState.SIGNED_UP:
                continue
            times = silent_times(self.session, student_id, profile.updated_at)
            if profile.role == BuddyRole.BUDDY or times >= MOST_SILENT:
                profile.state = ProfileState.PAUSED
                raise_alert(self.session, student_id, AlertReason.SILENCE, self.now)
        self.session.flush()
        rematch(self.session, pairing.newcomer_id, self.now, self.content.weights)

    def _check_ins(self) -> Sequence[BuddyCheckIn]:
        return self.session.scalars(
            select(BuddyCheckIn)
            .join(BuddyPairing, BuddyPairing.id == BuddyCheckIn.pairing_id)
            .where(BuddyCheckIn.student_id == self.student.id, BuddyPairing.state == PairingState.ACCEPTED)
            .order_by(BuddyCheckIn.id)
        ).all()

    def _is_known_as_silent(self, check_in: BuddyCheckIn) -> bool:
        """Said once for each question, also when the office has settled it since."""
        found = select(BuddyAlert.id).where(
            BuddyAlert.student_id == self.student.id,
            BuddyAlert.pairing_id == check_in.pairing_id,
            BuddyAlert.reason == AlertReason.SILENCE,
            BuddyAlert.raised_at > check_in.asked_at,
        )
        return self.session.scalar(found.limit(1)) is not None

    # What is said

    def speak(self) -> None:
        """What is over first, then what is new."""
        self._tell_notes()
        for pairing in open_pairings_with(self.session, self.student.id):
            if is_to_be_asked(pairing, self.student.id, self.now):
                self._ask(pairing)
            elif is_to_be_reminded(pairing, self.student.id, self.now):
                self._remind(pairing)
            self._check_in(pairing)

    def _tell_notes(self) -> None:
        for row in queued_for(self.session, self.student.id):
            kind, pairing = NoteKind(row.payload["kind"]), self.session.get(BuddyPairing, row.payload["pairing_id"])
            # A pair that is over again since, or whose other was erased: the note of that says it.
            if kind is NoteKind.ACCEPTED and (pairing is None or pairing.state != PairingState.ACCEPTED):
                pass
            elif pairing is not None:
                self._send(row.key, partial(self._note, kind, pairing))
            else:
                self._tell_lost(row.key)
            self.session.delete(row)
            self.session.flush()

    def _note(self, kind: NoteKind, pairing: BuddyPairing, language: str) -> Note:
        pair = pair_of(self.session, pairing, self.student)
        if kind is NoteKind.ACCEPTED:
            return accepted_note(pair, newcomers_of(self.session, pairing.buddy_id), language)
        return over_note(kind, pair, language, next_step=self._what_comes(language))

    def _tell_lost(self, key: str) -> None:
        """The other was erased, and the pairing with them: there is nobody left to name."""
        rematch(self.session, self.student.id, self.now, self.content.weights)
        self._send(key, lambda language: lost_note(self._profile, language, next_step=self._what_comes(language)))

    def _what_comes(self, language: str) -> str:
        has_next = open_pairing_of(self.session, self.student.id) is not None
        position = position_of(self.session, self.student.id, self.now)
        return what_comes(self._profile, language, has_next=has_next, position=position)

    def _ask(self, pairing: BuddyPairing) -> None:
        self._propose(pairing, again=False)
        if self.student.id == pairing.newcomer_id:
            pairing.newcomer_asked_at = self.now
        else:
            pairing.buddy_asked_at = self.now
        pairing.state = PairingState.PROPOSED
        self.session.flush()

    def _remind(self, pairing: BuddyPairing) -> None:
        self._propose(pairing, again=True)
        if self.student.id == pairing.newcomer_id:
            pairing.newcomer_reminded_at = self.now
        else:
            pairing.buddy_reminded_at = self.now
        self.session.flush()

    def _propose(self, pairing: BuddyPairing, *, again: bool) -> None:
        pair = pair_of(self.session, pairing, self.student)
        others = newcomers_of(self.session, self.student.id, but=pairing.id)
        what = "again" if again else "proposal"
        self._send(
            f"buddy:{what}:{pairing.id}:{self.student.id}",
            lambda language: proposal_note(pair, others, language, again=again),
        )

    def _check_in(self, pairing: BuddyPairing) -> None:
        asked = {each.day: each for each in self._check_ins() if each.pairing_id == pairing.id}
        day = check_in_due(pairing, asked, self.now)
        if day is None:
            return
        pair = pair_of(self.session, pairing, self.student)
        key = f"buddy:day{day}:{pairing.id}:{self.student.id}"
        self._send(key, lambda language: check_in_note(pair, day, language))
        self.session.add(BuddyCheckIn(pairing_id=pairing.id, student_id=self.student.id, day=day, asked_at=self.now))
        self.session.flush()

    def _send(self, key: str, words: Words) -> None:
        channel, talk = channel_to(self.session, self.student.id, self.now)
        if channel != MAIL and talk is not None:
            say_in_chat(self.session, self.student.id, talk.conversation, words, self.now)
        else:
            language = self.student.language
            content = mail_of(words(language), language, self.content.address)
            queue_mail(self.session, self.student, content, kind="reminder", key=f"{key}:mail", talk=talk, now=self.now)
        self.sent += 1

    @property
    def _profile(self) -> BuddyProfile | None:
        return profile_of(self.session, self.student.id)


def queued_for(session: Session, student_id: int) -> Sequence[OutboxEntry]:
    rows = session.scalars(select(OutboxEntry).where(OutboxEntry.channel == CHANNEL).order_by(OutboxEntry.id))
    return [row for row in rows if row.payload["student_id"] == student_id]


def _due(session: Session, now: datetime) -> list[int]:
    """Everybody for whom something may be due, each once; it is decided in their own transaction."""
    return sorted({*_to_settle(session, now), *(() if is_quiet(now) else _to_tell(session, now))})


def _to_settle(session: Session, now: datetime) -> Iterator[int]:
    today = day_in_france(now)
    yield from session.scalars(
        select(BuddyProfile.student_id)
        .join(Student)
        .where(BuddyProfile.state != ProfileState.WITHDRAWN, Student.left_on <= today)
    )
    for pairing in _open_pairings(session):
        yield from (each for each in both(pairing) if is_given_up(pairing, each, now))
    unanswered = session.scalars(
        select(BuddyCheckIn)
        .join(BuddyPairing, BuddyPairing.id == BuddyCheckIn.pairing_id)
        .where(BuddyCheckIn.answer.is_(None), BuddyPairing.state == PairingState.ACCEPTED)
    )
    known = {
        (alert.student_id, alert.pairing_id): alert.raised_at
        for alert in session.scalars(
            select(BuddyAlert).where(BuddyAlert.reason == AlertReason.SILENCE).order_by(BuddyAlert.raised_at)
        )
    }
    for check_in in unanswered:
        raised_at = known.get((check_in.student_id, check_in.pairing_id))
        if is_silent(check_in, now) and (raised_at is None or raised_at <= check_in.asked_at):
            yield check_in.student_id


def _to_tell(session: Session, now: datetime) -> Iterator[int]:
    rows = session.scalars(select(OutboxEntry.payload).where(OutboxEntry.channel == CHANNEL))
    yield from (payload["student_id"] for payload in rows)
    pairings = _open_pairings(session)
    asked: dict[tuple[int, int], dict[int, BuddyCheckIn]] = {}
    for check_in in session.scalars(select(BuddyCheckIn)):
        asked.setdefault((check_in.pairing_id, check_in.student_id), {})[check_in.day] = check_in
    for pairing in pairings:
        for student_id in both(pairing):
            if (
                is_to_be_asked(pairing, student_id, now)
                or is_to_be_reminded(pairing, student_id, now)
                or check_in_due(pairing, asked.get((pairing.id, student_id), {}), now) is not None
            ):
                yield student_id


def _open_pairings(session: Session) -> Sequence[BuddyPairing]:
    return session.scalars(select(BuddyPairing).where(BuddyPairing.state.in_(OPEN)).order_by(BuddyPairing.id)).all()
