"""Which tasks of the event loop are Kopf's: those that it started, and those that these started; and their end.

Kopf takes every task that is younger than itself for its own: at its end it waits for them, and cancels what is left.
That would be a worker's second look, a connection that is being made, a page that is being served. A task inherits the
context of the one that starts it, and by that Kopf's are distinguished from ours.
"""

import asyncio
import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from dnsalias_operator.shell.api.errors import ClusterError

log = logging.getLogger(__name__)

_in_kopf: ContextVar[bool] = ContextVar("in_kopf", default=False)
_END_SECONDS, _TRIES = 5.0, 5
"""How long Kopf is given to end at each step, and how often it is brought to its end again."""
_WATCHES = "watcher for "
"""How the names of those tasks of Kopf's begin that watch a kind each."""


class KopfTask(asyncio.Task[Any]):
    """A task of Kopf's."""


class OurTasks:
    """Contains every task that is not Kopf's: what Kopf has to leave alone."""

    def __contains__(self, task: object) -> bool:
        return not isinstance(task, KopfTask)


def mark_tasks() -> None:
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


async def end(running: asyncio.Task[None], roots: Collection[asyncio.Task[Any]]) -> None:
    """Bring Kopf to its end, and wait for it.

    Where one watch fails, Kopf closes the session and lets the others go on without it for five seconds. It then
    cancels every task at once, and a watch whose waiter for a pause is cancelled before itself takes that for a pause,
    and begins again. So the watches are cancelled here, first and alone; they end their waiters. What is left then is
    a waiter that Kopf has forgotten, and would give five seconds.

    Raises:
        ClusterError: it does not end.
    """
    for _ in range(_TRIES):
        ending = _watches()
        for one in ending:
            one.cancel()
        await asyncio.wait((*roots, *ending), timeout=_END_SECONDS)
        for one in _left():
            one.cancel()
        done, _ = await asyncio.wait((running,), timeout=_END_SECONDS)
        if done:
            return await running
    raise ClusterError("the watch can neither continue nor be ended; restart the process")


def _left() -> list[KopfTask]:
    """Kopf's tasks that have not ended."""
    return [task for task in asyncio.all_tasks() if isinstance(task, KopfTask)]


def _watches() -> list[KopfTask]:
    """Those of them that watch a kind."""
    return [task for task in _left() if task.get_name().startswith(_WATCHES)]


def _make(loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> asyncio.Task[Any]:  # noqa: ANN401 (asyncio's)
    if not _in_kopf.get():
        return asyncio.Task(coro, loop=loop, **options)
    task = KopfTask(coro, loop=loop, **options)
    task.add_done_callback(_hear)
    return task


def _hear(task: asyncio.Task[Any]) -> None:
    """Kopf asks for the outcome of the first of its tasks that fails, and logs that; the loop would log the others."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.debug("a task of Kopf's failed", extra={"fields": {"part": task.get_name(), "error": str(error)}})
