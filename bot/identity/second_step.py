"""The second step of a sign-in: a code from a telephone (TOTP, RFC 6238), or one of ten that are kept on paper."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime

import pyotp
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from bot.errors import InvalidField
from bot.identity.audit import record
from bot.identity.models import RecoveryCode, Staff

ISSUER = "Accueil"
STEP = 30
"""Seconds for which one code is shown."""
DRIFT = 1
"""Codes before and after the present one that are taken: clocks differ, and people type slowly."""
CODES = 10
CODE_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look like others."""
CODE_PARTS, PART = 4, 4


def begin(session: Session, staff: Staff, key: bytes) -> str:
    """The secret to put into the telephone; the same one until it is confirmed. Works for nobody yet."""
    if staff.totp_since is None and staff.totp_secret is not None and (known := _secret_of(staff, key)) is not None:
        return known
    if staff.totp_since is not None:
        raise InvalidField("The second step is on already; turn it off first.", field="code")
    secret = pyotp.random_base32()
    staff.totp_secret = _fernet(key).encrypt(secret.encode()).decode()
    session.flush()
    return secret


def address_of(staff: Staff, secret: str) -> str:
    """The otpauth address that a telephone reads from the square picture."""
    return pyotp.TOTP(secret, interval=STEP).provisioning_uri(name=staff.email, issuer_name=ISSUER)


def confirm(session: Session, staff: Staff, code: str, key: bytes, now: datetime) -> list[str]:
    """Turn the second step on with a first code; returns the recovery codes, which are shown this once.

    Raises:
        InvalidField: the code is wrong, or none was being set up.
    """
    if staff.totp_since is not None or not _take_totp(session, staff, code, key, now):
        raise InvalidField("This is not the code that the telephone shows now.", field="code")
    staff.totp_since = now
    record(session, "second_step_on", staff_id=staff.id, now=now)
    return new_recovery_codes(session, staff, now)


def turn_off(session: Session, staff: Staff, now: datetime, *, by: int | None) -> None:
    """Back to the password alone. The caller has checked who asks: the owner by password, or an administrator."""
    staff.totp_secret = staff.totp_since = staff.totp_step = None
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff.id))
    session.flush()
    record(session, "second_step_off", staff_id=by, now=now, account=staff.id)


def new_recovery_codes(session: Session, staff: Staff, now: datetime) -> list[str]:
    """Ten new codes; those before are void."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff.id))
    codes = [_new_code() for _ in range(CODES)]
    session.add_all(
        RecoveryCode(staff_id=staff.id, code_hash=_code_hash(staff, code), created_at=now) for code in codes
    )
    session.flush()
    record(session, "recovery_codes_made", staff_id=staff.id, now=now)
    return codes


def recovery_codes_left(session: Session, staff: Staff) -> int:
    unused = select(func.count()).where(RecoveryCode.staff_id == staff.id, RecoveryCode.used_at.is_(None))
    return session.scalars(unused).one()


def is_right(session: Session, staff: Staff, code: str, key: bytes, now: datetime) -> bool:
    """Whether this is a code of the account; it is used up by that, whichever of the two kinds it is."""
    if staff.totp_since is None:
        return False
    if _take_totp(session, staff, code, key, now):
        return True
    used = session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.staff_id == staff.id,
            RecoveryCode.code_hash == _code_hash(staff, code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )
    if not used.rowcount:  # type: ignore[attr-defined]
        return False
    record(session, "recovery_code_used", staff_id=staff.id, now=now)
    return True


def _take_totp(session: Session, staff: Staff, code: str, key: bytes, now: datetime) -> bool:
    secret = _secret_of(staff, key)
    if secret is None:
        return False
    given = "".join(code.split())
    present = int(now.timestamp()) // STEP
    codes = pyotp.TOTP(secret, interval=STEP)
    for step in range(present - DRIFT, present + DRIFT + 1):
        if hmac.compare_digest(codes.generate_otp(step).encode(), given.encode(errors="replace")):
            return _is_first_use(session, staff, step)
    return False


def _is_first_use(session: Session, staff: Staff, step: int) -> bool:
    """A code that somebody read over a shoulder, or one that is sent twice at once, opens nothing."""
    taken = session.execute(
        update(Staff)
        .where(Staff.id == staff.id, func.coalesce(Staff.totp_step, -1) < step)
        .values(totp_step=step)
        .execution_options(synchronize_session=False)
    )
    if not taken.rowcount:  # type: ignore[attr-defined]
        return False
    staff.totp_step = step
    return True


def _secret_of(staff: Staff, key: bytes) -> str | None:
    """None where there is none, or where it was encrypted with a key that is lost."""
    if staff.totp_secret is None:
        return None
    try:
        return _fernet(key).decrypt(staff.totp_secret.encode()).decode()
    except InvalidToken:
        return None


def _fernet(key: bytes) -> Fernet:
    # A key of its own: the same file signs cookies.
    return Fernet(base64.urlsafe_b64encode(hmac.digest(key, b"second step", "sha256")))


def _new_code() -> str:
    return "-".join("".join(secrets.choice(CODE_LETTERS) for _ in range(PART)) for _ in range(CODE_PARTS))


def _code_hash(staff: Staff, code: str) -> str:
    letters = "".join(letter for letter in code.lower() if letter.isalnum())
    return hashlib.sha256(f"{staff.id}:{letters}".encode(errors="replace")).hexdigest()
