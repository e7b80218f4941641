"""What time does: snoozes end, long waits are told once, answers are told by mail, an absent colleague gives way."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select

from bot.assistant.deeds import talk_deeds
from bot.channels.mail.channel import render
from bot.content.desks import DeskFile
from bot.content.schema import DeskHours
from bot.conversations.deeds import Context
from bot.conversations.models import Alert, Author, Control, Conversation, OutboxEntry
from bot.conversations.service import append
from bot.errors import BotIsSilent
from bot.handoff import tending
from bot.handoff.beside import add_task, settle_task, snooze
from bot.handoff.desks import Office, join
from bot.handoff.models import Case, Reason
from bot.handoff.queries import Filters, Tab, inbox_row, latest, narrowed, queue_position
from bot.handoff.service import claim, close, queue_at, reply, request_person
from bot.handoff.tending import expected_wait, requeue_if_absent, tend
from bot.identity.models import Role, Staff
from bot.identity.staff import set_password, sign_in, sign_out
from tests.factories import make_conversation, make_staff, make_student, receive, transcript

HOURS = [DeskHours(weekday=day, opens="09:00", closes="17:00") for day in range(5)]
DESKS = {
    "office": DeskFile.model_validate({"name": {"en": "Office", "fr": "Bureau"}, "default": True}),
    "housing": DeskFile.model_validate({"name": {"en": "Housing", "fr": "Logement"}, "topics": ["housing"]}),
}
OFFICE = Office(DESKS, HOURS, {"visale": "housing"})
EVENING = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)
DESK = "http://desk.test"


def due(database, now, present=lambda _conversation_id: None, office=OFFICE):
    return tend(database, office, present, now, DESK)


def mails(database):
    with database.read() as session:
        rows = session.scalars(select(OutboxEntry).where(OutboxEntry.channel == "mail").order_by(OutboxEntry.id))
        return [(row.payload["to"], row.payload["subject"]) for row in rows]


def waits_told(database):
    """The minutes in the mails to coordinators."""
    with database.read() as session:
        to_coordinators = select(OutboxEntry).where(OutboxEntry.key.startswith("waiting:"))
        rows = session.scalars(to_coordinators.order_by(OutboxEntry.id)).all()
        return [int(re.search(r"waited for (\d+) minutes", row.payload["text"])[1]) for row in rows]


@pytest.fixture
def talk(database, now):
    """A linked conversation."""
    with database.write() as session:
        conversation = make_conversation(session, now)
        conversation.student_id = make_student(session, now, campus="lille").id
        return conversation.id


@pytest.fixture
def claire(database, now):
    with database.write() as session:
        return make_staff(session, now)


def state(database, talk):
    with database.read() as session:
        return session.get_one(Conversation, talk).control


def last_said(database, talk):
    with database.read() as session:
        return transcript(session, talk)[-1]


# --- the right desk, and the truth about the wait ---


def ask(database, talk, now):
    with database.write() as session:
        context = Context(session, session.get_one(Conversation, talk), now)
        talk_deeds(OFFICE).effects["request_person"](context, {"reason": "asked"})
        return context.conversation.desk, context.said


def test_a_request_goes_to_the_desk_of_the_topic_just_talked_about(database, talk, now):
    with database.write() as session:
        session.get_one(Conversation, talk).last_topic = "visale"

    assert ask(database, talk, now)[0] == "housing"


def test_without_a_topic_the_default_desk_has_it_and_nothing_is_said_of_a_wait_nobody_knows(database, talk, now):
    assert ask(database, talk, now) == (
        "office",
        ["If you are away when the answer comes, a mail to your school mailbox tells you."],
    )


COME_BACK = (
    "The answer comes on this page: come back to it in this browser. If you link your student record (write /link), a "
    "mail tells you when it is there."
)


@pytest.mark.parametrize(("channel", "said"), [("web", [COME_BACK]), ("telegram", [])])
def test_who_is_not_linked_is_told_where_the_answer_comes_unless_a_messenger_brings_it(
    database, talk, now, channel, said
):
    with database.write() as session:
        conversation = session.get_one(Conversation, talk)
        conversation.student_id, conversation.channel = None, channel

    assert ask(database, talk, now)[1] == said


def test_five_claims_tell_how_long_it_usually_takes_and_four_do_not(database, talk, claire, now):
    def claimed(minutes):
        with database.write() as session:
            conversation = make_conversation(session, now)
            request_person(session, conversation, Reason.ASKED, now, desk="office")
            claim(session, conversation.id, claire, now + timedelta(minutes=minutes))

    for minutes in (2, 12, 40, 7):
        claimed(minutes)
    with database.read() as session:
        assert expected_wait(session, OFFICE, "office") is None
    claimed(300)
    with database.read() as session:
        assert expected_wait(session, OFFICE, "office") == timedelta(minutes=12)
        assert expected_wait(session, OFFICE, "housing") is None
        assert expected_wait(session, Office(DESKS), "office") is None

    assert ask(database, talk, now)[1][0] == "Lately a person usually answered within 15 minutes of opening time."


def test_asking_again_says_nothing_more(database, talk, now):
    ask(database, talk, now)

    assert ask(database, talk, now)[1] == []


# --- the place in the queue ---


@pytest.fixture
def queue(database, now):
    """Students who asked one after the other: at which desk each waits."""
    places = {}
    with database.write() as session:
        for minutes, (name, desk) in enumerate(
            [("Amina", "office"), ("Bao", "housing"), ("Chloé", None), ("Dev", "closed-last-year"), ("Emre", "housing")]
        ):
            conversation = make_conversation(session, now)
            request_person(session, conversation, Reason.ASKED, now + timedelta(minutes=minutes), desk=desk)
            places[name] = conversation.id
    return places


def positions(database, queue):
    with database.read() as session:
        return {name: queue_position(session, session.get_one(Conversation, each)) for name, each in queue.items()}


def test_the_default_desk_takes_what_waits_or_is_held_at_a_desk_that_is_gone_or_waits_at_none(
    database, queue, claire, now
):
    with database.write() as session:
        held, closed = (make_conversation(session, now).id for _ in range(2))
        for each, deed in ((held, claim), (closed, close)):
            request_person(session, session.get_one(Conversation, each), Reason.ASKED, now, desk="closed-last-year")
            deed(session, each, claire, now)
        unasked = make_conversation(session, now).id
        claim(session, unasked, claire, now)

    assert due(database, now) == {queue["Chloé"], queue["Dev"], held}
    assert due(database, now) == set()
    with database.read() as session:
        desks = dict(session.execute(select(Conversation.id, Conversation.desk)).all())
        of_cases = dict(session.execute(select(Case.conversation_id, Case.desk).where(Case.closed_at.is_(None))).all())
        own = {
            row.conversation.id for row in latest(session, Tab.WAITING, claire.id, 50, narrowed(Filters(desk="office")))
        }
    assert {name: desks[each] for name, each in queue.items()} == {
        "Amina": "office", "Bao": "housing", "Chloé": "office", "Dev": "office", "Emre": "housing",
    }  # fmt: skip
    assert [desks[each] for each in (held, closed, unasked)] == ["office", "closed-last-year", None]
    assert of_cases == {**{each: desks[each] for each in queue.values()}, held: "office", unasked: None}
    assert own == {queue[name] for name in ("Amina", "Chloé", "Dev")}


def test_a_student_is_told_the_place_at_the_own_desk(database, queue, now):
    due(database, now)

    assert positions(database, queue) == {"Amina": 1, "Bao": 1, "Chloé": 2, "Dev": 3, "Emre": 2}


def test_whoever_is_in_danger_comes_before_all_others_at_the_desk(database, queue, now):
    with database.write() as session:
        queue["Fara"] = make_conversation(session, now).id
        later = now + timedelta(hours=1)
        request_person(session, session.get_one(Conversation, queue["Fara"]), Reason.URGENT, later, desk="housing")
        session.add(Alert(conversation_id=queue["Emre"], kind="urgent", key="urgent:1", created_at=now))
    due(database, now)

    assert positions(database, queue) == {"Amina": 1, "Bao": 3, "Chloé": 2, "Dev": 3, "Emre": 1, "Fara": 2}


def test_who_is_laid_aside_or_taken_is_nobody_to_wait_for(database, queue, claire, now):
    due(database, now)
    with database.write() as session:
        snooze(session, queue["Bao"], claire, now + timedelta(hours=3), now)
        claim(session, queue["Amina"], claire, now)

    assert positions(database, queue) == {"Amina": None, "Bao": 1, "Chloé": 1, "Dev": 2, "Emre": 1}


# --- the waiting timer ---


def wait_at(database, talk, now, desk="office"):
    with database.write() as session:
        request_person(session, session.get_one(Conversation, talk), Reason.ASKED, now, desk=desk)


def test_after_an_hour_of_opening_time_the_coordinators_of_the_desk_get_one_mail(database, talk, now):
    with database.write() as session:
        ines = make_staff(session, now, "Ines", Role.COORDINATOR)
        make_staff(session, now, "Omar", Role.COORDINATOR)
        join(session, OFFICE, "housing", ines)
    wait_at(database, talk, now, "housing")

    assert due(database, now + timedelta(minutes=59)) == set()
    assert due(database, now + timedelta(minutes=60)) == {talk}
    assert due(database, now + timedelta(minutes=61)) == set()
    assert mails(database) == [("ines@junia.example", "A student waits for a person")]


@pytest.mark.parametrize("reason", [Reason.URGENT, Reason.ASKED])
def test_a_danger_is_mailed_at_once_even_at_night_and_once_only(database, talk, reason):
    with database.write() as session:
        ines = make_staff(session, EVENING, "Ines", Role.COORDINATOR)
        request_person(session, session.get_one(Conversation, talk), reason, EVENING)
        if reason == Reason.ASKED:
            session.add(Alert(conversation_id=talk, kind="urgent", key="urgent:1", created_at=EVENING))

    assert due(database, EVENING) == {talk}
    assert due(database, EVENING + timedelta(minutes=1)) == set()

    assert mails(database) == [(ines.email, "Urgent: a student needs a person now")]


def write_of_danger(database, talk, at, number=1):
    with database.write() as session:
        receive(session, talk, "I want to kill myself", at)
        session.add(Alert(conversation_id=talk, kind="urgent", key=f"urgent:{number}", created_at=at))


URGENT_MAIL = "Urgent: a student needs a person now"


def test_a_danger_is_mailed_also_after_a_mail_that_the_student_waits(database, talk, now):
    with database.write() as session:
        ines = make_staff(session, now, "Ines", Role.COORDINATOR)
    wait_at(database, talk, now)
    due(database, now + timedelta(minutes=60))
    write_of_danger(database, talk, now + timedelta(minutes=61))

    assert due(database, now + timedelta(minutes=62)) == {talk}
    assert due(database, now + timedelta(minutes=63)) == set()
    assert mails(database) == [(ines.email, "A student waits for a person"), (ines.email, URGENT_MAIL)]


def test_a_danger_written_to_a_colleague_is_mailed_to_them_and_to_the_coordinators_of_the_desk(database, talk, claire):
    with database.write() as session:
        ines = make_staff(session, EVENING, "Ines", Role.COORDINATOR)
        make_staff(session, EVENING, "Omar", Role.COORDINATOR)
        join(session, OFFICE, "housing", ines)
    held(database, talk, claire, EVENING)
    write_of_danger(database, talk, EVENING + timedelta(minutes=20))

    assert due(database, EVENING + timedelta(minutes=21)) == {talk}
    for hours in (1, 4, 8, 11):
        assert due(database, EVENING + timedelta(hours=hours)) == set()
    assert mails(database) == [(ines.email, URGENT_MAIL), (claire.email, URGENT_MAIL)]
    with database.read() as session:
        assert {row.payload["text"] for row in session.scalars(select(OutboxEntry))} == {
            "At the desk Housing a student wrote of a danger or an urgent need. Claire has the conversation, so the "
            f"assistant is silent there and gave no emergency numbers:\n\nhttp://desk.test/staff#{talk}\n"
        }


def test_dangers_of_ten_minutes_are_one_mail_and_none_that_a_colleague_has_seen(database, talk, claire):
    held(database, talk, claire, EVENING)
    for number in (1, 2, 3):
        write_of_danger(database, talk, EVENING + timedelta(minutes=number), number)
        due(database, EVENING + timedelta(minutes=number))
    assert mails(database) == [(claire.email, URGENT_MAIL)]

    assert due(database, EVENING + timedelta(minutes=11)) == {talk}
    assert mails(database) == [(claire.email, URGENT_MAIL)] * 2

    write_of_danger(database, talk, EVENING + timedelta(minutes=30), 4)
    with database.write() as session:
        for alert in session.scalars(select(Alert)):
            alert.seen_at = EVENING + timedelta(minutes=31)
    assert due(database, EVENING + timedelta(minutes=40)) == set()
    assert mails(database) == [(claire.email, URGENT_MAIL)] * 2


def test_a_danger_stays_to_be_told_while_there_is_nobody_to_tell(database, talk):
    wait_at(database, talk, EVENING)
    write_of_danger(database, talk, EVENING)
    assert due(database, EVENING) == set()

    with database.write() as session:
        ines = make_staff(session, EVENING, "Ines", Role.COORDINATOR)
    assert due(database, EVENING + timedelta(minutes=1)) == {talk}
    assert mails(database) == [(ines.email, URGENT_MAIL)]


def test_the_night_is_no_wait(database, talk, now):
    with database.write() as session:
        make_staff(session, now, "Omar", Role.COORDINATOR)
    wait_at(database, talk, EVENING)

    assert due(database, datetime(2026, 11, 25, 8, 30, tzinfo=UTC)) == set()
    assert due(database, datetime(2026, 11, 25, 9, 0, tzinfo=UTC)) == {talk}
    assert mails(database) == [("omar@junia.example", "A student waits for a person")]


def test_nobody_is_kept_back_by_those_who_have_not_waited_long_enough_for_their_desk(database, talk, now, monkeypatch):
    monkeypatch.setattr(tending, "BATCH", 2)
    patient = DeskFile.model_validate({"name": {"en": "Housing", "fr": "Logement"}, "escalate_after": 2400})
    with database.write() as session:
        make_staff(session, now, "Omar", Role.COORDINATOR)
        for _ in range(3):
            request_person(session, make_conversation(session, now), Reason.ASKED, now, desk="housing")
    wait_at(database, talk, now + timedelta(minutes=1))
    office = Office({**DESKS, "housing": patient}, HOURS)

    assert due(database, now + timedelta(minutes=60), office=office) == set()
    assert due(database, now + timedelta(minutes=61), office=office) == {talk}
    assert waits_told(database) == [60]


def statements_of(database, work):
    """What a piece of work sends to the database."""
    sent = []

    def note(_connection, _cursor, statement, *_rest):
        sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    work()
    event.remove(database.engine, "before_cursor_execute", note)
    return sent


def test_a_tick_in_which_nothing_is_due_writes_nothing_and_asks_as_much_of_many_as_of_one(database, claire):
    def more(number):
        with database.write() as session:
            for _ in range(number):
                request_person(session, make_conversation(session, EVENING), Reason.ASKED, EVENING, desk="office")
                left = make_conversation(session, EVENING)
                claim(session, left.id, claire, EVENING - timedelta(hours=13))
                receive(session, left.id, "Are you there?", EVENING)

    def tick():
        assert due(database, EVENING + timedelta(minutes=5)) == set()

    more(1)
    of_one = statements_of(database, tick)
    more(20)
    assert statements_of(database, tick) == of_one
    assert [each for each in of_one if not each.startswith(("BEGIN", "SELECT"))] == []
    assert "BEGIN IMMEDIATE" not in of_one


def hand_on(database, talk, claire, now):
    with database.write() as session:
        queue_at(session, talk, claire, OFFICE, "housing", now)


def test_what_a_colleague_hands_to_a_desk_after_an_answer_has_waited_since_then(database, talk, claire, now):
    with database.write() as session:
        make_staff(session, now, "Omar", Role.COORDINATOR)
    answer(database, talk, claire, now)
    handed = now + timedelta(hours=2)
    hand_on(database, talk, claire, handed)

    assert due(database, handed + timedelta(minutes=59)) == set()
    assert due(database, handed + timedelta(minutes=60)) == {talk}
    assert waits_told(database) == [60]


def test_a_wait_that_was_told_and_taken_is_told_again_only_when_the_next_one_is_too_long(database, talk, claire, now):
    with database.write() as session:
        make_staff(session, now, "Omar", Role.COORDINATOR)
    wait_at(database, talk, now)
    due(database, now + timedelta(minutes=60))
    handed = now + timedelta(minutes=90)
    answer(database, talk, claire, now + timedelta(minutes=61))
    hand_on(database, talk, claire, handed)
    with database.read() as session:
        assert inbox_row(session, talk).urgency == "normal"

    assert due(database, handed + timedelta(minutes=60)) == {talk}
    assert waits_told(database) == [60, 60]


def test_what_is_handed_on_without_an_answer_has_waited_all_the_time(database, talk, claire, now):
    with database.write() as session:
        make_staff(session, now, "Omar", Role.COORDINATOR)
    wait_at(database, talk, now)
    with database.write() as session:
        claim(session, talk, claire, now + timedelta(minutes=10))
    hand_on(database, talk, claire, now + timedelta(minutes=50))

    assert due(database, now + timedelta(minutes=59)) == set()
    assert due(database, now + timedelta(minutes=60)) == {talk}
    assert waits_told(database) == [60]


@pytest.mark.parametrize("is_answered", [True, False])
def test_who_writes_to_a_colleague_that_is_gone_waits_since_then_or_since_the_request_if_nobody_answered(
    database, talk, claire, now, is_answered
):
    wait_at(database, talk, now)
    with database.write() as session:
        claim(session, talk, claire, now + timedelta(minutes=10))
    if is_answered:
        answer(database, talk, claire, now + timedelta(minutes=11))
    with database.write() as session:
        session.get_one(Staff, claire.id).disabled = True
    later = now + timedelta(hours=3)

    assert requeue_if_absent(database, OFFICE, talk, later) is True
    since = later if is_answered else now
    with database.read() as session:
        conversation, case = session.get_one(Conversation, talk), session.scalars(select(Case)).one()
        assert (conversation.waiting_since, case.opened_at, case.claimed_at) == (since, since, None)


def test_what_moves_to_another_desk_before_anybody_had_it_has_waited_from_the_beginning(database, talk, claire, now):
    with database.write() as session:
        make_staff(session, now, "Omar", Role.COORDINATOR)
    wait_at(database, talk, now)
    hand_on(database, talk, claire, now + timedelta(minutes=50))

    assert due(database, now + timedelta(minutes=60)) == {talk}
    assert waits_told(database) == [60]


def test_what_is_laid_aside_or_claimed_is_not_told(database, talk, claire, now):
    wait_at(database, talk, now)
    with database.write() as session:
        snooze(session, talk, claire, now + timedelta(hours=3), now)

    assert due(database, now + timedelta(hours=2)) == set()
    with database.write() as session:
        claim(session, talk, claire, now)
    assert due(database, now + timedelta(hours=4)) == set()
    assert mails(database) == []


def test_a_snooze_that_is_over_brings_the_conversation_back(database, talk, claire, now):
    wait_at(database, talk, now)
    with database.write() as session:
        snooze(session, talk, claire, now + timedelta(minutes=30), now)

    assert due(database, now + timedelta(minutes=29)) == set()
    assert due(database, now + timedelta(minutes=30)) == {talk}
    with database.read() as session:
        assert session.get_one(Conversation, talk).snoozed_until is None


# --- an answer waits ---


def answer(database, talk, claire, now, number=1):
    with database.write() as session:
        reply(session, talk, claire, f"answer-{number}", f"The answer ({number})", now)


def test_a_student_who_is_away_for_ten_minutes_is_told_by_mail_once_without_a_word_of_it(database, talk, claire, now):
    answer(database, talk, claire, now)
    due(database, now + timedelta(minutes=9))
    assert mails(database) == []
    due(database, now + timedelta(minutes=10))
    answer(database, talk, claire, now + timedelta(minutes=11), 2)
    due(database, now + timedelta(minutes=30))

    assert mails(database) == [("amina@student.junia.com", "You have an answer")]
    with database.read() as session:
        row = session.scalars(select(OutboxEntry)).one()
        mail = render(row.key, row.payload, "accueil@junia.example", now)
    assert mail.get_content() == (
        "Hello Amina,\n\nthe international office has answered you in your chat with Accueil. Open it where you wrote, "
        "on the same device:\n\nhttp://desk.test/\n"
    )


def test_whoever_was_there_after_the_answer_gets_no_mail(database, talk, claire, now):
    answer(database, talk, claire, now)
    due(database, now + timedelta(minutes=10), present=lambda _conversation_id: now + timedelta(seconds=5))

    assert mails(database) == []


def read_at(moment):
    return lambda _conversation_id: moment


def test_an_answer_after_the_student_has_read_the_first_is_told_when_its_own_ten_minutes_are_over(
    database, talk, claire, now
):
    seen = read_at(now + timedelta(minutes=1))
    answer(database, talk, claire, now)
    answer(database, talk, claire, now + timedelta(minutes=5), 2)
    for minutes in (10, 14):
        due(database, now + timedelta(minutes=minutes), seen)
        assert mails(database) == []
    for minutes in (15, 16, 40):
        due(database, now + timedelta(minutes=minutes), seen)

    assert mails(database) == [("amina@student.junia.com", "You have an answer")]


def test_two_answers_that_were_read_are_told_to_nobody(database, talk, claire, now):
    answer(database, talk, claire, now)
    answer(database, talk, claire, now + timedelta(minutes=5), 2)
    for minutes in (10, 15, 40):
        due(database, now + timedelta(minutes=minutes), read_at(now + timedelta(minutes=6)))

    assert mails(database) == []


def test_two_answers_that_nobody_read_are_one_mail(database, talk, claire, now):
    answer(database, talk, claire, now)
    answer(database, talk, claire, now + timedelta(minutes=5), 2)
    for minutes in (10, 15, 40):
        due(database, now + timedelta(minutes=minutes))

    assert mails(database) == [("amina@student.junia.com", "You have an answer")]


def test_after_the_mail_only_an_answer_to_a_student_who_has_read_since_is_told_again(database, talk, claire, now):
    answer(database, talk, claire, now)
    due(database, now + timedelta(minutes=10))
    answer(database, talk, claire, now + timedelta(minutes=11), 2)
    due(database, now + timedelta(minutes=21))
    assert len(mails(database)) == 1
    seen = read_at(now + timedelta(minutes=25))
    answer(database, talk, claire, now + timedelta(minutes=30), 3)
    answer(database, talk, claire, now + timedelta(minutes=32), 4)
    for minutes in (40, 42, 60):
        due(database, now + timedelta(minutes=minutes), seen)

    assert mails(database) == [("amina@student.junia.com", "You have an answer")] * 2


def test_whoever_writes_again_gets_no_mail_and_then_one_for_the_next_answer(database, talk, claire, now):
    answer(database, talk, claire, now)
    with database.write() as session:
        receive(session, talk, "Thank you. And the visa?", now + timedelta(minutes=1))
    due(database, now + timedelta(minutes=10))
    assert mails(database) == []
    answer(database, talk, claire, now + timedelta(minutes=20), 2)
    due(database, now + timedelta(minutes=30))

    assert mails(database) == [("amina@student.junia.com", "You have an answer")]


def test_nobody_whose_mailbox_is_unknown_is_mailed(database, talk, claire, now):
    with database.write() as session:
        session.get_one(Conversation, talk).student_id = None
    answer(database, talk, claire, now)
    due(database, now + timedelta(minutes=10))

    assert mails(database) == []


# --- the colleague is gone ---


def leave(session, claire, way):
    """Disabled, or in a role that answers no students."""
    staff = session.get_one(Staff, claire.id)
    if way == "disabled":
        staff.disabled = True
    else:
        staff.role = Role(way)


def held(database, talk, claire, now):
    with database.write() as session:
        request_person(session, session.get_one(Conversation, talk), Reason.ASKED, now, desk="housing")
        claim(session, talk, claire, now)


@pytest.mark.parametrize(
    ("at", "gone"),
    [
        (datetime(2026, 11, 24, 15, 0, tzinfo=UTC), False),
        (datetime(2026, 11, 24, 16, 1, tzinfo=UTC), True),
        (EVENING, True),
        # The next morning the desk is open again, and they are not there.
        (datetime(2026, 11, 25, 9, 0, tzinfo=UTC), True),
    ],
)
def test_a_colleague_unseen_for_half_an_hour_of_a_closed_desk_or_since_yesterday_gives_way(
    database, talk, claire, now, at, gone
):
    held(database, talk, claire, now)

    assert requeue_if_absent(database, OFFICE, talk, at) is gone
    assert state(database, talk) == (Control.WAITING if gone else Control.STAFF)


def see(session, staff, at):
    session.get_one(Staff, staff.id).seen_at = at


def test_a_colleague_who_was_seen_somewhere_stays(database, talk, claire, now):
    held(database, talk, claire, now)
    with database.write() as session:
        see(session, claire, EVENING - timedelta(minutes=29))

    assert requeue_if_absent(database, OFFICE, talk, EVENING) is False
    assert requeue_if_absent(database, OFFICE, talk, EVENING + timedelta(minutes=1)) is True


def test_a_colleague_who_signed_out_a_moment_ago_has_not_been_away_for_a_day(database, talk, claire, now):
    yesterday = now - timedelta(days=1)
    with database.write() as session:
        set_password(session, session.get_one(Staff, claire.id), "paper lantern canal", yesterday)
    held(database, talk, claire, yesterday)
    with database.write() as session:
        _, token, _ = sign_in(session, claire.email, "paper lantern canal", "192.0.2.1", now - timedelta(minutes=5))
    with database.write() as session:
        sign_out(session, token, now - timedelta(minutes=1))

    assert requeue_if_absent(database, OFFICE, talk, now) is False
    assert requeue_if_absent(database, OFFICE, talk, now + timedelta(hours=12)) is True


@pytest.mark.parametrize("way", ["disabled", "editor", "auditor"])
def test_who_may_not_answer_any_more_gives_way_at_once_and_the_student_is_told_who_is_not_there(
    database, talk, claire, now, way
):
    held(database, talk, claire, now)
    with database.write() as session:
        leave(session, claire, way)

    assert requeue_if_absent(database, OFFICE, talk, now) is True
    assert last_said(database, talk) == (
        "system",
        "Claire is not here at the moment. Your request waits for a person again, and everything you write is kept for "
        "them. In the meantime I go on answering.",
    )
    with database.read() as session:
        conversation, case = session.get_one(Conversation, talk), session.scalars(select(Case)).one()
        assert (conversation.desk, conversation.waiting_since, conversation.assignee_id) == ("housing", now, None)
        assert (case.closed_at, case.claimed_at, case.claimed_by) == (None, None, None)


@pytest.mark.parametrize(("topic", "desk"), [("visale", "housing"), (None, "office")])
def test_what_a_colleague_took_from_the_bot_waits_at_the_desk_of_its_topic(database, talk, claire, now, topic, desk):
    with database.write() as session:
        session.get_one(Conversation, talk).last_topic = topic
        sofia = make_staff(session, now, "Sofia")
        join(session, OFFICE, desk, sofia)
        claim(session, talk, claire, now)

    assert requeue_if_absent(database, OFFICE, talk, EVENING) is True
    with database.read() as session:
        assert [row.conversation.id for row in latest(session, Tab.TEAM, sofia.id, 50)] == [talk]
        assert (session.get_one(Conversation, talk).desk, session.scalars(select(Case)).one().desk) == (desk, desk)


@pytest.mark.parametrize(("hours", "gone"), [(11, False), (12, True)])
def test_while_the_hours_are_unknown_half_a_day_passes_first(database, talk, claire, now, hours, gone):
    held(database, talk, claire, now)

    assert requeue_if_absent(database, Office(DESKS), talk, now + timedelta(hours=hours)) is gone


def test_what_the_bot_has_gives_way_to_nobody(database, talk, now):
    assert requeue_if_absent(database, OFFICE, talk, EVENING) is False


def test_the_database_refuses_a_word_of_the_bot_while_a_colleague_has_the_conversation(database, talk, claire, now):
    held(database, talk, claire, now)

    with pytest.raises(BotIsSilent), database.write() as session:
        append(session, session.get_one(Conversation, talk), Author.BOT, "A late answer", now=now)
    assert last_said(database, talk) == ("system", "You are now talking to Claire.")


# --- promises ---


MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)


def promise(database, talk, staff, day, text="I call the landlord", now=MONDAY):
    with database.write() as session:
        return add_task(session, session.get_one(Conversation, talk), staff, text, day, now).id


def test_a_promise_is_told_once_in_the_morning_of_its_day_without_its_words(database, talk, claire):
    promise(database, talk, claire, TUESDAY.date())
    promise(database, talk, claire, MONDAY.date(), "I ask the CAF")
    promise(database, talk, claire, TUESDAY.date() + timedelta(days=1), "Later")

    due(database, MONDAY + timedelta(hours=10))
    # Six in the morning in France.
    due(database, TUESDAY.replace(hour=5))
    assert mails(database) == []

    for hours in (0, 1, 3):
        due(database, TUESDAY + timedelta(hours=hours))
    assert mails(database) == [("claire@junia.example", "A promise is due")]
    with database.read() as session:
        (row,) = session.scalars(select(OutboxEntry))
        assert row.payload["text"] == (
            "The day of 2 promises that you made to students has come, and they are not marked as kept:"
            "\n\nhttp://desk.test/staff\n"
        )

    due(database, TUESDAY + timedelta(days=1))
    assert mails(database) == [("claire@junia.example", "A promise is due")] * 2


def test_a_promise_that_was_kept_is_not_told(database, talk, claire):
    kept = promise(database, talk, claire, TUESDAY.date())
    with database.write() as session:
        settle_task(session, kept, claire, MONDAY, done=True)

    due(database, TUESDAY)

    assert mails(database) == []


@pytest.mark.parametrize("way", ["disabled", "editor", "auditor"])
def test_coordinators_are_told_of_the_promises_of_somebody_who_answers_no_students_any_more(
    database, talk, claire, way
):
    promise(database, talk, claire, TUESDAY.date())
    with database.write() as session:
        make_staff(session, MONDAY, "Ines", Role.COORDINATOR)
        leave(session, claire, way)

    due(database, TUESDAY)

    assert mails(database) == [("ines@junia.example", "A promise is due")]
    with database.read() as session:
        (row,) = session.scalars(select(OutboxEntry))
        assert row.payload["text"] == (
            "The day of 1 promise has come that Claire made to a student. It is not marked as kept, and Claire no "
            "longer answers students:\n\nhttp://desk.test/staff\n"
        )


def test_a_promise_of_a_colleague_who_has_left_stays_to_be_told_while_there_is_nobody_to_tell(database, talk, claire):
    promise(database, talk, claire, TUESDAY.date())
    with database.write() as session:
        leave(session, claire, "disabled")
    due(database, TUESDAY)
    assert mails(database) == []

    with database.write() as session:
        make_staff(session, TUESDAY, "Ines", Role.COORDINATOR)
    for hours in (1, 2):
        due(database, TUESDAY + timedelta(hours=hours))
    assert mails(database) == [("ines@junia.example", "A promise is due")]


# --- what a colleague who is gone left unanswered ---

MORNING = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
"""The desk has been open for an hour."""


@pytest.fixture
def unanswered(database, talk, claire):
    """Claire has it since the evening before; the student wrote after her answer, and nobody has seen her since."""
    evening = MORNING - timedelta(hours=17)
    held(database, talk, claire, evening)
    with database.write() as session:
        reply(session, talk, claire, "answer-1", "The answer", evening + timedelta(minutes=1))
        receive(session, talk, "And when?", evening + timedelta(minutes=2))
    return evening + timedelta(minutes=2)


@pytest.mark.parametrize("way", ["disabled", "editor", "auditor"])
def test_what_somebody_left_unanswered_who_answers_no_students_any_more_waits_again_at_once(
    database, talk, claire, unanswered, way
):
    with database.write() as session:
        see(session, claire, unanswered)
        leave(session, claire, way)

    assert due(database, unanswered + timedelta(seconds=1)) == {talk}
    assert state(database, talk) == Control.WAITING
    with database.read() as session:
        case = session.scalars(select(Case)).one()
        assert (session.get_one(Conversation, talk).waiting_since, case.opened_at) == (unanswered, unanswered)
    assert last_said(database, talk)[1].startswith("Claire is not here at the moment.")


def test_what_a_colleague_left_unanswered_waits_again_once_the_desk_has_been_open_for_as_long_as_it_lets_wait(
    database, talk, unanswered
):
    due(database, MORNING - timedelta(minutes=1))
    assert state(database, talk) == Control.STAFF

    assert due(database, MORNING) == {talk}
    assert state(database, talk) == Control.WAITING


@pytest.mark.parametrize("why", ["answered", "seen", "laid aside"])
def test_a_colleague_keeps_what_is_answered_or_laid_aside_and_what_they_were_seen_with(
    database, talk, claire, unanswered, why
):
    with database.write() as session:
        if why == "answered":
            reply(session, talk, claire, "answer-2", "Tomorrow", unanswered + timedelta(seconds=1))
        elif why == "laid aside":
            snooze(session, talk, claire, MORNING + timedelta(days=1), unanswered + timedelta(seconds=1))
        else:
            see(session, claire, MORNING - timedelta(hours=2))

    due(database, MORNING + timedelta(minutes=30))
    assert state(database, talk) == Control.STAFF
