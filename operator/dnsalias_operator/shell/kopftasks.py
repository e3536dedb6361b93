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
_WATCHES = "watcher for "
"""How the names of those tasks of Kopf's begin that watch a kind each."""


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


def watches() -> list[KopfTask]:
    """Those of Kopf's tasks that watch a kind, and have not ended."""
    return [task for task in asyncio.all_tasks() if isinstance(task, KopfTask) and _is_watch(task)]


def _is_watch(task: asyncio.Task[Any]) -> bool:
    return task.get_name().startswith(_WATCHES)


def _make(loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> asyncio.Task[Any]:  # noqa: ANN401 (asyncio's)
    if not _in_kopf.get():
        return asyncio.Task(coro, loop=loop, **options)
    task = KopfTask(coro, loop=loop, **options)
    task.add_done_callback(_hear)
    return task


def _hear(task: asyncio.Task[Any]) -> None:
    """Kopf logs why a watch fails, and asks for the outcome of the first one only: the loop would log the others."""
    if _is_watch(task) and not task.cancelled():
        task.exception()
