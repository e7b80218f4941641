from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Thread

import pyotp
import pytest
from sqlalchemy import func, select

from bot.db.session import Database
from bot.errors import InvalidField, NotFound, NotSignedIn, TooMany
from bot.identity import staff as staff_module
from bot.identity.models import Role, SignInAttempt, Staff, StaffSession, StaffToken
from bot.identity.second_step import begin, confirm
from bot.identity.staff import (
    CodeNeeded,
    Visitor,
    all_staff,
    create_staff,
    disable_staff,
    is_stale,
    keep_alive,
    make_token,
    session_of,
    set_password,
    sign_in,
    sign_out,
    staff_of_email,
    staff_of_token,
    take_second_step,
)
from tests.integration.identity.conftest import PASSWORD

HERE = "192.0.2.1"


def enter(database: Database, email, password, at, address=HERE) -> tuple[str, str]:
    with database.write() as session:
        _staff, token, csrf_token = sign_in(session, email, password, address, at)
        return token, csrf_token


def who(database: Database, token, at):
    with database.read() as session:
        return session_of(session, token, at)


def test_the_right_password_opens_a_session(database, claire, now):
    token, csrf_token = enter(database, "  Claire@accueil.example", PASSWORD, now)

    signed_in = who(database, token, now)

    assert signed_in.staff.email == claire
    assert signed_in.csrf_token == csrf_token
    with database.read() as session:
        assert token not in session.scalars(select(StaffSession.token_hash)).one()


def test_every_sign_in_has_a_token_of_its_own(database, claire, now):
    assert enter(database, claire, PASSWORD, now) != enter(database, claire, PASSWORD, now)


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda session, email, now: set_password(session, staff_of_email(session, email), "another brick in it", now),
        disable_staff,
    ],
)
def test_a_password_that_is_replaced_while_it_is_looked_at_opens_nothing(database, claire, now, monkeypatch, meanwhile):
    look, elsewhere = staff_module._verified, Database(database.url)

    def slowly(known: str, given: str) -> bool:
        with elsewhere.write() as other:
            meanwhile(other, claire, now)
        return look(known, given)

    monkeypatch.setattr(staff_module, "_verified", slowly)
    with pytest.raises(NotSignedIn, match=r"^The e-mail address or the password is wrong\.$"):
        enter(database, claire, PASSWORD, now)
    elsewhere.close()
    monkeypatch.undo()

    with database.read() as session:
        assert session.scalars(select(StaffSession)).all() == []
    with pytest.raises(NotSignedIn):
        enter(database, claire, PASSWORD, now)


def test_a_second_step_that_is_under_way_ends_with_the_password(database, claire, now, monkeypatch):
    key, before = b"k" * 32, now - timedelta(minutes=10)
    with database.write() as session:
        account = staff_of_email(session, claire)
        codes = pyotp.TOTP(begin(session, account, key))
        recovery = confirm(session, account, codes.at(before), key, before)
    with database.write() as session, pytest.raises(CodeNeeded) as needed:
        sign_in(session, claire, PASSWORD, HERE, now)
    open_session, elsewhere = staff_module._open, Database(database.url)
    threads = []

    def slowly(*given):
        """Somebody sets a new password when the code was found right, and may have to wait."""
        threads.append(Thread(target=replace))
        threads[0].start()
        threads[0].join(0.3)
        return open_session(*given)

    def replace() -> None:
        with elsewhere.write() as other:
            set_password(other, staff_of_email(other, claire), "another brick in it", now)

    monkeypatch.setattr(staff_module, "_open", slowly)
    with database.write() as session:
        take_second_step(session, needed.value.code_pass, recovery[0], Visitor(HERE, key=key), now)
    threads[0].join()
    elsewhere.close()

    with database.read() as session:
        assert session.scalars(select(StaffSession)).all() == []


@pytest.mark.parametrize("email", ["claire@accueil.example", "nobody@accueil.example", "", "x" * 5000])
def test_a_wrong_password_and_an_unknown_account_get_the_same_refusal(database, claire, now, email):
    with pytest.raises(NotSignedIn, match=r"^The e-mail address or the password is wrong\.$"):
        enter(database, email, "not the password", now)


def test_an_account_without_a_password_and_a_disabled_one_get_the_same_refusal(database, claire, now):
    with database.write() as session:
        create_staff(session, "marc@accueil.example", "Marc", Role.ADMIN, now)
        disable_staff(session, claire, now)

    for email, password in (("marc@accueil.example", ""), (claire, PASSWORD)):
        with pytest.raises(NotSignedIn, match=r"^The e-mail address or the password is wrong\.$"):
            enter(database, email, password, now)


def fail(database: Database, email, at, address=HERE, times=1) -> None:
    for _ in range(times):
        with pytest.raises(NotSignedIn):
            enter(database, email, "not the password", at, address)


@pytest.mark.parametrize("email", ["claire@accueil.example", "nobody@accueil.example"])
def test_after_five_failures_even_the_right_password_waits(database, claire, now, email):
    for number in range(5):
        fail(database, email, now + timedelta(minutes=number), address=f"192.0.2.{number}")

    with pytest.raises(TooMany) as refusal:
        enter(database, email, PASSWORD, now + timedelta(minutes=5))

    assert refusal.value.details == {"retry_after": 10 * 60}


def test_the_wait_of_an_account_ends_after_a_quarter_of_an_hour(database, claire, now):
    fail(database, claire, now, times=5)

    token, _ = enter(database, claire, PASSWORD, now + timedelta(minutes=15))

    assert who(database, token, now + timedelta(minutes=15)).staff.email == claire


def test_success_forgets_the_failures_of_the_account(database, claire, now):
    fail(database, claire, now, times=4)
    enter(database, claire, PASSWORD, now)

    fail(database, claire, now, times=4)
    enter(database, claire, PASSWORD, now)


def test_one_address_is_stopped_whatever_accounts_it_tries(database, claire, now):
    for number in range(20):
        fail(database, f"guess{number}@accueil.example", now)

    with pytest.raises(TooMany):
        enter(database, claire, PASSWORD, now)
    token, _ = enter(database, claire, PASSWORD, now, address="192.0.2.2")

    assert who(database, token, now).staff.email == claire


def test_five_guesses_are_five_when_they_come_at_the_same_time(database, claire, now, monkeypatch):
    looked = []
    monkeypatch.setattr(staff_module, "_verified", lambda *_: bool(looked.append(1)))
    together = Barrier(12)

    def guess(number: int) -> type[Exception]:
        together.wait()
        with pytest.raises((NotSignedIn, TooMany)) as refused:
            enter(database, claire, f"guess {number}", now, f"192.0.2.{number}")
        return refused.type

    with ThreadPoolExecutor(12) as pool:
        refusals = list(pool.map(guess, range(12)))

    assert len(looked) == 5
    assert (refusals.count(NotSignedIn), refusals.count(TooMany)) == (5, 7)


def test_attempts_are_kept_for_a_day(database, claire, now):
    fail(database, "nobody@accueil.example", now)

    enter(database, claire, PASSWORD, now + timedelta(days=1, seconds=1))

    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(SignInAttempt)) == 0


def test_a_session_ends_after_thirty_idle_minutes(database, claire, now):
    token, _ = enter(database, claire, PASSWORD, now)

    assert who(database, token, now + timedelta(minutes=29)).staff.email == claire
    with pytest.raises(NotSignedIn):
        who(database, token, now + timedelta(minutes=30))


def test_looking_does_not_keep_a_session_alive_and_doing_does(database, claire, now):
    token, _ = enter(database, claire, PASSWORD, now)
    later = now + timedelta(minutes=29)
    with database.write() as session:
        keep_alive(session, session_of(session, token, later), later)

    assert who(database, token, now + timedelta(minutes=58)).seen_at == later
    with pytest.raises(NotSignedIn):
        who(database, token, now + timedelta(minutes=59))


def test_a_session_is_written_at_most_once_a_minute(database, claire, now):
    token, _ = enter(database, claire, PASSWORD, now)
    signed_in = who(database, token, now)

    assert not is_stale(signed_in, now + timedelta(seconds=59))
    assert is_stale(signed_in, now + timedelta(seconds=60))


def test_a_session_ends_after_twelve_hours_however_busy(database, claire, now):
    token, _ = enter(database, claire, PASSWORD, now)
    for quarters in range(1, 48):
        at = now + timedelta(minutes=15 * quarters)
        with database.write() as session:
            keep_alive(session, session_of(session, token, at), at)

    with pytest.raises(NotSignedIn):
        who(database, token, now + timedelta(hours=12))


def test_signing_out_ends_the_session_and_twice_is_fine(database, claire, now):
    token, _ = enter(database, claire, PASSWORD, now)
    for _ in range(2):
        with database.write() as session:
            sign_out(session, token, now)

    with pytest.raises(NotSignedIn):
        who(database, token, now)


def test_disabling_an_account_ends_its_sessions_and_tokens(database, claire, now):
    token, _ = enter(database, claire, PASSWORD, now)
    with database.write() as session:
        personal_token = make_token(session, claire, now)
        disable_staff(session, claire, now)

    with pytest.raises(NotSignedIn):
        who(database, token, now)
    with database.read() as session, pytest.raises(NotSignedIn):
        staff_of_token(session, personal_token)
    with database.write() as session, pytest.raises(NotSignedIn):
        make_token(session, claire, now)


def test_a_session_of_an_account_disabled_behind_our_back_is_refused(database, claire, now):
    token, _ = enter(database, claire, PASSWORD, now)
    with database.write() as session:
        staff_of_email(session, claire).disabled = True

    with pytest.raises(NotSignedIn):
        who(database, token, now)


def test_a_new_password_signs_the_browsers_out(database, claire, now):
    token, _ = enter(database, claire, PASSWORD, now)
    with database.write() as session:
        set_password(session, staff_of_email(session, claire), "another brick and canal", now)

    with pytest.raises(NotSignedIn):
        who(database, token, now)
    with pytest.raises(NotSignedIn):
        enter(database, claire, PASSWORD, now)
    enter(database, claire, "another brick and canal", now)


def test_a_password_may_be_typed_composed_or_not(database, claire, now):
    with database.write() as session:
        set_password(session, staff_of_email(session, claire), "caf\u00e9 au bord du canal", now)

    enter(database, claire, "cafe\u0301 au bord du canal", now)


@pytest.mark.parametrize(
    "password", ["eleven char", "x" * 257, "claire@accueil.example", "Claire@Accueil.Example", "ababababababab", ""]
)
def test_a_weak_password_is_refused(database, claire, now, password):
    with database.write() as session, pytest.raises(InvalidField) as refusal:
        set_password(session, staff_of_email(session, claire), password, now)

    assert refusal.value.details == {"field": "password"}


@pytest.mark.parametrize(
    ("email", "name", "language", "field"),
    [
        ("claire@accueil.example", "Claire", "en", "email"),
        ("no address", "Marc", "en", "email"),
        ("marc@accueil.example", " ", "en", "name"),
        ("marc@accueil.example", "Marc", "tlh", "language"),
    ],
)
def test_an_account_that_cannot_be_is_refused(database, claire, now, email, name, language, field):
    with database.write() as session, pytest.raises(InvalidField) as refusal:
        create_staff(session, email, name, Role.ADMIN, now, language=language)

    assert refusal.value.details == {"field": field}


def test_a_personal_token_is_stored_hashed_and_names_its_account(database, claire, now):
    with database.write() as session:
        token = make_token(session, claire, now)

    with database.read() as session:
        assert staff_of_token(session, token).email == claire
        assert session.scalars(select(StaffToken.token_hash)).one() != token
        with pytest.raises(NotSignedIn):
            staff_of_token(session, token + "x")
    assert len(token) >= 22


def test_when_a_colleague_was_last_seen_stays_after_they_sign_out(database, claire, now):
    def seen():
        with database.read() as session:
            return session.scalars(select(Staff.seen_at)).one()

    assert seen() is None
    with database.write() as session:
        _, token, _ = sign_in(session, claire, PASSWORD, "192.0.2.1", now)
    assert seen() == now
    later = now + timedelta(minutes=5)
    with database.write() as session:
        keep_alive(session, session_of(session, token, later), later)
    with database.write() as session:
        sign_out(session, token, later + timedelta(minutes=5))
    assert seen() == later


def test_an_unknown_account_has_no_token(database, now):
    with database.write() as session, pytest.raises(NotFound):
        make_token(session, "nobody@accueil.example", now)


def test_all_staff_are_listed_by_address(database, claire, now):
    with database.write() as session:
        create_staff(session, "amir@accueil.example", "Amir", Role.EDITOR, now)

    with database.read() as session:
        assert [staff.email for staff in all_staff(session)] == ["amir@accueil.example", claire]
        assert session.scalar(select(func.count()).select_from(Staff)) == 2
