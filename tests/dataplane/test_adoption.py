"""What callers notice while a dns-controller is retired: an application asks on and on, by new connections."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from tools import make
from tools.controlplane.hand import project_crds
from tools.controlplane.waiting import eventually
from tools.dataplane import pods
from tools.dataplane.mesh import Mesh
from tools.dataplane.pods import Pod
from tools.running import identity
from tools.running.operator_process import COMMAND, Operator

pytestmark = [pytest.mark.cluster, pytest.mark.dataplane]

STRICT, OPEN = "retire-strict", "retire-open"
ANOTHER_SECOND = 1.1
"""Ages are of whole seconds."""
MORE = 100
"""Answers that are waited for at every step."""
SERVE = dedent("""\
    import socketserver, sys

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            if self.rfile.readline():
                body = b"HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\nConnection: close\\r\\n\\r\\nhello"
                self.wfile.write(body if sys.argv[2] == "http" else b"hello\\n")

    socketserver.ThreadingTCPServer.allow_reuse_address = True
    socketserver.ThreadingTCPServer.request_queue_size = 128
    socketserver.ThreadingTCPServer(("", int(sys.argv[1])), Handler).serve_forever()
    """)
ASK = dedent("""\
    import json, socket, sys, time

    def ask(address, port, said):
        try:
            with socket.create_connection((address, port), timeout=10) as made:
                made.sendall(said.encode())
                answer = b"".join(iter(lambda: made.recv(4096), b""))
        except OSError as error:
            return str(error)
        return "" if answer.rstrip().endswith(b"hello") else repr(answer[:60])

    targets = json.loads(sys.argv[1])
    for _ in range(20000):
        print(json.dumps([ask(*target) for target in targets]), flush=True)
        time.sleep(0.005)
    """)


@dataclass
class Retirement:
    """A mesh with two Services, an entry of a dns-controller for each, the operator, and a caller.

    Attributes:
        mesh: that all is in.
        caller: a pod that asks for both all the time.
        folder: for files.
    """

    mesh: Mesh
    caller: Pod
    folder: Path

    def answers(self) -> list[tuple[str, str]]:
        """What the caller was told so far for the TCP and the HTTP name: "" where it was right."""
        lines = self.caller.space.log("asker").splitlines(keepends=True)
        return [tuple(json.loads(line)) for line in lines if line.endswith("\n")]

    def more(self) -> int:
        """Wait for more answers; how many there are then."""
        seen = len(self.answers())
        eventually(lambda: len(self.answers()) >= seen + MORE, "more answers")
        return len(self.answers())

    def status(self, namespace: str, name: str) -> dict[str, Any]:
        """The status of an alias."""
        path = f"/apis/dnsalias.io/v1alpha1/namespaces/{namespace}/dnsaliases/{name}"
        return dict(self.mesh.plane.api.get(path).get("status") or {})


def service(mesh: Mesh, namespace: str, name: str, port: dict[str, Any]) -> str:
    """Create a Service of the pods of that name; its clusterIP."""
    body = make.service(name, ports=[port], selector={"app": name})
    return str(mesh.plane.api.create(f"/api/v1/namespaces/{namespace}/services", body)["spec"]["clusterIP"])


def entry(mesh: Mesh, namespace: str, name: str, number: int, protocol: str) -> None:
    """Create an entry as a dns-controller would that leaves out addresses and endpoints."""
    body = make.foreign(f"{name}-cutom-name", f"{name}.cutom-name", ports=[make.entry_port(number, protocol)])
    path = f"/apis/networking.istio.io/v1/namespaces/{namespace}/serviceentries?fieldManager={make.MANAGER}"
    mesh.plane.api.create(path, body)


@pytest.fixture
def retirement(mesh: Mesh, tmp_path: Path) -> Iterator[Retirement]:
    """Everything as it is before the first step: the operator has repaired what it may, and the caller asks."""
    plane = mesh.plane
    plane.install_crds(project_crds())
    with ExitStack() as stack:
        for namespace in (STRICT, OPEN):
            pods.ensure_namespace(plane, namespace)
        strict = {"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication", "metadata": {"name": "default"}}
        plane.api.create(
            f"/apis/security.istio.io/v1/namespaces/{STRICT}/peerauthentications",
            {**strict, "spec": {"mtls": {"mode": "STRICT"}}},
        )
        db = service(mesh, STRICT, "db", make.port(5432))
        web = service(mesh, OPEN, "web", make.port(8084, "http"))
        for namespace, name, kind, port in ((STRICT, "db", "tcp", 5432), (OPEN, "web", "http", 8084)):
            ports = [{"name": "app", "containerPort": port}]
            pod = stack.enter_context(mesh.pod(namespace, name, labels={"app": name}, ports=ports))
            pod.space.spawn("app", [sys.executable, "-I", "-S", "-c", SERVE, str(port), kind])
        time.sleep(ANOTHER_SECOND)
        entry(mesh, STRICT, "db", 5432, "TCP")
        entry(mesh, OPEN, "web", 8084, "HTTP")
        operator = stack.enter_context(Operator(plane, identity.install(plane), tmp_path)).idle()
        caller = stack.enter_context(mesh.pod("retire-clients", "caller"))
        request = "GET / HTTP/1.1\r\nHost: web.cutom-name:8084\r\nConnection: close\r\n\r\n"
        targets = json.dumps([[db, 5432, "hello?\n"], [web, 8084, request]])
        caller.space.spawn("asker", [sys.executable, "-I", "-S", "-c", ASK, targets])
        found = Retirement(mesh, caller, tmp_path)
        eventually(lambda: found.answers()[-1:] == [("", "")], "both names are served")
        yield found
        assert operator.bugs() == []
        for namespace in (STRICT, OPEN):
            plane.api.delete(f"/api/v1/namespaces/{namespace}")


def test_callers_are_served_at_every_step(retirement: Retirement) -> None:
    """By TCP under mTLS STRICT not one call fails; by HTTP none does until the entry goes, nor with the new one."""
    plane = retirement.mesh.plane
    began = len(retirement.answers())
    retirement.more()
    names = [f"{STRICT}/db-cutom-name", f"{OPEN}/web-cutom-name"]
    command = [COMMAND[0], "adopt", *names, "--kubeconfig", str(plane.kubeconfig)]
    manifests = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    plane.kubectl("apply", "-f", "-", stdin=manifests)
    wait = ("wait", "dnsalias/db-cutom-name", "-n", STRICT, "--for=condition=Ready", "--timeout=60s")
    plane.kubectl(*wait)
    assert retirement.status(STRICT, "db-cutom-name")["serviceEntry"]["mode"] == "Patched"
    applied = retirement.more()
    for namespace in (STRICT, OPEN):
        plane.kubectl("delete", "serviceentry", "-n", namespace, "-l", "app.kubernetes.io/managed-by=dns-controller")
    for namespace, name in ((STRICT, "db-cutom-name"), (OPEN, "web-cutom-name")):
        mode = "--for=jsonpath={.status.serviceEntry.mode}=Generated"
        plane.kubectl("wait", f"dnsalias/{name}", "-n", namespace, mode, "--timeout=60s")
    eventually(lambda: retirement.answers()[-1][1] == "", "the name is served by HTTP again")
    settled = len(retirement.answers())
    ended = retirement.more()
    told = retirement.answers()[began:ended]
    assert [tcp for tcp, _ in told if tcp] == []
    assert [http for _, http in told[: applied - began] if http] == []
    lost = [http for _, http in told[applied - began : settled - began] if http]
    print(f"{len(told)} calls of each name, {len(lost)} of HTTP lost while the entries changed: {sorted(set(lost))}")  # noqa: T201
    made = plane.api.get(f"/apis/networking.istio.io/v1/namespaces/{STRICT}/serviceentries/db-cutom-name")
    assert made["spec"]["workloadSelector"] == {"labels": {"app": "db"}}
