"""The operator's life: connect, wait for the CRDs, list, watch, work, and at SIGTERM finish what is in flight."""

import asyncio
import contextlib
import logging
import signal
import socket
import time
from functools import partial

from dnsalias_operator.core.triggers import affected
from dnsalias_operator.model.names import KIND, Key
from dnsalias_operator.settings import Settings
from dnsalias_operator.shell.api.client import Client
from dnsalias_operator.shell.api.errors import ClusterError
from dnsalias_operator.shell.api.fence import Fence, open_fence
from dnsalias_operator.shell.leader import Leadership
from dnsalias_operator.shell.pace import Backoff, TokenBucket
from dnsalias_operator.shell.reporting import logs, summary
from dnsalias_operator.shell.reporting.events import Recorder
from dnsalias_operator.shell.reporting.health import HealthServer
from dnsalias_operator.shell.reporting.metrics import Metrics
from dnsalias_operator.shell.watching import handlers
from dnsalias_operator.shell.watching.gate import Gate
from dnsalias_operator.shell.watching.resync import Resync
from dnsalias_operator.shell.watching.store import Store, StoreChange, stale_kinds
from dnsalias_operator.shell.working.apply import Writer, pauses
from dnsalias_operator.shell.working.fights import Fights
from dnsalias_operator.shell.working.queue import Item, WorkQueue
from dnsalias_operator.shell.working.reconcile import Reconciler
from dnsalias_operator.shell.working.steps import Steps

log = logging.getLogger(__name__)

OK, FAILED = 0, 1
LEASE = "lease"


def run(settings: Settings) -> int:
    """Run the operator until it is told to stop; returns the process's exit code.

    0: stopped by SIGTERM or SIGINT. 1: it could not go on (no credentials, port taken, a watched CRD was removed, the
    Lease was lost); the last log line says why, and a restart is the cure.
    """
    logs.configure(settings.log_format, settings.log_level)
    try:
        return asyncio.run(_Operator(settings).main())
    except (ClusterError, OSError) as error:
        log.error("the operator cannot go on", extra={"fields": {"error": str(error)}})  # noqa: TRY400 (no trace)
        return FAILED


class _Operator:
    """The parts, wired together. One instance lives for one run."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.rules = settings.rules
        self.metrics = Metrics(info_cap=settings.unfixed_info_cap)
        kinds = ["Service", "ServiceEntry", KIND, "Sidecar", *([] if settings.namespace else ["Namespace"])]
        self.store = Store(kinds, self._on_change)
        backoff = Backoff(settings.backoff_min_seconds, settings.backoff_max_seconds)
        self.queue: WorkQueue[Key] = WorkQueue(backoff, time.monotonic)
        self.backoff = backoff
        self.health = HealthServer(self.metrics, self._healthy, self._ready)
        self.gate = Gate(self.metrics, backoff, settings.missing_kind_poll_seconds)
        self.resync: Resync | None = None
        self.leadership: Leadership | None = None
        self.stop = asyncio.Event()
        self.started = time.monotonic()
        self.summed_up = False

    async def main(self) -> int:
        self._own_signals()
        self.metrics.watch(self._observe)
        port = await self.health.start(self.settings.http_host, self.settings.http_port)
        log.info("serving /metrics, /healthz and /readyz", extra={"fields": {"port": port}})
        try:
            async with await self._connect(self._left if self.settings.leader_election else open_fence) as client:
                if not await self.gate.wait(client, self.stop):
                    return OK
                if not self.settings.leader_election:
                    return await self._operate(client)
                # With a connection of its own: a renewal must not wait until other requests are done.
                async with await self._connect(open_fence) as own:
                    return await self._lead(own, client)
        finally:
            await self.health.stop()

    async def _connect(self, fence: Fence) -> Client:
        settings = self.settings
        return await Client.connect(
            settings.kubeconfig or None,
            settings.context or None,
            request_seconds=settings.request_timeout_seconds,
            max_in_flight=settings.max_in_flight,
            observer=self.metrics.request,
            fence=fence,
        )

    async def _lead(self, own: Client, client: Client) -> int:
        """Wait for the Lease, and operate for as long as it is held."""
        self.leadership = Leadership.of(self.settings, own)
        if not await self.leadership.win(self.stop):
            return OK
        keeping = asyncio.create_task(self.leadership.keep(), name=LEASE)
        try:
            return await self._operate(client, keeping)
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])
            await self.leadership.release()

    def _left(self) -> float:
        """Seconds in which this process may write."""
        if not self.settings.leader_election:
            return open_fence()
        return self.leadership.left() if self.leadership else 0.0

    async def _operate(self, client: Client, *watched: asyncio.Task[None]) -> int:
        """Do the work until told to stop, or until a part of it or one of the ``watched`` tasks ends."""
        settings = self.settings
        recorder = Recorder(
            client, self.metrics, socket.gethostname(), enabled=settings.events, busy=lambda: self.queue.depth() > 0
        )
        fights = Fights(
            settings.fight_limit, Backoff(settings.fight_min_seconds, settings.fight_max_seconds), time.monotonic
        )
        bucket = TokenBucket(settings.write_rate, settings.write_burst, time.monotonic)
        writer = Writer(client, self.store, bucket, self.metrics)
        steps = Steps(
            store=self.store,
            writer=writer,
            recorder=recorder,
            fights=fights,
            metrics=self.metrics,
            rules=self.rules,
            clock=client,
            enqueue=self.queue.add,
        )
        reconciler = Reconciler(
            store=self.store,
            queue=self.queue,
            steps=steps,
            writer=writer,
            recorder=recorder,
            fights=fights,
            metrics=self.metrics,
            rules=self.rules,
            clock=client,
        )
        self.resync = Resync(
            client=client,
            store=self.store,
            metrics=self.metrics,
            namespace=settings.namespace,
            page_size=settings.page_size,
            interval=settings.resync_seconds,
            backoff=self.backoff,
            on_done=partial(self._everything, fights),
        )
        workers = [asyncio.create_task(self._worker(reconciler), name=f"worker {n}") for n in range(settings.workers)]
        others = [
            asyncio.create_task(recorder.run(), name="events"),
            asyncio.create_task(self.resync.run(), name="resync"),
        ]
        watch_ends = asyncio.Event()
        watching = asyncio.create_task(self._watch(client, self.resync, watch_ends), name="watch")
        stopping = asyncio.create_task(self.stop.wait(), name="stop")
        parts = [*watched, watching, *workers, *others]
        await asyncio.wait((stopping, *parts), return_when=asyncio.FIRST_COMPLETED)
        code = await self._why(client, parts)
        await self._shut_down(workers)
        watch_ends.set()
        self.resync.listed.set()
        for task in (stopping, *others):
            task.cancel()
        await asyncio.wait((watching, *others), timeout=settings.shutdown_grace_seconds)
        watching.cancel()
        await asyncio.gather(watching, stopping, *others, return_exceptions=True)
        log.info("stopped; nothing that was written is reverted")
        return code

    async def _watch(self, client: Client, resync: Resync, ends: asyncio.Event) -> None:
        # Kopf lists everything too, and far more slowly; side by side the two would be ready as late as it is.
        await resync.listed.wait()
        if not ends.is_set():
            await handlers.watch(
                self.settings,
                self.store,
                client,
                ends,
                self._own_signals,
                begun_anew=self.metrics.watch_restarts.inc,
                listed=resync.relisted,
            )

    async def _why(self, client: Client, tasks: list[asyncio.Task[None]]) -> int:
        """The exit code, and the reason in the log where the end is not one that was asked for."""
        if self.stop.is_set():
            return OK
        ended = next((t for t in tasks if t.done()), None)
        if ended is not None and ended.get_name() == LEASE and self.leadership is not None:
            fields = {"lease": self.leadership.lease, "holder": self.leadership.holder, "error": ended.exception()}
            log.error("the Lease is lost, nothing more is written", extra={"fields": fields})
            return FAILED
        error = ended.exception() if ended is not None and not ended.cancelled() else None
        missing: tuple[str, ...] = ()
        with contextlib.suppress(ClusterError):
            missing = await client.missing_kinds()
        text = f"{type(error).__name__}: {error}" if error else "it ended"
        if missing:
            text = f"the CRDs {', '.join(missing)} were removed; the operator waits for them after a restart"
        name = ended.get_name() if ended is not None else "a task"
        log.error("the operator cannot go on", extra={"fields": {"part": name, "error": text}})
        return FAILED

    async def _shut_down(self, workers: list[asyncio.Task[None]]) -> None:
        """Let writes in flight end; nothing new is begun."""
        self.queue.close()
        busy = self.queue.working()
        if busy:
            log.info("finishing writes in flight", extra={"fields": {"keys": busy}})
        _, late = await asyncio.wait(workers, timeout=self.settings.shutdown_grace_seconds)
        for task in late:
            log.warning("a write did not end in time", extra={"fields": {"part": task.get_name()}})
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    async def _worker(self, reconciler: Reconciler) -> None:
        while item := await self.queue.take():
            started = time.monotonic()
            try:
                await reconciler.work(item.key, partial(self._written, item))
            except ClusterError as error:
                pause = self.queue.failed(item.key, *pauses(error))
                log.warning(
                    "not written, will try again",
                    extra={"fields": {"object": str(item.key), "error": str(error), "retry_s": round(pause, 1)}},
                )
            except Exception:
                pause = self.queue.failed(item.key)
                log.exception("a bug", extra={"fields": {"object": str(item.key), "retry_s": round(pause, 1)}})
            else:
                self.queue.done(item.key)
            self.metrics.duration.labels(item.key.kind).observe(time.monotonic() - started)
            # Where nothing is to be written nothing is awaited: without this, a resync would hold up probes and watch.
            await asyncio.sleep(0)

    def _written(self, item: Item[Key]) -> None:
        self.metrics.event_to_write.observe(max(0.0, time.monotonic() - item.since))

    def _on_change(self, change: StoreChange) -> None:
        if not change.matters:
            return
        # Before everything was listed, an absence means nothing; the first round asks for every key.
        if self.store.synced:
            for key in sorted(affected(self.store.world, change.old, change.new, self.rules)):
                # What follows from a write of ours gives way to what others wait for.
                self.queue.add(key, last=change.ours and key.kind == KIND)

    def _everything(self, fights: Fights) -> None:
        """Ask for every alias and entry, in the order of the plan: entries of others first."""
        fights.prune()
        world, decided = self.store.world, self.metrics.decisions
        known = [*(e.key for e in world.entries()), *(a.key for a in world.aliases())]
        for key in dict.fromkeys((*known, *decided.entries, *decided.aliases)):
            self.queue.add(key)
        if not self.summed_up:
            self.summed_up = True
            summary.tell(world, self.rules, time.monotonic() - self.started)

    def _own_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._told_to_stop, number)

    def _told_to_stop(self, number: signal.Signals) -> None:
        if not self.stop.is_set():
            log.info("told to stop", extra={"fields": {"signal": signal.Signals(number).name}})
        self.stop.set()

    def _ready(self) -> list[str]:
        if self.gate.fault:
            return [self.gate.fault]
        if self.settings.leader_election and self._left() <= 0:
            # A standby that can read the Lease is ready: it can take over, and a rollout may go on.
            fault = self.leadership.fault if self.leadership else "not a candidate for the Lease yet"
            return [fault] if fault else []
        unlisted = self.store.unlisted()
        if unlisted:
            why = self.resync.fault if self.resync else ""
            return [f"not listed yet: {', '.join(unlisted)}" + (f"; {why}" if why else "")]
        return []

    def _healthy(self) -> list[str]:
        # Waiting for an API server or for CRDs is no reason for a restart.
        failing = self.resync.faults if self.resync else {}
        faults = stale_kinds(self.store, self.settings.resync_seconds, failing)
        age = self.queue.stalled()
        if age > self.settings.stuck_seconds:
            faults.append(f"work stands still for {age:.0f} s (limit {self.settings.stuck_seconds:.0f} s)")
        return faults + (self.resync.silent_kinds() if self.resync else [])

    def _observe(self) -> None:
        """Set the gauges that are read from the parts at each scrape."""
        self.metrics.leader.set(self._left() > 0)
        self.metrics.tasks.set(len(asyncio.all_tasks()))
        self.metrics.depth.set(self.queue.depth())
        self.metrics.delayed.set(self.queue.delayed())
        self.metrics.oldest.set(self.queue.oldest_age())
        for kind in self.store.kinds:
            self.metrics.objects.labels(kind).set(self.store.count(kind))
        for kind, at in self.store.last_event.items():
            self.metrics.last_event.labels(kind).set(at)
        for kind, at in self.store.last_list.items():
            self.metrics.last_resync.labels(kind).set(at)
