import pytest

from bot.buddies.matching import Weights, load_weights, weights_from
from bot.buddies.matching.weights import TERMS
from bot.config import ROOT
from bot.errors import ContentError

ALL = dict.fromkeys(TERMS, 1)


def test_the_weights_of_the_knowledge_folder_are_those_the_code_starts_from():
    assert load_weights(ROOT / "knowledge" / "buddies.yml") == Weights()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({**ALL, "luck": 1}, "luck: there is no such weight"),
        ({"field": 1}, "languages: this weight is missing"),
        ({**ALL, "field": -1}, "field: -1 is not a weight; write a number from 0 to 1000"),
        ({**ALL, "field": True}, "field: True is not a weight"),
        ({**ALL, "field": float("nan")}, "field: nan is not a weight"),
        (dict.fromkeys(TERMS, 0), "weights: all of them are 0"),
    ],
)
def test_weights_that_make_no_sense_are_refused_by_name(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        weights_from(values)


@pytest.mark.parametrize(("text", "sentence"), [("a: [", "not YAML"), ("interests: {}", "weights: missing")])
def test_a_file_that_holds_no_weights_is_refused_by_name(tmp_path, text, sentence):
    file = tmp_path / "w.yml"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(ContentError, match=sentence):
        load_weights(file)


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(ContentError, match=r"none\.yml: the file cannot be read"):
        load_weights(tmp_path / "none.yml")
