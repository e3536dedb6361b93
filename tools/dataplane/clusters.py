"""Reading from an Envoy what its outbound clusters send: nothing added, TLS or mTLS, and to which endpoints."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from tools.dataplane import DataPlaneError, envoy
from tools.dataplane.spaces import Space

OUTBOUND = "outbound|"
MTLS_SECRET = "default"  # noqa: S105 (the name of the certificate that istiod gives a workload)
TRANSPORT_SOCKET = "envoy.transport_socket_match"


class Endpoint(NamedTuple):
    """One endpoint of a cluster; ``mtls`` is whether its metadata picks the cluster's mTLS socket."""

    address: str
    port: int
    mtls: bool


class Cluster(NamedTuple):
    """One cluster. ``tls`` is "plaintext", "mTLS" or "TLS", or "by endpoint" where each endpoint's metadata decides."""

    tls: str
    endpoints: frozenset[Endpoint]


def clusters(space: Space) -> dict[str, Cluster]:
    """Every outbound cluster without a subset, by name; those that Envoy still warms up too."""
    dump = envoy.config_dump(space, include_eds=True)
    assigned = {a["cluster_name"]: a for a in _endpoint_configs(dump)}
    found: dict[str, Cluster] = {}
    for state, cluster in _clusters(dump):
        name = cluster["name"]
        if name.startswith(OUTBOUND) and name.split("|")[2] == "":
            own = cluster.get("load_assignment") or assigned.get(name)
            if own is None and cluster.get("type") == "EDS" and state == "warming":
                own = {}
            found[name] = Cluster(_tls(cluster), frozenset(_endpoints(own or {})))
    return found


def _clusters(dump: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for config in dump["configs"]:
        if config["@type"].endswith("ClustersConfigDump"):
            for state in ("active", "warming"):
                for entry in config.get(f"dynamic_{state}_clusters", []):
                    if "cluster" in entry:
                        yield state, entry["cluster"]


def _endpoint_configs(dump: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for config in dump["configs"]:
        if config["@type"].endswith("EndpointsConfigDump"):
            for entry in config.get("dynamic_endpoint_configs", []):
                yield entry["endpoint_config"]


def _tls(cluster: dict[str, Any]) -> str:
    matches = cluster.get("transport_socket_matches")
    if matches is None:
        return _socket(cluster.get("transport_socket"))
    sockets = [_socket(match.get("transport_socket")) for match in matches]
    picked = [match.get("match", {}) for match in matches]
    if sockets != ["mTLS", "plaintext"] or picked != [{"tlsMode": "istio"}, {}]:
        raise DataPlaneError(f"sockets of {cluster['name']} that nobody here knows: {matches}")
    return "by endpoint"


def _socket(socket: dict[str, Any] | None) -> str:
    if socket is None or socket["name"] == "envoy.transport_sockets.raw_buffer":
        return "plaintext"
    common = socket["typed_config"]["common_tls_context"]
    secrets = [s["name"] for s in common.get("tls_certificate_sds_secret_configs", [])]
    return "mTLS" if secrets == [MTLS_SECRET] else "TLS"


def _endpoints(assignment: dict[str, Any]) -> Iterator[Endpoint]:
    for locality in assignment.get("endpoints", []):
        for one in locality.get("lb_endpoints", []):
            address = one["endpoint"]["address"]["socket_address"]
            picked = one.get("metadata", {}).get("filter_metadata", {}).get(TRANSPORT_SOCKET, {})
            yield Endpoint(address["address"], address["port_value"], picked == {"tlsMode": "istio"})
