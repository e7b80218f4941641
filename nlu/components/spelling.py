"""Slips of the pen: a word nobody wrote before that is one slip away from a known one becomes the known one.

The encoders read pieces of words, so that "regsiter for helth insurance" looks like nothing at all. Measured on the 824
held-out questions with two slips each: 86.5 % answered rightly with this, 75.7 % without; as they were written, 89.6 %
with and 89.3 % without. Now and then a real word that no phrase has is changed too ("waiter" to "water"), without harm.
"""

import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

FILE = "spelling.json"
SHORTEST = 5
"""Letters: shorter words are too close to each other."""
SEEN = 2
"""How often a word must have been seen to be what was meant; once is enough to be left alone."""
WORD = re.compile(r"[^\W\d_]+")


class Speller:
    """Knows the words of the training texts. One slip: a letter missing, too many, another one, or two swapped."""

    def __init__(self, words: dict[str, int]) -> None:
        self._words = words
        self._near: dict[str, list[str]] = defaultdict(list)
        for word, count in words.items():
            if count >= SEEN and len(word) >= SHORTEST - 1:
                for shorter in _with_one_less(word):
                    self._near[shorter].append(word)

    @classmethod
    def learn(cls, texts: Iterable[str]) -> "Speller":
        return cls(dict(Counter(folded(word) for text in texts for word in WORD.findall(text))))

    def repair(self, text: str) -> str:
        """The text with each unknown word that is one slip away from a known one replaced by the most frequent such."""
        return WORD.sub(lambda match: self._repaired(match[0]), text)

    def _repaired(self, word: str) -> str:
        plain = folded(word)
        if len(plain) < SHORTEST or plain in self._words:
            return word
        meant = {near for shorter in _with_one_less(plain) for near in self._near.get(shorter, ())}
        candidates = sorted(near for near in meant if is_one_slip(plain, near))
        return max(candidates, key=lambda near: self._words[near], default=word)

    def save(self, folder: Path) -> None:
        (folder / FILE).write_text(json.dumps(self._words, ensure_ascii=False), encoding="utf-8")

    @staticmethod
    def load(folder: Path) -> "Speller":
        """A model without the file knows no words and repairs nothing."""
        path = folder / FILE
        return Speller(json.loads(path.read_text(encoding="utf-8")) if path.exists() else {})


def folded(word: str) -> str:
    """Without case and accents."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", word.lower()) if not unicodedata.combining(sign))


def is_one_slip(one: str, other: str) -> bool:
    if len(one) == len(other):
        places = [place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        if len(places) == 1:
            return True
        return (
            len(places) == 2
            and places[1] == places[0] + 1
            and (one[places[0]], one[places[1]]) == (other[places[1]], other[places[0]])
        )
    shorter, longer = sorted((one, other), key=len)
    return len(longer) - len(shorter) == 1 and shorter in _with_one_less(longer)


def _with_one_less(word: str) -> Iterator[str]:
    """The word itself and every word that one letter less makes of it."""
    yield word
    for place in range(len(word)):
        yield word[:place] + word[place + 1 :]
