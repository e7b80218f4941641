"""What runs beside the requests, from a student who begins to wait to a push service."""

import asyncio
from contextlib import suppress

import pytest

from bot.gateway.calls import call_staff, deliver_pushes
from tests.fakes.push_service import push_service
from tests.integration.calling.cast import colleague, queued, waiting, with_browser
from tests.integration.console.desk import desk_services


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_student_who_waits_is_told_to_a_browser_while_nobody_is_there(database, clock, tmp_path):
    services = desk_services(database, clock, data=tmp_path, push_services="127.0.0.1")
    with push_service() as fake:
        fake.now = clock.now().timestamp()
        with_browser(database, colleague(database, clock.now()), clock.now(), fake.browser())
        talk = waiting(database, clock.now())
        running = [asyncio.create_task(work(services)) for work in (call_staff, deliver_pushes)]
        # Until both rest again: what they began is done.
        while (not fake.taken or queued(database, "push")) and not any(each.done() for each in running):  # noqa: ASYNC110  (a thread has it, not this loop)
            await asyncio.sleep(0.1)
        for each in running:
            each.cancel()
        for each in running:
            with suppress(asyncio.CancelledError):
                await each

    assert [delivery.note["url"] for delivery in fake.taken] == [f"/staff#{talk}"]
