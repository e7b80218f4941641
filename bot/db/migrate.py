"""Bring a database to the newest shape of its tables."""

from alembic import command
from alembic.config import Config
from sqlalchemy.exc import DatabaseError

from bot.config import ROOT
from bot.db.session import Database
from bot.errors import ConfigurationError


def alembic_config() -> Config:
    config = Config(str(ROOT / "alembic.ini"))
    config.set_main_option("script_location", str(ROOT / "bot" / "db" / "migrations"))
    return config


def upgrade(database: Database) -> None:
    """Empty or older database → head.

    Raises:
        ConfigurationError: the file is not a database, the server refuses, or a newer version wrote it.
    """
    config = alembic_config()
    try:
        with database.engine.connect().execution_options(writes=True) as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    except DatabaseError as error:
        reason = " ".join(str(error.orig).split())
        raise ConfigurationError(
            f"The database {database.engine.url.render_as_string(hide_password=True)} cannot be used ({reason}). "
            + (
                "Move the file away to start with an empty one, or choose another folder with ACCUEIL_DATA."
                if database.is_sqlite
                else "Start its server, or correct ACCUEIL_DATABASE_URL."
            )
        ) from error
