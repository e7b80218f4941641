"""From the bytes of a file to offers, or to everything that is wrong with it."""

from datetime import UTC, datetime

import pytest

from bot.bookings.importing import COLUMNS, read_clock, read_meetings, read_plan
from bot.bookings.rules import Span
from bot.students.findings import Refused

HEADER = ",".join(COLUMNS)
CLASS = "f-a2,french_class,French A2,Français A2,,lille,A2,12,B12,Claire,{date},{starts},{ends},{until}"


def plan_of(*lines: str, header: str = HEADER):
    return read_plan("\n".join((header, *lines)).encode())


def a_class(date="2026-10-20", starts="18:00", ends="20:00", until=""):
    return CLASS.format(date=date, starts=starts, ends=ends, until=until)


def faults(plan):
    return [(each.line, each.field, each.value) for each in plan.faults]


def test_a_line_is_an_offer_with_its_weeks():
    plan = plan_of(a_class(until="2026-11-03"))

    offer = plan.offers[0]
    assert plan.faults == ()
    assert (
        offer.code,
        offer.kind,
        offer.title_fr,
        offer.campus,
        offer.level,
        offer.places,
        offer.room,
        offer.host,
    ) == (
        "f-a2",
        "french_class",
        "Français A2",
        "lille",
        "A2",
        12,
        "B12",
        "Claire",
    )
    assert [each.starts_at.hour for each in offer.meetings] == [16, 17, 17]


@pytest.mark.parametrize("date", ["2026-10-20", "20/10/2026", "20 octobre 2026", "20 oct. 2026"])
@pytest.mark.parametrize("starts", ["18:00", "18h", "18h00"])
def test_days_and_hours_may_be_written_the_french_way(date, starts):
    plan = plan_of(a_class(date=date, starts=starts))

    start, end = datetime(2026, 10, 20, 16, tzinfo=UTC), datetime(2026, 10, 20, 18, tzinfo=UTC)
    assert plan.offers[0].meetings == (Span(start, end),)


def test_lines_of_one_code_are_its_meetings_and_need_not_repeat_the_rest():
    plan = plan_of(a_class(), "f-a2,french class,French A2,,,,,,,,2026-10-22,12:00,13:00,", a_class(date="2026-10-27"))

    assert faults(plan) == [(3, "kind", "french class")]
    plan = plan_of(a_class(), "f-a2,french_class,French A2,,,,,,,,2026-10-22,12:00,13:00,")
    assert (plan.faults, len(plan.offers), len(plan.offers[0].meetings)) == ((), 1, 2)


def test_words_of_the_office_are_understood():
    plan = plan_of(
        "a,Rendez-vous,Coaching,,career,Châteauroux,,,,,20/10/2026,9h30,10h15,",
        "b,Événement,Party,,,,,,,,20/10/2026,18:00,20:00,",
    )

    slot, event = plan.offers
    assert plan.faults == ()
    assert (slot.kind, slot.campus, slot.places) == ("appointment", "chateauroux", 1)
    assert (event.kind, event.campus, event.places) == ("event", None, None)


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        (a_class(date="20/10/26"), [("date", "20/10/26")]),
        (a_class(date="10/20/2026"), [("date", "10/20/2026")]),
        (a_class(date="2026-02-30"), [("date", "2026-02-30")]),
        (a_class(date=""), [("date", "")]),
        (a_class(starts="25:00"), [("starts", "25:00")]),
        (a_class(starts="6pm"), [("starts", "6pm")]),
        (a_class(ends="17:00"), [("ends", "17:00")]),
        (a_class(until="2026-10-01"), [("weekly_until", "2026-10-01")]),
        (a_class(date="2026-10-25", starts="02:30"), [("starts", "02:30")]),
        (a_class().replace("A2,12", "A7,12"), [("level", "A7")]),
        (a_class().replace("A2,12", "A2,many"), [("places", "many")]),
        (a_class().replace("A2,12", "A2,-3"), [("places", "-3")]),
        (a_class().replace("lille", "paris"), [("campus", "paris")]),
        (a_class().replace("french_class", "course"), [("kind", "course")]),
        (a_class().replace("f-a2", ""), [("code", "")]),
        (a_class().replace("f-a2", "=cmd()"), [("code", "=cmd()")]),
        (a_class().replace("A2,12", ",12"), [("level", "")]),
    ],
)
def test_a_fault_is_named_by_line_field_and_value(line, fields):
    plan = plan_of(a_class(date="2026-12-01").replace("f-a2", "ok"), line)

    assert faults(plan) == [(3, *each) for each in fields]


def test_all_faults_are_named_not_the_first():
    plan = plan_of(a_class(date="soon", starts="late"), a_class(date="2026-10-27").replace("lille", "paris"))

    assert [each[:2] for each in faults(plan)] == [(2, "date"), (2, "starts"), (3, "campus")]


@pytest.mark.parametrize(
    ("content", "line", "field"),
    [
        (b"", None, ""),
        (b"code,kind\na,event\n", 1, "title_en"),
        ((HEADER + ",date\n").encode(), 1, "date"),
        ((HEADER + "\n").encode(), None, ""),
        (b"\x00\x01\x02", None, ""),
    ],
)
def test_a_file_that_is_no_table_of_offers_is_refused(content, line, field):
    plan = read_plan(content)

    assert plan.offers == ()
    assert (plan.faults[0].line, plan.faults[0].field) == (line, field)


def test_a_column_that_is_not_read_is_warned_of():
    plan = plan_of(a_class() + ",blue", header=HEADER + ",Colour")

    assert (plan.faults, [each.field for each in plan.warnings]) == ((), ["Colour"])


def test_semicolons_and_windows_letters_are_read():
    text = "\n".join((HEADER, a_class())).replace(",", ";")

    assert read_plan(text.encode("cp1252")).offers[0].title_fr == "Français A2"


@pytest.mark.parametrize("text", ["24:00", "", "18:60", "1800", "noon"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(Refused):
        read_clock(text)


def test_meetings_of_the_console_are_read_by_line():
    spans, wrong = read_meetings("2026-12-01 18:00-20:00\n\n08/12/2026 18h - 20h\nsoon\n2026-12-15 20:00-18:00")

    assert [each.starts_at.isoformat() for each in spans] == ["2026-12-01T17:00:00+00:00", "2026-12-08T17:00:00+00:00"]
    assert [(each.line, each.value) for each in wrong] == [(4, "soon"), (5, "2026-12-15 20:00-18:00")]
