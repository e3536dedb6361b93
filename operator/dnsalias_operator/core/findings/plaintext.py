"""Calls that arrive without mTLS at pods that take nothing else: asked of `clusters`, for the clients of `listeners`.

Source: docs/istio.md, "Traffic under mTLS": a sidecar under STRICT resets such a connection, whatever is sent in it. A
gateway does not (`clusters.gateways`).
Without PeerAuthentications there are none; the operator itself reads none
(docs/decisions/0006-mtls-of-dns-endpoints.md).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from dnsalias_operator.core.entries.ownership import all_in_range
from dnsalias_operator.core.istio.clusters import (
    ClientTls,
    Cluster,
    Demand,
    IsGateway,
    Sent,
    are_gateways,
    cluster_of,
    namespaces_with_rules,
    of_pods,
    sends,
)
from dnsalias_operator.core.istio.listeners import Client, Pods, Reach, bound, listeners_on, reach
from dnsalias_operator.core.istio.listeners.rows import WILDCARD
from dnsalias_operator.core.istio.protocols import PortClass, class_of, entry_protocol
from dnsalias_operator.core.istio.service_names import service_named
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.peerauthentication import MtlsMode, PeerAuthentication
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import EntryPort, ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot

NOWHERE = Reach(everywhere=False, namespaces=())


@dataclass(frozen=True, slots=True)
class Rejected:
    """Calls by an entry's host that pods refuse.

    ``target`` is whose pods they are: a Service, or the entry that selects them. ``demands`` are the STRICT ones, and
    ``all_pods`` is whether no pod can take anything else. ``certain`` is whether every call fails that is meant for the
    entry, if the pods have sidecars. ``by_host`` is whether calls are matched by Host header. ``where`` has the
    namespaces whose clients send them; it is filled in at the end.
    """

    host: str
    target: Key
    demands: tuple[Demand, ...]
    sent: Sent
    all_pods: bool
    certain: bool
    by_host: bool
    where: Reach = NOWHERE


class _Pods(NamedTuple):
    """Pods that get the calls: those in ``namespace`` with these labels, on their port ``port`` (None: any).

    ``called`` are all the numbers of the target's ports, its own and those of the pods.
    """

    target: Key
    namespace: str
    labels: dict[str, str]
    port: int | None
    called: frozenset[int]


def rejected(
    world: Snapshot, entry: ServiceEntry, port: EntryPort, alike: Sequence[Pods], rules: Rules
) -> Rejected | None:
    """The calls to a port of an entry that are refused, for the first such host; what is certain goes first.

    ``alike`` are the classes of clients that can differ on the port (`listeners.pod_classes`).
    """
    if not strict_somewhere(world) or class_of(entry_protocol(port)) is PortClass.UDP:
        return None
    for host in entry.hosts:
        every = (*alike, *_with_rules(world, host, alike, rules.mesh))
        found = [(pods, r) for pods in every if (r := _rejected(world, entry, host, port, pods.client, rules))]
        worst = next((r for _, r in found if r.certain), found[0][1] if found else None)
        if worst is not None:
            hit = (pods for pods, r in found if r.certain == worst.certain)
            return replace(worst, where=reach(world, every, hit))
    return None


def strict_somewhere(world: Snapshot) -> bool:
    """Whether any PeerAuthentication asks for mTLS: else nothing is refused, and nobody has to be asked."""

    def look() -> bool:
        every = (p for p in world.find("kind", "PeerAuthentication") if isinstance(p, PeerAuthentication))
        return any(MtlsMode.STRICT in (p.mode, *p.ports.values()) for p in every)

    return world.remembered("strict", look)


def _with_rules(world: Snapshot, host: str, alike: Sequence[Pods], mesh: Mesh) -> list[Pods]:
    """A class of clients for each namespace that only DestinationRules distinguish."""
    known = {namespace for pods in alike for namespace in pods.namespaces}
    ruled = (namespace for namespace in namespaces_with_rules(world, host, mesh) if namespace not in known)
    return [Pods(Client(namespace), (namespace,)) for namespace in ruled]


def _rejected(
    world: Snapshot, entry: ServiceEntry, host: str, port: EntryPort, client: Client, rules: Rules
) -> Rejected | None:
    cluster = cluster_of(world, client, rules.mesh, host, port.number)
    if cluster is None or cluster.service.key != entry.key:
        return None
    sent = sends(world, client, rules.mesh, cluster)
    for pods in _behind(world, entry, port, sent, rules.mesh):
        gateways = are_gateways(world, pods.labels, pods.called)
        if gateways is IsGateway.YES:
            continue
        demands = of_pods(world, pods.namespace, pods.labels, pods.port, rules.mesh)
        strict = tuple(d for d in demands if d.mode is MtlsMode.STRICT)
        if not strict:
            continue
        by_host = class_of(entry_protocol(port)) is PortClass.HTTP
        arriving = None if by_host else _arriving(world, entry, cluster, client, rules)
        if by_host or arriving is not None:
            all_pods = len(strict) == len(demands) and gateways is IsGateway.NO
            certain = all_pods and (by_host or bool(arriving))
            return Rejected(host, pods.target, strict, sent, all_pods=all_pods, certain=certain, by_host=by_host)
    return None


def _behind(world: Snapshot, entry: ServiceEntry, port: EntryPort, sent: Sent, mesh: Mesh) -> Iterator[_Pods]:
    """The pods that are known to get something without mTLS."""
    if entry.workload_selector is not None and sent.tls is ClientTls.PLAINTEXT:
        # A container port of the entry port's name goes before its number, and pods are not known.
        called = frozenset(number for p in entry.ports for number in (p.number, p.target_port) if number)
        yield _Pods(entry.key, entry.meta.namespace, dict(entry.workload_selector), None, called)
    if entry.resolution == "NONE":
        kept = entry.addresses if sent.tls is ClientTls.PLAINTEXT else ()
        ends = [(service, port.number) for address in kept for service in world.services_at(bound(address))]
    else:
        ends = [(s, w.port) for w in sent.plaintext_to for s in _services(world, entry, w.address, mesh)]
    for service, number in ends:
        yield from _of_service(service, number)


def _services(world: Snapshot, entry: ServiceEntry, address: str, mesh: Mesh) -> list[Service]:
    named = service_named(world, address, entry.meta.namespace, mesh)
    service = world.service(*named) if named else None
    return [service] if service else world.services_at(address)


def _of_service(service: Service, number: int) -> Iterator[_Pods]:
    """The pods of a Service that are called on that port of it, or of their own where it has no address."""
    if not service.selector:
        return
    labels = dict(service.selector)
    called = frozenset(n for p in service.ports for n in (p.port, p.target_port) if isinstance(n, int))
    if service.headless:
        yield _Pods(service.key, service.meta.namespace, labels, number, called)
        return
    for port in service.ports:
        if port.port == number and port.protocol == "TCP":
            target = port.target_port if port.target_port is not None else port.port
            known = target if isinstance(target, int) else None
            yield _Pods(service.key, service.meta.namespace, labels, known, called)


def _arriving(world: Snapshot, entry: ServiceEntry, cluster: Cluster, client: Client, rules: Rules) -> bool | None:
    """Whether connections get to the cluster for certain, whoever they are meant for; None: none does.

    By its name they do where the sidecar resolves it; else that depends on who resolves it, and to what. Nobody
    resolves it to an address of containment.
    """
    listeners = listeners_on(world, client, rules.mesh, cluster.port)
    rows = [row for listener in listeners for row in listener.rows if row.cluster == cluster.name]
    if not rows:
        return None
    if rules.mesh.dns_capture or any(r.match_all and (r.bind == WILDCARD or world.services_at(r.bind)) for r in rows):
        return True
    return None if all_in_range(entry, rules) else False
