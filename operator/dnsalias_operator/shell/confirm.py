"""A second look before a write, at the API server itself: is what the decision was made from still so?

The store may be behind. A watch can be silent, a list can come from a server that lags, and every event takes its
time. The preconditions of a write guard the object that is written, not the Service or alias that it is made from: an
address that a new Service has by now would be given to the entry of the old one.
"""

from collections.abc import Iterable

from dnsalias_operator.model.names import Key
from dnsalias_operator.shell.client import Client
from dnsalias_operator.shell.errors import ApiError
from dnsalias_operator.shell.metrics import Metrics
from dnsalias_operator.shell.store import Store


class Confirm:
    """Reads objects one by one and puts what it finds into the store."""

    def __init__(self, client: Client, store: Store, metrics: Metrics) -> None:
        self._client, self._store, self._metrics = client, store, metrics

    async def outdated(self, keys: Iterable[Key]) -> bool:
        """Whether the store was wrong about one of these; it is right about them then, so the decision is made anew.

        Raises:
            ClusterError: it cannot be told.
        """
        found = False
        for key in keys:
            if not await self._holds(key):
                self._metrics.outdated.labels(key.kind).inc()
                found = True
        return found

    async def _holds(self, key: Key) -> bool:
        known = self._store.world.get(key)
        try:
            raw = await self._client.request("GET", self._client.path(key.kind, key.namespace, key.name))
        except ApiError as error:
            if not error.says_gone(key.name):
                raise
            if known is None:
                return True
            self._store.remove(key.kind, known.raw)
            return False
        if known is not None and raw["metadata"].get("resourceVersion") == known.meta.resource_version:
            return True
        change = self._store.put(key.kind, raw)
        return change is None or not change.matters
