"""/metrics, /healthz and /readyz on one port.

Ready: every kind was listed once. Healthy: the watch runs, no kind's news is overdue, no work is stuck. Both answer
with one line a fault, so that `kubectl describe pod` shows what is wrong.
"""

import time
from collections.abc import Callable, Container

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from dnsalias_operator.shell.metrics import Metrics
from dnsalias_operator.shell.store import Store

Check = Callable[[], list[str]]
"""Returns what is wrong, one sentence each; nothing where all is well."""


class HealthServer:
    """An HTTP server with three pages; `start` and `stop` it on the operator's loop."""

    def __init__(self, metrics: Metrics, healthy: Check, ready: Check) -> None:
        self._metrics = metrics
        self._checks = {"/healthz": healthy, "/readyz": ready}
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port (another one where 0 was asked for).

        Raises:
            OSError: the port cannot be bound.
        """
        app = web.Application()
        app.router.add_get("/metrics", self._metrics_page)
        for path in self._checks:
            app.router.add_get(path, self._check_page)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Close the port."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _metrics_page(self, _: web.Request) -> web.Response:
        return web.Response(body=self._metrics.exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _check_page(self, request: web.Request) -> web.Response:
        faults = self._checks[request.path]()
        return web.Response(status=503 if faults else 200, text="\n".join(faults or ["ok"]) + "\n")


def stale_kinds(
    store: Store, resync_seconds: float, failing: Container[str] = (), clock: Callable[[], float] = time.time
) -> list[str]:
    """Kinds of which neither the watch nor a full list has told for two and a half intervals and a minute.

    Not those that were never listed, or of which the list is ``failing``: that is for readiness and alerts to tell. A
    new process would not list them either, and would know nothing where this one has a watch.
    """
    limit = 2.5 * resync_seconds + 60
    now = clock()
    out = []
    for kind in store.kinds:
        if kind not in store.last_list or kind in failing:
            continue
        age = now - max(store.last_list[kind], store.last_event.get(kind, 0))
        if age > limit:
            out.append(f"{kind}: no news for {age:.0f} s (limit {limit:.0f} s)")
    return out
