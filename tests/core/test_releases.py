"""Rules of Istio by release, each by itself: what holds up to one release and what from the next."""

import re

import pytest

from dnsalias_operator.core.istio.listeners import (
    Client,
    by_chance,
    clients_that_matter,
    listener_at,
    listeners_on,
    outbound,
    refused_on,
)
from dnsalias_operator.core.istio.listeners.rows import PASSTHROUGH, WILDCARD
from dnsalias_operator.core.istio.protocols import Protocol, service_protocol
from dnsalias_operator.core.traffic.takeover import takes_from
from dnsalias_operator.model.kinds import Object
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.release import MEASURED, MODELLED, Release
from dnsalias_operator.model.service import Service, ServicePort
from dnsalias_operator.model.serviceentry import ServiceEntry
from tests.core.listener_worlds import CLIENT, NEWER, OLDER, PORT, VIP, entry, service, sidecar, takers, targets, world

OTHER = "10.97.0.1"
ALIAS, SVC, NOBODY = ("alias", "alias"), ("svc", "svc"), ("-", "-")


def at(release: str, **fields: object) -> Mesh:
    """A mesh of that release."""
    return Mesh.model_validate({"istio_version": release, **fields})


def binds(release: str, *objects: Object, client: Client = CLIENT, **fields: object) -> list[tuple[str, ...]]:
    """What the listeners in a world of those objects bind."""
    return [listener.binds for listener in outbound(world(*objects), client, at(release, **fields))]


# The release itself.


def test_releases_are_in_order() -> None:
    """By minor, then patch, as numbers; without a patch it is the last of its minor; what follows it plays no part."""
    written = ["1.11", "1.20.0", "1.24.2", "1.24.10", "1.24", "1.31.0-rc.0", "1.31.1-distroless", "1.32"]
    releases = [Release.parse(text) for text in written]
    assert sorted(releases) == releases
    assert Release.parse("1.31.0-rc.0") == Release(31, 0)
    assert [str(release) for release in releases][:5] == written[:5]


@pytest.mark.parametrize(
    "text", ["", "1", "1.19", "1.19.4", "1.33", "2.20", "v1.28", "1.28.", "1.28.x", "1.28.01", "latest"]
)
def test_what_is_no_release_is_named(text: str) -> None:
    """The message says what was given and what can be given."""
    with pytest.raises(ValueError, match=re.escape(MODELLED)) as error:
        Release.parse(text)
    assert repr(text) in str(error.value)


def test_every_output_says_the_release() -> None:
    """The release is part of what a prediction assumed; the one that nobody gave is said to be the measured one."""
    assert at("1.28.10").assumptions().startswith("Istio 1.28.10, ")
    assert Mesh().assumptions().startswith(f"Istio {MEASURED} (the release measured last), ")


# Order.


@pytest.mark.parametrize(("release", "winner"), [("1.28.10", ALIAS), ("1.30.2", ALIAS), ("1.30.3", SVC), ("1.31", SVC)])
def test_private_entry_takes_a_vip_exported_by_name(release: str, winner: tuple[str, str]) -> None:
    """Before 1.30.3 a younger entry that is private takes the clusterIP of a Service exported to its namespace."""
    older = service(namespace="abc", export_to="default", created=OLDER)
    private = entry(namespace="default", addresses=[VIP], export_to=["."], created=NEWER)
    snapshot = world(older, private)
    assert takers(snapshot, VIP, mesh=at(release)) == winner
    assert (takes_from(snapshot, private, at(release)) is not None) == (winner == ALIAS)


@pytest.mark.parametrize("release", ["1.28.10", "1.31"])
def test_private_entry_takes_a_public_vip_under_every_release(release: str) -> None:
    """What is private goes before what is public, whatever its age, before 1.30.3 and since."""
    snapshot = world(service(), entry(addresses=[VIP], export_to=["default"]))
    assert takers(snapshot, VIP, mesh=at(release)) == ALIAS


@pytest.mark.parametrize(
    ("default", "before", "since"),
    [
        (("abc",), (), ("abc",)),
        ((".", "*"), ("abc",), ("abc", "default")),
        (("*", "abc"), ("abc", "default"), ("abc", "default")),
        (("~",), (), ()),
    ],
)
def test_default_export_to(default: tuple[str, ...], before: tuple[str, ...], since: tuple[str, ...]) -> None:
    """Before 1.30.3 a default of names exports nothing, and one with "." is private whatever stands beside it."""
    for release, expected in (("1.30.2", before), ("1.30.3", since)):
        seen = [
            namespace
            for namespace in ("abc", "default")
            if binds(release, service(), client=Client(namespace), default_service_export_to=default)
        ]
        assert seen == list(expected)


@pytest.mark.parametrize(("release", "winner"), [("1.22.8", "b"), ("1.23.0", "a")])
def test_ties_of_age_before_1_23_compare_one_text(release: str, winner: str) -> None:
    """Name and namespace were one text with a dot between: "x-y.a" is before "x.b", and the name "x" before "x-y"."""
    snapshot = world(
        entry("a", hosts=["x"], namespace="zzz", addresses=[VIP], created=OLDER),
        entry("b", hosts=["x-y"], namespace="aaa", addresses=[VIP], created=OLDER),
    )
    assert takers(snapshot, VIP, mesh=at(release)) == (winner, winner)


@pytest.mark.parametrize(("release", "others"), [("1.11.8", 1), ("1.20.8", 0), ("1.31", 0)])
def test_entries_of_one_second_are_in_no_order_on_1_11(release: str, others: int) -> None:
    """Names break ties of age since 1.13; before, which of two entries has an address is chance."""
    snapshot = world(
        entry("a", hosts=["a.x"], addresses=[VIP], created=OLDER),
        entry("b", hosts=["b.x"], addresses=[VIP], created=OLDER),
    )
    assert takers(snapshot, VIP, mesh=at(release)) == ("a", "a")
    assert len(by_chance(snapshot, CLIENT, at(release), PORT)) == others


def test_two_entries_for_one_host_in_one_second_are_by_chance() -> None:
    """Their names and namespaces are equal to Istio, and it promises no order under any release."""
    twins = [
        entry(name, addresses=[VIP], created=OLDER, protocol=protocol) for name, protocol in (("a", None), ("b", "TCP"))
    ]
    ((other,),) = by_chance(world(*twins), CLIENT, at("1.31"), PORT)
    (taken,) = listeners_on(world(*twins), CLIENT, at("1.31"), PORT)
    assert {row.owner for row in taken.rows} != {row.owner for row in other.rows}


@pytest.mark.parametrize("created", [None, NEWER])
def test_no_tie_is_no_chance(created: int | None) -> None:
    """Another age settles it, and of an unknown one nothing is said."""
    twins = [entry("a", addresses=[VIP], created=created and OLDER), entry("b", addresses=[VIP], created=created)]
    assert by_chance(world(*twins), CLIENT, at("1.31"), PORT) == []


# Several services of one hostname.


def test_all_namespaces_count_without_a_sidecar_before_1_22() -> None:
    """Then the services of a hostname from every namespace have listeners, later those of one namespace only."""
    entries = [entry(namespace=name, addresses=[ip], created=OLDER) for name, ip in (("abc", VIP), ("other", OTHER))]
    assert binds("1.21.6", *entries) == [(VIP,), (OTHER,)]
    assert binds("1.21.6", *entries, sidecar("*/*")) == [(VIP,)]
    assert binds("1.22.0", *entries) == [(VIP,)]
    assert binds("1.24.6", *entries) == [(VIP,)]


@pytest.mark.parametrize(
    ("release", "expected"), [("1.21.6", 2), ("1.22.3", 1), ("1.22.8", 1), ("1.23.1", 1), ("1.24.3", 2)]
)
def test_only_the_first_address_listens(release: str, expected: int) -> None:
    """In 1.22 and 1.23 an entry of several addresses has a listener for the first, unless a Sidecar applies."""
    aliased = entry(addresses=[VIP, OTHER], resolution="STATIC")
    assert binds(release, aliased) == [(VIP,), (OTHER,)][:expected]
    assert binds(release, aliased, sidecar("*/*")) == [(VIP,), (OTHER,)]


def test_one_service_a_hostname_has_the_ports_of_entries_like_it() -> None:
    """In 1.22 and 1.23 they are merged: the younger one's ports are served at the older one's address."""
    first, second = entry("a", addresses=[VIP], created=OLDER), entry("b", addresses=[OTHER], port=444, created=NEWER)
    assert binds("1.22.8", first, second) == [(VIP,), (VIP,)]
    listener = listener_at(world(first, second), CLIENT, at("1.22.8"), VIP, 444)
    assert listener is not None
    assert listener.rows[0].owner == second.key
    assert listener_at(world(first, second), CLIENT, at("1.22.8"), OTHER, 444) is None
    assert binds("1.24.6", first, second) == [(VIP,), (OTHER,)]


@pytest.mark.parametrize(
    "other",
    [
        entry("b", addresses=[OTHER], port=444, resolution="STATIC"),
        entry("b", addresses=[OTHER], port=444, labels={"a": "b"}),
        entry("b", addresses=[OTHER], port=444, export_to=["*"]),
        entry("b", addresses=[OTHER], port=444, namespace="other"),
    ],
    ids=["resolution", "labels", "exportTo", "namespace"],
)
def test_entries_that_are_not_alike_are_dropped(other: ServiceEntry) -> None:
    """In 1.22 and 1.23 the ports of an entry of another resolution, namespace, exportTo or other labels are nowhere."""
    assert binds("1.22.8", entry("a", addresses=[VIP], created=OLDER), other) == [(VIP,)]


def test_service_takes_the_place_of_an_entry_of_its_hostname() -> None:
    """In 1.22 and 1.23 it is kept instead, and has the older entry's place in the order."""
    squatter = entry("a", hosts=["svc.abc.svc.cluster.local"], namespace="other", addresses=[OTHER], created=OLDER)
    rival = entry("r", addresses=[VIP], created=OLDER + 1)
    snapshot = world(squatter, rival, service(created=NEWER))
    assert takers(snapshot, VIP, mesh=at("1.22.8")) == SVC
    assert takers(snapshot, VIP, mesh=at("1.21.6")) == ("r", "r")
    assert binds("1.22.8", squatter, rival, service(created=NEWER)) == [(VIP,)]


@pytest.mark.parametrize(("release", "winner"), [("1.22.8", OTHER), ("1.23.6", OTHER), ("1.24.0", VIP)])
def test_sidecar_prefers_a_service_since_1_24(release: str, winner: str) -> None:
    """For a hostname of a Service and of an older entry elsewhere, a Sidecar's pods get the entry before 1.24."""
    squatter = entry("a", hosts=["svc.abc.svc.cluster.local"], namespace="other", addresses=[OTHER], created=OLDER)
    objects = (squatter, service(created=NEWER), sidecar("*/*"))
    assert binds(release, *objects) == [(winner,)]


# Addresses.


@pytest.mark.parametrize("release", ["1.22.4", "1.23.0", "1.24.0", "1.24.2"])
def test_all_addresses_are_in_one_listener(release: str) -> None:
    """Four patches bind all addresses of an entry together, so that Envoy refuses one that a Service binds too."""
    aliased = entry(addresses=[OTHER, VIP])
    assert binds(release, aliased) == [(OTHER, VIP)]
    refused = refused_on(world(service(), aliased), CLIENT, at(release), PORT)
    assert set(refused) == {service().key, aliased.key}
    assert refused[aliased.key] == f"{VIP} would be bound twice on port {PORT}"


@pytest.mark.parametrize("release", ["1.22.3", "1.22.5", "1.23.1", "1.24.3", "1.31"])
def test_other_patches_share_addresses(release: str) -> None:
    """Under every other one an address of a Service is shared with it, and Envoy refuses nothing."""
    assert refused_on(world(service(), entry(addresses=[OTHER, VIP])), CLIENT, at(release), PORT) == {}


def test_cidr_beside_an_address_is_refused() -> None:
    """Where addresses are bound together Envoy refuses a CIDR among them; where it is first, all are matched."""
    after = entry(addresses=[VIP, "10.0.0.0/8"], resolution="STATIC")
    assert binds("1.24.0", after) == []
    assert set(refused_on(world(after), CLIENT, at("1.24.0"), PORT)) == {after.key}
    before = entry(addresses=["10.0.0.0/8", VIP], resolution="STATIC")
    (listener,) = outbound(world(before), CLIENT, at("1.24.0"))
    assert targets(listener.rows) == {
        (f"10.0.0.0/8 {VIP}/32", "outbound|443||svc.hello"),
        ("default", PASSTHROUGH),
    }


@pytest.mark.parametrize(
    ("release", "dual", "expected"),
    [
        ("1.23.6", False, "fd00::10"),
        ("1.24.0", False, VIP),
        ("1.23.6", True, "fd00::10"),
        ("1.24.5", True, VIP),
        ("1.24.6", True, "fd00::10"),
        ("1.25.2", True, VIP),
        ("1.25.3", True, "fd00::10"),
    ],
)
def test_family_of_an_ipv6_primary_service(release: str, dual: bool, expected: str) -> None:  # noqa: FBT001
    """Before 1.24 its IPv6 address is bound, then IPv4 pods have IPv4, and dual-stack pods what some patches say."""
    assert binds(release, service(ips=["fd00::10", VIP]), dual_stack=dual) == [(expected,)]


def test_dual_stack_pods_bind_both_wildcards_since_1_24() -> None:
    """Before, what has no address is bound in IPv4 alone, unless istiod runs with ISTIO_DUAL_STACK."""
    catch_all = entry()
    assert binds("1.23.6", catch_all, dual_stack=True) == [(WILDCARD,)]
    assert binds("1.23.6", catch_all, dual_stack=True, istio_dual_stack=True) == [(WILDCARD, "::")]
    assert binds("1.24.0", catch_all, dual_stack=True) == [(WILDCARD, "::")]


def test_automatic_addresses_count_since_1_25() -> None:
    """Before, istiod writes none, whatever a status says: the entry is a catch-all with DNS capture too."""
    allocated = entry(allocated={"svc.hello": "240.240.0.1"})
    assert binds("1.24.6", allocated, dns_capture=True) == [(WILDCARD,)]
    assert binds("1.25.0", allocated, dns_capture=True) == [("240.240.0.1",)]


# Services and ports.


@pytest.mark.parametrize(
    ("release", "expected"), [("1.11", ALIAS), ("1.20.8", ALIAS), ("1.21.0", NOBODY), ("1.31", NOBODY)]
)
def test_external_name_with_a_tcp_port_is_a_catch_all_before_1_21(release: str, expected: tuple[str, str]) -> None:
    """It takes any connection to the port; since 1.21 it is an alias without a listener."""
    external = {"type": "ExternalName", "externalName": "example.com"}
    named = service("alias", ips=[], spec={**external, "clusterIPs": []})
    assert takers(world(named), "93.184.216.34", mesh=at(release)) == expected


@pytest.mark.parametrize(
    ("release", "names"),
    [
        ("1.20.8", ()),
        ("1.26.8", ("alias.abc", "alias.abc.svc", "alias.abc.svc.cluster.local")),
        ("1.27.0", ("alias.abc", "alias.abc.svc", "alias.abc.svc.cluster.local", "alias.abc.svc.cluster.local.")),
    ],
)
def test_names_of_an_external_name_service(release: str, names: tuple[str, ...]) -> None:
    """They join the SNI match of what it points to since 1.21, with a final dot since 1.27."""
    pointing = service(
        "alias", ips=[], port=1, spec={"type": "ExternalName", "externalName": "a.example", "clusterIPs": []}
    )
    snapshot = world(entry("t", hosts=["a.example"], protocol="TLS"), pointing)
    (listener,) = listeners_on(snapshot, CLIENT, at(release), PORT)
    assert listener.rows[0].sni == ("a.example", *names)


@pytest.mark.parametrize(
    ("value", "release", "before", "since"),
    [
        ("kubernetes.io/ws", "1.24.0", Protocol.UNSET, Protocol.HTTP),
        ("kubernetes.io/wss", "1.24.0", Protocol.UNSET, Protocol.HTTPS),
        ("kubernetes.io/h2c", "1.20.0", Protocol.UNSET, Protocol.HTTP2),
    ],
)
def test_app_protocols_that_came_later(value: str, release: str, before: Protocol, since: Protocol) -> None:
    """Kubernetes' values for WebSocket are known since 1.24, that for h2c since before 1.20."""
    port = ServicePort("x", 8080, app_protocol=value)
    former = "1.11" if value.endswith("h2c") else "1.23.6"
    assert service_protocol(port, at(former)) is before
    assert service_protocol(port, at(release)) is since


def test_spaces_in_an_annotation_are_taken_off_since_1_24() -> None:
    """Before, "default, team" names the namespaces "default" and " team"."""
    listed = service(export_to="default, team")
    assert binds("1.23.6", listed) == [(VIP,)]
    assert binds("1.23.6", listed, client=Client("team")) == []
    assert binds("1.24.0", listed, client=Client("team")) == [(VIP,)]


@pytest.mark.parametrize(
    ("port", "before", "since"),
    [(15001, [(WILDCARD,)], []), (15006, [(WILDCARD,)], []), (15090, [], []), (15000, 1, 1)],
)
def test_capture_ports_are_reserved_since_1_21(port: int, before: object, since: object) -> None:
    """An HTTP port of such a number has no listener; those of health and Prometheus never had one since 1.20."""
    http = service(protocol="http", port=port)
    for release, expected in (("1.20.8", before), ("1.21.0", since)):
        assert binds(release, http) == ([(WILDCARD,)] if expected == 1 else expected)


def test_dynamic_dns_came_with_1_28() -> None:
    """Before, the API refuses the value: the object is not there. TLS of a wildcard host matches by SNI since 1.30."""
    dynamic = entry(
        hosts=["*.example.com"], protocol="TLS", resolution="DYNAMIC_DNS", allocated={"*.example.com": "240.240.0.1"}
    )
    assert binds("1.27.9", dynamic, dns_capture=True) == []
    for release, sni in (("1.29.6", ()), ("1.30.0", ("*.example.com",))):
        (listener,) = outbound(world(dynamic), CLIENT, at(release, dns_capture=True))
        assert listener.rows[0].sni == sni


# Sidecars.


def test_excluded_hosts_came_with_1_31() -> None:
    """Before, "~abc" is the name of no namespace, so that nothing is left out."""
    objects = (service(), sidecar("*/*", "~abc/*"))
    assert binds("1.30.3", *objects) == [(VIP,)]
    assert binds("1.31", *objects) == []
    assert binds("1.30.3", service(), sidecar("~/*")) == []


def test_exact_hosts_are_looked_up_since_1_31() -> None:
    """An entry of several addresses then has a listener for one, and what is exported by name has no place ahead."""
    several = entry(addresses=[VIP, OTHER], resolution="STATIC")
    exact = sidecar("abc/svc.hello")
    assert binds("1.30.3", several, exact) == [(VIP,), (OTHER,)]
    assert binds("1.31", several, exact) == [(VIP,)]


@pytest.mark.parametrize(("release", "expected"), [("1.11.8", (WILDCARD,)), ("1.20.0", (VIP,))])
def test_egress_listener_with_a_port_binds_the_wildcard_on_1_11(release: str, expected: tuple[str, ...]) -> None:
    """There it has no address of its services, so that its one TCP service takes any connection to the port."""
    egress = [{"port": {"number": PORT, "protocol": "TCP", "name": "t"}, "hosts": ["*/*"]}]
    assert binds(release, service(), sidecar(egress=egress)) == [expected]


# What a listener is made of.


@pytest.mark.parametrize(("release", "clusters"), [("1.31", 1), ("1.32", 2)])
def test_sniffed_ports_of_two_cidrs_share_a_listener_in_1_32(release: str, clusters: int) -> None:
    """The younger one's TCP chain is added there; before it has nothing."""
    snapshot = world(
        entry("a", hosts=["a.x"], protocol=None, addresses=["10.1.0.0/16"], resolution="STATIC", created=OLDER),
        entry("b", hosts=["b.x"], protocol=None, addresses=["10.2.0.0/16"], resolution="STATIC", created=NEWER),
    )
    (listener,) = listeners_on(snapshot, CLIENT, at(release), PORT)
    named = {row.cluster for row in listener.rows if row.cluster and row.cluster != PASSTHROUGH}
    assert len(named) == clusters
    assert bool(listener.lost) == (clusters == 1)


def test_http_proxy_displaces_what_is_there_since_1_20() -> None:
    """On 1.11 it takes its place beside older listeners of its port, and has nothing where one matches all."""
    older, proxy = (
        entry("a", hosts=["a.x"], created=OLDER),
        entry("p", hosts=["p.x"], protocol="HTTP_PROXY", created=NEWER),
    )
    assert takers(world(older, proxy), OTHER, mesh=at("1.11.8")) == ("a", "a")
    assert takers(world(older, proxy), OTHER, mesh=at("1.20.0")) == ("p", "p")


def test_http_and_tcp_are_told_apart_where_they_meet_on_1_11() -> None:
    """There a TCP port that joins an HTTP_PROXY one leaves it plaintext HTTP and has the rest; later it has none."""
    proxy, tcp = (
        entry("p", hosts=["p.x"], protocol="HTTP_PROXY", created=OLDER),
        entry("a", hosts=["a.x"], created=NEWER),
    )
    assert takers(world(proxy, tcp), OTHER, mesh=at("1.11.8")) == ("a", "p")
    assert takers(world(proxy, tcp), OTHER, mesh=at("1.20.0")) == ("p", "p")


def test_prefix_of_no_address_is_none_on_1_11() -> None:
    """A chain for 0.0.0.0/N has no match there, since 1.20 an empty one beside what passes through."""
    wide = entry(addresses=["0.0.0.0/1"], resolution="STATIC")
    assert [len(x.rows) for x in outbound(world(wide), CLIENT, at("1.11.8"))] == [1]
    assert [len(x.rows) for x in outbound(world(wide), CLIENT, at("1.20.0"))] == [2]


@pytest.mark.parametrize("release", ["1.20.8", "1.22.8", "1.24.0", "1.28.10"])
def test_one_client_stands_for_each_kind(release: str) -> None:
    """Whatever the release, every namespace has the listeners of the client that stands for it."""
    objects: list[Service | ServiceEntry] = [
        service(export_to="default"),
        entry("a", addresses=[VIP], export_to=["."], namespace="default"),
        entry("b", hosts=["b.x"], addresses=[OTHER, VIP], namespace="other"),
        entry("c", hosts=["b.x"], addresses=[VIP], namespace="abc", created=OLDER),
    ]
    snapshot, mesh = world(*objects), at(release)
    chosen = clients_that_matter(snapshot, mesh, PORT)
    (rest,) = (client for client in chosen if client.stands_for_others)
    named = {client.namespace for client in chosen if not client.stands_for_others}
    for namespace in ("abc", "default", "other", "team"):
        stands = Client(namespace) if namespace in named else rest
        assert outbound(snapshot, Client(namespace), mesh) == outbound(snapshot, stands, mesh)
