"""The oracle of calls itself: it follows what was measured, and tells a lost call from one that is set right."""

from typing import Any

import pytest
import yaml

from dnsalias_operator.core.outcome import Change, Verb
from dnsalias_operator.core.reasons import Reason
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot
from tests.core.calls.forgotten import forgotten
from tests.core.calls.ground import Truth
from tests.core.calls.kept import Reached, Verdict, broken, calls, clients_of

ENTRY = Key("ServiceEntry", "abc", "ext")
OWN = "240.241.0.7"
CAPTURE, CLOSED = Mesh(dns_capture=True), Mesh(outbound_traffic_policy="REGISTRY_ONLY")
TRUTH = Truth(
    names={
        "db.example": ("198.51.100.1",),
        "public.example": ("192.0.2.9",),
        "db.hello": ("10.96.0.1",),
        "gate.hello": ("10.97.0.1",),
    },
    stands_for={"db.hello": ("abc", "db"), "gate.hello": ("abc", "db")},
)
SERVICE = """
{apiVersion: v1, kind: Service, metadata: {name: db, namespace: abc, creationTimestamp: "2026-01-01T00:00:00Z"},
 spec: {clusterIP: 10.96.0.1, clusterIPs: [10.96.0.1], selector: {app: db}, ports: [{name: tcp, port: 3306}]},
 status: {loadBalancer: {ingress: [{ip: 10.97.0.1}]}}}"""
STRICT = """
---
{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {name: default, namespace: abc},
 spec: {mtls: {mode: STRICT}}}"""
AMBIENT = """
---
{apiVersion: v1, kind: Namespace, metadata: {name: clients, labels: {istio.io/dataplane-mode: ambient}}}"""
TLS_RULE = """
---
{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: rule, namespace: abc},
 spec: {host: db.example, trafficPolicy: {tls: {mode: SIMPLE}}}}"""
GATEWAY = """
---
{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: routes, namespace: abc}, spec:
 {hosts: [db.example], tcp: [{route: [{destination: {host: db.abc.svc.cluster.local, port: {number: 3306}}}]}]}}"""
SECOND = """
---
{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: second, namespace: data,
 creationTimestamp: "2026-01-09T00:00:00Z"},
 spec: {hosts: [second.example], resolution: STATIC, endpoints: [{address: 203.0.113.2}],
 ports: [{name: p, number: 3306, protocol: TCP}]}}"""


def world(objects: str = "", **spec: Any) -> Snapshot:  # noqa: ANN401 (fields of a spec)
    """The entry, if it has a spec, beside the Service and those objects."""
    raws = [raw for raw in yaml.safe_load_all(SERVICE + objects) if raw]
    port = {"name": "p", "number": 3306, "protocol": spec.pop("protocol", "TCP")}
    meta = {"name": "ext", "namespace": "abc", "creationTimestamp": "2026-01-05T00:00:00Z"}
    raws.append({"kind": "ServiceEntry", "metadata": meta, "spec": {"ports": [port], **spec}})
    return Snapshot(KINDS[raw["kind"]].parse(raw) for raw in raws)


def told(before: Snapshot, mesh: Mesh, address: str = "", truth: Truth = TRUTH) -> set[tuple[Verdict, str]]:
    """What is broken where the entry is given that address, or goes: the verdict, and what was called."""
    entry = before.entry("abc", "ext")
    assert entry is not None
    given = ServiceEntry.parse({**entry.raw, "spec": {**entry.raw["spec"], "addresses": [address]}})
    after = before.with_changes({ENTRY: given if address else None})
    clients = clients_of(before, ("abc", "clients"))
    was, now = (Reached(w, truth, mesh, clients) for w in (before, after))
    found = broken(was, now, tuple(calls(before, truth, mesh)))
    return {(b.verdict, b.call.address or b.call.name) for b in found}


BARE: dict[str, Any] = {"hosts": ["db.example"], "location": "MESH_EXTERNAL", "resolution": "DNS"}
KEPT: dict[str, Any] = {"hosts": ["db.example"], "location": "MESH_EXTERNAL", "resolution": "NONE"}
LED: dict[str, Any] = {
    "hosts": ["gate.hello"],
    "location": "MESH_INTERNAL",
    "resolution": "DNS",
    "endpoints": [{"address": "db.abc.svc.cluster.local"}],
}
PODS: dict[str, Any] = {
    "hosts": ["gate.hello"],
    "location": "MESH_INTERNAL",
    "resolution": "STATIC",
    "workloadSelector": {"labels": {"app": "db"}},
}
OUTSIDE = {(Verdict.LOST, "db.example"), (Verdict.LOST, "198.51.100.1")}
BY_NAME = {(Verdict.LOST, "db.example")}
SNI = {(Verdict.LOST, "gate.hello")}
BALANCER = {(Verdict.LOST, "gate.hello"), (Verdict.LOST, "10.97.0.1")}


@pytest.mark.parametrize(
    ("before", "mesh", "address", "expected"),
    [
        pytest.param(world(**KEPT), CAPTURE, OWN, BY_NAME, id="a kept destination whose name the sidecar answers"),
        pytest.param(world(**BARE), CLOSED, OWN, OUTSIDE, id="the real address is blocked"),
        pytest.param(world(TLS_RULE, **BARE), Mesh(), OWN, OUTSIDE, id="the real address bypasses TLS by rule"),
        pytest.param(world(GATEWAY, **BARE), Mesh(), OWN, OUTSIDE, id="the real address bypasses a route"),
        pytest.param(world(**BARE), Mesh(), OWN, set(), id="the real server answers with and without the entry"),
        pytest.param(world(**LED, protocol="TLS"), CLOSED, "10.96.0.1", SNI, id="an SNI chain is narrowed"),
        pytest.param(world(**LED), CLOSED, "10.96.0.1", BALANCER, id="the load balancer's address is blocked"),
        pytest.param(world(STRICT, **PODS), Mesh(), "10.96.0.1", BALANCER, id="the load balancer's is plaintext"),
        pytest.param(world(**PODS), Mesh(), "10.96.0.1", set(), id="the load balancer leads to the same pods"),
    ],
)
def test_an_entrys_own_callers(before: Snapshot, mesh: Mesh, address: str, expected: set[tuple[Verdict, str]]) -> None:
    """Calls that an address given to an entry takes from who answered are found, and no others."""
    assert told(before, mesh, address) == expected


def test_a_wrongly_taken_call_may_be_set_right() -> None:
    """What a catch-all has taken from an unrelated server is no loss to anybody once it arrives there."""
    before = world(**BARE)
    after = world(**BARE, addresses=[OWN])
    clients = clients_of(before, ("clients",))
    call = next(c for c in calls(before, TRUTH, Mesh()) if c.name == "public.example" and not c.address)
    ends = [Reached(w, TRUTH, Mesh(), clients).paths[0].ends(call) for w in (before, after)]
    assert [sorted(e.server.who for e in found) for found in ends] == [["outside 198.51.100.1"], ["outside 192.0.2.9"]]
    assert told(before, Mesh(), OWN) == set()


def test_another_catch_all_that_waits_behind_is_found() -> None:
    """Plaintext HTTP passes a sniffed port by; with that port gone, the next entry of TCP on it takes HTTP as well."""
    found = told(world(SECOND, **BARE, protocol=""), Mesh(), OWN)
    assert (Verdict.LOST, "public.example") in found
    assert told(world(**BARE, protocol=""), Mesh(), OWN) == set()


def test_requests_by_host_need_a_listener_that_sniffs() -> None:
    """An entry that is found by the Host header alone loses its callers with the last sniffed port of that number."""
    by_host = SECOND.replace("resolution: STATIC", 'addresses: ["240.9.9.9"], resolution: STATIC').replace(
        "protocol: TCP", 'protocol: ""'
    )
    truth = Truth({**TRUTH.names, "second.example": ("198.51.100.7",)}, TRUTH.stands_for)
    before = world(by_host, **BARE, protocol="")
    assert told(before, Mesh(), OWN, truth) == {(Verdict.LOST, "second.example")}


def test_a_shared_address_is_lost_to_ambient_clients() -> None:
    """Whatever ages say, ztunnel gives an address of two to either of them."""
    found = told(world(AMBIENT, **PODS), Mesh(), "10.96.0.1")
    assert (Verdict.LOST, "10.96.0.1") in found
    assert (Verdict.LOST, "db.abc.svc.cluster.local") in found
    assert told(world(AMBIENT, **PODS), Mesh(), OWN) == set()


def test_an_entry_that_goes_takes_its_host_along() -> None:
    """Callers by Host that an entry alone leads somewhere are lost with it."""
    found = told(world(**{**LED, "hosts": ["db.example"]}, protocol="HTTP"), Mesh())
    assert found == {(Verdict.LOST, "db.example")}


def test_ztunnel_forgets_an_address_that_is_patched_away() -> None:
    """A patch or a bare delete takes the Service's address along; delete and create tells selected pods again."""
    shared, own = ({**PODS, "addresses": [a]} for a in ("10.96.0.1", OWN))
    led = {**LED, "addresses": ["10.96.0.1"]}
    assert _forgets(shared, own, Verb.UPDATE) == ("10.96.0.1",)
    assert _forgets(shared, own, Verb.RECREATE) == ()
    assert _forgets(shared, None, Verb.DELETE) == ()
    assert _forgets(led, None, Verb.DELETE) == ("10.96.0.1",)
    assert _forgets(led, {**led, "addresses": [OWN]}, Verb.REPAIR) == ("10.96.0.1",)


def _forgets(old: dict[str, Any], new: dict[str, Any] | None, verb: Verb) -> tuple[str, ...]:
    before, after = ({"spec": spec} if spec else None for spec in (old, new))
    return forgotten(world(AMBIENT, **old), Change(verb, ENTRY, before, after, {}, Reason.DRIFT, ""))
