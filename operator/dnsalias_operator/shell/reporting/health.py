"""/metrics, /healthz and /readyz on one port.

Ready: every kind was listed once. Healthy: the watch runs, no kind's news is overdue, no work is stuck. Both answer
with one line a fault, so that `kubectl describe pod` shows what is wrong.
"""

from collections.abc import Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from dnsalias_operator.shell.reporting.metrics import Metrics

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
