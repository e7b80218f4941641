"""`accueil ask`: the path of a turn without a trace, for one question or a file of them."""

import codecs
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.answers.words import failed
from bot.assistant.ports import Engine, TurnFailed
from bot.assistant.understanding import Question, answer, urgent_answer
from bot.bootstrap import Services
from bot.clock import day_in_france
from bot.conversations.messages import Answer
from bot.errors import AccueilError, InvalidField
from bot.i18n.detect import detect
from bot.i18n.languages import CODES, DEFAULT, is_supported
from bot.students.records import student_by_email


class Line(BaseModel):
    """One line of the input file; more keys than these are let through and left aside."""

    model_config = ConfigDict(extra="ignore")

    id: str | int
    text: str = Field(max_length=100_000)
    language: str | None = None
    student: str | None = None
    today: date | None = None


@dataclass(frozen=True)
class Defaults:
    language: str | None = None
    student: str | None = None
    today: date | None = None


class UnknownStudent(AccueilError):
    code = "unknown_student"
    user_text = "There is no student {email}."


def read_lines(path: Path) -> Iterator[Line]:
    """Raises InvalidField with the number of the first line that is wrong."""
    # Bytes: a line that is not UTF-8 is refused by its number like any other.
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if not raw.strip():
                continue
            try:
                yield Line.model_validate_json(raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw)
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(map(str, first["loc"])) or "line"
                raise InvalidField(f"{path.name}, line {number}: {where}: {first['msg']}.", field=where) from error


def check_lines(services: Services, lines: Sequence[Line], defaults: Defaults) -> None:
    """Before anything is asked: raises InvalidField (language) or UnknownStudent for the first wrong line."""
    for language in dict.fromkeys(line.language for line in lines):
        _language(language, defaults)
    for email in dict.fromkeys(line.student for line in lines):
        _student_id(services, email or defaults.student)


async def ask_one(services: Services, engine: Engine, line: Line, defaults: Defaults) -> dict[str, Any]:
    """Raises InvalidField (language) or UnknownStudent; a failed engine is an answer of action "failed"."""
    language = _language(line.language, defaults) or detect(line.text) or DEFAULT
    started = time.perf_counter()
    reply = urgent_answer(services.door, services.knowledge, line.text, language)
    if reply is None:
        question = Question(
            sender=f"probe-{uuid4()}",
            text=line.text,
            language=language,
            today=line.today or defaults.today or day_in_france(services.clock.now()),
            as_student=_student_id(services, line.student or defaults.student),
        )
        try:
            reply = await answer(engine, services.knowledge, question)
        except TurnFailed:
            reply = failed(language)
    return as_line(line, language, reply, 1000 * (time.perf_counter() - started))


def _language(given: str | None, defaults: Defaults) -> str | None:
    wanted = given or defaults.language
    if wanted is None:
        return None
    code = wanted.strip().lower()
    if not is_supported(code):
        raise InvalidField(f"{wanted!r} is not one of {', '.join(CODES)}.", field="language")
    return code


def _student_id(services: Services, email: str | None) -> int | None:
    if email is None:
        return None
    with services.database.read() as session:
        student = student_by_email(session, email)
        if student is None:
            raise UnknownStudent(email=email)
        return student.id


def as_line(line: Line, language: str, reply: Answer, milliseconds: float) -> dict[str, Any]:
    understood = reply.understanding.as_json()
    result: dict[str, Any] = {"id": line.id, "text": line.text, "language": language, **understood}
    if result["action"] == "failed":
        result["action"] = "abstain"
        result["failed"] = True
    result["answer"] = reply.text
    result["sources"] = [source.as_json() for source in reply.sources]
    result["ms"] = round(milliseconds, 1)
    return result


def forget_probes(tracker_database: Path, sender: str | None = None) -> None:
    """Delete the rows of one probe, or of all, from Rasa's own database: it has no call for it."""
    if not tracker_database.exists():
        return
    opened = closing(sqlite3.connect(tracker_database, timeout=5))
    with opened as connection, suppress(sqlite3.OperationalError), connection:
        if sender is None:
            connection.execute("DELETE FROM events WHERE sender_id LIKE 'probe-%'")
        else:
            connection.execute("DELETE FROM events WHERE sender_id = ?", (sender,))
