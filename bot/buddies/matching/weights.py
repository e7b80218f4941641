"""How much each term of the score counts: knowledge/buddies.yml, or a file of one's own."""

import math
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from bot.errors import ContentError

LARGEST = 1000.0


@dataclass(frozen=True)
class Weights:
    """Each 0 to 1000, at least one above 0; only their proportions matter. docs/buddies.md says what each term is."""

    languages: float = 3.0
    rare_language: float = 2.0
    interests: float = 3.0
    field: float = 1.0
    wish: float = 2.0
    overlap: float = 2.0

    @property
    def total(self) -> float:
        return float(sum(astuple(self)))


TERMS = tuple(each.name for each in fields(Weights))


def weights_from(values: Mapping[str, Any]) -> Weights:
    """Raises ValueError naming the term, what is wrong and how to mend it."""
    unknown = sorted(set(values) - set(TERMS))
    if unknown:
        raise ValueError(f"{unknown[0]}: there is no such weight; the weights are {', '.join(TERMS)}")
    for name in TERMS:
        value = values.get(name)
        if value is None:
            raise ValueError(f"{name}: this weight is missing; write a number from 0 to {LARGEST:g}")
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not is_number or not 0 <= value <= LARGEST:
            raise ValueError(f"{name}: {value!r} is not a weight; write a number from 0 to {LARGEST:g}")
    made = Weights(**{name: float(values[name]) for name in TERMS})
    if made.total == 0:
        raise ValueError("weights: all of them are 0; at least one must be above 0")
    return made


def load_weights(file: Path) -> Weights:
    """The `weights` of a YAML file. Raises ContentError naming the file and the field."""
    try:
        read = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ContentError(f"{file}: the file cannot be read ({error.strerror}).") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ContentError(f"{file.name}: this is not YAML: {' '.join(str(error).split())}") from error
    values = read.get("weights") if isinstance(read, dict) else None
    if not isinstance(values, dict):
        raise ContentError(
            f"{file.name}: weights: missing; write `weights:` and a number for each of {', '.join(TERMS)}."
        )
    try:
        return weights_from(values)
    except ValueError as error:
        raise ContentError(f"{file.name}: weights: {error}.") from error
