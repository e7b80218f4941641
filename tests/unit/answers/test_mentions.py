"""What a message says of its writer."""

import pytest

from bot.answers.mentions import mentioned


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("I'm from India, do I need a visa?", {"citizenship": "other"}),
        ("Je viens du Brésil", {"citizenship": "other"}),
        ("i am from germany", {"citizenship": "eu"}),
        ("Do I need a visa as a British student?", {"citizenship": "uk"}),
        ("je suis algérienne, combien d'heures", {"citizenship": "algeria"}),
        ("as an EU citizen", {"citizenship": "eu"}),
        ("étudiants hors UE", {"citizenship": "other"}),
        ("what about Bordeaux?", {"campus": "bordeaux"}),
        ("et à Châteauroux ?", {"campus": "chateauroux"}),
        ("I am 17", {"age": "minor"}),
        ("j'ai 31 ans", {"age": "over_30"}),
        ("je suis étudiante erasmus", {"programme": "exchange"}),
        ("I do a double degree", {"programme": "degree"}),
    ],
)
def test_clear_words_count(text, found):
    assert dict(mentioned(text)) == found


@pytest.mark.parametrize(
    "text",
    [
        "how do I get from Lille to Bordeaux",
        "my friend lives in Germany",
        "I have a visa for 17 months",
        "is European health insurance enough",
        "a letter from my university",
        "",
    ],
)
def test_what_is_not_said_of_the_writer_is_left_alone(text):
    assert dict(mentioned(text)) == {}
