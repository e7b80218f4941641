"""Which trained model is in use (models/current.json); which one the running engine has and shall have."""

from pathlib import Path

from pydantic import BaseModel, ValidationError

from bot.errors import ConfigurationError


class Current(BaseModel):
    """models/current.json.

    `refused`: the fingerprint of inputs that a start does not train: their model was worse, or was left, or they are
    phrases that a colleague has yet to train and look at.
    """

    model: str
    fingerprint: str
    score: float | None = None
    refused: str | None = None


def current_model(models: Path) -> Path:
    """The model file in use.

    Raises:
        ConfigurationError: nothing has been trained yet.
    """
    current = read_current(models)
    if current is None:
        raise ConfigurationError("There is no trained model yet: run `accueil train`.")
    return models / current.model


def read_current(models: Path) -> Current | None:
    """None when there is none, or none that can be used."""
    try:
        current = Current.model_validate_json((models / "current.json").read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    return current if (models / current.model).exists() else None


def write_current(models: Path, current: Current) -> None:
    """Replace current.json in one step."""
    _write(models / "current.json", current.model_dump_json(indent=2) + "\n")


def read_engine(models: Path) -> str | None:
    """Name of the model that the supervised engine answers with; None while it starts, or without a supervisor."""
    return _read(models / "engine.txt")


def write_engine(models: Path, model: str | None) -> None:
    """Say which model the engine answers with; None: it does not answer now."""
    _write(models / "engine.txt", model)


def read_wanted(models: Path) -> str | None:
    """Name of the model that the running engine shall change to; None: it stays as it is."""
    return _read(models / "engine-wanted.txt")


def write_wanted(models: Path, model: str | None) -> None:
    """Ask the supervisor to start the engine again on this model; None takes the wish back."""
    _write(models / "engine-wanted.txt", model)


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


def _write(file: Path, text: str | None) -> None:
    if text is None:
        file.unlink(missing_ok=True)
        return
    partial = file.with_name(f"{file.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)
