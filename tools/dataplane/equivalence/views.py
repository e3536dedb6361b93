"""What sidecars have for one row: the client's for its Service, the servers' for its target port."""

import contextlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from dnsalias_operator.cli.printing.rows import as_dict
from tools.dataplane import DataPlaneError, envoy
from tools.dataplane.equivalence.objects import port, service_host, target_port
from tools.dataplane.equivalence.rows import Row
from tools.dataplane.pods import Pod

View = Mapping[str, Any]
"""Parts of an Envoy's configuration by a name that says what each is; equal views mean nothing has changed."""

PATIENCE = 4
"""Times that Envoy is asked."""
_CONNECTIONS = re.compile(r"^cluster\.(outbound\|.+?);?\.(upstream_cx_total|ssl\.handshake): (\d+)$")


def asked(pod: Pod, path: str) -> str:
    """What Envoy's admin interface answers; it is silent for long while it takes in hundreds of clusters at once."""
    for _ in range(PATIENCE - 1):
        with contextlib.suppress(DataPlaneError):
            return envoy.admin(pod.space, path)
    return envoy.admin(pod.space, path)


class Dump:
    """The configuration of one Envoy, indexed."""

    def __init__(self, pod: Pod) -> None:
        """Read it."""
        configs = json.loads(asked(pod, "config_dump?include_eds"))["configs"]
        self.listeners = [
            one["active_state"]["listener"]
            for config in configs
            for one in config.get("dynamic_listeners", [])
            if "active_state" in one
        ]
        self.rows = [row for config in configs for row in envoy.rows({"configs": [config]})]
        clusters = [c["cluster"] for config in configs for c in config.get("dynamic_active_clusters", [])]
        self.clusters: dict[str, Any] = {cluster["name"]: cluster for cluster in clusters}
        routes = [r["route_config"] for config in configs for r in config.get("dynamic_route_configs", [])]
        self.routes: dict[str, Any] = {route["name"]: route for route in routes}
        endpoints = [e["endpoint_config"] for config in configs for e in config.get("dynamic_endpoint_configs", [])]
        self.endpoints: dict[str, Any] = {one["cluster_name"]: one for one in endpoints if "cluster_name" in one}


def of_client(dump: Dump, row: Row, address: str) -> View:
    """The way to the Service: who takes its address, its virtual host, its cluster and that cluster's endpoints."""
    cluster = f"outbound|{port(row)}||{service_host(row)}"
    hosts = dump.routes.get(str(port(row)), {}).get("virtual_hosts", [])
    mine = [host for host in hosts if f"{service_host(row)}" in host["domains"] or address in host["domains"]]
    return {
        "listener at its address": [as_dict(r) for r in dump.rows if r.port == port(row) and r.bind == address],
        "virtual host": sorted(mine, key=lambda host: str(host["name"])),
        "cluster": dump.clusters.get(cluster),
        "endpoints": _endpoints(dump.endpoints.get(cluster, {})),
    }


def of_server(dump: Dump, row: Row) -> View:
    """What the pod does with connections to the row's target port, and as which service it reports them.

    The list of services that have the port grows by the alias; the first one, the oldest, is the one that telemetry
    names (source: pilot/pkg/networking/core/cluster_builder.go).
    """
    inbound = [one for one in dump.listeners if one["name"] == "virtualInbound"]
    chains = [
        chain
        for one in inbound
        for chain in one["filter_chains"]
        if chain.get("filter_chain_match", {}).get("destination_port") == target_port(row)
    ]
    cluster = dump.clusters.get(f"inbound|{target_port(row)}||", {})
    services = cluster.get("metadata", {}).get("filter_metadata", {}).get("istio", {}).get("services", [])
    rest = {name: value for name, value in cluster.items() if name != "metadata"}
    return {"inbound filter chains": chains, "inbound cluster": rest, "inbound identity": services[:1]}


def changed(before: View, after: View) -> list[str]:
    """What differs, by the parts' names."""
    return [part for part in before if before[part] != after[part]]


def connections(client: Pod) -> dict[str, tuple[int, int]]:
    """How many connections the client's sidecar has opened so far, and how many of them with mTLS, by cluster."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for line in asked(client, "stats?filter=cluster.outbound").splitlines():
        if match := _CONNECTIONS.match(line):
            found[match[1]][match[2]] = int(match[3])
    return {name: (one.get("upstream_cx_total", 0), one.get("ssl.handshake", 0)) for name, one in found.items()}


def _endpoints(assignment: Mapping[str, Any]) -> list[str]:
    """Address and metadata of each endpoint, mTLS among it."""
    found: Iterable[Mapping[str, Any]] = (
        one for group in assignment.get("endpoints", []) for one in group.get("lb_endpoints", [])
    )
    return sorted(json.dumps([one["endpoint"]["address"], one.get("metadata")], sort_keys=True) for one in found)
