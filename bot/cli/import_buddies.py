"""`accueil import-buddies`: a list of local students into the records, all of it or nothing."""

import json
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.common import bytes_of, note, one_sentence, say
from bot.clock import SystemClock


def add_to(app: typer.Typer) -> None:
    app.command("import-buddies")(import_buddies)


def import_buddies(
    file: Annotated[Path, typer.Argument(help="Local students who agreed to be buddies: CSV or XLSX.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines to read.")] = False,
) -> None:
    """Take local students in as buddies. Exit code 1: the file has faults, nothing was changed."""
    from bot.buddies.imports import import_file
    from bot.buddies.interests import load_interests
    from bot.db.session import Database
    from bot.students.report import as_json as report_json
    from bot.students.report import as_lines
    from bot.supervisor.checks import check_folder
    from bot.supervisor.desk import prepare_database

    with one_sentence() as settings:
        content = bytes_of(file)
        interests = load_interests(settings.root / "knowledge" / "buddies.yml")
        check_folder(settings.data)
        prepare_database(settings, note)
        with closing(Database(settings.database)) as database:
            plan = import_file(database, settings.data, content, interests, SystemClock(), dry_run=dry_run)
        applied = not dry_run and not plan.faults
        if as_json:
            say(json.dumps(report_json(plan, applied=applied), ensure_ascii=False, indent=1))
        else:
            for line in as_lines(plan, applied=applied):
                say(line)
        if plan.faults:
            raise typer.Exit(1)
