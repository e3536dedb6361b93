"""What the model of ambient mode says of calls, against what pods of real ztunnels got, and by release."""

import json
from pathlib import Path

import pytest

from dnsalias_operator.core.istio.ambient import ServiceRecord, Way, answers, chosen, records_of, resolved, told
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.snapshot import Snapshot
from tests.core.ambient_agreement import compare, main
from tests.core.ambient_calls import expected
from tests.core.ambient_scenes import BY_NAME, OLD_VIP, OLDA, OUTSIDE, PAY_HOST, VIP, Scene, entry
from tests.core.ambient_scenes import SAME as SHARING
from tools import make

CALLS = Path(__file__).parent / "data" / "ambient"
OLD, NEW = Mesh(istio_version="1.29"), Mesh(istio_version="1.30")


def record(kind: str, namespace: str, name: str, *, canonical: bool = True) -> ServiceRecord:
    """A record at one address."""
    return ServiceRecord(Key(kind, namespace, name), f"{name}.hello", ("10.96.0.1",), (), canonical)


SERVICE, SAME, OTHER = record("Service", "a", "pay"), record("ServiceEntry", "a", "x"), record("ServiceEntry", "b", "y")


@pytest.mark.parametrize("path", sorted(CALLS.glob("*.json")), ids=lambda path: path.stem)
def test_every_call_is_predicted(path: Path) -> None:
    """Who answered, by which record, to which workload, over HBONE or not: as predicted."""
    result = compare(path, Mesh())
    assert result.compared > 10
    assert (result.differences, result.unknown) == ([], [])


def test_another_release_does_not_fit() -> None:
    """The comparison sees a release: with one slot for everybody the calls end elsewhere."""
    path = CALLS / "ztunnel-shared-address.json"
    assert len(compare(path, Mesh(istio_version="1.26")).differences) > 5


def test_calls_that_no_scene_is_of_are_no_agreement(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The program says which call it knows nothing of, and that one ended elsewhere."""
    found = json.loads((CALLS / "ztunnel-with-istiod.json").read_text())[:1]
    path = tmp_path / "calls.json"
    path.write_text(json.dumps([{**found[0], "what": "something else"}]))
    assert main([str(path)]) == 1
    assert "something else: no scene" in capsys.readouterr().out
    path.write_text(json.dumps([{**found[0], "result": "10.96.10.1 CLOSED"}]))
    assert main([str(path)]) == 1


def test_one_slot_for_everybody_before_1_30() -> None:
    """The last one told has it, whoever asks, and removing either empties it; from 1.30 on the other one stays."""
    for client in ("a", "b", "c"):
        assert told(OLD, SERVICE, OTHER).answer(client) is OTHER
    assert told(OLD, SERVICE, OTHER).gone(SERVICE).answer("b") is None
    assert told(NEW, SERVICE, OTHER).answer("a") is SERVICE
    assert told(NEW, SERVICE, OTHER).gone(SERVICE).answer("a") is OTHER


def test_removal_empties_the_slot_of_the_namespace() -> None:
    """An entry that goes takes its own namespace's Service along, until that one is told again."""
    slots = told(NEW, SERVICE, SAME).gone(SAME)
    assert slots.answer("a") is None
    assert slots.touched(SERVICE).answer("a") is SERVICE


def test_third_namespaces_get_the_last_canonical_one() -> None:
    """A record that comes again moves to the end, one whose endpoints change keeps its place."""
    assert told(NEW, SERVICE, OTHER).answer("c") is OTHER
    assert told(NEW, SERVICE, OTHER, SERVICE).answer("c") is SERVICE
    assert told(NEW, SERVICE, OTHER).touched(SERVICE).answer("c") is OTHER
    plain = record("ServiceEntry", "b", "z", canonical=False)
    assert told(NEW, SERVICE, plain).answer("c") is SERVICE
    assert told(NEW, plain).answer("c") is plain


def test_chance_is_every_order() -> None:
    """What a client may get, when nobody knows in which order its ztunnel was told."""
    assert set(chosen([SERVICE, SAME, OTHER], "a", NEW)) == {SERVICE, SAME}
    assert set(chosen([SERVICE, SAME, OTHER], "b", NEW)) == {OTHER}
    assert set(chosen([SERVICE, SAME, OTHER], "c", NEW)) == {SERVICE, SAME, OTHER}
    assert set(chosen([SERVICE, OTHER], "b", OLD)) == {SERVICE, OTHER}
    plain = record("ServiceEntry", "b", "z", canonical=False)
    assert set(chosen([SERVICE, plain], "c", NEW)) == {SERVICE}
    beside = record("ServiceEntry", "a", "w", canonical=False)
    assert set(chosen([SERVICE, beside, plain], "c", NEW)) == {SERVICE, beside, plain}


def test_a_private_record_is_for_its_namespace() -> None:
    """What serviceEntryVisibility says is read, exportTo is not."""
    raw = make.entry("own", "own.hello", namespace="a", addresses=["240.241.0.1"], resolution="STATIC", exportTo=["."])
    world = Snapshot([KINDS["ServiceEntry"].parse(raw)])
    public, private = Mesh(), Mesh(private_entries=frozenset({"a"}))
    ways = [
        answers(records_of(world, mesh), client, "240.241.0.1", 443, mesh)[0].way
        for mesh in (public, private)
        for client in ("a", "b")
    ]
    assert ways == [Way.RESET, Way.RESET, Way.RESET, Way.PASSES]
    assert resolved(records_of(world, private), "own.hello", "b", private) == ()


def test_names_are_those_of_the_search_domains_too() -> None:
    """A Service by its short names, an entry by its host, one under a wildcard by the wildcard."""
    service = make.service("pay", namespace="a", ip="10.96.0.1")
    wildcard = make.entry("all", "*.db.hello", namespace="b", addresses=["240.241.0.2"], resolution="NONE")
    world = Snapshot(KINDS[raw["kind"]].parse(raw) for raw in (service, wildcard))
    records = records_of(world, NEW)

    def found(name: str, client: str) -> list[str]:
        return [ip for each in resolved(records, name, client, NEW) for ip in each.ips]

    assert found("pay", "a") == found("pay.a", "b") == found("pay.a.svc.cluster.local.", "b") == ["10.96.0.1"]
    assert found("pay", "b") == found("nobody.hello", "a") == []
    assert found("one.db.hello", "a") == ["240.241.0.2"]


KEPT_VIP = entry("none-vip", "amb-b", VIP, resolution="NONE")
LED_VIP = entry("led", "amb-b", VIP, target=7000, **BY_NAME)
KEPT_PREFIX = entry("kept", "amb-b", "10.9.0.0/16", resolution="NONE")
PAY_TOLD, LEAVES = ("told", PAY_HOST), (("told", "vip.alias"), ("gone", "vip.alias"))


@pytest.mark.parametrize(
    ("scene", "who"),
    [
        (Scene(entries=(KEPT_VIP,), client="amb-c", told=(PAY_TOLD, ("told", "none-vip.alias"))), {"closed"}),
        (Scene(entries=(KEPT_VIP,), client="amb-a"), {"amb-a/pay-1:7001"}),
        (Scene(entries=(LED_VIP,), client="amb-c"), {"amb-a/pay-1:7001", "closed"}),
        (Scene(entries=(LED_VIP,), client="amb-c", port=7010), {"amb-a/pay-1:7011", "closed"}),
        (Scene(entries=(KEPT_PREFIX,), at=OUTSIDE), {"outside:7000"}),
        (Scene(entries=(SHARING,), told=(PAY_TOLD, *LEAVES)), {"closed"}),
        (Scene(entries=(SHARING,), told=(PAY_TOLD, *LEAVES, ("touched", PAY_HOST))), {"amb-a/pay-1:7001"}),
        (Scene(entries=(OLDA,), at=OLD_VIP, client="amb-c"), {"closed"}),
    ],
    ids=[
        "clusterIP, NONE, elsewhere: told last",
        "clusterIP, NONE, elsewhere: a client of the Service's namespace",
        "clusterIP, DNS endpoint, elsewhere",
        "clusterIP, DNS endpoint, elsewhere: another port",
        "a prefix that keeps the destination",
        "an entry that is patched from the clusterIP",
        "the same by delete and create, which tells the pods again",
        "pods without tunnel under STRICT, by Service and entry alike",
    ],
)
def test_more_that_was_measured(scene: Scene, who: set[str]) -> None:
    """Rows of docs/ambient.md, "What a client gets", of which no call is kept."""
    assert {seen.who for seen in expected(scene, Mesh())} == who
