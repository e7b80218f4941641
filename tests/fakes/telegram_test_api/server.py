"""The package as a process of its own, installed below .tools/ from the lock file beside this one."""

import fcntl
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fakes.telegram_test_api.phone import OtherServer

HERE = Path(__file__).resolve().parent
TOOLS = HERE.parents[2] / ".tools"
INSTALLED = TOOLS / "telegram-test-api"
LOCK = "package-lock.json"
STAMP = ".installed"
"""The lock file that the folder was installed from; written last."""


class NotHere(Exception):
    """The package cannot be had on this machine; the text says what is missing."""


def install() -> Path:
    """The folder with the package and `serve.js`; installs when the lock file changed. Raises NotHere."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise NotHere("no Node.js: apt install nodejs npm")
    TOOLS.mkdir(exist_ok=True)
    # Processes of a parallel run wait for the one that installs.
    with (TOOLS / "telegram-test-api.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _is_new():
            _install()
        shutil.copy(HERE / "serve.js", INSTALLED)
    return INSTALLED


def _is_new() -> bool:
    stamp = INSTALLED / STAMP
    return not stamp.exists() or stamp.read_bytes() != (HERE / LOCK).read_bytes()


def _install() -> None:
    shutil.rmtree(INSTALLED, ignore_errors=True)
    INSTALLED.mkdir()
    for name in ("package.json", LOCK):
        shutil.copy(HERE / name, INSTALLED)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=INSTALLED, capture_output=True, text=True)
    if done.returncode:
        raise NotHere(f"npm cannot install telegram-test-api: {done.stderr.strip()[-300:]}")
    shutil.copy(HERE / LOCK, INSTALLED / STAMP)


@contextmanager
def other_server(port: int = 0) -> Iterator[OtherServer]:
    """Runs until the block ends; port 0: any free one. Raises NotHere."""
    folder = install()
    command = ["node", "serve.js", str(port)]
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, "the server of telegram-test-api did not start"
            with OtherServer(json.loads(line)["address"]) as server:
                yield server
        finally:
            process.kill()
