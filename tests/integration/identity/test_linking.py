from datetime import timedelta

import pytest
from sqlalchemy import delete, event, func, select

from bot.conversations.messages import Answer
from bot.conversations.models import Conversation, OutboxEntry
from bot.conversations.service import locked_conversation
from bot.db.session import Database
from bot.identity.linking import NOWHERE, ask_for_email, cancel_prompt, code_hash, handle_prompt, unlink
from bot.identity.models import AuditEntry, LinkCode
from tests.integration.identity.conftest import new_conversation

DOMAINS = ["student.junia.com"]
ADDRESS = "amina@student.junia.com"
SENT = (
    "If {} is the school mailbox of a student, a code is on its way. Write its six digits here; "
    "it works for 10 minutes. Nothing there? Look into the junk folder, or write the address again."
)
WRONG = "That is not the code. You have {} left."
EXPIRED = "This code has expired. Write me the address of your school mailbox for a new one."
NOT_PENDING = "No code is pending here. To link your record I need the address of your school mailbox."


def say_to(database: Database, conversation_id, text, at) -> Answer | None:
    with database.write() as session:
        return handle_prompt(session, locked_conversation(session, conversation_id), text, at, mail_domains=DOMAINS)


def ask(database: Database, conversation_id, at) -> Answer:
    with database.write() as session:
        return ask_for_email(session, locked_conversation(session, conversation_id), at)


def codes_in_mail(database: Database) -> list[str]:
    with database.read() as session:
        rows = session.scalars(select(OutboxEntry).where(OutboxEntry.channel == "mail").order_by(OutboxEntry.id))
        return [row.payload["code"] for row in rows if row.payload["kind"] == "link_code"]


def the_code(database: Database, conversation_id, at, address=ADDRESS) -> str:
    ask(database, conversation_id, at)
    say_to(database, conversation_id, address, at)
    return codes_in_mail(database)[-1]


def another(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def linked_to(database: Database, conversation_id) -> int | None:
    with database.read() as session:
        return session.get_one(Conversation, conversation_id).student_id


def test_the_code_from_the_mailbox_links_the_conversation(database, conversation, amina, now):
    asked = ask(database, conversation, now)
    sent = say_to(database, conversation, "It is Amina@student.junia.com", now)
    (code,) = codes_in_mail(database)

    answer = say_to(database, conversation, f"{code[:3]} {code[3:]}", now + timedelta(minutes=9))

    assert asked.text.startswith("Write me the address of your school mailbox")
    assert sent.text == SENT.format(ADDRESS)
    assert "Amina" in answer.text
    assert answer.understanding.intent == "identity"
    assert answer.understanding.action == "prompt"
    assert linked_to(database, conversation) == amina
    with database.read() as session:
        stored = session.get_one(Conversation, conversation)
        assert (stored.prompt, stored.language) == (None, "fr")
        assert session.scalars(select(AuditEntry.action)).all() == ["link"]


def test_a_chosen_language_stays_after_linking(database, conversation, amina, now):
    with database.write() as session:
        session.get_one(Conversation, conversation).language_chosen = True

    answer = say_to(database, conversation, the_code(database, conversation, now), now)

    assert answer.text == "You are linked, Amina. From now on I answer from your record where that makes a difference."
    assert answer.buttons == ()


def test_linking_offers_the_question_that_was_asked_before(database, conversation, amina, now):
    with database.write() as session:
        stored = session.get_one(Conversation, conversation)
        stored.last_topic, stored.language_chosen = "validate_visa", True

    answer = say_to(database, conversation, the_code(database, conversation, now), now)

    assert [(button.label, button.payload) for button in answer.buttons] == [
        ("Show my own answer", {"topic": "validate_visa"})
    ]


def test_the_mail_goes_to_the_address_of_the_record_and_linking_is_told_there(database, conversation, amina, now):
    code = the_code(database, conversation, now, address="AMINA@STUDENT.JUNIA.COM")
    with database.read() as session:
        (mail,) = session.scalars(select(OutboxEntry)).all()
        assert mail.payload == {
            "kind": "link_code",
            "to": ADDRESS,
            "name": "Amina",
            "language": "fr",
            "code": code,
            "expires_at": (now + timedelta(minutes=10)).isoformat(),
        }

    say_to(database, conversation, code, now)

    with database.read() as session:
        assert [row.payload["kind"] for row in session.scalars(select(OutboxEntry).order_by(OutboxEntry.id))] == [
            "link_code",
            "linked",
        ]


@pytest.mark.parametrize("address", ["nobody@student.junia.com", "jonas@elsewhere.example"])
def test_an_unknown_or_foreign_address_gets_the_same_reply_and_no_mail(
    database, conversation, jonas_elsewhere, now, address
):
    ask(database, conversation, now)

    answer = say_to(database, conversation, address, now)

    assert answer.text == SENT.format(address)
    assert codes_in_mail(database) == []
    with database.read() as session:
        assert session.get_one(Conversation, conversation).prompt["kind"] == "link_code"
        assert session.scalar(select(func.count()).select_from(LinkCode)) == 1


def statements_of(database: Database, deed) -> list[str]:
    """The SQL that a deed sends, without its values."""
    sent: list[str] = []

    def note(_connection, _cursor, statement, *_rest) -> None:
        sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        deed()
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    return sent


@pytest.mark.parametrize("address", ["nobody@student.junia.com", "jonas@elsewhere.example", "nobody@elsewhere.example"])
def test_an_unknown_address_costs_the_same_work_as_a_known_one(database, amina, jonas_elsewhere, now, address):
    """Time is measured in statements: they are what an answer takes, and a clock would prove nothing."""

    def work(of: str, text: str | None = None) -> list[str]:
        talk = new_conversation(database, now)
        ask(database, talk, now)
        if text is None:
            return statements_of(database, lambda: say_to(database, talk, of, now))
        say_to(database, talk, of, now)
        with database.read() as session:
            code = session.scalars(select(LinkCode).where(LinkCode.conversation_id == talk)).one()
            wrong = next(each for each in ("000000", "111111") if code_hash(talk, each) != code.code_hash)
        return statements_of(database, lambda: say_to(database, talk, wrong, now))

    assert work(address) == work(ADDRESS)
    assert work(address, "a wrong code") == work(ADDRESS, "a wrong code")


def test_nobody_delivers_the_row_of_an_unknown_address_and_a_newer_code_removes_it(database, conversation, now):
    say_to(database, conversation, "nobody@student.junia.com", now)
    say_to(database, conversation, "nobody@student.junia.com", now)

    with database.read() as session:
        (row,) = session.scalars(select(OutboxEntry)).all()
        assert (row.channel, row.payload) == (NOWHERE, {})


def test_the_number_of_a_code_that_comes_again_is_no_trouble(database, now):
    """SQLite gives the number of a deleted row once more; the mail of the old code may still wait."""
    first, second = new_conversation(database, now), new_conversation(database, now)
    say_to(database, first, "nobody@student.junia.com", now)
    with database.write() as session:
        session.execute(delete(LinkCode))

    assert say_to(database, second, ADDRESS, now).text == SENT.format(ADDRESS)


def test_codes_for_an_unknown_address_run_out_of_tries_like_any_other(database, conversation, amina, now):
    def replies(address: str) -> list[str]:
        talk = new_conversation(database, now)
        ask(database, talk, now)
        say_to(database, talk, address, now)
        guess = another(codes_in_mail(database)[-1]) if codes_in_mail(database) else "000000"
        return [say_to(database, talk, guess, now).text for _ in range(6)]

    known, unknown = replies(ADDRESS), replies("nobody@student.junia.com")

    assert unknown == known


def test_only_a_hash_of_the_code_is_kept(database, conversation, amina, now):
    code = the_code(database, conversation, now)

    with database.read() as session:
        stored = session.scalars(select(LinkCode)).one()
        assert code not in stored.code_hash
        assert len(stored.code_hash) == 64


def test_a_code_works_once(database, conversation, amina, now):
    code = the_code(database, conversation, now)
    say_to(database, conversation, code, now)
    with database.write() as session:
        unlink(session, locked_conversation(session, conversation), now)

    answer = say_to(database, conversation, code, now)

    assert answer is not None
    assert linked_to(database, conversation) is None


def test_the_fifth_wrong_code_voids_it_and_the_sixth_try_with_the_right_one_is_refused(
    database, conversation, amina, now
):
    with database.write() as session:
        session.get_one(Conversation, conversation).language_chosen = True
    code = the_code(database, conversation, now)

    answers = [say_to(database, conversation, another(code), now).text for _ in range(5)]
    sixth = say_to(database, conversation, code, now)

    assert answers[:4] == [WRONG.format(left) for left in ("4 tries", "3 tries", "2 tries", "1 try")]
    assert answers[4] == (
        "That was the fifth wrong code: it no longer works. Write me the address of your school mailbox for a new one."
    )
    assert sixth.text == NOT_PENDING
    assert linked_to(database, conversation) is None


def test_the_right_code_at_the_fifth_try_links(database, conversation, amina, now):
    code = the_code(database, conversation, now)
    for _ in range(4):
        say_to(database, conversation, another(code), now)

    say_to(database, conversation, code, now)

    assert linked_to(database, conversation) == amina


def test_a_code_is_refused_in_the_eleventh_minute(database, conversation, amina, now):
    code = the_code(database, conversation, now)

    answer = say_to(database, conversation, code, now + timedelta(minutes=10))

    assert answer.text == EXPIRED
    assert linked_to(database, conversation) is None


def test_the_code_of_another_conversation_is_refused(database, conversation, amina, now):
    theirs = new_conversation(database, now)
    the_code(database, theirs, now)
    code = the_code(database, conversation, now)
    stolen = codes_in_mail(database)[-1]

    answer = say_to(database, theirs, stolen, now)

    assert stolen == code
    assert answer.text == WRONG.format("4 tries")
    assert linked_to(database, theirs) is None
    say_to(database, conversation, code, now)
    assert linked_to(database, conversation) == amina


def test_a_prompt_cannot_point_at_the_code_of_another_conversation(database, conversation, amina, now):
    theirs = new_conversation(database, now)
    code = the_code(database, conversation, now)
    with database.write() as session:
        session.get_one(Conversation, theirs).prompt = dict(session.get_one(Conversation, conversation).prompt)

    answer = say_to(database, theirs, code, now)

    assert answer.text == EXPIRED
    assert linked_to(database, theirs) is None


def test_a_newer_code_voids_the_older_and_its_mail(database, conversation, amina, now):
    older = the_code(database, conversation, now)
    newer = the_code(database, conversation, now)
    assert codes_in_mail(database) == [newer]
    if older == newer:
        pytest.skip("one in a million: the same digits twice")

    assert say_to(database, conversation, older, now).text == WRONG.format("4 tries")
    say_to(database, conversation, newer, now)

    assert linked_to(database, conversation) == amina


def test_a_sixth_code_within_an_hour_is_refused_to_one_conversation(database, conversation, amina, now):
    for number in range(5):
        say_to(database, conversation, f"student{number}@student.junia.com", now)

    refused = say_to(database, conversation, ADDRESS, now + timedelta(minutes=30))
    later = say_to(database, conversation, ADDRESS, now + timedelta(minutes=60))

    assert refused.text == "Too many codes were asked for within an hour. Please try again in 30 minutes."
    assert later.text == SENT.format(ADDRESS)


@pytest.mark.parametrize("address", [ADDRESS, "nobody@student.junia.com"])
def test_a_sixth_code_within_an_hour_is_refused_to_one_address_known_or_not(database, amina, now, address):
    for _ in range(5):
        say_to(database, new_conversation(database, now), address, now)

    refused = say_to(database, new_conversation(database, now), address, now + timedelta(minutes=59))

    assert refused.text == "Too many codes were asked for within an hour. Please try again in 1 minute."


@pytest.mark.parametrize("word", ["cancel", "Annuler", "取消", "stop."])
def test_a_word_ends_the_question(database, conversation, amina, now, word):
    code = the_code(database, conversation, now)

    answer = say_to(database, conversation, word, now)

    assert answer.text == "All right, I do not link anything. Ask me whatever you like."
    with database.read() as session:
        assert session.get_one(Conversation, conversation).prompt is None
    assert say_to(database, conversation, code, now).text == NOT_PENDING


def test_the_button_cancel_ends_the_question(database, conversation, amina, now):
    asked = ask(database, conversation, now)

    with database.write() as session:
        cancel_prompt(session, locked_conversation(session, conversation), now)

    assert [button.payload for button in asked.buttons] == [{"effect": "cancel_prompt"}]
    with database.read() as session:
        assert session.get_one(Conversation, conversation).prompt is None


@pytest.mark.parametrize("text", ["when must I validate my visa?", "cancel my room", "I arrived on 2026-09-12"])
def test_another_question_goes_on_and_ours_stays(database, conversation, amina, now, text):
    ask(database, conversation, now)

    assert say_to(database, conversation, text, now) is None

    with database.read() as session:
        assert session.get_one(Conversation, conversation).prompt["kind"] == "link_email"


def test_a_question_of_ours_that_is_over_takes_nothing_more(database, conversation, amina, now):
    ask(database, conversation, now)

    assert say_to(database, conversation, "cancel", now + timedelta(minutes=15)) is None


def test_a_code_with_a_digit_too_few_costs_no_try(database, conversation, amina, now):
    code = the_code(database, conversation, now)

    answer = say_to(database, conversation, code[:5], now)

    assert answer.text == "A code has six digits. Look at the mail once more."
    assert say_to(database, conversation, another(code), now).text == WRONG.format("4 tries")


def test_an_address_without_a_question_of_ours_starts_linking(database, conversation, amina, now):
    assert say_to(database, conversation, ADDRESS, now).text == SENT.format(ADDRESS)


def test_a_code_without_a_question_of_ours_is_told_what_comes_first(database, conversation, amina, now):
    answer = say_to(database, conversation, "123456", now)

    assert answer.text == NOT_PENDING
    assert [button.payload for button in answer.buttons] == [{"effect": "start_link"}]


def test_who_is_linked_is_told_so_and_can_unlink(database, conversation, amina, now):
    with database.write() as session:
        session.get_one(Conversation, conversation).language_chosen = True
    say_to(database, conversation, the_code(database, conversation, now), now)

    again = ask(database, conversation, now)
    with database.write() as session:
        gone = unlink(session, locked_conversation(session, conversation), now)
    with database.write() as session:
        twice = unlink(session, locked_conversation(session, conversation), now)

    assert again.text == "You are already linked, Amina: I answer from your record."
    assert [button.payload for button in again.buttons] == [{"effect": "unlink"}]
    assert gone.text.startswith("This conversation is no longer linked to your record")
    assert twice.text == "This conversation is not linked to a record."
    assert linked_to(database, conversation) is None
    with database.read() as session:
        assert session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all() == ["link", "unlink"]
