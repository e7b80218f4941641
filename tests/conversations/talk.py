"""The shape of a conversation file, and a conversation that is led through the real turn."""

from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from sqlalchemy import delete, select

from bot.assistant.lanes import Lanes
from bot.bootstrap import Services
from bot.clock import FixedClock
from bot.conversations.models import Alert, Author, Conversation, Message, OutboxEntry
from bot.conversations.service import open_conversation, receive_message
from bot.conversations.words import greeting
from bot.handoff.service import claim, close, release, reply
from bot.identity.models import SignInAttempt, Staff
from tests.factories import incoming

CODE = "{code}"
"""Stands for the code in the mail that was sent last."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Expect(_Strict):
    """What must hold after a turn; what is left out may be anything. `buttons` and `topics` are complete lists."""

    action: Literal["answer", "clarify", "abstain", "handoff", "chat", "urgent", "prompt"] | None = None
    not_action: str | None = None
    topic: str | None = None
    topics: list[str] | None = None
    says: list[str] = Field(default_factory=list)
    not_says: list[str] = Field(default_factory=list)
    buttons: list[str] | None = None
    sources: int | None = None
    """At least so many."""
    control: Literal["bot", "waiting", "staff", "closed"] | None = None
    language: str | None = None
    alerts: list[str] | None = None
    """All kinds of alert so far."""
    silent: bool = False
    """The bot says nothing."""


class Step(_Strict):
    """One thing that happens: the student writes or presses a button, or a colleague does something."""

    user: str | None = None
    press: str | None = None
    staff: Literal["claim", "release", "close"] | None = None
    staff_says: str | None = None
    expect: Expect = Field(default_factory=Expect)

    @model_validator(mode="after")
    def _one_thing(self) -> "Step":
        if sum(each is not None for each in (self.user, self.press, self.staff, self.staff_says)) != 1:
            raise ValueError("a turn is one of: user, press, staff, staff_says")
        return self


def _none_for_nobody(value: Any) -> Any:
    return None if value == "nobody" else value


class Script(_Strict):
    """One file. `student` is linked before the first turn, by a code as always; `nobody` stays a stranger."""

    title: str
    student: Annotated[str | None, BeforeValidator(_none_for_nobody)]
    today: date
    language: str
    chosen: bool = False
    """The student chose the language by hand: detection leaves it alone."""
    turns: list[Step] = Field(min_length=1)


def read_script(path: Path) -> Script:
    return Script.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


class Talk:
    """A conversation on a real database, answered by the lanes of the gateway."""

    def __init__(self, services: Services, lanes: Lanes, script: Script) -> None:
        self.services, self.lanes = services, lanes
        self.now = datetime.combine(script.today, time(11), UTC)
        assert isinstance(services.clock, FixedClock)
        services.clock.instant = self.now
        with services.database.write() as session:
            # A mailbox gets five codes an hour; the files share the cast and the hour.
            session.execute(delete(SignInAttempt))
            conversation, _token = open_conversation(
                session,
                language=script.language,
                language_chosen=script.chosen,
                greeting=greeting(script.language),
                channel="web",
                now=self.now,
            )
            self.id: UUID = conversation.id

    async def link(self, email: str) -> None:
        """Prove the mailbox as a student does: the address, then the code of the mail."""
        await self.write(email)
        await self.write(CODE)
        with self.services.database.read() as session:
            assert session.get_one(Conversation, self.id).student_id is not None

    async def take(self, step: Step) -> list[Message]:
        """What was said in reply, in order."""
        seen = self._last_seq()
        if step.user is not None:
            await self.write(step.user)
        elif step.press is not None:
            await self._press(step.press)
        else:
            self._staff(step)
        with self.services.database.read() as session:
            return list(
                session.scalars(
                    select(Message)
                    .where(Message.conversation_id == self.id, Message.seq > seen, Message.author == Author.BOT)
                    .order_by(Message.seq)
                )
            )

    async def write(self, text: str) -> None:
        if CODE in text:
            text = text.replace(CODE, self._code())
        await self._receive(text, None)

    async def _press(self, label: str) -> None:
        keys = {button["label"]: button["key"] for button in self._last_buttons()}
        assert label in keys, f"there is no button {label!r}, only {sorted(keys)}"
        await self._receive(None, keys[label])

    async def _receive(self, text: str | None, button: str | None) -> None:
        with self.services.database.write() as session:
            receive_message(session, self.id, incoming(text, self.now, button=button), self.now)
        self.lanes.wake(self.id)
        await self.lanes.stop()

    def _staff(self, step: Step) -> None:
        with self.services.database.write() as session:
            colleague = session.scalars(select(Staff).where(Staff.role == "adviser").order_by(Staff.id)).first()
            assert colleague is not None
            if step.staff_says is not None:
                reply(session, self.id, colleague, f"{self.id}:{self._last_seq()}", step.staff_says, self.now)
            elif step.staff is not None:
                {"claim": claim, "release": release, "close": close}[step.staff](session, self.id, colleague, self.now)

    def conversation(self) -> Conversation:
        with self.services.database.read() as session:
            return session.get_one(Conversation, self.id)

    def alerts(self) -> list[str]:
        with self.services.database.read() as session:
            return list(session.scalars(select(Alert.kind).where(Alert.conversation_id == self.id).order_by(Alert.id)))

    def _last_seq(self) -> int:
        return self.conversation().last_seq

    def _last_buttons(self) -> list[dict[str, Any]]:
        with self.services.database.read() as session:
            last = session.scalars(
                select(Message)
                .where(Message.conversation_id == self.id, Message.author == Author.BOT)
                .order_by(Message.seq.desc())
            ).first()
        return last.buttons if last else []

    def _code(self) -> str:
        """From the mail on its way: nothing else in the database tells it."""
        with self.services.database.read() as session:
            mail = session.scalars(
                select(OutboxEntry)
                .where(OutboxEntry.conversation_id == self.id, OutboxEntry.key.startswith("link_code:"))
                .order_by(OutboxEntry.id.desc())
            ).first()
        assert mail is not None, "no code is on its way"
        return str(mail.payload["code"])
