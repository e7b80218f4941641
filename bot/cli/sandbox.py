"""`accueil telegram-sandbox`: the whole desk, and a page with a phone on it instead of Telegram."""

import os
from typing import Annotated

import typer

from bot.cli.common import one_sentence, say


def add_to(app: typer.Typer) -> None:
    app.command("telegram-sandbox")(telegram_sandbox)


def telegram_sandbox(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the phone's page, on this machine only.")] = 8090,
) -> None:
    """Start everything with a phone to try the bot on, without Telegram; stop with Ctrl-C."""
    from bot.supervisor.desk import run_desk
    from bot.supervisor.sandbox import check_sandbox, sandbox_child, sandbox_environment

    # The gateway is a process of its own and reads the environment, as we do.
    os.environ.update(sandbox_environment(port))
    with one_sentence() as settings:
        check_sandbox(settings, port)
        code = run_desk(
            settings,
            say,
            beside=lambda client: [sandbox_child(settings, port, client)],
            addresses={"Phone": f"{settings.telegram_api_url}/"},
        )
    raise typer.Exit(code)
