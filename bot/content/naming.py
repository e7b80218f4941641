"""Which of several things a text names, by the words that tell them apart. Pure."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=str)

STEM = 5
"""Letters of a word that count: "insured" and "insurance", "assuré" and "assurance" begin alike."""
SHORTEST = 3
ENOUGH = 1.5
"""A word that stands for one in five things tells enough; one that stands for half of them does not."""

COMMON = frozenset(
    """about and are ask asked back book can des deman dans est faire fait for from get got had has have les obten place
    pour pas que qui recev that the this tell told une vos votre was with you your""".split()  # noqa: SIM905
)
"""Stems, in English and French, that say nothing about which thing is meant."""


def named(text: str, names: Mapping[Key, Iterable[str]]) -> Key | None:
    """The key whose names share the most telling words with the text; None where no word tells, or two tell as much.

    `names`: what each thing is called, in any languages, the shortest name first.
    """
    by_name = {key: [stems_of(name) for name in called] for key, called in names.items()}
    stems = {key: set[str]().union(*each) for key, each in by_name.items()}
    spread = Counter(stem for found in stems.values() for stem in found)
    said = stems_of(text)
    scores = {key: sum(math.log(len(stems) / spread[stem]) for stem in said & found) for key, found in stems.items()}
    # Of two that share as much, the one that is named in full, then the one whose first name is shorter: "the learning
    # agreement" is not a change of it.
    ranks = sorted(
        (
            -round(scores[key], 6),
            -max((len(said & name) / len(name) for name in each if name), default=0),
            len(each[0]),
            key,
        )
        for key, each in by_name.items()
        if each
    )
    if not ranks or -ranks[0][0] < ENOUGH or (len(ranks) > 1 and ranks[0][:3] == ranks[1][:3]):
        return None
    return ranks[0][3]


def stems_of(text: str) -> set[str]:
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    return {word[:STEM] for word in re.findall(r"\w+", bare.casefold()) if len(word) >= SHORTEST} - COMMON
