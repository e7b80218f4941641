"""What a student hears of the own French class, and what became of the enrolments of the first table."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from alembic import command

from bot.bookings.service import book, cancel
from bot.courses.certificates import finish_request, open_requests, request_certificate
from bot.courses.levels import confirm_level, level_of, unconfirmed
from bot.courses.models import Placement
from bot.courses.records import french_answer
from bot.db.migrate import alembic_config
from bot.tables import METADATA
from tests.factories import make_staff, make_student
from tests.integration.bookings.desk import make_class, notes

WEEKLY = [timedelta(days=7 * week) for week in range(-1, 3)]


def weekly(now):
    return [(now + each, now + each + timedelta(hours=2)) for each in WEEKLY]


def test_a_class_is_said_with_level_and_hours(database, now):
    with database.write() as session:
        amina = make_student(session, now)
        confirm_level(session, amina, "A2", now, staff_id=make_staff(session, now).id)
        french = make_class(session, now, meetings=weekly(now), room="B12")
        book(session, amina, french.id, now - timedelta(days=1))

        text, buttons = french_answer(session, amina, "en", now)

    assert text == (
        "Your French class is French A2, your level A2. It meets every Tuesday, 12:00 to 14:00, next on 24 November "
        "2026, until 8 December 2026. Where: Lille, B12."
    )
    assert [button.label for button in buttons] == [
        "Add to my calendar",
        "Cancel",
        "Ask for a certificate",
        "Other French classes",
    ]


@pytest.mark.parametrize(
    ("level", "text", "effects"),
    [
        (
            None,
            "You have no French class yet, and your level is not in your record. You can see which classes there are, "
            "and check your level yourself.",
            ["show_classes", "placement_start"],
        ),
        ("B1", "You have no French class yet; your level is B1.", ["show_classes"]),
    ],
)
def test_without_a_class_the_way_to_one_is_shown(database, now, level, text, effects):
    with database.write() as session:
        amina = make_student(session, now)
        if level is not None:
            session.add(Placement(student_id=amina.id, level=level))
            session.flush()

        said, buttons = french_answer(session, amina, "en", now)

    assert (said, [button.payload["effect"] for button in buttons]) == (text, effects)


def test_a_class_that_is_over_and_a_place_in_line_are_said(database, now):
    with database.write() as session:
        amina, mei = make_student(session, now), make_student(session, now, "Mei")
        old, new = make_class(session, now, "old", hours=1), make_class(session, now, "new", hours=500)
        book(session, amina, old.id, now)
        own = book(session, mei, new.id, now).booking
        later = now + timedelta(days=3)
        book(session, amina, new.id, later, may_wait=True)

        waiting, _ = french_answer(session, amina, "en", later)
        cancel(session, mei, own.id, later)
        held, buttons = french_answer(session, amina, "en", later)

    first = "Your last French class was old (A2); it is over.\n\nnew (A2): "
    assert waiting == f"{first}You are on the waiting list, number 1 in line."
    assert held == (
        f"{first}A place is kept for you until Saturday, 28 November 2026, 12:00 (French time): take it, or it goes to "
        "the next in line."
    )
    assert buttons[0].label == "Take the place"


def test_a_confirmed_level_counts_before_the_self_check(database, now):
    with database.write() as session:
        amina, claire = make_student(session, now), make_staff(session, now)
        session.add(Placement(student_id=amina.id, level="A2", taken_at=now))
        session.flush()
        assert (level_of(session, amina.id), len(unconfirmed(session))) == ("A2", 1)

        assert confirm_level(session, amina, "B1", now, staff_id=claire.id)
        assert not confirm_level(session, amina, "B1", now, staff_id=claire.id)

        assert (level_of(session, amina.id), len(unconfirmed(session))) == ("B1", 0)


def test_a_certificate_is_made_once_and_told(database, now):
    with database.write() as session:
        amina, claire, french = make_student(session, now), make_staff(session, now), make_class(session, now)
        first, is_new = request_certificate(session, amina, french, now)
        assert (is_new, request_certificate(session, amina, french, now)) == (True, (first, False))

        assert finish_request(session, first.id, now, staff_id=claire.id)
        assert not finish_request(session, first.id, now, staff_id=claire.id)

        assert (open_requests(session), [name for name, _ in notes(session)]) == ([], ["Amina"])


def test_enrolments_of_the_first_table_are_carried_over(database, now):
    METADATA.drop_all(database.engine.execution_options(writes=True))
    config = alembic_config()
    with database.engine.connect().execution_options(writes=True) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "access_tokens")
        for number, (level, name, session_day) in enumerate(
            [("B1", "French B1", date(2026, 9, 29)), ("B1", "French B1", date(2026, 9, 29)), ("A2", None, None)],
            start=1,
        ):
            connection.execute(
                sa.text(
                    "INSERT INTO students "
                    "(id, email, given_name, family_name, language, facts, created_at, updated_at) VALUES "
                    "(:id, :email, 'A', 'B', 'en', '{}', :now, :now)"
                ).bindparams(id=number, email=f"a{number}@student.junia.com", now=now.replace(tzinfo=None))
            )
            connection.execute(
                sa.text(
                    "INSERT INTO course_enrolments (student_id, level, class_name, weekday, starts_at, first_session) "
                    "VALUES (:id, :level, :name, 1, '18:15', :day)"
                ).bindparams(id=number, level=level, name=name, day=session_day)
            )
        command.upgrade(config, "head")
        rows = connection.execute(
            sa.text("SELECT b.student_id, o.title, o.level, b.state FROM bookings b JOIN offers o ON o.id = b.offer_id")
        ).all()
        levels = connection.execute(
            sa.text("SELECT student_id, confirmed_level FROM placements ORDER BY student_id")
        ).all()
        meetings = connection.execute(sa.text("SELECT starts_at FROM meetings")).scalars().all()
        tables = sa.inspect(connection).get_table_names()
        command.downgrade(config, "base")
        connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
        connection.commit()

    assert [(student, "French B1" in str(title), level, state) for student, title, level, state in sorted(rows)] == [
        (1, True, "B1", "booked"),
        (2, True, "B1", "booked"),
    ]
    assert [tuple(row) for row in levels] == [(1, "B1"), (2, "B1"), (3, "A2")]
    assert ["16:15" in str(each) for each in meetings] == [True]
    assert "course_enrolments" not in tables
