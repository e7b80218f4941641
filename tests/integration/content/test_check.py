"""What `accueil check-content` finds, each fault made on purpose in a small copy of knowledge/."""

import shutil
from datetime import date
from pathlib import Path

import pytest
import yaml

from bot.config import ROOT
from bot.content.check import check
from bot.content.loader import load_knowledge
from bot.errors import ContentError

TODAY = date(2026, 11, 24)
SLUG = "cvec"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """One topic with its phrases; whole and without fault."""
    for name in ("figures.yml", "school.yml", "urgent.yml"):
        (tmp_path / "knowledge").mkdir(exist_ok=True)
        shutil.copy(ROOT / "knowledge" / name, tmp_path / "knowledge" / name)
    shutil.copytree(ROOT / "knowledge" / "topics" / SLUG, tmp_path / "knowledge" / "topics" / SLUG)
    for folder in ("data/nlu", "tests/nlu"):
        for language in ("en", "fr"):
            (tmp_path / folder / language).mkdir(parents=True)
            name = f"{folder}/{language}/{SLUG}.yml"
            shutil.copy(ROOT / name, tmp_path / name)
    change(tmp_path, next=[])
    return tmp_path


def change(root: Path, **fields: object) -> None:
    path = root / "knowledge" / "topics" / SLUG / "topic.yml"
    content = yaml.safe_load(path.read_text(encoding="utf-8")) | fields
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def write(root: Path, name: str, text: str) -> None:
    (root / name).write_text(text, encoding="utf-8")


def findings(root: Path, today: date = TODAY) -> list[str]:
    knowledge = load_knowledge(root / "knowledge")
    found = check(knowledge, root / "data" / "nlu", root / "tests" / "nlu", {SLUG: date(2030, 1, 1)}, today)
    return [f"{each.where}: {each.what}" for each in found if not each.where.startswith("figures.yml")]


def test_content_without_fault_gives_no_finding(root):
    assert findings(root) == []


def test_a_missing_language_is_found(root):
    (root / "knowledge" / "topics" / SLUG / "fr.md").unlink()

    assert findings(root) == ["topics/cvec/fr.md: the text is missing"]


def test_an_expired_topic_is_found(root):
    change(root, valid_until=TODAY)

    assert findings(root) == ["topics/cvec/topic.yml: valid_until 2026-11-24 is past"]


def test_a_source_dated_in_the_future_is_found(root):
    source = {"title": "A page", "url": "https://example.org/", "checked_on": date(2027, 1, 1)}
    change(root, sources=[source])

    assert findings(root) == ["topics/cvec/topic.yml: checked_on 2027-01-01 lies in the future"]


def test_a_source_without_a_date_or_no_source_at_all_is_an_error_that_names_the_field(root):
    change(root, sources=[{"title": "A page", "url": "https://example.org/"}])
    with pytest.raises(ContentError, match=r"cvec/topic\.yml: sources\.0\.checked_on: Field required"):
        findings(root)

    change(root, sources=[])
    with pytest.raises(ContentError, match=r"cvec/topic\.yml: sources: List should have at least 1 item"):
        findings(root)


def test_a_slug_that_names_nothing_is_found(root):
    change(root, next=["no_such_topic"], procedure="no_such_procedure")

    assert findings(root) == [
        "topics/cvec/topic.yml: next names no_such_topic, which is no other topic",
        "topics/cvec/topic.yml: there is no procedure no_such_procedure",
    ]


def test_an_unknown_figure_an_open_placeholder_and_a_dead_link_are_found(root):
    write(root, "knowledge/topics/cvec/en.md", "Pay {{ no_such_figure }} to {name} [here](cvec).")

    assert findings(root) == [
        "topics/cvec/en.md: the figure no_such_figure is not in figures.yml",
        "topics/cvec/en.md: a placeholder was left open",
        "topics/cvec/en.md: the link cvec leads nowhere",
    ]


def test_an_answer_that_is_too_long_is_found(root):
    write(root, "knowledge/topics/cvec/en.md", "word " * 121)

    assert findings(root) == ["topics/cvec/en.md: 121 words; an answer has at most 120"]


def test_missing_and_few_phrases_are_found(root):
    (root / "data/nlu/fr/cvec.yml").unlink()
    write(root, "data/nlu/en/cvec.yml", 'version: "3.1"\nnlu:\n- intent: ask/cvec\n  examples: |\n    - what is it\n')

    assert [each for each in findings(root) if each.startswith("data")] == [
        "data/nlu/en/cvec.yml: 1 phrases of 12",
        "data/nlu/fr/cvec.yml: the phrases are missing",
    ]


def test_a_held_out_phrase_that_nearly_repeats_a_training_one_is_found(root):
    phrases = ["what on earth is this CVEC thing", "Must I pay the cvec???"]
    write(root, "tests/nlu/en/cvec.yml", yaml.safe_dump(phrases))
    examples = "\n".join(
        f"    - {phrase}" for phrase in ["must i pay the CVEC", *(f"cvec number {n}" for n in range(12))]
    )
    write(root, "data/nlu/en/cvec.yml", f'version: "3.1"\nnlu:\n- intent: ask/cvec\n  examples: |\n{examples}\n')

    assert findings(root) == ["tests/nlu/en/cvec.yml: 'Must I pay the cvec???' nearly repeats 'must i pay the cvec'"]


def test_phrases_of_a_topic_that_does_not_exist_are_found(root):
    write(root, "data/nlu/en/ghost.yml", 'version: "3.1"\nnlu: []\n')
    write(root, "tests/nlu/en/ghost.yml", "[]\n")

    assert findings(root) == [
        "data/nlu/en/ghost.yml: there is no such topic",
        "tests/nlu/en/ghost.yml: there is no such topic",
    ]


def test_a_figure_past_its_review_is_found(root):
    knowledge = load_knowledge(root / "knowledge")

    assert knowledge.stale_figures(TODAY) == []
    assert "resources_month" in knowledge.stale_figures(date(2027, 1, 2))
