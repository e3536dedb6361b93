"""Full lists at an interval: the first fills the store, the others correct what the watch missed (facts/kopf.md).

After each, every alias and entry is decided again: level-triggered, whatever events were lost.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from dnsalias_operator.shell.client import Client
from dnsalias_operator.shell.errors import ApiError, ClusterError
from dnsalias_operator.shell.metrics import Metrics
from dnsalias_operator.shell.queue import Backoff
from dnsalias_operator.shell.store import Store, StoreChange, key_of

log = logging.getLogger(__name__)

SETTLE_SECONDS = 10.0
"""How late the watch may be with what a list showed before it counts as missed."""
SOON_SECONDS = 5.0
"""Time for a watch that is begun anew to have listed everything, before a full list looks for what it missed."""
LONGEST_PAUSE = 60.0
"""Between tries of a list that fails: an API server that is back must not wait for us."""
_SILENT = 2
"""Resyncs in a row with missed changes of a kind after which its watch is taken for dead."""


class Resync:
    """Lists every kind, forever. ``on_done`` is called after each round: it asks for everything to be decided.

    ``listed`` is set once every kind was listed.
    """

    def __init__(
        self,
        *,
        client: Client,
        store: Store,
        metrics: Metrics,
        namespace: str,
        page_size: int,
        interval: float,
        backoff: Backoff,
        on_done: Callable[[], None],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._client, self._store, self._metrics = client, store, metrics
        self._namespace, self._page_size, self._interval = namespace, page_size, interval
        self._backoff, self._on_done, self._sleep = backoff, on_done, sleep
        self._bad_rounds: dict[str, int] = {}
        self._asked = asyncio.Event()
        self.listed = asyncio.Event()
        self.fault = ""
        for kind in store.kinds:
            for correction in ("ghost", "missed"):
                metrics.corrections.labels(kind, correction)  # there from nought on

    def silent_kinds(self) -> list[str]:
        """Kinds whose watch missed something several rounds in a row, as sentences for /healthz."""
        return [
            f"{kind}: the watch has missed changes {rounds} times in a row"
            for kind, rounds in self._bad_rounds.items()
            if rounds >= _SILENT
        ]

    def soon(self) -> None:
        """List everything in a moment, whenever the next round was due."""
        self._asked.set()

    async def run(self) -> None:
        """List everything now, then at the interval, until cancelled. Failures are logged and tried again."""
        failures, asked = 0, False
        while True:
            first = not self._store.synced
            try:
                await self.round(first=first)
            except ClusterError as error:
                failures += 1
                self.fault = str(error)
                at_least = error.retry_after if isinstance(error, ApiError) else 0.0
                pause = max(at_least, min(LONGEST_PAUSE, self._backoff.pause(failures)))
                log.warning("cannot list the cluster", extra={"fields": {"error": str(error), "retry_s": round(pause)}})
                await self._sleep(pause)
                continue
            failures, self.fault = 0, ""
            self._on_done()
            if not first:
                await self._sleep(min(SETTLE_SECONDS, self._interval / 2))
                self._settle(asked=asked)
            # Jitter: several operators (or one that restarts) must not list at the same moment.
            asked = await self._rest(self._interval * random.uniform(0.9, 1.1))  # noqa: S311 (not a secret)

    async def _rest(self, seconds: float) -> bool:
        """Wait that long, or until somebody asks, and then a moment; whether somebody did."""
        try:
            async with asyncio.timeout(seconds):
                await self._asked.wait()
        except TimeoutError:
            return False
        self._asked.clear()
        await self._sleep(min(SOON_SECONDS, seconds))
        return True

    async def round(self, *, first: bool) -> None:
        """List every kind once.

        Raises:
            ClusterError: a kind could not be listed; what was read of it is kept.
        """
        for kind in self._store.kinds:
            changes = await self._list(kind)
            if changes and not first:
                self._store.corrected(kind, changes)
        self._metrics.synced.set(1)
        self.listed.set()

    async def _list(self, kind: str) -> list[StoreChange]:
        try:
            return await self._list_once(kind)
        except ApiError as error:
            # The continue token of a long list can expire: once more from the start, then.
            if error.status != HTTPStatus.GONE:
                raise
        return await self._list_once(kind)

    async def _list_once(self, kind: str) -> list[StoreChange]:
        changes: list[StoreChange] = []
        seen = set()
        started = ""
        namespace = "" if kind == "Namespace" else self._namespace
        async for items, version in self._client.pages(kind, namespace, self._page_size):
            started = version
            for raw in items:
                seen.add(key_of(kind, raw))
                if change := self._store.put(kind, raw):
                    changes.append(change)
            await asyncio.sleep(0)
        changes.extend(self._store.sweep(kind, seen, started))
        return changes

    def _settle(self, *, asked: bool) -> None:
        for kind in self._store.kinds:
            left = self._store.settle(kind)
            # A watch that ended and was begun anew has missed something for certain: that does not make it silent.
            if not left or not asked:
                self._bad_rounds[kind] = self._bad_rounds.get(kind, 0) + 1 if left else 0
            for what, count in left.items():
                self._metrics.corrections.labels(kind, what).inc(count)
                log.warning(
                    "the watch had not told of changes that a full list shows",
                    extra={"fields": {"kind": kind, "correction": what, "count": count}},
                )
