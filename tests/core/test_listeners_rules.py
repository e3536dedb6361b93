"""Rules of istiod's source beyond the tables: order, visibility, addresses, conflicts, what is asked and answered."""

import pytest

from dnsalias_operator.core.istio.listeners import (
    Client,
    Loss,
    clients_that_matter,
    listener_at,
    listeners_on,
    outbound,
    owner_of,
    sees,
)
from dnsalias_operator.core.istio.listeners.rows import BLACKHOLE, PASSTHROUGH, WILDCARD
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from tests.core.listener_worlds import (
    CLIENT,
    ELSEWHERE,
    MESH,
    NEWER,
    OLDER,
    PORT,
    VIP,
    entry,
    service,
    takers,
    targets,
    world,
)

CAPTURE = Mesh(dns_capture=True)
ALIAS, SVC = ("alias", "alias"), ("svc", "svc")


def binds(*objects: Service | ServiceEntry, mesh: Mesh = MESH, client: Client = CLIENT) -> list[str]:
    """The bind addresses of all listeners in a world of those objects."""
    return [listener.binds[0] for listener in outbound(world(*objects), client, mesh)]


# Order.


@pytest.mark.parametrize(
    ("alias_host", "winner"), [("a.hello", ALIAS), ("svc", SVC), ("svc.hello", SVC), ("z.hello", SVC)]
)
def test_tie_of_age_compares_host_with_metadata_name(alias_host: str, winner: tuple[str, str]) -> None:
    """Created in the same second, the smaller of the entry's host and the Service's metadata.name goes first."""
    alias = entry(hosts=[alias_host], addresses=[VIP], created=OLDER)
    assert takers(world(service("svc", created=OLDER), alias), VIP) == winner


@pytest.mark.parametrize(("namespace", "winner"), [("aaa", ALIAS), ("zzz", SVC)])
def test_tie_of_age_and_name_compares_namespaces(namespace: str, winner: tuple[str, str]) -> None:
    """Created in the same second under the same name, the smaller namespace goes first."""
    alias = entry(hosts=["svc"], addresses=[VIP], created=OLDER, namespace=namespace)
    assert takers(world(service("svc", created=OLDER), alias), VIP) == winner


def test_unknown_age_is_the_youngest() -> None:
    """An object that was never applied loses to any that was."""
    assert takers(world(service(created=OLDER), entry(addresses=[VIP], created=None)), VIP) == SVC
    assert takers(world(service(created=None), entry(addresses=[VIP], created=NEWER)), VIP) == ALIAS


# Visibility.


@pytest.mark.parametrize(
    ("export_to", "seen_from"),
    [
        ([], {"abc", "default", "elsewhere"}),
        (["*"], {"abc", "default", "elsewhere"}),
        (["."], {"abc"}),
        (["~"], set()),
        (["default"], {"default"}),
        (["abc"], {"abc"}),
        ([".", "default"], {"abc", "default"}),
        (["~", "default"], set()),
        (["*", "~"], {"abc", "default", "elsewhere"}),
        (["Not A Name"], set()),
    ],
)
def test_export_to_decides_who_sees(export_to: list[str], seen_from: set[str]) -> None:
    """`*` beats `~`, `~` beats names, `.` is the object's own namespace, what is no namespace matches nobody."""
    for obj in (entry(export_to=export_to), service(export_to=" , ".join(export_to))):
        assert {ns for ns in ("abc", "default", "elsewhere") if sees(obj, ns, MESH)} == seen_from


@pytest.mark.parametrize(
    ("annotation", "seen_from"),
    [(None, ["abc"]), ("", ["abc"]), (",", []), (" ", [])],
    ids=["unset", "empty", ",", "blank"],
)
def test_annotation_without_a_name_hides_unless_empty(annotation: str | None, seen_from: list[str]) -> None:
    """An empty annotation is none at all, one of commas and blanks is a list that matches nobody."""
    assert [ns for ns in ("abc",) if sees(service(export_to=annotation), ns, MESH)] == seen_from


def test_default_export_of_the_mesh_applies_where_none_is_stated() -> None:
    """The mesh's default stands in for Services and entries without their own; an empty one means public."""
    private = Mesh(default_service_export_to=(".",))
    for obj in (service(), entry()):
        assert not sees(obj, "default", private)
        assert sees(obj, "abc", private)
        assert sees(obj, "default", Mesh(default_service_export_to=()))
    assert sees(entry(export_to=["*"]), "default", private)


# One namespace per hostname.


def test_hostname_in_two_namespaces_belongs_to_the_older() -> None:
    """Of two namespaces with one host only the older's entry exists for third parties, even on other ports."""
    first = entry("first", namespace="one", created=OLDER, port=80, addresses=["10.0.0.1"])
    second = entry("second", namespace="two", created=NEWER, port=443, addresses=["10.0.0.2"])
    assert binds(first, second) == ["10.0.0.1"]


def test_hostname_in_the_clients_own_namespace_wins() -> None:
    """A client gets its own namespace's entry for a host although another one is older."""
    first = entry("first", namespace="one", created=OLDER, addresses=["10.0.0.1"])
    own = entry("own", namespace="default", created=NEWER, addresses=["10.0.0.2"])
    assert binds(first, own) == ["10.0.0.2"]


def test_service_takes_its_hostname_from_older_squatters_elsewhere() -> None:
    """A Service's full name belongs to the Service, unless the client's own namespace has an entry for it."""
    squatter = entry(
        "squatter", namespace="bad", hosts=["svc.abc.svc.cluster.local"], created=OLDER, addresses=["10.0.0.1"]
    )
    real = service(created=NEWER)
    assert binds(squatter, real) == [VIP]
    assert binds(squatter, real, client=Client("bad")) == ["10.0.0.1"]


def test_invisible_entry_does_not_contest_a_hostname() -> None:
    """Only what the client sees takes part in the choice of a hostname's namespace."""
    hidden = entry("hidden", namespace="one", created=OLDER, addresses=["10.0.0.1"], export_to=["."])
    public = entry("public", namespace="two", created=NEWER, addresses=["10.0.0.2"])
    assert binds(hidden, public) == ["10.0.0.2"]


# Addresses.


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        (["10.0.0.1", "10.0.0.2"], ["10.0.0.1", "10.0.0.2"]),
        (["10.0.0.1", "10.0.0.1"], ["10.0.0.1"]),
        (["10.0.0.1/32"], ["10.0.0.1"]),
        (["0.0.0.0/32"], [WILDCARD]),
        (["10.0.0.0/8"], [WILDCARD]),
        (["10.0.0.1", "10.1.0.0/16"], [WILDCARD, "10.0.0.1"]),
        (["fd00::1"], ["fd00::1"]),
        (["fd00::1/128"], ["fd00::1"]),
        (["fd00::/64"], [WILDCARD]),
        (["not an address"], []),
        (["10.0.0.0/99"], []),
        (["10.0.0.0/08"], []),
        (["10.0.0.1", "nonsense"], ["10.0.0.1"]),
    ],
)
def test_addresses_become_binds(addresses: list[str], expected: list[str]) -> None:
    """One service an address: IPs are bound, also of the other family, CIDRs are not, nonsense makes none."""
    alias = entry(addresses=addresses, resolution="STATIC")
    assert binds(alias) == expected
    for bind in expected:
        assert listener_at(world(alias), CLIENT, MESH, bind, PORT) is not None


def test_cidr_is_a_chain_of_the_wildcard_listener() -> None:
    """A CIDR limits the chain, shown as written; what is outside passes."""
    snapshot = world(entry(addresses=["10.1.2.3/16"], resolution="STATIC"))
    listener = listener_at(snapshot, CLIENT, MESH, WILDCARD, PORT)
    assert listener is not None
    assert targets(listener.rows) == {("10.1.2.3/16", "outbound|443||svc.hello"), ("default", PASSTHROUGH)}
    assert takers(snapshot, "10.1.9.9") == ALIAS
    assert takers(snapshot, ELSEWHERE) == ("-", "-")


def test_same_network_written_twice_conflicts() -> None:
    """CIDRs are compared by the network they mean, so 10.1.2.3/16 and 10.1.0.0/16 cannot stand together."""
    first = entry("first", hosts=["a.hello"], addresses=["10.1.2.3/16"], resolution="STATIC", created=OLDER)
    second = entry("second", hosts=["b.hello"], addresses=["10.1.0.0/16"], resolution="STATIC", created=NEWER)
    assert takers(world(first, second), "10.1.0.1") == ("first", "first")
    (listener,) = listeners_on(world(first, second), CLIENT, MESH, PORT)
    assert listener.lost == (Loss(second.key, PORT, WILDCARD, first.key),)


def test_every_prefix_of_the_unspecified_address_is_the_same_match() -> None:
    """Chains for 0.0.0.0/N match alike, and like one without addresses: the first keeps the place."""
    first = entry("first", hosts=["a.hello"], addresses=["0.0.0.0/1"], resolution="STATIC", created=OLDER)
    second = entry("second", hosts=["b.hello"], addresses=["0.0.0.0/8"], resolution="STATIC", created=NEWER)
    third = entry("third", hosts=["c.hello"], created=NEWER)
    (listener,) = outbound(world(first, second, third), CLIENT, MESH)
    assert targets(listener.rows) == {("", "outbound|443||a.hello"), ("default", PASSTHROUGH)}
    assert [loss.loser.name for loss in listener.lost] == ["second", "third"]


def test_chain_without_a_cidr_yields_to_one_with_it() -> None:
    """Within a network no chain that names none can take a connection, not even by its SNI or for plaintext HTTP."""
    net = entry("net", hosts=["a.hello"], addresses=["10.1.0.0/16"], resolution="STATIC")
    snapshot = world(net, entry("tls", protocol="TLS"), entry("web", hosts=["c.hello"], protocol="HTTP"))
    assert {r.owner for r in owner_of(snapshot, CLIENT, MESH, "10.1.0.1", PORT)} == {net.key, None}
    elsewhere = {r.owner.name for r in owner_of(snapshot, CLIENT, MESH, ELSEWHERE, PORT) if r.owner}
    assert elsewhere == {"tls", "web"}


def test_narrower_cidr_decides() -> None:
    """Of two networks around an address only the narrower one's chain can take the connection."""
    wide = entry("wide", hosts=["a.hello"], addresses=["10.0.0.0/8"], resolution="STATIC")
    narrow = entry("narrow", hosts=["b.hello"], addresses=["10.1.0.0/16"], resolution="STATIC")
    snapshot = world(wide, narrow)
    assert takers(snapshot, "10.1.0.1") == ("narrow", "narrow")
    assert takers(snapshot, "10.2.0.1") == ("wide", "wide")


def test_name_is_no_address() -> None:
    """Asked for something that is no IP, only chains without a CIDR can answer."""
    snapshot = world(entry(addresses=["10.0.0.0/8"], resolution="STATIC"))
    assert takers(snapshot, "traefik.abc") == ("-", "-")


@pytest.mark.parametrize(
    ("ips", "expected"),
    [
        (["10.96.0.10", "fd00::10"], "10.96.0.10"),
        (["fd00::10", "10.96.0.10"], "10.96.0.10"),
        (["fd00::10"], "fd00::10"),
    ],
)
def test_ipv4_proxy_binds_the_ipv4_address_of_a_service(ips: list[str], expected: str) -> None:
    """A dual-stack Service is bound at its address of the proxy's family, an IPv6-only one at what it has."""
    assert binds(service(ips=ips)) == [expected]


def test_service_without_a_known_address_claims_none() -> None:
    """A Service from a file, not yet given a clusterIP, is no catch-all; its HTTP port still has its route."""
    assert binds(service(ips=[])) == []
    assert binds(service(ips=[], protocol="http")) == [WILDCARD]


@pytest.mark.parametrize(("protocol", "expected"), [("tcp", []), ("x", []), ("tls", []), ("http", [WILDCARD])])
def test_headless_service_never_binds_the_wildcard_for_tcp(protocol: str, expected: list[str]) -> None:
    """A headless Service has listeners at its pods only, which are not known here, apart from HTTP."""
    assert binds(service(protocol=protocol, ips=[], spec={"clusterIP": "None", "clusterIPs": ["None"]})) == expected


@pytest.mark.parametrize("protocol", ["tcp", "http", "x"])
def test_external_name_has_no_listener(protocol: str) -> None:
    """An ExternalName Service is an alias to istiod: no listener of any kind."""
    assert binds(service(protocol=protocol, ips=[], spec={"type": "ExternalName", "externalName": "a.example"})) == []


# Resolution NONE.


@pytest.mark.parametrize(
    ("selector", "expected"), [({"labels": {"app": "a"}}, []), ({"labels": {}}, [WILDCARD]), ({}, [WILDCARD])]
)
def test_passthrough_with_a_selector_is_no_catch_all(selector: dict[str, object], expected: list[str]) -> None:
    """NONE with a workloadSelector has listeners at its workloads only; a selector without labels is none."""
    assert binds(entry(resolution="NONE", spec={"workloadSelector": selector})) == expected


@pytest.mark.parametrize("resolution", ["STATIC", "DNS"])
def test_selector_does_not_help_other_resolutions(resolution: str) -> None:
    """Only with NONE a workloadSelector keeps an entry without addresses from the wildcard."""
    assert binds(entry(resolution=resolution, spec={"workloadSelector": {"labels": {"app": "a"}}})) == [WILDCARD]


def test_passthrough_with_a_selector_still_binds_its_address() -> None:
    """An address is bound whatever the resolution."""
    assert binds(entry(resolution="NONE", addresses=[VIP], spec={"workloadSelector": {"labels": {"a": "b"}}})) == [VIP]


def test_passthrough_uses_endpoints_of_another_entry_for_its_host() -> None:
    """Endpoints are filed by namespace and host: another entry's can move a NONE one off the wildcard."""
    asks = entry("asks", resolution="NONE", created=OLDER)
    has = entry("has", resolution="STATIC", addresses=[VIP], spec={"endpoints": [{"address": "10.1.1.1"}]})
    assert binds(asks, has) == ["10.1.1.1", VIP]
    assert takers(world(asks, has), "10.1.1.1") == ("asks", "asks")
    assert binds(asks, entry("named", resolution="DNS", addresses=[VIP])) == [VIP]
    assert binds(asks, entry("far", resolution="STATIC", port=80, spec={"endpoints": [{"address": "10.1.1.1"}]})) == [
        WILDCARD,
        WILDCARD,
    ]


def test_passthrough_ignores_endpoints_of_other_namespaces_and_selectors() -> None:
    """An entry for the same host in another namespace, or one that selects its endpoints, says nothing about them."""
    asks = entry("asks", resolution="NONE", namespace="default", created=OLDER)
    far = entry("far", namespace="abc", resolution="STATIC", spec={"endpoints": [{"address": "10.1.1.1"}]})
    selects = entry("selects", namespace="default", addresses=[VIP], spec={"workloadSelector": {"labels": {"a": "b"}}})
    assert binds(asks, far) == [WILDCARD]
    assert binds(asks, selects) == [WILDCARD, VIP]


# SNI.


def test_tls_hosts_share_the_wildcard_by_sni() -> None:
    """Every host of TLS entries without addresses has its own chain, wildcard hosts too; the rest passes."""
    snapshot = world(
        entry("one", protocol="TLS", hosts=["a.hello", "b.hello"]), entry("two", protocol="HTTPS", hosts=["*.c.hello"])
    )
    (listener,) = outbound(snapshot, CLIENT, MESH)
    assert targets(listener.rows) == {
        ("a.hello", "outbound|443||a.hello"),
        ("b.hello", "outbound|443||b.hello"),
        ("*.c.hello", "outbound|443||*.c.hello"),
        ("default", PASSTHROUGH),
    }
    assert listener.lost == ()


def test_tls_for_a_cidr_matches_both() -> None:
    """A TLS chain for a CIDR matches on the network and on the host."""
    listener = listener_at(
        world(entry(protocol="TLS", addresses=["10.0.0.0/8"], resolution="STATIC")), CLIENT, MESH, WILDCARD, PORT
    )
    assert listener is not None
    assert ("svc.hello 10.0.0.0/8", "outbound|443||svc.hello") in targets(listener.rows)


def test_catch_all_under_tls_chains_is_the_default() -> None:
    """A TCP catch-all beside SNI chains becomes the default chain: what has another SNI goes to it."""
    snapshot = world(entry("tls", protocol="TLS", hosts=["a.hello"]), entry())
    (listener,) = outbound(snapshot, CLIENT, MESH)
    assert targets(listener.rows) == {
        ("a.hello", "outbound|443||a.hello"),
        ("default", "outbound|443||svc.hello"),
    }


@pytest.mark.parametrize(("host", "expected"), [("*.hello", [WILDCARD]), ("*svc.hello", [])])
def test_partial_wildcard_as_sni_is_refused_by_envoy(host: str, expected: list[str]) -> None:
    """A TLS host whose wildcard is not a whole label takes the whole listener down, other services' chains with it."""
    assert (
        binds(entry("odd", protocol="TLS", hosts=[host], resolution="STATIC"), entry("fine", protocol="TLS"))
        == expected
    )


def test_dynamic_dns_is_never_a_catch_all() -> None:
    """DYNAMIC_DNS has wildcard hosts and TLS or HTTP ports: SNI chains, even on an allocated address."""
    alias = entry(protocol="TLS", hosts=["*.hello"], resolution="DYNAMIC_DNS", allocated={"*.hello": "240.240.0.7"})
    off, on = (
        listener_at(world(alias), CLIENT, MESH, WILDCARD, PORT),
        listener_at(world(alias), CLIENT, CAPTURE, "240.240.0.7", PORT),
    )
    assert off is not None
    assert on is not None
    expected = {("*.hello", "outbound|443||*.hello"), ("default", PASSTHROUGH)}
    assert targets(off.rows) == targets(on.rows) == expected


# Conflicts.


@pytest.mark.parametrize("protocol", ["MONGO", "MYSQL"])
@pytest.mark.parametrize("other", ["TCP", "TLS", "HTTP", None, "REDIS"])
def test_server_first_protocols_share_with_their_like_only(protocol: str, other: str | None) -> None:
    """Mongo and MySQL accept no other protocol on their listener and join no other's."""
    first = entry("first", hosts=["a.hello"], protocol=protocol, created=OLDER)
    second = entry("second", hosts=["b.hello"], protocol=other, created=NEWER)
    (listener,) = outbound(world(first, second), CLIENT, MESH)
    assert {r.owner for r in listener.rows} == {first.key}
    assert listener.lost == (Loss(second.key, PORT, WILDCARD, first.key),)
    first, second = entry("first", protocol=protocol), entry("second", hosts=["b.hello"], protocol=other, created=OLDER)
    (listener,) = outbound(world(first, second), CLIENT, MESH)
    assert first.key not in {r.owner for r in listener.rows}


@pytest.mark.parametrize("other", ["TCP", "TLS", "HTTP", None, "MONGO"])
def test_http_proxy_displaces_whatever_was_there(other: str | None) -> None:
    """A younger HTTP_PROXY port overwrites the wildcard listener; only HTTP keeps its place, in the shared route."""
    first = entry("first", hosts=["a.hello"], protocol=other, created=OLDER)
    proxy = entry("proxy", protocol="HTTP_PROXY", created=NEWER)
    (listener,) = outbound(world(first, proxy), CLIENT, MESH)
    assert targets(listener.rows) == {("", "route 443")}
    assert listener.lost == (() if other == "HTTP" else (Loss(first.key, PORT, WILDCARD, proxy.key),))


def test_http_proxy_takes_the_place_of_winners_and_losers_alike() -> None:
    """Who had lost before the listener was overwritten has lost to the one that overwrote it."""
    first = entry("first", hosts=["a.hello"], created=OLDER)
    second = entry("second", hosts=["b.hello"], created=OLDER)
    proxy = entry("proxy", protocol="HTTP_PROXY", created=NEWER)
    (listener,) = outbound(world(first, second, proxy), CLIENT, MESH)
    assert listener.lost == (
        Loss(first.key, PORT, WILDCARD, proxy.key),
        Loss(second.key, PORT, WILDCARD, proxy.key),
    )


def test_http_proxy_joined_by_tls_is_displaced_no_more() -> None:
    """Once a TLS chain has joined an HTTP_PROXY listener it counts as sniffed, and a younger unset port is lost."""
    proxy = entry("proxy", hosts=["a.hello"], protocol="HTTP_PROXY", created=OLDER)
    tls = entry("tls", hosts=["b.hello"], protocol="TLS", created=OLDER + 1)
    unset = entry("unset", hosts=["c.hello"], protocol=None, created=OLDER + 2)
    (listener,) = outbound(world(proxy, tls, unset), CLIENT, MESH)
    assert targets(listener.rows) == {("b.hello", "outbound|443||b.hello"), ("default", "route 443")}
    assert [loss.loser for loss in listener.lost] == [unset.key]


def test_http_joins_the_route_that_a_sniffed_port_brought() -> None:
    """TCP, then unset, then HTTP: the unset port's HTTP chain serves them all, so the HTTP port loses nothing."""
    tcp = entry("tcp", hosts=["a.hello"], created=OLDER)
    unset = entry("unset", hosts=["b.hello"], protocol=None, created=OLDER + 1)
    web = entry("web", hosts=["c.hello"], protocol="HTTP", created=OLDER + 2)
    (listener,) = outbound(world(tcp, unset, web), CLIENT, MESH)
    assert targets(listener.rows) == {("http", "route 443"), ("default", "outbound|443||a.hello")}
    assert listener.lost == (Loss(unset.key, PORT, WILDCARD, tcp.key),)


def test_unset_displaces_http_proxy() -> None:
    """A younger sniffed port overwrites an HTTP_PROXY listener as a whole."""
    proxy = entry("proxy", hosts=["a.hello"], protocol="HTTP_PROXY", created=OLDER)
    assert takers(world(proxy, entry(protocol=None)), ELSEWHERE) == ALIAS


@pytest.mark.parametrize("other", ["TCP", "TLS"])
def test_http_proxy_keeps_what_younger_tcp_would_match(other: str) -> None:
    """TCP joins an HTTP_PROXY listener with chains that match something: SNI, not everything."""
    proxy = entry("proxy", hosts=["a.hello"], protocol="HTTP_PROXY", created=OLDER)
    (listener,) = outbound(world(proxy, entry(protocol=other)), CLIENT, MESH)
    expected = (
        {("default", "route 443"), ("svc.hello", "outbound|443||svc.hello")} if other == "TLS" else {("", "route 443")}
    )
    assert targets(listener.rows) == expected


def test_unset_behind_http_gets_no_tcp_chain() -> None:
    """An older HTTP port on the wildcard keeps a sniffed one from becoming a catch-all."""
    web = entry("web", hosts=["a.hello"], protocol="HTTP", created=OLDER)
    alias = entry(protocol=None, created=NEWER)
    (listener,) = outbound(world(web, alias), CLIENT, MESH)
    assert targets(listener.rows) == {("http", "route 443"), ("default", PASSTHROUGH)}
    assert listener.lost == (Loss(alias.key, PORT, WILDCARD, web.key),)


def test_loser_of_a_vip_is_named_with_its_winner() -> None:
    """Two match-all chains on one address cannot stand together: the younger is lost, and by whom is told."""
    listener = listener_at(world(service(), entry(addresses=[VIP])), CLIENT, MESH, VIP, PORT)
    assert listener is not None
    assert listener.lost == (Loss(Key("ServiceEntry", "abc", "alias"), PORT, VIP, Key("Service", "abc", "svc")),)


# The sidecar itself.


@pytest.mark.parametrize("port", [15001, 15006, 15021, 15090])
def test_http_on_a_port_of_the_sidecar_gets_no_listener(port: int) -> None:
    """HTTP ports that would hide a listener of the sidecar itself are skipped; an address of its own is fine."""
    assert binds(entry(protocol="HTTP", port=port)) == []
    assert binds(entry(protocol="TCP", port=port, addresses=[VIP])) == [VIP]


def test_registry_only_blocks_what_would_pass() -> None:
    """With REGISTRY_ONLY the fall-through ends in the black hole."""
    (listener,) = outbound(world(entry(protocol="TLS")), CLIENT, Mesh(outbound_traffic_policy="REGISTRY_ONLY"))
    assert ("default", BLACKHOLE) in targets(listener.rows)


@pytest.mark.parametrize(
    ("resolution", "labels", "allocated", "expected"),
    [
        ("DNS", {}, {"svc.hello": "240.240.0.9"}, "240.240.0.9"),
        ("STATIC", {}, {"svc.hello": "240.240.0.9"}, "240.240.0.9"),
        ("NONE", {}, {"svc.hello": "240.240.0.9"}, WILDCARD),
        ("DNS", {"networking.istio.io/enable-autoallocate-ip": "False"}, {"svc.hello": "240.240.0.9"}, WILDCARD),
        ("DNS", {"networking.istio.io/enable-autoallocate-ip": "true"}, {"svc.hello": "240.240.0.9"}, "240.240.0.9"),
        ("DNS", {}, {"svc.hello": "2001:2::9"}, WILDCARD),
        ("DNS", {}, {"svc.hello": "nonsense"}, WILDCARD),
    ],
)
def test_allocated_address_counts_only_with_dns_capture(
    resolution: str, labels: dict[str, str], allocated: dict[str, str], expected: str
) -> None:
    """The IPv4 address that istiod allocated to a host is bound for proxies with DNS capture, and for no other."""
    alias = entry(resolution=resolution, labels=labels, allocated=allocated)
    assert binds(alias, mesh=CAPTURE) == [expected]
    assert listener_at(world(alias), CLIENT, CAPTURE, expected, PORT) is not None
    assert binds(alias) == [WILDCARD]


def test_written_addresses_replace_allocated_ones() -> None:
    """An entry with addresses of its own never uses those in its status."""
    assert binds(entry(addresses=[VIP], allocated={"svc.hello": "240.240.0.9"}), mesh=CAPTURE) == [VIP]


# What is asked.


def test_owner_of_falls_back_to_the_wildcard_and_then_to_nothing() -> None:
    """An address has its own listener, or the wildcard's rows, or none and passes."""
    snapshot = world(service(), entry())
    assert {r.cluster for r in owner_of(snapshot, CLIENT, MESH, VIP, PORT)} == {
        "outbound|443||svc.abc.svc.cluster.local"
    }
    assert {r.cluster for r in owner_of(snapshot, CLIENT, MESH, ELSEWHERE, PORT)} == {"outbound|443||svc.hello"}
    assert owner_of(snapshot, CLIENT, MESH, VIP, 80) == ()
    assert owner_of(world(service()), CLIENT, MESH, ELSEWHERE, PORT) == ()


def test_clients_that_matter_are_owners_exports_and_one_more() -> None:
    """Namespaces told apart by a private claimant or a rival for its host, and an unused name for all the others."""
    snapshot = world(
        service(),
        entry("named", namespace="two", hosts=["b.hello"], export_to=["three", ".", "Not A Name"]),
        entry("hidden", namespace="four", hosts=["c.hello"], export_to=["~", "five"]),
        entry("rival", namespace="six", hosts=["b.hello"], port=80, export_to=["seven"]),
        entry("apart", namespace="eight", hosts=["d.hello"], port=80, export_to=["nine"]),
    )
    names = [c.namespace for c in clients_that_matter(snapshot, MESH, PORT)]
    assert names == sorted({"two", "three", "four", "six", "seven", "any-other"})


def test_namespace_that_stands_for_the_others_is_unused() -> None:
    """Where somebody has a namespace of that name, another is taken."""
    snapshot = world(service(), entry(namespace="any-other", port=80))
    names = [c.namespace for c in clients_that_matter(snapshot, MESH, PORT)]
    assert names == ["any-other-x"]
    assert [c.namespace for c in clients_that_matter(world(), MESH, PORT)] == ["any-other"]
