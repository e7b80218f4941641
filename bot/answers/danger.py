"""The urgent door's model, out of the trained archive in use: loaded at the first need, again after a new training."""

import re
from pathlib import Path
from threading import Lock

from bot.answers.trained import current_model
from bot.errors import ConfigurationError
from bot.log import get_logger
from encoder.handing import vector_of
from encoder.model import load_urgent
from encoder.spelling import expand
from encoder.urgent import UrgentModel

log = get_logger(__name__)

_LONG_NUMBER = re.compile(r"\d(?:[ \u00a0.-]?\d){4,}")
"""Five digits and more: a code, a telephone, a date. The numbers of the emergency services are shorter.

One in a hundred "the code is 123456", and one in three "el código es 123456", looked like money sent to a fraud.
"""


class TrainedDanger:
    """A bot.answers.urgent.DangerModel over `models`, the folder of trained models."""

    def __init__(self, models: Path) -> None:
        self._models = models
        self._lock = Lock()
        self._archive: Path | None = None
        self._model: UrgentModel | None = None

    def __call__(self, text: str, /) -> str | None:
        try:
            model = self._present()
            sentence = readable(text)
            return model.kinds_of(vector_of(sentence))[0] if model and sentence else None
        except Exception:
            # The words must still open the door, whatever is wrong with a file.
            log.exception("urgent_model_failed")
            return None

    def _present(self) -> UrgentModel | None:
        try:
            archive = current_model(self._models)
        except ConfigurationError:
            return None
        with self._lock:
            if archive != self._archive:
                self._model, self._archive = load_urgent(archive), archive
            return self._model


def readable(text: str) -> str:
    """What the model reads of a message: without long numbers, in which it sees danger by chance."""
    return expand(_LONG_NUMBER.sub("", text)).strip()
