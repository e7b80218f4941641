"""The pairing against brute force, and what it does at the edges."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import coo_array

from bot.buddies.matching import Buddy, Dropped, Left, Missing, Newcomer, Weights, match, score_pair, solve
from bot.buddies.matching.scoring import POINTS, scored

WEIGHTS = Weights()
START, END = date(2026, 9, 1), date(2027, 1, 31)

LANGUAGES = st.lists(st.sampled_from(["en", "fr", "es", "pt-BR", "pt"]), min_size=1, max_size=2, unique=True)
DAYS = st.one_of(st.none(), st.integers(0, 200).map(lambda days: START + timedelta(days=days)))


def people(kind, prefix, most, **more):
    one = st.fixed_dictionaries(
        {
            "campus": st.sampled_from(["lille", "bordeaux"]),
            "languages": LANGUAGES.map(tuple),
            "arrival": DAYS,
            "departure": DAYS,
            "interests": st.lists(st.sampled_from(["music", "Cooking", "chess"]), max_size=3).map(tuple),
            "field": st.sampled_from(["", "HEI", "ISA"]),
            "gender": st.sampled_from(["", "woman", "man"]),
            "same_gender": st.booleans(),
            "same_field": st.booleans(),
            **more,
        }
    )
    return st.lists(one, max_size=most).map(
        lambda found: [kind(id=f"{prefix}{place}", **values) for place, values in enumerate(found)]
    )


def intakes(newcomers, buddies):
    return st.tuples(
        people(Newcomer, "n", newcomers, excluded=st.sampled_from([frozenset(), frozenset({"b0"})])),
        people(
            Buddy, "b", buddies, excluded=st.sampled_from([frozenset(), frozenset({"n0"})]), capacity=st.integers(0, 3)
        ),
    )


def newcomer(name="n", **values):
    return Newcomer(
        **{"id": name, "campus": "lille", "languages": ("en",), "arrival": START, "departure": END, **values}
    )


def buddy(name="b", **values):
    return Buddy(**{"id": name, "campus": "lille", "languages": ("en",), **values})


def worth(matching):
    """The three criteria, in their order: pairs, points, and the squares of the loads (the fewer the better)."""
    loads = Counter(pair.buddy_id for pair in matching.pairs)
    return (
        len(matching.pairs),
        sum(round(pair.score * POINTS) for pair in matching.pairs),
        -sum(load * load for load in loads.values()),
    )


def best_by_trying_all(newcomers, buddies):
    matrix = scored(newcomers, buddies, WEIGHTS) if newcomers and buddies else None
    best = (0, 0, 0)
    for choice in product((None, *range(len(buddies))), repeat=len(newcomers)):
        loads = Counter(place for place in choice if place is not None)
        if any(load > buddies[place].capacity for place, load in loads.items()):
            continue
        chosen = [(row, place) for row, place in enumerate(choice) if place is not None]
        if matrix is not None and not all(matrix.allowed[pair] for pair in chosen):
            continue
        points = sum(int(matrix.points[pair]) for pair in chosen) if matrix is not None else 0
        best = max(best, (len(chosen), points, -sum(load * load for load in loads.values())))
    return best


def breaks_a_limit(one, other):
    """The limits once more, in plain words of Python."""
    days = (
        [each for each in (one.arrival, other.arrival) if each],
        [each for each in (one.departure, other.departure) if each],
    )
    short = days[0] and days[1] and (min(days[1]) - max(days[0])).days + 1 < 30
    spoken = {tag.partition("-")[0] for tag in one.languages} & {tag.partition("-")[0] for tag in other.languages}
    gender = (one.same_gender or other.same_gender) and (not one.gender or one.gender != other.gender)
    ruled_out = other.id in one.excluded or one.id in other.excluded
    return one.campus != other.campus or not spoken or bool(short) or gender or ruled_out


@settings(max_examples=200, deadline=None, derandomize=True)
@given(intakes(5, 4))
def test_no_other_pairing_is_better_than_the_one_found(intake):
    newcomers, buddies = intake

    assert worth(match(newcomers, buddies, WEIGHTS)) == best_by_trying_all(newcomers, buddies)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(intakes(5, 4))
def test_places_that_are_only_added_when_they_are_needed_miss_no_better_pairing(intake):
    newcomers, buddies = intake

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solve, "FIRST_PLACES", 1)
        found = match(newcomers, buddies, WEIGHTS)

    assert worth(found) == best_by_trying_all(newcomers, buddies)


def test_a_buddy_takes_more_newcomers_than_the_first_places():
    newcomers = [newcomer(f"n{place:02}") for place in range(12)]

    found = match(newcomers, [buddy("b1", capacity=10), buddy("b2", capacity=0)], WEIGHTS)

    assert [pair.buddy_id for pair in found.pairs] == ["b1"] * 10
    assert [each.position for each in found.left] == [1, 2]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(intakes(12, 8))
def test_no_pair_breaks_a_limit_and_nobody_is_forgotten(intake):
    newcomers, buddies = intake

    found = match(newcomers, buddies, WEIGHTS)

    by_id, buddy_by_id = {each.id: each for each in newcomers}, {each.id: each for each in buddies}
    loads = Counter(pair.buddy_id for pair in found.pairs)
    assert [p for p in found.pairs if breaks_a_limit(by_id[p.newcomer_id], buddy_by_id[p.buddy_id])] == []
    assert [each for each, load in loads.items() if load > buddy_by_id[each].capacity] == []
    assert sorted([p.newcomer_id for p in found.pairs] + [each.newcomer_id for each in found.left]) == sorted(by_id)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(intakes(8, 6), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_no_pair(intake, chance):
    newcomers, buddies = intake
    mixed, others = list(newcomers), list(buddies)
    chance.shuffle(mixed)
    chance.shuffle(others)

    found, again = match(newcomers, buddies, WEIGHTS), match(mixed, others, WEIGHTS)

    assert sorted(each.newcomer_id + each.buddy_id for each in again.pairs) == sorted(
        each.newcomer_id + each.buddy_id for each in found.pairs
    )


def test_a_large_intake_reaches_the_bound_of_linear_programming():
    draw = np.random.default_rng(5)
    languages = ["en", "fr", "es", "pt", "ar", "zh", "uk"]

    def values():
        spoken = tuple(languages[place] for place in draw.choice(7, 2, replace=False))
        likes = tuple(
            str(word) for word in draw.choice(["music", "chess", "cooking", "dance", "films"], 2, replace=False)
        )
        return {"languages": spoken, "interests": likes, "field": str(draw.choice(["HEI", "ISA"]))}

    newcomers = [newcomer(f"n{place:03}", **values()) for place in range(120)]
    buddies = [buddy(f"b{place:03}", capacity=int(draw.integers(1, 4)), **values()) for place in range(40)]

    found = match(newcomers, buddies, WEIGHTS)

    # The best sum of (a pair, then its points) over fractions of pairs: no pairing of whole people can be better.
    matrix = scored(newcomers, buddies, WEIGHTS)
    rows, places = np.nonzero(matrix.allowed)
    edges = np.arange(len(rows))
    once = coo_array((np.ones(len(rows)), (rows, edges)), shape=(120, len(rows)))
    room = coo_array((np.ones(len(rows)), (places, edges)), shape=(40, len(rows)))
    bound = linprog(
        -(2.0 * POINTS * 120 + matrix.points[rows, places]),
        A_ub=np.vstack([once.toarray(), room.toarray()]),
        b_ub=[1] * 120 + [each.capacity for each in buddies],
        bounds=(0, 1),
        method="highs",
    )
    pairs, points, _ = worth(found)
    assert pairs * 2 * POINTS * 120 + points == round(-bound.fun)


def test_everybody_compatible_with_one_buddy_only():
    newcomers = [newcomer(f"n{place}", languages=("es",)) for place in range(4)]
    buddies = [buddy("b1", languages=("es",), capacity=2), buddy("b2", languages=("fr",), capacity=5)]

    found = match(newcomers, buddies, WEIGHTS)

    assert [pair.buddy_id for pair in found.pairs] == ["b1", "b1"]
    assert [(each.why, each.position) for each in found.left] == [("full", 1), ("full", 2)]
    assert found.missing == (Missing("lille", "es", 2),)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"campus": "bordeaux"}, "campus"),
        ({"languages": ("es",)}, "language"),
        ({"arrival": END - timedelta(days=28)}, "overlap"),
        ({"same_gender": True, "gender": "woman"}, "gender"),
        ({"excluded": frozenset({"n"})}, "excluded"),
        ({"capacity": 0}, "full"),
    ],
)
def test_nobody_compatible_says_why(change, why):
    found = match([newcomer()], [buddy(**change)], WEIGHTS)

    assert (found.pairs, found.left) == ((), (Left("n", why, 1),))


@pytest.mark.parametrize(("days", "is_paired"), [(29, True), (28, False)])
def test_thirty_days_together_count_both_ends(days, is_paired):
    late = buddy(arrival=END - timedelta(days=days))

    assert (len(match([newcomer()], [late], WEIGHTS).pairs) == 1) is is_paired


def test_an_empty_intake_is_no_error():
    assert match([], [], WEIGHTS).pairs == ()
    assert match([newcomer()], [], WEIGHTS).left == (Left("n", "campus", 1),)


def test_equal_scores_are_spread_evenly():
    newcomers = [newcomer(f"n{place}") for place in range(6)]
    buddies = [buddy(f"b{place}", capacity=5) for place in range(3)]

    loads = Counter(pair.buddy_id for pair in match(newcomers, buddies, WEIGHTS).pairs)

    assert loads == {"b0": 2, "b1": 2, "b2": 2}


def test_one_pair_more_counts_more_than_any_score():
    """The one who speaks only English gets the only English speaker, though the other would fit them better."""
    both = newcomer("n1", languages=("en", "fr"), interests=("chess", "music", "films"))
    only = newcomer("n2")
    english = buddy("b1", interests=("chess", "music", "films"))
    french = buddy("b2", languages=("fr",))

    found = match([both, only], [english, french], WEIGHTS)

    assert [(pair.newcomer_id, pair.buddy_id) for pair in found.pairs] == [("n1", "b2"), ("n2", "b1")]


def test_a_late_arrival_does_not_disturb_pairs_that_are_kept():
    first, late = newcomer("n1"), newcomer("n2", interests=("chess",))
    buddies = [buddy("b1", interests=("chess",)), buddy("b2")]

    found = match([late, first], buddies, WEIGHTS, keep=[("n1", "b1")])

    assert [(pair.newcomer_id, pair.buddy_id) for pair in found.pairs] == [("n2", "b2"), ("n1", "b1")]
    assert found.dropped == ()


@pytest.mark.parametrize(
    ("keep", "why"),
    [
        (("gone", "b1"), "newcomer"),
        (("n1", "gone"), "buddy"),
        (("n1", "b2"), "limit"),
        (("n1", "b3"), "capacity"),
    ],
)
def test_a_kept_pair_that_cannot_stay_is_named_and_the_newcomer_matched_anew(keep, why):
    buddies = [buddy("b1"), buddy("b2", campus="bordeaux"), buddy("b3", capacity=0)]

    found = match([newcomer("n1")], buddies, WEIGHTS, keep=[keep])

    assert found.dropped == (Dropped(*keep, why),)
    assert [(pair.newcomer_id, pair.buddy_id) for pair in found.pairs] == [("n1", "b1")]


def test_a_newcomer_is_kept_once():
    found = match([newcomer("n1")], [buddy("b1"), buddy("b2")], WEIGHTS, keep=[("n1", "b1"), ("n1", "b2")])

    assert found.dropped == (Dropped("n1", "b2", "twice"),)


def test_a_forbidden_pair_is_never_made():
    found = match([newcomer("n1")], [buddy("b1"), buddy("b2")], WEIGHTS, forbidden={("n1", "b1")})

    assert [(pair.newcomer_id, pair.buddy_id) for pair in found.pairs] == [("n1", "b2")]


def test_two_people_of_one_id_are_refused():
    with pytest.raises(ValueError, match="two newcomers have the id 'n'"):
        match([newcomer(), newcomer()], [], WEIGHTS)


def test_the_buddies_missing_are_counted_by_campus_and_language():
    left = [
        newcomer("n1", languages=("es",)),
        newcomer("n2", languages=("es", "pt")),
        newcomer("n3", languages=("uk",)),
        newcomer("n4", languages=("es",), campus="bordeaux"),
    ]

    assert match(left, [], WEIGHTS).missing == (
        Missing("bordeaux", "es", 1),
        Missing("lille", "es", 2),
        Missing("lille", "uk", 1),
    )


def test_a_campus_that_is_written_in_two_ways_is_counted_once():
    left = [newcomer("n1", campus="Lille", languages=("es",)), newcomer("n2", campus="lille", languages=("es",))]

    assert match(left, [], WEIGHTS).missing == (Missing("Lille", "es", 2),)


def test_the_score_is_the_weighted_mean_of_its_terms():
    one = newcomer(languages=("es", "en"), interests=("Música", "chess"), field="hei", same_field=True)
    other = buddy(languages=("en", "es"), interests=("musica",), field="HEI")

    score, terms = score_pair(one, other, WEIGHTS)

    assert terms == {
        "languages": 1.0,
        "rare_language": 1.0,
        "interests": 0.3333,
        "field": 1.0,
        "wish": 1.0,
        "overlap": 1.0,
    }
    assert score == round((3 + 2 + 3 / 3 + 1 + 2 + 2) / 13, 4)


def test_a_wish_for_the_same_field_costs_points_and_forbids_nothing():
    plain, _ = score_pair(newcomer(field="HEI"), buddy(field="ISA"), WEIGHTS)
    wished, _ = score_pair(newcomer(field="HEI", same_field=True), buddy(field="ISA"), WEIGHTS)

    assert (plain, wished) == (round(5.5 / 13, 4), round(3.5 / 13, 4))


def test_a_capacity_beyond_the_intake_changes_nothing():
    small, vast = buddy(capacity=2), buddy(capacity=10**6)
    newcomers = [newcomer("n1"), newcomer("n2")]

    assert match(newcomers, [vast], WEIGHTS) == match(newcomers, [small], WEIGHTS)
    assert replace(vast, capacity=2) == small
