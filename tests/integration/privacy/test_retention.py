"""The purge with a moved clock: of every class, the day before it stays and the day after it goes."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from dateutil.relativedelta import relativedelta
from sqlalchemy import func, select

from bot.bookings.models import Booking, BookingState, Meeting, Offer, OfferKind
from bot.clock import day_in_france
from bot.conversations.models import ChannelUpdate, Conversation, Message, OutboxEntry
from bot.courses.models import CertificateRequest
from bot.identity.models import (
    AccessToken,
    AuditEntry,
    ChannelJoin,
    Erasure,
    JoinState,
    LinkCode,
    PushBrowser,
    SignInAttempt,
    StaffPass,
    StaffSession,
)
from bot.privacy import retention
from bot.privacy.erase import erase
from bot.privacy.reach import person_of_student
from bot.privacy.retention import BY_NAME, RULES, purge
from bot.privacy.traces import finish_erasures
from bot.reminders.models import Reminder, ReminderState
from bot.replies.models import CannedReply
from bot.students.models import FactChange, FactRequest, Student
from bot.tables import METADATA
from bot.upkeep.models import PhraseAssignment
from tests.factories import make_conversation, make_staff, make_student, receive, transcript

DAY = timedelta(days=1)


def offer(session, now: datetime) -> Offer:
    made = Offer(kind=OfferKind.EVENT, code=str(uuid4()), title={"en": "Picnic"}, created_at=now, updated_at=now)
    made.meetings = [Meeting(starts_at=now - timedelta(hours=1), ends_at=now)]
    session.add(made)
    session.flush()
    return made


def leaver(session, now):
    student = make_student(session, now)
    student.left_on = day_in_france(now)
    return student


def linked_conversation(session, now):
    conversation = make_conversation(session, now)
    conversation.student_id = make_student(session, now).id
    return conversation


def erased_conversation(session, now):
    conversation = make_conversation(session, now)
    conversation.student_id = make_student(session, now).id
    session.flush()
    student = session.get_one(Student, conversation.student_id)
    erase(session, person_of_student(session, student), now, key=bytes(32))
    return conversation


def link_code(session, now):
    return LinkCode(
        conversation_id=make_conversation(session, now).id, code_hash="h", created_at=now, expires_at=now, tries=0
    )


def channel_join(session, now):
    conversation = make_conversation(session, now).id
    return ChannelJoin(
        conversation_id=conversation, channel="telegram", token_hash="h", created_at=now - DAY, expires_at=now
    )


def reminder(session, now):
    return Reminder(
        student_id=make_student(session, now).id,
        kind="step",
        subject="cvec",
        day=day_in_france(now),
        due_at=now,
        state=ReminderState.SENT,
    )


def fact_change(session, now):
    return FactChange(student_id=make_student(session, now).id, fact="campus", origin="school", changed_at=now)


def fact_request(session, now):
    student = make_student(session, now).id
    return FactRequest(student_id=student, fact="campus", state="refused", asked_at=now - DAY, decided_at=now)


def booking(session, now):
    return Booking(
        offer_id=offer(session, now).id,
        student_id=make_student(session, now).id,
        state=BookingState.BOOKED,
        created_at=now - 9 * DAY,
        changed_at=now - 9 * DAY,
    )


def certificate_request(session, now):
    student = make_student(session, now).id
    return CertificateRequest(student_id=student, offer_id=offer(session, now).id, asked_at=now - DAY, done_at=now)


def canned_reply(_session, now):
    return CannedReply(shortcut="hello", name="Hello", texts={"en": "Hello"}, updated_at=now, deleted_at=now)


def staff_session(session, now):
    return StaffSession(
        staff_id=make_staff(session, now).id,
        token_hash="h",
        csrf_token="c",
        created_at=now - DAY,
        seen_at=now - DAY,
        expires_at=now,
    )


def push_browser(session, now):
    return PushBrowser(
        staff_id=make_staff(session, now).id,
        endpoint="https://push.test/1",
        endpoint_hash="h",
        p256dh="k",
        auth="a",
        browser="Firefox, Windows",
        created_at=now - DAY,
        reached_at=now,
    )


MADE = {
    "leavers": leaver,
    "linked_conversations": linked_conversation,
    "unlinked_conversations": lambda session, now: make_conversation(session, now),
    "erased_conversations": erased_conversation,
    "link_codes": link_code,
    "channel_joins": channel_join,
    "channel_updates": lambda _session, now: ChannelUpdate(
        channel="telegram:1", number=1, received_at=now - DAY, done_at=now
    ),
    "sign_in_attempts": lambda _session, now: SignInAttempt(key="link:h", at=now),
    "outbox": lambda _session, now: OutboxEntry(channel="mail", key="k", payload={}, next_at=now),
    "access_tokens": lambda _session, now: AccessToken(
        purpose="export", token_hash="h", created_at=now, expires_at=now
    ),
    "reminders": reminder,
    "fact_changes": fact_change,
    "fact_requests": fact_request,
    "bookings": booking,
    "certificate_requests": certificate_request,
    "phrase_assignments": lambda _session, now: PhraseAssignment(label="ask/cvec", phrases=[], is_written=True, at=now),
    "staff_sessions": staff_session,
    "push_browsers": push_browser,
    "staff_passes": lambda session, now: StaffPass(
        staff_id=make_staff(session, now).id, purpose="reset", token_hash="h", created_at=now - DAY, expires_at=now
    ),
    "canned_replies": canned_reply,
    "audit_log": lambda _session, now: AuditEntry(id=100, at=now, action="claim", details={}),
    "erasures": lambda _session, now: Erasure(address_hash="h", erased_at=now, senders=[]),
}
"""A row of each class whose time begins now."""


def test_every_class_is_tried() -> None:
    assert list(MADE) == [rule.name for rule in RULES]


@pytest.mark.parametrize("name", list(MADE))
def test_the_day_before_it_stays_and_the_day_after_it_goes(database, now, name):
    with database.write() as session:
        row = MADE[name](session, now)
        session.add(row)
        session.flush()
        table, row_id = type(row), row.id
    over = now + BY_NAME[name].kept

    def is_there() -> bool:
        with database.read() as session:
            return session.get(table, row_id) is not None

    before = purge(database, over - DAY)
    kept = is_there()
    after = purge(database, over + DAY)

    assert (before[name], kept) == (0, True)
    assert (after[name], is_there()) == (1, False)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("leavers", relativedelta(months=12)),
        ("linked_conversations", relativedelta(months=13)),
        ("unlinked_conversations", relativedelta(days=90)),
        ("erased_conversations", relativedelta(days=7)),
        ("audit_log", relativedelta(months=24)),
        ("erasures", relativedelta(months=36)),
    ],
)
def test_it_is_kept_as_long_as_was_decided(name, kept):
    assert BY_NAME[name].kept == kept


def test_a_message_begins_the_time_of_a_conversation_anew(database, now):
    with database.write() as session:
        talk = make_conversation(session, now).id
        receive(session, talk, "still here", now + 80 * DAY)

    assert purge(database, now + 91 * DAY)["unlinked_conversations"] == 0
    assert purge(database, now + 171 * DAY)["unlinked_conversations"] == 1


def test_an_erased_conversation_that_is_used_again_is_kept_like_any_other(database, now):
    with database.write() as session:
        talk = erased_conversation(session, now).id
    with database.write() as session:
        receive(session, talk, "one more question", now + DAY)

    assert purge(database, now + 30 * DAY)["erased_conversations"] == 0
    assert purge(database, now + 92 * DAY)["unlinked_conversations"] == 1


def test_what_is_still_needed_stays_however_old(database, now):
    with database.write() as session:
        student = make_student(session, now).id
        session.add(Reminder(student_id=student, kind="step", subject="cvec", day=day_in_france(now), due_at=now))
        session.add(FactRequest(student_id=student, fact="campus", asked_at=now))
        session.add(AccessToken(purpose="calendar", token_hash="h", student_id=student, created_at=now))
        session.add(Erasure(address_hash="h", erased_at=now, senders=["a-conversation"]))
        session.add(ChannelUpdate(channel="telegram:1", number=1, payload={}, received_at=now))

    counted = purge(database, now + relativedelta(years=5))

    assert {name: count for name, count in counted.items() if count} == {}


def test_a_chat_that_has_joined_stays_joined_until_it_leaves(database, now):
    with database.write() as session:
        join = channel_join(session, now)
        join.state = JoinState.JOINED
        session.add(join)
    assert purge(database, now + 80 * DAY)["channel_joins"] == 0

    with database.write() as session:
        session.scalars(select(ChannelJoin)).one().ended_at = now + 80 * DAY

    assert purge(database, now + 82 * DAY)["channel_joins"] == 1


def test_a_leaver_goes_with_everything_and_the_conversation_becomes_an_unlinked_one(database, zoe, now):
    with database.write() as session:
        session.get_one(Student, zoe.student_id).left_on = day_in_france(now)
        receive(session, zoe.conversations[0], "goodbye", now + relativedelta(months=11))
    later = now + relativedelta(months=12, days=1)

    counted = purge(database, later)

    assert (counted["leavers"], counted["unlinked_conversations"]) == (1, 1)
    with database.read() as session:
        left = {
            table.name: session.scalar(select(func.count()).select_from(table))
            for table in METADATA.sorted_tables
            if "student_id" in table.columns and table.name != "conversations"
        }
        assert {name: count for name, count in left.items() if count} == {}
        (kept,) = session.scalars(select(Conversation)).all()
        assert (kept.id, kept.student_id) == (zoe.conversations[0], None)
        assert transcript(session, kept.id)[-1] == ("student", "goodbye")
        # Whoever comes back is welcome: a leaver is not kept away.
        assert session.scalars(select(Erasure.address_hash)).all() == [None]


def test_the_events_of_the_engine_go_with_the_conversations(database, settings, now):
    import sqlite3
    from contextlib import closing

    with database.write() as session:
        old, new = make_conversation(session, now).id, make_conversation(session, now + 50 * DAY).id
    with closing(sqlite3.connect(settings.tracker_database)) as tracker, tracker:
        tracker.execute("CREATE TABLE events (sender_id TEXT)")
        tracker.executemany("INSERT INTO events VALUES (?)", [(str(old),), (str(new),)])

    purge(database, now + 91 * DAY)
    finish_erasures(database, settings, now + 91 * DAY)

    with closing(sqlite3.connect(settings.tracker_database)) as tracker:
        assert tracker.execute("SELECT sender_id FROM events").fetchall() == [(str(new),)]


def test_it_works_in_batches(database, now, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 3)
    with database.write() as session:
        session.add_all(SignInAttempt(key=f"link:{number}", at=now) for number in range(10))

    assert purge(database, now + 2 * DAY)["sign_in_attempts"] == 10
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(SignInAttempt)) == 0


def test_a_dry_run_counts_the_same_and_deletes_nothing(database, zoe, now):
    with database.write() as session:
        session.get_one(Student, zoe.student_id).left_on = day_in_france(now)
    later = now + relativedelta(years=3)

    counted = purge(database, later, dry_run=True)
    with database.read() as session:
        left = session.scalar(select(func.count()).select_from(Message))

    assert left == 1
    assert counted == purge(database, later)
    assert {name for name, count in counted.items() if count} >= {"leavers", "unlinked_conversations"}
