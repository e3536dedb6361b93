"""A worker: takes keys from the queue, has them reconciled, and says in the log what failed."""

import asyncio
import logging
import time
from functools import partial

from dnsalias_operator.model.names import Key
from dnsalias_operator.shell.api.errors import ClusterError
from dnsalias_operator.shell.reporting.logs import about
from dnsalias_operator.shell.reporting.metrics import Metrics
from dnsalias_operator.shell.working.apply import pauses
from dnsalias_operator.shell.working.queue import Item, WorkQueue
from dnsalias_operator.shell.working.reconcile import Reconciler

log = logging.getLogger(__name__)


async def work(queue: WorkQueue[Key], reconciler: Reconciler, metrics: Metrics) -> None:
    """Work until the queue is closed; whatever an attempt ends in, the next key is taken."""
    while item := await queue.take():
        started = time.monotonic()
        try:
            await reconciler.work(item.key, partial(_written, metrics, item))
        except ClusterError as error:
            pause = queue.failed(item.key, *pauses(error))
            log.warning(
                "failed to write, will try again",
                extra={"fields": {**about(item.key), "error": str(error), "retry_s": round(pause, 1)}},
            )
        except Exception:
            pause = queue.failed(item.key)
            log.exception("a bug", extra={"fields": {**about(item.key), "retry_s": round(pause, 1)}})
        else:
            queue.done(item.key)
        metrics.duration.labels(item.key.kind).observe(time.monotonic() - started)
        # Where nothing is to be written nothing is awaited: without this, a resync would hold up probes and watch.
        await asyncio.sleep(0)


def _written(metrics: Metrics, item: Item[Key]) -> None:
    metrics.event_to_write.observe(max(0.0, time.monotonic() - item.since))
