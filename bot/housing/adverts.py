"""Whether a text is a rental advert, and which signs of a scam are in it: (words of the office, text) → signs. Pure.

Nothing is fetched and nothing is kept; a link in an advert is text like any other.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from bot.housing.advert_file import Adverts, Rule, SignPatterns
from bot.housing.words import Folded, fold, sentences
from bot.identity.addresses import without_credentials

LONGEST = 4000
"""Characters that are read; a longer message is cut."""
SHORTEST, SHORTEST_CHINESE = 110, 40
"""Characters below which a text is a question."""
ADVERT_FROM = 4
"""Points from which a text is an advert; measured on the training and held-out phrases, none of which is one."""
LONGEST_QUOTE = 110

_NUMBER = r"(?<![\w.,])(?:\d{1,3}(?:[ .,]\d{3})+(?!\d)(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?)"
_EURO = r"(?:€|eur(?:o|os)?(?!\w)|欧元?|يورو|євро)"
_MONEY = re.compile(rf"(?<!\w)(?:€|eur(?:o|os)?(?!\w))\s?(?P<after>{_NUMBER})|(?P<before>{_NUMBER})\s?{_EURO}")
_PER_MONTH = re.compile(r"\d\s?(?:€|eur\w*|欧元?)?\s?(?:(?:/|per|par|al|a)\s?(?:month|mois|mes|mo)(?!\w)|/月)")
_DEPOSIT_BEFORE_RENT = re.compile(r"押(\w)付")
""" "押三付一": three months as deposit, rent by the month."""
_SQUARE_METRES = re.compile(r"(?<!\d)(\d{2,3})\s?(?:m2|sqm|sq\.? ?m|square met|metros? cuadrados|кв|平|متر)")
_NUMBER_ABROAD = re.compile(r"(?<![\w+])(?:\+|00)\s?(?!33)[1-9](?:[ .()-]*\d){8,13}(?!\d)")
_MESSENGERS = re.compile(r"whats ?app|telegram|viber|واتساب|تيليجرام|телеграм|вайбер|微信")
_ADDRESS = re.compile(r"\S+@\S+\.\w{2,}")
_PHONE = re.compile(r"(?<!\d)(?:\+|0)\d(?:[ .-]?\d){8,11}(?!\d)")
_CLAUSE_END = re.compile(r"(?<!\d),|,(?!\d)|[;|•]|\s[–—-]\s")
_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_MARKDOWN = re.compile(r"[*_`\[\]<>#|~\\]")
_CLAUSE_MARK = re.compile(r"[,;:]")
_NEGATION_WORDS = 3
_NEAR_BEFORE, _NEAR_AFTER, _NEAR_MONTHS = 25, 12, 40
"""Signs between a sum and the word that says what it is."""


@dataclass(frozen=True)
class Found:
    """A sign by its name in adverts.yml, with the words of the advert that show it."""

    sign: str
    quote: str


@dataclass(frozen=True)
class Checked:
    """`found` in the order of adverts.yml; `has_paid`: the student says that money has been sent."""

    found: tuple[Found, ...]
    has_paid: bool


@dataclass(frozen=True)
class Sum:
    """An amount of an advert. `months`: the value counts months of rent."""

    value: Decimal
    kind: Literal["rent", "deposit", "other", "unsaid"]
    quote: str
    months: bool = False


def check(adverts: Adverts, text: str, rent_in_city: Decimal | None) -> Checked:
    """The signs of a text. `rent_in_city`: what a rent in adverts.yml's cities is about; None: not compared."""
    parts = list(sentences(text[:LONGEST]))
    whole = fold(text[:LONGEST])
    by_rule = _by_rules(adverts, parts, whole, rent_in_city)
    found = []
    for name, sign in adverts.file.signs.items():
        quote = _by_words(adverts, adverts.signs[name], parts)
        if quote is None and sign.rule is not None:
            quote = by_rule.get(sign.rule)
        if quote is not None:
            found.append(Found(name, quote))
    return Checked(tuple(found), adverts.paid.search(whole.text) is not None)


def looks_like_advert(adverts: Adverts, text: str) -> bool:
    """Whether a message is an advert (or the mail of a would-be landlord) rather than a question about renting."""
    cut = text[:LONGEST]
    if len(cut) < SHORTEST and _chinese(cut) < SHORTEST_CHINESE:
        return False
    whole = fold(cut)
    homes = _different(adverts.home, whole)
    if homes == 0:
        return False
    parts = list(sentences(cut))
    signs = sum(_by_words(adverts, patterns, parts) is not None for patterns in adverts.signs.values())
    reachable = adverts.contact.search(whole.text) or _ADDRESS.search(cut) or _PHONE.search(whole.text)
    points = (
        min(homes, 2) - 1,
        min(_different(adverts.offer, whole), 2),
        _MONEY.search(whole.text) is not None,
        _PER_MONTH.search(whole.text) is not None,
        _SQUARE_METRES.search(whole.text) is not None,
        reachable is not None,
        len(parts) >= 4,
        min(signs, 3),
        -min(_different(adverts.asks, whole), 3),
    )
    return sum(points) >= ADVERT_FROM


def _chinese(text: str) -> int:
    return sum("\u4e00" <= sign <= "\u9fff" for sign in text)


def _different(pattern: re.Pattern[str], text: Folded) -> int:
    return len({match[0] for match in pattern.finditer(text.text)})


def _by_words(adverts: Adverts, patterns: SignPatterns, parts: list[Folded]) -> str | None:
    """The words that show the sign, in the first sentence that has them and is not harmless."""
    for part in parts:
        if patterns.unless.search(part.text):
            continue
        if match := patterns.negated.search(part.text):
            return quote(part, match.start(), match.end())
        for match in patterns.plain.finditer(part.text):
            denied = adverts.negation.search(match[0]) or _is_denied_before(adverts, part.text, match.start())
            if not denied:
                return quote(part, match.start(), match.end())
    return None


def _is_denied_before(adverts: Adverts, text: str, start: int) -> bool:
    """Whether "no", "never" and the like stand just before, in the same clause."""
    clause = _CLAUSE_MARK.split(text[:start])[-1]
    near = clause[-4:] if _chinese(clause) else " ".join(clause.split()[-_NEGATION_WORDS:])
    return adverts.negation.search(near) is not None


def quote(part: Folded, start: int, end: int) -> str:
    """The match with a few words around it, as it was written: no links, no addresses, no Markdown of the advert."""
    room = max(0, LONGEST_QUOTE - (end - start)) // 2
    first, last = max(0, start - room), min(len(part.text), end + room)
    while first > 0 and not part.text[first - 1].isspace() and first < start:
        first += 1
    while last < len(part.text) and not part.text[last].isspace() and last > end:
        last -= 1
    written = without_credentials(_LINK.sub("…", part.written(first, last)))
    return " ".join(_MARKDOWN.sub(" ", written).split())[: 2 * LONGEST_QUOTE]


def _by_rules(
    adverts: Adverts, parts: list[Folded], whole: Folded, rent_in_city: Decimal | None
) -> dict[Rule, str | None]:
    sums = [each for part in parts for each in sums_of(adverts, part)]
    rent = _rent(sums)
    found: dict[Rule, str | None] = {
        "deposit_high": _deposit_high(adverts, sums, rent, whole),
        "number_abroad": _number_abroad(parts, whole),
    }
    if rent is not None and rent_in_city is not None and adverts.city.search(whole.text):
        limit = rent_in_city * Decimal(str(adverts.file.rent_low_share))
        found["rent_low"] = rent.quote if rent.value < limit else None
        found["too_good"] = rent.quote if rent.value < rent_in_city and _is_large(adverts, whole) else None
    return found


def _rent(sums: list[Sum]) -> Sum | None:
    """The highest sum called a rent, else the first that is called nothing: the benefit of the doubt."""
    amounts = [each for each in sums if not each.months]
    rents = [each for each in amounts if each.kind == "rent"] or [e for e in amounts if e.kind == "unsaid"][:1]
    return max(rents, key=lambda each: each.value, default=None)


def _deposit_high(adverts: Adverts, sums: list[Sum], rent: Sum | None, whole: Folded) -> str | None:
    most = 1 if adverts.unfurnished.search(whole.text) else 2
    for each in sums:
        if each.kind != "deposit":
            continue
        limit = Decimal(most) if each.months else most * rent.value if rent is not None else None
        if limit is not None and each.value > limit:
            return each.quote
    return None


def _number_abroad(parts: list[Folded], whole: Folded) -> str | None:
    """A number that is not French, where messages are asked for: an honest owner abroad gives a phone."""
    if not _MESSENGERS.search(whole.text):
        return None
    for part in parts:
        if match := _NUMBER_ABROAD.search(part.text):
            return quote(part, match.start(), match.start() + 3)
    return None


def _is_large(adverts: Adverts, whole: Folded) -> bool:
    sizes = [int(match[1]) for match in _SQUARE_METRES.finditer(whole.text)]
    large = bool(sizes) and max(sizes) >= adverts.file.large_from_square_metres
    return large and not adverts.shared.search(whole.text)


def sums_of(adverts: Adverts, part: Folded) -> Iterator[Sum]:
    """The amounts of a sentence with what each is for, by the nearest word of its clause."""
    start = 0
    for end in [*(match.start() for match in _CLAUSE_END.finditer(part.text)), len(part.text)]:
        yield from _sums_of_clause(adverts, part, start, end)
        start = end


def _sums_of_clause(adverts: Adverts, part: Folded, start: int, end: int) -> Iterator[Sum]:
    text = part.text
    money = list(_MONEY.finditer(text, start, end))
    months = list(adverts.months.finditer(text, start, end))
    taken = sorted([match.span() for match in (*money, *months)])
    labels = [match.span() for match in adverts.labels.finditer(text, start, end)]
    words = quote(part, start, end) if end > start else ""
    for match in money:
        label = _nearest(labels, match.span(), taken)
        yield Sum(_value(match["after"] or match["before"]), _kind(adverts, text, label), words)
    deposits = [match.span() for match in adverts.deposit.finditer(text, start, end)]
    for match in months:
        if _nearest(deposits, match.span(), taken, _NEAR_MONTHS, _NEAR_MONTHS) is not None:
            yield Sum(Decimal(_count(adverts, match[1])), "deposit", words, months=True)
    for match in _DEPOSIT_BEFORE_RENT.finditer(text, start, end):
        yield Sum(Decimal(_count(adverts, match[1])), "deposit", words, months=True)


def _count(adverts: Adverts, word: str) -> int:
    return int(word) if word.isdecimal() else adverts.numbers.get(word, 0)


Span = tuple[int, int]


def _nearest(
    labels: list[Span], amount: Span, taken: list[Span], before: int = _NEAR_BEFORE, after: int = _NEAR_AFTER
) -> Span | None:
    """The label closest to the amount, with no other amount between; before it rather than behind."""
    possible = []
    for label in labels:
        is_before = label[1] <= amount[0]
        between = (label[1], amount[0]) if is_before else (amount[1], label[0])
        distance = between[1] - between[0]
        if not 0 <= distance <= (before if is_before else after):
            continue
        if any(between[0] <= other[0] < between[1] for other in taken):
            continue
        possible.append((distance, not is_before, label))
    return min(possible)[2] if possible else None


def _kind(adverts: Adverts, text: str, label: Span | None) -> Literal["rent", "deposit", "other", "unsaid"]:
    if label is None:
        return "unsaid"
    word = text[label[0] : label[1]]
    if adverts.deposit.fullmatch(word):
        return "deposit"
    return "rent" if adverts.rent.fullmatch(word) else "other"


def _value(written: str) -> Decimal:
    """1 200, 1.200, 1,200.50 and 1.200,50 as numbers."""
    whole, cents = written, "0"
    if match := re.fullmatch(r"(.*\d)[.,](\d{1,2})", written):
        whole, cents = match[1], match[2]
    return Decimal(f"{re.sub(r'[ .,]', '', whole)}.{cents}")
