"""`accueil export-knowledge`: what was published in the console, written into the files of knowledge/."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.common import note, one_sentence, say


def add_to(app: typer.Typer) -> None:
    app.command("export-knowledge")(export_knowledge)


def export_knowledge(
    out: Annotated[Path | None, typer.Option(help="Folder knowledge of a checkout; else the one in use.")] = None,
) -> None:
    """Write the published answers that the files do not say yet into knowledge/topics, to be committed."""
    from bot.clock import SystemClock
    from bot.content.loader import load_knowledge
    from bot.db.session import Database
    from bot.editing.exporting import export_editions
    from bot.supervisor.checks import check_folder
    from bot.supervisor.desk import prepare_database

    with one_sentence() as settings:
        knowledge = load_knowledge(settings.root / "knowledge")
        check_folder(settings.data)
        prepare_database(settings, note)
        with closing(Database(settings.database)) as database, database.write() as session:
            written = export_editions(session, knowledge, out or knowledge.folder, SystemClock().now())
        for slug in written:
            say(f"topics/{slug}")
        say(f"{len(written)} answers written." if written else "The files already say what students read.")
