"""Who somebody is: staff accounts and sessions, codes and addresses of students, erasures, the audit log."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import DDL, JSON, BigInteger, ForeignKey, Index, String, event
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.base import Base, Erasing, personal
from bot.identity.chain import GUARDS


class Role(StrEnum):
    ADVISER = "adviser"
    COORDINATOR = "coordinator"
    EDITOR = "editor"
    ADMIN = "admin"
    AUDITOR = "auditor"


class Staff(Base):
    __tablename__ = "staff"
    __table_args__ = ({"info": personal(Erasing.NOTHING, "accounts of the office, not students")},)

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[Role] = mapped_column(String(20))
    language: Mapped[str] = mapped_column(String(8), default="en")
    password_hash: Mapped[str | None] = mapped_column(String(200))
    disabled: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    totp_secret: Mapped[str | None] = mapped_column(String(300))
    """Encrypted with the key of the data folder (bot.identity.keys); also while it is only being set up."""
    totp_since: Mapped[datetime | None]
    """When a first code confirmed it; None: no second step yet."""
    totp_step: Mapped[int | None] = mapped_column(BigInteger)
    """The half minute of the last code that was taken: it is not taken again."""
    oidc_subject: Mapped[str | None] = mapped_column(String(300))
    """Who this is at the identity provider, since the first sign-in from there."""
    mail_after: Mapped[int | None]
    """Minutes of a student's wait after which a mail calls them to the desk; None: never."""
    seen_at: Mapped[datetime | None]
    """When they last did something, to the minute; stays when they sign out and when the session is deleted."""

    @property
    def can_sign_in(self) -> bool:
        """Not before the invitation was followed, or the first sign-in from the identity provider."""
        return self.password_hash is not None or self.oidc_subject is not None


class StaffSession(Base):
    """A browser that signed in. Only hashes are kept."""

    __tablename__ = "staff_sessions"
    __table_args__ = ({"info": personal(Erasing.NOTHING, "sessions of the office")},)

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    csrf_token: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    browser: Mapped[str] = mapped_column(String(60), default="", server_default="")
    """Family and system ("Firefox, Windows"), for the list of sessions."""
    address: Mapped[str] = mapped_column(String(60), default="", server_default="")
    """Where it signed in from, shortened."""


class PushBrowser(Base):
    """A browser that shows messages to a colleague while no page of ours is open (bot.calling).

    Signing out there, and ending its session, takes it away; a session that runs out by itself does not.
    """

    __tablename__ = "push_browsers"
    __table_args__ = ({"info": personal(Erasing.NOTHING, "browsers of the office")},)

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    session_id: Mapped[int | None] = mapped_column(ForeignKey("staff_sessions.id", ondelete="SET NULL"), index=True)
    endpoint: Mapped[str] = mapped_column(String(1000))
    """Address at the browser's push service: whoever knows it and the two keys can write there."""
    endpoint_hash: Mapped[str] = mapped_column(String(64), unique=True)
    p256dh: Mapped[str] = mapped_column(String(100))
    auth: Mapped[str] = mapped_column(String(40))
    browser: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime]
    reached_at: Mapped[datetime]
    """When its push service last took something; at first, when it was added."""


class StaffPass(Base):
    """A one-time right of an account: to set a new password, or to take the second step. Only its hash is kept."""

    __tablename__ = "staff_passes"
    __table_args__ = ({"info": personal(Erasing.NOTHING, "one-time rights of the office")},)

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str] = mapped_column(String(20))
    """reset | code"""
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """Takes the place of a code from the telephone, once. Only its hash is kept."""

    __tablename__ = "staff_recovery_codes"
    __table_args__ = ({"info": personal(Erasing.NOTHING, "hashed codes of the office")},)

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class StaffToken(Base):
    """A personal token for other programs (`accueil staff token EMAIL`). Only its hash is kept."""

    __tablename__ = "staff_tokens"
    __table_args__ = ({"info": personal(Erasing.NOTHING, "tokens of the office")},)

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]


class SignInAttempt(Base):
    """Failed sign-ins and requests for codes, for throttling by account and by address; purged after a day."""

    __tablename__ = "sign_in_attempts"
    __table_args__ = ({"info": personal(Erasing.NOTHING, "hashed keys of attempts, kept for a day")},)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(300), index=True)
    at: Mapped[datetime]


class LinkCode(Base):
    """A one-time code sent to a school mailbox, bound to the conversation that asked for it.

    An unknown address gets a row as well, without a student and without a mail, so that the replies are the same.
    """

    __tablename__ = "link_codes"
    __table_args__ = ({"info": personal(Erasing.DELETE_ROWS, "who asked to be linked")},)

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[UUID] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    student_id: Mapped[int | None] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class JoinState(StrEnum):
    ISSUED = "issued"
    CLAIMED = "claimed"
    JOINED = "joined"
    REFUSED = "refused"


class ChannelJoin(Base):
    """A one-time token by which another channel joins a conversation: opened there, confirmed where it was made."""

    __tablename__ = "channel_joins"
    __table_args__ = ({"info": personal(Erasing.DELETE_ROWS, "which accounts a person joined")},)

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[UUID] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    channel: Mapped[str] = mapped_column(String(20))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    state: Mapped[JoinState] = mapped_column(String(10), default=JoinState.ISSUED)
    external: Mapped[str | None] = mapped_column(String(200))
    """The chat in which it was opened."""
    name: Mapped[str | None] = mapped_column(String(120))
    """How the account calls itself, for the question on the page."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class AccessToken(Base):
    """An opaque address of one purpose: a calendar feed, the download of one's data. Only its hash is kept."""

    __tablename__ = "access_tokens"
    __table_args__ = ({"info": personal(Erasing.DELETE_ROWS, "opens what belongs to a person")},)

    id: Mapped[int] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(String(20))
    """calendar | export"""
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    student_id: Mapped[int | None] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"), index=True)
    conversation_id: Mapped[UUID | None] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Erasure(Base):
    """One person or one conversation that was erased. The next import must not bring the person back by itself."""

    __tablename__ = "erasures"
    __table_args__ = ({"info": personal(Erasing.KEEP_WITHOUT_NAME, "a keyed hash of the address, to keep it away")},)

    id: Mapped[int] = mapped_column(primary_key=True)
    address_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    """Keyed hash of the school mailbox; None for a conversation that was not linked."""
    erased_at: Mapped[datetime]
    senders: Mapped[list[Any]] = mapped_column(JSON, default=list)
    """Senders whose events are still to be deleted from Rasa's own database; empty once that is done."""


class AuditEntry(Base):
    """Append only: who did what to which conversation or account, never what was said.

    The entries form a chain (bot.identity.chain); triggers of the database refuse to change or delete one.
    """

    __tablename__ = "audit_log"
    __table_args__ = (
        Index("ix_audit_log_reading", "conversation_id", "staff_id", "at"),
        Index("ix_audit_log_position", "position", unique=True),
        {"info": personal(Erasing.KEEP_WITHOUT_NAME, "names staff and conversation numbers, no student")},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    action: Mapped[str] = mapped_column(String(40))
    conversation_id: Mapped[UUID | None]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    position: Mapped[int | None] = mapped_column(BigInteger)
    """Place in the chain, from 1; it and the rest are filled in when the transaction commits."""
    salt: Mapped[str | None] = mapped_column(String(32))
    """Gone once the details were emptied, so that nobody can guess them from their hash."""
    details_hash: Mapped[str | None] = mapped_column(String(64))
    previous: Mapped[str | None] = mapped_column(String(64))
    hash: Mapped[str | None] = mapped_column(String(64))


class AuditHead(Base):
    """One row: where the chain of the audit log ends, and where what is kept of it begins."""

    __tablename__ = "audit_head"
    __table_args__ = ({"info": personal(Erasing.NOTHING, "two ends of a chain")},)

    id: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, default=0)
    hash: Mapped[str] = mapped_column(String(64))
    purged: Mapped[int] = mapped_column(BigInteger, default=0)
    """Entries up to this place were too old and are gone."""
    purged_hash: Mapped[str] = mapped_column(String(64))


for _dialect, _statements in GUARDS.items():
    for _statement in _statements:
        event.listen(AuditEntry.__table__, "after_create", DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]
