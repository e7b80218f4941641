"""An import of local students from its bytes to the tables, with those kept out who asked to be erased."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, lazyload

from bot.buddies.importing import (
    Recorded,
    addresses_of,
    answers_of,
    consent_moment,
    draft_with,
    name_key,
    plan_import,
    read_rows,
)
from bot.buddies.interests import Interests
from bot.buddies.models import OPEN, BuddyPairing, BuddyProfile, ProfileState
from bot.buddies.pairing import hold_pairs
from bot.buddies.profiles import Draft, draft_of, profile_of, sign_up
from bot.clock import Clock, day_in_france
from bot.db.session import Database
from bot.errors import VersionChanged
from bot.identity.audit import record
from bot.identity.erasures import erased_among, erasure_key
from bot.identity.imports import TRIES
from bot.students.files import read_table
from bot.students.findings import Refused
from bot.students.importing import Entry, Plan
from bot.students.models import FactChange, Origin, Student
from bot.students.people import PERSON_FIELDS
from bot.students.service import set_facts

AT_ONCE = 500
"""Addresses or ids in one query."""


@dataclass(frozen=True)
class Import:
    """A plan, the addresses of its file, and the records that it was made for."""

    plan: Plan
    addresses: frozenset[str]
    known: Mapping[str, Recorded]


def prepare_import(database: Database, data: Path, content: bytes, interests: Interests, now: datetime) -> Import:
    """Read a file and compare it with the records; nothing is written. What is wrong with it stands in the plan."""
    today = day_in_france(now)
    try:
        rows, faults, warnings = read_rows(read_table(content), interests)
    except Refused as error:
        return Import(Plan(today, faults=(error.at(),)), frozenset(), {})
    addresses = frozenset(address for row in rows for address in addresses_of(row))
    with database.read() as session:
        known = known_people(session, addresses)
        erased = erased_among(session, erasure_key(data), addresses)
        namesakes = _local_students(session)
    days = {address: day_in_france(moment) for address, moment in erased.items()}
    plan = plan_import(rows, known, days, today, namesakes=namesakes, faults=faults, warnings=warnings)
    return Import(plan, addresses, known)


def carry_out(database: Database, prepared: Import, now: datetime, staff_id: int | None = None) -> None:
    """Do what was prepared in one transaction, and note it in the audit log by its counts.

    Raises:
        VersionChanged: a record or a sign-up changed since it was prepared; nothing is written.
        ValueError: the plan has faults.
    """
    if prepared.plan.faults:
        raise ValueError("a plan with faults is not carried out")
    with database.write() as session:
        hold_pairs(session)
        if known_people(session, prepared.addresses, hold=True) != prepared.known:
            raise VersionChanged
        try:
            for each in prepared.plan.entries:
                if each.kind != "unchanged":
                    _write(session, each, now, staff_id)
            session.flush()
        except IntegrityError as error:
            # Somebody made a record with the same address in this moment.
            raise VersionChanged from error
        record(session, "buddies_imported", staff_id=staff_id, now=now, counts=prepared.plan.counts)


def import_file(
    database: Database, data: Path, content: bytes, interests: Interests, clock: Clock, *, dry_run: bool
) -> Plan:
    """Prepare and carry out, again when somebody was faster; a plan with faults, or a dry run, changes nothing.

    Raises:
        VersionChanged: somebody was faster every time.
    """
    for tried in range(1, TRIES + 1):
        prepared = prepare_import(database, data, content, interests, clock.now())
        if dry_run or prepared.plan.faults:
            break
        try:
            carry_out(database, prepared, clock.now())
            break
        except VersionChanged:
            if tried == TRIES:
                raise
    return prepared.plan


def known_people(session: Session, addresses: Iterable[str], *, hold: bool = False) -> dict[str, Recorded]:
    """Records by those of the addresses that have one; with `hold` nobody changes them before the transaction ends."""
    found: dict[str, Recorded] = {}
    everybody = sorted(addresses)
    for start in range(0, len(everybody), AT_ONCE):
        some = everybody[start : start + AT_ONCE]
        columns = (Student.id, Student.is_local, Student.left_on, *(getattr(Student, name) for name in PERSON_FIELDS))
        people = select(*columns).where(Student.email.in_(some)).order_by(Student.id)
        rows = session.execute(people.with_for_update() if hold else people).all()
        ids = [row.id for row in rows]
        profiles = _profiles(session, ids, hold=hold)
        taken, corrected = _places_taken(session, ids), _language_corrected(session, ids)
        for row in rows:
            known = Recorded(
                id=row.id,
                is_local=row.is_local,
                left_on=row.left_on,
                person={name: getattr(row, name) for name in PERSON_FIELDS},
                corrected={"language": corrected[row.id]} if row.id in corrected else {},
                taken=taken.get(row.id, 0),
            )
            found[row.email] = _with_profile(known, profiles[row.id]) if row.id in profiles else known
    return found


def _local_students(session: Session) -> dict[str, list[str]]:
    """Their addresses by `name_key`."""
    found: dict[str, list[str]] = {}
    columns = (Student.given_name, Student.family_name, Student.email)
    for given, family, address in session.execute(select(*columns).where(Student.is_local).order_by(Student.id)):
        found.setdefault(name_key(f"{given} {family}"), []).append(address)
    return found


def _with_profile(known: Recorded, profile: BuddyProfile) -> Recorded:
    return replace(
        known,
        answers=answers_of(draft_of(profile)),
        state=ProfileState(profile.state),
        consented_on=day_in_france(profile.consented_at),
        changed_on=day_in_france(profile.updated_at),
        # An import leaves the two alike; every deed of the person moves the second.
        is_own=profile.updated_at != profile.consented_at,
    )


def _profiles(session: Session, ids: Sequence[int], *, hold: bool) -> dict[int, BuddyProfile]:
    wanted = select(BuddyProfile).where(BuddyProfile.student_id.in_(ids)).order_by(BuddyProfile.id)
    wanted = wanted.options(lazyload(BuddyProfile.student)).execution_options(populate_existing=True)
    rows = session.scalars(wanted.with_for_update() if hold else wanted)
    return {profile.student_id: profile for profile in rows}


def _places_taken(session: Session, ids: Sequence[int]) -> dict[int, int]:
    rows = session.execute(
        select(BuddyPairing.buddy_id, func.count())
        .where(BuddyPairing.buddy_id.in_(ids), BuddyPairing.state.in_(OPEN))
        .group_by(BuddyPairing.buddy_id)
    )
    return dict(iter(rows))


def _language_corrected(session: Session, ids: Sequence[int]) -> dict[int, date]:
    """Of those whose language was changed last by themselves, the day of it."""
    rows = session.execute(
        select(FactChange.student_id, FactChange.origin, FactChange.changed_at)
        .where(FactChange.student_id.in_(ids), FactChange.fact == "language", FactChange.undone.is_(False))
        .order_by(FactChange.id)
    )
    newest = {student_id: (origin, changed_at) for student_id, origin, changed_at in rows}
    return {
        student_id: day_in_france(changed_at)
        for student_id, (origin, changed_at) in newest.items()
        if origin == Origin.STUDENT
    }


def _write(session: Session, entry: Entry, now: datetime, staff_id: int | None) -> None:
    moved = {each.field: each.after for each in entry.changes}
    if entry.id is None:
        facts = {"campus": entry.facts["campus"]}
        student = Student(**entry.person, facts=facts, is_local=True, created_at=now, updated_at=now)
        session.add(student)
        session.flush()
    else:
        student = session.get_one(Student, entry.id)
        of_record = {name: value for name, value in moved.items() if name in (*PERSON_FIELDS, "campus")}
        if of_record:
            set_facts(session, student, of_record, Origin.SCHOOL, now, staff_id)
        if "left_on" in moved:
            student.left_on, student.updated_at = None, now
    if entry.id is None or moved.keys() - set(PERSON_FIELDS):
        _sign_up(session, student, entry.facts, now)


def _sign_up(session: Session, student: Student, answers: Mapping[str, Any], now: datetime) -> None:
    """As if the person had signed up on the day of consent; the place in the list is that of today."""
    before = profile_of(session, student.id)
    is_on_list = before is not None and before.state != ProfileState.WITHDRAWN
    draft = draft_of(before) if before is not None and is_on_list else Draft()
    agreed_at = consent_moment(date.fromisoformat(answers["consent"]))
    profile = sign_up(session, student, draft_with(draft, answers), agreed_at, now)
    profile.updated_at = agreed_at
