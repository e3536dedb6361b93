"""Which tasks of the event loop are Kopf's: those that it started, and those that these started.

Kopf takes every task that is younger than itself for its own: at its end it waits for them, and cancels what is left.
That would be a worker's second look, a connection that is being made, a page that is being served. A task inherits the
context of the one that starts it, and by that Kopf's are told from ours.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_in_kopf: ContextVar[bool] = ContextVar("in_kopf", default=False)


class KopfTask(asyncio.Task[Any]):
    """A task of Kopf's."""


class OurTasks:
    """Contains every task that is not Kopf's: what Kopf is told to leave alone."""

    def __contains__(self, task: object) -> bool:
        return not isinstance(task, KopfTask)


def tell_apart() -> None:
    """Let the running loop make tasks of the kind that they are."""
    asyncio.get_running_loop().set_task_factory(_make)


@contextmanager
def as_kopf() -> Iterator[None]:
    """What is started meanwhile, here or by what is started here, is Kopf's."""
    token = _in_kopf.set(True)
    try:
        yield
    finally:
        _in_kopf.reset(token)


def _make(loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> asyncio.Task[Any]:  # noqa: ANN401 (asyncio's)
    kind = KopfTask if _in_kopf.get() else asyncio.Task
    return kind(coro, loop=loop, **options)
