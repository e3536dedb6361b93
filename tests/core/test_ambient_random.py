"""Records of random worlds, predicted and as istiod's own code makes them."""

from collections.abc import Callable

import pytest

from dnsalias_operator.model.mesh import Mesh
from tests.core.ambient_agreement import Agreement, compare_whole
from tests.core.ambient_worlds import world
from tools.dataplane.ambient_records import told

WORLDS = 120
Record = Callable[[str, object], None]


@pytest.mark.cluster
def test_records_of_random_worlds_are_those_that_istiod_makes(record_testsuite_property: Record) -> None:
    """Every record of every world is predicted, with all of its fields, and no other."""
    worlds = [world(seed) for seed in range(WORLDS)]
    total = Agreement()
    wrong: list[str] = []
    for seed, (objects, records) in enumerate(zip(worlds, told(worlds), strict=True)):
        result = compare_whole(objects, records, Mesh())
        total.compared += result.compared
        wrong += [f"seed {seed}: {line}" for line in result.differences]
    record_testsuite_property("ambient records predicted", total.compared - len(wrong))
    assert total.compared > 10 * WORLDS
    assert wrong == []
