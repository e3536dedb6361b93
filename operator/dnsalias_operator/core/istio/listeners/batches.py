"""What is built: the claims on a port of each egress listener of a client, in the order in which they are served."""

from collections.abc import Iterable, Iterator

from dnsalias_operator.core.istio.listeners.claimants import claimants_on
from dnsalias_operator.core.istio.listeners.claims import Claim, claims
from dnsalias_operator.core.istio.listeners.contested import served
from dnsalias_operator.core.istio.listeners.order import in_order
from dnsalias_operator.core.istio.listeners.scope import Egress, SidecarScope
from dnsalias_operator.model.lookups import Claimant
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.snapshot import Snapshot


def batches_on(snapshot: Snapshot, scope: SidecarScope, mesh: Mesh, port: int) -> list[tuple[Egress, list[Claim]]]:
    """For each egress listener that can open listeners on the port, the claims of every service that it serves."""
    batches = []
    for egress in scope.on(port):
        found = claims_of(claimants_on(snapshot, port, egress), snapshot, egress, mesh, port)
        batches.append((egress, in_order(found, egress, mesh)))
    return batches


def claims_of(
    objects: Iterable[Claimant], snapshot: Snapshot, egress: Egress, mesh: Mesh, port: int
) -> Iterator[Claim]:
    """The claims on that port of the services of those objects that the egress listener serves, in no order."""
    upstreams = served(objects, snapshot, egress, mesh)
    return (claim for upstream in upstreams for claim in claims(upstream, port, snapshot, egress, mesh))
