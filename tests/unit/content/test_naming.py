import pytest

from bot.config import ROOT
from bot.content.naming import named
from bot.paperwork.schema import load_procedures

STEPS = {
    each.slug: [each.slug.replace("_", " "), each.title.en, each.title.fr]
    for each in load_procedures(ROOT / "knowledge" / "procedures")
}


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("I paid the home insurance", "home_insurance"),
        ("I have taken out home insurance for my flat", "home_insurance"),
        ("I opened my bank account on Monday", "bank_account"),
        ("j'ai ouvert un compte bancaire", "bank_account"),
        ("j'ai payé la CVEC", "cvec"),
        ("I signed the lease", "lease"),
        ("I registered with the health insurance", "health_registration"),
        ("I sent my learning agreement", "learning_agreement"),
        ("I applied for housing aid", "housing_aid"),
        ("until when do I have to validate my visa", "validate_visa"),
    ],
)
def test_a_step_is_named_by_the_words_that_tell_it_apart(text, step):
    assert named(text, STEPS) == step


@pytest.mark.parametrize(
    "text",
    [
        "I did it",
        "done",
        "I already did that",
        "I have done that step",
        "I can't do that",
        "why me?",
        "c'est fait",
        "je l'ai fait hier",
        "why do I have to do this?",
        "I have done this on 2 October",
        "我已经做了",
        "ya lo hice",
        "",
    ],
)
def test_a_text_that_points_back_names_nothing(text):
    assert named(text, STEPS) is None


def test_of_two_things_that_share_as_much_the_shorter_name_is_meant():
    names = {"agreement": ["learning agreement"], "change": ["change of the learning agreement"], "other": ["visa"]}
    names |= {f"n{number}": [f"other{number}"] for number in range(9)}

    assert named("my learning agreement", names) == "agreement"


def test_two_things_that_are_told_as_much_are_not_chosen_between():
    names = {f"n{number}": [f"word{number}"] for number in range(9)}

    assert named("word1 word2", names) is None
