"""Every procedure of knowledge/ answers the same questions, and every case beside it comes out as written."""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.content.render import figure_names
from bot.errors import ContentError
from bot.i18n.languages import CODES
from bot.paperwork.answer import personal_sentence
from bot.paperwork.conditions import AllOf, AnyOf, Condition, DateCompared, FactIn, Not
from bot.paperwork.formula import DATE_FACTS
from bot.paperwork.rules import path
from bot.paperwork.schema import Outcome, Procedure, load_procedures
from bot.paperwork.wording import BY, FACT_SAYS, QUESTIONS, reasons_in_words, step_as_json
from bot.students.facts import STEP_SLUGS, Facts, facts_from

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT / "tests" / "data" / "procedures"
PROCEDURES = load_procedures(ROOT / "knowledge" / "procedures")
FIGURES = frozenset(yaml.safe_load((ROOT / "knowledge" / "figures.yml").read_text(encoding="utf-8")))
FEWEST_CASES = 6
QUIET = {"due": None, "overdue": False, "provisional": False, "flags": [], "missing_facts": []}


@dataclass(frozen=True)
class Case:
    slug: str
    name: str
    facts: Facts
    today: date
    expected: dict[str, Any]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _cases(slug: str) -> list[Case]:
    entries = yaml.safe_load((CASES / f"{slug}.yml").read_text(encoding="utf-8"))
    return [
        Case(
            slug,
            entry["name"],
            facts_from(entry["facts"]),
            entry["today"],
            QUIET | {key: _plain(value) for key, value in entry["expect"].items()},
        )
        for entry in entries
    ]


ALL_CASES = [case for procedure in PROCEDURES for case in _cases(procedure.slug)]
every_procedure = pytest.mark.parametrize("procedure", PROCEDURES, ids=lambda each: each.slug)
every_case = pytest.mark.parametrize("case", ALL_CASES, ids=lambda each: f"{each.slug}: {each.name}")


@every_case
def test_a_case_comes_out_as_written(case: Case) -> None:
    step = next(each for each in path(PROCEDURES, case.facts, case.today) if each.slug == case.slug)

    shown = step_as_json(step, "en")

    assert {key: shown[key] for key in case.expected} == case.expected


@every_case
def test_every_status_has_a_reason_and_a_sentence_in_every_language(case: Case) -> None:
    step = next(each for each in path(PROCEDURES, case.facts, case.today) if each.slug == case.slug)

    for language in CODES:
        answer = personal_sentence(step, case.facts, language, case.today, fill=lambda text: text)
        assert answer.text.strip() == answer.text != ""
        assert "None" not in answer.text
        assert reasons_in_words(step, language) != []


def test_every_step_of_the_contract_has_its_procedure() -> None:
    assert {each.slug for each in PROCEDURES} == set(STEP_SLUGS)


def test_no_case_file_is_left_without_its_procedure() -> None:
    assert {path.stem for path in CASES.glob("*.yml")} == {each.slug for each in PROCEDURES}


@every_procedure
def test_it_has_enough_cases_and_no_two_of_one_name(procedure: Procedure) -> None:
    names = [case.name for case in _cases(procedure.slug)]

    assert len(names) >= FEWEST_CASES
    assert sorted(set(names)) == sorted(names)


@every_procedure
def test_every_row_of_who_is_reached_by_a_case(procedure: Procedure) -> None:
    reached = set()
    for case in _cases(procedure.slug):
        step = next(each for each in path(PROCEDURES, case.facts, case.today) if each.slug == procedure.slug)
        reached |= {reason.text for reason in step.because if hasattr(reason, "text")}

    assert [row.because.en for row in procedure.who if row.because not in reached] == []


@every_procedure
def test_it_was_valid_when_its_sources_were_read(procedure: Procedure) -> None:
    newest = max(source.checked_on for source in procedure.sources)

    assert procedure.valid_from <= newest < procedure.valid_until


@every_procedure
def test_it_names_only_figures_that_exist_and_says_the_same_ones_in_both_languages(procedure: Procedure) -> None:
    for text in _texts(procedure):
        assert sorted(figure_names(text["en"])) == sorted(figure_names(text["fr"]))
        assert set(figure_names(text["en"])) - FIGURES == set()


@every_procedure
def test_both_languages_are_written_and_no_placeholder_is_left(procedure: Procedure) -> None:
    for text in _texts(procedure):
        for code in ("en", "fr"):
            bare = re.sub(r"\{\{\s*[a-z0-9_]+\s*\}\}", "", text[code])
            assert bare.strip() != ""
            assert not re.search(r"[{}]|TODO", bare)
        assert text["en"] != text["fr"] or len(text["en"]) < 12


@every_procedure
def test_amounts_are_figures_and_never_written_out(procedure: Procedure) -> None:
    assert [
        text for text in _texts(procedure) if re.search(r"\d\s*(EUR|€|euros?)|€\s*\d", text["en"] + text["fr"])
    ] == []


@every_procedure
def test_titles_and_reasons_need_no_figure(procedure: Procedure) -> None:
    texts = [procedure.title.en, *(row.because.en for row in procedure.who)]

    assert [text for text in texts if "{{" in text] == []


@every_procedure
def test_its_slugs_are_those_of_the_contract(procedure: Procedure) -> None:
    assert {procedure.slug, *procedure.depends_on} - set(STEP_SLUGS) == set()


@every_procedure
def test_whoever_it_concerns_can_be_told_a_date_or_a_window(procedure: Procedure) -> None:
    rows = [row for row in procedure.who if row.then is Outcome.APPLIES]

    assert rows != []
    assert [row for row in rows if (row.due or procedure.due or row.opens or procedure.opens) is None] == []


@every_procedure
def test_every_fact_it_reads_has_a_question(procedure: Procedure) -> None:
    assert _facts_read(procedure) - QUESTIONS.keys() - {"today", "school_year_start"} == set()


def test_every_date_of_the_record_can_be_given_as_a_reason() -> None:
    assert (set(BY), set(FACT_SAYS)) == (set(DATE_FACTS), set(DATE_FACTS))


def test_every_fact_of_the_record_can_be_asked_for() -> None:
    assert set(QUESTIONS) == set(Facts.model_fields)


GOOD = (ROOT / "knowledge" / "procedures" / "cvec.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("pay_cvec.yml", GOOD, "pay_cvec.yml: pay_cvec is no step; name the file after one of"),
        (
            "cvec.yml",
            GOOD + "slug: cvec\n",
            "cvec.yml: write the fields of a procedure; the slug is the name of the file",
        ),
        ("cvec.yml", "- a list", "cvec.yml: write the fields of a procedure"),
        ("cvec.yml", "title: [", "cvec.yml: not valid YAML"),
        ("cvec.yml", GOOD + "legal_duty: false\n", "the key legal_duty stands twice"),
        ("cvec.yml", GOOD.replace("legal_duty: true", ""), "cvec.yml: legal_duty: Field required"),
        ("cvec.yml", GOOD.replace("[bip, summer]", "[bip, winter]"), "programme_type is never 'winter'"),
    ],
)
def test_a_wrong_file_is_refused_by_name_and_field(tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")

    with pytest.raises(ContentError) as refusal:
        load_procedures(tmp_path)

    assert words in str(refusal.value)


def test_a_good_file_is_read_and_an_empty_folder_refused(tmp_path: Path) -> None:
    with pytest.raises(ContentError):
        load_procedures(tmp_path)
    (tmp_path / "cvec.yml").write_text(GOOD, encoding="utf-8")

    assert [each.slug for each in load_procedures(tmp_path)] == ["cvec"]


def _texts(procedure: Procedure) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict) and {"en", "fr"} <= value.keys():
            found.append(value)
        elif isinstance(value, dict):
            for each in value.values():
                walk(each)
        elif isinstance(value, list | tuple):
            for each in value:
                walk(each)

    walk(yaml.safe_load((ROOT / "knowledge" / "procedures" / f"{procedure.slug}.yml").read_text(encoding="utf-8")))
    return found


def _facts_read(procedure: Procedure) -> set[str]:
    formulas = [
        procedure.opens,
        procedure.due,
        *(row.opens for row in procedure.who),
        *(row.due for row in procedure.who),
    ]
    dates = {name for formula in formulas if formula is not None for name in formula.names()}
    return dates.union(*(_read_by(row.when) for row in procedure.who))


def _read_by(condition: Condition) -> set[str]:
    if isinstance(condition, AllOf | AnyOf):
        return set().union(*(_read_by(part) for part in condition.parts))
    if isinstance(condition, Not):
        return _read_by(condition.part)
    if isinstance(condition, DateCompared):
        return {name for formula in condition.formulas() for name in formula.names()}
    return {condition.fact} if isinstance(condition, FactIn) else set()
