"""What a call says: how long, about what, at which desk. Never a name and never a word of the student."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.calling.rules import Wait, Words
from bot.clock import PARIS
from bot.i18n.translate import say, say_n

MOST_LINES = 10
"""Of a mail."""
CONSOLE = "/staff"


def waits_mail(
    language: str, waits: Sequence[Wait], desks: Mapping[str, str], topics: Mapping[str, str], address: str
) -> tuple[str, str]:
    """(subject, text). `desks` and `topics`: their names in this language; `address`: of the gateway."""
    lines = [_line(language, wait, desks, topics, address) for wait in waits[:MOST_LINES]]
    if len(waits) > MOST_LINES:
        lines.append(
            say_n(language, "… and {number} more request", "… and {number} more requests", len(waits) - MOST_LINES)
        )
    text = say(
        language,
        "Nobody has taken over yet:\n\n{lines}\n\nYou asked for this mail on the page of your account, where you can "
        "turn it off:\n\n{address}\n",
        lines="\n\n".join(lines),
        address=f"{address}{CONSOLE}/account",
    )
    return say(language, "A student waits for a person"), text


def _line(language: str, wait: Wait, desks: Mapping[str, str], topics: Mapping[str, str], address: str) -> str:
    waited = say_n(
        language,
        "- has waited for {number} minute of opening time",
        "- has waited for {number} minutes of opening time",
        int(wait.waited.total_seconds() // 60),
    )
    desk = desks.get(wait.desk, wait.desk)
    topic = topics.get(wait.topic or "")
    place = f"{desk} · {topic}" if topic else desk
    return f"{waited}\n  {place}\n  {address}{CONSOLE}#{wait.conversation_id}"


def waits_note(language: str, waits: Sequence[Wait]) -> dict[str, Any]:
    """A message of the browser: {"title", "body", "tag", "url"}."""
    if len(waits) == 1:
        body = say(language, "Since {time}, French time.", time=_clock(waits[0].since))
        return _note(say(language, "Somebody is waiting for a person."), body, "wait", f"#{waits[0].conversation_id}")
    title = say_n(
        language, "{number} student is waiting for a person.", "{number} students are waiting for a person.", len(waits)
    )
    body = say(language, "The first since {time}, French time.", time=_clock(min(wait.since for wait in waits)))
    return _note(title, body, "wait", "")


def words_note(language: str, words: Sequence[Words]) -> dict[str, Any]:
    """As `waits_note`, of words in one's own conversations."""
    return _note(say(language, "A student has written to you."), "", "wrote", f"#{words[0].conversation_id}")


def _note(title: str, body: str, tag: str, place: str) -> dict[str, Any]:
    return {"title": title, "body": body, "tag": tag, "url": f"{CONSOLE}{place}"}


def _clock(at: datetime) -> str:
    return f"{at.astimezone(PARIS):%H:%M}"
