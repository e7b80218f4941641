"""Where a student is told what nobody asked for."""

from datetime import timedelta

from sqlalchemy import select

from bot.bookings.telling import deliver_notes, reader_language, tell
from bot.channels.mail.channel import render
from bot.conversations.deeds import deed_button
from bot.conversations.models import Control, Conversation, OutboxEntry
from tests.factories import make_conversation, make_staff, make_student, receive, transcript

TEXT = "**A place** is free."
BUTTON = deed_button("My bookings", "show_bookings")


def told(database, now, prepare):
    """(texts of the conversation beyond the greeting, mails) after one note."""
    with database.write() as session:
        amina = make_student(session, now)
        conversation = make_conversation(session, now)
        conversation.student_id = amina.id
        prepare(session, conversation)
        tell(session, amina, TEXT, [BUTTON], now, subject="A place")
        conversation_id = conversation.id
    assert deliver_notes(database, now) == 1
    assert deliver_notes(database, now) == 0
    with database.read() as session:
        mails = session.scalars(select(OutboxEntry)).all()
        assert {each.channel for each in mails} <= {"mail"}
        return [text for author, text in transcript(session, conversation_id)[1:] if author == "bot"], mails


def test_whoever_wrote_today_reads_it_in_the_chat_alone(database, now):
    texts, mails = told(database, now, lambda session, talk: receive(session, talk.id, "Hello", now))

    assert (texts, mails) == ([TEXT], [])


def test_whoever_was_away_for_two_days_gets_a_mail_as_well(database, now):
    texts, mails = told(
        database, now, lambda session, talk: receive(session, talk.id, "Hello", now - timedelta(hours=48))
    )

    assert (texts, len(mails)) == ([TEXT], 1)
    mail = render(mails[0].key, mails[0].payload, "accueil@junia.example", now)
    assert (mail["To"], mail["Subject"]) == ("amina@student.junia.com", "A place")
    assert "Hello Amina,\n\nA place is free.\n" in mail.get_content()


def test_a_conversation_with_a_colleague_is_not_interrupted(database, now):
    def hold(session, talk):
        receive(session, talk.id, "Hello", now)
        talk.control, talk.assignee_id = Control.STAFF, make_staff(session, now).id

    texts, mails = told(database, now, hold)

    assert (texts, len(mails)) == ([], 1)


def test_without_a_conversation_there_is_the_mailbox_in_the_language_of_the_record(database, now):
    with database.write() as session:
        amina = make_student(session, now)
        amina.language = "fr"
        assert reader_language(session, amina) == "fr"
        tell(session, amina, TEXT, [BUTTON], now, subject="A place")

    assert deliver_notes(database, now) == 1
    with database.read() as session:
        assert [each.payload["language"] for each in session.scalars(select(OutboxEntry))] == ["fr"]
        assert session.scalars(select(Conversation)).all() == []


def test_a_note_to_somebody_who_is_gone_is_dropped(database, now):
    with database.write() as session:
        amina = make_student(session, now)
        tell(session, amina, TEXT, [BUTTON], now, subject="A place")
        session.delete(amina)

    assert deliver_notes(database, now) == 0
    with database.read() as session:
        assert session.scalars(select(OutboxEntry)).all() == []
