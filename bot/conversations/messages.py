"""What travels between the channels, the assistant and the transcript: plain values, no tables."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True)
class Brought:
    """Something that is not a text. `external`: how the channel finds the file, "" when there is none."""

    kind: str
    """photo | document | voice | audio | video | sticker | location | contact | poll | other"""
    name: str
    media_type: str
    size: int
    external: str
    album: str = ""
    """The same for files that were sent as one."""
    summary: str = ""
    """What a place, a contact or a poll says, for a colleague's eyes; the name of a photo that has one."""
    content: bytes | None = field(default=None, repr=False)
    """The file itself, where the channel has it already."""
    digest: str = ""
    """Of such a file with its name and type: what tells a repeat from another file."""


@dataclass(frozen=True)
class IncomingMessage:
    """One update of a channel: `text`, the opaque key of a `button`, or something `brought` (text: its caption)."""

    channel: str
    external_id: str
    text: str | None
    button: str | None
    sent_at: datetime
    brought: Brought | None = None

    @property
    def content(self) -> dict[str, Any]:
        """What tells a repeat from a different message."""
        if self.button is not None:
            return {"button": self.button}
        if self.brought is not None:
            told = {"brought": self.brought.kind, "text": self.text or "", "album": self.brought.album}
            return told | ({"digest": self.brought.digest} if self.brought.digest else {})
        return {"text": self.text}


@dataclass(frozen=True)
class Button:
    """`payload` says what a press means; it stays on the server, the channel sees an opaque key."""

    label: str
    payload: dict[str, Any]


@dataclass(frozen=True)
class Source:
    title: str
    url: str
    checked_on: date
    valid_until: date | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "url": self.url,
            "checked_on": self.checked_on.isoformat(),
            "valid_until": self.valid_until.isoformat() if self.valid_until else None,
        }

    @staticmethod
    def from_json(value: dict[str, Any]) -> "Source":
        until = value.get("valid_until")
        return Source(
            title=value["title"],
            url=value["url"],
            checked_on=date.fromisoformat(value["checked_on"]),
            valid_until=date.fromisoformat(until) if until else None,
        )


@dataclass(frozen=True)
class Effect:
    """A small named command that an answer asks for; the gateway applies it in the transaction of the reply."""

    name: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Candidate:
    topic: str
    confidence: float


@dataclass(frozen=True)
class Understanding:
    """What the NLU model made of a message and what was decided."""

    intent: str | None
    confidence: float
    action: str
    """answer | clarify | abstain | handoff | chat | urgent | prompt | failed"""
    topic: str | None = None
    topics: tuple[str, ...] = ()
    """Filled when several things were asked."""
    group: str = "out_of_scope"
    candidates: tuple[Candidate, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "intent": self.intent,
            "confidence": round(self.confidence, 4),
            "action": self.action,
            "topic": self.topic,
            "topics": list(self.topics),
            "group": self.group,
            "candidates": [{"topic": c.topic, "confidence": round(c.confidence, 4)} for c in self.candidates],
        }

    @staticmethod
    def from_json(value: dict[str, Any]) -> "Understanding":
        return Understanding(
            intent=value.get("intent"),
            confidence=float(value.get("confidence", 0.0)),
            action=str(value["action"]),
            topic=value.get("topic"),
            topics=tuple(value.get("topics", ())),
            group=value.get("group", "out_of_scope"),
            candidates=tuple(Candidate(c["topic"], float(c["confidence"])) for c in value.get("candidates", ())),
        )


def answered_topic(understanding: dict[str, Any] | None) -> str | None:
    """The topic that a stored message answers; None where it answers none: a chat, a choice, an "I do not know"."""
    if understanding is None or understanding.get("action") != "answer":
        return None
    topic: str | None = understanding.get("topic")
    return topic


@dataclass(frozen=True)
class Answer:
    """One reply of the bot, the envelope of a custom action: `{text, buttons, sources, understanding, effects}`."""

    text: str
    understanding: Understanding
    buttons: tuple[Button, ...] = ()
    sources: tuple[Source, ...] = ()
    effects: tuple[Effect, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "buttons": [{"label": button.label, "payload": button.payload} for button in self.buttons],
            "sources": [source.as_json() for source in self.sources],
            "understanding": self.understanding.as_json(),
            "effects": [{"name": effect.name, "values": effect.values} for effect in self.effects],
        }

    @staticmethod
    def from_json(value: dict[str, Any]) -> "Answer":
        """Raises KeyError, TypeError or ValueError when the envelope is not one."""
        return Answer(
            text=str(value["text"]),
            understanding=Understanding.from_json(value["understanding"]),
            buttons=tuple(Button(str(b["label"]), dict(b["payload"])) for b in value["buttons"]),
            sources=tuple(Source.from_json(s) for s in value["sources"]),
            effects=tuple(Effect(str(e["name"]), dict(e["values"])) for e in value["effects"]),
        )
