"""How an intake went: signed up, paired, accepted, met, content; small groups are not shown."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from statistics import median

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.buddies.models import (
    BuddyCheckIn,
    BuddyPairing,
    BuddyProfile,
    BuddyRole,
    CheckInAnswer,
    PairingState,
    ProfileState,
)
from bot.clock import PARIS

SMALLEST = 5
"""Groups of fewer people are hidden."""
MET = (CheckInAnswer.GREAT, CheckInAnswer.FINE)


@dataclass(frozen=True)
class Group:
    """Newcomers of one campus, or all of them (`campus` None)."""

    campus: str | None
    signed_up: int
    paired: int
    """Were proposed somebody, or more than one after the other."""
    accepted: int
    met: int
    """Said at a check-in that it goes great or fine."""
    answers: int
    """Of the last check-in of each, newcomers and their buddies."""
    content: int | None
    """Of these answers: great or fine; None where too few answered."""
    days_to_accept: float | None
    """Median from signing up to the second yes; None where too few accepted."""


def intake(session: Session, first: date, last: date) -> tuple[Group, ...]:
    """Newcomers who signed up from `first` to `last`, both counted: all of them, then by campus.

    Campuses with fewer than SMALLEST newcomers are left out; where that is one alone, the next smallest is left out as
    well, so that it cannot be worked out as the difference. With fewer than SMALLEST in all there is nothing. What was
    answered and how long it took is hidden in the same way by the number of those whom it is about.
    """
    since = datetime.combine(first, time.min, PARIS)
    until = datetime.combine(last, time.max, PARIS)
    profiles = session.scalars(
        select(BuddyProfile).where(
            BuddyProfile.role == BuddyRole.NEWCOMER,
            BuddyProfile.signed_up_at >= since,
            BuddyProfile.signed_up_at <= until,
        )
    ).all()
    ids = [each.student_id for each in profiles]
    pairings: dict[int, list[BuddyPairing]] = defaultdict(list)
    for pairing in session.scalars(
        select(BuddyPairing).where(BuddyPairing.newcomer_id.in_(ids), BuddyPairing.state != PairingState.UNDONE)
    ):
        pairings[pairing.newcomer_id].append(pairing)
    answers = _last_answers(session, [each.id for theirs in pairings.values() for each in theirs])
    by_campus: dict[str, list[BuddyProfile]] = defaultdict(list)
    for profile in profiles:
        by_campus[profile.campus].append(profile)
    if len(profiles) < SMALLEST:
        return ()
    groups = [_group(None, profiles, pairings, answers)]
    groups += [_group(campus, by_campus[campus], pairings, answers) for campus in shown_of(_sizes(by_campus))]
    return _few_hidden(groups)


def _few_hidden(groups: list[Group]) -> tuple[Group, ...]:
    """Without the content and the days of a few people, and without those from which theirs could be told."""
    answered, accepted = (
        _enough({each.campus: each.answers for each in groups}),
        _enough({each.campus: each.accepted for each in groups}),
    )
    return tuple(
        replace(
            each,
            content=each.content if each.campus in answered else None,
            days_to_accept=each.days_to_accept if each.campus in accepted else None,
        )
        for each in groups
    )


def _enough(sizes: Mapping[str | None, int]) -> set[str | None]:
    """Of the whole (None) and its campuses, those whose values may be shown."""
    whole = sizes[None]
    if whole < SMALLEST:
        return set()
    parts = {campus: size for campus, size in sizes.items() if campus is not None and size}
    # The campuses that are not shown are a part too: it is the whole less the others.
    rest = whole - sum(parts.values())
    names = {name: size for name, size in ({**parts, "": rest}).items() if size}
    return {None, *(name for name in shown_of(names) if name)}


def shown_of(sizes: Mapping[str, int]) -> list[str]:
    """The groups that may be shown, by name: none that is small, and none from which a small one could be told."""
    by_size = sorted(sizes, key=lambda name: (sizes[name], name))
    hidden = [name for name in by_size if sizes[name] < SMALLEST]
    if hidden and sum(sizes[name] for name in hidden) < SMALLEST and len(hidden) < len(by_size):
        hidden.append(by_size[len(hidden)])
    return sorted(set(sizes) - set(hidden))


def _sizes(groups: Mapping[str, list[BuddyProfile]]) -> dict[str, int]:
    return {name: len(people) for name, people in groups.items()}


def _last_answers(session: Session, pairing_ids: list[int]) -> dict[tuple[int, int], CheckInAnswer]:
    """(pairing, person) → what they said last."""
    rows = session.scalars(
        select(BuddyCheckIn)
        .where(BuddyCheckIn.pairing_id.in_(pairing_ids), BuddyCheckIn.answer.is_not(None))
        .order_by(BuddyCheckIn.day)
    )
    return {(row.pairing_id, row.student_id): CheckInAnswer(str(row.answer)) for row in rows}


def _group(
    campus: str | None,
    profiles: Iterable[BuddyProfile],
    pairings: Mapping[int, list[BuddyPairing]],
    answers: Mapping[tuple[int, int], CheckInAnswer],
) -> Group:
    people = list(profiles)
    theirs = {each.student_id: pairings.get(each.student_id, []) for each in people}
    accepted = {person: [each for each in found if each.accepted_at is not None] for person, found in theirs.items()}
    said = [
        answers[pairing.id, person]
        for found in accepted.values()
        for pairing in found
        for person in (pairing.newcomer_id, pairing.buddy_id)
        if (pairing.id, person) in answers
    ]
    days = [
        (min(each.accepted_at for each in accepted[profile.student_id] if each.accepted_at) - profile.signed_up_at).days
        for profile in people
        if accepted[profile.student_id]
    ]
    return Group(
        campus=campus,
        signed_up=len(people),
        paired=sum(1 for found in theirs.values() if found),
        accepted=sum(1 for found in accepted.values() if found),
        met=sum(
            1 for person, found in accepted.items() if any(answers.get((each.id, person)) in MET for each in found)
        ),
        answers=len(said),
        content=sum(1 for each in said if each in MET),
        days_to_accept=median(days) if days else None,
    )


def intake_days(today: date) -> tuple[date, date]:
    """The semester that today is in, for which people sign up: July to December, or January to June."""
    if today.month >= 7:
        return date(today.year, 7, 1), date(today.year, 12, 31)
    return date(today.year, 1, 1), date(today.year, 6, 30)


def counts(session: Session) -> dict[str, int]:
    """What the head of the page says: newcomers, buddies and places that are signed up."""
    rows = session.execute(
        select(BuddyProfile.role, BuddyProfile.capacity).where(BuddyProfile.state == ProfileState.SIGNED_UP)
    ).all()
    buddies = [row.capacity for row in rows if row.role == BuddyRole.BUDDY]
    return {"newcomers": len(rows) - len(buddies), "buddies": len(buddies), "places": sum(buddies)}
