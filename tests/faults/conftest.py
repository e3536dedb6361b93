"""What the tests of faults share: a control plane of their own behind a proxy, and a world that an operator keeps."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.conftest import Objects
from tests.controlplane.fixtures import one_more
from tests.faults.kubelet import Kubelet
from tests.faults.proxy import Proxy
from tools.controlplane.cluster import ControlPlane
from tools.running import identity


@pytest.fixture(scope="package")
def plane(request: pytest.FixtureRequest) -> Iterator[ControlPlane]:
    """A control plane of this folder: stores are compared with all that is there, so nobody else may change it."""
    with one_more(request) as one:
        yield one


@pytest.fixture(scope="package")
def rights(plane: ControlPlane) -> Path:
    """Credentials with exactly the rights that manifests/ give."""
    return identity.install(plane)


@pytest.fixture
def proxy(plane: ControlPlane) -> Iterator[Proxy]:
    """A proxy before the API server."""
    with Proxy(plane) as one:
        yield one


@pytest.fixture
def objects(plane: ControlPlane) -> Iterator[Objects]:
    """Objects of a fresh namespace, removed after the test."""
    name = f"f-{secrets.token_hex(4)}"
    plane.api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    one = Objects(plane, name)
    yield one
    for kind in ("dnsaliases", "serviceentries", "services"):
        plane.api.delete(one.path(kind))


@pytest.fixture
def start(plane: ControlPlane, rights: Path, proxy: Proxy, tmp_path: Path) -> Iterator[Callable[..., Kubelet]]:
    """Start an operator that reaches the API server through the proxy; it ends with the test, and must have no bugs."""
    started: list[Kubelet] = []

    def begin(**settings: str) -> Kubelet:
        folder = tmp_path / str(len(started))
        folder.mkdir()
        one = Kubelet(plane, proxy.kubeconfig(rights, folder / "kubeconfig"), folder, settings)
        one.start()
        started.append(one)
        return one

    yield begin
    for one in started:
        one.kill()
    assert [bug for one in started for bug in one.bugs()] == []
