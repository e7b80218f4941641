"""Erasing a person reaches every table and every file; nobody else loses anything."""

import mailbox
import os
import sqlite3
from contextlib import closing
from datetime import timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import JSON, String, cast, func, select

from bot.assistant.turn import Outcome, Superseded, commit, load
from bot.bookings.models import Booking, BookingState
from bot.conversations.models import Conversation, Message, OutboxEntry
from bot.conversations.service import receive_message
from bot.db.base import Erasing
from bot.errors import NotFound
from bot.handoff.service import claim
from bot.identity.audit import record, verify
from bot.identity.erasures import address_hash, erased_among, erasure_key
from bot.identity.linking import address_key
from bot.identity.models import AuditEntry, Erasure, SignInAttempt
from bot.privacy.erase import NO_CONVERSATION, SETTLING, erase
from bot.privacy.reach import person_of_conversation, person_of_student
from bot.privacy.traces import finish_erasures
from bot.students.models import Student
from bot.tables import METADATA
from tests.factories import incoming, make_conversation, make_staff, make_student, receive, transcript
from tests.fakes import TALK, plain_answer
from tests.integration.privacy.people import FIXED

NOTICE = "Erased at the student's request: what was said here and everything that was kept with it is gone."


def erase_student(database, settings, student_id, now):
    with database.write() as session:
        person = person_of_student(session, session.get_one(Student, student_id))
        return erase(session, person, now, key=erasure_key(settings.data))


def erase_conversation(database, settings, conversation_id, now):
    with database.write() as session:
        person = person_of_conversation(session, session.get_one(Conversation, conversation_id))
        return erase(session, person, now, key=erasure_key(settings.data))


def rows_with(session, words: str) -> set[str]:
    """Tables in which a column holds the words."""
    return {
        table.name
        for table in METADATA.sorted_tables
        for column in table.columns
        if session.scalar(
            select(func.count()).select_from(table).where(func.lower(cast(column, String)).contains(words.lower()))
        )
    }


OWNERS = ("student_id", "newcomer_id", "buddy_id")


def everything_of(session, someone) -> dict[str, list[tuple]]:
    """All rows of all tables that hold the marker, or point at the person or at such a row."""
    found = {}
    for table in METADATA.sorted_tables:
        rows = [tuple(map(str, row)) for row in session.execute(select(table).order_by(*table.primary_key.columns))]
        names = [column.name for column in table.columns]
        ids = {str(each) for each in someone.conversations}
        above = {
            names.index(column.name): {row[0] for row in found[key.column.table.name]}
            for column in table.columns
            for key in column.foreign_keys
            if key.column.table.info["erasing"] is Erasing.DELETE_ROWS and key.column.table is not table
        }
        found[table.name] = [
            row
            for row in rows
            if any(someone.marker in value for value in row)
            or ids & set(row)
            or str(someone.student_id) in {row[names.index(each)] for each in OWNERS if each in names}
            or any(row[place] in numbers for place, numbers in above.items())
        ]
    return found


def pointing_at(session, table, someone) -> int:
    """Rows with a foreign key to the student or to one of the conversations."""
    total = 0
    for column in table.columns:
        for key in column.foreign_keys:
            if key.column.table.name == "students":
                wanted = column == someone.student_id
            elif key.column.table.name == "conversations":
                wanted = column.in_(someone.conversations)
            else:
                continue
            total += session.scalar(select(func.count()).select_from(table).where(wanted))
    return total


def put_traces(settings, someone, sent_at) -> None:
    """In the engine's database, the mailbox, the logs and the lists that wait for a confirmation."""
    with closing(sqlite3.connect(settings.tracker_database)) as tracker, tracker:
        tracker.execute("CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, sender_id TEXT, data TEXT)")
        for conversation_id in someone.conversations:
            tracker.executemany(
                "INSERT INTO events (sender_id, data) VALUES (?, ?)",
                [(str(conversation_id), f"{someone.marker} " * 300) for _ in range(40)],
            )
    mail = EmailMessage()
    mail["To"] = f"Given-{someone.marker} <{someone.email.upper()}>"
    mail.set_content(someone.marker)
    mailbox.Maildir(settings.data / "mailbox").add(mail)
    (settings.data / "logs").mkdir(exist_ok=True)
    with (settings.data / "logs" / "gateway.log").open("a") as log:
        log.write(f'{{"event": "unexpected", "who": "{someone.email}"}}\n')
    (settings.data / "uploads").mkdir(exist_ok=True)
    upload = settings.data / "uploads" / someone.marker[:1]
    upload.write_text(someone.marker)
    os.utime(upload, (sent_at.timestamp(), sent_at.timestamp()))


def files_with(folder, words: bytes) -> list[str]:
    return [
        str(file.relative_to(folder))
        for file in sorted(folder.rglob("*"))
        if file.is_file() and (words.lower() in file.read_bytes().lower() or words.decode() in file.name.lower())
    ]


def without_text(table) -> bool:
    """No column is free and long enough for the marker."""
    return not any(
        isinstance(column.type, JSON | String)
        and (getattr(column.type, "length", None) or 60) >= 6
        and f"{table.name}.{column.name}" not in FIXED
        for column in table.columns
    )


def test_a_row_of_each_table_belongs_to_the_student_and_every_text_holds_the_marker(database, zoe):
    personal = [table for table in METADATA.sorted_tables if table.info["erasing"] is Erasing.DELETE_ROWS]
    with database.read() as session:
        assert rows_with(session, zoe.marker) == {table.name for table in personal if not without_text(table)}
        assert {name for name, rows in everything_of(session, zoe).items() if rows} == {t.name for t in personal}


def test_nothing_is_left_of_an_erased_student_in_any_table_or_file(database, settings, zoe, yan, now, tmp_path):
    put_traces(settings, zoe, now - timedelta(minutes=5))
    put_traces(settings, yan, now + timedelta(seconds=1))
    with database.read() as session:
        before = everything_of(session, yan)

    erased = erase_student(database, settings, zoe.student_id, now)
    at_once = finish_erasures(database, settings, now)
    settled = finish_erasures(database, settings, now + SETTLING)

    personal = {table.name for table in METADATA.sorted_tables if table.info["erasing"] is Erasing.DELETE_ROWS}
    assert erased.rows.keys() == personal - {"conversations"}
    assert (at_once, settled) == (1, 0)
    with database.read() as session:
        reaching = {table.name: pointing_at(session, table, zoe) for table in METADATA.sorted_tables}
        # The last message of each conversation is all that is left.
        assert {name: count for name, count in reaching.items() if count} == {"messages": 2}
        assert [transcript(session, each) for each in zoe.conversations] == [[("system", NOTICE)]] * 2
        assert session.get(Student, zoe.student_id) is None
        assert rows_with(session, zoe.marker) == set()
        assert everything_of(session, yan) == before
    kept = files_with(settings.data, yan.marker.encode())
    mails = [file for file in kept if file.startswith("mailbox/new/")]
    assert len(mails) == 1
    # A list sent after the erasure waits for its confirmation; the import tells who was erased.
    assert set(kept) - set(mails) - {"test.db"} == {"logs/gateway.log", "rasa.db", "uploads/y"}
    with closing(sqlite3.connect(settings.tracker_database)) as tracker:
        senders = {sender for (sender,) in tracker.execute("SELECT sender_id FROM events")}
    assert senders == {str(each) for each in yan.conversations}
    assert files_with(tmp_path, zoe.marker.encode()) == []


# PostgreSQL has no file of ours.
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("size", [1, 60])
def test_words_of_many_messages_are_overwritten_in_the_file(database, settings, now, tmp_path, size):
    with database.write() as session:
        student = make_student(session, now, "Amina")
        talks = [make_conversation(session, now) for _ in range(3)]
        talks[0].student_id = student.id
        for number in range(400):
            for place, talk in enumerate(talks):
                receive(session, talk.id, f"words-of-{place} " * (1 + number % size), now + timedelta(seconds=number))
        student_id = student.id
    assert files_with(tmp_path, b"words-of-0") != []

    erase_student(database, settings, student_id, now)
    finish_erasures(database, settings, now)

    assert files_with(tmp_path, b"words-of-0") == []
    assert files_with(tmp_path, b"amina") == []
    assert files_with(tmp_path, b"words-of-1") == ["test.db"]


def test_the_address_is_kept_as_a_keyed_hash_alone(database, settings, zoe, now):
    erase_student(database, settings, zoe.student_id, now)

    key = erasure_key(settings.data)
    with database.read() as session:
        (erasure,) = session.scalars(select(Erasure)).all()
        assert erasure.address_hash == address_hash(key, zoe.email)
        assert erasure.senders == [str(each) for each in zoe.conversations]
        assert erased_among(session, key, [zoe.email, "other@student.junia.com"]) == {zoe.email: now}


def test_an_unlinked_conversation_erases_itself_alone(database, settings, yan, now):
    with database.write() as session:
        talk = make_conversation(session, now).id
        receive(session, talk, "a secret of mine", now)
    with database.read() as session:
        before = everything_of(session, yan)

    erased = erase_conversation(database, settings, talk, now)

    assert (erased.has_record, erased.conversations) == (False, (talk,))
    with database.read() as session:
        assert transcript(session, talk) == [("system", NOTICE)]
        assert rows_with(session, "a secret of mine") == set()
        assert everything_of(session, yan) == before
        assert session.scalars(select(Erasure.address_hash)).all() == [None]


def test_a_conversation_whose_link_was_removed_is_not_the_students_any_more(database, settings, now):
    with database.write() as session:
        student = make_student(session, now).id
        talk = make_conversation(session, now).id
        receive(session, talk, "before the link was removed", now)

    erase_student(database, settings, student, now)

    with database.read() as session:
        assert transcript(session, talk)[-1] == ("student", "before the link was removed")


def test_whoever_never_wrote_is_erased_as_well(database, settings, now):
    with database.write() as session:
        student = make_student(session, now).id

    erased = erase_student(database, settings, student, now)

    assert erased.conversations == ()
    with database.read() as session:
        assert session.scalars(select(Erasure.senders)).all() == [[NO_CONVERSATION]]
    assert finish_erasures(database, settings, now + SETTLING) == 0
    with database.read() as session:
        assert session.scalars(select(Erasure.senders)).all() == [[]]


def test_erasing_twice_finds_nothing_the_second_time(database, settings, zoe, now):
    erase_student(database, settings, zoe.student_id, now)

    again = erase_conversation(database, settings, zoe.conversations[0], now + timedelta(minutes=1))

    assert (again.has_record, again.rows) == (False, {"messages": 1})


def test_while_a_colleague_holds_the_conversation_it_is_closed_and_says_why(database, settings, now):
    with database.write() as session:
        student = make_student(session, now)
        conversation = make_conversation(session, now)
        conversation.student_id = student.id
        claim(session, conversation.id, make_staff(session, now), now)
        talk, student_id, version = conversation.id, student.id, conversation.version

    erase_student(database, settings, student_id, now)

    with database.read() as session:
        left = session.get_one(Conversation, talk)
        assert (left.control, left.assignee_id, left.student_id) == ("closed", None, None)
        assert left.version == version + 1
        assert transcript(session, talk) == [("system", NOTICE)]


def test_after_it_the_conversation_begins_anew(database, settings, zoe, now):
    talk = zoe.conversations[0]
    with database.read() as session:
        seq = session.get_one(Conversation, talk).last_seq
    erase_student(database, settings, zoe.student_id, now)

    with database.write() as session:
        received = receive(session, talk, "and now?", now + timedelta(minutes=1))

    assert received.message.seq == seq + 2
    with database.read() as session:
        assert session.get_one(Conversation, talk).control == "bot"


def test_a_turn_in_flight_is_void(database, settings, now):
    with database.write() as session:
        student = make_student(session, now)
        conversation = make_conversation(session, now)
        conversation.student_id = student.id
        talk, student_id = conversation.id, student.id
        receive_message(session, talk, incoming("a secret question", now), now)
    snapshot = load(database, talk)

    erase_student(database, settings, student_id, now)

    with pytest.raises(Superseded):
        commit(database, TALK, snapshot, Outcome(plain_answer("to the secret question"), "en"), now)
    assert load(database, talk) is None
    with database.read() as session:
        assert rows_with(session, "secret question") == set()


def test_events_that_the_engine_still_writes_are_deleted_until_all_is_settled(database, settings, zoe, now):
    def write() -> None:
        with closing(sqlite3.connect(settings.tracker_database)) as tracker, tracker:
            tracker.execute("CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, sender_id TEXT, data TEXT)")
            tracker.execute("INSERT INTO events (sender_id, data) VALUES (?, 'late')", (str(zoe.conversations[1]),))

    def events() -> int:
        with closing(sqlite3.connect(settings.tracker_database)) as tracker:
            return tracker.execute("SELECT count(*) FROM events").fetchone()[0]

    write()
    erase_student(database, settings, zoe.student_id, now)
    assert finish_erasures(database, settings, now) == 1
    write()
    late = events()
    assert finish_erasures(database, settings, now + SETTLING - timedelta(seconds=1)) == 1
    assert finish_erasures(database, settings, now + SETTLING) == 0

    assert (late, events()) == (1, 0)


def test_a_locked_engine_database_is_tried_again(database, settings, zoe, now):
    put_traces(settings, zoe, now)
    erase_student(database, settings, zoe.student_id, now)
    later = now + SETTLING
    with closing(sqlite3.connect(settings.tracker_database, isolation_level=None)) as busy:
        busy.execute("BEGIN EXCLUSIVE")
        assert finish_erasures(database, settings, later) == 1
        busy.execute("ROLLBACK")

    assert finish_erasures(database, settings, later) == 0


def test_a_mail_that_was_being_sent_is_removed_by_the_hash_of_its_address(database, settings, zoe, yan, now):
    erase_student(database, settings, zoe.student_id, now)
    finish_erasures(database, settings, now)
    put_traces(settings, zoe, now)
    put_traces(settings, yan, now)

    finish_erasures(database, settings, now + SETTLING)

    left = [mail["To"] for mail in mailbox.Maildir(settings.data / "mailbox")]
    assert left == [f"Given-{yan.marker} <{yan.email.upper()}>"]


def test_a_mail_that_was_being_queued_is_found_by_the_hash_of_its_address(database, settings, zoe, yan, now):
    erase_student(database, settings, zoe.student_id, now)
    with database.write() as session:
        for number, to in enumerate((zoe.email, yan.email)):
            session.add(OutboxEntry(channel="mail", key=f"late:{number}", payload={"to": to}, next_at=now))

    finish_erasures(database, settings, now + SETTLING)

    with database.read() as session:
        assert session.scalars(select(OutboxEntry.key).where(OutboxEntry.key.startswith("late"))).all() == ["late:1"]


def test_a_conversation_that_was_linked_at_the_last_moment_goes_too(database, settings, now):
    with database.write() as session:
        student = make_student(session, now)
        person = person_of_student(session, student)
        late = make_conversation(session, now)
        late.student_id = student.id
        late_id = late.id
        receive(session, late_id, "linked after the list was made", now)
        session.flush()

        erased = erase(session, person, now, key=erasure_key(settings.data))

    assert (person.conversations, erased.conversations) == ((), (late_id,))
    with database.read() as session:
        assert transcript(session, late_id) == [("system", NOTICE)]


def test_mails_without_a_conversation_and_attempts_go_as_well(database, settings, zoe, yan, now):
    with database.write() as session:
        for number, to in enumerate((zoe.email, yan.email)):
            payload = {"to": to, "kind": "note", "text": "hello"}
            session.add(OutboxEntry(channel="mail", key=f"note:{number}", payload=payload, next_at=now))
            session.add(SignInAttempt(key=address_key(to), at=now))

    erase_student(database, settings, zoe.student_id, now)

    with database.read() as session:
        assert {row.payload["to"] for row in session.scalars(select(OutboxEntry))} == {yan.email}
        assert session.scalars(select(SignInAttempt.key)).all() == [address_key(yan.email)]


def test_a_code_that_somebody_else_asked_for_with_this_address_is_void(database, settings, now):
    with database.write() as session:
        student = make_student(session, now).id
        other = make_conversation(session, now)
        other.prompt = {"kind": "link_code", "code": 1, "expires_at": (now + timedelta(minutes=9)).isoformat()}
        table = METADATA.tables["link_codes"]
        session.execute(
            table.insert().values(
                conversation_id=other.id, student_id=student, code_hash="h", tries=0, created_at=now, expires_at=now
            )
        )

    erase_student(database, settings, student, now)

    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(table)) == 0


def test_places_go_to_the_next_in_line(database, settings, zoe, yan, now):
    with database.write() as session:
        booked, waiting = session.scalars(select(Booking).order_by(Booking.id)).all()
        booked.offer.places = 1
        waiting.state = BookingState.WAITING

    erase_student(database, settings, zoe.student_id, now)

    with database.read() as session:
        (held,) = session.scalars(select(Booking)).all()
        assert (held.student_id, held.state) == (yan.student_id, "held")


def test_the_audit_log_keeps_the_deeds_without_what_names_the_student(database, settings, zoe, yan, now):
    talk = zoe.conversations[0]
    with database.write() as session:
        claire = make_staff(session, now).id
        record(session, "claim", staff_id=claire, now=now, conversation_id=talk, words=zoe.marker)
        record(session, "decide", staff_id=claire, now=now, student=zoe.student_id, fact="campus")
        record(session, "change", staff_id=claire, now=now, email=zoe.email)
        record(session, "decide", staff_id=claire, now=now, student=yan.student_id, fact="campus")
        record(session, "note", staff_id=claire, now=now, student="nobody")

    erase_student(database, settings, zoe.student_id, now)

    with database.read() as session:
        log = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        assert [(entry.action, entry.details) for entry in log] == [
            ("claim", {}),
            ("decide", {}),
            ("change", {}),
            ("decide", {"student": yan.student_id, "fact": "campus"}),
            ("note", {"student": "nobody"}),
            ("erase", {}),
            ("erase", {}),
            ("details_emptied", {"places": [1, 2, 3]}),
        ]
        assert verify(session).fault is None


def test_half_an_erasure_is_none(database, settings, zoe, now, monkeypatch):
    with database.read() as session:
        before = everything_of(session, zoe)
    monkeypatch.setattr("bot.privacy.erase.strip_audit", lambda *_: (_ for _ in ()).throw(NotFound))

    with pytest.raises(NotFound):
        erase_student(database, settings, zoe.student_id, now)

    with database.read() as session:
        assert everything_of(session, zoe) == before
        assert session.scalar(select(func.count()).select_from(Message)) == 1
