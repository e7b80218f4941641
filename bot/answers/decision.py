"""From calibrated candidates to one of the ways out: answer, ask back, say that it is not known. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

# Chosen on the training phrases, each scored by a model without it (`accueil bench nlu --report` draws the curve): from
# 0.5 84.9 % are answered rightly, 7.1 % wrongly and 3.9 % of what is not ours anyway; from 0.6 83.4, 5.9 and 3.3 %;
# from 0.7 81.6, 4.9 and 2.7 %. Held-out questions, written more plainly, then give 90.4, 4.7 and 1.8 %.
ANSWER_FROM = 0.6
"""Probability of the best label from which it is acted upon."""

CLARIFY_FROM = 0.3
"""Probability, together, of the topics to choose from, from which "did you mean" is asked."""

CHOICES = 3
"""Most topics to choose from."""

WORTH_NAMING = 0.05
"""Probability below which a topic is no choice, unless it is needed to have two."""

CHAT = frozenset({"bookings", "identity", "language", "mydata", "path", "privacy", "record", "reminders", "smalltalk"})
TOPIC = "ask/"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A full label (`ask/<slug>`, `smalltalk/greet`, `handoff`, …) and its calibrated probability."""

    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Decision:
    """`label`: the best candidate. `topics`: candidates that are topics, best first; for "clarify" the choices."""

    action: Literal["answer", "clarify", "abstain", "chat", "handoff"]
    label: str | None
    topics: tuple[Candidate, ...]


def decide(candidates: Sequence[Candidate], *, answer_from: float = ANSWER_FROM) -> Decision:
    """What to do about a message, given its candidates in falling order of confidence.

    A wrong confident answer is worse than an honest "I don't know": what is not clear is asked, and what is clearly
    none of our topics is never guessed at.
    """
    topics = tuple(each for each in candidates if each.label.startswith(TOPIC))
    if not candidates:
        return Decision("abstain", None, ())
    best = candidates[0]
    if best.confidence >= answer_from:
        return Decision(_action(best.label), best.label, topics)
    choices = _choices(topics)
    if len(choices) > 1 and sum(each.confidence for each in choices) >= CLARIFY_FROM:
        return Decision("clarify", best.label, choices)
    return Decision("abstain", best.label, topics)


def _action(label: str) -> Literal["answer", "abstain", "chat", "handoff"]:
    family = label.partition("/")[0]
    if label.startswith(TOPIC):
        return "answer"
    if family == "handoff":
        return "handoff"
    return "chat" if family in CHAT else "abstain"


def _choices(topics: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    return tuple(each for place, each in enumerate(topics[:CHOICES]) if place < 2 or each.confidence >= WORTH_NAMING)
