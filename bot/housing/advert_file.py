"""knowledge/adverts.yml: what adverts are recognised by and the signs of a scam, checked and made into patterns."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from bot.content.loader import parse, read_yaml
from bot.content.schema import InLanguages, SourceEntry
from bot.errors import ContentError
from bot.housing.words import WordLists, fold, pattern
from bot.i18n.languages import CODES

Rule = Literal["rent_low", "too_good", "deposit_high", "number_abroad"]
"""What words cannot tell: see bot.housing.adverts."""
RULES: tuple[str, ...] = get_args(Rule)


def _in_every_language(words: dict[str, list[str]]) -> dict[str, list[str]]:
    if words and (sorted(words) != sorted(CODES) or not all(words.values())):
        raise ValueError(f"give words in each of {', '.join(CODES)}")
    pattern([words])
    return words


Words = Annotated[dict[str, list[str]], AfterValidator(_in_every_language)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sign(_Strict):
    """One sign of a scam: what shows it, why it matters and what to do."""

    words: Words = Field(default_factory=dict)
    unless: Words = Field(default_factory=dict)
    """Words that make the same sentence harmless."""
    rule: Rule | None = None
    explanation: InLanguages
    advice: InLanguages
    source: str | None
    """A name of `sources`; None where it is our own advice."""

    @model_validator(mode="after")
    def _is_found_somehow(self) -> Self:
        if not self.words and self.rule is None:
            raise ValueError("give `words` or a `rule`, else the sign is never found")
        return self


class Recognise(_Strict):
    """What tells an advert from a question; see `bot.housing.adverts.looks_like_advert`."""

    home: Words
    offer: Words
    contact: Words
    asks: Words


class Amounts(_Strict):
    """The words around sums."""

    deposit: Words
    rent: Words
    other: Words
    """Neither rent nor deposit: a fee, a night, the rent after an aid."""
    furnished: Words
    unfurnished: Words
    month: Words
    shared: Words
    numbers: dict[str, dict[str, int]]


class AdvertFile(_Strict):
    """The whole file."""

    sources: dict[str, SourceEntry]
    rent_low_share: float = Field(gt=0, lt=1)
    large_from_square_metres: int = Field(gt=0)
    cities: list[str] = Field(min_length=1)
    """The words that say that the home is where the figure rent_lille holds."""
    negations: Words
    recognise: Recognise
    amounts: Amounts
    paid: Words
    signs: dict[str, Sign]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        named = {sign.source for sign in self.signs.values() if sign.source is not None}
        if unknown := sorted(named - self.sources.keys()):
            raise ValueError(f"the source {unknown[0]} is not in `sources`")
        rules = [sign.rule for sign in self.signs.values() if sign.rule is not None]
        if sorted(rules) != sorted(RULES):
            raise ValueError(f"each of the rules {', '.join(RULES)} belongs to one sign")
        return self


@dataclass(frozen=True)
class SignPatterns:
    """`plain`: the words; `negated`: those that hold a negation themselves, so that none is looked for."""

    plain: re.Pattern[str]
    negated: re.Pattern[str]
    unless: re.Pattern[str]


@dataclass(frozen=True)
class Adverts:
    """The file and its patterns over folded text."""

    file: AdvertFile
    signs: Mapping[str, SignPatterns]
    negation: re.Pattern[str]
    paid: re.Pattern[str]
    home: re.Pattern[str]
    offer: re.Pattern[str]
    contact: re.Pattern[str]
    asks: re.Pattern[str]
    deposit: re.Pattern[str]
    rent: re.Pattern[str]
    labels: re.Pattern[str]
    furnished: re.Pattern[str]
    unfurnished: re.Pattern[str]
    shared: re.Pattern[str]
    months: re.Pattern[str]
    """A number of months: group 1."""
    numbers: Mapping[str, int]
    city: re.Pattern[str]


@lru_cache(maxsize=4)
def load_adverts(folder: Path) -> Adverts:
    """Read once for each folder of knowledge. Raises ContentError naming the file, the field and the fix."""
    path = folder / "adverts.yml"
    file = parse(AdvertFile, read_yaml(path), str(path))
    try:
        return _patterns(file)
    except re.error as error:
        raise ContentError(f"{path}: {error}.") from error


def _patterns(file: AdvertFile) -> Adverts:
    amounts, recognise = file.amounts, file.recognise
    negation = pattern([file.negations])
    numbers = {word: value for words in amounts.numbers.values() for word, value in words.items()}
    number = pattern([{code: list(words) for code, words in amounts.numbers.items()}]).pattern
    return Adverts(
        file=file,
        signs={name: _sign_patterns(sign, negation) for name, sign in file.signs.items()},
        negation=negation,
        paid=pattern([file.paid]),
        home=pattern([recognise.home]),
        offer=pattern([recognise.offer]),
        contact=pattern([recognise.contact]),
        asks=pattern([recognise.asks]),
        deposit=pattern([amounts.deposit]),
        rent=pattern([amounts.rent]),
        labels=pattern([amounts.deposit, amounts.rent, amounts.other]),
        furnished=pattern([amounts.furnished]),
        unfurnished=pattern([amounts.unfurnished]),
        shared=pattern([amounts.shared]),
        months=re.compile(rf"((?<!\d)\d(?!\d)|{number})\s*(?:{pattern([amounts.month]).pattern})"),
        numbers=_folded(numbers),
        city=pattern([{"en": file.cities}]),
    )


def _folded(numbers: Mapping[str, int]) -> dict[str, int]:
    return {fold(word).text: value for word, value in numbers.items()}


def _sign_patterns(sign: Sign, negation: re.Pattern[str]) -> SignPatterns:
    plain, negated = _apart(sign.words, negation)
    return SignPatterns(pattern([plain]), pattern([negated]), pattern([sign.unless]))


def _apart(words: WordLists, negation: re.Pattern[str]) -> tuple[WordLists, WordLists]:
    """The entries without a negation of their own, and those with one."""
    plain: dict[str, list[str]] = {}
    negated: dict[str, list[str]] = {}
    for code, entries in words.items():
        for entry in entries:
            holds = negation.search(fold(entry.replace("/", " ").replace(" + ", " ")).text) is not None
            (negated if holds else plain).setdefault(code, []).append(entry)
    return plain, negated
