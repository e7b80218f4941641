"""Writes of the talk: open a conversation, take a message in, append to it. Transactions are the caller's."""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bot.conversations.brought import (
    FILES,
    MOST_FILES_A_DAY,
    MOST_MEGABYTES_A_DAY,
    can_be_kept,
    clean_name,
    is_too_large,
    line_of,
    media_type_of,
)
from bot.conversations.messages import Brought, Button, IncomingMessage, Source
from bot.conversations.models import (
    Address,
    Attachment,
    AttachmentState,
    Author,
    Control,
    Conversation,
    InboxEntry,
    InboxState,
    Kind,
    Message,
    OutboxEntry,
)
from bot.conversations.states import Move, after
from bot.errors import BotIsSilent, DifferentContent, InvalidField, NoColleague, NotFound, TooMany, TooManyFiles

LONGEST_TEXT = 4000
"""Characters, of the widget and of colleagues."""
LONGEST_STORED = 4096
"""Of any channel: what Telegram lets people write."""
FAREWELL = "farewell"
"""In the `info` of a session: conversation → where the last word goes when the transaction takes the address away."""
LONGEST_ALBUM = 20
"""Messages to look back for files of the same album; Telegram puts at most 10 into one."""
PUSHED = frozenset({"telegram"})
"""Channels that do not read the transcript themselves: what is said goes to their outbox."""


def hash_token(token: str) -> str:
    """Tokens carry 256 random bits, so that a plain hash is enough to store them."""
    return hashlib.sha256(token.encode()).hexdigest()


def open_conversation(
    session: Session, *, language: str, language_chosen: bool, greeting: str, channel: str, now: datetime
) -> tuple[Conversation, str]:
    """A new conversation that starts with the greeting, and its secret token (shown once)."""
    token = secrets.token_urlsafe(32)
    conversation = Conversation(
        language=language,
        language_chosen=language_chosen,
        channel=channel,
        token_hash=hash_token(token),
        created_at=now,
        updated_at=now,
    )
    session.add(conversation)
    session.flush()
    append(session, conversation, Author.BOT, greeting, kind=Kind.NOTICE, now=now)
    return conversation, token


def append(
    session: Session,
    conversation: Conversation,
    author: Author,
    text: str,
    *,
    now: datetime,
    author_name: str | None = None,
    kind: Kind = Kind.TEXT,
    language: str | None = None,
    buttons: Sequence[Button] = (),
    sources: Sequence[Source] = (),
    in_reply_to: int | None = None,
    client_id: str | None = None,
    understanding: dict[str, Any] | None = None,
    staff_id: int | None = None,
) -> Message:
    """Add one message under the next `seq`, which the database hands out inside this transaction.

    Raises:
        BotIsSilent: the bot's words, while a colleague has the conversation: the database says so, not the caller.
    """
    session.flush()
    seq, control = session.execute(
        update(Conversation)
        .where(Conversation.id == conversation.id)
        .values(last_seq=Conversation.last_seq + 1, updated_at=now)
        .returning(Conversation.last_seq, Conversation.control)
        .execution_options(synchronize_session=False)
    ).one()
    if author == Author.BOT and after(Control(control), Move.SPEAK) is None:
        raise BotIsSilent
    session.refresh(conversation, ["last_seq", "updated_at"])
    message = Message(
        conversation_id=conversation.id,
        seq=seq,
        author=author,
        author_name=author_name,
        kind=kind,
        text=text,
        language=language or conversation.language,
        buttons=[
            {"key": secrets.token_urlsafe(12), "label": button.label, "payload": button.payload} for button in buttons
        ],
        sources=[source.as_json() for source in sources],
        in_reply_to=in_reply_to,
        client_id=client_id,
        understanding=understanding,
        staff_id=staff_id,
        created_at=now,
    )
    session.add(message)
    session.flush()
    if conversation.channel in PUSHED and author != Author.STUDENT:
        _push(session, conversation, seq, now)
    return message


def _push(session: Session, conversation: Conversation, seq: int, now: datetime) -> None:
    farewell = session.info.get(FAREWELL, {}).get(conversation.id)
    session.add(
        OutboxEntry(
            channel=conversation.channel,
            key=f"message:{conversation.id}:{seq}",
            conversation_id=conversation.id,
            payload={"seq": seq} if farewell is None else {"seq": seq, "to": farewell},
            next_at=now,
        )
    )
    session.flush()


def address_of(session: Session, channel: str, external: str) -> Address | None:
    """Where a messenger's chat leads, held until the transaction ends."""
    return session.scalar(
        select(Address)
        .where(Address.channel == channel, Address.external == external)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


@dataclass(frozen=True)
class Received:
    message: Message
    is_new: bool


def receive_message(session: Session, conversation_id: UUID, incoming: IncomingMessage, now: datetime) -> Received:
    """Store what a channel hands over, before the channel acknowledges anything. The one way in for every channel.

    A repeat (same channel and external id) returns the message already stored. A message to a closed conversation
    reopens it for the bot.

    Raises:
        DifferentContent: the external id came before with another content.
        InvalidField: the text is empty, too long or not valid Unicode.
        NoColleague: a file with its bytes, while no colleague has the conversation.
        TooManyFiles: such a file, and the conversation has brought as much as it may in a day.
    """
    text = _checked_text(incoming)
    conversation = locked_conversation(session, conversation_id)
    if (known := _known_entry(session, incoming)) is not None:
        if known.conversation_id != conversation_id or not _is_same(known.content, incoming.content):
            raise DifferentContent
        return Received(_message_at(session, conversation_id, known.seq), is_new=False)
    if incoming.brought is not None and incoming.brought.content is not None:
        check_takes_files(session, conversation, incoming)
    _student_writes(conversation)
    label = text if incoming.button is None else _label_of(session, conversation_id, incoming.button)
    content = incoming.content
    if (brought := incoming.brought) is not None:
        is_with_staff = conversation.control == Control.STAFF
        label = text.strip() or line_of(brought, conversation.language, is_with_staff=is_with_staff)
        is_wanted = is_with_staff and can_be_kept(brought)
        is_over = is_wanted and not has_room(session, conversation_id, Author.STUDENT, brought.size, now)
        if is_over and brought.content is not None:
            # Whoever waits for the answer to an upload is told at once, instead of by a line of the talk.
            raise TooManyFiles(files=MOST_FILES_A_DAY, limit=MOST_MEGABYTES_A_DAY)
        content |= {"kept": is_wanted and not is_over, "large": is_too_large(brought), "over": is_over}
    message = append(session, conversation, Author.STUDENT, label, now=now, client_id=incoming.external_id)
    if brought is not None and brought.kind in FILES and (content["kept"] or text.strip()):
        _note_file(session, message, brought, now, is_kept=content["kept"])
    session.add(
        InboxEntry(
            channel=incoming.channel,
            external_id=incoming.external_id,
            conversation_id=conversation_id,
            seq=message.seq,
            content=content,
            received_at=now,
            rated_at=None if _is_further_file(session, conversation_id, incoming) else incoming.sent_at,
        )
    )
    conversation.channel = incoming.channel
    session.flush()
    return Received(message, is_new=True)


def check_takes_files(session: Session, conversation: Conversation, incoming: IncomingMessage) -> None:
    """Raises NoColleague while no colleague has the conversation; what came before may come again."""
    if conversation.control != Control.STAFF and _known_entry(session, incoming) is None:
        raise NoColleague


def _student_writes(conversation: Conversation) -> None:
    """A closed conversation is the bot's again; whoever laid it aside has it back; there is nothing to be mailed."""
    control = after(conversation.control, Move.WRITE) or conversation.control
    if control != conversation.control:
        conversation.control, conversation.outcome, conversation.desk = control, None, None
        conversation.version += 1
    conversation.snoozed_until = None
    conversation.answer_due_at, conversation.answer_mailed = None, False


def _is_same(stored: dict[str, Any], incoming: dict[str, Any]) -> bool:
    """What became of a file is stored with it, and is no part of what the student sent."""
    return {**stored, **incoming} == stored


def has_room(session: Session, conversation_id: UUID, author: Author, size: int, now: datetime) -> bool:
    """Whether the student, or the colleagues, may bring one more file of so many bytes here within a day."""
    files, brought = session.execute(
        select(func.count(), func.coalesce(func.sum(Attachment.size), 0))
        .join(Message, Attachment.message_id == Message.id)
        .where(
            Message.conversation_id == conversation_id,
            Message.author == author,
            Attachment.state.in_((AttachmentState.PENDING, AttachmentState.KEPT)),
            Attachment.created_at > now - timedelta(days=1),
        )
    ).one()
    return bool(files < MOST_FILES_A_DAY and brought + size <= MOST_MEGABYTES_A_DAY * 1024 * 1024)


def _note_file(session: Session, message: Message, brought: Brought, now: datetime, *, is_kept: bool) -> None:
    """Note a file for the colleague. One that is kept is there or fetched by the channel; of another it is known that
    it was there."""
    coming = AttachmentState.PENDING if brought.content is None else AttachmentState.KEPT
    session.add(
        Attachment(
            message_id=message.id,
            external=brought.external if is_kept else "",
            content=brought.content if is_kept else None,
            state=coming if is_kept else AttachmentState.REFUSED,
            name=clean_name(brought.name),
            media_type=media_type_of(brought.media_type),
            size=brought.size,
            next_at=now,
            created_at=now,
        )
    )


def _checked_text(incoming: IncomingMessage) -> str:
    if incoming.button is not None:
        return ""
    text = incoming.text or ""
    if not text.strip() and incoming.brought is None:
        raise InvalidField("The text is empty: write something.", field="text")
    if len(text) > LONGEST_STORED:
        raise InvalidField(f"The text has {len(text)} characters; {LONGEST_STORED} are possible.", field="text")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidField("The text holds half a character (a lone surrogate).", field="text") from error
    if "\x00" in text:
        raise InvalidField("The text holds a zero character, which cannot be stored.", field="text")
    return text


def locked_conversation(session: Session, conversation_id: UUID) -> Conversation:
    """The conversation, held against other writers until the transaction ends (SQLite holds the whole file).

    Raises:
        NotFound: there is none.
    """
    conversation = session.scalar(
        select(Conversation)
        .where(Conversation.id == conversation_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if conversation is None:
        raise NotFound
    return conversation


def _known_entry(session: Session, incoming: IncomingMessage) -> InboxEntry | None:
    return session.scalar(
        select(InboxEntry).where(InboxEntry.channel == incoming.channel, InboxEntry.external_id == incoming.external_id)
    )


def _message_at(session: Session, conversation_id: UUID, seq: int) -> Message:
    return session.scalars(select(Message).where(Message.conversation_id == conversation_id, Message.seq == seq)).one()


def button_payload(session: Session, conversation_id: UUID, key: str) -> tuple[str, dict[str, Any]] | None:
    """(label, payload) of a button of this conversation, or None for an unknown key."""
    recent = session.scalars(
        select(Message)
        .where(Message.conversation_id == conversation_id, Message.author != Author.STUDENT)
        .order_by(Message.seq.desc())
        .limit(200)
    )
    for message in recent:
        for button in message.buttons:
            if secrets.compare_digest(button["key"].encode(), key.encode(errors="replace")):
                return str(button["label"]), dict(button["payload"])
    return None


def _label_of(session: Session, conversation_id: UUID, key: str) -> str:
    found = button_payload(session, conversation_id, key)
    return found[0] if found else "…"


def edit_message(session: Session, conversation_id: UUID, channel: str, external_id: str, text: str) -> bool:
    """The student has changed a message. The row follows; its turn as well while it is unanswered.

    Returns False when there is no such text of theirs (a press of a button, a message from before we met).
    """
    locked_conversation(session, conversation_id)
    entry = session.scalar(
        select(InboxEntry).where(
            InboxEntry.channel == channel,
            InboxEntry.external_id == external_id,
            InboxEntry.conversation_id == conversation_id,
        )
    )
    if entry is None or "text" not in entry.content:
        return False
    _message_at(session, conversation_id, entry.seq).text = text
    # Also when it is answered: what Telegram may hand over again must not bring the old words back.
    entry.content = {**entry.content, "text": text}
    session.flush()
    return True


def check_rate(
    session: Session,
    conversation_id: UUID,
    incoming: IncomingMessage,
    *,
    per_minute: int,
    is_urgent: Callable[[str], bool],
) -> None:
    """Raises TooMany when the student sent `per_minute` messages in the minute before this one.

    It is counted by when they were sent: what waited while we were away was not written fast. A repeat and the further
    files of an album cost nothing. Words of danger are taken in beyond the limit, as many again.
    """
    if _known_entry(session, incoming) is not None or _is_further_file(session, conversation_id, incoming):
        return
    sent, oldest = session.execute(
        select(func.count(), func.min(InboxEntry.rated_at)).where(
            InboxEntry.conversation_id == conversation_id,
            InboxEntry.rated_at > incoming.sent_at - timedelta(minutes=1),
            InboxEntry.rated_at <= incoming.sent_at,
        )
    ).one()
    if sent < per_minute or (sent < 2 * per_minute and is_urgent(incoming.text or "")):
        return
    over_at = (oldest or incoming.sent_at) + timedelta(minutes=1)
    raise TooMany(retry_after=max(1, int((over_at - incoming.sent_at).total_seconds()) + 1))


def _is_further_file(session: Session, conversation_id: UUID, incoming: IncomingMessage) -> bool:
    """Whether another file of the same album came before."""
    if incoming.brought is None or not incoming.brought.album:
        return False
    earlier = session.scalars(
        select(InboxEntry.content)
        .where(InboxEntry.conversation_id == conversation_id)
        .order_by(InboxEntry.id.desc())
        .limit(LONGEST_ALBUM)
    )
    return any(content.get("album") == incoming.brought.album for content in earlier)


def set_language(conversation: Conversation, language: str, now: datetime) -> None:
    """The student's own choice: from now on detection leaves it alone."""
    conversation.language = language
    conversation.language_chosen = True
    conversation.updated_at = now


def finish_entry(session: Session, entry_id: int, now: datetime) -> bool:
    """Mark an inbox row done. False when somebody else already did, or an earlier row of the talk is still pending."""
    entry = session.get_one(InboxEntry, entry_id, populate_existing=True)
    earlier = session.scalar(
        select(func.count()).where(
            InboxEntry.conversation_id == entry.conversation_id,
            InboxEntry.state == InboxState.PENDING,
            InboxEntry.id < entry_id,
        )
    )
    if entry.state != InboxState.PENDING or earlier:
        return False
    entry.state = InboxState.DONE
    entry.done_at = now
    session.flush()
    return True
