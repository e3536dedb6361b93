"""Work on plain values, spread over processes: the same results as one after another, sooner where processors are free.

A process costs a few milliseconds, and a result has to be copied: only much work is worth it.
"""

import marshal
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

MOST = 8
"""Processes at most: what is left for one is not worth more of them."""

Work = Callable[[Any], Any]
"""Takes a share; what it returns holds plain values, tuples and lists alone."""


def processors() -> int:
    """How many processes may work at once, this one among them: 1 where none can be added safely.

    A process with several threads is not forked: a lock that one of them holds would never be given back.
    """
    if sys.platform != "linux" or threading.active_count() > 1:
        return 1
    return min(MOST, len(os.sched_getaffinity(0)))


def spread(work: Work, shares: Sequence[Any]) -> Iterator[Any]:
    """What ``work`` makes of each share, in order: of the first one here, of the others each in a process of its own.

    A share whose process ended without a result, say for lack of memory, is worked on here.
    """
    running: list[tuple[int, int]] = []
    try:
        running += (_start(work, share) for share in shares[1:])
        for share in shares[:1]:
            yield work(share)
        for share in shares[1:]:
            result = _result(*running.pop(0))
            yield work(share) if result is None else marshal.loads(result)  # noqa: S302 (written by our own process)
    finally:
        for pid, _ in running:
            os.kill(pid, signal.SIGKILL)
        for pid, pipe in running:
            os.close(pipe)
            os.waitpid(pid, 0)


def _start(work: Work, share: object) -> tuple[int, int]:
    """A process that works on the share; its id, and the end of the pipe that the result comes from."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    status = 1
    try:
        os.close(reading)
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(marshal.dumps(work(share)))
        status = 0
    finally:
        os._exit(status)  # nothing of the parent's is flushed, closed or reported twice


def _result(pid: int, pipe: int) -> bytes | None:
    with os.fdopen(pipe, "rb") as reading:
        data = reading.read()
    _, status = os.waitpid(pid, 0)
    return data if status == 0 else None
