"""What the bot says about buddies is the person's own state."""

from datetime import datetime, timedelta

import pytest

from bot.buddies.answer import Said, buddy_answer
from bot.buddies.models import (
    BuddyPairing,
    BuddyRun,
    BuddyRunRow,
    EndReason,
    PairingState,
    ProfileState,
    Reply,
    RunState,
)
from bot.buddies.profiles import profile_of
from bot.db.session import Database
from bot.students.models import Student
from tests.factories import make_student
from tests.integration.buddies.cast import labels, person

REASONS = [
    {"code": "languages", "values": {"languages": ["fr", "en"]}},
    {"code": "interests", "values": {"interests": ["cooking", "chess"]}},
]
ON_THE_LIST = ["Change my answers", "Pause", "Withdraw"]


@pytest.fixture
def pair(database: Database, now: datetime) -> tuple[int, int]:
    """Amina and Hugo, who were asked yesterday."""
    with database.write() as session:
        amina = person(session, now, "Amina")
        hugo = person(session, now, "Hugo", is_local=True, languages=["fr", "en"])
        yesterday = now - timedelta(days=1)
        session.add(
            BuddyPairing(
                newcomer_id=amina.id,
                buddy_id=hugo.id,
                state=PairingState.PROPOSED,
                score=0.5,
                reasons=REASONS,
                planned_at=yesterday,
                send_at=yesterday,
                newcomer_asked_at=yesterday,
                buddy_asked_at=yesterday,
            )
        )
        return amina.id, hugo.id


def change(database: Database, **values: object) -> None:
    with database.write() as session:
        pairing = session.get_one(BuddyPairing, 1)
        for name, value in values.items():
            setattr(pairing, name, value)


def said_to(database: Database, student_id: int, now: datetime, language: str = "en") -> Said:
    with database.read() as session:
        return buddy_answer(session, session.get_one(Student, student_id), language, now)


@pytest.mark.parametrize(
    ("facts", "is_local", "first", "button"),
    [
        ({"wants_buddy": True}, False, "You have no buddy yet: you asked for one", "Sign up for a buddy"),
        ({"wants_buddy": False}, False, "You are not signed up for a buddy", "Sign up for a buddy"),
        ({}, False, "You are not signed up for a buddy", "Sign up for a buddy"),
        ({}, True, "You are not on the list of buddies.", "Be a buddy"),
    ],
)
def test_who_is_not_signed_up_is_told_how(database, now, facts, is_local, first, button):
    with database.write() as session:
        student = make_student(session, now, **facts)
        student.is_local = is_local
    said = said_to(database, 1, now)

    assert said.text.startswith(first)
    assert labels(said) == [button]


def test_who_waits_hears_the_place_and_what_is_missing(database, now):
    with database.write() as session:
        for name in ("Mei", "Amina"):
            person(session, now, name, languages=["es", "pt-BR"])
        run = BuddyRun(
            made_at=now,
            weights={},
            missing=[
                {"campus": "bordeaux", "language": "es", "count": 9},
                {"campus": "lille", "language": "es", "count": 4},
            ],
            state=RunState.PUBLISHED,
        )
        run.rows.append(BuddyRunRow(newcomer_id=2, reasons=[], why_none="language", position=2))
        session.add(run)

    said = said_to(database, 2, now)

    assert said.text == (
        "You are signed up for a buddy since 24 November 2026, and nobody is proposed yet. Your place on the waiting "
        "list: 2. No buddy at this campus speaks one of these languages. What is missing: 4 more buddies in Lille who "
        "speak Spanish. I write to you as soon as somebody fits."
    )
    assert labels(said) == ON_THE_LIST


def test_a_buddy_who_waits_hears_how_many_places_are_free(database, now):
    with database.write() as session:
        person(session, now, "Hugo", is_local=True, capacity=2)

    assert said_to(database, 1, now).text == (
        "You are on the list of buddies since 24 November 2026, and nobody is proposed yet. You have room for 2 "
        "newcomers."
    )


def test_what_is_only_planned_is_not_told(database, pair, now):
    change(database, state=PairingState.PLANNED, newcomer_asked_at=None, buddy_asked_at=None)

    assert "Hugo" not in said_to(database, pair[0], now).text
    assert "Amina" not in said_to(database, pair[1], now).text


def test_an_open_question_comes_with_its_buttons_and_without_contact(database, pair, now):
    said = said_to(database, pair[0], now)

    assert said.text == (
        "I proposed Hugo to you on 23 November 2026, and you have not answered yet.\n\n"
        "Why you two:\n\n"
        "- You both speak French, English.\n"
        "- You both like: cooking, chess.\n\n"
        "Would you two like to be buddies? Contact details are exchanged once you both said yes."
    )
    assert labels(said) == ["Yes, gladly", "No"]


def test_the_reasons_are_in_the_language_of_the_reader(database, pair, now):
    assert "la cuisine, chess" in said_to(database, pair[0], now, "fr").text
    assert "français, anglais" in said_to(database, pair[0], now, "fr").text


def test_a_yes_that_waits_for_the_other_is_told_with_its_day(database, pair, now):
    change(database, newcomer_said=Reply.YES, newcomer_said_at=now)

    assert said_to(database, pair[0], now).text == (
        "Hugo and you are proposed to each other. You accepted on 24 November 2026. Hugo has not answered yet: I "
        "remind them after three days, and after two more I look for somebody else."
    )
    assert labels(said_to(database, pair[1], now)) == ["Yes, gladly", "No"]


def test_an_accepted_pair_is_told_with_the_day_the_languages_the_reasons_and_the_contact(database, pair, now):
    change(
        database,
        state=PairingState.ACCEPTED,
        newcomer_said=Reply.YES,
        newcomer_said_at=now - timedelta(days=82),
        buddy_said=Reply.YES,
        buddy_said_at=now,
        accepted_at=now,
    )

    said = said_to(database, pair[0], now)

    assert said.text == (
        "Your buddy is Hugo. You accepted on 3 September 2026. Hugo speaks: French, English.\n\n"
        "Why you two:\n\n"
        "- You both speak French, English.\n"
        "- You both like: cooking, chess.\n\n"
        "This is how you reach Hugo: hugo@student.junia.com, Hugo on the phone"
    )
    assert labels(said) == ["Something is wrong", *ON_THE_LIST]
    assert said_to(database, pair[1], now).text.startswith("You are the buddy of Amina. You accepted on 24 November")


@pytest.mark.parametrize(
    ("state", "accepted", "first"),
    [
        (PairingState.ENDED, True, "Your pair with Hugo ended on 24 November 2026."),
        (PairingState.DECLINED, False, "The proposal of Hugo came to nothing on 24 November 2026."),
        (PairingState.EXPIRED, False, "The proposal of Hugo came to nothing on 24 November 2026."),
    ],
)
def test_what_is_over_is_told_before_the_waiting(database, pair, now, state, accepted, first):
    change(database, state=state, ended_at=now, end_reason=EndReason.PLANS, accepted_at=now if accepted else None)

    said = said_to(database, pair[0], now)

    assert said.text.startswith(f"{first} You are signed up for a buddy since 24 November 2026")
    assert "plans" not in said.text


@pytest.mark.parametrize(
    ("state", "text", "buttons"),
    [
        (ProfileState.PAUSED, "Your sign-up is paused", ["Change my answers", "I am back", "Withdraw"]),
        (ProfileState.WITHDRAWN, "You withdrew on 24 November 2026", ["Sign up for a buddy"]),
    ],
)
def test_who_paused_or_withdrew_is_told_so(database, now, state, text, buttons):
    with database.write() as session:
        person(session, now, "Amina")
        profile = profile_of(session, 1)
        profile.state, profile.updated_at = state, now

    said = said_to(database, 1, now)

    assert said.text.startswith(text)
    assert labels(said) == buttons


def test_a_name_from_outside_is_no_markdown(database, pair, now):
    with database.write() as session:
        session.get_one(Student, pair[1]).given_name = "**Hugo**\n[x](http://example.org)"

    assert said_to(database, pair[0], now).text.startswith("I proposed Hugo x(http://example.org) to you on")
