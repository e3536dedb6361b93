"""What the model says of a recorded call of tests/core/data/ambient, held against what was seen.

What the network and the pods do with what a ztunnel sends is stated here: pods listen on 7001 and 7011, under STRICT
they close what comes in plaintext, kube-proxy leads a clusterIP to the Service's pods, and outside of the cluster
10.9.9.9 answers on every port. No waypoint runs.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from dnsalias_operator.core.istio.ambient import Answer, Pod, Records, Way, answers, records_of, resolved, told
from dnsalias_operator.core.istio.ambient.calls import by_record
from dnsalias_operator.core.istio.listeners import Client, outbound
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.meta import is_ip
from dnsalias_operator.model.snapshot import Snapshot
from tests.core.ambient_scenes import OF_SIDECAR, OLD_VIP, OTHER, OUTSIDE, PAY, VIP, Scene, scene_of
from tools import make
from tools.dataplane.recorded import row_of

Raw = dict[str, Any]
LISTENING = (7001, 7011)
CLOSED, NO_NAME = "closed", "no name"
PORTS = (make.port(7000, "tcp-db", targetPort=7001), make.port(7010, "tcp-adm", targetPort=7011))
NAMESPACES = {"amb-a": True, "amb-b": True, "amb-c": True, "side-c": False}
IPS = {"pay-1": PAY, "pay-2": "10.244.1.12", "other-1": OTHER, "old-1": "10.244.1.3", "wp-1": "10.244.1.99"}


class Seen(NamedTuple):
    """Who answered, and by which service, to which workload and whether through a tunnel ztunnel sent the call."""

    who: str
    service: str | None = None
    workload: str | None = None
    tunnel: bool = False


def held(call: Raw, mesh: Mesh) -> str | None:
    """What is wrong with what the model says of a call, "" where nothing is; None where no scene is of it."""
    what, result = call["what"], call["result"]
    if what == "refused by stock Envoy":
        return "" if result == "[]" else f"Envoy refused {result}"
    if what.startswith("  cluster ") or what == "sidecar's listeners":
        return _of_envoy(what, json.loads(result), mesh)
    scene = scene_of(what)
    if scene is None:
        return None
    possible = set(expected(scene, mesh))
    if scene.counted:
        counted = json.loads(result)
        seen = {CLOSED} if counted.get("refused") else set()
        seen |= {"answered"} if counted.get("Service answers") else set()
        said = {e.who if e.who == CLOSED else "answered" for e in possible}
        return "" if said == seen else f"seen {seen}, predicted {said}"
    seen_once = _seen(result, call["access"])
    if not call["access"]:
        possible = {Seen(e.who) for e in possible}
    return "" if seen_once in possible else f"seen {seen_once}, predicted {sorted(map(str, possible))}"


def _seen(result: str, access: list[Raw]) -> Seen:
    _, _, answered = result.partition(" ")
    who = answered.removeprefix("out/") if ":" in answered and not answered.startswith("ERR") else CLOSED
    if result.startswith("NODNS"):
        who = NO_NAME
    log = access[-1] if access else {}
    return Seen(who, log.get("dst.service"), log.get("dst.workload"), "dst.hbone_addr" in log)


def expected(scene: Scene, mesh: Mesh) -> Iterator[Seen]:
    """Everything that the model takes for possible."""
    gone = {host for event, host in scene.told if event == "gone"}
    entries = [e for e in scene.entries if not gone & {*e["spec"]["hosts"]}]
    world = world_of(entries, waypoint=scene.waypoint)
    if not scene.client:
        yield Seen(CLOSED if scene.strict else f"amb-a/pay-1:{scene.port}")
        return
    records = _records(world, mesh, scene.pods)
    if scene.sidecar:
        yield _of_sidecar(world, records, scene, mesh)
        return
    address = scene.at
    if not is_ip(address):
        found = resolved(records, address, scene.client, mesh)
        if not found:
            yield Seen(NO_NAME)
            return
        address = found[0].ips[0]
    for answer in _answers(scene, records, address, mesh):
        yield from _ends(scene, records, address, answer)


def _answers(scene: Scene, records: Records, address: str, mesh: Mesh) -> tuple[Answer, ...]:
    if not scene.told:
        return answers(records, scene.client, address, scene.port, mesh)
    every = _records(world_of(scene.entries), mesh, scene.pods)
    named = {s.hostname: s for s in every.services}
    slots = told(mesh)
    for event, host in scene.told:
        slots = getattr(slots, event)(named[host])
    record = slots.answer(scene.client)
    return (by_record(every, record, scene.port) if record else Answer(None, Way.PASSES),)


def _ends(scene: Scene, records: Records, address: str, answer: Answer) -> Iterator[Seen]:
    host = answer.record.hostname if answer.record else None
    if answer.way is Way.RESET:
        yield Seen(CLOSED)
    elif answer.way is Way.WAYPOINT and answer.waypoint:
        there = records.named(answer.waypoint.namespace, answer.waypoint.hostname)
        for workload in records.endpoints(there) if there else ():
            yield Seen(CLOSED, host, workload.name, tunnel=True)
    elif answer.way is Way.PASSES or not answer.ends:
        # By no record: neither a service nor a workload is in the log.
        yield Seen(_plaintext(address, scene.port, scene.strict))
    for end in answer.ends:
        workload = end.workload
        if workload.hbone:
            answered = bool(workload.addresses) and end.port in LISTENING
            who = f"{workload.namespace}/{workload.name}:{end.port}" if answered else CLOSED
        else:
            who = _plaintext(VIP if workload.hostname else end.host, end.port, scene.strict)
        yield Seen(who, host, workload.name, workload.hbone)


def _plaintext(address: str, port: int, strict: bool) -> str:  # noqa: FBT001 (as in PeerAuthentication)
    """Who answers what is sent to an address without a tunnel."""
    if address == OUTSIDE:
        return f"outside:{port}"
    led = {VIP: "amb-a/pay-1", OLD_VIP: "side-c/old-1"}
    if address in led:
        to = {p["port"]: p["targetPort"] for p in PORTS}.get(port)
        return CLOSED if strict or to is None else f"{led[address]}:{to}"
    pods = {ip: name for name, ip in IPS.items()}
    if strict or address not in pods or port not in LISTENING:
        return CLOSED
    return f"{'side-c' if pods[address] == 'old-1' else 'amb-a'}/{pods[address]}:{port}"


def _of_sidecar(world: Snapshot, records: Records, scene: Scene, mesh: Mesh) -> Seen:
    """By the listener that has the address, and the endpoints of its cluster."""
    capturing = mesh.model_copy(update={"dns_capture": True})
    address = scene.at
    if not is_ip(address):
        address = resolved(records, address, "side-c", mesh)[0].ips[0]
    rows = [row for listener in outbound(world, Client("side-c"), capturing) for row in listener.every_row]
    row = next((r for r in rows if (r.bind, r.port) == (address, scene.port)), None)
    if row is None or row.cluster is None:
        return Seen(_plaintext(address, scene.port, scene.strict))
    host = row.cluster.split("|")[3]
    answer = by_record(records, next(s for s in records.services if s.hostname == host), scene.port)
    return next(Seen(seen.who) for seen in _ends(scene, records, address, answer))


def _of_envoy(what: str, recorded: Any, mesh: Mesh) -> str:  # noqa: ANN401 (JSON)
    """The listeners of a sidecar beside ambient pods, and the endpoints of a cluster of its."""
    world = world_of(OF_SIDECAR)
    if what == "sidecar's listeners":
        capturing = mesh.model_copy(update={"dns_capture": True})
        rows = [row for listener in outbound(world, Client("side-c"), capturing) for row in listener.every_row]
        listed = {row for row in rows if row.port in {p["port"] for p in recorded}}
        return "" if listed == {row_of(row) for row in recorded} else f"predicted {listed}"
    _, port, _, host = what.removeprefix("  cluster ").split("|")
    records = _records(world, mesh, ("pay-1",))
    answer = by_record(records, next(s for s in records.services if s.hostname == host), int(port))
    made = {(e.workload.hbone, e.port) for e in answer.ends}
    seen = set()
    for endpoint in recorded:
        inner = endpoint.get("envoy_internal_address", {})
        tunnel = inner.get("server_listener_name") == "connect_originate"
        outer = endpoint.get("socket_address", {}).get("port_value")
        seen.add((tunnel, int(inner["endpoint_id"].rpartition(":")[2]) if tunnel else outer))
    return "" if made == seen else f"seen {seen}, predicted {made}"


def world_of(entries: list[Raw] | tuple[Raw, ...], *, waypoint: bool = False) -> Snapshot:
    """The Services of the recordings, and these entries."""
    mode = {"istio.io/dataplane-mode": "ambient"}
    labels = {"labels": {"istio.io/use-waypoint": "wp"}} if waypoint else {}
    objects = [
        *(
            make.manifest("v1", "Namespace", name, None, meta={"labels": mode if ambient else {}})
            for name, ambient in NAMESPACES.items()
        ),
        make.service("pay", namespace="amb-a", ip=VIP, ports=PORTS, selector={"app": "pay"}, meta=labels),
        make.service("old", namespace="side-c", ip=OLD_VIP, ports=PORTS, selector={"app": "old"}),
        make.service("wp", namespace="amb-a", ip="10.96.10.20", ports=[make.port(15008)], selector={"app": "wp"}),
        *entries,
    ]
    return Snapshot((KINDS[raw["kind"]].parse(raw) for raw in objects), namespaces_known=True)


def _records(world: Snapshot, mesh: Mesh, pays: tuple[str, ...]) -> Records:
    names = (*((name, "amb-a") for name in (*pays, "wp-1")), ("other-1", "amb-b"), ("old-1", "side-c"))
    return records_of(world, mesh, [_pod(name, namespace) for name, namespace in names])


def _pod(name: str, namespace: str) -> Pod:
    enabled = {"ambient.istio.io/redirection": "enabled"} if NAMESPACES[namespace] else {}
    meta = {"labels": {"app": name.partition("-")[0]}, "annotations": enabled}
    spec = {"serviceAccountName": name.partition("-")[0]}
    status = {"podIPs": [{"ip": IPS[name]}], "conditions": [{"type": "Ready", "status": "True"}]}
    return Pod.parse({**make.manifest("v1", "Pod", name, spec, namespace=namespace, meta=meta), "status": status})
