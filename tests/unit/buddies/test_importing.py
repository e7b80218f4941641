from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from bot.buddies.importing import (
    COLUMNS,
    HEADERS,
    MOST_ROWS,
    REQUIRED,
    Recorded,
    answers_of,
    consent_moment,
    draft_with,
    plan_import,
    read_rows,
)
from bot.buddies.interests import Interests
from bot.buddies.models import ProfileState
from bot.buddies.profiles import Draft
from bot.clock import day_in_france
from bot.students.files import read_table
from bot.students.findings import Finding
from bot.students.importing import Erased, Kept, Moved, Plan
from bot.students.report import as_json, as_lines
from bot.students.vocabulary import plain

TODAY = date(2026, 9, 10)
HEAD = "email;given_name;family_name;campus;languages;consent"
LISE = "lise@student.junia.com;Lise;Carlier;Lille;fr;01/09/2026"
INTERESTS = Interests(
    {"sport": {"en": "sport", "fr": "le sport"}, "hiking": {"en": "hiking", "fr": "la randonnée"}},
)
ADDRESS = "lise@student.junia.com"
PERSON = {"given_name": "Lise", "family_name": "Carlier", "email": ADDRESS, "language": "en"}
DRAFT = Draft(languages=("fr",), campus="lille")


def plan_of(
    text: str,
    *records: Recorded,
    erased: Mapping[str, date] | None = None,
    namesakes: Mapping[str, Sequence[str]] | None = None,
    interests: Interests = INTERESTS,
) -> Plan:
    rows, faults, warnings = read_rows(read_table(text.encode()), interests)
    known = {record.person["email"]: record for record in records}
    return plan_import(rows, known, erased or {}, TODAY, namesakes=namesakes, faults=faults, warnings=warnings)


def with_cells(**cells: str) -> str:
    """The row of Lise with further or other cells."""
    row = {**dict(zip(HEAD.split(";"), LISE.split(";"), strict=True)), **cells}
    return f"{';'.join(row)}\n{';'.join(row.values())}"


def recorded(draft: Draft = DRAFT, **changes: Any) -> Recorded:
    """Lise, imported with her consent of 1 September."""
    day = date(2026, 9, 1)
    record = Recorded(7, True, None, PERSON, {}, answers_of(draft), consented_on=day, changed_on=day)
    return replace(record, **changes)


def told(finding: Finding) -> tuple[int | None, str, str, str]:
    return finding.line, finding.field, finding.value, finding.problem_words("en")


def answers(text: str) -> dict[str, Any]:
    """Of the one row of a file without faults, what is not as in an empty sign-up."""
    plan = plan_of(text)
    assert plan.faults == ()
    (entry,) = plan.entries
    empty = answers_of(Draft())
    return {name: value for name, value in entry.facts.items() if empty.get(name) != value}


def test_a_new_local_student_becomes_a_buddy():
    plan = plan_of(
        "E-mail;Prénom;Nom;Langue;Site;Langues parlées;Arrivée;Départ;Centres d'intérêt;Filière;Sexe;Même genre;"
        "Même domaine;Nombre de filleuls;Date de consentement\n"
        "Lise@student.junia.com;Lise;Carlier;français;Lille;français|anglais;2026-09-01;30 juin 2027;"
        "Randonnée|piano;HEI;femme;oui;non;2;1er septembre 2026"
    )

    (entry,) = plan.entries
    assert (plan.faults, plan.warnings, entry.kind) == ((), (), "new")
    assert entry.person == {**PERSON, "language": "fr"}
    assert entry.facts == {
        "campus": "lille",
        "languages": ["fr", "en"],
        "arrival": "2026-09-01",
        "departure": "2027-06-30",
        "interests": ["hiking"],
        "own_words": "piano",
        "field": "HEI",
        "gender": "woman",
        "same_gender": True,
        "same_field": False,
        "capacity": 2,
        "consent": "2026-09-01",
    }


def test_what_is_left_out_is_as_in_an_empty_sign_up():
    assert answers(f"{HEAD}\n{LISE}") == {"campus": "lille", "languages": ["fr"], "consent": "2026-09-01"}


@pytest.mark.parametrize(
    ("cell", "tags"),
    [
        ("fr|en", ["fr", "en"]),
        ("Espagnol | Spanish | pt-BR", ["es", "pt"]),
        ("zh-Hant-TW|zh_CN|ukrainien", ["zh", "uk"]),
        ("|wolof||", ["wo"]),
    ],
)
def test_languages_are_tags_or_names(cell: str, tags: list[str]):
    assert answers(with_cells(languages=cell))["languages"] == tags


@pytest.mark.parametrize(
    ("cell", "codes", "own"),
    [
        ("sport|Hiking", ["sport", "hiking"], ""),
        ("la randonnée|RANDONNEE|le piano", ["hiking"], "le piano"),
        ("chess|films, series|chess", [], "chess, films, series"),
        ("l'", [], "l'"),
    ],
)
def test_interests_are_those_of_the_list_or_own_words(cell: str, codes: list[str], own: str):
    empty: dict[str, Any] = {"interests": [], "own_words": ""}
    found = {**empty, **answers(with_cells(interests=cell))}

    assert (found["interests"], found["own_words"]) == (codes, own)


@pytest.mark.parametrize(
    ("column", "cell", "problem", "fix"),
    [
        ("email", "lise", "This is no e-mail address.", "Write it like amina.brahmi@student.junia.com."),
        ("email", "", "A new record needs this.", "Write it like amina.brahmi@student.junia.com."),
        (
            "given_name",
            "-",
            "This column cannot be cleared: every record needs it.",
            "Write the value, or leave it empty.",
        ),
        (
            "campus",
            "Paris",
            "This is none of the values of this column.",
            "Write one of lille, bordeaux, chateauroux; the data dictionary has the words for them.",
        ),
        ("campus", "", "A new record needs this.", "Fill in the cell."),
        (
            "languages",
            "fr|Klingonish",
            "There is no language of this name.",
            "Write its code (fr for French) or its name in French or English.",
        ),
        ("languages", "|", "No language is named.", "Write fr|en, say; the best spoken comes first."),
        (
            "languages",
            "fr|en|es|de|it|pt|uk|ar|zh",
            "These are 9 languages.",
            "Keep the 8 that are spoken best.",
        ),
        ("arrival", "31/02/2026", "There is no such day in the calendar.", "Write it as 01/09/2026."),
        ("interests", "x" * 201, "The text has 201 characters.", "Shorten it to 200."),
        ("field", "x" * 61, "The text has 61 characters.", "Shorten it to 60."),
        ("field", "H\x07EI", "The text holds signs that cannot be printed.", "Type it again."),
        (
            "gender",
            "girl",
            "This is none of the values of this column.",
            "Write one of woman, man, other, or leave it empty.",
        ),
        (
            "same_gender",
            "maybe",
            "This is neither yes nor no.",
            "Write oui or non, yes or no, vrai or faux, 1 or 0.",
        ),
        (
            "capacity",
            "6",
            "This is not a whole number from 1 to 5.",
            "Write for how many newcomers the person has time, 1 say.",
        ),
        (
            "capacity",
            "0",
            "This is not a whole number from 1 to 5.",
            "Write for how many newcomers the person has time, 1 say.",
        ),
        (
            "consent",
            "",
            "Nobody is matched without having agreed to it.",
            "Write the day on which the person agreed, or take the row out.",
        ),
        (
            "consent",
            "-",
            "This column cannot be cleared: every record needs it.",
            "Write the value, or leave it empty.",
        ),
        ("consent", "yes", "This is not a date.", "Write it as 01/09/2026 or 2026-09-01."),
    ],
)
def test_a_wrong_cell_is_refused_by_line_and_column(column: str, cell: str, problem: str, fix: str):
    plan = plan_of(with_cells(**{column: cell}))

    shown = cell if len(cell) <= 80 else cell[:79] + "…"
    assert [(*told(fault), fault.fix_words("en")) for fault in plan.faults] == [
        (2, column, shown.replace("\x07", "\N{REPLACEMENT CHARACTER}"), problem, fix)
    ]
    assert plan.entries == ()


def test_a_consent_that_is_still_to_come_is_refused():
    assert [told(fault) for fault in plan_of(with_cells(consent="2026-09-11")).faults] == [
        (2, "consent", "2026-09-11", "This day is still to come.")
    ]
    assert plan_of(with_cells(consent="2026-09-10")).faults == ()


def test_a_departure_before_the_arrival_is_refused():
    plan = plan_of(with_cells(arrival="2026-09-02", departure="2026-09-01"))

    assert [told(fault) for fault in plan.faults] == [
        (2, "departure", "2026-09-01", "This day lies before arrival, 2026-09-02.")
    ]


@pytest.mark.parametrize(("wish", "own"), [("same_gender", "gender"), ("same_field", "field")])
def test_who_wishes_the_same_says_what_it_is(wish: str, own: str):
    plan = plan_of(with_cells(**{wish: "yes"}))

    assert [(fault.line, fault.field, fault.fix_words("en")) for fault in plan.faults] == [
        (2, own, f"Fill in the cell, or write no under {wish}.")
    ]


def test_a_column_that_is_missing_is_told_once():
    rows = "\n".join(f"{name}@junia.com;{name};T" for name in "abc")
    plan = plan_of(f"email;given_name;family_name\n{rows}")

    assert [told(fault) for fault in plan.faults] == [
        (None, column, "", "The file has no column for this.") for column in ("campus", "languages", "consent")
    ]


def test_headers_that_are_not_known_or_stand_twice_are_told():
    plan = plan_of(f"{HEAD};telephone;capacty;site\n{LISE};;;")

    assert [told(fault) for fault in plan.faults] == [
        (None, "campus", "site", "Two columns of the file stand for this one.")
    ]
    assert [(each.value, each.problem_words("en"), each.fix_words("en")) for each in plan.warnings] == [
        ("capacty", "This column is not read.", "If it is capacity, write that as its header."),
        ("", "Not read: telephone.", ""),
    ]


def test_a_row_with_more_cells_than_headers_is_refused():
    assert [told(fault) for fault in plan_of(f"{HEAD}\n{LISE};extra").faults] == [
        (2, "", "extra", "The row has more cells than there are headers.")
    ]


def test_a_file_without_a_row_is_refused():
    assert [told(fault) for fault in plan_of(HEAD).faults] == [(None, "", "", "The file has headers and no student.")]


def test_a_file_with_too_many_rows_is_refused_as_a_whole():
    rows = [f"p{number}@junia.com;P;Q;Lille;fr;01/09/2026" for number in range(MOST_ROWS + 1)]
    plan = plan_of("\n".join([HEAD, *rows]))

    assert (plan.entries, [(fault.problem_words("en"), fault.fix_words("en")) for fault in plan.faults]) == (
        (),
        [("The file has more than 2000 rows.", "Split it into files of at most 2000 rows.")],
    )
    assert len(plan_of("\n".join([HEAD, *rows[1:]])).entries) == MOST_ROWS


def test_one_wrong_row_is_reported_and_the_others_would_be_right():
    plan = plan_of(f"{HEAD}\n{LISE}\nhugo@junia.com;Hugo;Wattel;Lille;fr;")

    assert ([entry.line for entry in plan.entries], [fault.line for fault in plan.faults]) == ([2], [3])
    assert list(as_lines(plan, applied=False))[-1] == (
        "Nothing was changed: mend what is wrong and import the file again."
    )


def test_an_address_that_stands_twice_is_refused():
    assert [told(fault) for fault in plan_of(f"{HEAD}\n{LISE}\n{LISE.replace('lise', 'LISE')}").faults] == [
        (3, "email", ADDRESS, "Line 2 has the same value.")
    ]


NEW_ADDRESS = "lise.carlier@student.junia.com"
NAMESAKES = {"lise carlier": [ADDRESS]}


def doubts(plan: Plan) -> list[tuple[int | None, str, str, str, str]]:
    return [(*told(each), each.fix_words("en")) for each in plan.warnings]


def test_somebody_new_with_the_name_of_a_local_student_is_asked_about():
    plan = plan_of(with_cells(email=NEW_ADDRESS, family_name="CÁRLIER"), namesakes=NAMESAKES)

    assert ([entry.kind for entry in plan.entries], plan.faults) == (["new"], ())
    assert doubts(plan) == [
        (
            2,
            "email",
            NEW_ADDRESS,
            f"Same name as {ADDRESS}: a second person?",
            f"If it is one person with a new address, write {ADDRESS} in the column former_email.",
        )
    ]


def test_two_people_of_one_name_in_the_file_are_two_people():
    second = LISE.replace(ADDRESS, NEW_ADDRESS)

    assert plan_of(f"{HEAD}\n{LISE}\n{second}", recorded(), namesakes=NAMESAKES).warnings == ()
    assert plan_of(with_cells(), recorded(), namesakes=NAMESAKES).warnings == ()
    assert plan_of(with_cells(email=NEW_ADDRESS, given_name="Louise"), namesakes=NAMESAKES).warnings == ()


def test_a_record_takes_the_new_address_by_the_former_one_and_the_same_row_changes_nothing_then():
    text = with_cells(email=NEW_ADDRESS, former_email=ADDRESS.upper())
    plan = plan_of(text, recorded(), namesakes=NAMESAKES)

    (entry,) = plan.entries
    assert (entry.id, entry.person["email"], entry.changes) == (7, NEW_ADDRESS, (Moved("email", ADDRESS, NEW_ADDRESS),))
    assert (plan.faults, plan.warnings) == ((), ())
    again = plan_of(text, recorded(person={**PERSON, "email": NEW_ADDRESS}), namesakes={"lise carlier": [NEW_ADDRESS]})
    assert ([entry.kind for entry in again.entries], again.faults, again.warnings) == (["unchanged"], (), ())


def test_a_former_address_of_nobody_or_of_somebody_else_is_refused():
    text = with_cells(email=NEW_ADDRESS, former_email=ADDRESS)
    other = recorded(id=8, person={**PERSON, "email": NEW_ADDRESS})

    assert [told(fault) for fault in plan_of(text).faults] == [
        (2, "former_email", ADDRESS, "Nobody is recorded with this address.")
    ]
    assert [told(fault) for fault in plan_of(text, recorded(), other).faults] == [
        (2, "former_email", ADDRESS, "Both addresses have a record.")
    ]
    assert [told(fault) for fault in plan_of(f"{text}\n{LISE};", recorded()).faults] == [
        (3, "email", ADDRESS, "Line 2 has the same value.")
    ]


def test_a_former_address_that_is_cleared_is_as_one_left_out():
    plan = plan_of(with_cells(former_email="-"), recorded())

    assert ([entry.kind for entry in plan.entries], plan.faults) == (["unchanged"], ())


def test_who_was_erased_does_not_come_back_by_the_former_address():
    plan = plan_of(with_cells(email=NEW_ADDRESS, former_email=ADDRESS), erased={ADDRESS: date(2026, 9, 5)})

    assert (plan.entries, plan.faults, plan.erased) == ((), (), (Erased(2, ADDRESS, date(2026, 9, 5)),))


def test_an_international_student_is_no_buddy():
    plan = plan_of(f"{HEAD}\n{LISE}", Recorded(7, False, None, PERSON, {}))

    assert [(*told(fault), fault.fix_words("en")) for fault in plan.faults] == [
        (
            2,
            "email",
            ADDRESS,
            "This address belongs to an international student, who cannot be a buddy as well.",
            "Check the address; if it is right, take the row out.",
        )
    ]


def test_who_was_erased_is_not_brought_back():
    plan = plan_of(f"{HEAD}\n{LISE}", erased={ADDRESS: date(2026, 9, 5)})

    assert (plan.entries, plan.faults, plan.erased) == ((), (), (Erased(2, ADDRESS, date(2026, 9, 5)),))


def test_the_same_file_again_changes_nothing():
    plan = plan_of(f"{HEAD}\n{LISE}", recorded())

    assert [(entry.kind, entry.kept) for entry in plan.entries] == [("unchanged", ())]


def test_a_file_that_was_mended_updates_the_buddy():
    text = with_cells(given_name="Élise", languages="fr|en", capacity="2", interests="sport|piano")
    (entry,) = plan_of(text, recorded()).entries

    assert (entry.id, entry.changes) == (
        7,
        (
            Moved("given_name", "Lise", "Élise"),
            Moved("languages", ["fr"], ["fr", "en"]),
            Moved("interests", [], ["sport"]),
            Moved("own_words", "", "piano"),
            Moved("capacity", 1, 2),
        ),
    )


def test_an_empty_cell_leaves_an_answer_and_a_dash_clears_it():
    before = replace(DRAFT, field="HEI", interests=("sport",), own_words="piano", capacity=3)
    (entry,) = plan_of(with_cells(field="", interests="-", capacity="-", languages=""), recorded(before)).entries

    assert entry.changes == (
        Moved("interests", ["sport"], []),
        Moved("own_words", "piano", ""),
        Moved("capacity", 3, 1),
    )


def test_a_record_of_a_local_student_without_a_sign_up_gets_one():
    (entry,) = plan_of(f"{HEAD}\n{LISE}", Recorded(7, True, None, PERSON, {})).entries

    assert entry.changes == (
        Moved("campus", "", "lille"),
        Moved("languages", [], ["fr"]),
        Moved("consent", None, "2026-09-01"),
        Moved("state", None, "signed_up"),
    )


@pytest.mark.parametrize(("consent", "is_kept"), [("2026-09-04", True), ("2026-09-05", True), ("2026-09-06", False)])
def test_what_the_person_changed_wins_unless_the_consent_is_newer(consent: str, is_kept: bool):
    own = recorded(replace(DRAFT, capacity=3), changed_on=date(2026, 9, 5), is_own=True)
    (entry,) = plan_of(with_cells(capacity="1", consent=consent), own).entries

    if is_kept:
        assert (entry.kind, entry.kept) == ("unchanged", (Kept("capacity", 1, date(2026, 9, 5)),))
        assert entry.facts["capacity"] == 3
    else:
        assert (entry.changes, entry.kept) == (
            (Moved("capacity", 3, 1), Moved("consent", "2026-09-01", "2026-09-06")),
            (),
        )


def test_an_older_list_does_not_replace_a_newer_one():
    (entry,) = plan_of(with_cells(capacity="2", consent="2026-08-31"), recorded()).entries

    assert (entry.kind, entry.kept) == ("unchanged", (Kept("capacity", 2, date(2026, 9, 1)),))


@pytest.mark.parametrize("state", [ProfileState.WITHDRAWN, ProfileState.PAUSED])
def test_who_withdrew_or_paused_stays_so_until_they_agree_anew(state: ProfileState):
    away = recorded(replace(DRAFT, languages=()), state=state, changed_on=date(2026, 9, 5), is_own=True)
    (older,) = plan_of(f"{HEAD}\n{LISE}", away).entries
    (newer,) = plan_of(with_cells(consent="2026-09-06"), away).entries

    assert (older.kind, [kept.field for kept in older.kept]) == ("unchanged", ["languages", "state"])
    assert newer.changes == (
        Moved("languages", [], ["fr"]),
        Moved("consent", "2026-09-01", "2026-09-06"),
        Moved("state", str(state), "signed_up"),
    )


def test_who_comes_back_after_a_withdrawal_says_the_languages_again():
    away = recorded(
        replace(DRAFT, languages=()), state=ProfileState.WITHDRAWN, changed_on=date(2026, 9, 5), is_own=True
    )
    plan = plan_of(with_cells(languages="", consent="2026-09-06"), away)

    assert [told(fault) for fault in plan.faults] == [(2, "languages", "", "A new record needs this.")]


def test_who_left_is_back_only_with_a_newer_consent():
    gone = recorded(left_on=date(2026, 9, 3))
    (older,) = plan_of(f"{HEAD}\n{LISE}", gone).entries
    (newer,) = plan_of(with_cells(consent="2026-09-04"), gone).entries

    assert (older.kind, older.kept) == ("unchanged", (Kept("left_on", None, date(2026, 9, 3)),))
    assert newer.changes == (Moved("consent", "2026-09-01", "2026-09-04"), Moved("left_on", "2026-09-03", None))


def test_a_day_of_leaving_that_is_still_to_come_stays():
    (entry,) = plan_of(f"{HEAD}\n{LISE}", recorded(left_on=date(2027, 1, 31))).entries

    assert (entry.kind, entry.kept) == ("unchanged", ())


def test_the_language_that_the_student_chose_stays():
    record = recorded(corrected={"language": date(2026, 9, 8)})
    (entry,) = plan_of(with_cells(language="fr"), record).entries

    assert (entry.person["language"], entry.kept) == ("en", (Kept("language", "fr", date(2026, 9, 8)),))


def test_the_capacity_is_not_less_than_the_newcomers_whom_a_buddy_has():
    record = recorded(replace(DRAFT, capacity=3), taken=2)

    assert [told(fault) for fault in plan_of(with_cells(capacity="1"), record).faults] == [
        (2, "capacity", "1", "This buddy has 2 newcomers or proposals now.")
    ]
    assert plan_of(with_cells(capacity="2"), record).faults == ()


def test_the_report_is_that_of_the_import_of_students():
    report = as_json(plan_of(with_cells(capacity="2"), recorded()), applied=True)

    assert (report["counts"]["changed"], report["changed"]) == (
        1,
        [
            {
                "line": 2,
                "name": "Lise Carlier",
                "email": ADDRESS,
                "changes": [{"field": "capacity", "from": 1, "to": 2}],
            }
        ],
    )


def test_answers_go_into_a_draft_and_back_and_leave_how_to_be_reached():
    draft = Draft(
        languages=("fr", "en"),
        campus="lille",
        arrives_on=date(2026, 9, 1),
        interests=("sport",),
        own_words="piano",
        capacity=2,
    )
    reached = Draft(contact_mail=False, contact_other="on the phone")

    assert draft_with(reached, answers_of(draft)) == replace(draft, contact_mail=False, contact_other="on the phone")


def test_a_consent_is_of_its_day_in_france():
    assert day_in_france(consent_moment(date(2026, 9, 1))) == date(2026, 9, 1)


def test_no_header_stands_for_two_columns():
    spellings = [plain(header) for column in COLUMNS for header in {plain(column), *map(plain, HEADERS[column])}]

    assert sorted(spellings) == sorted(set(spellings))
    assert set(REQUIRED) <= set(COLUMNS)
