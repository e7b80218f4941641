"""An import of the school's file from its bytes to the tables, with those kept out who asked to be erased."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.clock import Clock, day_in_france
from bot.db.session import Database
from bot.errors import VersionChanged
from bot.identity.audit import record
from bot.identity.erasures import erased_among, erasure_key
from bot.students.files import read_table
from bot.students.findings import Refused
from bot.students.importing import Known, Mapped, Plan, plan_import, read_rows
from bot.students.service import apply_plan, known_records

TRIES = 3
"""How often the comparison begins again when somebody changes a record meanwhile."""


@dataclass(frozen=True)
class Import:
    """A plan, and the records that it was made for."""

    plan: Plan
    known: Sequence[Known]


@dataclass(frozen=True)
class Wishes:
    """How a file is meant: `complete` marks leavers, `include_erased` brings erased people back."""

    complete: bool = False
    include_erased: bool = False


def prepare_import(
    database: Database, data: Path, content: bytes, mapping: Mapped | None, wishes: Wishes, now: datetime
) -> Import:
    """Read a file and compare it with the records; nothing is written. What is wrong with it stands in the plan."""
    today = day_in_france(now)
    try:
        rows, faults, warnings = read_rows(read_table(content), mapping)
    except Refused as error:
        return Import(Plan(today, faults=(error.at(),)), ())
    addresses = {str(row.values["email"]) for row in rows if "email" in row.values}
    with database.read() as session:
        known = known_records(session)
        erased = {} if wishes.include_erased else erased_among(session, erasure_key(data), addresses)
    days = {address: day_in_france(moment) for address, moment in erased.items()}
    plan = plan_import(rows, known, days, today, complete=wishes.complete, faults=faults, warnings=warnings)
    return Import(plan, known)


def carry_out(database: Database, prepared: Import, now: datetime, staff_id: int | None = None) -> None:
    """Do what was prepared in one transaction, and note it in the audit log by its counts.

    Raises:
        VersionChanged: a record changed since it was prepared; nothing is written.
    """
    with database.write() as session:
        apply_plan(session, prepared.plan, list(prepared.known), now, staff_id)
        record(session, "students_imported", staff_id=staff_id, now=now, counts=prepared.plan.counts)


def import_file(
    database: Database,
    data: Path,
    content: bytes,
    mapping: Mapped | None,
    wishes: Wishes,
    clock: Clock,
    *,
    dry_run: bool,
) -> Plan:
    """Prepare and carry out, again when somebody was faster; a plan with faults, or a dry run, changes nothing.

    Raises:
        VersionChanged: somebody was faster every time.
    """
    for tried in range(1, TRIES + 1):
        prepared = prepare_import(database, data, content, mapping, wishes, clock.now())
        if dry_run or prepared.plan.faults:
            break
        try:
            carry_out(database, prepared, clock.now())
            break
        except VersionChanged:
            if tried == TRIES:
                raise
    return prepared.plan
