"""Kopf's tasks and ours in one loop: Kopf's end takes its own with it, and nothing else."""

import asyncio
import gc
from typing import Any, cast

import kopf
import pytest

from dnsalias_operator.shell.api.errors import ClusterError
from dnsalias_operator.shell.watching.kopftasks import KopfTask, OurTasks, as_kopf, end, mark_tasks
from tests.shell.simulated_time import simulate


async def begin() -> asyncio.Task[Any]:
    """Start one that never ends by itself, as a part of Kopf or of ours would."""
    return asyncio.create_task(asyncio.sleep(1e6))


def test_a_task_belongs_to_whoever_started_it() -> None:
    """At any depth; what was there before and what we start meanwhile is ours."""

    async def story() -> list[bool]:
        ours = await begin()
        mark_tasks()
        with as_kopf():
            kopfs = asyncio.create_task(begin(), name="its part")
        meanwhile = asyncio.create_task(begin())
        parts = await asyncio.gather(kopfs, meanwhile)
        return [isinstance(task, KopfTask) for task in (ours, kopfs, parts[0], meanwhile, parts[1])]

    assert simulate(story()) == [False, True, True, False, False]


async def kopfs_end(*, leaves: bool) -> asyncio.Task[Any] | None:
    """Run Kopf's own end: its part ends after a second, and may leave a task behind, which is returned."""
    left: list[asyncio.Task[Any]] = []

    async def part() -> None:
        await asyncio.sleep(1)
        if leaves:
            left.append(await begin())

    with as_kopf():
        root = asyncio.create_task(part())
    await kopf.run_tasks([root], ignored=cast("Any", OurTasks()))
    return left[0] if left else None


def test_the_end_of_kopf_takes_its_own_tasks_and_no_other() -> None:
    """It cancels what its parts have left, and not what we have started meanwhile."""

    async def story() -> tuple[bool, bool]:
        mark_tasks()
        ending = asyncio.create_task(kopfs_end(leaves=True))
        await asyncio.sleep(0)
        ours = await begin()
        left = await ending
        assert left is not None
        return left.cancelled(), ours.done()

    assert simulate(story()) == (True, False)


def test_the_end_of_kopf_waits_for_nothing_of_ours() -> None:
    """So that the watch can be begun anew at once."""

    async def story() -> float:
        mark_tasks()
        ending = asyncio.create_task(kopfs_end(leaves=False))
        await asyncio.sleep(0)
        await begin()
        await ending
        return asyncio.get_running_loop().time()

    assert simulate(story()) == 1


async def watch(log: list[str], stubborn: int) -> None:
    """What Kopf's watches do: one that is cancelled while its own waiter is done takes it for a pause, and goes on.

    It goes on ``stubborn`` times whatever its waiter does, and ends by itself in the end.
    """
    for _ in range(50):
        waiter = asyncio.create_task(asyncio.sleep(1e6), name="pause-waiter")
        try:
            await asyncio.sleep(1e3)
        except asyncio.CancelledError:
            log.append("paused" if waiter.done() else "cancelled")
            stubborn -= 1
            if not waiter.done() and stubborn < 0:
                raise
        finally:
            waiter.cancel()


async def brought_to_its_end(stubborn: int) -> tuple[list[str], float]:
    """One part of Kopf fails after a second; what became of its watch, and how long its end took."""
    mark_tasks()
    log: list[str] = []

    async def part() -> None:
        # It forgets a waiter, and fails with its watch still running.
        parts.append(asyncio.create_task(asyncio.sleep(1e6), name="stop-flag waiter"))
        parts.append(asyncio.create_task(watch(log, stubborn), name="watcher for services.v1@None"))
        await asyncio.sleep(1)

    parts: list[asyncio.Task[Any]] = []
    with as_kopf():
        root = asyncio.create_task(part())
    running = asyncio.create_task(kopf.run_tasks([root], ignored=cast("Any", OurTasks())))
    await asyncio.wait([root])
    began = asyncio.get_running_loop().time()
    try:
        await end(running, [root])
    finally:
        running.cancel()
    return log, asyncio.get_running_loop().time() - began


def test_the_end_of_kopf_is_a_matter_of_no_time() -> None:
    """Left to itself it would wait five seconds, and then cancel watches together with their waiters."""
    assert simulate(brought_to_its_end(stubborn=0)) == (["cancelled"], 0)


def test_a_watch_that_goes_on_is_ended_again() -> None:
    """As often as need be, within bounds."""
    log, seconds = simulate(brought_to_its_end(stubborn=2))
    assert "cancelled" in log
    assert 0 < seconds < 60


def test_a_kopf_that_cannot_be_ended_is_given_up() -> None:
    """A new process is needed then."""
    with pytest.raises(ClusterError, match="restart the process"):
        simulate(brought_to_its_end(stubborn=100))


def test_the_loop_says_nothing_of_what_fails_in_kopf() -> None:
    """Kopf logs the first failure of several and forgets the others; of a part of ours, the loop does tell."""

    async def fail() -> None:
        raise RuntimeError("too old resource version")

    async def story() -> list[str]:
        told: list[str] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(repr(context["future"])))
        mark_tasks()
        with as_kopf():
            parts = [asyncio.create_task(fail()), asyncio.create_task(fail(), name="watcher for services.v1@None")]
        parts.append(asyncio.create_task(fail(), name="our part"))
        await asyncio.sleep(1)
        parts.clear()
        gc.collect()
        return told

    told = simulate(story())
    assert len(told) == 1
    assert "our part" in told[0]
