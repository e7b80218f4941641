import pytest
import typer
from sqlalchemy import select
from typer.testing import CliRunner

from bot.conversations.models import OutboxEntry
from bot.db.session import Database
from bot.errors import NotSignedIn
from bot.identity.cli import staff_commands
from bot.identity.resets import reset_password
from bot.identity.staff import sign_in, staff_of_token


@pytest.fixture
def run(database, clock):
    app = typer.Typer()
    app.add_typer(staff_commands(lambda: Database(database.url), clock, lambda: "https://desk.example"), name="staff")

    def call(*arguments: str, typed: str = ""):
        return CliRunner().invoke(app, ["staff", *arguments], input=typed)

    return call


def test_an_account_is_made_gets_a_password_and_signs_in(run, database, now):
    made = run("add", "claire@accueil.example", "--name", "Claire", "--role", "adviser")
    set_ = run("password", "claire@accueil.example", typed="brick canal and paper\nbrick canal and paper\n")

    assert (made.exit_code, set_.exit_code) == (0, 0)
    assert made.stdout == (
        "Claire <claire@accueil.example> is adviser. Next: accueil staff password claire@accueil.example\n"
    )
    assert "brick" not in set_.output
    with database.write() as session:
        staff, _, _ = sign_in(session, "claire@accueil.example", "brick canal and paper", "192.0.2.1", now)
        assert staff.name == "Claire"


def test_a_token_is_printed_alone_so_that_it_can_be_piped(run, database, claire, now):
    token = run("token", claire).stdout.strip()

    with database.read() as session:
        assert staff_of_token(session, token).email == claire


def test_accounts_are_listed_with_their_state(run, claire):
    assert run("disable", claire).exit_code == 0
    assert run("list").stdout == "claire@accueil.example\tClaire\tadviser\tdisabled\n"


@pytest.mark.parametrize("command", ["token", "disable"])
def test_an_unknown_account_is_one_sentence_and_an_exit_code(run, command):
    result = run(command, "nobody@accueil.example")

    assert result.exit_code == 2
    assert result.stderr == "There is no account with this address; `accueil staff list` shows them.\n"


def test_a_weak_password_is_refused_with_the_reason(run, claire):
    result = run("password", claire, typed="short\nshort\n")

    assert result.exit_code == 2
    assert "A password has 12 to 256 characters" in result.stderr


def test_a_link_for_a_new_password_is_printed_and_works_once(run, database, claire, now):
    token = run("reset", claire).stdout.strip().removeprefix("https://desk.example/staff/reset?token=")

    with database.write() as session:
        assert reset_password(session, token, "brick canal and paper", now).email == claire
    with database.write() as session, pytest.raises(NotSignedIn):
        reset_password(session, token, "paper canal and brick", now)


def test_a_link_for_a_new_password_is_sent_by_mail(run, database, claire):
    said = run("reset", claire, "--mail")

    with database.read() as session:
        mail = session.scalars(select(OutboxEntry.payload)).one()
    assert said.stdout == f"A mail with a link goes to {claire} while the gateway runs; it works for 30 minutes.\n"
    assert mail["to"] == claire
    assert "https://desk.example/staff/reset?token=" in mail["text"]


def test_a_disabled_account_gets_no_link(run, claire):
    run("disable", claire)

    assert [run("reset", claire, *mail).exit_code for mail in ((), ("--mail",))] == [2, 2]
