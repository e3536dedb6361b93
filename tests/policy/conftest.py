"""A cluster of its own: its admission policy and its hostile objects would show up in other tests."""

from collections.abc import Iterator

import pytest

from tests.controlplane import build
from tests.controlplane.cluster import ControlPlane
from tests.controlplane.hand import project_crds


@pytest.fixture(scope="session")
def guarded(request: pytest.FixtureRequest) -> Iterator[ControlPlane]:
    """A control plane with the CRDs; tests install what guards it."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        build.ensure(*build.CONTROL_PLANE)
        crds = [build.istio_crds(), *project_crds()]
    with ControlPlane.start(crds=crds) as plane:
        yield plane
