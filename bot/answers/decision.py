"""From calibrated candidates to one of three ways out: answer, ask back, say that it is not known. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

ANSWER_FROM = 0.45
"""Confidence from which the best topic is answered."""
CLARIFY_FROM = 0.20
"""Confidence from which "did you mean" is asked."""
CHOICES = 3
CHAT = frozenset({"smalltalk", "language", "identity", "privacy", "path"})


@dataclass(frozen=True)
class Candidate:
    """A full label and its calibrated probability."""

    label: str
    confidence: float


@dataclass(frozen=True)
class Decision:
    """`topics`: the best ask topics; for "clarify" the two or three to choose from."""

    action: Literal["answer", "clarify", "abstain", "chat", "handoff"]
    label: str | None
    topics: tuple[Candidate, ...]


def decide(candidates: Sequence[Candidate]) -> Decision:
    """`candidates` in falling order of confidence."""
    topics = tuple(each for each in candidates if each.label.startswith("ask/"))
    if not candidates:
        return Decision("abstain", None, ())
    best = candidates[0]
    family = best.label.split("/")[0]
    if best.confidence >= ANSWER_FROM:
        if family == "ask":
            return Decision("answer", best.label, topics)
        if family in CHAT:
            return Decision("chat", best.label, topics)
        if family == "handoff":
            return Decision("handoff", best.label, topics)
        return Decision("abstain", best.label, topics)
    if family == "ask" and best.confidence >= CLARIFY_FROM:
        return Decision("clarify", best.label, topics[:CHOICES])
    return Decision("abstain", best.label, topics)
