"""The names, addresses and ports that worlds with callers are made of, and what is drawn of them everywhere."""

from hypothesis import strategies as st

from dnsalias_operator.model.mesh import Mesh
from tests.core.plan_worlds import NAMES, NAMESPACES, Raw, flags

CLIENTS = (*NAMESPACES, "clients")
FRONTED = ("shop.example.org",)
"""Hosts of a public domain that mean a Service: what they resolve to may be in front of it, and no object's."""
INSIDE = ("api.hello", "db.hello", "web.hello", *FRONTED)
"""Hosts that mean a Service."""
OUTSIDE = {f"{name}.example.com": f"198.51.100.{n}" for n, name in enumerate(("db", "files", "portal"), 1)}
"""Hosts of servers outside, with their addresses."""
SERVERS = ("203.0.113.1", "203.0.113.2")
"""Servers outside that have no host of their own here."""
PORTS = (443, 3306)
OWN = "240.9.9.9"
PODS = {
    f"10.244.{i}.{n}": (namespace, name) for i, namespace in enumerate(NAMESPACES) for n, name in enumerate(NAMES, 1)
}

seldom = st.integers(0, 11).map(lambda n: n == 0)
half = flags
exports = st.sampled_from((None, None, None, None, ["*"], ["."], ["data"]))
stamps = st.sampled_from([f"2026-01-01T00:00:0{n}Z" for n in range(1, 7)])

meshes = st.builds(
    Mesh,
    dns_capture=half,
    outbound_traffic_policy=st.sampled_from(("ALLOW_ANY", "ALLOW_ANY", "REGISTRY_ONLY")),
    default_service_export_to=st.sampled_from((*[("*",)] * 6, (".",))),
)


def key_of(raw: Raw) -> tuple[str, str]:
    """Namespace and name of a raw object."""
    return raw["metadata"]["namespace"], raw["metadata"]["name"]
