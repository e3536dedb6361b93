"""What sidecars send, and what Envoy refuses: the model against a real istiod and real Envoys."""

import os
import secrets
import time
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import pytest

from dnsalias_operator.core.plan import lint
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.snapshot import Snapshot
from tools import make
from tools.controlplane.progress import say
from tools.controlplane.waiting import eventually
from tools.dataplane import pods
from tools.dataplane.bulk import COLLECTIONS
from tools.dataplane.mesh import Mesh
from tools.dataplane.mtls_record import differences, record
from tools.dataplane.pods import Pod
from tools.dataplane.record import WAVE_SECONDS
from tools.dataplane.sidecar import READY
from tools.dataplane.web import OK, get

pytestmark = [pytest.mark.cluster, pytest.mark.dataplane, pytest.mark.usefixtures("data_plane")]

CELLS = 300
SEED = "DNSALIAS_MTLS_SEED"
"""Environment variable that names a seed to try again."""
NAMESPACE = "refusing"
REFUSED = "gRPC config for type.googleapis.com/envoy.config"
"""What Envoy logs about an update of which it refuses a part."""


def test_the_model_agrees_with_a_new_world_on_every_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    """Of 300 cells made anew, under three modes of the mesh, a real sidecar has the predicted clusters and no others.

    Of each it is compared what it sends, and to which of its endpoints mTLS.
    """
    seed = int(os.environ.get(SEED) or secrets.randbelow(10**9))
    modes = (None, *Random(seed).sample(("UNSET", "DISABLE", "PERMISSIVE", "STRICT"), 2))  # noqa: S311
    with capsys.disabled():
        say(f"a world of {CELLS} cells from seed {seed}, mesh modes {modes} (to try it again: {SEED}={seed})")
    met = set()
    for recording in record(seed, CELLS, modes):
        found = differences(recording)
        assert len(recording.clusters) >= 200
        assert not found, "\n".join(found)
        met |= {cluster.tls for cluster in recording.clusters.values()}
    assert met >= {"plaintext", "mTLS", "by endpoint"}


def entry(name: str, host: str, protocol: str, resolution: str, **spec: Any) -> dict[str, Any]:  # noqa: ANN401
    """An entry that only its own namespace gets."""
    given = {"ports": [make.entry_port(4443, protocol)], "resolution": resolution, "exportTo": ["."], **spec}
    return make.entry(name, host, namespace=NAMESPACE, **given)


GRPC = entry("grpc", "*.dynamic.team", "GRPC", "DYNAMIC_DNS")
PARTIAL = entry("partial", "*api.team", "TLS", "NONE")
ROBIN = [
    entry("robin", "robin.team", "TCP", "DNS_ROUND_ROBIN", endpoints=[{"address": "10.1.0.5"}]),
    entry("robins", "robin.team", "TCP", "DNS", endpoints=[{"address": "10.1.0.6"}]),
]


@pytest.mark.parametrize(
    "entries",
    [pytest.param([GRPC], id="DYNAMIC_DNS"), pytest.param(ROBIN, id="round robin"), pytest.param([PARTIAL], id="SNI")],
)
def test_a_sidecar_does_not_get_ready_while_envoy_refuses_an_entry(
    mesh: Mesh, entries: Sequence[dict[str, Any]]
) -> None:
    """Each of the entries of DA019 is refused by a real Envoy that starts; once it is gone the sidecar gets ready."""
    pods.ensure_namespace(mesh.plane, NAMESPACE)
    collection = COLLECTIONS["ServiceEntry"].format(NAMESPACE)
    made = []
    try:
        for one in entries:
            made.append(mesh.plane.api.create(collection, one))
            time.sleep(WAVE_SECONDS)  # of one age either would be taken for the first
        assert {f.code for f in lint(Snapshot(map(_parsed, made)), make.rules())} >= {"DA019"}
        with mesh.pod(NAMESPACE, "client", wait=False) as client:
            eventually(lambda: REFUSED in client.space.tail(), "Envoy's word on what it refuses")
            assert not _ready(client)
            for one in reversed(entries):
                mesh.plane.api.delete(f"{collection}/{one['metadata']['name']}")
            eventually(lambda: _ready(client), "the sidecar to get ready")
    finally:
        for item in mesh.plane.api.get(collection)["items"]:
            mesh.plane.api.delete(f"{collection}/{item['metadata']['name']}")


@pytest.mark.parametrize(
    "harmless",
    [
        pytest.param([{**GRPC, "spec": {**GRPC["spec"], "location": "MESH_INTERNAL"}}], id="DYNAMIC_DNS with mTLS"),
        pytest.param([ROBIN[0]], id="one endpoint"),
        pytest.param([{**PARTIAL, "spec": {**PARTIAL["spec"], "hosts": ["*.team"]}}], id="whole label"),
    ],
)
def test_entries_close_to_those_that_envoy_refuses_are_fine(mesh: Mesh, harmless: Sequence[dict[str, Any]]) -> None:
    """What DA019 does not tell of does not keep a sidecar from getting ready."""
    pods.ensure_namespace(mesh.plane, NAMESPACE)
    collection = COLLECTIONS["ServiceEntry"].format(NAMESPACE)
    made = [mesh.plane.api.create(collection, one) for one in harmless]
    try:
        assert "DA019" not in {f.code for f in lint(Snapshot(map(_parsed, made)), make.rules())}
        with mesh.pod(NAMESPACE, "client") as client:
            assert REFUSED not in client.space.tail()
    finally:
        for one in harmless:
            mesh.plane.api.delete(f"{collection}/{one['metadata']['name']}")


def _parsed(raw: Mapping[str, Any]) -> Any:  # noqa: ANN401
    return KINDS["ServiceEntry"].parse(raw)


def _ready(client: Pod) -> bool:
    return get(client.space, READY)[0] == OK
