"""Errors in the reader's language: `application/problem+json` (RFC 9457) with a stable `code`; for people, a page."""

from collections.abc import Mapping
from datetime import date
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from bot.console.html import visitor_language
from bot.console.messages import ALL_TOO_LONG, RELOAD, fault_words, message_page, wants_page
from bot.errors import AccueilError, InvalidField, NotAllowed, NotFound, NotSignedIn
from bot.i18n.formats import date_words
from bot.i18n.languages import negotiate
from bot.i18n.translate import say
from bot.log import get_logger

log = get_logger(__name__)
MEDIA_TYPE = "application/problem+json"


def problem(status: int, code: str, title: str, *, headers: dict[str, str] | None = None, **extra: Any) -> JSONResponse:
    body = {"type": "about:blank", "title": title, "status": status, "code": code, **extra}
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def invalid(language: str, fields: list[dict[str, str]]) -> JSONResponse:
    title = say(language, InvalidField.user_text).replace("{field}", fields[0]["field"] if fields else "…")
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, InvalidField.code, title, errors=fields)


def _field(error: Mapping[str, Any]) -> dict[str, str]:
    """The name and the fault of one value. What is no JSON at all has a place in the text, not a name."""
    place = () if error["type"] == "json_invalid" else error["loc"][1:]
    name = ".".join(str(part) for part in place) or str(error["loc"][0])
    return {"field": name, "message": str(error["msg"]).removeprefix("Value error, ")}


def too_large(request: Request, most_bytes: int) -> Response:
    """What is said to a body of more than so many bytes."""
    kib = most_bytes // 1024
    limit = f"{kib} KiB" if kib < 1024 else f"{kib // 1024} MB"
    if wants_page(request):
        return message_page(request, 413, [say(visitor_language(request), ALL_TOO_LONG)])
    return problem(413, "too_large", f"The request is too large: {limit} at most.")


def _filled(language: str, message: str, details: Mapping[str, Any]) -> str:
    """In the reader's language, where there is a translation."""
    said = say(language, message)
    for name, value in details.items():
        words = date_words(value, language) if isinstance(value, date) else str(value)
        said = said.replace("{" + name + "}", words)
    return said


def _page_faults(error: AccueilError, language: str) -> list[str]:
    """What a page of the console says of an error, under the sentence of its status."""
    if isinstance(error, NotAllowed) and str(error) != error.user_text:
        return [say(language, RELOAD)]
    return [fault_words(error.code, error.details["field"], language)] if "field" in error.details else []


def _route(request: Request) -> str:
    """Which route it was, without what stood in its address: that may be the secret of a calendar or of an export."""
    return str(getattr(request.scope.get("route"), "path", "none"))


def install(app: FastAPI) -> None:
    @app.exception_handler(AccueilError)
    async def _ours(request: Request, error: AccueilError) -> Response:
        language = negotiate(request.headers.get("accept-language"))
        title = _filled(language, error.user_text, error.details)
        extra: dict[str, Any] = {}
        if "field" in error.details:
            message = _filled(language, str(error), error.details)
            extra["errors"] = [{"field": error.details["field"], "message": message}]
        if "urgent_text" in error.details:
            extra["urgent_text"] = error.details["urgent_text"]
        if "why" in error.details:
            extra["why"] = error.details["why"]
        headers = {}
        if "retry_after" in error.details:
            headers["Retry-After"] = str(error.details["retry_after"])
        if error.status == HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = "Bearer"
        if error.status >= 500:
            log.error("request_failed", code=error.code, route=_route(request))
        if wants_page(request):
            page = message_page(request, error.status, _page_faults(error, visitor_language(request)))
            page.headers.update({name: value for name, value in headers.items() if name == "Retry-After"})
            return page
        return problem(error.status, error.code, title, headers=headers, **extra)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        if wants_page(request):
            language = visitor_language(request)
            faults = [fault_words(each["type"], _field(each)["field"], language) for each in error.errors()]
            return message_page(request, HTTPStatus.UNPROCESSABLE_ENTITY, dict.fromkeys(faults))
        language = negotiate(request.headers.get("accept-language"))
        return invalid(language, [_field(each) for each in error.errors()])

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        if wants_page(request):
            return message_page(request, error.status_code)
        if error.status_code == HTTPStatus.BAD_REQUEST:
            # A body that is not even text: refused like any other value that is not valid.
            language = negotiate(request.headers.get("accept-language"))
            return invalid(language, [{"field": "body", "message": str(error.detail)}])
        codes = {401: NotSignedIn.code, 403: NotAllowed.code, 404: NotFound.code, 405: "method_not_allowed"}
        code = codes.get(error.status_code, "http_error")
        return problem(error.status_code, code, str(error.detail), headers=dict(error.headers or {}))

    @app.exception_handler(ClientDisconnect)
    async def _gone(request: Request, _error: ClientDisconnect) -> Response:
        """Nobody reads this; or the limit for bodies has cut it off, whose own answer takes the place."""
        language = negotiate(request.headers.get("accept-language"))
        return invalid(language, [{"field": "body", "message": "The body did not come whole."}])

    @app.exception_handler(Exception)
    async def _unexpected(request: Request, error: Exception) -> Response:
        log.error("unexpected_error", route=_route(request), kind=type(error).__name__, exc_info=error)
        if wants_page(request):
            return message_page(request, 500)
        return problem(500, "internal", "Something went wrong on our side.")
