"""Which namespaces are in ambient mode, where no address of a Service is shared.

Two services on one address replace each other there, and a winner without a port breaks that port of the other. Source:
docs/istio.md, "Ambient". A namespace that is not known here counts as one with sidecars.
"""

from dnsalias_operator.model.names import AMBIENT_LABEL
from dnsalias_operator.model.snapshot import Snapshot


def in_ambient_mode(world: Snapshot, namespace: str) -> bool:
    """Whether the namespace's label puts its pods into ambient mode."""
    known = world.namespace(namespace)
    return known is not None and known.meta.labels.get(AMBIENT_LABEL) == "ambient"
