"""Who takes part in a campaign, what chance decides, and what the report says."""

from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select

from bot.db.session import Database
from bot.errors import InvalidField, NotFound
from bot.identity.models import AuditEntry
from bot.paperwork.models import StepDone, StepStuck
from bot.reminders.campaigns import Audience, Wish, audience, campaigns, checked, result, start
from bot.reminders.models import Campaign, CampaignMember, ReminderChoice
from bot.reminders.report import result_as_json, result_words
from bot.reminders.sending import Content, Reminders
from bot.students.models import Student
from tests.factories import make_student
from tests.integration.reminders.conftest import PROCEDURES, mails, rows

WISH = Wish("transcript", "Transcripts", {}, 0.2)
"""A step without a date: only a campaign ever reminds of it."""


def students(database: Database, now: datetime, count: int, **facts: Any) -> list[int]:
    with database.write() as session:
        known = len(session.scalars(select(Student.id)).all())
        return [make_student(session, now, f"S{known + number}", **facts).id for number in range(count)]


def begin(database: Database, wish: Wish, now: datetime, seed: int = 7) -> int:
    chosen = audience(database, wish, PROCEDURES, now)
    with database.write() as session:
        return start(session, wish, chosen, now, staff_id=None, chance=Random(seed)).id


def arm(database: Database, campaign_id: int, *, gets_message: bool) -> list[int]:
    with database.read() as session:
        return list(
            session.scalars(
                select(CampaignMember.student_id)
                .where(CampaignMember.campaign_id == campaign_id, CampaignMember.gets_message.is_(gets_message))
                .order_by(CampaignMember.student_id)
            )
        )


def done_by(database: Database, ids: list[int], on: date, at: datetime, step: str = "transcript") -> None:
    with database.write() as session:
        session.add_all(StepDone(student_id=each, step=step, done_on=on, recorded_at=at) for each in ids)


def test_those_who_can_do_the_step_or_are_stuck_at_it_take_part(database: Database, now: datetime):
    can, has_done, left, wants_none, waits, stuck = students(database, now, 6, **{"job_start": "2027-06-01"})
    done_by(database, [has_done], now.date(), now, step="bank_account")
    with database.write() as session:
        session.get_one(Student, left).left_on = now.date()
        session.add(ReminderChoice(student_id=wants_none, kind="campaign", chosen_at=now))
        for each in (waits, stuck):
            session.get_one(Student, each).facts = {}
        session.add(StepStuck(student_id=stuck, step="bank_account", since=now))
    procedures = tuple(
        each.model_copy(update={"who": each.who, "opens": each.due}) if each.slug == "bank_account" else each
        for each in PROCEDURES
    )

    early = audience(database, Wish("bank_account"), procedures, now)
    on_the_day = audience(database, Wish("bank_account"), procedures, datetime(2027, 6, 1, 10, 0, tzinfo=now.tzinfo))

    # Before its window opens only whoever asked for help takes part.
    assert early.student_ids == (stuck,)
    assert on_the_day.student_ids == (can, stuck)


def test_the_filters_are_facts_that_students_must_have(database: Database, now: datetime):
    lille = students(database, now, 2, campus="lille", programme_type="degree")
    students(database, now, 1, campus="bordeaux", programme_type="degree")
    students(database, now, 1, campus="lille", programme_type="exchange")
    students(database, now, 1)

    chosen = audience(
        database, Wish("transcript", chosen_by={"campus": "lille", "programme_type": "degree"}), PROCEDURES, now
    )

    assert list(chosen.student_ids) == lille


@pytest.mark.parametrize(
    ("wish", "field", "sentence"),
    [
        (Wish("transcripts"), "step", "There is no step 'transcripts'; did you mean transcript?"),
        (Wish("transcript", chosen_by={"campus": "Lille"}), "campus", "take one of lille, bordeaux, chateauroux"),
        (Wish("transcript", chosen_by={"grant": "none"}), "grant", "take campus or programme_type"),
        (Wish("transcript", left_out=0.6), "left_out", "write a share from 0 to 0.5"),
        (Wish("transcript", left_out=float("nan")), "left_out", "write a share from 0 to 0.5"),
        (Wish("transcript", "x" * 121), "name", "120 are possible"),
    ],
)
def test_a_wish_that_is_wrong_is_refused_by_field(wish: Wish, field: str, sentence: str):
    with pytest.raises(InvalidField) as error:
        checked(wish, PROCEDURES)

    assert error.value.details["field"] == field
    assert sentence in str(error.value)


def test_a_campaign_without_a_name_has_that_of_its_step():
    assert checked(Wish("transcript", "  "), PROCEDURES) == Wish("transcript", "transcript", {}, 0.2)


def test_nobody_to_write_to_starts_nothing(database: Database, now: datetime):
    with pytest.raises(InvalidField, match="Nobody is at this step"), database.write() as session:
        start(session, WISH, Audience(), now, staff_id=None)

    with database.read() as session:
        assert list(campaigns(session)) == []


def test_chance_leaves_out_the_share_and_the_others_get_one_message(
    database: Database, content: Content, now: datetime
):
    ids = students(database, now, 20)
    campaign_id = begin(database, WISH, now)

    Reminders(database, content).run(now)
    Reminders(database, content).run(now + timedelta(days=1))

    left_out = arm(database, campaign_id, gets_message=False)
    assert len(left_out) == 4
    assert sorted([*left_out, *arm(database, campaign_id, gets_message=True)]) == ids
    assert rows(database) == [(f"campaign:{campaign_id}", "sent", None, "mail")] * 16
    with database.read() as session:
        names = {session.get_one(Student, each).email for each in left_out}
        entry = session.scalars(select(AuditEntry)).one()
    assert {each["to"] for each in mails(database)} & names == set()
    assert mails(database)[0]["text"].startswith("Hello S")
    assert (entry.action, entry.details) == (
        "campaign_started",
        {"campaign_id": campaign_id, "step": "transcript", "members": 20, "left_out": 4},
    )


def test_another_draw_leaves_out_others(database: Database, now: datetime):
    students(database, now, 20)
    drawn = [tuple(arm(database, begin(database, WISH, now, seed), gets_message=False)) for seed in (1, 1)]

    # The second campaign does not take in whom the first one leaves out: they would no longer be a comparison.
    assert len(set(drawn[0]) & set(drawn[1])) == 0
    with database.read() as session:
        counts = session.execute(
            select(CampaignMember.campaign_id, func.count())
            .group_by(CampaignMember.campaign_id)
            .order_by(CampaignMember.campaign_id)
        ).all()
    assert [count for _id, count in counts] == [20, 16]


def test_whom_a_campaign_leaves_out_the_automatic_reminders_leave_out_as_well_for_two_weeks(
    database: Database, content: Content, now: datetime
):
    (student,) = students(database, now, 1, enrolment_date="2026-12-08")
    with database.write() as session:
        campaign = Campaign(name="n", step="cvec", chosen_by={}, left_out=0.5, started_at=now)
        session.add(campaign)
        session.flush()
        session.add(CampaignMember(campaign_id=campaign.id, student_id=student, gets_message=False))

    for day in range(20):
        Reminders(database, content).run(now + timedelta(days=day))

    # Two weeks and three days before 8 December it is silent; the word about the missed date comes after the two weeks.
    assert rows(database) == [
        ("cvec", "skipped", "left_out", None),
        ("cvec", "skipped", "left_out", None),
        ("cvec", "sent", None, "mail"),
    ]


def test_a_duty_whose_date_falls_into_the_comparison_is_reminded_of_all_the_same(
    database: Database, content: Content, now: datetime
):
    students(database, now, 2, visa_start="2026-11-27")
    wish = Wish("validate_visa", left_out=0.5)
    assert audience(database, wish, PROCEDURES, now).with_legal_date == 2
    begin(database, wish, now)

    Reminders(database, content).run(now)

    assert len({each["to"] for each in mails(database)}) == 2


def test_a_step_done_before_the_message_went_out_gets_none(database: Database, content: Content, now: datetime):
    ids = students(database, now, 1)
    begin(database, Wish("transcript", left_out=0.0), now)
    done_by(database, ids, now.date(), now)

    Reminders(database, content).run(now)

    assert [row[1:3] for row in rows(database)] == [("skipped", "done")]


def test_the_report_counts_who_did_it_within_the_days_and_gives_the_interval(database: Database, now: datetime):
    students(database, now, 40)
    campaign_id = begin(database, Wish("transcript", "Transcripts", {}, 0.5), now)
    with_message = arm(database, campaign_id, gets_message=True)
    without = arm(database, campaign_id, gets_message=False)
    last = now.date() + timedelta(days=14)
    done_by(database, with_message[:15], last, now)
    done_by(database, with_message[15:17], last + timedelta(days=1), now)
    done_by(database, without[:6], now.date(), now)

    with database.read() as session:
        found = result(session, campaign_id, now + timedelta(days=15))

    assert result_as_json(found) == {
        "campaign": campaign_id,
        "name": "Transcripts",
        "step": "transcript",
        "chosen_by": {},
        "left_out": 0.5,
        "started_at": now.isoformat(),
        "days": 14,
        "is_over": True,
        "sent": 0,
        "with_message": {"members": 20, "completed": 15},
        "without": {"members": 20, "completed": 6},
        "difference": 0.45,
        "interval": [0.1405, 0.6573],
        "may_be_chance": False,
    }
    assert result_words(found, "en", are_small_counts_hidden=True) == [
        "With a message: 15 of 20 did it within 14 days.",
        "Without: 6 of 20 did it within 14 days.",
        "The difference is +45.0 percentage points; with 95 % confidence it lies between +14.1 and +65.7.",
        "More students did it after a message.",
    ]


def test_small_counts_are_hidden_where_they_could_point_at_a_person_and_chance_is_called_chance(
    database: Database, now: datetime
):
    students(database, now, 10)
    campaign_id = begin(database, Wish("transcript", left_out=0.5), now)
    done_by(database, arm(database, campaign_id, gets_message=True)[:3], now.date(), now)

    with database.read() as session:
        found = result(session, campaign_id, now)

    assert result_words(found, "en", are_small_counts_hidden=True) == [
        "With a message: <5 of 5 did it within 14 days.",
        "Without: 0 of 5 did it within 14 days.",
        "The groups are too small to show a difference without pointing at a person.",
        "It began on 24 November 2026 and the 14 days are not over: the counts can still grow.",
    ]
    assert result_words(found, "en", are_small_counts_hidden=False)[:4] == [
        "With a message: 3 of 5 did it within 14 days.",
        "Without: 0 of 5 did it within 14 days.",
        "The difference is +60.0 percentage points; with 95 % confidence it lies between +3.0 and +88.2.",
        "More students did it after a message.",
    ]


def test_a_difference_that_may_be_chance_is_said_to_be_that(database: Database, now: datetime):
    students(database, now, 20)
    campaign_id = begin(database, Wish("transcript", left_out=0.5), now)
    done_by(database, arm(database, campaign_id, gets_message=True)[:5], now.date(), now)
    done_by(database, arm(database, campaign_id, gets_message=False)[:4], now.date(), now)

    with database.read() as session:
        found = result(session, campaign_id, now + timedelta(days=15))

    assert result_words(found, "en", are_small_counts_hidden=False)[3] == (
        "This interval includes 0: what we see may be chance. It does not show that the message helps, nor that it "
        "does not."
    )


def test_without_a_group_left_out_there_is_nothing_to_compare(database: Database, now: datetime):
    students(database, now, 3)
    campaign_id = begin(database, Wish("transcript", left_out=0.0), now)

    with database.read() as session:
        found = result(session, campaign_id, now + timedelta(days=15))

    assert found.difference is None
    assert result_words(found, "en", are_small_counts_hidden=False) == [
        "With a message: 0 of 3 did it within 14 days.",
        "Nobody was left out, so there is nothing to compare with.",
    ]


def test_a_campaign_that_does_not_exist_has_no_report(database: Database, now: datetime):
    with database.read() as session, pytest.raises(NotFound, match="There is no campaign 9"):
        result(session, 9, now)
