"""Which trained model is in use: models/current.json, written by bot.assistant.training."""

from pathlib import Path

from pydantic import BaseModel, ValidationError

from bot.errors import ConfigurationError


class Current(BaseModel):
    """models/current.json. `refused`: the fingerprint of inputs whose model was worse, so as not to train it again."""

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
