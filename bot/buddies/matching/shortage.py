"""Who is left without a buddy and why, and which buddies are missing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.buddies.matching.people import Buddy, Newcomer, plain
from bot.buddies.matching.scoring import LIMITS, Sides, languages_of


@dataclass(frozen=True)
class Left:
    """A newcomer without a buddy. `why` is a key of reasons.LEFT_WORDS; `position` on the waiting list, from 1."""

    newcomer_id: str
    why: str
    position: int


@dataclass(frozen=True)
class Missing:
    """So many more places with buddies who speak this language would pair everybody at this campus."""

    campus: str
    language: str
    count: int


def explain_left(left: Sequence[Newcomer], buddies: Sequence[Buddy]) -> tuple[Left, ...]:
    """In the order given, which is the waiting list."""
    if not left:
        return ()
    limits = Sides(left, buddies).limits()
    found = []
    for place, newcomer in enumerate(left):
        still = np.ones(len(buddies), dtype=np.bool_)
        why = "full"
        for name in LIMITS:
            still &= limits[name][place]
            if not still.any():
                why = name
                break
        found.append(Left(newcomer.id, why, place + 1))
    return tuple(found)


def missing_buddies(left: Sequence[Newcomer]) -> tuple[Missing, ...]:
    """For each campus the fewest different languages, found greedily: the one that most of those left speak first."""
    # A campus is compared as the limits compare it, and named as it is written first in the alphabet.
    names: dict[str, str] = {}
    for written in sorted({each.campus for each in left}):
        names.setdefault(plain(written), written)
    found = []
    for same, campus in names.items():
        waiting = [languages_of(each) for each in left if plain(each.campus) == same]
        waiting = [spoken for spoken in waiting if spoken]
        while waiting:
            counts = Counter(tag for spoken in waiting for tag in spoken)
            language = min(counts, key=lambda tag: (-counts[tag], tag))
            found.append(Missing(campus, language, counts[language]))
            waiting = [spoken for spoken in waiting if language not in spoken]
    return tuple(found)
