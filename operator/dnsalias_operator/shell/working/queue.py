"""A keyed work queue: what the handlers put in, the reconciler takes out.

Its promises: a key waits at most once however often it is added; a key is never worked on twice at the same time; one
that is added while it is worked on is worked on again after that; a failed key comes back later and later, alone; keys
that are due leave in the order in which they became due, those that may be last after all others, but within
`PATIENCE_SECONDS`. The clock and the sleep are handed in, so that tests prove this without time going by. Why not
Kopf's own queue: docs/kopf.md, "Queue".
"""

import asyncio
import heapq
import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from dnsalias_operator.shell.pace import Backoff, Clock, Sleep

K = TypeVar("K", bound=Hashable)

PATIENCE_SECONDS = 30.0
"""How long a key that may be last gives way to the others."""


@dataclass(frozen=True, slots=True)
class Item(Generic[K]):
    """A key taken out, with the time (by the queue's clock) at which the oldest reason to work on it came up."""

    key: K
    since: float


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Of a key that waits: ``order`` is that of the one heap entry that counts, the key's others are stale."""

    due: float
    since: float
    last: bool
    order: int


@dataclass(slots=True)
class _Work:
    """Of a key that is worked on: since when there is a reason to, it was due, it is; and what was asked meanwhile."""

    since: float
    due: float
    taken: float
    again: tuple[float, bool] | None = None


class WorkQueue(Generic[K]):
    """See the module. Not thread-safe: one event loop uses it."""

    def __init__(self, backoff: Backoff, clock: Clock, sleep: Sleep = asyncio.sleep) -> None:
        self._backoff = backoff
        self._clock = clock
        self._sleep = sleep
        self._waiting: dict[K, _Waiting] = {}
        self._working: dict[K, _Work] = {}
        self._heaps: dict[bool, list[tuple[float, int, K]]] = {False: [], True: []}
        self._failures: dict[K, int] = {}
        self._last_take = clock()
        self._order = 0
        self._changed = asyncio.Event()
        self._closed = False

    def add(self, key: K, after: float = 0, *, last: bool = False) -> None:
        """Ask for ``key`` to be worked on ``after`` seconds from now, or sooner if that was asked for already.

        ``last``: not before all others that are due, unless somebody asks for it without that.
        """
        due = self._clock() + after
        if (work := self._working.get(key)) is not None:
            asked, was_last = work.again or (due, True)
            work.again = (min(due, asked), last and was_last)
            return
        since = due  # a delayed key is not late before it is due
        if (waits := self._waiting.get(key)) is not None:
            if due >= waits.due and (last or not waits.last):
                return
            due, since, last = min(due, waits.due), min(due, waits.since), last and waits.last
        self._put(key, due, since, last=last)

    async def take(self) -> Item[K] | None:
        """The next key that is due, waiting for one; None once the queue is closed."""
        while not self._closed:
            first, last = self._next_due(last=False), self._next_due(last=True)
            if min(first, last) > 0:
                self._changed.clear()
                await self._pause(min(first, last))
                continue
            _, _, key = heapq.heappop(self._heaps[first > 0 or last <= -PATIENCE_SECONDS])
            waited, self._last_take = self._waiting.pop(key), self._clock()
            self._working[key] = _Work(waited.since, waited.due, self._last_take)
            return Item(key, waited.since)
        return None

    def done(self, key: K) -> None:
        """``key`` was worked on with success: its failures are forgotten."""
        self._failures.pop(key, None)
        self._release(key)

    def failed(self, key: K, at_least: float = 0, at_most: float = float("inf")) -> float:
        """``key`` is to be worked on again, after its backoff, which is ``at_most`` seconds; returns the pause.

        The reason to work on it stays as old as it is.

        It is not before ``at_least`` seconds whatever the rest says: that is what a server asked for.

        What was asked for meanwhile waits for the backoff too: a change elsewhere does not help an API that fails.
        """
        self._failures[key] = self._failures.get(key, 0) + 1
        pause = max(at_least, min(at_most, self._backoff.pause(self._failures[key])))
        work = self._working.pop(key, None)
        due = self._clock() + pause
        self._put(key, due, work.since if work else due)
        return pause

    def _put(self, key: K, due: float, since: float, *, last: bool = False) -> None:
        self._order += 1
        self._waiting[key] = _Waiting(due, since, last, self._order)
        heapq.heappush(self._heaps[last], (due, self._order, key))
        self._changed.set()

    @property
    def closed(self) -> bool:
        """Whether nothing is given out any more."""
        return self._closed

    def close(self) -> None:
        """Give nothing out any more; whoever waits in `take` gets None. What is worked on goes on."""
        self._closed = True
        self._changed.set()

    def depth(self) -> int:
        """Keys that are due and not worked on yet."""
        now = self._clock()
        return sum(1 for waiting in self._waiting.values() if waiting.due <= now)

    def delayed(self) -> int:
        """Keys that wait for their time: backoff or a delayed add."""
        return len(self._waiting) - self.depth()

    def working(self) -> int:
        """Keys that are worked on."""
        return len(self._working)

    def oldest_age(self) -> float:
        """Seconds since the oldest due or worked-on key was due; 0 where there is none.

        A key that failed is due again after its backoff: how long it has been failing is not in here.
        """
        now = self._clock()
        return now - min(self._oldest_due(now), *(work.due for work in self._working.values()), now)

    def stalled(self) -> float:
        """Seconds for which nothing has moved: one key is being worked on, or none was taken though some were due.

        A queue may be long, and its oldest key old, while all is well.
        """
        now = self._clock()
        taken = min((work.taken for work in self._working.values()), default=now)
        return max(now - max(self._oldest_due(now), self._last_take), now - taken)

    def _oldest_due(self, now: float) -> float:
        """When the key that is due longest became so; ``now`` where none is."""
        return min((waiting.due for waiting in self._waiting.values() if waiting.due <= now), default=now)

    def _next_due(self, *, last: bool) -> float:
        """Seconds until one of those is due; infinite where there is none."""
        heap = self._heaps[last]
        while heap and self._stale(heap[0]):
            heapq.heappop(heap)
        return heap[0][0] - self._clock() if heap else math.inf

    def _stale(self, entry: tuple[float, int, K]) -> bool:
        """Whether the key was asked for otherwise since, or was taken."""
        waiting = self._waiting.get(entry[2])
        return waiting is None or waiting.order != entry[1]

    async def _pause(self, seconds: float) -> None:
        if math.isinf(seconds):
            await self._changed.wait()
            return
        changed = asyncio.ensure_future(self._changed.wait())
        slept = asyncio.ensure_future(self._sleep(seconds))
        try:
            await asyncio.wait((changed, slept), return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()
            slept.cancel()

    def _release(self, key: K) -> None:
        work = self._working.pop(key, None)
        if work is not None and work.again is not None:
            due, last = work.again
            self._put(key, due, due, last=last)
