"""What an answer may ask the gateway to do, and what a pending question of ours does with the next text.

Features bring their own deeds (`bot/<feature>/deeds.py`); `bot.assistant.deeds` puts them together. Each runs inside
the transaction that commits the turn, so that a crash leaves neither half a deed nor a deed without its words.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot.clock import day_in_france
from bot.conversations.messages import Answer, Button
from bot.conversations.models import Conversation
from bot.students.models import Student


@dataclass(frozen=True)
class Context:
    """The transaction of the turn and whose turn it is."""

    session: Session
    conversation: Conversation
    now: datetime
    said: list[str] = field(default_factory=list)
    """Sentences that deeds add below the reply."""

    @property
    def language(self) -> str:
        return self.conversation.language

    @property
    def today(self) -> date:
        """In France: deadlines are French."""
        return day_in_france(self.now)

    @property
    def student(self) -> Student | None:
        """Whoever this conversation is linked to."""
        if self.conversation.student_id is None:
            return None
        return self.session.get(Student, self.conversation.student_id)


Values = Mapping[str, Any]

EffectFunction = Callable[[Context, Values], Answer | None]
"""Does the deed. An answer that it returns takes the place of the reply (the deed speaks for itself)."""

PromptFunction = Callable[[Context, Values, str], Answer | None]
"""(context, what the prompt holds, the student's text) → the reply; None: the text was about something else."""


@dataclass(frozen=True)
class Deeds:
    """Everything by name. A button's payload is `{"effect": name, "values": {…}}`; a prompt has its name as kind."""

    effects: Mapping[str, EffectFunction] = field(default_factory=dict)
    prompts: Mapping[str, PromptFunction] = field(default_factory=dict)

    def __or__(self, other: "Deeds") -> "Deeds":
        """Both together. Two deeds of one name are a programming error."""
        twice = (self.effects.keys() & other.effects.keys()) | (self.prompts.keys() & other.prompts.keys())
        if twice:
            raise ValueError(f"two deeds are called {', '.join(sorted(twice))}")
        return Deeds({**self.effects, **other.effects}, {**self.prompts, **other.prompts})


def deed_button(label: str, effect: str, **values: Any) -> Button:
    """A button that does something; the values stay on the server and are checked again when it is pressed."""
    return Button(label, {"effect": effect, "values": values} if values else {"effect": effect})


def expect_answer(context: Context, kind: str, lasts: timedelta, **values: Any) -> None:
    """From now on a text answers our question, until another question is asked or the time is over."""
    until = context.now + lasts
    context.conversation.prompt = {"kind": kind, "expires_at": until.isoformat(), **values}
    context.session.flush()


def expect_nothing(context: Context) -> None:
    context.conversation.prompt = None
    context.session.flush()


def pending_prompt(conversation: Conversation, now: datetime) -> dict[str, Any] | None:
    """Our question while it is open."""
    stored = conversation.prompt
    if stored is None or datetime.fromisoformat(stored["expires_at"]) <= now:
        return None
    return dict(stored)
