"""Runs the training that somebody asked for as a process of its own, slowly, and keeps what it says."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from bot.clock import Clock
from bot.db.session import Database
from bot.upkeep import retraining
from bot.upkeep.report import Report, report_file

NICE = ("nice", "-n", "15")
LONGEST = 3600.0
"""Seconds for one training."""
AFTER_KILL = 20.0
"""Seconds before a training that was killed is begun again: where the desk stops, this gateway is gone by then."""


def training_command() -> tuple[str, ...]:
    return (*NICE, sys.executable, "-m", "bot", "train", "--beside")


@dataclass
class Trainer:
    """`command` writes `models`/beside/report.json with the archive beside it, and ends with 0.

    The process stays in the gateway's own group: it ends with the gateway, and the next one begins it again.
    """

    database: Database
    clock: Clock
    models: Path
    root: Path
    command: Sequence[str] = field(default_factory=training_command)
    environment: Mapping[str, str] = field(default_factory=dict)
    after_kill: float = AFTER_KILL

    async def step(self) -> None:
        """Run the training that is asked for to its end, nothing when there is none; a killed one stays asked for.

        Raises:
            Unavailable: the database cannot be reached.
        """
        retraining_id = await asyncio.to_thread(self._begin)
        if retraining_id is None:
            return
        report_file(self.models).unlink(missing_ok=True)
        try:
            async with asyncio.timeout(LONGEST):
                code, said = await self._run(retraining_id)
        except TimeoutError:
            code, said = 1, "timed out"
        if code < 0:
            # By a signal: the desk stops, or the machine ran short. The row stands, so that it is begun again.
            await asyncio.sleep(self.after_kill)
            return
        await asyncio.to_thread(self._end, retraining_id, code, said)

    def _begin(self) -> int | None:
        # Looked for every second: other writers must not wait for that.
        with self.database.read() as session:
            if not retraining.is_asked_for(session):
                return None
        with self.database.write() as session:
            found = retraining.begin(session, self.clock.now())
            return found.id if found is not None else None

    async def _run(self, retraining_id: int) -> tuple[int, str]:
        """(exit code, last line said)."""
        process = await asyncio.create_subprocess_exec(
            *self.command,
            cwd=self.root,
            env={**os.environ, **self.environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert process.stdout is not None  # noqa: S101  (it was asked for above)
        said = ""
        try:
            async for raw in process.stdout:
                if line := raw.decode("utf-8", "replace").strip():
                    said = line
                    await asyncio.to_thread(self._note, retraining_id, line)
            return await process.wait(), said
        finally:
            with suppress(ProcessLookupError):
                process.kill()

    def _note(self, retraining_id: int, line: str) -> None:
        with self.database.write() as session:
            retraining.note_progress(session, retraining_id, line)

    def _end(self, retraining_id: int, code: int, said: str) -> None:
        report = _read_report(self.models) if code == 0 else None
        with self.database.write() as session:
            if report is None:
                retraining.failed(session, retraining_id, said or f"exit code {code}", self.clock.now())
            else:
                retraining.trained(session, retraining_id, report, self.clock.now())


def _read_report(models: Path) -> Report | None:
    try:
        report = Report.model_validate_json(report_file(models).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    return report if (models / "beside" / report.model).exists() else None
