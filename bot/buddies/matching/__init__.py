"""Pairing newcomers with buddies: hard limits, a documented score, the best pairing there is. Pure; docs/buddies.md."""

from bot.buddies.matching.people import Buddy, Newcomer
from bot.buddies.matching.reasons import Reason, left_words, reason_words
from bot.buddies.matching.scoring import score_pair
from bot.buddies.matching.shortage import Left, Missing
from bot.buddies.matching.solve import Dropped, Matching, Pair, match
from bot.buddies.matching.weights import Weights, load_weights, weights_from

__all__ = [
    "Buddy",
    "Dropped",
    "Left",
    "Matching",
    "Missing",
    "Newcomer",
    "Pair",
    "Reason",
    "Weights",
    "left_words",
    "load_weights",
    "match",
    "reason_words",
    "score_pair",
    "weights_from",
]
