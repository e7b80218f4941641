"""What `accueil check-content` finds, each fault made on purpose in a small copy of knowledge/."""

import shutil
from datetime import date
from pathlib import Path

import pytest
import yaml

from bot.config import ROOT
from bot.content.check import blanks, check
from bot.content.loader import load_knowledge
from bot.errors import ContentError

TODAY = date(2026, 11, 24)
EN = "topics/phone_number/en.md"
PHRASES = "data/nlu/en/phone_number.yml"
HELD_OUT = "tests/nlu/en/phone_number.yml"
SLUG = "phone_number"
"""A topic without variants, procedure or record."""


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


def phrases_file(phrases: list[str]) -> str:
    examples = "\n".join(f"    - {phrase}" for phrase in phrases)
    return f'version: "3.1"\nnlu:\n- intent: ask/{SLUG}\n  examples: |\n{examples}\n'


def findings(root: Path, today: date = TODAY) -> list[str]:
    knowledge = load_knowledge(root / "knowledge")
    found = check(knowledge, root / "data" / "nlu", root / "tests" / "nlu", {SLUG: date(2030, 1, 1)}, today)
    # The figures and the urgent texts are those of the whole project, of which one topic is left here.
    return [f"{each.where}: {each.what}" for each in found if not each.where.startswith(("figures.yml", "urgent.yml"))]


def test_content_without_fault_gives_no_finding(root):
    assert findings(root) == []


def test_a_missing_language_is_found(root):
    (root / "knowledge" / "topics" / SLUG / "fr.md").unlink()

    assert findings(root) == ["topics/phone_number/fr.md: the text is missing"]


def test_an_expired_topic_is_found(root):
    change(root, valid_until=TODAY)

    assert findings(root) == ["topics/phone_number/topic.yml: valid_until 2026-11-24 is past"]


def test_a_source_dated_in_the_future_is_found(root):
    source = {"title": "A page", "url": "https://example.org/", "checked_on": date(2027, 1, 1)}
    change(root, sources=[source])

    assert findings(root) == ["topics/phone_number/topic.yml: checked_on 2027-01-01 lies in the future"]


def test_a_source_without_a_date_or_no_source_at_all_is_an_error_that_names_the_field(root):
    change(root, sources=[{"title": "A page", "url": "https://example.org/"}])
    with pytest.raises(ContentError, match=r"phone_number/topic\.yml: sources\.0\.checked_on: Field required"):
        findings(root)

    change(root, sources=[])
    with pytest.raises(ContentError, match=r"phone_number/topic\.yml: sources: List should have at least 1 item"):
        findings(root)


def test_a_slug_that_names_nothing_is_found(root):
    change(root, next=["no_such_topic"], procedure="no_such_procedure")

    assert findings(root) == [
        "topics/phone_number/topic.yml: next names no_such_topic, which is no other topic",
        "topics/phone_number/topic.yml: there is no procedure no_such_procedure",
    ]


def test_an_unknown_figure_an_open_placeholder_and_a_dead_link_are_found(root):
    text = "Pay {{ no_such_figure }} to {name} [here](cvec).\n\n{{ school.no_such_fact }}"
    write(root, "knowledge/topics/phone_number/en.md", text)
    write(root, "knowledge/topics/phone_number/fr.md", text)

    assert [each for each in findings(root) if "en.md" in each] == [
        "topics/phone_number/en.md: the figure no_such_figure is not in figures.yml",
        "topics/phone_number/en.md: the fact no_such_fact is not in school.yml",
        "topics/phone_number/en.md: a placeholder was left open",
        "topics/phone_number/en.md: the link cvec leads nowhere",
    ]


def test_two_languages_that_name_different_figures_are_found(root):
    write(root, "knowledge/topics/phone_number/en.md", "Pay {{ cvec_fee }}.")
    write(root, "knowledge/topics/phone_number/fr.md", "Payez.")

    assert findings(root) == ["topics/phone_number: the two languages name different figures or facts of the school"]


def test_variants_of_two_kinds_are_found(root):
    change(root, variants=["eu", "lille"])
    for code in ("en", "fr"):
        write(root, f"knowledge/topics/phone_number/{code}.md", "For all.\n\n## eu\nOne.\n\n## lille\nTwo.")

    assert findings(root) == [
        "topics/phone_number/topic.yml: variants of two kinds; the assistant asks one question only"
    ]


def test_what_the_office_has_not_told_is_counted_by_the_topics_that_need_it(root):
    for code in ("en", "fr"):
        text = "One.\n\n{{ school.campus_nurse }}\n\n{{ school.campus_nurse }}"
        write(root, f"knowledge/topics/phone_number/{code}.md", text)

    empty = blanks(load_knowledge(root / "knowledge"))

    assert empty[0] == ("campus_nurse", 1)
    assert {count for _, count in empty[1:]} == {0}


def test_an_answer_that_is_too_long_is_found(root):
    write(root, "knowledge/topics/phone_number/en.md", "word " * 121)

    assert [each for each in findings(root) if "en.md" in each] == [
        "topics/phone_number/en.md: 121 words in all; an answer has at most 120"
    ]


def test_missing_and_few_phrases_are_found(root):
    (root / "data/nlu/fr/phone_number.yml").unlink()
    write(
        root,
        "data/nlu/en/phone_number.yml",
        'version: "3.1"\nnlu:\n- intent: ask/phone_number\n  examples: |\n    - what is it\n',
    )

    assert [each for each in findings(root) if each.startswith("data")] == [
        "data/nlu/en/phone_number.yml: 1 phrases of 15",
        "data/nlu/fr/phone_number.yml: the phrases are missing",
    ]


def test_few_held_out_phrases_are_found(root):
    write(root, "tests/nlu/en/phone_number.yml", "[can i keep my number from home]\n")
    (root / "tests/nlu/fr/phone_number.yml").unlink()

    assert findings(root) == [
        "tests/nlu/fr/phone_number.yml: the held-out phrases are missing",
        "tests/nlu/en/phone_number.yml: 1 of 4 phrases",
    ]


def test_a_held_out_phrase_that_nearly_repeats_a_training_one_is_found(root):
    phrases = ["what on earth is this CVEC thing", "Must I pay the cvec???", "a third", "and a fourth"]
    write(root, "tests/nlu/en/phone_number.yml", yaml.safe_dump(phrases))
    write(root, PHRASES, phrases_file(["must i pay the CVEC", *(f"cvec number {n}" for n in range(15))]))

    assert findings(root) == [f"{HELD_OUT}: 'Must I pay the cvec???' nearly repeats 'must i pay the cvec'"]


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
