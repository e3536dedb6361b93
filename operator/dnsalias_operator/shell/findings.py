"""Keeps the findings metric true: lints the world in the background, at most once in a while, only after a change."""

import asyncio
import logging
import time

from dnsalias_operator.core.plan import lint
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import PARSERS, Snapshot
from dnsalias_operator.shell.metrics import Metrics
from dnsalias_operator.shell.store import Store

log = logging.getLogger(__name__)

_LEAST_PAUSE = 2.0
_SHARE = 20
"""The pause after a lint is that many times as long as it took: linting never takes more than 5 % of a core."""


class FindingsLoop:
    """`changed` asks for a lint, `run` makes them."""

    def __init__(self, store: Store, metrics: Metrics, rules: Rules) -> None:
        self._store, self._metrics, self._rules = store, metrics, rules
        self._asked = asyncio.Event()

    def changed(self) -> None:
        """The world has changed."""
        self._asked.set()

    async def run(self) -> None:
        """Lint after changes, until cancelled."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            if not self._store.synced:
                await asyncio.sleep(_LEAST_PAUSE)
                self._asked.set()
                continue
            began = time.monotonic()
            # A copy of the index, since the store goes on changing while a thread reads.
            objects = [o for kind in PARSERS for o in self._store.world.find("kind", kind)]
            frozen = Snapshot(objects, namespaces_known=self._store.world.namespaces_known)
            self._metrics.decisions.findings = await asyncio.to_thread(lint, frozen, self._rules)
            await asyncio.sleep(max(_LEAST_PAUSE, _SHARE * (time.monotonic() - began)))
