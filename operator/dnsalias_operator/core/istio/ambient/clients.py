"""Ambient mode: which namespaces are in it, and whether any client is.

ztunnel gets every entry of the cluster, whatever its exportTo, and of two services on one address it keeps one, by
chance and for long: the Service's other ports are reset, and all of it where its pods ask for mTLS (docs/istio.md,
"Ambient"). So one such client anywhere makes a shared clusterIP unsafe in every namespace.
"""

from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import AMBIENT, AMBIENT_LABEL
from dnsalias_operator.model.snapshot import Snapshot

WITHOUT_PODS_OF_THE_MESH = frozenset({"kube-system", "kube-public", "kube-node-lease"})


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
    return world.remembered("namespace in ambient mode", lambda: _first_labelled(world))


def _first_labelled(world: Snapshot) -> str:
    namespaces = world.namespaces_in_ambient_mode()
    return f"namespace {namespaces[0].meta.name} is in ambient mode" if namespaces else ""


def has_sidecars(world: Snapshot, mesh: Mesh) -> bool:
    """Whether there may be a sidecar anywhere: not where every namespace of the mesh is labelled for ambient mode.

    That is every one that is known, by itself or by an object in it, but Kubernetes' own, the root namespace, and
    ``default`` where just the API server's Service is in it. Pods can get a sidecar one by one in any other namespace.
    """
    if mesh.ambient != "auto":
        return True
    return world.remembered(("may have sidecars", mesh.root_namespace), lambda: _has_others(world, mesh))


def _has_others(world: Snapshot, mesh: Mesh) -> bool:
    """Whether some namespace is not labelled; objects are asked only where not all Namespaces are known."""
    labelled = {n.meta.name for n in world.namespaces_in_ambient_mode()}
    if not labelled:
        return True
    kept = {*WITHOUT_PODS_OF_THE_MESH, mesh.root_namespace}
    if {s.meta.name for s in world.services_in("default")} <= {"kubernetes"} and not world.entries_in("default"):
        kept.add("default")
    if {n.meta.name for n in world.namespaces()} - labelled - kept:
        return True
    return not world.namespaces_known and bool(set(world.namespaces_with_objects()) - labelled - kept)


def may_be_ambient(world: Snapshot, namespace: str, mesh: Mesh) -> bool:
    """Whether clients in that namespace may be in ambient mode: by its label, or by the setting ``ambient``."""
    return mesh.ambient == "yes" or (mesh.ambient == "auto" and in_ambient_mode(world, namespace))
