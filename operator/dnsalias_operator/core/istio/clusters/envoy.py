"""A real Envoy's outbound clusters: what it sends to each, and to which endpoints.

Source: Cluster in Envoy's cluster.proto; buildUpstreamTLSSettings and applyUpstreamTLSSettings in
pilot/pkg/networking/core/cluster_tls.go.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from dnsalias_operator.core.istio.clusters.sends import ClientTls
from dnsalias_operator.core.istio.protojson import field
from dnsalias_operator.model.meta import integer, mapping, mappings, text

MTLS_SECRET = "default"  # noqa: S105 (the name of the certificate that istiod gives a workload)
RAW_BUFFER = "envoy.transport_sockets.raw_buffer"
TRANSPORT_SOCKET = "envoy.transport_socket_match"
TAKES_MTLS = {"tlsMode": "istio"}


class EnvoyEndpoint(NamedTuple):
    """One endpoint of a cluster; ``mtls`` is whether its metadata picks the cluster's mTLS socket."""

    address: str
    port: int
    mtls: bool


@dataclass(frozen=True, slots=True)
class EnvoyCluster:
    """One cluster. ``tls`` is None where its sockets are none that Istio makes (an EnvoyFilter's, say).

    ``endpoints`` is None where the dump does not say: those of EDS are in one only where they are asked for.
    """

    name: str
    tls: ClientTls | None
    endpoints: frozenset[EnvoyEndpoint] | None = None


def is_of_service(name: str) -> bool:
    """Whether a cluster of that name is an outbound one of a whole service, not of a subset."""
    direction, _, rest = name.partition("|")
    return direction == "outbound" and rest.split("|")[1:2] == [""]


def cluster_of_envoy(cluster: Mapping[str, Any]) -> EnvoyCluster:
    """The cluster, with the endpoints that stand in it."""
    own = mapping(field(cluster, "load_assignment"))
    return EnvoyCluster(text(cluster.get("name")), _tls(cluster), endpoints_of(own) if own else None)


def endpoints_of(assignment: Mapping[str, Any]) -> frozenset[EnvoyEndpoint]:
    """The endpoints of a ClusterLoadAssignment."""
    return frozenset(_endpoints(assignment))


def _tls(cluster: Mapping[str, Any]) -> ClientTls | None:
    matches = mappings(field(cluster, "transport_socket_matches"))
    if not matches:
        return _socket(mapping(field(cluster, "transport_socket")))
    sockets = [_socket(mapping(field(match, "transport_socket"))) for match in matches]
    picked = [mapping(match.get("match")) for match in matches]
    known = sockets == [ClientTls.MTLS, ClientTls.PLAINTEXT] and picked == [TAKES_MTLS, {}]
    return ClientTls.BY_ENDPOINT if known else None


def _socket(socket: Mapping[str, Any]) -> ClientTls:
    if not socket or socket.get("name") == RAW_BUFFER:
        return ClientTls.PLAINTEXT
    common = mapping(field(mapping(field(socket, "typed_config")), "common_tls_context"))
    secrets = [s.get("name") for s in mappings(field(common, "tls_certificate_sds_secret_configs"))]
    return ClientTls.MTLS if secrets == [MTLS_SECRET] else ClientTls.TLS


def _endpoints(assignment: Mapping[str, Any]) -> Iterator[EnvoyEndpoint]:
    for locality in mappings(assignment.get("endpoints")):
        for one in mappings(field(locality, "lb_endpoints")):
            socket = mapping(field(mapping(mapping(one.get("endpoint")).get("address")), "socket_address"))
            metadata = mapping(field(mapping(one.get("metadata")), "filter_metadata"))
            picked = mapping(metadata.get(TRANSPORT_SOCKET))
            port = integer(field(socket, "port_value")) or 0
            yield EnvoyEndpoint(text(socket.get("address")), port, picked == TAKES_MTLS)
