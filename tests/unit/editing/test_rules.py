from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from bot.content.loader import TOPIC_FILE, Knowledge, load_knowledge, topic_from, topic_texts
from bot.editing.rules import (
    Piece,
    SourceLine,
    checked_again,
    difference,
    differences,
    due_first,
    excerpt,
    faults_of,
    fields_of,
    files_are_newer,
    texts_hash,
    with_fields,
)

FOLDER = Path(__file__).resolve().parents[3] / "knowledge"
KNOWLEDGE: Knowledge = load_knowledge(FOLDER)
PROCEDURES = {path.stem for path in (FOLDER / "procedures").glob("*.yml")}
TODAY = date(2026, 11, 28)
BANK = topic_texts(FOLDER / "topics" / "bank_account")


def changed(**fields):
    return with_fields(BANK, replace(fields_of(BANK), **fields))


def page(text, code="en"):
    return {**BANK, f"{code}.md": text}


def faults(texts):
    return [(each.file, each.field) for each in faults_of(KNOWLEDGE, "bank_account", texts, PROCEDURES, TODAY)]


@pytest.mark.parametrize("slug", KNOWLEDGE.topics)
def test_a_form_that_nobody_touched_changes_no_sign_of_the_files(slug):
    texts = topic_texts(FOLDER / "topics" / slug)

    assert with_fields(texts, fields_of(texts)) == texts


@pytest.mark.parametrize("slug", KNOWLEDGE.topics)
def test_what_is_written_in_every_field_is_read_back_from_the_file(slug):
    texts = topic_texts(FOLDER / "topics" / slug)
    fields = replace(
        fields_of(texts),
        title={"en": "Who: what #1?", "fr": "Qui : quoi « n° 1 » ?"},
        question={"en": "- Is it 'so'?", "fr": '"Oui", non ?'},
        owner="yes",
        valid_until="2027-12-31",
        sources=(SourceLine("A: title, [with] #signs", "https://example.org/?a=b#c", "2026-11-28"),),
        next="cvec, visale",
    )
    written = with_fields(texts, fields)
    topic = topic_from(Path(slug), written)

    assert fields_of(written) == fields
    assert topic.file.title.fr == "Qui : quoi « n° 1 » ?"
    assert topic.file.next == ["cvec", "visale"]
    assert topic.file.variants == KNOWLEDGE.topics[slug].file.variants
    assert topic.file.audience == KNOWLEDGE.topics[slug].file.audience


def test_only_the_line_that_changed_is_another_one():
    lines = list(
        zip(BANK[TOPIC_FILE].splitlines(), changed(valid_until="2027-09-30")[TOPIC_FILE].splitlines(), strict=True)
    )

    assert [pair for pair in lines if pair[0] != pair[1]] == [("valid_until: 2027-06-30", "valid_until: 2027-09-30")]


def test_a_topic_loses_and_gets_the_topics_that_follow_it():
    without = changed(next="")

    assert "next:" not in without[TOPIC_FILE]
    assert with_fields(without, replace(fields_of(without), next="cvec")) == {
        **without,
        TOPIC_FILE: without[TOPIC_FILE] + "next: [cvec]\n",
    }


def test_a_form_from_a_browser_has_other_line_ends_and_changes_nothing():
    fields = fields_of(BANK)
    sent = {code: text.replace("\n", "\r\n") + "  \r\n" for code, text in fields.texts.items()}

    assert with_fields(BANK, replace(fields, texts=sent)) == BANK


def test_checked_again_is_the_same_words_with_other_days():
    again = checked_again(BANK, TODAY, "2027-11-28")
    fields = fields_of(again)

    assert {source.checked_on for source in fields.sources} == {"2026-11-28"}
    assert fields.valid_until == "2027-11-28"
    assert {name: again[name] for name in ("en.md", "fr.md")} == {name: BANK[name] for name in ("en.md", "fr.md")}


def test_the_texts_of_today_have_no_fault():
    assert faults(BANK) == []


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (changed(title={"en": "x", "fr": "Ouvrir un compte"}), [(TOPIC_FILE, "title")]),
        (changed(question={"en": "How?", "fr": "q" * 61}), [(TOPIC_FILE, "question")]),
        (changed(valid_until="31/01/2027"), [(TOPIC_FILE, "valid_until")]),
        (changed(valid_until="2027-02-30"), [(TOPIC_FILE, "valid_until")]),
        (changed(valid_until="2026-11-28"), [(TOPIC_FILE, "valid_until")]),
        (changed(sources=()), [(TOPIC_FILE, "sources")]),
        (changed(sources=(SourceLine("Title", "example.org", "2026-11-28"),)), [(TOPIC_FILE, "sources")]),
        (changed(sources=(SourceLine("Title", "https://example.org", "2026-11-29"),)), [(TOPIC_FILE, "sources")]),
        (changed(next="bank_account"), [(TOPIC_FILE, "next")]),
        (changed(next="cvec, visale, deposit, cvec_refund"), [(TOPIC_FILE, "next")]),
        (page(""), [("en.md", "")]),
        (page("", "fr"), [("fr.md", "")]),
        (page("Words for all.\n\n## adult\n\nOne.\n\n## minor\n\nTwo.\n"), [("en.md", "")]),
        (page("Words for all.\n\n## minor\n\n## adult\n\nTwo.\n"), [("en.md", "")]),
        (page(BANK["en.md"].replace("You open", "You {{open")), [("en.md", "")]),
        (page(BANK["en.md"].replace("You open", "[You](/here) open")), [("en.md", "")]),
        (page(BANK["en.md"].replace("You open", "word " * 121)), [("en.md", "")] * 3),
        (page(BANK["en.md"] + "word " * 260), [("en.md", "")]),
        (page(BANK["en.md"] + "{{ cvec_fee }}"), [("", "")]),
        (page(BANK["en.md"] + "{{ no_such_figure }}"), [("", ""), ("en.md", "")]),
    ],
)
def test_what_is_wrong_is_said_by_file_and_field(texts, expected):
    assert sorted(faults(texts)) == sorted(expected)


def test_the_rules_are_those_of_every_topic_as_it_stands():
    found = {
        slug: faults_of(KNOWLEDGE, slug, topic_texts(FOLDER / "topics" / slug), PROCEDURES, TODAY)
        for slug in KNOWLEDGE.topics
    }

    assert {slug: each for slug, each in found.items() if each} == {}


def test_a_difference_is_told_word_by_word():
    assert difference("Pay 100 euros now.", "Pay 103 euros now, please.") == (
        Piece("same", "Pay "),
        Piece("old", "100"),
        Piece("new", "103"),
        Piece("same", " euros "),
        Piece("old", "now."),
        Piece("new", "now, please."),
    )


def test_of_a_long_text_only_what_stands_next_to_a_change_is_shown():
    same = "a" * 100 + "b" * 101 + "c" * 100
    pieces = (Piece("same", same), Piece("old", "x"), Piece("same", same), Piece("new", "y"), Piece("same", same))

    assert excerpt(pieces) == (
        Piece("same", " … " + "c" * 100),
        Piece("old", "x"),
        Piece("same", "a" * 100 + " … " + "c" * 100),
        Piece("new", "y"),
        Piece("same", "a" * 100 + " … "),
    )
    assert excerpt((Piece("same", "short"), Piece("new", "y"))) == (Piece("same", "short"), Piece("new", "y"))


def test_what_is_left_of_a_long_text_begins_and_ends_with_whole_words():
    same = Piece("same", "word " * 100)

    assert excerpt((Piece("new", "x"), same, Piece("new", "y"))) == (
        Piece("new", "x"),
        Piece("same", "word " * 19 + "word … " + "word " * 19),
        Piece("new", "y"),
    )


def test_only_files_that_differ_are_compared_the_texts_before_the_facts():
    assert list(differences(BANK, {**changed(owner="library"), "fr.md": "Autre.\n"})) == ["fr.md", TOPIC_FILE]
    assert differences(BANK, BANK) == {}


def test_the_same_texts_have_the_same_hash_in_any_order_and_others_do_not():
    assert texts_hash(BANK) == texts_hash(dict(reversed(BANK.items())))
    assert texts_hash(BANK) != texts_hash(page("Other.\n"))


@pytest.mark.parametrize(
    ("was_exported", "now", "expected"), [(False, "b", False), (True, "a", False), (True, "b", True)]
)
def test_only_an_exported_edition_gives_way_to_files_that_changed(was_exported, now, expected):
    assert files_are_newer(was_exported=was_exported, files_hash="a", files_hash_now=now) is expected


class Row:
    def __init__(self, asked, days_left):
        self.asked, self.days_left = asked, days_left


def test_the_most_asked_comes_first_then_what_has_least_time():
    rows = [Row(1, 3), Row(5, 40), Row(5, -2), Row(0, -90)]

    assert [(row.asked, row.days_left) for row in due_first(rows)] == [(5, -2), (5, 40), (1, 3), (0, -90)]
