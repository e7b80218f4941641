"""The sandbox as a process of the desk: what it is told, and where it refuses to run."""

import re

import httpx
import pytest

from bot.config import Settings
from bot.errors import ConfigurationError
from bot.supervisor.sandbox import check_sandbox, sandbox_child, sandbox_environment


def settings(**values):
    return Settings(_env_file=None, **values)


class Elsewhere(Settings):
    """A checkout without the tests."""

    @property
    def root(self):
        return self.data


def test_each_start_has_a_token_of_its_own_and_the_same_bot():
    first, second = sandbox_environment(8090), sandbox_environment(8090)
    assert first["ACCUEIL_TELEGRAM_API_URL"] == "http://127.0.0.1:8090"
    assert first["ACCUEIL_TELEGRAM_MODE"] == "polling"
    tokens = [each["ACCUEIL_TELEGRAM_TOKEN"] for each in (first, second)]
    assert tokens[0] != tokens[1]
    assert [re.fullmatch(r"110000001:[A-Za-z0-9_-]{30,60}", each) is not None for each in tokens] == [True, True]


async def test_the_process_gets_the_token_where_nobody_else_reads_it():
    async with httpx.AsyncClient() as client:
        child = sandbox_child(settings(telegram_token="110000001:" + "x" * 36), 8090, client)
    assert child.argv[1:] == (
        "-m", "tests.fakes.telegram_api", "--port", "8090", "--token-from", "ACCUEIL_TELEGRAM_TOKEN",
        "--desk", "http://127.0.0.1:8000",
    )  # fmt: skip
    assert child.env["ACCUEIL_TELEGRAM_TOKEN"] == "110000001:" + "x" * 36


def test_it_does_not_run_in_production():
    with pytest.raises(ConfigurationError, match="Set ACCUEIL_MODE=development"):
        check_sandbox(settings(mode="production", smtp_host="mail.example.org"), 8090)


def test_without_the_folder_of_the_tests_it_says_so_in_a_sentence(tmp_path):
    with pytest.raises(ConfigurationError, match="has no folder tests/fakes/telegram_api"):
        check_sandbox(Elsewhere(_env_file=None, data=tmp_path), 8090)
