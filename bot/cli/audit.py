"""`accueil audit …`: whether the log of who did what is whole."""

from contextlib import closing
from typing import Annotated

import typer

from bot.cli.common import one_sentence, say


def add_to(app: typer.Typer) -> None:
    audit = typer.Typer(help="The log of who did what in the office.", no_args_is_help=True)
    app.add_typer(audit, name="audit")

    @audit.callback()
    def _audit() -> None:
        """The log of who did what in the office."""

    @audit.command("verify")
    def _verify(
        expect: Annotated[str, typer.Option(help="A hash that was printed earlier: is it still in the chain?")] = "",
    ) -> None:
        """Compute the chain anew; prints its last hash, to be kept elsewhere. Exit code 1 when it is broken."""
        from bot.db.session import Database
        from bot.identity.audit import is_part_of, verify
        from bot.supervisor.checks import check_folder

        with one_sentence() as settings:
            check_folder(settings.data)
            with closing(Database(settings.database)) as database, database.snapshot() as session:
                state = verify(session)
                is_known = not expect or expect == state.hash or is_part_of(session, expect)
            if state.fault is not None:
                say(f"The chain is broken: {state.fault}")
            elif not is_known:
                say("The chain is whole, but it is another one: the hash that was printed earlier is not in it.")
            else:
                say(f"The chain is whole: {state.entries} entries. Last hash: {state.hash}")
            if state.fault is not None or not is_known:
                raise typer.Exit(1)
