"""A student on a card: promises, the record, the path, what is booked or agreed to; and what the bot understood."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.bookings.models import BookingState
from bot.bookings.queries import bookings_of, spans_of
from bot.bookings.wording import name_of, times_words
from bot.bootstrap import Services
from bot.buddies.models import OPEN, BuddyPairing, BuddyProfile, PairingState
from bot.clock import day_in_france
from bot.console.pages.desk.words import understanding_json
from bot.content.loader import Knowledge
from bot.conversations.models import Address, Author, Conversation, Message
from bot.handoff.desks import readable
from bot.handoff.models import Note, Task
from bot.i18n.formats import date_words
from bot.i18n.languages import language_name
from bot.i18n.translate import mark, say, say_n
from bot.identity.models import Role, Staff
from bot.paperwork.queries import view_of
from bot.paperwork.rules import Status
from bot.reminders.queries import unwanted_by
from bot.students import labels
from bot.students.facts import FactsError
from bot.students.models import Student

SEES_RECORDS = frozenset(Role) - {Role.EDITOR}
"""Editors write answers: they read conversations, not records."""
SHOWN_FACTS = ("programme_type", "campus", "school", "semester", "programme_start", "date_of_entry")
MOST_STEPS = 4
MOST_EARLIER = 5
MOST_UNDERSTOOD = 3
BOOKING_STATES = {
    BookingState.WAITING: mark("on the waiting list"),
    BookingState.HELD: mark("a place is kept for now"),
}
KINDS = {
    "all": mark("Reminders: none wanted"),
    "step": mark("No reminders of steps"),
    "booking": mark("No reminders of classes and appointments"),
    "campaign": mark("No messages of campaigns"),
}
CHANNELS = {"web": mark("Web page"), "telegram": mark("Telegram"), "mail": mark("Mail")}

NO_TOPIC = {
    "handoff": mark("A person is asked for"),
    "chat": mark("Small talk"),
    "urgent": mark("Something urgent"),
    "prompt": mark("An answer to the assistant's own question"),
    "failed": mark("The assistant could not answer"),
}
"""What was understood where no topic was, by what was done about it."""
COUNTED = frozenset({"answer", "clarify", "handoff", "chat"})
"""Of these the model says how sure it was."""

Line = tuple[str, str]
"""What, and its value."""


def card_of(
    services: Services,
    session: Session,
    staff: Staff,
    conversation: Conversation,
    student: Student | None,
    language: str,
) -> dict[str, Any]:
    """`state`: "unlinked", "closed" (the role sees no records) or "open" with everything else."""
    card: dict[str, Any] = {
        "channels": _channels(session, conversation, language),
        "pages": _pages(staff),
        "notes": _notes(session, conversation, language),
        "promises": _promises(session, conversation, day_in_france(services.clock.now()), language),
    }
    if student is None:
        return card | {"state": "unlinked"}
    if staff.role not in SEES_RECORDS:
        return card | {"state": "closed"}
    return card | {
        "state": "open",
        "name": f"{student.given_name} {student.family_name}",
        "email": student.email,
        "record": [*_record(student, language)],
        "path": _path(services, session, student, language),
        "bookings": _bookings(services, session, student, language),
        "buddy": _buddy(session, student, language),
        "consents": _consents(session, student, language),
        "earlier": _earlier(session, staff, student, conversation, language),
    }


def understood_in(
    session: Session, conversation: Conversation, knowledge: Knowledge, language: str
) -> list[dict[str, Any]]:
    """The student's last messages with what the bot made of them, newest first."""
    query = select(Message).where(Message.conversation_id == conversation.id).order_by(Message.seq.desc())
    answered = session.scalars(query.where(Message.author == Author.BOT, Message.in_reply_to.is_not(None)).limit(20))
    replies = [each for each in answered if each.understanding is not None][:MOST_UNDERSTOOD]
    asked = session.scalars(query.where(Message.seq.in_([each.in_reply_to for each in replies])))
    texts = {each.seq: each.text for each in asked}
    return [
        understanding_json(each.understanding, knowledge, language)
        | {
            "text": texts.get(each.in_reply_to or 0, ""),
            "label": each.understanding.get("intent") or "",
            "otherwise": say(language, NO_TOPIC.get(each.understanding["action"], "Nothing sure")),
            "is_sure": each.understanding["action"] in COUNTED,
            "topic": each.understanding.get("topic") if each.understanding.get("topic") in knowledge.topics else None,
        }
        for each in replies
        if each.understanding is not None
    ]


def _pages(staff: Staff) -> frozenset[str]:
    """The pages of the console that the role may open."""
    from bot.console.pages import PAGES

    return frozenset(page.path for page in PAGES if staff.role in page.roles)


def _notes(session: Session, conversation: Conversation, language: str) -> str:
    """How many; "" for none."""
    count = session.scalar(select(func.count()).where(Note.conversation_id == conversation.id)) or 0
    return say_n(language, "{number} private note", "{number} private notes", count) if count else ""


def _promises(session: Session, conversation: Conversation, today: date, language: str) -> list[dict[str, Any]]:
    """What was promised here and is still to be done, the most urgent first."""
    query = (
        select(Task, Staff.name)
        .join(Staff, Staff.id == Task.owner_id)
        .where(Task.conversation_id == conversation.id, Task.done_at.is_(None))
        .order_by(Task.due, Task.id)
    )
    return [
        {"text": task.text, "due": date_words(task.due, language), "late": task.due < today, "owner": owner}
        for task, owner in session.execute(query)
    ]


def _channels(session: Session, conversation: Conversation, language: str) -> list[str]:
    own = select(Address.channel, Address.blocked_at).where(Address.conversation_id == conversation.id)
    found = dict(session.execute(own).all()) | {conversation.channel: None}
    closed = say(language, "cannot be reached there")
    return [
        say(language, CHANNELS.get(channel, channel)) + (f" ({closed})" if blocked else "")
        for channel, blocked in sorted(found.items())
    ]


def _record(student: Student, language: str) -> Iterator[Line]:
    for fact in SHOWN_FACTS:
        if (value := student.facts.get(fact)) is not None:
            yield labels.fact_name(fact, language), labels.value_words(fact, value, language)
    yield say(language, "Language"), language_name(student.language, language)


def _path(services: Services, session: Session, student: Student, language: str) -> dict[str, Any] | None:
    """None where there is no path: a local student, or a record that cannot be read."""
    today = day_in_france(services.clock.now())
    try:
        view = view_of(session, student, services.procedures, services.knowledge, language, today)
    except FactsError:
        return None
    if not view.steps:
        return None
    done = sum(each.status is Status.DONE for each in view.steps)
    return {
        "done": say_n(language, "{number} step done", "{number} steps done", done),
        "left": say_n(language, "{number} step left", "{number} steps left", len(view.left)),
        "steps": [
            {
                "title": each.title.get(language),
                "due": date_words(each.due, language) if each.due else "",
                "overdue": each.overdue,
                "stuck": each.slug in view.stuck,
            }
            for each in view.left[:MOST_STEPS]
        ],
    }


def _bookings(services: Services, session: Session, student: Student, language: str) -> list[Line]:
    now = services.clock.now()
    return [
        (
            name_of(each.offer, language) + (f" ({say(language, state)})" if state else ""),
            times_words(spans_of(each.offer), language, now),
        )
        for each in bookings_of(session, student.id, now)
        for state in [BOOKING_STATES.get(each.state, "")]
    ]


def _buddy(session: Session, student: Student, language: str) -> list[str]:
    pairs = session.scalars(
        select(BuddyPairing).where(
            BuddyPairing.state.in_(OPEN),
            (BuddyPairing.newcomer_id == student.id) | (BuddyPairing.buddy_id == student.id),
        )
    )
    lines: list[str] = []
    for pair in pairs:
        other = session.get_one(Student, pair.buddy_id if pair.newcomer_id == student.id else pair.newcomer_id)
        name = f"{other.given_name} {other.family_name}"
        words = (
            mark("{name}: both said yes") if pair.state == PairingState.ACCEPTED else mark("{name}: not settled yet")
        )
        lines.append(say(language, words, name=name))
    return lines


def _consents(session: Session, student: Student, language: str) -> list[str]:
    lines = [say(language, KINDS[kind]) for kind in sorted(unwanted_by(session, student.id)) if kind in KINDS]
    if not lines:
        lines.append(say(language, "Reminders: not refused"))
    agreed = session.scalar(select(BuddyProfile.consented_at).where(BuddyProfile.student_id == student.id))
    if agreed is not None:
        day = date_words(day_in_france(agreed), language)
        lines.append(say(language, "Buddies: agreed on {date}", date=day))
    return lines


def _earlier(
    session: Session, staff: Staff, student: Student, conversation: Conversation, language: str
) -> dict[str, Any]:
    others = (Conversation.student_id == student.id, Conversation.id != conversation.id, readable(session, staff))
    latest = select(Conversation).where(*others).order_by(Conversation.updated_at.desc()).limit(MOST_EARLIER)
    return {
        "count": session.scalar(select(func.count()).select_from(Conversation).where(*others)) or 0,
        "rows": [
            (str(each.id), date_words(day_in_france(each.updated_at), language)) for each in session.scalars(latest)
        ],
    }
