"""Which days a reminder has, when it may go out, what goes into one message and through which channel. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from bot.clock import PARIS, day_in_france
from bot.paperwork.rules import SUNDAY, Status, Step, french_holidays
from bot.paperwork.schema import Procedure
from bot.reminders.models import ReminderKind
from bot.students.facts import Facts

DAY_BEGINS, MORNING, DAY_ENDS = time(8), time(9), time(20)
"""On a French clock: nothing goes out outside of the day; what had to wait goes out in the morning."""
EVE = time(17)
"""When a booking of the next day is reminded of."""
SHORTLY_BEFORE = timedelta(hours=2)
"""Before an appointment."""
BEFORE_DUE = (timedelta(days=14), timedelta(days=3))
LOOK_BACK = timedelta(days=3)
"""A reminder day that nobody planned (the machine was off, the date is new) still counts for so long."""
MOST_A_WEEK, WEEK = 2, timedelta(days=7)
"""Messages on steps within any seven days; bookings do not count."""
MOST_STEPS = 3
"""Steps that one message explains; the others are named by their number."""
RECENT = timedelta(hours=48)
"""Who wrote within this time is reminded in the chat, anybody else by mail."""
REST = timedelta(days=7)
"""How long a step is left alone after "Not now"."""
COMPARED_FOR = timedelta(days=14)
"""How long those whom a campaign leaves out hear nothing of its step, and over how long it is compared."""
ALL = "all"
"""The choice of somebody who wants no reminder of any kind."""


def morning_of(day: date) -> datetime:
    """Nine o'clock in France, whatever the season."""
    return datetime.combine(day, MORNING, PARIS)


def is_quiet_day(day: date) -> bool:
    """Sundays and French public holidays."""
    return day.weekday() == SUNDAY or day in french_holidays(day.year)


def is_quiet(instant: datetime) -> bool:
    """Whether nobody should get a message now."""
    local = instant.astimezone(PARIS)
    return not DAY_BEGINS <= local.time() < DAY_ENDS or is_quiet_day(local.date())


def next_allowed(instant: datetime) -> datetime:
    """This instant, or the next morning on which a message may go out."""
    if not is_quiet(instant):
        return instant
    local = instant.astimezone(PARIS)
    day = local.date() if local.time() < DAY_BEGINS else local.date() + timedelta(days=1)
    while is_quiet_day(day):
        day += timedelta(days=1)
    return morning_of(day)


def next_morning(now: datetime) -> datetime:
    """The first allowed morning after today."""
    return next_allowed(morning_of(day_in_france(now) + timedelta(days=1)))


def reminder_days(procedure: Procedure, step: Step, facts: Facts, today: date) -> frozenset[date]:
    """All days on which this student should hear of this step, whether or not they have passed.

    The formulas of the procedure where it has any; else two weeks and three days before the date, and the day on which
    a legal duty opens. In any case the day after a date that was missed.
    """
    if procedure.remind:
        values = (formula.value(facts, today).day for formula in procedure.remind)
        days = {day for day in values if day is not None}
    else:
        days = {step.due - before for before in BEFORE_DUE} if step.due else set()
        if step.legal_duty and step.opens is not None:
            days.add(step.opens)
    if step.due is None:
        return frozenset(days)
    return frozenset({day for day in days if day <= step.due} | {step.due + timedelta(days=1)})


def day_to_plan(days: Iterable[date], today: date) -> date | None:
    """The newest of these days that has come and is not too long ago."""
    return max((day for day in days if today - LOOK_BACK < day <= today), default=None)


def booking_moments(first: datetime, booked_at: datetime, *, is_appointment: bool) -> dict[date, datetime]:
    """Day → instant of the reminders of something that begins at `first`.

    The evening before, on the last day that is not quiet, since after it begins it is too late; and two hours before
    an appointment, unless that is at night. None that lies before the booking itself.
    """
    eve = day_in_france(first) - timedelta(days=1)
    while is_quiet_day(eve):
        eve -= timedelta(days=1)
    moments = [datetime.combine(eve, EVE, PARIS)]
    if is_appointment and not is_quiet(first - SHORTLY_BEFORE):
        moments.append(first - SHORTLY_BEFORE)
    return {day_in_france(moment): moment for moment in moments if moment > booked_at}


@dataclass(frozen=True)
class Job:
    """A row of `reminders` that is due; `id` None: it is not stored (somebody only asked what would happen)."""

    id: int | None
    student_id: int
    kind: ReminderKind
    subject: str
    day: date
    due_at: datetime

    @property
    def key(self) -> str:
        """What makes it one of its kind."""
        return f"{self.student_id}/{self.subject}/{self.day.isoformat()}"


@dataclass(frozen=True)
class Known:
    """Everything about one student that decides on the reminders of their steps."""

    steps: Mapping[str, Step]
    days: Mapping[str, frozenset[date]]
    """`reminder_days` of every step."""
    stuck: frozenset[str] = frozenset()
    campaigns: Mapping[str, str] = field(default_factory=dict)
    """Subject of a campaign's reminder → slug of its step."""
    unwanted: frozenset[str] = frozenset()
    """Kinds of reminder, or `ALL`."""
    sent_at: tuple[datetime, ...] = ()
    """Messages on steps in the last seven days."""
    rests: Mapping[str, date] = field(default_factory=dict)
    """Slug → the first day on which it may be spoken of again."""
    left_out: frozenset[str] = frozenset()
    """Steps of which a campaign tells this student nothing, to compare."""
    has_left: bool = False


@dataclass(frozen=True)
class Moved:
    job: Job
    until: datetime
    why: str


@dataclass(frozen=True)
class Skipped:
    job: Job
    reason: str


@dataclass(frozen=True)
class Decision:
    """What becomes of the jobs of one student. `sent` go out as one message about `steps`, the most urgent first."""

    steps: tuple[Step, ...] = ()
    more: int = 0
    """How many other steps the message only counts."""
    sent: tuple[Job, ...] = ()
    moved: tuple[Moved, ...] = ()
    skipped: tuple[Skipped, ...] = ()


def decide(jobs: Sequence[Job], known: Known, now: datetime) -> Decision:
    """Sort out the jobs on steps of one student that are due: one message at most, the rest waits or falls away."""
    today = day_in_france(now)
    newest = {job.subject: job for job in sorted(jobs, key=lambda job: job.day)}
    skipped, moved, ready = [], [], []
    for job in jobs:
        slug = step_of(job, known)
        if job is not newest[job.subject]:
            skipped.append(Skipped(job, "newer"))
        elif reason := _reason_to_skip(job, slug, known, today):
            skipped.append(Skipped(job, reason))
        elif (rests_until := known.rests.get(slug, today)) > today:
            moved.append(Moved(job, next_allowed(morning_of(rests_until)), "not_now"))
        else:
            ready.append(job)
    waits = _wait(known, now)
    if waits is not None:
        until, why = waits
        return Decision(moved=(*moved, *(Moved(job, until, why) for job in ready)), skipped=tuple(skipped))
    slugs = {step_of(job, known) for job in ready}
    by_urgency = sorted((known.steps[slug] for slug in slugs), key=_urgency)
    told, counted = by_urgency[:MOST_STEPS], by_urgency[MOST_STEPS:]
    told_slugs = {step.slug for step in told}
    for job in ready:
        slug = step_of(job, known)
        if slug in told_slugs:
            continue
        # A duty is explained, not only counted: it comes with the next message.
        if known.steps[slug].legal_duty:
            moved.append(Moved(job, next_morning(now), "full"))
        else:
            skipped.append(Skipped(job, "counted"))
    sent = tuple(job for job in ready if step_of(job, known) in told_slugs)
    return Decision(tuple(told), len(counted), sent, tuple(moved), tuple(skipped))


def step_of(job: Job, known: Known) -> str:
    """The slug of the step that a job is about; empty when its campaign is gone."""
    return known.campaigns.get(job.subject, "") if job.kind is ReminderKind.CAMPAIGN else job.subject


def is_withheld(step: Step, today: date) -> bool:
    """Whether those left out of a campaign go without the automatic reminders as well.

    Never for a duty whose date falls into the comparison: nobody is made to miss the law for the sake of a number.
    """
    return not (step.legal_duty and step.due is not None and step.due <= today + COMPARED_FOR)


def is_unwanted(kind: ReminderKind, unwanted: frozenset[str]) -> bool:
    return ALL in unwanted or str(kind) in unwanted


def is_concerned(step: Step | None, stuck: frozenset[str]) -> bool:
    """Whether a campaign on this step is for this student: it can be done now, or they are stuck at it."""
    if step is None:
        return False
    return step.status is Status.OPEN or (step.slug in stuck and step.status in (Status.BLOCKED, Status.UNKNOWN))


def _reason_to_skip(job: Job, slug: str, known: Known, today: date) -> str | None:
    if known.has_left:
        return "left"
    if is_unwanted(job.kind, known.unwanted):
        return "opted_out"
    step = known.steps.get(slug)
    if step is None:
        return "gone"
    if step.status in (Status.DONE, Status.NOT_NEEDED):
        return str(step.status)
    if job.kind is ReminderKind.CAMPAIGN:
        return None if is_concerned(step, known.stuck) else "not_open"
    if step.status is not Status.OPEN:
        return "not_open"
    if job.day not in known.days[slug]:
        return "changed"
    if step.overdue and step.due is not None and job.day <= step.due:
        # The day after the date has a reminder of its own, which says what to do now.
        return "past"
    return "left_out" if slug in known.left_out and is_withheld(step, today) else None


def _wait(known: Known, now: datetime) -> tuple[datetime, str] | None:
    """Until when no message on steps may go out to this student, and why."""
    if is_quiet(now):
        return next_allowed(now), "quiet"
    within = sorted(instant for instant in known.sent_at if instant > now - WEEK)
    if len(within) >= MOST_A_WEEK:
        return next_allowed(within[-MOST_A_WEEK] + WEEK), "week"
    if any(day_in_france(instant) == day_in_france(now) for instant in within):
        return next_morning(now), "today"
    return None


def _urgency(step: Step) -> tuple[date, bool, str]:
    return (step.due or date.max, not step.legal_duty, step.slug)


def goes_to_chat(channel: str, last_wrote_at: datetime | None, now: datetime, *, bot_has_it: bool) -> bool:
    """Whether a student is reminded in the conversation written in last; else by mail.

    A messenger rings, whenever they wrote last; the widget is looked at by those who were there lately.
    `bot_has_it`: no colleague holds it and it is not closed.
    """
    if not bot_has_it or last_wrote_at is None:
        return False
    return channel == "telegram" or (channel == "web" and last_wrote_at > now - RECENT)
