"""What every command shares: how it speaks, how it fails, which day it is."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import typer

from bot.clock import SystemClock, day_in_france
from bot.config import Settings, load_settings
from bot.errors import AccueilError, InvalidField


def say(line: str) -> None:
    print(line, flush=True)


def note(line: str) -> None:
    """Progress: to stderr, where it does not mix with results."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def one_sentence() -> Iterator[Settings]:
    """The settings; whatever goes wrong is said in one sentence, with exit code 2."""
    try:
        yield load_settings()
    except AccueilError as error:
        note(str(error))
        raise typer.Exit(2) from error


def day_of(today: str | None) -> date:
    """The day of an option --today; left out, today in France."""
    if today is None:
        return day_in_france(SystemClock().now())
    try:
        return date.fromisoformat(today)
    except ValueError as error:
        raise typer.BadParameter(f"--today {today!r} is not an ISO date such as 2026-11-24") from error


def moment_of(now: str | None) -> datetime:
    """The instant of an option --now (RFC 3339, with its offset); left out, this one."""
    if now is None:
        return SystemClock().now()
    try:
        instant = datetime.fromisoformat(now)
    except ValueError as error:
        raise typer.BadParameter(f"--now {now!r} is not an instant such as 2026-11-24T09:00:00+01:00") from error
    if instant.tzinfo is None:
        raise typer.BadParameter(f"--now {now!r} has no time zone; write 2026-11-24T09:00:00+01:00")
    return instant


def bytes_of(file: Path) -> bytes:
    """What a file holds, up to one byte more than a table may have: enough to know that it is too large.

    Raises:
        InvalidField: it cannot be read.
    """
    from bot.students.files import MOST_BYTES

    try:
        with file.open("rb") as stream:
            return stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise InvalidField(f"{file} cannot be read: {error.strerror}.", field="file") from error
