"""`accueil desks`: how the office divides its work, and who works where."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.common import one_sentence, say

if TYPE_CHECKING:
    from bot.db.session import Database
    from bot.handoff.desks import Office

Slug = Annotated[str, typer.Argument(help="Name of the desk in knowledge/desks.yml.")]
Email = Annotated[str, typer.Argument(help="E-mail address of the account.")]


def add_to(app: typer.Typer) -> None:
    desks = typer.Typer(help="Desks of the office and who works there.", no_args_is_help=True)
    desks.command("list")(listing)
    desks.command("join")(join_desk)
    desks.command("leave")(leave_desk)
    app.add_typer(desks, name="desks")


def listing() -> None:
    """Show every desk: its topics, its campuses and its colleagues."""
    from bot.handoff.desks import members

    with _opened() as (database, office), database.read() as session:
        who = members(session)
        for slug, desk in office.desks.items():
            topics = ", ".join(desk.topics) or ("all others" if desk.default else "all topics")
            campuses = ", ".join(desk.campuses) or "all campuses"
            people = ", ".join(person.email for person in who.get(slug, ())) or "nobody in particular"
            say(f"{slug}\t{desk.name.en}\t{topics}\t{campuses}\t{people}")


def join_desk(slug: Slug, email: Email) -> None:
    """Let a colleague work at a desk: an adviser then sees the conversations of their own desks alone."""
    from bot.clock import SystemClock
    from bot.handoff.desks import join
    from bot.identity.audit import record
    from bot.identity.staff import staff_of_email

    with _opened() as (database, office), database.write() as session:
        staff = staff_of_email(session, email)
        join(session, office, slug, staff)
        record(session, "desk_joined", staff_id=staff.id, now=SystemClock().now(), desk=slug)
        say(f"{staff.email} works at {slug}.")


def leave_desk(slug: Slug, email: Email) -> None:
    """Take a colleague away from a desk; whoever works at none sees every conversation."""
    from bot.clock import SystemClock
    from bot.handoff.desks import leave
    from bot.identity.audit import record
    from bot.identity.staff import staff_of_email

    with _opened() as (database, _office), database.write() as session:
        staff = staff_of_email(session, email)
        leave(session, slug, staff)
        record(session, "desk_left", staff_id=staff.id, now=SystemClock().now(), desk=slug)
        say(f"{staff.email} works at {slug} no more.")


@contextmanager
def _opened() -> Iterator[tuple["Database", "Office"]]:
    from bot.bootstrap import TABLES  # noqa: F401  (makes every table known)
    from bot.content.desks import load_desks
    from bot.db.migrate import upgrade
    from bot.db.session import Database
    from bot.handoff.desks import Office
    from bot.supervisor.checks import check_folder

    with one_sentence() as settings:
        office = Office(load_desks(settings.root / "knowledge" / "desks.yml"))
        check_folder(settings.data)
        database = Database(settings.database)
        try:
            upgrade(database)
            yield database, office
        finally:
            database.close()
