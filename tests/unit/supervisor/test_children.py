import signal
from itertools import islice

import pytest

from bot.config import Settings
from bot.supervisor.children import Pace, how_it_ended, pauses
from bot.supervisor.run import gateway_url


def test_the_pauses_double_up_to_thirty_seconds():
    assert list(islice(pauses(Pace()), 7)) == [1, 2, 4, 8, 16, 30, 30]


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "exit code 0"), (3, "exit code 3"), (-signal.SIGKILL, "signal SIGKILL"), (-250, "signal 250")],
)
def test_an_end_is_told_in_words(code, words):
    assert how_it_ended(code) == words


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8123"),
        ("0.0.0.0", "http://127.0.0.1:8123"),
        ("::", "http://[::1]:8123"),
        ("::1", "http://[::1]:8123"),
        ("desk.example", "http://desk.example:8123"),
    ],
)
def test_programs_on_this_machine_reach_the_gateway_wherever_it_listens(host, url):
    settings = Settings(mode="production", smtp_host="mail.example", host=host, port=8123, _env_file=None)

    assert gateway_url(settings) == url
