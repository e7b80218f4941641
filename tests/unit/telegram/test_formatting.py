import unicodedata
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.answers.topics import Personal, Reader, more_answer, topic_answer
from bot.channels.telegram.formatting import LONGEST, Part, keyboard_rows, parts_of
from bot.content.loader import load_knowledge
from bot.conversations.messages import Source, Understanding
from bot.i18n.languages import CODES

KNOWLEDGE = load_knowledge(Path(__file__).parents[3] / "knowledge")
TODAY = date(2026, 11, 28)
FLAG, FAMILY, THUMB = "🇫🇷", "👩‍👩‍👧‍👦", "👍🏽"
TAGS = {"b", "i", "a", "code", "pre", "blockquote"}
SOURCE = Source("Guide & map", "https://example.org/?a=1&b=2", date(2026, 12, 1))


class Shown(HTMLParser):
    """What Telegram makes of a message: the text, and whether the tags are its own, nested and closed."""

    def __init__(self, html: str):
        super().__init__()
        self.text = ""
        self.opened: list[str] = []
        self.feed(html)
        self.close()
        assert self.opened == []

    def handle_starttag(self, tag, attrs):
        assert tag in TAGS
        assert tag not in self.opened
        assert not {"code", "pre"} & set(self.opened)
        assert [name for name, _ in attrs] == (["href"] if tag == "a" else [])
        assert all(value.startswith(("http://", "https://")) for _, value in attrs)
        self.opened.append(tag)

    def handle_endtag(self, tag):
        assert self.opened.pop() == tag

    def handle_data(self, data):
        self.text += data

    def handle_comment(self, data):
        raise AssertionError(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


def html(markdown: str, *sources: Source, language: str = "en") -> str:
    [part] = parts_of(markdown, sources, language=language)
    return part.html


def plain(markdown: str, most: int) -> list[str]:
    return [part.plain for part in parts_of(markdown, language="en", most=most)]


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def visible(text: str) -> str:
    return "".join(letter for letter in text if unicodedata.category(letter) not in ("Zs", "Zl", "Zp", "Cc", "Cf"))


def check(parts: tuple[Part, ...], most: int) -> None:
    for part in parts:
        assert Shown(part.html).text == part.plain
        assert 0 < units(part.plain) <= most
        assert visible(part.plain) != ""


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("**bold** and *it*, ***both***", "<b>bold</b> and <i>it</i>, <i><b>both</b></i>"),
        ("## A **b** c", "<b>A b c</b>"),
        ("one\ntwo  \nthree\n\nfour", "one\ntwo\nthree\n\nfour"),
        ("- a\n- b\n\nafter", "• a\n• b\n\nafter"),
        ("- a\n  - b\n    1. c\n- d", "• a\n    • b\n        1. c\n• d"),
        ("3. a\n4. b", "3. a\n4. b"),
        ("- a\n\n  b\n\n- c", "• a\n\nb\n\n• c"),
        ("> a\n>\n> > b\n\nc", "<blockquote>a\n\nb</blockquote>\n\nc"),
        ("**a `b<c` d**", "<b>a </b><code>b&lt;c</code><b> d</b>"),
        ("```py\nif a < b:\n    c\n```\n```\nd\n```", "<pre>if a &lt; b:\n    c</pre>\n\n<pre>d</pre>"),
        ("| a | b |\n|---|---|\n| c | *d* |", "<b>a — b</b>\nc — <i>d</i>"),
        ("a\n\n***\n\nb", "a\n\n———\n\nb"),
        ("[a **b**](https://x.fr/?c&d)", '<a href="https://x.fr/?c&amp;d">a <b>b</b></a>'),
        ("[`a`](http://x.fr)", '<a href="http://x.fr">a</a>'),
        ("[](http://x.fr)", '<a href="http://x.fr">http://x.fr</a>'),
        ("<https://x.fr>", '<a href="https://x.fr">https://x.fr</a>'),
    ],
)
def test_markdown_becomes_the_tags_of_telegram(markdown, expected):
    assert html(markdown) == expected


@pytest.mark.parametrize(
    "markdown",
    [
        "<b>a</b> &amp; <!-- b -->",
        "<script>a</script>",
        "<div>\na\n</div>",
        "1 < 2 && 3 > 2",
        "\"a\" 'b'",
        "[1]: http://x.fr",
    ],
)
def test_what_is_no_markdown_shows_as_typed(markdown):
    assert Shown(html(markdown)).text == markdown
    assert "<" not in html(markdown).replace("&lt;", "")


def test_an_indented_line_is_no_code_and_dashes_below_a_line_make_no_heading_of_it():
    assert html("Hello\n\n    a\n\n    b") == "Hello\n\na\n\nb"
    assert html("Hello\n---\nAmina") == "Hello\n\n———\n\nAmina"


def test_an_escaped_sign_is_no_markup():
    assert html(r"\*a\* 2\_b") == "*a* 2_b"


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("[+33 1 23](tel:+33123)", "+33 1 23"),
        ("[the desk](tel:+33123)", "the desk (+33123)"),
        ("[write](mailto:desk@x.fr)", "write (desk@x.fr)"),
        ("<mailto:desk@x.fr>", "mailto:desk@x.fr"),
        ("[a](tg://user?id=1)", "a (tg://user?id=1)"),
        ("[a](b/c)", "a (b/c)"),
        ("[a](javascript:b)", "[a](javascript:b)"),
    ],
)
def test_only_web_addresses_are_links_and_other_addresses_can_be_read(markdown, expected):
    assert html(markdown) == expected


def test_quotes_in_an_address_stay_inside_its_attribute():
    assert html("[a](https://x.fr/\"b'c>)") == '<a href="https://x.fr/%22b&#x27;c%3E">a</a>'


def test_sources_end_the_message_as_links_with_dates_in_the_readers_language():
    until = Source("Carte", "https://example.org/carte", date(2026, 11, 23), date(2027, 1, 31))

    assert html("Texte", SOURCE, until, language="fr") == (
        "Texte\n\nSources (2)\n"
        '• <a href="https://example.org/?a=1&amp;b=2">Guide &amp; map</a> · vérifié le 1er décembre 2026\n'
        '• <a href="https://example.org/carte">Carte</a> · vérifié le 23 novembre 2026'
        " · valable jusqu'au 31 janvier 2027"
    )


def test_a_source_without_a_web_address_is_no_link():
    assert html("a", Source("B", "javascript:c", TODAY)) == "a\n\nSources (1)\n• B · checked on 28 November 2026"


def test_a_latin_title_does_not_turn_an_arabic_line_around():
    [_, line] = html("", Source("CVEC", "https://x.fr", TODAY), language="ar").splitlines()

    assert line == '\u200f• \u2068<a href="https://x.fr">CVEC</a>\u2069 · جرى التحقق في 28 نوفمبر 2026'


def test_isolates_and_marks_of_direction_stay():
    text = "اكتب \u2068/stop\u2069 أو \u200e/help."

    assert html(text) == text


@pytest.mark.parametrize("markdown", ["", " \n\n ", "\u200b\u2068\u2069", "\u3164", "```\n```"])
def test_a_reply_with_nothing_to_show_is_no_message(markdown):
    assert parts_of(markdown, language="en") == ()


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("aa\n\nbb\ncc. dd", 9, ["aa", "bb\ncc. dd"]),
        ("aa bb\ncc. dd", 9, ["aa bb", "cc. dd"]),
        ("aa. bb? cc dd", 12, ["aa. bb?", "cc dd"]),
        ("一二。三四五", 5, ["一二。", "三四五"]),
        ("aa bb cc", 6, ["aa bb", "cc"]),
        ("aaaa", 3, ["aaa", "a"]),
        ("aa bb", 2, ["aa", "bb"]),
        ("aa\u00a0€ b", 4, ["aa\u00a0€", "b"]),
        ("a😀😀", 4, ["a😀", "😀"]),
        ("aaa" + FAMILY, 12, ["aaa", FAMILY]),
        ("a" + FLAG + FLAG, 7, ["a" + FLAG, FLAG]),
        ("aa" + THUMB, 5, ["aa", THUMB]),
        ("aae\u0301", 3, ["aa", "e\u0301"]),
        ("e\u0301\u0301\u0301", 2, ["e\u0301", "\u0301\u0301"]),
    ],
)
def test_a_long_text_is_cut_at_its_widest_border(text, most, expected):
    assert plain(text, most) == expected


def test_a_text_of_exactly_the_limit_is_one_message_and_one_more_makes_two():
    assert [units(part) for part in plain("a" * 4096, LONGEST)] == [4096]
    assert [units(part) for part in plain("a" * 4097, LONGEST)] == [4096, 1]
    assert [units(part) for part in plain("😀" * 2049, LONGEST)] == [4096, 2]


def test_the_signs_that_escape_a_letter_do_not_count():
    [part] = parts_of("&" * 4096, language="en")

    assert part == Part("&amp;" * 4096, "&" * 4096)


def test_tags_are_closed_and_opened_again_at_a_cut():
    parts = parts_of("**aa [bb cc](https://x.fr)**", language="en", most=5)

    assert parts == (
        Part('<b>aa <a href="https://x.fr">bb</a></b>', "aa bb"),
        Part('<b><a href="https://x.fr">cc</a></b>', "cc"),
    )


def test_an_indented_line_keeps_its_indent_after_a_cut():
    assert plain("- aa\n  - bb cc", 8) == ["• aa", "    • bb", "cc"]


def test_half_a_letter_becomes_the_sign_for_an_unknown_one():
    assert html("a\ud83db \ud83d\ude00") == "a\ufffdb 😀"


@pytest.mark.parametrize("sign", ["> ", "- "])
def test_quotes_and_lists_deeper_than_the_parser_goes_stay_as_typed(sign):
    assert html(sign * 300 + "a") == sign.replace(">", "&gt;") * 300 + "a"
    assert Shown(html(sign * 20 + "a")).text.endswith("a")


WORDS = st.lists(
    st.sampled_from([*"aé漢م  \n\u0301\u200d\u2068\u2069\u00a0😀€", FLAG, FAMILY, THUMB]), max_size=120
).map("".join)
TYPED = st.lists(
    st.sampled_from(
        [*"aб漢 \n*_#>-+.!&;:/=\"'12\\`[](){}<|~", "\n\n", "**", "](https://x.fr/a_b)", "```\n", "- ", "😀", FAMILY]
    )
    | st.text(max_size=3),
    max_size=60,
).map("".join)


@given(WORDS, st.integers(min_value=2, max_value=40))
@settings(max_examples=400, deadline=None, derandomize=True)
def test_plain_words_come_out_whole_and_in_order(text, most):
    parts = parts_of(text, language="en", most=most)

    check(parts, most)
    assert visible("".join(part.plain for part in parts)) == visible(text)


@given(TYPED, st.integers(min_value=2, max_value=40))
@example("> - ```\n> aa\n\n**b\nc**", 3)
@settings(max_examples=600, deadline=None, derandomize=True)
def test_any_markdown_is_cut_into_balanced_messages_that_hold_all_of_it(text, most):
    whole, parts = parts_of(text, language="en", most=10_000), parts_of(text, language="en", most=most)

    check(whole, 10_000)
    check(parts, most)
    assert visible("".join(part.plain for part in parts)) == visible("".join(part.plain for part in whole))


@given(st.text(alphabet=st.sampled_from("aбم漢 \n*_#>-+.!&;1"), max_size=80))
@settings(max_examples=400, deadline=None, derandomize=True)
def test_no_letter_is_lost_to_marks_of_emphasis_lists_quotes_and_headings(text):
    shown = "".join(part.plain for part in parts_of(text, language="en"))

    assert [c for c in shown if c.isalpha()] == [c for c in text if c.isalpha()]


@pytest.mark.parametrize("language", CODES)
def test_every_topic_can_be_sent(language):
    understanding = Understanding(intent=None, confidence=1.0, action="answer")
    reader = Reader(language, TODAY)
    for slug in KNOWLEDGE.topics:
        first = topic_answer(KNOWLEDGE, slug, reader, Personal(), understanding)
        for answer in (first, more_answer(KNOWLEDGE, slug, reader, understanding)):
            parts = parts_of(answer.text, answer.sources, language=language)
            shown = "\n".join(part.plain for part in parts)

            check(parts, LONGEST)
            assert [mark for mark in ("**", "](", "##", "<!--") if mark in shown] == []
            assert [source.title for source in answer.sources if source.title not in shown] == []
            assert shown != ""


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([], []),
        (["Yes", "No"], [[0, 1]]),
        (["a", "b", "c"], [[0, 1], [2]]),
        (["a" * 18, "b" * 18], [[0, 1]]),
        (["a" * 19, "b"], [[0], [1]]),
        (["a", "b" * 19, "c", "d"], [[0], [1], [2, 3]]),
        (["漢" * 9, "字"], [[0, 1]]),
        (["漢" * 10, "字"], [[0], [1]]),
        (["e\u0301" * 18, "b"], [[0, 1]]),
    ],
)
def test_two_short_buttons_share_a_row(labels, expected):
    assert keyboard_rows(labels) == expected
