import pytest

pytest_plugins = ["pytester"]

TESTS = """
import pytest

def test_here(): pass

@pytest.mark.skip(reason="no Chromium here")
def test_in_a_browser(): pass

def test_on_postgresql(): pytest.skip("no PostgreSQL here")

def test_on_postgresql_too(): pytest.skip("no PostgreSQL here")

@pytest.mark.xfail
def test_known(): assert False
"""
MODULE = "import pytest; pytest.skip('no engine here', allow_module_level=True)"


@pytest.fixture
def run(pytester: pytest.Pytester):
    pytester.makepyfile(test_it=TESTS, test_engine=MODULE)
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function")
    return lambda: pytester.runpytest("-p", "tests.plugins.leftout")


def test_what_was_left_out_is_listed_by_reason(run, monkeypatch):
    monkeypatch.delenv("ACCUEIL_REQUIRE_ALL", raising=False)

    ran = run()

    ran.assert_outcomes(passed=1, skipped=4, xfailed=1)
    ran.stdout.fnmatch_lines(
        ["*left out on this machine*", "   2 tests: no PostgreSQL here", "   1 test: no *", "   1 test: no *"]
    )


def test_when_all_is_required_a_left_out_test_fails(run, monkeypatch):
    monkeypatch.setenv("ACCUEIL_REQUIRE_ALL", "1")

    ran = run()

    assert ran.ret != 0
    assert ran.parseoutcomes().get("skipped", 0) == 0
    ran.stdout.fnmatch_lines(["*left out (no engine here), and ACCUEIL_REQUIRE_ALL=1 allows no test to be left out*"])
