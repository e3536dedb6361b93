"""Telling a person that a long step is alive: a moving line on a terminal, a line every 15 seconds elsewhere."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

HEARTBEAT_SECONDS = 15.0
"""Between two lines where standard error is not a terminal, so that a log stays short and never looks stuck."""
TICK_SECONDS = 0.5


def say(message: str, stream: TextIO | None = None) -> None:
    """Write one line for people, by default to standard error (standard output belongs to results)."""
    out = stream or sys.stderr
    out.write(f"{message}\n")
    out.flush()


@contextmanager
def step(
    label: str, expectation: str = "", *, stream: TextIO | None = None, heartbeat: float = HEARTBEAT_SECONDS
) -> Iterator[None]:
    """Announce ``label``, show that time passes while the block runs, and say how long it took.

    Args:
        label: what is being done, such as "building etcd".
        expectation: what to expect the first time, such as "about 4 min on 2 cores".
        stream: where to, standard error unless told.
        heartbeat: seconds between two lines where ``stream`` is no terminal.

    An exception of the block passes through; the last line then says "failed".
    """
    out = stream or sys.stderr
    live = out.isatty()
    began = time.monotonic()
    done = threading.Event()
    hint = f" ({expectation})" if expectation else ""

    def beat() -> None:
        while not done.wait(TICK_SECONDS if live else heartbeat):
            elapsed = _clock(time.monotonic() - began)
            if live:
                out.write(f"\r\x1b[K{label}{hint} … {elapsed}")
                out.flush()
            else:
                say(f"{label} … {elapsed}", out)

    if not live:
        say(f"{label}{hint}", out)
    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    outcome = "failed"
    try:
        yield
        outcome = "done"
    finally:
        done.set()
        thread.join()
        clear = "\r\x1b[K" if live else ""
        say(f"{clear}{label}: {outcome} in {_clock(time.monotonic() - began)}", out)


def _clock(seconds: float) -> str:
    """Seconds as people read them: "4 s", "3 min 51 s"."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
