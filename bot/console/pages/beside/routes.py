"""Beside the composer, as pieces of HTML: the student's card, canned replies, the answers that we know."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy.orm import Session

from bot.answers.search import by_meaning, search
from bot.bootstrap import Services
from bot.clock import day_in_france
from bot.console.access import ServicesDep, by_session, staff_by_session
from bot.console.desk import note_reading, only_readable
from bot.console.html import console_language, html
from bot.console.pages.beside.card import SEES_RECORDS, card_of, understood_in
from bot.console.pages.beside.pairs import Told, pair_of
from bot.conversations.models import Conversation
from bot.handoff.queries import inbox_row
from bot.handoff.service import MAY_ANSWER
from bot.i18n.languages import BY_CODE, language_name
from bot.i18n.translate import say
from bot.identity.models import Staff
from bot.identity.staff import SignedIn
from bot.paperwork.queries import steps_done
from bot.replies.rules import VARIABLES, chosen_language, fallback_note, fill
from bot.replies.service import find, one
from bot.replies.values import values_of
from bot.students.facts import Facts, FactsError
from bot.students.models import Student
from bot.students.records import facts_of

PATH = "/staff/beside/{conversation_id}"
MOST_ANSWERS = 6
SignedInDep = Annotated[SignedIn, Depends(by_session)]
Typed = Annotated[str, Query(max_length=400)]


def routes() -> APIRouter:
    router = APIRouter(dependencies=[Depends(only_readable(staff_by_session))])
    router.add_api_route(PATH, panel, methods=["GET"], response_class=Response)
    router.add_api_route(f"{PATH}/replies", replies, methods=["GET"], response_class=Response)
    router.add_api_route(f"{PATH}/answers", answers, methods=["GET"], response_class=Response)
    return router


def opened(session: Session, conversation_id: UUID) -> tuple[Conversation, Student | None]:
    """The conversation and the linked record; that the colleague may read it is checked before. Raises NotFound."""
    row = inbox_row(session, conversation_id)
    return row.conversation, row.student


def panel(services: ServicesDep, signed_in: SignedInDep, conversation_id: UUID) -> Response:
    """The whole of it with the card; opening it is a reading for the audit log."""
    staff, language = signed_in.staff, console_language(signed_in.staff.language)
    with services.database.read() as session:
        conversation, student = opened(session, conversation_id)
        card = card_of(services, session, staff, conversation, student, language)
        understood = understood_in(session, conversation, services.knowledge, language)
    note_reading(services, staff, conversation_id)
    return html(
        "beside.html",
        language,
        card=card,
        understood=understood,
        path=PATH.format(conversation_id=conversation_id),
        may_answer=staff.role in MAY_ANSWER,
    )


def replies(
    services: ServicesDep,
    signed_in: SignedInDep,
    conversation_id: UUID,
    q: Typed = "",
    reply_id: Annotated[int, Query(alias="id", ge=0, le=2**31 - 1)] = 0,
) -> Response:
    """Replies by words or "/shortcut"; with `id` that one, filled for this student."""
    staff, language = signed_in.staff, console_language(signed_in.staff.language)
    with services.database.read() as session:
        conversation, student = opened(session, conversation_id)
        chosen = one(session, staff, reply_id) if reply_id else None
        preview = _preview(services, session, staff, conversation, student, chosen.texts) if chosen else None
        found = [] if chosen else [(each.id, each.shortcut, each.name) for each in find(session, staff, q)]
        name = chosen.name if chosen else ""
    note_reading(services, staff, conversation_id)
    return html(
        "beside_replies.html",
        language,
        found=found,
        preview=preview,
        name=name,
        path=PATH.format(conversation_id=conversation_id),
        q=q,
        may_answer=staff.role in MAY_ANSWER,
    )


def _preview(
    services: Services,
    session: Session,
    staff: Staff,
    conversation: Conversation,
    student: Student | None,
    texts: dict[str, str],
) -> dict[str, Any]:
    language, wanted = console_language(staff.language), conversation.language
    written = chosen_language(texts, wanted)
    today = day_in_france(services.clock.now())
    desk = services.office.desk(conversation.desk).name.get(written)
    shown = student if staff.role in SEES_RECORDS else None
    values = values_of(session, shown, staff, services.procedures, services.knowledge, desk, written, today)
    filled = fill(texts[written], written, values)
    own = texts.get(language) if written != language else None
    return {
        "language": BY_CODE[written],
        "parts": [(part.text, say(language, VARIABLES[part.gap]) if part.gap else "") for part in filled.parts],
        "gaps": len(filled.gaps),
        "note": fallback_note(written, wanted, language),
        "own": own,
        "own_language": BY_CODE[language],
    }


def answers(
    services: ServicesDep,
    signed_in: SignedInDep,
    conversation_id: UUID,
    q: Typed = "",
    topic: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """Topics near to what was typed; with `topic` its answer for this student beside the same in one's own language."""
    staff, language = signed_in.staff, console_language(signed_in.staff.language)
    knowledge, pair, found = services.knowledge, None, []
    with services.database.read() as session:
        conversation, student = opened(session, conversation_id)
        facts = _facts(session, student) if staff.role in SEES_RECORDS else None
        told = Told(conversation.told, conversation.language)
    if topic in knowledge.topics:
        pair = pair_of(knowledge, topic, told, facts, language, day_in_france(services.clock.now()))
    elif q.strip():
        hits = search(q, services.words, by_meaning(services.settings.data / "models"), MOST_ANSWERS)
        known = [hit.topic for hit in hits if hit.topic in knowledge.topics]
        found = [(slug, knowledge.topic(slug).file.title.get(language)) for slug in known]
    note_reading(services, staff, conversation_id)
    return html(
        "beside_answers.html",
        language,
        found=found,
        pair=pair,
        path=PATH.format(conversation_id=conversation_id),
        q=q,
        wanted=language_name(told.language, language),
        may_answer=staff.role in MAY_ANSWER,
    )


def _facts(session: Session, student: Student | None) -> Facts | None:
    """None where no record is linked, or it cannot be read."""
    try:
        return facts_of(student, steps_done(session, student.id)) if student is not None else None
    except FactsError:
        return None
