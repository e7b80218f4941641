"""What a browser is called in the list of sessions."""

import pytest

from bot.identity.browsers import browser_family

LINUX = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (f"{LINUX} Chrome/131.0.0.0 Safari/537.36", "Chrome, Linux"),
        (f"{LINUX} HeadlessChrome/131.0.0.0 Safari/537.36", "Chrome, Linux"),
        (f"{WINDOWS} Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0", "Edge, Windows"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 "
            "Safari/605.1.15",
            "Safari, macOS",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0", "Firefox, Linux"),
        ("curl/8.5.0", ""),
    ],
)
def test_a_browser_is_called_by_its_name_and_system(user_agent: str, name: str):
    assert browser_family(user_agent) == name
