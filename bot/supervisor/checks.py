"""What must hold before anything is started; each refusal is one sentence with the fix."""

import errno
import os
import shutil
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from bot.errors import ConfigurationError

DISK_NEEDED = 300_000_000
"""Bytes: a new model beside the old one, and room for a day of logs."""

PORT_PATIENCE = 2.0
"""Seconds: after a kill, the children of the one before need up to a second to go (guardian.py)."""


def check_folder(folder: Path) -> None:
    """Create the data folder, for our eyes only: it holds student records.

    Raises:
        ConfigurationError: it cannot be made or written to, or the disk is full.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise folder_trouble(folder, error) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise folder_trouble(folder, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
    free = shutil.disk_usage(folder).free
    if free < DISK_NEEDED:
        raise disk_full(folder, free)


def folder_trouble(folder: Path, error: OSError) -> ConfigurationError:
    """The sentence for an error of the file system under the data folder."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full(folder, 0)
    return ConfigurationError(
        f"The data folder {folder} cannot be used ({error.strerror or error}). "
        "Correct its rights, or choose another folder with ACCUEIL_DATA."
    )


def disk_full(folder: Path, free: int) -> ConfigurationError:
    return ConfigurationError(
        f"The disk of {folder} is full ({free / 1e6:.0f} MB free, {DISK_NEEDED / 1e6:.0f} MB needed). "
        "Free some space, or choose a folder on another disk with ACCUEIL_DATA."
    )


def check_interpreter(interpreter: Path, name: str) -> None:
    """Raises ConfigurationError when an environment is not installed."""
    if not os.access(interpreter, os.X_OK):
        raise ConfigurationError(f"The {name} is not installed ({interpreter} is missing). Run `make setup` first.")


def check_ports(ports: Mapping[str, tuple[str, int]]) -> None:
    """Refuse what cannot be listened on. `ports`: setting → (host, port).

    Raises:
        ConfigurationError: names the setting, the port and a port that is free.
    """
    seen: dict[int, str] = {}
    for setting, (_, port) in ports.items():
        if port in seen:
            raise ConfigurationError(f"{seen[port]} and {setting} are both {port}. Give each a port of its own.")
        seen[port] = setting
    for setting, (host, port) in ports.items():
        _check_port(host, port, setting, taken=set(seen))


def _check_port(host: str, port: int, setting: str, taken: set[int]) -> None:
    deadline = time.monotonic() + PORT_PATIENCE
    while (error := bind_error(host, port)) is not None:
        if error.errno == errno.EACCES:
            raise ConfigurationError(f"Port {port} needs administrator rights. Choose one above 1023 with {setting}.")
        if error.errno != errno.EADDRINUSE:
            raise ConfigurationError(f"{host} is not an address of this machine. Correct ACCUEIL_HOST.")
        if time.monotonic() > deadline:
            other = next((n for n in range(port + 1, 65536) if n not in taken and bind_error(host, n) is None), port)
            raise ConfigurationError(
                f"Port {port} is in use by another program. Stop it, or choose a free port: {setting}={other}."
            )
        time.sleep(0.1)


def bind_error(host: str, port: int) -> OSError | None:
    """Why a server could not listen there, or None."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError as error:
        return error
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As the servers do: the remains of closed connections must not count as a program.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)
        except OSError as error:
            return error
    return None


def free_port() -> int:
    """A port that nobody listens on at this moment, on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
