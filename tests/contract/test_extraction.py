"""Every sentence that goes through `say` is found by the extraction, so that it can be translated."""

import ast
from pathlib import Path

from bot.i18n.catalogues import extracted

ROOT = Path(__file__).resolve().parents[2]


def _said() -> set[str]:
    """The literal sentences of say(language, "…"), say_n(language, "…", …) and mark("…"), read from the syntax tree."""
    place = {"say": 1, "say_n": 1, "mark": 0}
    found = set()
    for file in [*ROOT.glob("bot/**/*.py"), *ROOT.glob("actions/*.py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in place:
                arguments = node.args[place[node.func.id] :]
                if arguments and isinstance(arguments[0], ast.Constant):
                    found.add(arguments[0].value)
    return found


def test_no_sentence_hides_from_the_extraction():
    assert _said() - extracted(ROOT) == set()
