"""The best pairing: most newcomers paired, then the largest total score, then the evenest load. Exact, not greedy.

All three at once as one assignment of newcomers to places: a place is a buddy and a number (the first newcomer, the
second, …); a newcomer may also go to a place "nobody" of their own. Costs are whole numbers, ranked so that no sum of a
lower criterion reaches one unit of a higher one. The k-th newcomer of a buddy costs 2k - 1, which adds up to the square
of the load. Solved by the shortest augmenting paths of `scipy.sparse.csgraph.min_weight_full_bipartite_matching`.

A buddy's places beyond the first few are only added once those are full. That is exact: the problem is a linear
programme with whole solutions, and a bound that its optimum does not touch can be taken away without changing it.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bot.buddies.matching.people import Buddy, Newcomer
from bot.buddies.matching.reasons import Reason, reasons_for
from bot.buddies.matching.scoring import POINTS, score_pair, scored
from bot.buddies.matching.shortage import Left, Missing, explain_left, missing_buddies
from bot.buddies.matching.weights import Weights

CHUNK = 500
"""Newcomers scored at once: the matrices of a chunk stay small."""
FIRST_PLACES = 4
"""Of a buddy, in the first round; whoever fills them is given twice as many in the next one."""
EXACT = 2**52
"""Whole numbers below are exact in the solver's floating point, with a bit to spare."""


@dataclass(frozen=True)
class Pair:
    newcomer_id: str
    buddy_id: str
    score: float
    """0 to 1, in whole ten-thousandths."""
    terms: dict[str, float]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Dropped:
    """A pair that was to be kept and cannot be. `why`: newcomer | buddy (no longer in the list), limit (the limits
    forbid it now), capacity (more were to be kept than the buddy has places), twice (the newcomer is kept already).
    """

    newcomer_id: str
    buddy_id: str
    why: str


@dataclass(frozen=True)
class Matching:
    pairs: tuple[Pair, ...]
    """By newcomer, in the order of the input; the kept ones among them."""
    left: tuple[Left, ...] = ()
    missing: tuple[Missing, ...] = ()
    dropped: tuple[Dropped, ...] = ()


def match(
    newcomers: Sequence[Newcomer],
    buddies: Sequence[Buddy],
    weights: Weights,
    *,
    keep: Sequence[tuple[str, str]] = (),
    forbidden: Collection[tuple[str, str]] = (),
) -> Matching:
    """Pair them. `keep` and `forbidden` hold (newcomer id, buddy id); what is kept is not looked at again.

    The same people give the same pairs, in whatever order they come; the order of `newcomers` is that of the waiting
    list alone.

    Raises:
        ValueError: an id is there twice, or there are too many people for an exact answer.
    """
    _check_ids("newcomer", [each.id for each in newcomers])
    _check_ids("buddy", [each.id for each in buddies])
    newcomers = _barring(newcomers, forbidden)
    by_id, buddy_by_id = {each.id: each for each in newcomers}, {each.id: each for each in buddies}
    kept, dropped = _kept(by_id, buddy_by_id, keep, weights)
    loads = dict.fromkeys(buddy_by_id, 0)
    for buddy_id in kept.values():
        loads[buddy_id] += 1
    # By id, so that the order of the input decides nothing.
    open_ = sorted((each for each in newcomers if each.id not in kept), key=lambda each: each.id)
    found = kept | _assign(open_, sorted(buddies, key=lambda each: each.id), loads, weights)
    pairs = tuple(_pair(each, buddy_by_id[found[each.id]], weights) for each in newcomers if each.id in found)
    left = [each for each in newcomers if each.id not in found]
    return Matching(pairs, explain_left(left, buddies), missing_buddies(left), dropped)


def _check_ids(what: str, ids: Sequence[str]) -> None:
    if len(set(ids)) < len(ids):
        twice = next(each for each in ids if ids.count(each) > 1)
        raise ValueError(f"two {what}s have the id {twice!r}; every id must be there once")


def _barring(newcomers: Sequence[Newcomer], forbidden: Collection[tuple[str, str]]) -> list[Newcomer]:
    barred: dict[str, set[str]] = {}
    for newcomer_id, buddy_id in forbidden:
        barred.setdefault(newcomer_id, set()).add(buddy_id)
    return [
        replace(each, excluded=each.excluded | barred[each.id]) if each.id in barred else each for each in newcomers
    ]


def _kept(
    newcomers: dict[str, Newcomer], buddies: dict[str, Buddy], keep: Sequence[tuple[str, str]], weights: Weights
) -> tuple[dict[str, str], tuple[Dropped, ...]]:
    kept: dict[str, str] = {}
    dropped = []
    loads = dict.fromkeys(buddies, 0)
    for newcomer_id, buddy_id in dict.fromkeys(keep):
        why = None
        if newcomer_id not in newcomers:
            why = "newcomer"
        elif buddy_id not in buddies:
            why = "buddy"
        elif newcomer_id in kept:
            why = "twice"
        elif score_pair(newcomers[newcomer_id], buddies[buddy_id], weights) is None:
            why = "limit"
        elif loads[buddy_id] >= buddies[buddy_id].capacity:
            why = "capacity"
        if why is not None:
            dropped.append(Dropped(newcomer_id, buddy_id, why))
            continue
        kept[newcomer_id] = buddy_id
        loads[buddy_id] += 1
    return kept, tuple(dropped)


@dataclass(frozen=True)
class _Edges:
    rows: NDArray[np.int32]
    places: NDArray[np.int32]
    costs: NDArray[np.float64]


def _assign(
    newcomers: Sequence[Newcomer], buddies: Sequence[Buddy], loads: dict[str, int], weights: Weights
) -> dict[str, str]:
    """newcomer id → buddy id, for those who can be paired. `loads`: newcomers whom a buddy has already."""
    # Nobody takes more than all of them: a capacity of a million makes no million places.
    free = {each.id: min(each.capacity - loads[each.id], len(newcomers)) for each in buddies}
    offered = {name: min(places, FIRST_PLACES) for name, places in free.items()}
    while True:
        found = _assign_places(newcomers, buddies, loads, offered, weights)
        taken = Counter(found.values())
        full = [name for name, places in offered.items() if taken[name] == places < free[name]]
        if not full:
            return found
        offered |= {name: min(2 * offered[name], free[name]) for name in full}


def _assign_places(
    newcomers: Sequence[Newcomer],
    buddies: Sequence[Buddy],
    loads: dict[str, int],
    offered: dict[str, int],
    weights: Weights,
) -> dict[str, str]:
    """The best with so many places of each buddy."""
    owner: list[int] = []
    rank: list[int] = []
    for number, buddy in enumerate(buddies):
        owner += [number] * offered[buddy.id]
        rank += range(loads[buddy.id] + 1, loads[buddy.id] + offered[buddy.id] + 1)
    if not newcomers or not owner:
        return {}
    # Imported here: half a second that no other command has to wait for.
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    edges = _edges(newcomers, buddies, np.array(owner), np.array(rank), weights)
    shape = (len(newcomers), len(owner) + len(newcomers))
    costs = csr_array((edges.costs, (edges.rows, edges.places)), shape=shape)  # type: ignore[no-untyped-call]
    rows, places = min_weight_full_bipartite_matching(costs)
    return {
        newcomers[row].id: buddies[owner[place]].id
        for row, place in zip(rows.tolist(), places.tolist(), strict=True)
        if place < len(owner)
    }


def _edges(
    newcomers: Sequence[Newcomer],
    buddies: Sequence[Buddy],
    owner: NDArray[np.int_],
    rank: NDArray[np.int_],
    weights: Weights,
) -> _Edges:
    count = len(newcomers)
    marginal = 2 * rank - 1
    # One point of score outweighs every difference of loads, one pair more outweighs every difference of scores.
    point = 1 + int(marginal.max()) * count
    alone = (POINTS + 1) * point * (count + 1)
    if alone * 4 > EXACT:
        raise ValueError(f"{count} newcomers are too many for an exact answer; match each campus by itself")
    rows, places, costs = [], [], []
    for start in range(0, count, CHUNK):
        part = scored(newcomers[start : start + CHUNK], buddies, weights)
        row, place = np.nonzero(part.allowed[:, owner])
        rows.append((row + start).astype(np.int32))
        places.append(place.astype(np.int32))
        # The solver takes no cost of 0: it would be an absent edge.
        costs.append(((POINTS - part.points[row, owner[place]]).astype(np.float64) + 1) * point + marginal[place])
    rows.append(np.arange(count, dtype=np.int32))
    places.append(len(owner) + np.arange(count, dtype=np.int32))
    costs.append(np.full(count, float(alone)))
    return _Edges(np.concatenate(rows), np.concatenate(places), np.concatenate(costs))


def _pair(newcomer: Newcomer, buddy: Buddy, weights: Weights) -> Pair:
    found = score_pair(newcomer, buddy, weights)
    if found is None:
        raise RuntimeError(f"the solver paired {newcomer.id} and {buddy.id} against the limits")
    score, terms = found
    return Pair(newcomer.id, buddy.id, score, terms, reasons_for(newcomer, buddy))
