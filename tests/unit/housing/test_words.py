"""Words as patterns: any case, accent and apostrophe, alternatives, what follows at once, and a few words between."""

import pytest

from bot.housing.words import fold, pattern, sentences


def found(entry: str, text: str, language: str = "en") -> bool:
    return pattern([{language: [entry]}]).search(fold(text).text) is not None


def test_what_was_written_is_found_again_behind_the_folded_text() -> None:
    folded = fold("L’ÉTÉ à ½ prix…")

    start = folded.text.index("ete")

    assert folded.written(start, start + 3) == "ÉTÉ"


@pytest.mark.parametrize(
    ("written", "plain"), [("٤٠٠ €", "400 €"), ("40 m²", "40 m2"), ("Wes\u200btern", "western"), ("４５０", "450")]
)
def test_digits_of_every_script_and_hidden_signs_become_plain(written: str, plain: str) -> None:
    assert fold(written).text == plain


@pytest.mark.parametrize(
    ("entry", "text", "holds"),
    [
        ("gift card*", "Gift-cards only", True),
        ("gift card*", "a gifted cardinal", False),
        ("send/wire ... deposit", "send me now the whole deposit", True),
        ("send/wire ... deposit", "send one two three four five six seven eight nine ten deposit", False),
        ("no + visit*/viewing*", "no viewings", True),
        ("no + visit*/viewing*", "no more viewings", False),
        ("a l'étranger", "Je vis à l’etranger", True),
    ],
)
def test_an_entry_matches_whole_words(entry: str, text: str, holds: bool) -> None:
    assert found(entry, text) is holds


@pytest.mark.parametrize(
    ("language", "entry", "text", "holds"),
    [
        ("zh", "钥匙 ... 寄", "我会把钥匙快递寄给你", True),
        ("zh", "钥匙 ... 寄", "钥匙在房东那里，看房以后签合同的时候当面交给你，不寄", False),
        ("ar", "شقة", "الشقة للإيجار", True),
        ("ar", "لا", "الاستوديو", False),
    ],
)
def test_a_language_without_spaces_is_read_anywhere(language: str, entry: str, text: str, holds: bool) -> None:
    assert found(entry, text, language) is holds


def test_without_entries_nothing_is_found() -> None:
    assert pattern([]).search("anything at all") is None


def test_an_entry_without_a_word_is_refused() -> None:
    with pytest.raises(ValueError, match="has no word in it"):
        pattern([{"en": ["a/ "]}])


def test_sentences_end_at_their_signs_and_at_lines_but_not_in_sums() -> None:
    parts = [each.original for each in sentences("Rent 1.200 € a month. No fees!\nCall me\n\n看房可以。押金")]

    assert parts == ["Rent 1.200 € a month.", "No fees!", "Call me", "看房可以。", "押金"]
