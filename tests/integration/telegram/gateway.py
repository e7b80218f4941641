"""A gateway on a port of its own, in a thread, with an engine that answers as it is told, and a fake Telegram."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import httpx
import uvicorn
from pydantic import SecretStr
from sqlalchemy import select

from bot.bootstrap import Services, build_services
from bot.channels.status import ChannelStatus
from bot.clock import SystemClock
from bot.config import ROOT, Settings
from bot.conversations.live import Live
from bot.conversations.models import Address, Conversation, Message
from bot.db.session import Database
from bot.gateway import build_app
from tests.fakes import FakeEngine
from tests.fakes.telegram_api import Fake, Phone

PATIENCE = 20.0
"""Seconds; a machine may be busy."""

Found = TypeVar("Found")


def until(look: Callable[[], Found], seconds: float = PATIENCE) -> Found:
    """The first true thing that `look` finds."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)
    return found


@dataclass
class Gateway:
    services: Services
    engine: FakeEngine
    status: ChannelStatus
    url: str
    client: httpx.Client = field(repr=False)
    loop: asyncio.AbstractEventLoop = field(repr=False)
    """The gateway's own, in its thread."""

    def is_on(self) -> bool:
        return self.status.state == "on"

    def transcript(self, phone: Phone) -> list[tuple[str, str]]:
        """(author, text) of the conversation that a chat leads to."""
        with self.services.database.read() as session:
            talk = select(Address.conversation_id).where(Address.external == str(phone.id)).scalar_subquery()
            rows = session.scalars(select(Message).where(Message.conversation_id == talk).order_by(Message.seq))
            return [(str(row.author), row.text) for row in rows]

    def conversation(self, phone: Phone) -> Conversation:
        with self.services.database.read() as session:
            talk = select(Address.conversation_id).where(Address.external == str(phone.id)).scalar_subquery()
            return session.scalars(select(Conversation).where(Conversation.id == talk)).one()


@cache
def _content(folder: Path) -> Services:
    """Knowledge, procedures and the urgent door take seconds to read, and no test changes them."""
    return build_services(Settings(data=folder, _env_file=None))


def _services(settings: Settings) -> Services:
    clock, database = SystemClock(), Database(settings.database)
    read = _content(ROOT / "var")
    return replace(read, settings=settings, clock=clock, database=database, live=Live(database, clock))


@contextmanager
def gateway(
    database: Database, folder: Path, fake: Fake, *, mode: str = "polling", connects: bool = True, **more: Any
) -> Iterator[Gateway]:
    """Runs until the block ends; `connects`: wait until the channel is on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(128)
        settings = Settings(
            data=folder,
            database_url=database.engine.url.render_as_string(hide_password=False),
            port=sock.getsockname()[1],
            messages_per_minute=500,
            telegram_token=SecretStr(fake.token),
            telegram_mode=mode,
            telegram_api_url=fake.address,
            _env_file=None,
            **more,
        )
        services, engine = _services(settings), FakeEngine()
        app = build_app(services, engine=engine)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, log_level="critical", lifespan="on"))
        loops: list[asyncio.AbstractEventLoop] = []

        async def serve() -> None:
            loops.append(asyncio.get_running_loop())
            await server.serve(sockets=[sock])

        thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        thread.start()
        with httpx.Client(base_url=settings.address, verify=False, trust_env=False, timeout=20) as client:
            until(lambda: server.started)
            running = Gateway(services, engine, app.state.telegram, settings.address, client, loops[0])
            try:
                if connects:
                    until(running.is_on)
                yield running
            finally:
                if engine.gate is not None:
                    loops[0].call_soon_threadsafe(engine.gate.set)
                server.should_exit = True
                thread.join(30)
                services.database.close()
