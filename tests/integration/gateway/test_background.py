"""What runs beside the requests goes on after an error that nobody foresaw, and readiness leaves nothing behind."""

import asyncio
import sqlite3
import threading
import time
from contextlib import closing

from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from bot.bootstrap import build_services
from bot.config import Settings
from bot.gateway import app as gateway
from bot.gateway import build_app
from tests.fakes import FakeEngine


async def test_work_beside_the_requests_is_taken_up_again_after_an_unexpected_error(monkeypatch):
    monkeypatch.setattr(gateway, "PAUSE", 0.01)
    lives = []
    again = asyncio.Event()

    async def work() -> None:
        lives.append(len(lives))
        if len(lives) == 1:
            raise RuntimeError("a row that nobody expected")
        again.set()
        await asyncio.sleep(60)

    with capture_logs() as logs:
        task = asyncio.create_task(gateway.kept_running("watch", work))
        await asyncio.wait_for(again.wait(), 5)
        task.cancel()

    assert lives == [0, 1]
    assert [(log["event"], log["work"]) for log in logs] == [("background_failed", "watch")]


def services_in(tmp_path, database):
    return build_services(Settings(data=tmp_path, database_url=database.url, _env_file=None))


def test_a_probe_of_readiness_leaves_no_row_in_the_trackers(tmp_path, database):
    services = services_in(tmp_path, database)
    tracker = services.settings.tracker_database
    with closing(sqlite3.connect(tracker)) as connection, connection:
        connection.execute("CREATE TABLE events (sender_id TEXT)")
        connection.execute("INSERT INTO events VALUES ('a-student')")

    class Writes(FakeEngine):
        async def ask(self, sender, text, **more):
            with closing(sqlite3.connect(tracker)) as connection, connection:
                connection.execute("INSERT INTO events VALUES (?)", (sender,))
            return await super().ask(sender, text, **more)

    with TestClient(build_app(services, engine=Writes())) as client:
        assert client.get("/readyz").status_code == 200
    services.database.close()

    with closing(sqlite3.connect(tracker)) as connection:
        assert connection.execute("SELECT sender_id FROM events").fetchall() == [("a-student",)]


def test_probes_that_come_together_ask_the_engine_once(tmp_path, database):
    services = services_in(tmp_path, database)

    class Slow(FakeEngine):
        async def ask(self, sender, text, **more):
            await asyncio.sleep(0.5)
            return await super().ask(sender, text, **more)

    engine = Slow()
    codes = []
    with TestClient(build_app(services, engine=engine)) as client:
        callers = [threading.Thread(target=lambda: codes.append(client.get("/readyz").status_code)) for _ in range(5)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        time.sleep(0)
    services.database.close()

    assert (codes, len(engine.asked)) == ([200] * 5, 1)
