"""Two clusters of one mesh, with the running operators: an alias is its Service in each, and takes nobody's address.

docs/clusters.md has what is held here; the Service's clusterIP of one cluster is another Service's in the other.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from textwrap import dedent

import pytest

from tools import make
from tools.controlplane import build
from tools.controlplane.hand import project_crds
from tools.controlplane.waiting import eventually
from tools.dataplane import pods
from tools.dataplane.mesh import Mesh
from tools.dataplane.pods import Pod
from tools.dataplane.several import two_clusters
from tools.running import identity
from tools.running.operator_process import Operator

pytestmark = [pytest.mark.cluster, pytest.mark.dataplane]

APP = "app"
ONE, TWO = "10.96.50.1", "10.96.50.2"
"""The clusterIP of Service pay in cluster one, which is that of Service victim in cluster two, and in cluster two."""
FAR, FAR_HERE = "10.96.50.3", "10.96.50.4"
"""The clusterIPs of Service far, which has pods in cluster two alone: in cluster two, and in cluster one."""
TCP, HTTP = 9000, 8000
CALLS = 16
SERVE = dedent("""\
    import socketserver, sys

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            if self.rfile.readline():
                name = sys.argv[1].encode()
                head = b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\nConnection: close\\r\\n\\r\\n" % len(name)
                self.wfile.write(head + name if self.server.server_address[1] == 8000 else name)

    import threading
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    servers = [socketserver.ThreadingTCPServer(("", port), Handler) for port in (9000, 8000)]
    threading.Thread(target=servers[0].serve_forever, daemon=True).start()
    servers[1].serve_forever()
    """)
ASK = dedent("""\
    import json, socket, sys

    def ask(name, port, host):
        said = f"GET / HTTP/1.1\\r\\nHost: {host}\\r\\nConnection: close\\r\\n\\r\\n" if host else "who?\\n"
        try:
            with socket.create_connection((name, port), timeout=10) as made:
                made.sendall(said.encode())
                return b"".join(iter(lambda: made.recv(4096), b"")).decode().rpartition("\\r\\n")[2]
        except OSError as error:
            return str(error)

    name, port, host, calls = sys.argv[1:]
    print(json.dumps([ask(name, int(port), host) for _ in range(int(calls))]))
    """)


def answers(client: Pod, name: str, port: int, host: str = "") -> set[str]:
    """Who answers calls from the pod, by an address or a name; of HTTP the ``host`` is in the header."""
    return set(json.loads(client.space.python(ASK, name, str(port), host, str(CALLS))))


def answered(client: Pod, name: str, port: int, wanted: set[str], host: str = "") -> None:
    """Wait until these answer, and nobody else."""
    eventually(lambda: answers(client, name, port, host) == wanted, f"{name}:{port} is {wanted}")


def service(mesh: Mesh, name: str, ip: str) -> None:
    """Create a Service of the pods of that name."""
    ports = [make.port(TCP, "tcp"), make.port(HTTP, "http")]
    body = make.service(name, ip=ip, ports=ports, selector={"app": name}, namespace=APP)
    mesh.plane.api.create(f"/api/v1/namespaces/{APP}/services", body)


def addresses(mesh: Mesh) -> list[str]:
    """Those of the alias' entry; none where there is none."""
    entry = pods.read(mesh.plane, f"/apis/networking.istio.io/v1/namespaces/{APP}/serviceentries/pay")
    return list(entry["spec"].get("addresses", ())) if entry else []


def ready(mesh: Mesh, name: str) -> str:
    """The message of the alias' condition Ready, "" while it has none."""
    alias = pods.read(mesh.plane, f"/apis/dnsalias.io/v1alpha1/namespaces/{APP}/dnsaliases/{name}") or {}
    conditions = alias.get("status", {}).get("conditions", ())
    return next((str(c["message"]) for c in conditions if c["type"] == "Ready"), "")


def declared(mesh: Mesh, name: str) -> None:
    """Declare an alias of the Service of that name."""
    alias = make.alias(name, f"{name}.hello", name, namespace=APP)
    mesh.plane.api.apply(f"/apis/dnsalias.io/v1alpha1/namespaces/{APP}/dnsaliases/{name}", alias, "tests")


@contextmanager
def serving(mesh: Mesh, app: str, name: str) -> Iterator[None]:
    """A pod that answers with its name, for the length of the block."""
    ports = [{"name": "tcp", "containerPort": TCP}, {"name": "http", "containerPort": HTTP}]
    with mesh.pod(APP, name, labels={"app": app}, ports=ports) as pod:
        pod.space.spawn("app", [sys.executable, "-I", "-S", "-c", SERVE, name])
        yield


@pytest.fixture(scope="module")
def clusters(data_plane: None) -> Iterator[tuple[Mesh, Mesh]]:  # noqa: ARG001
    """Both, with mTLS STRICT, their Services, and the servers of cluster two."""
    with ExitStack() as stack:
        one, two = stack.enter_context(two_clusters([build.istio_crds(), *project_crds()]))
        for mesh in (one, two):
            pods.ensure_namespace(mesh.plane, APP)
            strict = {"metadata": {"name": "default"}, "spec": {"mtls": {"mode": "STRICT"}}}
            collection = "/apis/security.istio.io/v1/namespaces/istio-system/peerauthentications"
            kind = {"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication"}
            mesh.plane.api.create(collection, {**kind, **strict})
        service(one, "pay", ONE)
        service(two, "pay", TWO)
        service(two, "victim", ONE)
        service(two, "far", FAR)
        for app in ("pay", "victim", "far"):
            stack.enter_context(serving(two, app, f"{app}-two"))
        yield one, two


def test_an_alias_in_each_cluster_is_the_service_of_that_cluster(clusters: tuple[Mesh, Mesh], tmp_path: Path) -> None:
    """With an istiod in each: by the cluster's own clusterIP, the pods of both answer; nobody else loses a call.

    Once the pods of one cluster are gone, those of the other one serve it. A Service that has pods in the other cluster
    alone needs to be created here as well, and then has an alias like any other.
    """
    one = clusters[0]
    both, left, far = {"pay-one", "pay-two"}, {"pay-two"}, {"far-two"}
    with ExitStack() as stack:
        callers = [stack.enter_context(mesh.pod("clients", "client")) for mesh in clusters]
        with serving(one, "pay", "pay-one"):
            for mesh, client, ip in zip(clusters, callers, (ONE, TWO), strict=True):
                answered(client, ip, TCP, both)
                declared(mesh, "pay")
                folder = tmp_path / mesh.cluster
                folder.mkdir()
                settings = {"topology": "multi-primary"}
                stack.enter_context(Operator(mesh.plane, identity.install(mesh.plane), folder, settings)).idle()
                assert addresses(mesh) == [ip]
                answered(client, ip, HTTP, both, "pay.hello")
                assert answers(client, ip, TCP) == both
            assert answers(callers[1], ONE, TCP) == {"victim-two"}
            assert answers(callers[1], ONE, HTTP, "victim.app") == {"victim-two"}
        for client, ip in zip(callers, (ONE, TWO), strict=True):
            answered(client, ip, TCP, left)
            answered(client, ip, HTTP, left, "pay.hello")
        declared(one, "far")
        eventually(lambda: "it needs no pods here" in ready(one, "far"), "the alias says what it lacks")
        service(one, "far", FAR_HERE)
        answered(callers[0], FAR_HERE, TCP, far)
        answered(callers[0], FAR_HERE, HTTP, far, "far.hello")
        assert " in this cluster" in ready(one, "far")


def test_an_entry_that_another_cluster_reads_takes_nobodys_address(clusters: tuple[Mesh, Mesh], tmp_path: Path) -> None:
    """A proxy of cluster two that asks the istiod of cluster one: the alias works by an address of its own.

    With the clusterIP the younger Service of cluster two would lose its calls (docs/clusters.md).
    """
    one, two = clusters
    both = {"pay-one", "pay-two"}
    declared(one, "pay")
    with ExitStack() as stack:
        stack.enter_context(serving(one, "pay", "pay-one"))
        stack.enter_context(Operator(one.plane, identity.install(one.plane), tmp_path, {"topology": "primary"})).idle()
        assert [a.split(".")[:2] for a in addresses(one)] == [["240", "241"]]
        client = stack.enter_context(two.pod("clients", "served-by-one", dns_capture=True, served_by=one))
        two.plane.api.delete(f"/api/v1/namespaces/{APP}/services/victim")
        service(two, "victim", ONE)
        answered(client, ONE, TCP, {"victim-two"})
        answered(client, "pay.hello", TCP, both)
        answered(client, "pay.hello", HTTP, both, "pay.hello")
        assert answers(client, ONE, TCP) == {"victim-two"}
