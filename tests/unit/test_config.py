import pytest

from bot.config import load_settings
from bot.errors import ConfigurationError


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch):
    def put(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"ACCUEIL_{name.upper()}", value)

    return put


def test_a_wrong_value_is_named_with_its_variable(environment):
    environment(port="many")

    with pytest.raises(ConfigurationError, match=r"^ACCUEIL_PORT: Input should be a valid integer.* Correct it in"):
        load_settings()


def test_development_is_refused_on_a_public_address(environment):
    environment(host="0.0.0.0")

    with pytest.raises(ConfigurationError, match=r"^ACCUEIL_HOST=0\.0\.0\.0 would open the demo accounts"):
        load_settings()


def test_production_is_refused_without_a_mail_server(environment):
    environment(mode="production")

    with pytest.raises(ConfigurationError, match=r"^ACCUEIL_SMTP_HOST is needed in production"):
        load_settings()


def test_production_with_a_mail_server_may_listen_anywhere(environment):
    environment(mode="production", smtp_host="mail.example.org", host="0.0.0.0")

    assert load_settings().host == "0.0.0.0"
