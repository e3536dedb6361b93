"""Waits for the API server and for the CRDs, and says so: a missing CRD is no reason to crash again and again."""

import asyncio
import contextlib
import logging

from dnsalias_operator.shell.api.client import Client
from dnsalias_operator.shell.api.errors import ClusterError
from dnsalias_operator.shell.pace import Backoff
from dnsalias_operator.shell.reporting.metrics import Metrics

log = logging.getLogger(__name__)


class Gate:
    """``fault`` says what is waited for, "" once everything is there; /readyz shows it."""

    def __init__(self, metrics: Metrics, backoff: Backoff, longest_pause: float) -> None:
        self._metrics, self._backoff, self._longest_pause = metrics, backoff, longest_pause
        self.fault = "not connected yet"

    async def wait(self, client: Client, stop: asyncio.Event) -> bool:
        """Wait until every kind is served; logs once for each change of what is missing. False: stopping."""
        said, failures = "", 0
        while not stop.is_set():
            self.fault = await self._look(client)
            if not self.fault:
                if said:
                    log.info("everything is there, going on", extra={"fields": {"server": client.server}})
                return True
            if self.fault != said:
                log.warning(self.fault, extra={"fields": {"server": client.server}})
                said = self.fault
            failures += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), min(self._longest_pause, self._backoff.pause(failures)))
        return False

    async def _look(self, client: Client) -> str:
        try:
            missing = await client.missing_kinds()
        except ClusterError as error:
            return str(error)
        self._metrics.missing.set(len(missing))
        return f"waiting for the CRDs {', '.join(missing)}" if missing else ""
