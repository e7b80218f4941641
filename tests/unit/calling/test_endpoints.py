"""Where a message may be sent: the address comes from a browser, so nothing but known push services is reached."""

import pytest

from bot.calling.browsers import LONGEST_ENDPOINT, is_allowed
from bot.config import Settings

KNOWN = Settings(_env_file=None).push_hosts


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc:def",
        "https://updates.push.services.mozilla.com/wpush/v2/gAAA",
        "https://wns2-par02p.notify.windows.com/w/?token=BQY%3d",
        "https://web.push.apple.com/QGuQ",
        "https://web.push.apple.com:443/QGuQ",
    ],
)
def test_the_services_of_the_known_browsers_are_reached(endpoint):
    assert is_allowed(endpoint, KNOWN)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/fcm/send/abc",
        "https://fcm.googleapis.com:8443/fcm/send/abc",
        "https://fcm.googleapis.com.evil.example/abc",
        "https://evilfcm.googleapis.com.example/abc",
        "https://notfcm.googleapis.com/abc",
        "https://fcm.googleapis.com@10.0.0.1/abc",
        "https://10.0.0.1#fcm.googleapis.com",
        "https://10.0.0.1\\.push.apple.com/abc",
        "https://10.0.0.1/abc",
        "https://[::1]/abc",
        "https://[fd00::1]/abc",
        "https://[::1",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/abc",
        "http://127.0.0.1:8000/abc",
        "https://2130706433/abc",
        "https://push.apple.com:port/abc",
        "https://web.push.apple.com/a b",
        "https://web.push.apple.com/a\r\nHost: x",
        "https://web.push.apple.com/é",
        "https://web.push.apple.com/" + "a" * LONGEST_ENDPOINT,
        "file:///etc/passwd",
        "gopher://web.push.apple.com/abc",
        "",
    ],
)
def test_nothing_else_is(endpoint):
    assert not is_allowed(endpoint, KNOWN)


def test_this_machine_is_reached_only_where_the_settings_name_it():
    assert is_allowed("http://127.0.0.1:9999/push", ("127.0.0.1",))
    assert not is_allowed("https://127.0.0.1:9999/push", ("127.0.0.1",))
    assert not is_allowed("http://localhost:9999/push", ("127.0.0.1",))
    assert not is_allowed("https://fcm.googleapis.com/x", ())
