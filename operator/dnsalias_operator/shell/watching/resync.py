"""Full lists at an interval: the first fills the store, the others correct what the watch missed.

After each full round every alias and entry is decided again: level-triggered, whatever events were lost. A kind that
cannot be listed keeps no other from being listed. Source: docs/kopf.md, "Missed deletions".
"""

import asyncio
import logging
import math
import random
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from http import HTTPStatus

from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.meta import Raw, mapping, text
from dnsalias_operator.model.names import Key
from dnsalias_operator.shell.api.client import Client
from dnsalias_operator.shell.api.errors import ApiError, ClusterError
from dnsalias_operator.shell.pace import Backoff
from dnsalias_operator.shell.reporting.metrics import Metrics
from dnsalias_operator.shell.watching.store import Store, StoreChange, key_of, older

log = logging.getLogger(__name__)

SETTLE_SECONDS = 10.0
"""How late the watch may be with what a list showed before it counts as missed."""
SOON_SECONDS = 2.0
"""A moment in which a watch that begins lists the other kinds as well: one round looks for what all of them missed."""
LONGEST_PAUSE = 60.0
"""Between tries of a list that fails: an API server that is back must not wait for us."""
LAG_SECONDS = 300.0
"""No server that answers is behind for so long: the history of the cluster went back."""
_SILENT = 2
"""Resyncs in a row with missed changes of a kind after which its watch is taken for dead."""


class Resync:
    """Lists every kind, forever. ``on_done`` is called after each full round: it asks for everything to be decided.

    ``listed`` is set once every kind was listed. ``faults`` says by kind why its last list failed.
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
    ) -> None:
        self._client, self._store, self._metrics = client, store, metrics
        self._namespace, self._page_size, self._interval = namespace, page_size, interval
        self._backoff, self._on_done = backoff, on_done
        self._bad_rounds: dict[str, int] = {}
        self._newest: dict[str, str] = {}
        self._behind: dict[str, tuple[float, float]] = {}
        self._relisted: set[str] = set()
        self._woken = asyncio.Event()
        self.listed = asyncio.Event()
        self.faults: dict[str, str] = {}
        for kind in store.kinds:
            for correction in ("ghost", "missed"):
                metrics.corrections.labels(kind, correction)  # there from nought on

    @property
    def fault(self) -> str:
        """What fails now, each cause once; "" where nothing does."""
        return "; ".join(dict.fromkeys(self.faults.values()))

    def silent_kinds(self) -> list[str]:
        """Kinds whose watch missed something several rounds in a row, or whose history went back, for /healthz.

        Not those that cannot be listed now: a restart would leave them without both, watch and list.
        """
        return [
            f"{kind}: the watch has missed changes {rounds} times in a row"
            for kind, rounds in self._bad_rounds.items()
            if rounds >= _SILENT and kind not in self.faults
        ] + [
            f"{kind}: the history of the API server went back (was etcd restored?); a restart reads everything again"
            for kind, (first, last) in self._behind.items()
            if last - first >= LAG_SECONDS and kind not in self.faults
        ]

    def relisted(self, kind: str) -> None:
        """The watch has just listed that kind. What went before that list it never reports: one more list finds it."""
        self._relisted.add(kind)
        self._woken.set()

    async def run(self) -> None:
        """List everything now and at the interval, and sooner what was relisted or has failed; until cancelled."""
        clock = asyncio.get_running_loop().time
        next_round, next_try, failures = clock(), math.inf, 0
        while True:
            relisted, self._relisted = self._relisted, set()
            full, synced = clock() >= next_round, self._store.synced
            due = {*self._store.kinds} if full else relisted | ({*self.faults} if clock() >= next_try else set())
            errors = await self._round(due)
            if errors:
                failures += 1
                next_try = clock() + self._failed(errors, failures)
            elif not self.faults:
                failures, next_try = 0, math.inf
            # A kind that cannot be listed is as the watch reports it: no reason to leave all others undecided.
            if self._store.synced and (full or not synced):
                self._on_done()
            listed = due - self.faults.keys()
            if synced and listed:
                await asyncio.sleep(min(SETTLE_SECONDS, self._interval / 2))
                self._settle(listed, relisted, full=full)
            if full:
                # Jitter: several operators (or one that restarts) must not list at the same moment.
                next_round = clock() + self._interval * random.uniform(0.9, 1.1)  # noqa: S311 (not a secret)
            await self._rest(min(next_round, next_try) - clock())

    async def _rest(self, seconds: float) -> None:
        """Wait that long, or until the watch has listed something, and then a moment."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return
        self._woken.clear()
        await asyncio.sleep(min(SOON_SECONDS, self._interval))

    def _failed(self, errors: list[ClusterError], failures: int) -> float:
        """Say it; returns the seconds until the next try."""
        at_least = max(error.retry_after if isinstance(error, ApiError) else 0.0 for error in errors)
        pause = max(at_least, min(LONGEST_PAUSE, self._backoff.pause(failures)))
        log.warning("cannot list the cluster", extra={"fields": {"error": self.fault, "retry_s": round(pause)}})
        return pause

    async def _round(self, kinds: AbstractSet[str]) -> list[ClusterError]:
        """List these kinds once; returns what went wrong. What was read of a list that failed is kept."""
        errors, first = [], not self._store.synced
        for kind in (kind for kind in self._store.kinds if kind in kinds):
            try:
                changes = await self._list(kind)
            except ClusterError as error:
                self.faults[kind] = str(error)
                errors.append(error)
                continue
            self.faults.pop(kind, None)
            if changes and not first:
                self._store.corrected(kind, changes)
        if self._store.synced:
            self._metrics.synced.set(1)
            self.listed.set()
        return errors

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
        started, went_back = "", False
        namespace = self._namespace if KINDS[kind].namespaced else ""
        async for items, version in self._client.pages(kind, namespace, self._page_size):
            started = version
            for raw in items:
                seen.add(key := key_of(kind, raw))
                went_back = went_back or self._contradicts(key, raw, version)
                if change := self._store.put(kind, raw):
                    changes.append(change)
            await asyncio.sleep(0)
        changes.extend(self._store.sweep(kind, seen, started))
        self._look_back(kind, started, went_back=went_back)
        return changes

    def _contradicts(self, key: Key, raw: Raw, version: str) -> bool:
        """Whether a list has an object as it was before what is known of it, though it is younger than that itself."""
        known = self._store.world.get(key)
        newest = known.meta.resource_version if known else ""
        there = text(mapping(raw.get("metadata")).get("resourceVersion"))
        return older(there, newest) and not older(version, newest)

    def _look_back(self, kind: str, version: str, *, went_back: bool) -> None:
        """Notice that history went back: what is known is newer than what is there, and would stay for ever.

        A list is of the newest state, and only a server that lags may answer with an older one, for a while.
        """
        now = asyncio.get_running_loop().time()
        if went_back:
            self._behind[kind] = now - LAG_SECONDS, now
        elif older(version, self._newest.get(kind, "")):
            self._behind[kind] = self._behind.get(kind, (now, now))[0], now
        else:
            self._newest[kind] = version
            self._behind.pop(kind, None)

    def _settle(self, kinds: AbstractSet[str], relisted: AbstractSet[str], *, full: bool) -> None:
        for kind in (kind for kind in self._store.kinds if kind in kinds):
            left = self._store.settle(kind)
            # A watch that was started again, or comes back after an outage, may have missed something: it is silent
            # only where it goes on to miss what the rounds at the interval find.
            if not left or kind in relisted:
                self._bad_rounds.pop(kind, None)
            elif full:
                self._bad_rounds[kind] = self._bad_rounds.get(kind, 0) + 1
            for what, count in left.items():
                self._metrics.corrections.labels(kind, what).inc(count)
                log.warning(
                    "the watch missed changes that a full list has",
                    extra={"fields": {"kind": kind, "correction": what, "count": count}},
                )
