"""Every sentence that goes through `say` is found by the extraction, so that it can be translated."""

import ast
from pathlib import Path

from bot.i18n.catalogues import extracted

ROOT = Path(__file__).resolve().parents[2]


STAFF_ONLY = (
    "calling",
    "console",
    "content/check.py",
    "editing",
    "handoff/beside.py",
    "handoff/service.py",
    "radar",
    "replies",
    "upkeep",
)
"""Folders and files of bot/ whose sentences no student reads."""


def _said(*, staff: bool = True) -> set[str]:
    """The literal sentences of say(language, "…"), say_n(language, "…", …) and mark("…"), read from the syntax tree."""
    place = {"say": 1, "say_n": 1, "mark": 0}
    found = set()
    for file in [*ROOT.glob("bot/**/*.py"), *ROOT.glob("actions/*.py")]:
        if not staff and any(file.is_relative_to(ROOT / "bot" / each) for each in STAFF_ONLY):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in place:
                arguments = node.args[place[node.func.id] :]
                if arguments and isinstance(arguments[0], ast.Constant):
                    found.add(arguments[0].value)
    return found


def test_no_sentence_hides_from_the_extraction():
    assert _said() - extracted(ROOT) == set()


def test_what_students_read_is_asked_of_every_language_and_what_only_staff_read_is_not():
    everything, of_students = extracted(ROOT), extracted(ROOT, staff=False)

    assert of_students < everything
    assert _said(staff=False) - of_students == set()
    assert "Administrator" in everything - of_students
