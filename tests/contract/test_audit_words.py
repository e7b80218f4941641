"""Every action that is recorded has words in the log, and every entry reads as a person would say it."""

import ast
from collections.abc import Iterator
from pathlib import Path

from bot.config import ROOT
from bot.console.pages.audit.words import ACTIONS, DETAILS, details_words
from bot.identity.audit import EMPTIED, PURGED
from bot.privacy.erase import ERASED

RECORDS = {"record": 1, "audit.record": 1, "self._record": 0, "self._published": 1}
"""Functions that record, with the place of the action among what they are given."""
NAMED = {
    "EMPTIED": {EMPTIED},
    "PURGED": {PURGED},
    "ERASED": {ERASED},
    "deed": {"task_done", "task_undone"},
    "f'buddies_{done}'": {"buddies_settled", "buddies_rematched", "buddies_nobody"},
    # The two of bot/editing/service.py are found where they are given.
    "action": set(),
}
"""Actions that are no string where they are recorded."""
ARGUMENTS = {"session", "staff_id", "now", "conversation_id"}


def calls() -> Iterator[tuple[ast.Call, int]]:
    for path in sorted(Path(ROOT / "bot").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or (name := ast.unparse(node.func)) not in RECORDS:
                continue
            # Another function is called `record` as well.
            if name.startswith("self.") or "staff_id" in {each.arg for each in node.keywords}:
                yield node, RECORDS[name]


def recorded() -> set[str]:
    found = set[str]()
    for call, place in calls():
        action = call.args[place]
        found |= {action.value} if isinstance(action, ast.Constant) else NAMED[ast.unparse(action)]
    return found


def test_every_action_that_is_recorded_has_words_and_no_other():
    assert recorded() == set(ACTIONS)


def test_every_detail_that_is_recorded_has_words():
    named = {keyword.arg for call, _ in calls() for keyword in call.keywords if keyword.arg is not None}

    assert sorted(named - ARGUMENTS - DETAILS.keys()) == []


def test_what_is_sent_as_a_file_is_sent_by_what_records_it():
    """Files of the talks (`read_file`), the log itself (`log_exported`), everything else (`file_exported`)."""
    console = Path(ROOT / "bot" / "console")
    senders = {
        str(path.relative_to(console))
        for path in console.rglob("*.py")
        if "Content-Disposition" in path.read_text(encoding="utf-8")
    }

    assert senders == {"desk.py", "pages/audit/routes.py", "exports.py"}


def test_details_name_accounts_steps_and_groups_in_words():
    names = {"account 3": "Paul Roux", "step visa": "Obtenir le visa"}
    details = {"step": "visa", "groups": {"campus": "bordeaux", "programme": "zzz"}, "count": 4}

    assert (
        details_words(details, names, "en")
        == "step: Obtenir le visa; chosen: Campus Bordeaux, Programme zzz; number: 4"
    )
    assert details_words({"to": 3}, names, "en") == "to: Paul Roux"
    assert details_words({"to": 3}, names, "fr") == "à\N{NO-BREAK SPACE}: Paul Roux"
    assert details_words({"to": 4}, names, "en") == "to: 4"
    assert details_words({"account": 3, "role": "auditor"}, names, "en") == "account: Paul Roux; role: Auditor"
    assert details_words({"reason": "no_answer"}, names, "en") == "reason: The student does not answer any more"
    assert details_words({"groups": {}, "count": 4}, names, "en") == "number: 4"
    assert details_words({"fields": ["room", "host"]}, names, "en") == "changed: Room, With whom"
    assert details_words({"counts": {"new": 3, "left": 0}}, names, "en") == "lines: new 3"
    assert details_words({"groups": {"colour": "red", "intake": "x"}}, names, "en") == "chosen: colour red, intake x"
