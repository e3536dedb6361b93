"""What the tests on the real API server share: an operator under its own ServiceAccount, and objects to give it."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tools import make
from tools.controlplane.api import ApiError
from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import eventually
from tools.running import identity
from tools.running.operator_process import Operator


@pytest.fixture(scope="session")
def operator_kubeconfig(control_plane: ControlPlane) -> Path:
    """Credentials with exactly the rights that manifests/ give."""
    return identity.install(control_plane)


@pytest.fixture
def start_operator(
    control_plane: ControlPlane, operator_kubeconfig: Path, tmp_path: Path
) -> Iterator[Callable[..., Operator]]:
    """Start operators with the settings that are given; all are stopped after the test."""
    started: list[Operator] = []

    def start(**settings: str) -> Operator:
        folder = tmp_path / secrets.token_hex(4)
        folder.mkdir()
        one = Operator(control_plane, operator_kubeconfig, folder, settings)
        one.start()
        started.append(one)
        return one

    yield start
    for one in started:
        one.kill()
    assert [bug for one in started for bug in one.bugs()] == []


@pytest.fixture(scope="module")
def operator(
    control_plane: ControlPlane, operator_kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operator]:
    """One operator for all tests of a module; each has a namespace of its own."""
    with Operator(control_plane, operator_kubeconfig, tmp_path_factory.mktemp("operator")) as one:
        yield one.ready()
        assert one.bugs() == []


@pytest.fixture
def objects(control_plane: ControlPlane, namespace: str) -> "Objects":
    """Objects of one fresh namespace."""
    return Objects(control_plane, namespace)


class Objects:
    """Creates, changes and reads objects of one namespace, as admin."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        """Keep to ``namespace`` of ``plane``."""
        self.plane, self.namespace = plane, namespace

    def path(self, kind: str, name: str = "") -> str:
        """Path of a kind or of one object."""
        roots = {
            "services": "/api/v1",
            "serviceentries": "/apis/networking.istio.io/v1",
            "dnsaliases": "/apis/dnsalias.io/v1alpha1",
            "events": "/apis/events.k8s.io/v1",
        }
        return f"{roots[kind]}/namespaces/{self.namespace}/{kind}" + (f"/{name}" if name else "")

    def service(self, name: str, *ports: int, **spec: Any) -> dict[str, Any]:  # noqa: ANN401
        """Create a Service with TCP ports and, unless told otherwise, a selector."""
        given = {"ports": [make.port(p, f"tcp-{p}") for p in ports or (443,)], "selector": {"app": name}, **spec}
        return dict(self.plane.api.create(self.path("services"), make.service(name, **given)))

    def alias(self, name: str, host: str, service: str, **spec: Any) -> dict[str, Any]:  # noqa: ANN401
        """Create a DnsAlias."""
        return dict(self.plane.api.create(self.path("dnsaliases"), make.alias(name, host, service, **spec)))

    def foreign(self, name: str, host: str, port: int = 443, protocol: str = "TCP", **spec: Any) -> dict[str, Any]:  # noqa: ANN401
        """Create a ServiceEntry as a dns-controller would that leaves out addresses and endpoints."""
        given = {"ports": [make.entry_port(port, protocol, "tcp")], **spec}
        path = f"{self.path('serviceentries')}?fieldManager={make.MANAGER}"
        return dict(self.plane.api.create(path, make.foreign(name, host, **given)))

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """An object, {} where there is none."""
        try:
            return dict(self.plane.api.get(self.path(kind, name)))
        except ApiError as error:
            if error.status == 404:
                return {}
            raise

    def patch(self, kind: str, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """Merge-patch an object, as a person with kubectl would."""
        path = f"{self.path(kind, name)}?fieldManager=a-person"
        return dict(self.plane.api.request("PATCH", path, body, "application/merge-patch+json"))

    def delete(self, kind: str, name: str) -> None:
        """Delete an object."""
        self.plane.api.delete(self.path(kind, name))

    def spec(self, name: str) -> dict[str, Any]:
        """The spec of a ServiceEntry, {} where there is none."""
        return dict(self.get("serviceentries", name).get("spec") or {})

    def condition(self, alias: str, kind: str = "Ready") -> tuple[str, str]:
        """Status and reason of a condition of a DnsAlias, ("", "") where it has none."""
        for condition in self.get("dnsaliases", alias).get("status", {}).get("conditions", []):
            if condition["type"] == kind:
                return condition["status"], condition["reason"]
        return "", ""

    def becomes_ready(self, alias: str) -> None:
        """Wait for Ready=True."""
        eventually(lambda: self.condition(alias)[0] == "True", f"{alias} is ready")

    def events(self) -> list[tuple[str, str, str]]:
        """Kind and name of the object, and the reason, of each Event of the namespace."""
        items = self.plane.api.get(self.path("events"))["items"]
        return sorted((e["regarding"]["kind"], e["regarding"]["name"], e["reason"]) for e in items)
