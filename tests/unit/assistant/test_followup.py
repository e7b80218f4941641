"""How a message hangs on what was said before."""

import pytest

from bot.assistant.followup import read


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("no, I meant the bank", "the bank"),
        ("I mean the residence permit", "the residence permit"),
        ("Non, je voulais dire la banque", "la banque"),
        ("no, quise decir el banco", "el banco"),
        ("não, queria dizer o banco", "o banco"),
        ("ні, я мала на увазі банк", "банк"),
        ("لا، أقصد البنك", "البنك"),
        ("不，我是说银行", "银行"),
        ("No, the bank account", "the bank account"),
    ],
)
def test_a_correction_says_what_was_meant(text, meant):
    reading = read(text)

    assert (reading.kind, reading.text) == ("correction", meant)


@pytest.mark.parametrize(
    "text",
    [
        "and for my wife?",
        "what about Bordeaux?",
        "et pour ma femme ?",
        "y el visado?",
        "e o visto?",
        "а віза?",
        "那签证呢？",
    ],
)
def test_an_opening_and_hangs_on_what_was_said(text):
    assert read(text).kind == "next"


@pytest.mark.parametrize(
    "text",
    [
        "how much is it?",
        "until when?",
        "why me?",
        "combien ça coûte ?",
        "c'est combien ?",
        "¿cuánto cuesta?",
        "多少钱？",
    ],
)
def test_a_question_about_it_points_back(text):
    assert read(text).kind == "pointing"


@pytest.mark.parametrize(
    "text",
    [
        "When must I validate my visa?",
        "Is it compulsory to pay the CVEC when I am an exchange student?",
        "hello",
        "no",
        "non merci",
        "And I wanted to ask whether the residence accepts Visale from abroad",
        "",
    ],
)
def test_a_question_that_says_itself_what_it_is_about_stands_alone(text):
    assert read(text).kind == "alone"
