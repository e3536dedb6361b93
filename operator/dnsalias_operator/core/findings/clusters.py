"""What is wrong in a mesh of several clusters alone: addresses of one cluster in others, gateways between networks.

Source: docs/clusters.md, "Why a clusterIP stays at home" and "What works".
"""

from collections.abc import Iterator

from dnsalias_operator.core.entries.ownership import all_in_range, claims_to_be_ours, live_owner
from dnsalias_operator.core.findings import catalog
from dnsalias_operator.core.findings.subject import Look
from dnsalias_operator.core.istio.clusters import passing_hosts
from dnsalias_operator.core.istio.listeners.imports import covers
from dnsalias_operator.core.istio.service_names import service_host
from dnsalias_operator.core.istio.sharing import ELSEWHERE
from dnsalias_operator.core.outcome import AliasDecision, Finding
from dnsalias_operator.core.traffic.backends import selects_pods_of
from dnsalias_operator.core.traffic.policies import own_cluster_ports
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import SERVICE_UID_ANNOTATION
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot


def read_in_other_clusters(look: Look) -> Iterator[Finding]:
    """An entry with a clusterIP that proxies of other clusters get; the operator takes it out of its own."""
    if look.rules.mesh.topology != "primary" or live_owner(look.world, look.entry) is not None:
        return
    shared = next((s for a in look.entry.addresses for s in look.world.services_at(a)), None)
    if shared is not None:
        message = (
            f"{ELSEWHERE}, and spec.addresses has the clusterIP of {shared.key}: whoever has that address there loses "
            "its traffic as soon as the entry is the older of the two"
        )
        yield catalog.READ_IN_OTHER_CLUSTERS.at(look.entry.key, message)


def copied(look: Look) -> Iterator[Finding]:
    """An entry that the operator of another cluster made: no DnsAlias owns it, and its address is not right here.

    One that is left of an alias of this cluster has the address of the Service that it was made for.
    """
    entry, world = look.entry, look.world
    if look.rules.mesh.topology not in ("multi-primary", "primary"):
        return
    if not claims_to_be_ours(entry) or live_owner(world, entry) is not None or not entry.addresses:
        return
    there = [s for a in entry.addresses for s in world.services_at(a)]
    if all_in_range(entry, look.rules) or any(_made_for(entry, s, look.rules.mesh) for s in there):
        return
    listed = ", ".join(entry.addresses)
    whose = f"is the clusterIP of {there[0].key} here" if there else "belongs to no Service of this cluster"
    message = f"it was made by an operator, no DnsAlias here owns it, and its address {listed} {whose}"
    yield catalog.COPIED_FROM_ANOTHER_CLUSTER.at(entry.key, message)


def _made_for(entry: ServiceEntry, service: Service, mesh: Mesh) -> bool:
    uid = entry.meta.annotations.get(SERVICE_UID_ANNOTATION, "")
    if uid and service.meta.uid:
        return uid == service.meta.uid
    return selects_pods_of(entry, service) or service_host(service, mesh) in {e.address for e in entry.endpoints}


def stops_at_the_gateway(
    world: Snapshot, alias: DnsAlias, entry: ServiceEntry, service: Service, mesh: Mesh, decided: AliasDecision
) -> Iterator[Finding]:
    """Gateways between networks that let the Service's name pass, and not the alias' host.

    A call of another network has the name of its cluster as SNI. At a shared clusterIP, and on ports that a
    VirtualService of the alias routes, that is the Service's.
    """
    ports = tuple(p for p in own_cluster_ports(entry, service) if p not in decided.routed)
    passing = passing_hosts(world) if mesh.topology != "single" and entry.workload_selector is not None else {}
    if not ports or not passing or any(covers(host, entry.hosts[0]) for hosts in passing.values() for host in hosts):
        return
    gateway = min(passing)
    listed = f"port{'s' * (len(ports) > 1)} {', '.join(map(str, ports))}"
    yield catalog.STOPS_AT_THE_GATEWAY.at(
        alias.key,
        f"{gateway} lets {', '.join(passing[gateway]) or 'no host'} pass from other networks, and not "
        f"{entry.hosts[0]}: calls by it to {listed} that go through such a gateway are reset",
    )
