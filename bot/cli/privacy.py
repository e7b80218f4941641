"""`accueil export`, `accueil erase`, `accueil purge`: requests of students by hand, and what is over."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.common import moment_of, note, one_sentence, say

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from bot.config import Settings
    from bot.db.session import Database
    from bot.privacy.reach import Person

Email = Annotated[str, typer.Option("--student", help="The student's e-mail.")]


def add_to(app: typer.Typer) -> None:
    app.command("export")(export)
    app.command("erase")(erase)
    app.command("purge")(purge)


def export(
    student: Email, language: Annotated[str, typer.Option(help="Language of the explanations in it.")] = "en"
) -> None:
    """Print a copy of everything that is kept about a student, as JSON."""
    from bot.clock import SystemClock
    from bot.i18n.languages import CODES, is_supported
    from bot.identity.audit import record
    from bot.privacy.export import export_text

    with one_sentence() as settings, _opened(settings) as database:
        if not is_supported(language):
            raise typer.BadParameter(f"--language {language!r} is not one of {', '.join(CODES)}")
        now = SystemClock().now()
        with database.write() as session:
            person = _person(session, settings, student)
            text = export_text(session, person, now, language)
            record(session, "export", staff_id=None, now=now)
        say(text.rstrip())


def erase(
    student: Email, yes: Annotated[bool, typer.Option("--yes", help="Erase without asking again.")] = False
) -> None:
    """Erase a student: the record and every conversation linked to it. There is no way back."""
    from bot.clock import SystemClock
    from bot.identity.erasures import erasure_key
    from bot.privacy.erase import erase as erase_person
    from bot.privacy.traces import finish_erasures

    with one_sentence() as settings, _opened(settings) as database:
        with database.read() as session:
            person = _person(session, settings, student)
        if not yes:
            count = len(person.conversations)
            typer.confirm(f"Erase {person.email} and {count} linked conversations for good?", abort=True, err=True)
        now = SystemClock().now()
        with database.write() as session:
            # Again: a conversation may have been linked while the question was open.
            person = _person(session, settings, student)
            erased = erase_person(session, person, now, key=erasure_key(settings.data))
        left = finish_erasures(database, settings, now)
        rows = sum(erased.rows.values())
        say(f"{person.email} is erased: {rows} rows, {len(erased.conversations)} conversations.")
        if left:
            note("What a turn or a mail under way still writes is erased by the gateway, or by `accueil purge`.")


def purge(
    now: Annotated[str | None, typer.Option(help="As at this instant (RFC 3339).")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines to read.")] = False,
) -> None:
    """Delete what is kept long enough (docs/privacy.md); the gateway does it once a day."""
    from bot.conversations.search import forget_deleted
    from bot.privacy.retention import BY_NAME
    from bot.privacy.retention import purge as purge_now
    from bot.privacy.traces import finish_erasures

    instant = moment_of(now)
    with one_sentence() as settings, _opened(settings) as database:
        counted = purge_now(database, instant, dry_run=dry_run)
        left = 0
        if not dry_run:
            left = finish_erasures(database, settings, instant)
            forget_deleted(database)
            database.empty_log()
        if as_json:
            result = {"now": instant.isoformat(), "dry_run": dry_run, "deleted": counted, "unfinished": left}
            say(json.dumps(result, indent=1))
            return
        for name, count in counted.items():
            if count:
                say(f"{count:7}  {BY_NAME[name].what} ({BY_NAME[name].words})")
        say(f"{sum(counted.values())} {'would be deleted' if dry_run else 'deleted'}.")


@contextmanager
def _opened(settings: "Settings") -> "Iterator[Database]":
    """The database in its newest shape. The demo cast is not loaded: whoever erases must not bring people back."""
    from bot.db.migrate import upgrade
    from bot.db.session import Database
    from bot.supervisor.checks import check_folder

    check_folder(settings.data)
    database = Database(settings.database)
    try:
        upgrade(database)
        yield database
    finally:
        database.close()


def _person(session: "Session", settings: "Settings", email: str) -> "Person":
    """Raises NotFound, with the day of the erasure where there was one."""
    from bot.clock import day_in_france
    from bot.errors import NotFound
    from bot.identity.erasures import erased_among, erasure_key
    from bot.privacy.reach import person_of_student
    from bot.students.records import student_by_email

    student = student_by_email(session, email)
    if student is None:
        address = email.strip().lower()
        erased_at = erased_among(session, erasure_key(settings.data), [address]).get(address)
        if erased_at is not None:
            raise NotFound(f"There is no student {email}: erased on {day_in_france(erased_at)}.")
        raise NotFound(f"There is no student {email}.")
    return person_of_student(session, student)
