"""Reading an Envoy: its admin interface, and its outbound listeners in the form in which worlds are recorded."""

import json
from collections.abc import Iterator
from typing import Any, TypedDict

from tools.dataplane import DataPlaneError
from tools.dataplane.sidecar import ADMIN
from tools.dataplane.spaces import Space
from tools.dataplane.web import OK, get

OUTBOUND = "OUTBOUND"
ENTRANCE = "virtualOutbound"
"""The sidecar's own listener, where redirected connections arrive to be handed to the others."""
TCP_PROXY = "envoy.filters.network.tcp_proxy"
CONNECTION_MANAGER = "envoy.filters.network.http_connection_manager"


class Row(TypedDict):
    """One filter chain of an outbound listener.

    Keys: ``bind`` and ``port`` of the listener; ``default``, whether it is the listener's default chain; ``sni`` and
    ``cidr`` it matches; ``http``, whether it matches plaintext HTTP only; ``cluster`` or ``route`` it sends to.
    """

    bind: str
    port: int
    default: bool
    sni: list[str]
    cidr: list[str]
    http: bool
    cluster: str | None
    route: str | None


def admin(space: Space, path: str) -> str:
    """What the admin interface answers to a GET of that path.

    Raises:
        DataPlaneError: not with 200.
    """
    code, body = get(space, f"{ADMIN}/{path}")
    if code != OK:
        raise DataPlaneError(f"{space.name}: Envoy answers {code} to {path}: {body}")
    return body


def config_dump(space: Space, resource: str = "", *, include_eds: bool = False) -> dict[str, Any]:
    """Envoy's configuration; only one kind of resource where it is named, such as "dynamic_listeners".

    Endpoints are in it only where they are asked for.
    """
    query = f"?resource={resource}" if resource else "?include_eds" if include_eds else ""
    dump: dict[str, Any] = json.loads(admin(space, f"config_dump{query}"))
    return dump


def told(dump: dict[str, Any]) -> bool:
    """Whether istiod has told it of listeners at all, if only of the sidecar's own."""
    return any("active_state" in dynamic for dynamic in _dynamic(dump))


def rows(dump: dict[str, Any]) -> list[Row]:
    """The chains of every outbound listener that Istio made for services, in Envoy's order.

    Args:
        dump: from ``config_dump``, of everything or of "dynamic_listeners".
    """
    return [row for listener in _listeners(dump) for row in _chains(listener)]


def errors(dump: dict[str, Any]) -> list[str]:
    """What Envoy refused: one line a listener."""
    states = (dynamic["error_state"] for dynamic in _dynamic(dump) if "error_state" in dynamic)
    return sorted({f"{state.get('failed_configuration', {}).get('name', '')}: {state['details']}" for state in states})


def _dynamic(dump: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for config in dump.get("configs", []):
        if "dynamic_listeners" in config:
            yield from config["dynamic_listeners"]
        elif "DynamicListener" in config.get("@type", ""):
            yield config


def _listeners(dump: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for dynamic in _dynamic(dump):
        listener = dynamic.get("active_state", {}).get("listener")
        if listener and listener.get("traffic_direction") == OUTBOUND and listener["name"] != ENTRANCE:
            yield listener


def _chains(listener: dict[str, Any]) -> Iterator[Row]:
    addresses = [listener["address"], *(a["address"] for a in listener.get("additional_addresses", []))]
    for address in addresses:
        socket = address["socket_address"]
        for chain in listener.get("filter_chains", []):
            yield _row(socket, chain, default=False)
        if default := listener.get("default_filter_chain"):
            yield _row(socket, default, default=True)


def _row(socket: dict[str, Any], chain: dict[str, Any], *, default: bool) -> Row:
    match = chain.get("filter_chain_match", {})
    cluster, route = _target(chain)
    return Row(
        bind=socket["address"],
        port=socket["port_value"],
        default=default,
        sni=sorted(match.get("server_names", [])),
        cidr=[f"{r['address_prefix']}/{r['prefix_len']}" for r in match.get("prefix_ranges", [])],
        http=bool(match.get("application_protocols")),
        cluster=cluster,
        route=route,
    )


def _target(chain: dict[str, Any]) -> tuple[str | None, str | None]:
    for one in chain["filters"]:
        config = one.get("typed_config", {})
        if one["name"] == TCP_PROXY:
            return config.get("cluster"), None
        if one["name"] == CONNECTION_MANAGER:
            return None, config.get("rds", {}).get("route_config_name") or config["route_config"]["name"]
    raise DataPlaneError(f"A filter chain that neither proxies TCP nor routes HTTP: {chain}")
