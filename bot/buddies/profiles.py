"""What somebody gives to find a buddy: as a draft while it is asked, then as a row of `buddy_profiles`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal, get_args

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.buddies.matching import Buddy, Newcomer
from bot.buddies.models import BuddyProfile, BuddyRole, ProfileState
from bot.students.models import Student
from bot.students.records import CAMPUS_CITIES

Step = Literal["languages", "campus", "stay", "interests", "wishes", "capacity", "contact"]
STEPS: tuple[Step, ...] = get_args(Step)
FIELDS_OF: Mapping[Step, tuple[str, ...]] = {
    "languages": ("languages",),
    "campus": ("campus",),
    "stay": ("arrives_on", "leaves_on"),
    "interests": ("interests", "own_words"),
    "wishes": ("same_field", "field", "same_gender", "gender"),
    "capacity": ("capacity",),
    "contact": ("contact_mail", "contact_other"),
}
"""What each step asks for, by fields of the draft."""
GENDERS = ("woman", "man", "other")
MOST_CAPACITY = 5
MOST_LANGUAGES = 8
LONGEST_WORDS, LONGEST_FIELD, LONGEST_CONTACT = 200, 60, 120


@dataclass(frozen=True)
class Draft:
    """All answers of a sign-up; nothing of it is in the tables before the person says so."""

    languages: tuple[str, ...] = ()
    campus: str = ""
    arrives_on: date | None = None
    leaves_on: date | None = None
    interests: tuple[str, ...] = ()
    own_words: str = ""
    field: str = ""
    gender: str = ""
    same_gender: bool = False
    same_field: bool = False
    capacity: int = 1
    contact_mail: bool = True
    contact_other: str = ""

    def as_json(self) -> dict[str, Any]:
        """For a button or a prompt; `draft_from` reads it."""
        days = {name: day.isoformat() if day else None for name, day in self._days().items()}
        return {**vars(self), **days, "languages": list(self.languages), "interests": list(self.interests)}

    def _days(self) -> dict[str, date | None]:
        return {"arrives_on": self.arrives_on, "leaves_on": self.leaves_on}

    @property
    def missing(self) -> tuple[Step, ...]:
        """Steps without which nobody can be found."""
        needed: dict[Step, bool] = {"languages": bool(self.languages), "campus": bool(self.campus)}
        return tuple(step for step, is_there in needed.items() if not is_there)


def draft_from(values: Mapping[str, Any]) -> Draft:
    """The draft of a button or a prompt of ours."""
    known = {name: values[name] for name in Draft.__dataclass_fields__ if name in values}
    for name in ("arrives_on", "leaves_on"):
        if isinstance(known.get(name), str):
            known[name] = date.fromisoformat(known[name])
    for name in ("languages", "interests"):
        if name in known:
            known[name] = tuple(known[name])
    return Draft(**known)


def role_of(student: Student) -> BuddyRole:
    """Who studies here already takes newcomers; anybody else is one."""
    return BuddyRole.BUDDY if student.is_local else BuddyRole.NEWCOMER


def steps_for(role: BuddyRole) -> tuple[Step, ...]:
    return tuple(step for step in STEPS if step != "capacity" or role is BuddyRole.BUDDY)


def draft_of_record(student: Student) -> Draft:
    """What the record says already, so that a tap is enough."""
    facts = student.facts
    campus = facts.get("campus")
    draft = Draft(
        languages=(student.language,),
        campus=campus if campus in CAMPUS_CITIES else "",
        field=str(facts.get("school") or "").upper(),
    )
    if student.is_local:
        return draft
    arrives = facts.get("date_of_entry") or facts.get("programme_start")
    leaves = facts.get("leaving_date") or facts.get("programme_end")
    return replace(draft, arrives_on=_day(arrives), leaves_on=_day(leaves))


def draft_of(profile: BuddyProfile) -> Draft:
    return Draft(
        languages=tuple(profile.languages),
        campus=profile.campus,
        arrives_on=profile.arrives_on,
        leaves_on=profile.leaves_on,
        interests=tuple(profile.interests),
        own_words=profile.own_words,
        field=profile.field,
        gender=profile.gender,
        same_gender=profile.same_gender,
        same_field=profile.same_field,
        capacity=profile.capacity,
        contact_mail=bool(profile.contact.get("mail")),
        contact_other=str(profile.contact.get("other") or ""),
    )


def profile_of(session: Session, student_id: int) -> BuddyProfile | None:
    return session.scalar(select(BuddyProfile).where(BuddyProfile.student_id == student_id))


def sign_up(session: Session, student: Student, draft: Draft, agreed_at: datetime, now: datetime) -> BuddyProfile:
    """Put somebody on the list, or back on it; who comes back after a withdrawal queues up anew."""
    profile = profile_of(session, student.id)
    if profile is None:
        profile = BuddyProfile(student_id=student.id, role=role_of(student), signed_up_at=now)
        session.add(profile)
    elif profile.state == ProfileState.WITHDRAWN:
        profile.signed_up_at = now
    profile.role = role_of(student)
    profile.consented_at = agreed_at
    profile.state = ProfileState.SIGNED_UP
    change(profile, draft, now)
    session.flush()
    return profile


def change(profile: BuddyProfile, draft: Draft, now: datetime) -> None:
    """Take every answer of the draft over."""
    profile.languages, profile.campus = list(draft.languages), draft.campus
    profile.arrives_on, profile.leaves_on = draft.arrives_on, draft.leaves_on
    profile.interests, profile.own_words = list(draft.interests), draft.own_words
    profile.same_field, profile.field = draft.same_field, draft.field
    profile.same_gender = draft.same_gender
    # Asked for one wish alone, so kept for it alone.
    profile.gender = draft.gender
    profile.capacity = draft.capacity if profile.role == BuddyRole.BUDDY else 1
    contact: dict[str, Any] = {"mail": draft.contact_mail}
    if draft.contact_other:
        contact["other"] = draft.contact_other
    profile.contact = contact
    profile.updated_at = now


def forget_answers(profile: BuddyProfile, now: datetime) -> None:
    """Of somebody who withdrew only that is kept: when, in which role, at which campus (for the counts)."""
    change(profile, Draft(campus=profile.campus, contact_mail=False), now)
    profile.state = ProfileState.WITHDRAWN


def words_in(own_words: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in own_words.split(",") if word.strip())


def _day(value: object) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else None


def as_newcomer(profile: BuddyProfile) -> Newcomer:
    """As the matcher takes a newcomer."""
    return Newcomer(**_matched_by(profile))


def as_buddy(profile: BuddyProfile) -> Buddy:
    """As the matcher takes a buddy."""
    return Buddy(**_matched_by(profile), capacity=profile.capacity)


def _matched_by(profile: BuddyProfile) -> dict[str, Any]:
    return {
        "id": str(profile.student_id),
        "campus": profile.campus,
        "languages": tuple(profile.languages),
        "arrival": profile.arrives_on,
        "departure": profile.leaves_on,
        "interests": (*profile.interests, *words_in(profile.own_words)),
        "field": profile.field,
        "gender": profile.gender,
        "same_gender": profile.same_gender,
        "same_field": profile.same_field,
    }
