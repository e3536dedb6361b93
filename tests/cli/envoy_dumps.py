"""Configurations of Envoys as its admin interface writes them, made of rows of the model."""

import json
import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from dnsalias_operator.core.istio.listeners import Row
from dnsalias_operator.core.istio.listeners.envoy import CONNECTION_MANAGER, ENTRANCE, TCP_PROXY

Raw = dict[str, Any]
ADMIN = "type.googleapis.com/envoy.admin.v3"


def node(kind: str = "sidecar", namespace: str = "shop", domain: str = "cluster.local", **metadata: object) -> Raw:
    """The node of a pod `web-0`; ``metadata`` replaces what it says of itself."""
    said = {
        "NAME": "web-0",
        "NAMESPACE": namespace,
        "LABELS": {"app": "web"},
        "ISTIO_VERSION": "1.31.0",
        "CLUSTER_ID": "Kubernetes",
        "DNS_CAPTURE": "false",
        "INSTANCE_IPS": "10.244.1.3",
        "INTERCEPTION_MODE": "REDIRECT",
    }
    where = f"{namespace}.svc.{domain}"
    return {"id": f"{kind}~10.244.1.3~web-0.{namespace}~{where}", "metadata": {**said, **metadata}}


def dump(rows: Iterable[Row], of: Raw | None = None) -> Raw:
    """A whole ``config_dump`` whose outbound listeners have those rows."""
    listeners = [*listeners_of(rows), _own()]
    states = [{"name": one["name"], "active_state": {"listener": one}} for one in listeners]
    return {
        "configs": [
            {"@type": f"{ADMIN}.BootstrapConfigDump", "bootstrap": {"node": of or node()}},
            {"@type": f"{ADMIN}.ListenersConfigDump", "dynamic_listeners": states},
        ]
    }


def listeners_of(rows: Iterable[Row]) -> list[Raw]:
    """The listeners that have those rows."""
    ordered = sorted(rows, key=lambda row: (row.bind, row.port))
    return [_listener(*place, list(chains)) for place, chains in groupby(ordered, lambda row: (row.bind, row.port))]


def as_istioctl(listeners: Iterable[Raw]) -> str:
    """What ``istioctl proxy-config listeners -o json`` prints of them: a list, with the other names of fields."""
    return json.dumps([_camel(one) for one in (*listeners, _own())], indent=4)


def _listener(bind: str, port: int, rows: list[Row]) -> Raw:
    default = next((_chain(row) for row in rows if row.default), None)
    return {
        "name": f"{bind}_{port}",
        "address": {"socket_address": {"address": bind, "port_value": port}},
        "traffic_direction": "OUTBOUND",
        "filter_chains": [_chain(row) for row in rows if not row.default],
        **({"default_filter_chain": default} if default else {}),
    }


def _own() -> Raw:
    """The sidecar's own listener, which every sidecar has."""
    row = Row("0.0.0.0", 15001, False, (), (), False, "PassthroughCluster", None)  # noqa: S104
    return {**_listener(row.bind, row.port, [row]), "name": ENTRANCE}


def _chain(row: Row) -> Raw:
    match: Raw = {"server_names": list(row.sni)} if row.sni else {}
    if row.cidr:
        prefixes = (cidr.split("/") for cidr in row.cidr)
        match["prefix_ranges"] = [{"address_prefix": ip, "prefix_len": int(bits)} for ip, bits in prefixes]
    if row.http:
        match |= {"transport_protocol": "raw_buffer", "application_protocols": ["http/1.1", "h2c"]}
    if row.route is not None:
        made = {"name": CONNECTION_MANAGER, "typed_config": {"rds": {"route_config_name": row.route}}}
    else:
        made = {"name": TCP_PROXY, "typed_config": {"stat_prefix": row.cluster, "cluster": row.cluster}}
    return {"filter_chain_match": match, "filters": [made]}


def _camel(value: Any) -> Any:  # noqa: ANN401 (JSON)
    if isinstance(value, Mapping):
        return {re.sub("_(.)", lambda m: m[1].upper(), key): _camel(one) for key, one in value.items()}
    return [_camel(one) for one in value] if isinstance(value, list) else value
