"""What a run left out for want of a browser, a database or an engine: listed at the end, or a failure.

`ACCUEIL_REQUIRE_ALL=1` (set by .ci/run, which installs everything) turns every skipped test into a failed one.
"""

import os
from collections import Counter
from collections.abc import Generator

import pytest

REQUIRE_ALL = "ACCUEIL_REQUIRE_ALL"


def skip_reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    longrepr = report.longrepr
    reason = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
    return reason.removeprefix("Skipped: ")


def require(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure when everything is required; an expected failure is none of our business."""
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get(REQUIRE_ALL) == "1":
        reason = skip_reason(report)
        report.outcome = "failed"
        report.longrepr = f"left out ({reason}), and {REQUIRE_ALL}=1 allows no test to be left out"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    require(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    require(report)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(skip_reason(report) for report in skipped)
    if reasons:
        terminalreporter.section("left out on this machine")
        for reason, count in reasons.most_common():
            terminalreporter.write_line(f"{count:4} test{'s' if count > 1 else ''}: {reason}")
