from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from bot.students.files import read_table
from bot.students.findings import Finding, Refused
from bot.students.importing import Erased, Kept, Known, Leaver, Moved, Plan, plan_import, read_mapping, read_rows
from bot.students.report import as_csv, as_json, as_lines

TODAY = date(2026, 9, 10)
HEAD = "source_id;email;given_name;family_name"


def known(
    number: int, name: str = "Amina", source_id: str | None = None, left_on: date | None = None, **facts: Any
) -> Known:
    email = f"{name.lower()}@student.junia.com"
    person = {"given_name": name, "family_name": "Test", "email": email, "language": "en"}
    return Known(number, source_id, left_on, person, facts, {})


def corrected(record: Known, **days: date) -> Known:
    return Known(record.id, record.source_id, record.left_on, record.person, record.facts, days)


def plan_of(
    text: str,
    *records: Known,
    complete: bool = False,
    erased: Mapping[str, date] | None = None,
    mapping: Mapping[str, tuple[str, ...]] | None = None,
) -> Plan:
    rows, faults, warnings = read_rows(read_table(text.encode()), mapping)
    return plan_import(rows, records, erased or {}, TODAY, complete=complete, faults=faults, warnings=warnings)


def told(finding: Finding) -> tuple[int | None, str, str, str]:
    return finding.line, finding.field, finding.value, finding.problem_words("en")


def test_a_new_student_gets_a_record():
    plan = plan_of(f"{HEAD};langue;Date de début\nJ1;Amina@student.junia.com;Amina;Test;français;01/09/2026")

    (entry,) = plan.entries
    assert (entry.kind, entry.id, entry.source_id) == ("new", None, "J1")
    assert entry.person == {
        "given_name": "Amina",
        "family_name": "Test",
        "email": "amina@student.junia.com",
        "language": "fr",
    }
    assert entry.facts == {"programme_start": "2026-09-01"}
    assert plan.counts == {"new": 1, "changed": 0, "unchanged": 0, "left": 0, "erased": 0, "refused": 0}


def test_the_same_file_again_changes_nothing():
    record = known(1, source_id="J1", campus="lille", nationality=["MA"])
    plan = plan_of(f"{HEAD};campus;nationality\nJ1;amina@student.junia.com;Amina;Test;Lille;Maroc", record)

    assert [entry.kind for entry in plan.entries] == ["unchanged"]


def test_a_record_is_matched_by_its_number_when_the_address_changed():
    plan = plan_of(f"{HEAD}\nJ1;amina.b@student.junia.com;Amina;Test", known(1, source_id="J1"))

    assert [(entry.id, entry.changes) for entry in plan.entries] == [
        (1, (Moved("email", "amina@student.junia.com", "amina.b@student.junia.com"),))
    ]


def test_a_record_without_a_number_is_matched_by_address_and_gets_it():
    plan = plan_of(f"{HEAD}\nJ1;AMINA@student.junia.com;Amina;Test", known(1))

    assert [(entry.id, entry.changes) for entry in plan.entries] == [(1, (Moved("source_id", None, "J1"),))]


def test_a_new_number_for_the_same_name_and_address_is_taken():
    plan = plan_of(f"{HEAD}\nJ2;amina@student.junia.com;AMINA;Test", known(1, source_id="J1"))

    assert [entry.changes[0] for entry in plan.entries] == [Moved("source_id", "J1", "J2")]


def test_an_address_that_another_person_has_now_is_refused():
    plan = plan_of(f"{HEAD}\nJ2;amina@student.junia.com;Awa;Diop", known(1, source_id="J1"))

    assert [told(fault) for fault in plan.faults] == [
        (2, "source_id", "J2", "The record of amina@student.junia.com has the number J1 and another name.")
    ]


def test_addresses_may_be_swapped_inside_one_file():
    records = (known(1, "Amina", "J1"), known(2, "Jonas", "J2"))
    text = f"{HEAD}\nJ1;jonas@student.junia.com;Amina;Test\nJ2;amina@student.junia.com;Jonas;Test"

    plan = plan_of(text, *records)

    assert plan.faults == ()
    assert [entry.person["email"] for entry in plan.entries] == ["jonas@student.junia.com", "amina@student.junia.com"]


def test_the_address_of_a_record_outside_the_file_is_refused():
    records = (known(1, "Amina", "J1"), known(2, "Jonas", "J2"))
    plan = plan_of(f"{HEAD}\nJ1;jonas@student.junia.com;Amina;Test", *records)

    assert [told(fault) for fault in plan.faults] == [
        (2, "email", "jonas@student.junia.com", "This is the address of another record.")
    ]


def test_the_address_of_a_row_that_keeps_it_is_refused():
    records = (known(1, "Amina", "J1"), known(2, "Jonas", "J2"))
    plan = plan_of(f"{HEAD}\nJ2;;Jonas;Test\nJ1;jonas@student.junia.com;Amina;Test", *records)

    assert [told(fault) for fault in plan.faults] == [
        (3, "email", "jonas@student.junia.com", "This is the address of another record.")
    ]


def test_numbers_and_addresses_that_stand_twice_are_refused():
    text = f"{HEAD}\nJ1;a@junia.com;A;T\nJ1;b@junia.com;B;T\nJ3;A@JUNIA.com;C;T"

    assert [told(fault) for fault in plan_of(text).faults] == [
        (3, "source_id", "J1", "Line 2 has the same value."),
        (4, "email", "a@junia.com", "Line 2 has the same value."),
    ]


def test_two_rows_about_one_record_are_refused():
    plan = plan_of(f"{HEAD}\nJ1;;Amina;Test\n;amina@student.junia.com;Amina;Test", known(1, source_id="J1"))

    assert [told(fault) for fault in plan.faults] == [
        (3, "email", "amina@student.junia.com", "Line 2 is about the same record.")
    ]


def test_all_faults_are_named_by_line_and_column():
    text = f"{HEAD};campus;programme_start\nJ1;amina;;Test;Paris;2026-13-01\nJ2;b@junia.com;B;T;Lille;01/09/26"

    assert [told(fault) for fault in plan_of(text).faults] == [
        (2, "campus", "Paris", "This is none of the values of this column."),
        (2, "programme_start", "2026-13-01", "There is no month 13: the day comes first."),
        (2, "given_name", "", "A new record needs this."),
        (2, "email", "amina", "This is no e-mail address."),
        (3, "programme_start", "01/09/26", "The year has two digits only."),
    ]


def test_an_empty_cell_leaves_a_fact_and_a_dash_clears_it():
    record = known(1, source_id="J1", campus="lille", grant="erasmus")
    plan = plan_of(f"{HEAD};campus;grant\nJ1;;;;;-", record)

    assert [(entry.changes, entry.facts) for entry in plan.entries] == [
        ((Moved("grant", "erasmus", None),), {"campus": "lille"})
    ]


def test_what_the_student_corrected_is_kept_and_what_the_school_owns_is_not():
    record = known(1, source_id="J1", housing_status="all", campus="lille")
    record = corrected(record, housing_status=date(2026, 9, 8), campus=date(2026, 9, 8))
    plan = plan_of(f"{HEAD};housing_status;campus\nJ1;;;;searching;bordeaux", record)

    (entry,) = plan.entries
    assert entry.changes == (Moved("campus", "lille", "bordeaux"),)
    assert entry.kept == (Kept("housing_status", "searching", date(2026, 9, 8)),)
    assert entry.facts == {"housing_status": "all", "campus": "bordeaux"}


def test_a_new_nationality_drops_the_group_of_the_old_one():
    record = known(1, source_id="J1", nationality=["CA"], nationality_group="quebec")
    plan = plan_of(f"{HEAD};nationality\nJ1;;;;Maroc", record)

    assert [entry.changes for entry in plan.entries] == [
        (Moved("nationality", ["CA"], ["MA"]), Moved("nationality_group", "quebec", None))
    ]


def test_days_in_the_wrong_order_are_refused():
    record = known(1, source_id="J1", programme_start="2026-09-07")
    plan = plan_of(f"{HEAD};programme_end\nJ1;;;;01/09/2026", record)

    assert [told(fault) for fault in plan.faults] == [
        (2, "programme_end", "2026-09-01", "This day lies before programme_start, 2026-09-07.")
    ]


def test_leavers_are_marked_only_from_a_complete_file():
    records = (known(1, "Amina", "J1"), known(2, "Jonas", "J2"), known(3, "Wei"), known(4, "Lin", "J4", TODAY))
    text = f"{HEAD}\nJ1;;;"

    assert plan_of(text, *records).left == ()
    assert plan_of(text, *records, complete=True).left == (Leaver(2, "J2", "Jonas Test"),)


def test_whoever_comes_back_is_no_leaver():
    plan = plan_of(f"{HEAD}\nJ1;;;", known(1, source_id="J1", left_on=date(2026, 7, 1)))

    assert [entry.changes for entry in plan.entries] == [(Moved("left_on", "2026-07-01", None),)]


def test_whoever_was_erased_is_not_brought_back():
    text = f"{HEAD}\nJ1;amina@student.junia.com;Amina;Test"
    erased = {"amina@student.junia.com": date(2026, 8, 1)}

    assert plan_of(text, erased=erased).erased == (Erased(2, "amina@student.junia.com", date(2026, 8, 1)),)
    assert [entry.kind for entry in plan_of(text, erased=erased).entries] == []
    assert [entry.kind for entry in plan_of(text, known(1), erased=erased).entries] == ["changed"]


def test_missing_columns_are_faults_and_unknown_ones_are_warnings_with_the_nearest():
    plan = plan_of("Courriel;Prénon;Taille\na@junia.com;A;180")

    assert [told(fault) for fault in plan.faults if fault.line is None] == [
        (None, "given_name", "", "The file has no column for this."),
        (None, "family_name", "", "The file has no column for this."),
    ]
    assert [(warning.value, warning.problem_words("en"), warning.fix_words("en")) for warning in plan.warnings] == [
        ("Prénon", "This column is not read.", "If it is given_name, write that as its header."),
        ("", "Not read: Taille.", ""),
        (
            "",
            "Without student numbers a changed address makes a second record, and leavers are not found.",
            "Add the column source_id.",
        ),
    ]


def test_two_columns_for_one_are_refused():
    plan = plan_of("email;courriel;prénom;nom;matricule\na@junia.com;b@junia.com;A;B;1")

    assert [told(fault) for fault in plan.faults] == [
        (None, "email", "courriel", "Two columns of the file stand for this one.")
    ]


def test_more_cells_than_headers_are_refused():
    plan = plan_of(f"{HEAD}\nJ1;a@junia.com;A;B;extra")

    assert [told(fault) for fault in plan.faults] == [
        (2, "", "extra", "The row has more cells than there are headers.")
    ]


def test_headers_without_a_row_are_refused():
    assert [told(fault) for fault in plan_of(HEAD, complete=True).faults] == [
        (None, "", "", "The file has headers and no student.")
    ]


def test_a_mapping_file_names_the_headers_of_the_school():
    mapping = read_mapping('email: "E-mail JUNIA"\nsource_id: [Ident, "N° ident"]\ncampus: null\n')
    text = "n° ident;e-mail junia;Prénom;Nom;email;campus\nJ1;a@junia.com;A;B;private@example.org;Paris"

    plan = plan_of(text, mapping=mapping)

    assert plan.faults == ()
    assert [(entry.source_id, entry.person["email"], entry.facts) for entry in plan.entries] == [
        ("J1", "a@junia.com", {})
    ]


def test_a_header_of_the_mapping_that_the_file_lacks_is_a_fault():
    plan = plan_of(f"{HEAD}\nJ1;a@junia.com;A;B", mapping=read_mapping("campus: Ville"))

    assert [told(fault) for fault in plan.faults] == [
        (None, "campus", "Ville", "The mapping file names a header that the file does not have.")
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("email: [", "The mapping file is not YAML."),
        ("- email", "The mapping file is not a list of `column: header`."),
        ("emial: Mail", "The mapping file names the column emial, which does not exist."),
        ("email: 3", "The mapping file gives the column email something that is no header."),
    ],
)
def test_a_wrong_mapping_file_is_refused(text: str, problem: str):
    with pytest.raises(Refused) as refused:
        read_mapping(text)

    assert refused.value.at().problem_words("en") == problem


def test_plans_that_do_the_same_have_the_same_digest():
    text, other = f"{HEAD}\nJ1;a@junia.com;A;B", f"{HEAD}\nJ1;a@junia.com;A;C"

    assert plan_of(text).digest == plan_of(text).digest
    assert plan_of(text).digest != plan_of(other).digest
    assert plan_of(text).digest != plan_of(text, known(1, source_id="J9"), complete=True).digest


def test_the_report_says_line_column_value_what_is_wrong_and_the_fix():
    plan = plan_of(f"{HEAD};campus\nJ1;a@junia.com;A;B;Paris")

    assert list(as_lines(plan, applied=False)) == [
        'line 2, campus "Paris": This is none of the values of this column. '
        "Write one of lille, bordeaux, chateauroux; the data dictionary has the words for them.",
        "0 new, 0 changed, 0 unchanged, 0 left, 0 erased, 1 refused.",
        "Nothing was changed: mend what is wrong and import the file again.",
    ]


def test_the_report_says_from_what_to_what_and_what_was_kept():
    record = corrected(known(1, source_id="J1", housing_status="all", campus="lille"), housing_status=date(2026, 9, 8))
    plan = plan_of(f"{HEAD};housing_status;campus\nJ1;;;;searching;bordeaux", record)

    assert list(as_lines(plan, applied=True)) == [
        "line 2: Amina Test: campus: lille → bordeaux",
        "line 2: Amina Test: housing_status: searching not taken, kept: corrected by the student on 2026-09-08",
        "0 new, 1 changed, 0 unchanged, 0 left, 0 erased, 0 refused.",
    ]
    assert as_json(plan, applied=True)["changed"] == [
        {
            "line": 2,
            "name": "Amina Test",
            "email": "amina@student.junia.com",
            "changes": [{"field": "campus", "from": "lille", "to": "bordeaux"}],
        }
    ]


def test_a_value_like_a_formula_is_text_in_the_record_and_harmless_in_the_report():
    plan = plan_of(f"{HEAD}\nJ1;a@junia.com;=cmd;B", known(1, "A", "J1"))

    assert plan.entries[0].person["given_name"] == "=cmd"
    assert "2;changed;'=cmd B;given_name;A;'=cmd;;" in as_csv(plan, "en").splitlines()


def test_the_address_of_a_local_student_is_refused():
    lise = replace(known(1, "Lise"), is_local=True)

    plan = plan_of(f"{HEAD}\nJ1;lise@student.junia.com;Lise;Test", lise)

    words = "This address belongs to a local student, who is a buddy."
    assert (plan.entries, [told(fault) for fault in plan.faults]) == (
        (),
        [(2, "email", "lise@student.junia.com", words)],
    )
