"""Search by words, and the fusion of two rankings."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answers.search import Words, fuse, search, tokens
from bot.content.loader import Knowledge, load_knowledge

ROOT = Path(__file__).resolve().parents[3]
KNOWLEDGE: Knowledge = load_knowledge(ROOT / "knowledge")
WORDS = Words(KNOWLEDGE, ROOT / "data" / "nlu")


def test_what_both_rankings_put_first_comes_first():
    assert [hit.topic for hit in fuse([["a", "b", "c"], ["a", "c"]])] == ["a", "c", "b"]


def test_among_equals_the_first_ranking_decides():
    assert [hit.topic for hit in fuse([["a"], ["b"]])] == ["a", "b"]


def test_words_find_a_topic_whatever_the_accents_and_the_case():
    assert WORDS.ranking("DEPOT DE GARANTIE")[0] == WORDS.ranking("dépôt de garantie")[0] == "deposit"


def test_chinese_is_cut_into_pairs():
    assert tokens("签证费用") == ["签证", "证费", "费用"]


@pytest.mark.parametrize("query", ["", "   ", "???", "\U0001f600", "qqqqzzzz"])
def test_nothing_is_found_where_no_word_is_known(query):
    assert search(query, WORDS, None) == []


@pytest.mark.parametrize("query", ['"', "NEAR(", "visa\0", "a" * 10_240, "visa " * 2_048, "\ud800", "');--", "{{ x }}"])
def test_no_input_breaks_it(query):
    assert len(search(query, WORDS, None)) <= 5


@given(st.text(max_size=200))
def test_any_text_is_a_query(query):
    hits = search(query, WORDS, None)

    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert {hit.topic for hit in hits} <= set(KNOWLEDGE.topics)
