"""Published editions in the knowledge of this process: a look at one number, and what is new takes its place."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Lock

from bot.content.loader import Knowledge
from bot.content.schema import Topic
from bot.db.session import Database
from bot.editing.models import Edition
from bot.editing.queries import files_of, gives_way, last_save, newest_publication, published_after
from bot.editing.rules import topic_of
from bot.errors import ContentError, Unavailable
from bot.log import get_logger

log = get_logger(__name__)

PAUSE = 1.0
"""Seconds between two looks: what is published is read by students within five."""


class Editions:
    """Keeps `knowledge.topics` as published. Whoever holds the knowledge reads the new text from its next look on.

    `changed` is told which topics are new, after they are.
    """

    def __init__(self, database: Database, knowledge: Knowledge, changed: Callable[[Sequence[str]], None]) -> None:
        self._database, self._knowledge, self._changed = database, knowledge, changed
        self._files = dict(knowledge.topics)
        self._seen = 0
        self._lock = Lock()

    def refresh(self) -> tuple[str, ...]:
        """Take in what was published since the last look; returns the topics. Raises Unavailable."""
        with self._lock:
            with self._database.read() as session:
                newest = newest_publication(session)
                if newest == self._seen:
                    return ()
                fresh = {
                    edition.slug: (edition, dict(last_save(session, edition.id).texts))
                    for edition in published_after(session, self._seen)
                    if edition.slug in self._files
                }
            for slug, (edition, texts) in fresh.items():
                # One key of a dictionary: a reader has the old topic or the new one, never a mixture.
                self._knowledge.topics[slug] = self._topic(edition, texts)
            self._seen = newest
        self._changed(tuple(fresh))
        return tuple(fresh)

    def _topic(self, edition: Edition, texts: dict[str, str]) -> Topic:
        try:
            if gives_way(edition, files_of(self._knowledge, edition.slug)):
                return self._files[edition.slug]
            return topic_of(self._knowledge, edition.slug, texts)
        except ContentError as error:
            # The rules of a later version may refuse what an earlier one let through.
            log.error("edition_refused", topic=edition.slug, edition=edition.id, reason=str(error))
            return self._files[edition.slug]


async def follow(editions: Callable[[], Editions]) -> None:
    """Look once a second, for ever; a database that is away is asked again."""
    while True:
        with suppress(Unavailable):
            await asyncio.to_thread(lambda: editions().refresh())
        await asyncio.sleep(PAUSE)
