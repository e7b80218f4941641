"""Probes: the process lives, the engine answers."""

import asyncio
from dataclasses import asdict
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from bot.assistant.ports import Engine, TurnFailed
from bot.bootstrap import Services
from bot.clock import day_in_france
from bot.config import LOOPBACK_HOSTS
from bot.errors import NotFound, Unavailable
from bot.gateway.ask import forget_probes

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process lives."""
    return {"status": "ok"}


@router.get("/healthz/channels")
async def channels(request: Request) -> JSONResponse:
    """How each channel does, with what is wrong: for whoever is on this machine."""
    if request.client is None or request.client.host not in LOOPBACK_HOSTS:
        raise NotFound
    return JSONResponse({"telegram": asdict(request.app.state.telegram)})


@router.get("/readyz")
async def readyz(request: Request) -> JSONResponse:
    """The database answers and the engine answered a probe turn; whoever asks meanwhile shares that probe."""
    state = request.app.state
    under_way: asyncio.Task[dict[str, str]] | None = getattr(state, "probe", None)
    if under_way is None or under_way.done():
        under_way = state.probe = asyncio.create_task(_probe(state.services, state.engine))
    found = await asyncio.shield(under_way)
    return JSONResponse(found, status_code=200 if set(found.values()) == {"ok"} else 503)


async def _probe(services: Services, engine: Engine) -> dict[str, str]:
    found = {"database": "ok", "engine": "ok"}
    try:
        await asyncio.to_thread(services.database.probe)
    except Unavailable:
        found["database"] = "away"
    sender = f"probe-{uuid4()}"
    try:
        today = day_in_france(services.clock.now())
        await engine.ask(sender, "hello", language="en", today=today, metadata={})
    except TurnFailed:
        found["engine"] = "away"
    await asyncio.to_thread(forget_probes, services.settings.tracker_database, sender)
    return found
