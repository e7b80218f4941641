"""The family of errors: a stable code for programs, a sentence for people. Services raise, edges translate once."""

from http import HTTPStatus
from typing import Any, ClassVar


class AccueilError(Exception):
    """Root of our errors.

    `code` is stable and documented in docs/api.md; `status` is the HTTP status at the edge; `user_text` is the English
    source of the sentence shown to people (a gettext message id), filled with `details`.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST
    user_text: ClassVar[str] = "Something went wrong."

    def __init__(self, message: str = "", **details: Any) -> None:
        super().__init__(message or self.user_text.format_map(_Lenient(details)))
        self.details = details


class _Lenient(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "…"


class ConfigurationError(AccueilError):
    """The program cannot start as it is set up; the message says how to mend it."""

    code = "configuration"
    status = HTTPStatus.INTERNAL_SERVER_ERROR


class ContentError(AccueilError):
    """A file of knowledge/ or data/ is wrong; the message names file, field and fix."""

    code = "content"


class NotFound(AccueilError):
    code = "not_found"
    status = HTTPStatus.NOT_FOUND
    user_text = "There is nothing here, or it is not yours to see."


class NotSignedIn(AccueilError):
    code = "not_signed_in"
    status = HTTPStatus.UNAUTHORIZED
    user_text = "Please sign in first."


class NotAllowed(AccueilError):
    code = "not_allowed"
    status = HTTPStatus.FORBIDDEN
    user_text = "Your role does not allow this."


class InvalidField(AccueilError):
    """A value from outside is wrong; `field` names it."""

    code = "invalid_field"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    user_text = "The field {field} is not valid."


class DifferentContent(AccueilError):
    """The same client_id came again with another content."""

    code = "different_content"
    status = HTTPStatus.CONFLICT
    user_text = "This message was already sent with another content."


class AlreadyTaken(AccueilError):
    code = "already_taken"
    status = HTTPStatus.CONFLICT
    user_text = "{colleague} is already answering this student."


class VersionChanged(AccueilError):
    """The conversation changed since it was looked at, or the transition is not possible from its present state."""

    code = "version_changed"
    status = HTTPStatus.CONFLICT
    user_text = "The conversation has changed in the meantime; look at it again."


class BotIsSilent(AccueilError):
    """A colleague has the conversation: nothing of the bot may be said in it."""

    code = "bot_is_silent"


class CannotChange(AccueilError):
    """What was said, noted or done cannot be changed any more, or there is nothing to be laid aside.

    `why` is stable: not_yours | too_late | deleted | delivered | too_long | is_file | nothing_waits.
    """

    code = "cannot_change"
    status = HTTPStatus.CONFLICT
    user_text = "This can no longer be changed here."


class NoColleague(AccueilError):
    """A file came while no colleague has the conversation: nobody here could read it."""

    code = "no_colleague"
    status = HTTPStatus.CONFLICT
    user_text = "Files can be sent here once a person of the office has taken over."


class TooManyFiles(AccueilError):
    """A conversation has brought as much as it may in a day: `files`, and `limit` in MB."""

    code = "too_many_files"
    status = HTTPStatus.CONFLICT
    user_text = (
        "This file was not passed on: at most {files} files and {limit} MB a day can be sent here. Send it tomorrow, "
        "please."
    )


class NotLinked(AccueilError):
    """What is asked for belongs to a student, and this conversation is linked to none."""

    code = "not_linked"
    status = HTTPStatus.CONFLICT
    user_text = "This conversation is not linked to a student record. Link it in the chat first."


class TooMany(AccueilError):
    """Over a limit; `retry_after` in seconds."""

    code = "too_many"
    status = HTTPStatus.TOO_MANY_REQUESTS
    user_text = "That was too fast. Please wait a moment."


class Unavailable(AccueilError):
    """The database cannot be reached; `urgent_text` is given when the message was urgent."""

    code = "unavailable"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    user_text = "The service cannot store messages at the moment. Please try again in a minute."


ERRORS: tuple[type[AccueilError], ...] = (
    NotFound,
    NotSignedIn,
    NotAllowed,
    InvalidField,
    DifferentContent,
    AlreadyTaken,
    VersionChanged,
    CannotChange,
    NoColleague,
    TooManyFiles,
    NotLinked,
    TooMany,
    Unavailable,
)
"""Everything the HTTP API may answer, for the documentation and its test."""
