"""The demo pairs: invented local students, and what became of the newcomers of the cast who signed up."""

from dataclasses import asdict, replace
from datetime import date, datetime, time, timedelta

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from bot.buddies.matching import Weights, match
from bot.buddies.models import BuddyPairing, BuddyProfile, EndReason, PairingState, Reply
from bot.buddies.profiles import Draft, as_buddy, as_newcomer, draft_of_record, profile_of, sign_up
from bot.clock import PARIS
from bot.students.models import Student
from bot.students.records import student_by_email

SIGNED_UP = "signed_up"
DEMO_STATES = (SIGNED_UP, *(str(state) for state in PairingState if state is not PairingState.PLANNED))
"""What `DemoBuddy.state` may be."""
AT = time(10)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    languages: tuple[str, ...] = ()
    own_words: str = ""


class DemoLocal(_Part):
    """One entry of demo/buddies.yml: a local student who is a buddy."""

    email: str
    given_name: str
    family_name: str
    language: str
    campus: str
    field: str = ""
    capacity: int = 1
    since: date


class DemoBuddy(_Part):
    """The `buddy` of one entry of demo/students.yml."""

    state: str
    partner: str | None = Field(None, alias="with")
    """Address of a local student."""
    since: date | None = None
    """None: since the day before the loading, so that the question is still open."""


def add_local(session: Session, demo: DemoLocal, now: datetime) -> Student:
    student = Student(
        email=demo.email,
        given_name=demo.given_name,
        family_name=demo.family_name,
        language=demo.language,
        facts={"campus": demo.campus},
        is_local=True,
        created_at=now,
        updated_at=now,
    )
    session.add(student)
    session.flush()
    draft = Draft(
        languages=demo.languages,
        campus=demo.campus,
        own_words=demo.own_words,
        field=demo.field,
        capacity=demo.capacity,
    )
    since = _at(demo.since)
    sign_up(session, student, draft, since, since)
    return student


def add_pair(session: Session, student: Student, demo: DemoBuddy, now: datetime, weights: Weights) -> None:
    """The sign-up of a newcomer of the cast, and the pair with its local student."""
    since = _at(demo.since) if demo.since is not None else now - timedelta(days=1)
    draft = draft_of_record(student)
    draft = replace(draft, languages=demo.languages or draft.languages, own_words=demo.own_words)
    signed_up_at = since if demo.state == SIGNED_UP else since - timedelta(days=7)
    profile = sign_up(session, student, draft, signed_up_at, signed_up_at)
    partner = student_by_email(session, demo.partner) if demo.partner is not None else None
    buddy = profile_of(session, partner.id) if partner is not None else None
    if demo.state == SIGNED_UP or buddy is None:
        return
    state = PairingState(demo.state)
    is_accepted = state in (PairingState.ACCEPTED, PairingState.ENDED)
    asked_at = since if state is PairingState.PROPOSED else since - timedelta(days=2)
    pairing = BuddyPairing(
        newcomer_id=student.id,
        buddy_id=buddy.student_id,
        state=state,
        planned_at=asked_at,
        send_at=asked_at,
        newcomer_asked_at=asked_at,
        buddy_asked_at=asked_at,
        **_why(profile, buddy, weights),
    )
    if is_accepted:
        accepted_at = since if state is PairingState.ACCEPTED else since - timedelta(days=30)
        pairing.newcomer_said = pairing.buddy_said = Reply.YES
        pairing.newcomer_said_at = pairing.buddy_said_at = pairing.accepted_at = accepted_at
    if state is PairingState.DECLINED:
        pairing.buddy_said, pairing.buddy_said_at = Reply.NO, since
    if state in (PairingState.DECLINED, PairingState.EXPIRED, PairingState.ENDED):
        pairing.ended_at = since
        pairing.end_reason = EndReason.TIME if state is PairingState.DECLINED else EndReason.OFFICE
    session.add(pairing)
    session.flush()


def _why(newcomer: BuddyProfile, buddy: BuddyProfile, weights: Weights) -> dict[str, object]:
    found = match([as_newcomer(newcomer)], [as_buddy(buddy)], weights).pairs
    if not found:
        return {"score": 0.0, "reasons": []}
    return {"score": found[0].score, "reasons": [asdict(reason) for reason in found[0].reasons]}


def _at(day: date) -> datetime:
    return datetime.combine(day, AT, PARIS)
