"""What the outbound clusters of an Envoy send: nothing added, TLS or mTLS, and to which endpoints."""

from collections.abc import Iterator
from typing import Any

from dnsalias_operator.core.istio.clusters.envoy import EnvoyCluster, cluster_of_envoy, endpoints_of, is_of_service
from tools.dataplane import DataPlaneError, envoy
from tools.dataplane.spaces import Space


def clusters(space: Space) -> dict[str, EnvoyCluster]:
    """Every outbound cluster without a subset, by name; those that Envoy still warms up too.

    Raises:
        DataPlaneError: a cluster has sockets that Istio does not make.
    """
    dump = envoy.config_dump(space, include_eds=True)
    assigned = {a["cluster_name"]: endpoints_of(a) for a in _endpoint_configs(dump)}
    found: dict[str, EnvoyCluster] = {}
    for raw in filter(lambda raw: is_of_service(raw["name"]), _clusters(dump)):
        cluster = cluster_of_envoy(raw)
        if cluster.tls is None:
            raise DataPlaneError(f"sockets of {cluster.name} that nobody here knows: {raw}")
        there = cluster.endpoints if cluster.endpoints is not None else assigned.get(cluster.name, frozenset())
        found[cluster.name] = EnvoyCluster(cluster.name, cluster.tls, there)
    return found


def _clusters(dump: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for config in dump["configs"]:
        if config["@type"].endswith("ClustersConfigDump"):
            for state in ("active", "warming"):
                entries = config.get(f"dynamic_{state}_clusters", [])
                yield from (entry["cluster"] for entry in entries if "cluster" in entry)


def _endpoint_configs(dump: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for config in dump["configs"]:
        if config["@type"].endswith("EndpointsConfigDump"):
            for entry in config.get("dynamic_endpoint_configs", []):
                yield entry["endpoint_config"]
