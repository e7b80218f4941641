"""The demo cast: invented students and colleagues, so that everything can be tried without real records."""

import json
import os
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.bookings.demo import demo_offers
from bot.bookings.models import Booking, BookingState
from bot.bookings.queries import offer_by_code
from bot.bookings.rules import LEVELS
from bot.bookings.service import create_offer
from bot.buddies.demo import DEMO_STATES, DemoBuddy, DemoLocal, add_local, add_pair
from bot.buddies.matching import load_weights
from bot.clock import day_in_france
from bot.config import Settings
from bot.content.desks import load_desks
from bot.content.loader import load_knowledge, read_yaml
from bot.conversations.models import Author
from bot.conversations.service import append, open_conversation
from bot.conversations.words import greeting
from bot.courses.models import Placement
from bot.demo_talks import DemoDraft, DemoTalk, add_drafts, add_talks
from bot.errors import ContentError
from bot.handoff.beside import add_task
from bot.handoff.desks import Office, join
from bot.handoff.service import release, reply
from bot.i18n.languages import is_supported
from bot.identity.models import Role, Staff
from bot.identity.staff import create_staff, set_password, staff_of_email
from bot.paperwork.models import StepDone
from bot.replies.models import CannedReply
from bot.replies.rules import Draft, faults_of
from bot.students.facts import FactsError, facts_from
from bot.students.models import HousingApplication, Student
from bot.students.records import CAMPUS_CITIES, HOUSING_STATES

HISTORY = timedelta(weeks=13)
"""How long the office of the demo has been there."""
PASSWORD_FILE = "demo-passwords.json"  # noqa: S105  (the name of the file, not a password)


Entry = TypeVar("Entry", bound=BaseModel)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DemoHousing(_Part):
    state: str
    residence: str | None = None
    wishes: dict[str, Any] = Field(default_factory=dict)
    updated_on: date


class DemoFrench(_Part):
    level: str
    offer: str | None = Field(None, alias="class")
    """Code of a class in demo/offers.yml."""


class DemoStudent(_Part):
    """One entry of demo/students.yml."""

    email: str
    given_name: str
    family_name: str
    language: str
    facts: dict[str, Any]
    steps_done: dict[str, date] = Field(default_factory=dict)
    housing: DemoHousing | None = None
    french: DemoFrench | None = None
    buddy: DemoBuddy | None = None


class DemoColleague(_Part):
    """One entry of demo/staff.yml."""

    email: str
    name: str
    role: Role
    language: str
    desks: list[str] = Field(default_factory=list)


class DemoPromise(_Part):
    """One entry of demo/promises.yml: a short talk that ends with a promise."""

    student: str
    colleague: str
    question: str
    answer: str
    text: str
    days: int = Field(ge=0, le=60)
    """Until it is due."""


class DemoReply(_Part):
    """One entry of demo/replies.yml."""

    shortcut: str
    name: str
    texts: dict[str, str]


@dataclass(frozen=True)
class SignIn:
    """How to sign in to the staff console of the demo."""

    email: str
    name: str
    role: str
    password: str


@dataclass(frozen=True)
class DemoSummary:
    """`loaded`: whether this call wrote anything. `students`: addresses to link with; `sign_ins`: the colleagues."""

    loaded: bool
    students: tuple[str, ...]
    sign_ins: tuple[SignIn, ...]


def load_demo(session: Session, settings: Settings, now: datetime) -> DemoSummary:
    """Put the demo cast into an empty database, in development mode; anywhere else nothing is written.

    The passwords are made here and kept in the data folder alone (`demo-passwords.json`, readable by its owner).

    Raises:
        ContentError: a file of demo/ or the weights of knowledge/buddies.yml are wrong.
    """
    if not settings.in_development:
        return DemoSummary(loaded=False, students=(), sign_ins=())
    cast = read_students(settings.root / "demo" / "students.yml")
    buddies = read_locals(settings.root / "demo" / "buddies.yml")
    password_file = settings.data / PASSWORD_FILE
    if session.scalar(select(func.count()).select_from(Student)):
        return _summary(session, (*cast, *buddies), _kept_sign_ins(password_file), loaded=False)
    colleagues = read_colleagues(settings.root / "demo" / "staff.yml")
    promises = _entries(settings.root / "demo" / "promises.yml", DemoPromise)
    talks = _entries(settings.root / "demo" / "talks.yml", DemoTalk)
    drafts = _entries(settings.root / "demo" / "drafts.yml", DemoDraft)
    for offer in demo_offers(settings.root / "demo" / "offers.yml", day_in_france(now)):
        create_offer(session, offer, now, is_demo=True)
    weights = load_weights(settings.root / "knowledge" / "buddies.yml")
    students = [(_add_student(session, each, now), each) for each in cast]
    for local in buddies:
        add_local(session, local, now)
    for student, each in students:
        if each.buddy is not None:
            add_pair(session, student, each.buddy, now, weights)
    _add_replies(session, settings.root / "demo" / "replies.yml", now)
    # Before the first talk, so that the log is in the order of time.
    hired = now - HISTORY
    sign_ins = tuple(_add_colleague(session, each, hired) for each in colleagues if not _has_account(session, each))
    _keep(password_file, sign_ins)
    office = Office(load_desks(settings.root / "knowledge" / "desks.yml"))
    for colleague in colleagues:
        for desk in colleague.desks:
            join(session, office, desk, staff_of_email(session, colleague.email))
    knowledge = load_knowledge(settings.root / "knowledge")
    add_talks(session, knowledge, talks, now)
    add_drafts(session, knowledge, drafts, now)
    for promise in promises:
        _add_promise(session, promise, now)
    return _summary(session, (*cast, *buddies), sign_ins, loaded=True)


def read_students(file: Path) -> tuple[DemoStudent, ...]:
    """The students of the file. Raises ContentError naming the student and the field."""
    students = _entries(file, DemoStudent)
    for student in students:
        try:
            facts_from({**student.facts, "steps_done": student.steps_done})
        except FactsError as error:
            raise ContentError(f"{file.name}, {student.email}: {error}") from error
        _check(file, student.email, "language", student.language, is_supported(student.language))
        if student.housing is not None:
            state = student.housing.state
            _check(file, student.email, "housing.state", state, state in HOUSING_STATES)
        if student.french is not None:
            level = student.french.level
            _check(file, student.email, "french.level", level, level in LEVELS)
        if student.buddy is not None:
            state = student.buddy.state
            _check(file, student.email, "buddy.state", state, state in DEMO_STATES)
    return students


def read_locals(file: Path) -> tuple[DemoLocal, ...]:
    """The local students of the file, who are buddies. Raises ContentError naming the field."""
    found = _entries(file, DemoLocal)
    for each in found:
        _check(file, each.email, "campus", each.campus, each.campus in CAMPUS_CITIES)
        _check(file, each.email, "language", each.language, is_supported(each.language))
    return found


def read_colleagues(file: Path) -> tuple[DemoColleague, ...]:
    """The colleagues of the file. Raises ContentError naming the field."""
    return _entries(file, DemoColleague)


def _add_replies(session: Session, file: Path, now: datetime) -> None:
    """Shared by the office. Raises ContentError naming the reply and the field."""
    for each in _entries(file, DemoReply):
        draft = Draft(each.name, each.shortcut, is_shared=True, texts=each.texts).tidy()
        for field, fault in faults_of(draft, "en").items():
            raise ContentError(f"{file.name}, {each.shortcut}, {field}: {fault}")
        session.add(CannedReply(shortcut=draft.shortcut, name=draft.name, texts=dict(draft.texts), updated_at=now))
    session.flush()


def _entries(file: Path, shape: type[Entry]) -> tuple[Entry, ...]:
    try:
        return tuple(shape.model_validate(entry) for entry in read_yaml(file))
    except ValidationError as error:
        raise ContentError(f"{file.name}: {error}") from error


def _check(file: Path, who: str, field: str, value: str, is_right: bool) -> None:
    if not is_right:
        raise ContentError(f"{file.name}, {who}: {field} cannot be {value}.")


def _add_student(session: Session, demo: DemoStudent, now: datetime) -> Student:
    student = Student(
        email=demo.email,
        given_name=demo.given_name,
        family_name=demo.family_name,
        language=demo.language,
        facts=json.loads(json.dumps(demo.facts, default=date.isoformat)),
        created_at=now,
        updated_at=now,
    )
    if demo.housing is not None:
        student.housing = HousingApplication(**demo.housing.model_dump())
    session.add(student)
    session.flush()
    session.add_all(
        StepDone(student_id=student.id, step=step, done_on=done_on, recorded_at=now)
        for step, done_on in demo.steps_done.items()
    )
    if demo.french is not None:
        _add_french(session, student, demo.french, now)
    session.flush()
    return student


def _add_french(session: Session, student: Student, french: DemoFrench, now: datetime) -> None:
    session.add(Placement(student_id=student.id, confirmed_level=french.level, confirmed_at=now))
    offer = offer_by_code(session, french.offer) if french.offer is not None else None
    if offer is not None:
        # Not through the service: the cast has been in its classes for weeks.
        session.add(
            Booking(
                offer_id=offer.id,
                student_id=student.id,
                state=BookingState.BOOKED,
                created_at=now,
                changed_at=now,
            )
        )


def _has_account(session: Session, colleague: DemoColleague) -> bool:
    return session.scalar(select(Staff.id).where(Staff.email == colleague.email)) is not None


def _add_colleague(session: Session, demo: DemoColleague, now: datetime) -> SignIn:
    staff = create_staff(session, demo.email, demo.name, demo.role, now, language=demo.language)
    password = secrets.token_urlsafe(12)
    set_password(session, staff, password, now)
    return SignIn(demo.email, demo.name, demo.role, password)


def _add_promise(session: Session, demo: DemoPromise, now: datetime) -> None:
    student = session.scalars(select(Student).where(Student.email == demo.student)).one()
    staff = staff_of_email(session, demo.colleague)
    language = student.language
    conversation, _token = open_conversation(
        session, language=language, language_chosen=True, greeting=greeting(language), channel="web", now=now
    )
    conversation.student_id = student.id
    append(session, conversation, Author.STUDENT, demo.question, now=now)
    reply(session, conversation.id, staff, "demo", demo.answer, now)
    release(session, conversation.id, staff, now)
    # Nobody of the demo is waiting for a mail.
    conversation.answer_due_at = None
    add_task(session, conversation, staff, demo.text, day_in_france(now) + timedelta(days=demo.days), now)


def _keep(file: Path, sign_ins: tuple[SignIn, ...]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    # Made with its mode at once: a file that is closed to others a moment later was open for that moment.
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
        json.dump([vars(sign_in) for sign_in in sign_ins], stream, indent=1, ensure_ascii=False)


def _kept_sign_ins(file: Path) -> tuple[SignIn, ...]:
    """None where the file is gone: `accueil staff password` gives a colleague a new one."""
    if not file.exists():
        return ()
    return tuple(SignIn(**entry) for entry in json.loads(file.read_text(encoding="utf-8")))


def _summary(
    session: Session, cast: tuple[DemoStudent | DemoLocal, ...], sign_ins: tuple[SignIn, ...], *, loaded: bool
) -> DemoSummary:
    present = set(session.scalars(select(Student.email)))
    students = tuple(student.email for student in cast if student.email in present)
    return DemoSummary(loaded=loaded, students=students, sign_ins=sign_ins)
