"""`/control/…`: what the phones do and see, what goes wrong, what the bot asked. Not a part of Telegram."""

from dataclasses import asdict, replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.telegram_api.core import Core
from tests.fakes.telegram_api.deeds import act
from tests.fakes.telegram_api.faults import Fault
from tests.fakes.telegram_api.methods import call_json
from tests.fakes.telegram_api.rules import Json

LONGEST_WAIT = 30.0


class Control:
    def __init__(self, core: Core) -> None:
        self.core = core

    def routes(self) -> list[Route]:
        return [
            Route("/control/deed", self.deed, methods=["POST"]),
            Route("/control/chats/{chat}/events", self.events),
            Route("/control/calls", self.calls),
            Route("/control/faults", self.faults, methods=["GET", "POST", "DELETE"]),
            Route("/control/settings", self.settings, methods=["POST"]),
            Route("/control/state", self.state),
            Route("/control/menu", self.menu),
            Route("/control/files/{id}", self.file),
        ]

    async def deed(self, request: Request) -> Response:
        """Somebody does something on a phone."""
        try:
            result = act(self.core.world, await request.json(), self.core.now())
        except (KeyError, ValueError, TypeError) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 422)
        self.core.bell.ring()
        return JSONResponse(result)

    async def events(self, request: Request) -> Response:
        """What a phone sees in a chat after the first `after` things; waits up to `timeout` seconds for one."""
        chat = int(request.path_params["chat"])
        after = int(request.query_params.get("after", 0))
        until = self.core.now() + min(LONGEST_WAIT, float(request.query_params.get("timeout", 0)))
        while True:
            known = self.core.world.events.get(chat, [])
            left = until - self.core.now()
            if len(known) > after or left <= 0:
                return JSONResponse({"events": known[after:], "next": max(after, len(known))})
            await self.core.bell.wait(left)

    async def calls(self, request: Request) -> Response:
        """What the bot asked, oldest first."""
        method = request.query_params.get("method", "").lower()
        after = int(request.query_params.get("after", 0))
        found = [call for call in self.core.calls[after:] if method in ("", call.method.lower())]
        return JSONResponse([call_json(call) for call in found])

    async def faults(self, request: Request) -> Response:
        """GET: those there are; POST: one more; DELETE: none any more."""
        if request.method == "DELETE":
            self.core.faults.known.clear()
        if request.method == "POST":
            try:
                given = await request.json()
                lasts = given.pop("lasts", None)
                until = None if lasts is None else self.core.now() + float(lasts)
                fault = Fault(**{**given, "methods": tuple(given.get("methods", ()))}, until=until)
            except (TypeError, ValueError) as error:
                return JSONResponse({"error": str(error)}, 422)
            self.core.faults.known.append(fault)
        return JSONResponse([_fault_json(each) for each in self.core.faults.known])

    async def settings(self, request: Request) -> Response:
        """How strict the limits are, how long a button may wait, how the bot is called."""
        given = await request.json()
        world = self.core.world
        names = {"query_lasts", "bot_name", "bot_username"}
        limits = {"burst", "per_second", "group_per_minute", "tolerance"}
        if foreign := given.keys() - names - limits:
            return JSONResponse({"error": f"there is no setting {', '.join(sorted(foreign))}"}, 422)
        world.limits = replace(world.limits, **{name: given[name] for name in limits & given.keys()})
        for name in names & given.keys():
            setattr(world, name, given[name])
        return JSONResponse({})

    async def state(self, _request: Request) -> Response:
        """What tests and the page want to know at a glance."""
        world = self.core.world
        state: Json = {
            "bot": world.bot,
            "desk": self.core.desk,
            "pending": len(world.updates) + len(self.core.echoes),
            "next_update": world.next_update,
            "webhook": world.webhook.url,
            "violations": dict(world.limits.violations),
            "people": [{**asdict(each), "is_blocking": self._is_blocking(each.id)} for each in world.people.values()],
            "calls": len(self.core.calls),
        }
        return JSONResponse(state)

    def _is_blocking(self, person: int) -> bool:
        chat = self.core.world.chats.get(person)
        return chat is not None and chat.is_blocked

    async def menu(self, request: Request) -> Response:
        """The command menu of a phone in this language, and what the bot says of itself before /start."""
        language = request.query_params.get("language", "")
        texts = self.core.world.texts
        description = texts.get(("description", language)) or texts.get(("description", ""), "")
        return JSONResponse({"commands": self.core.world.menu(language), "description": description})

    async def file(self, request: Request) -> Response:
        """The bytes of a file that somebody sent."""
        file = self.core.world.files.get(request.path_params["id"])
        if file is None:
            return JSONResponse({"error": "there is no such file"}, 404)
        headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
        return Response(file.data, media_type="application/octet-stream", headers=headers)


def _fault_json(fault: Fault) -> Json:
    return {name: value for name, value in vars(fault).items() if name != "draws"}
