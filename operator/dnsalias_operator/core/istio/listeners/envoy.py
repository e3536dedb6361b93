"""A real Envoy's outbound listeners, read as rows of the model.

Source: Listener and FilterChainMatch in Envoy's listener.proto and listener_components.proto; buildOutboundListener in
pilot/pkg/networking/core/listener.go.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from dnsalias_operator.core.istio.listeners.rows import Row
from dnsalias_operator.core.istio.protojson import field
from dnsalias_operator.model.meta import integer, mapping, mappings, strings, text

OUTBOUND = "OUTBOUND"
ENTRANCE = "virtualOutbound"
"""The sidecar's own listener, where redirected connections arrive to be handed to the others."""
TCP_PROXY = "envoy.filters.network.tcp_proxy"
CONNECTION_MANAGER = "envoy.filters.network.http_connection_manager"


def rows_of(listener: Mapping[str, Any]) -> tuple[Row, ...]:
    """The chains of a listener, at each of its addresses, in Envoy's order; () for one that is not made for services.

    A chain that neither proxies TCP nor routes HTTP has neither a cluster nor a route.
    """
    if field(listener, "traffic_direction") != OUTBOUND or text(listener.get("name")) == ENTRANCE:
        return ()
    more = (mapping(field(a, "address")) for a in mappings(field(listener, "additional_addresses")))
    return tuple(row for address in (mapping(listener.get("address")), *more) for row in _at(address, listener))


def _at(address: Mapping[str, Any], listener: Mapping[str, Any]) -> Iterator[Row]:
    socket = mapping(field(address, "socket_address"))
    place = (text(socket.get("address")), integer(field(socket, "port_value")) or 0)
    if not place[1]:
        return  # a Unix domain socket, where no connection to an address arrives
    for chain in mappings(field(listener, "filter_chains")):
        yield _row(*place, chain, default=False)
    default = mapping(field(listener, "default_filter_chain"))
    if default:
        yield _row(*place, default, default=True)


def _row(bind: str, port: int, chain: Mapping[str, Any], *, default: bool) -> Row:
    match = mapping(field(chain, "filter_chain_match"))
    cluster, route = _target(chain)
    ranges = mappings(field(match, "prefix_ranges"))
    return Row(
        bind=bind,
        port=port,
        default=default,
        sni=tuple(sorted(strings(field(match, "server_names")))),
        cidr=tuple(f"{field(r, 'address_prefix')}/{field(r, 'prefix_len') or 0}" for r in ranges),
        http=bool(field(match, "application_protocols")),
        cluster=cluster,
        route=route,
    )


def _target(chain: Mapping[str, Any]) -> tuple[str | None, str | None]:
    for one in mappings(chain.get("filters")):
        config = mapping(field(one, "typed_config"))
        if one.get("name") == TCP_PROXY:
            return text(config.get("cluster")) or _weighted(config), None
        if one.get("name") == CONNECTION_MANAGER:
            named = field(mapping(config.get("rds")), "route_config_name")
            return None, text(named) or text(mapping(field(config, "route_config")).get("name")) or None
    return None, None


def _weighted(proxy: Mapping[str, Any]) -> str | None:
    """Several clusters, as a VirtualService that splits TCP has them."""
    several = mappings(mapping(field(proxy, "weighted_clusters")).get("clusters"))
    return " + ".join(f"{text(one.get('name'))} ({one.get('weight')})" for one in several) or None
