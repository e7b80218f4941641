"""Whom to call to the desk and for what. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

MAIL_CHOICES = (5, 15, 30)
"""Minutes of a wait after which a mail may be wished for."""
NEAR = timedelta(minutes=2)
"""Whoever did something in the console so lately is there and looks up by themselves."""
BETWEEN_MAILS = timedelta(minutes=5)
"""To one colleague: who waits meanwhile is in the next one."""


class Whereabouts(StrEnum):
    """Where a colleague is."""

    AT_DESK = "at_desk"
    """A page that calls by itself is open: they know what there is."""
    NEAR = "near"
    """Somewhere else in the console a moment ago."""
    AWAY = "away"


@dataclass(frozen=True)
class Wait:
    """A request that nobody has taken over. `waited` is opening time."""

    conversation_id: UUID
    case_id: int
    desk: str
    topic: str | None
    since: datetime
    waited: timedelta


@dataclass(frozen=True)
class Words:
    """A conversation that a colleague holds, in which the student has the last word."""

    conversation_id: UUID
    seq: int


def whereabouts(has_page: bool, seen_at: datetime | None, now: datetime) -> Whereabouts:
    if has_page:
        return Whereabouts.AT_DESK
    return Whereabouts.NEAR if seen_at is not None and now - seen_at < NEAR else Whereabouts.AWAY


def waits_for(desks: Collection[str], waits: Sequence[Wait]) -> list[Wait]:
    """Those at one's own desks; whoever works at none looks after all, as in the lists."""
    return [wait for wait in waits if not desks or wait.desk in desks]


def to_mail(
    waits: Sequence[Wait],
    told: Mapping[UUID, int],
    after: int | None,
    place: Whereabouts,
    last_mail: datetime | None,
    now: datetime,
) -> list[Wait]:
    """What the next mail is about: nothing while the colleague is there, or soon after the mail before.

    `told`: the case of which they were told, by conversation; `after`: minutes, None: no mail is wished for.
    """
    if after is None or place != Whereabouts.AWAY:
        return []
    if last_mail is not None and now - last_mail < BETWEEN_MAILS:
        return []
    patience = timedelta(minutes=after)
    return [wait for wait in waits if wait.waited >= patience and told.get(wait.conversation_id) != wait.case_id]


def new_waits(waits: Sequence[Wait], told: Mapping[UUID, int]) -> list[Wait]:
    return [wait for wait in waits if told.get(wait.conversation_id) != wait.case_id]


def new_words(words: Sequence[Words], told: Mapping[UUID, int]) -> list[Words]:
    return [each for each in words if each.seq > told.get(each.conversation_id, 0)]
