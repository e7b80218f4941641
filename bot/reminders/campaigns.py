"""Campaigns of the office: one message to everybody stuck at a step, with a share left out by chance to compare."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from random import Random, SystemRandom
from typing import get_args

from sqlalchemy import CompoundSelect, case, delete, func, select, true
from sqlalchemy.orm import Session

from bot.clock import day_in_france
from bot.db.session import Database
from bot.errors import InvalidField, NotFound
from bot.identity.audit import record
from bot.log import get_logger
from bot.paperwork.models import StepDone
from bot.paperwork.rules import path
from bot.paperwork.schema import Procedure
from bot.reminders.comparing import Difference, difference
from bot.reminders.models import Campaign, CampaignMember, Reminder, ReminderChoice, ReminderKind, ReminderState
from bot.reminders.queries import add_missing, has_left, steps_done_of, stuck_at
from bot.reminders.rules import ALL, COMPARED_FOR, is_concerned, is_withheld, next_allowed
from bot.students.facts import Facts, FactsError
from bot.students.models import Student
from bot.students.records import facts_of

FILTERS = ("campus", "programme_type")
"""Facts by which a campaign chooses its students."""
MOST_LEFT_OUT = 0.5
LONGEST_NAME = 120
PAGE = 500

log = get_logger(__name__)


@dataclass(frozen=True)
class Wish:
    """What a campaign is to be."""

    step: str
    name: str = ""
    chosen_by: Mapping[str, str] = field(default_factory=dict)
    """Facts that students must have, of FILTERS."""
    left_out: float = 0.2


@dataclass(frozen=True)
class Audience:
    """Who would take part, by number of the record."""

    student_ids: tuple[int, ...] = ()
    with_legal_date: int = 0
    """How many of them have a legal date within the comparison; automatic reminders still reach these."""

    def left_out(self, share: float) -> int:
        """How many would get no message."""
        return round(len(self.student_ids) * share)


@dataclass(frozen=True)
class Arm:
    members: int
    completed: int


@dataclass(frozen=True)
class Result:
    """What a campaign changed: who did the step within so many days, with a message and without."""

    campaign: Campaign
    days: int
    with_message: Arm
    without: Arm
    sent: int
    """Messages that went out so far."""
    is_over: bool
    """The days have passed: the counts are final."""
    difference: Difference | None
    """None where one of the arms is empty."""


def choices_of(fact: str) -> tuple[str, ...]:
    """The values that a fact of FILTERS may have."""
    annotation = Facts.model_fields[fact].annotation
    return tuple(str(value) for part in get_args(annotation) for value in get_args(part))


def checked(wish: Wish, procedures: Sequence[Procedure]) -> Wish:
    """The wish with its name filled in.

    Raises:
        InvalidField: the step, a filter, the share or the name is wrong; the message says how to mend it.
    """
    slugs = [str(each.slug) for each in procedures]
    if wish.step not in slugs:
        near = get_close_matches(wish.step, slugs, n=1)
        fix = f"did you mean {near[0]}?" if near else f"take one of {', '.join(sorted(slugs))}."
        raise InvalidField(f"There is no step {wish.step!r}; {fix}", field="step")
    for fact, value in wish.chosen_by.items():
        if fact not in FILTERS:
            raise InvalidField(f"Students cannot be chosen by {fact}; take {' or '.join(FILTERS)}.", field=fact)
        if value not in choices_of(fact):
            raise InvalidField(f"{value!r} is no {fact}; take one of {', '.join(choices_of(fact))}.", field=fact)
    if not 0 <= wish.left_out <= MOST_LEFT_OUT:
        raise InvalidField(
            f"{wish.left_out} of the students cannot be left out; write a share from 0 to {MOST_LEFT_OUT}.",
            field="left_out",
        )
    name = " ".join(wish.name.split()) or wish.step
    if len(name) > LONGEST_NAME:
        raise InvalidField(f"The name has {len(name)} characters; {LONGEST_NAME} are possible.", field="name")
    return Wish(wish.step, name, dict(wish.chosen_by), wish.left_out)


def audience(
    database: Database,
    wish: Wish,
    procedures: Sequence[Procedure],
    now: datetime,
    *,
    among: Collection[int] | None = None,
) -> Audience:
    """Students for whom the step is open, overdue or stuck now and who fit the filters; `among`: only of these.

    Without those who left, who want no such messages, or who are left out of another campaign on the same step.
    """
    needed = _with_what_it_needs(wish.step, procedures)
    found: list[int] = []
    with_legal_date = 0
    for page in _pages(database, wish, now, among):
        for student, done, stuck in page:
            try:
                facts = facts_of(student, done)
            except FactsError:
                log.warning("record_not_readable", student_id=student.id)
                continue
            today = day_in_france(now)
            step = next(each for each in path(needed, facts, today) if each.slug == wish.step)
            if is_concerned(step, stuck):
                found.append(student.id)
                with_legal_date += not is_withheld(step, today)
    return Audience(tuple(found), with_legal_date)


Candidate = tuple[Student, dict[str, date], frozenset[str]]
"""A record, the steps it has done, the steps it is stuck at."""


def _pages(database: Database, wish: Wish, now: datetime, among: Collection[int] | None) -> Iterator[list[Candidate]]:
    today, after = day_in_france(now), 0
    while True:
        with database.read() as session:
            students = session.scalars(
                select(Student)
                .where(Student.id > after, Student.is_local.is_(False))
                .where(Student.id.not_in(_not_asked(wish.step, now)))
                .where(true() if among is None else Student.id.in_(among))
                .order_by(Student.id)
                .limit(PAGE)
            ).all()
            if not students:
                return
            after = students[-1].id
            fitting = [
                student
                for student in students
                if not has_left(student, today)
                and all(student.facts.get(fact) == value for fact, value in wish.chosen_by.items())
            ]
            ids = [student.id for student in fitting]
            done, stuck = steps_done_of(session, ids), stuck_at(session, ids)
            yield [(student, done[student.id], stuck[student.id]) for student in fitting]


def _not_asked(step: str, now: datetime) -> CompoundSelect[int]:
    unwanted = select(ReminderChoice.student_id).where(ReminderChoice.kind.in_([ALL, str(ReminderKind.CAMPAIGN)]))
    elsewhere = (
        select(CampaignMember.student_id)
        .join(Campaign, Campaign.id == CampaignMember.campaign_id)
        .where(Campaign.step == step, CampaignMember.gets_message.is_(False), Campaign.started_at > now - COMPARED_FOR)
    )
    return unwanted.union(elsewhere)


def _with_what_it_needs(step: str, procedures: Sequence[Procedure]) -> tuple[Procedure, ...]:
    """The step and those it waits for; the other steps do not change its state."""
    wanted = next(each for each in procedures if each.slug == step)
    return tuple(each for each in procedures if each.slug == step or each.slug in wanted.depends_on)


def start(
    session: Session,
    wish: Wish,
    chosen: Audience,
    now: datetime,
    *,
    staff_id: int | None,
    chance: Random | None = None,
    wait: timedelta = timedelta(0),
) -> Campaign:
    """Draw who is left out and plan the messages of the others. `wish` is `checked`; `chance` makes tests repeatable.

    `wait`: how long nothing goes out, so that there is time to undo it.

    Raises:
        InvalidField: nobody would take part.
    """
    still_there = list(
        session.scalars(
            select(Student.id)
            .where(Student.id.in_(chosen.student_ids))
            .order_by(Student.id)
            .with_for_update(read=True, key_share=True, of=Student)
        )
    )
    if not still_there:
        raise InvalidField("Nobody is at this step now: there is nobody to write to.", field="step")
    campaign = Campaign(
        name=wish.name,
        step=wish.step,
        chosen_by=dict(wish.chosen_by),
        left_out=wish.left_out,
        started_at=now,
        started_by=staff_id,
    )
    session.add(campaign)
    session.flush()
    drawn = (chance or SystemRandom()).sample(still_there, round(len(still_there) * wish.left_out))
    left_out = frozenset(drawn)
    add_missing(
        session,
        CampaignMember,
        [
            {"campaign_id": campaign.id, "student_id": student_id, "gets_message": student_id not in left_out}
            for student_id in still_there
        ],
    )
    add_missing(
        session,
        Reminder,
        [
            {
                "student_id": student_id,
                "kind": ReminderKind.CAMPAIGN,
                "subject": f"campaign:{campaign.id}",
                "day": day_in_france(now),
                "due_at": next_allowed(now + wait),
                "state": ReminderState.PLANNED,
            }
            for student_id in still_there
            if student_id not in left_out
        ],
    )
    record(
        session,
        "campaign_started",
        staff_id=staff_id,
        now=now,
        campaign_id=campaign.id,
        step=wish.step,
        members=len(still_there),
        left_out=len(left_out),
    )
    return campaign


def undo(session: Session, campaign_id: int, now: datetime, *, staff_id: int | None) -> None:
    """Take a campaign back as if it had never been started.

    Raises:
        NotFound: there is no such campaign.
        InvalidField: a message of it has gone out or fallen away: it has begun.
    """
    campaign = session.get(Campaign, campaign_id, with_for_update=True)
    if campaign is None:
        raise NotFound(f"There is no campaign {campaign_id}; `accueil campaign list` shows them.")
    # Taken: a worker that is sending one of them has finished, and no other begins.
    states = session.scalars(
        select(Reminder.state).where(Reminder.subject == f"campaign:{campaign_id}").with_for_update()
    ).all()
    if any(state != ReminderState.PLANNED for state in states):
        raise InvalidField("The first message has gone out: this campaign cannot be undone any more.", field="campaign")
    session.execute(delete(Reminder).where(Reminder.subject == f"campaign:{campaign_id}"))
    session.execute(delete(CampaignMember).where(CampaignMember.campaign_id == campaign_id))
    session.delete(campaign)
    record(session, "campaign_undone", staff_id=staff_id, now=now, campaign_id=campaign_id, step=campaign.step)


def campaigns(session: Session) -> Sequence[Campaign]:
    """All of them, the newest first."""
    return session.scalars(select(Campaign).order_by(Campaign.started_at.desc(), Campaign.id.desc())).all()


def undoable(session: Session) -> list[Campaign]:
    """Those of which no message has gone out or fallen away yet, the newest first."""
    begun = func.sum(case((Reminder.state == ReminderState.PLANNED, 0), else_=1))
    subjects = (
        select(Reminder.subject)
        .where(Reminder.kind == ReminderKind.CAMPAIGN)
        .group_by(Reminder.subject)
        .having(begun == 0)
    )
    found = set(session.scalars(subjects))
    return [each for each in campaigns(session) if f"campaign:{each.id}" in found]


def result(session: Session, campaign_id: int, now: datetime, *, days: int = COMPARED_FOR.days) -> Result:
    """Who did the step within so many days after the start, by the day they gave for it.

    Members are counted as chance put them, whether or not their message could be sent.

    Raises:
        NotFound: there is no such campaign.
    """
    campaign = session.get(Campaign, campaign_id)
    if campaign is None:
        raise NotFound(f"There is no campaign {campaign_id}; `accueil campaign list` shows them.")
    first = day_in_france(campaign.started_at)
    last = first + timedelta(days=days)
    arms = {gets_message: _arm(session, campaign, gets_message, first, last) for gets_message in (True, False)}
    with_message, without = arms[True], arms[False]
    sent = session.scalar(
        select(func.count()).where(Reminder.subject == f"campaign:{campaign.id}", Reminder.state == ReminderState.SENT)
    )
    return Result(
        campaign=campaign,
        days=days,
        with_message=with_message,
        without=without,
        sent=int(sent or 0),
        is_over=day_in_france(now) > last,
        difference=difference(with_message.completed, with_message.members, without.completed, without.members),
    )


def _arm(session: Session, campaign: Campaign, gets_message: bool, first: date, last: date) -> Arm:
    members = select(CampaignMember.student_id).where(
        CampaignMember.campaign_id == campaign.id, CampaignMember.gets_message.is_(gets_message)
    )
    completed = session.scalar(
        select(func.count()).where(
            StepDone.student_id.in_(members),
            StepDone.step == campaign.step,
            StepDone.done_on >= first,
            StepDone.done_on <= last,
        )
    )
    count = session.scalar(select(func.count()).select_from(members.subquery()))
    return Arm(int(count or 0), int(completed or 0))
