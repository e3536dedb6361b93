"""Reads what says which mesh it is, again and again: MeshConfig, istiod's Deployment, the injector's values.

They are asked for by name, so that a right to `get` exactly these is enough. Where one may not be read, or is not
there, settings and defaults are assumed, and a line in the log says so. What changes takes effect without a restart:
everything is decided again.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from dnsalias_operator.core.istio.meshconfig import (
    NOTHING,
    Found,
    contradictions,
    differing,
    located,
    revisions_in,
)
from dnsalias_operator.model.mesh import READ_ONLY, Mesh
from dnsalias_operator.model.meta import mapping, texts
from dnsalias_operator.model.snapshot import Snapshot
from dnsalias_operator.settings import Settings
from dnsalias_operator.shell.api.client import Client
from dnsalias_operator.shell.api.errors import ApiError, ClusterError
from dnsalias_operator.shell.api.meshobjects import read_revisions
from dnsalias_operator.shell.current import Current
from dnsalias_operator.shell.pace import Backoff
from dnsalias_operator.shell.reporting.metrics import Metrics

log = logging.getLogger(__name__)


class MeshWatch:
    """``known`` is set once it was answered what the mesh is; nothing is decided before. ``fault``: why it is not."""

    def __init__(
        self,
        client: Client,
        settings: Settings,
        current: Current,
        world: Snapshot,
        metrics: Metrics,
        on_change: Callable[[], None],
    ) -> None:
        self._client, self._current, self._world = client, current, world
        self._metrics, self._on_change = metrics, on_change
        self._reads = settings.reads_mesh
        self._interval = settings.mesh_read_seconds
        self._backoff = Backoff(settings.backoff_min_seconds, settings.mesh_read_seconds)
        mesh = settings.rules.mesh
        self._root, self._revision = mesh.root_namespace, mesh.istio_revision
        self._told: Found | None = None
        self._named: tuple[str, ...] = ()
        self._sooner = asyncio.Event()
        self.known = asyncio.Event()
        self.fault = ""

    async def run(self) -> None:
        """Read now and at the interval, sooner after a failure; until cancelled."""
        failures = 0
        while True:
            try:
                found = await self._read() if self._reads else NOTHING
            except ClusterError as error:
                failures += 1
                if self.fault != str(error):
                    log.warning("cannot read which mesh it is", extra={"fields": {"error": str(error)}})
                self.fault = str(error)
                await asyncio.sleep(self._backoff.pause(failures))
                continue
            failures, self.fault = 0, ""
            self._learn(found)
            self.known.set()
            if not self._reads:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._sooner.wait(), self._interval)
            self._sooner.clear()

    async def _read(self) -> Found:
        self._named = self._revisions() if self._world.namespaces() else await self._revisions_at_first()
        return await read_revisions(self._client, self._root, self._revision, self._named)

    async def _revisions_at_first(self) -> tuple[str, ...]:
        """Those that Namespaces name, before anything is listed: the first decisions need them."""
        try:
            listed = [item async for items, _ in self._client.pages("Namespace", "") for item in items]
        except ApiError as error:
            if error.status not in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
                raise
            listed = []
        return revisions_in((texts(mapping(item.get("metadata")).get("labels")) for item in listed), self._revision)

    def _revisions(self) -> tuple[str, ...]:
        return revisions_in((n.meta.labels for n in self._world.namespaces()), self._revision)

    def namespaces_changed(self) -> None:
        """Namespaces are not what they were: a MeshConfig may choose others, and the root one says where it belongs.

        Revisions that they name and that are not known yet are read at once.
        """
        if self._reads and self._revisions() != self._named:
            self._sooner.set()
        if self.known.is_set():
            self._learn(self._current.found)

    def _learn(self, found: Found) -> None:
        changed = self._current.learn(found, self._world)
        if located(found, self._current.given.mesh, self._world) != self._told or changed:
            self._tell(found)
        if changed and self.known.is_set():
            self._on_change()

    def _tell(self, found: Found) -> None:
        """One line, and the metrics, for each change of what is known."""
        given = self._current.given.mesh
        self._told = located(found, given, self._world)
        against = contradictions(given, found, self._world)
        metrics = self._metrics
        names = {one.name for one in against}
        for name in (name for name in Mesh.model_fields if name not in READ_ONLY):
            metrics.contradicted.labels(name).set(name in names)
        metrics.mesh_problems.set(len(found.faults))
        metrics.mesh_unread.set(len(found.unread))
        revisions = differing(self._current.rules, self._world)
        metrics.mesh_revisions.set(len(revisions))
        fields: dict[str, Any] = {"assumed": self._current.rules.mesh.assumptions()}
        lists = {
            "contradicted": [str(one) for one in against],
            "problems": list(found.faults),
            "differing_revisions": list(revisions),
            "not_read": list(found.unread),
            "not_followed": list(found.unfollowed),
        }
        fields |= {name: lines for name, lines in lists.items() if lines}
        level = logging.WARNING if against or found.faults or revisions else logging.INFO
        log.log(level, "the mesh that decisions assume", extra={"fields": fields})
