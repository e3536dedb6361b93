"""Sidecar resources: which applies to a pod, what it imports, what its egress listeners make of it."""

from typing import Any

import pytest

from dnsalias_operator.core.istio.listeners import (
    Client,
    Loss,
    clients_that_matter,
    listener_at,
    listeners_on,
    outbound,
    owner_of,
    sidecar_of,
    unfollowed,
)
from dnsalias_operator.core.istio.listeners.imports import covers, imports_of
from dnsalias_operator.core.istio.listeners.rows import BLACKHOLE, PASSTHROUGH, WILDCARD
from dnsalias_operator.core.traffic.catch_all import catches_now
from dnsalias_operator.model.kinds import Object
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.serviceentry import ServiceEntry
from tests.core.listener_worlds import (
    CLIENT,
    MESH,
    NEWER,
    OLDER,
    PORT,
    VIP,
    entry,
    service,
    sidecar,
    targets,
    virtual_service,
    world,
)

ROOT = MESH.root_namespace
SVC_HOST = "svc.abc.svc.cluster.local"


def clusters(*objects: Object, client: Client = CLIENT) -> set[str]:
    """The hosts to whose clusters the client's listeners lead."""
    rows = (row for listener in outbound(world(*objects), client, MESH) for row in listener.rows)
    return {row.cluster.rpartition("|")[2] for row in rows if row.cluster and row.cluster.startswith("outbound|")}


# Which Sidecar applies.


@pytest.mark.parametrize(
    ("labels", "applies"),
    [({}, "plain"), ({"app": "a"}, "some"), ({"app": "a", "x": "y"}, "some"), ({"app": "b"}, "plain")],
)
def test_selector_goes_before_the_namespaces_own(labels: dict[str, str], applies: str) -> None:
    """Labels choose a Sidecar whatever its age; a pod that lacks one of them gets the namespace's."""
    both = sidecar(name="plain", created=OLDER), sidecar(name="some", created=NEWER, selector={"app": "a"})
    found = sidecar_of(world(*both), Client("default", labels), MESH)
    assert found is not None
    assert found.meta.name == applies


@pytest.mark.parametrize("selector", [None, {}, {"app": "a"}])
def test_oldest_of_several_applies(selector: dict[str, str] | None) -> None:
    """Of Sidecars that suit a pod alike the older applies, then the one of the smaller name; unknown age is last."""
    pod = Client("default", {"app": "a"})
    for ages, expected in (((NEWER, OLDER), "b"), ((OLDER, OLDER), "a"), ((None, NEWER), "b")):
        made = [sidecar(name=n, created=age, selector=selector) for n, age in zip("ab", ages, strict=True)]
        found = sidecar_of(world(*made), pod, MESH)
        assert found is not None
        assert found.meta.name == expected


def test_selector_without_labels_goes_before_one_that_is_unset() -> None:
    """An empty selector suits every pod, and is a selector still."""
    plain, blank = sidecar(name="plain", created=OLDER), sidecar(name="blank", created=NEWER, selector={})
    assert sidecar_of(world(plain, blank), CLIENT, MESH) == blank


def test_root_namespace_has_the_default_of_all() -> None:
    """Its Sidecar without a selector applies where a namespace has none for the pod; `.` is that namespace then."""
    root = sidecar("./*", namespace=ROOT)
    other = entry(namespace="default", hosts=["own.hello"])
    assert clusters(root, service(), other) == {"own.hello"}
    assert clusters(root, service(), other, client=Client("abc")) == {SVC_HOST}
    assert clusters(root, sidecar("abc/*"), service(), other) == {SVC_HOST}
    assert clusters(root, sidecar("abc/*", selector={"app": "a"}), service(), other) == {"own.hello"}


def test_selectors_in_the_root_namespace_are_for_its_own_pods() -> None:
    """A Sidecar with a selector is no default, not even there."""
    root = sidecar("~/*", namespace=ROOT, selector={})
    assert clusters(root, service()) == {SVC_HOST}
    assert clusters(root, service(), client=Client(ROOT)) == set()


# What is imported.

ENTRIES = (
    entry("own", namespace="default", hosts=["own.hello"]),
    entry("a", namespace="abc", hosts=["a.hello"]),
    entry("wild", namespace="abc", hosts=["*.b.hello"]),
    entry("o", namespace="other", hosts=["o.team"]),
)


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        (["*/*"], {"own.hello", "a.hello", "*.b.hello", "o.team"}),
        (["./*"], {"own.hello"}),
        (["default/*"], {"own.hello"}),
        (["abc/*"], {"a.hello", "*.b.hello"}),
        (["abc/a.hello"], {"a.hello"}),
        (["abc/o.team"], set()),
        (["./a.hello"], set()),
        (["*/a.hello"], {"a.hello"}),
        (["*/*.hello"], {"own.hello", "a.hello", "*.b.hello"}),
        (["*/*.b.hello"], {"*.b.hello"}),
        (["*/x.b.hello"], set()),
        (["*/*.x.b.hello"], set()),
        (["*/*hello"], {"own.hello", "a.hello", "*.b.hello"}),
        (["./*", "other/*"], {"own.hello", "o.team"}),
        (["~/*"], set()),
        (["*/*", "~/*"], set()),
        (["*/*", "~abc/*"], {"own.hello", "o.team"}),
        (["*/*", "~*/*.hello"], {"o.team"}),
        (["*/*", "~/a.hello"], {"own.hello", "*.b.hello", "o.team"}),
        (["*/*", "~./*"], {"a.hello", "*.b.hello", "o.team"}),
        (["abc/*", "~other/a.hello"], {"a.hello", "*.b.hello"}),
        (["abc/a.hello", "~abc/*.hello"], set()),
        (["*"], set()),
        (["abc/a.hello/x"], set()),
        (["abc/"], set()),
    ],
)
def test_hosts_tell_what_is_imported(hosts: list[str], expected: set[str]) -> None:
    """Namespace, `.` or `*` before the slash, a name or a wildcard over all of a host behind it; `~` excludes."""
    assert clusters(*(_tls(e) for e in ENTRIES), sidecar(*hosts)) == expected


def _tls(obj: Object) -> Object:
    """The entry with TLS ports, so that hosts share the wildcard listener."""
    raw = dict(obj.raw)
    raw["spec"] = {**raw["spec"], "ports": [{"number": PORT, "name": "p", "protocol": "TLS"}]}
    return type(obj).parse(raw)


@pytest.mark.parametrize(
    ("pattern", "host", "covered"),
    [
        ("*", "a", True),
        ("*", "*.a", True),
        ("*.a", "*", False),
        ("*.a", "x.a", True),
        ("*.a", "a", False),
        ("*.a", "*.x.a", True),
        ("*.x.a", "*.a", False),
        ("x.a", "*.a", False),
        ("x.a", "x.a", True),
    ],
)
def test_pattern_covers_a_host(pattern: str, host: str, covered: bool) -> None:  # noqa: FBT001
    """A wildcard covers what ends like it, and wildcards that are no wider; a name covers itself."""
    assert covers(pattern, host) is covered


@pytest.mark.parametrize(
    ("hosts", "exact"),
    [
        (("abc/a.hello",), True),
        (("abc/a.hello", "./b"), True),
        (("abc/a.hello", "~/*"), True),
        (("abc/*",), False),
        (("*/a.hello",), False),
        (("abc/a.hello", "abc/*.b"), False),
    ],
)
def test_exact_hosts_are_names_in_named_namespaces(hosts: tuple[str, ...], exact: bool) -> None:  # noqa: FBT001
    """Exclusions do not count."""
    assert imports_of(hosts, "default", MESH).exact is exact


def test_exact_hosts_bring_one_address_of_an_entry() -> None:
    """Looked up by its name, an entry of several addresses has one listener; by a wildcard all. The output says so."""
    alias = entry(addresses=["10.0.0.1", "10.0.0.2"])
    by_name, by_wildcard = sidecar("abc/svc.hello"), sidecar("abc/*")
    assert [x.binds for x in outbound(world(alias, by_name), CLIENT, MESH)] == [("10.0.0.1",)]
    assert len(outbound(world(alias, by_wildcard), CLIENT, MESH)) == 2
    assert any("several addresses" in line for line in unfollowed(world(alias, by_name), CLIENT, MESH))
    assert unfollowed(world(alias, by_wildcard), CLIENT, MESH) == ()


def test_exact_hosts_order_by_age_alone() -> None:
    """An export to a namespace by name goes first only where istiod walks through all that is exported."""
    named = entry(addresses=[VIP], created=NEWER, export_to=["default"])
    exact, wild = (f"abc/{SVC_HOST}", "abc/svc.hello"), ("abc/*",)
    for hosts, winner in ((exact, service().key), (wild, named.key)):
        found = listener_at(world(service(created=OLDER), named, sidecar(*hosts)), CLIENT, MESH, VIP, PORT)
        assert found is not None
        assert {row.owner for row in found.rows} == {winner}


def test_exact_host_is_looked_up_before_its_export() -> None:
    """The oldest entry for a host is the one that is filed; where it is not exported to the client nothing is found."""
    hidden = entry("hidden", hosts=["a.hello"], created=OLDER, export_to=["."])
    public = entry("public", hosts=["a.hello"], created=NEWER)
    assert clusters(hidden, public, sidecar("abc/a.hello")) == set()
    assert clusters(hidden, public, sidecar("abc/*")) == {"a.hello"}


def test_what_is_not_imported_does_not_contest_a_hostname() -> None:
    """Of two namespaces with one host a client gets the one that it imports, however young."""
    first = entry("first", namespace="one", created=OLDER, addresses=["10.0.0.1"])
    second = entry("second", namespace="two", created=NEWER, addresses=["10.0.0.2"])
    assert listener_at(world(first, second, sidecar("two/*")), CLIENT, MESH, "10.0.0.2", PORT) is not None
    assert listener_at(world(first, second, sidecar("*/*")), CLIENT, MESH, "10.0.0.2", PORT) is None


def test_export_still_decides() -> None:
    """A Sidecar imports only from what is exported to its namespace."""
    assert clusters(entry(export_to=["."]), sidecar("abc/*")) == set()


# The policy for unknown destinations.


@pytest.mark.parametrize(
    ("policy", "cluster"),
    [
        (None, PASSTHROUGH),
        ({"mode": "ALLOW_ANY"}, PASSTHROUGH),
        ({"mode": "REGISTRY_ONLY"}, BLACKHOLE),
        ({}, BLACKHOLE),
        (
            {"mode": "ALLOW_ANY", "egressProxy": {"host": "proxy.x", "subset": "s", "port": {"number": 3128}}},
            "outbound|3128|s|proxy.x",
        ),
        ({"mode": "REGISTRY_ONLY", "egressProxy": {"host": "proxy.x", "port": {"number": 3128}}}, BLACKHOLE),
    ],
)
def test_policy_of_the_sidecar_goes_before_the_meshs(policy: dict[str, object] | None, cluster: str) -> None:
    """A policy without a mode is REGISTRY_ONLY; an egress proxy takes what ALLOW_ANY lets through."""
    told = sidecar("*/*", spec={} if policy is None else {"outboundTrafficPolicy": policy})
    (listener,) = outbound(world(entry(protocol="TLS"), told), CLIENT, MESH)
    assert ("default", cluster) in targets(listener.rows)


def test_sidecar_with_only_a_policy_imports_everything() -> None:
    """Without egress listeners there is one for everything."""
    told = sidecar(egress=[], spec={"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}})
    (listener,) = outbound(world(entry(protocol="TLS"), told), CLIENT, MESH)
    assert ("default", BLACKHOLE) in targets(listener.rows)


# Egress listeners with a port or a bind address.


def listener(number: int = PORT, protocol: str = "TCP", *hosts: str, **fields: str) -> dict[str, object]:
    """An egress listener with a port of its own."""
    return {"port": {"number": number, "protocol": protocol, "name": "p"}, "hosts": [*(hosts or ("*/*",))], **fields}


def test_port_takes_services_for_its_own_protocol() -> None:
    """An HTTP Service on an egress listener of protocol TCP is bound at its address like any TCP one."""
    snapshot = world(service(protocol="http"), sidecar(egress=[listener()]))
    assert [x.binds for x in outbound(snapshot, CLIENT, MESH)] == [(VIP,)]


def test_port_makes_a_headless_service_a_catch_all() -> None:
    """There istiod knows no endpoints and binds the wildcard: with TCP every connection to the port is taken."""
    headless = service(ips=[], spec={"clusterIP": "None", "clusterIPs": ["None"]})
    (found,) = outbound(world(headless, sidecar(egress=[listener()])), CLIENT, MESH)
    assert found.binds == (WILDCARD,)
    assert targets(found.rows) == {("", f"outbound|{PORT}||{SVC_HOST}")}
    assert outbound(world(headless), CLIENT, MESH) == ()


def test_without_a_listener_for_the_rest_other_ports_have_none() -> None:
    """An egress listener with a port is for that port alone, and leaves out services that do not have it."""
    snapshot = world(service(), service("far", port=80, ips=["10.96.0.11"]), sidecar(egress=[listener()]))
    assert [(x.binds, x.port) for x in outbound(snapshot, CLIENT, MESH)] == [((VIP,), PORT)]


def test_rest_adds_nothing_to_a_socket_of_an_earlier_listener() -> None:
    """What the listener with the port has opened is locked; the listener for all ports only opens others."""
    first = entry("first", namespace="one", hosts=["a.hello"])
    second, third = entry("second", hosts=["b.hello"]), entry("third", hosts=["c.hello"], addresses=[VIP])
    told = sidecar(egress=[listener(PORT, "TCP", "one/*"), {"hosts": ["*/*"]}])
    shared, own = listeners_on(world(first, second, third, told), CLIENT, MESH, PORT)
    assert shared.binds == (WILDCARD,)
    assert {row.owner for row in shared.rows} == {first.key}
    assert shared.lost == (Loss(second.key, PORT, WILDCARD, first.key),)
    assert own.binds == (VIP,)


@pytest.mark.parametrize(
    ("fields", "bind"),
    [
        ({"bind": "10.9.9.9"}, "10.9.9.9"),
        ({"captureMode": "NONE"}, "127.0.0.1"),
        ({"bind": "1.2.3.4", "captureMode": "NONE"}, "1.2.3.4"),
    ],
)
@pytest.mark.parametrize("protocol", ["tcp", "http", "tls", "x"])
def test_bind_is_that_of_every_service(protocol: str, fields: dict[str, str], bind: str) -> None:
    """A bind address, or the loopback one where traffic is not captured, replaces the services' own."""
    told = sidecar(egress=[{"hosts": ["*/*"], **fields}])
    snapshot = world(service(protocol=protocol), told)
    assert [x.binds for x in outbound(snapshot, CLIENT, MESH)] == [(bind,)]
    assert listener_at(snapshot, CLIENT, MESH, bind, PORT) is not None
    assert listener_at(snapshot, CLIENT, MESH, VIP, PORT) is None


def test_http_on_a_bound_address_takes_every_byte() -> None:
    """On an address that is not the wildcard there is no fall-through beside HTTP."""
    (found,) = outbound(world(service(), sidecar(egress=[listener(PORT, "HTTP", bind="127.0.0.1")])), CLIENT, MESH)
    assert targets(found.rows) == {("", f"route {PORT}")}


def test_http_proxy_port_serves_services_without_that_port() -> None:
    """A generic HTTP proxy is opened as soon as anything is imported, whatever its ports."""
    told = sidecar(egress=[listener(3128, "HTTP_PROXY", "abc/*", bind="127.0.0.1")])
    assert [(x.binds, x.port) for x in outbound(world(service(), told), CLIENT, MESH)] == [(("127.0.0.1",), 3128)]
    assert listener_at(world(service(), told), CLIENT, MESH, "127.0.0.1", 3128) is not None
    assert outbound(world(service(namespace="other"), told), CLIENT, MESH) == ()


@pytest.mark.parametrize(("bind", "expected"), [(WILDCARD, []), ("127.0.0.1", ["127.0.0.1"]), ("", [VIP])])
def test_wildcard_bind_keeps_off_the_sidecars_own_ports(bind: str, expected: list[str]) -> None:
    """A listener of the sidecar's own is never hidden, whatever the protocol."""
    told = sidecar(egress=[{"hosts": ["*/*"], "bind": bind}])
    found = outbound(world(service(port=15006), told), CLIENT, MESH)
    assert [x.binds[0] for x in found] == expected


def test_tls_for_a_network_keeps_its_sni_on_a_bound_address() -> None:
    """The CIDR match is gone where a bind address is given, the SNI match is not."""
    told = sidecar(egress=[{"hosts": ["*/*"], "bind": "10.9.9.9"}])
    net = entry(protocol="TLS", addresses=["10.0.0.0/8"], resolution="STATIC")
    (found,) = outbound(world(net, told), CLIENT, MESH)
    assert targets(found.rows) == {("svc.hello", "outbound|443||svc.hello"), ("default", PASSTHROUGH)}


def test_unix_socket_is_not_modelled_and_said_so() -> None:
    """No connection to an address reaches it."""
    told = sidecar(egress=[{"port": {"number": 0, "protocol": "TCP"}, "bind": "unix:///x", "hosts": ["*/*"]}])
    assert outbound(world(service(), told), CLIENT, MESH) == ()
    assert unfollowed(world(service(), told), CLIENT, MESH) == (
        "Sidecar default/default has an egress listener on unix:///x",
    )


def test_listener_that_binds_for_real_is_told() -> None:
    """Whether the pod may bind a privileged port, or has the address, is not known."""
    told = sidecar(egress=[{"hosts": ["*/*"], "captureMode": "NONE"}])
    (line,) = unfollowed(world(service(), told), CLIENT, MESH)
    assert "must be able to bind 127.0.0.1" in line


# Dual-stack pods.

PODS, DUAL = Mesh(dual_stack=True), Mesh(dual_stack=True, istio_dual_stack=True)


@pytest.mark.parametrize(
    ("obj", "mesh", "binds"),
    [
        (service(ips=[VIP, "fd00::10"]), DUAL, [(VIP, "fd00::10")]),
        (service(ips=["fd00::10", VIP]), DUAL, [("fd00::10", VIP)]),
        (service(ips=["fd00::10"]), DUAL, [("fd00::10",)]),
        (service(ips=[VIP, "fd00::10"]), PODS, [(VIP,)]),
        (service(ips=["fd00::10", VIP]), PODS, [("fd00::10",)]),
        (service(protocol="http"), PODS, [(WILDCARD, "::")]),
        (entry(), PODS, [(WILDCARD, "::")]),
        (service(protocol="http"), DUAL, [(WILDCARD, "::")]),
        (entry(), DUAL, [(WILDCARD, "::")]),
        (entry(addresses=[WILDCARD]), DUAL, [(WILDCARD, "::")]),
        (entry(addresses=[VIP, "fd00::10"]), DUAL, [(VIP,), ("fd00::10",)]),
        (entry(addresses=["10.0.0.0/8"], resolution="STATIC"), DUAL, [(WILDCARD, "::")]),
        (entry(allocated={"svc.hello": "240.240.0.9"}), DUAL, [(WILDCARD, "::")]),
        (
            entry(spec={"endpoints": [{"address": "10.1.1.1"}]}, resolution="NONE"),
            DUAL,
            [("10.1.1.1",)],
        ),
    ],
)
def test_dual_stack_pod_binds_both_families(obj: Object, mesh: Mesh, binds: list[tuple[str, ...]]) -> None:
    """A Service has one listener for all addresses if istiod is told so, an entry never; wildcards are of both."""
    snapshot = world(obj)
    assert [x.binds for x in outbound(snapshot, CLIENT, mesh)] == binds
    for bind in (b for both in binds for b in both):
        found = listener_at(snapshot, CLIENT, mesh, bind, PORT)
        assert found is not None
        assert owner_of(snapshot, CLIENT, mesh, bind, PORT) == found.rows
        assert {row.bind for row in found.every_row} == set(found.binds)


def test_allocated_addresses_of_both_families_share_a_listener() -> None:
    """With DNS capture a dual-stack pod has the IPv4 address first, and one of IPv6 alone where there is no other."""
    capture = DUAL.model_copy(update={"dns_capture": True})
    both = [{"host": "svc.hello", "value": value} for value in ("2001:2::9", "240.240.0.9")]
    for values, binds in ((both, ("240.240.0.9", "2001:2::9")), (both[:1], ("2001:2::9",))):
        raw = {**entry().raw, "status": {"addresses": values}}
        assert [x.binds for x in outbound(world(ServiceEntry.parse(raw)), CLIENT, capture)] == [binds]


def test_listener_keeps_the_addresses_of_whoever_opened_it() -> None:
    """A younger Service that joins by its first address brings no further ones."""
    alias = entry(addresses=[VIP], created=OLDER)
    (found,) = outbound(world(alias, service(ips=[VIP, "fd00::10"], created=NEWER)), CLIENT, DUAL)
    assert found.binds == (VIP,)


# ExternalName Services.


def external(name: str, to: str, namespace: str = "abc") -> Object:
    """An ExternalName Service."""
    return service(name, namespace=namespace, ips=[], spec={"type": "ExternalName", "externalName": to})


def test_external_names_join_the_sni_match() -> None:
    """Their names, in every form that the client may use, lead to the entry; also over another of their kind."""
    first, second = external("ext", "svc.hello"), external("far", "ext.abc.svc.cluster.local", "default")
    (found,) = outbound(world(entry(protocol="TLS"), first, second), CLIENT, MESH)
    (row,) = (r for r in found.rows if not r.default)
    full = {f"{n}.svc.cluster.local{dot}" for n in ("ext.abc", "far.default") for dot in ("", ".")}
    assert set(row.sni) == {"svc.hello", *full, "ext.abc", "ext.abc.svc", "far", "far.default", "far.default.svc"}


def test_external_name_counts_as_far_as_it_is_imported() -> None:
    """The hosts that import the entry must match the alias's name too; its own export does not matter."""
    objects = entry(protocol="TLS"), external("ext", "svc.hello")
    for hosts, names in ((["abc/*"], 5), (["abc/svc.hello"], 1), (["*/*.hello"], 1)):
        (found,) = outbound(world(*objects, sidecar(*hosts)), CLIENT, MESH)
        (row,) = (r for r in found.rows if not r.default)
        assert len(row.sni) == names


def test_external_names_in_a_ring_are_nobodys() -> None:
    """A ring of aliases ends nowhere, and an alias's own name is the end of nothing."""
    host = "a.abc.svc.cluster.local"
    ring = external("a", "b.abc.svc.cluster.local"), external("b", host)
    squatter = entry(protocol="TLS", hosts=[host])
    for obj in (r for x in outbound(world(*ring, squatter), CLIENT, MESH) for r in x.rows if not r.default):
        assert obj.sni == (host,)


# VirtualServices.

ROUTE = {"route": [{"destination": {"host": "x"}}]}


@pytest.mark.parametrize(
    ("protocol", "spec", "told"),
    [
        ("tcp", {"tcp": [ROUTE]}, True),
        ("x", {"tcp": [ROUTE]}, True),
        ("tls", {"tls": [{**ROUTE, "match": [{"sniHosts": ["a"]}]}]}, True),
        ("tcp", {"tcp": [{**ROUTE, "match": [{"port": PORT}]}]}, True),
        ("tcp", {"tcp": [{**ROUTE, "match": [{"port": 80}]}]}, False),
        ("tls", {"tcp": [ROUTE]}, False),
        ("tcp", {"tls": [{**ROUTE, "match": [{"sniHosts": ["a"]}]}]}, False),
        ("http", {"tcp": [ROUTE]}, False),
        ("tcp", {"http": [ROUTE]}, False),
        ("tcp", {"tcp": [{}]}, False),
        ("tcp", {"tcp": [ROUTE], "gateways": ["abc/gate"]}, False),
        ("tcp", {"tcp": [ROUTE], "gateways": ["abc/gate", "mesh"]}, True),
        ("tcp", {"tcp": [{**ROUTE, "match": [{"gateways": ["abc/gate"]}]}]}, False),
        ("tcp", {"tcp": [ROUTE], "exportTo": ["."]}, False),
        ("tcp", {"tcp": [ROUTE], "exportTo": ["default"]}, True),
        ("tcp", {"tcp": [ROUTE], "exportTo": ["~"]}, False),
    ],
)
@pytest.mark.parametrize("host", ["svc", SVC_HOST, "*.abc.svc.cluster.local"])
def test_routes_of_a_virtual_service_are_told(protocol: str, spec: dict[str, Any], host: str, told: bool) -> None:  # noqa: FBT001
    """Where a VirtualService of the mesh routes a stream port that the client has, the output says that it does."""
    snapshot = world(service(protocol=protocol), virtual_service(host, **spec))
    for port in (None, PORT):
        found = unfollowed(snapshot, CLIENT, MESH, port)
        assert [f"port {PORT}" in line for line in found] == ([True] if told else [])
    assert unfollowed(snapshot, CLIENT, MESH, 80) == ()


def test_virtual_service_that_is_not_imported_is_not_told() -> None:
    """A Sidecar leaves VirtualServices out as it does services."""
    routed = service(), virtual_service("svc", namespace="abc", tcp=[ROUTE])
    assert unfollowed(world(*routed, sidecar("abc/*")), CLIENT, MESH)
    assert unfollowed(world(*routed, sidecar("~/*")), CLIENT, MESH) == ()


# Who can differ, and who is reached.


def test_one_client_stands_for_sidecars_that_import_the_same() -> None:
    """Namespaces of others with Sidecars of one form are one class; those that import none of it are left out."""
    alike = [sidecar("./*", "abc/*", namespace=n) for n in ("one", "two", "three")]
    snapshot = world(service(), *alike, sidecar("./*", namespace="blind"), sidecar("*/*", namespace="wide"))
    assert [c.namespace for c in clients_that_matter(snapshot, MESH, PORT)] == ["any-other", "one", "wide"]


def test_pods_that_a_sidecar_chooses_are_clients_of_their_own() -> None:
    """Beside a namespace's other pods; a Sidecar that an older one keeps from ever applying has none."""
    some = sidecar("./*", name="some", namespace="abc", selector={"app": "a"})
    never = sidecar("*/*", name="never", namespace="abc", selector={"app": "a", "x": "y"}, created=NEWER)
    found = clients_that_matter(world(service(), some, never), MESH, PORT)
    assert [(c.namespace, dict(c.labels)) for c in found] == [("abc", {}), ("abc", {"app": "a"}), ("any-other", {})]


def test_owner_matters_where_the_root_sidecar_says_own() -> None:
    """Under `./*` for all a namespace sees what it owns and others do not."""
    found = clients_that_matter(world(service(), sidecar("./*", namespace=ROOT)), MESH, PORT)
    assert "abc" in {c.namespace for c in found}


@pytest.mark.parametrize(
    ("sidecars", "export_to", "reached"),
    [
        ((), [], "every namespace"),
        ((), ["one"], "namespace one"),
        ((), ["."], "namespace abc"),
        ((("one", ["./*"]), ("two", ["~/*"])), [], "every namespace but one, two"),
        ((("one", ["abc/*"]), ("two", ["~/*"])), [], "every namespace but two"),
        (((ROOT, ["./*"]),), [], "namespace abc"),
        (((ROOT, ["./*"]), ("one", ["*/svc.hello"])), [], "namespaces abc, one"),
        (((ROOT, ["~/*"]), ("abc", ["~/*"])), [], "no namespace"),
    ],
)
def test_catch_all_reaches_namespaces_by_their_sidecars(
    sidecars: tuple[tuple[str, list[str]], ...], export_to: list[str], reached: str
) -> None:
    """The blast radius is told by name: those that are hit, or all but those that are not."""
    alias = entry(export_to=export_to)
    snapshot = world(alias, *(sidecar(*hosts, namespace=namespace) for namespace, hosts in sidecars))
    assert str(catches_now(snapshot, alias, MESH, PORT)) == reached
