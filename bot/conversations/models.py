"""Tables of the talk itself: conversations, the messages in them, what came in and what must go out."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.base import Base, Erasing, personal


class Control(StrEnum):
    """Who has the conversation."""

    BOT = "bot"
    WAITING = "waiting"
    STAFF = "staff"
    CLOSED = "closed"


class Author(StrEnum):
    STUDENT = "student"
    BOT = "bot"
    STAFF = "staff"
    SYSTEM = "system"


class Kind(StrEnum):
    TEXT = "text"
    NOTICE = "notice"
    ERASED = "erased"
    """Everything before it is gone: who shows the conversation takes the earlier messages away."""


class InboxState(StrEnum):
    PENDING = "pending"
    DONE = "done"


class Conversation(Base):
    """One student's talk, whichever channel it comes through. `version` moves with `control` and `assignee_id`."""

    __tablename__ = "conversations"
    __table_args__ = (
        CheckConstraint("(control = 'staff') = (assignee_id IS NOT NULL)", name="assignee_iff_staff"),
        Index("ix_conversations_inbox", "control", "updated_at", "id"),
        Index("ix_conversations_newest", "created_at", "id"),
        Index("ix_conversations_answer_due_at", "answer_due_at"),
        Index("ix_conversations_snoozed_until", "snoozed_until"),
        Index("ix_conversations_latest", "updated_at", "id"),
        {"info": personal(Erasing.DELETE_ROWS, "a person's own conversation")},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    control: Mapped[Control] = mapped_column(String(10), default=Control.BOT)
    version: Mapped[int] = mapped_column(default=1)
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    last_seq: Mapped[int] = mapped_column(default=0)
    channel: Mapped[str] = mapped_column(String(20), default="web")
    language: Mapped[str] = mapped_column(String(8))
    language_chosen: Mapped[bool] = mapped_column(default=False)
    """Chosen by the student: detection never overrides it."""
    student_id: Mapped[int | None] = mapped_column(ForeignKey("students.id"), index=True)
    prompt: Mapped[dict[str, Any] | None]
    """The question of ours that is pending, with its kind and expiry (see bot.assistant.deeds)."""
    last_topic: Mapped[str | None] = mapped_column(String(80))
    last_step: Mapped[str | None] = mapped_column(String(60))
    """The step of the path just talked about; "I did it" means this one."""
    told: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """What the student said of their situation when asked (see bot.answers.variants), by family."""
    abstentions: Mapped[int] = mapped_column(default=0)
    """In a row; two offer a person."""
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    waiting_since: Mapped[datetime | None]
    """Since when nobody has it; its place in the queue is that of its request (bot.handoff.models.Case)."""
    desk: Mapped[str | None] = mapped_column(String(60))
    """Slug in knowledge/desks.yml: whose colleagues look after it. None: nobody was asked for yet."""
    snoozed_until: Mapped[datetime | None]
    """Out of the lists of those who answer until then, or until the student writes."""
    outcome: Mapped[str | None] = mapped_column(String(20))
    """Why it was closed: solved | no_answer | elsewhere | spam | other."""
    changes: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often a message was changed after it was said: counts as `last_seq` does."""
    answer_due_at: Mapped[datetime | None]
    """When a student who has not come back by then is told by mail that an answer is there."""
    answer_mailed: Mapped[bool] = mapped_column(default=False, server_default=false())
    """That mail has gone since the student last wrote; the next one is for answers after they have read."""
    undoing: Mapped[dict[str, Any] | None]
    """How it was before a colleague last closed it, gave it back or handed it over (bot.handoff.undoing)."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Address(Base):
    """Where a conversation can be reached: (channel, external) → conversation."""

    __tablename__ = "addresses"
    __table_args__ = (
        UniqueConstraint("channel", "external"),
        {"info": personal(Erasing.DELETE_ROWS, "where a person is reached")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(20))
    external: Mapped[str] = mapped_column(String(200))
    conversation_id: Mapped[UUID] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    blocked_at: Mapped[datetime | None]
    """Since when nothing can be sent there: the student has shut us out, or the account is gone."""


class Message(Base):
    """One event of the transcript; the record of what was said. `seq` counts from 1 without gaps in a conversation."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("conversation_id", "seq"),
        UniqueConstraint("conversation_id", "author", "client_id"),
        Index("ix_messages_change", "conversation_id", "change"),
        Index("ix_messages_created_at", "created_at"),
        {"info": personal(Erasing.DELETE_ROWS, "what a person wrote and was told")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[UUID] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    seq: Mapped[int]
    author: Mapped[Author] = mapped_column(String(10))
    author_name: Mapped[str | None] = mapped_column(String(120))
    kind: Mapped[Kind] = mapped_column(String(10), default=Kind.TEXT)
    text: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(8))
    buttons: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """[{"key", "label", "payload"}]; the payload never leaves the server."""
    sources: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    in_reply_to: Mapped[int | None]
    client_id: Mapped[str | None] = mapped_column(String(200))
    understanding: Mapped[dict[str, Any] | None]
    """What the NLU model made of the message this one answers, for the console."""
    staff_id: Mapped[int | None]
    """Who wrote it, where a colleague did."""
    change: Mapped[int | None]
    """Which of the conversation's `changes` was the last of this message."""
    edited_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    """The words are gone; the row keeps its place."""
    delivered: Mapped[dict[str, Any] | None] = mapped_column(default=dict)
    """Where a messenger shows it: {"channel", "chat", "ids"}, `ids` being the messenger's own numbers of its parts, in
    order (None: it told none). Empty: nowhere; None: said before this was kept."""
    created_at: Mapped[datetime]


class AttachmentState(StrEnum):
    PENDING = "pending"
    KEPT = "kept"
    FAILED = "failed"
    REFUSED = "refused"
    """Never fetched: that there was a file is all that is known of it."""


class Attachment(Base):
    """A file that a student sent while a colleague had the conversation, or that a colleague sent; in the database, so
    that it goes with it.

    Of a file with a caption that is not kept there is a row as well: the caption alone would not say that it was one.
    """

    __tablename__ = "attachments"
    __table_args__ = (
        Index("ix_attachments_state", "state", "next_at"),
        {"info": personal(Erasing.DELETE_ROWS, "files that a person sent and was sent")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), index=True)
    external: Mapped[str] = mapped_column(String(300))
    """How the channel finds it; empty once it is kept."""
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger)
    """Bytes, as the channel said until it is kept."""
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    state: Mapped[AttachmentState] = mapped_column(String(10), default=AttachmentState.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]
    created_at: Mapped[datetime]


class ChannelUpdate(Base):
    """What a messenger handed over, stored as it came before it is acknowledged; emptied once it is taken in."""

    __tablename__ = "channel_updates"
    __table_args__ = (
        UniqueConstraint("channel", "number"),
        Index("ix_channel_updates_done_at", "done_at"),
        {"info": personal(Erasing.NOTHING, "numbers alone: what came with them is emptied when it is taken in")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(40))
    """With the account at the messenger, which counts its updates by itself: telegram:123456."""
    number: Mapped[int] = mapped_column(BigInteger)
    """The messenger's own: a repeat has the same, a later update a larger one."""
    payload: Mapped[dict[str, Any] | None]
    attempts: Mapped[int] = mapped_column(default=0)
    received_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class InboxEntry(Base):
    """What a channel handed over, stored before it is acknowledged to the outside. Unique: a repeat is dropped."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("channel", "external_id"),
        Index("ix_inbox_state", "state", "conversation_id", "id"),
        Index("ix_inbox_rated_at", "conversation_id", "rated_at"),
        {"info": personal(Erasing.DELETE_ROWS, "what a person wrote")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(20))
    external_id: Mapped[str] = mapped_column(String(200))
    conversation_id: Mapped[UUID] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    seq: Mapped[int]
    """Of the student's message in the transcript."""
    content: Mapped[dict[str, Any]]
    """{"text": …}, {"button": key} or {"brought": kind, …}, as received, to tell a repeat from a different message."""
    state: Mapped[InboxState] = mapped_column(String(10), default=InboxState.PENDING)
    received_at: Mapped[datetime]
    rated_at: Mapped[datetime | None]
    """When it was sent, as far as it counts for how fast one writes; None for the further files of an album."""
    done_at: Mapped[datetime | None]


class OutboxEntry(Base):
    """What must be delivered by a channel that pushes: mail, Telegram. The row is deleted once the delivery is done.

    For a messenger: {"seq"} of a message; with "change", a message it shows whose words are others now, or gone.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_next_at", "next_at"),
        {"info": personal(Erasing.DELETE_ROWS, "addresses and texts that are on their way")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(20))
    key: Mapped[str] = mapped_column(String(120), unique=True)
    """Idempotency: the same effect applied again adds nothing."""
    conversation_id: Mapped[UUID | None] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    payload: Mapped[dict[str, Any]]
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]
    last_error: Mapped[str | None] = mapped_column(String(200))


class Alert(Base):
    """Something staff must see: an urgent message, a failed turn."""

    __tablename__ = "alerts"
    __table_args__ = ({"info": personal(Erasing.DELETE_ROWS, "points at a person's conversation")},)

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[UUID] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    key: Mapped[str] = mapped_column(String(120), unique=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    """When a mail told of a danger."""
