"""A forgotten password: a link to the mailbox of the account, good for half an hour and for one new password."""

from datetime import datetime
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.conversations.models import OutboxEntry
from bot.db.session import Database
from bot.errors import NotSignedIn
from bot.i18n.translate import say
from bot.identity.addresses import LONGEST_ADDRESS
from bot.identity.audit import record
from bot.identity.models import SignInAttempt, Staff
from bot.identity.passes import LIFE, Purpose, give_pass, holder_of
from bot.identity.staff import FAILURES_OF_ADDRESS, check_throttle, set_password

MAILS_OF_ACCOUNT = 3
"""In the life of a link, so that a good one always lies in the mailbox, however often strangers ask. More is left out
in silence, since a word about it would tell who has an account."""
PATH = "/staff/reset"
ASKED = "reset"
"""In the outbox: who asked for a link, until `send_links` has looked whether there is such an account."""


def ask_for_reset(session: Session, email: str, address: str, now: datetime) -> None:
    """Note that somebody asked, in the same way whether there is such an account or not: the time it takes would tell.

    `address`: where the request came from.

    Raises:
        TooMany: this address has asked 20 times in a quarter of an hour.
    """
    email = email.strip().lower()[:LONGEST_ADDRESS].replace("\x00", "?")
    address_key, account_key = f"reset-address:{address[:LONGEST_ADDRESS]}", f"reset:{email}"
    check_throttle(session, address_key, FAILURES_OF_ADDRESS, now)
    since = now - LIFE[Purpose.RESET]
    mails = select(func.count()).where(SignInAttempt.key == account_key, SignInAttempt.at > since)
    session.add(SignInAttempt(key=address_key, at=now))
    if session.scalars(mails).one() < MAILS_OF_ACCOUNT:
        session.add(SignInAttempt(key=account_key, at=now))
        session.add(OutboxEntry(channel=ASKED, key=f"asked:{uuid4()}", payload={"to": email}, next_at=now))
    session.flush()


def send_links(database: Database, site: str, now: datetime) -> None:
    """Mail a link to each account that asked; of addresses without an account nothing stays.

    `site`: ours, without a final slash.
    """
    with database.read() as session:
        waiting = select(OutboxEntry.id).where(OutboxEntry.channel == ASKED).order_by(OutboxEntry.id)
        asked = session.scalars(waiting).all()
    for number in asked:
        with database.write() as session:
            row = session.scalar(
                select(OutboxEntry)
                .where(OutboxEntry.id == number, OutboxEntry.channel == ASKED)
                .with_for_update(skip_locked=True)
            )
            if row is None:
                continue
            email = str(row.payload["to"])
            session.delete(row)
            staff = session.scalar(select(Staff).where(Staff.email == email, Staff.disabled.is_(False)))
            if staff is not None:
                mail_link(session, staff, site, now)


def mail_link(session: Session, staff: Staff, site: str, now: datetime, *, by: int | None = None) -> None:
    """Put a mail with a new link on its way; asked for twice at the same instant it is one, whose link is good."""
    key = f"reset:{staff.id}:{now.isoformat()}"
    if session.scalar(select(OutboxEntry.id).where(OutboxEntry.key == key)) is not None:
        return
    link = make_link(session, staff, site, now, by=by)
    language = staff.language
    if staff.password_hash is None:
        subject = say(language, "Your account at the desk of the international office")
        text = say(
            language,
            "Hello {name},\n\n"
            "there is an account for you at the desk of the international office. Choose a password here:\n\n"
            "    {link}\n\n"
            "The link works once, for {minutes} minutes. Is it too late? Ask for a new one where you sign in.\n",
            name=staff.name,
            link=link,
            minutes=_minutes(),
        )
    else:
        subject = say(language, "A new password for the desk")
        text = say(
            language,
            "Hello {name},\n\n"
            "somebody asked for a new password of your account at the desk of the international office. "
            "If that was you, choose it here:\n\n"
            "    {link}\n\n"
            "The link works once, for {minutes} minutes.\n\n"
            "If it was not you, do nothing: your password stays as it is.\n",
            name=staff.name,
            link=link,
            minutes=_minutes(),
        )
    payload = {
        "kind": "message",
        "to": staff.email,
        "language": language,
        "subject": subject,
        "text": text,
        "expires_at": (now + LIFE[Purpose.RESET]).isoformat(),
    }
    session.add(OutboxEntry(channel="mail", key=key, payload=payload, next_at=now))
    session.flush()


def make_link(session: Session, staff: Staff, site: str, now: datetime, *, by: int | None = None) -> str:
    """The address of a new link; the one before is void.

    Raises:
        NotSignedIn: the account is disabled.
    """
    if staff.disabled:
        raise NotSignedIn("This account is disabled.")
    token = give_pass(session, staff, Purpose.RESET, now)
    record(session, "reset_link_made", staff_id=by, now=now, account=staff.id)
    return f"{site}{PATH}?token={token}"


def reset_password(session: Session, token: str, password: str, now: datetime) -> Staff:
    """Set the new password; every browser is signed out, and the link is used up.

    Raises:
        NotSignedIn: the link was used, is too old, or never was one.
        InvalidField: the password is not good enough; the link stays good.
    """
    staff, _right = holder_of(session, token, Purpose.RESET, now)
    set_password(session, staff, password, now)
    return staff


def _minutes() -> int:
    return int(LIFE[Purpose.RESET].total_seconds() // 60)
