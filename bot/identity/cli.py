"""`accueil staff …`: accounts of the office from the command line."""

from collections.abc import Callable
from contextlib import closing
from typing import Annotated

import typer

from bot.clock import Clock
from bot.db.session import Database
from bot.errors import AccueilError, NotSignedIn
from bot.identity.models import Role
from bot.identity.resets import mail_link, make_link
from bot.identity.staff import all_staff, create_staff, disable_staff, make_token, set_password, staff_of_email

Email = Annotated[str, typer.Argument(help="E-mail address of the account.")]


def add(database: Database, clock: Clock, email: str, name: str, role: Role, language: str = "en") -> str:
    """Create an account; returns the sentence to print. Raises InvalidField."""
    with database.write() as session:
        staff = create_staff(session, email, name, role, clock.now(), language=language)
    return f"{staff.name} <{staff.email}> is {staff.role}. Next: accueil staff password {staff.email}"


def token(database: Database, clock: Clock, email: str) -> str:
    """Make a personal token; returns it. Raises NotFound, NotSignedIn."""
    with database.write() as session:
        return make_token(session, email, clock.now())


def password(database: Database, clock: Clock, email: str, new: str) -> str:
    """Set a password; returns the sentence to print. Raises NotFound, InvalidField."""
    with database.write() as session:
        staff = staff_of_email(session, email)
        set_password(session, staff, new, clock.now())
    return f"The password of {staff.email} is set; browsers that were signed in are signed out."


def listing(database: Database) -> list[str]:
    """One line per account: address, name, role, state."""
    with database.read() as session:
        return [
            f"{staff.email}\t{staff.name}\t{staff.role}\t{'disabled' if staff.disabled else 'active'}"
            for staff in all_staff(session)
        ]


def disable(database: Database, clock: Clock, email: str) -> str:
    """Refuse an account; returns the sentence to print. Raises NotFound."""
    with database.write() as session:
        staff = disable_staff(session, email, clock.now())
    return f"{staff.email} is disabled: signed out everywhere, tokens gone."


def reset(database: Database, clock: Clock, site: str, email: str, *, mail: bool) -> str:
    """A link for a new password, to hand over or by mail; returns the line to print. Raises NotFound, NotSignedIn."""
    with database.write() as session:
        staff = staff_of_email(session, email)
        if not mail:
            return make_link(session, staff, site, clock.now())
        if staff.disabled:
            raise NotSignedIn("This account is disabled.")
        mail_link(session, staff, site, clock.now())
    return f"A mail with a link goes to {staff.email} while the gateway runs; it works for 30 minutes."


def staff_commands(open_database: Callable[[], Database], clock: Clock, site: Callable[[], str]) -> typer.Typer:
    """The sub-application `accueil staff`; the database is opened when a command runs, `site` is our address."""
    app = typer.Typer(help="Accounts of the office.", no_args_is_help=True)

    def run(deed: Callable[[Database], str]) -> None:
        try:
            with closing(open_database()) as database:
                typer.echo(deed(database))
        except AccueilError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(2) from error

    @app.command("add")
    def _add(
        email: Email,
        name: Annotated[str, typer.Option(help="The name students see.")],
        role: Annotated[Role, typer.Option(help="What the account may do.")],
        language: Annotated[str, typer.Option(help="Language of the console.")] = "en",
    ) -> None:
        """Create an account; it has no password yet."""
        run(lambda database: add(database, clock, email, name, role, language))

    @app.command("password")
    def _password(email: Email) -> None:
        """Ask for a new password and set it."""
        new = typer.prompt("New password", hide_input=True, confirmation_prompt=True)
        run(lambda database: password(database, clock, email, new))

    @app.command("token")
    def _token(email: Email) -> None:
        """Print a new personal token for other programs; it cannot be shown again."""
        run(lambda database: token(database, clock, email))

    @app.command("list")
    def _list() -> None:
        """Print all accounts."""
        run(lambda database: "\n".join(listing(database)) or "There is no account yet.")

    @app.command("disable")
    def _disable(email: Email) -> None:
        """Refuse an account from now on."""
        run(lambda database: disable(database, clock, email))

    @app.command("reset")
    def _reset(
        email: Email, mail: Annotated[bool, typer.Option("--mail", help="Send it instead of printing it.")] = False
    ) -> None:
        """Print a link for a new password: it works once, for 30 minutes."""
        run(lambda database: reset(database, clock, site(), email, mail=mail))

    return app
