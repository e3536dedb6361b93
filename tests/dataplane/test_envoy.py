"""Envoy's configuration read as rows, from dumps of the forms that Envoy writes."""

from typing import Any

import pytest

from dnsalias_operator.core.istio.listeners import Row
from dnsalias_operator.core.istio.listeners.envoy import CONNECTION_MANAGER, ENTRANCE, TCP_PROXY
from tools.dataplane import DataPlaneError, envoy

TCP: dict[str, Any] = {"name": TCP_PROXY, "typed_config": {"cluster": "outbound|1||a.team"}}
HTTP: dict[str, Any] = {"name": CONNECTION_MANAGER, "typed_config": {"rds": {"route_config_name": "80"}}}


def dump(*listeners: dict[str, Any]) -> dict[str, Any]:
    """What ``config_dump?resource=dynamic_listeners`` answers."""
    return {"configs": [{"@type": "…/envoy.admin.v3.ListenersConfigDump.DynamicListener", **one} for one in listeners]}


def listener(port: int, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    """An outbound listener."""
    address = {"socket_address": {"address": "10.0.0.1", "port_value": port}}
    common = {"address": address, "traffic_direction": "OUTBOUND"}
    return {"name": f"10.0.0.1_{port}", "active_state": {"listener": {"name": f"10.0.0.1_{port}", **common, **fields}}}


def test_a_row_has_the_match_and_the_destination() -> None:
    """SNI names are sorted, networks are as Envoy has them, plaintext HTTP and the default chain are told."""
    match = {
        "server_names": ["b.team", "a.team"],
        "prefix_ranges": [{"address_prefix": "10.0.0.0", "prefix_len": 8}],
    }
    chains = [
        {"filters": [TCP], "filter_chain_match": match},
        {"filters": [HTTP], "filter_chain_match": {"application_protocols": ["http/1.1", "h2c"]}},
    ]
    http = Row("10.0.0.1", 1, False, (), (), True, None, "80")
    assert envoy.rows(dump(listener(1, filter_chains=chains, default_filter_chain={"filters": [TCP]}))) == [
        Row("10.0.0.1", 1, False, ("a.team", "b.team"), ("10.0.0.0/8",), False, "outbound|1||a.team", None),
        http,
        Row("10.0.0.1", 1, True, (), (), False, "outbound|1||a.team", None),
    ]


def test_the_sidecars_own_listeners_are_left_out() -> None:
    """Inbound listeners, and the one where outbound connections arrive, are no listeners of services."""
    chains = [{"filters": [TCP]}]
    inbound = listener(1, filter_chains=chains, traffic_direction="INBOUND")
    entrance = listener(15001, filter_chains=chains, name=ENTRANCE)
    assert envoy.rows(dump(inbound, entrance)) == []


def test_a_listener_on_two_addresses_has_the_rows_of_both() -> None:
    """Of a dual-stack listener every address counts."""
    more = [{"address": {"socket_address": {"address": "fd00::1", "port_value": 1}}}]
    rows = envoy.rows(dump(listener(1, filter_chains=[{"filters": [TCP]}], additional_addresses=more)))
    assert [row.bind for row in rows] == ["10.0.0.1", "fd00::1"]


def test_refused_listeners_are_told_once() -> None:
    """An error state names its listener and the reason; a listener that was never active has no row."""
    refused = {"error_state": {"failed_configuration": {"name": "0.0.0.0_1"}, "details": "no"}}
    assert envoy.errors(dump(refused, refused)) == ["0.0.0.0_1: no"]
    assert envoy.rows(dump(refused)) == []


def test_a_chain_of_an_unknown_kind_is_an_error() -> None:
    """A chain that neither proxies TCP nor routes HTTP is not silently left out of a recording."""
    with pytest.raises(DataPlaneError, match="neither"):
        envoy.rows(dump(listener(1, filter_chains=[{"filters": [{"name": "other"}]}])))
