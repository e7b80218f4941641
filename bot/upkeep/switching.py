"""From one model to the next without a lost turn: new questions wait in the inbox while the engine starts again.

The gateway closes the gate and waits until no turn is with the engine, then writes which model is in use and which one
the engine shall have (bot.answers.trained). The supervisor sees that, starts the engine again and says when it answers.
Then the gate opens. Whatever is cut off in between is taken up from the row of the retraining.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from bot.answers.trained import Current, read_current, read_engine, read_wanted, write_current, write_wanted
from bot.db.session import Database
from bot.upkeep import retraining
from bot.upkeep.models import Retraining, Stage
from bot.upkeep.report import Report

PATIENCE = timedelta(minutes=3)
"""For the engine to answer with another model, before the former one is taken again."""
BESIDE = "beside"
"""Folder in models/ of what is trained beside the running model."""


@dataclass
class Gate:
    """Whether the engine may be asked. `under_way`: questions that are with it."""

    is_open: bool = True
    under_way: int = 0

    @contextmanager
    def asking(self) -> Iterator[None]:
        self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1


@dataclass(frozen=True)
class _Wish:
    id: int
    stage: Stage
    since: datetime
    target: Current


@dataclass
class Switcher:
    """`models`: the folder of trained models. `step` is called again and again; it never waits."""

    database: Database
    models: Path
    gate: Gate = field(default_factory=Gate)

    async def step(self, now: datetime) -> None:
        """Do what can be done now about a switch that was asked for.

        The gate is closed and looked at by the loop that asks the engine: nothing slips in between the two.

        Raises:
            Unavailable: the database cannot be reached.
        """
        wish = await asyncio.to_thread(self._wish)
        if wish is None:
            self.gate.is_open = True
            return
        self.gate.is_open = False
        if not self.gate.under_way:
            self.gate.is_open = await asyncio.to_thread(self._act, wish, now)

    def _wish(self) -> _Wish | None:
        with self.database.read() as session:
            found = retraining.open_retraining(session)
            if found is None or found.stage not in (Stage.SWITCHING, Stage.GOING_BACK):
                return None
            return _Wish(found.id, Stage(found.stage), found.changed_at, _target(found))

    def _act(self, wish: _Wish, now: datetime) -> bool:
        """Whether the switch is over."""
        current = read_current(self.models)
        is_taken = current is not None and wish.target.model == current.model == read_wanted(self.models)
        if not is_taken and not self._take(wish):
            self._settle(wish, Stage.FAILED, now, "missing")
            return True
        if read_engine(self.models) == wish.target.model:
            self._settle(wish, Stage.IN_USE if wish.stage == Stage.SWITCHING else Stage.WENT_BACK, now)
            self._tidy(wish)
            return True
        return now - wish.since > PATIENCE and self._give_up(wish, now)

    def _take(self, wish: _Wish) -> bool:
        """Make the wished model the current one; False when its archive is gone."""
        new = self.models / BESIDE / wish.target.model
        if new.exists():
            new.replace(self.models / new.name)
        if not (self.models / wish.target.model).exists():
            return False
        current = read_current(self.models)
        # Phrases that were written since the training began wait for the next one.
        refused = current.refused if current is not None and current.refused else wish.target.refused
        write_current(self.models, wish.target.model_copy(update={"refused": refused}))
        write_wanted(self.models, wish.target.model)
        return True

    def _give_up(self, wish: _Wish, now: datetime) -> bool:
        """The engine does not answer with the new model: back to the former one, by the same way. As `_act`."""
        with self.database.write() as session:
            found = session.get_one(Retraining, wish.id)
            if wish.stage == Stage.SWITCHING and found.former is not None:
                found.trouble = "no_answer"
                found.stage, found.changed_at = Stage.GOING_BACK, now
                return False
        # Nothing is left to go back to; the honest sentence is better than silence.
        self._settle(wish, Stage.FAILED, now, "no_answer")
        return True

    def _settle(self, wish: _Wish, stage: Stage, now: datetime, trouble: str = "") -> None:
        with self.database.write() as session:
            before = session.get_one(Retraining, wish.id).trouble
            retraining.settled(session, wish.id, stage, now, trouble or before)

    def _tidy(self, wish: _Wish) -> None:
        """Keep the model in use and the one to go back to."""
        with self.database.read() as session:
            found = session.get_one(Retraining, wish.id)
            kept = {wish.target.model, (found.former or {}).get("model")}
        for archive in self.models.glob("*.tar.gz"):
            if archive.name not in kept:
                archive.unlink()


def _target(found: Retraining) -> Current:
    report = Report.model_validate(found.report)
    former = Current.model_validate(found.former)
    if found.stage == Stage.SWITCHING:
        return Current(model=report.model, fingerprint=report.fingerprint, score=report.after.recognised)
    # The next start must not train the same phrases again and switch by itself.
    return former.model_copy(update={"refused": report.fingerprint})
