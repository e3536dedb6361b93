"""Filter chains while a listener is put together: what each matches, and when two of them cannot stand together.

Source: buildSidecarOutboundTLSFilterChainOpts and buildSidecarOutboundTCPFilterChainOpts in
pilot/pkg/networking/core/tls.go; buildSidecarOutboundHTTPListenerOpts, conflictsWith, isMatchAll and
toFilterChainMatch in pilot/pkg/networking/core/listener.go.
"""

import ipaddress
from dataclasses import dataclass

from dnsalias_operator.core.istio.listeners.claims import Claim
from dnsalias_operator.core.istio.listeners.rows import WILDCARD, Row
from dnsalias_operator.core.istio.listeners.services import Resolution
from dnsalias_operator.core.istio.protocols import PortClass
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key

Match = tuple[bool, frozenset[str], frozenset[str]]
"""Plaintext HTTP only, SNI names, networks."""


@dataclass(frozen=True, slots=True)
class Chain:
    """One filter chain: for TCP with a ``cluster``, for HTTP with a ``route``. ``cidrs`` as the object wrote them."""

    owner: Key
    cluster: str | None = None
    route: str | None = None
    sni: tuple[str, ...] = ()
    cidrs: tuple[str, ...] = ()
    http: bool = False

    @property
    def match_all(self) -> bool:
        """Whether Istio makes it the listener's default chain.

        A chain for 0.0.0.0/N is none of these although it matches as much: its match is there, and empty.
        """
        return not self.sni and not self.cidrs and not self.http

    @property
    def match(self) -> Match:
        """What it matches, comparable: of two chains with the same match the later is dropped, other overlap stands."""
        return self.http, frozenset(self.sni), _networks(self.cidrs)

    def row(self, bind: str, port: int, *, default: bool) -> Row:
        """The chain as it stands in the listener ``bind``:``port``."""
        return Row(
            bind=bind,
            port=port,
            default=default,
            sni=tuple(sorted(self.sni)),
            cidr=tuple(_shown(c) for c in sorted(self.cidrs) if not _unspecified(c)),
            http=self.http,
            cluster=self.cluster,
            route=self.route,
            owner=self.owner,
        )


def tcp_chain(claim: Claim, mesh: Mesh) -> Chain:
    """The chain that sends a byte stream to the service's cluster.

    A TLS port's chain matches on the hostname as SNI where its address does not distinguish it: on the wildcard
    address, for a CIDR (even where a Sidecar binds another address), and since 1.30 for a DYNAMIC_DNS wildcard host
    even on an address of its own. Before 1.20 a chain for 0.0.0.0/N has no CIDR (source: buildListener in
    pilot/pkg/networking/core/v1alpha3/listener.go at 1.19.0, isMatchAll there at 1.20.0).
    """
    upstream = claim.upstream
    needs_sni = (
        "/" in upstream.address
        or (upstream.address == WILDCARD and claim.bind == WILDCARD)
        or (upstream.wildcarded and upstream.resolution is Resolution.DYNAMIC_DNS and mesh.since(1, 30))
    )
    return Chain(
        owner=upstream.key,
        cluster=f"outbound|{claim.port}||{upstream.hostname}",
        sni=(upstream.hostname, *claim.other_names) if needs_sni and claim.port_class is PortClass.TLS else (),
        cidrs=tuple(c for c in claim.cidrs if mesh.since(1, 20) or not _unspecified(c)),
    )


def http_chain(claim: Claim) -> Chain:
    """The chain that sends requests to routes: those of the port, which all services share, or a sniffed one's own.

    A sniffed port has its own on an address that is not the wildcard. What the HTTP inspector found to be plaintext
    HTTP is matched there, and on the wildcard; HTTP_PROXY takes every byte for HTTP, and so does HTTP on an address
    that a Sidecar binds.
    """
    sniffed, private = claim.port_class is PortClass.UNSET, claim.bind != WILDCARD
    return Chain(
        owner=claim.upstream.key,
        route=f"{claim.upstream.hostname}:{claim.port}" if sniffed and private else str(claim.port),
        http=sniffed or (claim.port_class is PortClass.HTTP and not private),
    )


def _networks(cidrs: tuple[str, ...]) -> frozenset[str]:
    return frozenset(str(ipaddress.ip_network(c, strict=False)) for c in cidrs if not _unspecified(c))


def _unspecified(cidr: str) -> bool:
    """Whether Istio drops it from a match: 0.0.0.0 with any prefix length, but no IPv6 prefix."""
    return _shown(cidr).partition("/")[0] == WILDCARD


def _shown(cidr: str) -> str:
    ip, _, bits = cidr.partition("/")
    address = ipaddress.ip_address(ip)
    return f"{address}/{int(bits or address.max_prefixlen)}"
