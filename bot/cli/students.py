"""`accueil import-students`: the school's file into the records, all of it or nothing."""

import json
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.common import bytes_of, note, one_sentence, say
from bot.clock import SystemClock


def add_to(app: typer.Typer) -> None:
    app.command("import-students")(import_students)


def import_students(
    file: Annotated[Path, typer.Argument(help="The school's file: CSV or XLSX.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    mapping: Annotated[Path | None, typer.Option("--map", help="A YAML file: our column → their header.")] = None,
    complete: Annotated[
        bool, typer.Option("--complete", help="The file holds every student: whoever is missing has left.")
    ] = False,
    include_erased: Annotated[
        bool, typer.Option("--include-erased", help="Bring back people who asked to be erased.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines to read.")] = False,
) -> None:
    """Bring the student records up to the school's file. Exit code 1: the file has faults, nothing was changed."""
    from bot.db.session import Database
    from bot.errors import InvalidField
    from bot.identity.imports import Wishes, import_file
    from bot.students.findings import Refused
    from bot.students.importing import read_mapping
    from bot.students.report import as_json as report_json
    from bot.students.report import as_lines
    from bot.supervisor.checks import check_folder
    from bot.supervisor.desk import prepare_database

    with one_sentence() as settings:
        content = bytes_of(file)
        try:
            mapped = read_mapping(bytes_of(mapping).decode("utf-8-sig")) if mapping is not None else None
        except UnicodeDecodeError as error:
            raise InvalidField(f"{mapping} is not text in UTF-8; save it again as UTF-8.", field="map") from error
        except Refused as error:
            finding = error.at()
            raise InvalidField(f"{finding.problem_words('en')} {finding.fix_words('en')}", field="map") from error
        check_folder(settings.data)
        prepare_database(settings, note)
        wishes = Wishes(complete=complete, include_erased=include_erased)
        with closing(Database(settings.database)) as database:
            plan = import_file(database, settings.data, content, mapped, wishes, SystemClock(), dry_run=dry_run)
        applied = not dry_run and not plan.faults
        if as_json:
            say(json.dumps(report_json(plan, applied=applied), ensure_ascii=False, indent=1))
        else:
            for line in as_lines(plan, applied=applied):
                say(line)
        if plan.faults:
            raise typer.Exit(1)
