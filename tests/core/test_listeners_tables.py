"""The tables of docs/istio.md, "Catch-alls" and "Shared addresses", row by row, as measured with a real istiod."""

import pytest

from dnsalias_operator.core.istio.listeners import Client, Row, listener_at, listeners_on, outbound
from dnsalias_operator.core.istio.listeners.rows import PASSTHROUGH, WILDCARD
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

CLUSTER = f"outbound|{PORT}||svc.hello"
TCP_CATCH_ALL = {("", CLUSTER)}
UNSET_CATCH_ALL = {("default", CLUSTER), ("http", "route 443")}
PROXY = {("", "route 443")}
BY_SNI = {("svc.hello", CLUSTER), ("default", PASSTHROUGH)}
BY_ROUTE = {("http", "route 443"), ("default", PASSTHROUGH)}

# Protocol of the entry; rows of 0.0.0.0:443; who gets raw bytes and who plaintext HTTP to an unrelated address.
PART_1 = [
    ("TCP", TCP_CATCH_ALL, ("alias", "alias")),
    ("MONGO", TCP_CATCH_ALL, ("alias", "alias")),
    ("MYSQL", TCP_CATCH_ALL, ("alias", "alias")),
    ("REDIS", TCP_CATCH_ALL, ("alias", "alias")),
    (None, UNSET_CATCH_ALL, ("alias", "alias")),
    ("HTTP_PROXY", PROXY, ("alias", "alias")),
    ("TLS", BY_SNI, ("-", "-")),
    ("HTTPS", BY_SNI, ("-", "-")),
    ("HTTP", BY_ROUTE, ("-", "alias")),
    ("HTTP2", BY_ROUTE, ("-", "alias")),
    ("GRPC", BY_ROUTE, ("-", "alias")),
]


@pytest.mark.parametrize("addresses", [(), (WILDCARD,)], ids=["none", "unspecified"])
@pytest.mark.parametrize("resolution", ["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN"])
@pytest.mark.parametrize(("protocol", "rows", "taken"), PART_1, ids=[str(p) for p, _, _ in PART_1])
def test_entry_without_addresses(
    protocol: str | None,
    rows: set[tuple[str, str]],
    taken: tuple[str, str],
    resolution: str,
    addresses: tuple[str, ...],
) -> None:
    """An entry without addresses, or with 0.0.0.0, opens the wildcard listener that part 1 tells, in any resolution."""
    snapshot = world(entry(protocol=protocol, resolution=resolution, addresses=addresses))
    (listener,) = outbound(snapshot, CLIENT, MESH)
    assert (listener.binds, listener.port) == ((WILDCARD,), PORT)
    assert targets(listener.rows) == rows
    assert takers(snapshot, ELSEWHERE) == taken


@pytest.mark.parametrize("addresses", [(), (VIP,), (WILDCARD,)])
def test_udp_gets_no_listener(addresses: tuple[str, ...]) -> None:
    """A UDP port opens nothing, with or without addresses."""
    assert outbound(world(entry(protocol="UDP", addresses=addresses)), CLIENT, MESH) == ()


@pytest.mark.parametrize("resolution", ["NONE", "STATIC"])
@pytest.mark.parametrize("prefix", ["0.0.0.0/0", "0.0.0.0/1", "0.0.0.0/8"])
@pytest.mark.parametrize("protocol", ["TCP", "MONGO", None])
def test_prefix_of_the_unspecified_address_catches_all(protocol: str | None, prefix: str, resolution: str) -> None:
    """The CIDR match of 0.0.0.0/N vanishes: the chain takes everything, with a default chain beside it."""
    snapshot = world(entry(protocol=protocol, addresses=[prefix], resolution=resolution))
    listener = listener_at(snapshot, CLIENT, MESH, WILDCARD, PORT)
    assert listener is not None
    assert {("", CLUSTER), ("default", PASSTHROUGH)} <= targets(listener.rows)
    assert takers(snapshot, ELSEWHERE)[0] == "alias"


@pytest.mark.parametrize("protocol", ["TCP", "MONGO", "MYSQL", "REDIS", "TLS", "HTTPS"])
def test_clean_vip_is_served_by_a_listener_of_its_own(protocol: str) -> None:
    """With an address that nobody else uses, TCP and TLS class bind it with one match-all chain; others pass."""
    snapshot = world(entry(protocol=protocol, addresses=[VIP]))
    (listener,) = outbound(snapshot, CLIENT, MESH)
    assert listener.binds == (VIP,)
    assert listener.rows == (Row(VIP, PORT, False, (), (), False, CLUSTER, None),)
    assert takers(snapshot, ELSEWHERE) == ("-", "-")


def test_clean_vip_of_an_unset_port() -> None:
    """An unset port binds its address with its own HTTP route and a default chain to its cluster."""
    (listener,) = outbound(world(entry(protocol=None, addresses=[VIP])), CLIENT, MESH)
    assert listener.binds == (VIP,)
    assert targets(listener.rows) == {("http", f"route svc.hello:{PORT}"), ("default", CLUSTER)}


@pytest.mark.parametrize("protocol", ["HTTP", "HTTP2", "GRPC", "GRPC-WEB"])
def test_http_binds_the_wildcard_whatever_its_addresses(protocol: str) -> None:
    """For HTTP class the addresses only add a domain to the virtual host: no listener is on them."""
    snapshot = world(entry(protocol=protocol, addresses=[VIP]))
    assert [listener.binds for listener in outbound(snapshot, CLIENT, MESH)] == [(WILDCARD,)]
    assert takers(snapshot, VIP)[0] == "-"


SVC, ALIAS = ("svc", "svc"), ("alias", "alias")

# Service port, entry protocol, takers of raw bytes and of plaintext HTTP to the VIP: Service older, then alias older.
PART_2 = [
    ("tcp", "TCP", SVC, ALIAS),
    ("tcp", "TLS", SVC, ALIAS),
    ("https", "TCP", SVC, ALIAS),
    ("tls", "HTTPS", SVC, ALIAS),
    ("tcp", "HTTP", SVC, SVC),
    ("tls", "HTTP", SVC, SVC),
    ("tcp", None, ("svc", "alias"), ALIAS),
    ("http", "TCP", ALIAS, ALIAS),
    ("http", "TLS", ALIAS, ALIAS),
    ("grpc", "TCP", ALIAS, ALIAS),
    ("http", None, ALIAS, ALIAS),
    ("http", "HTTP", ("-", "svc"), ("-", "alias")),
    ("x", "TCP", SVC, ("alias", "svc")),
    ("x", "TLS", SVC, ("alias", "svc")),
    ("x", "HTTP", SVC, SVC),
    ("x", None, SVC, ALIAS),
]


@pytest.mark.parametrize(
    ("port", "protocol", "service_older", "alias_older"), PART_2, ids=[f"{s}-{e}" for s, e, _, _ in PART_2]
)
def test_entry_on_a_services_vip(
    port: str, protocol: str | None, service_older: tuple[str, str], alias_older: tuple[str, str]
) -> None:
    """Who owns VIP:port when an entry lists a Service's clusterIP depends on both classes and, for some, on age."""
    alias = entry(protocol=protocol, addresses=[VIP], created=NEWER)
    assert takers(world(service(protocol=port, created=OLDER), alias), VIP) == service_older
    assert takers(world(service(protocol=port, created=NEWER + 1), alias), VIP) == alias_older


def test_http_on_both_sides_is_one_listener_without_losers() -> None:
    """HTTP class on both sides shares 0.0.0.0:port and its route: nobody loses, raw bytes pass."""
    snapshot = world(service(protocol="http"), entry(protocol="HTTP", addresses=[VIP]))
    (listener,) = listeners_on(snapshot, CLIENT, MESH, PORT)
    assert listener.binds == (WILDCARD,)
    assert targets(listener.rows) == BY_ROUTE
    assert listener.lost == ()


@pytest.mark.parametrize("export_to", [["default"], ["default", "other"]])
def test_entry_exported_by_name_goes_before_an_older_public_service(export_to: list[str]) -> None:
    """In the namespaces that an exportTo names the entry wins whatever its age; elsewhere it is not seen at all."""
    snapshot = world(service(created=OLDER), entry(addresses=[VIP], created=NEWER, export_to=export_to))
    assert takers(snapshot, VIP, client=Client("default")) == ALIAS
    assert takers(snapshot, VIP, client=Client("elsewhere")) == SVC


def test_private_entry_goes_before_an_older_public_service_at_home() -> None:
    """The exportTo `.` beats age in the entry's own namespace only."""
    snapshot = world(service(created=OLDER), entry(addresses=[VIP], created=NEWER, export_to=["."]))
    assert takers(snapshot, VIP, client=Client("abc")) == ALIAS
    assert takers(snapshot, VIP, client=Client("default")) == SVC


def test_same_exports_leave_it_to_age() -> None:
    """Where Service and entry are exported alike by name, the older one wins again."""
    snapshot = world(service(created=OLDER, export_to="."), entry(addresses=[VIP], created=NEWER, export_to=["."]))
    assert takers(snapshot, VIP, client=Client("abc")) == SVC
