"""The vector of one sentence, computed once for everybody who needs it: kept for a while, and handed to the engine.

The urgent door looks at each message before the engine does; encoding it twice was a third of a turn's work.
"""

import base64
import binascii
from functools import lru_cache
from typing import Any

import numpy as np

from encoder.kernel import Floats
from encoder.sentences import DIMENSION, encode
from encoder.spelling import expand

KEY = "vector"
"""Of a message's metadata: {"of": the sentence, "values": its vector}."""


@lru_cache(maxsize=512)
def vector_of(sentence: str) -> Floats:
    """The vector of one sentence, shape (1, DIMENSION); not to be written to."""
    vector = encode([sentence])
    vector.setflags(write=False)
    return vector


def handed(text: str) -> dict[str, str]:
    """The vector of a message as JSON carries it: phone spelling written out, little-endian floats in base64."""
    sentence = expand(text)
    return {"of": sentence, "values": base64.b64encode(vector_of(sentence).astype("<f4").tobytes()).decode()}


def taken(given: Any, sentence: str) -> Floats:
    """The vector handed over when it is that of this very sentence, else a new one, shape (1, DIMENSION)."""
    if isinstance(given, dict) and given.get("of") == sentence:
        try:
            values = np.frombuffer(base64.b64decode(given["values"], validate=True), dtype="<f4")
        except (KeyError, TypeError, ValueError, binascii.Error):
            return vector_of(sentence)
        if values.shape == (DIMENSION,) and np.isfinite(values).all():
            return values.astype(np.float32).reshape(1, DIMENSION)
    return vector_of(sentence)
