"""Both are asked and answer, and what each hears: with old buttons, two workers, a crash; no contact too early."""

import threading
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import event, select

from bot.buddies.models import BuddyPairing, BuddyRule, EndReason, PairingState, Reply
from bot.buddies.pairing import (
    CannotPair,
    answer_proposal,
    end_pairing,
    propose,
    rematch,
    undo_planned,
)
from bot.buddies.profiles import profile_of
from bot.buddies.tending import tend_student
from bot.conversations.models import Conversation, Message, OutboxEntry
from bot.conversations.service import locked_conversation
from bot.db.session import Database
from bot.identity.erasures import erasure_key
from bot.privacy.erase import erase
from bot.privacy.reach import person_of_student
from bot.students.models import Student
from tests.factories import make_staff
from tests.integration.buddies.cast import (
    ADDRESS,
    CONTENT,
    WEIGHTS,
    alerts,
    do,
    labels,
    mails,
    pairings,
    person,
    press,
    profile,
    run,
    said_in,
    talk_of,
)

REASONS = [{"code": "languages", "values": {"languages": ["en"]}}]
AMINA, HUGO, LISE = 1, 2, 3


@pytest.fixture
def talks(database: Database, now: datetime) -> dict[int, UUID]:
    """Amina, newcomer, and two buddies who speak with her; Hugo shares more with her than Lise."""
    with database.write() as session:
        amina = person(session, now, "Amina", languages=["en", "fr"])
        hugo = person(session, now, "Hugo", is_local=True, languages=["fr", "en"])
        lise = person(session, now, "Lise", is_local=True, languages=["fr"])
        return {each.id: talk_of(session, each, now, "fr" if each is hugo else "en") for each in (amina, hugo, lise)}


@pytest.fixture
def asked(database: Database, now: datetime, talks: dict[int, UUID]) -> dict[int, UUID]:
    """Amina and Hugo were asked."""
    with database.write() as session:
        pairing = rematch(session, AMINA, now, WEIGHTS)
        assert pairing is not None
        assert pairing.buddy_id == HUGO
    assert run(database, now) == 2
    return talks


def everything(database: Database) -> str:
    """Every message and every row that is on its way, as text."""
    with database.read() as session:
        messages = [f"{each.text} {each.buttons}" for each in session.scalars(select(Message))]
        return "\n".join([*messages, *(str(each) for each in session.scalars(select(OutboxEntry.payload)))])


def test_both_are_asked_with_a_name_and_the_reasons_in_their_own_language(database, asked, now):
    amina, hugo = said_in(database, asked[AMINA])[-1], said_in(database, asked[HUGO])[-1]

    assert amina.startswith("Hello Amina, I found a buddy for you: **Hugo**, a student who is here already.")
    assert "Why you two:\n\n- " in amina
    assert "**Amina**" in hugo
    assert pairings(database) == [(AMINA, HUGO, "proposed")]
    assert run(database, now) == 0
    assert [len(said_in(database, each)) for each in asked.values()] == [1, 1, 0]


def test_before_the_time_of_sending_and_at_night_nobody_is_asked(database, talks, now):
    with database.write() as session:
        propose(session, AMINA, HUGO, 0.5, REASONS, now, send_at=now + timedelta(minutes=15))

    assert run(database, now + timedelta(minutes=14)) == 0
    night = datetime(2026, 11, 24, 22, 0, tzinfo=UTC)
    assert run(database, night) == 0
    assert pairings(database) == [(AMINA, HUGO, "planned")]
    morning = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
    assert run(database, morning) == 2


def test_who_has_no_recent_chat_is_asked_by_mail_and_finds_the_buttons_in_the_chat(database, now):
    with database.write() as session:
        amina, hugo = person(session, now, "Amina"), person(session, now, "Hugo", is_local=True)
        propose(session, amina.id, hugo.id, 0.5, REASONS, now, send_at=now)

    run(database, now)

    first, second = mails(database)
    assert (first["to"], first["subject"]) == ("amina@student.junia.com", "A buddy for you: yes or no?")
    assert first["text"].startswith("Hello Amina, I found a buddy for you: Hugo, a student who is here already.")
    assert f"Answer in the chat: {ADDRESS}" in first["text"]
    assert second["to"] == "hugo@student.junia.com"
    with database.write() as session:
        talk = talk_of(session, session.get_one(Student, amina.id), now)
    assert labels(do(database, talk, "buddy", {}, now)) == ["Yes, gladly", "No"]


def test_contact_details_come_with_the_second_yes_and_only_those_allowed(database, asked, now):
    do(database, asked[AMINA], "buddy", {}, now)
    first = press(database, asked[AMINA], "Yes, gladly", now)
    assert first.text.startswith("Good. As soon as Hugo has said yes as well")
    run(database, now)
    for secret in ("hugo@student", "amina@student", "on the phone"):
        assert secret not in everything(database)

    second = do(database, asked[HUGO], "buddy_yes", {"pairing": 1}, now)

    assert "amina@student.junia.com, Amina on the phone" in second.text
    assert run(database, now) == 1
    told = said_in(database, asked[AMINA])[-1]
    assert told.startswith("You both said yes: **Hugo** and you are buddies now.")
    assert "This is how you reach Hugo: hugo@student.junia.com, Hugo on the phone" in told
    assert "A tip for the first message" in told
    assert pairings(database) == [(AMINA, HUGO, "accepted")]
    assert run(database, now) == 0


def test_what_somebody_does_not_allow_is_never_told(database, asked, now):
    with database.write() as session:
        profile_of(session, HUGO).contact = {"mail": False}
    for student_id in (AMINA, HUGO):
        do(database, asked[student_id], "buddy_yes", {"pairing": 1}, now)
    run(database, now)

    assert "hugo@student.junia.com" not in everything(database)
    assert "Hugo shares no contact details and will write to you." in everything(database)


def test_a_no_asks_for_the_reason_tells_the_other_kindly_and_asks_the_next_best(database, asked, now):
    do(database, asked[AMINA], "buddy_yes", {"pairing": 1}, now)
    reasons = do(database, asked[HUGO], "buddy_no", {"pairing": 1}, now)
    assert pairings(database) == [(AMINA, HUGO, "proposed")]
    assert [button.payload["values"].get("reason") for button in reasons.buttons] == [
        "language",
        "time",
        "plans",
        "other",
        None,
    ]

    do(database, asked[HUGO], "buddy_why_not", {"pairing": 1, "reason": "plans"}, now)

    assert pairings(database) == [(AMINA, HUGO, "declined"), (AMINA, LISE, "planned")]
    assert run(database, now) == 3
    told = said_in(database, asked[AMINA])
    assert told[-2] == (
        "You and Hugo do not become a pair this time. That happens, and it says nothing about you. I have already "
        "found the next best for you and ask you both at once."
    )
    assert "plans" not in told[-2]
    assert "**Lise**" in told[-1]
    with database.read() as session:
        assert session.get_one(BuddyPairing, 1).end_reason == "plans"


def test_when_nobody_else_fits_the_office_is_told_and_the_newcomer_waits(database, asked, now):
    for number, buddy in ((1, HUGO), (2, LISE)):
        do(database, asked[buddy], "buddy_why_not", {"pairing": number, "reason": "time"}, now)
        run(database, now)

    assert pairings(database) == [(AMINA, HUGO, "declined"), (AMINA, LISE, "declined")]
    assert alerts(database) == [(AMINA, "no_more_match")]
    assert said_in(database, asked[AMINA])[-1].endswith(
        "You are back on the waiting list, place 1; the international office knows."
    )


def test_a_newcomer_who_declines_gets_the_next_best_and_the_buddy_keeps_the_place(database, asked, now):
    answer = do(database, asked[AMINA], "buddy_why_not", {"pairing": 1, "reason": "language"}, now)

    assert "I have already found the next best for you" in answer.text
    run(database, now)
    assert pairings(database) == [(AMINA, HUGO, "declined"), (AMINA, LISE, "proposed")]


@pytest.mark.parametrize("effect", ["buddy_yes", "buddy_no", "buddy_why_not"])
def test_a_button_of_a_proposal_that_is_over_says_so_and_changes_nothing(database, asked, now, effect):
    with database.write() as session:
        end_pairing(session, session.get_one(BuddyPairing, 1), EndReason.OFFICE, now)
    before = pairings(database)

    answer = do(database, asked[AMINA], effect, {"pairing": 1, "reason": "time"}, now)

    assert answer.text.startswith("This proposal is over already.")
    assert pairings(database) == before


@pytest.mark.parametrize("effect", ["buddy_yes", "buddy_no", "buddy_why_not", "buddy_how", "buddy_trouble"])
@pytest.mark.parametrize("number", [1, 99, "1", None])
def test_a_button_about_a_pair_of_others_does_nothing(database, asked, now, effect, number):
    answer = do(database, asked[LISE], effect, {"pairing": number, "reason": "time", "answer": "great", "day": 3}, now)

    assert answer.text.startswith("This button does not belong to a proposal of yours that is still there.")
    assert "Amina" not in answer.text
    assert pairings(database) == [(AMINA, HUGO, "proposed")]
    assert alerts(database) == []


def test_a_yes_pressed_twice_counts_once(database, asked, now):
    do(database, asked[AMINA], "buddy_yes", {"pairing": 1}, now)
    again = do(database, asked[AMINA], "buddy_no", {"pairing": 1}, now)

    assert again.text.startswith("You answered this already.")
    assert pairings(database) == [(AMINA, HUGO, "proposed")]


def test_after_an_unlinking_the_button_asks_to_link(database, asked, now):
    with database.write() as session:
        locked_conversation(session, asked[AMINA]).student_id = None

    assert labels(do(database, asked[AMINA], "buddy_yes", {"pairing": 1}, now)) == ["Link my record"]


def test_a_buddy_of_a_group_is_told_of_all_of_it(database, now):
    with database.write() as session:
        lise = person(session, now, "Lise", is_local=True, capacity=2)
        amina, mei = person(session, now, "Amina"), person(session, now, "Mei")
        for newcomer in (amina, mei):
            propose(session, newcomer.id, lise.id, 0.5, REASONS, now, send_at=now)
        talks = {each.id: talk_of(session, each, now) for each in (lise, amina, mei)}
    run(database, now)

    assert "beside Amina that makes 2 newcomers" in said_in(database, talks[lise.id])[-1]
    both = do(database, talks[lise.id], "buddy", {}, now)
    assert labels(both) == ["Yes, gladly (Amina)", "No (Amina)", "Yes, gladly (Mei)", "No (Mei)"]
    for number, newcomer in ((1, amina), (2, mei)):
        do(database, talks[newcomer.id], "buddy_yes", {"pairing": number}, now)
        last = do(database, talks[lise.id], "buddy_yes", {"pairing": number}, now)
    assert "You now look after 2 newcomers: Amina, Mei." in last.text


# The moves themselves


def test_a_pair_is_refused_where_one_is_not_to_be_had(database, now):
    with database.write() as session:
        amina, mei = person(session, now, "Amina"), person(session, now, "Mei")
        hugo, lise = person(session, now, "Hugo", is_local=True), person(session, now, "Lise", is_local=True)
        propose(session, amina.id, hugo.id, 0.5, [], now, send_at=now)

        def reason(newcomer: int, buddy: int) -> str:
            with pytest.raises(CannotPair) as refused:
                propose(session, newcomer, buddy, 0.5, [], now, send_at=now)
            return refused.value.reason

        assert reason(amina.id, lise.id) == "taken"
        assert reason(mei.id, hugo.id) == "full"
        assert reason(hugo.id, mei.id) == "not_signed_up"
        assert reason(mei.id, 99) == "not_signed_up"
        lise.left_on = now.date()
        assert reason(mei.id, lise.id) == "not_signed_up"
    assert pairings(database) == [(amina.id, hugo.id, "planned")]


def test_what_is_planned_can_be_undone_until_somebody_was_asked(database, talks, now):
    with database.write() as session:
        pairing = propose(session, AMINA, HUGO, 0.5, REASONS, now, send_at=now)
        assert undo_planned(session, pairing, now)
        assert not undo_planned(session, pairing, now)
    assert run(database, now) == 0
    with database.write() as session:
        pairing = propose(session, AMINA, HUGO, 0.5, REASONS, now, send_at=now)
    run(database, now)
    with database.write() as session:
        assert not undo_planned(session, session.get_one(BuddyPairing, 2), now)
    assert pairings(database) == [(AMINA, HUGO, "undone"), (AMINA, HUGO, "proposed")]


def test_a_rule_of_the_office_goes_before_the_score(database, talks, now):
    with database.write() as session:
        session.add(BuddyRule(newcomer_id=AMINA, buddy_id=LISE, is_wanted=True, made_at=now))
    with database.write() as session:
        pairing = rematch(session, AMINA, now, WEIGHTS)
        assert pairing is not None
        assert pairing.buddy_id == LISE
        undo_planned(session, pairing, now)
        session.scalars(select(BuddyRule)).one().is_wanted = False
        session.add(BuddyRule(newcomer_id=AMINA, buddy_id=HUGO, is_wanted=False, made_at=now))
    with database.write() as session:
        assert rematch(session, AMINA, now, WEIGHTS) is None
    assert alerts(database) == [(AMINA, "no_more_match")]


# Erasure, two workers, a crash


def erase_student(database: Database, student_id: int, now: datetime, tmp_path) -> None:
    with database.write() as session:
        student = session.get_one(Student, student_id)
        erase(session, person_of_student(session, student), now, key=erasure_key(tmp_path))


@pytest.mark.parametrize("is_accepted", [False, True])
def test_when_one_side_is_erased_the_other_is_told_and_gets_the_next_best(database, asked, now, tmp_path, is_accepted):
    if is_accepted:
        for student_id in (AMINA, HUGO):
            do(database, asked[student_id], "buddy_yes", {"pairing": 1}, now)
        run(database, now)
    erase_student(database, HUGO, now, tmp_path)

    run(database, now)

    told = said_in(database, asked[AMINA])
    assert "The person with whom you were paired is no longer here" in told[-2]
    assert "**Lise**" in told[-1]
    assert pairings(database) == [(AMINA, LISE, "proposed")]
    assert run(database, now) == 1
    assert run(database, now) == 0


def test_who_was_not_told_of_an_acceptance_before_the_other_was_erased_hears_one_thing(database, asked, now, tmp_path):
    for student_id in (AMINA, HUGO):
        do(database, asked[student_id], "buddy_yes", {"pairing": 1}, now)
    erase_student(database, HUGO, now, tmp_path)

    run(database, now)

    assert [text for text in said_in(database, asked[AMINA]) if "no longer here" in text] == [
        "The person with whom you were paired is no longer here, so your pair has ended. I have already found the "
        "next best for you and ask you both at once."
    ]
    assert not [text for text in said_in(database, asked[AMINA]) if "buddies now" in text]


@pytest.fixture
def group(database: Database, now: datetime) -> tuple[list[int], dict[int, UUID]]:
    """Paul, buddy of Mei and Elif, who both said yes; Hana is planned for him and nobody has heard of it."""
    with database.write() as session:
        people = [person(session, now, "Paul", is_local=True, capacity=3)]
        people += [person(session, now, name) for name in ("Mei", "Elif", "Hana")]
        ids, languages = [each.id for each in people], ("fr", "en", "es", "en")
        talks = {
            each.id: talk_of(session, each, now, language) for each, language in zip(people, languages, strict=True)
        }
    paul, mei, elif_, hana = ids
    with database.write() as session:
        for newcomer in (mei, elif_):
            propose(session, newcomer, paul, 0.5, REASONS, now, send_at=now)
    run(database, now)
    for number, newcomer in enumerate((mei, elif_), start=1):
        for student_id in (newcomer, paul):
            do(database, talks[student_id], "buddy_yes", {"pairing": number}, now)
    run(database, now)
    with database.write() as session:
        propose(session, hana, paul, 0.5, REASONS, now, send_at=now + timedelta(days=1))
    return ids, talks


def test_a_buddy_of_several_is_told_when_one_of_them_is_erased(database, group, now, tmp_path):
    (paul, mei, elif_, hana), talks = group
    heard = {each: len(said_in(database, talks[each])) for each in (paul, elif_, hana)}
    erase_student(database, mei, now, tmp_path)

    assert run(database, now) == 1

    told = said_in(database, talks[paul])[heard[paul] :]
    assert told == [
        "Une personne arrivante avec qui vous étiez en binôme n'est plus ici\N{NO-BREAK SPACE}: ce binôme est donc "
        "terminé. Vous restez sur la liste des parrains, et je vous redemande quand quelqu'un convient."
    ]
    assert [len(said_in(database, talks[each])) for each in (elif_, hana)] == [heard[elif_], heard[hana]]
    assert pairings(database) == [(elif_, paul, "accepted"), (hana, paul, "planned")]
    assert run(database, now) == 0


def test_a_buddy_who_loses_two_hears_of_each(database, group, now, tmp_path):
    (paul, mei, elif_, _), talks = group
    heard = len(said_in(database, talks[paul]))
    for each in (mei, elif_):
        erase_student(database, each, now, tmp_path)

    assert run(database, now) == 2
    assert ["n'est plus ici" in text for text in said_in(database, talks[paul])[heard:]] == [True, True]


def test_when_a_buddy_is_erased_every_newcomer_who_heard_of_the_pair_is_told_in_their_language(
    database, group, now, tmp_path
):
    (paul, mei, elif_, hana), talks = group
    heard = {each: len(said_in(database, talks[each])) for each in (mei, elif_, hana)}
    erase_student(database, paul, now, tmp_path)

    assert run(database, now) == 2

    assert [said_in(database, talks[each])[heard[each] :] for each in (mei, elif_, hana)] == [
        [
            "The person with whom you were paired is no longer here, so your pair has ended. "
            "You are back on the waiting list, place 1; the international office knows."
        ],
        [
            "La persona de su padrinazgo ya no está aquí, así que este ha terminado. "
            "Vuelve a estar en la lista de espera, puesto 2; la oficina internacional lo sabe."
        ],
        [],
    ]
    assert alerts(database) == [(mei, "no_more_match"), (elif_, "no_more_match")]
    assert pairings(database) == []
    assert run(database, now) == 0


def test_at_night_who_lost_somebody_by_an_erasure_is_left_asleep(database, group, tmp_path):
    (_, mei, *_), _ = group
    night = datetime(2026, 11, 24, 22, 0, tzinfo=UTC)
    erase_student(database, mei, night, tmp_path)

    assert run(database, night) == 0
    assert run(database, datetime(2026, 11, 25, 8, 0, tzinfo=UTC)) == 1


def test_who_was_not_told_of_a_no_before_the_other_was_erased_hears_that_it_is_over(database, asked, now, tmp_path):
    do(database, asked[HUGO], "buddy_why_not", {"pairing": 1, "reason": "time"}, now)
    erase_student(database, HUGO, now, tmp_path)

    run(database, now)

    told = said_in(database, asked[AMINA])
    assert told[-2].startswith("The person with whom you were paired is no longer here")
    assert told[-1].startswith("Hello Amina, I found a buddy for you: **Lise**")


def test_a_note_to_somebody_erased_is_gone_with_them(database, asked, now, tmp_path):
    do(database, asked[HUGO], "buddy_why_not", {"pairing": 1, "reason": "time"}, now)
    erase_student(database, AMINA, now, tmp_path)

    assert run(database, now) == 0
    with database.read() as session:
        assert session.scalars(select(OutboxEntry)).all() == []


def test_two_workers_ask_everybody_once(database, talks, now):
    with database.write() as session:
        rematch(session, AMINA, now, WEIGHTS)
    workers = [threading.Thread(target=run, args=(database, now)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    run(database, now)

    assert [len(said_in(database, each)) for each in talks.values()] == [1, 1, 0]


def test_two_newcomers_cannot_take_the_last_place_at_once(database, now):
    with database.write() as session:
        lise = person(session, now, "Lise", is_local=True)
        newcomers = [person(session, now, name).id for name in ("Amina", "Mei", "Elif", "Hana")]

    def take(newcomer: int) -> None:
        with database.write() as session:
            rematch(session, newcomer, now, WEIGHTS)

    workers = [threading.Thread(target=take, args=(each,)) for each in newcomers]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert [(buddy, state) for _, buddy, state in pairings(database)] == [(lise.id, "planned")]
    assert len(alerts(database)) == 3


class Killed(BaseException):
    """The process dies: nothing catches it."""


def test_a_worker_killed_at_any_statement_leaves_all_or_nothing(database, talks, now):
    with database.write() as session:
        rematch(session, AMINA, now, WEIGHTS)
    statement = 0
    while True:
        left = [statement]

        def die(*_args, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise Killed

        event.listen(database.engine, "before_cursor_execute", die)
        try:
            with database.write() as session:
                tend_student(session, CONTENT, AMINA, now)
            is_done = True
        except Killed:
            is_done = False
        finally:
            event.remove(database.engine, "before_cursor_execute", die)
        if is_done:
            break
        assert said_in(database, talks[AMINA]) == []
        assert pairings(database) == [(AMINA, HUGO, "planned")]
        statement += 1
    assert statement > 5
    assert len(said_in(database, talks[AMINA])) == 1
    run(database, now)
    assert [len(said_in(database, each)) for each in talks.values()] == [1, 1, 0]


def test_a_conversation_that_a_colleague_takes_meanwhile_gets_nothing_and_the_mail_does(database, asked, now):
    with database.write() as session:
        conversation = session.get_one(Conversation, asked[AMINA])
        conversation.control, conversation.assignee_id = "staff", make_staff(session, now).id
    do(database, asked[HUGO], "buddy_why_not", {"pairing": 1, "reason": "time"}, now)

    run(database, now)

    assert [mail["to"] for mail in mails(database)] == ["amina@student.junia.com"] * 2
    assert [mail["subject"] for mail in mails(database)] == ["No pair this time", "A buddy for you: yes or no?"]


def test_answers_are_kept_with_their_day(database, asked, now):
    with database.write() as session:
        pairing = session.get_one(BuddyPairing, 1)
        assert answer_proposal(session, pairing, AMINA, Reply.YES, now)
        assert not answer_proposal(session, pairing, LISE, Reply.YES, now)
        assert (pairing.newcomer_said, pairing.newcomer_said_at, pairing.state) == ("yes", now, PairingState.PROPOSED)
    assert profile(database, AMINA).arrives_on == date(2026, 9, 1)
