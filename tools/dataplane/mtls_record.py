"""Recording what a real sidecar sends in a random world (``mtls_world``), under PeerAuthentications of the mesh.

    python -m tools.dataplane.mtls_record SEED CELLS [--no-auto-mtls]

prints how often each way of sending was met, and what the model says otherwise.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dnsalias_operator.core.istio.clusters import (
    ClientTls,
    Sent,
    Workload,
    cluster_of,
    gets_mtls,
    if_all,
    refused,
    sends,
)
from dnsalias_operator.core.istio.clusters import Cluster as Model
from dnsalias_operator.core.istio.clusters.envoy import EnvoyCluster
from dnsalias_operator.core.istio.listeners import Client
from dnsalias_operator.core.istio.service_names import service_host
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.mesh import Mesh as Assumptions
from dnsalias_operator.model.names import TLS_MODE_LABEL
from dnsalias_operator.model.snapshot import Snapshot
from tools import make
from tools.controlplane import build
from tools.controlplane.api import ApiError
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import eventually
from tools.dataplane import pods
from tools.dataplane.clusters import clusters
from tools.dataplane.mesh import Mesh
from tools.dataplane.mtls_world import CLIENT, CLIENT_LABELS, NAMESPACES, ROOT, Object, mesh_policy, world
from tools.dataplane.pods import Pod
from tools.dataplane.record import SETTLE_SECONDS, objects, put

NOT_FOUND = 404
POLICY = f"/apis/security.istio.io/v1/namespaces/{ROOT}/peerauthentications"
MARK = "/apis/networking.istio.io/v1/namespaces/default/serviceentries"
SLICES = "/apis/discovery.k8s.io/v1"


@dataclass(frozen=True)
class Recording:
    """A world and what the client's Envoy held for it: ``workloads`` by address, ``addresses`` of each Service."""

    objects: list[Object]
    workloads: dict[str, tuple[str, dict[str, str]]]
    addresses: dict[tuple[str, str], set[str]]
    clusters: dict[str, EnvoyCluster]
    mesh: Assumptions


def record(seed: int, cells: int, modes: Sequence[str | None], *, auto_mtls: bool = True) -> Iterator[Recording]:
    """Make the world in a new cluster and read a sidecar's clusters, once for each mode of the mesh (None: not set).

    ``auto_mtls`` is MeshConfig.enableAutoMtls.
    """
    config: Mapping[str, object] = {} if auto_mtls else {"enableAutoMtls": False}
    made = world(seed, cells)
    with ControlPlane.start(crds=[build.istio_crds()]) as plane, Mesh.start(plane, mesh_config=config) as mesh:
        for name in NAMESPACES:
            pods.ensure_namespace(plane, name)
        for pod in made.pods:
            body = pods.manifest(
                pod["namespace"], pod["name"], pod["labels"], "default", [{"name": "web", "containerPort": 8080}]
            )
            pods.announce(plane, body, [pod["address"]])
        put(plane, made.waves)
        for one in made.slices:
            plane.api.create(f"{SLICES}/namespaces/{one['metadata']['namespace']}/endpointslices", one)
        with mesh.pod(CLIENT, "watcher", wait=False) as watcher:
            for number, mode in enumerate(modes):
                _set_mesh_mode(plane, mode)
                mark = _mark(plane, number)
                _settled(watcher, mark)
                # A new one that has only ever been told of this: where Envoy refuses a cluster it keeps what it had.
                with mesh.pod(CLIENT, f"client-{number}", labels=CLIENT_LABELS, wait=False) as client:
                    found = _settled(client, mark)
                yield Recording(
                    objects=objects(plane),
                    workloads={p["address"]: (p["namespace"], p["labels"]) for p in made.pods},
                    addresses=_addresses(plane),
                    clusters=found,
                    mesh=Assumptions(enable_auto_mtls=auto_mtls),
                )


def differences(recording: Recording) -> list[str]:
    """Everything in which the model's clusters are not the recorded ones, one line each."""
    return list(_differences(recording))


def _differences(recording: Recording) -> Iterator[str]:
    snapshot = Snapshot(KINDS[o["kind"]].parse(o) for o in recording.objects)
    client, mesh = Client(CLIENT, {**CLIENT_LABELS, **pods.IN_MESH}), recording.mesh
    asked = {(service_host(s, mesh), p.port) for s in snapshot.services() for p in s.ports}
    asked |= {(host, p.number) for e in snapshot.entries() for p in e.ports for host in e.hosts}
    found = [c for host, port in sorted(asked) if (c := cluster_of(snapshot, client, mesh, host, port))]
    told: dict[str, Sent] = {}
    for cluster in found:
        sent, others = sends(snapshot, client, mesh, cluster), _pods(recording, snapshot, cluster)
        if (others or not cluster.needs_pods) and not refused(sent, len(others)):
            told[cluster.name] = sent
    for name in sorted(told.keys() ^ recording.clusters.keys()):
        yield f"{name}: {'predicted, and not there' if name in told else 'not predicted'}"
    for name in sorted(told.keys() & recording.clusters.keys()):
        sent = told[name]
        for fault in _faults(recording, snapshot, sent, recording.clusters[name]):
            yield f"{name}: {fault} ({sent.because})"


def _faults(recording: Recording, snapshot: Snapshot, sent: Sent, real: EnvoyCluster) -> Iterator[str]:
    cluster, tls = sent.cluster, sent.tls
    if tls is ClientTls.IF_ALL:
        known = [*cluster.numbered, *_pods(recording, snapshot, cluster)]
        tls = if_all(workload.tls_mode for workload in known)
    if tls != real.tls:
        yield f"{real.tls}, and not {tls}"
        return
    if tls is not ClientTls.BY_ENDPOINT:
        return
    listed = {(w.address, w.port): w for w in cluster.inline}
    there = {(e.address, e.port): e.mtls for e in real.endpoints or ()}
    yield from (f"no endpoint {place}" for place in listed.keys() - there.keys())
    if not cluster.pods:
        yield from (f"an endpoint {place} from nowhere" for place in there.keys() - listed.keys())
    for place, mtls in there.items():
        workload = listed.get(place) or _workload(recording, *place)
        if gets_mtls(snapshot, sent, workload, recording.mesh) != mtls:
            yield f"{workload} {'gets' if mtls else 'does not get'} mTLS"


def _pods(recording: Recording, snapshot: Snapshot, cluster: Model) -> list[Workload]:
    """The workloads that no object of the model tells of: a Service's endpoints, and the pods that entries select."""
    service = cluster.service.meta
    found = sorted(recording.addresses.get((service.namespace, service.name), ())) if cluster.kubernetes else []
    entries = [e for e in snapshot.entries_for_host(cluster.hostname) if e.meta.namespace == cluster.namespace]
    taken = bool(found)
    for entry in sorted(entries, key=lambda e: (e.meta.created or 0, e.meta.name)):
        if all(port.number != cluster.port for port in entry.ports):
            continue
        chosen = [] if entry.workload_selector is None else _selected(recording, cluster, entry.workload_selector)
        if entry.resolution == "DNS_ROUND_ROBIN":
            chosen = [] if taken else chosen[:1]
        found += chosen
        listed = entry.workload_selector is None and (entry.endpoints or entry.resolution.startswith("DNS"))
        taken = taken or bool(chosen or listed)
    return [_workload(recording, address, 0) for address in found]


def _selected(recording: Recording, cluster: Model, selector: Mapping[str, str]) -> list[str]:
    pods = sorted(recording.workloads.items())
    return [a for a, (ns, labels) in pods if ns == cluster.namespace and selector.items() <= labels.items()]


def _workload(recording: Recording, address: str, port: int) -> Workload:
    namespace, labels = recording.workloads.get(address, ("", {}))
    return Workload(namespace, address, port, labels.get(TLS_MODE_LABEL, "disabled"), labels)


def _set_mesh_mode(plane: ControlPlane, mode: str | None) -> None:
    try:
        plane.api.delete(f"{POLICY}/default")
    except ApiError as error:
        if error.status != NOT_FOUND:
            raise
    if mode is not None:
        plane.api.create(POLICY, mesh_policy(mode))


def _mark(plane: ControlPlane, number: int) -> str:
    """Create an entry and return the name of its cluster: who has that has been told of everything before."""
    name = f"last{number}"
    plane.api.create(MARK, make.entry(name, f"{name}.team", ports=[make.entry_port(80)], resolution="NONE"))
    return f"outbound|80||{name}.team"


def _settled(client: Pod, mark: str) -> dict[str, EnvoyCluster]:
    """The clusters once that one is among them and nothing changes any more."""
    eventually(lambda: mark in clusters(client.space), "the cluster of the entry created last")
    before: dict[str, EnvoyCluster] = {}
    while (now := clusters(client.space)) != before:
        before = now
        time.sleep(SETTLE_SECONDS)
    return now


def _addresses(plane: ControlPlane) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for one in plane.api.get(f"{SLICES}/endpointslices")["items"]:
        meta = one["metadata"]
        key = (meta["namespace"], meta["labels"].get("kubernetes.io/service-name", ""))
        found.setdefault(key, set()).update(a for e in one.get("endpoints") or () for a in e["addresses"])
    return found


def main(arguments: list[str] | None = None) -> int:
    """Record and compare; 1 where the model differs."""
    parser = argparse.ArgumentParser(prog="python -m tools.dataplane.mtls_record", description=__doc__)
    parser.add_argument("seed", type=int)
    parser.add_argument("cells", type=int)
    parser.add_argument("--no-auto-mtls", action="store_true", help="MeshConfig.enableAutoMtls is false")
    options = parser.parse_args(arguments)
    wrong = 0
    modes = (None, "STRICT", "DISABLE", "UNSET")
    recordings = record(options.seed, options.cells, modes, auto_mtls=not options.no_auto_mtls)
    for mode, recording in zip(modes, recordings, strict=True):
        found = differences(recording)
        met = Counter(c.tls for c in recording.clusters.values())
        wrong += len(found)
        sys.stdout.write(f"mesh {mode}: {len(recording.clusters)} clusters, {dict(met)}, {len(found)} differences\n")
        sys.stdout.write("".join(f"  {line}\n" for line in found[:20]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
