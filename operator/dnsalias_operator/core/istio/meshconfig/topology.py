"""Which part of a mesh of several clusters this one is, as far as objects show that are read by name.

The Secrets that make istiod watch other clusters hold kubeconfigs, and are never read. So that a cluster is `single` is
what is left where nothing says otherwise.

Source: docs/clusters.md, "Which topology"; pilot/pkg/serviceregistry/kube/controller/multicluster.go (a Namespace's
annotation, EXTERNAL_ISTIOD); Istio's chart istiod and its guides for several clusters (remotePilotAddress, network,
externalIstiod).
"""

from collections.abc import Iterator
from dataclasses import replace

from dnsalias_operator.core.istio.meshconfig.found import REMOTE_PILOT, SERVES_OTHERS, Fact, Found
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import CONTROL_PLANES_ANNOTATION, NETWORK_LABEL
from dnsalias_operator.model.namespace import Namespace
from dnsalias_operator.model.snapshot import Snapshot

TOPOLOGY = "topology"


def located(found: Found, given: Mesh, world: Snapshot) -> Found:
    """The same with the topology, where something shows it that is not single."""
    named = found.get("root_namespace")
    root = given.root_namespace
    if named is not None and "root_namespace" not in given.model_fields_set:
        root = str(named.value)
    fact = next(_topology(found, world.namespace(root)), None)
    return found if fact is None else replace(found, facts=(*found.facts, fact))


def _topology(found: Found, root: Namespace | None) -> Iterator[Fact]:
    """What it is, the surest first."""
    if remote := found.get(REMOTE_PILOT):
        yield Fact(TOPOLOGY, "remote", remote.where)
    if serves := found.get(SERVES_OTHERS):
        yield Fact(TOPOLOGY, "primary", serves.where)
    managed = root.meta.annotations.get(CONTROL_PLANES_ANNOTATION, "") if root else ""
    own = any(read.startswith("Deployment ") for read in found.read)
    if root and managed and not own:
        yield Fact(TOPOLOGY, "remote", f"{root.key}: annotation {CONTROL_PLANES_ANNOTATION}")
    hint = found.get("network")
    where = hint.where if hint else ""
    if root and (managed or root.meta.labels.get(NETWORK_LABEL)) and not where:
        what = f"annotation {CONTROL_PLANES_ANNOTATION}" if managed else f"label {NETWORK_LABEL}"
        where = f"{root.key}: {what}"
    if where:
        # Who serves other clusters says so in istiod's Deployment, or in what it is made from. Where that is not known,
        # the reading that does no harm is taken.
        told = own or any(not read.startswith("ConfigMap ") for read in found.read)
        yield Fact(TOPOLOGY, "multi-primary" if told else "primary", where, sure=False)
