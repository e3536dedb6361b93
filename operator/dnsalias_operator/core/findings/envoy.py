"""Faults that show in Envoy alone: calls that a server's sidecar refuses, and configuration that Envoy refuses.

Checks of `findings`, computed from `listeners` and `clusters`.
"""

from collections.abc import Iterator
from functools import partial

from dnsalias_operator.core.findings import catalog, remedies
from dnsalias_operator.core.findings.plaintext import Rejected, rejected, strict_somewhere
from dnsalias_operator.core.findings.subject import Look
from dnsalias_operator.core.istio.clusters import cluster_of, refused, sends
from dnsalias_operator.core.istio.listeners import Pods, alike, pod_classes, reach, refused_on
from dnsalias_operator.core.istio.listeners.families import joins_addresses
from dnsalias_operator.core.istio.protocols import PortClass, class_of, entry_protocol
from dnsalias_operator.core.outcome import Finding, Severity
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.serviceentry import EntryPort, ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot

_REMEDIES = {
    "DYNAMIC_DNS": "give the port protocol HTTP or TLS, or its host a DestinationRule with TLS",
    "DNS_ROUND_ROBIN": "use resolution DNS, or keep one entry with one endpoint for the host",
    "SNI": "write the wildcard as a whole label (*.example.com), or give the entry an address of its own",
    "bound twice": remedies.FIRST_ONLY,
}
_JOINED = (
    "list one address, of which no other object has a listener of its own; or use another patch of Istio: 1.22.5, "
    "1.23.1, 1.24.3 or newer"
)
"""Where the release puts all of an entry's addresses into one listener."""


def plaintext_into_strict(look: Look) -> Iterator[Finding]:
    """A port whose calls reach pods without mTLS that take nothing else."""
    for port in look.entry.ports if strict_somewhere(look.world) else ():
        pods = pod_classes(look.world, look.rules.mesh, port.number)
        found = rejected(look.world, look.entry, port, pods, look.rules)
        if found is not None:
            severity = Severity.CRITICAL if found.certain else Severity.WARNING
            yield catalog.PLAINTEXT_INTO_STRICT.at(look.entry.key, _told(found), port=port.number, severity=severity)


def _told(found: Rejected) -> str:
    how = "requests for" if found.by_host else "connections that reach"
    to = "the pods that it selects" if found.target.kind == "ServiceEntry" else str(found.target)
    said = " or ".join(str(demand) for demand in found.demands)
    refuses = "makes the sidecars there refuse them" if found.all_pods else "may make sidecars there refuse them"
    return (
        f"{how} {found.host} go to {to} without mTLS ({found.sent.because}), and {said} {refuses}, "
        f"for clients in {found.where}"
    )


def refused_by_envoy(look: Look) -> Iterator[Finding]:
    """A port for which sidecars get configuration that Envoy refuses, so that none that starts then is ever ready."""
    world, entry, mesh = look.world, look.entry, look.rules.mesh
    for port in (p for p in entry.ports if _suspect(world, entry, p, mesh)):
        every = pod_classes(world, mesh, port.number)
        refusals = alike(every, partial(_refusal, world, entry, port, mesh))
        for why, hit in refusals.items():
            if not why:
                continue
            where = reach(world, every, hit)
            message = f"Envoy refuses what istiod makes of it ({why}): sidecars that start in {where} are never ready"
            yield catalog.REFUSED_BY_ENVOY.at(entry.key, message, port=port.number, remedy=_remedy(why, mesh))


def _remedy(why: str, mesh: Mesh) -> str | None:
    if joins_addresses(mesh) and ("bound twice" in why or "can bind" in why):
        return _JOINED
    return next((text for word, text in _REMEDIES.items() if word in why), None)


def _suspect(world: Snapshot, entry: ServiceEntry, port: EntryPort, mesh: Mesh) -> bool:
    """Whether it is worth asking for every class of clients."""
    if entry.resolution in ("DYNAMIC_DNS", "DNS_ROUND_ROBIN"):
        return entry.resolution == "DYNAMIC_DNS" or any(len(world.entries_for_host(h)) > 1 for h in entry.hosts)
    if mesh.dual_stack and mesh.istio_dual_stack and entry.addresses:
        return True
    if joins_addresses(mesh) and len(entry.addresses) > 1:
        return True
    partial = any(host.startswith("*") and not host.startswith("*.") for host in entry.hosts)
    return partial and class_of(entry_protocol(port)) is PortClass.TLS


def _refusal(world: Snapshot, entry: ServiceEntry, port: EntryPort, mesh: Mesh, pods: Pods) -> str:
    client = pods.client
    for host in entry.hosts:
        cluster = cluster_of(world, client, mesh, host, port.number)
        mine = cluster is not None and cluster.service.key == entry.key
        if cluster and mine and (why := refused(sends(world, client, mesh, cluster))):
            return why
    return refused_on(world, client, mesh, port.number).get(entry.key, "")
