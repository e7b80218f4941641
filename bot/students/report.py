"""What an import did or would do, for a program, a terminal and a spreadsheet."""

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any

from bot.i18n.languages import DEFAULT
from bot.i18n.translate import mark, say
from bot.students.findings import Finding
from bot.students.importing import Entry, Plan

MOST_NEW_LINES = 20
"""New records that the terminal lists one by one."""
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")

NEW, CHANGED, KEPT, LEFT, ERASED, WRONG, NOTED = (
    mark("new"),
    mark("changed"),
    mark("kept: corrected by the student on {day}"),
    mark("left: no longer in the file"),
    mark("erased on {day} at the person's request; not imported"),
    mark("wrong"),
    mark("note"),
)
HEADERS = (
    mark("Line"),
    mark("What"),
    mark("Student"),
    mark("Column"),
    mark("Value"),
    mark("Becomes"),
    mark("What is wrong"),
    mark("How to mend it"),
)


def as_json(plan: Plan, *, applied: bool) -> dict[str, Any]:
    """Everything, under stable names."""
    return {
        "applied": applied,
        "counts": plan.counts,
        "faults": [_finding_json(fault) for fault in plan.faults],
        "warnings": [_finding_json(warning) for warning in plan.warnings],
        "new": [_who(entry) for entry in plan.entries if entry.kind == "new"],
        "changed": [
            {
                **_who(entry),
                "changes": [{"field": each.field, "from": each.before, "to": each.after} for each in entry.changes],
            }
            for entry in plan.entries
            if entry.kind == "changed"
        ],
        "kept": [
            {**_who(entry), "field": kept.field, "in_file": kept.in_file, "corrected_on": kept.day.isoformat()}
            for entry in plan.entries
            for kept in entry.kept
        ],
        "left": [{"source_id": leaver.source_id, "name": leaver.name} for leaver in plan.left],
        "erased": [{"line": each.line, "email": each.email, "on": each.day.isoformat()} for each in plan.erased],
    }


def as_lines(plan: Plan, *, applied: bool) -> Iterator[str]:
    """The same for a person at a terminal, the faults first and the sum last."""
    for finding in (*plan.faults, *plan.warnings):
        yield finding_line(finding)
    new = [entry for entry in plan.entries if entry.kind == "new"]
    for entry in new[:MOST_NEW_LINES]:
        yield f"line {entry.line}: new: {entry.name} <{entry.person['email']}>"
    if len(new) > MOST_NEW_LINES:
        yield f"… and {len(new) - MOST_NEW_LINES} more new records; --json lists all of them"
    for entry in plan.entries:
        for moved in entry.changes:
            yield f"line {entry.line}: {entry.name}: {moved.field}: {words(moved.before)} → {words(moved.after)}"
        for kept in entry.kept:
            yield (
                f"line {entry.line}: {entry.name}: {kept.field}: {words(kept.in_file)} not taken, "
                + say(DEFAULT, KEPT, day=kept.day)
            )
    for leaver in plan.left:
        yield f"{leaver.name} ({leaver.source_id}): {LEFT}"
    for each in plan.erased:
        yield f"line {each.line}: {each.email}: " + say(DEFAULT, ERASED, day=each.day)
    counts = plan.counts
    yield ", ".join(f"{counts[kind]} {kind}" for kind in counts) + "."
    if plan.faults:
        yield "Nothing was changed: mend what is wrong and import the file again."
    elif not applied:
        yield "Nothing was changed: this was a dry run."


def as_csv(plan: Plan, language: str) -> str:
    """Every row that says something, for a spreadsheet; values that it would take for a formula are kept as text."""
    out = StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow([say(language, header) for header in HEADERS])
    for row in _rows(plan, language):
        writer.writerow([as_text(value) for value in row])
    # Excel takes a CSV for UTF-8 only when it begins with this sign.
    return "\N{ZERO WIDTH NO-BREAK SPACE}" + out.getvalue()


def words(value: Any) -> str:
    """A value of a record in one piece of text; a fact that is unknown is a dash."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "|".join(words(each) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    return str(value)


def _rows(plan: Plan, language: str) -> Iterator[tuple[object, ...]]:
    for kind, findings in ((WRONG, plan.faults), (NOTED, plan.warnings)):
        for each in findings:
            reason, fix = each.problem_words(language), each.fix_words(language)
            yield each.line or "", say(language, kind), "", each.field, each.value, "", reason, fix
    for entry in plan.entries:
        if entry.kind == "new":
            yield entry.line, say(language, NEW), entry.name, "email", "", entry.person["email"], "", ""
        for moved in entry.changes:
            before, after = words(moved.before), words(moved.after)
            yield entry.line, say(language, CHANGED), entry.name, moved.field, before, after, "", ""
        for kept in entry.kept:
            reason = say(language, KEPT, day=kept.day)
            yield entry.line, reason, entry.name, kept.field, words(kept.in_file), "", "", ""
    for leaver in plan.left:
        yield "", say(language, LEFT), leaver.name, "source_id", leaver.source_id, "", "", ""
    for erased in plan.erased:
        yield erased.line, say(language, ERASED, day=erased.day), "", "email", erased.email, "", "", ""


def as_text(value: object) -> str:
    """As it may stand in a CSV: a spreadsheet takes text that begins with one of these signs for a formula."""
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text


def _who(entry: Entry) -> dict[str, Any]:
    return {"line": entry.line, "name": entry.name, "email": entry.person["email"]}


def _finding_json(finding: Finding) -> dict[str, Any]:
    return {
        "line": finding.line,
        "field": finding.field,
        "value": finding.value,
        "problem": finding.problem_words(DEFAULT),
        "fix": finding.fix_words(DEFAULT),
    }


def finding_line(finding: Finding) -> str:
    """A finding as one line of a terminal."""
    place = f"line {finding.line}" if finding.line is not None else "file"
    named = ", ".join(part for part in (place, finding.field) if part)
    value = f' "{finding.value}"' if finding.value else ""
    return f"{named}{value}: {finding.problem_words(DEFAULT)} {finding.fix_words(DEFAULT)}".rstrip()
