"""Probes: the process lives, the engine answers."""

import asyncio
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from bot.assistant.ports import Engine, TurnFailed
from bot.bootstrap import Services
from bot.clock import day_in_france
from bot.errors import Unavailable

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process lives."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(request: Request) -> JSONResponse:
    """The database answers and the engine answered a probe turn."""
    services: Services = request.app.state.services
    engine: Engine = request.app.state.engine
    state: dict[str, Any] = {"database": "ok", "engine": "ok"}
    try:
        await asyncio.to_thread(services.database.probe)
    except Unavailable:
        state["database"] = "away"
    try:
        today = day_in_france(services.clock.now())
        await engine.ask(f"probe-{uuid4()}", "hello", language="en", today=today, metadata={})
    except TurnFailed:
        state["engine"] = "away"
    ready = all(value == "ok" for value in state.values())
    return JSONResponse(state, status_code=200 if ready else 503)
