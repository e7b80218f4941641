"""What is due goes out once, through the right channel, or not at all."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete, event, select

from bot.channels.mail.channel import render
from bot.clock import PARIS
from bot.conversations.models import Control, Conversation, Message, OutboxEntry
from bot.conversations.service import locked_conversation
from bot.db.session import Database
from bot.reminders.models import Reminder, ReminderChoice
from bot.reminders.planning import plan
from bot.reminders.sending import Content, Reminders, send_due
from bot.students.models import Student
from tests.factories import make_conversation, make_staff, make_student, receive, transcript
from tests.integration.reminders.conftest import ADDRESS, DUE, PROCEDURES, mails, rows, talk_of

Done = Callable[..., None]


def bot_says(database: Database, talk: UUID) -> list[str]:
    with database.read() as session:
        return [text for author, text in transcript(session, talk)[1:] if author == "bot"]


def test_who_wrote_lately_is_reminded_in_the_chat(database: Database, reminders: Reminders, talk: UUID, now: datetime):
    report = reminders.run(now)

    assert [(each.steps, each.channel) for each in report.sent] == [(("validate_visa",), "web")]
    assert bot_says(database, talk) == [
        "Hello Amina, a short reminder: **Do validate_visa**.\n\n"
        "By 27 November 2026, because your visa starts on 27 November 2026.\n\n"
        "How validate_visa is done."
    ]
    assert rows(database) == [("validate_visa", "sent", None, "web")]
    assert mails(database) == []
    assert talk_of(database, talk).last_step == "validate_visa"
    with database.read() as session:
        message = session.scalars(select(Message).order_by(Message.seq.desc()).limit(1)).one()
    assert [(each["label"], each["payload"]) for each in message.buttons] == [
        ("I did it", {"effect": "path_done", "values": {"step": "validate_visa"}}),
        ("I can't", {"effect": "path_cannot", "values": {"step": "validate_visa"}}),
        ("Not now", {"effect": "remind_later", "values": {"steps": ["validate_visa"]}}),
        ("Fewer reminders", {"effect": "fewer_reminders"}),
    ]
    assert [each["url"] for each in message.sources] == ["https://example.org/"]


def test_who_has_no_conversation_gets_a_mail_that_says_how_to_stop(
    database: Database, reminders: Reminders, amina: int, now: datetime
):
    report = reminders.run(now)

    assert report.as_json() == {
        "now": "2026-11-24T11:00:00+00:00",
        "sent": [
            {
                "student": "amina@student.junia.com",
                "subject": "validate_visa",
                "steps": ["validate_visa"],
                "channel": "mail",
                "key": f"{amina}/validate_visa/2026-11-24",
            }
        ],
        "moved": [],
        "skipped": [],
    }
    (payload,) = mails(database)
    mail = render("reminder:1", payload, "accueil@junia.example", now)
    assert (mail["To"], mail["Subject"]) == ("amina@student.junia.com", "Reminder: Do validate_visa")
    assert mail.get_content() == (
        "Hello Amina, a short reminder: Do validate_visa.\n\n"
        "By 27 November 2026, because your visa starts on 27 November 2026.\n\n"
        "How validate_visa is done.\n\n"
        f"You can answer in the chat: {ADDRESS}\n\n"
        "Fewer mails like this? Link your record in the chat and write /stop there.\n"
    )


def wrote_two_days_ago(database: Database, talk: UUID, now: datetime) -> None:
    with database.write() as session:
        for message in session.scalars(select(Message)):
            message.created_at = now - timedelta(hours=48)


def is_with_a_colleague(database: Database, talk: UUID, now: datetime) -> None:
    with database.write() as session:
        conversation = locked_conversation(session, talk)
        conversation.control, conversation.assignee_id = Control.STAFF, make_staff(session, now).id


def is_closed(database: Database, talk: UUID, now: datetime) -> None:
    with database.write() as session:
        locked_conversation(session, talk).control = Control.CLOSED


def is_unlinked(database: Database, talk: UUID, now: datetime) -> None:
    with database.write() as session:
        locked_conversation(session, talk).student_id = None


@pytest.mark.parametrize("what", [wrote_two_days_ago, is_with_a_colleague, is_closed, is_unlinked])
def test_a_conversation_in_which_nobody_would_see_it_is_left_alone_and_a_mail_goes_out(
    database: Database,
    reminders: Reminders,
    talk: UUID,
    now: datetime,
    what: Callable[[Database, UUID, datetime], None],
):
    what(database, talk, now)
    before = talk_of(database, talk).last_seq

    reminders.run(now)

    assert rows(database) == [("validate_visa", "sent", None, "mail")]
    assert talk_of(database, talk).last_seq == before
    assert [each["to"] for each in mails(database)] == ["amina@student.junia.com"]


def test_of_two_conversations_the_one_written_in_last_is_taken(
    database: Database, reminders: Reminders, talk: UUID, amina: int, now: datetime
):
    with database.write() as session:
        newer = make_conversation(session, now - timedelta(days=1), language="fr")
        newer.student_id = amina
        receive(session, newer.id, "Bonjour", now - timedelta(hours=2))

    reminders.run(now)

    assert len(bot_says(database, talk)) == 1
    assert bot_says(database, newer.id) == []


def test_chat_speaks_the_language_of_the_conversation_and_mail_that_of_the_record(
    database: Database, reminders: Reminders, talk: UUID, amina: int, now: datetime
):
    with database.write() as session:
        session.get_one(Student, amina).language = "fr"
        make_student(session, now, "Jules", **DUE).language = "fr"

    reminders.run(now)

    assert "How validate_visa is done." in bot_says(database, talk)[0]
    assert [(each["to"], "Comment validate_visa se fait." in each["text"]) for each in mails(database)] == [
        ("jules@student.junia.com", True)
    ]


def test_nothing_is_sent_twice_however_often_it_runs(database: Database, content: Content, talk: UUID, now: datetime):
    for minutes in range(3):
        # A new process each time: nothing is remembered but the rows.
        Reminders(database, content).run(now + timedelta(minutes=minutes))

    assert rows(database) == [("validate_visa", "sent", None, "web")]
    assert len(bot_says(database, talk)) == 1


def test_planning_twice_adds_nothing(database: Database, amina: int, now: datetime):
    plan(database, PROCEDURES, now, changed_since=None)
    once = rows(database)
    plan(database, PROCEDURES, now, changed_since=None)

    assert rows(database) == once == [("validate_visa", "planned", None, None)]


def at_once(*works: Callable[[], object]) -> None:
    """All in threads that start together; what one raises is raised here."""
    barrier = threading.Barrier(len(works))
    failures: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        try:
            barrier.wait()
            work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def test_two_workers_plan_and_send_everything_once(database: Database, content: Content, talk: UUID, now: datetime):
    with database.write() as session:
        for number in range(20):
            make_student(session, now, f"Student{number}", **DUE)

    at_once(*[lambda: Reminders(database, content).run(now)] * 2)
    # What one worker left to the other, because it was just being handled, is there for the next minute.
    Reminders(database, content).run(now + timedelta(minutes=1))

    assert sorted(set(rows(database))) == [
        ("validate_visa", "sent", None, "mail"),
        ("validate_visa", "sent", None, "web"),
    ]
    assert len(rows(database)) == 21
    assert len({each["to"] for each in mails(database)}) == len(mails(database)) == 20
    assert len(bot_says(database, talk)) == 1


class Killed(BaseException):
    """The process ends here."""


def test_a_kill_before_any_statement_loses_nothing_and_sends_nothing_twice(
    database: Database, content: Content, amina: int, talk: UUID, now: datetime
):
    with database.write() as session:
        make_student(session, now, "Jules", **DUE)
    left = [0]

    def count(*_arguments: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Killed

    event.listen(database.engine, "before_cursor_execute", count)
    try:
        kills = 0
        for statement in range(1, 200):
            left[0] = statement
            try:
                Reminders(database, content).run(now)
            except Killed:
                kills += 1
                continue
            break
    finally:
        event.remove(database.engine, "before_cursor_execute", count)

    # It was killed at every statement in turn, and each time the next process went on from there.
    assert kills > 20
    assert sorted(rows(database)) == [
        ("validate_visa", "sent", None, "mail"),
        ("validate_visa", "sent", None, "web"),
    ]
    assert len(bot_says(database, talk)) == 1
    assert len(mails(database)) == 1


def test_a_step_done_meanwhile_is_not_reminded_of(
    database: Database, content: Content, amina: int, now: datetime, do_step: Done
):
    plan(database, PROCEDURES, now, changed_since=None)
    do_step(amina, "validate_visa")

    report = send_due(database, content, now)

    assert (report.sent, rows(database)) == ([], [("validate_visa", "skipped", "done", None)])
    assert mails(database) == []


def test_an_erased_student_gets_nothing_and_nothing_is_left(
    database: Database, content: Content, amina: int, now: datetime
):
    plan(database, PROCEDURES, now, changed_since=None)
    with database.write() as session:
        session.execute(delete(Student).where(Student.id == amina))

    report = send_due(database, content, now)

    assert (report.sent, rows(database), mails(database)) == ([], [], [])


def test_who_left_gets_nothing_more(database: Database, content: Content, amina: int, now: datetime):
    plan(database, PROCEDURES, now, changed_since=None)
    with database.write() as session:
        session.get_one(Student, amina).left_on = now.date()

    send_due(database, content, now)
    assert rows(database) == [("validate_visa", "skipped", "left", None)]

    Reminders(database, content).run(now + timedelta(days=4))
    assert rows(database) == [("validate_visa", "skipped", "left", None)]


@pytest.mark.parametrize(("kind", "state"), [("step", "skipped"), ("all", "skipped"), ("booking", "sent")])
def test_what_a_student_does_not_want_is_not_sent(
    database: Database, reminders: Reminders, amina: int, now: datetime, kind: str, state: str
):
    with database.write() as session:
        session.add(ReminderChoice(student_id=amina, kind=kind, chosen_at=now))

    reminders.run(now)

    assert [(subject, found) for subject, found, _reason, _channel in rows(database)] == [("validate_visa", state)]


def test_at_night_it_waits_for_the_morning_and_goes_out_then(database: Database, content: Content, amina: int):
    night = datetime(2026, 11, 24, 21, 30, tzinfo=PARIS)
    morning = datetime(2026, 11, 25, 9, 0, tzinfo=PARIS)
    reminders = Reminders(database, content)

    report = reminders.run(night)
    assert [(each.until, each.why) for each in report.moved] == [(morning, "quiet")]

    assert reminders.run(morning - timedelta(minutes=1)).as_json()["sent"] == []
    assert [each["subject"] for each in reminders.run(morning).as_json()["sent"]] == ["validate_visa"]


def test_before_nine_what_is_planned_for_the_day_waits(database: Database, reminders: Reminders, amina: int):
    early = datetime(2026, 11, 24, 8, 30, tzinfo=PARIS)

    assert reminders.run(early).as_json()["sent"] == []
    with database.read() as session:
        assert session.scalars(select(Reminder.due_at)).all() == [datetime(2026, 11, 24, 8, 0, tzinfo=UTC)]


def test_steps_due_the_same_day_are_one_message(
    database: Database, content: Content, talk: UUID, amina: int, now: datetime
):
    with database.write() as session:
        dates = ("visa_start", "enrolment_date", "lease_start", "job_start")
        session.get_one(Student, amina).facts = dict.fromkeys(dates, "2026-11-27")

    report = Reminders(database, content).run(now)

    assert [each.steps for each in report.sent] == [("validate_visa", "bank_account", "cvec")]
    assert bot_says(database, talk) == [
        "Hello Amina, a reminder of 4 steps:\n\n"
        "- **Do validate_visa**: by 27 November 2026.\n"
        "- **Do bank_account**: by 27 November 2026.\n"
        "- **Do cvec**: by 27 November 2026.\n"
        "And 1 more step.\n\n"
        "Begin with the first one; the others can wait until it is done."
    ]
    assert sorted(rows(database)) == [
        ("bank_account", "sent", None, "web"),
        ("cvec", "sent", None, "web"),
        ("housing_aid", "skipped", "counted", None),
        ("validate_visa", "sent", None, "web"),
    ]


def test_after_some_days_off_only_the_newest_reminder_of_a_step_is_sent(
    database: Database, content: Content, amina: int, now: datetime
):
    with database.write() as session:
        for day in (13, 14, 24):
            at = datetime(2026, 11, day, 8, 0, tzinfo=UTC)
            session.add(Reminder(student_id=amina, kind="step", subject="validate_visa", day=at.date(), due_at=at))

    report = send_due(database, content, now)

    assert [each.jobs[0].day.day for each in report.sent] == [24]
    assert [(each.job.day.day, each.reason) for each in report.skipped] == [(13, "newer"), (14, "newer")]


def test_a_rehearsal_says_the_same_and_changes_nothing(
    database: Database, content: Content, talk: UUID, amina: int, now: datetime
):
    with database.write() as session:
        session.add(Reminder(student_id=amina, kind="step", subject="validate_visa", day=now.date(), due_at=now))
        jules = make_student(session, now, "Jules", **DUE)
        session.add(ReminderChoice(student_id=jules.id, kind="all", chosen_at=now))
        make_student(session, now, "Lise", **DUE)
    before = (rows(database), talk_of(database, talk).last_seq)

    rehearsed = Reminders(database, content).rehearse(now).as_json()

    assert (rows(database), talk_of(database, talk).last_seq, mails(database)) == (*before, [])
    assert rehearsed == Reminders(database, content).run(now).as_json()
    assert [(each["student"].partition("@")[0], each["channel"]) for each in rehearsed["sent"]] == [
        ("lise", "mail"),
        ("amina", "web"),
    ]


def test_a_record_that_cannot_be_read_does_not_keep_the_others(
    database: Database, content: Content, amina: int, now: datetime
):
    plan(database, PROCEDURES, now, changed_since=None)
    with database.write() as session:
        session.get_one(Student, amina).facts = {"no_such_fact": 1}
        make_student(session, now, "Jules", **DUE)

    Reminders(database, content).run(now)

    assert rows(database) == [("validate_visa", "skipped", "record", None), ("validate_visa", "sent", None, "mail")]


# SQLite has one writer: the run waits instead.
@pytest.mark.parametrize("database", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
def test_a_conversation_that_is_being_written_to_is_left_for_the_next_run(
    database: Database, content: Content, talk: UUID, amina: int, now: datetime
):
    with database.write() as session:
        locked_conversation(session, talk)
        report = Reminders(database, content).run(now)
        assert report.sent == []
        session.rollback()

    assert rows(database) == [("validate_visa", "planned", None, None)]
    assert [each.channel for each in Reminders(database, content).run(now).sent] == ["web"]


def test_a_record_changed_during_the_day_is_looked_at_in_the_next_run(
    database: Database, reminders: Reminders, now: datetime
):
    with database.write() as session:
        student = make_student(session, now - timedelta(days=90))
    assert reminders.run(now).sent == []
    with database.write() as session:
        row = session.get_one(Student, student.id)
        row.facts, row.updated_at = dict(DUE), now + timedelta(seconds=30)

    assert [each.steps for each in reminders.run(now + timedelta(minutes=1)).sent] == [("validate_visa",)]


def test_a_mail_that_cannot_be_delivered_for_two_days_is_given_up(
    database: Database, reminders: Reminders, amina: int, now: datetime
):
    reminders.run(now)

    with database.read() as session:
        entry = session.scalars(select(OutboxEntry)).one()
    assert entry.payload["expires_at"] == (now + timedelta(days=2)).isoformat()
    assert entry.key == "reminder:1"


def test_a_conversation_and_its_mail_go_together(database: Database, reminders: Reminders, talk: UUID, now: datetime):
    is_closed(database, talk, now)
    reminders.run(now)
    assert len(mails(database)) == 1

    with database.write() as session:
        session.execute(delete(Conversation).where(Conversation.id == talk))

    assert mails(database) == []
