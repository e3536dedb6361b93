"""Which sockets a service's port claims: the bind address, and the CIDR its chains are limited to.

Source: buildSidecarOutboundListeners and the first half of buildSidecarOutboundListener in
pilot/pkg/networking/core/listener.go; conflictWithReservedListener in pilot/pkg/model/context.go.
"""

from collections.abc import Iterator
from typing import NamedTuple

from dnsalias_operator.core.istio.listeners.externalnames import other_names
from dnsalias_operator.core.istio.listeners.families import binds_both_families
from dnsalias_operator.core.istio.listeners.rows import WILDCARD, WILDCARD6
from dnsalias_operator.core.istio.listeners.scope import Egress
from dnsalias_operator.core.istio.listeners.services import Resolution, Upstream
from dnsalias_operator.core.istio.protocols import ADDRESS_BOUND, PortClass, Protocol, class_of
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.meta import is_ip
from dnsalias_operator.model.snapshot import Snapshot

CAPTURE_PORTS = frozenset({15001, 15006})
"""The sidecar's own for outbound and inbound traffic."""
STATIC_PORTS = frozenset({15021, 15090})
"""The sidecar's own for health and Prometheus."""


class Claim(NamedTuple):
    """What one port of a service asks for.

    ``cidrs`` is empty where the whole address ``bind`` is meant; ``extra`` is bound together with that, if this claim
    is the first one. ``other_names`` are what a TLS port is called beside its hostname.
    """

    upstream: Upstream
    protocol: Protocol
    port: int
    bind: str
    cidrs: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    other_names: tuple[str, ...] = ()

    @property
    def port_class(self) -> PortClass:
        """The class of its protocol."""
        return class_of(self.protocol)


def claims(upstream: Upstream, port: int, snapshot: Snapshot, egress: Egress, mesh: Mesh) -> Iterator[Claim]:
    """The sockets that a service claims on that port of an egress listener that imports it, one a bind address.

    HTTP shares the wildcard address. Anything else binds the service's address; a CIDR cannot be bound, so it is a
    chain of the wildcard listener. Without an address it is the wildcard too, but where the destination is kept (a
    headless Service, resolution NONE) every known endpoint gets a listener of its own instead. Pods are not in the
    snapshot, so a headless Service and an entry with a workloadSelector claim nothing here.

    An egress listener with a port takes every service for the protocol of that port, and knows no endpoints: there a
    headless Service does claim the wildcard. One with a bind address gives that to all.
    """
    if upstream.resolution is Resolution.ALIAS:
        return
    if egress.port is None:
        protocols = [protocol for number, protocol in upstream.ports if number == port]
    else:
        protocols = [egress.protocol] if egress.port == port else []
    for protocol in protocols:
        names = other_names(upstream, snapshot, egress, mesh) if class_of(protocol) is PortClass.TLS else ()
        for bind, cidrs, extra in _sockets(upstream, port, class_of(protocol), snapshot, egress, mesh):
            both = (WILDCARD6,) if extra is None and binds_both_families(mesh) else ()
            yield Claim(upstream, protocol, port, bind, cidrs, extra or both, names)


def _reserved(mesh: Mesh) -> frozenset[int]:
    """The ports that what shares the wildcard address gets no listener for: since 1.21 those of capture too.

    Source: conflictWithReservedListener in model/context.go, before 1.23 in networking/core/listener.go;
    conflictWithStaticListener there in 1.20; nothing like it at 1.11.8.
    """
    if not mesh.since(1, 21):
        return STATIC_PORTS if mesh.since(1, 18) else frozenset()
    return STATIC_PORTS | CAPTURE_PORTS


def _sockets(
    upstream: Upstream, port: int, port_class: PortClass, snapshot: Snapshot, egress: Egress, mesh: Mesh
) -> tuple[tuple[str, tuple[str, ...], tuple[str, ...] | None], ...]:
    """Bind address, CIDRs, and what is bound besides: None for the wildcard of the other family."""
    shared = egress.bind == WILDCARD if egress.bind else port_class not in ADDRESS_BOUND
    if port_class is PortClass.UDP or (shared and port in _reserved(mesh)):
        return ()
    if egress.bind or shared:
        return ((egress.bind, (), egress.extra) if egress.bind else (WILDCARD, (), None),)
    if "/" in upstream.address:
        return ((WILDCARD, (upstream.address, *upstream.extra), None),)
    if egress.port is None and upstream.resolution is Resolution.PASSTHROUGH and upstream.address == WILDCARD:
        endpoints = _endpoints(upstream, port, snapshot)
        if endpoints or upstream.kubernetes or upstream.selects:
            return tuple((ip, (), ()) for ip in endpoints if is_ip(ip))
    return ((upstream.address, (), upstream.extra),) if upstream.address else ()


def _endpoints(upstream: Upstream, port: int, snapshot: Snapshot) -> tuple[str, ...]:
    """Addresses of the inline endpoints known for this hostname and port, as written: IPs and names.

    istiod files endpoints by namespace and hostname, so they may come from another entry than the one that asks; a DNS
    entry without endpoints has its own host as one. Source: convertServiceEntryToInstances in
    pilot/pkg/serviceregistry/serviceentry/conversion.go, CopyEndpoints in pilot/pkg/model/endpointshards.go.
    """
    found: dict[str, None] = {}
    for entry in snapshot.entries_for_host(upstream.hostname):
        if entry.meta.namespace != upstream.namespace or all(p.number != port for p in entry.ports):
            continue
        if entry.workload_selector is not None:
            continue
        if not entry.endpoints and entry.resolution in ("DNS", "DNS_ROUND_ROBIN"):
            found[upstream.hostname] = None
        found.update((e.address, None) for e in entry.endpoints)
    return tuple(found)
