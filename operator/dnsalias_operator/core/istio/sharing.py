"""Whether a ServiceEntry may have a Service's clusterIP at all, whatever its ports, protocols and age are."""

from dataclasses import dataclass

from dnsalias_operator.core.istio.ambient import ambient_clients
from dnsalias_operator.core.reasons import Reason
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.snapshot import Snapshot

ELSEWHERE = "proxies of other clusters read the ServiceEntries of this one (topology primary)"


@dataclass(frozen=True, slots=True)
class Forbidden:
    """Why none may. ``about`` says who gets the entry, ``harm`` what a clusterIP would do to them."""

    reason: Reason
    about: str
    harm: str


def forbidden(world: Snapshot, mesh: Mesh) -> Forbidden | None:
    """Why no entry may have a clusterIP; None where it depends on the entry.

    Source: docs/istio.md, "Ambient" and "Several clusters".
    """
    if about := ambient_clients(world, mesh):
        harm = "clients there get every entry: none may share the clusterIP"
        return Forbidden(Reason.AMBIENT_CLIENTS, about, harm)
    if mesh.topology == "primary":
        harm = "there somebody else may have the clusterIP"
        return Forbidden(Reason.READ_IN_OTHER_CLUSTERS, ELSEWHERE, harm)
    return None
