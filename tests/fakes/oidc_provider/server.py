"""The package as a process of its own, installed below .tools/ from the lock file beside this one."""

import fcntl
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx

HERE = Path(__file__).resolve().parent
TOOLS = HERE.parents[2] / ".tools"
INSTALLED = TOOLS / "oidc-provider"
LOCK = "package-lock.json"
STAMP = ".installed"
"""The lock file that the folder was installed from; written last."""
CLIENT_ID, CLIENT_SECRET = "accueil", "secret-of-the-test"
MOST_STEPS = 12


class NotHere(Exception):
    """The package cannot be had on this machine; the text says what is missing."""


@dataclass(frozen=True)
class Provider:
    issuer: str
    process: subprocess.Popen[str]

    def person(self, **claims: Any) -> None:
        """Who sits at the browser from now on."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(claims) + "\n")
        self.process.stdin.flush()
        # It prints its own warnings there as well.
        while (line := self.process.stdout.readline()) != "ok\n":
            assert line, "oidc-provider has stopped"

    def walk(self, address: str) -> str:
        """Follow the provider's pages as a browser does; the address of ours that it leads back to."""
        with httpx.Client() as browser:
            for _ in range(MOST_STEPS):
                response = browser.get(address)
                assert response.is_redirect, f"{response.status_code} {response.text[:500]}"
                address = urljoin(address, response.headers["Location"])
                if not address.startswith(self.issuer):
                    return address
        raise AssertionError("the provider leads nowhere")


def install() -> Path:
    """The folder with the package and `serve.js`; installs when the lock file changed. Raises NotHere."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise NotHere("no Node.js: apt install nodejs npm")
    TOOLS.mkdir(exist_ok=True)
    # Processes of a parallel run wait for the one that installs.
    with (TOOLS / "oidc-provider.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (INSTALLED / STAMP).exists() or (INSTALLED / STAMP).read_bytes() != (HERE / LOCK).read_bytes():
            _install()
        shutil.copy(HERE / "serve.js", INSTALLED)
    return INSTALLED


def _install() -> None:
    shutil.rmtree(INSTALLED, ignore_errors=True)
    INSTALLED.mkdir()
    for name in ("package.json", LOCK):
        shutil.copy(HERE / name, INSTALLED)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=INSTALLED, capture_output=True, text=True)
    if done.returncode:
        raise NotHere(f"npm cannot install oidc-provider: {done.stderr.strip()[-300:]}")
    shutil.copy(HERE / LOCK, INSTALLED / STAMP)


@contextmanager
def provider_at(redirect_uri: str) -> Iterator[Provider]:
    """Runs until the block ends. Raises NotHere."""
    folder = install()
    command = ["node", "serve.js", "0", redirect_uri]
    with subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, "oidc-provider did not start"
            yield Provider(json.loads(line)["issuer"], process)
        finally:
            process.kill()
