"""What the routes of an HTTP port hold: virtual hosts, found by the Host header of a request.

Source: BuildSidecarOutboundVirtualHosts, generateVirtualHostDomains, getVirtualHostsForSniffedServicePort and
buildCatchAllVirtualHost in pilot/pkg/networking/core/httproute.go at 1.31; BuildSidecarVirtualHostWrapper in
pilot/pkg/networking/core/route/route.go. VirtualServices are named, and not followed.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dnsalias_operator.core.istio.clusters import Cluster, clusters_on
from dnsalias_operator.core.istio.listeners import Client, Row
from dnsalias_operator.core.istio.listeners.unfollowed import request_rules
from dnsalias_operator.core.istio.protocols import class_of
from dnsalias_operator.core.istio.virtualhosts import ROUTED, domains
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.meta import is_ip
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.snapshot import Snapshot

ANY_HOST = ("*",)


@dataclass(frozen=True, slots=True)
class VirtualHost:
    """One virtual host of a route.

    ``domains`` are the Host headers that it takes, the full name first. ``addresses`` are the IPs that it takes as
    well: of several, istiod uses one. ``contested`` are those of them that another virtual host of the route asks for
    too: which one gets it is chance. ``rules`` are VirtualServices that may lead its requests elsewhere.
    """

    route: str
    domains: tuple[str, ...]
    addresses: tuple[str, ...]
    contested: tuple[str, ...]
    cluster: Cluster
    rules: tuple[Key, ...]


def virtual_hosts(world: Snapshot, client: Client, mesh: Mesh, port: int, rows: Iterable[Row]) -> list[VirtualHost]:
    """The virtual hosts of every route of these rows, all of one port, in the order of routes and names.

    A sniffed port on an address of its own has a route of its own, which asks for no Host.
    """
    routes = sorted({row.route for row in rows if row.route})
    clusters = [c for c in clusters_on(world, client, mesh, port) if class_of(c.protocol) in ROUTED] if routes else []
    return [host for route in routes for host in _of_route(world, client, mesh, route, clusters)]


def _of_route(
    world: Snapshot, client: Client, mesh: Mesh, route: str, clusters: Iterable[Cluster]
) -> Iterator[VirtualHost]:
    only, colon, _ = route.rpartition(":")
    if colon:
        for cluster in clusters:
            if cluster.hostname == only:
                rules = tuple(vs.key for vs in request_rules(world, client.namespace, mesh, only))
                yield VirtualHost(route, ANY_HOST, (), (), cluster, rules)
        return
    full = {cluster.hostname for cluster in clusters}
    asked = Counter(address for cluster in clusters for address in _addresses(cluster))
    for cluster in clusters:
        first, *others = _names(cluster, client, mesh)
        # Whoever has a name for its hostname comes before a Service for which it is a shorter form.
        names = (first, *(name for name in others if name not in full))
        addresses = _addresses(cluster)
        contested = tuple(a for a in addresses if asked[a] > 1)
        rules = tuple(vs.key for vs in request_rules(world, client.namespace, mesh, cluster.hostname))
        yield VirtualHost(route, names, addresses, contested, cluster, rules)


def _names(cluster: Cluster, client: Client, mesh: Mesh) -> tuple[str, ...]:
    if isinstance(cluster.service, Service):
        return domains(cluster.service, client.namespace, mesh)
    absolute = mesh.since(1, 27) and not is_ip(cluster.hostname)
    return (cluster.hostname, *([f"{cluster.hostname}."] if absolute else []))


def _addresses(cluster: Cluster) -> tuple[str, ...]:
    service = cluster.service
    return service.cluster_ips if isinstance(service, Service) else tuple(dict.fromkeys(service.addresses))
