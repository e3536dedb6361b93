"""The operator's life: connect, wait for the CRDs, list, watch, work, and at SIGTERM finish what is in flight."""

import asyncio
import contextlib
import logging
import signal
import time

from dnsalias_operator.core.triggers import affected
from dnsalias_operator.model.kinds import watched
from dnsalias_operator.model.names import KIND, Key
from dnsalias_operator.settings import Settings
from dnsalias_operator.shell.api.client import Client
from dnsalias_operator.shell.api.errors import ClusterError
from dnsalias_operator.shell.api.fence import Fence, open_fence
from dnsalias_operator.shell.current import Current
from dnsalias_operator.shell.decided import Decisions
from dnsalias_operator.shell.leader import Leadership
from dnsalias_operator.shell.pace import Backoff
from dnsalias_operator.shell.parts import Parts
from dnsalias_operator.shell.probes import Probes
from dnsalias_operator.shell.reporting import logs, summary
from dnsalias_operator.shell.reporting.health import HealthServer
from dnsalias_operator.shell.reporting.metrics import Metrics
from dnsalias_operator.shell.watching import handlers
from dnsalias_operator.shell.watching.gate import Gate
from dnsalias_operator.shell.watching.meshwatch import MeshWatch
from dnsalias_operator.shell.watching.resync import Resync
from dnsalias_operator.shell.watching.store import Store, StoreChange
from dnsalias_operator.shell.working.queue import WorkQueue
from dnsalias_operator.shell.working.worker import work

log = logging.getLogger(__name__)

OK, FAILED = 0, 1
LEASE = "lease"


def run(settings: Settings) -> int:
    """Run the operator until it is to stop; returns the process's exit code.

    0: stopped by SIGTERM or SIGINT. 1: it could not go on (no credentials, port taken, a watched CRD was removed, the
    Lease was lost); the last log line says why, and restart the process.
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
        self.current = Current(settings.rules)
        self.decided = Decisions()
        self.metrics = Metrics(self.decided, settings.unfixed_info_cap)
        self.store = Store([kind.name for kind in watched(one_namespace=bool(settings.namespace))], self._on_change)
        backoff = Backoff(settings.backoff_min_seconds, settings.backoff_max_seconds)
        self.queue: WorkQueue[Key] = WorkQueue(backoff, time.monotonic)
        self.gate = Gate(self.metrics, backoff, settings.missing_kind_poll_seconds)
        self.probes = Probes(settings, self.store, self.queue, self.gate, self.metrics)
        self.health = HealthServer(self.metrics, self.probes.unhealthy, self.probes.unready)
        self.leadership: Leadership | None = None
        self.mesh: MeshWatch | None = None
        self.stop = asyncio.Event()
        self.started = time.monotonic()
        self.summed_up = False

    async def main(self) -> int:
        self._own_signals()
        self.metrics.watch(self.probes.observe)
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
        self.leadership = self.probes.leadership = Leadership.of(self.settings, own)
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
        """Seconds in which this candidate for the Lease may write."""
        return self.leadership.left() if self.leadership else 0.0

    async def _operate(self, client: Client, *beside: asyncio.Task[None]) -> int:
        """Do the work until it is to stop, or until a part of it or one of the tasks ``beside`` it ends."""
        settings = self.settings
        parts = Parts.of(
            settings,
            client,
            self.store,
            self.queue,
            self.decided,
            self.metrics,
            self.current,
            on_listed=self._everything,
        )
        mesh = MeshWatch(client, settings, self.current, self.store.world, self.metrics, self._mesh_changed)
        self.probes.resync, self.probes.mesh, self.mesh = parts.resync, mesh, mesh
        workers = [
            asyncio.create_task(work(self.queue, parts.reconciler, self.metrics), name=f"worker {n}")
            for n in range(settings.workers)
        ]
        others = [
            asyncio.create_task(parts.recorder.run(), name="events"),
            asyncio.create_task(self._list(mesh, parts.resync), name="resync"),
        ]
        reading = asyncio.create_task(self._read_mesh(mesh), name="mesh")
        others.append(reading)
        watch_ends = asyncio.Event()
        watching = asyncio.create_task(self._watch(client, parts.resync, watch_ends), name="watch")
        stopping = asyncio.create_task(self.stop.wait(), name="stop")
        tasks = [*beside, watching, *workers, *others]
        await asyncio.wait((stopping, *tasks), return_when=asyncio.FIRST_COMPLETED)
        code = await self._why(client, tasks)
        await self._shut_down(workers)
        watch_ends.set()
        parts.resync.listed.set()
        for task in (stopping, *others):
            task.cancel()
        await asyncio.wait((watching, *others), timeout=settings.shutdown_grace_seconds)
        watching.cancel()
        await asyncio.gather(watching, stopping, *others, return_exceptions=True)
        log.info("stopped; nothing that was written is reverted")
        return code

    async def _read_mesh(self, mesh: MeshWatch) -> None:
        await mesh.run()
        # Where nothing is read there is nothing more to do, and a part that ends would end the operator.
        await self.stop.wait()

    async def _list(self, mesh: MeshWatch, resync: Resync) -> None:
        # What is decided depends on the mesh, and nothing is decided before everything is listed.
        await mesh.known.wait()
        await resync.run()

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
                restarted=self.metrics.watch_restarts.inc,
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
        """Let writes in flight end; nothing new is started."""
        self.queue.close()
        busy = self.queue.working()
        if busy:
            log.info("finishing writes in flight", extra={"fields": {"keys": busy}})
        _, late = await asyncio.wait(workers, timeout=self.settings.shutdown_grace_seconds)
        for task in late:
            log.warning("a write did not end in time", extra={"fields": {"part": task.get_name()}})
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    def _on_change(self, change: StoreChange) -> None:
        if not change.matters:
            return
        # Before everything was listed, an absence means nothing; the first round asks for every key.
        if self.store.synced:
            if change.key.kind == "Namespace" and self.mesh is not None:
                self.mesh.namespaces_changed()
            for key in sorted(affected(self.store.world, change.old, change.new, self.current.rules)):
                # What follows from a write of ours gives way to what others wait for.
                self.queue.add(key, last=change.ours and key.kind == KIND)

    def _everything(self) -> None:
        """Ask for every alias and entry, in the order of the plan: entries of others first."""
        world, decided = self.store.world, self.decided
        if self.mesh is not None:
            self.mesh.namespaces_changed()
        known = [*(e.key for e in world.entries()), *(a.key for a in world.aliases())]
        for key in dict.fromkeys((*known, *decided.entries, *decided.aliases)):
            self.queue.add(key)
        if not self.summed_up:
            self.summed_up = True
            summary.report(world, self.current.rules, time.monotonic() - self.started)

    def _mesh_changed(self) -> None:
        """Every decision may be another one in another mesh."""
        if self.store.synced:
            for key in (*(e.key for e in self.store.world.entries()), *(a.key for a in self.store.world.aliases())):
                self.queue.add(key)

    def _own_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._told_to_stop, number)

    def _told_to_stop(self, number: signal.Signals) -> None:
        if not self.stop.is_set():
            log.info("stopping", extra={"fields": {"signal": signal.Signals(number).name}})
        self.stop.set()
