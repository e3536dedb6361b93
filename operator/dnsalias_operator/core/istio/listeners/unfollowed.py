"""What is in a world and changes a client's listeners in ways that the model does not follow; predictions name it.

Source: buildSidecarOutboundTLSFilterChainOpts and buildSidecarOutboundTCPFilterChainOpts in
pilot/pkg/networking/core/tls.go; SelectVirtualServices and ResolveVirtualServiceShortnames in
pilot/pkg/model/virtualservice.go.
"""

from collections.abc import Iterator

from dnsalias_operator.core.istio.listeners.chance import by_chance, tied_in
from dnsalias_operator.core.istio.listeners.claimants import claimants_on
from dnsalias_operator.core.istio.listeners.families import allocates
from dnsalias_operator.core.istio.listeners.imports import overlap
from dnsalias_operator.core.istio.listeners.rows import WILDCARD, Client
from dnsalias_operator.core.istio.listeners.scope import LOCALHOST, Egress, on_unix_socket, scope_of, sidecar_of
from dnsalias_operator.core.istio.listeners.services import (
    NOBODY,
    PRIVATE,
    PUBLIC,
    Resolution,
    full_name,
    hostnames,
)
from dnsalias_operator.core.istio.listeners.visible import seen
from dnsalias_operator.core.istio.protocols import ADDRESS_BOUND, PortClass, class_of
from dnsalias_operator.model.lookups import Claimant
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot
from dnsalias_operator.model.virtualservice import VirtualService


def unfollowed(snapshot: Snapshot, client: Client, mesh: Mesh, port: int | None = None) -> tuple[str, ...]:
    """One sentence for everything that is not followed, for one port or for all; () where predictions are complete."""
    ports = snapshot.ports() if port is None else [port]
    return (
        *_virtual_services(snapshot, client, mesh, ports),
        *_sockets(snapshot, client, mesh),
        *_one_of_several(snapshot, client, mesh, ports),
        *_chance(snapshot, client, mesh, ports),
        *_expected(snapshot, client, mesh, ports),
        *_at_endpoints(snapshot, client, mesh, ports),
    )


def request_rules(snapshot: Snapshot, namespace: str, mesh: Mesh, hostname: str) -> list[VirtualService]:
    """The VirtualServices that may lead requests for that host elsewhere, of sidecars in that namespace."""
    return [
        vs
        for vs in snapshot.virtual_services_about(hostname)
        if vs.routes_requests
        and _sees(vs, namespace, mesh)
        and any(overlap(full_name(host, vs.meta.namespace, mesh), hostname) for host in vs.hosts)
    ]


def unfollowed_on(snapshot: Snapshot, client: Client, mesh: Mesh, port: int) -> tuple[str, ...]:
    """The same of one port, without egress listeners of other ports."""
    return (
        *_virtual_services(snapshot, client, mesh, [port]),
        *_sockets(snapshot, client, mesh, port),
        *_one_of_several(snapshot, client, mesh, [port]),
    )


def _virtual_services(snapshot: Snapshot, client: Client, mesh: Mesh, ports: list[int]) -> Iterator[str]:
    """A VirtualService that puts TCP or TLS routes in the place of a service's own chain."""
    routing = [vs for vs in snapshot.virtual_services() if vs.routes and _sees(vs, client.namespace, mesh)]
    for vs in routing:
        routed = sorted(p for p in ports if _routes_on(vs, snapshot, client, mesh, p))
        if routed:
            listed = ", ".join(map(str, routed[:10])) + (" and others" if len(routed) > 10 else "")  # noqa: PLR2004
            what = "port" if len(routed) == 1 else "ports"
            yield f"{vs.key} routes TCP or TLS of {', '.join(vs.hosts)} on {what} {listed}"


def _routes_on(vs: VirtualService, snapshot: Snapshot, client: Client, mesh: Mesh, port: int) -> bool:
    kinds = {PortClass.TLS if route.tls else PortClass.TCP for route in vs.routes if route.port in (0, port)}
    if not kinds:
        return False
    hosts = [full_name(host, vs.meta.namespace, mesh) for host in vs.hosts]
    return any(
        _streams(egress, protocols) & kinds
        for egress in scope_of(snapshot, client, mesh).on(port)
        if any(egress.imports.touches(vs.meta.namespace, host) for host in hosts)
        for upstream in seen(claimants_on(snapshot, port, egress), snapshot, egress, mesh)
        if any(overlap(host, upstream.hostname) for host in hosts)
        for protocols in ([class_of(protocol) for number, protocol in upstream.ports if number == port],)
    )


_ROUTED_AS = {PortClass.TLS: PortClass.TLS, PortClass.TCP: PortClass.TCP, PortClass.UNSET: PortClass.TCP}


def _streams(egress: Egress, declared: list[PortClass]) -> set[PortClass]:
    """Which kinds of routes a port has a use for: TLS ports those for TLS, and TCP and sniffed ports those for TCP."""
    classes = [class_of(egress.protocol)] if egress.port is not None else declared
    return {_ROUTED_AS[c] for c in classes if c in _ROUTED_AS}


def _sees(vs: VirtualService, namespace: str, mesh: Mesh) -> bool:
    if not mesh.discovers(vs.meta.namespace):
        return False
    targets = set(vs.export_to) or {PUBLIC}
    own = vs.meta.namespace == namespace
    named = namespace in targets or (own and PRIVATE in targets)
    return PUBLIC in targets or (named and NOBODY not in targets)


def _sockets(snapshot: Snapshot, client: Client, mesh: Mesh, port: int | None = None) -> Iterator[str]:
    """Egress listeners on a Unix domain socket, where no connection to an address arrives, and ones that truly bind."""
    sidecar = sidecar_of(snapshot, client, mesh)
    for listener in sidecar.egress if sidecar else ():
        if port is not None and listener.port not in (port, None):
            continue
        if sidecar and on_unix_socket(listener):
            yield f"{sidecar.key} has an egress listener on {listener.bind or 'port 0'}"
        elif sidecar and not listener.captured:
            where = listener.bind or LOCALHOST
            yield f"{sidecar.key} has an egress listener with captureMode NONE: Envoy must be able to bind {where}"


def _chance(snapshot: Snapshot, client: Client, mesh: Mesh, ports: list[int]) -> Iterator[str]:
    """Objects in no order, where it matters which comes first."""
    for port in ports:
        if by_chance(snapshot, client, mesh, port):
            tied = ", ".join(map(str, tied_in(snapshot, scope_of(snapshot, client, mesh), mesh, port)))
            yield f"{tied} are of one age and name to istiod: which of them has port {port} is chance"


def _one_of_several(snapshot: Snapshot, client: Client, mesh: Mesh, ports: list[int]) -> Iterator[str]:
    """An entry of several addresses, imported by a Sidecar whose hosts are all exact: istiod uses one, any of them."""
    found: dict[str, str] = {}
    for egress in scope_of(snapshot, client, mesh).egress:
        if not egress.imports.exact:
            continue
        for port in ports if egress.port is None else [egress.port]:
            for obj in claimants_on(snapshot, port, egress):
                if isinstance(obj, ServiceEntry) and len(obj.addresses) > 1:
                    imported = any(egress.imports.meant_by(obj.meta.namespace, name) for name in hostnames(obj, mesh))
                    found |= {str(obj.key): obj.addresses[0]} if imported else {}
    for key, first in sorted(found.items()):
        yield f"{key} has several addresses, and the Sidecar gets just one of them: taken for {first}"


def _expected(snapshot: Snapshot, client: Client, mesh: Mesh, ports: list[int]) -> Iterator[str]:
    """Entries to which istiod has yet to allocate an address: which one it will be is not known."""
    found: dict[str, str] = {}
    for port in ports if allocates(mesh) else ():
        for egress in scope_of(snapshot, client, mesh).on(port):
            for upstream in seen(claimants_on(snapshot, port, egress), snapshot, egress, mesh):
                obj = snapshot.get(upstream.key)
                if isinstance(obj, ServiceEntry) and upstream.address == obj.expected_address(upstream.hostname):
                    found[str(obj.key)] = upstream.address
    for key, address in sorted(found.items()):
        yield f"{key} has no address from istiod yet: {address} stands for the one that it gets"


def _at_endpoints(snapshot: Snapshot, client: Client, mesh: Mesh, ports: list[int]) -> Iterator[str]:
    """Services that keep the destination and have endpoints that are not known: each endpoint has a listener."""
    found = dict[Key, set[int]]()
    for port in ports:
        for egress in (e for e in scope_of(snapshot, client, mesh).on(port) if e.port is None and not e.bind):
            some = filter(_has_unknown_endpoints, claimants_on(snapshot, port, egress))
            for upstream in seen(some, snapshot, egress, mesh):
                if upstream.resolution is not Resolution.PASSTHROUGH or upstream.address != WILDCARD:
                    continue
                if any(number == port and class_of(protocol) in ADDRESS_BOUND for number, protocol in upstream.ports):
                    found.setdefault(upstream.key, set()).add(port)
    for key, numbers in sorted(found.items()):
        why = "is headless" if key.kind == "Service" else "has resolution NONE and a workloadSelector"
        listed = ", ".join(map(str, sorted(numbers)))
        yield f"{key} {why}: each of its endpoints has a listener of its own on port {listed}"


def _has_unknown_endpoints(obj: Claimant) -> bool:
    return obj.headless if isinstance(obj, Service) else obj.workload_selector is not None
