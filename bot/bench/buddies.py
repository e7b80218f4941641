"""`accueil bench buddies`: how long a whole intake takes to pair, and thousands of random small ones checked."""

import random
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from bot.bench.desk import machine, say_table
from bot.buddies.matching import Buddy, Matching, Newcomer, Weights, match
from bot.buddies.matching.people import Person

SEED = 6
LEAST_DAYS = 30
LANGUAGES = ("en", "fr", "es", "pt-BR", "ar", "zh", "uk", "de", "it", "hi", "tr", "vi")
INTERESTS = ("sport", "music", "cooking", "films", "games", "reading", "travel", "art", "dance", "nature")
SIZES = ((200, 120), (1_000, 600), (2_000, 1_200), (5_000, 3_000))


def bench_buddies(instances: int, say: Callable[[str], None]) -> None:
    """Pair made-up intakes of growing size; then `instances` small ones, each pair against the limits."""
    results: list[tuple[str, str]] = []
    for newcomers, buddies in SIZES:
        chance = random.Random(SEED)  # noqa: S311  (made-up people, not a secret)
        intake = _intake(chance, newcomers, buddies)
        began = time.monotonic()
        found = match(*intake, Weights())
        seconds = time.monotonic() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        results.append(
            (f"{newcomers} newcomers × {buddies} buddies", f"{seconds:.1f} s, {len(found.pairs)} paired, {peak:.0f} MB")
        )
    if instances:
        broken = sum(_broken(*_small(number)) for number in range(instances))
        results.append((f"{instances} random small intakes", f"{broken} pairs against a limit"))
    say_table(say, results)
    say(machine())


def _small(number: int) -> tuple[list[Newcomer], list[Buddy]]:
    """With what the large ones have not: nobody free, open dates, stays too short together, people ruled out."""
    chance = random.Random(number)  # noqa: S311
    newcomers, buddies = _intake(chance, chance.randrange(12), chance.randrange(8))
    return (
        [replace(each, **_hard(chance, buddies)) for each in newcomers],
        [replace(each, capacity=chance.randrange(6), **_hard(chance, newcomers)) for each in buddies],
    )


def _hard(chance: random.Random, others: Sequence[Person]) -> Mapping[str, Any]:
    arrival = date(2026, 9, 1) + timedelta(days=chance.randrange(90))
    return {
        "arrival": chance.choice((None, arrival)),
        "departure": chance.choice((None, arrival + timedelta(days=chance.randrange(20, 80)))),
        "same_gender": chance.random() < 0.2,
        "excluded": frozenset(each.id for each in others if chance.random() < 0.1),
    }


def _broken(newcomers: list[Newcomer], buddies: list[Buddy]) -> int:
    """Pairs and loads against the limits: in plain words here, not by the matcher's own matrices."""
    found: Matching = match(newcomers, buddies, Weights())
    by_id = {each.id: each for each in newcomers}
    room = {each.id: each for each in buddies}
    loads = dict.fromkeys(room, 0)
    broken = 0
    for pair in found.pairs:
        loads[pair.buddy_id] += 1
        broken += _is_against_a_limit(by_id[pair.newcomer_id], room[pair.buddy_id])
    return broken + sum(load > room[name].capacity for name, load in loads.items())


def _is_against_a_limit(one: Newcomer, other: Buddy) -> bool:
    arrivals = [each.arrival for each in (one, other) if each.arrival]
    departures = [each.departure for each in (one, other) if each.departure]
    is_short = bool(arrivals and departures) and (min(departures) - max(arrivals)).days + 1 < LEAST_DAYS
    spoken = [{tag.partition("-")[0] for tag in each.languages} for each in (one, other)]
    wrong_gender = (one.same_gender or other.same_gender) and (not one.gender or one.gender != other.gender)
    ruled_out = other.id in one.excluded or one.id in other.excluded
    return one.campus != other.campus or not spoken[0] & spoken[1] or is_short or wrong_gender or ruled_out


def _intake(chance: random.Random, newcomers: int, buddies: int) -> tuple[list[Newcomer], list[Buddy]]:
    return (
        [Newcomer(id=f"n{number:05}", **_values(chance)) for number in range(newcomers)],
        [Buddy(id=f"b{number:05}", capacity=chance.randrange(1, 3), **_values(chance)) for number in range(buddies)],
    )


def _values(chance: random.Random) -> Mapping[str, Any]:
    spoken = (chance.choice(LANGUAGES), chance.choice(("en", "en", "fr", chance.choice(LANGUAGES))))
    return {
        "campus": chance.choice(("lille", "lille", "lille", "bordeaux", "chateauroux")),
        "languages": tuple(dict.fromkeys(spoken)),
        "arrival": date(2026, 9, 1) + timedelta(days=chance.randrange(-30, 60)),
        "departure": date(2027, 1, 20) + timedelta(days=chance.randrange(-40, 200)),
        "interests": tuple(chance.sample(INTERESTS, 3)),
        "field": chance.choice(("HEI", "ISA", "ISEN")),
        "gender": chance.choice(("woman", "man", "")),
        "same_gender": chance.random() < 0.05,
        "same_field": chance.random() < 0.2,
    }
