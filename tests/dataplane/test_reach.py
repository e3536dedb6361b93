"""Findings name the namespaces whose sidecars are hit: exactly those where a real Envoy has the listener."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest

from tools import make
from tools.controlplane.hand import project_crds
from tools.controlplane.waiting import eventually
from tools.dataplane import pods
from tools.dataplane.bulk import COLLECTIONS
from tools.dataplane.mesh import Mesh
from tools.dataplane.pods import Pod
from tools.running.operator_process import COMMAND

pytestmark = [pytest.mark.cluster, pytest.mark.dataplane]

HOME = "reach-home"
EGRESS: Mapping[str, list[str] | None] = {
    "reach-open": None,
    "reach-own": ["./*"],
    "reach-home-only": ["reach-home/*"],
    "reach-named": ["*/two.reach", "*/last.reach"],
}
"""The clients' namespaces and what their Sidecars import; None: they have no Sidecar."""
EVERYBODY, SOME = ["*"], ["reach-open", "reach-own", "reach-named"]
PORTS: Mapping[int, tuple[str, list[str]]] = {
    7441: ("one.reach", EVERYBODY),
    7442: ("two.reach", EVERYBODY),
    7443: ("three.reach", SOME),
    7444: ("last.reach", [*SOME, "reach-home-only"]),
}
"""Catch-alls: host and exportTo by port. The last one is created last, and every client but one imports it."""


def catch_all(port: int, host: str, export_to: list[str]) -> dict[str, Any]:
    """An entry without addresses, as the incident had them."""
    given: dict[str, Any] = {"exportTo": export_to, "location": "MESH_INTERNAL", "resolution": "NONE"}
    return make.entry(f"reach-{port}", host, ports=[make.entry_port(port)], namespace=HOME, **given)


@pytest.fixture(scope="module")
def clients(mesh: Mesh) -> Iterator[Mapping[str, Pod]]:
    """A pod in each of the four namespaces, with all objects there before any of them starts."""
    mesh.plane.install_crds(project_crds())
    objects = [make.sidecar("reach", *hosts, namespace=namespace) for namespace, hosts in EGRESS.items() if hosts]
    objects += [catch_all(port, *what) for port, what in PORTS.items()]
    with ExitStack() as stack:
        for namespace in (HOME, *EGRESS):
            pods.ensure_namespace(mesh.plane, namespace)
        for obj in objects:
            collection = COLLECTIONS[obj["kind"]].format(obj["metadata"]["namespace"])
            mesh.plane.api.create(collection, obj)
            stack.callback(mesh.plane.api.delete, f"{collection}/{obj['metadata']['name']}")
        yield {namespace: stack.enter_context(mesh.pod(namespace, "client")) for namespace in EGRESS}


def caught(clients: Mapping[str, Pod]) -> dict[int, set[str]]:
    """The namespaces whose real sidecars send any connection to the entry, by port."""
    found: dict[int, set[str]] = {port: set() for port in PORTS}
    for namespace, pod in clients.items():
        rows = {(row.bind, row.port, row.cluster) for row in pod.listeners()}
        for port, (host, _) in PORTS.items():
            if ("0.0.0.0", port, f"outbound|{port}||{host}") in rows:  # noqa: S104
                found[port].add(namespace)
    return found


def told(mesh: Mesh, port: int) -> str:
    """Where the finding says that the entry of that port takes connections."""
    command = [COMMAND[0], "lint", "--kubeconfig", str(mesh.plane.kubeconfig), "-o", "json", "--fail-on", "never"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    messages = [
        finding["message"]
        for finding in json.loads(output)["findings"]
        if (finding["code"], finding["name"]) == ("DA001", f"reach-{port}")
    ]
    assert len(messages) == 1
    return str(messages[0].partition("; in ")[2].partition(" it takes ")[0])


def text(namespaces: set[str], *, everywhere: bool) -> str:
    """What a finding says of those of the four namespaces, where all others have the listener too or none has."""
    named = sorted(set(EGRESS) - namespaces if everywhere else namespaces)
    if everywhere:
        return f"every namespace but {', '.join(named)}"
    return f"{'namespace' if len(named) == 1 else 'namespaces'} {', '.join(named)}"


def test_a_finding_names_the_namespaces_that_envoy_shows(mesh: Mesh, clients: Mapping[str, Pod]) -> None:
    """Four clients with different Sidecars, public and private entries: the text is what their Envoys have."""
    eventually(lambda: len(caught(clients)[7444]) == 3, "every client that sees the last entry has it")
    real = caught(clients)
    assert real == {
        7441: {"reach-open", "reach-home-only"},
        7442: {"reach-open", "reach-home-only", "reach-named"},
        7443: {"reach-open"},
        7444: {"reach-open", "reach-home-only", "reach-named"},
    }
    for port, (_, export_to) in PORTS.items():
        assert told(mesh, port) == text(real[port], everywhere=export_to == EVERYBODY)
