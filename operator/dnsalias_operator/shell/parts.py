"""The parts that work for as long as the operator may write, made and joined."""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from dnsalias_operator.model.names import Key
from dnsalias_operator.settings import Settings
from dnsalias_operator.shell.api.client import Client
from dnsalias_operator.shell.current import Current
from dnsalias_operator.shell.decided import Decisions
from dnsalias_operator.shell.pace import Backoff, TokenBucket
from dnsalias_operator.shell.reporting.events import Recorder
from dnsalias_operator.shell.reporting.metrics import Metrics
from dnsalias_operator.shell.watching.resync import Resync
from dnsalias_operator.shell.watching.store import Store
from dnsalias_operator.shell.working.apply import Writer
from dnsalias_operator.shell.working.fights import Fights
from dnsalias_operator.shell.working.queue import WorkQueue
from dnsalias_operator.shell.working.reconcile import Reconciler
from dnsalias_operator.shell.working.statuses import Statuses
from dnsalias_operator.shell.working.steps import Steps


@dataclass(frozen=True, slots=True)
class Parts:
    """What reads and writes; `Reconciler.work`, `Recorder.run` and `Resync.run` are the tasks of it."""

    recorder: Recorder
    fights: Fights
    reconciler: Reconciler
    resync: Resync

    @classmethod
    def of(
        cls,
        settings: Settings,
        client: Client,
        store: Store,
        queue: WorkQueue[Key],
        decided: Decisions,
        metrics: Metrics,
        current: Current,
        on_listed: Callable[[], None],
    ) -> "Parts":
        """The parts for these settings, which decide by the ``current`` rules.

        ``on_listed`` is called after each full round of lists.
        """
        recorder = Recorder(
            client,
            metrics,
            socket.gethostname(),
            enabled=settings.events,
            busy=lambda: queue.depth() > 0,
            may_write=client.may_write,
        )
        fights = Fights(
            settings.fight_limit, Backoff(settings.fight_min_seconds, settings.fight_max_seconds), time.monotonic
        )
        bucket = TokenBucket(settings.write_rate, settings.write_burst, time.monotonic)
        writer = Writer(client, store, bucket, metrics)
        steps = Steps(
            store=store,
            writer=writer,
            fights=fights,
            metrics=metrics,
            current=current,
            now=client.now,
            enqueue=queue.add,
        )
        statuses = Statuses(
            store=store,
            writer=writer,
            recorder=recorder,
            fights=fights,
            decided=decided,
            current=current,
            now=client.now,
            enqueue=queue.add,
        )
        reconciler = Reconciler(
            store=store,
            queue=queue,
            steps=steps,
            statuses=statuses,
            recorder=recorder,
            decided=decided,
            current=current,
        )

        def listed() -> None:
            fights.prune()
            on_listed()

        resync = Resync(
            client=client,
            store=store,
            metrics=metrics,
            namespace=settings.namespace,
            page_size=settings.page_size,
            interval=settings.resync_seconds,
            backoff=Backoff(settings.backoff_min_seconds, settings.backoff_max_seconds),
            on_done=listed,
        )
        return cls(recorder, fights, reconciler, resync)
