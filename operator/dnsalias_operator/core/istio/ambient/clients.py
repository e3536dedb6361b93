"""Ambient mode: which namespaces are in it, and whether any client is.

ztunnel gets every entry of the cluster, whatever its exportTo, and of two services on one address it keeps one, by
chance and for long: the Service's other ports are reset, and all of it where its pods ask for mTLS (docs/istio.md,
"Ambient"). So one such client anywhere makes a shared clusterIP unsafe in every namespace.
"""

from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import AMBIENT, AMBIENT_LABEL
from dnsalias_operator.model.snapshot import Snapshot


def in_ambient_mode(world: Snapshot, namespace: str) -> bool:
    """Whether the namespace's label puts its pods into ambient mode; one that is not known here has sidecars."""
    known = world.namespace(namespace)
    return known is not None and known.meta.labels.get(AMBIENT_LABEL) == AMBIENT


def ambient_clients(world: Snapshot, mesh: Mesh) -> str:
    """Who says that there are clients in ambient mode, in words; "" where there are none.

    Pods may be labelled one by one, which no Namespace shows: the setting ``ambient`` says so.
    """
    if mesh.ambient != "auto":
        return "the setting ambient is yes" if mesh.ambient == "yes" else ""
    namespaces = world.namespaces_in_ambient_mode()
    return f"namespace {namespaces[0].meta.name} is in ambient mode" if namespaces else ""
