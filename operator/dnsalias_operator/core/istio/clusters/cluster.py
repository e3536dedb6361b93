"""The cluster that a row or a route leads to: which service it is made from, and the endpoints it is known to have.

Source: collectImportedServices, appendSidecarServices and canMergeServices in pilot/pkg/model/sidecar.go;
buildOutboundClusters in pilot/pkg/networking/core/cluster.go; convertServiceEntryToInstances,
convertWorkloadInstanceToServiceInstance and getTLSModeFromWorkloadEntry in
pilot/pkg/serviceregistry/serviceentry/conversion.go; BuildClusterLoadAssignment in
pilot/pkg/xds/endpoints/endpoint_builder.go; CopyEndpoints in pilot/pkg/model/endpointshards.go.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from dnsalias_operator.core.istio.listeners import Client
from dnsalias_operator.core.istio.listeners.claimants import claimants_on
from dnsalias_operator.core.istio.listeners.contested import merges, services_named
from dnsalias_operator.core.istio.listeners.scope import scope_of
from dnsalias_operator.core.istio.listeners.services import Resolution, Upstream, hostnames
from dnsalias_operator.core.istio.protocols import Protocol
from dnsalias_operator.model.lookups import Claimant
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.meta import empty, is_ip
from dnsalias_operator.model.names import TLS_MODE_LABEL
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import Endpoint, EntryPort, ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot

DNS = ("DNS", "DNS_ROUND_ROBIN")
TAKES_MTLS = "istio"
"""Value of the tlsMode label."""
NO_MTLS = "disabled"
"""What stands for the label where there is none."""
DYNAMIC_PROTOCOLS = (Protocol.HTTP, Protocol.TLS, Protocol.GRPC, Protocol.HTTP2)
"""All that a port of resolution DYNAMIC_DNS may have to get a cluster."""


@dataclass(frozen=True, slots=True)
class Workload:
    """An endpoint as istiod knows it: a pod, or an inline one. ``port`` is its own, ``tls_mode`` its label's value."""

    namespace: str
    address: str
    port: int
    tls_mode: str
    labels: Mapping[str, str] = field(default_factory=empty, compare=False)


@dataclass(frozen=True, slots=True)
class Cluster:
    """One outbound cluster of a client's sidecar, without a subset.

    ``service`` is the object that decides what kind of cluster it is. ``inline`` are the endpoints that objects list,
    each as often as they do. ``numbered`` are those that istiod goes by where the destination is kept: those of the
    port's number, names too. ``pods`` is whether there may be others, which no object here shows: pods, and endpoints
    of a Service without a selector.
    """

    hostname: str
    port: int
    protocol: Protocol
    service: Claimant
    resolution: Resolution
    inline: tuple[Workload, ...]
    numbered: tuple[Workload, ...]
    pods: bool

    @property
    def name(self) -> str:
        """Its name in Envoy."""
        return f"outbound|{self.port}||{self.hostname}"

    @property
    def namespace(self) -> str:
        """The namespace whose service it is."""
        return self.service.meta.namespace

    @property
    def kubernetes(self) -> bool:
        """Whether it is a Service's."""
        return isinstance(self.service, Service)

    @property
    def needs_pods(self) -> bool:
        """Whether it is there only where pods are selected: DNS clusters without endpoints are left out."""
        return isinstance(self.service, ServiceEntry) and self.service.resolution in DNS and not self.inline

    @property
    def external(self) -> bool:
        """Whether istiod takes the destination to be outside the mesh."""
        return isinstance(self.service, ServiceEntry) and self.service.location != "MESH_INTERNAL"


def cluster_of(snapshot: Snapshot, client: Client, mesh: Mesh, hostname: str, port: int) -> Cluster | None:
    """The cluster of that hostname and port in a client's sidecar; None where there is none.

    One service a hostname is made into clusters: a Kubernetes Service, else the oldest. Others of its namespace only
    add ports, and that only where they are alike.
    """
    for egress in scope_of(snapshot, client, mesh).on(port):
        named = services_named(hostname, snapshot, egress, mesh)
        first = named[0] if named else None
        given = _port(snapshot, named, port)
        if first is None or given is None or first.resolution is Resolution.ALIAS:
            continue
        name, protocol = given
        service = _claimant(snapshot, first)
        if service is None or protocol is Protocol.UDP:
            continue
        if first.resolution is Resolution.DYNAMIC_DNS and first.wildcarded:
            found = Cluster(hostname, port, protocol, service, first.resolution, (), (), pods=False)
            return found if protocol in DYNAMIC_PROTOCOLS else None
        entries = [e for e in snapshot.entries_for_host(hostname) if e.meta.namespace == first.namespace]
        pods = isinstance(service, Service) or any(e.workload_selector is not None for e in entries)
        filed = (hostname, first.namespace)
        numbered = snapshot.remembered(("numbered", *filed, port), partial(_numbered, entries, hostname, port))
        eds = not isinstance(service, ServiceEntry) or service.resolution not in (*DNS, "NONE")
        inline = numbered
        if eds:
            inline = snapshot.remembered(("named", *filed, name), partial(_named, entries, hostname, name))
        found = Cluster(hostname, port, protocol, service, first.resolution, inline, numbered, pods)
        return None if found.needs_pods and not pods else found
    return None


def clusters_on(snapshot: Snapshot, client: Client, mesh: Mesh, port: int) -> tuple[Cluster, ...]:
    """Every cluster of that port, sorted by hostname."""
    claimants = (
        o for egress in scope_of(snapshot, client, mesh).on(port) for o in claimants_on(snapshot, port, egress)
    )
    names = sorted({name for obj in claimants for name in hostnames(obj, mesh)})
    found = (cluster_of(snapshot, client, mesh, name, port) for name in names)
    return tuple(cluster for cluster in found if cluster)


def _port(snapshot: Snapshot, named: list[Upstream], port: int) -> tuple[str, Protocol] | None:
    """Name and protocol of the port, from the first of the services that are merged into one."""
    first = _claimant(snapshot, named[0]) if named else None
    for upstream in named:
        obj = _claimant(snapshot, upstream)
        if obj is None or first is None or not (obj.key == first.key or merges(first, obj)):
            continue
        protocol = next((p for number, p in upstream.ports if number == port), None)
        if protocol is not None:
            return _port_name(obj, port), protocol
    return None


def _claimant(snapshot: Snapshot, upstream: Upstream) -> Claimant | None:
    found = snapshot.get(upstream.key)
    return found if isinstance(found, Service | ServiceEntry) else None


def _port_name(obj: Claimant, port: int) -> str:
    if isinstance(obj, Service):
        return next((p.name for p in obj.ports if p.port == port), "")
    return next((p.name for p in obj.ports if p.number == port), "")


def _numbered(entries: list[ServiceEntry], hostname: str, port: int) -> tuple[Workload, ...]:
    """The endpoints that entries list for a port of that number."""
    return _listed(entries, hostname, lambda given: given.number == port)


def _named(entries: list[ServiceEntry], hostname: str, name: str) -> tuple[Workload, ...]:
    """Those that they list for a port of that name: what EDS looks for, and it takes IPs only."""
    listed = _listed(entries, hostname, lambda given: given.name == name)
    return tuple(workload for workload in listed if is_ip(workload.address))


def _listed(entries: list[ServiceEntry], hostname: str, asked: Callable[[EntryPort], bool]) -> tuple[Workload, ...]:
    """The endpoints for those ports, the oldest entry's first; DNS_ROUND_ROBIN adds none to a port that has one.

    An entry that selects pods is taken to have found some. Source: mergeServicesInstancesByNamespaceHost in
    pilot/pkg/serviceregistry/serviceentry/conversion.go.
    """
    taken: set[int] = set()
    found: list[Workload] = []
    for entry in sorted(entries, key=lambda e: (e.meta.created is None, e.meta.created or 0, e.meta.name)):
        has_some = entry.workload_selector is not None or bool(entry.endpoints) or entry.resolution in DNS
        for port in entry.ports:
            first_only = entry.resolution == "DNS_ROUND_ROBIN"
            if entry.workload_selector is None and asked(port) and not (first_only and port.number in taken):
                workloads = _of_port(entry, port, hostname)
                found += islice(workloads, 1) if first_only else workloads
            if has_some:
                taken.add(port.number)
    return tuple(found)


def _of_port(entry: ServiceEntry, port: EntryPort, hostname: str) -> Iterator[Workload]:
    """A DNS entry without endpoints has its own host as one."""
    if not entry.endpoints and entry.resolution in DNS:
        yield Workload(entry.meta.namespace, hostname, port.target_port or port.number, NO_MTLS)
    for endpoint in entry.endpoints:
        yield _workload(endpoint, port, entry.meta.namespace)


def _workload(endpoint: Endpoint, port: EntryPort, namespace: str) -> Workload:
    assumed = TAKES_MTLS if endpoint.service_account else NO_MTLS
    return Workload(
        namespace=namespace,
        address=endpoint.address,
        port=endpoint.ports.get(port.name) or port.target_port or port.number,
        tls_mode=endpoint.labels.get(TLS_MODE_LABEL, assumed),
        labels=endpoint.labels,
    )
