"""A tiny process that outlives us by a second, so that nothing we started outlives us for long."""

import os
import signal
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import IO

SCRIPT = """
trap '' HUP INT TERM
groups=
while read -r line; do groups=$line; done
[ -n "$groups" ] || exit 0
for group in $groups; do kill -s TERM -- "-$group"; done
sleep 1
for group in $groups; do kill -s KILL -- "-$group"; done
"""


class Guardian:
    """Holds the list of process groups that must not outlive this process.

    The list travels over a pipe: when this process ends in any way, SIGKILL too, the pipe closes and the guardian ends
    the groups it was last told. A death signal of the kernel (PR_SET_PDEATHSIG) would reach the children alone, not
    what they started themselves: the action server, for one, has worker processes.
    """

    def __init__(self, pid: int, pipe: IO[bytes]) -> None:
        self.pid = pid
        self._pipe = pipe

    def watch(self, groups: Iterable[int]) -> None:
        """Replace the list. A guardian that somebody killed is no reason to stop serving students."""
        with suppress(OSError, ValueError):
            self._pipe.write((" ".join(map(str, sorted(groups))) + "\n").encode())


@contextmanager
def guardian() -> Iterator[Guardian]:
    """A guardian for the time of the block; after a normal end of the block it ends nothing any more."""
    with subprocess.Popen(  # noqa: S603 - a constant
        ["/bin/sh", "-c", SCRIPT],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        start_new_session=True,
    ) as process:
        if process.stdin is None:
            raise RuntimeError("the guardian has no pipe")
        yield Guardian(process.pid, process.stdin)


def signal_group(group: int, number: signal.Signals) -> None:
    """Send to every process of a group; a group that is gone is what we wanted."""
    with suppress(ProcessLookupError):
        os.killpg(group, number)
