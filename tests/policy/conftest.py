"""A cluster of its own: its admission policy and its hostile objects would show up in other tests."""

from collections.abc import Iterator

import pytest

from tests.controlplane.fixtures import one_more
from tools.controlplane.cluster import ControlPlane


@pytest.fixture(scope="session")
def guarded(request: pytest.FixtureRequest) -> Iterator[ControlPlane]:
    """A control plane with the CRDs; tests install what guards it."""
    with one_more(request) as plane:
        yield plane
