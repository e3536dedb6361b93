"""The node does what a real one does: clusterIPs lead to ready pods, names are resolved."""

import sys

import pytest

from tools.controlplane.waiting import eventually
from tools.dataplane.mesh import Mesh
from tools.dataplane.node import ADDRESS
from tools.dataplane.web import get

pytestmark = [pytest.mark.cluster, pytest.mark.dataplane]

SERVER = [sys.executable, "-I", "-m", "http.server", "8080", "--directory", "/media/bin"]
LOOKUP = "import socket, sys; print(sorted({a[4][0] for a in socket.getaddrinfo(sys.argv[1], 80, type=1)}))"


def lookup(name: str) -> list[str]:
    """The command that prints the addresses of a name."""
    return [sys.executable, "-I", "-c", LOOKUP, name]


def test_a_service_leads_to_its_ready_pod(mesh: Mesh) -> None:
    """A pod without a sidecar reaches another one by clusterIP (kube-proxy), long and short name (CoreDNS)."""
    ports = [{"port": 80, "targetPort": 8080, "name": "http"}]
    body = {"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": ports}}
    with (
        mesh.pod("plain", "server", labels={"app": "web"}, sidecar=False) as server,
        mesh.pod("plain", "client", sidecar=False) as client,
    ):
        ip = mesh.plane.api.create("/api/v1/namespaces/plain/services", body)["spec"]["clusterIP"]
        server.space.spawn("web", SERVER)
        eventually(lambda: get(client.space, f"http://{server.ip}:8080/")[0] == 200, "the server")
        eventually(lambda: get(client.space, f"http://{ip}/")[0] == 200, "kube-proxy's rules")
        for name in ("web", "web.plain", "web.plain.svc.cluster.local"):
            eventually(lambda: client.call(lookup(name)).stdout == f"{[ip]}\n", f"the name {name}")  # noqa: B023
        assert client.call(lookup("web.nowhere")).returncode != 0
        mesh.plane.api.delete("/api/v1/namespaces/plain/services/web")


def test_a_host_outside_is_reached_by_its_own_address(mesh: Mesh) -> None:
    """A machine that is no pod has the public address it was given, seen from every pod."""
    with mesh.host("public", "203.0.113.7") as public, mesh.pod("plain", "caller", sidecar=False) as client:
        public.spawn("web", SERVER)
        eventually(lambda: get(client.space, "http://203.0.113.7:8080/")[0] == 200, "the public server")


def test_extra_lines_of_the_resolver_answer_first(mesh: Mesh) -> None:
    """Lines given to CoreDNS go before the cluster's names, and can be taken back."""
    with mesh.pod("plain", "asker", sidecar=False) as client:
        mesh.node.resolve(f"hosts {{\n {ADDRESS} alias.hello\n fallthrough\n }}")
        try:
            eventually(lambda: ADDRESS in client.call(lookup("alias.hello")).stdout, "the extra lines")
        finally:
            mesh.node.resolve()
        eventually(lambda: client.call(lookup("alias.hello")).returncode != 0, "the name is gone")
