"""Accounts of the office: passwords, sign-in, browser sessions, personal tokens."""

import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from http import HTTPStatus

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from bot.conversations.service import hash_token
from bot.errors import AccueilError, InvalidField, NotFound, NotSignedIn, TooMany
from bot.i18n.languages import is_supported
from bot.i18n.translate import mark
from bot.identity.addresses import LONGEST_ADDRESS, is_email
from bot.identity.audit import record
from bot.identity.browsers import browser_family, device_of, short_address
from bot.identity.models import PushBrowser, Role, SignInAttempt, Staff, StaffPass, StaffSession, StaffToken
from bot.identity.passes import Purpose, give_pass, holder_of, void_passes
from bot.identity.second_step import is_right

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


def create_staff(
    session: Session,
    email: str,
    name: str,
    role: Role,
    now: datetime,
    *,
    language: str = "en",
    by: int | None = None,
) -> Staff:
    """A new account without a password: nobody can sign in to it before `set_password`.

    Raises:
        InvalidField: the address is none or has an account already, the name is empty, the language is not ours.
    """
    email = email.strip().lower()
    if not is_email(email):
        raise InvalidField(mark("This is not an e-mail address; write it as given-name@school.example."), field="email")
    if session.scalar(select(Staff.id).where(Staff.email == email)) is not None:
        raise InvalidField(mark("There is an account with this address already."), field="email")
    if not name.strip():
        raise InvalidField(mark("The name is empty; students see it."), field="name")
    if not is_supported(language):
        raise InvalidField(f"The language {language} is not one of ours.", field="language")
    staff = Staff(email=email, name=name.strip(), role=role, language=language, created_at=now)
    session.add(staff)
    session.flush()
    record(session, "staff_created", staff_id=by, now=now, account=staff.id, role=str(role))
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


def set_password(
    session: Session, staff: Staff, password: str, now: datetime, *, keep_session: int | None = None
) -> None:
    """Give an account a new password; every browser signed in to it is signed out, but for `keep_session`.

    Raises:
        InvalidField: too short, too long, too simple, or the e-mail address.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InvalidField(
            mark("A password has 12 to 256 characters; a few words make a good one."),
            field="password",
        )
    if password.strip().lower() in (staff.email, staff.email.partition("@")[0]):
        raise InvalidField(mark("The e-mail address is no password."), field="password")
    if len(set(password.lower())) < FEWEST_DIFFERENT_SIGNS:
        raise InvalidField(
            mark("This password repeats a few characters only; take a few words instead."), field="password"
        )
    staff.password_hash = _hasher.hash(_bytes_of(password))
    end_sessions(session, staff.id, but=keep_session)
    void_passes(session, staff)
    session.flush()
    record(session, "password_set", staff_id=staff.id, now=now)


def disable_staff(session: Session, email: str, now: datetime, *, by: int | None = None) -> Staff:
    """Refuse an account from now on; its browsers are signed out and its tokens are gone. Twice changes nothing.

    Raises:
        NotFound: there is no such account.
    """
    staff = staff_of_email(session, email)
    staff.disabled = True
    end_sessions(session, staff.id)
    void_passes(session, staff)
    session.execute(delete(StaffToken).where(StaffToken.staff_id == staff.id))
    session.flush()
    record(session, "staff_disabled", staff_id=by, now=now, account=staff.id)
    return staff


def enable_staff(session: Session, staff: Staff, now: datetime, *, by: int | None = None) -> None:
    """Let an account in again; its tokens do not come back."""
    staff.disabled = False
    session.flush()
    record(session, "staff_enabled", staff_id=by, now=now, account=staff.id)


def set_role(session: Session, staff: Staff, role: Role, now: datetime, *, by: int | None = None) -> None:
    """Holds from the next request on, also in browsers that are signed in."""
    before, staff.role = staff.role, role
    session.flush()
    record(session, "role_set", staff_id=by, now=now, account=staff.id, before=str(before), role=str(role))


@dataclass(frozen=True)
class Visitor:
    """Where a sign-in comes from. `device`: the cookie of a browser that is known, `key`: what it is signed with."""

    address: str
    user_agent: str = ""
    device: str = ""
    key: bytes = b""


class CodeNeeded(AccueilError):
    """The password is right, and the account has a second step; `code_pass` allows to take it."""

    code = "code_needed"
    status = HTTPStatus.UNAUTHORIZED
    user_text = "Please enter the code that your telephone shows."

    def __init__(self, code_pass: str) -> None:
        super().__init__()
        self.code_pass = code_pass


def sign_in(
    session: Session, email: str, password: str, visitor: Visitor | str, now: datetime
) -> tuple[Staff, str, str]:
    """Check a password; returns the account, the secret of the new session (for the cookie) and its CSRF token.

    Commits by itself: the attempt is stored before the password is looked at, so that neither the caller's rollback
    nor attempts made at the same time lose it, and no write lock is held while the hash is computed. An unknown, a
    disabled and a mistaken account get the same reply after the same work. `visitor`: an address alone is a stranger.

    Failures of strangers are counted together, for the account and for their address. A browser that has signed in to
    this account before is counted by itself: whoever guesses elsewhere does not lock it out.

    Raises:
        NotSignedIn: not this address with this password.
        CodeNeeded: right, but the account has a second step.
        TooMany: too many failures of this account or address in 15 minutes; `retry_after` in seconds.
    """
    visitor = Visitor(visitor) if isinstance(visitor, str) else visitor
    # PostgreSQL stores no zero character; an address with one is nobody's.
    email = email.strip().lower()[:LONGEST_ADDRESS].replace("\x00", "?")
    staff = session.scalar(select(Staff).where(Staff.email == email))
    limits = _limits("account", email, staff, visitor, now)
    attempts = _count(session, limits, now)
    session.commit()

    nobodys_hash = _nobodys_hash()
    known_hash = staff.password_hash if staff is not None and not staff.disabled else None
    matches = _verified(known_hash or nobodys_hash, password)
    if staff is None or known_hash is None or not matches:
        raise NotSignedIn("The e-mail address or the password is wrong.")
    _hold(session, staff)
    if staff.disabled or staff.password_hash != known_hash:
        # It was right when we began to look.
        raise NotSignedIn("The e-mail address or the password is wrong.")

    _forgive(session, limits, attempts)
    if _hasher.check_needs_rehash(known_hash):
        staff.password_hash = _hasher.hash(_bytes_of(password))
    return enter(session, staff, visitor, now)


def enter(session: Session, staff: Staff, visitor: Visitor, now: datetime) -> tuple[Staff, str, str]:
    """Let somebody in who has shown who they are, by password or at the identity provider. Commits by itself.

    Raises:
        CodeNeeded: the account has a second step.
    """
    if staff.totp_since is not None:
        code_pass = give_pass(session, staff, Purpose.CODE, now)
        session.commit()
        raise CodeNeeded(code_pass)
    return _open(session, staff, visitor, now)


def take_second_step(
    session: Session, code_pass: str, code: str, visitor: Visitor, now: datetime
) -> tuple[Staff, str, str]:
    """The second step of a sign-in, by a code from the telephone or a recovery code. Commits by itself.

    Raises:
        NotSignedIn: the first step is too long ago, was used, or had five wrong codes; begin anew.
        InvalidField: the code is wrong or was used before.
        TooMany: too many wrong codes of this account in 15 minutes.
    """
    staff, right = holder_of(session, code_pass, Purpose.CODE, now)
    limits = _limits("code", staff.email, staff, visitor, now)
    attempts = _count(session, limits, now)
    right.tries += 1
    session.commit()
    _hold(session, staff)
    if not is_right(session, staff, code, visitor.key, now):
        raise InvalidField("The code is wrong, or it was used before. Wait for the next one.", field="code")
    _forgive(session, limits, attempts)
    used = session.execute(delete(StaffPass).where(StaffPass.id == right.id))
    if not used.rowcount:  # type: ignore[attr-defined]
        raise NotSignedIn
    return _open(session, staff, visitor, now)


def _hold(session: Session, staff: Staff) -> None:
    """Read the account anew; until the end of the transaction nobody changes it, so that a new password either comes
    before and is seen, or comes after and ends the session that is made now.
    """
    session.refresh(staff, with_for_update=True)


def _open(session: Session, staff: Staff, visitor: Visitor, now: datetime) -> tuple[Staff, str, str]:
    session.execute(delete(StaffSession).where(StaffSession.expires_at <= now))
    token, csrf_token = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    session.add(
        StaffSession(
            staff_id=staff.id,
            token_hash=hash_token(token),
            csrf_token=csrf_token,
            created_at=now,
            seen_at=now,
            expires_at=now + LONGEST_SESSION,
            browser=browser_family(visitor.user_agent)[:60],
            address=short_address(visitor.address),
        )
    )
    staff.seen_at = now
    record(session, "sign_in", staff_id=staff.id, now=now)
    session.commit()
    return staff, token, csrf_token


def check_own_password(session: Session, staff: Staff, password: str, session_id: int, now: datetime) -> None:
    """Before a deed that a borrowed screen must not allow. Commits the attempt by itself.

    Raises:
        InvalidField: it is wrong.
        TooMany: five wrong ones from this session in 15 minutes.
    """
    limits = [(f"own:{session_id}", FAILURES_OF_ACCOUNT)]
    attempts = _count(session, limits, now)
    known_hash = staff.password_hash
    session.commit()
    if known_hash is None or not _verified(known_hash, password):
        raise InvalidField(mark("This is not your present password."), field="password")
    _forgive(session, limits, attempts)


def _limits(kind: str, email: str, staff: Staff | None, visitor: Visitor, now: datetime) -> list[tuple[str, int]]:
    """(key, most failures) of everything an attempt counts for; the first is the account's, or the known browser's."""
    device = device_of(visitor.key, visitor.device, staff.id, now) if staff is not None and visitor.device else None
    if device is not None:
        return [(f"device-{kind}:{device}", FAILURES_OF_ACCOUNT)]
    return [
        (f"{kind}:{email}", FAILURES_OF_ACCOUNT),
        (f"address:{visitor.address[:LONGEST_ADDRESS]}", FAILURES_OF_ADDRESS),
    ]


def _count(session: Session, limits: list[tuple[str, int]], now: datetime) -> list[SignInAttempt]:
    """Note an attempt, as a failure until `_forgive`. Raises TooMany."""
    for key, most in limits:
        check_throttle(session, key, most, now)
    attempts = [SignInAttempt(key=key, at=now) for key, _ in limits]
    session.add_all(attempts)
    session.execute(delete(SignInAttempt).where(SignInAttempt.at < now - ATTEMPTS_KEPT))
    session.flush()
    return attempts


def _forgive(session: Session, limits: list[tuple[str, int]], attempts: list[SignInAttempt]) -> None:
    """It was no failure: the account begins anew, an address loses this one attempt."""
    session.execute(delete(SignInAttempt).where(SignInAttempt.key == limits[0][0]))
    for attempt in attempts[1:]:
        session.execute(delete(SignInAttempt).where(SignInAttempt.id == attempt.id))


def sessions_of(session: Session, staff_id: int, now: datetime) -> Sequence[StaffSession]:
    """Browsers that are signed in to an account, the latest seen first."""
    return session.scalars(
        select(StaffSession)
        .where(StaffSession.staff_id == staff_id, StaffSession.expires_at > now, StaffSession.seen_at > now - IDLE)
        .order_by(StaffSession.seen_at.desc(), StaffSession.id.desc())
    ).all()


def end_session(session: Session, session_id: int, now: datetime, *, of: int, by: int) -> None:
    """Sign one browser of an account out.

    Raises:
        NotFound: the account has no such session.
    """
    session.execute(delete(PushBrowser).where(PushBrowser.session_id == session_id, PushBrowser.staff_id == of))
    ended = session.execute(delete(StaffSession).where(StaffSession.id == session_id, StaffSession.staff_id == of))
    if not ended.rowcount:  # type: ignore[attr-defined]
        raise NotFound
    record(session, "session_ended", staff_id=by, now=now, account=of)


def end_sessions(session: Session, staff_id: int, *, but: int | None = None) -> None:
    """Sign every browser of an account out, but for one; none of them shows messages any more."""
    called = delete(PushBrowser).where(PushBrowser.staff_id == staff_id)
    is_other = or_(PushBrowser.session_id.is_(None), PushBrowser.session_id != but)
    session.execute(called if but is None else called.where(is_other))
    ended = delete(StaffSession).where(StaffSession.staff_id == staff_id)
    session.execute(ended if but is None else ended.where(StaffSession.id != but))


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
        note_seen(session, signed_in.staff, now)


def is_stale(signed_in: SignedIn, now: datetime) -> bool:
    """Whether `keep_alive` would write: at most once a minute."""
    return now - signed_in.seen_at >= FRESH


def note_seen(session: Session, staff: Staff, now: datetime) -> None:
    """Note that a colleague did something, in a browser or with a personal token."""
    session.execute(update(Staff).where(Staff.id == staff.id).values(seen_at=now))


def sign_out(session: Session, token: str, now: datetime) -> None:
    """End the session of this browser; an unknown one is fine."""
    browser = session.scalar(select(StaffSession).where(StaffSession.token_hash == hash_token(token)))
    if browser is not None:
        record(session, "sign_out", staff_id=browser.staff_id, now=now)
        session.execute(delete(PushBrowser).where(PushBrowser.session_id == browser.id))
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


def staff_of_token(session: Session, token: str) -> Staff:
    """The account a personal token belongs to.

    Raises:
        NotSignedIn: no such token, or the account is disabled.
    """
    staff = session.scalar(
        select(Staff)
        .join(StaffToken, StaffToken.staff_id == Staff.id)
        .where(StaffToken.token_hash == hash_token(token))
        .execution_options(populate_existing=True)
    )
    if staff is None or staff.disabled:
        raise NotSignedIn
    return staff


def check_throttle(session: Session, key: str, limit: int, now: datetime) -> None:
    """Raises TooMany when this key has had so many attempts in a quarter of an hour.

    Whoever counts the same key waits until the end of the transaction, so that nobody counts without the attempts of
    those who come at the same time.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))
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
