"""Kopf's tasks and ours in one loop: Kopf's end takes its own with it, and nothing else."""

import asyncio
import gc
from typing import Any, cast

import kopf

from dnsalias_operator.shell.kopftasks import KopfTask, OurTasks, as_kopf, tell_apart, watches
from tests.shell.simulated_time import simulate


async def begin() -> asyncio.Task[Any]:
    """Start one that never ends by itself, as a part of Kopf or of ours would."""
    return asyncio.create_task(asyncio.sleep(1e6))


def test_a_task_belongs_to_whoever_started_it() -> None:
    """At any depth; what was there before and what we start meanwhile is ours."""

    async def story() -> list[bool]:
        ours = await begin()
        tell_apart()
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
        tell_apart()
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
        tell_apart()
        ending = asyncio.create_task(kopfs_end(leaves=False))
        await asyncio.sleep(0)
        await begin()
        await ending
        return asyncio.get_running_loop().time()

    assert simulate(story()) == 1


def test_the_watches_are_known_by_name_until_they_end() -> None:
    """Kopf names its tasks once they are made; tasks of ours are none of its watches, whatever their names."""

    async def story() -> tuple[list[str], list[str]]:
        tell_apart()
        with as_kopf():
            watch = asyncio.create_task(asyncio.sleep(1), name="watcher for services.v1@None")
            waiter = asyncio.create_task(asyncio.sleep(3), name="pause-waiter for services.v1")
        ours = asyncio.create_task(asyncio.sleep(3), name="watcher for what is ours")
        before = [task.get_name() for task in watches()]
        await watch
        after = [task.get_name() for task in watches()]
        await asyncio.gather(waiter, ours)
        return before, after

    assert simulate(story()) == (["watcher for services.v1@None"], [])


def test_the_loop_says_nothing_of_a_watch_that_fails() -> None:
    """Kopf has logged it; of any other part whose failure nobody asks for, the loop does tell."""

    async def fail() -> None:
        raise RuntimeError("too old resource version")

    async def story() -> list[str]:
        told: list[str] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(repr(context["future"])))
        tell_apart()
        with as_kopf():
            parts = [
                asyncio.create_task(fail(), name=name) for name in ("watcher for services.v1@None", "another part")
            ]
        await asyncio.sleep(1)
        parts.clear()
        gc.collect()
        return told

    told = simulate(story())
    assert len(told) == 1
    assert "another part" in told[0]
