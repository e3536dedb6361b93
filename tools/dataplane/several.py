"""Two clusters of one mesh: a control plane, a node and an istiod each, one root of trust, pods routed to each other.

Each istiod watches both API servers, by a Secret with a kubeconfig as `istioctl create-remote-secret` makes it. The API
servers stay on this machine's loopback, and each node has a tunnel to both.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tools.controlplane.cluster import ControlPlane
from tools.controlplane.waiting import eventually
from tools.dataplane import pods
from tools.dataplane.istiod import NAMESPACE
from tools.dataplane.mesh import Mesh
from tools.dataplane.node import NETWORK

SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets"
AUTHORITY = "istio-ca-secret"
"""Where an istiod that signs itself keeps its key; another that finds one there uses it."""


@contextmanager
def two_clusters(crds: Sequence[Path]) -> Iterator[tuple[Mesh, Mesh]]:
    """The meshes `one` and `two`, for the length of the block."""
    with ExitStack() as stack:
        first, second = (stack.enter_context(ControlPlane.start(crds=crds)) for _ in range(2))
        one = stack.enter_context(Mesh.start(first, cluster="one"))
        authority = eventually(lambda: pods.read(first, f"{SECRETS}/{AUTHORITY}"), "istiod has made its authority")
        pods.ensure_namespace(second, NAMESPACE)
        second.api.create(
            SECRETS, {"metadata": {"name": AUTHORITY}, "type": authority["type"], "data": authority["data"]}
        )
        two = stack.enter_context(Mesh.start(second, cluster="two", network=NETWORK + 1))
        one.node.link(two.node)
        for mesh, other in ((one, two), (two, one)):
            mesh.node.reach(other.plane, "tunnel-to-the-other")
            meta = {"name": f"istio-remote-secret-{other.cluster}", "labels": {"istio/multiCluster": "true"}}
            body = {"metadata": meta, "stringData": {other.cluster: other.plane.kubeconfig.read_text()}}
            mesh.plane.api.create(SECRETS, body)
        yield one, two
