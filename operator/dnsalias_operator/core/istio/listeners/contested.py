"""Of several services of one hostname: those that a client gets.

Source: selectServices, appendSidecarServices, canMergeServices and DefaultSidecarScopeForNamespace in
pilot/pkg/model/sidecar.go.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from dnsalias_operator.core.istio.listeners.claimants import rivals
from dnsalias_operator.core.istio.listeners.order import rank
from dnsalias_operator.core.istio.listeners.scope import Egress, keeps_one_service
from dnsalias_operator.core.istio.listeners.services import Upstream
from dnsalias_operator.core.istio.listeners.visible import seen
from dnsalias_operator.model.kinds import Object
from dnsalias_operator.model.lookups import Claimant
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot


def served(objects: Iterable[Claimant], snapshot: Snapshot, egress: Egress, mesh: Mesh) -> Iterator[Upstream]:
    """The services of those objects that the egress listener serves, in no order.

    Of each hostname a client gets the services of one namespace only, whatever their ports. Two older rules are for
    clients without a Sidecar: before 1.22 they get all of them, in 1.22 and 1.23 one service.
    """
    imported = seen(objects, snapshot, egress, mesh)
    if keeps_one_service(egress, mesh):
        for key, hostname in dict.fromkeys((u.key, u.hostname) for u in imported):
            yield from (u for u in _kept(hostname, snapshot, egress, mesh) if u.key == key)
        return
    if egress.unscoped and not mesh.since(1, 22):
        yield from imported
        return
    chosen: dict[str, str] = {}
    for upstream in imported:
        if upstream.hostname not in chosen:
            chosen[upstream.hostname] = _namespace_of(upstream, snapshot, egress, mesh)
        if chosen[upstream.hostname] == upstream.namespace:
            yield upstream


def services_named(hostname: str, snapshot: Snapshot, egress: Egress, mesh: Mesh) -> list[Upstream]:
    """The services of that hostname that the egress listener gets, whatever their ports; a Service, then as served."""
    found = (u for u in served(rivals(hostname, snapshot, mesh), snapshot, egress, mesh) if u.hostname == hostname)
    return sorted(found, key=lambda u: (not u.kubernetes, rank(u, egress, mesh)))


def merges(first: Object | None, other: Object | None) -> bool:
    """Whether two objects of one hostname and namespace are merged, so that the ports of both count."""
    if not isinstance(first, ServiceEntry) or not isinstance(other, ServiceEntry):
        return False
    return (
        first.resolution == other.resolution
        and dict(first.meta.labels) == dict(other.meta.labels)
        and dict(first.workload_selector or {}) == dict(other.workload_selector or {})
        and set(first.export_to or ()) == set(other.export_to or ())
    )


def _named(hostname: str, snapshot: Snapshot, egress: Egress, mesh: Mesh) -> list[Upstream]:
    """The services of that hostname that the client sees, in order."""
    found = (u for u in seen(rivals(hostname, snapshot, mesh), snapshot, egress, mesh) if u.hostname == hostname)
    return sorted(found, key=lambda u: rank(u, egress, mesh))


def _namespace_of(upstream: Upstream, snapshot: Snapshot, egress: Egress, mesh: Mesh) -> str:
    """The one namespace whose services of this hostname the egress listener gets.

    The client's own, else since 1.24 that of a Service, else that of the one that is first in order.
    """
    objects = rivals(upstream.hostname, snapshot, mesh)
    if all(o.meta.namespace == upstream.namespace for o in objects):
        return upstream.namespace
    contenders = _named(upstream.hostname, snapshot, egress, mesh)
    chosen = contenders[0] if contenders else upstream
    for u in contenders[1:]:
        prefers = u.kubernetes and not chosen.kubernetes and mesh.since(1, 24)
        if u.namespace == egress.namespace or (prefers and chosen.namespace != egress.namespace):
            chosen = u
    return chosen.namespace


def _kept(hostname: str, snapshot: Snapshot, egress: Egress, mesh: Mesh) -> list[Upstream]:
    """The one service of a hostname, with a part for each object whose ports it has.

    It is the first in order, or the Kubernetes Service, in the place of that. Entries like it add the ports that it
    lacks, at its address; all else is dropped, the second address of an entry too.
    """
    kept: list[Upstream] = []
    for upstream in _named(hostname, snapshot, egress, mesh):
        if not kept:
            kept = [upstream]
        elif upstream.kubernetes:
            kept = [replace(upstream, place=kept[0].place or kept[0])]
        elif _alike(kept[0], upstream, snapshot):
            taken = {number for part in kept for number, _ in part.ports}
            added = tuple(port for port in upstream.ports if port[0] not in taken)
            kept += [replace(kept[0], key=upstream.key, ports=added, place=kept[0])] if added else []
    return kept


def _alike(kept: Upstream, other: Upstream, snapshot: Snapshot) -> bool:
    first, second = snapshot.get(kept.key), snapshot.get(other.key)
    return kept.namespace == other.namespace and merges(first, second)
