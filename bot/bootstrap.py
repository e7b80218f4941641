"""The composition root of the features: builds everything once; importing a module opens no connection."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from bot.answers.danger import TrainedDanger
from bot.answers.search import Words
from bot.answers.urgent import UrgentDoor, build_door
from bot.clock import Clock, SystemClock
from bot.config import Settings
from bot.content.desks import load_desks
from bot.content.loader import Knowledge, load_knowledge
from bot.conversations.live import Live
from bot.db.session import Database
from bot.editing.live import Editions
from bot.handoff.desks import Office, office_of
from bot.paperwork.schema import Procedure, load_procedures
from bot.radar.watch import Watch
from bot.tables import METADATA

TABLES = METADATA
"""Importing the composition root makes every table known."""


@dataclass(frozen=True)
class Services:
    """What the gateway, the actions and the command line share."""

    settings: Settings
    clock: Clock
    database: Database
    knowledge: Knowledge
    procedures: tuple[Procedure, ...]
    door: UrgentDoor
    live: Live

    @cached_property
    def office(self) -> Office:
        """The desks and hours of the office. Raises ContentError when desks.yml is wrong."""
        return office_of(self.knowledge, load_desks(self.knowledge.folder / "desks.yml"))

    @cached_property
    def words(self) -> Words:
        """The search by words, built at the first need (a second)."""
        return Words(self.knowledge, self.settings.root / "data" / "nlu")

    @cached_property
    def editions(self) -> Editions:
        """What the office publishes while we run; looked after by bot.editing.live.follow."""
        return Editions(self.database, self.knowledge, self._read_again)

    def _read_again(self, slugs: Sequence[str]) -> None:
        if "words" in self.__dict__:
            self.words.update(slugs)

    @cached_property
    def radar(self) -> Watch:
        """Who is stuck where; the picture is kept for a minute."""
        return Watch(self.database, self.procedures)


def build_services(settings: Settings, *, clock: Clock | None = None) -> Services:
    """Raises ContentError when a file of knowledge/ is wrong."""
    clock = clock or SystemClock()
    database = Database(settings.database)
    knowledge = load_knowledge(settings.root / "knowledge")
    return Services(
        settings=settings,
        clock=clock,
        database=database,
        knowledge=knowledge,
        procedures=load_procedures(settings.root / "knowledge" / "procedures"),
        door=build_door(knowledge.urgent, TrainedDanger(settings.data / "models")),
        live=Live(database, clock),
    )
