"""The npm package `axe-core`, which finds what shuts people out of a page; installed below .tools/ at its first use."""

import fcntl
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

HERE = Path(__file__).resolve().parent
TOOLS = HERE.parents[2] / ".tools"
INSTALLED = TOOLS / "axe-core"
LOCK = "package-lock.json"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Page) -> list[tuple[str, list[str]]]:
    """(rule, what breaks it) of the page as it is now; none is the aim. Skips the test where axe cannot be had."""
    script = _installed() / "node_modules" / "axe-core" / "axe.min.js"
    # By the debugger, not as an element: the page's own policy forbids scripts from elsewhere.
    page.evaluate(script.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]]


def _installed() -> Path:
    if shutil.which("npm") is None:
        pytest.skip("no npm: apt install nodejs npm")
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "axe-core.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = INSTALLED / LOCK
        if not stamp.exists() or stamp.read_bytes() != (HERE / LOCK).read_bytes():
            shutil.rmtree(INSTALLED, ignore_errors=True)
            INSTALLED.mkdir()
            shutil.copy(HERE / "package.json", INSTALLED)
            shutil.copy(HERE / LOCK, INSTALLED)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(command, cwd=INSTALLED, capture_output=True, text=True)
            if done.returncode:
                stamp.unlink()
                pytest.skip(f"npm cannot install axe-core: {done.stderr.strip()[-300:]}")
    return INSTALLED
