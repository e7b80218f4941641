"""Joining a messenger to the conversation of a page: a token is made here, opened there and confirmed here again.

The first chat that opens the token claims it, and nothing more: the page shows what that account calls itself and asks.
So a link that was passed on joins nobody by itself, and whoever opens somebody else's link is told what it would mean.
A chat belongs to the conversation that its row in `addresses` names; a ChannelJoin that has not ended says why.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.conversations.messages import Answer, Understanding
from bot.conversations.models import Address, Author, Conversation, Kind, OutboxEntry
from bot.conversations.service import address_of, append, hash_token, locked_conversation, open_conversation
from bot.conversations.words import greeting
from bot.i18n.translate import mark, say
from bot.identity.audit import record
from bot.identity.models import ChannelJoin, JoinState

LINK_LIFE = timedelta(minutes=15)
LONGEST_NAME = 120
KEY_LENGTH = 16
HOME = "web"
"""The channel of the page: what is said there needs no delivery."""

Step = Literal["none", "issued", "claimed", "joined", "refused", "over"]


class Claim(StrEnum):
    """What became of a token that a chat has opened."""

    UNKNOWN = "unknown"
    OVER = "over"
    """Used, refused, or too old."""
    YOURS = "yours"
    """This chat has opened it, now or before; the page asks."""
    ANOTHERS = "anothers"
    """Another chat was first."""


WORDS = {
    Claim.UNKNOWN: mark("This link does not work. Make a new one on the page where you talk to me."),
    Claim.OVER: mark("This link is over. Make a new one on the page where you talk to me."),
    Claim.YOURS: mark(
        "Go back to the page where you made this link and confirm there that it is you. Whoever has that page will "
        "read what you write here. If you did not make the link yourself, send /unlink."
    ),
    Claim.ANOTHERS: mark(
        "This link was opened in another account. If that was not you, answer No on the page where you made it."
    ),
}


@dataclass(frozen=True)
class Standing:
    """How far a conversation is with joining. `key` names the link, so that an answer is about the account shown."""

    step: Step
    name: str = ""
    key: str | None = None
    expires_at: datetime | None = None


def issue(session: Session, conversation: Conversation, channel: str, now: datetime) -> str:
    """A token for a deep link, good for one use within 15 minutes: 43 characters of A-Z, a-z, 0-9, - and _.

    It replaces the one before, opened or not; a chat that has joined stays until another is confirmed.
    """
    locked_conversation(session, conversation.id)
    session.execute(
        delete(ChannelJoin).where(
            ChannelJoin.conversation_id == conversation.id,
            ChannelJoin.channel == channel,
            ChannelJoin.state != JoinState.JOINED,
        )
    )
    token = secrets.token_urlsafe(32)
    session.add(
        ChannelJoin(
            conversation_id=conversation.id,
            channel=channel,
            token_hash=hash_token(token),
            created_at=now,
            expires_at=now + LINK_LIFE,
        )
    )
    session.flush()
    return token


def claim(session: Session, token: str, channel: str, external: str, name: str, now: datetime) -> Claim:
    """A chat has opened the link. `name` is what the account calls itself, in whatever characters."""
    join = session.scalar(
        select(ChannelJoin)
        .where(ChannelJoin.token_hash == hash_token(token), ChannelJoin.channel == channel)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if join is None:
        return Claim.UNKNOWN
    if join.state in (JoinState.JOINED, JoinState.REFUSED) or join.expires_at <= now:
        return Claim.OVER
    if join.state == JoinState.CLAIMED:
        return Claim.YOURS if join.external == external else Claim.ANOTHERS
    join.state, join.external, join.name = JoinState.CLAIMED, external, clean_name(name)
    session.flush()
    return Claim.YOURS


def words_of(claimed: Claim, language: str) -> str:
    """What the chat that opened the link is told."""
    return say(language, WORDS[claimed])


def clean_name(name: str) -> str:
    """Without characters that cannot be seen or stored: none may turn the question on the page around."""
    seen = "".join(letter for letter in name if letter.isprintable())
    return " ".join(seen.split())[:LONGEST_NAME]


def standing(session: Session, conversation: Conversation, channel: str, now: datetime) -> Standing:
    """What the page shows: an open link before a chat that has joined, and that before how the last link ended."""
    joins = _joins(session, conversation, channel)
    last = next((join for join in joins if join.state != JoinState.JOINED), None)
    if last is not None and _is_open(last, now):
        step: Step = "claimed" if last.state == JoinState.CLAIMED else "issued"
        return Standing(step, last.name or "", _key(last), last.expires_at)
    if (joined := _in_force(joins)) is not None:
        return Standing("joined", joined.name or "")
    if last is None:
        return Standing("none")
    return Standing("refused" if last.state == JoinState.REFUSED else "over")


def confirm(session: Session, conversation: Conversation, channel: str, key: str, now: datetime) -> set[UUID]:
    """The student says on the page that the account that opened link `key` is theirs: its chat now leads here.

    The conversation that the chat had before keeps what was said; another chat that had joined this one leaves it.
    Returns the conversations that changed. None: it is done already, too late, or the claim of another link.
    """
    seen = next((join for join in _joins(session, conversation, channel) if _key(join) == key), None)
    if seen is None or seen.external is None:
        return set()
    # The chat before its conversations, as when it writes to us: two who wait for each other would wait for ever.
    address = address_of(session, channel, seen.external)
    before = address.conversation_id if address is not None else conversation.id
    changed = {conversation.id, before}
    for each in sorted(changed):
        locked_conversation(session, each)
    if (join := _claimed(session, conversation, channel, key, now)) is None:
        return set()
    for other in _addresses(session, conversation, channel):
        if other.external != join.external:
            changed.add(_move_out(session, conversation, other, now))
    _end_joins(session, conversation, channel, now)
    if before != conversation.id:
        _leave_behind(session, session.get_one(Conversation, before), channel, seen.external, now)
    if address is None:
        session.add(Address(channel=channel, external=seen.external, conversation_id=conversation.id))
    else:
        address.conversation_id, address.blocked_at = conversation.id, None
    join.state = JoinState.JOINED
    record(session, "join", staff_id=None, now=now, conversation_id=conversation.id, channel=channel)
    conversation.channel = channel
    text = say(
        conversation.language,
        "This conversation now goes on in Telegram as well. I answer where you wrote last, and the page shows "
        "everything. To end that, send /unlink in Telegram.",
    )
    append(session, conversation, Author.SYSTEM, text, kind=Kind.NOTICE, now=now)
    return changed


def refuse(session: Session, conversation: Conversation, channel: str, key: str, now: datetime) -> None:
    """It is somebody else's account: the link is over, nothing is joined."""
    if (join := _claimed(session, conversation, channel, key, now)) is not None:
        join.state, join.ended_at = JoinState.REFUSED, now
        session.flush()


def part(session: Session, conversation: Conversation, channel: str, now: datetime) -> set[UUID]:
    """The chat leaves the conversation it had joined and gets one of its own, which knows nothing of this one.

    Returns the conversations that changed; none where no chat had joined.
    """
    if _in_force(_joins(session, conversation, channel)) is None:
        return set()
    locked_conversation(session, conversation.id)
    changed = {_move_out(session, conversation, each, now) for each in _addresses(session, conversation, channel)}
    _end_joins(session, conversation, channel, now)
    if conversation.channel == channel:
        conversation.channel = HOME
    record(session, "part", staff_id=None, now=now, conversation_id=conversation.id, channel=channel)
    session.flush()
    return changed | {conversation.id}


def part_by_page(session: Session, conversation: Conversation, channel: str, now: datetime) -> set[UUID]:
    """As `part`, with a notice for whoever reads the page."""
    if changed := part(session, conversation, channel, now):
        append(session, conversation, Author.SYSTEM, _parted(conversation.language), kind=Kind.NOTICE, now=now)
    return changed


def part_by_chat(session: Session, conversation: Conversation, now: datetime) -> Answer | None:
    """What /unlink means in a chat: take back a link it has opened, else leave the page. None: there is neither.

    The chat hears of leaving in its new conversation; the answer stays here.
    """
    channel = conversation.channel
    if channel == HOME:
        return None
    if _take_back(session, conversation, channel, now):
        return _answer(say(conversation.language, "The link is over, and nothing was joined."))
    return _answer(_parted(conversation.language)) if part(session, conversation, channel, now) else None


def _take_back(session: Session, conversation: Conversation, channel: str, now: datetime) -> bool:
    chats = [address.external for address in _addresses(session, conversation, channel)]
    opened = session.scalars(
        select(ChannelJoin)
        .where(
            ChannelJoin.channel == channel,
            ChannelJoin.external.in_(chats),
            ChannelJoin.state == JoinState.CLAIMED,
            ChannelJoin.expires_at > now,
        )
        .with_for_update()
    ).all()
    for join in opened:
        join.state, join.ended_at = JoinState.REFUSED, now
    session.flush()
    return bool(opened)


def _claimed(session: Session, conversation: Conversation, channel: str, key: str, now: datetime) -> ChannelJoin | None:
    """The claim that waits for its answer, held until the transaction ends."""
    joins = session.scalars(
        select(ChannelJoin)
        .where(
            ChannelJoin.conversation_id == conversation.id,
            ChannelJoin.channel == channel,
            ChannelJoin.state == JoinState.CLAIMED,
            ChannelJoin.expires_at > now,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return next((join for join in joins if _key(join) == key), None)


def _key(join: ChannelJoin) -> str:
    """Not its number: SQLite gives the number of a deleted row to the next one."""
    return join.token_hash[:KEY_LENGTH]


def _is_open(join: ChannelJoin, now: datetime) -> bool:
    return join.state in (JoinState.ISSUED, JoinState.CLAIMED) and join.expires_at > now


def _joins(session: Session, conversation: Conversation, channel: str) -> Sequence[ChannelJoin]:
    """The newest first."""
    return session.scalars(
        select(ChannelJoin)
        .where(ChannelJoin.conversation_id == conversation.id, ChannelJoin.channel == channel)
        .order_by(ChannelJoin.id.desc())
    ).all()


def _in_force(joins: Sequence[ChannelJoin]) -> ChannelJoin | None:
    return next((join for join in joins if join.state == JoinState.JOINED and join.ended_at is None), None)


def _end_joins(session: Session, conversation: Conversation, channel: str, now: datetime) -> None:
    for join in _joins(session, conversation, channel):
        if join.state == JoinState.JOINED and join.ended_at is None:
            join.ended_at = now
    session.flush()


def _addresses(session: Session, conversation: Conversation, channel: str) -> Sequence[Address]:
    return session.scalars(
        select(Address)
        .where(Address.conversation_id == conversation.id, Address.channel == channel)
        .order_by(Address.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _move_out(session: Session, conversation: Conversation, address: Address, now: datetime) -> UUID:
    """A conversation of its own for a chat, in the same language; it is told so there. What waits for it is dropped."""
    language = conversation.language
    left = say(
        language,
        "This chat has left the conversation it had joined. What was said there stays there, and I know nothing of it "
        "here.",
    )
    own, _token = open_conversation(
        session,
        language=language,
        language_chosen=conversation.language_chosen,
        greeting=f"{left}\n\n{greeting(language)}",
        channel=address.channel,
        now=now,
    )
    address.conversation_id = own.id
    session.flush()
    return own.id


def _leave_behind(session: Session, before: Conversation, channel: str, external: str, now: datetime) -> None:
    """What was said for the chat is still delivered to it; what is said from now on has no chat to go to."""
    waiting = session.scalars(
        select(OutboxEntry)
        .where(OutboxEntry.channel == channel, OutboxEntry.conversation_id == before.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    for entry in waiting:
        entry.payload = {**entry.payload, "to": external}
    _end_joins(session, before, channel, now)
    before.channel = HOME
    text = say(before.language, "This Telegram chat now goes on in another conversation.")
    append(session, before, Author.SYSTEM, text, kind=Kind.NOTICE, now=now)


def _parted(language: str) -> str:
    return say(language, "Telegram has left this conversation. It goes on here.")


def _answer(text: str) -> Answer:
    return Answer(text, Understanding(intent="identity", confidence=1.0, action="prompt"))
