"""A cluster of its own for what is installed cluster-wide: other tests must not see it come and go."""

from collections.abc import Iterator

import pytest

from tests.controlplane.fixtures import one_more
from tools.controlplane.cluster import ControlPlane


@pytest.fixture(scope="session")
def fresh_cluster(request: pytest.FixtureRequest) -> Iterator[ControlPlane]:
    """A control plane with the CRDs and nothing else of this project.

    The CRDs are there from the start: the garbage collector looks for new kinds every 30 s only.
    """
    with one_more(request) as plane:
        yield plane
