"""Accounts of the office: passwords, sign-in, browser sessions, personal tokens."""

import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from bot.conversations.service import hash_token
from bot.errors import InvalidField, NotFound, NotSignedIn, TooMany
from bot.i18n.languages import is_supported
from bot.identity.addresses import LONGEST_ADDRESS, is_email
from bot.identity.audit import record
from bot.identity.models import Role, SignInAttempt, Staff, StaffSession, StaffToken

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 256
FEWEST_DIFFERENT_SIGNS = 5
IDLE = timedelta(minutes=30)
LONGEST_SESSION = timedelta(hours=12)
FRESH = timedelta(minutes=1)
"""A session seen within this is not written again."""
THROTTLE_WINDOW = timedelta(minutes=15)
FAILURES_OF_ACCOUNT = 5
FAILURES_OF_ADDRESS = 20
"""Higher than for one account: a whole office may sit behind one address."""
ATTEMPTS_KEPT = timedelta(days=1)

# OWASP's profile for small machines: 19 MiB for each sign-in under way instead of the library's 64.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@dataclass(frozen=True)
class SignedIn:
    """A browser that is signed in, and the token every unsafe request of it must carry."""

    staff: Staff
    csrf_token: str
    session_id: int
    seen_at: datetime


def create_staff(session: Session, email: str, name: str, role: Role, now: datetime, *, language: str = "en") -> Staff:
    """A new account without a password: nobody can sign in to it before `set_password`.

    Raises:
        InvalidField: the address is none or has an account already, the name is empty, the language is not ours.
    """
    email = email.strip().lower()
    if not is_email(email):
        raise InvalidField("This is not an e-mail address; write it as given-name@school.example.", field="email")
    if session.scalar(select(Staff.id).where(Staff.email == email)) is not None:
        raise InvalidField("There is an account with this address already.", field="email")
    if not name.strip():
        raise InvalidField("The name is empty; students see it.", field="name")
    if not is_supported(language):
        raise InvalidField(f"The language {language} is not one of ours.", field="language")
    staff = Staff(email=email, name=name.strip(), role=role, language=language, created_at=now)
    session.add(staff)
    session.flush()
    record(session, "staff_created", staff_id=staff.id, now=now, role=role)
    return staff


def staff_of_email(session: Session, email: str) -> Staff:
    """The account with this address.

    Raises:
        NotFound: there is none.
    """
    staff = session.scalar(select(Staff).where(Staff.email == email.strip().lower()))
    if staff is None:
        raise NotFound("There is no account with this address; `accueil staff list` shows them.")
    return staff


def all_staff(session: Session) -> Sequence[Staff]:
    return session.scalars(select(Staff).order_by(Staff.email)).all()


def set_password(session: Session, staff: Staff, password: str, now: datetime) -> None:
    """Give an account a new password; every browser signed in to it is signed out.

    Raises:
        InvalidField: too short, too long, too simple, or the e-mail address.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InvalidField(
            f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters; a few words make a good one.",
            field="password",
        )
    if password.strip().lower() in (staff.email, staff.email.partition("@")[0]):
        raise InvalidField("The e-mail address is no password.", field="password")
    if len(set(password.lower())) < FEWEST_DIFFERENT_SIGNS:
        raise InvalidField("This password repeats a few characters only; take a few words instead.", field="password")
    staff.password_hash = _hasher.hash(_bytes_of(password))
    session.execute(delete(StaffSession).where(StaffSession.staff_id == staff.id))
    session.flush()
    record(session, "password_set", staff_id=staff.id, now=now)


def disable_staff(session: Session, email: str, now: datetime) -> Staff:
    """Refuse an account from now on; its browsers are signed out and its tokens are gone. Twice changes nothing.

    Raises:
        NotFound: there is no such account.
    """
    staff = staff_of_email(session, email)
    staff.disabled = True
    session.execute(delete(StaffSession).where(StaffSession.staff_id == staff.id))
    session.execute(delete(StaffToken).where(StaffToken.staff_id == staff.id))
    session.flush()
    record(session, "staff_disabled", staff_id=staff.id, now=now)
    return staff


def sign_in(session: Session, email: str, password: str, address: str, now: datetime) -> tuple[Staff, str, str]:
    """Check a password; returns the account, the secret of the new session (for the cookie) and its CSRF token.

    Commits by itself: the attempt is stored before the password is looked at, so that neither the caller's rollback
    nor attempts made at the same time lose it, and no write lock is held while the hash is computed. `address` is where
    the request came from. An unknown, a disabled and a mistaken account get the same reply after the same work.

    Raises:
        NotSignedIn: not this address with this password.
        TooMany: too many failures of this account or address in 15 minutes; `retry_after` in seconds.
    """
    # PostgreSQL stores no zero character; an address with one is nobody's.
    email = email.strip().lower()[:LONGEST_ADDRESS].replace("\x00", "?")
    account_key, address_key = f"account:{email}", f"address:{address[:LONGEST_ADDRESS]}"
    _check_throttle(session, account_key, FAILURES_OF_ACCOUNT, now)
    _check_throttle(session, address_key, FAILURES_OF_ADDRESS, now)
    attempts = [SignInAttempt(key=account_key, at=now), SignInAttempt(key=address_key, at=now)]
    session.add_all(attempts)
    session.execute(delete(SignInAttempt).where(SignInAttempt.at < now - ATTEMPTS_KEPT))
    staff = session.scalar(select(Staff).where(Staff.email == email))
    session.commit()

    nobodys_hash = _nobodys_hash()
    known_hash = staff.password_hash if staff is not None and not staff.disabled else None
    is_right = _verified(known_hash or nobodys_hash, password)
    if staff is None or known_hash is None or not is_right:
        raise NotSignedIn("The e-mail address or the password is wrong.")

    session.execute(delete(SignInAttempt).where(SignInAttempt.key == account_key))
    session.execute(delete(SignInAttempt).where(SignInAttempt.id == attempts[1].id))
    session.execute(delete(StaffSession).where(StaffSession.expires_at <= now))
    if _hasher.check_needs_rehash(known_hash):
        staff.password_hash = _hasher.hash(_bytes_of(password))
    token, csrf_token = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    session.add(
        StaffSession(
            staff_id=staff.id,
            token_hash=hash_token(token),
            csrf_token=csrf_token,
            created_at=now,
            seen_at=now,
            expires_at=now + LONGEST_SESSION,
        )
    )
    record(session, "sign_in", staff_id=staff.id, now=now)
    session.commit()
    return staff, token, csrf_token


def session_of(session: Session, token: str, now: datetime) -> SignedIn:
    """Who this browser is. Reads only: `keep_alive` says that somebody is really there.

    Raises:
        NotSignedIn: no such session, idle for 30 minutes, older than 12 hours, or the account is disabled.
    """
    row = session.execute(
        select(StaffSession, Staff)
        .join(Staff, Staff.id == StaffSession.staff_id)
        .where(StaffSession.token_hash == hash_token(token))
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotSignedIn
    browser, staff = row
    if staff.disabled or now >= browser.expires_at or now - browser.seen_at >= IDLE:
        raise NotSignedIn
    return SignedIn(staff, browser.csrf_token, browser.id, browser.seen_at)


def keep_alive(session: Session, signed_in: SignedIn, now: datetime) -> None:
    """Note that somebody did something in this browser; wants a write transaction when `is_stale`."""
    if is_stale(signed_in, now):
        session.execute(update(StaffSession).where(StaffSession.id == signed_in.session_id).values(seen_at=now))


def is_stale(signed_in: SignedIn, now: datetime) -> bool:
    """Whether `keep_alive` would write: at most once a minute."""
    return now - signed_in.seen_at >= FRESH


def sign_out(session: Session, token: str, now: datetime) -> None:
    """End the session of this browser; an unknown one is fine."""
    browser = session.scalar(select(StaffSession).where(StaffSession.token_hash == hash_token(token)))
    if browser is not None:
        record(session, "sign_out", staff_id=browser.staff_id, now=now)
        session.delete(browser)
        session.flush()


def make_token(session: Session, email: str, now: datetime) -> str:
    """A personal token for other programs; shown once, only its hash is kept.

    Raises:
        NotFound: there is no such account.
        NotSignedIn: the account is disabled.
    """
    staff = staff_of_email(session, email)
    if staff.disabled:
        raise NotSignedIn("This account is disabled.")
    token = secrets.token_urlsafe(32)
    session.add(StaffToken(staff_id=staff.id, token_hash=hash_token(token), created_at=now))
    session.flush()
    record(session, "token_made", staff_id=staff.id, now=now)
    return token


def staff_of_token(session: Session, token: str, now: datetime) -> Staff:
    """The account a personal token belongs to. When it was used is noted where the transaction writes anyway.

    Raises:
        NotSignedIn: no such token, or the account is disabled.
    """
    row = session.execute(
        select(StaffToken, Staff)
        .join(Staff, Staff.id == StaffToken.staff_id)
        .where(StaffToken.token_hash == hash_token(token))
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotSignedIn
    personal_token, staff = row
    if staff.disabled:
        raise NotSignedIn
    if session.connection().get_execution_options().get("writes"):
        personal_token.used_at = now
    return staff


def _check_throttle(session: Session, key: str, limit: int, now: datetime) -> None:
    failures = session.scalars(
        select(SignInAttempt.at)
        .where(SignInAttempt.key == key, SignInAttempt.at > now - THROTTLE_WINDOW)
        .order_by(SignInAttempt.at.desc())
        .limit(limit)
    ).all()
    if len(failures) >= limit:
        raise TooMany(retry_after=max(1, int((failures[-1] + THROTTLE_WINDOW - now).total_seconds())))


def _verified(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, _bytes_of(password))
    except VerificationError:
        return False


@cache
def _nobodys_hash() -> str:
    """What an unknown account is compared with, so that it takes as long as a known one."""
    return _hasher.hash(secrets.token_bytes(32))


def _bytes_of(password: str) -> bytes:
    # The same letters typed on two keyboards may be composed differently.
    return unicodedata.normalize("NFKC", password).encode(errors="surrogatepass")
