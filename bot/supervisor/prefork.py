"""A server that is killed is back in seconds: it is forked from a process that has imported everything and waits.

The imports of the gateway are two thirds of its start. The process that waits shares its memory with the server (copy
on write), opens nothing and starts no thread, so that there is nothing a fork could break.
"""

import gc
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import structlog

log = structlog.get_logger(__name__)

CALM = 10.0
"""Seconds. A server that was killed sooner is left to the supervisor, which waits longer each time."""


def serve_by_fork(serve: Callable[[], None], calm: float = CALM) -> int:
    """Run `serve` in a child, and in another one when a signal killed it; return the exit status of the last.

    A server that ends by itself, or is told to end, is not replaced. TERM and INT are handed on as TERM: a terminal
    sends INT to the child as well, and a second INT would cut off who is being answered. Returns 0 in the child too,
    where an exception of `serve` passes through.
    """
    is_ending = False
    child = 0

    def hand_on(_number: int, _frame: FrameType | None) -> None:
        nonlocal is_ending
        is_ending = True
        with suppress(ProcessLookupError):
            if child:
                os.kill(child, signal.SIGTERM)

    handlers = {number: signal.signal(number, hand_on) for number in (signal.SIGTERM, signal.SIGINT)}
    gc.collect()
    # A collection would write to every page that is shared.
    gc.freeze()
    while True:
        began = time.monotonic()
        # A signal to both must find the child with its own handlers, and us knowing the child.
        signal.pthread_sigmask(signal.SIG_BLOCK, handlers)
        child = os.fork()
        if child == 0:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, handlers)
            serve()
            return 0
        signal.pthread_sigmask(signal.SIG_UNBLOCK, handlers)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        child = 0
        if code >= 0:
            return code
        if is_ending or time.monotonic() - began < calm:
            return 128 - code
        log.warning("server_replaced", signal=signal.Signals(-code).name)
