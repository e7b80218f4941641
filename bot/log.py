"""Structured logs: one JSON line each on stderr, never with the text of a message, an address or a secret."""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from io import TextIOBase
from pathlib import Path
from typing import Any, TextIO, cast

import structlog

FORBIDDEN_KEYS = frozenset({"text", "answer", "email", "code", "token", "password", "prompt", "payload", "body"})


def _withhold(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A last door before the log: whatever slipped in under a personal name is replaced."""
    for key in FORBIDDEN_KEYS & event.keys():
        event[key] = "[withheld]"
    return event


def _trace(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """An exception as its type and places. Its message stays out: drivers and validators put values into it."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["trace"] = _places(error)
        if error.__cause__ is not None:
            event["cause"] = type(error.__cause__).__name__
    return event


def _places(error: BaseException) -> list[str]:
    return [
        f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]


class PlacesOnly(logging.Formatter):
    """The libraries' own lines. Of an exception the type and places; what it says may be what a student wrote.

    Only the first line of a message is kept: asyncio puts the exception of a forgotten task into the next ones.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = f"{record.levelname} {record.name} {record.getMessage().strip().partition(chr(10))[0]}"
        error = record.exc_info[1] if record.exc_info else None
        return line if error is None else f"{line} {type(error).__name__} {' < '.join(reversed(_places(error)))}"


class _Stderr(TextIOBase):
    """Whatever stderr is when a line is written: a command that is run inside another program may have put it aside."""

    def write(self, line: str) -> int:
        return sys.stderr.write(line)

    def flush(self) -> None:
        sys.stderr.flush()


def configure_logging(level: str = "INFO") -> None:
    # The libraries' own request lines would hold addresses with tokens (Telegram) and texts: warnings only.
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(PlacesOnly())
    logging.basicConfig(handlers=[lines], level=logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _withhold,
            _trace,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _Stderr())),
        cache_logger_on_first_use=True,
    )


def get_logger(name: str) -> structlog.typing.FilteringBoundLogger:
    return cast(structlog.typing.FilteringBoundLogger, structlog.get_logger(component=name))
