"""Full lists over hours, in simulated time: their pace, what failures do to it, and what is said of the watch."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from copy import deepcopy
from itertools import pairwise
from typing import Any

from dnsalias_operator.shell.api.errors import ApiError, ClusterError
from dnsalias_operator.shell.pace import Backoff
from dnsalias_operator.shell.reporting.metrics import Metrics
from dnsalias_operator.shell.watching.resync import LONGEST_PAUSE, SETTLE_SECONDS, SOON_SECONDS, Resync
from dnsalias_operator.shell.watching.store import Store, stale_kinds
from tests.shell.simulated_time import simulate

KINDS = ("Service", "Sidecar", "Namespace")
INTERVAL = 600.0
ROUND = 1.1 * INTERVAL + SETTLE_SECONDS
"""The longest from one full round to the next."""


class World:
    """A cluster, an operator's store of it, and its resync; `run` lets time pass.

    Attributes:
        has: the objects that are there, by kind.
        open: whether lists are answered at all.
        broken: why a kind cannot be listed.
        listed: kind and time of each list that was asked for.
        decided: when everything was asked for.
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.has: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
        self.open = asyncio.Event()
        self.open.set()
        self.broken: dict[str, ClusterError] = {}
        self.listed: list[tuple[str, float]] = []
        self.decided: list[float] = []
        self.version = 10
        self.store = Store(KINDS, clock=self.loop.time)
        self.resync = Resync(
            client=self,  # type: ignore[arg-type]
            store=self.store,
            metrics=Metrics(),
            namespace="",
            page_size=500,
            interval=INTERVAL,
            backoff=Backoff(0.5, 300),
            on_done=lambda: self.decided.append(self.loop.time()),
        )

    async def pages(self, kind: str, namespace: str, size: int) -> AsyncIterator[tuple[list[dict[str, Any]], str]]:
        """The client's list."""
        del namespace, size
        self.listed.append((kind, self.loop.time()))
        await self.open.wait()
        if kind in self.broken:
            raise self.broken[kind]
        self.version += 1
        yield deepcopy(self.has[kind]), str(self.version)

    def make(self, kind: str, name: str) -> None:
        """An object that no watch tells of."""
        self.version += 1
        meta = {"name": name, "namespace": "abc", "uid": f"{kind}-{name}", "resourceVersion": str(self.version)}
        self.has[kind].append({"metadata": meta})

    def times(self, kind: str, since: float = 0) -> list[float]:
        """When a kind was listed."""
        return [at for one, at in self.listed if one == kind and at >= since]

    async def run(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)

    def ill(self) -> list[str]:
        """What /healthz would say."""
        stale = stale_kinds(self.store, INTERVAL, self.resync.faults, self.loop.time)
        return stale + self.resync.silent_kinds()


def story(tell: Callable[[World], Awaitable[None]]) -> None:
    """Run the resync beside what is told."""

    async def both() -> None:
        world = World()
        running = asyncio.create_task(world.resync.run())
        await tell(world)
        assert not running.done()
        running.cancel()

    simulate(both())


def test_everything_is_listed_and_decided_at_the_interval() -> None:
    """Each kind once a round, about every ten minutes."""

    async def tell(world: World) -> None:
        await world.run(1)
        assert world.resync.listed.is_set()
        await world.run(6 * INTERVAL)
        assert 6 <= len(world.decided) <= 7
        assert all(len(world.times(kind)) == len(world.decided) for kind in KINDS)
        assert world.ill() == []

    story(tell)


def test_a_kind_that_cannot_be_listed_keeps_no_other_from_it() -> None:
    """For hours: the others are listed and decided at their pace, it is tried each minute, and nobody is to restart."""

    async def tell(world: World) -> None:
        await world.run(1)
        world.broken["Sidecar"] = ApiError("GET sidecars: 500 conversion webhook failed", 500)
        await world.run(6 * INTERVAL)
        assert world.resync.fault == "GET sidecars: 500 conversion webhook failed"
        for kind in ("Service", "Namespace"):
            assert 6 <= len(world.times(kind)) <= 7
        assert 6 <= len(world.decided) <= 7
        tries = world.times("Sidecar", since=3000)
        pauses = [later - one for one, later in pairwise(tries)]
        assert max(pauses) <= LONGEST_PAUSE + SETTLE_SECONDS
        assert world.ill() == []
        world.broken.clear()
        await world.run(LONGEST_PAUSE + SETTLE_SECONDS + 1)
        assert world.resync.fault == ""

    story(tell)


def test_an_outage_is_no_reason_for_a_restart() -> None:
    """Nothing can be listed for an hour; a minute later everything has been."""

    async def tell(world: World) -> None:
        await world.run(1)
        world.broken = {kind: ClusterError("no answer") for kind in KINDS}
        await world.run(3600)
        assert world.resync.fault == "no answer"
        assert world.ill() == []
        world.broken.clear()
        back = world.loop.time()
        await world.run(LONGEST_PAUSE + 1)
        assert all(world.times(kind, since=back) for kind in KINDS)

    story(tell)


def test_nothing_is_decided_before_every_kind_was_listed() -> None:
    """However long one of them fails; the others are not listed again for it."""

    async def tell(world: World) -> None:
        world.broken["Namespace"] = ApiError("403", 403)
        await world.run(INTERVAL / 2)
        assert world.decided == []
        assert not world.resync.listed.is_set()
        assert len(world.times("Service")) == 1
        world.broken.clear()
        await world.run(LONGEST_PAUSE + 1)
        assert len(world.decided) == 1
        assert world.resync.listed.is_set()

    story(tell)


def test_a_resync_that_stands_still_is_told_by_what_is_overdue() -> None:
    """No list fails, none is made, and the watch is silent: that is what a restart is for."""

    async def tell(world: World) -> None:
        await world.run(1)
        world.open.clear()
        await world.run(2.5 * INTERVAL + 60)
        assert [line.partition(":")[0] for line in world.ill()] == list(KINDS)

    story(tell)


def test_a_watch_that_is_silent_while_lists_bring_news_is_told() -> None:
    """Twice in a row; not while the kind cannot be listed, since a new process could not list it either."""

    async def tell(world: World) -> None:
        await world.run(1)
        for name in ("one", "two"):
            assert world.ill() == []
            world.make("Service", name)
            await world.run(ROUND)
        assert world.ill() == ["Service: the watch has missed changes 2 times in a row"]
        world.broken["Service"] = ApiError("500", 500)
        await world.run(ROUND)
        assert world.ill() == []
        world.broken.clear()
        world.make("Service", "three")
        await world.run(LONGEST_PAUSE + SETTLE_SECONDS + 1)
        # A list that is tried again after it failed finds what an outage kept from the watch as well: it blames nobody.
        assert world.ill() == ["Service: the watch has missed changes 2 times in a row"]
        world.make("Service", "four")
        await world.run(INTERVAL * 1.2 + SETTLE_SECONDS)
        assert world.ill() == ["Service: the watch has missed changes 3 times in a row"]

    story(tell)


def test_a_history_that_went_back_is_told() -> None:
    """After etcd was restored everything known is newer than what is there; a server that lags catches up."""

    async def tell(world: World) -> None:
        await world.run(1)
        world.version = 1
        await world.run(ROUND)
        assert world.ill() == []
        await world.run(ROUND)
        assert [line.partition(":")[0] for line in world.ill()] == list(KINDS)
        assert "went back (was etcd restored?)" in world.ill()[0]
        for kind in KINDS:
            world.broken[kind] = ApiError("500", 500)
        await world.run(ROUND)
        assert not any("went back" in line for line in world.ill())
        world.broken.clear()
        world.version = 100
        await world.run(ROUND)
        assert world.ill() == []

    story(tell)


def test_an_object_that_is_older_than_it_was_is_told() -> None:
    """The versions of a busy cluster are soon beyond those of before: what was restored is older than what is known."""

    async def tell(world: World) -> None:
        world.version = 500
        world.make("Service", "web")
        await world.run(1)
        world.has["Service"][0]["metadata"]["resourceVersion"] = "300"
        world.version = 600
        await world.run(ROUND)
        assert [line.partition(":")[0] for line in world.ill()] == ["Service"]

    story(tell)


def test_what_went_before_the_watch_began_is_found_at_once() -> None:
    """Each kind that the watch lists is listed once more, together with others that it lists; nothing else is done."""

    async def tell(world: World) -> None:
        world.make("Service", "web")
        await world.run(1)
        world.has["Service"].clear()
        for kind in ("Service", "Sidecar"):
            world.resync.relisted(kind)
            await world.run(SOON_SECONDS / 4)
        await world.run(SOON_SECONDS)
        assert world.store.count("Service") == 0
        assert [len(world.times(kind)) for kind in KINDS] == [2, 2, 1]
        assert len(world.decided) == 1
        await world.run(INTERVAL / 2)
        assert [len(world.times(kind)) for kind in KINDS] == [2, 2, 1]

    story(tell)


def test_a_list_that_was_under_way_when_the_watch_listed_does_not_count() -> None:
    """It may be of a moment before; one more follows."""

    async def tell(world: World) -> None:
        await world.run(1)
        world.open.clear()
        world.resync.relisted("Service")
        await world.run(SOON_SECONDS + 1)
        assert len(world.times("Service")) == 2
        world.resync.relisted("Service")
        world.open.set()
        await world.run(SETTLE_SECONDS + SOON_SECONDS + 1)
        assert len(world.times("Service")) == 3

    story(tell)


def test_a_watch_that_lists_again_and_again_costs_no_more_than_it_must() -> None:
    """Ten times a second for an hour: one list of ours for a hundred of them, and full rounds at their pace."""

    async def tell(world: World) -> None:
        await world.run(1)
        for _ in range(36_000):
            world.resync.relisted("Service")
            await world.run(0.1)
        assert len(world.times("Service")) <= 3600 / SETTLE_SECONDS
        assert 5 <= len(world.times("Namespace")) == len(world.decided) <= 7
        assert world.ill() == []

    story(tell)


def test_a_watch_that_begins_anew_is_not_silent_for_what_it_missed() -> None:
    """However often; and what it missed is counted."""

    async def tell(world: World) -> None:
        await world.run(1)
        for number in range(4):
            world.make("Service", str(number))
            world.resync.relisted("Service")
            await world.run(SOON_SECONDS + SETTLE_SECONDS + 1)
        assert world.ill() == []

    story(tell)
