"""bot/assistant/training.py, with an engine of ours that trains in no time: the model's score is a file beside it."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bot.answers.trained import current_model
from bot.assistant.training import TrainingPaths, TrainingReport, held_out_phrases, train
from bot.errors import ConfigurationError, ContentError

# Stands in for nlu/.venv/bin/python: `-m nlu.train FOLDER NAME` and `-m nlu.score MODEL…`.
FAKE_ENGINE = """\
#!{python}
import json, pathlib, sys
_, module, *arguments = sys.argv[1:]
root = pathlib.Path({root!r})
if module == "nlu.train":
    folder, name = arguments
    outcome = json.loads((root / "outcome.json").read_text())
    print("accueil: checking", flush=True)
    for problem in outcome["problems"]:
        print("problem: " + problem)
    if outcome["code"] == 0:
        (pathlib.Path(folder) / (name + ".tar.gz")).write_text(str(outcome["score"]))
    sys.exit(outcome["code"])
assert len(json.load(sys.stdin)) == 2
scores = [float(pathlib.Path(each).read_text()) for each in arguments]
print(json.dumps([{{"accuracy": score, "languages": {{"en": score}}, "wrong": []}} for score in scores]))
"""


class Desk:
    """A checkout with phrases and a fake engine, and a data folder."""

    def __init__(self, folder: Path) -> None:
        self.paths = TrainingPaths(root=folder / "checkout", data=folder / "data")
        self.said: list[str] = []
        python = self.paths.root / "nlu" / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(FAKE_ENGINE.format(python=sys.executable, root=str(self.paths.root)))
        python.chmod(0o755)
        for language, phrase in (("en", "how do i get visale"), ("fr", "comment avoir visale")):
            held_out = self.paths.root / "tests" / "nlu" / language / "visale.yml"
            held_out.parent.mkdir(parents=True)
            held_out.write_text(f"- {phrase}\n")
        self.will(score=0.9)

    def will(self, *, score: float = 0.0, code: int = 0, problems: tuple[str, ...] = ()) -> None:
        """What the next training gives; also a change of the phrases."""
        self.said.clear()
        outcome = {"score": score, "code": code, "problems": problems}
        (self.paths.root / "outcome.json").write_text(json.dumps(outcome))
        phrases = self.paths.root / "data" / "nlu" / "en" / "visale.yml"
        phrases.parent.mkdir(parents=True, exist_ok=True)
        phrases.write_text(json.dumps(outcome))

    def train(self, *, force: bool = False) -> TrainingReport:
        return train(self.paths, force=force, say=self.said.append)

    @property
    def models(self) -> list[str]:
        return sorted(path.name for path in self.paths.models.glob("*.tar.gz"))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_first_training_makes_the_model_in_use(desk: Desk) -> None:
    report = desk.train()

    assert (report.trained, report.accepted, report.score, report.previous_score) == (True, True, 0.9, None)
    assert current_model(desk.paths.models) == report.model
    assert report.model.read_text() == "0.9"
    assert desk.said == ["  checking", "  recognising 2 held-out phrases", "  90.0% recognised (en 90.0%)"]


def _vectors(folder: Path, name: str, number: int) -> Path:
    file = folder / "vectors" / "phrases" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    np.savez(file, vectors=np.array([number]))
    return file


def test_vectors_of_other_checkouts_are_brought_over_and_ours_are_left_for_them(desk: Desk, tmp_path: Path) -> None:
    desk.paths = replace(desk.paths, cache=tmp_path / "cache")
    left = _vectors(tmp_path / "cache", "vectors-1.npz", 1)

    desk.train()
    ours = desk.paths.vectors / "phrases" / "vectors-1.npz"
    assert ours.read_bytes() == left.read_bytes()

    new = _vectors(desk.paths.models, "vectors-2.npz", 2)
    ours.unlink()
    desk.train(force=True)
    kept = list((tmp_path / "cache" / "vectors" / "phrases").iterdir())
    assert [(file.name, file.read_bytes()) for file in kept] == [("vectors-2.npz", new.read_bytes())]


def test_half_a_file_of_vectors_and_a_folder_that_cannot_be_written_change_nothing(desk: Desk, tmp_path: Path) -> None:
    desk.paths = replace(desk.paths, cache=tmp_path / "cache")
    broken = _vectors(tmp_path / "cache", "vectors-1.npz", 1)
    broken.write_bytes(broken.read_bytes()[:50])

    assert desk.train().trained
    assert not desk.paths.vectors.exists()

    (tmp_path / "a file").write_text("in the way")
    desk.paths = replace(desk.paths, cache=tmp_path / "a file")
    _vectors(desk.paths.models, "vectors-1.npz", 1)
    assert desk.train(force=True).trained


def test_unchanged_inputs_train_nothing(desk: Desk) -> None:
    first = desk.train()
    desk.said.clear()

    second = desk.train()

    assert (second.model, second.trained, second.score) == (first.model, False, 0.9)
    assert desk.said == []


def test_unchanged_inputs_are_trained_again_when_forced(desk: Desk) -> None:
    desk.train()

    assert desk.train(force=True).trained


@pytest.mark.parametrize("changed", ["config.yml", "domain.yml", "data/rules/ask.yml", "knowledge/topics/cvec/en.md"])
def test_a_change_of_any_input_trains_again(desk: Desk, changed: str) -> None:
    desk.train()
    path = desk.paths.root / changed
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("changed")

    assert desk.train().trained


def test_a_model_that_loses_more_than_a_point_is_refused_and_not_trained_again(desk: Desk) -> None:
    good = desk.train()
    desk.will(score=0.88)

    refused = desk.train()
    again = desk.train()

    assert (refused.model, refused.trained, refused.accepted) == (good.model, True, False)
    assert (refused.score, refused.previous_score) == (0.88, 0.9)
    assert (again.model, again.trained) == (good.model, False)
    assert desk.models == [good.model.name]
    assert current_model(desk.paths.models) == good.model


def test_a_model_that_loses_a_point_or_less_is_accepted(desk: Desk) -> None:
    desk.train()
    desk.will(score=0.892)

    assert desk.train().accepted


def test_a_refused_model_is_accepted_when_forced(desk: Desk) -> None:
    desk.train()
    desk.will(score=0.5)
    desk.train()

    report = desk.train(force=True)

    assert (report.accepted, report.score) == (True, 0.5)
    assert current_model(desk.paths.models) == report.model


def test_the_model_before_is_kept_and_older_ones_go(desk: Desk) -> None:
    names = []
    for score in (0.90, 0.91, 0.92):
        desk.will(score=score)
        names.append(desk.train().model.name)

    assert desk.models == sorted(names[1:])


def test_wrong_data_is_told_in_words_and_the_model_stays(desk: Desk) -> None:
    good = desk.train()
    desk.will(code=2, problems=("visale.yml: the intent has no examples",))

    with pytest.raises(ContentError) as caught:
        desk.train()

    assert str(caught.value) == "The training data is wrong:\n- visale.yml: the intent has no examples"
    assert current_model(desk.paths.models) == good.model


def test_a_training_that_fails_names_its_log_and_leaves_nothing_behind(desk: Desk) -> None:
    desk.will(code=1)

    with pytest.raises(ConfigurationError) as caught:
        desk.train()

    log = desk.paths.models / "train.log"
    assert str(caught.value) == f"The training failed (exit code 1); what it said is in {log}."
    assert sorted(path.name for path in desk.paths.models.iterdir()) == [".lock", "train.log"]


def test_what_a_killed_training_left_behind_is_cleared_away(desk: Desk) -> None:
    left = desk.paths.models / "training-of-yesterday"
    left.mkdir(parents=True)
    (left / "half.tar.gz").write_text("half a model")

    desk.train()

    assert not left.exists()


def test_without_held_out_phrases_the_new_model_is_taken_unmeasured(desk: Desk) -> None:
    for path in (desk.paths.root / "tests" / "nlu").glob("*/*.yml"):
        path.write_text("")

    report = desk.train()

    assert (report.accepted, report.score) == (True, None)


def test_a_missing_engine_says_how_to_install_it(desk: Desk) -> None:
    python = desk.paths.root / "nlu" / ".venv" / "bin" / "python"
    python.unlink()

    with pytest.raises(ConfigurationError) as caught:
        desk.train()

    assert str(caught.value) == f"The engine is not installed ({python} is missing): run `make setup`."


def test_no_model_yet_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        current_model(tmp_path)

    assert str(caught.value) == "There is no trained model yet: run `accueil train`."


def test_held_out_files_name_their_label_and_an_underscore_marks_what_is_no_topic(desk: Desk) -> None:
    english = desk.paths.root / "tests" / "nlu" / "en"
    (english / "_out_of_scope.yml").write_text("- what is the weather\n")
    (english / "_path").mkdir()
    (english / "_path" / "left.yml").write_text("- what is left\n")

    assert [(each.text, each.label, each.language) for each in held_out_phrases(desk.paths.root)] == [
        ("what is the weather", "out_of_scope", "en"),
        ("what is left", "path/left", "en"),
        ("how do i get visale", "ask/visale", "en"),
        ("comment avoir visale", "ask/visale", "fr"),
    ]
