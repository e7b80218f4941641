"""The staff API for other desks: the same functions as the console, opened by a personal token."""

from functools import cache
from typing import Any

from fastapi import APIRouter

from bot.console.access import staff_by_token
from bot.console.desk import desk_router
from bot.handoff.wire import Problem

RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": text}
    for status, text in {
        401: "No token, or not one of ours.",
        403: "The role may read, not answer, or needs a second step first.",
        404: "No such conversation.",
        409: "`already_taken`: a colleague holds it. `version_changed`: it is not as it was. `different_content`.",
        422: "A field is not valid.",
        503: "The database is away.",
    }.items()
}


@cache
def staff_api_router() -> APIRouter:
    """Routes below `/api/v1/staff`."""
    router = APIRouter(prefix="/api/v1/staff", tags=["staff"])
    router.include_router(desk_router(staff_by_token, RESPONSES))
    return router
