"""One turn of a conversation, from the stored message to the committed reply (design: receive, lane, prepare, urgent,
who has it, prompt, engine, decide, commit, deliver).

The three steps are separate functions on purpose: between any two of them the process may die, a colleague may claim
the conversation, or the engine may fail, and nothing may be lost or said twice.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.answers.urgent import UrgentDoor
from bot.answers.variants import Told
from bot.answers.words import failed, person_button
from bot.assistant.brought import Thing, before_answer, not_passed_on, without_words
from bot.assistant.deeds import UnknownDeed, do_all
from bot.assistant.ports import Engine, TurnFailed
from bot.assistant.understanding import Chosen, Question, answer, urgent_answer
from bot.clock import day_in_france
from bot.content.loader import Knowledge
from bot.conversations.commands import command_of
from bot.conversations.deeds import Context, Deeds, pending_prompt
from bot.conversations.messages import Answer, Button, Effect, Understanding
from bot.conversations.models import Alert, Author, Control, Conversation, InboxEntry, Kind, Message
from bot.conversations.queries import next_entry
from bot.conversations.service import LONGEST_ALBUM, append, button_payload, finish_entry, locked_conversation
from bot.conversations.states import Move, after
from bot.db.session import Database
from bot.handoff.words import person_requested
from bot.housing.advert_answer import is_advert
from bot.i18n.detect import switched_language
from bot.i18n.languages import BY_CODE, is_supported
from bot.i18n.translate import say
from bot.identity.linking import looks_like_credentials

OFFER_AFTER = 2
"""Abstentions in a row after which a person is offered."""
LINKING = ("link_email", "link_code")
"""Prompts that also answer when their time is over: a code that comes too late is told so."""
PRESSED = "button"
"""The intent of a message that was a press of a button."""
AT_ONCE = frozenset({"unlink", "stop_reminders"})
"""Deeds that wait for nobody: whoever takes the link back may be afraid of who reads along, and a no is a no."""
LONGEST_TURN = 14.0
"""Seconds for all parts of a message together: the engine's own time-out holds for one part."""


@dataclass(frozen=True)
class Snapshot:
    """What a turn was computed from. The reply is only valid while `version` still holds."""

    entry_id: int
    conversation_id: UUID
    seq: int
    content: dict[str, Any]
    """Of the inbox row; a student may change a message while it is answered."""
    text: str
    payload: dict[str, Any] | None
    """Of the pressed button; {} for an unknown or old one, None for a text."""
    control: Control
    version: int
    language: str
    language_chosen: bool
    last_topic: str | None
    last_step: str | None
    told: Told
    has_prompt: bool
    thing: Thing | None = None
    """What came with the text, or without one (a photo, a place)."""


@dataclass(frozen=True)
class Outcome:
    """A computed turn. `answer` None: the bot says nothing. `alert` names what staff must see."""

    answer: Answer | None
    language: str
    alert: str | None = None
    notice: str | None = None
    """A line of the system, which may be said while a colleague has the conversation."""
    deed: Effect | None = None
    """Done although a colleague has the conversation; its words are a line of the system, which both read."""


class Superseded(Exception):
    """The conversation changed while the turn was computed."""


def load(database: Database, conversation_id: UUID) -> Snapshot | None:
    """The oldest unanswered message of a conversation with the state it is answered from, or None."""
    with database.read() as session:
        entry = next_entry(session, conversation_id)
        if entry is None:
            return None
        conversation = session.get_one(Conversation, conversation_id)
        payload: dict[str, Any] | None = None
        text = str(entry.content.get("text") or "")
        if (key := entry.content.get("button")) is not None:
            found = button_payload(session, conversation_id, str(key))
            text, payload = found if found else ("", {})
        return Snapshot(
            entry_id=entry.id,
            conversation_id=conversation_id,
            seq=entry.seq,
            content=dict(entry.content),
            text=text,
            payload=payload,
            control=Control(conversation.control),
            version=conversation.version,
            language=conversation.language,
            language_chosen=conversation.language_chosen,
            last_topic=conversation.last_topic,
            last_step=conversation.last_step,
            told=dict(conversation.told),
            has_prompt=conversation.prompt is not None,
            thing=_thing_of(session, entry),
        )


def _thing_of(session: Session, entry: InboxEntry) -> Thing | None:
    content = entry.content
    if "brought" not in content:
        return None
    return Thing(
        str(content["brought"]),
        bool(content["kept"]),
        bool(content["large"]),
        was_told=_was_told(session, entry),
        is_over=bool(content.get("over")),
    )


def _was_told(session: Session, entry: InboxEntry) -> bool:
    """Whether another file of the same album came before, to the same end."""
    if not entry.content["album"]:
        return False
    earlier = session.scalars(
        select(InboxEntry)
        .where(InboxEntry.conversation_id == entry.conversation_id, InboxEntry.id < entry.id)
        .order_by(InboxEntry.id.desc())
        .limit(LONGEST_ALBUM)
    )
    return any(
        all(each.content.get(name) == entry.content.get(name) for name in ("album", "kept", "large", "over"))
        for each in earlier
    )


async def compute(
    engine: Engine, door: UrgentDoor, knowledge: Knowledge, snapshot: Snapshot, now: datetime
) -> Outcome | None:
    """The reply to a message; no transaction is open meanwhile. None: the prompt step must decide (see `settle`)."""
    language = _language_of(knowledge, snapshot)
    held = snapshot.control == Control.STAFF
    notice = _notice(snapshot) if held else None
    if (urgent := await asyncio.to_thread(urgent_answer, door, knowledge, snapshot.text, language)) is not None:
        return Outcome(None if held else urgent, language, alert="urgent", notice=notice)
    if held:
        return Outcome(None, snapshot.language, notice=notice, deed=_at_once(snapshot))
    if snapshot.thing is not None and not snapshot.text.strip():
        is_waiting = snapshot.control == Control.WAITING
        return Outcome(without_words(language, snapshot.thing, is_waiting=is_waiting), language)
    if snapshot.payload is not None:
        return await _pressed(engine, knowledge, snapshot, now)
    if (meant := command_of(snapshot.text)) is not None:
        return await _pressed(engine, knowledge, replace(snapshot, payload=meant), now)
    if snapshot.has_prompt or looks_like_credentials(snapshot.text):
        return None
    return await _asked(engine, knowledge, snapshot, language, now)


def _notice(snapshot: Snapshot) -> str | None:
    """What the colleague who has the conversation will not get of this message, for the student."""
    thing = snapshot.thing
    return not_passed_on(snapshot.language, thing) if thing is not None else None


def _at_once(snapshot: Snapshot) -> Effect | None:
    """What the student may ask of the machine whoever has the conversation."""
    meant = (command_of(snapshot.text) if snapshot.payload is None else snapshot.payload) or {}
    name = str(meant.get("effect"))
    return Effect(name, dict(meant.get("values") or {})) if name in AT_ONCE else None


async def compute_without_prompt(engine: Engine, knowledge: Knowledge, snapshot: Snapshot, now: datetime) -> Outcome:
    """The reply when the prompt step left the message alone."""
    return await _asked(engine, knowledge, snapshot, _language_of(knowledge, snapshot), now)


def _language_of(knowledge: Knowledge, snapshot: Snapshot) -> str:
    """A confident text in another language switches the talk; words that somebody else wrote do not."""
    if snapshot.payload is not None or snapshot.language_chosen or is_advert(knowledge, snapshot.text):
        return snapshot.language
    return switched_language(snapshot.text, snapshot.language) or snapshot.language


async def _asked(
    engine: Engine,
    knowledge: Knowledge,
    snapshot: Snapshot,
    language: str,
    now: datetime,
    *,
    chosen: Chosen | None = None,
    told: Told | None = None,
) -> Outcome:
    question = Question(
        sender=str(snapshot.conversation_id),
        text=snapshot.text,
        language=language,
        today=day_in_france(now),
        last_topic=snapshot.last_topic,
        last_step=snapshot.last_step,
        told=snapshot.told if told is None else told,
        chosen=chosen,
    )
    try:
        async with asyncio.timeout(LONGEST_TURN):
            reply = await answer(engine, knowledge, question)
    except (TurnFailed, TimeoutError):
        reply = failed(language)
    if language != snapshot.language and reply.understanding.action != "failed":
        reply = replace(reply, text=f"{_now_in(language)}\n\n{reply.text}")
    return Outcome(reply, language, alert="failed_turn" if reply.understanding.action == "failed" else None)


def _now_in(language: str) -> str:
    return say(language, "I now answer in {language}.", language=BY_CODE[language].name)


async def _pressed(engine: Engine, knowledge: Knowledge, snapshot: Snapshot, now: datetime) -> Outcome:
    payload, language = snapshot.payload or {}, snapshot.language
    understanding = Understanding(intent=PRESSED, confidence=1.0, action="chat", group="small_talk")
    match payload:
        case {"topic": str(topic), "told": dict(told)}:
            kept = {**snapshot.told, **told}
            outcome = await _asked(engine, knowledge, snapshot, language, now, chosen=Chosen(topic), told=kept)
            reply = outcome.answer
            if reply is None or reply.understanding.action == "failed":
                return outcome
            return replace(outcome, answer=replace(reply, effects=(*reply.effects, Effect("remember", told))))
        case {"topic": str(topic)}:
            chosen = Chosen(topic, more=bool(payload.get("more")))
            return await _asked(engine, knowledge, snapshot, language, now, chosen=chosen)
        case {"effect": "request_person"}:
            human = replace(understanding, action="handoff", group="human")
            effect = Effect("request_person", {"reason": "asked"})
            text = person_requested(language, knowledge.school, now)
            return Outcome(Answer(text, human, effects=(effect,)), language)
        case {"language": str(code)} if is_supported(code):
            effect = Effect("set_language", {"language": code})
            if snapshot.last_topic is None:
                return Outcome(Answer(_now_in(code), understanding, effects=(effect,)), code)
            # The answer just given, again: that is what the wish for another language is about.
            again = await _asked(engine, knowledge, snapshot, code, now, chosen=Chosen(snapshot.last_topic))
            reply = again.answer or failed(code)
            return replace(again, answer=replace(reply, effects=(*reply.effects, effect)))
        case {"effect": str(name)}:
            return Outcome(_deed(language, Effect(name, dict(payload.get("values") or {}))), language)
        case _:
            return Outcome(Answer(_too_old(language), understanding), language)


def _deed(language: str, effect: Effect) -> Answer:
    understanding = Understanding(intent=PRESSED, confidence=1.0, action="chat", group="small_talk")
    return Answer(say(language, "Done."), understanding, effects=(effect,))


def _too_old(language: str) -> str:
    return say(language, "This button is too old for me to know what it meant. Write your question, please.")


def settle(database: Database, deeds: Deeds, snapshot: Snapshot, now: datetime) -> bool:
    """The prompt step: a pending question of ours takes its answer itself, addresses and codes at any time.

    Returns False when the message was something else; then it goes on to the engine.
    """

    def produce(context: Context) -> Answer | None:
        if looks_like_credentials(snapshot.text):
            # A code is recognised by the prompt that waits for it; an address starts the link wherever it comes.
            return deeds.prompts["link_email"](context, {}, snapshot.text)
        stored = context.conversation.prompt or {}
        kind = str(stored.get("kind", ""))
        if kind not in LINKING and (stored := pending_prompt(context.conversation, now) or {}) == {}:
            return None
        answers = deeds.prompts.get(kind)
        return answers(context, stored, snapshot.text) if answers is not None else None

    return _commit(database, deeds, snapshot, produce, now=now, language=None, alert=None)


def commit(database: Database, deeds: Deeds, snapshot: Snapshot, outcome: Outcome, now: datetime) -> None:
    """Store the reply, its effects and the end of the inbox row, all or nothing.

    Raises:
        Superseded: the conversation changed since the snapshot; nothing was stored.
    """

    def produce(_context: Context) -> Answer | None:
        return outcome.answer

    _commit(
        database,
        deeds,
        snapshot,
        produce,
        now=now,
        language=outcome.language,
        alert=outcome.alert,
        silent=outcome.answer is None,
        notice=outcome.notice,
        deed=outcome.deed,
    )


def _commit(
    database: Database,
    deeds: Deeds,
    snapshot: Snapshot,
    produce: Callable[[Context], Answer | None],
    *,
    now: datetime,
    language: str | None,
    alert: str | None,
    silent: bool = False,
    notice: str | None = None,
    deed: Effect | None = None,
) -> bool:
    with database.write() as session:
        conversation = locked_conversation(session, snapshot.conversation_id)
        if conversation.version != snapshot.version:
            raise Superseded
        entry = session.get(InboxEntry, snapshot.entry_id, populate_existing=True)
        if entry is None or entry.content != snapshot.content or not finish_entry(session, snapshot.entry_id, now):
            raise Superseded
        if language is not None and not conversation.language_chosen:
            conversation.language = language
        context = Context(session, conversation, now)
        reply = produce(context)
        if reply is None and not silent:
            session.rollback()
            return False
        if reply is not None and after(Control(conversation.control), Move.SPEAK) is None:
            raise Superseded
        if alert is not None:
            _alert(session, conversation, alert, snapshot.entry_id, now)
        if deed is not None and (done := do_all(context, deeds, (deed,))) is not None:
            append(session, conversation, Author.SYSTEM, done.text, kind=Kind.NOTICE, now=now)
        if notice is not None:
            append(session, conversation, Author.SYSTEM, notice, kind=Kind.NOTICE, now=now)
        if reply is not None:
            _reply(context, deeds, reply, snapshot)
        return True


def _reply(context: Context, deeds: Deeds, reply: Answer, snapshot: Snapshot) -> Message:
    conversation = context.conversation
    understanding = reply.understanding
    if understanding.topic is not None:
        # Before the deeds: one of them may say which step is talked about.
        conversation.last_topic, conversation.last_step = understanding.topic, None
    try:
        reply = do_all(context, deeds, reply.effects) or reply
    except UnknownDeed:
        reply = Answer(_too_old(conversation.language), understanding)
    if understanding.intent == PRESSED:
        # A button says nothing itself; what it did knows its field.
        understanding = reply.understanding
    buttons, text = list(reply.buttons), _with_first_sentence(conversation.language, reply, snapshot)
    text = "\n\n".join((text, *context.said))
    if understanding.action == "abstain":
        conversation.abstentions += 1
    elif understanding.action in ("answer", "handoff", "chat", "prompt"):
        conversation.abstentions = 0
    if conversation.abstentions >= OFFER_AFTER:
        text += "\n\n" + say(conversation.language, "Shall I pass you on to a person of the international office?")
        if all(button.payload != {"effect": "request_person"} for button in buttons):
            buttons.append(person_button(conversation.language))
    return append(
        context.session,
        conversation,
        Author.BOT,
        text,
        now=context.now,
        buttons=_without_repeats(buttons),
        sources=reply.sources,
        in_reply_to=snapshot.seq,
        understanding=understanding.as_json(),
    )


def _with_first_sentence(language: str, reply: Answer, snapshot: Snapshot) -> str:
    """An answer to a caption begins with what became of the file; help in danger comes before everything."""
    if snapshot.thing is None or not snapshot.text.strip() or reply.understanding.action == "urgent":
        return reply.text
    return "\n\n".join(filter(None, (before_answer(language, snapshot.thing), reply.text)))


def _without_repeats(buttons: list[Button]) -> list[Button]:
    return list({button.label: button for button in buttons}.values())


def _alert(session: Session, conversation: Conversation, kind: str, entry_id: int, now: datetime) -> None:
    key = f"{kind}:{entry_id}"
    if session.scalar(select(Alert.id).where(Alert.key == key)) is None:
        session.add(Alert(conversation_id=conversation.id, kind=kind, key=key, created_at=now))
    conversation.updated_at = now
