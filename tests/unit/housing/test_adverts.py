"""The rules of the advert check, one by one; the whole set of adverts is in tests/integration/housing."""

from decimal import Decimal

import pytest

from bot.housing.adverts import LONGEST, check, looks_like_advert, sums_of
from bot.housing.words import fold, sentences

LILLE = Decimal(500)


@pytest.fixture
def signs(adverts):
    def run(text: str, rent: Decimal | None = LILLE) -> list[str]:
        return [each.sign for each in check(adverts, text, rent).found]

    return run


@pytest.fixture
def sums(adverts):
    def run(text: str) -> list[tuple[int, str]]:
        return [
            (int(each.value), f"{each.kind} months" if each.months else each.kind)
            for part in sentences(text)
            for each in sums_of(adverts, part)
        ]

    return run


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Rent 450 € and deposit 900 €", [(450, "rent"), (900, "deposit")]),
        ("450 € rent and 900 € deposit", [(450, "rent"), (900, "deposit")]),
        ("Loyer 450 € + 40 € de charges, caution 450 €", [(450, "rent"), (40, "other"), (450, "deposit")]),
        ("Loyer : 1 250 € CC", [(1250, "rent")]),
        ("Rent: €1,250.50 per month", [(1250, "rent")]),
        ("45 € per night", [(45, "other")]),
        ("Deposit of three months' rent", [(3, "deposit months")]),
        ("caution de deux mois", [(2, "deposit months")]),
        ("押三付一", [(3, "deposit months")]),
        ("minimum stay 6 months, deposit 500 €", [(500, "deposit")]),
        ("a room for 300 euros", [(300, "unsaid")]),
        ("T2 450 €, 25 m2", [(450, "unsaid")]),
    ],
)
def test_a_sum_is_what_the_nearest_word_says(sums, text: str, expected: list[tuple[int, str]]) -> None:
    assert sums(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Furnished studio, rent 500 €, deposit 1000 €", []),
        ("Furnished studio, rent 500 €, deposit 1001 €", ["deposit_high"]),
        ("Unfurnished studio, rent 500 €, deposit 500 €", []),
        ("Unfurnished studio, rent 500 €, deposit 501 €", ["deposit_high"]),
        ("Studio, rent 500 €, deposit 1000 €", []),
        ("Studio non meublé, loyer 500 €, caution de deux mois", ["deposit_high"]),
        ("Studio meublé, loyer 500 €, caution de deux mois", []),
        ("Studio, deposit 900 €", []),
    ],
)
def test_the_deposit_is_held_against_the_legal_limit(signs, text: str, expected: list[str]) -> None:
    assert signs(text) == expected


@pytest.mark.parametrize(
    ("text", "rent", "expected"),
    [
        ("Studio in Lille, rent 249 €", LILLE, ["rent_low"]),
        ("Studio in Lille, rent 250 €", LILLE, []),
        ("Studio in Bordeaux, rent 150 €", LILLE, []),
        ("Studio in Lille, rent 249 €", None, []),
        ("Studio in Lille, rent 470 €, about 240 € after APL", LILLE, []),
        ("Flat in Lille, 45 m², rent 499 €", LILLE, ["too_good"]),
        ("Flat in Lille, 44 m², rent 499 €", LILLE, []),
        ("Flat in Lille, 45 m², rent 500 €", LILLE, []),
        ("Room in a flat of 90 m² in Lille, rent 400 €", LILLE, []),
    ],
)
def test_a_rent_is_low_or_too_good_only_where_the_order_of_magnitude_is_known(
    signs, text: str, rent: Decimal | None, expected: list[str]
) -> None:
    assert signs(text, rent) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("WhatsApp me on +44 7700 900123", ["only_messages"]),
        ("WhatsApp me on +33 1 99 00 12 34", []),
        ("Call me on +44 7700 900123", []),
    ],
)
def test_a_number_abroad_is_a_sign_behind_a_messenger_only(signs, text: str, expected: list[str]) -> None:
    assert signs(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Pay the deposit before the visit", ["pay_before_visit"]),
        ("Never pay the deposit before the visit", []),
        ("Pay nothing before the visit", []),
        ("No problem, pay the deposit before the visit", ["pay_before_visit"]),
        ("The deposit is paid when signing, before you get the keys", []),
        ("No viewing possible, sorry", ["no_visit"]),
        ("Ne payez jamais avant la visite", []),
        ("Payez la caution avant la visite", ["pay_before_visit"]),
    ],
)
def test_a_denied_sign_is_none(signs, text: str, expected: list[str]) -> None:
    assert signs(text) == expected


def test_the_quote_is_what_was_written_without_links_addresses_and_marks(adverts) -> None:
    text = "Please *pay* at https://pay.example.org/x before the **visit**, write to owner@example.org"

    [found] = check(adverts, text, None).found

    assert found.quote == "Please pay at … before the visit , write to"


@pytest.mark.parametrize(
    ("text", "has_paid"),
    [
        ("I already paid 300 €: studio in Lille, western union", True),
        ("J'ai déjà versé la caution", True),
        ("Nunca pague antes de visitar", False),
        ("You paid nothing yet", False),
    ],
)
def test_that_money_has_gone_is_heard(adverts, text: str, has_paid: bool) -> None:
    assert check(adverts, text, None).has_paid is has_paid


ADVERT = (
    "Furnished studio to rent, rue Nationale, Lille, 20 m². Rent 490 € per month, available now. "
    "Call me in the evening."
)


def test_an_advert_is_told_from_a_question_about_one(adverts) -> None:
    question = (
        "I found a furnished studio of 20 m² in Lille for 490 euros a month, charges included. My landlord asks me for "
        "a deposit of two months. Is this legal, and can I get housing aid for it?"
    )

    assert (looks_like_advert(adverts, ADVERT), looks_like_advert(adverts, question)) == (True, False)


@pytest.mark.parametrize("text", ["", "studio 450 €", "?" * 200, "€ " * 200, "flat " * 100])
def test_anything_else_is_no_advert(adverts, text: str) -> None:
    assert looks_like_advert(adverts, text) is False


def test_what_stands_behind_the_longest_text_is_not_read(adverts) -> None:
    text = "x " * (LONGEST // 2) + "pay the deposit before the visit"

    assert check(adverts, text, None).found == ()


def test_folding_keeps_one_place_for_every_sign() -> None:
    folded = fold("ﬁn ½ É")

    assert len(folded.text) == len(folded.places)
