"""Where a call ends that a pod with a sidecar opens: listener, route, cluster, endpoints, and the ground beyond.

Sources beside those of the models that are asked: BuildNameTable in pkg/dns/server/name_table.go (DNS capture),
getVirtualHostsForSniffedServicePort and buildSidecarOutboundHTTPRouteConfig in pilot/pkg/networking/core/httproute.go,
GetEgressListenerForRDS in pilot/pkg/model/sidecar.go (routes), pilot/pkg/networking/core/tls.go (VirtualServices).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dnsalias_operator.core.istio.clusters import (
    ClientTls,
    Cluster,
    Sent,
    Workload,
    cluster_of,
    gets_mtls,
    sends,
)
from dnsalias_operator.core.istio.listeners import Client, Row, owner_of
from dnsalias_operator.core.istio.listeners.claimants import claimants_on
from dnsalias_operator.core.istio.listeners.contested import services_named
from dnsalias_operator.core.istio.listeners.rows import BLACKHOLE, PASSTHROUGH, WILDCARD
from dnsalias_operator.core.istio.listeners.scope import Egress, scope_of
from dnsalias_operator.core.istio.listeners.services import Resolution, Upstream
from dnsalias_operator.core.istio.listeners.visible import seen
from dnsalias_operator.core.istio.protocols import ADDRESS_BOUND, PortClass, class_of, service_protocol
from dnsalias_operator.core.istio.service_names import service_host
from dnsalias_operator.model.meta import integer, is_ip, mapping, mappings, strings, text
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import EntryPort, ServiceEntry
from dnsalias_operator.model.virtualservice import VirtualService
from tests.core.calls.call import Call, End
from tests.core.calls.ground import Added, Bytes, Ground, Server, container_port, nobody

ROUTED = frozenset({PortClass.HTTP, PortClass.UNSET})
"""Ports that have a virtual host in the route of their number."""
_ADDED = {ClientTls.PLAINTEXT: Added.NOTHING, ClientTls.MTLS: Added.MTLS, ClientTls.TLS: Added.TLS}


class SidecarPaths:
    """The calls of one class of clients with sidecars, in one world."""

    def __init__(self, ground: Ground, client: Client) -> None:
        """The client's scope is looked up once."""
        self.ground, self.client = ground, client
        self.world, self.mesh = ground.world, ground.mesh
        self._scope = scope_of(self.world, client, self.mesh)
        self._rows: dict[tuple[str, int], tuple[Row, ...]] = {}
        self._resolved: dict[str, tuple[str, ...]] = {}
        self._services: dict[tuple[str, int], list[Upstream]] = {}
        self._clusters: dict[tuple[str, int], tuple[Cluster, Sent] | None] = {}
        self._known: dict[Call, frozenset[End]] = {}

    def __str__(self) -> str:
        labels = ",".join(f"{k}={v}" for k, v in sorted(self.client.labels.items()))
        return f"a sidecar of {self.client.namespace}{f' ({labels})' if labels else ''}"

    def resolve(self, name: str) -> tuple[str, ...]:
        """What the pod's DNS answers: the sidecar where it captures and knows the name, else the cluster's."""
        if name not in self._resolved:
            own = tuple(self._captured(name)) if self.mesh.dns_capture else ()
            self._resolved[name] = own or self.ground.resolve(name)
        return self._resolved[name]

    def knows(self, name: str) -> bool:
        """Whether the sidecar has a service of that name."""
        return any(self._services_named(name, egress) for egress in self._scope.egress)

    def ends(self, call: Call) -> frozenset[End]:
        """Where the call may end; more than one where that is chance, or where several endpoints take turns."""
        if call not in self._known:
            addresses = (call.address,) if call.address else self.resolve(call.name)
            found = {end for address in addresses for end in self._ends(call, address)}
            self._known[call] = frozenset(found or {End(nobody(f"{call.name} does not resolve"), "")})
        return self._known[call]

    def _captured(self, name: str) -> Iterator[str]:
        for egress in self._scope.egress:
            named = self._services_named(name, egress)
            chosen = [u for u in named if u.kubernetes] or named
            for upstream in chosen:
                if is_ip(upstream.address) and upstream.address != WILDCARD:
                    yield from (upstream.address, *(a for a in upstream.extra if is_ip(a)))
            if chosen:
                return

    def _ends(self, call: Call, address: str) -> Iterator[End]:
        if headless := self._headless(address, call.port):
            yield from self._sent_to(call, address, service_host(headless, self.mesh), headless.key)
            return
        row = _chosen(self._rows_at(address, call.port), call)
        if row is None or row.cluster in (PASSTHROUGH, BLACKHOLE):
            yield self._unmatched(call, address)
        elif row.route is None:
            host = str(row.cluster).rpartition("|")[2]
            yield from self._streamed(call, address, host, row.owner)
        elif call.sends is not Bytes.HTTP:
            yield End(nobody("an HTTP listener gets other bytes"), address, row.owner)
        elif ":" in row.route:
            yield from self._sent_to(call, address, row.route.rpartition(":")[0], row.owner)
        else:
            yield from self._routed(call, address)

    def _headless(self, address: str, port: int) -> Service | None:
        """The headless Service that has a listener for each of its pods, one of which has the address."""
        pods = self.ground.truth.pods.get(address)
        egress = self._egress(port) if pods else None
        if pods is None or egress is None or egress.port is not None:
            return None
        for service in self.world.services_in(pods[0]):
            own = [
                p for p in service.ports if p.port == port and class_of(service_protocol(p, self.mesh)) in ADDRESS_BOUND
            ]
            if service.headless and service.selector == {"app": pods[1]} and own:
                return service if list(seen([service], self.world, egress, self.mesh)) else None
        return None

    def _services_named(self, name: str, egress: Egress) -> list[Upstream]:
        key = (name, id(egress))
        if key not in self._services:
            self._services[key] = services_named(name, self.world, egress, self.mesh)
        return self._services[key]

    def _cluster(self, host: str, port: int) -> tuple[Cluster, Sent] | None:
        if (host, port) not in self._clusters:
            cluster = cluster_of(self.world, self.client, self.mesh, host, port)
            sent = sends(self.world, self.client, self.mesh, cluster) if cluster else None
            self._clusters[host, port] = (cluster, sent) if cluster and sent else None
        return self._clusters[host, port]

    def _rows_at(self, address: str, port: int) -> tuple[Row, ...]:
        if (address, port) not in self._rows:
            self._rows[address, port] = owner_of(self.world, self.client, self.mesh, address, port)
        return self._rows[address, port]

    def _unmatched(self, call: Call, address: str) -> End:
        if self._scope.fall_through == BLACKHOLE:
            return End(nobody("REGISTRY_ONLY"), address)
        return End(self.ground.reach(address, call.port, call.wire(Added.NOTHING)), address)

    # HTTP: by Host header.

    def _routed(self, call: Call, address: str) -> Iterator[End]:
        egress = self._egress(call.port)
        found: list[Upstream] = []
        if egress and call.name:
            found = [u for u in self._services_named(call.name, egress) if _routes(u, call.port)][:1]
        elif egress:
            imported = seen(claimants_on(self.world, call.port, egress), self.world, egress, self.mesh)
            found = [u for u in imported if u.address == address and _routes(u, call.port) and self._named(u, egress)]
        for upstream in found:
            yield from self._sent_to(call, address, upstream.hostname, upstream.key)
        if not found:
            yield self._unmatched(call, address)

    def _named(self, upstream: Upstream, egress: Egress) -> bool:
        """Whether the client gets this service for its hostname, and not another namespace's."""
        return upstream in self._services_named(upstream.hostname, egress)

    def _egress(self, port: int) -> Egress | None:
        listed = list(self._scope.on(port))
        return next((e for e in listed if e.port == port), next((e for e in listed if e.port is None), None))

    # Byte streams: a VirtualService's route, or the cluster.

    def _streamed(self, call: Call, address: str, host: str, taker: Key | None) -> Iterator[End]:
        port_class = self._class(taker, call.port)
        routes = [vs for vs in self.world.virtual_services() if host in vs.hosts and self._applies(vs, host, call.port)]
        kind = "tls" if port_class is PortClass.TLS else "tcp"
        listed = [(route, m) for vs in routes for route in _list(vs, kind) for m in _matches(route)]
        for route, match in listed:
            if integer(match.get("port")) not in (None, call.port):
                continue
            if kind == "tls" and (call.sends is not Bytes.TLS or call.name not in strings(match.get("sniHosts"))):
                continue
            there = mapping(mappings(route.get("route"))[0].get("destination"))
            number = integer(mapping(there.get("port")).get("number")) or call.port
            yield from self._sent_to(call, address, text(there.get("host")), taker, number)
            return
        if kind == "tls" and any(integer(m.get("port")) in (None, call.port) for _, m in listed):
            yield self._unmatched(call, address)  # the chain matches on the route's SNI, whatever its address
            return
        yield from self._sent_to(call, address, host, taker)

    def _class(self, taker: Key | None, port: int) -> PortClass:
        egress = self._egress(port)
        if egress and egress.port is not None:
            return class_of(egress.protocol)
        obj = self.world.get(taker) if taker else None
        if isinstance(obj, Service | ServiceEntry) and egress:
            upstreams = seen([obj], self.world, egress, self.mesh)
            return next((class_of(p) for u in upstreams for n, p in u.ports if n == port), PortClass.TCP)
        return PortClass.TCP

    def _applies(self, vs: VirtualService, host: str, port: int) -> bool:
        targets = set(vs.export_to) or {"*"}
        own = vs.meta.namespace == self.client.namespace
        egress = self._egress(port)
        visible = "*" in targets or self.client.namespace in targets or ("." in targets and own)
        return visible and egress is not None and egress.imports.touches(vs.meta.namespace, host)

    # Clusters and their endpoints.

    def _sent_to(self, call: Call, address: str, host: str, taker: Key | None, port: int = 0) -> Iterator[End]:
        found = self._cluster(host, port or call.port)
        if found is None:
            yield End(nobody(f"there is no cluster for {host}:{port or call.port}"), address, taker)
            return
        cluster, sent = found
        servers = list(self._servers(call, cluster, sent, address))
        for server in servers or [nobody(f"{cluster.name} has no endpoints")]:
            yield End(server, address, taker)

    def _servers(self, call: Call, cluster: Cluster, sent: Sent, address: str) -> Iterator[Server]:
        service = cluster.service
        if cluster.resolution is Resolution.PASSTHROUGH:
            port = cluster.port
            if isinstance(service, ServiceEntry):
                port = next((p.target_port for p in service.ports if p.number == port), 0) or port
            yield self.ground.reach(address, port, call.wire(self._added(sent, None)))
        elif isinstance(service, Service):
            yield self.ground.served(service, cluster.port, call.wire(self._added(sent, service.selector or None)))
        else:
            for workload in dict.fromkeys(cluster.inline):
                added = Added.MTLS if workload in sent.mtls else self._added(sent, None)
                resolved = self.ground.resolve(workload.address)
                yield from (self.ground.reach(ip, workload.port, call.wire(added)) for ip in resolved)
            yield from self._selected(call, cluster, sent)

    def _selected(self, call: Call, cluster: Cluster, sent: Sent) -> Iterator[Server]:
        for entry in self.world.entries_for_host(cluster.hostname):
            if entry.meta.namespace == cluster.namespace and entry.workload_selector is not None:
                app = entry.workload_selector["app"]
                for port in (p for p in entry.ports if p.number == cluster.port):
                    added = self._added(sent, entry.workload_selector)
                    yield self.ground.pod(entry.meta.namespace, app, pod_port(port), call.wire(added))

    def _added(self, sent: Sent, pods: Mapping[str, str] | None) -> Added:
        """What is added on the way to pods with those labels, or to an endpoint that does not ask for mTLS."""
        if sent.tls in _ADDED:
            return _ADDED[sent.tls]
        if pods is None or sent.tls is ClientTls.IF_ALL:
            return Added.MTLS if sent.tls is ClientTls.IF_ALL and sent.cluster.kubernetes else Added.NOTHING
        pod = Workload(sent.cluster.namespace, "", 0, "istio", pods)
        return Added.MTLS if gets_mtls(self.world, sent, pod, self.mesh) else Added.NOTHING


def pod_port(port: EntryPort) -> int:
    """The container port that a workloadSelector finds: by the entry port's name, else targetPort, else number."""
    return container_port(port.name) or port.target_port or port.number


def _chosen(rows: Iterable[Row], call: Call) -> Row | None:
    """The filter chain that takes the call: by SNI, then by what the HTTP inspector saw, else the default one."""
    listed = tuple(rows)
    if call.sends is Bytes.TLS and call.name:
        by_sni = next((r for r in listed if call.name in r.sni), None)
        if by_sni:
            return by_sni
    open_to_all = [r for r in listed if not r.sni and not r.default]
    if call.sends is Bytes.HTTP and (http := next((r for r in open_to_all if r.http), None)):
        return http
    return next((r for r in open_to_all if not r.http), next((r for r in listed if r.default), None))


def _routes(upstream: Upstream, port: int) -> bool:
    return any(number == port and class_of(protocol) in ROUTED for number, protocol in upstream.ports)


def _list(vs: VirtualService, kind: str) -> tuple[Mapping[str, Any], ...]:
    return mappings(mapping(vs.raw.get("spec")).get(kind))


def _matches(route: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    return mappings(route.get("match")) or ({},)
