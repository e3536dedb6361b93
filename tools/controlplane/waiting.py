"""Waiting for what others bring about: bounded, and never a check of how long it took."""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")

WAIT_SECONDS = 60.0
POLL_SECONDS = 0.05


def eventually(condition: Callable[[], Value], what: str | Callable[[], str] = "the condition") -> Value:
    """Call ``condition`` until it gives something true, and return that; ``what`` that is, asked for when it fails.

    Raises:
        TimeoutError: it gave nothing true for a minute.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    while not (value := condition()):
        if time.monotonic() > deadline:
            said = what if isinstance(what, str) else what()
            raise TimeoutError(f"{said} did not come true within {WAIT_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)
    return value
