"""Worlds beside the scenarios: entries of what is outside the mesh, SNI, shared addresses, ambient clients."""

from typing import Any

from tests.core.remedies.bench import settle
from tests.scenarios.scenario import Raw, Scenario
from tests.scenarios.simulated import Cluster
from tools import make

CAPTURE: dict[str, Any] = {"dns_capture": True}
REGISTRY_ONLY: dict[str, Any] = {"outbound_traffic_policy": "REGISTRY_ONLY"}
IN_CARE = {"dnsalias.io/repair": "true"}


def _world(about: str, *objects: Raw, then: Raw | None = None, **settings: Any) -> Scenario:  # noqa: ANN401 (any type)
    """A world; what is created ``then`` comes to what the operator has made of it."""
    steps = [{"about": "later", "do": [{"create": then}], "expect": {"changes": []}}] if then else []
    return Scenario.model_validate(
        {
            "about": about,
            "objects": list(objects),
            "expect": {"changes": []},
            "steps": steps,
            "settings": {"foreign_entries": "patch", **settings},
        }
    )


def _outside(port: int, resolution: str, annotations: dict[str, str] | None = None) -> Raw:
    ports = [make.entry_port(port)]
    return make.entry(
        "db",
        "db.external.example.com",
        ports=ports,
        resolution=resolution,
        namespace="shop",
        meta={"annotations": annotations or {}},
        location="MESH_EXTERNAL",
    )


def _gateway() -> Raw:
    return make.service("gateway", namespace="edge", ip="10.96.9.1", selector={"app": "gateway"})


def _sni(*more: Raw) -> Raw:
    ports = [make.entry_port(443, "TLS", "https"), *more]
    endpoints = [{"address": "gateway.edge.svc.cluster.local"}]
    return make.foreign("portal", "portal.corp.example", ports=ports, namespace="edge", endpoints=endpoints)


def _database(namespace: str, host: str) -> Raw:
    return make.entry(
        "db",
        host,
        ports=[make.entry_port(3306)],
        namespace=namespace,
        location="MESH_EXTERNAL",
        addresses=["203.0.113.200"],
    )


AMBIENT = make.manifest("v1", "Namespace", "amb", None, meta={"labels": {"istio.io/dataplane-mode": "ambient"}})
OLD = make.service("old", namespace="side", ip="10.96.8.1", ports=[make.port(7000)], selector={"app": "old"})
SHARING = make.entry(
    "steal",
    "steal.hello",
    namespace="side",
    ports=[make.entry_port(7000)],
    resolution="STATIC",
    addresses=["10.96.8.1"],
    location="MESH_INTERNAL",
    workloadSelector={"labels": {"app": "old"}},
)


IN_AMBIENT = make.service("pay", namespace="amb", ip="10.96.8.7", ports=[make.port(7000)], selector={"app": "pay"})
WAYPOINT = {"istio.io/use-waypoint": "way", "istio.io/use-waypoint-namespace": "gates"}
STRICT = make.manifest(
    "security.istio.io/v1", "PeerAuthentication", "strict", {"mtls": {"mode": "STRICT"}}, namespace="amb"
)


def _mine(name: str, address: str) -> Raw:
    """An entry of a server outside."""
    return make.entry(
        name,
        f"{name}.hello",
        namespace="side",
        ports=[make.entry_port(7000 if name == "one" else 7001)],
        resolution="STATIC",
        addresses=[address],
        endpoints=[{"address": f"192.0.2.{len(name)}"}],
    )


def _selecting(name: str, namespace: str, address: str) -> Raw:
    """An entry of the pods of `IN_AMBIENT`, if it is in their namespace."""
    return make.entry(
        name,
        f"{name}.hello",
        namespace=namespace,
        ports=[make.entry_port(7000)],
        resolution="STATIC",
        location="MESH_INTERNAL",
        addresses=[address],
        workloadSelector={"labels": {"app": "pay"}},
    )


def _of_old(name: str, host: str = "old.hello", note: dict[str, str] | None = None, **spec: Any) -> Raw:  # noqa: ANN401 (any JSON)
    led = {"endpoints": [{"address": "old.side.svc.cluster.local"}], "ports": [make.entry_port(7000)]}
    return make.foreign(name, host, namespace="side", meta={"annotations": note or {}}, **{**led, **spec})


def _leading(name: str, port: Raw, service: str) -> Raw:
    endpoints = [{"address": f"{service}.side.svc.cluster.local"}]
    return make.entry(name, f"{name}.hello", namespace="other", ports=[port], endpoints=endpoints)


WORLDS: dict[str, Scenario] = {
    "outside, none": _world("Keeps the destination.", _outside(3306, "NONE", IN_CARE)),
    "outside, none, with capture": _world("The sidecar answers names.", _outside(3306, "NONE", IN_CARE), **CAPTURE),
    "outside, DNS": _world("A database outside.", _outside(5432, "DNS", IN_CARE)),
    "outside, DNS, registry only": _world("Nothing else leaves.", _outside(5432, "DNS", IN_CARE), **REGISTRY_ONLY),
    "outside, not in care": _world("Nobody asked.", _outside(5432, "DNS")),
    "SNI": _world("Told apart by SNI.", _gateway(), _sni()),
    "SNI beside bytes": _world(
        "An address would narrow the SNI port.", _gateway(), _sni(make.entry_port(9000, "TCP", "tcp"))
    ),
    "two entries, one address": _world(
        "Both list it.", _database("app", "a.db.example"), _database("shop", "b.db.example")
    ),
    "TLS of an HTTP Service": _world(
        "The entry's port is HTTPS and the Service's HTTP.",
        make.service("web", namespace="cd", ip="10.96.7.1", ports=[make.port(443, "http")], selector={"app": "web"}),
        make.foreign("web", "web.tools.example", namespace="cd", ports=[make.entry_port(443, "HTTPS")]),
    ),
    "a Service's own name": _world(
        "An entry has the name of a Service of another namespace.",
        make.service("bin", namespace="bar", ip="10.96.7.2", ports=[make.port(80, "http")], selector={"app": "bin"}),
        make.entry("evil", "bin.bar.svc.cluster.local", namespace="one", ports=[make.entry_port(80, "HTTP")]),
    ),
    "ambient clients": _world("A clusterIP is shared.", AMBIENT, OLD, SHARING),
    "ambient: two entries on one address": _world(
        "Nobody knows which one answers.", AMBIENT, OLD, _mine("one", "203.0.113.7"), _mine("two", "203.0.113.7")
    ),
    "ambient: a prefix": _world("Whatever it holds is reset.", AMBIENT, OLD, _mine("wide", "198.51.100.0/24")),
    "ambient: a Service's own name": _world(
        "Pods of its namespace are led to it.",
        AMBIENT,
        OLD,
        make.entry(
            "named",
            "old.side.svc.cluster.local",
            namespace="amb",
            ports=[make.entry_port(7000)],
            resolution="STATIC",
            location="MESH_INTERNAL",
            addresses=["203.0.113.9"],
            endpoints=[{"address": "192.0.2.9"}],
        ),
    ),
    "ambient: a Service as endpoint": _world(
        "It is called without its tunnel, from its own namespace and from another one.",
        AMBIENT,
        STRICT,
        IN_AMBIENT,
        *(
            make.entry(
                name,
                f"{name}.hello",
                namespace=namespace,
                ports=[make.entry_port(7000)],
                location="MESH_INTERNAL",
                addresses=[address],
                endpoints=[{"address": "pay.amb.svc.cluster.local"}],
            )
            for name, namespace, address in (("near", "amb", "203.0.113.11"), ("far", "other", "203.0.113.12"))
        ),
    ),
    "ambient: a selector of another namespace": _world(
        "It selects nobody.", AMBIENT, IN_AMBIENT, _selecting("away", "other", "203.0.113.13")
    ),
    "ambient: a waypoint": _world(
        "The Service has one, the entry has not.",
        AMBIENT,
        {**IN_AMBIENT, "metadata": {**IN_AMBIENT["metadata"], "labels": WAYPOINT}},
        _selecting("past", "amb", "203.0.113.14"),
    ),
    "ambient: a policy of the Service": _world(
        "Its waypoint would let the entry's calls through.",
        AMBIENT,
        IN_AMBIENT,
        _selecting("through", "amb", "203.0.113.15"),
        make.manifest(
            "security.istio.io/v1",
            "AuthorizationPolicy",
            "only-some",
            {"targetRefs": [{"group": "", "kind": "Service", "name": "pay"}], "rules": [{}]},
            namespace="amb",
        ),
    ),
    "an entry that is opted out": _world(
        "Its owner wants no repair.",
        OLD,
        make.foreign(
            "old",
            "old.hello",
            namespace="side",
            ports=[make.entry_port(7000)],
            meta={"annotations": {"dnsalias.io/repair": "false"}},
        ),
    ),
    "a stale address where nothing is repaired": _world(
        "The operator leaves the namespace alone.",
        OLD,
        _of_old("old", addresses=["10.96.8.200"]),
        repair_skip_namespaces=["side"],
    ),
    "both addresses of a dual-stack Service": _world(
        "Envoy gets one listener twice.",
        make.service("dual", namespace="side", ports=[make.port(80)], clusterIPs=["10.96.8.2", "fd00:10:96::2"]),
        make.entry(
            "dual",
            "dual.hello",
            namespace="side",
            ports=[make.entry_port(80, "TCP")],
            addresses=["10.96.8.2", "fd00:10:96::2"],
        ),
        dual_stack=True,
        istio_dual_stack=True,
    ),
    "ambient clients come": _world("The entry has the clusterIP from us.", OLD, _of_old("old"), then=AMBIENT),
    "a rule of the entry's host": _world(
        "It would not apply at the clusterIP.",
        OLD,
        _of_old("old", host="old.example.com", note={"dnsalias.io/service": "old"}),
        make.manifest(
            "networking.istio.io/v1",
            "DestinationRule",
            "old",
            {"host": "old.example.com", "trafficPolicy": {"tls": {"mode": "SIMPLE"}}},
            namespace="side",
        ),
    ),
    "callers who are led elsewhere": _world(
        "They would be led to the Service.",
        OLD,
        _of_old("old", note={"dnsalias.io/service": "old"}, endpoints=[{"address": "192.0.2.9"}]),
        **CAPTURE,
    ),
    "a public host": _world(
        "Its clients dial what nobody knows.",
        OLD,
        _of_old("old", host="old.example.com", note={"dnsalias.io/service": "old"}),
    ),
    "ports that the Service lacks and another entry has": _world(
        "The Service would take the port from that entry.",
        OLD,
        make.entry(
            "has",
            "has.hello",
            namespace="side",
            ports=[make.entry_port(7100)],
            resolution="STATIC",
            addresses=["10.96.8.1"],
            endpoints=[{"address": "192.0.2.9"}],
        ),
        _leading("same", make.entry_port(7000, "HTTP", targetPort=7100), "old"),
        _leading("other", make.entry_port(7200, "HTTP", targetPort=7100), "old"),
    ),
    "a Service without a TCP port": _world(
        "It has none to lead to.",
        make.service("dns", namespace="side", ip="10.96.8.5", ports=[{**make.port(53, "dns"), "protocol": "UDP"}]),
        _leading("dns", make.entry_port(5353, "HTTP", targetPort=5300), "dns"),
    ),
    "an alias of a proxy": _world(
        "No other port is left.",
        make.service("squid", namespace="side", ip="10.96.8.3", ports=[make.port(3128, "p", appProtocol="http_proxy")]),
        make.alias("squid", "squid.hello", "squid", namespace="side"),
    ),
    "an alias of two ports, one streamed": _world(
        "The other port is left.",
        make.service("web", namespace="side", ip="10.96.8.4", ports=[make.port(80, "http"), make.port(81, "http-too")]),
        make.sidecar(
            "default",
            namespace="other",
            egress=[{"port": {"number": 80, "protocol": "TCP", "name": "s"}, "hosts": ["side/*"]}, {"hosts": ["*/*"]}],
        ),
        make.alias("web", "web.hello", "web", namespace="side"),
        containment=False,
    ),
    "an alias of two ports, one taken": _world(
        "An older entry of another namespace has one of them.",
        make.entry("first", "web.hello", namespace="other", ports=[make.entry_port(80)], addresses=["240.1.0.1"]),
        make.service("web", namespace="side", ip="10.96.8.4", ports=[make.port(80, "http"), make.port(81, "http-too")]),
        make.alias("web", "web.hello", "web", namespace="side"),
    ),
    "a private alias by the settings": _world(
        "It has an HTTP port too.",
        make.service("web", namespace="side", ip="10.96.8.4", ports=[make.port(80, "http"), make.port(81)]),
        make.alias("web", "web.near.hello", "web", namespace="side"),
        host_rules=[{"suffixes": ["near.hello"], "namespaces": ["*"], "export_to": ["."]}],
    ),
}


def begun(world: Scenario) -> Cluster:
    """The cluster of a world here."""
    cluster = Cluster(world)
    for step in world.steps:
        settle(cluster, world.rules)
        for done in step.do:
            cluster.do(done)
    return cluster
