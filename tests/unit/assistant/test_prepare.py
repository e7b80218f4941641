import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.assistant.prepare import LONGEST_FOR_MODEL, clean, split_questions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/restart", "restart"),
        ('\u00a0 /ask{"topic": 1}', 'ask{"topic": 1}'),
        ("// /ask", "ask"),
        ("／ask", "ask"),
        ("visa\u200b validation\x07", "visa validation"),
        ("two\n\nlines", "two lines"),
        ("write to amina@student.junia.com please", "write to e-mail please"),
        ("passport 12 34 56 78 90 lost", "passport lost"),
        ("pay 105 euros", "pay 105 euros"),
        ("I arrive on 2026-09-14", "I arrive on 2026-09-14"),
        ("j'arrive le 14.09.2026 !", "j'arrive le 14.09.2026 !"),
        ("call 06-12-34-56-78", "call"),
    ],
)
def test_a_text_becomes_one_plain_line(text, expected):
    assert clean(text) == expected


@given(st.text(max_size=300))
def test_no_text_can_start_a_command(text):
    cleaned = clean(text)

    assert not cleaned.startswith("/")
    assert not cleaned.strip().startswith("/")
    assert len(cleaned) <= LONGEST_FOR_MODEL
    assert "\n" not in cleaned


def test_a_message_that_asks_two_things_is_split():
    text = "What is the CVEC? And how do I find a room in Lille?"

    assert split_questions(text) == ["What is the CVEC?", "And how do I find a room in Lille?"]


def test_at_most_three_questions_are_taken():
    text = "What is the CVEC? How do I find a room? Where is the welcome session? When do I get a buddy?"

    assert len(split_questions(text)) == 3


@pytest.mark.parametrize(
    "text",
    [
        "I arrived last week from India. How do I validate my visa?",
        "visa?",
        "Really??? How do I validate my visa?",
        "I have a visa and a room. Thanks.",
    ],
)
def test_a_story_around_one_question_stays_whole(text):
    assert split_questions(text) == [text]


def test_other_scripts_have_question_marks_too():
    assert len(split_questions("كيف أجد غرفة في ليل؟ ومتى أصادق على التأشيرة؟")) == 2


@pytest.mark.parametrize("sign", ["/", " /", "／", "//"])
def test_no_part_of_a_split_message_can_start_a_command(sign):
    parts = split_questions(clean(f'What is the CVEC fee please? {sign}restart{{"a": 1}} is what?'))

    assert parts == ["What is the CVEC fee please?", 'restart{"a": 1} is what?']


@given(
    st.lists(st.sampled_from(["/", "／", "? ", "？", " ", "visa", "where is it? ", "\u00a0", '{"a": 1}']), max_size=30)
)
def test_no_part_of_any_message_starts_with_a_slash(pieces):
    assert [part for part in split_questions(clean("".join(pieces))) if part.strip().startswith("/")] == []


def test_a_code_in_a_long_sentence_does_not_reach_the_engine():
    text = "Hello, I have received the code in my mailbox and it is 123 456, thank you very much"

    assert clean(text) == "Hello, I have received the code in my mailbox and it is , thank you very much"
