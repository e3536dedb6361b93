"""What holds of the listener model in every small world, however odd: worlds are dense, so that objects collide."""

from collections.abc import Sequence

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dnsalias_operator.core.istio.listeners import (
    Client,
    clients_that_matter,
    listener_at,
    listeners_on,
    outbound,
    owner_of,
    sees,
)
from dnsalias_operator.core.istio.listeners.rows import WILDCARD
from dnsalias_operator.model.kinds import Object
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot
from tests.core.listener_worlds import entry, service, sidecar

untimed = settings(deadline=None)
NAMESPACES = ("one", "two", "three")
PORTS = (80, 443)
IPS = ("10.0.0.1", "10.0.0.2", "fd00::1")
Objects = Sequence[Object]

names = st.sampled_from(("a", "b", "c"))
namespaces = st.sampled_from(NAMESPACES)
ages = st.sampled_from((None, 100, 101))
exports = st.sampled_from(((), ("*",), (".",), ("~",), ("one",), ("two", "."), ("?",)))
hosts = st.sampled_from(("a", "a.hello", "b.hello", "*.hello", "a.one.svc.cluster.local"))

services = st.builds(
    service,
    names,
    namespace=namespaces,
    protocol=st.sampled_from(("tcp", "http", "tls", "x", "mongo", "http_proxy")),
    port=st.sampled_from(PORTS),
    ips=st.lists(st.sampled_from(IPS), min_size=1, max_size=2, unique=True),
    created=ages,
    export_to=exports.map(",".join),
    spec=st.sampled_from(({}, {}, {}, {"clusterIP": "None", "clusterIPs": ["None"]})),
)
entries = st.builds(
    entry,
    names,
    hosts=st.lists(hosts, min_size=1, max_size=2),
    namespace=namespaces,
    protocol=st.sampled_from(("TCP", "HTTP", "TLS", None, "MONGO", "MYSQL", "HTTP_PROXY", "UDP")),
    port=st.sampled_from(PORTS),
    addresses=st.lists(st.sampled_from((*IPS, WILDCARD, "10.0.0.0/8", "10.0.0.2/32", "0.0.0.0/1", "?")), max_size=2),
    resolution=st.sampled_from(("NONE", "STATIC", "DNS", "DYNAMIC_DNS")),
    created=ages,
    export_to=exports,
    spec=st.sampled_from(
        ({}, {}, {"endpoints": [{"address": "10.0.0.3"}]}, {"workloadSelector": {"labels": {"a": "b"}}})
    ),
    allocated=st.sampled_from(({}, {"a.hello": "240.240.0.1"})),
)
claimants = st.lists(services | entries, max_size=7, unique_by=lambda obj: obj.key)
imported = st.sampled_from(
    (
        "./*",
        "*/*",
        "one/*",
        "two/*",
        "*/*.hello",
        "one/a.hello",
        "*/a.one.svc.cluster.local",
        "~/a.hello",
        "~two/*",
        "?",
    )
)
egress = st.fixed_dictionaries(
    {"hosts": st.lists(imported, min_size=1, max_size=3)},
    optional={
        "port": st.fixed_dictionaries(
            {
                "number": st.sampled_from((*PORTS, 81)),
                "protocol": st.sampled_from(("TCP", "HTTP", "TLS", "HTTP_PROXY", "")),
            }
        ),
        "bind": st.sampled_from(("127.0.0.1", "10.0.0.1", WILDCARD)),
        "captureMode": st.sampled_from(("DEFAULT", "NONE")),
    },
)
sidecars = st.builds(
    sidecar,
    name=names,
    namespace=st.sampled_from((*NAMESPACES, "elsewhere", "further", "istio-system")),
    created=ages,
    egress=st.lists(egress, max_size=3),
    selector=st.sampled_from((None, None, {"app": "a"}, {"app": "a", "tier": "b"}, {})),
    spec=st.sampled_from(({}, {}, {"outboundTrafficPolicy": {}}, {"outboundTrafficPolicy": {"mode": "ALLOW_ANY"}})),
)
settled = st.lists(sidecars, max_size=3, unique_by=lambda obj: obj.key)
worlds = st.tuples(claimants, settled).map(lambda both: [*both[0], *both[1]])
clients = st.builds(
    Client,
    st.sampled_from((*NAMESPACES, "elsewhere", "nowhere")),
    st.sampled_from(({}, {"app": "a"}, {"app": "a", "tier": "b", "x": "y"})),
)
meshes = st.builds(
    Mesh,
    dns_capture=st.booleans(),
    dual_stack=st.booleans(),
    istio_dual_stack=st.booleans(),
    outbound_traffic_policy=st.sampled_from(("ALLOW_ANY", "REGISTRY_ONLY")),
    default_service_export_to=st.sampled_from((("*",), (".",), ())),
)


@untimed
@given(st.data(), worlds, clients, meshes)
def test_order_of_the_objects_does_not_matter(
    data: st.DataObject, objects: Objects, client: Client, mesh: Mesh
) -> None:
    """The same objects in any order make the same listeners, rows in the same order, owners and losers too."""
    shuffled = data.draw(st.permutations(objects))
    left, right = outbound(Snapshot(objects), client, mesh), outbound(Snapshot(shuffled), client, mesh)
    assert left == right
    assert [[r.owner for r in x.rows] for x in left] == [[r.owner for r in x.rows] for x in right]


@untimed
@given(worlds, services | entries, clients, meshes)
def test_what_the_client_does_not_see_changes_nothing(
    objects: Objects, hidden: Service | ServiceEntry, client: Client, mesh: Mesh
) -> None:
    """An object that is not exported to the client leaves its listeners alone.

    Endpoints apart: istiod gives those of a hidden entry to a passthrough entry of the same namespace and host.
    """
    assume(not sees(hidden, client.namespace, mesh))
    others = [o for o in objects if o.key != hidden.key]
    if isinstance(hidden, ServiceEntry):
        mates = (o for o in others if isinstance(o, ServiceEntry) and o.meta.namespace == hidden.meta.namespace)
        assume(not any(set(mate.hosts) & set(hidden.hosts) for mate in mates))
    assert outbound(Snapshot([*others, hidden]), client, mesh) == outbound(Snapshot(others), client, mesh)


@untimed
@given(st.data(), worlds, clients, meshes)
def test_replacing_an_object_by_itself_changes_nothing(
    data: st.DataObject, objects: Objects, client: Client, mesh: Mesh
) -> None:
    """A what-if that changes nothing, and one that takes an object away and brings it back, are identities."""
    assume(objects)
    obj = data.draw(st.sampled_from(objects))
    base = Snapshot(objects)
    expected = outbound(base, client, mesh)
    assert outbound(base.with_changes({obj.key: obj}), client, mesh) == expected
    assert outbound(base.with_changes({obj.key: None}).with_changes({obj.key: obj}), client, mesh) == expected


@untimed
@given(worlds, clients, meshes)
def test_every_question_has_the_same_answer(objects: Objects, client: Client, mesh: Mesh) -> None:
    """One socket, one port or all at once: each is a cut of the same whole."""
    snapshot = Snapshot(objects)
    whole = outbound(snapshot, client, mesh)
    by_port = [x for port in (*PORTS, 81) for x in listeners_on(snapshot, client, mesh, port)]
    assert sorted(by_port, key=lambda x: (x.binds, x.port)) == list(whole)
    for port in PORTS:
        for bind in (WILDCARD, *IPS, "10.0.0.3", "240.240.0.1", "127.0.0.1"):
            bound = [x for x in whole if bind in x.binds and x.port == port]
            first = [x for x in bound if x.binds[0] == bind] or bound
            assert listener_at(snapshot, client, mesh, bind, port) == next(iter(first), None)


@untimed
@given(worlds, clients, meshes)
def test_listener_leaves_no_connection_undecided(objects: Objects, client: Client, mesh: Mesh) -> None:
    """Every listener has exactly one default chain, or is one match-all chain, and no two chains match the same."""
    for listener in outbound(Snapshot(objects), client, mesh):
        assert sum(r.default for r in listener.rows) == (len(listener.rows) > 1)
        assert len(listener.rows) > 1 or listener.rows[0].match_all
        matches = [(r.sni, r.cidr, r.http) for r in listener.rows if not r.default]
        assert len(matches) == len(set(matches))
        assert all(loss.loser != loss.winner for loss in listener.lost)


@untimed
@given(worlds, meshes, st.sampled_from(PORTS))
def test_clients_that_matter_stand_for_all(objects: Objects, mesh: Mesh, port: int) -> None:
    """A pod of any other namespace, or with other labels, has the listeners of one of them, or none."""
    snapshot = Snapshot(objects)
    chosen = clients_that_matter(snapshot, mesh, port)
    assert sum(c.stands_for_others for c in chosen) == 1
    known = [listeners_on(snapshot, c, mesh, port) for c in chosen]
    for namespace in (*NAMESPACES, "elsewhere", "further", "istio-system", "nowhere"):
        for labels in ({}, {"app": "a"}, {"app": "a", "tier": "b"}, {"x": "y"}):
            found = listeners_on(snapshot, Client(namespace, labels), mesh, port)
            assert not found or found in known


@untimed
@given(worlds, meshes, st.sampled_from(PORTS), st.sampled_from(IPS))
def test_clients_that_matter_at_an_address_stand_for_all(objects: Objects, mesh: Mesh, port: int, address: str) -> None:
    """The same of one socket."""
    snapshot = Snapshot(objects)
    known = [listener_at(snapshot, c, mesh, address, port) for c in clients_that_matter(snapshot, mesh, port, address)]
    for namespace in (*NAMESPACES, "elsewhere", "further", "istio-system", "nowhere"):
        for labels in ({}, {"app": "a"}, {"app": "a", "tier": "b"}):
            found = listener_at(snapshot, Client(namespace, labels), mesh, address, port)
            assert found is None or found in known


@untimed
@given(claimants, clients, meshes)
def test_sidecar_that_imports_everything_changes_nothing(objects: Objects, client: Client, mesh: Mesh) -> None:
    """One for all hosts of all namespaces, or without egress listeners, is as good as none."""
    expected = outbound(Snapshot(objects), client, mesh)
    for namespace in (client.namespace, "istio-system"):
        for egress in ([{"hosts": ["*/*"]}], []):
            told = sidecar(namespace=namespace, egress=egress)
            assert outbound(Snapshot([*objects, told]), client, mesh) == expected


@untimed
@given(claimants, clients, meshes)
def test_sidecar_that_imports_nothing_leaves_nothing(objects: Objects, client: Client, mesh: Mesh) -> None:
    """One that excludes everything has no outbound listener at all."""
    for hosts in (["~/*"], ["*/*", "~*/*"], ["no-such-namespace/*"]):
        assert outbound(Snapshot([*objects, sidecar(*hosts, namespace=client.namespace)]), client, mesh) == ()


@untimed
@given(worlds, clients, meshes, st.sampled_from((*IPS, "10.9.9.9", "no address")), st.sampled_from(PORTS))
def test_owner_of_is_total(objects: Objects, client: Client, mesh: Mesh, address: str, port: int) -> None:
    """Whoever asks, rows come from one listener, and raw bytes have one destination at most."""
    rows = owner_of(Snapshot(objects), client, mesh, address, port)
    assert len({r.bind for r in rows}) <= 1
    assert len([r for r in rows if not r.sni and not r.http and not r.default]) <= 1
