"""The arithmetic of the NLU measurement, and reading public sets."""

import json

import numpy as np
import pytest

from bot.answers.decision import Candidate, decide
from bot.assistant.training import HeldOut
from bot.bench.nlu import (
    Decided,
    Share,
    asked_back,
    baseline_of,
    decided,
    draw,
    false_answers,
    fingerprint,
    outcomes,
    read_dataset,
    recognised,
)
from bot.errors import InvalidField


def asked(label: str, *found: tuple[str, float], text: str = "q", language: str = "en") -> Decided:
    return decided(HeldOut(text=text, label=label, language=language), found)


RIGHT = asked("ask/cvec", ("ask/cvec", 0.9))
WRONG = asked("ask/cvec", ("ask/visale", 0.9), language="fr")
ASKED = asked("ask/cvec", ("ask/visale", 0.4), ("ask/cvec", 0.3))
UNKNOWN = asked("ask/cvec", ("ask/cvec", 0.1))
OUTSIDE = asked("out_of_scope", ("ask/cvec", 0.9))


def test_every_outcome_has_its_name():
    assert [each.outcome for each in (RIGHT, WRONG, ASKED, UNKNOWN)] == ["right", "wrong", "asked", "unknown"]


def test_shares_are_counted():
    assert recognised([RIGHT, WRONG]).value == 0.5
    assert outcomes([RIGHT, WRONG, ASKED], "right", "asked").hits == 2
    assert (asked_back([RIGHT, ASKED]).value, false_answers([OUTSIDE]).value) == (0.5, 1.0)


def test_the_interval_of_wilson_holds_the_share_and_stays_within_bounds():
    assert Share(92, 100).interval == (pytest.approx(0.8500, abs=1e-3), pytest.approx(0.9589, abs=1e-3))
    assert Share(0, 0).interval == (0.0, 1.0)
    assert Share(10, 10).interval[1] == pytest.approx(1)


def test_another_label_or_text_is_another_set_and_the_order_is_not():
    other = asked("ask/visale", ("ask/cvec", 0.9))

    assert fingerprint([RIGHT, WRONG]) == fingerprint([WRONG, RIGHT])
    assert fingerprint([RIGHT]) != fingerprint([other])


def test_the_baseline_holds_the_shares_by_language():
    found = baseline_of([RIGHT, WRONG, OUTSIDE])

    assert found.recognised == {"en": 1.0, "fr": 0.0}
    assert found.fingerprint == fingerprint([RIGHT, WRONG, OUTSIDE])


def test_a_threshold_can_be_tried_out():
    candidates = [Candidate("ask/cvec", 0.65)]

    assert decide(candidates).action == "answer"
    assert decide(candidates, answer_from=0.7).action == "abstain"


def test_examples_are_drawn_evenly_and_the_same_for_the_same_seed():
    labels = np.array(["a"] * 5 + ["b"] * 5)

    assert sorted(labels[draw(labels, 2, 1)].tolist()) == ["a", "a", "b", "b"]
    assert draw(labels, 2, 1) == draw(labels, 2, 1)
    assert draw(labels, None, 0) == list(range(10))


def test_two_csv_files_are_a_set(tmp_path):
    (tmp_path / "train.csv").write_text('text,category\n"one, two",a\n', encoding="utf-8")
    (tmp_path / "test.csv").write_text("text,label\nthree,oos\n", encoding="utf-8")

    dataset = read_dataset(tmp_path)

    assert (dataset.train, dataset.test) == ((("one, two", "a"),), (("three", "out_of_scope"),))


def test_clincs_file_is_a_set_with_out_of_scope_as_a_class(tmp_path):
    parts = {
        "train": [["one", "a"]],
        "oos_train": [["two", "oos"]],
        "test": [["three", "a"]],
        "oos_test": [["x", "oos"]],
    }
    (tmp_path / "data_full.json").write_text(json.dumps(parts), encoding="utf-8")

    dataset = read_dataset(tmp_path)

    assert dataset.train == (("one", "a"), ("two", "out_of_scope"))
    assert dataset.test == (("three", "a"), ("x", "out_of_scope"))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "has neither data_full.json nor train.csv and test.csv"),
        ({"train.csv": "a,b\n", "test.csv": "a,b\n"}, "the first line must name the columns text and category"),
    ],
)
def test_a_folder_that_is_no_set_is_refused_with_the_fix(tmp_path, files, message):
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")

    with pytest.raises(InvalidField, match=message):
        read_dataset(tmp_path)
