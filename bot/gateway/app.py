"""Wires the web: routes, errors, headers, and what runs beside the requests."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from importlib import import_module
from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from bot.assistant.deeds import deeds_of
from bot.assistant.gated import GatedEngine
from bot.assistant.lanes import Lanes
from bot.assistant.ports import Engine
from bot.assistant.rasa_http import RasaEngine
from bot.bookings.service import expire_due_holds
from bot.bookings.telling import deliver_notes
from bot.bootstrap import Services
from bot.buddies import tending
from bot.buddies.matching import load_weights
from bot.channels.mail.channel import Transport, deliver_due, transport_of
from bot.channels.mail.mailbox_page import mailbox_router
from bot.channels.status import ChannelStatus
from bot.channels.telegram.channel import WEBHOOK_PATH, TelegramChannel
from bot.channels.telegram.formatting import parts_of
from bot.channels.telegram.sender import render
from bot.channels.telegram.webhook import MOST_BYTES as MOST_UPDATE
from bot.channels.telegram.webhook import webhook_router
from bot.channels.web import api, join_api, my_data_api, ratings_api, record_api
from bot.channels.web.limits import TYPING_PER_MINUTE, AddressLimit
from bot.channels.web.pages import pages_router
from bot.clock import SystemClock, day_in_france
from bot.console import staff_api_router, staff_pages_router
from bot.console.desk import FILE_PATHS
from bot.console.pages.answers.routes import MOST_SAVED, SAVE_PATH
from bot.console.pages.buddies.upload import IMPORT_PATH
from bot.console.pages.students.routes import MOST_UPLOAD, UPLOAD_PATH
from bot.console.pages.students.uploads import drop_old_uploads
from bot.conversations.brought import MOST_BYTES as MOST_FILE
from bot.conversations.messages import Source
from bot.conversations.models import Message
from bot.editing.live import follow
from bot.errors import Unavailable
from bot.gateway import health, problems
from bot.gateway.answers import welcome_groups
from bot.gateway.calls import call_staff, deliver_pushes
from bot.gateway.housekeeping import keep_house
from bot.gateway.middleware import BodyLimit, SecurityHeaders
from bot.gateway.upkeep import gather_questions, switch_when_asked, train_when_asked
from bot.gateway.warming import warm_radar, warm_search
from bot.handoff.tending import tend as tend_desks
from bot.i18n.languages import CODES
from bot.i18n.translate import translations
from bot.identity.resets import send_links
from bot.log import get_logger
from bot.paperwork.rules import french_holidays
from bot.reminders.sending import Content, Reminders
from bot.students.readings import load_words
from bot.upkeep.switching import Switcher
from encoder import encode

log = get_logger(__name__)

MOST_BYTES = 64 * 1024
"""Of the body of a request."""
PAUSE = 1.0
"""Seconds between two looks for mails, and before what failed beside the requests begins again."""
TENDING = 5.0
"""Seconds between two looks at places that are kept, at notes to students and at waiting conversations."""
PAIRING = 60.0
"""Seconds between two looks at pairs of buddies."""
REMINDING = 60.0
"""Seconds between two looks for reminders that are due."""

DESCRIPTION = """The welcome desk of an international office, in chat. Errors are `application/problem+json` with a
stable `code`: not_found, not_signed_in, not_allowed, invalid_field, different_content, already_taken, version_changed,
cannot_change, no_colleague, too_many_files, not_linked, too_many, too_large, method_not_allowed, unavailable,
internal."""


LATER = (
    "certifi",
    "httpcore",
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
)
"""Modules that the libraries import at their first use."""


def make_ready() -> None:
    """What is the same in every server, whatever the settings: done once, before the first of them is forked.

    Nothing of the content, which may be changed before the next one is.
    """
    for name in LATER:
        import_module(name)
    _include_routers(FastAPI())
    # The weights of the encoders are read and never written: all servers share them.
    encode(["bonjour"])
    load_words()
    for language in CODES:
        translations(language)
    french_holidays(day_in_france(SystemClock().now()).year)


def _include_routers(app: FastAPI) -> None:
    """What each route takes is found out when it is included for the first time."""
    for router in (
        api.router,
        record_api.router,
        record_api.calendar_router,
        my_data_api.router,
        my_data_api.download_router,
        join_api.router,
        ratings_api.router,
        staff_api_router(),
        staff_pages_router(),
    ):
        app.include_router(router)


def build_app(services: Services, *, engine: Engine | None = None) -> FastAPI:
    """The ASGI app. `engine` takes the place of Rasa in tests."""
    settings = services.settings
    engine = engine or RasaEngine(settings.rasa_url, settings.turn_timeout)
    deeds = deeds_of(services)
    telegram = TelegramChannel(services) if settings.telegram_token.get_secret_value() else None
    switcher = Switcher(services.database, settings.data / "models")
    gated = GatedEngine(engine, switcher.gate)
    lanes = Lanes(
        services.database,
        gated,
        services.door,
        services.knowledge,
        services.live,
        services.clock,
        deeds,
        services.office,
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        services.live.arrived = lanes.wake
        warming = asyncio.create_task(_warm_up(services))
        tasks = [
            asyncio.create_task(kept_running("watch", services.live.watch)),
            asyncio.create_task(kept_running("lanes", lanes.run)),
            asyncio.create_task(kept_running("house", partial(keep_house, services))),
            asyncio.create_task(kept_running("editions", partial(follow, lambda: services.editions))),
            asyncio.create_task(kept_running("reminders", partial(_remind, services))),
            asyncio.create_task(kept_running("bookings", partial(_tend_bookings, services))),
            asyncio.create_task(kept_running("buddies", partial(_tend_buddies, services))),
            asyncio.create_task(kept_running("desks", partial(_tend_desks, services))),
            asyncio.create_task(kept_running("calls", partial(call_staff, services))),
            asyncio.create_task(kept_running("push", partial(deliver_pushes, services))),
            asyncio.create_task(kept_running("uploads", partial(_drop_uploads, services))),
            asyncio.create_task(kept_running("questions", partial(gather_questions, services))),
            asyncio.create_task(kept_running("training", partial(train_when_asked, services))),
            asyncio.create_task(kept_running("switch", partial(switch_when_asked, services, switcher))),
            asyncio.create_task(kept_running("search", partial(warm_search, services))),
            asyncio.create_task(kept_running("radar", partial(warm_radar, services))),
            asyncio.create_task(kept_running("mail", partial(_deliver_mail, services, transport_of(settings)))),
        ]
        if telegram is not None:
            tasks.append(asyncio.create_task(kept_running("telegram", telegram.run)))
        yield
        services.live.close()
        await warming
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        await lanes.stop()
        if telegram is not None:
            await telegram.close()
        if isinstance(engine, RasaEngine):
            await engine.close()

    app = FastAPI(
        title="Accueil",
        version="1",
        description=DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.services = services
    app.state.engine = engine
    app.state.telegram = telegram.status if telegram is not None else ChannelStatus()
    app.state.telegram_form = telegram_form
    app.state.telegram_parts = telegram_parts
    app.state.address_limit = AddressLimit(settings.conversations_per_minute)
    app.state.typing_limit = AddressLimit(TYPING_PER_MINUTE)
    problems.install(app)
    _include_routers(app)
    app.include_router(
        pages_router(lambda language: welcome_groups(services.knowledge, language, day_in_france(services.clock.now())))
    )
    app.include_router(health.router)
    if telegram is not None:
        app.include_router(webhook_router(telegram))
    if settings.in_development:
        app.include_router(mailbox_router(settings.data / "mailbox"))
    larger = {SAVE_PATH: MOST_SAVED, UPLOAD_PATH: MOST_UPLOAD, IMPORT_PATH: MOST_UPLOAD, WEBHOOK_PATH: MOST_UPDATE}
    larger |= dict.fromkeys((api.PREFIX + api.FILES_PATH, *FILE_PATHS), MOST_FILE)
    app.add_middleware(BodyLimit, most_bytes=MOST_BYTES, larger=larger)
    app.add_middleware(SecurityHeaders)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.origins),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Last-Event-ID"],
            expose_headers=["Retry-After"],
            max_age=600,
        )
    _document_errors(app)
    return app


async def _warm_up(services: Services) -> None:
    """The first student must not wait for the weights of the urgent door."""
    await asyncio.to_thread(services.door.kind_of, "bonjour")


async def kept_running(work: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run what never ends; an error that it does not expect is logged, and it begins again."""
    while True:
        try:
            await run()
        except Exception:
            log.exception("background_failed", work=work)
        await asyncio.sleep(PAUSE)


def telegram_form(text: str, sources: Sequence[Source], language: str) -> tuple[str, ...]:
    """How Telegram shows a text, for the preview of answers: its HTML, one piece a message."""
    return tuple(part.html for part in parts_of(text, sources, language=language))


def telegram_parts(message: Message) -> int:
    """How many messages Telegram makes of one."""
    return len(render(message))


async def _deliver_mail(services: Services, transport: Transport) -> None:
    """Send what is due, once a second, for ever; a database that is away is asked again."""
    while True:
        with suppress(Unavailable):
            now, address = services.clock.now(), services.settings.address
            await asyncio.to_thread(send_links, services.database, address, now)
            sender = services.settings.mail_from
            while await deliver_due(services.database, transport, services.clock, sender=sender):
                pass
        await asyncio.sleep(PAUSE)


async def _remind(services: Services) -> None:
    """Send the reminders that are due, once a minute, for ever; a database that is away is asked again."""
    content = Content(services.procedures, services.knowledge, services.settings.address)
    reminders = Reminders(services.database, content)
    while True:
        with suppress(Unavailable):
            await asyncio.to_thread(reminders.run, services.clock.now())
        await asyncio.sleep(REMINDING)


async def _tend_bookings(services: Services) -> None:
    """Give places that were kept too long to the next in line and tell people, for ever; see bot.bookings."""
    while True:
        with suppress(Unavailable):
            now = services.clock.now()
            await asyncio.to_thread(expire_due_holds, services.database, now)
            await asyncio.to_thread(deliver_notes, services.database, now)
        await asyncio.sleep(TENDING)


async def _tend_desks(services: Services) -> None:
    """Wake what was laid aside, tell of long waits and of answers, for ever; see bot.handoff.tending."""
    live, address = services.live, services.settings.address
    while True:
        with suppress(Unavailable):
            now = services.clock.now()
            for changed in await asyncio.to_thread(
                tend_desks, services.database, services.office, live.read_at, now, address
            ):
                live.changed(changed)
        await asyncio.sleep(TENDING)


async def _tend_buddies(services: Services) -> None:
    """Ask, remind and follow up pairs of buddies, once a minute, for ever; see bot.buddies.tending."""
    weights = load_weights(services.knowledge.folder / "buddies.yml")
    content = tending.Content(weights, services.settings.address)
    while True:
        with suppress(Unavailable):
            await asyncio.to_thread(tending.tend, services.database, content, services.clock.now())
        await asyncio.sleep(PAIRING)


async def _drop_uploads(services: Services) -> None:
    """Delete files of the console that nobody confirmed in time, once a minute, for ever."""
    while True:
        await asyncio.to_thread(drop_old_uploads, services.settings.data, services.clock.now())
        await asyncio.sleep(60.0)


def _document_errors(app: FastAPI) -> None:
    """Every error is a problem, also those that no route gives itself; FastAPI would document its own shape for 422."""
    original = app.openapi
    content = {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}

    def openapi() -> dict[str, Any]:
        schema = original()
        for path in schema["paths"].values():
            for operation in path.values():
                if "requestBody" in operation:
                    too_large = {"description": f"A body of more than {MOST_BYTES // 1024} KiB."}
                    operation["responses"].setdefault("413", too_large)
                for status, response in operation["responses"].items():
                    if status >= "400":
                        response["content"] = content
        return schema

    app.openapi = openapi  # type: ignore[method-assign]
