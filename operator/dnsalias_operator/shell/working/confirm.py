"""A second look before a write, at the API server itself: is what the decision was made from still so?

The store may be behind. A watch can be silent, a list can come from a server that lags, and every event takes its
time. The preconditions of a write guard the object that is written, not the Service or alias that it is made from: an
address that a new Service has by now would be given to the entry of the old one.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from itertools import takewhile

from dnsalias_operator.model.kinds import Object
from dnsalias_operator.model.meta import Raw, mapping, text
from dnsalias_operator.model.names import Key
from dnsalias_operator.shell.api.client import Client
from dnsalias_operator.shell.api.errors import ApiError, UnreachableError
from dnsalias_operator.shell.reporting.metrics import Metrics
from dnsalias_operator.shell.watching.store import Store, StoreChange

Known = Mapping[Key, Object | None]
"""What a decision was made from: objects as they were then, None where there was none."""
FRESH_SECONDS = 1.0
"""How long an answer of the API server about one object is not asked for again."""


class Confirm:
    """Reads objects by name, side by side, and puts what it finds into the store."""

    def __init__(
        self, client: Client, store: Store, metrics: Metrics, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client, self._store, self._metrics, self._clock = client, store, metrics, clock
        self._seen: dict[Key, tuple[str, float]] = {}  # in the order of their times

    def saw(self, key: Key, raw: Raw) -> None:
        """The API server has just answered with that object, to a read of it or to a write."""
        now = self._clock()
        self._seen.pop(key, None)
        self._seen[key] = _version(raw), now
        for old in list(takewhile(lambda one: now - self._seen[one][1] >= FRESH_SECONDS, self._seen)):
            del self._seen[old]

    def known(self, keys: Iterable[Key]) -> Known:
        """The objects as the store has them; to be asked for before anything is awaited after a decision."""
        return {key: self._store.world.get(key) for key in keys}

    async def outdated(self, known: Known, fresh: float = FRESH_SECONDS) -> bool:
        """Whether one of these is not any more as it is given here; the store has it as it is, to decide from again.

        What the API server has named less than ``fresh`` seconds ago is not asked for again.

        Raises:
            ClusterError: that cannot be known.
        """
        # The watch may have brought it since the decision: now, or while the answers are on their way.
        if self._moved(known):
            return True
        asked = [key for key in known if not self._seen_within(fresh, key)]
        answers = await asyncio.gather(*map(self._holds, asked), return_exceptions=True)
        for key, answer in zip(asked, answers, strict=True):
            if answer is False:
                self._metrics.outdated.labels(key.kind).inc()
        for key, answer in zip(asked, answers, strict=True):
            if isinstance(answer, asyncio.CancelledError):
                # It was the look alone that somebody cancelled: as an error of ours it would end the worker.
                raise UnreachableError(f"the look at {key} was given up")
            if isinstance(answer, BaseException):
                raise answer
        return not all(answers) or self._moved(known)

    def _moved(self, known: Known) -> bool:
        """Whether the store has one of these otherwise by now."""
        return any(
            (now := self._store.world.get(key)) is not old and StoreChange(old, now).matters
            for key, old in known.items()
        )

    def _seen_within(self, seconds: float, key: Key) -> bool:
        """Whether the API server named the version that the store has, and that lately."""
        known, seen = self._store.world.get(key), self._seen.get(key)
        if known is None or seen is None:
            return False
        return seen[0] == known.meta.resource_version and self._clock() - seen[1] < seconds

    async def _holds(self, key: Key) -> bool:
        """Whether the API server has nothing new about the object that the store does not know by now."""
        known = self._store.world.get(key)
        if not key.possible:
            return known is None  # named by an annotation, say: nobody needs to be asked
        try:
            raw = await self._client.request("GET", self._client.path(key.kind, key.namespace, key.name))
        except ApiError as error:
            if not error.says_gone(key.name):
                raise
            return known is None or self._store.remove(key.kind, known.raw) is None
        self.saw(key, raw)
        change = self._store.put(key.kind, raw)
        return change is None or not change.matters


def _version(raw: Raw) -> str:
    return text(mapping(raw.get("metadata")).get("resourceVersion"))
