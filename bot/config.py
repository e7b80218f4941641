"""Every setting of Accueil, typed; the only reader of the environment."""

from functools import cached_property
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.errors import ConfigurationError

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Settings come from `ACCUEIL_…` variables or a `.env` file; a wrong value stops the start with its name."""

    model_config = SettingsConfigDict(env_prefix="ACCUEIL_", env_file=ROOT / ".env", extra="ignore", frozen=True)

    data: Path = Field(ROOT / "var", description="Folder of the database, the trained models, the logs.")
    cache: Path = Field(
        Path("~/.cache/accueil"), description="What can be computed again and other checkouts may use: vectors."
    )
    mode: Literal["development", "production"] = Field(
        "development", description="development shows sign-in mails at /dev/mailbox and loads the demo records."
    )
    host: str = Field("127.0.0.1", description="Address the gateway listens on; put a TLS proxy before anything else.")
    port: int = Field(8000, ge=1, le=65535, description="Port of the gateway: welcome page, API, staff console.")
    rasa_port: int = Field(5005, ge=1, le=65535, description="Loopback port of the Rasa engine.")
    actions_port: int = Field(5055, ge=1, le=65535, description="Loopback port of the action server.")
    database_url: str = Field("", description="SQLAlchemy address; empty: SQLite in the data folder.")
    public_url: str = Field("", description="Address students see in mails and links; empty: http://host:port.")
    allowed_origins: str = Field("", description="Sites that may embed the widget, separated by commas.")
    turn_timeout: float = Field(10.0, gt=0, le=14, description="Seconds the engine may take for one turn.")
    messages_per_minute: int = Field(30, ge=1, description="Messages one conversation may send in a minute.")
    conversations_per_minute: int = Field(60, ge=1, description="Conversations one address may open in a minute.")
    smtp_host: str = Field("", description="Mail server; empty: mails go to the development mailbox.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Port of the mail server.")
    smtp_user: str = Field("", description="User at the mail server; empty: no authentication.")
    smtp_password: SecretStr = Field(SecretStr(""), description="Password at the mail server.")
    smtp_tls: Literal["starttls", "tls", "none"] = Field("starttls", description="How the mail server is reached.")
    mail_from: str = Field("accueil@localhost", description="Sender of our mails.")
    require_totp: str = Field("", description="Roles that need a second step, separated by commas: admin,coordinator.")
    oidc_issuer: str = Field("", description="Identity provider of the school (OpenID Connect); empty: none.")
    oidc_client_id: str = Field("", description="What we are called there.")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="Our secret there.")
    oidc_name: str = Field("", description="What colleagues call it; on the button of the sign-in.")
    oidc_new_role: Literal["", "adviser", "coordinator", "editor", "auditor"] = Field(
        "", description="Role of whoever comes from there and has no account; empty: nobody comes in without one."
    )
    push_services: str = Field(
        "fcm.googleapis.com,push.services.mozilla.com,notify.windows.com,push.apple.com",
        description="Push services of browsers that may be reached, with all names below these; empty: none.",
    )
    telegram_token: SecretStr = Field(SecretStr(""), description="Of the bot, from @BotFather; empty: no Telegram.")
    telegram_mode: Literal["polling", "webhook"] = Field(
        "polling", description="polling asks Telegram; webhook is called by it and needs ACCUEIL_PUBLIC_URL in https."
    )
    telegram_api_url: str = Field(
        "https://api.telegram.org", description="Bot API server; another one for a local one."
    )

    @field_validator("data")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @field_validator("database_url")
    @classmethod
    def _with_a_driver(cls, value: str) -> str:
        if value and not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("Write postgresql+psycopg://user@host/name, or leave it empty for SQLite")
        return value

    @field_validator("telegram_api_url")
    @classmethod
    def _address_of_a_server(cls, value: str) -> str:
        if not value.startswith(("https://", *(f"http://{host}" for host in (*LOOPBACK_HOSTS, "[::1]")))):
            raise ValueError("Write an https address, or an http one on this machine: the token travels in it")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _reachable_by_telegram(self) -> Self:
        if not self.telegram_token.get_secret_value() or self.telegram_mode == "polling":
            return self
        is_real = self.telegram_api_url.startswith("https://")
        if is_real and not self.public_url.startswith("https://"):
            raise ValueError(
                "ACCUEIL_TELEGRAM_MODE=webhook needs ACCUEIL_PUBLIC_URL with https, where Telegram reaches us; "
                "without one, set ACCUEIL_TELEGRAM_MODE=polling"
            )
        return self

    @field_validator("require_totp")
    @classmethod
    def _known_roles(cls, value: str) -> str:
        known = ("adviser", "coordinator", "editor", "admin", "auditor")
        unknown = sorted({role.strip() for role in value.split(",") if role.strip()} - set(known))
        if unknown:
            raise ValueError(f"{unknown[0]} is no role; the roles are {', '.join(known)}")
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def _address_of_a_provider(cls, value: str) -> str:
        hosts = (*LOOPBACK_HOSTS, "[::1]")
        if value and not value.startswith(("https://", *(f"http://{host}" for host in hosts))):
            raise ValueError("Write an https address, or an http one on this machine: secrets travel in it")
        return value

    @model_validator(mode="after")
    def _known_at_the_provider(self) -> Self:
        if self.oidc_issuer and not (self.oidc_client_id and self.oidc_client_secret.get_secret_value()):
            raise ValueError("ACCUEIL_OIDC_ISSUER needs ACCUEIL_OIDC_CLIENT_ID and ACCUEIL_OIDC_CLIENT_SECRET")
        return self

    @model_validator(mode="after")
    def _safe_outside(self) -> Self:
        """What is handy on one's own machine must not reach the network by mistake."""
        if self.in_development and self.host not in LOOPBACK_HOSTS:
            raise ValueError(
                f"ACCUEIL_HOST={self.host} would open the demo accounts and the development mailbox to the network; "
                "set ACCUEIL_MODE=production, or keep 127.0.0.1"
            )
        if not self.in_development and not self.smtp_host:
            raise ValueError("ACCUEIL_SMTP_HOST is needed in production: sign-in codes go out by mail")
        return self

    @property
    def root(self) -> Path:
        """Folder of the checkout: knowledge/, data/, nlu/."""
        return ROOT

    @cached_property
    def database(self) -> str:
        """SQLAlchemy address of our database."""
        return self.database_url or f"sqlite:///{self.data / 'accueil.db'}"

    @property
    def address(self) -> str:
        """Address of the gateway without a final slash."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def rasa_url(self) -> str:
        return f"http://127.0.0.1:{self.rasa_port}"

    @property
    def actions_url(self) -> str:
        return f"http://127.0.0.1:{self.actions_port}/webhook"

    @property
    def tracker_database(self) -> Path:
        """Rasa's own database: it makes its table itself, so it stays out of our migrations."""
        return self.data / "rasa.db"

    @property
    def origins(self) -> tuple[str, ...]:
        return tuple(origin.strip().rstrip("/") for origin in self.allowed_origins.split(",") if origin.strip())

    @property
    def push_hosts(self) -> tuple[str, ...]:
        return tuple(host.strip().lower() for host in self.push_services.split(",") if host.strip())

    @property
    def roles_with_second_step(self) -> frozenset[str]:
        return frozenset(role.strip() for role in self.require_totp.split(",") if role.strip())

    @property
    def in_development(self) -> bool:
        return self.mode == "development"


def load_settings() -> Settings:
    """Read the environment once.

    Raises:
        ConfigurationError: names the variable and what is wrong with its value.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        message = str(first["msg"]).removeprefix("Value error, ")
        if not first["loc"]:
            raise ConfigurationError(f"{message}.") from error
        name = "ACCUEIL_" + "_".join(str(part) for part in first["loc"]).upper()
        raise ConfigurationError(f"{name}: {message}. Correct it in the environment or in .env.") from error
