"""`accueil remind` and `accueil campaign`: what is due goes out; a message to everybody stuck at a step."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.common import moment_of, note, one_sentence, say
from bot.log import configure_logging

if TYPE_CHECKING:
    from bot.bootstrap import Services
    from bot.reminders.campaigns import Result

EVERY = 60.0
"""Seconds between two runs."""

campaign_app = typer.Typer(help="Write to everybody stuck at a step: start, report, list.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    app.command("remind")(remind)
    app.add_typer(campaign_app, name="campaign")


@contextmanager
def _services() -> "Iterator[Services]":
    from bot.bootstrap import build_services
    from bot.supervisor.checks import check_folder
    from bot.supervisor.desk import prepare_database

    configure_logging()
    with one_sentence() as settings:
        services = build_services(settings)
        check_folder(settings.data)
        prepare_database(settings, note)
        yield services


def remind(
    now: Annotated[str | None, typer.Option(help="Act as if it were this instant (RFC 3339).")] = None,
    once: Annotated[bool, typer.Option(help="One run; else every minute until Ctrl-C.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Say what would happen and change nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per run.")] = False,
) -> None:
    """Send the reminders that are due, quiet hours and limits kept. The gateway does the same every minute."""
    from bot.errors import Unavailable
    from bot.reminders.sending import Content, Reminders

    with _services() as services:
        content = Content(services.procedures, services.knowledge, services.settings.address)
        reminders = Reminders(services.database, content)
        while True:
            try:
                instant = moment_of(now)
                report = reminders.rehearse(instant) if dry_run else reminders.run(instant)
                say(json.dumps(report.as_json(), ensure_ascii=False) if as_json else _in_words(report.as_json()))
            except Unavailable as error:
                if once:
                    raise
                note(str(error))
            # A clock that stands still has nothing new to say.
            if once or now is not None:
                return
            time.sleep(EVERY)


def _in_words(report: dict[str, Any]) -> str:
    lines = [
        *(
            f"sent     {each['channel']:5} {each['student']}: {', '.join(each['steps']) or each['subject']}"
            for each in report["sent"]
        ),
        *(
            f"moved    {each['student']}: {each['subject']} to {each['until']} ({each['why']})"
            for each in report["moved"]
        ),
        *(f"skipped  {each['student']}: {each['subject']} ({each['reason']})" for each in report["skipped"]),
    ]
    counts = ", ".join(f"{len(report[name])} {name}" for name in ("sent", "moved", "skipped"))
    return "\n".join([*lines, f"{report['now']}: {counts}."])


@campaign_app.command("start")
def start_command(
    step: Annotated[str, typer.Option(help="Slug of the step.")],
    campus: Annotated[str | None, typer.Option(help="Only students of this campus.")] = None,
    programme_type: Annotated[str | None, typer.Option(help="Only students of this kind of programme.")] = None,
    left_out: Annotated[float, typer.Option(help="Share that gets no message, to compare: 0 to 0.5.")] = 0.2,
    name: Annotated[str, typer.Option(help="A name for the list; else the slug of the step.")] = "",
    dry_run: Annotated[bool, typer.Option(help="Say who would get it and start nothing.")] = False,
) -> None:
    """Plan one message to everybody for whom this step is open, overdue or stuck."""
    from bot.reminders.campaigns import Wish, audience, checked, start

    with _services() as services:
        given = {"campus": campus, "programme_type": programme_type}
        filters = {fact: value for fact, value in given.items() if value is not None}
        wish = checked(Wish(step, name, filters, left_out), services.procedures)
        now = services.clock.now()
        chosen = audience(services.database, wish, services.procedures, now)
        all_of_them = len(chosen.student_ids)
        without = chosen.left_out(wish.left_out)
        if chosen.with_legal_date and without:
            note(
                f"{chosen.with_legal_date} of them have a legal date within 14 days; the automatic reminders of this "
                "step still reach these, also those left out of the campaign."
            )
        if dry_run:
            say(f"{all_of_them - without} students would get the message, {without} would be left out to compare.")
            return
        with services.database.write() as session:
            campaign = start(session, wish, chosen, now, staff_id=None)
        say(f"Campaign {campaign.id} has started: {all_of_them - without} messages planned, {without} left out.")


@campaign_app.command("report")
def report_command(
    campaign_id: Annotated[int, typer.Argument(metavar="ID", help="Number of the campaign.")],
    days: Annotated[int, typer.Option(min=1, max=365, help="Done within so many days.")] = 14,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines to read.")] = False,
) -> None:
    """Who did the step, with a message and without, and whether the difference may be chance."""
    from bot.reminders.campaigns import result
    from bot.reminders.report import result_as_json, result_words

    with _services() as services:
        with services.database.read() as session:
            found: Result = result(session, campaign_id, services.clock.now(), days=days)
        if as_json:
            say(json.dumps(result_as_json(found), ensure_ascii=False))
            return
        for sentence in result_words(found, "en", are_small_counts_hidden=False):
            say(sentence)


@campaign_app.command("list")
def list_command() -> None:
    """All campaigns, the newest first."""
    from bot.reminders.campaigns import campaigns

    with _services() as services:
        with services.database.read() as session:
            found = campaigns(session)
        for each in found:
            filters = ", ".join(each.chosen_by.values()) or "everybody"
            left_out = f"{each.left_out:.0%} left out"
            say(f"{each.id:4}  {each.started_at:%Y-%m-%d}  {each.step}  {filters}  {left_out}  {each.name}")
        if not found:
            say("There is no campaign yet; `accueil campaign start --step SLUG` begins one.")
