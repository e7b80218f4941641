"""What the documentation names exists: error codes, commands, targets, files."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from bot.__main__ import whole_app
from bot.config import ROOT
from bot.errors import ERRORS

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
AT_THE_EDGE = {"too_large": 413, "method_not_allowed": 405, "internal": 500}
"""Codes that no error of ours carries: the gateway gives them itself."""
WRITTEN_BY_THE_TESTS = {"var/reports/nlu.html"}
"""Pages that the README links and `make test` writes: a fresh clone does not have them yet."""

CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:^|[\s`/(])accueil +((?:[a-z][a-z0-9-]*(?: +|\b))+)", re.MULTILINE)
TARGET = re.compile(r"(?:^|[\s`(])make +([a-z][a-z0-9-]*)", re.MULTILINE)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)[^)]*\)")
ROW = re.compile(r"^\| `([a-z_]+)` \| (\d{3}) \|", re.MULTILINE)

PROGRAM = typer.main.get_command(whole_app())

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def code_of(page: Path) -> str:
    return "\n".join(CODE.findall(page.read_text(encoding="utf-8")))


def unknown_commands(code: str) -> Iterator[str]:
    for words in COMMAND.findall(code):
        command = PROGRAM
        said = ["accueil"]
        for word in words.split():
            if not isinstance(command, TyperGroup):
                break
            said.append(word)
            if word not in command.commands:
                yield " ".join(said)
                break
            command = command.commands[word]


def unknown_targets(code: str) -> Iterator[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    known = set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE))
    yield from (target for target in TARGET.findall(code) if target not in known)


def dead_links(page: Path, text: str) -> Iterator[str]:
    for link in LINK.findall(FENCE.sub("", text)):
        path = link.partition("#")[0]
        if path in WRITTEN_BY_THE_TESTS or ":" in path:
            continue
        if path and not (page.parent / path).exists():
            yield link


def test_every_error_code_is_documented_with_its_status_and_no_other() -> None:
    documented = ROW.findall((ROOT / "docs" / "api.md").read_text(encoding="utf-8"))

    expected = {error.code: int(error.status) for error in ERRORS} | AT_THE_EDGE
    assert {code: int(status) for code, status in documented} == expected
    assert len(documented) == len(expected)


@every_page
def test_every_command_exists(page: Path) -> None:
    assert list(unknown_commands(code_of(page))) == []


@every_page
def test_every_make_target_exists(page: Path) -> None:
    assert list(unknown_targets(code_of(page))) == []


@every_page
def test_every_relative_link_resolves(page: Path) -> None:
    assert list(dead_links(page, page.read_text(encoding="utf-8"))) == []


def test_a_command_a_target_and_a_link_that_do_not_exist_are_found(tmp_path: Path) -> None:
    text = "`make run`, `make coffee`, `accueil staff token EMAIL`, `accueil staff dance`, `accueil sing`: [a](b.md#c)."
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")

    assert list(unknown_commands(code_of(page))) == ["accueil staff dance", "accueil sing"]
    assert list(unknown_targets(code_of(page))) == ["coffee"]
    assert list(dead_links(page, text)) == ["b.md#c"]
