"""From Telegram to the bot's webhook: in order in each chat, several at once, again until it is taken."""

import asyncio

import httpx

from tests.fakes.telegram_api.core import Core
from tests.fakes.telegram_api.state import Update

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 60.0
"""Telegram waits about a second first; tests should not."""
PATIENCE = 60.0
LOOK_EVERY = 1.0


class Delivery:
    """`run` until cancelled."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self._out: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        limits = httpx.Limits(max_connections=100)
        # Certificates of a webhook are not the matter of a fake.
        async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False, verify=False, limits=limits) as client:
            while True:
                wait = self._start_due(client)
                await self.core.bell.wait(wait)

    def _start_due(self, client: httpx.AsyncClient) -> float:
        """Hand over what may go now; returns how long nothing else is due."""
        world, now = self.core.world, self.core.now()
        if not world.webhook.url:
            return LOOK_EVERY
        world.forget_old(now)
        busy = {update.chat for update in world.updates if update.number in self._out}
        waiting: list[Update] = []
        soon = LOOK_EVERY
        for update in world.updates:
            if update.number in self._out:
                continue
            due = max(update.ready_at, update.retry_at)
            if due > now:
                soon = min(soon, due - now)
                busy.add(update.chat)
            elif update.chat not in busy:
                waiting.append(update)
                busy.add(update.chat)
        # A shuffle breaks the order within a chat as well.
        ready = [u for u in world.updates if max(u.ready_at, u.retry_at) <= now and u.number not in self._out]
        mixed = self.core.faults.mixed(ready, now)
        chosen = mixed if mixed != ready else waiting
        for update in chosen[: world.webhook.most_at_once - len(self._out)]:
            self._out[update.number] = asyncio.create_task(self._hand_over(client, update))
        return soon

    async def _hand_over(self, client: httpx.AsyncClient, update: Update) -> None:
        world = self.core.world
        hook = world.webhook
        headers = {"X-Telegram-Bot-Api-Secret-Token": hook.secret} if hook.secret else {}
        trouble = ""
        try:
            answer = await client.post(hook.url, json=update.json, headers=headers)
            if not answer.is_success:
                trouble = f"Wrong response from the webhook: {answer.status_code} {answer.reason_phrase}"
        except httpx.TimeoutException:
            trouble = "Read timeout expired"
        except httpx.HTTPError:
            trouble = "Connection refused"
        finally:
            self._out.pop(update.number, None)
        now = self.core.now()
        if trouble:
            hook.last_error, hook.last_error_at = trouble, now
            update.retry_at = now + min(LONGEST_PAUSE, FIRST_PAUSE * 2**update.attempts)
            update.attempts += 1
        elif update.repeats:
            update.repeats -= 1
        else:
            world.drop(update)
        self.core.bell.ring()
