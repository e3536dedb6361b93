"""`dnsalias verify` on live sidecars: a real istiod, real Envoys, and the exec of a real API server."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dnsalias_operator.cli.main import program
from tests.dataplane.exec_server import ExecServer
from tools import make
from tools.controlplane.api import MERGE
from tools.controlplane.waiting import eventually
from tools.dataplane import bulk, record
from tools.dataplane.mesh import Mesh
from tools.dataplane.node import NODE
from tools.dataplane.pods import Pod, ensure_namespace
from tools.dataplane.world import world
from tools.dataplane.world_cell import NAMESPACES

pytestmark = [pytest.mark.cluster, pytest.mark.dataplane]

NAMESPACE = "verified"
CELLS = 60
RELEASE = {"ISTIO_META_ISTIO_VERSION": "1.31.0"}
"""What a released pilot-agent says of itself; one that was built here does not know."""
FILTERS = f"/apis/networking.istio.io/v1alpha3/namespaces/{NAMESPACE}/envoyfilters"
OWN = [
    make.service("web", ports=[make.port(8090, "http")], namespace=NAMESPACE, selector={"app": "web"}),
    make.service("queue", ports=[make.port(4222)], namespace=NAMESPACE, selector={"app": "queue"}, clusterIP="None"),
    make.entry("caught", "caught.team", ports=[make.entry_port(9443)], namespace=NAMESPACE),
    make.entry("inner", "inner.team", ports=[make.entry_port(9100)], namespace=NAMESPACE, addresses=["10.99.0.7"]),
]


@pytest.fixture(scope="module")
def filled(mesh: Mesh) -> Iterator[Mesh]:
    """A mesh with a random world in it, and a few objects whose ports are known."""
    for name in (*NAMESPACES, NAMESPACE):
        ensure_namespace(mesh.plane, name)
    record.put(mesh.plane, [*world(17, CELLS), OWN])
    yield mesh
    for kind in ("ServiceEntry", "Service"):
        for item in mesh.plane.api.get(bulk.COLLECTIONS[kind].replace("/namespaces/{}", ""))["items"]:
            if item["metadata"]["name"] != "kubernetes":
                path = bulk.COLLECTIONS[kind].format(item["metadata"]["namespace"])
                mesh.plane.api.delete(f"{path}/{item['metadata']['name']}")


def verify(mesh: Mesh, *arguments: str | Path) -> Result:
    """Run the command with the objects of the cluster."""
    where = [str(argument) for argument in arguments]
    return CliRunner().invoke(program, ["verify", *where, "--kubeconfig", str(mesh.plane.kubeconfig)])


def saved(pod: Pod, tmp_path: Path) -> Path:
    """The pod's own dump, once it rests, in a file."""
    record.settled(pod, {8090, 9100, 9443})
    path = tmp_path / "dump.json"
    path.write_text(pod.admin("config_dump?include_eds"))
    return path


def test_a_live_sidecar_agrees_on_every_port(filled: Mesh, tmp_path: Path) -> None:
    """Whatever the pod is like, the dump alone says it: capture, both families, and what it sends agree too."""
    kinds: Mapping[str, Mapping[str, Any]] = {
        "plain": {},
        "capture": {"dns_capture": True},
        "dual": {"dual_stack": True},
    }
    with filled.pod(NAMESPACE, "queue-0", labels={"app": "queue"}, sidecar=False, ports=[{"containerPort": 4222}]):
        for name, options in kinds.items():
            with filled.pod(NAMESPACE, name, wait=False, environment=RELEASE, **options) as pod:
                result = verify(filled, saved(pod, tmp_path), "-o", "wide")
            assert result.exit_code == 0, result.output
            assert f"sidecar of {NAMESPACE}/{name}, Istio 1.31.0, cluster Kubernetes" in result.stdout
            assert "0 clusters differ" in result.stdout


@pytest.mark.parametrize(
    ("options", "wrong", "said"),
    [
        ({"dns_capture": True}, ["--no-dns-capture"], "With DNS capture on, all ports agree"),
        ({}, ["--outbound-traffic-policy", "REGISTRY_ONLY"], "With outboundTrafficPolicy ALLOW_ANY, all ports agree"),
    ],
)
def test_a_wrong_setting_is_named(
    filled: Mesh, tmp_path: Path, options: Mapping[str, Any], wrong: Sequence[str], said: str
) -> None:
    """Of all settings the one that was wrong explains every port of a live sidecar."""
    with filled.pod(NAMESPACE, "client", wait=False, environment=RELEASE, **options) as pod:
        result = verify(filled, saved(pod, tmp_path), *wrong)
    assert result.exit_code == 1, result.output
    assert said in result.stdout


def test_a_listener_that_an_envoy_filter_changed_is_shown(filled: Mesh, tmp_path: Path) -> None:
    """Only its row differs, with the object and the rule; a report of it names nobody."""
    match = {"context": "SIDECAR_OUTBOUND", "listener": {"portNumber": 9443, "filterChain": {"filter": {"name": TCP}}}}
    config = {"@type": f"type.googleapis.com/{TCP_PROXY}", "stat_prefix": "none", "cluster": "BlackHoleCluster"}
    patch = {"applyTo": "NETWORK_FILTER", "match": match, "patch": {"operation": "REPLACE", "value": {"name": TCP}}}
    patch["patch"]["value"]["typed_config"] = config  # type: ignore[index]
    spec = {"configPatches": [patch]}
    body = make.manifest("networking.istio.io/v1alpha3", "EnvoyFilter", "changed", spec, namespace=NAMESPACE)
    filled.plane.api.create(FILTERS, body)
    report = tmp_path / "report.json"
    try:
        with filled.pod(NAMESPACE, "client", wait=False, environment=RELEASE) as pod:
            eventually(lambda: _row(pod, 9443) == "BlackHoleCluster", "the changed listener")
            result = verify(filled, saved(pod, tmp_path), "--report", report)
    finally:
        filled.plane.api.delete(f"{FILTERS}/changed")
    assert result.exit_code == 1, result.output
    assert result.stdout.count(" differs:") == 1
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "- Envoy 0.0.0.0 9443 everything BlackHoleCluster" in lines
    assert f"+ predicted 0.0.0.0 9443 everything outbound|9443||caught.team ServiceEntry {NAMESPACE}/caught" in lines
    assert f"rule: ServiceEntry {NAMESPACE}/caught has no address" in result.stdout
    assert [d["port"] for d in json.loads(report.read_text())["sidecars"][0]["differences"]] == [9443]
    assert "caught" not in report.read_text()


def test_sidecars_are_asked_through_the_api(filled: Mesh, tmp_path: Path) -> None:
    """A pod by its name, and one pod of each workload of a namespace; without a sidecar it is said so."""
    labels = {"app": "web"}
    with (
        filled.pod(NAMESPACE, "one", labels=labels, environment=RELEASE) as one,
        filled.pod(NAMESPACE, "two", labels=labels, environment=RELEASE) as two,
        filled.pod(NAMESPACE, "bare", labels=labels, sidecar=False) as bare,
        answering(filled, one, two, bare),
    ):
        saved(one, tmp_path)
        saved(two, tmp_path)
        single = verify(filled, "--pod", f"{NAMESPACE}/one")
        every = verify(filled, "--all", NAMESPACE)
        without = verify(filled, "--pod", f"{NAMESPACE}/bare")
        nobody = verify(filled, "--pod", f"{NAMESPACE}/nobody")
    assert single.exit_code == 0, single.output
    assert f"pod {NAMESPACE}/one: sidecar of {NAMESPACE}/one" in single.stdout
    assert every.exit_code == 0, every.output
    assert [f"sidecar of {NAMESPACE}/{name}" in every.stdout for name in ("one", "two", "bare")] == [True, True, False]
    assert (without.exit_code, nobody.exit_code) == (2, 2)
    assert "a pod without a sidecar?" in without.stderr
    assert f"pod {NAMESPACE}/nobody: there is none" in nobody.stderr


TCP = "envoy.filters.network.tcp_proxy"
TCP_PROXY = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"


def _row(pod: Pod, port: int) -> str | None:
    return next((row.cluster for row in pod.listeners() if row.port == port), None)


@contextmanager
def answering(mesh: Mesh, *pods: Pod) -> Iterator[None]:
    """The node takes the API server's requests to run commands in those pods."""
    path = f"/api/v1/nodes/{NODE}/status"
    before = mesh.plane.api.get(f"/api/v1/nodes/{NODE}")["status"]
    with ExecServer({(pod.namespace, pod.name): pod for pod in pods}) as server:
        addresses = [{"type": "Hostname", "address": "127.0.0.1"}, *before["addresses"]]
        status = {"addresses": addresses, "daemonEndpoints": {"kubeletEndpoint": {"Port": server.port}}}
        mesh.plane.api.request("PATCH", path, {"status": status}, MERGE)
        try:
            yield
        finally:
            mesh.plane.api.request("PATCH", path, {"status": {"addresses": before["addresses"]}}, MERGE)
