"""Entries that are left as they are since a repair would take a call from its callers, one world for each way."""

from typing import Any

import pytest

from dnsalias_operator.core.plan import plan
from dnsalias_operator.core.reasons import Reason
from dnsalias_operator.model.mesh import Mesh
from tests.core.test_aliases_of_one_host import snapshot
from tools import make

STANDS_FOR_WEB = {"dnsalias.io/service": "web"}
ON_3306: dict[str, Any] = {
    "ports": [make.entry_port(3306)],
    "resolution": "STATIC",
    "workloadSelector": {"labels": {"app": "web"}},
}
SELECTED = {"resolution": "STATIC", "workloadSelector": {"labels": {"app": "web"}}}


def _meta(created: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401 (fields of any type)
    return {"creationTimestamp": f"2026-01-01T00:00:{created:02}Z", **more}


def _rule(host: str, namespace: str) -> dict[str, Any]:
    tls = {"host": host, "trafficPolicy": {"tls": {"mode": "SIMPLE"}}}
    return make.manifest(make.NETWORKING, "DestinationRule", "rule", tls, namespace=namespace)


def _web(*ports: dict[str, Any], **spec: Any) -> dict[str, Any]:  # noqa: ANN401 (fields of any type)
    given = {"ip": "10.96.0.1", "selector": {"app": "web"}, "meta": _meta(5), **spec}
    return make.service("web", namespace="abc", ports=ports or None, **given)


def _entry(name: str, *hosts: str, created: int, ports: list[dict[str, Any]], **spec: Any) -> dict[str, Any]:  # noqa: ANN401 (fields of any type)
    meta = _meta(created, annotations=dict(STANDS_FOR_WEB))
    return make.foreign(name, *hosts, ports=ports, namespace="abc", meta=meta, **spec)


ONE_HOST = (
    _web(make.port(443, "any")),
    _entry("old", "web.hello", created=6, ports=[make.entry_port(443, None)], addresses=["240.9.9.9"], **SELECTED),
    _entry("new", "web.hello", created=7, ports=[make.entry_port(443, None)], resolution="DNS"),
    _rule("web.hello", "clients"),
)
"""Two entries of one host share a cluster, which has the older one's name, and a rule of one namespace's clients."""

HTTP_WITH_CAPTURE = (
    _web(make.port(3306, "https")),
    _entry("web", "web.hello", created=1, ports=[make.entry_port(3306, "HTTP", "h"), make.entry_port(443)], **SELECTED),
    _rule("web.hello", "abc"),
)
"""With DNS capture callers dial what the entry lists: at the clusterIP the Service's own TLS listener has them."""

HIDDEN_PODS = (
    make.service(
        "web", namespace="abc", clusterIP="None", selector={"app": "web"},
        meta=_meta(5, annotations={"networking.istio.io/exportTo": "."}),
    ),
    _entry("web", "web.hello", created=6, ports=[make.entry_port(443)], resolution="DNS", exportTo=["clients"]),
)  # fmt: skip
"""Clients that may only call what they see reach the pods of a headless Service by the catch-all alone."""

FOUND_BY_HOST = (
    _web(make.port(443, "any")),
    _entry("web", "web.hello", created=6, ports=[make.entry_port(443, None)], **SELECTED),
    make.entry(
        "outside", "portal.example.com", namespace="shop", ports=[make.entry_port(443, None)], location="MESH_EXTERNAL",
        addresses=["198.51.100.1"], meta=_meta(7),
    ),
)  # fmt: skip
"""Where unknown addresses are blocked, HTTP to an address that the other entry lacks is found by its Host here."""

TLS_EGRESS = make.sidecar(
    "default", namespace="abc",
    egress=[{"port": {"number": 3306, "name": "own", "protocol": "TLS"}, "hosts": ["*/*"]}],
)  # fmt: skip
TLS_BY_SIDECAR, TLS_BY_SIDECAR_INSIDE = (
    (_web(make.port(3306, "any")), TLS_EGRESS, _entry("web", host, created=6, **ON_3306))
    for host in ("web.example.org", "web.hello")
)
"""A Sidecar takes the port for TLS: its clients are served by SNI at any address, and an address would narrow that."""

ROUTED_PODS = (
    make.service("web", namespace="abc", clusterIP="None", selector={"app": "web"}, meta=_meta(5)),
    _entry("web", "web.hello", created=6, ports=[make.entry_port(443)], resolution="DNS"),
    make.manifest(
        make.NETWORKING, "VirtualService", "routes", namespace="abc",
        spec={"hosts": ["web.hello"], "tcp": [{"route": [{"destination": {"host": "canary.abc.svc.cluster.local"}}]}]},
    ),
)  # fmt: skip
"""What routes the entry's calls elsewhere applies to no call that goes on to a pod by itself."""

NAME_OF_TWO = (
    _web(make.port(3306, "any")),
    _entry("web", "web.hello", created=6, ports=[make.entry_port(443)], resolution="STATIC",
           endpoints=[{"address": "10.96.0.1"}]),
    _entry("db", "web.hello", created=7, ports=[make.entry_port(3306)], resolution="STATIC",
           addresses=["240.9.9.9"], endpoints=[{"address": "198.51.100.1"}]),
)  # fmt: skip
"""With DNS capture the name resolves to the addresses of both, and the Service has a port that the other one has."""

BEFORE_A_SERVICE = (
    {
        **_web(make.port(443, "any"), type="LoadBalancer"),
        "status": {"loadBalancer": {"ingress": [{"ip": "10.97.0.1"}]}},
    },
    _entry("web", "web.hello", created=6, ports=[make.entry_port(443, None)], resolution="NONE"),
)
"""By the entry alone the load balancer's address can be called where what is unknown is blocked, capture or not."""


@pytest.mark.parametrize(
    ("world", "name", "reason", "mesh"),
    [
        (
            BEFORE_A_SERVICE,
            "web",
            Reason.WOULD_CUT_OFF_CALLERS,
            {"dns_capture": True, "outbound_traffic_policy": "REGISTRY_ONLY"},
        ),
        (NAME_OF_TWO, "web", Reason.WOULD_CUT_OFF_CALLERS, {"dns_capture": True}),
        (ONE_HOST, "new", Reason.WOULD_CUT_OFF_CALLERS, {"dns_capture": True}),
        (HTTP_WITH_CAPTURE, "web", Reason.WOULD_CUT_OFF_CALLERS, {"dns_capture": True}),
        (HIDDEN_PODS, "web", Reason.SERVICE_HAS_NO_ADDRESS, {"outbound_traffic_policy": "REGISTRY_ONLY"}),
        (ROUTED_PODS, "web", Reason.SERVICE_HAS_NO_ADDRESS, {}),
        (FOUND_BY_HOST, "web", Reason.WOULD_CUT_OFF_CALLERS, {"outbound_traffic_policy": "REGISTRY_ONLY"}),
        (TLS_BY_SIDECAR, "web", Reason.WOULD_CUT_OFF_CALLERS, {}),
    ],
)
def test_an_entry_stays_where_its_repair_would_cost_a_call(
    world: tuple[dict[str, Any], ...], name: str, reason: Reason, mesh: dict[str, Any]
) -> None:
    """Nothing is written for it, and the reason says why; its neighbour below is repaired."""
    decided = plan(snapshot(*world), make.rules(mesh=Mesh(**mesh)))
    assert [change.key.name for change in decided.changes if change.key.name == name] == []
    assert {entry.key.name: entry.reason for entry in decided.entries}[name] == reason


@pytest.mark.parametrize(
    ("world", "name", "mesh"),
    [
        (BEFORE_A_SERVICE, "web", {"dns_capture": True}),
        (NAME_OF_TWO, "web", {}),
        (NAME_OF_TWO[:-1], "web", {"dns_capture": True}),
        (ONE_HOST[:-1], "new", {"dns_capture": True}),
        (HTTP_WITH_CAPTURE, "web", {}),
        (HIDDEN_PODS, "web", {}),
        (ROUTED_PODS[:-1], "web", {}),
        (FOUND_BY_HOST, "web", {}),
        (TLS_BY_SIDECAR_INSIDE, "web", {}),
    ],
)
def test_its_neighbour_is_repaired(world: tuple[dict[str, Any], ...], name: str, mesh: dict[str, Any]) -> None:
    """The same world without what made the difference."""
    decided = plan(snapshot(*world), make.rules(mesh=Mesh(**mesh)))
    assert name in {change.key.name for change in decided.changes}


BALANCED = {"type": "LoadBalancer"}


@pytest.mark.parametrize(("policy", "served"), [("REGISTRY_ONLY", False), ("ALLOW_ANY", True)])
def test_an_alias_leaves_an_older_entry_the_callers_of_the_balancer(policy: str, *, served: bool) -> None:
    """In its own namespace the alias takes the host from a catch-all, by which alone some address can be called."""
    balanced = {
        **_web(make.port(443)),
        "status": {"loadBalancer": {"ingress": [{"ip": "10.97.0.1"}]}},
    }
    balanced["spec"] |= BALANCED
    older = make.entry(
        "web", "web.hello", namespace="shop", meta=_meta(6), location="MESH_INTERNAL",
        endpoints=[{"address": "web.abc.svc.cluster.local"}],
    )  # fmt: skip
    alias = make.alias("web", "web.hello", "web", namespace="abc", meta=_meta(9))
    decided = plan(snapshot(balanced, older, alias), make.rules(mesh=Mesh(outbound_traffic_policy=policy)))
    ready = decided.aliases[0].conditions[-1]
    assert (ready.status == "True") is served
    assert served or (ready.reason == Reason.WOULD_SHADOW_ENTRY and "10.97.0.1" in ready.message)


@pytest.mark.parametrize(("hosts", "served"), [(["abc/other.hello"], False), (["abc/other.hello", "abc/*"], True)])
def test_an_alias_is_heard_where_it_is_resolved(hosts: list[str], *, served: bool) -> None:
    """With DNS capture a Sidecar's egress listener of the port has to import what another one of it imports."""
    egress = [{"port": {"number": 8080, "name": "own", "protocol": "HTTP"}, "hosts": hosts}, {"hosts": ["*/*"]}]
    world = (
        _web(make.port(8080, "http")),
        make.sidecar("default", namespace="shop", egress=egress),
        make.alias("web", "web.hello", "web", namespace="abc", meta=_meta(9)),
    )
    ready = plan(snapshot(*world), make.rules(mesh=Mesh(dns_capture=True))).aliases[0].conditions[-1]
    assert (ready.status == "True") is served
    assert served or ready.reason == Reason.WOULD_CUT_OFF_CALLERS


@pytest.mark.parametrize(("address", "served"), [("240.9.9.9", False), ("10.96.0.1", True)])
def test_an_alias_leaves_an_older_entry_who_dials_its_address(address: str, *, served: bool) -> None:
    """In its own namespace the alias takes the host from an entry, and with it the listener at an address of its own.

    At the clusterIP it has a listener itself.
    """
    older = make.entry(
        "web", "web.hello", namespace="shop", meta=_meta(6), location="MESH_INTERNAL", resolution="DNS",
        addresses=[address], endpoints=[{"address": "web.abc.svc.cluster.local"}],
    )  # fmt: skip
    alias = make.alias("web", "web.hello", "web", namespace="abc", meta=_meta(9))
    ready = plan(snapshot(_web(make.port(443)), older, alias), make.rules()).aliases[0].conditions[-1]
    assert (ready.status == "True") is served
    assert served or (ready.reason == Reason.WOULD_SHADOW_ENTRY and address in ready.message)


@pytest.mark.parametrize(
    ("policy", "created", "rule", "served"),
    [
        ("REGISTRY_ONLY", 1, (), False),
        ("ALLOW_ANY", 1, (), True),
        ("ALLOW_ANY", 1, (_rule("files.example.com", "abc"),), False),
        ("REGISTRY_ONLY", 12, (), True),
    ],
)
def test_an_alias_leaves_an_older_catch_all_who_has_no_other_way(
    policy: str, created: int, rule: tuple[dict[str, Any], ...], *, served: bool
) -> None:
    """In its own namespace HTTP of an alias comes before what another one's catch-all takes on the wildcard address."""
    outside = make.entry(
        "outside", "files.example.com", namespace="data", meta=_meta(created), ports=[make.entry_port(443, None)],
        location="MESH_EXTERNAL", resolution="NONE",
    )  # fmt: skip
    alias = make.alias("web", "web.hello", "web", namespace="abc", meta=_meta(9), exportTo=["."])
    world = snapshot(_web(make.port(443, "http")), outside, alias, *rule)
    ready = plan(world, make.rules(mesh=Mesh(outbound_traffic_policy=policy))).aliases[0].conditions[-1]
    assert (ready.status == "True") is served
    assert served or (ready.reason == Reason.WOULD_SHADOW_ENTRY and "data/outside" in ready.message)


MUTUAL = make.manifest(
    make.NETWORKING, "DestinationRule", "rule", namespace="abc",
    spec={"host": "web.abc.svc.cluster.local", "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}},
)  # fmt: skip


@pytest.mark.parametrize(("rule", "repaired"), [((MUTUAL,), False), ((), True)])
def test_what_no_selector_chose_gets_no_mtls_by_a_repair(rule: tuple[dict[str, Any], ...], *, repaired: bool) -> None:
    """A Service's endpoints that others list may be no pods of the mesh: its rule is not for the entry's callers."""
    world = (
        _web(make.port(443), selector={}),
        _entry("web", "web.hello", created=6, ports=[make.entry_port(443)], resolution="DNS"),
    )
    decided = plan(snapshot(*world, *rule), make.rules(mesh=Mesh(dns_capture=True)))
    assert ("web" in {change.key.name for change in decided.changes}) is repaired


def test_two_catch_alls_with_a_rule_of_one_are_both_contained_for_good() -> None:
    """What one of them is called by only since the other is contained is no reason to take that back."""
    service = _web(make.port(443), meta=_meta(3, annotations={"networking.istio.io/exportTo": "."}))
    routes = make.manifest(
        make.NETWORKING, "VirtualService", "routes", namespace="abc",
        spec={"hosts": ["db.hello"], "tcp": [{"route": [{"destination": {"host": "canary.abc.svc.cluster.local"}}]}]},
    )  # fmt: skip
    older = make.foreign(
        "old", "web.hello", ports=[make.entry_port(443)], namespace="shop", resolution="DNS",
        meta=_meta(5, annotations={"dnsalias.io/service": "abc/web"}),
    )  # fmt: skip
    younger = make.foreign(
        "db", "db.hello", ports=[make.entry_port(443)], namespace="abc", resolution="DNS",
        endpoints=[{"address": "web.abc.svc.cluster.local"}], meta=_meta(6, annotations=dict(STANDS_FOR_WEB)),
    )  # fmt: skip
    world = snapshot(service, older, younger, routes)
    changes = [c for c in plan(world, make.rules()).changes if c.after]
    written = [(c.key.name, *c.after["spec"].get("addresses", ())) for c in changes if c.after]
    assert len(written) == len(set(written)), "it goes round in a circle"
    assert all(address for _, address in written), "one of them is a catch-all again"
    assert {name for name, _ in written} == {"db", "old"}


@pytest.mark.parametrize(("rule", "repaired"), [((_rule("web.hello", "shop"),), False), ((), True)])
def test_a_rule_of_clients_who_have_no_service_keeps_its_clusterip(
    rule: tuple[dict[str, Any], ...], *, repaired: bool
) -> None:
    """There the clusterIP has no listener, and calls to it would get the TLS that is meant for the entry's host."""
    service = _web(make.port(443, "any"), meta=_meta(1, annotations={"networking.istio.io/exportTo": "abc"}))
    entry = _entry(
        "web", "web.hello", created=5, ports=[make.entry_port(443, None)], resolution="STATIC",
        endpoints=[{"address": "10.96.0.1"}],
    )  # fmt: skip
    decided = plan(snapshot(service, entry, *rule), make.rules())
    given = [change.after["spec"]["addresses"] for change in decided.changes if change.after]
    assert (["10.96.0.1"] in given) is repaired


@pytest.mark.parametrize(("rule", "repaired"), [((_rule("web.abc.svc.cluster.local", "abc"),), False), ((), True)])
def test_calls_in_plaintext_get_no_tls_by_a_repair(rule: tuple[dict[str, Any], ...], *, repaired: bool) -> None:
    """At the clusterIP the Service's listener has them, with what a DestinationRule adds to calls of the Service."""
    entry = _entry("web", "web.hello", created=6, ports=[make.entry_port(443)], resolution="DNS")
    decided = plan(snapshot(_web(make.port(443)), entry, *rule), make.rules(mesh=Mesh(dns_capture=True)))
    assert ("web" in {change.key.name for change in decided.changes}) is repaired
