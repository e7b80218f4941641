"""The file that a calendar program reads, read again by two parsers that did not write it, one of them by hand."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import icalendar
import pytest
import vobject

from bot.calendars.feed import Appointment, Deadline, as_ics

CHANGED = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
DEADLINE = Deadline(
    key="student/1/step/validate_visa",
    title="Validate your visa",
    text="By 12 December 2026, because you arrived; pay the tax,\nand keep the paper.",
    day=date(2026, 12, 12),
    changed_at=CHANGED,
    url="https://example.org/do",
)
COACHING = Appointment(
    key="student/1/meeting/7",
    title="Coaching",
    text="",
    starts_at=datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    ends_at=datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    changed_at=CHANGED,
    place="Lille",
)


def unfolded(body: bytes) -> list[str]:
    """The content lines (RFC 5545, 3.1), joined where they were folded."""
    assert body.endswith(b"\r\n")
    assert max(len(line) for line in body.split(b"\r\n")) <= 75
    return body.decode().replace("\r\n ", "").split("\r\n")[:-1]


def one(deadline: Deadline = DEADLINE) -> Any:
    (event,) = vobject.readOne(as_ics("My steps", [deadline], []).decode()).vevent_list
    return event


def test_the_calendar_says_its_name_and_how_often_to_look_again() -> None:
    head = unfolded(as_ics("Mes étapes à JUNIA", [], []))

    assert sorted(head) == sorted(
        [
            "BEGIN:VCALENDAR",
            "METHOD:PUBLISH",
            "NAME:Mes étapes à JUNIA",
            "PRODID:-//Accueil//Calendar//EN",
            "REFRESH-INTERVAL;VALUE=DURATION:PT12H",
            "VERSION:2.0",
            "X-PUBLISHED-TTL:PT12H",
            "X-WR-CALNAME:Mes étapes à JUNIA",
            "END:VCALENDAR",
        ]
    )


def test_a_deadline_takes_its_whole_day_and_makes_nobody_busy() -> None:
    lines = unfolded(as_ics("My steps", [DEADLINE], []))
    event = one()

    assert [line for line in lines if line.startswith("DT")] == [
        "DTSTART;VALUE=DATE:20261212",
        "DTEND;VALUE=DATE:20261213",
        "DTSTAMP:20261124T110000Z",
    ]
    assert (event.dtstart.value, event.dtend.value) == (date(2026, 12, 12), date(2026, 12, 13))
    assert (event.summary.value, event.description.value) == (DEADLINE.title, DEADLINE.text)
    assert (event.status.value, event.transp.value, event.url.value) == ("CONFIRMED", "TRANSPARENT", DEADLINE.url)
    assert getattr(event, "class").value == "PRIVATE"


def test_it_rings_at_nine_a_week_before_and_the_day_before() -> None:
    alarms = one().valarm_list
    midnight = datetime(2026, 12, 12)  # noqa: DTZ001  (an all-day event is on the clock of whoever reads it)

    assert [midnight + alarm.trigger.value for alarm in alarms] == [
        datetime(2026, 12, 5, 9),  # noqa: DTZ001
        datetime(2026, 12, 11, 9),  # noqa: DTZ001
    ]
    assert {(alarm.action.value, alarm.description.value) for alarm in alarms} == {("DISPLAY", DEADLINE.title)}


@pytest.mark.parametrize(("tentative", "status"), [(False, "CONFIRMED"), (True, "TENTATIVE")])
def test_a_date_that_may_move_is_tentative(tentative: bool, status: str) -> None:
    assert one(replace(DEADLINE, tentative=tentative)).status.value == status


def test_the_uid_stays_whatever_changes_and_the_sequence_grows() -> None:
    first = one()
    second = one(replace(DEADLINE, title="Other", day=date(2027, 1, 3), changed_at=CHANGED + timedelta(seconds=1)))
    other = one(replace(DEADLINE, key="student/2/step/validate_visa"))

    assert first.uid.value == second.uid.value != other.uid.value
    assert int(second.sequence.value) == int(first.sequence.value) + 1
    assert (first.last_modified.value, second.last_modified.value) == (CHANGED, CHANGED + timedelta(seconds=1))


def test_a_sequence_fits_the_32_bits_that_programs_keep_it_in_for_decades_and_is_never_negative() -> None:
    late, early = (
        int(one(replace(DEADLINE, changed_at=day)).sequence.value)
        for day in (datetime(2086, 1, 1, tzinfo=UTC), datetime(2019, 1, 1, tzinfo=UTC))
    )

    assert (late < 2**31, early) == (True, 0)


def test_an_appointment_is_at_its_instant_also_in_the_night_when_the_clocks_change() -> None:
    body = as_ics("My steps", [], [COACHING])
    (event,) = vobject.readOne(body.decode()).vevent_list

    assert (event.dtstart.value, event.dtend.value) == (COACHING.starts_at, COACHING.ends_at)
    assert "DTSTART:20261025T003000Z" in unfolded(body)
    assert (event.location.value, event.contents.get("valarm")) == ("Lille", None)


def test_long_words_in_every_script_are_folded_and_read_back() -> None:
    text = "验证您的签证，" * 30 + "\nتأكيد تأشيرتك؛ " * 10 + "; , \\ ends"
    body = as_ics("我的步骤", [replace(DEADLINE, title="验证签证", text=text)], [])
    unfolded(body)
    (event,) = icalendar.Calendar.from_ical(body).walk("VEVENT")

    assert (str(event["summary"]), str(event["description"])) == ("验证签证", text)
    assert one(replace(DEADLINE, text=text)).description.value == text


def test_the_same_dates_give_the_same_bytes() -> None:
    assert as_ics("My steps", [DEADLINE], [COACHING]) == as_ics("My steps", [DEADLINE], [COACHING])
