"""What a recorded world has in it: how often each protocol, form of address, exportTo and Sidecar occurs."""

from collections import Counter
from collections.abc import Iterable, Iterator

from dnsalias_operator.core.istio.listeners.imports import imports_of
from dnsalias_operator.core.istio.listeners.rows import WILDCARD
from dnsalias_operator.core.istio.protocols import entry_protocol, service_protocol
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.meta import Raw
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.sidecar import Sidecar
from dnsalias_operator.model.snapshot import Snapshot


def features(snapshot: Snapshot, objects: Iterable[Raw], mesh: Mesh) -> Counter[tuple[str, str]]:
    """How often each feature occurs in the recorded world, so that a reader sees what agreement is about."""
    counts: Counter[tuple[str, str]] = Counter(("kind", str(o.get("kind"))) for o in objects)
    for service in snapshot.services():
        counts.update(_of_service(service, mesh))
    for entry in snapshot.entries():
        counts.update(_of_entry(entry))
    for sidecar in snapshot.sidecars():
        counts.update(_of_sidecar(sidecar, mesh))
    return counts


def _of_service(service: Service, mesh: Mesh) -> Iterator[tuple[str, str]]:
    form = "headless" if service.headless else f"{len(service.cluster_ips)} clusterIPs"
    yield "service type", f"{service.type} {form}"
    yield "service ports", str(len(service.ports))
    yield "service exportTo", _export(service.export_to)
    for port in service.ports:
        yield "service protocol", service_protocol(port, mesh)


def _of_entry(entry: ServiceEntry) -> Iterator[tuple[str, str]]:
    yield "entry resolution", entry.resolution + (" workloadSelector" if entry.workload_selector is not None else "")
    yield "entry hosts", f"{len(entry.hosts)}{' wildcard' if any('*' in h for h in entry.hosts) else ''}"
    yield "entry ports", str(len(entry.ports))
    yield "entry exportTo", _export(entry.export_to)
    yield "entry addresses", " + ".join(map(_form, entry.addresses)) or "none"
    if entry.auto_addresses:
        yield "entry addresses", "allocated by istiod"
    for port in entry.ports:
        yield "entry protocol", entry_protocol(port)


def _of_sidecar(sidecar: Sidecar, mesh: Mesh) -> Iterator[tuple[str, str]]:
    yield "sidecar policy", sidecar.outbound_policy or "unset"
    yield "sidecar selector", "unset" if sidecar.workload_selector is None else f"{len(sidecar.workload_selector)}"
    for listener in sidecar.egress:
        exact = imports_of(listener.hosts, sidecar.meta.namespace, mesh).exact
        port = "any port" if listener.port is None else f"{listener.protocol}{'' if listener.captured else ' NONE'}"
        yield "sidecar egress", f"{port}{' ' * bool(listener.bind)}{listener.bind}"
        yield "sidecar hosts", "all exact" if exact else "wide"
        yield from (("sidecar hosts", "excluding") for host in listener.hosts if host.startswith("~"))


def _export(export_to: tuple[str, ...] | None) -> str:
    if export_to is None:
        return "unset"
    return ",".join(sorted(e if e in ("*", ".", "~") else "name" for e in export_to))


def _form(address: str) -> str:
    ip, slash, bits = address.partition("/")
    if ip == WILDCARD:
        return address
    family = "IPv6" if ":" in ip else "IPv4"
    return f"{family} /{bits}" if slash else family
