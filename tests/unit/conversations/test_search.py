"""What is looked for, and what of a text is shown."""

from bot.conversations.search import MOST_WORDS, fold, snippet, words_of


def test_signs_part_words_and_only_so_many_are_looked_for():
    assert words_of('Visa "OR" -amina@junia.com') == ["visa", "or", "amina", "junia", "com"]
    assert words_of("a b c d e f g h i j") == list("abcdefgh")
    assert len(words_of("mot " * 50)) == MOST_WORDS
    assert words_of("?! … _") == []


def test_folding_keeps_every_letter_in_its_place():
    for whole in ("Élève à Lille", "ﬁnal İstanbul", "Đà Nẵng", "قُبول", "签证"):
        assert len(fold(whole)) == len(whole)
    assert fold("Élève") == "eleve"


def test_what_was_found_is_marked_with_its_endings_and_without_its_accents():
    assert snippet("Mes élèves ont un visa", "eleve VISA") == [
        {"text": "Mes ", "hit": False},
        {"text": "élèves", "hit": True},
        {"text": " ont un ", "hit": False},
        {"text": "visa", "hit": True},
    ]


def test_the_middle_of_a_word_is_no_hit_and_a_short_word_must_be_whole():
    assert snippet("avisar an on", "visa an") == [
        {"text": "avisar ", "hit": False},
        {"text": "an", "hit": True},
        {"text": " on", "hit": False},
    ]


def test_a_language_without_blanks_is_marked_anywhere():
    assert snippet("我需要签证延期", "签证") == [
        {"text": "我需要", "hit": False},
        {"text": "签证", "hit": True},
        {"text": "延期", "hit": False},
    ]


def test_a_long_text_is_cut_around_what_was_found():
    parts = snippet("a " * 200 + "visa" + " b" * 200, "visa")

    assert [part["hit"] for part in parts] == [False, True, False]
    assert parts[0]["text"].startswith("…")
    assert parts[-1]["text"].endswith("…")
    assert sum(len(part["text"]) for part in parts) < 300
