from types import SimpleNamespace

from tests.plugins.sharing import group_of, pytest_collection_modifyitems


def test_what_shares_a_desk_or_an_engine_runs_first_and_in_one_process():
    items = [
        SimpleNamespace(nodeid=each)
        for each in (
            "tests/unit/test_log.py::test_b",
            "tests/nlu/test_search.py::test_a",
            "tests/unit/test_log.py::test_a",
            "tests/e2e/test_embedding.py::test_b",
            "tests/e2e/test_a_student_asks.py::test_a",
        )
    ]

    pytest_collection_modifyitems(items)

    assert [(each.nodeid, group_of(each.nodeid)) for each in items] == [
        ("tests/e2e/test_embedding.py::test_b", "tests/e2e/"),
        ("tests/e2e/test_a_student_asks.py::test_a", "tests/e2e/"),
        ("tests/nlu/test_search.py::test_a", "tests/nlu/"),
        ("tests/unit/test_log.py::test_b", "tests/unit/test_log.py"),
        ("tests/unit/test_log.py::test_a", "tests/unit/test_log.py"),
    ]


def test_a_test_of_its_own_file_stays_with_its_file():
    assert group_of("tests/contract/test_path.py::test_a[b::c]") == "tests/contract/test_path.py"
