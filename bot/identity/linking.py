"""Linking a conversation to a student's record by a one-time code sent to the school mailbox.

Proof that somebody controls a mailbox, no more: enough for answers from the record, never for marks, payments or
decisions. `conversation.prompt` holds our pending question: {"kind": "link_email" | "link_code", "expires_at": ISO
instant, "code": id of the LinkCode}.
"""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from bot.conversations.messages import Answer, Button, Understanding
from bot.conversations.models import Conversation, OutboxEntry
from bot.i18n.translate import say, say_n
from bot.identity.addresses import CODE_DIGITS, code_in, email_in, is_address_alone, is_digits_alone, plain
from bot.identity.audit import record
from bot.identity.models import LinkCode, SignInAttempt
from bot.students.models import Student
from bot.students.records import student_by_email

CODE_LIFE = timedelta(minutes=10)
PROMPT_LIFE = timedelta(minutes=15)
MOST_TRIES = 5
MOST_CODES = 5
CODES_WINDOW = timedelta(hours=1)
REQUESTS_KEPT = timedelta(days=1)
NOWHERE = "nowhere"
"""A channel that nobody delivers."""

CANCEL_WORDS = frozenset(
    {"cancel", "stop", "annuler", "annule", "cancelar", "скасувати", "відміна", "إلغاء", "الغاء", "取消"}
)
"""What ends our question, in each of our languages."""

CANCEL = {"effect": "cancel_prompt"}
START = {"effect": "start_link"}
UNLINK = {"effect": "unlink"}


@dataclass(frozen=True)
class Prompt:
    """Our pending question, read from the conversation."""

    kind: Literal["link_email", "link_code"]
    expires_at: datetime
    code_id: int | None


def looks_like_credentials(text: str) -> bool:
    """Whether a text hands over an address or a code: something for `handle_prompt`, not for the engine."""
    return is_address_alone(text) or code_in(text) is not None


def ask_for_email(session: Session, conversation: Conversation, now: datetime) -> Answer:
    """Start linking: ask for the school mailbox. Who is linked already is told so."""
    language = conversation.language
    if (student := _linked_student(session, conversation)) is not None:
        return _already_linked(language, student)
    _expect(conversation, "link_email", now + PROMPT_LIFE)
    session.flush()
    text = say(
        language,
        "Write me the address of your school mailbox and I send you a code of six digits. "
        "With it I know that the record is yours.",
    )
    return _answer(text, _cancel_button(language))


def cancel_prompt(session: Session, conversation: Conversation, now: datetime) -> Answer:
    """Give our question up; a code on its way is void."""
    _void_codes(session, conversation.id, now)
    conversation.prompt = None
    session.flush()
    language = conversation.language
    return _answer(say(language, "All right, I do not link anything. Ask me whatever you like."))


def unlink(session: Session, conversation: Conversation, now: datetime) -> Answer:
    """Forget whose conversation this is. What was said stays in it. Twice changes nothing."""
    language = conversation.language
    was_linked = conversation.student_id is not None
    _void_codes(session, conversation.id, now)
    conversation.prompt = None
    conversation.student_id = None
    session.flush()
    if not was_linked:
        return _answer(say(language, "This conversation is not linked to a record."), _start_button(language))
    record(session, "unlink", staff_id=None, now=now, conversation_id=conversation.id)
    text = say(
        language,
        "This conversation is no longer linked to your record: from now on my answers are general ones. "
        "What was said before stays in the conversation.",
    )
    return _answer(text, _start_button(language))


def handle_prompt(
    session: Session, conversation: Conversation, text: str, now: datetime, *, mail_domains: Collection[str]
) -> Answer | None:
    """What a text means for linking, inside the transaction that commits the turn. None: nothing, answer it normally.

    `mail_domains`: lower case, without the @. Only they get mail, but every address gets the same reply. Addresses and
    codes are taken also where no question of ours is pending.
    """
    language = conversation.language
    prompt = _pending(conversation, now)
    kind = prompt.kind if prompt else None
    if kind is not None and plain(text).strip(" .!").casefold() in CANCEL_WORDS:
        return cancel_prompt(session, conversation, now)
    address = email_in(text) if kind is not None or is_address_alone(text) else None
    code = code_in(text)
    if address is None and code is None:
        return _digits_missing(language) if kind == "link_code" and is_digits_alone(text) else None
    if (student := _linked_student(session, conversation)) is not None:
        return _already_linked(language, student) if address is not None else None
    if address is not None:
        return _send_code(session, conversation, address, now, mail_domains)
    if code is not None and prompt is not None and prompt.code_id is not None:
        return _check_code(session, conversation, prompt.code_id, code, now)
    if _raw_kind(conversation) == "link_code":
        return _code_is_over(session, conversation, now, say(language, "This code has expired."))
    text = say(language, "No code is pending here. To link your record I need the address of your school mailbox.")
    return _answer(text, _start_button(language))


def code_hash(conversation_id: UUID, code: str) -> str:
    """What is stored of a code; in another conversation the same digits have another hash."""
    return hmac.new(conversation_id.bytes, code.encode(), hashlib.sha256).hexdigest()


def _send_code(
    session: Session, conversation: Conversation, address: str, now: datetime, mail_domains: Collection[str]
) -> Answer:
    language = conversation.language
    if (wait := _wait_for_code(session, conversation.id, address, now)) is not None:
        minutes = max(1, round(wait.total_seconds() / 60))
        text = say_n(
            language,
            "Too many codes were asked for within an hour. Please try again in {number} minute.",
            "Too many codes were asked for within an hour. Please try again in {number} minutes.",
            minutes,
        )
        return _answer(text, _cancel_button(language))
    _void_codes(session, conversation.id, now)
    is_ours = address.partition("@")[2] in mail_domains
    student = student_by_email(session, address)
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
    row = LinkCode(
        conversation_id=conversation.id,
        student_id=student.id if student is not None and is_ours else None,
        code_hash=code_hash(conversation.id, code),
        created_at=now,
        expires_at=now + CODE_LIFE,
    )
    session.add(row)
    session.add(SignInAttempt(key=address_key(address), at=now))
    session.flush()
    # Numbers of codes come again once old codes are deleted; in one conversation a new code removes the older row.
    key = f"link_code:{conversation.id}:{row.id}"
    if student is not None and is_ours:
        payload = {"kind": "link_code", "code": code, "expires_at": row.expires_at.isoformat()}
        _mail(session, conversation, student, key, payload, now)
    else:
        _mail_to_nobody(session, conversation, key, now)
    _expect(conversation, "link_code", row.expires_at, row.id)
    session.flush()
    text = say(
        language,
        "If {address} is the school mailbox of a student, a code is on its way. Write its six digits here; "
        "it works for {minutes} minutes. Nothing there? Look into the junk folder, or write the address again.",
        address=address,
        minutes=int(CODE_LIFE.total_seconds() // 60),
    )
    return _answer(text, _cancel_button(language))


def _check_code(session: Session, conversation: Conversation, code_id: int, code: str, now: datetime) -> Answer:
    language = conversation.language
    row = session.scalar(
        select(LinkCode)
        .where(LinkCode.id == code_id, LinkCode.conversation_id == conversation.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None or row.used_at is not None or row.tries >= MOST_TRIES or now >= row.expires_at:
        return _code_is_over(session, conversation, now, say(language, "This code has expired."))
    is_right = hmac.compare_digest(row.code_hash, code_hash(conversation.id, code))
    # Looked up for a right code alone: a wrong one must not take longer where there is a student.
    student = session.get(Student, row.student_id) if is_right and row.student_id is not None else None
    if student is not None:
        row.used_at = now
        return _link(session, conversation, student, now)
    row.tries += 1
    left = MOST_TRIES - row.tries
    if left == 0:
        text = say(language, "That was the fifth wrong code: it no longer works.")
        return _code_is_over(session, conversation, now, text)
    session.flush()
    text = say_n(
        language,
        "That is not the code. You have {number} try left.",
        "That is not the code. You have {number} tries left.",
        left,
    )
    return _answer(text, _cancel_button(language))


def _link(session: Session, conversation: Conversation, student: Student, now: datetime) -> Answer:
    conversation.student_id = student.id
    conversation.prompt = None
    if not conversation.language_chosen:
        conversation.language = student.language
    session.flush()
    record(session, "link", staff_id=None, now=now, conversation_id=conversation.id)
    _mail(session, conversation, student, f"linked:{conversation.id}:{now.isoformat()}", {"kind": "linked"}, now)
    language = conversation.language
    text = say(
        language,
        "You are linked, {name}. From now on I answer from your record where that makes a difference.",
        name=student.given_name,
    )
    if conversation.last_topic is None:
        return _answer(text)
    return _answer(text, Button(say(language, "Show my own answer"), {"topic": conversation.last_topic}))


def _code_is_over(session: Session, conversation: Conversation, now: datetime, why: str) -> Answer:
    language = conversation.language
    _void_codes(session, conversation.id, now)
    _expect(conversation, "link_email", now + PROMPT_LIFE)
    session.flush()
    ask = say(language, "Write me the address of your school mailbox for a new one.")
    return _answer(f"{why} {ask}", _cancel_button(language))


def _digits_missing(language: str) -> Answer:
    return _answer(say(language, "A code has six digits. Look at the mail once more."), _cancel_button(language))


def _already_linked(language: str, student: Student) -> Answer:
    text = say(language, "You are already linked, {name}: I answer from your record.", name=student.given_name)
    return _answer(text, Button(say(language, "Remove the link"), UNLINK))


def _wait_for_code(session: Session, conversation_id: UUID, address: str, now: datetime) -> timedelta | None:
    """How long until this conversation may have a code for this address, None when it may now.

    The address is counted whether or not it belongs to a student, so that a refusal tells nothing.
    """
    since = now - CODES_WINDOW
    session.execute(delete(SignInAttempt).where(SignInAttempt.at < now - REQUESTS_KEPT))
    of_conversation = session.execute(
        select(func.count(), func.min(LinkCode.created_at)).where(
            LinkCode.conversation_id == conversation_id, LinkCode.created_at > since
        )
    ).one()
    of_address = session.execute(
        select(func.count(), func.min(SignInAttempt.at)).where(
            SignInAttempt.key == address_key(address), SignInAttempt.at > since
        )
    ).one()
    waits = [oldest + CODES_WINDOW - now for count, oldest in (of_conversation, of_address) if count >= MOST_CODES]
    return max(waits, default=None)


def address_key(address: str) -> str:
    """Hashed: whose mailbox was asked for is not kept in clear, even for a day."""
    return f"link:{hashlib.sha256(address.encode()).hexdigest()}"


def _void_codes(session: Session, conversation_id: UUID, now: datetime) -> None:
    session.execute(
        update(LinkCode)
        .where(LinkCode.conversation_id == conversation_id, LinkCode.expires_at > now)
        .values(expires_at=now)
    )
    session.execute(
        delete(OutboxEntry).where(
            OutboxEntry.conversation_id == conversation_id, OutboxEntry.key.startswith("link_code:")
        )
    )


def _mail(
    session: Session, conversation: Conversation, student: Student, key: str, payload: dict[str, str], now: datetime
) -> None:
    session.add(
        OutboxEntry(
            channel="mail",
            key=key,
            conversation_id=conversation.id,
            payload={"to": student.email, "name": student.given_name, "language": student.language, **payload},
            next_at=now,
        )
    )


def _mail_to_nobody(session: Session, conversation: Conversation, key: str, now: datetime) -> None:
    """A row that no channel takes, where a known address gets a mail: the same work, hence the same time."""
    session.add(OutboxEntry(channel=NOWHERE, key=key, conversation_id=conversation.id, payload={}, next_at=now))


def _linked_student(session: Session, conversation: Conversation) -> Student | None:
    return session.get(Student, conversation.student_id) if conversation.student_id is not None else None


def _expect(
    conversation: Conversation,
    kind: Literal["link_email", "link_code"],
    expires_at: datetime,
    code_id: int | None = None,
) -> None:
    conversation.prompt = {"kind": kind, "expires_at": expires_at.isoformat(), "code": code_id}


def _raw_kind(conversation: Conversation) -> str | None:
    return str(conversation.prompt["kind"]) if conversation.prompt else None


def _pending(conversation: Conversation, now: datetime) -> Prompt | None:
    """Our question while it is open; a prompt of another kind is not ours."""
    stored = conversation.prompt
    if stored is None:
        return None
    expires_at = datetime.fromisoformat(stored["expires_at"])
    if expires_at <= now:
        return None
    match stored["kind"]:
        case "link_email" | "link_code" as kind:
            return Prompt(kind, expires_at, stored.get("code"))
        case _:
            return None


def _cancel_button(language: str) -> Button:
    return Button(say(language, "Cancel"), CANCEL)


def _start_button(language: str) -> Button:
    return Button(say(language, "Link my record"), START)


def _answer(text: str, *buttons: Button) -> Answer:
    return Answer(text, Understanding(intent="identity", confidence=1.0, action="prompt"), buttons=buttons)
