"""Entries whose host is a name of a Service: which of the Service's calls they take, divert or end.

The full name is the one by which istiod files the Service: pods of the entry's namespace get the entry in its place,
and in the Service's own namespace its cluster gets the entry's endpoints. A shorter form is a domain of the Service's
virtual host, which an entry with that host takes; with DNS capture it is a name that sidecars answer as well.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from dnsalias_operator.core.istio.clusters import Cluster, cluster_of
from dnsalias_operator.core.istio.listeners import Client, Pods, Reach, pod_classes, reach, sees
from dnsalias_operator.core.istio.listeners.claimants import rivals
from dnsalias_operator.core.istio.listeners.families import addresses_of
from dnsalias_operator.core.istio.listeners.rows import BLACKHOLE, WILDCARD
from dnsalias_operator.core.istio.listeners.scope import scope_of
from dnsalias_operator.core.istio.listeners.services import Resolution
from dnsalias_operator.core.istio.protocols import PortClass, class_of, service_protocol
from dnsalias_operator.core.istio.service_names import service_host, services_called
from dnsalias_operator.core.istio.virtualhosts import domains, routed_to
from dnsalias_operator.core.traffic.backends import leads_to
from dnsalias_operator.core.traffic.catch_all import alone_with_sidecars
from dnsalias_operator.core.traffic.ends import FORMS, Call, End, end_of
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.service import Service, ServicePort
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot


class Effect(StrEnum):
    """What becomes of a Service's calls, the worst first.

    ELSEWHERE: they end at the entry's servers. FAILS: nobody answers. SHARED: some end at the entry's endpoints.
    BY_CHANCE: sidecars answer the name with the address of one of the two. PAST: they go on without the sidecar's mTLS
    and rules. SAME: they end at the Service all the same, by the entry's cluster.
    """

    ELSEWHERE = "elsewhere"
    FAILS = "fails"
    SHARED = "shared"
    BY_CHANCE = "by chance"
    PAST = "past"
    SAME = "same"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Effect).index(self)


@dataclass(frozen=True, slots=True)
class Hit:
    """Calls to ports of a Service that an entry changes for clients in ``where``; ``effect`` is the worst of it."""

    service: Service
    host: str
    ports: tuple[int, ...]
    effect: Effect
    where: Reach


def services_hit(world: Snapshot, entry: ServiceEntry, host: str, mesh: Mesh) -> tuple[Hit, ...]:
    """What becomes of the Services that have ``host``, one of the entry's, for a name; the worst first."""
    called = services_called(world, host, mesh)
    hits = (hit for service in called for hit in _hits(world, entry, host, service, mesh))
    return tuple(sorted(hits, key=lambda hit: (hit.effect.rank, hit.service.key)))


def _hits(world: Snapshot, entry: ServiceEntry, host: str, service: Service, mesh: Mesh) -> Iterator[Hit]:
    after, before = _around(world, entry, host, service, mesh)
    effects: dict[Effect, dict[int, list[Pods]]] = {}
    everybody: dict[int, tuple[Pods, ...]] = {}
    for port in (p for p in service.ports if p.protocol == "TCP"):
        every = everybody[port.port] = _classes(after, host, service, port.port, mesh)
        for pods in (p for p in every if sees(entry, p.client.namespace, mesh)):
            effect = _effect(before, after, entry, host, service, port, pods.client, mesh)
            if effect is not None:
                effects.setdefault(effect, {}).setdefault(port.port, []).append(pods)
    for effect, ports in effects.items():
        number = next(iter(ports))
        if where := reach(after, everybody[number], ports[number]):
            yield Hit(service, host, tuple(ports), effect, where)


def _around(world: Snapshot, entry: ServiceEntry, host: str, service: Service, mesh: Mesh) -> tuple[Snapshot, Snapshot]:
    """What decides about the two names, with the entry and without it: who else has them, and the Sidecars."""
    named = (o for name in (service_host(service, mesh), host) for o in rivals(name, world, mesh))
    after = alone_with_sidecars(world, *named, service, entry)
    return after, after.with_changes({entry.key: None})


def _classes(world: Snapshot, host: str, service: Service, port: int, mesh: Mesh) -> tuple[Pods, ...]:
    """The classes of clients that can differ; by its name alone only those of its own namespace know the Service."""
    own = service.meta.namespace
    if "." not in host:
        labels = (sidecar.workload_selector or {} for sidecar in world.sidecars_in(own))
        return (Pods(Client(own), (own,)), *(Pods(Client(own, given), (own,)) for given in labels if given))
    every = pod_classes(world, mesh, port)
    if any(own in pods.namespaces for pods in every):
        return every
    return (*every, Pods(Client(own), (own,)))


def _effect(
    before: Snapshot,
    after: Snapshot,
    entry: ServiceEntry,
    host: str,
    service: Service,
    port: ServicePort,
    client: Client,
    mesh: Mesh,
) -> Effect | None:
    """What the entry makes of the client's calls to the Service's port by that host; None: nothing."""
    lowered, full = host.lower(), service_host(service, mesh)
    known = domains(service, client.namespace, mesh)
    if lowered not in known and f"*.{lowered.partition('.')[2]}" not in known:
        return None
    had = cluster_of(before, client, mesh, full, port.port)
    if had is None or had.service.key != service.key:
        return None
    if lowered == full:
        return _of_full_name(had, after, entry, service, port, client, mesh)
    http = class_of(service_protocol(port, mesh)) is PortClass.HTTP
    if http and _shared_route(after, client, port.port, mesh):
        was, now = (routed_to(w, client, mesh, lowered, port.port) for w in (before, after))
        if was == full and now != full:
            cluster = cluster_of(after, client, mesh, now or "", port.port)
            if cluster is not None and cluster.service.key == entry.key:
                return _to_entry(after, entry, service, port, mesh)
    return Effect.BY_CHANCE if lowered in known and _answered(entry, service, mesh) else None


def _of_full_name(
    had: Cluster,
    after: Snapshot,
    entry: ServiceEntry,
    service: Service,
    port: ServicePort,
    client: Client,
    mesh: Mesh,
) -> Effect | None:
    full = service_host(service, mesh)
    has = cluster_of(after, client, mesh, full, port.port)
    if has is not None and has.service.key == service.key:
        return _by_endpoints(had, has, entry, service)
    routed = class_of(had.protocol) is PortClass.HTTP
    if routed or not service.cluster_ips or service.headless:
        now = End(entry.key) if has else _without_cluster(after, client, mesh)
        return _of_end(after, entry, service, port, now, mesh)
    forms = FORMS.get(class_of(had.protocol), ())
    calls = (Call(full, ip, port.port, form) for ip in service.cluster_ips[:1] for form in forms)
    effects = [_of_end(after, entry, service, port, end_of(after, client, mesh, call), mesh) for call in calls]
    return min(effects, key=lambda e: e.rank, default=None)


def _without_cluster(world: Snapshot, client: Client, mesh: Mesh) -> End:
    return End() if scope_of(world, client, mesh).fall_through == BLACKHOLE else End(address="any")


def _of_end(world: Snapshot, entry: ServiceEntry, service: Service, port: ServicePort, now: End, mesh: Mesh) -> Effect:
    if now.blocked:
        return Effect.FAILS
    if now.owner is None:
        return Effect.PAST
    return _to_entry(world, entry, service, port, mesh)


def _to_entry(world: Snapshot, entry: ServiceEntry, service: Service, port: ServicePort, mesh: Mesh) -> Effect:
    mine = next((p for p in entry.ports if p.number == port.port), None)
    same = mine is not None and leads_to(world, entry, mine, service, mesh)
    return Effect.SAME if same else Effect.ELSEWHERE


def _by_endpoints(had: Cluster, has: Cluster, entry: ServiceEntry, service: Service) -> Effect | None:
    """What becomes of the Service's own cluster: it looks endpoints up by its full name, and takes IPs only."""
    if has.resolution is not Resolution.OTHER:
        return None
    others = entry.workload_selector is not None and dict(entry.workload_selector) != dict(service.selector)
    if has.inline != had.inline or others:
        return Effect.SHARED if service.selector else None
    numbers = {p.number for p in entry.ports}
    return Effect.FAILS if not service.selector and has.port in numbers and not has.inline and not others else None


def _shared_route(world: Snapshot, client: Client, port: int, mesh: Mesh) -> bool:
    """Whether the port's requests are routed by Host: no egress listener of the client takes them for bytes."""
    egress = scope_of(world, client, mesh).on(port)
    return all(e.port is None or class_of(e.protocol) is PortClass.HTTP for e in egress)


def _answered(entry: ServiceEntry, service: Service, mesh: Mesh) -> bool:
    """Whether sidecars that capture DNS have the name for both, each with addresses: which they answer is chance.

    Source: BuildAlternateHosts and buildDNSAnswers in pkg/dns/client/dns.go; a map decides.
    """
    if not mesh.dns_capture or not service.cluster_ips:
        return False
    given = {a for binds in _addresses(entry, mesh) for a in binds if a != WILDCARD and "/" not in a}
    return bool(given - set(service.cluster_ips))


def _addresses(entry: ServiceEntry, mesh: Mesh) -> Iterator[tuple[str, ...]]:
    for host in entry.hosts:
        yield from addresses_of(entry, host, mesh)
