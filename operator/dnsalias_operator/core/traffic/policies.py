"""What is bound to the host of an entry, and so to the cluster that its calls take, and to no other."""

from collections.abc import Iterator

from dnsalias_operator.core.istio.clusters import ClientTls, Sent, cluster_of, sends
from dnsalias_operator.core.istio.clusters.rules import namespaces_with_rules, rule_for
from dnsalias_operator.core.istio.listeners import Client, clients_that_matter
from dnsalias_operator.core.istio.listeners.imports import imports_of
from dnsalias_operator.core.istio.listeners.services import full_name
from dnsalias_operator.core.istio.protocols import PortClass, class_of, entry_protocol
from dnsalias_operator.core.istio.service_names import service_host
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot


def own_cluster_ports(entry: ServiceEntry, service: Service) -> tuple[int, ...]:
    """Ports whose calls do not take the Service's listener: those of HTTP, and all at an address of the entry's own."""
    apart = not set(entry.addresses) & set(service.cluster_ips)
    return tuple(p.number for p in entry.ports if apart or class_of(entry_protocol(p)) is PortClass.HTTP)


def imported_alone(world: Snapshot, entry: ServiceEntry, service: Service, mesh: Mesh) -> bool:
    """Whether a Sidecar imports the entry and not the Service, whose listener its pods lack at a shared address."""
    namespace, theirs = entry.meta.namespace, service_host(service, mesh)
    for sidecar in {s.key: s for n in (namespace, "*") for s in world.sidecars_importing(n)}.values():
        for egress in sidecar.egress:
            imports = imports_of(egress.hosts, sidecar.meta.namespace, mesh)
            known = imports.meant_by(service.meta.namespace, theirs)
            if not known and any(imports.meant_by(namespace, host) for host in entry.hosts):
                return True
    return False


def policy_of(world: Snapshot, client: Client, host: str, namespace: str, mesh: Mesh) -> Key | None:
    """What applies to a client's calls by that host of an entry, and to no other cluster; None where nothing does.

    The VirtualService of an alias is none of it: it brings what applies to the Service.
    """
    rule = rule_for(world, client, host, namespace, mesh) if namespaces_with_rules(world, host, mesh) else None
    if rule:
        return rule.key
    routed = (v for v in world.virtual_services_about(host) if v.routes and not v.of_alias)
    return next((v.key for v in routed if host in {full_name(h, v.meta.namespace, mesh) for h in v.hosts}), None)


def clients_with_rules(world: Snapshot, host: str, mesh: Mesh) -> Iterator[Client]:
    """A client for each namespace that has DestinationRules for a host, and for each kind of pod that one selects."""
    for namespace in namespaces_with_rules(world, host, mesh):
        yield Client(namespace)
        selected = (rule.workload_selector for rule in world.destination_rules_in(namespace))
        yield from (Client(namespace, labels) for labels in selected if labels)


def clients_at(world: Snapshot, entry: ServiceEntry, port: int, address: str, mesh: Mesh) -> list[Client]:
    """The clients that matter at an address and port, and those that have rules for a host of the entry."""
    ruled = (c for host in entry.hosts for c in clients_with_rules(world, host, mesh))
    return [*clients_that_matter(world, mesh, port, address), *ruled]


def tls_left_out(
    world: Snapshot, entry: ServiceEntry, service: Service, mesh: Mesh, routed: tuple[int, ...] = ()
) -> Key | None:
    """The DestinationRule that adds TLS to calls of a Service, and would not to those by the entry's host; or None.

    ``world`` has the entry, which has an address of its own, so that its calls do not take the Service's cluster. TLS
    is that of modes SIMPLE and MUTUAL: without it a server that expects it does not answer. Calls to the ports
    ``routed`` take the Service's cluster all the same.
    """
    host = service_host(service, mesh)
    ruled = tuple(clients_with_rules(world, host, mesh))
    for port in (p.number for p in entry.ports if p.number not in routed) if ruled else ():
        # A rule in the Service's namespace is for every client that gets the Service.
        for client in (*ruled, *clients_that_matter(world, mesh, port)):
            was = _sent(world, client, host, port, mesh)
            if was is None or was.tls is not ClientTls.TLS or was.rule is None:
                continue
            now = [_sent(world, client, name, port, mesh) for name in entry.hosts]
            if any(sent is None or sent.tls is not ClientTls.TLS for sent in now):
                return was.rule.key
    return None


def _sent(world: Snapshot, client: Client, host: str, port: int, mesh: Mesh) -> Sent | None:
    cluster = cluster_of(world, client, mesh, host, port)
    return sends(world, client, mesh, cluster) if cluster else None
