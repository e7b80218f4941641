"""Days, quiet hours, the limit per week and what goes into one message."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import PARIS, day_in_france
from bot.paperwork.rules import Step, assess
from bot.paperwork.schema import Procedure
from bot.reminders.models import ReminderKind
from bot.reminders.rules import (
    MOST_A_WEEK,
    WEEK,
    Decision,
    Job,
    Known,
    booking_moments,
    day_to_plan,
    decide,
    goes_to_chat,
    is_concerned,
    is_quiet,
    is_withheld,
    morning_of,
    next_allowed,
    reminder_days,
)
from bot.students.facts import facts_from

TODAY = date(2026, 11, 24)
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=PARIS)
"""A Tuesday."""
INSTANTS = st.datetimes(datetime(2026, 7, 1), datetime(2028, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001  (the zone is added)


def paris(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=PARIS)


@pytest.mark.parametrize(
    ("instant", "quiet"),
    [
        (paris(2026, 11, 24, 7, 59), True),
        (paris(2026, 11, 24, 8, 0), False),
        (paris(2026, 11, 24, 19, 59), False),
        (paris(2026, 11, 24, 20, 0), True),
        (paris(2026, 11, 22, 12, 0), True),  # Sunday
        (paris(2026, 12, 25, 12, 0), True),  # public holiday
        (paris(2027, 3, 29, 12, 0), True),  # Easter Monday
        (paris(2026, 11, 28, 12, 0), False),  # Saturday
    ],
)
def test_quiet_are_the_night_sundays_and_public_holidays(instant: datetime, quiet: bool):
    assert is_quiet(instant) is quiet


@pytest.mark.parametrize(
    ("instant", "allowed"),
    [
        (paris(2026, 11, 24, 12, 0), paris(2026, 11, 24, 12, 0)),
        (paris(2026, 11, 24, 3, 0), paris(2026, 11, 24, 9, 0)),
        (paris(2026, 11, 24, 20, 0), paris(2026, 11, 25, 9, 0)),
        (paris(2026, 11, 28, 21, 0), paris(2026, 11, 30, 9, 0)),
        (paris(2026, 12, 24, 20, 30), paris(2026, 12, 26, 9, 0)),
        (paris(2027, 3, 27, 22, 0), paris(2027, 3, 30, 9, 0)),  # Sunday of the change of clocks, Easter Monday
    ],
)
def test_what_must_wait_goes_out_in_the_next_allowed_morning(instant: datetime, allowed: datetime):
    assert next_allowed(instant) == allowed


@pytest.mark.parametrize(
    ("day", "utc"),
    [
        (date(2026, 10, 24), datetime(2026, 10, 24, 7, 0, tzinfo=UTC)),
        (date(2026, 10, 26), datetime(2026, 10, 26, 8, 0, tzinfo=UTC)),
        (date(2027, 3, 27), datetime(2027, 3, 27, 8, 0, tzinfo=UTC)),
        (date(2027, 3, 30), datetime(2027, 3, 30, 7, 0, tzinfo=UTC)),
    ],
)
def test_nine_in_the_morning_stays_nine_when_the_clocks_change(day: date, utc: datetime):
    assert morning_of(day).astimezone(UTC) == utc


@given(INSTANTS)
def test_an_allowed_instant_is_never_quiet_and_never_earlier(instant: datetime):
    allowed = next_allowed(instant)

    assert not is_quiet(allowed)
    assert allowed >= instant
    assert next_allowed(allowed) == allowed


SMALL = {
    "title": {"en": "Do it", "fr": "Le faire"},
    "who": [{"when": "always", "then": "applies", "because": {"en": "The rule.", "fr": "La règle."}}],
    "legal_duty": False,
    "do": {"en": "Do it.", "fr": "Faites-le."},
    "late": {"en": "Do it today.", "fr": "Faites-le aujourd'hui."},
    "sources": [{"title": "A source", "url": "https://example.org/", "checked_on": "2026-11-23"}],
    "facts": ["CVEC-01"],
    "valid_from": "2026-01-01",
    "valid_until": "2027-01-01",
    "owner": "international_office",
}


class Maker:
    """Steps of small procedures as they stand on a day."""

    def __init__(self, a_procedure) -> None:
        self._make = a_procedure

    def days(self, today: date = TODAY, facts: dict | None = None, **changes) -> list[date]:
        procedure = self._make(**changes)
        known = facts_from(facts or {})
        return sorted(reminder_days(procedure, assess(procedure, known, today), known, today))

    def step(self, slug: str = "validate_visa", today: date = TODAY, facts: dict | None = None, **changes) -> Step:
        return assess(self._make(slug, **changes), facts_from(facts or {}), today)


@pytest.fixture
def make(a_procedure) -> Maker:
    return Maker(a_procedure)


def test_a_step_is_reminded_of_two_weeks_and_three_days_before_and_once_when_it_is_missed(make: Maker):
    days = make.days(facts={"visa_start": "2026-12-12"}, due="visa_start")

    assert days == [date(2026, 11, 28), date(2026, 12, 9), date(2026, 12, 13)]


def test_a_procedure_with_days_of_its_own_has_these_up_to_its_date(make: Maker):
    formulas = ["visa_start + 7 days", "visa_start + 30 days", "visa_start + 400 days"]
    days = make.days(facts={"visa_start": "2026-09-12"}, due="visa_start + 3 months", remind=formulas)

    assert days == [date(2026, 9, 19), date(2026, 10, 12), date(2026, 12, 13)]


def test_the_day_on_which_a_legal_duty_opens_is_one_of_its_days_and_of_no_other_step(make: Maker):
    facts = {"visa_expiry": "2027-08-31"}
    dates = {"opens": "visa_expiry - 4 months", "due": "visa_expiry - 2 months"}

    assert make.days(facts=facts, legal_duty=True, **dates)[0] == date(2027, 4, 30)
    assert make.days(facts=facts, legal_duty=False, **dates)[0] == date(2027, 6, 16)


def test_a_step_without_a_date_has_no_reminder(make: Maker):
    assert make.days() == []
    assert make.days(due="visa_start") == []


def test_of_the_days_that_have_come_the_newest_is_planned_unless_it_is_long_ago():
    days = [date(2026, 11, 20), date(2026, 11, 22), date(2026, 11, 25)]

    assert day_to_plan(days, date(2026, 11, 24)) == date(2026, 11, 22)
    assert day_to_plan(days, date(2026, 11, 25)) == date(2026, 11, 25)
    assert day_to_plan(days, date(2026, 11, 28)) is None


def moments(first: datetime, booked_at: datetime, *, is_appointment: bool) -> list[datetime]:
    return sorted(booking_moments(first, booked_at, is_appointment=is_appointment).values())


def test_a_booking_is_reminded_of_in_the_evening_before_and_an_appointment_two_hours_before_as_well():
    booked_at = paris(2026, 11, 1, 12, 0)
    first = paris(2026, 11, 25, 14, 0)

    assert moments(first, booked_at, is_appointment=False) == [paris(2026, 11, 24, 17, 0)]
    assert moments(first, booked_at, is_appointment=True) == [paris(2026, 11, 24, 17, 0), paris(2026, 11, 25, 12, 0)]


def test_before_a_monday_the_evening_is_that_of_saturday_and_an_early_appointment_has_no_reminder_at_night():
    booked_at = paris(2026, 11, 1, 12, 0)

    assert moments(paris(2026, 11, 30, 9, 0), booked_at, is_appointment=True) == [paris(2026, 11, 28, 17, 0)]
    assert moments(paris(2026, 11, 30, 10, 0), booked_at, is_appointment=True) == [
        paris(2026, 11, 28, 17, 0),
        paris(2026, 11, 30, 8, 0),
    ]


def test_what_was_booked_after_the_evening_before_is_not_reminded_of_at_once():
    booked_at = paris(2026, 11, 24, 18, 0)

    assert moments(paris(2026, 11, 25, 14, 0), booked_at, is_appointment=False) == []
    assert moments(paris(2026, 11, 25, 14, 0), booked_at, is_appointment=True) == [paris(2026, 11, 25, 12, 0)]


def test_on_the_morning_after_the_clocks_change_the_evening_before_is_still_at_five():
    # 25 October 2026 is a Sunday: the evening is that of Saturday, on summer time.
    found = moments(paris(2026, 10, 26, 14, 0), paris(2026, 10, 1, 12, 0), is_appointment=False)

    assert [each.astimezone(UTC) for each in found] == [datetime(2026, 10, 24, 15, 0, tzinfo=UTC)]


DUE = date(2026, 11, 27)
THREE_DAYS_BEFORE = date(2026, 11, 24)
SLUGS = ("validate_visa", "cvec", "housing_aid", "bank_account", "lease")


def job(slug: str = "validate_visa", day: date = THREE_DAYS_BEFORE, kind: ReminderKind = ReminderKind.STEP) -> Job:
    return Job(None, 1, kind, slug, day, morning_of(day))


def known(make: Maker, *slugs: str, legal: tuple[str, ...] = (), due: date = DUE, **more) -> Known:
    """Everybody's steps are due on one day."""
    steps = {
        slug: make.step(slug, facts={"visa_start": due.isoformat()}, due="visa_start", legal_duty=slug in legal)
        for slug in slugs or SLUGS[:1]
    }
    days = {slug: frozenset({due - timedelta(days=3), due + timedelta(days=1)}) for slug in steps}
    return Known(steps=steps, days=days, **more)


def outcome(decision: Decision) -> tuple[list[str], list[tuple[str, datetime, str]], list[tuple[str, str]]]:
    """(slugs told, moved, skipped)."""
    return (
        [step.slug for step in decision.steps],
        [(each.job.subject, each.until, each.why) for each in decision.moved],
        [(each.job.subject, each.reason) for each in decision.skipped],
    )


def test_what_is_due_and_open_is_sent(make: Maker):
    decision = decide([job()], known(make), NOON)

    assert outcome(decision) == (["validate_visa"], [], [])
    assert decision.sent == (job(),)


def test_several_steps_become_one_message_with_the_most_urgent_first_and_the_rest_counted(make: Maker):
    state = known(make, *SLUGS, legal=("lease",))
    decision = decide([job(slug) for slug in SLUGS], state, NOON)

    assert outcome(decision) == (
        ["lease", "bank_account", "cvec"],
        [],
        [("validate_visa", "counted"), ("housing_aid", "counted")],
    )
    assert decision.more == 2


def test_a_duty_that_does_not_fit_comes_the_next_morning(make: Maker):
    state = known(make, *SLUGS, legal=SLUGS)
    decision = decide([job(slug) for slug in SLUGS], state, NOON)

    assert outcome(decision) == (
        ["bank_account", "cvec", "housing_aid"],
        [("validate_visa", paris(2026, 11, 25, 9, 0), "full"), ("lease", paris(2026, 11, 25, 9, 0), "full")],
        [],
    )


def test_in_quiet_hours_everything_waits_for_the_morning(make: Maker):
    decision = decide([job()], known(make), paris(2026, 11, 24, 21, 0))

    assert outcome(decision) == ([], [("validate_visa", paris(2026, 11, 25, 9, 0), "quiet")], [])


def test_after_two_messages_in_seven_days_a_third_waits_until_the_first_of_them_is_a_week_ago(make: Maker):
    sent_at = (paris(2026, 11, 18, 9, 0), paris(2026, 11, 21, 9, 0))

    decision = decide([job()], known(make, sent_at=sent_at), NOON)
    assert outcome(decision) == ([], [("validate_visa", paris(2026, 11, 25, 9, 0), "week")], [])

    decision = decide([job()], known(make, sent_at=sent_at), paris(2026, 11, 25, 9, 0))
    assert outcome(decision)[0] == ["validate_visa"]


def test_on_one_day_there_is_one_message(make: Maker):
    decision = decide([job()], known(make, sent_at=(paris(2026, 11, 24, 9, 0),)), NOON)

    assert outcome(decision) == ([], [("validate_visa", paris(2026, 11, 25, 9, 0), "today")], [])


def test_of_two_reminders_of_one_step_only_the_newest_is_sent(make: Maker):
    decision = decide([job(day=date(2026, 11, 13)), job()], known(make), NOON)

    assert outcome(decision) == (["validate_visa"], [], [("validate_visa", "newer")])
    assert decision.sent == (job(),)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"has_left": True}, "left"),
        ({"unwanted": frozenset({"step"})}, "opted_out"),
        ({"unwanted": frozenset({"all"})}, "opted_out"),
        ({"left_out": frozenset({"validate_visa"})}, "left_out"),
    ],
)
def test_a_student_who_must_not_get_it_does_not(make: Maker, more: dict, reason: str):
    assert outcome(decide([job()], known(make, **more), NOON)) == ([], [], [("validate_visa", reason)])


def test_who_stopped_another_kind_still_hears_of_steps(make: Maker):
    state = known(make, unwanted=frozenset({"booking", "campaign"}))

    assert outcome(decide([job()], state, NOON))[0] == ["validate_visa"]


def test_a_duty_whose_date_is_near_is_not_withheld_for_a_comparison(make: Maker):
    state = known(make, legal=("validate_visa",), left_out=frozenset({"validate_visa"}))

    assert outcome(decide([job()], state, NOON))[0] == ["validate_visa"]
    assert not is_withheld(state.steps["validate_visa"], TODAY)
    far_away = replace(state.steps["validate_visa"], due=TODAY + timedelta(days=15))
    assert is_withheld(far_away, TODAY)


@pytest.mark.parametrize(
    ("facts", "changes", "reason"),
    [
        ({"steps_done": {"validate_visa": "2026-11-24"}}, {}, "done"),
        ({}, {"who": [{"when": "always", "then": "not_needed", "because": {"en": "No.", "fr": "Non."}}]}, "not_needed"),
        ({}, {"opens": "visa_start - 1 day"}, "not_open"),
    ],
)
def test_a_step_that_is_not_open_any_more_is_not_reminded_of(make: Maker, facts: dict, changes: dict, reason: str):
    step = make.step(facts={"visa_start": DUE.isoformat(), **facts}, due="visa_start", **changes)
    state = replace(known(make), steps={"validate_visa": step})

    assert outcome(decide([job()], state, NOON)) == ([], [], [("validate_visa", reason)])


def test_a_step_whose_date_moved_away_is_not_reminded_of_for_the_old_one(make: Maker):
    decision = decide([job()], known(make, due=date(2027, 1, 20)), NOON)

    assert outcome(decision) == ([], [], [("validate_visa", "changed")])


def test_a_reminder_from_before_a_missed_date_falls_away_and_the_one_after_it_is_sent(make: Maker):
    state = known(make, due=date(2026, 11, 23))

    before = decide([job(day=date(2026, 11, 20))], state, NOON)
    after = decide([job(day=date(2026, 11, 24))], state, NOON)

    assert outcome(before) == ([], [], [("validate_visa", "past")])
    assert outcome(after) == (["validate_visa"], [], [])


def test_not_now_puts_a_step_off_and_the_others_go_out(make: Maker):
    state = known(make, "validate_visa", "cvec", rests={"validate_visa": date(2026, 11, 28)})
    decision = decide([job(), job("cvec")], state, NOON)

    assert outcome(decision) == (["cvec"], [("validate_visa", paris(2026, 11, 28, 9, 0), "not_now")], [])


def test_a_campaign_and_a_reminder_of_one_step_are_one_step_of_the_message(make: Maker):
    campaign = job("campaign:7", kind=ReminderKind.CAMPAIGN)
    state = known(make, campaigns={"campaign:7": "validate_visa"})
    decision = decide([campaign, job()], state, NOON)

    assert outcome(decision) == (["validate_visa"], [], [])
    assert decision.sent == (campaign, job())


def test_a_campaign_that_is_gone_sends_nothing(make: Maker):
    decision = decide([job("campaign:7", kind=ReminderKind.CAMPAIGN)], known(make), NOON)

    assert outcome(decision) == ([], [], [("campaign:7", "gone")])


def test_a_campaign_is_for_those_who_can_do_the_step_or_are_stuck_at_it(make: Maker):
    can = make.step()
    waits = make.step(facts={"visa_start": "2027-01-01"}, opens="visa_start")
    is_done = make.step(facts={"steps_done": {"validate_visa": "2026-11-01"}})
    stuck = frozenset({"validate_visa"})

    assert [is_concerned(step, frozenset()) for step in (can, waits, is_done, None)] == [True, False, False, False]
    assert [is_concerned(step, stuck) for step in (can, waits, is_done, None)] == [True, True, False, False]


@given(st.lists(INSTANTS, min_size=1, max_size=30))
def test_whenever_it_is_tried_no_seven_days_have_more_than_two_messages_and_no_day_more_than_one(tries: list[datetime]):
    procedure = Procedure.model_validate({**SMALL, "slug": "cvec"})
    step = assess(procedure, facts_from({}), TODAY)
    sent: list[datetime] = []
    for now in sorted(tries):
        campaign = Job(None, 1, ReminderKind.CAMPAIGN, "campaign:1", day_in_france(now), now)
        state = Known(steps={"cvec": step}, days={}, campaigns={"campaign:1": "cvec"}, sent_at=tuple(sent))
        if decide([campaign], state, now).sent:
            sent.append(now)

    assert sent[:1] == [each for each in sorted(tries) if not is_quiet(each)][:1]
    assert all(later - first >= WEEK for first, later in zip(sent, sent[MOST_A_WEEK:], strict=False))
    assert len({day_in_france(each) for each in sent}) == len(sent)


@pytest.mark.parametrize(
    ("channel", "hours_ago", "bot_has_it", "expected"),
    [
        ("web", 47, True, True),
        ("web", 48, True, False),
        ("web", None, True, False),
        ("web", 1, False, False),
        ("other", 1, True, False),
        ("telegram", 24 * 90, True, True),
        ("telegram", 1, False, False),
        ("telegram", None, True, False),
    ],
)
def test_the_chat_is_for_who_wrote_lately_and_is_not_with_a_colleague(
    channel: str, hours_ago: int | None, bot_has_it: bool, expected: bool
):
    wrote_at = None if hours_ago is None else NOON - timedelta(hours=hours_ago)

    assert goes_to_chat(channel, wrote_at, NOON, bot_has_it=bot_has_it) is expected
