"""Entries of one host: what their ports come to, in how many of them that is told, and what has to be decided again."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnsalias_operator.core.findings.lint import entry_findings
from dnsalias_operator.core.traffic.one_host import MOST, Effect, fates, fates_of_all
from dnsalias_operator.core.traffic.ports_alike import ports_alike
from dnsalias_operator.core.triggers import affected
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.service import Service
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.sidecar import Sidecar
from dnsalias_operator.model.snapshot import Snapshot
from tools import make

MESH = Mesh()
RULES = make.rules()
CAPTURE = Mesh(dns_capture=True)


def _entry(name: str, port: int = 80, protocol: str = "HTTP", **spec: object) -> ServiceEntry:
    raw = make.entry(name, "h.example", ports=[make.entry_port(port, protocol)], namespace="abc", resolution="DNS")
    raw["metadata"]["creationTimestamp"] = f"2026-01-01T00:00:{len(name):02}Z"
    raw["spec"].update(spec)
    return ServiceEntry.parse(raw)


def _effects(entry: ServiceEntry, *others: ServiceEntry, mesh: Mesh = MESH) -> list[tuple[Effect, str]]:
    found = fates(Snapshot([entry, *others]), entry, "h.example", mesh)
    return [(fate.effect, str(fate.where)) for fate in found]


@pytest.mark.parametrize(
    ("spec", "effect"),
    [
        ({}, Effect.MERGED),
        ({"resolution": "NONE"}, Effect.NO_CLUSTER),
        ({"resolution": "DNS_ROUND_ROBIN"}, Effect.NO_CLUSTER),
        ({"exportTo": ["*"]}, Effect.NO_CLUSTER),
        ({"resolution": "STATIC", "workloadSelector": {"labels": {"app": "a"}}}, Effect.NO_CLUSTER),
    ],
)
def test_a_port_of_the_younger_one(spec: dict[str, Any], effect: Effect) -> None:
    """It is added where the two are alike in all that istiod compares, and has no cluster where they are not."""
    assert _effects(_entry("younger", 81, **spec), _entry("old")) == [(effect, "every namespace")]
    assert all(found is not Effect.NO_CLUSTER for found, _ in _effects(_entry("old"), _entry("younger", 81, **spec)))


def test_labels_count() -> None:
    """Two entries that differ in labels alone are not alike."""
    labelled = make.entry("younger", "h.example", ports=[make.entry_port(81, "HTTP")], namespace="abc")
    labelled["metadata"].update({"labels": {"team": "a"}, "creationTimestamp": "2026-01-02T00:00:00Z"})
    assert [e for e, _ in _effects(ServiceEntry.parse(labelled), _entry("old"))] == [Effect.NO_CLUSTER]


def test_only_those_who_get_both_differ() -> None:
    """Where the first one is not exported the other one is made into clusters."""
    hidden = _entry("old", exportTo=["shop"], resolution="NONE")
    assert _effects(_entry("younger", 81), hidden) == [(Effect.NO_CLUSTER, "namespace shop")]
    assert _effects(_entry("younger", 81, exportTo=["data"]), hidden) == []


def test_a_sidecar_that_imports_nothing_is_not_hit() -> None:
    """Its pods have no listener for the port."""
    egress = [{"hosts": ["./*"]}]
    sidecar = Sidecar.parse(make.sidecar("default", namespace="shop", egress=egress))
    dead, old = _entry("younger", 81), _entry("old", resolution="NONE")
    (fate,) = fates(Snapshot([dead, old, sidecar]), dead, "h.example", MESH)
    assert str(fate.where) == "every namespace but shop"


def test_a_service_takes_no_ports_in() -> None:
    """With the Service's full name a port that it lacks has no cluster."""
    full = "h.abc.svc.cluster.local"
    service = Service.parse(make.service("h", namespace="abc", ip="10.96.0.1", ports=[make.port(80, "http")]))
    entry = ServiceEntry.parse(make.entry("e", full, ports=[make.entry_port(81, "HTTP")], namespace="abc"))
    assert [f.effect for f in fates(Snapshot([service, entry]), entry, full, MESH)] == [Effect.NO_CLUSTER]
    found = entry_findings(Snapshot([service, entry]), entry, RULES)
    assert "DA025" in {f.code for f in found}
    assert entry.key in affected(Snapshot([service, entry]), None, service, RULES)


def test_with_capture_half_of_the_calls_fail() -> None:
    """Each of two addresses serves the ports of its own entry; without capture nobody is answered with them."""
    one, two = _entry("one", 5671, "TCP"), _entry("two-too", 5672, "TCP")
    assert [e for e, _ in _effects(one, two, mesh=CAPTURE)] == [Effect.MERGED, Effect.MIXED]
    assert [e for e, _ in _effects(one, two)] == [Effect.MERGED]
    (mixed,) = (f for f in fates(Snapshot([one, two]), one, "h.example", CAPTURE) if f.effect is Effect.MIXED)
    assert (len(mixed.addresses), mixed.answered, mixed.certain) == (1, 2, True)


def test_with_capture_an_address_that_was_listed_may_have_a_server() -> None:
    """What goes there passes the entry by, unless what is unknown is blocked."""
    one = _entry("one", 5671, "TCP", addresses=["203.0.113.1"])
    two = _entry("two-too", 5672, "TCP", addresses=["203.0.113.2"])
    world = Snapshot([one, two])
    blocked = Mesh(dns_capture=True, outbound_traffic_policy="REGISTRY_ONLY")
    for mesh, certain in ((CAPTURE, False), (blocked, True)):
        (mixed,) = (f for f in fates(world, one, "h.example", mesh) if f.effect is Effect.MIXED)
        assert mixed.certain is certain


def test_endpoints_of_an_entry_that_keeps_the_destination_are_not_shared() -> None:
    """Calls go on to the address that was dialled."""
    one, two = (
        _entry(name, resolution="NONE", exportTo=[name], endpoints=[{"address": f"192.0.2.{n}"}])
        for n, name in enumerate(("shop", "data"))
    )
    assert _effects(one, two) == []


def test_of_very_many_nothing_is_told_but_that_there_are() -> None:
    """What each of a great many comes to would cost their square."""
    many = [_entry(f"e{n}", 80 + n) for n in range(MOST + 1)]
    assert _effects(*many) == []
    assert len(_effects(*many[:MOST])) == 1


def test_of_too_many_kinds_of_ports_nothing_is_told() -> None:
    """Two hundred ports of every entry are one question where they are alike, and very many where no two are."""
    numbers = range(1, 201)
    alike = [[make.entry_port(n, "TCP", f"p{n}") for n in numbers] for _ in range(9)]
    # In binary, which of the entries say HTTP on a port and which say TCP.
    unlike = [[make.entry_port(n, "HTTP" if n >> at & 1 else "TCP", f"p{n}") for n in numbers] for at in range(9)]
    told, untold = ([_entry("e" * (at + 1), ports=ports) for at, ports in enumerate(each)] for each in (alike, unlike))
    assert len(_effects(*told)) == len(numbers)
    assert _effects(*untold) == []


_PORTS = st.lists(
    st.fixed_dictionaries(
        {"number": st.sampled_from([53, 80, 81, 82, 90, 443, 15001, 15021]), "name": st.sampled_from("abcd")},
        optional={"protocol": st.sampled_from(["HTTP", "TCP", "TLS", "UDP"]), "targetPort": st.sampled_from([80, 90])},
    ),
    max_size=6,
)
_SPECS = st.fixed_dictionaries(
    {"ports": _PORTS, "resolution": st.sampled_from(["STATIC", "DNS", "DNS_ROUND_ROBIN", "NONE"])},
    optional={
        "addresses": st.lists(st.sampled_from(["192.0.2.1", "192.0.2.2", "10.96.0.1", "10.0.0.0/8"]), max_size=2),
        "endpoints": st.lists(
            st.fixed_dictionaries(
                {"address": st.sampled_from(["192.0.2.7", "192.0.2.8", "far.example"])},
                optional={"ports": st.dictionaries(st.sampled_from("ab"), st.sampled_from([80, 90]), max_size=2)},
            ),
            max_size=3,
        ),
        "exportTo": st.sampled_from([["."], ["shop"], ["*"]]),
        "workloadSelector": st.just({"labels": {"app": "a"}}),
    },
)
_EGRESS = st.fixed_dictionaries(
    {"hosts": st.sampled_from([["./*"], ["*/*"], ["abc/*"]])},
    optional={"port": st.sampled_from([{"number": n, "protocol": p} for n in (80, 81) for p in ("HTTP", "TCP")])},
)
_MESHES = st.builds(
    Mesh,
    dns_capture=st.booleans(),
    dual_stack=st.booleans(),
    outbound_traffic_policy=st.sampled_from(["ALLOW_ANY", "REGISTRY_ONLY"]),
    istio_version=st.sampled_from(["1.11.8", "1.22.3", "1.31.0"]),
)


@settings(deadline=None)
@given(
    specs=st.lists(_SPECS, min_size=1, max_size=4),
    service=st.none() | st.lists(st.sampled_from([53, 80, 81, 82]), min_size=1, unique=True),
    egress=st.lists(_EGRESS, max_size=2),
    mesh=_MESHES,
)
def test_ports_that_are_alike_come_to_the_same(
    specs: list[dict[str, Any]], service: list[int] | None, egress: list[dict[str, Any]], mesh: Mesh
) -> None:
    """To ask for one number of each kind gives what asking for every number gives, whatever the group and the mesh."""
    host = "h.abc.svc.cluster.local" if service else "h.example"
    entries = [_entry("e" * (at + 1), hosts=[host], **spec) for at, spec in enumerate(specs)]
    ports = [make.port(n, name) for n, name in zip(service or (), ("http", "tcp", "", "x"), strict=False)]
    services = [Service.parse(make.service("h", namespace="abc", ip="10.96.0.1", ports=ports))] if service else []
    group: list[Service | ServiceEntry] = [*entries, *services]
    sidecars = [Sidecar.parse(make.sidecar("default", namespace="shop", egress=egress))] if egress else []
    alone = Snapshot([*group, *sidecars])
    alike = ports_alike(alone, group, mesh)
    one_by_one = sorted([number] for numbers in alike for number in numbers)
    assert fates_of_all(alone, host, group, alike, mesh) == fates_of_all(alone, host, group, one_by_one, mesh)


@pytest.mark.parametrize("spec", [{"exportTo": ["shop"]}, {"resolution": "NONE"}, {"protocol": "TCP"}])
def test_an_entry_triggers_those_of_its_host(spec: dict[str, object]) -> None:
    """What is found in the one changes with the other."""
    protocol = str(spec.pop("protocol", "HTTP"))
    first, other = _entry("younger"), _entry("old", 80, protocol, **spec)
    alone, both = Snapshot([first]), Snapshot([first, other])
    if entry_findings(both, first, RULES) != entry_findings(alone, first, RULES):
        assert first.key in affected(both, None, other, RULES)
        assert first.key in affected(alone, other, None, RULES)


def test_a_service_triggers_entries_that_lead_to_it() -> None:
    """By its name, by a name with a dot at its end and by its clusterIP: a port that it loses is a fault of theirs."""
    before = Service.parse(make.service("api", namespace="shop", ip="10.96.0.1", ports=[make.port(80), make.port(81)]))
    after = Service.parse(make.service("api", namespace="shop", ip="10.96.0.1", ports=[make.port(81)]))
    for address in ("api.shop.svc.cluster.local", "api.shop.svc.cluster.local.", "api.shop", "10.96.0.1"):
        entry = _entry("leads", endpoints=[{"address": address}])
        assert "DA012" not in {f.code for f in entry_findings(Snapshot([entry, before]), entry, RULES)}
        assert "DA012" in {f.code for f in entry_findings(Snapshot([entry, after]), entry, RULES)}
        assert entry.key in affected(Snapshot([entry, after]), before, after, RULES)
