"""`accueil evidence-report`: the indicators of welcome that the data can prove, as a PDF."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.common import note, one_sentence, say


def add_to(app: typer.Typer) -> None:
    app.command("evidence-report")(evidence_report_command)


def evidence_report_command(
    first: Annotated[str, typer.Option("--from", help="First day of the period, such as 2025-09-01.")],
    last: Annotated[str, typer.Option("--to", help="Last day of the period; today at the latest.")],
    out: Annotated[Path, typer.Option("--out", help="The PDF is written here.")],
    language: Annotated[str, typer.Option(help="en or fr.")] = "fr",
) -> None:
    """Write the report for the file of the label “Bienvenue en France”."""
    from bot.bootstrap import build_services
    from bot.clock import SystemClock, day_in_france
    from bot.errors import InvalidField
    from bot.i18n.languages import CONTENT_CODES
    from bot.radar.evidence import Sources, checked_period
    from bot.radar.report import evidence_report
    from bot.supervisor.checks import check_folder
    from bot.supervisor.desk import prepare_database

    with one_sentence() as settings:
        if language not in CONTENT_CODES:
            raise InvalidField(f"--language {language!r} is not one of {', '.join(CONTENT_CODES)}.", field="language")
        now = SystemClock().now()
        period = checked_period(_day(first, "--from"), _day(last, "--to"), day_in_france(now))
        services = build_services(settings)
        check_folder(settings.data)
        prepare_database(settings, note)
        sources = Sources(services.database, services.knowledge, services.procedures)
        pdf = evidence_report(sources, period, language, now)
        try:
            out.write_bytes(pdf)
        except OSError as error:
            raise InvalidField(f"{out} cannot be written: {error.strerror}.", field="out") from error
        say(f"Written: {out}")


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{option} {text!r} is not an ISO date such as 2026-09-01") from error
