"""Fixtures of the data plane: one mesh a run, on a control plane of its own."""

from collections.abc import Iterator

import pytest

from tests.controlplane.fixtures import in_ci
from tools.controlplane import build
from tools.controlplane.cluster import ControlPlane
from tools.dataplane.mesh import BINARIES, Mesh
from tools.dataplane.spaces import why_not


@pytest.fixture(scope="session")
def data_plane(request: pytest.FixtureRequest) -> None:
    """What every mesh needs, built: skips, outside CI, where this machine cannot have one, and says why."""
    if (reason := why_not()) is not None:
        if in_ci():
            pytest.fail(reason)
        pytest.skip(reason)
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        build.ensure(*build.CONTROL_PLANE, *BINARIES, "istioctl")


@pytest.fixture(scope="session")
def mesh(data_plane: None) -> Iterator[Mesh]:  # noqa: ARG001
    """A mesh shared by the run. Its control plane is not that of the other tests, whose objects istiod would change."""
    with ControlPlane.start(crds=[build.istio_crds()]) as plane, Mesh.start(plane) as running:
        yield running
