"""`accueil import-offers`: classes, appointments and events from a CSV file."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.common import note, one_sentence, say
from bot.clock import SystemClock
from bot.i18n.languages import DEFAULT

if TYPE_CHECKING:
    from bot.bookings.importing import Imported
    from bot.students.findings import Finding


def add_to(app: typer.Typer) -> None:
    app.command("import-offers")(import_offers)


def import_offers(
    file: Annotated[Path, typer.Argument(help="A CSV file; docs/bookings.md names its columns.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen and change nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines to read.")] = False,
) -> None:
    """Make and change offers from a file, all or nothing. Exit code 1: the file has faults, nothing was changed."""
    from bot.bookings.importing import apply_plan, read_plan
    from bot.db.session import Database
    from bot.students.files import MOST_BYTES
    from bot.supervisor.checks import check_folder
    from bot.supervisor.desk import prepare_database

    with one_sentence() as settings:
        if not file.is_file():
            raise typer.BadParameter(f"{file}: there is no such file")
        with file.open("rb") as stream:
            plan = read_plan(stream.read(MOST_BYTES + 1))
        check_folder(settings.data)
        prepare_database(settings, note)
        database = Database(settings.database)
        with database.write() as session:
            imported = apply_plan(session, plan, SystemClock().now())
            if dry_run or imported.faults:
                session.rollback()
        if as_json:
            say(json.dumps(as_object(imported, dry_run=dry_run), ensure_ascii=False, indent=1))
        else:
            for line in report(imported, dry_run=dry_run):
                say(line)
        if imported.faults:
            raise typer.Exit(1)


def as_object(imported: "Imported", *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "new": list(imported.new) if not imported.faults else [],
        "changed": [
            {"code": each.code, "fields": list(each.fields), "told": each.told}
            for each in imported.changed
            if not imported.faults
        ],
        "unchanged": list(imported.unchanged) if not imported.faults else [],
        "faults": [_finding(each) for each in imported.faults],
        "warnings": [_finding(each) for each in imported.warnings],
    }


def _finding(found: "Finding") -> dict[str, Any]:
    return {
        "line": found.line,
        "field": found.field,
        "value": found.value,
        "fault": found.problem_words(DEFAULT),
        "fix": found.fix_words(DEFAULT),
    }


def report(imported: "Imported", *, dry_run: bool) -> list[str]:
    """Lines for a reader: every warning and fault with its place, then the sum."""
    lines = [_line("warning", each) for each in imported.warnings]
    if imported.faults:
        lines += [_line("fault", each) for each in imported.faults]
        return [*lines, f"{len(imported.faults)} faults: nothing was changed."]
    lines += [f"new: {code}" for code in imported.new]
    lines += [f"changed: {each.code} ({', '.join(each.fields)}), told: {each.told}" for each in imported.changed]
    sums = f"{len(imported.new)} new, {len(imported.changed)} changed, {len(imported.unchanged)} unchanged"
    return [*lines, f"{sums}; this was a dry run, nothing was changed." if dry_run else f"{sums}."]


def _line(word: str, found: "Finding") -> str:
    where = f"line {found.line}" if found.line is not None else "file"
    value = f" {found.value!r}" if found.value else ""
    return f"{word}, {where}, {found.field or '-'}{value}: {found.problem_words(DEFAULT)} {found.fix_words(DEFAULT)}"
