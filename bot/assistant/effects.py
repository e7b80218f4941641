"""What an answer may ask the gateway to do. Each effect runs in the transaction that commits the turn."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from bot.answers.variants import may_be_told
from bot.content.schema import School
from bot.conversations.messages import Answer, Effect
from bot.conversations.models import Conversation
from bot.conversations.service import set_language
from bot.handoff.models import Reason
from bot.handoff.service import request_person
from bot.i18n.languages import is_supported
from bot.identity.linking import ask_for_email, cancel_prompt, unlink


@dataclass(frozen=True)
class Context:
    session: Session
    conversation: Conversation
    school: School
    now: datetime


EffectFunction = Callable[[Context, Effect], Answer | None]
"""Returns an answer that takes the place of the reply (the deed speaks for itself), or None."""


def _request_person(context: Context, effect: Effect) -> Answer | None:
    reason = Reason(effect.values.get("reason", Reason.ASKED))
    request_person(context.session, context.conversation, reason, context.now)
    return None


def _set_language(context: Context, effect: Effect) -> Answer | None:
    code = str(effect.values.get("language", ""))
    if is_supported(code):
        set_language(context.conversation, code, context.now)
    return None


def _remember(context: Context, effect: Effect) -> Answer | None:
    told = {family: str(choice) for family, choice in effect.values.items() if may_be_told(family, str(choice))}
    # A new dict: the column sees assignments only. A question asked again never wipes out its answer.
    kept = context.conversation.told
    context.conversation.told = {**kept, **{family: choice or kept.get(family, "") for family, choice in told.items()}}
    return None


def _start_link(context: Context, _effect: Effect) -> Answer | None:
    return ask_for_email(context.session, context.conversation, context.now)


def _unlink(context: Context, _effect: Effect) -> Answer | None:
    return unlink(context.session, context.conversation, context.now)


def _cancel_prompt(context: Context, _effect: Effect) -> Answer | None:
    return cancel_prompt(context.session, context.conversation, context.now)


EFFECTS: Mapping[str, EffectFunction] = {
    "request_person": _request_person,
    "set_language": _set_language,
    "remember": _remember,
    "start_link": _start_link,
    "unlink": _unlink,
    "cancel_prompt": _cancel_prompt,
}


def apply(context: Context, effects: tuple[Effect, ...]) -> Answer | None:
    """Apply all; the last answer that an effect gives replaces the reply. An unknown name is a programming error."""
    replacement: Answer | None = None
    for effect in effects:
        replacement = EFFECTS[effect.name](context, effect) or replacement
    return replacement
