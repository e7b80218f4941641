"""`accueil match-buddies`: pair newcomers and buddies of two files; no database is needed."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.common import bytes_of, note, one_sentence, say

if TYPE_CHECKING:
    from bot.buddies.matching import Matching
    from bot.students.findings import Finding
    from bot.students.tables import Table


def add_to(app: typer.Typer) -> None:
    app.command("match-buddies")(match_buddies)


def match_buddies(
    newcomers: Annotated[Path, typer.Option("--newcomers", help="CSV or XLSX; columns in docs/buddies.md.")],
    buddies: Annotated[Path, typer.Option("--buddies", help="CSV or XLSX, with the column capacity.")],
    out: Annotated[Path, typer.Option("--out", help="The pairs are written here as CSV.")],
    explain: Annotated[bool, typer.Option("--explain", help="Print each term of each pair's score.")] = False,
    weights: Annotated[Path | None, typer.Option("--weights", help="YAML; left out: knowledge/buddies.yml.")] = None,
    keep: Annotated[Path | None, typer.Option("--keep", help="Pairs of an earlier run that stay as they are.")] = None,
) -> None:
    """Pair as many newcomers as possible, as well as possible. Exit code 1: a file has faults, nothing was written."""
    from bot.buddies.matching import load_weights, match
    from bot.buddies.matching.files import pairs_csv, read_buddies, read_newcomers, read_pairs
    from bot.errors import InvalidField
    from bot.students.report import finding_line

    with one_sentence() as settings:
        loaded = load_weights(weights or settings.root / "knowledge" / "buddies.yml")
        faults: list[tuple[Path, Finding]] = []
        people, found = read_newcomers(_table(newcomers))
        faults += ((newcomers, each) for each in found)
        takers, found = read_buddies(_table(buddies))
        faults += ((buddies, each) for each in found)
        kept, found = read_pairs(_table(keep)) if keep is not None else ((), ())
        faults += ((keep or out, each) for each in found)
        if faults:
            for file, each in faults:
                note(f"{file.name}, {finding_line(each)}")
            note("Nothing was written: mend what is wrong and run it again.")
            raise typer.Exit(1)
        try:
            matching = match(people, takers, loaded, keep=kept)
        except ValueError as error:
            raise InvalidField(f"{error}.", field="newcomers") from error
        _write(out, pairs_csv(matching, people))
        for dropped in matching.dropped:
            note(f"{dropped.newcomer_id} and {dropped.buddy_id} are not kept: {DROPPED_WORDS[dropped.why]}.")
        if explain:
            for pair in matching.pairs:
                terms = ", ".join(f"{name} {value:.2f}" for name, value in pair.terms.items())
                say(f"{pair.newcomer_id} – {pair.buddy_id}: {pair.score:.4f} ({terms})")
        for line in _summary(matching, len(people)):
            say(line)


DROPPED_WORDS = {
    "newcomer": "the newcomer is not in the file",
    "buddy": "the buddy is not in the file",
    "limit": "the limits do not allow the pair any more",
    "capacity": "the buddy has no place for them any more",
    "twice": "the newcomer is kept with somebody else",
}


def _summary(matching: "Matching", total: int) -> Iterator[str]:
    from bot.buddies.matching import left_words
    from bot.i18n.languages import DEFAULT, language_name

    loads = Counter(pair.buddy_id for pair in matching.pairs)
    groups = sum(1 for load in loads.values() if load > 1)
    score = sum(pair.score for pair in matching.pairs)
    yield f"{len(matching.pairs)} of {total} newcomers paired with {len(loads)} buddies, {groups} of them with a group."
    yield f"Total score {score:.4f}."
    for each in matching.left:
        yield f"{each.position}. on the waiting list: {each.newcomer_id} ({left_words(each.why, DEFAULT)})"
    for missing in matching.missing:
        speakers = "speaker" if missing.count == 1 else "speakers"
        yield f"{missing.count} more {language_name(missing.language, DEFAULT)} {speakers} needed in {missing.campus}."


def _table(file: Path) -> "Table":
    from bot.errors import InvalidField
    from bot.students.files import read_table
    from bot.students.findings import Refused

    try:
        return read_table(bytes_of(file))
    except Refused as error:
        finding = error.at()
        raise InvalidField(f"{file}: {finding.problem_words('en')} {finding.fix_words('en')}", field="file") from error


def _write(file: Path, text: str) -> None:
    """Whole or not at all: a file of before stays until the new one is complete."""
    from bot.errors import InvalidField

    partial: Path | None = None
    try:
        with NamedTemporaryFile("w", dir=file.parent, prefix=".pairs.", encoding="utf-8", delete=False) as stream:
            partial = Path(stream.name)
            stream.write(text)
        partial.replace(file)
    except OSError as error:
        if partial is not None:
            partial.unlink(missing_ok=True)
        raise InvalidField(f"{file} cannot be written: {error.strerror}.", field="out") from error
