"""What the day leaves behind. The last of these tests closes the desk; the file's name puts them at the end."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.e2e.desk import Desk, stop

pytestmark = pytest.mark.engine

LOOPBACK = {"0100007F", "00000000000000000000000001000000"}
LISTENS = "0A"


def processes_of(desk: Desk) -> set[int]:
    """Every process that was started with this desk's data folder, the supervisor included."""
    mark = f"ACCUEIL_DATA={desk.settings.data}".encode()
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found.add(int(folder.name))
        except OSError:
            continue
    return found


def listening_addresses(pids: set[int]) -> set[tuple[str, int]]:
    """(address as the kernel writes it, port) of every socket on which these processes listen."""
    sockets = {name for pid in pids for name in _open_files(pid) if name.startswith("socket:")}
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == LISTENS and f"socket:[{inode}]" in sockets:
                address, port = local.split(":")
                found.add((address, int(port, 16)))
    return found


def _open_files(pid: int) -> list[str]:
    try:
        return [str(file.readlink()) for file in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return []


def test_nothing_of_ours_listens_beyond_loopback(desk: Desk):
    listening = listening_addresses(processes_of(desk))

    settings = desk.settings
    assert {port for _, port in listening} == {settings.port, settings.rasa_port, settings.actions_port}
    assert {address for address, _ in listening} <= LOOPBACK


def test_rasa_offers_neither_its_models_nor_its_trackers(desk: Desk):
    url = desk.settings.rasa_url

    parsed = httpx.post(f"{url}/model/parse", json={"text": "hello"}, trust_env=False)
    tracker = httpx.get(f"{url}/conversations/anybody/tracker", trust_env=False)

    assert (parsed.status_code, tracker.status_code) == (404, 404)


@pytest.mark.browser
def test_no_log_holds_what_was_said_nor_a_code_nor_a_token(desk: Desk):
    secrets = sorted(desk.said)
    assert len(secrets) > 40, "run the other end-to-end tests before this one"
    # A code of six digits is looked for between other signs than digits: a time stamp has six of them as well.
    patterns = {secret: re.compile(rf"(?<![\d.]){re.escape(secret)}(?!\d)") for secret in secrets}

    leaks = {(name, secret) for name, log in desk.logs().items() for secret in secrets if patterns[secret].search(log)}

    assert leaks == set()


@pytest.mark.browser
def test_neither_an_address_nor_a_code_has_reached_rasa(desk: Desk):
    with closing(sqlite3.connect(f"file:{desk.settings.tracker_database}?mode=ro", uri=True)) as trackers:
        events = [data for (data,) in trackers.execute("SELECT data FROM events")]
    credentials = {said for said in desk.said if "@" in said or re.fullmatch(r"\d{6}", said)}
    assert len(credentials) > 3, "run the other end-to-end tests before this one"

    assert {each for each in credentials for event in events if f'"{each}"' in event} == set()


def test_ctrl_c_leaves_no_process(desk: Desk):
    started = processes_of(desk)
    assert {desk.process.pid, *desk.pids.values()} <= started

    assert stop(desk) == 0

    assert processes_of(desk) == set()
    assert desk.output.read_text().splitlines()[-1] == "All stopped."
