from bot.students.headers import MOST_NAMED, places_of, unread_headers, unread_sheets
from bot.students.tables import Table

WANTED = {"email": "email", "courriel": "email", "campus": "campus"}


def test_each_column_has_its_place_and_the_rest_is_unknown():
    assert places_of(["Courriel", "", "phone", "CAMPUS"], WANTED, "Choose.") == (
        {0: "email", 3: "campus"},
        [],
        ["phone"],
    )


def test_two_headers_for_one_column_are_a_fault_that_says_how_to_choose():
    places, faults, unknown = places_of(["email", "courriel"], WANTED, "Choose.")

    assert (places, unknown) == ({0: "email"}, [])
    assert [(fault.field, fault.value, fault.problem, fault.fix) for fault in faults] == [
        ("email", "courriel", "Two columns of the file stand for this one.", "Choose.")
    ]


def test_a_header_that_is_nearly_ours_is_named_beside_it_and_the_others_are_counted_out():
    found = list(unread_headers(["campsu", *(f"extra {n}" for n in range(MOST_NAMED + 1))], WANTED))

    assert [(each.value, each.details.get("column")) for each in found] == [("campsu", "campus"), ("", None)]
    assert found[1].details["headers"] == ", ".join(f"extra {n}" for n in range(MOST_NAMED)) + " …"
    assert list(unread_headers([], WANTED)) == []


def test_further_sheets_are_told_where_there_are_any():
    assert [each.details for each in unread_sheets(Table((), (), "xlsx", ("Old", "Notes")))] == [
        {"sheets": "Old, Notes"}
    ]
    assert list(unread_sheets(Table((), (), "xlsx"))) == []
