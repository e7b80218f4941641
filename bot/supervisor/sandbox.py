"""The fake of the Bot API as one more process of the desk: for trying the bot without Telegram."""

import os
import secrets
import sys
from collections.abc import Mapping
from functools import partial

import httpx

from bot.config import Settings
from bot.errors import ConfigurationError
from bot.supervisor.checks import check_ports
from bot.supervisor.children import Child, http_answers

LOOPBACK = "127.0.0.1"
BOT = 110000001
"""Number of the bot in the sandbox; it stays, so that a conversation goes on after the next start."""
PACKAGE = "tests.fakes.telegram_api"


def sandbox_environment(port: int) -> Mapping[str, str]:
    """What makes a desk speak with the sandbox on this port instead of with Telegram; the token is a new one."""
    return {
        "ACCUEIL_TELEGRAM_TOKEN": f"{BOT}:{secrets.token_urlsafe(27)}",
        "ACCUEIL_TELEGRAM_MODE": "polling",
        "ACCUEIL_TELEGRAM_API_URL": f"http://{LOOPBACK}:{port}",
    }


def check_sandbox(settings: Settings, port: int) -> None:
    """Whether it can be started.

    Raises:
        ConfigurationError: in production, without the folder of the tests, or with the port in use.
    """
    if not settings.in_development:
        raise ConfigurationError(
            "The sandbox has no sign-in, so it runs in development only. Set ACCUEIL_MODE=development, with a data "
            "folder that holds no real students."
        )
    if not (settings.root / PACKAGE.replace(".", "/")).is_dir():
        raise ConfigurationError(
            f"The sandbox is part of the tests, and {settings.root} has no folder tests/fakes/telegram_api. "
            "Run it from a checkout of the repository."
        )
    check_ports(
        {
            "ACCUEIL_PORT": (settings.host, settings.port),
            "ACCUEIL_RASA_PORT": (LOOPBACK, settings.rasa_port),
            "ACCUEIL_ACTIONS_PORT": (LOOPBACK, settings.actions_port),
            "--port": (LOOPBACK, port),
        }
    )


def sandbox_child(settings: Settings, port: int, client: httpx.AsyncClient) -> Child:
    """The process, with the token of the settings."""
    # The token is in no argument: those are to be read by everybody on the machine.
    env = {**os.environ, "ACCUEIL_TELEGRAM_TOKEN": settings.telegram_token.get_secret_value()}
    token = ("--token-from", "ACCUEIL_TELEGRAM_TOKEN")
    argv = (sys.executable, "-m", PACKAGE, "--port", str(port), *token, "--desk", settings.address)
    log = settings.data / "logs" / "telegram-sandbox.log"
    probe = partial(http_answers, client, f"http://{LOOPBACK}:{port}/control/state")
    return Child("sandbox", argv, env, settings.root, log, probe)
