"""What the operator's parts say of themselves: to the probes of the kubelet, and in the gauges of each scrape."""

import asyncio
from dataclasses import dataclass

from dnsalias_operator.model.names import Key
from dnsalias_operator.settings import Settings
from dnsalias_operator.shell.leader import Leadership
from dnsalias_operator.shell.reporting.metrics import Metrics
from dnsalias_operator.shell.watching.gate import Gate
from dnsalias_operator.shell.watching.meshwatch import MeshWatch
from dnsalias_operator.shell.watching.resync import Resync
from dnsalias_operator.shell.watching.store import Store, stale_kinds
from dnsalias_operator.shell.working.queue import WorkQueue


@dataclass(slots=True)
class Probes:
    """Asks the parts; ``leadership``, ``resync`` and ``mesh`` begin later, and are asked once they are there."""

    settings: Settings
    store: Store
    queue: WorkQueue[Key]
    gate: Gate
    metrics: Metrics
    leadership: Leadership | None = None
    resync: Resync | None = None
    mesh: MeshWatch | None = None

    def may_write(self) -> bool:
        """Whether this process is the one that writes."""
        return not self.settings.leader_election or (self.leadership is not None and self.leadership.left() > 0)

    def unready(self) -> list[str]:
        """Why the operator is not ready; nothing where it is."""
        if self.gate.fault:
            return [self.gate.fault]
        if not self.may_write():
            # A standby that can read the Lease is ready: it can take over, and a rollout may go on.
            fault = self.leadership.fault if self.leadership else "not a candidate for the Lease yet"
            return [fault] if fault else []
        unlisted = self.store.unlisted()
        if unlisted:
            why = (self.mesh.fault if self.mesh else "") or (self.resync.fault if self.resync else "")
            return [f"not listed yet: {', '.join(unlisted)}" + (f"; {why}" if why else "")]
        return []

    def unhealthy(self) -> list[str]:
        """Why a new process would do better; nothing where it would not."""
        # Waiting for an API server or for CRDs is no reason for a restart.
        failing = self.resync.faults if self.resync else {}
        faults = stale_kinds(self.store, self.settings.resync_seconds, failing)
        age = self.queue.stalled()
        if age > self.settings.stuck_seconds:
            faults.append(f"work stands still for {age:.0f} s (limit {self.settings.stuck_seconds:.0f} s)")
        return faults + (self.resync.silent_kinds() if self.resync else [])

    def observe(self) -> None:
        """Set the gauges that are read from the parts."""
        metrics = self.metrics
        metrics.leader.set(self.may_write())
        metrics.tasks.set(len(asyncio.all_tasks()))
        metrics.depth.set(self.queue.depth())
        metrics.delayed.set(self.queue.delayed())
        metrics.oldest.set(self.queue.oldest_age())
        for kind in self.store.kinds:
            metrics.objects.labels(kind).set(self.store.count(kind))
        for kind, at in self.store.last_event.items():
            metrics.last_event.labels(kind).set(at)
        for kind, at in self.store.last_list.items():
            metrics.last_resync.labels(kind).set(at)
