"""From "I agree" to a row and back, by buttons and by typing."""

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from bot.buddies.deeds import buddy_deeds
from bot.buddies.models import BuddyProfile
from bot.buddies.pairing import propose
from bot.config import ROOT
from bot.conversations.models import Conversation
from bot.db.session import Database
from bot.paperwork.models import StepDone
from bot.paperwork.schema import load_procedures
from tests.factories import make_conversation, make_student
from tests.integration.buddies.cast import (
    INTERESTS,
    WEIGHTS,
    do,
    labels,
    person,
    press,
    profile,
    said_in,
    talk_of,
    write,
)

FACTS = {"campus": "lille", "school": "hei", "programme_start": "2026-09-07", "leaving_date": "2027-06-30"}


@pytest.fixture
def talk(database: Database, now: datetime) -> UUID:
    with database.write() as session:
        return talk_of(session, make_student(session, now, **FACTS), now)


@pytest.fixture
def local_talk(database: Database, now: datetime) -> UUID:
    with database.write() as session:
        hugo = make_student(session, now, "Hugo", campus="lille")
        hugo.is_local = True
        return talk_of(session, hugo, now)


def rows(database: Database) -> list[BuddyProfile]:
    with database.read() as session:
        return list(session.scalars(select(BuddyProfile)))


def prompt_of(database: Database, talk: UUID) -> dict | None:
    with database.read() as session:
        return session.get_one(Conversation, talk).prompt


def to_the_summary(database: Database, talk: UUID, now: datetime) -> None:
    do(database, talk, "buddy_start", {}, now)
    press(database, talk, "I agree", now)
    press(database, talk, "Go on", now)
    press(database, talk, "Yes", now)
    press(database, talk, "Yes", now)
    press(database, talk, "Sport", now)
    press(database, talk, "Go on", now)
    press(database, talk, "Skip", now)
    press(database, talk, "Go on", now)


def test_consent_comes_first_and_says_what_for_how_long_and_what_the_other_reads(database, talk, now):
    consent = do(database, talk, "buddy_start", {}, now)

    assert labels(consent) == ["I agree", "No thanks"]
    assert "languages, campus, dates, interests and wishes" in consent.text
    assert "kept until you withdraw" in consent.text
    refused = press(database, talk, "No thanks", now)
    assert (labels(refused), rows(database), prompt_of(database, talk)) == ([], [], None)


def test_six_taps_later_the_answers_are_in_the_table_and_not_before(database, talk, now):
    to_the_summary(database, talk, now)
    assert said_in(database, talk)[-1] == (
        "This is what I would keep:\n\n"
        "- Languages: English\n"
        "- Campus: Lille\n"
        "- Arrival and departure: from 7 September 2026 to 30 June 2027\n"
        "- Interests: Sport\n"
        "- Wishes: not told\n"
        "- Contact: My school mail address\n\n"
        "Nothing is kept before you press the button."
    )
    assert (rows(database), prompt_of(database, talk)) == ([], None)

    done = press(database, talk, "Sign me up", now)

    assert done.text == (
        "You are on the list, place 1. I write to you as soon as somebody fits, and ask you both before anything is "
        "exchanged."
    )
    assert labels(done) == ["Change my answers", "Pause", "Withdraw"]
    (row,) = rows(database)
    assert (row.role, row.languages, row.campus, row.arrives_on, row.leaves_on, row.interests, row.field) == (
        "newcomer",
        ["en"],
        "lille",
        date(2026, 9, 7),
        date(2027, 6, 30),
        ["sport"],
        "HEI",
    )
    assert (row.gender, row.same_gender, row.same_field, row.capacity, row.contact) == (
        "",
        False,
        False,
        1,
        {"mail": True},
    )
    assert (row.consented_at, row.signed_up_at, row.state) == (now, now, "signed_up")


def test_every_question_can_be_skipped(database, talk, now):
    do(database, talk, "buddy_start", {}, now)
    press(database, talk, "I agree", now)
    press(database, talk, "Go on", now)
    for _ in ("campus", "stay", "interests", "wishes"):
        press(database, talk, "Skip", now)
    press(database, talk, "✓ My school mail address", now)
    summary = press(database, talk, "Skip", now)

    assert "- Contact: none; the other cannot write to you first" in summary.text
    press(database, talk, "Sign me up", now)
    assert rows(database)[0].contact == {"mail": False}


def test_typed_answers_are_understood(database, talk, now):
    do(database, talk, "buddy_start", {}, now)
    press(database, talk, "I agree", now)
    write(database, talk, "Spanish and English", now)
    write(database, talk, "I am in Bordeaux", now)
    write(database, talk, "from 12 January 2027 to 30 June 2027", now)
    write(database, talk, "cooking, chess and old films", now)
    press(database, talk, "Go on", now)
    press(database, talk, "Same field of study", now)
    press(database, talk, "Go on", now)
    write(database, talk, "06 12 34 56 78", now)
    press(database, talk, "Sign me up", now)

    (row,) = rows(database)
    assert (row.languages, row.campus, row.arrives_on, row.leaves_on) == (
        ["es", "en"],
        "bordeaux",
        date(2027, 1, 12),
        date(2027, 6, 30),
    )
    assert (row.interests, row.own_words) == (["cooking"], "chess, old films")
    assert (row.same_field, row.field) == (True, "HEI")
    assert row.contact == {"mail": True, "other": "06 12 34 56 78"}


@pytest.mark.parametrize(
    ("presses", "text", "fix"),
    [
        ([], "Klingonish", "I know no language of this name. Write its usual name, for example Spanish"),
        (["Go on"], "Paris", "That is none of our campuses. Write one of these: Lille, Bordeaux, Châteauroux."),
        (["Go on", "Yes"], "31/02/2027", "Write it like this: 12 January 2027."),
        (
            ["Go on", "Yes"],
            "from 30 June 2027 to 12 January 2027",
            "That would be a departure on 12 January 2027 before an arrival on 30 June 2027.",
        ),
        (["Go on", "Yes"], "from 1 January 2026 to 3 March 2026", "3 March 2026 is over already."),
        (["Go on", "Yes", "Yes"], "x" * 250, "That is too long to keep."),
        (["Go on", "Yes", "Yes", "Skip", "Skip"], "x" * 130, "That is too long."),
    ],
)
def test_a_wrong_answer_is_told_the_fix_and_asked_again(database, talk, now, presses, text, fix):
    do(database, talk, "buddy_start", {}, now)
    press(database, talk, "I agree", now)
    for label in presses:
        press(database, talk, label, now)
    question = said_in(database, talk)[-1]

    again = write(database, talk, text, now)

    assert again is not None
    assert fix in again.text
    assert again.text.endswith(question)


@pytest.mark.parametrize("text", ["Is there a French class?", "when must I validate my visa"])
def test_a_question_of_another_kind_goes_on_and_the_sign_up_stays_open(database, talk, now, text):
    do(database, talk, "buddy_start", {}, now)
    press(database, talk, "I agree", now)

    assert write(database, talk, text, now) is None
    assert "Campus" not in said_in(database, talk)[-1]
    assert "Your campus is in Lille" in press(database, talk, "Go on", now).text


def test_the_own_gender_is_asked_for_the_wish_alone_and_forgotten_with_it(database, talk, now):
    do(database, talk, "buddy_start", {}, now)
    press(database, talk, "I agree", now)
    for label in ("Go on", "Yes", "Yes", "Skip"):
        press(database, talk, label, now)
    asked = press(database, talk, "Same gender", now)
    assert labels(asked) == ["Woman", "Man", "Neither", "Without this wish"]
    press(database, talk, "Woman", now)
    press(database, talk, "Go on", now)
    press(database, talk, "Go on", now)
    press(database, talk, "Sign me up", now)
    (row,) = rows(database)
    assert (row.gender, row.same_gender) == ("woman", True)

    press(database, talk, "Change my answers", now)
    press(database, talk, "Wishes", now)
    press(database, talk, "✓ Same gender", now)
    press(database, talk, "Skip", now)

    (row,) = rows(database)
    assert (row.gender, row.same_gender) == ("", False)


def test_a_local_student_says_how_many_and_is_a_buddy(database, local_talk, now):
    assert do(database, local_talk, "buddy", {}, now).buttons[0].label == "Be a buddy"
    press(database, local_talk, "Be a buddy", now)
    press(database, local_talk, "I agree", now)
    press(database, local_talk, "Go on", now)
    press(database, local_talk, "Yes", now)
    write(database, local_talk, "30 June 2027", now)
    press(database, local_talk, "Skip", now)
    press(database, local_talk, "Skip", now)
    too_many = write(database, local_talk, "7", now)
    assert too_many is not None
    assert too_many.text.startswith("Between 1 and 5 are possible.")
    press(database, local_talk, "3", now)
    press(database, local_talk, "Go on", now)
    done = press(database, local_talk, "Sign me up", now)

    assert done.text.startswith("Thank you, you are on the list of buddies.")
    (row,) = rows(database)
    assert (row.role, row.capacity, row.arrives_on, row.leaves_on) == ("buddy", 3, None, date(2027, 6, 30))


def test_an_answer_can_be_changed_before_and_after_the_sign_up(database, talk, now):
    to_the_summary(database, talk, now)
    press(database, talk, "Change …", now)
    press(database, talk, "Campus", now)
    summary = press(database, talk, "Bordeaux", now)
    assert "- Campus: Bordeaux" in summary.text
    press(database, talk, "Sign me up", now)

    later = now + timedelta(days=1)
    press(database, talk, "Change my answers", later)
    press(database, talk, "Languages", later)
    press(database, talk, "French", later)
    saved = press(database, talk, "Go on", later)

    assert saved.text.startswith("Your change is saved.")
    (row,) = rows(database)
    assert (row.campus, row.languages, row.signed_up_at, row.updated_at) == ("bordeaux", ["en", "fr"], now, later)


def test_without_a_language_or_a_campus_nobody_is_signed_up(database, now):
    with database.write() as session:
        talk = talk_of(session, make_student(session, now), now)
    do(database, talk, "buddy_start", {}, now)
    press(database, talk, "I agree", now)
    press(database, talk, "✓ English", now)
    for _ in range(5):
        press(database, talk, "Skip", now)
    summary = press(database, talk, "Go on", now)

    assert summary.text.endswith("Without this nobody can be found for you: Languages.")
    assert "Sign me up" not in labels(summary)
    press(database, talk, "Languages", now)
    summary = write(database, talk, "French", now)
    assert summary is not None
    assert summary.text.endswith("Without this nobody can be found for you: Campus.")
    assert rows(database) == []


def test_a_change_of_one_answer_leaves_what_changed_meanwhile(database, talk, now):
    to_the_summary(database, talk, now)
    press(database, talk, "Sign me up", now)
    press(database, talk, "Change my answers", now)
    press(database, talk, "Campus", now)
    with database.write() as session:
        session.scalars(select(BuddyProfile)).one().own_words = "chess"

    press(database, talk, "Bordeaux", now)

    assert (rows(database)[0].campus, rows(database)[0].own_words) == ("bordeaux", "chess")


def test_a_buddy_cannot_lower_the_number_below_the_places_taken(database, now):
    with database.write() as session:
        hugo = person(session, now, "Hugo", is_local=True, capacity=3)
        for name in ("Amina", "Mei"):
            propose(session, person(session, now, name).id, hugo.id, 0.5, [], now, send_at=now)
        talk = talk_of(session, hugo, now)
    do(database, talk, "buddy_change", {}, now)
    press(database, talk, "Number of newcomers", now)

    refused = press(database, talk, "1", now)

    assert refused.text.startswith("You have 2 newcomers now, or proposals of them")
    assert profile(database, 1).capacity == 3
    press(database, talk, "2", now)
    assert profile(database, 1).capacity == 2


def test_pause_and_return(database, talk, now):
    to_the_summary(database, talk, now)
    press(database, talk, "Sign me up", now)

    paused = press(database, talk, "Pause", now)
    assert (rows(database)[0].state, labels(paused)) == ("paused", ["Change my answers", "I am back", "Withdraw"])
    press(database, talk, "I am back", now)

    assert rows(database)[0].state == "signed_up"


def test_a_withdrawal_asks_once_deletes_the_answers_and_can_be_undone_for_a_day(database, talk, now):
    to_the_summary(database, talk, now)
    press(database, talk, "Sign me up", now)
    later = now + timedelta(hours=1)
    press(database, talk, "Withdraw", later)
    assert rows(database)[0].state == "signed_up"

    press(database, talk, "Yes, take me off", later)
    (row,) = rows(database)
    assert (row.state, row.languages, row.interests, row.contact) == ("withdrawn", [], [], {"mail": False})
    press(database, talk, "Undo", later + timedelta(hours=23))

    (row,) = rows(database)
    assert (row.state, row.languages, row.interests, row.contact, row.signed_up_at) == (
        "signed_up",
        ["en"],
        ["sport"],
        {"mail": True},
        now,
    )


def test_after_a_day_a_withdrawal_stays(database, talk, now):
    to_the_summary(database, talk, now)
    press(database, talk, "Sign me up", now)
    press(database, talk, "Withdraw", now)
    press(database, talk, "Yes, take me off", now)

    answer = press(database, talk, "Undo", now + timedelta(hours=24))

    assert rows(database)[0].state == "withdrawn"
    assert labels(answer) == ["Sign up for a buddy"]


def test_the_last_tap_of_a_sign_up_from_before_a_withdrawal_signs_nobody_up(database, talk, now):
    to_the_summary(database, talk, now)
    press(database, talk, "Sign me up", now)
    press(database, talk, "Withdraw", now + timedelta(hours=1))
    press(database, talk, "Yes, take me off", now + timedelta(hours=1))

    again = press(database, talk, "Sign me up", now + timedelta(hours=2))

    assert again.text.startswith("This button belongs to an earlier sign-up, so I changed nothing.")
    assert rows(database)[0].state == "withdrawn"


def test_an_unfinished_sign_up_is_over_after_a_week(database, talk, now):
    to_the_summary(database, talk, now)

    press(database, talk, "Sign me up", now + timedelta(days=8))

    assert rows(database) == []


def test_the_sign_up_of_somebody_else_in_the_same_conversation_is_not_taken_over(database, talk, now):
    to_the_summary(database, talk, now)
    with database.write() as session:
        session.get_one(Conversation, talk).student_id = make_student(session, now, "Mei").id

    press(database, talk, "Sign me up", now)

    assert rows(database) == []


@pytest.mark.parametrize("label", ["Sign me up", "Change …"])
def test_an_unlinked_conversation_is_asked_to_link(database, talk, now, label):
    to_the_summary(database, talk, now)
    with database.write() as session:
        session.get_one(Conversation, talk).student_id = None

    assert labels(press(database, talk, label, now)) == ["Link my record"]
    assert rows(database) == []


def test_signing_up_twice_is_told_the_state(database, talk, now):
    to_the_summary(database, talk, now)
    press(database, talk, "Sign me up", now)

    again = press(database, talk, "Sign me up", now)

    assert again.text.startswith("You are signed up for a buddy since 24 November 2026")
    assert len(rows(database)) == 1


def test_a_stranger_is_asked_to_link_first(database, now):
    with database.write() as session:
        talk = make_conversation(session, now).id

    for effect in buddy_deeds(INTERESTS, WEIGHTS, ()).effects:
        if effect != "buddy_refuse":
            assert labels(do(database, talk, effect, {}, now)) == ["Link my record"]


def test_signing_up_is_a_step_of_the_path(database, talk, now):
    deeds = buddy_deeds(INTERESTS, WEIGHTS, load_procedures(ROOT / "knowledge" / "procedures"))
    to_the_summary(database, talk, now)

    press(database, talk, "Sign me up", now, deeds=deeds)

    with database.read() as session:
        assert [(each.step, each.done_on) for each in session.scalars(select(StepDone))] == [
            ("buddy_sign_up", now.date())
        ]


def test_the_sign_up_speaks_french(database, now):
    with database.write() as session:
        talk = talk_of(session, make_student(session, now, **FACTS), now, "fr")
    do(database, talk, "buddy_start", {}, now)
    do(database, talk, "buddy_agree", {}, now)

    write(database, talk, "espagnol, anglais et allemand", now)

    assert prompt_of(database, talk)["draft"]["languages"] == ["es", "en", "de"]
