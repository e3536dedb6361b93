"""The listener model against a world that nobody has seen before, in a real istiod and a real Envoy."""

import json
import os
import secrets
from pathlib import Path

import pytest

from dnsalias_operator.model.mesh import Mesh as Assumptions
from tests.core.agreement import compare, report
from tools.controlplane.progress import say
from tools.dataplane import record
from tools.dataplane.recorded import load
from tools.dataplane.validate import invalid
from tools.dataplane.world import world
from tools.dataplane.world_cell import Object
from tools.dataplane.world_sidecars import places, sidecars

pytestmark = [pytest.mark.cluster, pytest.mark.dataplane, pytest.mark.usefixtures("data_plane")]

CELLS, FEWER_CELLS = 500, 200
SEED = "DNSALIAS_WORLD_SEED"
"""Environment variable that names a seed to try again."""


def features(worlds: list[Object]) -> set[str]:
    """Every value of the fields by which the objects of a world differ."""
    found = set()
    for obj in worlds:
        spec = obj["spec"]
        found |= {f"resolution {spec.get('resolution')}", f"export {spec.get('exportTo')}", f"type {spec.get('type')}"}
        found |= {f"protocol {port.get('protocol')}" for port in spec["ports"]}
    return found


@pytest.mark.parametrize(
    ("cells", "options"),
    [
        (CELLS, {}),
        (CELLS, {"dns_capture": True}),
        (CELLS, {"dual_stack": True}),
        (FEWER_CELLS, {"with_sidecars": True}),
    ],
    ids=["plain", "DNS capture", "dual-stack pod", "Sidecars"],
)
def test_the_model_agrees_with_a_new_world_on_every_port(
    cells: int, options: dict[str, bool], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every port of a real sidecar in a world made anew has exactly the rows that the model predicts.

    With Sidecars: every port of seventeen real sidecars that these tell apart.
    """
    seed = int(os.environ.get(SEED) or secrets.randbelow(10**9))
    with capsys.disabled():
        say(f"a world of {cells} cells from seed {seed} (to try it again: {SEED}={seed})")
    path = tmp_path / "world.json.gz"
    record.write(record.record(seed, cells, **options), path)  # type: ignore[arg-type]
    recording = load(path)
    mesh = Assumptions.model_validate(
        {name: value for name, value in options.items() if name in Assumptions.model_fields}
    )
    assert len(recording.views) == (1 + len(places()) if "with_sidecars" in options else 1)
    result = compare(recording, mesh)
    assert len(result.ports) > cells * 0.8
    assert not result.disagreements, "\n".join(report(recording, mesh, show=len(result.disagreements)))


def test_a_seed_gives_the_same_world() -> None:
    """The same seed and size give the same objects in the same waves, another seed others."""
    assert json.dumps(world(7, 60)) == json.dumps(world(7, 60))
    assert world(7, 60) != world(8, 60)
    objects = [obj for wave in world(7, 60) for obj in wave]
    assert json.dumps(sidecars(7, objects, 60)) == json.dumps(sidecars(7, objects, 60))
    assert sidecars(7, objects, 60) != sidecars(8, objects, 60)


def test_nearly_all_of_a_world_is_valid() -> None:
    """The validation of istiod takes a world but for a few entries whose exportTo names their own namespace twice."""
    objects = [obj for wave in world(7, CELLS) for obj in wave]
    assert invalid(sidecars(7, objects, CELLS)) == {}
    faults = invalid(objects)
    assert set(faults.values()) <= {"duplicate entries in exportTo for entry abc"}
    assert len(faults) < len(objects) / 20
    broken = {**objects[-1], "kind": "ServiceEntry", "apiVersion": "networking.istio.io/v1", "spec": {"hosts": []}}
    assert len(invalid([broken])) == 1
