"""`run` as a process: checks first, then three children, then nothing left."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.errors import ConfigurationError
from bot.supervisor import checks, runfile
from bot.supervisor.checks import free_port
from bot.supervisor.run import PREPARED

ROOT = Path(__file__).resolve().parents[3]


def ports() -> dict[str, str]:
    chosen: set[int] = set()
    while len(chosen) < 3:
        chosen.add(free_port())
    return dict(zip(("ACCUEIL_PORT", "ACCUEIL_RASA_PORT", "ACCUEIL_ACTIONS_PORT"), map(str, chosen), strict=True))


def command(data: Path, **extra: str) -> tuple[list[str], dict[str, str]]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ACCUEIL_")}
    env = clean | ports() | {"ACCUEIL_DATA": str(data), "PYTHONPATH": str(ROOT)} | extra
    return [sys.executable, str(Path(__file__).parent / "small_desk.py")], env


@contextmanager
def desk(data: Path, **extra: str) -> Iterator[subprocess.Popen[str]]:
    argv, env = command(data, **extra)
    with subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def until_up(data: Path) -> runfile.Running:
    deadline = time.monotonic() + 15
    while (running := runfile.read(data)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return running


def refusal(data: Path, **extra: str) -> str:
    argv, env = command(data, **extra)
    ended = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    return ended.stderr.strip()


def listeners(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_and_leaves_no_process(tmp_path, number):
    with desk(tmp_path / "data") as process:
        running = until_up(tmp_path / "data")
        assert set(running.pids) == {"engine", "action server", "gateway"}
        assert running.pid == process.pid
        process.send_signal(number)
        said, _ = process.communicate(timeout=15)

    assert process.returncode == 0
    assert said.splitlines()[-1] == "All stopped."
    assert "Everything answers." in said.splitlines()
    assert runfile.read(tmp_path / "data") is None
    assert not (tmp_path / "data" / "run.json").exists()
    assert [Path(f"/proc/{pid}").exists() for pid in running.pids.values()] == [False, False, False]


def test_two_copies_run_side_by_side(tmp_path):
    with desk(tmp_path / "one"), desk(tmp_path / "two"):
        one, two = until_up(tmp_path / "one"), until_up(tmp_path / "two")

        assert {one.gateway_url, one.rasa_url}.isdisjoint({two.gateway_url, two.rasa_url})
        assert set(one.pids.values()).isdisjoint(two.pids.values())


def test_the_same_data_folder_is_refused_and_the_first_goes_on(tmp_path):
    with desk(tmp_path / "data") as process:
        running = until_up(tmp_path / "data")

        assert refusal(tmp_path / "data") == (
            f"Accueil already runs with the data folder {tmp_path / 'data'} (process {process.pid}, "
            f"{running.gateway_url}). Stop it first, or choose another folder with ACCUEIL_DATA."
        )
        assert runfile.read(tmp_path / "data") == running


def test_after_a_kill_the_folder_is_free_and_the_old_file_is_not_believed(tmp_path):
    chosen = ports()
    with desk(tmp_path / "data", **chosen) as process:
        until_up(tmp_path / "data")
        process.kill()
        process.wait()
        assert (tmp_path / "data" / "run.json").exists()
        assert runfile.read(tmp_path / "data") is None

    with desk(tmp_path / "data", **chosen):
        until_up(tmp_path / "data")


@pytest.mark.parametrize("setting", ["ACCUEIL_PORT", "ACCUEIL_RASA_PORT", "ACCUEIL_ACTIONS_PORT"])
def test_a_port_in_use_is_one_sentence_with_a_free_one(tmp_path, setting):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        said = refusal(tmp_path / "data", **{setting: str(port)})

    fix = f"Port {port} is in use by another program. Stop it, or choose a free port: {setting}="
    assert said.startswith(fix)
    assert not listeners(int(said.removeprefix(fix).rstrip(".")))


def test_one_port_for_two_servers_is_refused(tmp_path):
    assert refusal(tmp_path / "data", ACCUEIL_PORT="8123", ACCUEIL_RASA_PORT="8123") == (
        "ACCUEIL_PORT and ACCUEIL_RASA_PORT are both 8123. Give each a port of its own."
    )


def test_a_foreign_address_is_refused(tmp_path):
    production = {"ACCUEIL_MODE": "production", "ACCUEIL_SMTP_HOST": "mail.example"}
    assert refusal(tmp_path / "data", ACCUEIL_HOST="192.0.2.1", **production) == (
        "192.0.2.1 is not an address of this machine. Correct ACCUEIL_HOST."
    )


def test_a_missing_engine_is_one_sentence(tmp_path):
    assert refusal(tmp_path / "data", ENGINE="/nowhere/python") == (
        "The engine is not installed (/nowhere/python is missing). Run `make setup` first."
    )


def test_a_data_folder_that_is_a_file_is_one_sentence(tmp_path):
    (tmp_path / "data").write_text("not a folder")

    assert refusal(tmp_path / "data") == (
        f"The data folder {tmp_path / 'data'} cannot be used (File exists). "
        "Correct its rights, or choose another folder with ACCUEIL_DATA."
    )


def test_a_full_disk_is_one_sentence(tmp_path, monkeypatch):

    monkeypatch.setattr(checks, "DISK_NEEDED", 10**18)

    with pytest.raises(ConfigurationError, match=r"The disk of .* is full \(\d+ MB free, .* ACCUEIL_DATA\."):
        checks.check_folder(tmp_path / "data")


def test_the_data_folder_is_for_its_owner_only(tmp_path):
    with desk(tmp_path / "deep" / "data"):
        until_up(tmp_path / "deep" / "data")

    assert (tmp_path / "deep" / "data").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_the_steps_stops_with_another_exit_code(tmp_path, number):
    with desk(tmp_path / "data", STEP_SECONDS="60") as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == ["Preparing …\n", "working\n"]
        process.send_signal(number)
        said, _ = process.communicate(timeout=10)

    assert (process.returncode, said) == (130, "Stopped before the start was complete.\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_program_is_exchanged_stops_as_during_the_steps(tmp_path, number):
    with desk(tmp_path / "data") as process:
        deadline = time.monotonic() + 15
        while PREPARED.encode() not in Path(f"/proc/{process.pid}/environ").read_bytes():
            assert time.monotonic() < deadline
        process.send_signal(number)
        said, _ = process.communicate(timeout=15)

    assert (process.returncode, said.splitlines()[-1]) == (130, "Stopped before the start was complete.")
    assert "Traceback" not in said


def test_what_the_steps_read_is_not_kept_for_as_long_as_the_desk_runs(tmp_path):
    with desk(tmp_path / "data") as process:
        until_up(tmp_path / "data")
        (resident,) = (
            int(line.split()[1])
            for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()
            if line.startswith("VmRSS")
        )

    assert resident < 200_000
