"""A cluster of its own for what is installed cluster-wide: other tests must not see it come and go."""

from collections.abc import Iterator

import pytest

from tests.controlplane import build
from tests.controlplane.cluster import ControlPlane
from tests.controlplane.hand import project_crds


@pytest.fixture(scope="session")
def fresh_cluster(request: pytest.FixtureRequest) -> Iterator[ControlPlane]:
    """A control plane with the CRDs and nothing else of this project.

    The CRDs are there from the start: the garbage collector looks for new kinds every 30 s only.
    """
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        build.ensure(*build.CONTROL_PLANE)
        crds = [build.istio_crds(), *project_crds()]
    with ControlPlane.start(crds=crds) as plane:
        yield plane
