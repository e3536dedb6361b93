"""The records of ambient mode against those that a real istiod told, and rules that no recording has.

`python -m tests.core.ambient_agreement FILE...` holds the model against recordings of the same kinds.
"""

import json
from pathlib import Path

import pytest

from dnsalias_operator.core.istio.ambient import Pod, Records, Waypoint, asked_waypoint, records_of
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.snapshot import Snapshot
from tests.core.ambient_agreement import compare, main
from tools import make

RECORDS = Path(__file__).parent / "data" / "ambient" / "records"
PAY = make.service("pay", namespace="a", ip="10.96.0.1", ports=[make.port(80, "http")], selector={"app": "pay"})
OWN = make.entry("own", "own.hello", namespace="a", addresses=["240.241.0.1"], resolution="STATIC")


def world(*raws: make.Raw) -> Snapshot:
    """These objects."""
    return Snapshot(KINDS[raw["kind"]].parse(raw) for raw in raws)


def made(*raws: make.Raw, release: str = "1.31", **mesh: object) -> Records:
    """The records of these objects, without pods."""
    return records_of(world(*raws), Mesh(istio_version=release, **mesh))


@pytest.mark.parametrize("path", sorted(RECORDS.iterdir()), ids=lambda path: path.stem)
def test_every_record_is_predicted(path: Path) -> None:
    """What istiod told of a situation is predicted, and nothing else."""
    result = compare(path, Mesh())
    assert result.compared
    assert (result.differences, result.unknown) == ([], [])


def test_another_record_is_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The program finds a record that is not as predicted, and says which; what is no recording is an error."""
    found = json.loads((RECORDS / "b-own-select.json").read_text())
    found["services"][0]["addresses"] = [{"address": "240.241.9.9"}]
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(found))
    assert main([str(path), "--base", str(RECORDS / "00-base.json")]) == 1
    assert "amb-a/own.alias: recorded" in capsys.readouterr().out
    path.write_text('{"listeners": []}')
    assert main([str(path), "--base", str(RECORDS / "00-base.json")]) == 2
    assert "not a recording" in capsys.readouterr().err


def test_older_releases_tell_less() -> None:
    """No entry with a prefix before 1.30, none canonical before 1.29, resolution NONE kept from 1.28 on."""
    cidr = make.entry("cidr", "cidr.hello", namespace="a", addresses=["10.9.8.7/16"], resolution="NONE")
    newest = made(PAY, cidr).named("a", "cidr.hello")
    assert newest is not None
    assert (newest.addresses, newest.canonical, newest.keeps) == (("10.9.0.0/16",), True, True)
    assert made(PAY, cidr, release="1.29.0").named("a", "cidr.hello") is None
    before = made(PAY, {**OWN, "spec": {**OWN["spec"], "resolution": "NONE"}}, release="1.27.0")
    assert [(s.canonical, s.keeps) for s in before.services] == [(False, False)] * 2


def test_own_addresses_of_istiod_by_release() -> None:
    """An entry without addresses has one of istiod's from 1.25 on, or as PILOT_ENABLE_IP_AUTOALLOCATE says."""
    bare = make.entry("bare", "bare.hello", namespace="a", addresses=[])
    assert made(bare).services[0].addresses
    assert not made(bare, release="1.24.0").services[0].addresses
    assert made(bare, release="1.24.0", ip_autoallocate=True).services[0].addresses
    assert not made(bare, ip_autoallocate=False).services[0].addresses


def test_visibility_of_namespaces() -> None:
    """By serviceEntryVisibility an entry is kept to its namespace, or hidden; what is not discovered has no record."""
    kept = made(PAY, OWN, private_entries=frozenset({"a"})).named("a", "own.hello")
    assert kept is not None
    assert (kept.public, kept.canonical) == (False, False)
    assert made(PAY, OWN, hidden_entries=frozenset({"a"})).named("a", "own.hello") is None
    assert made(PAY, OWN, undiscovered=frozenset({"a"})).services == ()


def test_external_names_have_no_record() -> None:
    """Their questions go on to the cluster's DNS."""
    assert made(make.service("out", namespace="a", type="ExternalName", externalName="example.com")).services == ()


def test_oldest_of_one_host_survives() -> None:
    """In a namespace the younger entry for a host is left out, with its endpoints."""
    first, second = (
        make.entry(
            name,
            "pay.hello",
            namespace="a",
            addresses=[f"240.241.0.{number}"],
            resolution="STATIC",
            endpoints=[{"address": f"192.0.2.{number}"}],
            meta={"creationTimestamp": f"2026-01-0{number}T00:00:00Z"},
        )
        for number, name in ((1, "z-old"), (2, "a-new"))
    )
    records = made(second, first)
    assert [(s.owner.name, s.addresses) for s in records.services] == [("z-old", ("240.241.0.1",))]
    assert [w.addresses for w in records.workloads] == [("192.0.2.1",)]


def test_pods_that_are_done_or_have_no_address_have_no_record() -> None:
    """One that is not ready has, and is no endpoint."""
    status = {"podIPs": [{"ip": "10.244.0.1"}], "phase": "Running", "conditions": []}
    raw = {**make.manifest("v1", "Pod", "pay-1", {}, namespace="a", meta={"labels": {"app": "pay"}}), "status": status}
    there, mesh = world(PAY), Mesh()
    pods = [
        Pod.parse(raw),
        Pod.parse({**raw, "status": {**status, "phase": "Failed"}}),
        Pod.parse({**raw, "status": {}}),
    ]
    assert [bool(records_of(there, mesh, [pod]).workloads) for pod in pods] == [True, False, False]
    records = records_of(there, mesh, pods[:1])
    assert records.endpoints(records.services[0]) == ()


@pytest.mark.parametrize(
    ("allowed", "traffic", "found"),
    [
        ({"from": "All"}, "service", True),
        ({"from": "Same"}, "service", False),
        ({}, "service", False),
        ({"from": "Selector", "selector": {"matchLabels": {"kubernetes.io/metadata.name": "a"}}}, "all", True),
        ({"from": "All"}, "workload", False),
    ],
)
def test_waypoint_takes_whom_it_allows(allowed: make.Raw, traffic: str, found: bool) -> None:  # noqa: FBT001 (a table)
    """A Service gets a waypoint of another namespace that is for Services, and only if that lets its namespace in."""
    listener = {"protocol": "HBONE", "port": 15008, "allowedRoutes": {"namespaces": allowed}}
    gateway = make.manifest(
        "gateway.networking.k8s.io/v1",
        "Gateway",
        "wp",
        {"listeners": [listener]},
        namespace="b",
        meta={"labels": {"istio.io/waypoint-for": traffic}},
    )
    status = {"addresses": [{"type": "IPAddress", "value": "10.96.9.9"}]}
    waypoint = Waypoint.parse({**gateway, "status": status})
    name = {"labels": {"kubernetes.io/metadata.name": "a"}}
    labels = {"istio.io/use-waypoint": "wp", "istio.io/use-waypoint-namespace": "b"}
    there = world(
        make.manifest("v1", "Namespace", "a", None, meta=name),
        {**PAY, "metadata": {**PAY["metadata"], "labels": labels}},
    )
    service = records_of(there, Mesh(), (), {("b", "wp"): waypoint}).services[0]
    assert (service.waypoint is not None) is found
    assert asked_waypoint(there, there.services()[0].meta) == ("b", "wp")
    assert records_of(there, Mesh(), (), {}).services[0].waypoint is None


def test_object_may_opt_out_of_the_waypoint_of_its_namespace() -> None:
    """The label's value none, and Services that are waypoints themselves."""
    namespace = make.manifest("v1", "Namespace", "a", None, meta={"labels": {"istio.io/use-waypoint": "wp"}})

    def waypoint(**labels: str) -> object:
        service = {
            **PAY,
            "metadata": {**PAY["metadata"], "labels": {k.replace("_", "/"): v for k, v in labels.items()}},
        }
        return made(namespace, service).services[0].waypoint

    assert waypoint() is not None
    assert waypoint(**{"istio.io/use-waypoint": "none"}) is None
    assert waypoint(**{"gateway.istio.io/managed": "istio.io-mesh-controller"}) is None
