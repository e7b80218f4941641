import pytest

from bot.answers.danger import readable


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("el código es 609717", "el código es"),
        ("the code is 609 717", "the code is"),
        ("my number is 06 12 34 56 78, call me", "my number is , call me"),
        ("الرمز هو ٦٠٩٧١٧", "الرمز هو"),
        ("I paid 1500 euros and he is gone", "I paid 1500 euros and he is gone"),
        ("15, 17 or 112? she fainted", "15, 17 or 112? she fainted"),
        ("609717", ""),
    ],
)
def test_long_numbers_are_not_read_for_danger_and_amounts_and_emergency_numbers_are(text: str, read: str) -> None:
    assert readable(text) == read
