"""Reading an Envoy's JSON is total: whatever it holds, there is an answer."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dnsalias_operator.core.istio.clusters.envoy import cluster_of_envoy, endpoints_of
from dnsalias_operator.core.istio.listeners.envoy import rows_of
from dnsalias_operator.core.istio.proxy import ProxyKind, proxy_of

NAMES = (
    *("name", "traffic_direction", "address", "socket_address", "port_value", "additional_addresses", "filter_chains"),
    *("default_filter_chain", "filter_chain_match", "prefix_ranges", "server_names", "filters", "typed_config", "rds"),
    *("cluster", "weighted_clusters", "clusters", "transport_socket", "transport_socket_matches", "match", "endpoints"),
    *("lb_endpoints", "endpoint", "metadata", "id", "LABELS", "INSTANCE_IPS", "ISTIO_VERSION", "NAME", "NAMESPACE"),
)
TEXTS = st.sampled_from(
    ("OUTBOUND", "10.0.0.1", "", "sidecar~~~", "router~1~a.b~b.svc.c", "envoy.filters.network.tcp_proxy")
)
LEAVES = st.none() | st.booleans() | st.integers(-1, 70_000) | TEXTS
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner))
MESSAGES = st.dictionaries(st.sampled_from(NAMES), JSON, max_size=8)


@given(MESSAGES)
def test_any_json_has_an_answer(message: dict[str, Any]) -> None:
    """Listeners, clusters, endpoints and nodes of any shape are read without an error."""
    rows = rows_of({**message, "traffic_direction": "OUTBOUND"})
    assert all(row.port for row in rows)
    assert cluster_of_envoy(message).name is not None
    assert endpoints_of(message) is not None
    assert proxy_of(message).kind in ProxyKind


def test_a_name_of_a_pod_may_have_dots() -> None:
    """The namespace is what stands behind the last one."""
    proxy = proxy_of({"id": "sidecar~10.0.0.1~web.v2.shop~shop.svc.cluster.local"})
    assert (proxy.name, proxy.namespace, proxy.domain, proxy.addresses) == (
        "web.v2",
        "shop",
        "cluster.local",
        ("10.0.0.1",),
    )
