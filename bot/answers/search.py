"""Search over the topics: words (BM25) and meaning (the trained model's vectors), fused by rank."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import bm25s

from bot.answers.trained import current_model
from bot.answers.urgent import fold
from bot.content.loader import Knowledge
from bot.content.phrases import read_training_phrases
from bot.errors import ConfigurationError

if TYPE_CHECKING:
    from encoder.model import Model

LONGEST_QUERY = 2000
"""Characters that are looked at."""
FUSION = 60
"""The constant of reciprocal rank fusion (Cormack, Clarke, Büttcher 2009)."""
WORD = re.compile(r"\w+")
DEEP = 10
"""Places of either ranking that count."""

Ranking = Sequence[str]
"""Topics, best first."""
Meaning = Callable[[str], Ranking]


@dataclass(frozen=True)
class Hit:
    """A topic found; `score` is the sum of the reciprocal ranks, comparable within one query only."""

    topic: str
    score: float


class Words:
    """BM25 over everything said about each topic: titles, answers and the phrases students use, in all languages."""

    def __init__(self, knowledge: Knowledge, phrases: Path) -> None:
        self._knowledge = knowledge
        self._said = students_words(phrases)
        self._documents = {slug: self._document(slug) for slug in knowledge.topics}
        self._ranker = _Ranker(self._documents)

    def update(self, slugs: Iterable[str]) -> None:
        """Read these topics again; whoever searches meanwhile is served from what was there before."""
        self._documents |= {slug: self._document(slug) for slug in slugs}
        self._ranker = _Ranker(self._documents)

    def _document(self, slug: str) -> list[str]:
        topic = self._knowledge.topics[slug]
        return tokens(
            " ".join(
                (
                    *topic.file.title.values(),
                    *topic.file.question.values(),
                    *(page.whole for page in topic.pages.values()),
                    *self._said.get(slug, ()),
                )
            )
        )

    def ranking(self, query: str) -> Ranking:
        """Topics that share a word with the query."""
        return self._ranker.ranking(query)


class _Ranker:
    """The index over one state of the documents (topic → its words)."""

    def __init__(self, documents: Mapping[str, list[str]]) -> None:
        self._topics = list(documents)
        self._known = {word for words in documents.values() for word in words}
        self._index = bm25s.BM25()  # type: ignore[no-untyped-call]  # the library has no types
        self._index.index(list(documents.values()), show_progress=False)

    def ranking(self, query: str) -> Ranking:
        words = [word for word in tokens(query[:LONGEST_QUERY]) if word in self._known]
        if not words:
            return ()
        count = min(DEEP, len(self._topics))
        places, scores = self._index.retrieve([words], k=count, show_progress=False)
        return [self._topics[int(place)] for place, score in zip(places[0], scores[0], strict=True) if float(score) > 0]


def tokens(text: str) -> list[str]:
    """Words without case and accents; Chinese, which has no spaces, by pairs of signs."""
    found: list[str] = []
    for word in WORD.findall(fold(text)):
        if ord(word[0]) > 0x2E80:
            found += [word[place : place + 2] for place in range(max(1, len(word) - 1))]
        else:
            found.append(word)
    return found


def students_words(phrases: Path) -> Mapping[str, list[str]]:
    """Topic → training phrases in every language."""
    said: dict[str, list[str]] = defaultdict(list)
    for path in sorted(phrases.glob("*/*.yml")):
        for label, texts in read_training_phrases(path).items():
            if label.startswith("ask/"):
                said[label.removeprefix("ask/")] += texts
    return said


@lru_cache(maxsize=1)
def _loaded(archive: Path) -> "Model | None":
    """Kept until another model is in use: reading it takes longer than a search."""
    from encoder.model import load

    return load(archive)


def by_meaning(models: Path) -> Meaning | None:
    """The ranking of the model in use; None when nothing is trained yet."""
    from encoder.model import best

    try:
        model = _loaded(current_model(models))
    except ConfigurationError:
        return None
    if model is None:
        return None

    def rank(query: str) -> Ranking:
        [found] = best(model, [query[:LONGEST_QUERY]], 2 * DEEP)
        return [label.removeprefix("ask/") for label, _ in found if label.startswith("ask/")]

    return rank


def fuse(rankings: Sequence[Ranking]) -> list[Hit]:
    """Reciprocal rank fusion; among equals the first ranking decides."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for place, topic in enumerate(ranking[:DEEP], start=1):
            scores[topic] = scores.get(topic, 0.0) + 1 / (FUSION + place)
    return [Hit(topic, score) for topic, score in sorted(scores.items(), key=lambda each: -each[1])]


def search(query: str, words: Words, meaning: Meaning | None, count: int = 5) -> list[Hit]:
    """The topics nearest to a query, best first; any text is accepted, none is found in an empty one."""
    if not WORD.search(query):
        return []
    rankings = [meaning(query)] if meaning else []
    return fuse([*rankings, words.ranking(query)])[:count]
